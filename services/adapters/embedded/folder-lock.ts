import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'libsql'
import { makeFolder } from '../../runtime/make-folder.ts'
import { BookUnavailable } from './book-errors.ts'
import { type Connection, sqliteCode } from './sqlite-schema.ts'

export interface LockHolder {
  pid: number
  /** When it took the folder, RFC 3339. */
  since: string
}

export interface FolderLock {
  readonly holder: LockHolder
  /** Frees the folder; doing it twice is harmless. */
  release(): void
}

/** An engine already works in the folder. */
export class FolderInUse extends Error {
  override name = 'FolderInUse'
  readonly code = 'folder_in_use'
  readonly folder: string
  /** Null in the instant before the holder has written its name. */
  readonly holder: LockHolder | null
  constructor(folder: string, holder: LockHolder | null) {
    const who =
      holder === null
        ? 'another engine'
        : `the engine with process id ${holder.pid}, since ${holder.since}`
    super(`${folder} is in use by ${who}: stop that one, or name another folder with --dir`)
    this.folder = folder
    this.holder = holder
  }
}

const LOCK_FILE = 'engine.lock'
const HOLDER_FILE = 'engine.lock.json'
/** Two starting at once may each see the other's half-taken lock; one of them gets it within this time. */
const CONTEST_MS = 250

// A connection nobody refers to would be closed by the garbage collector, and its lock with it.
const held = new Map<Connection, string>()

/**
 * Takes a folder for one engine. Held as an exclusive SQLite transaction, that is an OS file lock: it ends
 * with the process, however that dies, and a process id used again cannot fake it. Never open
 * `engine.lock` with anything but SQLite in the holding process: POSIX drops a file's locks when any
 * descriptor of it is closed. Throws FolderInUse, FolderNotMade, BookUnavailable.
 */
export function lockFolder(folder: string): FolderLock {
  const db = openLock(folder)
  try {
    db.exec('BEGIN EXCLUSIVE')
  } catch (error) {
    db.close()
    if (sqliteCode(error).startsWith('SQLITE_BUSY')) {
      throw new FolderInUse(folder, readHolder(folder))
    }
    throw new BookUnavailable(join(folder, LOCK_FILE), error)
  }
  held.set(db, folder)
  const release = () => {
    if (!held.delete(db)) return
    try {
      rmSync(join(folder, HOLDER_FILE), { force: true })
    } catch {
      // A name that stays behind misleads nobody: it is only read while the lock is held.
    }
    db.exec('ROLLBACK')
    db.close()
  }
  const holder = { pid: process.pid, since: new Date().toISOString() }
  try {
    writeHolder(folder, holder)
  } catch (error) {
    release()
    throw new BookUnavailable(join(folder, HOLDER_FILE), error)
  }
  return { holder, release }
}

function openLock(folder: string): Connection {
  makeFolder(folder)
  try {
    return new Database(join(folder, LOCK_FILE), { timeout: CONTEST_MS })
  } catch (error) {
    throw new BookUnavailable(join(folder, LOCK_FILE), error)
  }
}

function writeHolder(folder: string, holder: LockHolder): void {
  const path = join(folder, HOLDER_FILE)
  writeFileSync(`${path}.new`, `${JSON.stringify(holder)}\n`)
  renameSync(`${path}.new`, path)
}

function readHolder(folder: string): LockHolder | null {
  try {
    const { pid, since } = JSON.parse(readFileSync(join(folder, HOLDER_FILE), 'utf8'))
    return typeof pid === 'number' && typeof since === 'string' ? { pid, since } : null
  } catch {
    return null
  }
}
