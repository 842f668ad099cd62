import { createHash } from 'node:crypto'
import { createReadStream, existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { BookEnd } from './book-audit.ts'

export const MANIFEST_FILE = 'manifest.json'
const FORMAT = 1

export interface BackedUpFile {
  name: string
  bytes: number
  sha256: string
}

/** What a backup holds, and how to tell that it still does. */
export interface Manifest {
  format: 1
  bookId: string
  stream: string
  events: number
  head: BookEnd
  /** Newest report in the broker's journal; null where the backup holds no journal. */
  brokerSequence: number | null
  /** Wall clock, RFC 3339. */
  createdAt: string
  engineVersion: string
  codeHash: string
  files: BackedUpFile[]
}

/** No backup lies there. */
export class NoBackup extends Error {
  override name = 'NoBackup'
  readonly code = 'no_backup'
  constructor(folder: string, what: string) {
    super(`${folder} is no backup: ${what}; name a folder that \`bitacora backup\` made`)
  }
}

/** A later version of the program made the backup. */
export class BackupTooNew extends Error {
  override name = 'BackupTooNew'
  readonly code = 'backup_too_new'
  constructor(folder: string, format: number) {
    super(
      `${folder} has backup format ${format}, this program knows up to ${FORMAT}: use the newer program`,
    )
  }
}

/** What lies in the backup is not what was put there. Nothing was restored. */
export class BackupDamaged extends Error {
  override name = 'BackupDamaged'
  readonly code = 'backup_damaged'
  constructor(folder: string, what: string) {
    super(`the backup in ${folder} is damaged: ${what}; take another backup`)
  }
}

/** Reads what a backup says of itself. Throws NoBackup, BackupTooNew, BackupDamaged. */
export function readManifest(folder: string): Manifest {
  const path = join(folder, MANIFEST_FILE)
  if (!existsSync(path)) throw new NoBackup(folder, `it holds no ${MANIFEST_FILE}`)
  let value: unknown
  try {
    value = JSON.parse(readFileSync(path, 'utf8'))
  } catch (error) {
    throw new BackupDamaged(folder, `${MANIFEST_FILE} cannot be read (${(error as Error).message})`)
  }
  const manifest = (typeof value === 'object' && value !== null ? value : {}) as Partial<Manifest>
  const { format } = manifest as { format?: unknown }
  if (typeof format === 'number' && format > FORMAT) throw new BackupTooNew(folder, format)
  const flaw = flawOf(manifest)
  if (flaw !== null) throw new BackupDamaged(folder, `${MANIFEST_FILE} has no valid ${flaw}`)
  return manifest as Manifest
}

/** The first field that is not what we write. File names are ours alone: no path may lead out of the folder. */
function flawOf(manifest: Partial<Record<keyof Manifest, unknown>>): string | null {
  const { format, head, brokerSequence, files } = manifest
  if (format !== FORMAT) return 'format'
  for (const name of ['bookId', 'stream', 'createdAt', 'engineVersion', 'codeHash'] as const) {
    if (typeof manifest[name] !== 'string') return name
  }
  if (!isCount(manifest.events)) return 'events'
  const end = (typeof head === 'object' && head !== null ? head : {}) as Partial<BookEnd>
  if (!isCount(end.position) || !/^[0-9a-f]{64}$/.test(String(end.checksum))) return 'head'
  if (typeof end.at !== 'number' || typeof end.recordedAt !== 'number') return 'head'
  if (brokerSequence !== null && !isCount(brokerSequence)) return 'brokerSequence'
  const sound = (file: unknown) => {
    const { name, bytes, sha256 } = (file ?? {}) as Partial<BackedUpFile>
    return (
      /^[\w-]+(\.[\w-]+)*$/.test(String(name)) &&
      isCount(bytes) &&
      /^[0-9a-f]{64}$/.test(String(sha256))
    )
  }
  return Array.isArray(files) && files.length > 0 && files.every(sound) ? null : 'files'
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}

/** Size and sha256 of a file's bytes. */
export async function fingerprint(folder: string, name: string): Promise<BackedUpFile> {
  const digest = createHash('sha256')
  let bytes = 0
  for await (const chunk of createReadStream(join(folder, name), { highWaterMark: 1 << 20 })) {
    digest.update(chunk as Uint8Array)
    bytes += (chunk as Uint8Array).length
  }
  return { name, bytes, sha256: digest.digest('hex') }
}
