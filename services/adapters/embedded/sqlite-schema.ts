import type { Buffer } from 'node:buffer'
import { closeSync, fsyncSync, openSync, type Stats, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import Database from 'libsql'
import { makeFolder } from '../../runtime/make-folder.ts'
import {
  BookBusy,
  BookTooNew,
  BookUnavailable,
  CorruptBook,
  NoBook,
  NotABook,
} from './book-errors.ts'

export type Connection = InstanceType<typeof Database>

export const SCHEMA_VERSION = 1
/** `btcr` in ASCII: tells a book from any other SQLite file, and `file(1)` shows it. */
const APPLICATION_ID = 0x62746372
const OPEN_TIMEOUT_MS = 2000
/** Short, because SQLite waits with the event loop stopped; longer waits are slept through by the store. */
const STATEMENT_TIMEOUT_MS = 20
const WAL_LIMIT_BYTES = 64 * 1024 * 1024

// STRICT and the checks refuse most alterations outright; checkRows finds the others, and those in files made
// without them. The index holds `count`, so that checkRows reads the index alone.
const SCHEMA = `
  CREATE TABLE meta (key TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT;
  CREATE TABLE streams (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE CHECK (name <> '')) STRICT;
  CREATE TABLE appends (
    id INTEGER PRIMARY KEY,
    stream_id INTEGER NOT NULL REFERENCES streams (id),
    first INTEGER NOT NULL CHECK (first >= 0),
    count INTEGER NOT NULL CHECK (count > 0),
    ids TEXT NOT NULL CHECK (${listLength('ids')} = count),
    types TEXT NOT NULL CHECK (${listLength('types')} = count),
    checksums TEXT NOT NULL CHECK (${listLength('checksums')} = count),
    bodies TEXT NOT NULL,
    UNIQUE (stream_id, first, count)
  ) STRICT;
  PRAGMA application_id = ${APPLICATION_ID};
  INSERT INTO meta VALUES ('schema_version', ${SCHEMA_VERSION});`

function listLength(column: string): string {
  return `length(${column}) - length(replace(${column}, ',', '')) + 1`
}

/**
 * Opens the file, makes it a book when it is new, and refuses what is not one. Not durable, a power cut may take its last
 * appends, no others.
 */
export function openBook(
  path: string,
  { readonly, durable }: { readonly: boolean; durable: boolean },
): Connection {
  const file = lookAt(path)
  if (file === undefined) {
    if (readonly) throw new NoBook(path)
    makeBookFolder(path)
  } else if (!file.isFile()) {
    throw new BookUnavailable(path, new Error('it is not a file'))
  }
  const db = connect(path, readonly)
  try {
    db.pragma(`busy_timeout = ${OPEN_TIMEOUT_MS}`)
    // The identity comes first: switching somebody else's database to WAL would alter it.
    const fresh = isFresh(db, path)
    if (fresh && readonly) throw new NoBook(path)
    if (!readonly) prepareForWriting(db, path, fresh, durable)
    checkRows(db, path)
    db.pragma(`busy_timeout = ${STATEMENT_TIMEOUT_MS}`)
    return db
  } catch (error) {
    if (db.inTransaction) db.exec('ROLLBACK')
    db.close()
    throw openingError(error, path)
  }
}

function lookAt(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false })
  } catch (error) {
    throw new BookUnavailable(path, error)
  }
}

/** What an error met before the first read or write of events means. */
export function openingError(error: unknown, path: string): unknown {
  const code = sqliteCode(error)
  if (code === 'SQLITE_NOTADB') return new NotABook(path, 'it is not an SQLite file', error)
  if (code.startsWith('SQLITE_BUSY')) return new BookBusy(path, OPEN_TIMEOUT_MS, error)
  // Our statements fit our tables, so the tables are no longer as they were made.
  if (code === 'SQLITE_ERROR') {
    return new CorruptBook(path, null, null, 'its tables are damaged', error)
  }
  return typedError(error, path)
}

function connect(path: string, readonly: boolean): Connection {
  try {
    // libsql ignores its own `readonly` option (0.5.29); SQLite's URI form is obeyed and never creates a file.
    return new Database(readonly ? `${pathToFileURL(resolve(path)).href}?mode=ro` : path)
  } catch (error) {
    throw new BookUnavailable(path, error)
  }
}

