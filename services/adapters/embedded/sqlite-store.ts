import type { Buffer } from 'node:buffer'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  type EventStore,
  type ProposedEvent,
  type StoredEvent,
  type Subscription,
  WrongExpectedPosition,
} from '../../../engine/ports/event-store.ts'
import { checkAppend, isRetry } from '../memory/append-check.ts'
import { PageSubscription } from '../memory/page-subscription.ts'
import { type AppendRow, decodeAppend, encodeAppend, ROW_TEXT } from './append-row.ts'
import { BookBusy, CorruptBook } from './book-errors.ts'
import {
  type Connection,
  closeBook,
  openBook,
  openingError,
  sqliteCode,
  streamNames,
  typedError,
} from './sqlite-schema.ts'

const PAGE = 1000
const FIRST_PAGE = 64
/** A page's bodies stay below a few of these, however large single events are. */
const PAGE_BYTES = 1024 * 1024

export interface SqliteStoreOptions {
  /** For readers beside a running engine: never creates, never writes. */
  readonly?: boolean
  /** False where the file is a copy of what lies elsewhere: appends then do not wait for the disk. */
  durable?: boolean
  /** How long another process may hold the lock before BookBusy, in ms. */
  busyLimitMs?: number
  /** How often subscriptions look for appends of other processes, in ms. */
  pollMs?: number
}

/** Opens or creates the book in one file. Throws NoBook, NotABook, BookTooNew, BookBusy, BookUnavailable, CorruptBook. */
export function openSqliteStore(path: string, options: SqliteStoreOptions = {}): SqliteStore {
  return new SqliteStore(path, options)
}

interface Reader {
  stream: string
  next: number
  to: number
  window: number
}

/** One row per append: the fsync is shared by its events, and nothing but a position is indexed. */
export class SqliteStore implements EventStore {
  readonly path: string
  #db: Connection
  #readonly: boolean
  #busyLimitMs: number
  #pollMs: number
  #statements: ReturnType<typeof prepareStatements>
  #streamIds = new Map<string, number>()
  #subscriptions = new Map<PageSubscription, string>()
  #poll: NodeJS.Timeout | null = null
  #lastAppend: Promise<unknown> | null = null
  #closed = false

  constructor(path: string, options: SqliteStoreOptions) {
    this.path = path
    this.#readonly = options.readonly ?? false
    this.#busyLimitMs = options.busyLimitMs ?? 5000
    this.#pollMs = options.pollMs ?? 50
    this.#db = openBook(path, { readonly: this.#readonly, durable: options.durable ?? true })
    try {
      this.#statements = prepareStatements(this.#db)
    } catch (error) {
      this.#db.close()
      throw openingError(error, path)
    }
  }

