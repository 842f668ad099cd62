/**
 * Parsed bars kept as columns, so that a large file is parsed once. Addressed by content: what the file holds, how it
 * was read and by which version of the readers. Nothing depends on it; it may be deleted at any time.
 */
import { createHash, randomBytes } from 'node:crypto'
import {
  closeSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeSync,
} from 'node:fs'
import { endianness } from 'node:os'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import type { Timeframe } from '../../engine/market/bar.ts'
import { makeFolder } from '../runtime/make-folder.ts'
import { allocateBars, type BarColumns } from './bar-columns.ts'
import { type BarFile, type BarReadOptions, symbolOfFile } from './bar-rows.ts'
import type { RowFault } from './csv.ts'

/** To be raised with every change of what the readers make of the same bytes. */
export const READER_VERSION = 1

export interface BarCacheOptions {
  /** Folder of the cache, made when needed. */
  dir: string
  /** Files below are parsed each time: that is as fast, and leaves no folder behind. */
  minBytes?: number
  /** Beyond, the files used longest ago are deleted. */
  maxBytes?: number
  /** Told what had to be put right. */
  notice?: (text: string) => void
}

const MIN_BYTES = 8 * 1024 * 1024
const MAX_BYTES = 8 * 1024 * 1024 * 1024
const MAGIC = 'BITBARS1'
const MAX_HEADER = 64 * 1024 * 1024
/** One write or read of the system may be cut at 2 GiB. */
const SLICE = 1 << 28

interface Head {
  length: number
  symbols: string[]
  timeframe: Timeframe
  unit: 'line' | 'row'
  hasVolume: boolean
  skipped: Omit<RowFault, 'file'>[]
  header: string[]
}

export class BarCache {
  readonly #dir: string
  readonly #minBytes: number
  readonly #maxBytes: number
  readonly #notice: (text: string) => void

  constructor(options: BarCacheOptions) {
    this.#dir = options.dir
    this.#minBytes = options.minBytes ?? MIN_BYTES
    this.#maxBytes = options.maxBytes ?? MAX_BYTES
    this.#notice = options.notice ?? (() => {})
  }

