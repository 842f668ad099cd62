import { randomBytes } from 'node:crypto'
import { readFileSync, realpathSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'

export const IDENTITY_FILE = 'engine-id.json'
const NEW_BOOK_FILE = 'new-book.json'

/** What tells an engine from every other one, and stays the same when it is started again. */
export interface EngineIdentity {
  /** `e` and 16 hex digits. */
  id: string
  host: string
  pid: number
}

interface Kept {
  id: string
  host: string
  folder: string
  inode: string
}

/**
 * The identity of the engine in a folder, made at its first start. Only the holder of the folder's lock may ask: that
 * nobody else runs on the folder is what lets it take its own lease back. A copy of the folder, or the folder on
 * another machine, is another engine, because the original may still run.
 */
export function engineIdentity(dir: string): EngineIdentity {
  const folder = realpathSync(dir)
  const host = hostname()
  const inode = String(statSync(folder, { bigint: true }).ino)
  const kept = read(join(folder, IDENTITY_FILE))
  const same = kept?.host === host && kept.folder === folder && kept.inode === inode
  const id = same ? kept.id : `e${randomBytes(8).toString('hex')}`
  if (!same) write(join(folder, IDENTITY_FILE), { id, host, folder, inode })
  return { id, host, pid: process.pid }
}

/**
 * The id that the folder's new book gets, the same until the book exists: NATS carries it before the book does, and a
 * start that is killed in between must not leave streams that are nobody's.
 */
export function newBookId(dir: string): string {
  const path = join(dir, NEW_BOOK_FILE)
  const kept = readObject(path)?.bookId
  if (typeof kept === 'string' && /^b[0-9a-f]{16}$/.test(kept)) return kept
  const bookId = `b${randomBytes(8).toString('hex')}`
  write(path, { bookId })
  return bookId
}

/** The book exists: should it ever be taken away, the next one is another. */
export function forgetNewBookId(dir: string): void {
  rmSync(join(dir, NEW_BOOK_FILE), { force: true })
}

function read(path: string): Kept | null {
  const { id, host, folder, inode } = readObject(path) ?? {}
  const named = typeof id === 'string' && /^e[0-9a-f]{16}$/.test(id)
  if (!named || typeof host !== 'string') return null
  return typeof folder === 'string' && typeof inode === 'string'
    ? { id, host, folder, inode }
    : null
}

function readObject(path: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(readFileSync(path, 'utf8'))
    return typeof value === 'object' ? (value as Record<string, unknown> | null) : null
  } catch {
    return null
  }
}

/** Renamed into place: half a file would be another engine. */
function write(path: string, kept: object): void {
  const draft = `${path}.${process.pid}`
  writeFileSync(draft, `${JSON.stringify(kept, null, 2)}\n`)
  renameSync(draft, path)
}
