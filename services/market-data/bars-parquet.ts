/** Bars from a Parquet file, by the rules of the CSV: the same names, the same checks, rows instead of lines. */
import { BAR_COLUMNS, BarRows, priceFault, volumeFault } from './bar-rows.ts'
import type { BarFile, BarReadOptions } from './bar-rows.ts'
import { CsvRefusal, findColumns, whole } from './csv.ts'
import { STAMP_REMEDY } from './csv-values.ts'
import { loadParquet, type ParquetLibrary, type ParquetMetadata } from './parquet-library.ts'
import { type ColumnType, numberReader, stampReader, textReader } from './parquet-values.ts'

type Values = Record<string, ArrayLike<unknown> | undefined>

/** Reads all rows. Throws CsvRefusal for a file that cannot be bars at all. */
export async function scanParquet(
  path: string,
  bytes: Buffer,
  options: BarReadOptions,
): Promise<{ rows: BarRows; finish: () => BarFile; header: string[] }> {
  const file = new ParquetFile(await loadParquet(), bytes)
  const read = async (asDates: boolean): Promise<BarRows> => {
    const rows = new BarRows(path, 'row', options, asDates, file.rows)
    const scan = new ParquetScan(file, rows)
    for (let group = 0; group < file.groups; group++) scan.add(await file.read(group))
    return rows
  }
  let rows = await read(file.local)
  if (file.local) checkLocal(rows, file.header)
  else if (rows.looksDaily()) rows = await read(true)
  return { rows, header: file.header, finish: () => rows.finish(file.header) }
}

/** Wall clock times are dates when all are midnights; otherwise nobody knows when they were. */
function checkLocal(rows: BarRows, header: string[]): void {
  if (rows.latestClock === 0) return
  throw new CsvRefusal(
    {
      line: 0,
      field: 'timestamp',
      reason: `the times have no offset from UTC (isAdjustedToUTC is false); store them as UTC. In CSV: ${STAMP_REMEDY}`,
      text: '',
    },
    header,
  )
}

/** The columns of bars in a file, and its row groups one after another. */
class ParquetFile {
  readonly header: string[]
  readonly groups: number
  /** As many as the file says, but no more than its bytes can hold: a broken footer claims anything. */
  readonly rows: number
  readonly local: boolean
  readonly readers: {
    stamp: ReturnType<typeof stampReader>['read']
    number: Record<string, (value: unknown) => number>
    text: ((value: unknown) => string) | undefined
  }
  readonly #library: ParquetLibrary
  readonly #source: ArrayBuffer
  readonly #metadata: ParquetMetadata
  /** Canonical name of each column read, by its name in the file. */
  readonly #canonical = new Map<string, string>()

  constructor(library: ParquetLibrary, bytes: Buffer) {
    this.#library = library
    this.#source = bytes.buffer.slice(
      bytes.byteOffset,
      bytes.byteOffset + bytes.byteLength,
    ) as ArrayBuffer
    try {
      this.#metadata = library.parquetMetadata(this.#source)
    } catch (error) {
      throw damaged(error)
    }
    const fields = topLevel(this.#metadata.schema)
    this.header = fields.map(({ name }) => name)
    const places = findColumns(
      this.header,
      BAR_COLUMNS,
      (reason) =>
        new CsvRefusal(
          { line: 0, field: 'header', reason, text: this.header.join(',') },
          this.header,
        ),
    )
    const column = (name: string): ColumnType | undefined => fields[places[name]!]
    const stamp = stampReader(flat(column('timestamp')!))
    this.local = stamp.local
    const number: Record<string, (value: unknown) => number> = {}
    for (const name of ['open', 'high', 'low', 'close', 'volume']) {
      const found = column(name)
      if (found !== undefined) number[name] = numberReader(flat(found))
    }
    const symbol = column('symbol')
    this.readers = { stamp: stamp.read, number, text: symbol && textReader(flat(symbol)) }
    for (const { name } of BAR_COLUMNS) {
      const found = column(name)
      if (found === undefined) continue
      this.#canonical.set(found.name, name)
      takeRaw(found)
    }
    const groups = this.#metadata.row_groups
    this.groups = groups.length
    const rows = groups.reduce((sum, group) => sum + Number(group.num_rows), 0)
    this.rows = Math.min(rows, Math.max(1024, bytes.length))
  }

