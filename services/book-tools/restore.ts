import { copyFileSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { lockFolder } from '../adapters/embedded/folder-lock.ts'
import { openSqliteStore } from '../adapters/embedded/sqlite-store.ts'
import { BOOK_FILE } from '../runtime/folder.ts'
import { makeFolder } from '../runtime/make-folder.ts'
import { ANCHORS_FILE, noteAnchor } from './anchor.ts'
import { type BrokerFile, FolderNotEmpty } from './backup.ts'
import { BookAudit } from './book-audit.ts'
import { PARTIAL, syncPath } from './book-folder.ts'
import { BackupDamaged, fingerprint, type Manifest, readManifest } from './manifest.ts'
import { RESTORED_FILE, writeRestored } from './restored.ts'

export interface RestoreOptions {
  backup: string
  dir: string
  stream: string
  broker: BrokerFile
  now: () => number
}

export interface RestoreResult {
  dir: string
  manifest: Manifest
}

const STAGE = `restore${PARTIAL}`
/** What an interrupted restore, or the lock, may have left. Without a book beside them they are nobody's. */
const LEFT_OVER =
  /^(restore\.partial|sim-broker\.db|anchors\.ndjson|restored\.json|engine\.lock.*)$/

/**
 * Puts a backup into an empty folder. Everything is copied and looked at first, sums, checksums of all steps,
 * and the journal; the book gets its name last, so that an interrupted restore leaves no book and can be repeated.
 * Throws NoBackup, BackupTooNew, BackupDamaged, FolderNotEmpty, FolderInUse.
 */
export async function restoreBackup(options: RestoreOptions): Promise<RestoreResult> {
  const { backup, dir, broker } = options
  const manifest = readManifest(backup)
  const known = new Set([BOOK_FILE, broker.name])
  const strange = manifest.files.find(({ name }) => !known.has(name))
  if (strange !== undefined) throw new BackupDamaged(backup, `it names ${strange.name}`)
  makeFolder(dir)
  refuseHeld(dir)
  const lock = lockFolder(dir)
  try {
    refuseHeld(dir)
    const stage = join(dir, STAGE)
    rmSync(stage, { recursive: true, force: true })
    mkdirSync(stage)
    try {
      await copyFiles(options, manifest, stage)
      await checkBook(options, manifest, stage)
      checkJournal(options, manifest, stage)
    } catch (error) {
      rmSync(stage, { recursive: true, force: true })
      throw error
    }
    const { bookId, head } = manifest
    noteAnchor(stage, {
      bookId,
      position: head.position,
      checksum: head.checksum,
      at: manifest.createdAt,
    })
    writeRestored(stage, {
      bookId,
      position: head.position,
      recordedAt: new Date(head.recordedAt).toISOString(),
      restoredAt: new Date(options.now()).toISOString(),
    })
    for (const name of [broker.name, ANCHORS_FILE, RESTORED_FILE, BOOK_FILE]) {
      if (!existsSync(join(stage, name))) continue
      syncPath(join(stage, name))
      renameSync(join(stage, name), join(dir, name))
      syncPath(dir)
    }
    rmSync(stage, { recursive: true, force: true })
    return { dir, manifest }
  } finally {
    lock.release()
  }
}

function refuseHeld(dir: string): void {
  const names = readdirSync(dir)
  const held = names.includes(BOOK_FILE) ? names : names.filter((name) => !LEFT_OVER.test(name))
  if (held.length === 0) return
  const shown = held.slice(0, 3).join(', ') + (held.length > 3 ? ', …' : '')
  throw new FolderNotEmpty(
    dir,
    shown,
    'restore into a new folder with --dir, or move this one away first',
  )
}

/** Copies first and sums up the copy: what was read back is what will be used. */
async function copyFiles(
  options: RestoreOptions,
  manifest: Manifest,
  stage: string,
): Promise<void> {
  for (const { name, bytes, sha256 } of manifest.files) {
    const from = join(options.backup, name)
    if (!existsSync(from)) throw new BackupDamaged(options.backup, `${name} is missing`)
    copyFileSync(from, join(stage, name))
    const got = await fingerprint(stage, name)
    if (got.bytes !== bytes) {
      throw new BackupDamaged(options.backup, `${name} has ${got.bytes} bytes, not ${bytes}`)
    }
    if (got.sha256 !== sha256) {
      throw new BackupDamaged(options.backup, `${name} does not have the sha256 of the manifest`)
    }
  }
}

async function checkBook(
  options: RestoreOptions,
  manifest: Manifest,
  stage: string,
): Promise<void> {
  const path = join(stage, BOOK_FILE)
  if (!existsSync(path)) throw new BackupDamaged(options.backup, `it names no ${BOOK_FILE}`)
  const { bookId, head, createdAt: at } = manifest
  const audit = new BookAudit([{ bookId, position: head.position, checksum: head.checksum, at }])
  const store = openSqliteStore(path, { readonly: true })
  try {
    for await (const page of store.read(options.stream, 0))
      for (const event of page) audit.feed(event)
  } finally {
    await store.close()
  }
  const { fault, events } = audit.finish()
  if (fault !== null) throw new BackupDamaged(options.backup, fault.message)
  if (events !== manifest.events) {
    throw new BackupDamaged(options.backup, `its book has ${events} events, not ${manifest.events}`)
  }
}

function checkJournal({ backup, broker }: RestoreOptions, manifest: Manifest, stage: string): void {
  const path = join(stage, broker.name)
  if (!existsSync(path)) {
    if (manifest.brokerSequence === null) return
    throw new BackupDamaged(backup, `it names no ${broker.name}`)
  }
  const { bookId, sequence } = broker.inspect(path)
  if (bookId !== manifest.bookId) {
    throw new BackupDamaged(backup, `${broker.name} belongs to book ${bookId}`)
  }
  if (sequence !== manifest.brokerSequence) {
    throw new BackupDamaged(backup, `${broker.name} ends at report ${sequence}`)
  }
}
