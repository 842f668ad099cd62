/** Bars from CSV files, one or many, as one sequence ready to be replayed. */
import { readdirSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { TIMEFRAME_MS } from '../../engine/market/bar.ts'
import type { Timeframe } from '../../engine/market/bar.ts'
import { MAX_SYMBOLS, mergeBars } from './bar-columns.ts'
import type { BarColumns } from './bar-columns.ts'
import { BarScan } from './bar-scan.ts'
import type { BarFile, BarReadOptions } from './bar-scan.ts'
import { BadCsvFile, CsvRefusal, readCsvBytes } from './csv.ts'
import type { RowFault } from './csv.ts'
import { parseStamp, STAMP_REMEDY } from './csv-values.ts'

export type { BarFile, BarReadOptions } from './bar-scan.ts'

export interface BarSet {
  symbols: string[]
  timeframe: Timeframe
  /** Ordered by bar end, then symbol. */
  columns: BarColumns
  /** Every file has volumes. */
  hasVolume: boolean
  skipped: RowFault[]
  files: string[]
  /** CSV files of a folder that hold no bars: they have no column for open, high or low. */
  ignored: string[]
}

export interface BarLoadOptions extends BarReadOptions {
  /** First bar start: a date or an RFC 3339 stamp. */
  from?: string
  /** Last bar start, inclusive; a date means all of that day, UTC. */
  to?: string
}

/** Bars that cannot be used as they are: `faults` has every bad row, or the one reason for the file. */
export class BadBarsFile extends BadCsvFile {
  override name = 'BadBarsFile'
  readonly code = 'bad_bars_file'
}

/** A `from` or `to` that is not a time, or that leaves no bars. */
export class BadBarRange extends Error {
  override name = 'BadBarRange'
  readonly code = 'bad_bar_range'
}

const SKIP_REMEDY = 'Correct the rows, or leave them out with --skip-bad-rows.'

/** Reads one file. Throws BadBarsFile. */
export function readBarsCsv(path: string, options: BarReadOptions = {}): BarFile {
  try {
    const bytes = readCsvBytes(path)
    let scan = new BarScan(path, bytes, options, false)
    if (scan.looksDaily()) scan = new BarScan(path, bytes, options, true)
    if (scan.faults.length > 0 && !options.skipBadRows) {
      throw new BadBarsFile(path, scan.faults, scan.rows, SKIP_REMEDY, scan.header)
    }
    return scan.finish()
  } catch (error) {
    if (!(error instanceof CsvRefusal)) throw error
    throw new BadBarsFile(path, [{ file: path, ...error.fault }], 0, '', error.header)
  }
}

/**
 * Reads files and folders (their *.csv, by name) into one sequence. Throws BadBarsFile with the
 * faults of all files, and BadBarRange.
 */
export function loadBars(paths: readonly string[], options: BarLoadOptions = {}): BarSet {
  const from = boundary(options.from, 'from')
  const to = boundary(options.to, 'to')
  if (from > to) throw new BadBarRange(`from ${options.from} is after to ${options.to}`)
  const { files, ignored } = readAll(paths, options)
  const first = files[0]!
  const other = files.find((file) => file.timeframe !== first.timeframe)
  if (other) {
    const reason = `holds ${other.timeframe} bars, ${first.path} holds ${first.timeframe}; one run has one timeframe`
    throw refusal(other.path, 'timeframe', reason)
  }
  if (new Set(files.flatMap((file) => file.symbols)).size > MAX_SYMBOLS) {
    throw refusal(paths.join(', '), 'symbol', `more than ${MAX_SYMBOLS} symbols`)
  }
  const merged = mergeBars(files, from, to)
  const repeats = merged.duplicates.map(({ kept, dropped }): RowFault => {
    const file = files[dropped[0]]!
    const row = dropped[1]
    return {
      file: file.path,
      line: file.lines[row]!,
      field: 'timestamp',
      reason: `repeats ${files[kept[0]]!.path} line ${files[kept[0]]!.lines[kept[1]]}`,
      text: `${file.symbols[file.columns.symbol[row]!]} ${stampText(file.columns.time[row]!, file.timeframe)}`,
    }
  })
  if (repeats.length > 0 && !options.skipBadRows) {
    const rows = files.reduce((sum, file) => sum + file.columns.length, 0)
    throw new BadBarsFile(paths.join(', '), repeats, rows, SKIP_REMEDY)
  }
  if (merged.columns.length === 0) throw outside(files, options)
  return {
    symbols: merged.symbols,
    timeframe: first.timeframe,
    columns: merged.columns,
    hasVolume: files.every((file) => file.hasVolume),
    skipped: [...files.flatMap((file) => file.skipped), ...repeats],
    files: files.map((file) => file.path),
    ignored,
  }
}

function readAll(
  paths: readonly string[],
  options: BarReadOptions,
): { files: BarFile[]; ignored: string[] } {
  if (paths.length === 0) throw refusal('', 'file', 'no bar files were named')
  const files: BarFile[] = []
  const ignored: string[] = []
  const bad: BadBarsFile[] = []
  const seen = new Set<string>()
  for (const { path, listed } of paths.flatMap(expand)) {
    // The same file named twice, or named beside its folder, is not a file of duplicates.
    if (seen.has(resolve(path))) continue
    seen.add(resolve(path))
    try {
      files.push(readBarsCsv(path, options))
    } catch (error) {
      if (!(error instanceof BadBarsFile)) throw error
      if (!listed && holdsNoBars(error)) ignored.push(path)
      else bad.push(error)
    }
  }
  if (bad.length === 1) throw bad[0]!
  if (bad.length > 1) {
    const faults = bad.flatMap((error) => error.faults)
    const rows = bad.reduce((sum, error) => sum + error.rows, 0)
    throw new BadBarsFile(paths.join(', '), faults, rows, rows > 0 ? SKIP_REMEDY : '')
  }
  if (files.length === 0) throw refusal(paths.join(', '), 'file', 'the folder holds no bars')
  return { files, ignored }
}

/** The file itself, or the *.csv of a folder by name; `listed`: named by the user. */
function expand(path: string): { path: string; listed: boolean }[] {
  let names: string[]
  try {
    if (!statSync(path).isDirectory()) return [{ path, listed: true }]
    names = readdirSync(path).filter((name) => /\.csv$/i.test(name))
  } catch {
    // Reading it as a file says why it cannot be read.
    return [{ path, listed: true }]
  }
  if (names.length === 0) throw refusal(path, 'file', 'the folder holds no *.csv')
  names.sort()
  return names.map((name) => ({ path: join(path, name), listed: false }))
}

/** Folders of bars also hold lists of splits, of dropped rows and the like: tables without price columns. */
function holdsNoBars(error: BadBarsFile): boolean {
  if (error.faults[0]?.field !== 'header') return false
  const names = error.header.map((name) => name.toLowerCase())
  return !['open', 'high', 'low', 'o', 'h', 'l'].some((name) => names.includes(name))
}

function refusal(path: string, field: string, reason: string): BadBarsFile {
  return new BadBarsFile(path, [{ file: path, line: 0, field, reason, text: '' }], 0, '')
}

const DAY = TIMEFRAME_MS['1d']

function boundary(text: string | undefined, name: 'from' | 'to'): number {
  if (text === undefined) return name === 'from' ? -Infinity : Infinity
  const stamp = parseStamp(text)
  if (!stamp) throw new BadBarRange(`${name} "${text}" is not a time; ${STAMP_REMEDY}`)
  return name === 'to' && !stamp.hasTime ? stamp.time + DAY - 1 : stamp.time
}

function outside(files: readonly BarFile[], options: BarLoadOptions): BadBarRange {
  let first = Infinity
  let last = -Infinity
  for (const { columns } of files) {
    for (const time of columns.time) {
      if (time < first) first = time
      if (time > last) last = time
    }
  }
  const timeframe = files[0]!.timeframe
  const held = `${stampText(first, timeframe)} to ${stampText(last, timeframe)}`
  return new BadBarRange(
    `no bars from ${options.from ?? 'the start'} to ${options.to ?? 'the end'}; the files hold ${held}`,
  )
}

function stampText(time: number, timeframe: Timeframe): string {
  const text = new Date(time).toISOString()
  return timeframe === '1d' ? text.slice(0, 10) : text.replace('.000Z', 'Z')
}
