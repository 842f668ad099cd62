/** The bars that a resampling makes, as columns that grow. */
import type { Columns } from '../backtest/column-source.ts'
import { add, type Decimal, fromNumber, toNumber } from '../decimal.ts'

/** Bits of `Resampled.partial`. */
export const PARTIAL = {
  /** The session ends before the bar does, as the 1h bar of 15:30 that holds half an hour. */
  session: 1,
  /** The symbol's data begin or end within it, or more than half an hour at an end of a daily bar's session is missing. */
  data: 2,
} as const

const FLOATS = ['time', 'open', 'high', 'low', 'close', 'volume'] as const

/** The bars being made: the newest of each symbol is open, those before it are done. */
export class Buckets {
  private columns: Columns
  private partial: Uint8Array
  private sources: Uint32Array
  private length = 0
  private slack = Number.POSITIVE_INFINITY
  /** Per symbol: its open bar, -1 before the first; its exact volume; what the sources cover of it. */
  private readonly row: Int32Array
  private readonly volume: Decimal[]
  private readonly begun: Uint8Array
  private readonly missing: Float64Array

  constructor(symbols: number) {
    this.columns = allocate(1024)
    this.partial = new Uint8Array(this.columns.length)
    this.sources = new Uint32Array(this.columns.length)
    this.row = new Int32Array(symbols).fill(-1)
    this.volume = new Array<Decimal>(symbols).fill(0)
    this.begun = new Uint8Array(symbols)
    this.missing = new Float64Array(symbols)
  }

  add(source: Columns, from: number, symbol: number, start: number, partial: number): void {
    const row = this.row[symbol]!
    const { columns } = this
    if (row < 0 || columns.time[row] !== start) {
      this.begin(source, from, symbol, start, partial)
      return
    }
    if (source.high[from]! > columns.high[row]!) columns.high[row] = source.high[from]!
    if (source.low[from]! < columns.low[row]!) columns.low[row] = source.low[from]!
    columns.close[row] = source.close[from]!
    this.sources[row]!++
    const volume = source.volume[from]!
    if (Number.isNaN(volume) || Number.isNaN(columns.volume[row]!)) columns.volume[row] = Number.NaN
    else {
      this.volume[symbol] = add(this.volume[symbol]!, fromNumber(volume))
      columns.volume[row] = toNumber(this.volume[symbol]!)
    }
  }

  private begin(
    source: Columns,
    from: number,
    symbol: number,
    start: number,
    partial: number,
  ): void {
    if (this.length === this.columns.length) this.grow()
    const before = this.row[symbol]!
    if (before >= 0 && this.missing[symbol]! > this.slack) this.partial[before]! |= PARTIAL.data
    const row = this.length++
    const { columns } = this
    for (const name of FLOATS) columns[name][row] = source[name][from]!
    columns.time[row] = start
    columns.symbol[row] = symbol
    this.partial[row] = partial
    this.sources[row] = 1
    const volume = source.volume[from]!
    this.volume[symbol] = Number.isNaN(volume) ? 0 : fromNumber(volume)
    this.row[symbol] = row
  }

  /**
   * Notes what the newest source bar leaves uncovered of its bar before and after it, ms. That matters where the
   * symbol's data begin or end, and elsewhere when it is more than `slack`.
   */
  cover(symbol: number, before: number, after: number, slack: number): void {
    const row = this.row[symbol]!
    const first = this.begun[symbol] === 0
    this.begun[symbol] = 1
    if (this.sources[row] === 1 && before > (first ? 0 : slack)) this.partial[row]! |= PARTIAL.data
    this.missing[symbol] = after
    this.slack = slack
  }

  /** The bars in order: the first source bars of several symbols need not come in the order of their buckets. */
  finish(): { columns: Columns; partial: Uint8Array; sources: Uint32Array } {
    for (const [symbol, row] of this.row.entries()) {
      if (row >= 0 && this.missing[symbol]! > 0) this.partial[row]! |= PARTIAL.data
    }
    const order = Uint32Array.from({ length: this.length }, (_, row) => row)
    const { time, symbol } = this.columns
    const before = (a: number, b: number): number => time[a]! - time[b]! || symbol[a]! - symbol[b]!
    if (order.some((row) => row > 0 && before(row - 1, row) > 0)) order.sort(before)
    const columns = allocate(this.length)
    const partial = new Uint8Array(this.length)
    const sources = new Uint32Array(this.length)
    for (const [to, from] of order.entries()) {
      for (const name of FLOATS) columns[name][to] = this.columns[name][from]!
      columns.symbol[to] = this.columns.symbol[from]!
      partial[to] = this.partial[from]!
      sources[to] = this.sources[from]!
    }
    return { columns, partial, sources }
  }

  private grow(): void {
    const wider = allocate(this.columns.length * 2)
    for (const name of FLOATS) wider[name].set(this.columns[name])
    wider.symbol.set(this.columns.symbol)
    this.columns = wider
    const partial = new Uint8Array(wider.length)
    partial.set(this.partial)
    this.partial = partial
    const sources = new Uint32Array(wider.length)
    sources.set(this.sources)
    this.sources = sources
  }
}

function allocate(length: number): Columns {
  return {
    length,
    time: new Float64Array(length),
    open: new Float64Array(length),
    high: new Float64Array(length),
    low: new Float64Array(length),
    close: new Float64Array(length),
    volume: new Float64Array(length),
    symbol: new Uint16Array(length),
  }
}
