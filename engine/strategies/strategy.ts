import type { Decimal } from '../decimal.ts'
import type { FeatureSpec } from '../features/feature-set.ts'
import type { Bar } from '../market/bar.ts'

export type ParamValue = string | number | boolean
export type Params = Readonly<Record<string, ParamValue>>

/** A parameter: its default, what it may be, and one line of help. */
export type ParamSpec =
  | { kind: 'integer'; default: number; min: number; max: number; help: string }
  | { kind: 'number'; default: number; min: number; max: number; help: string }
  | { kind: 'choice'; default: string; choices: readonly string[]; help: string }
  | { kind: 'size'; default: string; help: string }

export interface SignalRequest {
  side: 'buy' | 'sell' | 'close'
  /** Shares as a decimal string, or "all"; not with close. */
  qty?: string
  /** Exits that are placed with an entry: prices, and a distance in percent in place of `stopLoss`. */
  takeProfit?: string
  stopLoss?: string
  trailPercent?: string
  reason: string
}

/** What a strategy sees at the close of a bar. The object is used again: keep nothing of it. */
export interface BarContext {
  readonly bar: Bar
  /** Engine time, ms: the end of the bar. */
  readonly at: number
  /** Value of the i-th feature that the strategy asked for; NaN until warm. */
  feature(i: number): number
  /** Its value at the previous bar of the same symbol. */
  previous(i: number): number
  /** Shares held, negative when short. */
  readonly position: Decimal
  /** Shares that working orders would add, negative for sells. */
  readonly working: Decimal
  signal(request: SignalRequest): void
}

/**
 * A trading strategy: pure, synchronous, one symbol at a time.
 *
 *     const buyTheDip: Strategy = {
 *       name: 'buy_the_dip',
 *       params: { period: { kind: 'integer', default: 14, min: 2, max: 500, help: 'RSI period' } },
 *       features: (params) => [{ kind: 'rsi', period: params.period as number }],
 *       onBar(bar) { if (bar.feature(0) < 30 && bar.position === 0) bar.signal({ side: 'buy', qty: '10', reason: 'dip' }) },
 *       conditions: (bar) => [{ side: 'buy', conditions: [whether('RSI', bar.feature(0), 'below 30', bar.feature(0) < 30), whether('position', toNumber(bar.position), '0', bar.position === 0)] }],
 *     }
 */
export interface Strategy {
  readonly name: string
  readonly params: Readonly<Record<string, ParamSpec>>
  features(params: Params): FeatureSpec[]
  /** Throws InvalidParams where parameters contradict each other. */
  check?(params: Params): void
  onBar(context: BarContext, params: Params): void
  /**
   * What `onBar` looks at, for people who ask why nothing happened: for each action its conditions, as they are at
   * this bar. An action whose conditions are all met is the signal that `onBar` raises, and no other is. Without it
   * a bar is explained by what followed from it alone.
   */
  conditions?(context: Omit<BarContext, 'signal'>, params: Params): ActionConditions[]
}

/** An action that a strategy may take, and all that must hold for it. */
export interface ActionConditions {
  side: SignalRequest['side']
  conditions: Condition[]
}

export interface Condition {
  /** Such as "sma_10 above sma_30". */
  name: string
  /** What is there now; null: not known yet. */
  observed: string | null
  /** What is wanted. */
  wanted: string
  met: boolean
}

/** A condition on a number; one that is not known yet is not met. */
export function whether(name: string, observed: number, wanted: string, met: boolean): Condition {
  const known = !Number.isNaN(observed)
  return { name, observed: known ? String(observed) : null, wanted, met: known && met }
}

/** Thrown when a strategy or a parameter does not exist, or a value is not allowed. */
export class InvalidParams extends Error {
  override name = 'InvalidParams'
  readonly code = 'invalid_params'
}
