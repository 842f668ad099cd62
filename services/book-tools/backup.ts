import {
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { decodeBody } from '../../engine/events/envelope.ts'
import type { EventStore, StoredEvent } from '../../engine/ports/event-store.ts'
import { isReport } from '../../engine/trading/transitions.ts'
import type { EventType } from '../../schemas/types.gen.ts'
import { BOOK_FILE } from '../runtime/folder.ts'
import { makeFolder } from '../runtime/make-folder.ts'
import { nameFolder, openBookFolder, PARTIAL, syncPath } from './book-folder.ts'
import { bookIdOf, copyBook, ForeignBook } from './copy-book.ts'
import { fingerprint, type Manifest, MANIFEST_FILE } from './manifest.ts'

/** A broker's memory that lies in a file of the engine's folder. */
export interface BrokerFile {
  /** Name of the file. */
  name: string
  /** Writes a consistent copy, also while a broker writes to it. */
  copy(from: string, to: string): void
  /** Throws when the file is no such memory, or damaged. */
  inspect(path: string): { bookId: string; sequence: number }
}

/** Something is at the place already. */
export class FolderNotEmpty extends Error {
  override name = 'FolderNotEmpty'
  readonly code = 'folder_not_empty'
  constructor(folder: string, holds: string, remedy: string) {
    super(`${folder} is not empty: it holds ${holds}; ${remedy}`)
  }
}

/** The book tells of more reports than the broker's journal: they do not belong together. */
export class BrokerBehind extends Error {
  override name = 'BrokerBehind'
  readonly code = 'broker_behind'
  constructor(place: string, known: number, recorded: number, remedy: string) {
    super(
      `the broker's journal in ${place} ends at report ${known}, and the book tells of report ${recorded}: ${remedy}`,
    )
  }
}

export interface BackupOptions {
  store: EventStore
  stream: string
  /** How messages call the book's place. */
  name: string
  /** The engine's folder, where a broker's file may lie. */
  dir: string
  target: string
  broker: BrokerFile
  engineVersion: string
  codeHash: string
  now: () => number
  progress?: (phase: 'copying' | 'comparing', done: number, total: number) => void
}

export interface BackupResult {
  target: string
  manifest: Manifest
  /** Where the book ended when the backup was done. */
  sourceEnd: number
}

/**
 * Makes a backup, also while the engine runs: first the broker's journal, then the book, cut before the first
 * report that the copied journal does not have. So the book knows every order that the journal knows (an intent is
 * in the book before it is sent), and the journal every report that the book knows: both are as a process
 * killed at that instant would have left them, and starting from them is the recovery that every start is.
 * The folder gets its name when all of it is on the disk and was read back. Throws FolderNotEmpty, NothingToCopy,
 * ForeignBook, BrokerBehind, AlteredEvent, and what the stores throw.
 */
export async function makeBackup(options: BackupOptions): Promise<BackupResult> {
  const { store, stream, target, broker, dir } = options
  refuseOccupied(target, 'name a new folder for each backup')
  makeFolder(dirname(resolve(target)))
  const made = `${resolve(target)}${PARTIAL}`
  // Left by a run that was interrupted: nothing of it can be trusted.
  rmSync(made, { recursive: true, force: true })
  mkdirSync(made)
  try {
    const before = await store.head(stream)
    const hasJournal = existsSync(join(dir, broker.name))
    const journal = hasJournal ? await copyJournal(options, made) : null
    const result = await copyUpTo(options, made, journal?.sequence ?? null, before)
    const names = [BOOK_FILE, ...(hasJournal ? [broker.name] : [])]
    const files = []
    for (const name of names) {
      syncPath(join(made, name))
      files.push(await fingerprint(made, name))
    }
    const manifest: Manifest = {
      format: 1,
      bookId: result.bookId ?? '',
      stream,
      events: result.events,
      head: result.head,
      brokerSequence: journal?.sequence ?? null,
      createdAt: new Date(options.now()).toISOString(),
      engineVersion: options.engineVersion,
      codeHash: options.codeHash,
      files,
    }
    writeFileSync(join(made, MANIFEST_FILE), `${JSON.stringify(manifest, null, 2)}\n`)
    syncPath(join(made, MANIFEST_FILE))
    nameFolder(made, resolve(target))
    return { target, manifest, sourceEnd: result.sourceEnd }
  } catch (error) {
    rmSync(made, { recursive: true, force: true })
    throw error
  }
}

async function copyJournal(
  options: BackupOptions,
  made: string,
): Promise<{ bookId: string; sequence: number }> {
  const { broker, dir, store, stream } = options
  const path = join(made, broker.name)
  broker.copy(join(dir, broker.name), path)
  const journal = broker.inspect(path)
  const bookId = await bookIdOf(store, stream)
  if (bookId !== null && journal.bookId !== bookId) {
    throw new ForeignBook(join(dir, broker.name), journal.bookId, bookId)
  }
  return journal
}

async function copyUpTo(
  options: BackupOptions,
  made: string,
  known: number | null,
  before: number,
) {
  const { store, stream, name, target, progress } = options
  const folder = join(made, 'making')
  const book = await openBookFolder(folder, stream)
  let whole = false
  try {
    const result = await copyBook({
      source: store,
      target: book.store,
      stream,
      names: { source: name, target },
      ...(progress !== undefined && { progress }),
      endBefore(step) {
        const report = known === null ? null : reportOf(step)
        if (known === null || report === null || report <= known) return false
        const { position } = step[0]!
        if (position > before) return true
        // It was in the book before the journal was copied, so a journal that belongs to it would have it.
        throw new BrokerBehind(
          options.dir,
          known,
          report,
          'put the journal that belongs to this book back, then take the backup',
        )
      },
    })
    whole = true
    return result
  } finally {
    await book.close(whole)
    if (whole) {
      renameSync(join(folder, BOOK_FILE), join(made, BOOK_FILE))
      rmSync(folder, { recursive: true })
    }
  }
}

/** The broker's number of the report that a step begins with; null for other inputs. */
function reportOf(step: readonly StoredEvent[]): number | null {
  const first = step[0]!
  if (!isReport(first.type as EventType)) return null
  const { brokerSequence } = decodeBody(first).data as { brokerSequence?: unknown }
  return typeof brokerSequence === 'number' ? brokerSequence : null
}

/** Throws FolderNotEmpty unless the place is free, or an empty folder. */
export function refuseOccupied(folder: string, remedy: string): void {
  if (!existsSync(folder)) return
  if (!statSync(folder).isDirectory())
    throw new FolderNotEmpty(folder, 'a file of that name', remedy)
  const held = readdirSync(folder)
  if (held.length === 0) return
  const shown = held.slice(0, 3).join(', ') + (held.length > 3 ? ', …' : '')
  throw new FolderNotEmpty(folder, shown, remedy)
}
