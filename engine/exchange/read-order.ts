import { type Decimal, DecimalError, parse, trunc, ZERO } from '../decimal.ts'
import type { BrokerOrder } from '../ports/broker.ts'
import { type OrderRefusal, orderFault, type RuleSet } from '../trading/order-rules.ts'
import type { OrderGroup, WorkingOrder } from './working-orders.ts'
import { extraOf } from './working-orders.ts'

export interface Refusal {
  code:
    | OrderRefusal['code']
    | 'invalid_symbol'
    | 'invalid_side'
    | 'unsupported_type'
    | 'invalid_qty'
    | 'invalid_price'
    | 'invalid_trail'
    | 'invalid_time_in_force'
    | 'invalid_expiry'
    | 'invalid_class'
    | 'invalid_leg'
    | 'invalid_replacement'
    | 'unchanged'
    | 'not_working'
    | 'insufficient_buying_power'
    | 'not_shortable'
    | 'wash_trade'
    | 'entry_rejected'
    | 'not_listed'
  reason: string
}

const TYPES: readonly string[] = ['market', 'limit', 'stop', 'stop_limit', 'trailing_stop', 'close']
const TIMES: readonly string[] = ['day', 'gtc', 'ioc', 'fok', 'opg', 'cls']

/** Reads an order as it was submitted; what the exchange cannot work is refused, never guessed at. */
export function readOrder(order: BrokerOrder, now = 0): WorkingOrder | Refusal {
  const { symbol, side, type, qty, timeInForce, expiresAt } = order
  if (typeof symbol !== 'string' || symbol === '') {
    return refuse('invalid_symbol', 'the order names no symbol')
  }
  if (side !== 'buy' && side !== 'sell') {
    return refuse('invalid_side', `side is ${show(side)}: give buy or sell`)
  }
  if (!TYPES.includes(type)) {
    return refuse(
      'unsupported_type',
      `type is ${show(type)}: this exchange takes ${TYPES.slice(0, -1).join(', ')} and close`,
    )
  }
  const sized = qty === 'all' || qty === 'notional'
  const remaining = sized ? ZERO : readPositive(qty)
  if (remaining === null) {
    return refuse('invalid_qty', `qty is ${show(qty)}: give a decimal above zero, or all`)
  }
  const notional = readNotional(order)
  if (notional !== null && typeof notional === 'object') return notional
  const price = readPrice(order)
  if (typeof price === 'object') return price
  const refused = readTime(order)
  if (refused !== null) return refused
  const working: WorkingOrder = {
    clientOrderId: order.clientOrderId,
    orderId: order.orderId,
    symbol,
    buys: side === 'buy',
    type,
    price,
    all: qty === 'all',
    remaining,
    filled: ZERO,
    day: endsWithDay(timeInForce) && expiresAt === undefined,
    expiresAt: expiresAt ?? Number.POSITIVE_INFINITY,
    timeInForce,
    since: now,
    done: false,
    phase: 0,
    rank: 0,
    slot: -1,
    due: -1,
    extra: null,
  }
  if (type === 'stop_limit') extraOf(working).limit = readPositive(order.limitPrice)!
  if (notional !== null) extraOf(working).notional = notional
  if (order.extendedHours === true) extraOf(working).extended = true
  if (type === 'trailing_stop') {
    const trail = readTrail(order)
    if ('code' in trail) return trail
    extraOf(working).trail = { ...trail, best: null }
  } else if (order.trailAmount !== undefined || order.trailPercent !== undefined) {
    return refuse('invalid_trail', `a ${type} order takes no trail: leave it out`)
  }
  return working
}

/** Whether an order ends with its session at the latest: one for the close, too, when the session's last bar is missing. */
export function endsWithDay(timeInForce: BrokerOrder['timeInForce']): boolean {
  return timeInForce === 'day' || timeInForce === 'cls'
}

/** Exactly the prices the type needs: one that would be ignored is a misunderstanding, so it is refused. */
function readPrice(order: BrokerOrder): Decimal | Refusal {
  const { type } = order
  let price: Decimal | null = ZERO
  for (const field of ['limitPrice', 'stopPrice'] as const) {
    const text = order[field]
    if (field === `${type}Price` || type === 'stop_limit') {
      const value = readPositive(text)
      if (value === null) {
        return refuse('invalid_price', `${field} is ${show(text)}: give a decimal above zero`)
      }
      // Of a stop_limit the stop is what the market must reach first.
      price = value
      continue
    }
    if (text === undefined) continue
    return refuse('invalid_price', `a ${type} order takes no ${field}: leave it out`)
  }
  return price
}

function readNotional({ qty, notional }: BrokerOrder): Decimal | null | Refusal {
  if (qty !== 'notional') {
    return notional === undefined
      ? null
      : refuse('invalid_qty', 'notional is given beside a qty: give a qty of "notional", or none')
  }
  const money = readPositive(notional)
  return money ?? refuse('invalid_qty', `notional is ${show(notional)}: give money above zero`)
}

/** The distance of a trailing stop. */
export function readTrail(order: {
  trailAmount?: string
  trailPercent?: string
}): { amount: Decimal | null; percent: Decimal | null } | Refusal {
  const { trailAmount, trailPercent } = order
  if ((trailAmount === undefined) === (trailPercent === undefined)) {
    return refuse('invalid_trail', 'give either trailAmount or trailPercent')
  }
  const text = trailAmount ?? trailPercent
  const value = readPositive(text)
  if (value === null || (trailPercent !== undefined && value >= parse('100'))) {
    return refuse(
      'invalid_trail',
      trailAmount === undefined
        ? `trailPercent is ${show(text)}: give a decimal above 0 and below 100`
        : `trailAmount is ${show(text)}: give a decimal above zero`,
    )
  }
  return trailAmount === undefined
    ? { amount: null, percent: value }
    : { amount: value, percent: null }
}

