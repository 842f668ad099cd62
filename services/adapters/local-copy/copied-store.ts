import type {
  EventStore,
  ProposedEvent,
  StoredEvent,
  Subscription,
} from '../../../engine/ports/event-store.ts'
import { BookCopy, type BookCopyOptions } from './book-copy.ts'
import { isSame } from './copy-proof.ts'

/**
 * A store with a copy of one stream beside it. Appends, heads and subscriptions are the source's; of a read, the copy
 * answers what it can prove, and takes the rest as it comes by. Throws ServerBehindCopy,
 * ServerDiverged, CopyOfAnotherBook, and what the source throws.
 */
export async function openCopiedStore(options: BookCopyOptions): Promise<EventStore> {
  const { source, stream } = options
  return new CopiedStore(source, stream, await BookCopy.open(options))
}

class CopiedStore implements EventStore {
  readonly #source: EventStore
  readonly #stream: string
  readonly #copy: BookCopy

  constructor(source: EventStore, stream: string, copy: BookCopy) {
    this.#source = source
    this.#stream = stream
    this.#copy = copy
  }

  async append(
    stream: string,
    expected: number,
    events: readonly ProposedEvent[],
  ): Promise<number> {
    const last = await this.#source.append(stream, expected, events)
    if (stream === this.#stream) {
      this.#copy.keep(events.map((event, i) => ({ ...event, position: expected + 1 + i })))
    }
    return last
  }

  // The copy was compared when it was opened, which may be long ago: where the source goes on it is asked for the last
  // event of the copy once more.
  async *read(stream: string, from: number, to?: number): AsyncGenerator<readonly StoredEvent[]> {
    let next = Math.max(0, from)
    let last: StoredEvent | undefined
    if (stream === this.#stream) {
      for await (const page of this.#copy.read(next, to ?? Number.MAX_SAFE_INTEGER)) {
        yield page
        next += page.length
        last = page[page.length - 1]
      }
    }
    if (to !== undefined && next > to) return
    for await (const page of this.#source.read(stream, last === undefined ? next : next - 1, to)) {
      const isJoint = last !== undefined && page[0]!.position < next
      if (isJoint && !isSame(last, page[0])) throw this.#copy.diverged(next - 1)
      const rest = isJoint ? page.slice(1) : page
      last = undefined
      if (stream === this.#stream) this.#copy.keep(rest)
      if (rest.length > 0) yield rest
    }
    if (last !== undefined) throw this.#copy.diverged(next - 1)
  }

  head(stream: string): Promise<number> {
    return this.#source.head(stream)
  }

  subscribe(
    stream: string,
    from: number,
    handler: (events: readonly StoredEvent[]) => void | Promise<void>,
  ): Subscription {
    return this.#source.subscribe(stream, from, handler)
  }

  async close(): Promise<void> {
    try {
      await this.#copy.close()
    } finally {
      await this.#source.close()
    }
  }
}
