/** A book that is being made in a folder: under another name until it is whole. */
import { closeSync, existsSync, fsyncSync, openSync, renameSync, rmSync, statSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { CorruptBook } from '../adapters/embedded/book-errors.ts'
import { lockFolder } from '../adapters/embedded/folder-lock.ts'
import { openSqliteStore, type SqliteStore } from '../adapters/embedded/sqlite-store.ts'
import { BookElsewhere } from '../adapters/open-store.ts'
import { BOOK_COPY_FILE, bookPath } from '../runtime/folder.ts'

/** A book that is not whole yet: no engine takes it for one. */
export const PARTIAL = '.partial'

export interface BookFolder {
  store: SqliteStore
  /** Closes the store and, once the book is whole, gives it its name. */
  close(whole: boolean): Promise<void>
}

/**
 * Opens a folder to copy a book into: the book it holds, or what an interrupted copy left, or a new one. No
 * engine can be started on the folder until it is closed. Throws FolderInUse, BookElsewhere and what
 * openSqliteStore throws.
 */
export async function openBookFolder(folder: string, stream: string): Promise<BookFolder> {
  const lock = lockFolder(folder)
  const path = bookPath(folder)
  const copy = join(folder, BOOK_COPY_FILE)
  if (!existsSync(path) && existsSync(copy)) {
    lock.release()
    throw new BookElsewhere(copy)
  }
  const file = existsSync(path) ? path : `${path}${PARTIAL}`
  let store: SqliteStore
  try {
    store = openSqliteStore(file)
  } catch (error) {
    lock.release()
    throw error
  }
  const close = async (whole: boolean) => {
    try {
      await store.close()
      if (whole && file !== path) {
        // The store has moved its log into the file; with anything left in it the file would not be the book.
        if ((statSync(`${file}-wal`, { throwIfNoEntry: false })?.size ?? 0) > 0) {
          throw new CorruptBook(file, null, null, 'its log is left over')
        }
        syncPath(file)
        renameSync(file, path)
        for (const end of ['-wal', '-shm']) rmSync(`${file}${end}`, { force: true })
        syncPath(folder)
      }
    } finally {
      lock.release()
    }
  }
  const foreign = (await store.streamNames()).find((name) => name !== stream)
  if (foreign === undefined) return { store, close }
  await close(false)
  throw new CorruptBook(
    file,
    foreign,
    null,
    `it does not belong here: the book is stream ${stream}`,
  )
}

/** Puts a file's bytes, or a folder's names, on the disk. */
export function syncPath(path: string): void {
  const file = openSync(path, 'r')
  try {
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
}

/** Gives a finished folder its name; the name must be free, or an empty folder's. */
export function nameFolder(made: string, name: string): void {
  syncPath(made)
  renameSync(made, name)
  syncPath(dirname(resolve(join(name))))
}