function readTime({ timeInForce, expiresAt }: BrokerOrder): Refusal | null {
  if (!TIMES.includes(timeInForce)) {
    return refuse(
      'invalid_time_in_force',
      `timeInForce is ${show(timeInForce)}: give ${TIMES.slice(0, -1).join(', ')} or cls`,
    )
  }
  if (expiresAt !== undefined && !Number.isFinite(expiresAt)) {
    return refuse('invalid_expiry', `expiresAt is ${show(expiresAt)}: give ms since the epoch`)
  }
  return null
}

/** What the rules of a venue have against an order whose fields could be read; null: nothing. */
export function ruleFault(order: BrokerOrder, rules: RuleSet): Refusal | null {
  const fault = orderFault(
    {
      ...order,
      fractional: order.qty === 'notional' || (order.qty !== 'all' && !isWhole(order.qty)),
      all: order.qty === 'all',
    },
    rules,
  )
  return fault === null ? null : refuse(fault.code, `${fault.observed}: ${fault.reason}`)
}

function isWhole(qty: string): boolean {
  const value = parse(qty)
  return trunc(value) === value
}

/**
 * Reads the legs of a class, and joins them with their order into a group. Legs trade what the entry filled, so they
 * name its qty, and the other side (for oco the same side). Refuses what could not protect: a stop on the wrong side.
 */
export function readClass(
  order: BrokerOrder,
  working: WorkingOrder,
  now: number,
): WorkingOrder[] | Refusal {
  const { orderClass: kind = 'simple', legs = [] } = order
  if (kind === 'simple') return []
  if (kind !== 'bracket' && kind !== 'oco' && kind !== 'oto') {
    return refuse('invalid_class', `orderClass is ${show(kind)}: give bracket, oco or oto`)
  }
  if (order.type === 'trailing_stop') {
    return refuse('invalid_class', 'an entry is no trailing_stop: its price would not be known')
  }
  const group: OrderGroup = {
    kind,
    id: order.clientOrderId,
    entry: kind === 'oco' ? null : working,
    legs: kind === 'oco' ? [working] : [],
    live: kind === 'oco',
    ending: false,
  }
  const read: WorkingOrder[] = []
  for (const leg of legs) {
    const one = readLeg(leg, order, working, now)
    if ('code' in one) return one
    extraOf(one).held = kind !== 'oco'
    extraOf(one).group = group
    read.push(one)
  }
  const refused = checkSides(group.entry, [...group.legs, ...read])
  if (refused !== null) return refused
  extraOf(working).group = group
  group.legs.push(...read)
  return read
}

function readLeg(
  leg: BrokerOrder,
  order: BrokerOrder,
  entry: WorkingOrder,
  now: number,
): WorkingOrder | Refusal {
  const read = readOrder(leg, now)
  if ('code' in read) {
    return refuse('invalid_leg', `leg ${leg.orderId}: ${read.reason}`)
  }
  const wrong = (what: string): Refusal => refuse('invalid_leg', `leg ${leg.orderId} ${what}`)
  if (leg.legs !== undefined || (leg.orderClass ?? 'simple') !== 'simple') {
    return wrong('has legs or a class of its own')
  }
  if (read.symbol !== entry.symbol) return wrong(`is for ${read.symbol}, not ${entry.symbol}`)
  if ((read.buys === entry.buys) !== (order.orderClass === 'oco')) {
    return wrong(`is on side ${leg.side}`)
  }
  const same =
    leg.qty === order.qty || (read.remaining === entry.remaining && read.remaining !== ZERO)
  if (!same) return wrong(`has qty ${leg.qty}: give the entry's, ${order.qty}`)
  if (leg.timeInForce !== 'day' && leg.timeInForce !== 'gtc') return wrong('is not day or gtc')
  return read
}

/** A take profit lies beyond the stop, and the stop beyond the price of the entry where that is known. */
export function checkSides(
  entry: WorkingOrder | null,
  legs: readonly WorkingOrder[],
): Refusal | null {
  const profit = legs.find((leg) => leg.type === 'limit')
  const stop = legs.find((leg) => leg.type === 'stop' || leg.type === 'stop_limit')
  if (stop === undefined) return null
  /** Whether a price lies beyond the stop, on the side of profit. */
  const beyond = (price: Decimal): boolean => (stop.buys ? price < stop.price : price > stop.price)
  if (profit !== undefined && !beyond(profit.price)) {
    return refuse('invalid_class', 'the take profit lies beyond the stop, on the other side of it')
  }
  if (entry === null || entry.price === ZERO) return null
  if (!beyond(entry.price) || (entry.type === 'stop_limit' && !beyond(entry.extra!.limit))) {
    return refuse('invalid_class', "the stop lies on the losing side of the entry's price")
  }
  return null
}

export function readPositive(text: unknown): Decimal | null {
  if (typeof text !== 'string') return null
  try {
    const value = parse(text)
    return value > 0 ? value : null
  } catch (error) {
    if (error instanceof DecimalError) return null
    throw error
  }
}

export function refuse(code: Refusal['code'], reason: string): Refusal {
  return { code, reason }
}

function show(value: unknown): string {
  return value === undefined ? 'missing' : JSON.stringify(value)
}
