import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** Up to where the traces of a book have left for the collector, or were given up. */
export interface Checkpoint {
  bookId: string
  position: number
}

const FILE = 'traces.json'

/** The checkpoint of an engine's folder; null where there is none that can be read. */
export function readCheckpoint(dir: string): Checkpoint | null {
  try {
    const { bookId, position } = JSON.parse(readFileSync(join(dir, FILE), 'utf8')) as Checkpoint
    if (typeof bookId !== 'string' || !Number.isSafeInteger(position) || position < -1) return null
    return { bookId, position }
  } catch {
    return null
  }
}

/** Replaces it at once or not at all. It is not synced: an older one only sends spans again, under the same ids. */
export function writeCheckpoint(dir: string, { bookId, position }: Checkpoint): void {
  const path = join(dir, FILE)
  writeFileSync(`${path}.new`, `${JSON.stringify({ bookId, position })}\n`)
  renameSync(`${path}.new`, path)
}
