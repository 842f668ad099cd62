/** Bars from the bytes of one CSV file: every row is checked here, once, so that nothing behind has to. */
import { basename } from 'node:path'
import { TIMEFRAME_MS } from '../../engine/market/bar.ts'
import type { Timeframe } from '../../engine/market/bar.ts'
import { allocateBars, MAX_SYMBOLS, resizeBars } from './bar-columns.ts'
import type { BarColumns } from './bar-columns.ts'
import { CsvRefusal, CsvScanner, readHeader, whole } from './csv.ts'
import type { ColumnRule, Fault, RowFault } from './csv.ts'
import { readNumber, readSymbol, StampReader, stampReason } from './csv-values.ts'

export interface BarReadOptions {
  /** What the bars must be; bars are not resampled. */
  timeframe?: Timeframe
  /** Leave bad rows out and list them in `skipped`, instead of refusing the file. */
  skipBadRows?: boolean
  /** Symbol of a file without a symbol column, in place of the one in its name. */
  symbol?: string
}

export interface BarFile {
  path: string
  symbols: string[]
  timeframe: Timeframe
  columns: BarColumns
  /** Line of each bar in the file. */
  lines: Uint32Array
  /** At least one bar has a known volume. */
  hasVolume: boolean
  skipped: RowFault[]
  /** Column names as found. */
  header: string[]
}

const COLUMNS: readonly ColumnRule[] = [
  { name: 'timestamp', aliases: ['date', 'datetime', 'time', 't'], required: true },
  { name: 'open', aliases: ['o'], required: true },
  { name: 'high', aliases: ['h'], required: true },
  { name: 'low', aliases: ['l'], required: true },
  { name: 'close', aliases: ['c'], required: true },
  { name: 'volume', aliases: ['v'], required: false },
  { name: 'symbol', aliases: [], required: false },
]

const HOUR = 3_600_000
const LIMIT = 1e15
const UNKNOWN_VOLUME = new Set(['', 'nan', 'na', 'n/a', 'null', 'none'])

/** One pass over a file's bytes. The constructor reads all rows; it and `finish` throw CsvRefusal. */
export class BarScan {
  readonly header: string[]
  readonly faults: RowFault[] = []
  rows = 0
  #columns = allocateBars(0)
  #lines = new Uint32Array(0)
  #length = 0
  #hasVolume = false
  readonly #path: string
  readonly #options: BarReadOptions
  readonly #scanner: CsvScanner
  readonly #at: Record<string, number>
  readonly #stamps = new StampReader()
  readonly #stampsAreDates: boolean
  readonly #symbols: string[] = []
  readonly #symbolIndex = new Map<string, number>()
  /** Raw texts of the symbol column met so far, so that each is checked once. */
  readonly #symbolText = new Map<string, number>()
  /** Per symbol: row of the last good bar. */
  readonly #last: number[] = []
  /** Whether stamps name times, as the first readable one does. */
  #timed: boolean | undefined
  #latestClock = 0
  #smallestGap = Number.POSITIVE_INFINITY
  #smallestGapLine = 0
  #frameGap = Number.POSITIVE_INFINITY

  constructor(path: string, bytes: Buffer, options: BarReadOptions, stampsAreDates: boolean) {
    this.#path = path
    this.#options = options
    this.#stampsAreDates = stampsAreDates
    this.#scanner = new CsvScanner(bytes)
    const { header, columns } = readHeader(this.#scanner, COLUMNS)
    this.header = header
    this.#at = columns
    if (columns.symbol === -1) this.#nameFile()
    this.#grow(Math.ceil(bytes.length / 48) + 16)
    this.#read()
  }

  #nameFile(): void {
    const name = this.#options.symbol ?? basename(this.#path).split(/[_.]/, 1)[0]!
    const symbol = readSymbol(name)
    if (!symbol) {
      throw whole(
        `has no symbol column, and "${name}" is not a symbol; rename it to SYMBOL.csv or add the column`,
      )
    }
    this.#addSymbol(symbol)
  }

  #addSymbol(symbol: string): number {
    const known = this.#symbolIndex.get(symbol)
    if (known !== undefined) return known
    if (this.#symbols.length === MAX_SYMBOLS) throw whole(`has more than ${MAX_SYMBOLS} symbols`)
    this.#symbolIndex.set(symbol, this.#symbols.length)
    this.#last.push(-1)
    return this.#symbols.push(symbol) - 1
  }

  #grow(length: number): void {
    this.#columns = resizeBars(this.#columns, length)
    const lines = new Uint32Array(length)
    lines.set(this.#lines)
    this.#lines = lines
  }

