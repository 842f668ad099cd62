import { Buffer } from 'node:buffer'
import { existsSync, rmSync, truncateSync } from 'node:fs'
import { setImmediate as turn } from 'node:timers/promises'
import { AlteredEvent } from '../../../engine/events/envelope.ts'
import type { Hash } from '../../../engine/events/step-recorder.ts'
import {
  type EventStore,
  MAX_APPEND_BYTES,
  type StoredEvent,
} from '../../../engine/ports/event-store.ts'
import { openSqliteStore, type SqliteStore } from '../embedded/sqlite-store.ts'
import { ServerDiverged } from './copy-errors.ts'
import { checkStep, compare, FileTrouble, lastStep } from './copy-proof.ts'

export interface BookCopyOptions {
  /** The file; it and its log are the copy's own. */
  path: string
  /** The only stream that is copied. */
  stream: string
  /** Who is copied, and decides. */
  source: EventStore
  /** How messages call it. */
  name: string
  hash: Hash
  /** The copy could not be used or kept; work goes on without it. */
  warn: (error: unknown, message: string) => void
}

/** Errors that say the file is a copy of ours, and no good. */
const SPOILT = new Set(['corrupt_book', 'book_too_new', 'altered_event'])
/** Events that may wait for the file; beyond them nothing more is kept until the next start. */
const MAX_WAITING = 100_000

/**
 * What this machine has read of a book that lies elsewhere, in a file of its own, so that it need not come over the
 * wire again. It is never believed: its last step is compared with the source when it is opened, every step must lead to
 * its checksum before it is handed out for the first time, and the checksums are a chain. A file that fails by itself is
 * thrown away, and the source is read; one that is whole and not the source's is kept, and refused. It is written behind the source and without fsync: what a power cut takes from its end is read
 * again.
 */
export class BookCopy {
  readonly #options: BookCopyOptions
  #file: SqliteStore | null
  /** Last position in the file. */
  #written: number
  /** Next position that is missing, what waits to be written included. */
  #next: number
  #waiting: StoredEvent[] = []
  #writing: Promise<void> | null = null
  /** Up to here every step was found to lead to its checksum, the last of which is this. */
  #proven = -1
  #checksum = ''

  private constructor(options: BookCopyOptions, file: SqliteStore | null, last: number) {
    this.#options = options
    this.#file = file
    this.#written = last
    this.#next = last + 1
  }

  /** Throws ServerBehindCopy, ServerDiverged, CopyOfAnotherBook, and what the source throws. */
  static async open(options: BookCopyOptions): Promise<BookCopy> {
    const file = await openFile(options)
    if (file === null) return new BookCopy(options, null, -1)
    try {
      const last = await lastStep(file, options)
      if (last !== undefined) await compare(file, last, options)
      return new BookCopy(options, file, last?.position ?? -1)
    } catch (error) {
      await file.close()
      if (!(error instanceof FileTrouble)) throw error
      if (!isSpoilt(error.cause)) {
        tellUseless(options, error.cause)
        return new BookCopy(options, null, -1)
      }
      discard(options, error.cause)
      return new BookCopy(options, await openFile(options), -1)
    }
  }

