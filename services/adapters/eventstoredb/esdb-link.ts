import {
  BACKWARDS,
  END,
  EventStoreDBClient,
  FORWARDS,
  NO_STREAM,
  START,
  StreamNotFoundError,
  type StreamSubscription,
  WrongExpectedVersionError,
} from '@eventstore/db-client'
import type { StoredEvent } from '../../../engine/ports/event-store.ts'
import { AttemptTimedOut, EventStoreStreamDeleted, EventStoreTruncated } from './esdb-errors.ts'
import { fromWire, type WireEvent } from './esdb-event.ts'
import { checkUrl, shownUrl } from './esdb-url.ts'

/** Parts of the client that its types hide; its version is pinned. */
interface ClientInternals {
  supports: () => Promise<boolean>
  getChannel(): Promise<{ close(): void }>
}

export type Appended = { position: number } | { current: number }

/** One client with one connection; every method is one attempt, with a deadline of `attemptMs`, in the client's errors. */
export class EsdbLink {
  /** Without credentials, for messages. */
  readonly url: string
  #connection: string
  #attemptMs: number
  #client: EventStoreDBClient

  constructor(url: string, attemptMs: number) {
    checkUrl(url)
    this.url = shownUrl(url)
    this.#connection = url
    this.#attemptMs = attemptMs
    this.#client = newClient(url)
  }

  /** The same server by a new connection: the client keeps one that went silent until its keepalive notices. */
  renew(): void {
    const old = this.#client
    this.#client = newClient(this.#connection)
    void closeChannel(old)
  }

  async append(stream: string, expected: number, events: WireEvent[]): Promise<Appended> {
    const expectedRevision = expected < 0 ? NO_STREAM : BigInt(expected)
    const client = this.#client
    try {
      const result = await within(this.#attemptMs, () =>
        client.appendToStream(stream, events, {
          expectedRevision,
          requiresLeader: true,
          deadline: this.#attemptMs,
        }),
      )
      return { position: Number(result.nextExpectedRevision) }
    } catch (error) {
      if (!(error instanceof WrongExpectedVersionError)) throw error
      const actual = error.actualVersion
      return { current: typeof actual === 'bigint' ? Number(actual) : -1 }
    }
  }

  /** Refuses a stream whose positions would not begin at 0 or whose events the server would drop. */
  async checkUnlimited(stream: string): Promise<void> {
    const client = this.#client
    const { metadata } = await within(this.#attemptMs, () =>
      client.getStreamMetadata(stream, { requiresLeader: true }),
    )
    const { truncateBefore, maxCount, maxAge } = metadata ?? {}
    if (truncateBefore !== undefined) {
      throw new EventStoreStreamDeleted(this.url, stream, 'was deleted or truncated before')
    }
    if (maxCount !== undefined || maxAge !== undefined) {
      throw new EventStoreStreamDeleted(
        this.url,
        stream,
        'has $maxCount or $maxAge in its metadata',
      )
    }
  }

  /** Up to `count` events from a position on, none when the stream is missing or ends before it. */
  async page(stream: string, from: number, count: number): Promise<StoredEvent[]> {
    const fromRevision = from === 0 ? START : BigInt(from)
    const page = await this.#read(stream, { fromRevision, direction: FORWARDS, maxCount: count })
    checkRun(this.url, stream, from, page)
    return page
  }

  async head(stream: string): Promise<number> {
    const page = await this.#read(stream, { fromRevision: END, direction: BACKWARDS, maxCount: 1 })
    return page[0]?.position ?? -1
  }

  /** Live events after a position; the caller watches over it. */
  subscribe(stream: string, after: number): StreamSubscription {
    const fromRevision = after < 0 ? START : BigInt(after)
    const live = this.#client.subscribeToStream(stream, { fromRevision, requiresLeader: true })
    // The client emits errors even when nobody reads any more; without a listener they end the process.
    return live.on('error', () => undefined)
  }

  async close(): Promise<void> {
    await this.#client.dispose()
    await closeChannel(this.#client)
  }

  async #read(
    stream: string,
    options: Parameters<EventStoreDBClient['readStream']>[1],
  ): Promise<StoredEvent[]> {
    const ms = this.#attemptMs
    const read = this.#client.readStream(stream, { ...options, requiresLeader: true })
    read.on('error', () => undefined)
    const giveUp = () => {
      read.cancel().catch(() => undefined)
      read.destroy(new AttemptTimedOut(ms))
    }
    // The limit is on silence, not on the whole: a page may be large and the line slow.
    const timer = setTimeout(giveUp, ms)
    const events: StoredEvent[] = []
    try {
      for await (const { event } of read) {
        timer.refresh()
        if (event !== undefined) events.push(fromWire(this.url, event))
      }
    } catch (error) {
      if (error instanceof StreamNotFoundError) return []
      throw error
    } finally {
      clearTimeout(timer)
    }
    return events
  }
}

/** Throws EventStoreTruncated unless the events have the positions that follow each other from `from` on. */
export function checkRun(
  url: string,
  stream: string,
  from: number,
  events: readonly StoredEvent[],
): void {
  let next = from
  for (const { position } of events) {
    if (position !== next) throw new EventStoreTruncated(url, stream, next, position - 1)
    next += 1
  }
}

// The client's BatchAppend keeps the promises of all clients of a process in one table, which a failure of any of
// them empties: an answer that comes later then throws outside every promise, and the process ends. It also has
// no deadline. So the server is said not to support it, and each append is a call of its own.
function newClient(url: string): EventStoreDBClient {
  const client = EventStoreDBClient.connectionString(url)
  internals(client).supports = () => Promise.resolve(false)
  return client
}

async function closeChannel(client: EventStoreDBClient): Promise<void> {
  try {
    const channel = await internals(client).getChannel()
    channel.close()
  } catch {
    // No channel was ever made: nothing to close.
  }
}

function internals(client: EventStoreDBClient): ClientInternals {
  return client as unknown as ClientInternals
}

async function within<T>(ms: number, work: () => Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new AttemptTimedOut(ms)), ms)
  })
  try {
    return await Promise.race([work(), late])
  } finally {
    clearTimeout(timer)
  }
}