  /** The values of a row group by canonical name. Throws CsvRefusal. */
  async read(group: number): Promise<{ length: number; values: Values }> {
    const before = this.#metadata.row_groups.slice(0, group)
    const rowStart = before.reduce((sum, one) => sum + Number(one.num_rows), 0)
    const length = Number(this.#metadata.row_groups[group]!.num_rows)
    const values: Values = {}
    const parts = new Map<string, ArrayLike<unknown>[]>()
    try {
      await this.#library.parquetRead({
        file: {
          byteLength: this.#source.byteLength,
          slice: (start, end) => this.#source.slice(start, end),
        },
        metadata: this.#metadata,
        columns: [...this.#canonical.keys()],
        rowStart,
        rowEnd: rowStart + length,
        compressors: this.#library.compressors,
        utf8: false,
        parsers: { timestampFromNanoseconds: (nanos) => nanos },
        onChunk: ({ columnName, columnData }) => {
          const name = this.#canonical.get(columnName)!
          parts.set(name, [...(parts.get(name) ?? []), columnData])
        },
      })
    } catch (error) {
      throw damaged(error)
    }
    for (const name of this.#canonical.values()) {
      const chunks = parts.get(name) ?? []
      const joined = chunks.length === 1 ? chunks[0]! : chunks.flatMap((chunk) => Array.from(chunk))
      if (joined.length !== length) {
        throw damaged(new Error(`${name} has ${joined.length} of ${length} values`))
      }
      values[name] = joined
    }
    return { length, values }
  }
}

function topLevel(schema: readonly ColumnType[]): ColumnType[] {
  const fields: ColumnType[] = []
  // Depth first: the children of a group follow it.
  const skip = (at: number): number => {
    let next = at + 1
    for (let child = 0; child < (schema[at]?.num_children ?? 0); child++) next = skip(next)
    return next
  }
  for (let at = 1; at < schema.length; at = skip(at)) fields.push(schema[at]!)
  return fields
}

function flat(column: ColumnType): ColumnType {
  if (column.num_children || column.repetition_type === 'REPEATED') {
    throw whole(`column "${column.name}" is nested; bars are flat`)
  }
  return { ...column }
}

/** Has the decoder hand over what is stored: its own conversions go by floats and dates, not by decimals. */
function takeRaw(column: ColumnType): void {
  const text =
    column.type === 'BYTE_ARRAY' &&
    column.logical_type?.type !== 'DECIMAL' &&
    column.converted_type !== 'DECIMAL'
  column.converted_type = text ? 'UTF8' : undefined
  column.logical_type = undefined
}

function damaged(error: unknown): CsvRefusal {
  const reason = error instanceof Error ? error.message : String(error)
  return whole(`is damaged Parquet, or of a kind that is not read: ${reason}`)
}

/** Checks the rows of one file after another group. */
class ParquetScan {
  readonly #file: ParquetFile
  readonly #rows: BarRows

  constructor(file: ParquetFile, rows: BarRows) {
    this.#file = file
    this.#rows = rows
    if (file.readers.text === undefined) rows.nameFile()
  }

  add({ length, values }: { length: number; values: Values }): void {
    for (let row = 0; row < length; row++) {
      const fault = this.#row(values, row, ++this.#rows.rows)
      if (fault !== undefined) {
        const value = values[fault.field]?.[row]
        const text = value === null || value === undefined ? '' : shown(value)
        const reason = text === '' ? 'is missing' : fault.reason
        this.#rows.refuse({ line: this.#rows.rows, field: fault.field, reason, text })
      }
    }
  }

  #row(values: Values, row: number, line: number): { field: string; reason: string } | undefined {
    const { stamp, number, text } = this.#file.readers
    const rows = this.#rows
    const raw = values.timestamp![row]
    const read = raw === null || raw === undefined ? 'is missing' : stamp(raw)
    if (typeof read === 'string') return { field: 'timestamp', reason: read }
    let { time } = read
    rows.timed ??= read.hasTime
    if (rows.timed !== read.hasTime) {
      return {
        field: 'timestamp',
        reason: rows.timed ? 'is a date among times' : 'is a time among dates',
      }
    }
    if (rows.stampsAreDates) time -= read.clock
    const name = values.symbol?.[row]
    const symbol =
      text === undefined ? 0 : rows.symbol(name === null || name === undefined ? '' : text(name))
    if (symbol < 0) return { field: 'symbol', reason: 'is not a symbol' }
    const at = (field: string): number => {
      const value = values[field]?.[row]
      return value === null || value === undefined ? Number.NaN : number[field]!(value)
    }
    const open = at('open')
    const high = at('high')
    const low = at('low')
    const close = at('close')
    const bad = priceFault(open, high, low, close)
    if (bad !== undefined) return bad
    const volume = at('volume')
    const none = Number.isNaN(volume) ? undefined : volumeFault(volume)
    if (none !== undefined) return { field: 'volume', reason: none }
    const disorder = rows.orderFault(time, read.clock, symbol, line)
    if (disorder !== undefined) return { field: 'timestamp', reason: disorder }
    rows.add(time, symbol, open, high, low, close, volume, line)
    return undefined
  }
}

function shown(value: unknown): string {
  return value instanceof Uint8Array ? `0x${Buffer.from(value).toString('hex')}` : String(value)
}
