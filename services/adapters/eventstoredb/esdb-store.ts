import { setTimeout as sleep } from 'node:timers/promises'
import {
  type EventStore,
  type ProposedEvent,
  type StoredEvent,
  type Subscription,
  WrongExpectedPosition,
} from '../../../engine/ports/event-store.ts'
import { checkAppend, isRetry } from '../memory/append-check.ts'
import {
  EventStoreRegressed,
  EventStoreStreamDeleted,
  EventStoreUnreachable,
  isPassing,
  lastingError,
} from './esdb-errors.ts'
import { checkWireSize, toWire, type WireEvent } from './esdb-event.ts'
import { EsdbLink } from './esdb-link.ts'
import { EsdbSubscription } from './esdb-subscription.ts'

const PAGE = 1000
const FIRST_PAGE = 64
const PAGE_BYTES = 1024 * 1024
/** Below the 100 calls a server accepts on one connection: a burst beyond them hung in the client. */
const MAX_CALLS = 64
const FIRST_PAUSE_MS = 20
const LAST_PAUSE_MS = 1000
/** A stream nobody writes: reading it proves address, TLS and credentials. */
const PROBE = 'bitacora-connection-probe'

export interface EsdbStoreOptions {
  /** How long one attempt may wait for an answer, in ms. */
  attemptMs?: number
  /** How long an append, a head or a page is attempted before EventStoreUnreachable, in ms. */
  patienceMs?: number
  /** How long opening waits for the server, in ms. */
  openMs?: number
  /** How often an idle subscription compares itself with the stream's head, in ms. */
  heartbeatMs?: number
  /** A subscription lost its connection and will come back by itself; for logs and metrics. */
  onDrop?: (stream: string, reason: unknown) => void
}

export interface EsdbTimes {
  attemptMs: number
  patienceMs: number
  openMs: number
  heartbeatMs: number
}

/**
 * Connects to EventStoreDB by its connection string (esdb://user:password@host:2113?tls=true) and makes sure that
 * it answers. Throws EventStoreUrlInvalid, EventStoreUnreachable, EventStoreUnauthorized, EventStoreRefused.
 */
export async function openEsdbStore(
  url: string,
  options: EsdbStoreOptions = {},
): Promise<EsdbStore> {
  const store = new EsdbStore(url, options)
  try {
    await store.warm()
  } catch (error) {
    await store.close()
    throw error
  }
  return store
}

/** One stream of the port is one stream of the server, one event one event; a position is a revision. */
export class EsdbStore implements EventStore {
  /** Without credentials. */
  readonly url: string
  #connection: string
  #link: EsdbLink
  #times: EsdbTimes
  #onDrop: (stream: string, reason: unknown) => void
  #subscriptions = new Set<EsdbSubscription>()
  /** Highest position seen of each stream: a server that ends below it is older than it was. */
  #known = new Map<string, number>()
  #lastAppend = new Map<string, Promise<unknown>>()
  #running = 0
  #waiting: (() => void)[] = []
  #closed = false

