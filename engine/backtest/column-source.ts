import type { BarSource } from './backtest.ts'

/** Bars as columns of equal length, rows in the order in which they are replayed. */
export interface Columns {
  length: number
  time: Float64Array
  open: Float64Array
  high: Float64Array
  low: Float64Array
  close: Float64Array
  volume: Float64Array
  symbol: Uint16Array
}

/** Replays columns. `timeframe` in ms; `from` and `to` are row numbers, `to` exclusive. */
export function columnSource(
  columns: Columns,
  symbols: readonly string[],
  timeframe: number,
  from = 0,
  to = columns.length,
): BarSource {
  let row = from
  return {
    next(bar) {
      if (row >= to) return false
      const index = columns.symbol[row]!
      bar.symbolIndex = index
      bar.symbol = symbols[index]!
      bar.time = columns.time[row]!
      bar.end = bar.time + timeframe
      bar.open = columns.open[row]!
      bar.high = columns.high[row]!
      bar.low = columns.low[row]!
      bar.close = columns.close[row]!
      bar.volume = columns.volume[row]!
      row++
      return true
    },
  }
}