  #read(): void {
    const scanner = this.#scanner
    while (scanner.next()) {
      this.rows++
      const fault = this.#row()
      if (fault) this.faults.push({ file: this.#path, line: scanner.line, ...fault })
    }
  }

  /** Appends the current row, or says what is wrong with it. */
  #row(): Omit<Fault, 'line'> | undefined {
    const scanner = this.#scanner
    const { bytes, starts, ends } = scanner
    const at = this.#at
    if (scanner.malformed) return rowFault('text after a closing quote', scanner)
    if (scanner.count !== this.header.length && !scanner.hasWidth(this.header.length)) {
      return rowFault(`${scanner.count} fields where the header has ${this.header.length}`, scanner)
    }
    const time = this.#time(at.timestamp!)
    if (typeof time !== 'number') return time
    const symbol = this.#symbol()
    if (symbol < 0) return this.#fault('symbol', at.symbol!, 'is not a symbol')

    const open = readNumber(bytes, starts[at.open!]!, ends[at.open!]!)
    if (!(open > 0 && open < LIMIT)) return this.#price('open', open)
    const high = readNumber(bytes, starts[at.high!]!, ends[at.high!]!)
    if (!(high > 0 && high < LIMIT)) return this.#price('high', high)
    const low = readNumber(bytes, starts[at.low!]!, ends[at.low!]!)
    if (!(low > 0 && low < LIMIT)) return this.#price('low', low)
    const close = readNumber(bytes, starts[at.close!]!, ends[at.close!]!)
    if (!(close > 0 && close < LIMIT)) return this.#price('close', close)
    if (low > high) return this.#fault('low', at.low!, `is above the high ${high}`)
    if (low > open) return this.#fault('low', at.low!, `is above the open ${open}`)
    if (low > close) return this.#fault('low', at.low!, `is above the close ${close}`)
    if (high < open) return this.#fault('high', at.high!, `is below the open ${open}`)
    if (high < close) return this.#fault('high', at.high!, `is below the close ${close}`)

    let volume = Number.NaN
    if (at.volume! >= 0) {
      volume = readNumber(bytes, starts[at.volume!]!, ends[at.volume!]!)
      if (!(volume >= 0 && volume < LIMIT)) {
        if (!UNKNOWN_VOLUME.has(scanner.text(at.volume!).toLowerCase())) {
          return this.#fault('volume', at.volume!, numberReason(volume, 'negative'))
        }
        volume = Number.NaN
      } else this.#hasVolume = true
    }
    const order = this.#order(time, symbol)
    if (order) return order

    if (this.#length === this.#columns.length) this.#grow(this.#length * 2)
    const columns = this.#columns
    const row = this.#length++
    columns.time[row] = time
    columns.open[row] = open
    columns.high[row] = high
    columns.low[row] = low
    columns.close[row] = close
    columns.volume[row] = volume
    columns.symbol[row] = symbol
    this.#lines[row] = scanner.line
    this.#last[symbol] = row
    return undefined
  }

  #time(column: number): number | Omit<Fault, 'line'> {
    const { bytes, starts, ends, line } = this.#scanner
    const stamps = this.#stamps
    const time = stamps.read(bytes, starts[column]!, ends[column]!)
    if (stamps.fault !== '') {
      const text = this.#scanner.text(column)
      if (text === '') return this.#fault('timestamp', column, 'is missing')
      const reason = stampReason(stamps.fault)
      // The first stamp tells the file's format: were it another one, every row would be bad.
      if (this.#timed === undefined && stamps.fault !== 'calendar' && /\d/.test(text)) {
        throw new CsvRefusal({ line, field: 'timestamp', reason, text }, this.header)
      }
      return { field: 'timestamp', reason, text }
    }
    this.#timed ??= stamps.hasTime
    if (this.#timed !== stamps.hasTime) {
      const reason = this.#timed ? 'is a date among times' : 'is a time among dates'
      return this.#fault('timestamp', column, reason)
    }
    return this.#stampsAreDates ? stamps.day : time
  }

  /** Number of the row's symbol; -1 when its text cannot be one. */
  #symbol(): number {
    if (this.#at.symbol === -1) return 0
    const text = this.#scanner.text(this.#at.symbol!)
    const known = this.#symbolText.get(text)
    if (known !== undefined) return known
    const symbol = readSymbol(text)
    if (!symbol) return -1
    const index = this.#addSymbol(symbol)
    this.#symbolText.set(text, index)
    return index
  }