  /**
   * Pages of whole events from a position on, as far as the copy is proven or can be proven by reading on; nothing
   * where it cannot. The rest is the source's to tell.
   */
  async *read(from: number, to: number): AsyncGenerator<readonly StoredEvent[]> {
    const file = this.#file
    if (file === null || from > this.#proven + 1) return
    const step: StoredEvent[] = []
    const pages = file.read(this.#options.stream, from, Math.min(to, this.#written))
    for (;;) {
      let page: readonly StoredEvent[]
      try {
        const result = await pages.next()
        if (result.done === true || this.#file === null) return
        page = this.#prove(result.value, step)
      } catch (error) {
        await this.#giveUp(error)
        return
      }
      if (page.length > 0) yield page
    }
  }

  /** Takes what the source holds; what is there already, or does not join, is left. Writes in its own time. */
  keep(events: readonly StoredEvent[]): void {
    if (this.#file === null) return
    for (const event of events) {
      if (event.position !== this.#next || this.#waiting.length === MAX_WAITING) continue
      this.#waiting.push(event)
      this.#next += 1
    }
    if (this.#waiting.length > 0) this.#writing ??= this.#write()
  }

  /** What is said where the source no longer holds what was read from here. */
  diverged(position: number): ServerDiverged {
    const { name, path, stream } = this.#options
    return new ServerDiverged(name, path, stream, position)
  }

  /** Writes what waits, then lets go of the file. */
  async close(): Promise<void> {
    await this.#writing
    const file = this.#file
    this.#file = null
    await file?.close()
  }

  #prove(page: readonly StoredEvent[], step: StoredEvent[]): readonly StoredEvent[] {
    const last = page[page.length - 1]
    if (step.length === 0 && last !== undefined && last.position <= this.#proven) return page
    const proven: StoredEvent[] = []
    for (const event of page) {
      step.push(event)
      if (event.position > this.#proven) {
        if (event.checksum === null) continue
        this.#checksum = checkStep(this.#options.hash, this.#checksum, step)
        this.#proven = event.position
      }
      proven.push(...step)
      step.length = 0
    }
    return proven
  }

  async #write(): Promise<void> {
    try {
      for (;;) {
        // After those who wait for the append that these events come from, and one turn of the event loop for each batch.
        await turn()
        const batch = wholeSteps(this.#waiting)
        const last = batch[batch.length - 1]
        if (this.#file === null || last === undefined) return
        this.#waiting = this.#waiting.slice(batch.length)
        await this.#file.append(this.#options.stream, this.#written, batch)
        // Not from the file but from the source itself.
        if (this.#proven === this.#written) {
          this.#proven = last.position
          this.#checksum = last.checksum ?? ''
        }
        this.#written = last.position
      }
    } catch (error) {
      await this.#giveUp(error)
    } finally {
      this.#writing = null
    }
  }

  /** Throws the file away, also for its room on a full disk; the next start makes another. */
  async #giveUp(error: unknown): Promise<void> {
    const file = this.#file
    if (file === null) return
    this.#file = null
    this.#waiting = []
    await file.close().catch(() => undefined)
    discard(this.#options, error)
  }
}

/** Null where there is no use of a copy: the disk refuses, or something else lies there. */
async function openFile(options: BookCopyOptions): Promise<SqliteStore | null> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await openOwn(options)
    } catch (error) {
      if (!isSpoilt(error) || attempt === 2) {
        tellUseless(options, error)
        return null
      }
      discard(options, error)
    }
  }
}

async function openOwn({ path, stream }: BookCopyOptions): Promise<SqliteStore> {
  const file = openSqliteStore(path, { durable: false })
  const foreign = (await file.streamNames()).find((name) => name !== stream)
  if (foreign === undefined) return file
  await file.close()
  throw new AlteredEvent(0, `it belongs to stream ${foreign}`)
}

/** From the first on, as many steps as one append holds; none before the first step is whole. */
function wholeSteps(events: readonly StoredEvent[]): StoredEvent[] {
  let bytes = 0
  let whole = 0
  for (let i = 0; i < events.length; i++) {
    bytes += Buffer.byteLength(events[i]!.body)
    if (bytes > MAX_APPEND_BYTES) break
    if (events[i]!.checksum !== null) whole = i + 1
  }
  return events.slice(0, whole)
}

function isSpoilt(error: unknown): boolean {
  return SPOILT.has(String((error as { code?: unknown } | null)?.code))
}

function tellUseless({ path, warn }: BookCopyOptions, error: unknown): void {
  warn(error, `no copy of the book is kept: mend or remove ${path}; EventStoreDB is read instead`)
}

function discard({ path, warn }: BookCopyOptions, error: unknown): void {
  warn(
    error,
    `${path} is no good copy of the book and is thrown away; EventStoreDB is read instead`,
  )
  try {
    // libsql keeps a closed file open until it is collected: the room on the disk comes back with the bytes.
    for (const end of ['', '-wal']) if (existsSync(`${path}${end}`)) truncateSync(`${path}${end}`)
    for (const end of ['', '-wal', '-shm']) rmSync(`${path}${end}`, { force: true })
  } catch (cause) {
    warn(cause, `${path} cannot be removed; remove it by hand`)
  }
}
