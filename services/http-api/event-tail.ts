import { decodeBody } from '../../engine/events/envelope.ts'
import type { EventStore, StoredEvent, Subscription } from '../../engine/ports/event-store.ts'
import { formatTime } from '../../engine/time.ts'
import { type BookEvent, bookEvent } from '../../projections/projection.ts'
import type { EventBody } from '../../schemas/types.gen.ts'

/** An event as clients of the API see it. */
export interface TailEvent {
  position: number
  type: string
  /** Null where the event is about no symbol. */
  symbol: string | null
  /** Its body as JSON text: made once, however many ask. */
  json: string
}

const RING = 4096
const PAGE = 512
const RETRY_MS = 1000

/**
 * The newest events of a book, kept for those who follow it. Whoever is behind reads the store; whoever has caught
 * up waits here. Nothing is buffered for anybody: a slow reader is only further behind.
 */
export class EventTail {
  readonly #store: EventStore
  readonly #stream: string
  readonly #ring: { stored: StoredEvent; made: TailEvent | null }[] = []
  #subscription: Subscription | null = null
  #retry: NodeJS.Timeout | undefined
  readonly #onLost: (error: unknown) => void
  #waiting = new Set<() => void>()
  #head = -1
  #closed = false

  /** `onLost` is told when the store stops giving; it is asked again a second later. */
  constructor(store: EventStore, stream: string, onLost: (error: unknown) => void) {
    this.#store = store
    this.#stream = stream
    this.#onLost = onLost
  }

  /** Last position of the book that is known here. */
  get head(): number {
    return this.#head
  }

  get closed(): boolean {
    return this.#closed
  }

  /** Begins to follow at the end of the book. */
  async start(): Promise<void> {
    this.#head = await this.#store.head(this.#stream)
    this.#follow()
  }

  #follow(): void {
    this.#subscription = this.#store.subscribe(this.#stream, this.#head + 1, (events) => {
      for (const event of events) {
        // Made into text when somebody asks: mostly nobody does, and this runs in the engine's process.
        this.#ring.push({ stored: event, made: null })
        this.#head = event.position
      }
      if (this.#ring.length > 2 * RING) this.#ring.splice(0, this.#ring.length - RING)
      this.#wake()
    })
    this.#subscription.done.catch((error: unknown) => {
      if (this.#closed) return
      this.#onLost(error)
      this.#retry = setTimeout(() => this.#follow(), RETRY_MS)
    })
  }

  /** The next events from a position on, at least one; null at the end of the book. */
  async next(from: number): Promise<readonly TailEvent[] | null> {
    if (from > this.#head) return null
    const first = this.#ring[0]
    if (first !== undefined && from >= first.stored.position) {
      const start = from - first.stored.position
      return this.#ring.slice(start, start + PAGE).map((one) => {
        one.made ??= tailEvent(one.stored)
        return one.made
      })
    }
    for await (const page of this.#store.read(this.#stream, from, this.#head)) {
      return page.map(tailEvent)
    }
    return null
  }

  /**
   * Calls `wake` once when there is an event at `from`, after `ms` at the latest, at once when closed. The answer ends
   * the wait.
   */
  when(from: number, ms: number, wake: () => void): () => void {
    const off = (): void => {
      clearTimeout(timer)
      this.#waiting.delete(end)
    }
    const end = (): void => {
      off()
      wake()
    }
    const timer = setTimeout(end, this.#closed || from <= this.#head ? 0 : ms)
    this.#waiting.add(end)
    return off
  }

  async close(): Promise<void> {
    this.#closed = true
    clearTimeout(this.#retry)
    this.#wake()
    await this.#subscription?.close()
  }

  #wake(): void {
    for (const wake of [...this.#waiting]) wake()
  }
}

export function tailEvent(stored: StoredEvent): TailEvent {
  const event = bookEvent(decodeBody(stored))
  const { position, type } = event
  return { position, type, symbol: symbolOf(event), json: JSON.stringify(eventBody(event)) }
}

export function eventBody(event: BookEvent): EventBody {
  const { position, id, type, version, at, recordedAt, step, because } = event
  const data = event.data as EventBody['data']
  const times = { at: formatTime(at), recordedAt: formatTime(recordedAt) }
  return { position, id, type, version, ...times, step, because, data }
}

function symbolOf({ data }: BookEvent): string | null {
  if ('symbol' in data && typeof data.symbol === 'string') return data.symbol
  return 'order' in data ? (data.order?.symbol ?? null) : null
}
