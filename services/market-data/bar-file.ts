/** Bars from one file, whatever its format: CSV, CSV in gzip, or Parquet, told apart by their first bytes. */
import type { BarCache } from './bar-cache.ts'
import type { BarFile, BarReadOptions, BarRows } from './bar-rows.ts'
import { scanBars } from './bar-scan.ts'
import { BadCsvFile, CsvRefusal, plainText, readBytes, whole } from './csv.ts'
import { gunzip } from './gzip.ts'

/** Bars that cannot be used as they are: `faults` has every bad row, or the one reason for the file. */
export class BadBarsFile extends BadCsvFile {
  override name = 'BadBarsFile'
  readonly code = 'bad_bars_file'
}

export const SKIP_REMEDY = 'Correct the rows, or leave them out with --skip-bad-rows.'

/** Files that a folder is searched for. */
export const BAR_FILES = /\.(csv|csv\.gz|parquet)$/i

/** Reads one file, from the cache where it is there. Throws BadBarsFile. */
export async function readBarFile(
  path: string,
  options: BarReadOptions = {},
  cache: BarCache | null = null,
): Promise<BarFile> {
  try {
    const bytes = readBytes(path)
    const key = cache?.key(path, bytes, options) ?? null
    const kept = key === null ? null : cache!.load(key, path)
    if (kept !== null) return kept
    const bars = await parse(path, bytes, options)
    if (key !== null) cache!.store(key, bars)
    return bars
  } catch (error) {
    if (!(error instanceof CsvRefusal)) throw error
    throw new BadBarsFile(path, [{ file: path, ...error.fault }], 0, '', error.header)
  }
}

async function parse(path: string, bytes: Buffer, options: BarReadOptions): Promise<BarFile> {
  if (isParquet(bytes)) {
    const { scanParquet } = await import('./bars-parquet.ts')
    return checked(path, await scanParquet(path, bytes, options), options)
  }
  if (!isGzip(bytes)) return checked(path, scanBars(path, plainText(bytes), options), options)
  const text = await gunzip(bytes)
  if (isGzip(text)) throw whole('is gzip within gzip; gunzip it once')
  if (isParquet(text))
    throw whole('is Parquet within gzip; gunzip it: Parquet is compressed inside')
  return checked(path, scanBars(path, plainText(text), options), options)
}

interface Scan {
  rows: BarRows
  header: string[]
  finish: () => BarFile
}

function checked(path: string, { rows, header, finish }: Scan, options: BarReadOptions): BarFile {
  if (rows.faults.length > 0 && !options.skipBadRows) {
    throw new BadBarsFile(path, rows.faults, rows.rows, SKIP_REMEDY, header)
  }
  return finish()
}

function isGzip(bytes: Buffer): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b
}

function isParquet(bytes: Buffer): boolean {
  return bytes.toString('latin1', 0, 4) === 'PAR1'
}