  constructor(url: string, options: EsdbStoreOptions) {
    this.#times = {
      attemptMs: options.attemptMs ?? 5000,
      patienceMs: options.patienceMs ?? 15_000,
      openMs: options.openMs ?? 5000,
      heartbeatMs: options.heartbeatMs ?? 5000,
    }
    this.#onDrop = options.onDrop ?? (() => undefined)
    this.#connection = url
    this.#link = new EsdbLink(url, this.#times.attemptMs)
    this.url = this.#link.url
  }

  /** Opens the connection before the first burst needs it. */
  async warm(): Promise<void> {
    const { openMs } = this.#times
    await this.#patiently(PROBE, 'a first read', () => this.#link.head(PROBE), openMs)
  }

  async append(
    stream: string,
    expected: number,
    events: readonly ProposedEvent[],
  ): Promise<number> {
    this.#assertOpen()
    checkAppend(stream, expected, events)
    checkWireSize(stream, events)
    const wire = toWire(events)
    const write = () => this.#append(stream, expected, wire)
    // Calls on one connection may overtake each other; appends to one stream must not.
    const before = this.#lastAppend.get(stream)
    const result = before === undefined ? write() : before.then(write)
    const settled: Promise<unknown> = result
      .catch(() => undefined)
      .then(() => {
        if (this.#lastAppend.get(stream) === settled) this.#lastAppend.delete(stream)
      })
    this.#lastAppend.set(stream, settled)
    return result
  }

  async *read(stream: string, from: number, to?: number): AsyncGenerator<readonly StoredEvent[]> {
    this.#assertOpen()
    const known = this.#known.get(stream) ?? -1
    const last = to ?? Number.MAX_SAFE_INTEGER
    let next = Math.max(0, from)
    let window = FIRST_PAGE
    while (next <= last) {
      this.#assertOpen()
      const asked = Math.min(window, last - next + 1)
      const start = next
      const page = await this.#patiently(stream, 'a read', () =>
        this.#link.page(stream, start, asked),
      )
      next += page.length
      if (page.length > 0) this.#see(stream, next - 1)
      // Also when a page comes short: a server that lost its end must not pass for a finished read.
      if (page.length < asked && next <= Math.min(known, last)) {
        throw new EventStoreRegressed(this.url, stream, await this.#ending(stream), known)
      }
      if (page.length > 0) yield page
      if (page.length < asked) return
      window = heavy(page) ? Math.max(1, window >> 1) : Math.min(PAGE, window * 2)
    }
  }

  async head(stream: string): Promise<number> {
    this.#assertOpen()
    const known = this.#known.get(stream) ?? -1
    const head = await this.#ending(stream)
    if (head < known) throw new EventStoreRegressed(this.url, stream, head, known)
    this.#see(stream, head)
    return head
  }

  subscribe(
    stream: string,
    from: number,
    handler: (events: readonly StoredEvent[]) => void | Promise<void>,
  ): Subscription {
    this.#assertOpen()
    const subscription = new EsdbSubscription(stream, from, handler, {
      // A connection of its own: its failures and its end do not disturb the appends.
      link: new EsdbLink(this.#connection, this.#times.attemptMs),
      times: this.#times,
      dropped: (reason) => this.#onDrop(stream, reason),
      seen: (position) => this.#see(stream, position),
      ended: (ended) => void this.#subscriptions.delete(ended),
    })
    this.#subscriptions.add(subscription)
    return subscription
  }

  /** Waits for the appends and handler calls under way, then closes the connections. */
  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    await Promise.all([...this.#subscriptions].map((subscription) => subscription.close()))
    await Promise.all(this.#lastAppend.values())
    await this.#link.close()
  }

  // Every attempt carries the original expected position: if an earlier one was written and its answer lost,
  // the server finds the same ids at the same positions, answers with success and writes nothing.
  async #append(stream: string, expected: number, events: WireEvent[]): Promise<number> {
    const known = this.#known.get(stream) ?? -1
    const last = expected + events.length
    const result = await this.#patiently(stream, 'an append', async () => {
      if (expected < 0) await this.#link.checkUnlimited(stream)
      return this.#link.append(stream, expected, events)
    })
    if ('current' in result) {
      if (result.current < known) {
        throw new EventStoreRegressed(this.url, stream, result.current, known)
      }
      this.#see(stream, result.current)
      if (await this.#isKept(stream, expected, result.current, events)) return last
      throw new WrongExpectedPosition(stream, expected, result.current)
    }
    if (result.position !== last) {
      const what = `numbers its events to ${result.position} where ${last} was due`
      throw new EventStoreStreamDeleted(this.url, stream, what)
    }
    this.#see(stream, last)
    return last
  }

  // A server need not know its own write again: after a timeout that had written, one that has forgotten the ids, or
  // a new leader, says that somebody else wrote. What stands there tells who it was.
  async #isKept(
    stream: string,
    expected: number,
    current: number,
    events: readonly WireEvent[],
  ): Promise<boolean> {
    if (current < expected + events.length) return false
    const kept: StoredEvent[] = []
    while (kept.length < events.length) {
      const from = expected + 1 + kept.length
      const asked = Math.min(PAGE, events.length - kept.length)
      const page = await this.#patiently(stream, 'a read', () =>
        this.#link.page(stream, from, asked),
      )
      if (page.length < asked || !isRetry(page, events.slice(kept.length, kept.length + asked))) {
        return false
      }
      kept.push(...page)
    }
    return true
  }

  #ending(stream: string): Promise<number> {
    return this.#patiently(stream, 'a read', () => this.#link.head(stream))
  }

  #see(stream: string, position: number): void {
    if (position > (this.#known.get(stream) ?? -1)) this.#known.set(stream, position)
  }

  async #patiently<T>(
    stream: string,
    what: string,
    work: () => Promise<T>,
    patienceMs = this.#times.patienceMs,
  ): Promise<T> {
    const start = performance.now()
    let pause = FIRST_PAUSE_MS
    for (;;) {
      try {
        return await this.#oneOfFew(work)
      } catch (error) {
        if (!isPassing(error)) throw lastingError(error, this.url, stream, `${what} of ${stream}`)
        const waited = performance.now() - start
        if (waited + pause >= patienceMs) {
          throw new EventStoreUnreachable(this.url, `${what} of ${stream}`, waited, error)
        }
        if ((error as Error).name === 'AttemptTimedOut') this.#link.renew()
      }
      await sleep(pause)
      pause = Math.min(LAST_PAUSE_MS, pause * 2)
    }
  }

  async #oneOfFew<T>(work: () => Promise<T>): Promise<T> {
    if (this.#running >= MAX_CALLS) {
      await new Promise<void>((resolve) => void this.#waiting.push(resolve))
    } else {
      this.#running += 1
    }
    try {
      return await work()
    } finally {
      // The place goes to the first who waits, so that nobody comes between.
      const next = this.#waiting.shift()
      if (next === undefined) this.#running -= 1
      else next()
    }
  }

  #assertOpen(): void {
    if (this.#closed) throw new Error(`the connection to ${this.url} is closed`)
  }
}

function heavy(page: readonly StoredEvent[]): boolean {
  let characters = 0
  for (const { body } of page) characters += body.length
  return characters > PAGE_BYTES
}
