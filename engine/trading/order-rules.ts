import type { OrderType, TimeInForce } from '../ports/broker.ts'

/** What an order asks for, as far as rules of venues speak of it. */
export interface OrderTerms {
  type: OrderType
  timeInForce: TimeInForce
  /** Absent: simple. */
  orderClass?: 'simple' | 'bracket' | 'oco' | 'oto'
  /** The quantity has a fraction of a share, or is given by value. */
  fractional: boolean
  /** Asked for as "all": its quantity is not known before it fills. */
  all?: boolean
  extendedHours?: boolean
  limitPrice?: string
  stopPrice?: string
  trailAmount?: string
  trailPercent?: string
  legs?: readonly { type: OrderType }[]
  /** It can only bring a position nearer to zero; absent: not known. */
  reducing?: boolean
}

export interface OrderRefusal {
  code:
    | 'price_missing'
    | 'price_not_for_type'
    | 'trail_ambiguous'
    | 'time_in_force_for_type'
    | 'fractional_not_allowed'
    | 'extended_hours_not_allowed'
    | 'class_not_allowed'
    | 'legs_do_not_fit'
    | 'price_increment'
  /** What the order has. */
  observed: string
  /** What would be taken, in words. */
  reason: string
}

/**
 * plain: what no venue could work, and what our simulated exchange does not either. alpaca: the published rules of
 * Alpaca's equity orders on top (fractions by day only, trailing stops as simple orders only, price increments).
 */
export type RuleSet = 'plain' | 'alpaca'

const NEEDS_LIMIT: ReadonlySet<OrderType> = new Set(['limit', 'stop_limit'])
const NEEDS_STOP: ReadonlySet<OrderType> = new Set(['stop', 'stop_limit'])
/** Times in force that are about one moment: an order that first waits for a trigger has none. */
const IMMEDIATE: ReadonlySet<TimeInForce> = new Set(['ioc', 'fok', 'opg', 'cls'])
const FRACTIONAL_TYPES: ReadonlySet<OrderType> = new Set(['market', 'limit', 'stop', 'stop_limit'])

/**
 * The table of type × time in force × class × fraction × extended hours as one function. Null: nothing is against it.
 *
 * | time in force | whole shares | fractional (alpaca) | extended hours |
 * |---|---|---|---|
 * | day | all types | market, limit, stop, stop_limit | limit |
 * | gtc | all types | no | limit |
 * | ioc, fok, opg, cls | market, limit | no | no |
 *
 * Classes stand by day or gtc, in the core session, for a known number of whole shares. Legs of a bracket are a limit
 * and a stop; the one leg of an oto is any of them; an oco is a limit with a stop. In place of a stop leg the simulated
 * exchange takes a trailing stop, Alpaca does not.
 */
export function orderFault(order: OrderTerms, rules: RuleSet = 'plain'): OrderRefusal | null {
  return (
    priceFault(order) ??
    timeFault(order) ??
    classFault(order, rules) ??
    (rules === 'alpaca' ? alpacaFault(order) : null)
  )
}

function priceFault(order: OrderTerms): OrderRefusal | null {
  const { type, limitPrice, stopPrice, trailAmount, trailPercent } = order
  const missing = (field: string): OrderRefusal => ({
    code: 'price_missing',
    observed: `${type} without ${field}`,
    reason: `a ${type} order needs ${field}`,
  })
  const surplus = (field: string): OrderRefusal => ({
    code: 'price_not_for_type',
    observed: `${type} with ${field}`,
    reason: `a ${type} order takes no ${field}: leave it out`,
  })
  if (NEEDS_LIMIT.has(type) && limitPrice === undefined) return missing('limitPrice')
  if (!NEEDS_LIMIT.has(type) && limitPrice !== undefined) return surplus('limitPrice')
  if (NEEDS_STOP.has(type) && stopPrice === undefined) return missing('stopPrice')
  if (!NEEDS_STOP.has(type) && stopPrice !== undefined) return surplus('stopPrice')
  const trails = (trailAmount === undefined ? 0 : 1) + (trailPercent === undefined ? 0 : 1)
  if (type !== 'trailing_stop') return trails === 0 ? null : surplus('trail')
  if (trails === 0) return missing('trailAmount or trailPercent')
  if (trails === 1) return null
  return {
    code: 'trail_ambiguous',
    observed: `trailAmount ${trailAmount} and trailPercent ${trailPercent}`,
    reason: 'give trailAmount or trailPercent, not both',
  }
}

