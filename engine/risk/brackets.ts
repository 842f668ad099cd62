import type { RiskVerdict, SignalRaised, SignalReceived } from '../../schemas/types.gen.ts'
import type { StateTable } from '../chain/state-table.ts'
import { abs, add, type Decimal, format, parse, trunc, ZERO } from '../decimal.ts'
import { closingShares, remaining } from '../trading/order-state.ts'
import { orderFault } from '../trading/order-rules.ts'
import type { Check } from './limits.ts'

type Approved = NonNullable<RiskVerdict['order']>
export type Leg = NonNullable<Approved['legs']>[number]

/** The exits that a signal wants placed with its entry. */
export function exitsOf(signal: SignalRaised | SignalReceived): Leg[] {
  const { takeProfit, stopLoss, trailPercent } = signal
  const legs: Leg[] = []
  if (takeProfit !== undefined) {
    legs.push({ role: 'take_profit', type: 'limit', limitPrice: takeProfit })
  }
  if (stopLoss !== undefined) legs.push({ role: 'stop_loss', type: 'stop', stopPrice: stopLoss })
  if (trailPercent !== undefined) {
    legs.push({ role: 'stop_loss', type: 'trailing_stop', trailPercent })
  }
  return legs
}

/** A bracket has both exits, an oto one; null without any. */
export function classOf(legs: readonly Leg[]): 'bracket' | 'oto' | null {
  if (legs.length === 0) return null
  return legs.length === 1 ? 'oto' : 'bracket'
}

/**
 * Looks at what an order and its exits ask for: whether such an order exists at all, and whether each exit lies on its
 * side of the price that the entry is expected at (its limit or stop, else the last close): a gain above it when
 * buying, a loss below. Only what was asked for is noted.
 */
export function checkTerms(
  signal: SignalRaised | SignalReceived,
  order: { side: 'buy' | 'sell'; qty: Decimal; byValue: boolean; reducing: boolean },
  legs: readonly Leg[],
  reference: Decimal,
  checks: Check[],
): void {
  // A signal without exits asks for market, limit or stop by day or gtc: nothing is against any of these.
  if (legs.length === 0) return
  const fault = orderFault({
    type: signal.orderType,
    timeInForce: signal.timeInForce,
    ...(signal.limitPrice !== undefined && { limitPrice: signal.limitPrice }),
    ...(signal.stopPrice !== undefined && { stopPrice: signal.stopPrice }),
    orderClass: classOf(legs) ?? 'simple',
    fractional: order.byValue || trunc(order.qty) !== order.qty,
    all: signal.qty === 'all' && signal.side !== 'close',
    reducing: order.reducing || signal.side === 'close',
    legs,
  })
  if (fault !== null) {
    checks.push({ rule: 'order_rules', observed: fault.observed, limit: fault.reason, ok: false })
  }
  for (const leg of legs) {
    const price = leg.limitPrice ?? leg.stopPrice
    if (price === undefined) {
      const percent = parse(leg.trailPercent!)
      const ok = percent < parse('100')
      checks.push({ rule: 'trail_percent', observed: format(percent), limit: 'below 100', ok })
      continue
    }
    const above = (leg.role === 'take_profit') === (order.side === 'buy')
    const value = parse(price)
    checks.push({
      rule: leg.role,
      observed: format(value),
      limit: `${above ? 'above' : 'below'} ${format(reference)}`,
      ok: above ? value > reference : value < reference && value > 0,
    })
  }
}

/**
 * Exits trade as much as their entry brought in. An entry that partly closes a position of the other side brings in
 * less, and its exits would then open one: so entries of both sides do not stand together where one of them has exits
 * (brokers refuse a short sale beside an open buy as such), and none with exits meets a position of the other side,
 * unless market orders are closing that already. `reducing` orders open nothing.
 */
export function checkOpposite(
  order: { symbol: string; side: 'buy' | 'sell'; reducing: boolean },
  legs: readonly Leg[],
  table: Readonly<StateTable>,
  checks: Check[],
): void {
  const { symbol, side, reducing } = order
  const { orders, portfolio } = table
  if (reducing || (legs.length === 0 && orders.legs === 0)) return
  const refuse = (observed: string, limit: string): void => {
    checks.push({ rule: 'opposite_entry', observed, limit, ok: false })
  }
  let closing: Decimal = ZERO
  let leaving: Decimal = ZERO
  for (const other of orders.open.values()) {
    if (other.symbol !== symbol || other.parentId !== null) continue
    if (other.side === side) closing = add(closing, closingShares(other, orders))
    else if (other.reducing) {
      if (other.replaces === null) leaving = add(leaving, remaining(other))
    } else if (legs.length > 0 || other.terms.orderClass !== undefined) {
      const observed = `order ${other.orderId} opens the other way`
      refuse(observed, 'entries of one side, where one of them has exits')
      return
    }
  }
  const held = portfolio.holdings.get(symbol)?.qty ?? ZERO
  const against = side === 'sell' ? held > 0 : held < 0
  if (legs.length > 0 && against && closing < abs(held)) {
    refuse(`${format(held)} held`, 'a position closed first: exits guard the whole of their entry')
    return
  }
  // Orders that close more than is left would eat into what the entry brings in.
  const stays = held === 0 || against ? ZERO : abs(held)
  if (legs.length > 0 && leaving > stays) {
    refuse(`${format(leaving)} to be closed`, `the ${format(stays)} held: cancel what is too much`)
  }
}
