import { type Decimal, format, sub, ZERO } from '../decimal.ts'
import type { Replacement } from '../ports/broker.ts'
import type { RuleSet } from '../trading/order-rules.ts'
import {
  checkSides,
  endsWithDay,
  type Refusal,
  readPositive,
  readTrail,
  refuse,
  ruleFault,
} from './read-order.ts'
import { stopOf } from './trailing.ts'
import { type WorkingOrder, wholeQty } from './working-orders.ts'

/**
 * The order that stands in an order's place when it is replaced, or why not. It takes over what is not named, what was
 * filled, and, where nothing but the quantity shrinks, the place in the queue; otherwise it goes to the end of it.
 */
export function readReplacement(
  order: WorkingOrder,
  by: Replacement,
  rules: RuleSet,
  now: number,
): WorkingOrder | Refusal {
  const next: WorkingOrder = {
    ...order,
    clientOrderId: by.clientOrderId,
    orderId: by.orderId,
    done: false,
    phase: 0,
    slot: -1,
    due: -1,
    extra: order.extra === null ? null : { ...order.extra },
  }
  const refused =
    changeQty(order, next, by) ?? changePrices(next, by) ?? changeTrail(next, by) ?? null
  if (refused !== null) return refused
  const { timeInForce } = by
  if (timeInForce !== undefined && timeInForce !== order.timeInForce) {
    next.timeInForce = timeInForce
    next.day = endsWithDay(timeInForce)
    next.expiresAt = Number.POSITIVE_INFINITY
    next.since = now
  }
  const moved =
    next.price !== order.price ||
    next.timeInForce !== order.timeInForce ||
    next.extra?.limit !== order.extra?.limit ||
    next.extra?.trail !== order.extra?.trail
  if (!moved && next.remaining === order.remaining) {
    return refuse('unchanged', 'the replacement changes nothing')
  }
  if (moved || next.remaining > order.remaining) next.rank = 0
  return ruleFault(terms(next), rules) ?? groupFault(order, next) ?? next
}

function changeQty(order: WorkingOrder, next: WorkingOrder, by: Replacement): Refusal | null {
  if (by.qty === undefined) return null
  const { extra } = order
  if (extra !== null && extra.group !== null) {
    return refuse('invalid_replacement', 'the quantity of an order with legs, or of a leg, stays')
  }
  if (order.all || (extra !== null && extra.notional !== null)) {
    return refuse('invalid_replacement', 'an order sized by money keeps its size: cancel it')
  }
  const qty = readPositive(by.qty)
  if (qty === null) return refuse('invalid_qty', `qty is ${by.qty}: give a decimal above zero`)
  if (qty <= order.filled) {
    return refuse('invalid_qty', `qty is ${by.qty}: ${format(order.filled)} are filled already`)
  }
  next.remaining = sub(qty, order.filled)
  return null
}

function changePrices(next: WorkingOrder, by: Replacement): Refusal | null {
  for (const field of ['limitPrice', 'stopPrice'] as const) {
    const text = by[field]
    if (text === undefined) continue
    const takes = next.type === 'stop_limit' || field === `${next.type}Price`
    if (!takes) {
      return refuse('invalid_price', `a ${next.type} order has no ${field}: leave it out`)
    }
    const price: Decimal | null = readPositive(text)
    if (price === null) {
      return refuse('invalid_price', `${field} is ${text}: give a decimal above zero`)
    }
    if (field === 'limitPrice' && next.type === 'stop_limit') next.extra!.limit = price
    else next.price = price
  }
  return null
}

function changeTrail(next: WorkingOrder, by: Replacement): Refusal | null {
  const { trailAmount, trailPercent } = by
  if (trailAmount === undefined && trailPercent === undefined) return null
  if (next.type !== 'trailing_stop') {
    return refuse('invalid_trail', `a ${next.type} order has no trail: leave it out`)
  }
  const read = readTrail(by)
  if ('code' in read) return read
  const { best, amount, percent } = next.extra!.trail!
  if (amount === read.amount && percent === read.percent) return null
  // The best price stays: only the distance to it is another.
  next.extra!.trail = { ...read, best }
  if (best !== null) next.price = stopOf(next.buys, next.extra!.trail, best)
  return null
}

/** An order as the rules of venues speak of it, its class apart. */
function terms(order: WorkingOrder): Parameters<typeof ruleFault>[0] {
  const { type, price, extra } = order
  const { limit = ZERO, trail = null, notional = null, extended = false } = extra ?? {}
  return {
    clientOrderId: order.clientOrderId,
    orderId: order.orderId,
    symbol: order.symbol,
    side: order.buys ? 'buy' : 'sell',
    type,
    qty: order.all ? 'all' : notional === null ? format(wholeQty(order)) : 'notional',
    timeInForce: order.timeInForce,
    ...(type === 'limit' && { limitPrice: format(price) }),
    ...(type === 'stop_limit' && { limitPrice: format(limit) }),
    ...((type === 'stop' || type === 'stop_limit') && { stopPrice: format(price) }),
    ...(trail !== null && type === 'trailing_stop' && trailTerms(trail)),
    ...(extended && { extendedHours: true }),
  }
}

function trailTerms({ amount, percent }: { amount: Decimal | null; percent: Decimal | null }) {
  return amount === null ? { trailPercent: format(percent!) } : { trailAmount: format(amount) }
}

/** Legs stay on their sides of each other and of the entry, and orders of a class stand by day or gtc. */
function groupFault(order: WorkingOrder, next: WorkingOrder): Refusal | null {
  const group = order.extra?.group ?? null
  if (group === null) return null
  if (next.timeInForce !== 'day' && next.timeInForce !== 'gtc') {
    return refuse('invalid_replacement', 'an order of a class stands by day or gtc')
  }
  const entry = group.entry === order ? next : group.entry
  return checkSides(
    entry === null || entry.done ? null : entry,
    group.legs.map((leg) => (leg === order ? next : leg)).filter((leg) => !leg.done),
  )
}