  #order(time: number, symbol: number): Omit<Fault, 'line'> | undefined {
    const last = this.#last[symbol]!
    if (last >= 0) {
      const gap = time - this.#columns.time[last]!
      if (gap <= 0) {
        const line = this.#lines[last]!
        return this.#fault(
          'timestamp',
          this.#at.timestamp!,
          gap === 0 ? `repeats line ${line}` : `is earlier than line ${line}; rows must be sorted`,
        )
      }
      if (gap < this.#smallestGap) {
        this.#smallestGap = gap
        this.#smallestGapLine = this.#scanner.line
      }
      if (gap < this.#frameGap && timeframeOf(gap)) this.#frameGap = gap
    }
    if (this.#stamps.clock > this.#latestClock) this.#latestClock = this.#stamps.clock
    return undefined
  }

  #price(field: string, value: number): Omit<Fault, 'line'> {
    return this.#fault(field, this.#at[field]!, numberReason(value, 'not above zero'))
  }

  #fault(field: string, column: number, reason: string): Omit<Fault, 'line'> {
    const text = this.#scanner.text(column)
    return { field, reason: text === '' ? 'is missing' : reason, text }
  }

  /**
   * Daily bars stamped with a time: 00:00 in an exchange's own offset, or New York's midnight in UTC
   * (04:00Z, 05:00Z). They are bars of the date written, like those stamped with a date.
   */
  looksDaily(): boolean {
    if (this.#timed !== true || this.#stampsAreDates || this.#latestClock > 5 * HOUR) return false
    const gap = this.#smallestGap
    return gap >= 23 * HOUR && (Number.isFinite(gap) || this.#options.timeframe === '1d')
  }

  /** The file as read. Throws CsvRefusal when no row is left or the timeframe does not fit. */
  finish(): BarFile {
    if (this.#length === 0) {
      throw whole(this.rows === 0 ? 'has a header but no rows' : `all ${this.rows} rows are bad`)
    }
    return {
      path: this.#path,
      symbols: this.#symbols,
      timeframe: this.#timeframe(),
      columns: resizeBars(this.#columns, this.#length),
      lines: this.#lines.slice(0, this.#length),
      hasVolume: this.#hasVolume,
      skipped: this.faults,
      header: this.header,
    }
  }

  #timeframe(): Timeframe {
    const asked = this.#options.timeframe
    const daily = this.#timed === false || this.#stampsAreDates
    const found = daily ? '1d' : timeframeOf(this.#frameGap)
    if (!found) {
      // One bar, or gaps between thin bars only: what was asked decides, if every gap can be so made.
      if (asked && asked !== '1d' && this.#gapsFit(TIMEFRAME_MS[asked])) return asked
      throw timeframeRefusal(
        asked
          ? `the gaps between bars do not fit ${asked}`
          : 'no two bars are 1m, 5m, 15m or 1h apart; say which it is with --timeframe',
      )
    }
    // Thin minute bars may happen to be nowhere 1m apart: what was asked decides where `found` cannot be.
    const thin = asked && asked !== '1d' && !daily && TIMEFRAME_MS[asked] < TIMEFRAME_MS[found]
    if (thin && this.#gapsFit(TIMEFRAME_MS[asked]) && !this.#gapsFit(TIMEFRAME_MS[found])) {
      return asked
    }
    if (!daily && this.#smallestGap < this.#frameGap) {
      const reason = `less than ${found} after the bar before; if bars are shorter, say so with --timeframe`
      throw timeframeRefusal(reason, this.#smallestGapLine, `${this.#smallestGap / 1000} s`)
    }
    if (asked && asked !== found) {
      throw timeframeRefusal(
        `holds ${found} bars, ${asked} was asked for; bars are not resampled yet`,
      )
    }
    return found
  }

  #gapsFit(length: number): boolean {
    const { time, symbol } = this.#columns
    const last = new Map<number, number>()
    for (let row = 0; row < this.#length; row++) {
      const before = last.get(symbol[row]!)
      if (before !== undefined && (time[row]! - before) % length !== 0) return false
      last.set(symbol[row]!, time[row]!)
    }
    return true
  }
}

function rowFault(reason: string, scanner: CsvScanner): Omit<Fault, 'line'> {
  return { field: 'row', reason, text: scanner.texts().join(',') }
}

function numberReason(value: number, sign: string): string {
  if (Number.isNaN(value)) return 'is not a number'
  return value >= LIMIT ? 'is larger than 1e15' : `is ${sign}`
}

function timeframeRefusal(reason: string, line = 0, text = ''): CsvRefusal {
  return new CsvRefusal({ line, field: 'timeframe', reason, text })
}

function timeframeOf(gap: number): Timeframe | undefined {
  if (gap > HOUR) return undefined
  if (gap === TIMEFRAME_MS['1m']) return '1m'
  if (gap === TIMEFRAME_MS['5m']) return '5m'
  if (gap === TIMEFRAME_MS['15m']) return '15m'
  return gap === TIMEFRAME_MS['1h'] ? '1h' : undefined
}
