import { type Decimal, DecimalError, format, parse, ZERO } from '../decimal.ts'
import type { BrokerOrder } from '../ports/broker.ts'

/** An order that rests at the exchange. */
export interface WorkingOrder {
  readonly clientOrderId: string
  readonly orderId: number
  readonly symbol: string
  readonly buys: boolean
  /** A stop that was triggered but not wholly filled goes on as a market order. */
  type: BrokerOrder['type']
  /** Limit or stop price; zero for the types that have none. */
  readonly price: Decimal
  /** Sized by the cash there is. */
  readonly all: boolean
  /** Shares still to trade; for an order of "all", zero until its first fill has sized it. */
  remaining: Decimal
  /** A day order that has not met its first bar, and so has no end yet. */
  day: boolean
  /** ms; Infinity: none. */
  expiresAt: number
  /** Filled, canceled or expired: only waits to be swept from the list. */
  done: boolean
  /** Where in the current bar it fills; one of PHASE in fill-model.ts. */
  phase: number
}

export interface Refusal {
  code:
    | 'invalid_symbol'
    | 'invalid_side'
    | 'unsupported_type'
    | 'invalid_qty'
    | 'invalid_price'
    | 'invalid_time_in_force'
    | 'invalid_expiry'
  reason: string
}

/** Reads an order as it was submitted; what the exchange cannot work is refused, never guessed at. */
export function readOrder(order: BrokerOrder): WorkingOrder | Refusal {
  const { symbol, side, type, qty, timeInForce, expiresAt } = order
  if (typeof symbol !== 'string' || symbol === '') {
    return refuse('invalid_symbol', 'the order names no symbol')
  }
  if (side !== 'buy' && side !== 'sell') {
    return refuse('invalid_side', `side is ${show(side)}: give buy or sell`)
  }
  if (type !== 'market' && type !== 'limit' && type !== 'stop' && type !== 'close') {
    return refuse(
      'unsupported_type',
      `type is ${show(type)}: this exchange takes market, limit, stop and close`,
    )
  }
  const all = qty === 'all'
  const remaining = all ? ZERO : readPositive(qty)
  if (remaining === null) {
    return refuse('invalid_qty', `qty is ${show(qty)}: give a decimal above zero, or all`)
  }
  const price = readPrice(order)
  if (typeof price === 'object') return price
  if (timeInForce !== 'day' && timeInForce !== 'gtc') {
    return refuse('invalid_time_in_force', `timeInForce is ${show(timeInForce)}: give day or gtc`)
  }
  if (expiresAt !== undefined && !Number.isFinite(expiresAt)) {
    return refuse('invalid_expiry', `expiresAt is ${show(expiresAt)}: give ms since the epoch`)
  }
  return {
    clientOrderId: order.clientOrderId,
    orderId: order.orderId,
    symbol,
    buys: side === 'buy',
    type,
    price,
    all,
    remaining,
    day: timeInForce === 'day' && expiresAt === undefined,
    expiresAt: expiresAt ?? Number.POSITIVE_INFINITY,
    done: false,
    phase: 0,
  }
}

/** Exactly the price the type needs: one that would be ignored is a misunderstanding, so it is refused. */
function readPrice(order: BrokerOrder): Decimal | Refusal {
  let price: Decimal | null = ZERO
  for (const field of ['limitPrice', 'stopPrice'] as const) {
    const text = order[field]
    if (field === `${order.type}Price`) {
      price = readPositive(text)
      if (price !== null) continue
      return refuse('invalid_price', `${field} is ${show(text)}: give a decimal above zero`)
    }
    if (text === undefined) continue
    return refuse('invalid_price', `a ${order.type} order takes no ${field}: leave it out`)
  }
  return price
}

function readPositive(text: unknown): Decimal | null {
  if (typeof text !== 'string') return null
  try {
    const value = parse(text)
    return value > 0 ? value : null
  } catch (error) {
    if (error instanceof DecimalError) return null
    throw error
  }
}

function refuse(code: Refusal['code'], reason: string): Refusal {
  return { code, reason }
}

function show(value: unknown): string {
  return value === undefined ? 'missing' : JSON.stringify(value)
}

export interface WorkingOrderSnapshot {
  clientOrderId: string
  orderId: number
  side: 'buy' | 'sell'
  type: BrokerOrder['type']
  price: string
  all: boolean
  remaining: string
  day: boolean
  /** ms; null: none. */
  expiresAt: number | null
}

export function orderSnapshot(order: WorkingOrder): WorkingOrderSnapshot {
  return {
    clientOrderId: order.clientOrderId,
    orderId: order.orderId,
    side: order.buys ? 'buy' : 'sell',
    type: order.type,
    price: format(order.price),
    all: order.all,
    remaining: format(order.remaining),
    day: order.day,
    expiresAt: order.expiresAt === Number.POSITIVE_INFINITY ? null : order.expiresAt,
  }
}

export function orderFrom(symbol: string, from: WorkingOrderSnapshot): WorkingOrder {
  return {
    clientOrderId: from.clientOrderId,
    orderId: from.orderId,
    symbol,
    buys: from.side === 'buy',
    type: from.type,
    price: parse(from.price),
    all: from.all,
    remaining: parse(from.remaining),
    day: from.day,
    expiresAt: from.expiresAt ?? Number.POSITIVE_INFINITY,
    done: false,
    phase: 0,
  }
}

/** Takes the orders that are done out of the list, in place, and keeps the order of the rest. */
export function sweep(orders: WorkingOrder[]): void {
  let kept = 0
  for (const order of orders) {
    if (!order.done) orders[kept++] = order
  }
  // Setting the length would cost more than all the rest when one order goes.
  while (orders.length > kept) orders.pop()
}