function timeFault(order: OrderTerms): OrderRefusal | null {
  const { type, timeInForce, extendedHours } = order
  if (IMMEDIATE.has(timeInForce) && type !== 'market' && type !== 'limit') {
    return {
      code: 'time_in_force_for_type',
      observed: `${type} ${timeInForce}`,
      reason: `${timeInForce} goes with market and limit orders; ${type} orders stand by day or gtc`,
    }
  }
  if (extendedHours === true && (type !== 'limit' || IMMEDIATE.has(timeInForce))) {
    return {
      code: 'extended_hours_not_allowed',
      observed: `${type} ${timeInForce} in extended hours`,
      reason: 'only limit orders of day or gtc trade outside the core session',
    }
  }
  return null
}

function classFault(order: OrderTerms, rules: RuleSet): OrderRefusal | null {
  const { orderClass = 'simple', type, timeInForce, legs = [] } = order
  const fault = (
    observed: string,
    reason: string,
    code: OrderRefusal['code'] = 'class_not_allowed',
  ): OrderRefusal => ({ code, observed: `${orderClass}: ${observed}`, reason })
  if (orderClass === 'simple') {
    return legs.length === 0
      ? null
      : fault(`${legs.length} legs`, 'legs need the class bracket, oto or oco', 'legs_do_not_fit')
  }
  if (IMMEDIATE.has(timeInForce)) {
    return fault(timeInForce, `a ${orderClass} order stands by day or gtc`)
  }
  if (order.extendedHours === true) {
    return fault('extended hours', `a ${orderClass} order trades in the core session only`)
  }
  if (order.fractional || order.all === true) {
    return fault(
      order.all === true ? 'qty all' : 'a fraction of a share',
      `a ${orderClass} order needs a number of whole shares, which its legs have too`,
    )
  }
  if (orderClass === 'oco') {
    if (order.reducing === false) return fault('an entry', 'an oco order is an exit')
    if (type !== 'limit') return fault(type, 'an oco order is a limit with a stop as its leg')
  } else if (order.reducing === true) {
    return fault('an exit', `a ${orderClass} order is an entry; this one only reduces a position`)
  }
  const types = legs.map((leg) => leg.type)
  const limits = types.filter((one) => one === 'limit').length
  const stops = types.filter((one) => one === 'stop' || one === 'stop_limit').length
  const trailing = types.filter((one) => one === 'trailing_stop').length
  const fits =
    limits + stops + trailing === types.length &&
    (orderClass === 'bracket'
      ? limits === 1 && stops + trailing === 1
      : orderClass === 'oto'
        ? types.length === 1
        : limits === 0 && types.length === 1)
  if (!fits) {
    const wanted = {
      bracket: 'a limit (take profit) and a stop (stop loss)',
      oto: 'one limit or one stop',
      oco: 'one stop',
    }[orderClass]
    return fault(types.join(', ') || 'no legs', `its legs are ${wanted}`, 'legs_do_not_fit')
  }
  if (rules === 'alpaca' && trailing > 0) {
    return fault('a trailing_stop leg', 'trailing stops are simple orders there: use a stop leg')
  }
  return null
}

function alpacaFault(order: OrderTerms): OrderRefusal | null {
  const { type, timeInForce, fractional } = order
  if (type === 'close') {
    return {
      code: 'time_in_force_for_type',
      observed: 'close',
      reason: 'there is no type close there: send a market order with timeInForce cls',
    }
  }
  if (order.all === true) {
    return {
      code: 'fractional_not_allowed',
      observed: 'qty all',
      reason: 'a real broker needs a number of shares',
    }
  }
  if (fractional && (timeInForce !== 'day' || !FRACTIONAL_TYPES.has(type))) {
    return {
      code: 'fractional_not_allowed',
      observed: `fractional ${type} ${timeInForce}`,
      reason: 'fractions of a share trade as market, limit, stop or stop_limit orders of day',
    }
  }
  if (fractional && order.extendedHours === true) {
    return {
      code: 'fractional_not_allowed',
      observed: 'fractional in extended hours',
      reason: 'fractions of a share trade in the core session only',
    }
  }
  for (const field of ['limitPrice', 'stopPrice'] as const) {
    const text = order[field]
    if (text === undefined) continue
    const [whole = '0', decimals = ''] = text.split('.')
    const places = decimals.replace(/0+$/, '').length
    const allowed = Number(whole) >= 1 ? 2 : 4
    if (places <= allowed) continue
    return {
      code: 'price_increment',
      observed: `${field} ${text}`,
      reason: 'prices from 1 dollar have two decimals at most, those below four',
    }
  }
  return null
}
