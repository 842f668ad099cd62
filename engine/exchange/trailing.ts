import { add, type Decimal, div, max, min, mul, ONE, parse, sub } from '../decimal.ts'
import type { Trail, WorkingOrder } from './working-orders.ts'

const HUNDRED = parse('100')
/** The smallest stop there is. */
const TICK: Decimal = 1

/**
 * Moves a trailing stop to a price of the market, towards it only. The first price there is sets it: the close or
 * trade it was submitted on, or the open of its first bar.
 */
export function ratchet(order: WorkingOrder, trail: Trail, price: Decimal): void {
  const { best } = trail
  trail.best = best === null ? price : order.buys ? min(best, price) : max(best, price)
  if (trail.best !== best) order.price = stopOf(order.buys, trail, trail.best)
}

/** The stop at a distance from the best price. */
export function stopOf(buys: boolean, trail: Trail, best: Decimal): Decimal {
  const { amount, percent } = trail
  if (amount !== null) return buys ? add(best, amount) : max(sub(best, amount), TICK)
  // Percent of the best price, to the ninth decimal.
  const share = div(percent!, HUNDRED)
  return buys ? mul(best, add(ONE, share)) : max(mul(best, sub(ONE, share)), TICK)
}
