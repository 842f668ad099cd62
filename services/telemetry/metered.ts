import type { Bus, Consumption } from '../../engine/ports/bus.ts'
import type { EventStore } from '../../engine/ports/event-store.ts'

const REMEMBERED_APPENDS = 4096

/** The store of the writer, with each append timed, and when what was appended. */
export class MeteredStore implements EventStore {
  /** Last position appended by this process, −1 for none. */
  position = -1
  readonly #store: EventStore
  readonly #took: (seconds: number) => void
  #appends: { position: number; at: number }[] = []

  constructor(store: EventStore, took: (seconds: number) => void) {
    this.#store = store
    this.#took = took
  }

  async append(...given: Parameters<EventStore['append']>): Promise<number> {
    const start = performance.now()
    const position = await this.#store.append(...given)
    this.#took((performance.now() - start) / 1000)
    this.position = position
    this.#appends.push({ position, at: Date.now() })
    if (this.#appends.length > 2 * REMEMBERED_APPENDS) {
      this.#appends = this.#appends.slice(REMEMBERED_APPENDS)
    }
    return position
  }

  /** How long the oldest event behind `position` has been in the book, seconds; 0 when there is none. */
  lagSeconds(position: number, now: number): number {
    if (position >= this.position) return 0
    let low = 0
    let high = this.#appends.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (this.#appends[middle]!.position > position) high = middle
      else low = middle + 1
    }
    const first = this.#appends[low]
    return first === undefined ? 0 : Math.max(0, (now - first.at) / 1000)
  }

  read(...given: Parameters<EventStore['read']>): ReturnType<EventStore['read']> {
    return this.#store.read(...given)
  }

  head(stream: string): Promise<number> {
    return this.#store.head(stream)
  }

  subscribe(...given: Parameters<EventStore['subscribe']>): ReturnType<EventStore['subscribe']> {
    return this.#store.subscribe(...given)
  }

  close(): Promise<void> {
    return this.#store.close()
  }
}

/** The bus of the writer, with what came counted. */
export class MeteredBus implements Bus {
  readonly received = new Map<string, number>()
  readonly redelivered = new Map<string, number>()
  readonly #bus: Bus
  readonly #consumptions = new Map<string, Consumption>()

  constructor(bus: Bus) {
    this.#bus = bus
  }

  publish(...given: Parameters<Bus['publish']>): ReturnType<Bus['publish']> {
    return this.#bus.publish(...given)
  }

  async consume(...given: Parameters<Bus['consume']>): Promise<Consumption> {
    const [stream, durable, onMessage, from] = given
    this.redelivered.set(stream, 0)
    const consumption = await this.#bus.consume(
      stream,
      durable,
      (message) => {
        this.received.set(stream, (this.received.get(stream) ?? 0) + 1)
        if (message.redelivered) {
          this.redelivered.set(stream, (this.redelivered.get(stream) ?? 0) + 1)
        }
        onMessage(message)
      },
      from,
    )
    this.#consumptions.set(stream, consumption)
    return consumption
  }

  /** Messages that wait on NATS or were not acknowledged, by stream; without those that do not answer in time. */
  async pending(withinMs: number): Promise<Map<string, number>> {
    const found = new Map<string, number>()
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, withinMs)
    })
    const asked = [...this.#consumptions].map(async ([stream, consumption]) => {
      const count = await consumption.pending().catch(() => null)
      if (count !== null) found.set(stream, count)
    })
    await Promise.race([Promise.all(asked), late])
    clearTimeout(timer)
    return new Map(found)
  }
}
