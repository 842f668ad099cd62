import type { Processor } from '../chain/processor.ts'
import { strategyInstances } from '../strategies/registry.ts'
import { Atr } from './atr.ts'
import { Ema } from './ema.ts'
import type { Indicator } from './indicator.ts'
import { Rsi } from './rsi.ts'
import { Sma } from './sma.ts'

/** An indicator that a strategy asks for. Equal specifications are computed once. */
export interface FeatureSpec {
  kind: 'sma' | 'ema' | 'rsi' | 'atr'
  period: number
}

/** "sma_10": the name under which a feature is recorded. */
export function featureName(spec: FeatureSpec): string {
  return `${spec.kind}_${spec.period}`
}

export interface FeatureState {
  version: number
  specs: FeatureSpec[]
  names: string[]
  /** By symbol number. */
  rows: (FeatureRow | undefined)[]
}

/** The features of one symbol: now, and at its previous bar. NaN until warm. */
export interface FeatureRow {
  indicators: Indicator[]
  now: Float64Array
  before: Float64Array
}

export function createIndicator(spec: FeatureSpec): Indicator {
  switch (spec.kind) {
    case 'sma':
      return new Sma(spec.period)
    case 'ema':
      return new Ema(spec.period)
    case 'rsi':
      return new Rsi(spec.period)
    case 'atr':
      return new Atr(spec.period)
  }
}

function newRow(specs: readonly FeatureSpec[]): FeatureRow {
  return {
    indicators: specs.map(createIndicator),
    now: new Float64Array(specs.length).fill(Number.NaN),
    before: new Float64Array(specs.length).fill(Number.NaN),
  }
}

/** Prices traded are raw; what indicators remember is put into the money of the bars to come. */
function rescale(row: FeatureRow, factor: number): void {
  for (const [i, indicator] of row.indicators.entries()) {
    indicator.scale(factor)
    row.now[i] = indicator.value
    if (indicator.inPrices) row.before[i] = row.before[i]! * factor
  }
}

/** Computes what the strategies in force ask for. Features become events only where a decision used them. */
export const featuresProcessor: Processor<FeatureState> = {
  name: 'features',
  handles: ['engine.started', 'market.bar', 'market.action'],
  initial: () => ({ version: 0, specs: [], names: [], rows: [] }),
  handle(state, event, _emit, table) {
    if (event.type === 'market.bar') {
      if (!table.market.fresh) return state
      const bar = event.data
      let row = state.rows[bar.symbolIndex]
      if (row === undefined) {
        row = newRow(state.specs)
        state.rows[bar.symbolIndex] = row
      }
      const { indicators, now, before } = row
      for (let i = 0; i < indicators.length; i++) {
        before[i] = now[i]!
        now[i] = indicators[i]!.next(bar.open, bar.high, bar.low, bar.close, bar.volume)
      }
    } else if (event.type === 'market.action') {
      const { symbol, kind, newSymbol } = event.data
      const index = table.market.indexOf.get(symbol)
      const row = index === undefined ? undefined : state.rows[index]
      if (row === undefined) return state
      if (kind === 'rename' && newSymbol !== undefined) {
        const to = table.market.indexOf.get(newSymbol)!
        state.rows[to] ??= row
        state.rows[index!] = undefined
      } else if (table.market.factor !== 1) rescale(row, table.market.factor)
    } else if (event.type === 'engine.started' && state.version !== table.settings.version) {
      state.version = table.settings.version
      const specs: FeatureSpec[] = []
      for (const { strategy, params } of strategyInstances(table.settings.settings!)) {
        for (const spec of strategy.features(params)) {
          if (!specs.some((s) => featureName(s) === featureName(spec))) specs.push(spec)
        }
      }
      // Features that stay keep their state; new ones start cold and warm up on the bars to come.
      const kept = specs.map((spec) => state.names.indexOf(featureName(spec)))
      state.rows = state.rows.map((old) => {
        if (old === undefined) return undefined
        const row = newRow(specs)
        for (const [i, from] of kept.entries()) {
          if (from < 0) continue
          row.indicators[i] = old.indicators[from]!
          row.now[i] = old.now[from]!
          row.before[i] = old.before[from]!
        }
        return row
      })
      state.specs = specs
      state.names = specs.map(featureName)
    }
    return state
  },
}
