/** The rows of one file on their way into columns: what makes a row of bars, whatever format it stood in. */
import { basename } from 'node:path'
import { TIMEFRAME_MS, type Timeframe } from '../../engine/market/bar.ts'
import { allocateBars, type BarColumns, MAX_SYMBOLS, resizeBars } from './bar-columns.ts'
import { CsvRefusal, type ColumnRule, type RowFault, whole } from './csv.ts'
import { readSymbol } from './csv-values.ts'

export interface BarReadOptions {
  /**
   * What the bars are wanted as. Shorter bars are resampled by who loads them; where a file does not say how
   * long its bars are, this does.
   */
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
  /** Place of each bar in the file: its line, or its row. */
  lines: Uint32Array
  /** What `lines` count: lines of text from 1, or rows of a table from 1. */
  unit: 'line' | 'row'
  /** At least one bar has a known volume. */
  hasVolume: boolean
  skipped: RowFault[]
  /** Column names as found. */
  header: string[]
}

export const BAR_COLUMNS: readonly ColumnRule[] = [
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

/** What is wrong with a row's prices, by the first rule broken; undefined for a bar. */
export function priceFault(
  open: number,
  high: number,
  low: number,
  close: number,
): { field: 'open' | 'high' | 'low' | 'close'; reason: string } | undefined {
  const sound = low > 0 && high < LIMIT && low <= open && low <= close
  if (sound && open <= high && close <= high) return undefined
  const prices = { open, high, low, close }
  for (const field of ['open', 'high', 'low', 'close'] as const) {
    const value = prices[field]
    if (!(value > 0 && value < LIMIT)) {
      return { field, reason: numberReason(value, 'not above zero') }
    }
  }
  if (low > high) return { field: 'low', reason: `is above the high ${high}` }
  if (low > open) return { field: 'low', reason: `is above the open ${open}` }
  if (low > close) return { field: 'low', reason: `is above the close ${close}` }
  if (high < open) return { field: 'high', reason: `is below the open ${open}` }
  return { field: 'high', reason: `is below the close ${close}` }
}

/** Why a volume is none; undefined for one. */
export function volumeFault(volume: number): string | undefined {
  return volume >= 0 && volume < LIMIT ? undefined : numberReason(volume, 'negative')
}

function numberReason(value: number, sign: string): string {
  if (Number.isNaN(value)) return 'is not a number'
  return value >= LIMIT ? 'is larger than 1e15' : `is ${sign}`
}

/** Collects good rows and bad ones. A reader asks `symbol` and `orderFault` of each row before `add`. */
export class BarRows {
  readonly faults: RowFault[] = []
  /** Rows met, bad ones included. */
  rows = 0
  /** Stamps that name times count as dates. */
  readonly stampsAreDates: boolean
  /** Whether stamps name times, as the first readable one does. */
  timed: boolean | undefined
  #columns: BarColumns
  #lines: Uint32Array
  #length = 0
  #hasVolume = false
  readonly #path: string
  readonly #unit: 'line' | 'row'
  readonly #options: BarReadOptions
  readonly #symbols: string[] = []
  readonly #symbolIndex = new Map<string, number>()
  /** Raw texts of the symbol column met so far, so that each is checked once. */
  readonly #symbolText = new Map<string, number>()
  /** Per symbol: row of the last good bar. */
  readonly #last: number[] = []
  #latestClock = 0
  #smallestGap = Number.POSITIVE_INFINITY
  #smallestGapLine = 0
  #frameGap = Number.POSITIVE_INFINITY

  constructor(
    path: string,
    unit: 'line' | 'row',
    options: BarReadOptions,
    stampsAreDates: boolean,
    capacity: number,
  ) {
    this.#path = path
    this.#unit = unit
    this.#options = options
    this.stampsAreDates = stampsAreDates
    this.#columns = allocateBars(capacity)
    this.#lines = new Uint32Array(capacity)
  }

  /** One symbol for all rows, of the options or the file's name. Throws CsvRefusal. */
  nameFile(): void {
    const name = symbolOfFile(this.#path, this.#options)
    const symbol = readSymbol(name)
    if (!symbol) {
      throw whole(
        `has no symbol column, and "${name}" is not a symbol; rename it to SYMBOL.${this.#unit === 'row' ? 'parquet' : 'csv'} or add the column`,
      )
    }
    this.#addSymbol(symbol)
  }

  /** Number of a symbol by its text; -1 when the text cannot be one. Throws CsvRefusal for too many. */
  symbol(text: string): number {
    const known = this.#symbolText.get(text)
    if (known !== undefined) return known
    const symbol = readSymbol(text)
    if (!symbol) return -1
    const index = this.#addSymbol(symbol)
    this.#symbolText.set(text, index)
    return index
  }

  #addSymbol(symbol: string): number {
    const known = this.#symbolIndex.get(symbol)
    if (known !== undefined) return known
    if (this.#symbols.length === MAX_SYMBOLS) throw whole(`has more than ${MAX_SYMBOLS} symbols`)
    this.#symbolIndex.set(symbol, this.#symbols.length)
    this.#last.push(-1)
    return this.#symbols.push(symbol) - 1
  }

  /** The latest time of day of a row in order, as written, ms. */
  get latestClock(): number {
    return this.#latestClock
  }

  /** Why a row cannot follow those before it; undefined when it can. `clock`: time of day as written, ms. */
  orderFault(time: number, clock: number, symbol: number, line: number): string | undefined {
    const last = this.#last[symbol]!
    if (last >= 0) {
      const gap = time - this.#columns.time[last]!
      if (gap <= 0) {
        const before = `${this.#unit} ${this.#lines[last]!}`
        return gap === 0 ? `repeats ${before}` : `is earlier than ${before}; rows must be sorted`
      }
      if (gap < this.#smallestGap) {
        this.#smallestGap = gap
        this.#smallestGapLine = line
      }
      if (gap < this.#frameGap && timeframeOf(gap)) this.#frameGap = gap
    }
    if (clock > this.#latestClock) this.#latestClock = clock
    return undefined
  }

  /** Appends a row that was found good. `volume` is NaN where unknown. */
  add(
    time: number,
    symbol: number,
    open: number,
    high: number,
    low: number,
    close: number,
    volume: number,
    line: number,
  ): void {
    if (this.#length === this.#columns.length) this.#grow(Math.max(16, this.#length * 2))
    const columns = this.#columns
    const row = this.#length++
    columns.time[row] = time
    columns.open[row] = open
    columns.high[row] = high
    columns.low[row] = low
    columns.close[row] = close
    columns.volume[row] = volume
    columns.symbol[row] = symbol
    if (volume >= 0) this.#hasVolume = true
    this.#lines[row] = line
    this.#last[symbol] = row
  }

  refuse(fault: Omit<RowFault, 'file'>): void {
    const row = this.#unit === 'row' ? { unit: this.#unit } : {}
    this.faults.push({ file: this.#path, ...fault, ...row })
  }

  #grow(length: number): void {
    this.#columns = resizeBars(this.#columns, length)
    const lines = new Uint32Array(length)
    lines.set(this.#lines)
    this.#lines = lines
  }

  /**
   * Daily bars stamped with a time: 00:00 in an exchange's own offset, or New York's midnight in UTC
   * (04:00Z, 05:00Z). They are bars of the date written, like those stamped with a date.
   */
  looksDaily(): boolean {
    if (this.timed !== true || this.stampsAreDates || this.#latestClock > 5 * HOUR) return false
    const gap = this.#smallestGap
    return gap >= 23 * HOUR && (Number.isFinite(gap) || this.#options.timeframe === '1d')
  }

  /** The file as read. Throws CsvRefusal when no row is left or the timeframe does not fit. */
  finish(header: string[]): BarFile {
    if (this.#length === 0) {
      throw whole(this.rows === 0 ? 'has a header but no rows' : `all ${this.rows} rows are bad`)
    }
    return {
      path: this.#path,
      symbols: this.#symbols,
      timeframe: this.#timeframe(),
      columns: resizeBars(this.#columns, this.#length),
      lines: this.#lines.slice(0, this.#length),
      unit: this.#unit,
      hasVolume: this.#hasVolume,
      skipped: this.faults,
      header,
    }
  }

  #timeframe(): Timeframe {
    const asked = this.#options.timeframe
    const daily = this.timed === false || this.stampsAreDates
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
    if (asked && TIMEFRAME_MS[asked] < TIMEFRAME_MS[found]) {
      throw timeframeRefusal(
        `holds ${found} bars, ${asked} was asked for; only longer bars can be made of them`,
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

/** The name that stands for the symbol of a file without a symbol column. */
export function symbolOfFile(path: string, options: BarReadOptions): string {
  return options.symbol ?? basename(path).split(/[_.]/, 1)[0]!
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
