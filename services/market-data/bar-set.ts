/** Bars from files, one or many, as one sequence ready to be replayed. */
import { readdirSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { Timeframe } from '../../engine/market/bar.ts'
import type { BarCache } from './bar-cache.ts'
import { type BarColumns, MAX_SYMBOLS, mergeBars, type MergeSource } from './bar-columns.ts'
import { BAR_FILES, BadBarsFile, readBarFile, SKIP_REMEDY } from './bar-file.ts'
import { BadBarRange, type BarRange, boundaries, cutBars, stampText } from './bar-range.ts'
import { resampleBars, type ResamplingOptions } from './bar-resampling.ts'
import type { BarFile, BarReadOptions } from './bar-rows.ts'
import { placeOf, type RowFault } from './csv.ts'

export interface BarSet {
  symbols: string[]
  timeframe: Timeframe
  /** Ordered by bar end, then symbol. */
  columns: BarColumns
  /** Start of the first bar to trade on, ms; those before it warm up. */
  tradeFrom: number
  /** Every file has volumes. */
  hasVolume: boolean
  skipped: RowFault[]
  files: string[]
  /** Files of a folder that hold no bars: they have no column for open, high or low. */
  ignored: string[]
  /** What there is to know of the bars, in words: how they were resampled, a warm-up that is too short. */
  notices: string[]
}

export interface BarLoadOptions extends BarReadOptions, BarRange, ResamplingOptions {
  /** Keeps what was parsed for the next run; absent: every file is parsed. */
  cache?: BarCache
}

/**
 * Reads files and folders (their *.csv, *.csv.gz and *.parquet, by name) into one sequence, resampled when a longer
 * timeframe is asked for. Throws BadBarsFile with the faults of all files, BadBarRange, ResampleError and CalendarError.
 */
export async function loadBars(
  paths: readonly string[],
  options: BarLoadOptions = {},
): Promise<BarSet> {
  boundaries(options)
  const { files, ignored } = await readAll(paths, options)
  if (new Set(files.flatMap((file) => file.symbols)).size > MAX_SYMBOLS) {
    throw refusal(paths.join(', '), 'symbol', `more than ${MAX_SYMBOLS} symbols`)
  }
  const first = files[0]!
  const timeframe = options.timeframe ?? first.timeframe
  const other = files.find((file) => file.timeframe !== first.timeframe)
  if (other !== undefined && options.timeframe === undefined) {
    const reason = `holds ${other.timeframe} bars, ${first.path} holds ${first.timeframe}; one run has one timeframe: name it with --timeframe`
    throw refusal(other.path, 'timeframe', reason)
  }
  checkOneLength(files)
  const merged = mergeBars(files, -Infinity, Infinity)
  const repeats = repeated(merged.duplicates, files)
  if (repeats.length > 0 && !options.skipBadRows) {
    const rows = files.reduce((sum, file) => sum + file.columns.length, 0)
    throw new BadBarsFile(paths.join(', '), repeats, rows, SKIP_REMEDY)
  }
  const notices: string[] = []
  const bars = inOneLength(files, timeframe, options, merged, notices)
  const cut = ranged(bars, options, timeframe, notices)
  return {
    symbols: cut.symbols,
    timeframe,
    columns: cut.columns,
    tradeFrom: cut.tradeFrom,
    hasVolume: files.every((file) => file.hasVolume),
    skipped: [...files.flatMap((file) => file.skipped), ...repeats],
    files: files.map((file) => file.path),
    ignored,
    notices,
  }
}

/** Bars that are there already, in another length or range. Throws ResampleError, CalendarError and BadBarRange. */
export function reshapeBars(
  bars: MergeSource,
  from: Timeframe,
  to: Timeframe,
  options: BarRange & ResamplingOptions,
): { symbols: string[]; columns: BarColumns; tradeFrom: number; notices: string[] } {
  const notices: string[] = []
  const made = resampled(bars, from, to, options, notices)
  return { ...ranged(made, options, to, notices), notices }
}

function resampled(
  bars: MergeSource,
  from: Timeframe,
  to: Timeframe,
  options: ResamplingOptions,
  notices: string[],
): MergeSource {
  if (from === to) return bars
  const made = resampleBars(bars, from, to, options)
  notices.push(`resampled from ${from} to ${to}`, ...made.notices)
  return { symbols: bars.symbols, columns: made.columns }
}

function ranged(
  bars: MergeSource,
  range: BarRange,
  timeframe: Timeframe,
  notices: string[],
): { symbols: string[]; columns: BarColumns; tradeFrom: number } {
  if (bars.columns.length === 0) {
    throw new BadBarRange(
      `no bar lies in the hours of its market, so there are no ${timeframe} bars; name the market with --sessions`,
    )
  }
  const { missing, ...cut } = cutBars(bars, range, timeframe)
  if (missing > 0) notices.push(`the warm-up is ${missing} bars short: there are no more before`)
  return cut
}

type Merged = ReturnType<typeof mergeBars>

/** All bars in the timeframe of the run; files of one length go together, since a bar may lie in two of them. */
function inOneLength(
  files: readonly BarFile[],
  timeframe: Timeframe,
  options: ResamplingOptions,
  merged: Merged,
  notices: string[],
): MergeSource {
  const lengths = [...new Set(files.map((file) => file.timeframe))]
  if (lengths.length === 1 && lengths[0] === timeframe) return merged
  const parts = lengths.map((length) => {
    const bars =
      lengths.length === 1
        ? merged
        : mergeBars(
            files.filter((file) => file.timeframe === length),
            -Infinity,
            Infinity,
          )
    return resampled(bars, length, timeframe, options, notices)
  })
  const { symbols, columns } = mergeBars(parts, -Infinity, Infinity)
  return { symbols, columns }
}

/** A symbol has bars of one length: whose would count where two files hold the same hour? */
function checkOneLength(files: readonly BarFile[]): void {
  const lengths = new Map<string, BarFile>()
  for (const file of files) {
    for (const symbol of file.symbols) {
      const known = lengths.get(symbol)
      if (known !== undefined && known.timeframe !== file.timeframe) {
        const reason = `holds ${file.timeframe} bars of ${symbol}, ${known.path} holds ${known.timeframe}; name one of them`
        throw refusal(file.path, 'timeframe', reason)
      }
      lengths.set(symbol, file)
    }
  }
}

function repeated(duplicates: Merged['duplicates'], files: readonly BarFile[]): RowFault[] {
  return duplicates.map(({ kept, dropped }): RowFault => {
    const [file, row] = [files[dropped[0]]!, dropped[1]]
    const first = files[kept[0]]!
    const line = first.lines[kept[1]]!
    return {
      file: file.path,
      line: file.lines[row]!,
      ...(file.unit === 'row' && { unit: file.unit }),
      field: 'timestamp',
      reason: `repeats ${first.path} ${placeOf({ line, ...(first.unit === 'row' && { unit: first.unit }) })}`,
      text: `${file.symbols[file.columns.symbol[row]!]} ${stampText(file.columns.time[row]!, file.timeframe)}`,
    }
  })
}

async function readAll(
  paths: readonly string[],
  options: BarLoadOptions,
): Promise<{ files: BarFile[]; ignored: string[] }> {
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
      files.push(await readBarFile(path, options, options.cache))
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

/** The file itself, or the files of bars of a folder by name; `listed`: named by the user. */
function expand(path: string): { path: string; listed: boolean }[] {
  let names: string[]
  try {
    if (!statSync(path).isDirectory()) return [{ path, listed: true }]
    names = readdirSync(path).filter((name) => BAR_FILES.test(name))
  } catch {
    // Reading it as a file says why it cannot be read.
    return [{ path, listed: true }]
  }
  if (names.length === 0) {
    throw refusal(path, 'file', 'the folder holds no *.csv, *.csv.gz or *.parquet')
  }
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
