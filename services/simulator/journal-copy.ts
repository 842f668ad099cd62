/** Copies of a journal for backups: taken beside a running broker, looked at without changing anything. */
import { pathToFileURL } from 'node:url'
import { resolve } from 'node:path'
import Database from 'libsql'
import { JournalUnavailable, NotAJournal } from './sim-journal.ts'

export const JOURNAL_FILE = 'sim-broker.db'
const APPLICATION_ID = 0x62746373
const VERSION = 1
const BUSY_MS = 5000

/**
 * Writes the journal as it stands at one instant to a file that must not exist; a broker may go on writing
 * meanwhile. The copy is one file without a log, and not synced. Throws NotAJournal, JournalUnavailable.
 */
export function copyJournal(from: string, to: string): void {
  inspectWith(from, (db) => {
    db.prepare('VACUUM INTO ?').run([to])
  })
}

/** Whose journal it is, and its newest report. Reads every page. Throws NotAJournal, JournalUnavailable. */
export function inspectJournal(path: string): { bookId: string; sequence: number } {
  return inspectWith(path, (db, bookId) => {
    const [found] = row(db, 'PRAGMA integrity_check(1)')
    if (found !== 'ok') throw new NotAJournal(path, `SQLite finds it damaged (${String(found)})`)
    const [sequence] = row(db, 'SELECT sequence + 0 FROM head')
    if (typeof sequence !== 'number') throw new NotAJournal(path, 'it has no head')
    return { bookId, sequence }
  })
}

type Connection = InstanceType<typeof Database>

function inspectWith<T>(path: string, work: (db: Connection, bookId: string) => T): T {
  let db: Connection | undefined
  try {
    // libsql ignores its own `readonly` option; SQLite's URI form is obeyed and never creates a file.
    db = new Database(`${pathToFileURL(resolve(path)).href}?mode=ro`)
    db.pragma(`busy_timeout = ${BUSY_MS}`)
    if (row(db, 'PRAGMA application_id')[0] !== APPLICATION_ID) {
      throw new NotAJournal(path, "it is another program's file")
    }
    const [version, bookId] = row(db, 'SELECT version + 0, CAST(book_id AS BLOB) FROM journal')
    if (version !== VERSION) {
      throw new NotAJournal(path, `it has format ${String(version)}, not ${VERSION}`)
    }
    return work(db, String(bookId))
  } catch (error) {
    throw typed(error, path)
  } finally {
    db?.close()
  }
}

function row(db: Connection, sql: string): unknown[] {
  return (db.prepare(sql).raw().get([]) as unknown[] | undefined) ?? []
}

function typed(error: unknown, path: string): unknown {
  const code = (error as { code?: unknown } | null)?.code
  if (typeof code !== 'string' || !code.startsWith('SQLITE_')) return error
  // Our statements fit our tables: a table that is missing means that it is no journal.
  if (/^SQLITE_(NOTADB|CORRUPT|ERROR)/.test(code)) {
    return new NotAJournal(path, 'SQLite cannot read it', error)
  }
  return new JournalUnavailable(path, error)
}