function isFresh(db: Connection, path: string): boolean {
  const applicationId = scalar(db, 'PRAGMA application_id')
  if (applicationId === 0 && scalar(db, 'SELECT count(*) FROM sqlite_master') === 0) return true
  // Another process may have made it a book between the two looks.
  if (scalar(db, 'PRAGMA application_id') !== APPLICATION_ID) {
    throw new NotABook(path, "it is another program's database")
  }
  const version = scalar(db, "SELECT value + 0 FROM meta WHERE key = 'schema_version'")
  if (typeof version !== 'number' || version < 1) throw new NotABook(path, 'it has no version')
  if (version > SCHEMA_VERSION) throw new BookTooNew(path, version, SCHEMA_VERSION)
  return false
}

function prepareForWriting(db: Connection, path: string, fresh: boolean, durable: boolean): void {
  const [mode] = db.pragma('journal_mode = WAL') as { journal_mode: string }[]
  if (mode?.journal_mode !== 'wal') {
    throw new BookUnavailable(path, new Error('its file system does not support WAL'))
  }
  db.pragma(`synchronous = ${durable ? 'FULL' : 'NORMAL'}`)
  db.pragma(`journal_size_limit = ${WAL_LIMIT_BYTES}`)
  if (!fresh) return
  db.exec('BEGIN IMMEDIATE')
  // Another process may have made the book since we looked.
  if (isFresh(db, path)) db.exec(SCHEMA)
  db.exec('COMMIT')
}

const PRIME = 2_147_483_647
const INTEGERS = `typeof(first) = 'integer' AND typeof(count) = 'integer'`
const TEXTS = `typeof(ids) = 'text' AND typeof(types) = 'text'
  AND typeof(checksums) = 'text' AND typeof(bodies) = 'text'`

// Squares would not see two neighbours of one size that move towards each other.
function cubed(position: string): string {
  const rest = `(${position}) % ${PRIME}`
  return `${rest} * (${rest}) % ${PRIME} * (${rest}) % ${PRIME}`
}

/**
 * Refuses rows that no writer leaves behind: values of another type, positions that are missing or occur
 * twice, rows without a stream, a stream without rows (both are written in one transaction). Bodies are not
 * read, so it takes 0.2 s for a million rows. Throws CorruptBook.
 */
function checkRows(db: Connection, path: string): void {
  const badName = db
    .prepare(`SELECT id + 0 FROM streams WHERE typeof(name) <> 'text' OR name = '' LIMIT 1`)
    .raw()
    .get() as [number] | undefined
  if (badName !== undefined) {
    throw new CorruptBook(path, null, null, `stream ${badName[0]} has no name`)
  }
  // A name that its index has lost would be a missing stream: an empty book in silence.
  const byName = db.prepare('SELECT id + 0 FROM streams WHERE name = ?').raw()
  for (const name of streamNames(db)) {
    if (byName.get([name]) !== undefined) continue
    throw new CorruptBook(path, name, null, `the index of names has lost stream ${name}`)
  }
  const [empty] = streamNames(
    db,
    'WHERE NOT EXISTS (SELECT 1 FROM appends WHERE appends.stream_id = streams.id)',
  )
  if (empty !== undefined) {
    throw new CorruptBook(path, empty, 0, `stream ${empty} has lost its rows`)
  }
  // In a STRICT table the texts are texts: looking at them would take reading the pages with the bodies.
  const strict = scalar(db, `SELECT strict + 0 FROM pragma_table_list WHERE name = 'appends'`) === 1
  const typed = strict ? INTEGERS : `${INTEGERS} AND ${TEXTS}`
  // That rows join up shows in sums: over rows that do, any function of the end of a row less that of its
  // beginning adds up to that of the end of the stream. A linear one would not see a row that moves.
  const streams = db
    .prepare(
      `SELECT iif(typeof(stream_id) = 'integer', stream_id, NULL),
         coalesce(sum(${typed}) = count(*) AND min(first) = 0 AND min(count) > 0
           AND max(first + count) <= ${Number.MAX_SAFE_INTEGER}
           AND max(first + count) = total(count)
           AND sum(${cubed('first + count')} - ${cubed('first')})
             = ${cubed('max(first + count)')}, 0),
         EXISTS (SELECT 1 FROM streams WHERE streams.id = appends.stream_id),
         count(*)
       FROM appends GROUP BY stream_id`,
    )
    .raw()
    .all([]) as [number | null, number, number, number][]
  let indexed = 0
  for (const [streamId, sound, named, rows] of streams) {
    if (streamId === null || named !== 1) throw strayRow(db, path, streamId)
    if (sound !== 1) throw firstFlaw(db, path, streamId, typed)
    indexed += rows
  }
  // All that comes from the index. A damaged page of it that has lost its end would be a shorter book in silence; rows
  // are numbered from 1 and never deleted.
  const newest = scalar(db, 'SELECT coalesce(max(id), 0) + 0 FROM appends NOT INDEXED')
  if (newest !== indexed) {
    const what = `its index lists ${indexed} rows, its newest row is number ${String(newest)}`
    throw new CorruptBook(path, null, null, what)
  }
}

