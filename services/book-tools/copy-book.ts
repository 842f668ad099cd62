import { Buffer } from 'node:buffer'
import { AlteredEvent, decodeBody } from '../../engine/events/envelope.ts'
import {
  type EventStore,
  MAX_APPEND_BYTES,
  type StoredEvent,
} from '../../engine/ports/event-store.ts'
import { BookAudit, type BookEnd } from './book-audit.ts'

/** The source has no entry. */
export class NothingToCopy extends Error {
  override name = 'NothingToCopy'
  readonly code = 'no_book'
  constructor(place: string) {
    super(`the book in ${place} has no entry yet: there is nothing to copy`)
  }
}

/** The target holds another book, and was left untouched. */
export class ForeignBook extends Error {
  override name = 'ForeignBook'
  readonly code = 'foreign_book'
  readonly found: string | null
  readonly expected: string | null
  constructor(place: string, found: string | null, expected: string | null) {
    super(
      `${place} holds book ${found ?? 'without an id'}, and book ${expected ?? 'without an id'} was to be copied there: name another place`,
    )
    this.found = found
    this.expected = expected
  }
}

/** What is at the target is no beginning of the source: both went on by themselves. */
export class BookDiverged extends Error {
  override name = 'BookDiverged'
  readonly code = 'book_diverged'
  readonly position: number
  constructor(source: string, target: string, position: number, what: string) {
    super(
      `${source} and ${target} hold the same book up to ${position - 1} and go on differently (${what} at ${position}): an engine has written to each; copy to another place, and keep only one of them`,
    )
    this.position = position
  }
}

/** The target holds more of the book than the source: the copy would have to go the other way. */
export class CopyAhead extends Error {
  override name = 'CopyAhead'
  readonly code = 'copy_ahead'
  constructor(source: string, target: string, sourceEnd: number, targetEnd: number) {
    super(
      `${target} holds the book up to ${targetEnd}, ${source} only up to ${sourceEnd}: copy from the one that goes further`,
    )
  }
}

export interface CopyOptions {
  source: EventStore
  target: EventStore
  stream: string
  /** How messages call them. */
  names: { source: string; target: string }
  /** Copying ends before the first step for which it answers true. */
  endBefore?: (step: readonly StoredEvent[]) => boolean
  progress?: (phase: 'copying' | 'comparing', done: number, total: number) => void
}

export interface CopyResult {
  bookId: string | null
  /** Where the copy ends. */
  head: BookEnd
  events: number
  steps: number
  /** Events that an earlier, interrupted run had copied. */
  found: number
  copied: number
  /** Where the source ended when the copy was done; more than `head` when it was written to meanwhile. */
  sourceEnd: number
}

/** Below the 1 MiB of one append to EventStoreDB, whose types and checksums count too. */
const MAX_WIRE_BYTES = 1_000_000

/**
 * Copies a book as it stands when the call begins: ids, positions, bodies, checksums, a step never in two appends.
 * What an interrupted run left at the target is compared and continued. Every checksum of the source is looked at
 * before its step is written, and at the end the whole target is read again and compared, event by event.
 * Throws NothingToCopy, ForeignBook, BookDiverged, CopyAhead, AlteredEvent, and what the stores throw.
 */
export async function copyBook(options: CopyOptions): Promise<CopyResult> {
  const { source, target, stream, names } = options
  const head = await source.head(stream)
  if (head < 0) throw new NothingToCopy(names.source)
  const found = await target.head(stream)
  if (found >= 0) await compareIds(options)
  if (found > head) throw new CopyAhead(names.source, names.target, head, found)
  const end = await copySteps(options, head, found)
  const { audit, events } = await compareBooks(options, end)
  const result = audit.finish()
  if (!result.ok || result.head === null) throw alteredBy(audit)
  return {
    bookId: result.bookId,
    head: result.head,
    events,
    steps: result.steps,
    found: found + 1,
    copied: events - (found + 1),
    sourceEnd: await source.head(stream),
  }
}

async function compareIds({ source, target, stream, names }: CopyOptions): Promise<void> {
  const expected = await bookIdOf(source, stream)
  const found = await bookIdOf(target, stream)
  if (expected !== found) throw new ForeignBook(names.target, found, expected)
}

/** The id that the first entry of a book gave it; null where there is none. */
export async function bookIdOf(store: EventStore, stream: string): Promise<string | null> {
  for await (const [first] of store.read(stream, 0, 0)) {
    if (first === undefined || first.type !== 'book.created') return null
    try {
      const { bookId } = decodeBody(first).data as { bookId?: unknown }
      return typeof bookId === 'string' ? bookId : null
    } catch (error) {
      if (error instanceof AlteredEvent) return null
      throw error
    }
  }
  return null
}

