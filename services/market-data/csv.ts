/**
 * Delimited text as bytes: one pass, no string per field. Bars come in millions of rows, so fields
 * stay offsets into the file until a fault has to be shown.
 */
import { readFileSync, statSync } from 'node:fs'

/** Why a row, or a whole file (`line` 0 or the header's), was refused. */
export interface RowFault {
  file: string
  /** From 1; the header is usually line 1. 0: the file as a whole. */
  line: number
  /** What `line` counts where it is not lines of text: rows of a table, from 1. */
  unit?: 'row'
  /** Canonical column name, `row` for the shape of a row, `header`, or `file`. */
  field: string
  reason: string
  /** What stood there, as found. */
  text: string
}

export type Fault = Omit<RowFault, 'file'>

/** Thrown inside the readers; each turns it into its own error with the path. */
export class CsvRefusal extends Error {
  override name = 'CsvRefusal'
  readonly fault: Fault
  readonly header: readonly string[]

  constructor(fault: Fault, header: readonly string[] = []) {
    super(fault.reason)
    this.fault = fault
    this.header = header
  }
}

const SHOWN = 20

/** A file that cannot be used as it is: all faults, and a message that shows the first twenty. */
export class BadCsvFile extends Error {
  readonly path: string
  readonly faults: readonly RowFault[]
  /** Data rows read, bad ones included. */
  readonly rows: number
  readonly header: readonly string[]

  constructor(
    path: string,
    faults: readonly RowFault[],
    rows: number,
    remedy: string,
    header: readonly string[] = [],
  ) {
    super(message(path, faults, rows, remedy))
    this.path = path
    this.faults = faults
    this.rows = rows
    this.header = header
  }
}

function message(path: string, faults: readonly RowFault[], rows: number, remedy: string): string {
  const only = faults[0]
  if (faults.length === 1 && rows === 0 && only) return `${only.file}: ${describe(only)}`
  const files = new Set(faults.map((fault) => fault.file)).size
  const several = files > 1 || faults.some((fault) => fault.file !== path)
  const lines = [
    files > 1
      ? `${path}: ${faults.length} faults in ${files} files`
      : `${path}: ${faults.length} of ${rows} rows refused`,
  ]
  for (const fault of faults.slice(0, SHOWN)) {
    lines.push(`  ${several ? `${fault.file}: ` : ''}${describe(fault)}`)
  }
  if (faults.length > SHOWN) lines.push(`  … and ${faults.length - SHOWN} more`)
  if (remedy) lines.push(remedy)
  return lines.join('\n')
}

function describe(fault: RowFault): string {
  const value = fault.text === '' ? '' : ` "${shorten(fault.text)}"`
  if (fault.line === 0) return `${fault.reason}${value && `:${value}`}`
  return `${placeOf(fault)}, ${fault.field}${value}: ${fault.reason}`
}

/** "line 7", or "row 7". */
export function placeOf(fault: Pick<RowFault, 'line' | 'unit'>): string {
  return `${fault.unit ?? 'line'} ${fault.line}`
}

function shorten(text: string): string {
  return text.length > 80 ? `${text.slice(0, 79)}…` : text
}

/** The text's bytes without a byte order mark. Throws CsvRefusal for what is not plain UTF-8 text. */
export function readCsvBytes(path: string): Buffer {
  return plainText(readBytes(path))
}

/** A file's bytes. Throws CsvRefusal for what cannot be read. */
export function readBytes(path: string): Buffer {
  try {
    const stats = statSync(path)
    if (stats.isDirectory()) throw whole('is a directory; name a file')
    if (stats.size > 0x7fff_ffff) throw whole('is larger than 2 GiB; split it')
    return readFileSync(path)
  } catch (error) {
    if (error instanceof CsvRefusal) throw error
    const code = (error as NodeJS.ErrnoException).code ?? String(error)
    throw whole(code === 'ENOENT' ? 'no such file' : `cannot be read (${code})`)
  }
}

export function plainText(bytes: Buffer): Buffer {
  const content = foreignContent(bytes)
  if (content) throw whole(content)
  const marked = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf
  return marked ? bytes.subarray(3) : bytes
}

export function whole(reason: string): CsvRefusal {
  return new CsvRefusal({ line: 0, field: 'file', reason, text: '' })
}

function foreignContent(bytes: Buffer): string | undefined {
  const magic = bytes.toString('latin1', 0, 4)
  if (magic.startsWith('\x1f\x8b')) return 'is gzip, which is not read yet; gunzip it first'
  if (magic === 'PAR1') return 'is Parquet, which is not read yet; convert it to CSV first'
  if (magic === 'PK\x03\x04') return 'is a zip archive or a workbook; save it as CSV'
  if (magic.startsWith('\xff\xfe') || magic.startsWith('\xfe\xff')) {
    return 'is UTF-16; save it as UTF-8'
  }
  if (bytes.subarray(0, 8192).includes(0)) return 'is binary, not CSV text'
  return undefined
}

const COMMA = 44
const LINE_FEED = 10
const QUOTE = 34

/** Walks the rows of a file. `starts` and `ends` hold the current row's trimmed fields, quotes off. */
export class CsvScanner {
  readonly bytes: Buffer
  starts = new Int32Array(16)
  ends = new Int32Array(16)
  /** Fields of the current row. */
  count = 0
  /** Line on which the current row starts, from 1. */
  line = 0
  /** Text follows a closing quote in the current row. */
  malformed = false
  #at = 0
  #nextLine = 1