  async append(
    stream: string,
    expected: number,
    events: readonly ProposedEvent[],
  ): Promise<number> {
    this.#assertOpen()
    if (this.#readonly) throw new TypeError(`${this.path} was opened to be read only`)
    checkAppend(stream, expected, events)
    const row = encodeAppend(events)
    const ids = events.map(({ id }) => ({ id }))
    const write = () => this.#retry(() => this.#write(stream, expected, row, ids))
    // An append that waits for the lock must not be overtaken by a later one.
    const result = this.#lastAppend === null ? write() : this.#lastAppend.then(write)
    const settled: Promise<unknown> = result
      .catch(() => undefined)
      .then(() => {
        if (this.#lastAppend === settled) this.#lastAppend = null
      })
    this.#lastAppend = settled
    return result
  }

  async *read(stream: string, from: number, to?: number): AsyncGenerator<readonly StoredEvent[]> {
    const head = await this.head(stream)
    const reader: Reader = {
      stream,
      next: Math.max(0, from),
      to: Math.min(to ?? head, head),
      window: FIRST_PAGE,
    }
    while (reader.next <= reader.to) {
      this.#assertOpen()
      const page = await this.#retry(() => this.#readPage(reader))
      if (page.length === 0) throw this.#gap(reader.stream, reader.next)
      yield page
      // Reading a long book must not keep timers and sockets waiting.
      await new Promise((resolve) => setImmediate(resolve))
    }
  }

  async head(stream: string): Promise<number> {
    this.#assertOpen()
    return this.#retry(() => this.#head(stream, this.#streamId(stream)))
  }

  /** Every stream in the file, oldest first. */
  async streamNames(): Promise<string[]> {
    this.#assertOpen()
    return this.#retry(() => streamNames(this.#db))
  }

  subscribe(
    stream: string,
    from: number,
    handler: (events: readonly StoredEvent[]) => void | Promise<void>,
  ): Subscription {
    this.#assertOpen()
    const reader: Reader = { stream, next: 0, to: Number.MAX_SAFE_INTEGER, window: FIRST_PAGE }
    const source = {
      readPage: (start: number) => {
        reader.next = start
        return this.#retry(() => this.#readPage(reader))
      },
      ended: (ended: PageSubscription) => {
        this.#subscriptions.delete(ended)
        if (this.#subscriptions.size === 0) this.#stopPolling()
      },
    }
    const subscription = new PageSubscription(source, from, handler)
    this.#subscriptions.set(subscription, stream)
    this.#poll ??= setInterval(() => this.#lookForOthers(), this.#pollMs)
    return subscription
  }

  /** Waits for the appends and handler calls under way, then lets go of the file. */
  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    await Promise.all([...this.#subscriptions.keys()].map((subscription) => subscription.close()))
    await this.#lastAppend
    this.#stopPolling()
    closeBook(this.#db, this.#readonly)
  }

  #write(stream: string, expected: number, row: AppendRow, ids: readonly { id: string }[]): number {
    const statements = this.#statements
    statements.begin.run()
    let streamId: number
    try {
      const known = this.#streamId(stream)
      const current = this.#head(stream, known)
      if (expected !== current) {
        const retry = this.#isKept(stream, expected, current, ids)
        statements.rollback.run()
        if (retry) return expected + row.count
        throw new WrongExpectedPosition(stream, expected, current)
      }
      streamId = known ?? Number(statements.addStream.run([stream]).lastInsertRowid)
      const { count, types, checksums, bodies } = row
      statements.add.run([streamId, expected + 1, count, row.ids, types, checksums, bodies])
      statements.commit.run()
    } catch (error) {
      // SQLite has already rolled back after some failures, a full disk among them.
      if (this.#db.inTransaction) statements.rollback.run()
      throw error
    }
    this.#streamIds.set(stream, streamId)
    for (const [subscription, name] of this.#subscriptions) {
      if (name === stream) subscription.notify()
    }
    return expected + row.count
  }

  #isKept(
    stream: string,
    expected: number,
    current: number,
    ids: readonly { id: string }[],
  ): boolean {
    const to = expected + ids.length
    if (to > current) return false
    const reader: Reader = { stream, next: expected + 1, to, window: PAGE }
    const kept: StoredEvent[] = []
    while (reader.next <= to) {
      kept.push(...this.#readPage(reader))
    }
    return isRetry(kept, ids)
  }

  // All rows that begin in a window of positions: bounds a page without an open cursor, which would keep the
  // log file from being reset. Rows are taken whole, so that none is decoded twice.
  #readPage(reader: Reader): StoredEvent[] {
    const { stream, next, to, window } = reader
    const streamId = this.#streamId(stream)
    if (streamId === undefined || next > to || next > this.#head(stream, streamId)) return []
    const end = Math.min(to, next + window - 1)
    const rows = this.#statements.rows.all([streamId, streamId, next, end])
    const page: StoredEvent[] = []
    let position = next
    let bytes = 0
    for (const [first, count, text] of rows as [number, number, Buffer | null][]) {
      if (first > position) throw this.#gap(stream, position)
      if (page.length > 0 && first < position) throw this.#overlap(stream, first)
      if (first + count <= position) break
      const events = decodeAppend(first, count, text)
      if (events === null) throw this.#unsplittable(stream, first, count)
      bytes += text?.length ?? 0
      const past = Math.min(first + count, to + 1)
      for (let i = position - first; i < past - first; i++) page.push(events[i] as StoredEvent)
      position = past
    }
    if (page.length === 0) throw this.#gap(stream, next)
    reader.next = position
    reader.window = bytes > PAGE_BYTES ? Math.max(1, window >> 1) : Math.min(PAGE, window * 2)
    return page
  }

  #head(stream: string, streamId: number | undefined): number {
    if (streamId === undefined) return -1
    const row = this.#statements.last.get([streamId]) as [number | null, number] | undefined
    if (row === undefined) return -1
    const [end, id] = row
    // Altered under the open store: appending behind it would damage the book for good.
    if (end === null) throw new CorruptBook(this.path, stream, null, `row ${id} is no append`)
    return end
  }

  #streamId(stream: string): number | undefined {
    const known = this.#streamIds.get(stream)
    if (known !== undefined) return known
    const row = this.#statements.stream.get([stream]) as [number] | undefined
    if (row !== undefined) this.#streamIds.set(stream, row[0])
    return row?.[0]
  }

  async #retry<T>(work: () => T): Promise<T> {
    const start = performance.now()
    for (;;) {
      try {
        return work()
      } catch (error) {
        if (!sqliteCode(error).startsWith('SQLITE_BUSY')) throw typedError(error, this.path)
        const waited = performance.now() - start
        if (waited >= this.#busyLimitMs) throw new BookBusy(this.path, Math.round(waited), error)
      }
      await sleep(5)
    }
  }

  // What another process appends shows only when one looks; at the head a look is one index lookup.
  #lookForOthers(): void {
    for (const subscription of this.#subscriptions.keys()) subscription.notify()
  }

  #stopPolling(): void {
    if (this.#poll !== null) clearInterval(this.#poll)
    this.#poll = null
  }

  #gap(stream: string, position: number): CorruptBook {
    return new CorruptBook(this.path, stream, position, `position ${position} is missing`)
  }

  #overlap(stream: string, position: number): CorruptBook {
    return new CorruptBook(this.path, stream, position, `position ${position} occurs twice`)
  }

  #unsplittable(stream: string, first: number, count: number): CorruptBook {
    const range = `${first} to ${first + count - 1}`
    return new CorruptBook(
      this.path,
      stream,
      first,
      `positions ${range} do not split into ${count} events`,
    )
  }