function strayRow(db: Connection, path: string, streamId: number | null): CorruptBook {
  const which = streamId === null ? `typeof(stream_id) <> 'integer'` : `stream_id = ${streamId}`
  const [id, first] = db
    .prepare(
      `SELECT min(id) + 0, iif(typeof(first) = 'integer', first, NULL) FROM appends WHERE ${which}`,
    )
    .raw()
    .get() as [number | null, number | null]
  const what = first === null ? `row ${id}` : `row ${id}, from position ${first},`
  return new CorruptBook(path, null, first, `${what} belongs to no stream`)
}

/** Where a stream whose sums are wrong first goes wrong. */
function firstFlaw(db: Connection, path: string, streamId: number, typed: string): CorruptBook {
  const [stream = null] = streamNames(db, `WHERE id = ${streamId}`)
  const flaw = db
    .prepare(
      `SELECT id + 0, good + 0, iif(typeof(first) = 'integer', first, NULL), next + 0 FROM (
         SELECT id, first, ${typed} AND first >= 0 AND count > 0
             AND first + count <= ${Number.MAX_SAFE_INTEGER} AS good,
           lag(first + count, 1, 0) OVER (ORDER BY first, id) AS next
         FROM appends WHERE stream_id = ${streamId} ORDER BY first, id
       ) WHERE NOT good OR first <> next LIMIT 1`,
    )
    .raw()
    .get() as [number, number, number | null, number] | undefined
  if (flaw === undefined) return new CorruptBook(path, stream, null, 'its rows do not join up')
  const [id, good, first, next] = flaw
  if (good !== 1) {
    const position = first !== null && first >= 0 ? first : next
    const what = `row ${id}, near position ${position}, holds values that no writer leaves there`
    return new CorruptBook(path, stream, position, what)
  }
  return first !== null && first < next
    ? new CorruptBook(path, stream, first, `position ${first} occurs twice`)
    : new CorruptBook(path, stream, next, `position ${next} is missing`)
}

/** Names as they lie in the file: as blobs, because libsql ends the process on a TEXT that is not UTF-8. */
export function streamNames(db: Connection, where = ''): string[] {
  const rows = db
    .prepare(`SELECT CAST(name AS BLOB) FROM streams ${where} ORDER BY id`)
    .raw()
    .all([])
  return (rows as [Buffer | null][]).map(([name]) => name?.toString('utf8') ?? '')
}

// A folder that a power cut can take away takes the book with it: every new link is synced.
function makeBookFolder(path: string): void {
  try {
    let folder = dirname(resolve(path))
    const made = makeFolder(folder)
    while (made !== undefined && folder.length >= made.length) {
      folder = dirname(folder)
      const handle = openSync(folder, 'r')
      try {
        fsyncSync(handle)
      } finally {
        closeSync(handle)
      }
    }
  } catch (error) {
    throw new BookUnavailable(path, error)
  }
}

function scalar(db: Connection, sql: string): unknown {
  return (db.prepare(sql).raw().get() as unknown[] | undefined)?.[0]
}

/** Moves the log into the book's file, so that a stopped engine leaves one file to copy; then lets go of it. */
export function closeBook(db: Connection, readonly: boolean): void {
  try {
    if (!readonly) db.pragma('wal_checkpoint(TRUNCATE)')
  } catch {
    // The log is as durable as the file: the next open reads both.
  }
  db.close()
}

/** SQLite's code of an error, '' when it is not SQLite's. */
export function sqliteCode(error: unknown): string {
  const code = (error as { code?: unknown } | null)?.code
  return typeof code === 'string' && code.startsWith('SQLITE_') ? code : ''
}

const REFUSED_BY_DISK = /^SQLITE_(FULL|IOERR|READONLY|CANTOPEN|PERM|AUTH|NOMEM|PROTOCOL|LOCKED)/

/** What a caller is told about an SQLite error; anything else comes back as it is. */
export function typedError(error: unknown, path: string): unknown {
  const code = sqliteCode(error)
  if (REFUSED_BY_DISK.test(code)) return new BookUnavailable(path, error)
  if (/^SQLITE_(CORRUPT|NOTADB)/.test(code)) {
    return new CorruptBook(path, null, null, 'SQLite finds its pages damaged', error)
  }
  return error
}