  constructor(bytes: Buffer) {
    this.bytes = bytes
  }

  /** Steps to the next row that is not blank; false at the end. Throws CsvRefusal on an open quote. */
  next(): boolean {
    do {
      if (this.#at >= this.bytes.length) return false
      this.#row()
    } while (this.count === 1 && this.starts[0] === this.ends[0])
    return true
  }

  #row(): void {
    const bytes = this.bytes
    const length = bytes.length
    this.line = this.#nextLine
    this.count = 0
    this.malformed = false
    let start = this.#at
    let index = start
    for (; index < length; index++) {
      const code = bytes[index]!
      if (code > COMMA) continue
      if (code === COMMA) {
        this.#field(start, index)
        start = index + 1
      } else if (code === LINE_FEED) {
        break
      } else if (code === QUOTE && this.#blank(start, index)) {
        const close = this.#closing(index + 1)
        let after = close + 1
        while (after < length && bytes[after] !== COMMA && bytes[after] !== LINE_FEED) {
          if (bytes[after]! > 32) this.malformed = true
          after++
        }
        this.#field(index + 1, close)
        if (after >= length || bytes[after] === LINE_FEED) {
          this.#at = after + 1
          this.#nextLine++
          return
        }
        start = after + 1
        index = after
      }
    }
    this.#field(start, index)
    this.#at = index + 1
    this.#nextLine++
  }

  #closing(from: number): number {
    const bytes = this.bytes
    for (let index = from; index < bytes.length; index++) {
      const code = bytes[index]
      if (code === LINE_FEED) this.#nextLine++
      else if (code === QUOTE) {
        if (bytes[index + 1] !== QUOTE) return index
        index++
      }
    }
    // Taken as one bad row it would swallow the rest of the file, so it is never skipped.
    throw new CsvRefusal({
      line: this.line,
      field: 'row',
      reason: 'a quote opened on this line is never closed',
      text: '',
    })
  }

  #blank(start: number, end: number): boolean {
    for (let index = start; index < end; index++) if (this.bytes[index]! > 32) return false
    return true
  }

  #field(start: number, end: number): void {
    const bytes = this.bytes
    while (start < end && bytes[start]! <= 32) start++
    while (end > start && bytes[end - 1]! <= 32) end--
    if (this.count === this.starts.length) this.#widen()
    this.starts[this.count] = start
    this.ends[this.count++] = end
  }

  #widen(): void {
    for (const name of ['starts', 'ends'] as const) {
      const wider = new Int32Array(this[name].length * 2)
      wider.set(this[name])
      this[name] = wider
    }
  }

  /** Text of a field of the current row; '' when the row is shorter or the column is absent (-1). */
  text(column: number): string {
    if (column < 0 || column >= this.count) return ''
    return this.bytes.toString('utf8', this.starts[column], this.ends[column]).replaceAll('""', '"')
  }

  texts(): string[] {
    return Array.from({ length: this.count }, (_, column) => this.text(column))
  }

  /** The current row has this many fields; empty ones at the end do not count against it. */
  hasWidth(columns: number): boolean {
    if (this.count < columns) return false
    for (let column = columns; column < this.count; column++) {
      if (this.starts[column] !== this.ends[column]) return false
    }
    return true
  }
}

export interface ColumnRule {
  name: string
  aliases: readonly string[]
  required: boolean
}

/** Reads the header row and finds the columns: index per name, -1 when absent. Throws CsvRefusal. */
export function readHeader(
  scanner: CsvScanner,
  rules: readonly ColumnRule[],
): { header: string[]; columns: Record<string, number> } {
  if (!scanner.next()) throw whole('is empty')
  const header = scanner.texts()
  const line = scanner.line
  const refuse = (reason: string): CsvRefusal =>
    new CsvRefusal({ line, field: 'header', reason, text: header.join(',') }, header)
  return { header, columns: findColumns(header, rules, refuse) }
}

/** Finds columns by name, in any case: index per rule, -1 when absent. Throws what `refuse` makes of a reason. */
export function findColumns(
  header: readonly string[],
  rules: readonly ColumnRule[],
  refuse: (reason: string) => CsvRefusal,
): Record<string, number> {
  const names = header.map((name) => name.toLowerCase())
  const columns: Record<string, number> = {}
  const missing: string[] = []
  for (const rule of rules) {
    // A file may carry both `close` and `c`: the full name wins, the other is an extra column.
    const exact = places(names, [rule.name])
    const found = exact.length > 0 ? exact : places(names, rule.aliases)
    if (found.length > 1) {
      const several = found.map((at) => `"${header[at]}"`).join(' and ')
      throw refuse(`${several} could each be ${rule.name}; keep one`)
    }
    columns[rule.name] = found[0] ?? -1
    if (found.length === 0 && rule.required) missing.push(rule.name)
  }
  if (missing.length === 0) return columns
  if (names.some((name) => /^\d/.test(name)) && missing.length > 1) {
    throw refuse(`no header; the first line must name the columns (${missing.join(', ')})`)
  }
  const separated = names.length === 1 && /[;\t|]/.exec(names[0]!)
  const hint = separated
    ? `; fields must be separated by commas, not ${JSON.stringify(separated[0])}`
    : ''
  throw refuse(`no column for ${missing.join(', ')}${hint}`)
}

function places(names: readonly string[], wanted: readonly string[]): number[] {
  return names.flatMap((name, at) => (wanted.includes(name) ? [at] : []))
}