  #assertOpen(): void {
    if (this.#closed) throw new Error(`${this.path} is closed`)
  }
}

// Result columns in our statements are expressions (`first + 0`), because libsql aborts the process when the
// name or type of a plain column, which it takes from the file, is not UTF-8.
function prepareStatements(db: Connection) {
  return {
    begin: db.prepare('BEGIN IMMEDIATE'),
    commit: db.prepare('COMMIT'),
    rollback: db.prepare('ROLLBACK'),
    stream: db.prepare('SELECT id + 0 FROM streams WHERE name = ?').raw(),
    addStream: db.prepare('INSERT INTO streams (name) VALUES (?)'),
    last: db
      .prepare(
        `SELECT iif(typeof(first) = 'integer' AND typeof(count) = 'integer' AND first >= 0 AND count > 0
             AND first + count <= ${Number.MAX_SAFE_INTEGER}, first + count - 1, NULL), id + 0
         FROM appends WHERE stream_id = ? ORDER BY first DESC LIMIT 1`,
      )
      .raw(),
    add: db.prepare(
      `INSERT INTO appends (stream_id, first, count, ids, types, checksums, bodies)
       VALUES (?, ?, ?, ?, ?, ?, ?)`,
    ),
    rows: db
      .prepare(
        `SELECT first + 0, count + 0, ${ROW_TEXT} FROM appends
         WHERE stream_id = ?
           AND first >= coalesce((SELECT max(first) FROM appends WHERE stream_id = ? AND first <= ?), 0)
           AND first <= ?
         ORDER BY first`,
      )
      .raw(),
  }
}
