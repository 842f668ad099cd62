import {
  type EventStore,
  type ProposedEvent,
  type StoredEvent,
  type Subscription,
  WrongExpectedPosition,
} from '../../../engine/ports/event-store.ts'
import { checkAppend, isRetry } from './append-check.ts'
import { PageSubscription } from './page-subscription.ts'

const PAGE = 1000

/** An event store in the process's memory, for tests and for runs whose book nobody keeps. */
export class MemoryStore implements EventStore {
  #streams = new Map<string, StoredEvent[]>()
  #subscriptions = new Map<PageSubscription, string>()
  #closed = false

  async append(
    stream: string,
    expected: number,
    events: readonly ProposedEvent[],
  ): Promise<number> {
    this.#assertOpen()
    checkAppend(stream, expected, events)
    const kept = this.#streams.get(stream) ?? []
    const current = kept.length - 1
    if (expected !== current) {
      const retried = kept.slice(expected + 1, expected + 1 + events.length)
      if (isRetry(retried, events)) return expected + events.length
      throw new WrongExpectedPosition(stream, expected, current)
    }
    for (const { id, type, body, checksum } of events) {
      kept.push({ id, type, body, checksum, position: kept.length })
    }
    this.#streams.set(stream, kept)
    for (const [subscription, name] of this.#subscriptions) {
      if (name === stream) subscription.notify()
    }
    return kept.length - 1
  }

  async *read(stream: string, from: number, to?: number): AsyncGenerator<readonly StoredEvent[]> {
    this.#assertOpen()
    const kept = this.#streams.get(stream) ?? []
    const end = Math.min(to ?? Number.POSITIVE_INFINITY, kept.length - 1) + 1
    for (let start = Math.max(0, from); start < end; start += PAGE) {
      yield this.#copy(kept, start, Math.min(start + PAGE, end))
    }
  }

  async head(stream: string): Promise<number> {
    this.#assertOpen()
    return (this.#streams.get(stream)?.length ?? 0) - 1
  }

  subscribe(
    stream: string,
    from: number,
    handler: (events: readonly StoredEvent[]) => void | Promise<void>,
  ): Subscription {
    this.#assertOpen()
    const source = {
      readPage: async (start: number) =>
        this.#copy(this.#streams.get(stream) ?? [], start, start + PAGE),
      ended: (ended: PageSubscription) => void this.#subscriptions.delete(ended),
    }
    const subscription = new PageSubscription(source, from, handler)
    this.#subscriptions.set(subscription, stream)
    return subscription
  }

  async close(): Promise<void> {
    this.#closed = true
    await Promise.all([...this.#subscriptions.keys()].map((subscription) => subscription.close()))
  }

  // Copies, because a caller that changes an event it was handed must not change the book.
  #copy(kept: readonly StoredEvent[], start: number, end: number): StoredEvent[] {
    return kept.slice(start, end).map((event) => ({ ...event }))
  }

  #assertOpen(): void {
    if (this.#closed) throw new Error('the event store is closed')
  }
}
