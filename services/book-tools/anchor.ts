/** Anchors: what is noted of a book outside of it, so that a book cut short cannot pass for a whole one. */
import { Buffer } from 'node:buffer'
import {
  closeSync,
  existsSync,
  fsyncSync,
  openSync,
  readFileSync,
  truncateSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import type { EventStore } from '../../engine/ports/event-store.ts'

/** One end that a book once had. */
export interface Anchor {
  bookId: string
  /** Of the last event of a step. */
  position: number
  /** Of that step, sha256 hex; it covers every byte of the book up to the position. */
  checksum: string
  /** Wall clock when it was noted, RFC 3339. */
  at: string
}

/** Anchors that the engine of a folder has noted, one JSON document a line, oldest first. */
export const ANCHORS_FILE = 'anchors.ndjson'

/** A text that should hold anchors does not. */
export class BadAnchor extends Error {
  override name = 'BadAnchor'
  readonly code = 'bad_anchor'
  constructor(place: string, what: string) {
    super(
      `${place}: ${what}; give a file that \`bitacora audit anchor\` printed, an ${ANCHORS_FILE}, or a checksum of 64 hex digits`,
    )
  }
}

/** One anchor as JSON, or several, one a line. Throws BadAnchor naming the place and line. */
export function parseAnchors(text: string, place: string): Anchor[] {
  const whole = parse(text)
  if (whole !== undefined) return [anchorOf(whole, place)]
  const lines = text.split('\n').filter((line) => line.trim() !== '')
  if (lines.length === 0) throw new BadAnchor(place, 'it holds no anchor')
  return lines.map((line, i) => anchorOf(parse(line), `${place}, line ${i + 1}`))
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function anchorOf(value: unknown, place: string): Anchor {
  if (typeof value !== 'object' || value === null) throw new BadAnchor(place, 'it is no anchor')
  const { bookId, position, checksum, at } = value as Record<string, unknown>
  if (
    typeof bookId !== 'string' ||
    !Number.isSafeInteger(position) ||
    (position as number) < 0 ||
    typeof checksum !== 'string' ||
    !isChecksum(checksum) ||
    typeof at !== 'string'
  ) {
    throw new BadAnchor(place, 'an anchor has bookId, position, checksum and at')
  }
  return { bookId, position: position as number, checksum, at }
}

export function isChecksum(text: string): boolean {
  return /^[0-9a-f]{64}$/.test(text)
}

/** The anchors noted in a folder; a last line that a power cut has torn is left out. Throws BadAnchor. */
export function readAnchors(dir: string): Anchor[] {
  const path = join(dir, ANCHORS_FILE)
  if (!existsSync(path)) return []
  const text = readFileSync(path, 'utf8')
  const whole = text.slice(0, text.lastIndexOf('\n') + 1)
  return whole.trim() === '' ? [] : parseAnchors(whole, path)
}

/** Adds a line and syncs it; what a power cut left of a line before it is removed. */
export function noteAnchor(dir: string, anchor: Anchor): void {
  const path = join(dir, ANCHORS_FILE)
  const text = existsSync(path) ? readFileSync(path, 'utf8') : ''
  if (!text.endsWith('\n') && text !== '') {
    truncateSync(path, Buffer.byteLength(text.slice(0, text.lastIndexOf('\n') + 1)))
  }
  const { bookId, position, checksum, at } = anchor
  const file = openSync(path, 'a', 0o600)
  try {
    writeSync(file, `${JSON.stringify({ bookId, position, checksum, at })}\n`)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
}

/** Where the book ends now; null while it is empty. */
export async function presentAnchor(
  store: EventStore,
  stream: string,
  bookId: string,
  now: number,
): Promise<Anchor | null> {
  const position = await store.head(stream)
  if (position < 0) return null
  const checksum = await checksumAt(store, stream, position)
  // Appends are whole steps: what ends a book without a checksum was altered, and others say so.
  if (checksum === null) return null
  return { bookId, position, checksum, at: new Date(now).toISOString() }
}

/** The checksum beside the event at a position; null where it ends no step, or is not there. */
export async function checksumAt(
  store: EventStore,
  stream: string,
  position: number,
): Promise<string | null> {
  for await (const [event] of store.read(stream, position, position)) {
    return event?.checksum ?? null
  }
  return null
}

export interface AnchorKeeper {
  /** Notes the end of the book once more, and stops. */
  close(): Promise<void>
}

/**
 * Notes where the book ends: now, then every `everyMs`, and when closed. Failing to note is told and hinders
 * nothing. Close it after the writer and before the store.
 */
export function keepAnchors(options: {
  dir: string
  store: EventStore
  stream: string
  bookId: string
  everyMs: number
  now: () => number
  failed: (error: unknown) => void
}): AnchorKeeper {
  const { dir, store, stream, bookId, now, failed } = options
  let noted = -1
  let running: Promise<void> = Promise.resolve()
  const note = () => {
    running = running
      .then(async () => {
        const anchor = await presentAnchor(store, stream, bookId, now())
        if (anchor === null || anchor.position === noted) return
        noteAnchor(dir, anchor)
        noted = anchor.position
      })
      .catch(failed)
    return running
  }
  void note()
  const timer = setInterval(() => void note(), options.everyMs)
  timer.unref()
  return {
    close() {
      clearInterval(timer)
      return note()
    },
  }
}
