import { type Decimal, div, format, mul, ONE, sub, trunc, ZERO } from '../decimal.ts'

/**
 * The arithmetic of corporate actions, in one place: the simulated exchange, the portfolio and the projections
 * must come to the same cash and shares, to the last decimal.
 */
export type ActionKind = 'split' | 'dividend' | 'delist' | 'rename'

/** A corporate action with its decimals read. */
export interface Action {
  symbol: string
  kind: ActionKind
  /** split: new shares for one old; dividend: money per share; delist: price per share. Null: none was given. */
  value: Decimal | null
  /** rename: the symbol from now on. */
  newSymbol?: string
  /** Moment at which it takes effect, ms. */
  time: number
}

/** What tells an action from others of its symbol and time. */
export function actionKey({ kind, value, newSymbol = '' }: Action): string {
  return `${kind} ${value === null ? newSymbol : format(value)}`
}

/**
 * Shares after a split. A position of whole shares stays one of whole shares: what is over, `fraction`, is paid in
 * cash. One that held fractions of a share before keeps them.
 */
export function splitPosition(qty: Decimal, ratio: Decimal): { qty: Decimal; fraction: Decimal } {
  const all = mul(qty, ratio)
  if (trunc(qty) !== qty) return { qty: all, fraction: ZERO }
  const whole = trunc(all)
  return { qty: whole, fraction: sub(all, whole) }
}

/** A price after a split, rounded once to the nano. */
export function scalePrice(price: Decimal, ratio: Decimal): Decimal {
  return ratio === ONE ? price : div(price, ratio)
}

/** A price of before the action as it counts after it, so that a holding with what it received is worth the same. */
export function priceAfter(
  price: Decimal,
  { kind, value }: Pick<Action, 'kind' | 'value'>,
): Decimal {
  if (value === null) return price
  if (kind === 'split') return scalePrice(price, value)
  // A dividend of the whole price or more is no dividend that a price could follow.
  if (kind === 'dividend') return value < price ? sub(price, value) : price
  return price
}

/**
 * What becomes of a position, and the cash that comes in for it (negative for a short one). `close` is the last close
 * as it counts after the action: fractions and delisted shares without a price of their own are paid at it.
 */
export function positionAfter(
  qty: Decimal,
  close: Decimal,
  { kind, value }: Pick<Action, 'kind' | 'value'>,
): { qty: Decimal; cash: Decimal } {
  if (qty === 0) return { qty, cash: ZERO }
  if (kind === 'delist') return { qty: ZERO, cash: mul(qty, value ?? close) }
  if (value === null || kind === 'rename') return { qty, cash: ZERO }
  if (kind === 'dividend') return { qty, cash: mul(qty, value) }
  const split = splitPosition(qty, value)
  return { qty: split.qty, cash: split.fraction === 0 ? ZERO : mul(split.fraction, close) }
}