/** Writes what is missing behind `found`; returns where the copy ends. */
async function copySteps(options: CopyOptions, head: number, found: number): Promise<number> {
  const { source, target, stream, names } = options
  const there = new Follower(target.read(stream, 0, found))
  const audit = new BookAudit()
  const batch = new Batch(options, found)
  let step: StoredEvent[] = []
  for await (const page of source.read(stream, 0, head)) {
    for (const event of page) {
      if (event.position <= found) {
        const other = there.take() ?? (await there.load())
        const difference = differenceOf(event, other)
        if (difference !== null) {
          throw new BookDiverged(names.source, names.target, event.position, difference)
        }
      }
      step.push(event)
      if (!audit.feed(event)) continue
      if (audit.firstFault !== null) throw alteredBy(audit)
      const whole = step
      step = []
      if (event.position <= found) continue
      if (whole[0]!.position <= found) {
        throw new BookDiverged(names.source, names.target, found + 1, 'a step is cut in two')
      }
      if (options.endBefore?.(whole) === true) {
        await batch.flush()
        return whole[0]!.position - 1
      }
      if (!batch.takes(whole)) await batch.flush()
      batch.add(whole)
    }
    options.progress?.('copying', page[page.length - 1]!.position, head)
  }
  const [open] = step
  if (open !== undefined) throw new AlteredEvent(open.position, 'the end of its step is missing')
  await batch.flush()
  return head
}

/** Whole steps on their way to the target, as many as one append holds. */
class Batch {
  readonly #options: CopyOptions
  #last: number
  #events: StoredEvent[] = []
  #bytes = 0
  #wire = 0

  constructor(options: CopyOptions, last: number) {
    this.#options = options
    this.#last = last
  }

  takes(step: readonly StoredEvent[]): boolean {
    const { bytes, wire } = sizeOf(step)
    return this.#bytes + bytes <= MAX_APPEND_BYTES && this.#wire + wire <= MAX_WIRE_BYTES
  }

  add(step: readonly StoredEvent[]): void {
    const { bytes, wire } = sizeOf(step)
    this.#events.push(...step)
    this.#bytes += bytes
    this.#wire += wire
  }

  async flush(): Promise<void> {
    const { target, stream } = this.#options
    if (this.#events.length === 0) return
    const events = this.#events.map(({ id, type, body, checksum }) => ({
      id,
      type,
      body,
      checksum,
    }))
    this.#last = await target.append(stream, this.#last, events)
    this.#events = []
    this.#bytes = 0
    this.#wire = 0
  }
}

function sizeOf(step: readonly StoredEvent[]): { bytes: number; wire: number } {
  let bytes = 0
  let wire = 0
  for (const { body, type, checksum } of step) {
    const size = Buffer.byteLength(body)
    bytes += size
    wire += size + 2 * type.length + (checksum === null ? 0 : 80)
  }
  return { bytes, wire }
}

/** Reads both from the start to `end` and looks at every byte of the target. Throws BookDiverged. */
async function compareBooks(
  options: CopyOptions,
  end: number,
): Promise<{ audit: BookAudit; events: number }> {
  const { source, target, stream, names } = options
  const audit = new BookAudit()
  const there = new Follower(target.read(stream, 0))
  let events = 0
  for await (const page of source.read(stream, 0, end)) {
    for (const event of page) {
      const other = there.take() ?? (await there.load())
      const difference = differenceOf(event, other)
      if (difference !== null) {
        throw new BookDiverged(names.source, names.target, event.position, difference)
      }
      audit.feed(other!)
      events++
    }
    options.progress?.('comparing', page[page.length - 1]!.position, end)
  }
  const more = there.take() ?? (await there.load())
  if (more !== undefined) {
    throw new BookDiverged(names.source, names.target, end + 1, 'another writer has appended')
  }
  return { audit, events }
}

/** Events one by one, without a promise for each. */
class Follower {
  readonly #pages: AsyncIterator<readonly StoredEvent[]>
  #page: readonly StoredEvent[] = []
  #next = 0

  constructor(pages: AsyncIterable<readonly StoredEvent[]>) {
    this.#pages = pages[Symbol.asyncIterator]()
  }

  /** Undefined when the page is used up. */
  take(): StoredEvent | undefined {
    return this.#page[this.#next++]
  }

  /** The first event of the next page; undefined at the end. */
  async load(): Promise<StoredEvent | undefined> {
    const result = await this.#pages.next()
    this.#page = result.done === true ? [] : result.value
    this.#next = 0
    return this.take()
  }
}

function differenceOf(event: StoredEvent, other: StoredEvent | undefined): string | null {
  if (other === undefined) return 'it ends'
  for (const field of ['position', 'id', 'type', 'checksum', 'body'] as const) {
    if (event[field] !== other[field]) return `another ${field}`
  }
  return null
}

function alteredBy(audit: BookAudit): AlteredEvent {
  const fault = audit.firstFault
  return new AlteredEvent(fault?.position ?? 0, fault?.message ?? 'it is not whole')
}
