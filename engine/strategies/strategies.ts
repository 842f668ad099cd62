import type { Emit, Processor } from '../chain/processor.ts'
import type { StateTable } from '../chain/state-table.ts'
import { ZERO, type Decimal } from '../decimal.ts'
import { type FeatureRow, featureName } from '../features/feature-set.ts'
import type { Bar } from '../market/bar.ts'
import { formatTime } from '../time.ts'
import { workingQty } from '../trading/order-state.ts'
import { type StrategyInstance, strategyInstances } from './registry.ts'
import type { ActionConditions, BarContext, Params, SignalRequest } from './strategy.ts'

export interface StrategiesState {
  version: number
  instances: (StrategyInstance & { slots: number[] })[]
  /** Signals raised so far, all strategies together. */
  signals: number
}

/** Asks every strategy at the close of every bar, and records what a decision was based on before the decision. */
export const strategiesProcessor: Processor<StrategiesState> = {
  name: 'strategies',
  handles: ['engine.started', 'market.bar', 'signal.raised'],
  initial: () => ({ version: 0, instances: [], signals: 0 }),
  handle(state, event, emit, table) {
    if (event.type === 'market.bar') {
      if (!table.market.fresh) return state
      const row = table.features.rows[event.data.symbolIndex]!
      context.raised = 0
      for (const instance of state.instances) {
        context.ask(instance, event.data, event.at, row, table, emit, state.signals)
      }
    } else if (event.type === 'signal.raised') state.signals++
    else if (event.type === 'engine.started' && state.version !== table.settings.version) {
      state.version = table.settings.version
      state.instances = strategyInstances(table.settings.settings!).map((instance) => ({
        ...instance,
        slots: instance.strategy
          .features(instance.params)
          .map((spec) => table.features.names.indexOf(featureName(spec))),
      }))
    }
    return state
  },
}

/** One object for all bars and strategies: the hot path allocates only where somebody decides. */
class Context implements BarContext {
  bar!: Bar
  at = 0
  private instance!: StrategiesState['instances'][number]
  private row!: FeatureRow
  private table!: Readonly<StateTable>
  private emit!: Emit
  /** Signals raised on this bar by all strategies. */
  raised = 0
  private noted = false
  private before = 0

  ask(
    instance: StrategiesState['instances'][number],
    bar: Bar,
    at: number,
    row: FeatureRow,
    table: Readonly<StateTable>,
    emit: Emit,
    before: number,
  ): void {
    this.noted = false
    this.instance = instance
    this.bar = bar
    this.at = at
    this.row = row
    this.table = table
    this.emit = emit
    this.before = before
    instance.strategy.onBar(this, instance.params)
  }

  explain(
    instance: StrategiesState['instances'][number],
    bar: Bar,
    at: number,
    row: FeatureRow,
    table: Readonly<StateTable>,
  ): ActionConditions[] {
    this.instance = instance
    this.bar = bar
    this.at = at
    this.row = row
    this.table = table
    return instance.strategy.conditions?.(this, instance.params) ?? []
  }

  feature(i: number): number {
    return this.row.now[this.instance.slots[i]!]!
  }

  previous(i: number): number {
    return this.row.before[this.instance.slots[i]!]!
  }

  get position(): Decimal {
    return this.table.portfolio.bySymbol[this.bar.symbolIndex]?.qty ?? ZERO
  }

  get working(): Decimal {
    return workingQty(this.table.orders, this.bar.symbol)
  }

  signal(request: SignalRequest): void {
    this.raised++
    const { name } = this.instance.strategy
    if (!this.noted && this.instance.slots.length > 0) {
      this.noted = true
      const values: Record<string, number> = {}
      for (const slot of this.instance.slots) {
        const feature = this.table.features.names[slot]!
        const value = this.row.now[slot]!
        const before = this.row.before[slot]!
        if (!Number.isNaN(value)) values[feature] = value
        if (!Number.isNaN(before)) values[`${feature}_previous`] = before
      }
      this.emit('feature.computed', {
        strategy: name,
        symbol: this.bar.symbol,
        barTime: formatTime(this.bar.time),
        values,
      })
    }
    this.emit('signal.raised', {
      signalId: `${name}-${this.before + this.raised}`,
      strategy: name,
      symbol: this.bar.symbol,
      side: request.side,
      ...(request.qty !== undefined && { qty: request.qty }),
      orderType: 'market',
      timeInForce: 'gtc',
      reason: request.reason,
      ...(request.takeProfit !== undefined && { takeProfit: request.takeProfit }),
      ...(request.stopLoss !== undefined && { stopLoss: request.stopLoss }),
      ...(request.trailPercent !== undefined && { trailPercent: request.trailPercent }),
    })
  }
}

const context = new Context()

export interface StrategyConditions {
  strategy: string
  params: Params
  actions: ActionConditions[]
}

/**
 * What every strategy looks at, at a bar that the chain has just folded: before its consequences, the table is as
 * the strategies saw it. Empty for a late bar, which no strategy sees.
 */
export function strategyConditions(
  table: Readonly<StateTable>,
  bar: Bar,
  at: number,
): StrategyConditions[] {
  const row = table.features.rows[bar.symbolIndex]
  if (!table.market.fresh || row === undefined) return []
  return table.strategies.instances.map((instance) => ({
    strategy: instance.strategy.name,
    params: instance.params,
    actions: context.explain(instance, bar, at, row, table),
  }))
}