  /** Name of what would be made of these bytes; null when it is not worth keeping. */
  key(path: string, bytes: Buffer, options: BarReadOptions): string | null {
    // Columns are written as they lie in memory.
    if (bytes.length < this.#minBytes || endianness() !== 'LE') return null
    const { timeframe = null, skipBadRows = false } = options
    const read = [READER_VERSION, timeframe, skipBadRows, symbolOfFile(path, options)]
    return createHash('sha256')
      .update(JSON.stringify(read))
      .update('\n')
      .update(bytes)
      .digest('hex')
  }

  /** The bars kept under a key, as read from `path`; null when there are none. What is damaged is removed. */
  load(key: string, path: string): BarFile | null {
    const file = this.#file(key)
    let fd: number
    try {
      fd = openSync(file, 'r')
    } catch {
      return null
    }
    try {
      const found = read(fd, statSync(file).size, path)
      touch(file)
      return found
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      this.#notice(`${file} is damaged (${reason}); the bars are read from ${path} again`)
      rmSync(file, { force: true })
      return null
    } finally {
      closeSync(fd)
    }
  }

  /** Keeps bars under a key. A folder that cannot be written to is no error: the next run parses again. */
  store(key: string, bars: BarFile): void {
    const temporary = this.#file(`${key}.${randomBytes(6).toString('hex')}.tmp`)
    try {
      makeFolder(this.#dir)
      const fd = openSync(temporary, 'wx')
      try {
        write(fd, bars)
      } finally {
        closeSync(fd)
      }
      renameSync(temporary, this.#file(key))
      this.#trim(key)
    } catch {
      try {
        rmSync(temporary, { force: true })
      } catch {
        // What cannot be written cannot be removed either.
      }
    }
  }

  #file(key: string): string {
    return join(this.#dir, key.endsWith('.tmp') ? key : `${key}.bars`)
  }

  #trim(kept: string): void {
    const files = readdirSync(this.#dir)
      .filter((name) => name.endsWith('.bars') && name !== `${kept}.bars`)
      .map((name) => ({ path: join(this.#dir, name), ...sizeAndAge(join(this.#dir, name)) }))
      .sort((a, b) => b.used - a.used)
    let total = sizeAndAge(this.#file(kept)).size
    for (const { path, size } of files) {
      total += size
      if (total > this.#maxBytes) rmSync(path, { force: true })
    }
  }
}

function sizeAndAge(path: string): { size: number; used: number } {
  try {
    const { size, mtimeMs } = statSync(path)
    return { size, used: mtimeMs }
  } catch {
    return { size: 0, used: 0 }
  }
}

function touch(path: string): void {
  try {
    const now = new Date()
    utimesSync(path, now, now)
  } catch {
    // Of a read-only folder nothing is deleted by age.
  }
}

const FLOATS = ['time', 'open', 'high', 'low', 'close', 'volume'] as const

/** The arrays in the order in which they stand in a file. */
function arrays(columns: BarColumns, lines: Uint32Array): Uint8Array[] {
  return [...FLOATS.map((name) => columns[name]), lines, columns.symbol].map(
    (array) => new Uint8Array(array.buffer, array.byteOffset, array.byteLength),
  )
}

/** Magic, length of the head, head (JSON), arrays, and the CRC-32 of all of it. */
function write(fd: number, bars: BarFile): void {
  const { columns, symbols, timeframe, unit, hasVolume, header } = bars
  const skipped = bars.skipped.map((fault) => {
    const { line, unit, field, reason, text } = fault
    return { line, ...(unit !== undefined && { unit }), field, reason, text }
  })
  const { length } = columns
  const head: Head = { length, symbols, timeframe, unit, hasVolume, skipped, header }
  const text = Buffer.from(JSON.stringify(head))
  const prefix = Buffer.alloc(12)
  prefix.write(MAGIC, 'latin1')
  prefix.writeUInt32LE(text.length, 8)
  let sum = 0
  for (const part of [prefix, text, ...arrays(columns, bars.lines)]) {
    sum = crc32(part, sum)
    for (let at = 0; at < part.length; ) {
      at += writeSync(fd, part, at, Math.min(SLICE, part.length - at))
    }
  }
  const checksum = Buffer.alloc(4)
  checksum.writeUInt32LE(sum)
  writeSync(fd, checksum)
}

/** Throws Error with what is wrong. */
function read(fd: number, size: number, path: string): BarFile {
  const fill = (part: Uint8Array): void => {
    for (let at = 0; at < part.length; ) {
      const got = readSync(fd, part, at, Math.min(SLICE, part.length - at), null)
      if (got === 0) throw new Error('it ends early')
      at += got
    }
  }
  const prefix = Buffer.alloc(12)
  fill(prefix)
  if (prefix.toString('latin1', 0, 8) !== MAGIC) throw new Error('it is no file of bars')
  const textLength = prefix.readUInt32LE(8)
  if (textLength > MAX_HEADER || textLength > size) throw new Error('its head is too long')
  const text = Buffer.alloc(textLength)
  fill(text)
  const head = JSON.parse(text.toString()) as Head
  // Before any of it is believed: room is only made for what the file can hold.
  if (size !== 12 + textLength + head.length * (FLOATS.length * 8 + 4 + 2) + 4) {
    throw new Error('its length does not fit its bars')
  }
  const columns = allocateBars(head.length)
  const lines = new Uint32Array(head.length)
  let sum = crc32(text, crc32(prefix))
  for (const part of arrays(columns, lines)) {
    fill(part)
    sum = crc32(part, sum)
  }
  const checksum = Buffer.alloc(4)
  fill(checksum)
  if (checksum.readUInt32LE() !== sum) throw new Error('its checksum does not match')
  const { symbols, timeframe, unit, hasVolume, header } = head
  const skipped = head.skipped.map((fault) => ({ file: path, ...fault }))
  return { path, symbols, timeframe, unit, hasVolume, header, columns, lines, skipped }
}
