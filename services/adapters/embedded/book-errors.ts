import { dirname } from 'node:path'

/** The folder holds no book yet, and the caller may only read. */
export class NoBook extends Error {
  override name = 'NoBook'
  readonly code = 'no_book'
  readonly path: string
  constructor(path: string) {
    const folder = dirname(path)
    super(`no book in ${folder}: \`bitacora start --dir ${folder}\` makes one`)
    this.path = path
  }
}

/** The file is something else: not SQLite, or another program's database. It was left untouched. */
export class NotABook extends Error {
  override name = 'NotABook'
  readonly code = 'not_a_book'
  readonly path: string
  constructor(path: string, what: string, cause?: unknown) {
    super(`${path} is not a book: ${what}; name another folder with --dir, or move it away`, {
      cause,
    })
    this.path = path
  }
}

/** A later version of the program wrote the book. */
export class BookTooNew extends Error {
  override name = 'BookTooNew'
  readonly code = 'book_too_new'
  readonly path: string
  readonly found: number
  readonly supported: number
  constructor(path: string, found: number, supported: number) {
    super(
      `${path} has book format ${found}, this program knows up to ${supported}: use the newer program`,
    )
    this.path = path
    this.found = found
    this.supported = supported
  }
}

/** Another process kept the write lock longer than an append waits; nothing was written. */
export class BookBusy extends Error {
  override name = 'BookBusy'
  readonly code = 'book_busy'
  readonly path: string
  constructor(path: string, waitedMs: number, cause?: unknown) {
    super(
      `${path} was locked by another process for ${waitedMs} ms: end the program that writes to it`,
      { cause },
    )
    this.path = path
  }
}

/**
 * The disk refused: full, read-only, failing, or no permission. The append is in the book whole or not at
 * all; repeating it with its original expected position is safe either way.
 */
export class BookUnavailable extends Error {
  override name = 'BookUnavailable'
  readonly code = 'book_unavailable'
  readonly path: string
  constructor(path: string, cause: unknown) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    super(`${path} cannot be used (${reason}): check the disk's space and permissions`, { cause })
    this.path = path
  }
}

/** What lies on disk cannot be a book's content: rows missing, overlapping, or not splitting into events. */
export class CorruptBook extends Error {
  override name = 'CorruptBook'
  readonly code = 'corrupt_book'
  readonly path: string
  readonly stream: string | null
  /** First position that cannot be read, null when the damage is not in one place of a stream. */
  readonly position: number | null
  constructor(
    path: string,
    stream: string | null,
    position: number | null,
    what: string,
    cause?: unknown,
  ) {
    const place = stream === null ? path : `${path}, stream ${stream}`
    super(`${place}: ${what}; restore the book from a backup`, { cause })
    this.path = path
    this.stream = stream
    this.position = position
  }
}
