import { type Decimal, format, parse, ZERO } from '../decimal.ts'
import type { BrokerOrder, TimeInForce } from '../ports/broker.ts'

/** An order that rests at the exchange, or is held there until its entry has traded. */
export interface WorkingOrder {
  readonly clientOrderId: string
  readonly orderId: number
  /** Changes when the company is renamed. */
  symbol: string
  readonly buys: boolean
  /** A stop that was triggered but not wholly filled goes on as a market order, a stop_limit as a limit. */
  type: BrokerOrder['type']
  /** Limit or stop price, the present stop of a trailing one; zero for the types that have none. */
  price: Decimal
  /** Sized by the cash there is. */
  readonly all: boolean
  /** Shares still to trade; for an order of "all" or "notional", zero until its first fill has sized it. */
  remaining: Decimal
  /** Shares traded, of orders that this one replaced too. */
  filled: Decimal
  /** A day order that has not met its first bar, and so has no end yet. */
  day: boolean
  /** ms; Infinity: none. */
  expiresAt: number
  timeInForce: TimeInForce
  /** When it was submitted, ms; 0: unknown. */
  since: number
  /** Filled, canceled, expired or replaced. */
  done: boolean
  /** Where in the current bar it fills; one of PHASE in fill-model.ts. */
  phase: number
  /** Place in the queue of its symbol. */
  rank: number
  /** Places in the heaps of its book; -1: in none. */
  slot: number
  due: number
  /** What few orders have; null for the others. */
  extra: OrderExtra | null
}

export interface OrderExtra {
  /** Limit price of a stop_limit. */
  limit: Decimal
  /** Stop price of a stop_limit that was triggered. */
  stop: Decimal
  trail: Trail | null
  /** Money to trade for. */
  notional: Decimal | null
  /** May trade before and after the core session. */
  extended: boolean
  /** A leg that waits for its entry: in no queue. */
  held: boolean
  group: OrderGroup | null
}

export interface Trail {
  /** Distance in money per share, or else in percent of the best price. */
  amount: Decimal | null
  percent: Decimal | null
  /** Highest price since the order works when it sells, lowest when it buys; null before any. */
  best: Decimal | null
}

/** Orders that live and end together. */
export interface OrderGroup {
  readonly kind: 'bracket' | 'oco' | 'oto'
  /** Client order id of the order that the legs came with. */
  readonly id: string
  /** The order that must fill first; null for oco. */
  entry: WorkingOrder | null
  /** Legs; for oco, the order itself first. */
  legs: WorkingOrder[]
  /** Whether the legs work. */
  live: boolean
  /** Whether all of them are just being ended. */
  ending: boolean
}

export const PLAIN: Omit<OrderExtra, 'group' | 'trail'> = {
  limit: ZERO,
  stop: ZERO,
  notional: null,
  extended: false,
  held: false,
}

/** The extras of an order, made when it has none. */
export function extraOf(order: WorkingOrder): OrderExtra {
  order.extra ??= { ...PLAIN, trail: null, group: null }
  return order.extra
}

/** Whole quantity, what is filled included. */
export function wholeQty(order: WorkingOrder): Decimal {
  return typeof order.filled === 'number' && typeof order.remaining === 'number'
    ? order.filled + order.remaining
    : parse(format(BigInt(order.filled) + BigInt(order.remaining)))
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
  /** From here on absent where there is nothing to say; journals of before do not have them. */
  filled?: string
  timeInForce?: TimeInForce
  since?: number
  rank?: number
  limit?: string
  stop?: string
  trail?: { amount?: string; percent?: string; best?: string }
  notional?: string
  extended?: true
  held?: true
  group?: { id: string; kind: OrderGroup['kind']; leg?: number; live?: true }
}

export function orderSnapshot(order: WorkingOrder): WorkingOrderSnapshot {
  const { extra, filled, timeInForce, since } = order
  const snapshot: WorkingOrderSnapshot = {
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
  snapshot.rank = order.rank
  if (filled !== ZERO) snapshot.filled = format(filled)
  if (timeInForce !== 'gtc') snapshot.timeInForce = timeInForce
  if (since !== 0) snapshot.since = since
  if (extra === null) return snapshot
  if (extra.limit !== ZERO) snapshot.limit = format(extra.limit)
  if (extra.stop !== ZERO) snapshot.stop = format(extra.stop)
  if (extra.notional !== null) snapshot.notional = format(extra.notional)
  if (extra.extended) snapshot.extended = true
  if (extra.held) snapshot.held = true
  if (extra.trail !== null) {
    const { amount, percent, best } = extra.trail
    snapshot.trail = {
      ...(amount !== null && { amount: format(amount) }),
      ...(percent !== null && { percent: format(percent) }),
      ...(best !== null && { best: format(best) }),
    }
  }
  if (extra.group !== null) {
    const { id, kind, entry, legs, live } = extra.group
    snapshot.group = {
      id,
      kind,
      ...(entry !== order && { leg: legs.indexOf(order) }),
      ...(live && { live: true as const }),
    }
  }
  return snapshot
}

/**
 * Puts an order back; `groups` gathers the classes by id. Their legs lie at their own places, which leaves holes where
 * some are over: close them when all are read.
 */
export function orderFrom(
  symbol: string,
  from: WorkingOrderSnapshot,
  groups: Map<string, OrderGroup> = new Map(),
): WorkingOrder {
  const order: WorkingOrder = {
    clientOrderId: from.clientOrderId,
    orderId: from.orderId,
    symbol,
    buys: from.side === 'buy',
    type: from.type,
    price: parse(from.price),
    all: from.all,
    remaining: parse(from.remaining),
    filled: parse(from.filled ?? '0'),
    day: from.day,
    expiresAt: from.expiresAt ?? Number.POSITIVE_INFINITY,
    timeInForce: from.timeInForce ?? (from.day ? 'day' : 'gtc'),
    since: from.since ?? 0,
    done: false,
    phase: 0,
    rank: from.rank ?? 0,
    slot: -1,
    due: -1,
    extra: null,
  }
  const { limit, stop, trail, notional, extended, held, group } = from
  if (limit ?? stop ?? trail ?? notional ?? extended ?? held ?? group) {
    const extra = extraOf(order)
    extra.limit = parse(limit ?? '0')
    extra.stop = parse(stop ?? '0')
    extra.notional = decimalOrNull(notional)
    extra.extended = extended === true
    extra.held = held === true
    if (trail !== undefined) {
      const { amount, percent, best } = trail
      extra.trail = {
        amount: decimalOrNull(amount),
        percent: decimalOrNull(percent),
        best: decimalOrNull(best),
      }
    }
    if (group !== undefined) extra.group = join(order, group, groups)
  }
  return order
}

function join(
  order: WorkingOrder,
  { id, kind, leg, live }: NonNullable<WorkingOrderSnapshot['group']>,
  groups: Map<string, OrderGroup>,
): OrderGroup {
  let group = groups.get(id)
  if (group === undefined) {
    group = { id, kind, entry: null, legs: [], live: live === true, ending: false }
    groups.set(id, group)
  }
  if (leg === undefined) group.entry = order
  else group.legs[leg] = order
  return group
}

function decimalOrNull(text: string | undefined): Decimal | null {
  return text === undefined ? null : parse(text)
}
