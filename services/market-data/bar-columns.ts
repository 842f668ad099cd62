/** Bars by column, the shape the replay loop walks: one typed array per field, no object per bar. */
import { TIMEFRAME_MS } from '../../engine/market/bar.ts'
import type { Bar, Timeframe } from '../../engine/market/bar.ts'

export interface BarColumns {
  length: number
  /** Start of each bar, ms since the epoch UTC. */
  time: Float64Array
  open: Float64Array
  high: Float64Array
  low: Float64Array
  close: Float64Array
  /** NaN where unknown. */
  volume: Float64Array
  /** Index into the symbols of the file or set. */
  symbol: Uint16Array
}

/** Symbols a file or set may hold: what an index of 16 bits can name. */
export const MAX_SYMBOLS = 65_536

const FLOATS = ['time', 'open', 'high', 'low', 'close', 'volume'] as const

export function allocateBars(length: number): BarColumns {
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

/** A copy with room for `length` bars; cut when that is less. */
export function resizeBars(columns: BarColumns, length: number): BarColumns {
  const resized = allocateBars(length)
  const kept = Math.min(length, columns.length)
  for (const name of FLOATS) resized[name].set(columns[name].subarray(0, kept))
  resized.symbol.set(columns.symbol.subarray(0, kept))
  return resized
}

/** The bar of one row, for callers outside the hot path. */
export function barAt(
  columns: BarColumns,
  row: number,
  symbols: readonly string[],
  timeframe: Timeframe,
): Bar {
  if (row < 0 || row >= columns.length) throw new RangeError(`no row ${row} of ${columns.length}`)
  const symbolIndex = columns.symbol[row]!
  const time = columns.time[row]!
  return {
    symbol: symbols[symbolIndex]!,
    symbolIndex,
    time,
    end: time + TIMEFRAME_MS[timeframe],
    open: columns.open[row]!,
    high: columns.high[row]!,
    low: columns.low[row]!,
    close: columns.close[row]!,
    volume: columns.volume[row]!,
  }
}

export interface MergeSource {
  symbols: readonly string[]
  columns: BarColumns
}

export interface Duplicate {
  /** Source and row kept, source and row dropped. */
  kept: [source: number, row: number]
  dropped: [source: number, row: number]
}

export interface MergedBars {
  symbols: string[]
  columns: BarColumns
  duplicates: Duplicate[]
}

interface Run {
  source: number
  columns: BarColumns
  rows: Uint32Array
  at: number
  rank: number
}

/**
 * One sequence of several sources, ordered by time, then by the order in which symbols first appear
 * in that sequence (at equal times: the order of the sources). Each source is sorted per symbol. Of
 * two bars of one symbol and time the earlier source's is kept. `from` and `to` are inclusive bar
 * starts, ms; symbols without a bar between them are left out. There
 * are at most MAX_SYMBOLS of them.
 */
export function mergeBars(sources: readonly MergeSource[], from: number, to: number): MergedBars {
  const runs = sources.flatMap((source, index) => splitRuns(source, index, from, to))
  const symbols = rankSymbols(runs, sources)
  const total = runs.reduce((sum, run) => sum + run.rows.length, 0)
  const out = allocateBars(total)
  const duplicates: Duplicate[] = []
  const heap = new RunHeap(runs)
  let length = 0
  let last: Duplicate['kept'] = [0, 0]
  for (let run = heap.top; run; run = heap.top) {
    const row = run.rows[run.at]!
    const time = run.columns.time[row]!
    if (length > 0 && out.time[length - 1] === time && out.symbol[length - 1] === run.rank) {
      duplicates.push({ kept: last, dropped: [run.source, row] })
    } else {
      for (const name of FLOATS) out[name][length] = run.columns[name][row]!
      out.symbol[length++] = run.rank
      last = [run.source, row]
    }
    heap.advance()
  }
  const columns = length === total ? out : resizeBars(out, length)
  return { symbols, columns, duplicates }
}

function splitRuns(source: MergeSource, index: number, from: number, to: number): Run[] {
  const { columns, symbols } = source
  const inside = (row: number): boolean => columns.time[row]! >= from && columns.time[row]! <= to
  const counts = new Uint32Array(symbols.length)
  for (let row = 0; row < columns.length; row++) if (inside(row)) counts[columns.symbol[row]!]!++
  const lists = Array.from(counts, (count) => new Uint32Array(count))
  counts.fill(0)
  for (let row = 0; row < columns.length; row++) {
    const symbol = columns.symbol[row]!
    if (inside(row)) lists[symbol]![counts[symbol]!++] = row
  }
  return lists.map((rows, rank) => ({ source: index, columns, rows, at: 0, rank }))
}

function rankSymbols(runs: readonly Run[], sources: readonly MergeSource[]): string[] {
  const first = new Map<string, number>()
  const nameOf = (run: Run): string => sources[run.source]!.symbols[run.rank]!
  for (const run of runs) {
    if (run.rows.length === 0) continue
    const time = run.columns.time[run.rows[0]!]!
    first.set(nameOf(run), Math.min(time, first.get(nameOf(run)) ?? time))
  }
  // The sort is stable: symbols that start together stay in the order of their sources.
  const symbols = [...first].sort((a, b) => a[1] - b[1]).map(([symbol]) => symbol)
  const ranks = new Map(symbols.map((symbol, rank) => [symbol, rank]))
  for (const run of runs) run.rank = ranks.get(nameOf(run)) ?? 0
  return symbols
}

/** Binary heap of runs by (time, rank, source) of their next bar. */
class RunHeap {
  readonly #runs: Run[]

  constructor(runs: readonly Run[]) {
    this.#runs = runs.filter((run) => run.rows.length > 0).sort((a, b) => (before(a, b) ? -1 : 1))
  }

  get top(): Run | undefined {
    return this.#runs[0]
  }

  /** Moves the top run to its next bar, or drops it after its last. */
  advance(): void {
    const runs = this.#runs
    let run = runs[0]!
    if (++run.at === run.rows.length) {
      const last = runs.pop()!
      if (runs.length === 0) return
      run = last
    }
    let at = 0
    for (;;) {
      let child = 2 * at + 1
      if (child >= runs.length) break
      if (child + 1 < runs.length && before(runs[child + 1]!, runs[child]!)) child++
      if (!before(runs[child]!, run)) break
      runs[at] = runs[child]!
      at = child
    }
    runs[at] = run
  }
}

function before(a: Run, b: Run): boolean {
  const timeA = a.columns.time[a.rows[a.at]!]!
  const timeB = b.columns.time[b.rows[b.at]!]!
  if (timeA !== timeB) return timeA < timeB
  return a.rank !== b.rank ? a.rank < b.rank : a.source < b.source
}
