/** A folder that was restored: its first start must not go by what NATS remembers of the book's other future. */
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { NatsConnection } from '../adapters/nats/connection.ts'
import { resetStreams } from '../adapters/nats/restored-streams.ts'

/** Lies in a restored folder until an engine has started on it. */
export const RESTORED_FILE = 'restored.json'

export interface Restored {
  bookId: string
  /** Where the restored book ends. */
  position: number
  /** Wall clock of its last event, and of the restore, RFC 3339. */
  recordedAt: string
  restoredAt: string
}

/** The mark of a restored folder cannot be read. */
export class BadRestoreMark extends Error {
  override name = 'BadRestoreMark'
  readonly code = 'bad_restore_mark'
  constructor(path: string) {
    super(`${path} cannot be read: restore the backup into a new folder again`)
  }
}

export function writeRestored(dir: string, restored: Restored): void {
  writeFileSync(join(dir, RESTORED_FILE), `${JSON.stringify(restored)}\n`, { mode: 0o600 })
}

/** Null in a folder that was not restored, or has been started since. Throws BadRestoreMark. */
export function readRestored(dir: string): Restored | null {
  const path = join(dir, RESTORED_FILE)
  if (!existsSync(path)) return null
  try {
    const value = JSON.parse(readFileSync(path, 'utf8')) as Restored
    if (typeof value.bookId === 'string' && !Number.isNaN(Date.parse(value.recordedAt)))
      return value
  } catch {
    // Told below.
  }
  throw new BadRestoreMark(path)
}

/** To be called when the engine has taken the book over, and not before: a start that failed begins again. */
export function forgetRestored(dir: string): void {
  rmSync(join(dir, RESTORED_FILE), { force: true })
}

/**
 * Makes NATS fit a restored book, before the streams are provisioned. What people asked for since the backup comes
 * again and is taken; what is derived (bars, reports, TAPE, verdicts) is removed, because the feed, the broker
 * and the book bring it again, and what NATS still holds belongs to the future that was lost. Resolves to false
 * in a folder that was not restored.
 */
export async function prepareRestored(
  dir: string,
  nc: NatsConnection,
  bookId: string,
): Promise<boolean> {
  const restored = readRestored(dir)
  if (restored === null || restored.bookId !== bookId) return false
  await resetStreams(nc, bookId, Date.parse(restored.recordedAt))
  return true
}
