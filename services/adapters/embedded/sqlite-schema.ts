import { closeSync, fsyncSync, mkdirSync, openSync, type Stats, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import Database from 'libsql'
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

const SCHEMA = `
  CREATE TABLE meta (key TEXT PRIMARY KEY, value INTEGER NOT NULL);
  CREATE TABLE streams (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
  CREATE TABLE appends (
    id INTEGER PRIMARY KEY,
    stream_id INTEGER NOT NULL REFERENCES streams (id),
    first INTEGER NOT NULL,
    count INTEGER NOT NULL CHECK (count > 0),
    ids TEXT NOT NULL,
    types TEXT NOT NULL,
    checksums TEXT NOT NULL,
    bodies TEXT NOT NULL,
    UNIQUE (stream_id, first)
  );
  PRAGMA application_id = ${APPLICATION_ID};
  INSERT INTO meta VALUES ('schema_version', ${SCHEMA_VERSION});`

/** Opens the file, makes it a book when it is new, and refuses what is not one. */
export function openBook(path: string, readonly: boolean): Connection {
  const file = lookAt(path)
  if (file === undefined) {
    if (readonly) throw new NoBook(path)
    makeFolder(path)
  } else if (!file.isFile()) {
    throw new BookUnavailable(path, new Error('it is not a file'))
  }
  const db = connect(path, readonly)
  try {
    db.pragma(`busy_timeout = ${OPEN_TIMEOUT_MS}`)
    // The identity comes first: switching somebody else's database to WAL would alter it.
    const fresh = isFresh(db, path)
    if (fresh && readonly) throw new NoBook(path)
    if (!readonly) prepareForWriting(db, path, fresh)
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
  if (applicationId !== APPLICATION_ID) throw new NotABook(path, "it is another program's database")
  const version = scalar(db, "SELECT value + 0 FROM meta WHERE key = 'schema_version'")
  if (typeof version !== 'number' || version < 1) throw new NotABook(path, 'it has no version')
  if (version > SCHEMA_VERSION) throw new BookTooNew(path, version, SCHEMA_VERSION)
  return false
}

function prepareForWriting(db: Connection, path: string, fresh: boolean): void {
  const [mode] = db.pragma('journal_mode = WAL') as { journal_mode: string }[]
  if (mode?.journal_mode !== 'wal') {
    throw new BookUnavailable(path, new Error('its file system does not support WAL'))
  }
  db.pragma('synchronous = FULL')
  db.pragma(`journal_size_limit = ${WAL_LIMIT_BYTES}`)
  if (!fresh) return
  db.exec('BEGIN IMMEDIATE')
  // Another process may have made the book since we looked.
  if (isFresh(db, path)) db.exec(SCHEMA)
  db.exec('COMMIT')
}

// A folder that a power cut can take away takes the book with it: every new link is synced.
function makeFolder(path: string): void {
  try {
    let folder = dirname(resolve(path))
    const made = mkdirSync(folder, { recursive: true })
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
