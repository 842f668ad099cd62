import type { EventOf, Processor } from '../chain/processor.ts'
import { fromNumber, parse, toNumber } from '../decimal.ts'
import { priceAfter } from './actions.ts'

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
  /** What the newest corporate action makes of prices of its symbol before it: 0.5 after a split of two for one. */
  factor: number
  /** Symbols that trade no more, and why. */
  gone: Map<string, string>
  /** New symbols of renamed ones, and what they were. */
  formerly: Map<string, string>
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
  handles: ['market.bar', 'market.action'],
  initial: () => ({
    symbols: [],
    indexOf: new Map(),
    close: [],
    barTime: [],
    bars: 0,
    fresh: false,
    factor: 1,
    gone: new Map(),
    formerly: new Map(),
  }),
  handle(state, event) {
    if (event.type === 'market.action') {
      act(state, event.data)
      return state
    }
    if (event.type !== 'market.bar') return state
    const bar = event.data
    let index = bar.symbolIndex
    if (state.symbols[index] !== bar.symbol) {
      index = symbolIndex(state, bar.symbol)
      bar.symbolIndex = index
    }
    state.bars++
    if (state.gone.size > 0) state.gone.delete(bar.symbol)
    state.fresh = !(bar.time <= state.barTime[index]!)
    // A correction of the newest bar moves the mark, one of an older bar does not.
    if (!(bar.time < state.barTime[index]!)) {
      state.close[index] = bar.close
      state.barTime[index] = bar.time
    }
    return state
  },
}

/**
 * The last close is put into the money of after the action, so that what is held is worth the same until the next bar
 * says otherwise.
 */
function act(state: MarketState, action: EventOf<'market.action'>['data']): void {
  const { symbol, kind, newSymbol } = action
  state.factor = 1
  const index = state.indexOf.get(symbol)
  if (index === undefined) return
  const before = state.close[index]!
  if (kind === 'delist') state.gone.set(symbol, 'delisted')
  else if (kind === 'rename') {
    if (newSymbol === undefined || newSymbol === symbol) return
    const to = symbolIndex(state, newSymbol)
    if (Number.isNaN(state.barTime[to]!)) {
      state.close[to] = before
      state.barTime[to] = state.barTime[index]!
    }
    state.gone.set(symbol, `renamed ${newSymbol}`)
    state.formerly.set(newSymbol, symbol)
  } else if (!Number.isNaN(before) && action.value !== undefined) {
    const value = parse(action.value)
    const after = toNumber(priceAfter(fromNumber(before), { kind, value }))
    state.close[index] = after
    state.factor = kind === 'split' ? 1 / toNumber(value) : after / before
  }
}
