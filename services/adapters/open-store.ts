import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { EventStore } from '../../engine/ports/event-store.ts'
import { BOOK_COPY_FILE } from '../runtime/folder.ts'
import type { BookCopyOptions } from './local-copy/book-copy.ts'

/** Where a book lies: in the embedded store's file, or, where a URL is given, in EventStoreDB. */
export interface BookLocation {
  path: string
  url: string | null
}

/** The folder has a book of its own, and the settings name another place for it. */
export class TwoBooks extends Error {
  override name = 'TwoBooks'
  readonly code = 'two_books'
  constructor(path: string) {
    super(
      `EVENTSTORE_URL is set, and ${path} is a book already: going on elsewhere would split it in two. Unset EVENTSTORE_URL to go on with that one, or name another --dir for a new one`,
    )
  }
}

/** The folder's book lies in EventStoreDB, and the settings do not say where: a second one would begin here. */
export class BookElsewhere extends Error {
  override name = 'BookElsewhere'
  readonly code = 'book_elsewhere'
  constructor(copy: string) {
    super(
      `the book of this folder lies in EventStoreDB, ${copy} is a copy of it: set EVENTSTORE_URL to where it lies. To go on without EventStoreDB, put the copy in the place of book.db; for another book name another folder`,
    )
  }
}

/**
 * Opens the store that holds a book. EventStoreDB is loaded only where it is used. Throws TwoBooks,
 * BookElsewhere and what
 * openSqliteStore, openEsdbStore and openCopiedStore throw.
 */
export async function openStore(
  location: BookLocation,
  options: {
    readonly?: boolean
    /** The only stream that the folder's file may hold: another would be a part of the book that is not read. */
    stream?: string
    onDrop?: (stream: string, reason: unknown) => void
    /** Where to keep a copy of `stream`, if the book lies in EventStoreDB. */
    copy?: Pick<BookCopyOptions, 'path' | 'hash' | 'warn'>
  } = {},
): Promise<EventStore> {
  const { path, url } = location
  if (url === null) {
    const elsewhere = join(dirname(path), BOOK_COPY_FILE)
    if (!existsSync(path) && existsSync(elsewhere)) throw new BookElsewhere(elsewhere)
    const { openSqliteStore } = await import('./embedded/sqlite-store.ts')
    const store = openSqliteStore(path, { readonly: options.readonly === true })
    const { stream } = options
    const foreign = (await store.streamNames()).find((name) => name !== stream)
    if (stream === undefined || foreign === undefined) return store
    await store.close()
    const { CorruptBook } = await import('./embedded/book-errors.ts')
    throw new CorruptBook(
      path,
      foreign,
      null,
      `it does not belong here: the book is stream ${stream}`,
    )
  }
  if (options.readonly !== true && existsSync(path)) throw new TwoBooks(path)
  const { openEsdbStore } = await import('./eventstoredb/esdb-store.ts')
  const { onDrop, copy, stream } = options
  const source = await openEsdbStore(url, onDrop === undefined ? {} : { onDrop })
  if (copy === undefined || stream === undefined) return source
  const { openCopiedStore } = await import('./local-copy/copied-store.ts')
  try {
    return await openCopiedStore({ ...copy, stream, source, name: source.url })
  } catch (error) {
    await source.close()
    throw error
  }
}
