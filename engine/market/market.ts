import type { Processor } from '../chain/processor.ts'

/** What the chain knows of each symbol. Arrays are indexed by symbol number. */
export interface MarketState {
  symbols: string[]
  indexOf: Map<string, number>
  /** Last close, NaN before the first bar. */
  close: number[]
  /** Start of the last bar, ms; NaN before the first. */
  barTime: number[]
  bars: number
  /**
   * Whether the bar of this step is the first of its time. A late or corrected one never reopens a closed
   * bucket: features and strategies do not see it.
   */
  fresh: boolean
}

/** Number of a symbol, given at its first appearance. */
export function symbolIndex(state: MarketState, symbol: string): number {
  const known = state.indexOf.get(symbol)
  if (known !== undefined) return known
  const index = state.symbols.length
  state.symbols.push(symbol)
  state.indexOf.set(symbol, index)
  state.close.push(Number.NaN)
  state.barTime.push(Number.NaN)
  return index
}

/** Last close of a symbol, NaN when none is known. */
export function lastClose(state: Readonly<MarketState>, symbol: string): number {
  const index = state.indexOf.get(symbol)
  return index === undefined ? Number.NaN : state.close[index]!
}

export const marketProcessor: Processor<MarketState> = {
  name: 'market',
  handles: ['market.bar'],
  initial: () => ({
    symbols: [],
    indexOf: new Map(),
    close: [],
    barTime: [],
    bars: 0,
    fresh: false,
  }),
  handle(state, event) {
    if (event.type !== 'market.bar') return state
    const bar = event.data
    let index = bar.symbolIndex
    if (state.symbols[index] !== bar.symbol) {
      index = symbolIndex(state, bar.symbol)
      bar.symbolIndex = index
    }
    state.bars++
    state.fresh = !(bar.time <= state.barTime[index]!)
    // A correction of the newest bar moves the mark, one of an older bar does not.
    if (!(bar.time < state.barTime[index]!)) {
      state.close[index] = bar.close
      state.barTime[index] = bar.time
    }
    return state
  },
}
