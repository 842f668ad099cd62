import type { ControlReceived, RiskVerdict } from '../../schemas/types.gen.ts'
import type { Emit } from '../chain/processor.ts'
import type { StateTable } from '../chain/state-table.ts'
import {
  add,
  type Decimal,
  format,
  fromNumber,
  max,
  mul,
  parse,
  sub,
  trunc,
  ZERO,
} from '../decimal.ts'
import { lastClose } from '../market/market.ts'
import { closable, legsCountOn, type Order, remaining, workingQty } from '../trading/order-state.ts'
import { orderFault } from '../trading/order-rules.ts'
import { type Check, checkLimits } from './limits.ts'
import type { RiskState } from './risk.ts'

const FIELDS = [
  'qty',
  'limitPrice',
  'stopPrice',
  'trailAmount',
  'trailPercent',
  'timeInForce',
] as const

interface Answer {
  signalId: string
  source: string
  checks: Check[]
}

/**
 * An operator wants one order cancelled: it is asked for where the order works, and refused by name where it does not.
 * The answer is a verdict, as for a signal, named by the control's id.
 */
export function cancelOrder(
  control: ControlReceived,
  emit: Emit,
  table: Readonly<StateTable>,
): void {
  const answer = answerOf(control)
  const order = openOrder(control, answer.checks, table)
  if (order === null || !dispensable(order, answer.checks, table)) {
    emit('risk.verdict', denied(answer))
    return
  }
  emit(
    'risk.verdict',
    verdict(answer, { code: order.cancelRequested ? 'already_asked' : 'cancel' }),
  )
  if (order.cancelRequested) return
  const { actor, reason } = control
  emit('order.cancel_requested', { orderId: order.orderId, actor, reason: reason.slice(0, 100) })
}

/**
 * Judges what an order is to become. A replacement is an order of its own, with what is not named taken over. One that
 * adds nothing to what its original has reserved is held to the collar alone; one that adds is judged as an opening
 * order, with the original's reservation falling away.
 */
export function judgeReplacement(
  control: ControlReceived,
  state: RiskState,
  table: Readonly<StateTable>,
): RiskVerdict {
  const answer = answerOf(control)
  const { checks } = answer
  const order = openOrder(control, checks, table)
  if (order === null || !replaceable(order, control, checks)) return denied(answer)
  const less = control.qty !== undefined && parse(control.qty) < order.qty
  if (less && !dispensable(order, checks, table)) return denied(answer)
  const { terms } = order
  const wanted = changed(order, control)
  const fault = orderFault({
    ...wanted,
    type: terms.type,
    fractional: trunc(parse(wanted.qty)) !== parse(wanted.qty),
  })
  if (fault !== null) {
    checks.push({ rule: 'order_rules', observed: fault.observed, limit: fault.reason, ok: false })
    return denied(answer)
  }
  checkExposure(order, wanted, state, table, checks)
  if (checks.some((check) => !check.ok)) return denied(answer)
  const { qty, ...prices } = wanted
  return verdict(answer, {
    code: 'replace',
    orderIds: [table.orders.lastOrderId + 1],
    qty,
    order: {
      symbol: order.symbol,
      side: order.side,
      type: terms.type as NonNullable<RiskVerdict['order']>['type'],
      ...prices,
    },
    replaces: order.orderId,
  })
}

type Wanted = { qty: string } & Pick<
  NonNullable<RiskVerdict['order']>,
  'limitPrice' | 'stopPrice' | 'trailAmount' | 'trailPercent' | 'timeInForce'
>

/** The order's terms with what the control names in their place. A trail given one way replaces the other way. */
function changed({ qty, terms }: Order, control: ControlReceived): Wanted {
  const wanted = {
    qty: control.qty ?? format(qty),
    timeInForce: control.timeInForce ?? terms.timeInForce,
  }
  const trails = control.trailAmount !== undefined || control.trailPercent !== undefined
  const limitPrice = control.limitPrice ?? terms.limitPrice
  const stopPrice = control.stopPrice ?? terms.stopPrice
  const trailAmount = trails ? control.trailAmount : terms.trailAmount
  const trailPercent = trails ? control.trailPercent : terms.trailPercent
  return {
    ...wanted,
    ...(limitPrice !== undefined && { limitPrice }),
    ...(stopPrice !== undefined && { stopPrice }),
    ...(trailAmount !== undefined && { trailAmount }),
    ...(trailPercent !== undefined && { trailPercent }),
  }
}

/** Whether no exits count on an order that closes the other side of them first. */
function dispensable(order: Order, checks: Check[], table: Readonly<StateTable>): boolean {
  if (order.cancelRequested || !legsCountOn(order, table)) return true
  const observed = `order ${order.orderId} closes what exits count on being closed`
  const limit = 'the entry and its exits gone first; or cancel-all, or flatten'
  checks.push({ rule: 'opposite_entry', observed, limit, ok: false })
  return false
}

/** What must hold of the original, and of the wish as such. */
function replaceable(order: Order, control: ControlReceived, checks: Check[]): boolean {
  const refuse = (rule: string, observed: string, limit: string): false => {
    checks.push({ rule, observed, limit, ok: false })
    return false
  }
  if (order.cancelRequested) {
    return refuse('order_status', 'its cancellation was asked for', 'an order that is to go on')
  }
  if (order.replacement !== null) {
    const limit = 'an answer to the replacement before'
    return refuse('order_status', `order ${order.replacement} is to replace it`, limit)
  }
  if (order.status === 'intended' || order.status === 'unknown') {
    return refuse('order_status', order.status, 'an order that the broker has: held, accepted')
  }
  if (order.all)
    return refuse('order_rules', `qty ${order.terms.qty}`, 'an order for a number of shares')
  const { terms } = order
  const same = FIELDS.every((field) => {
    const value = control[field]
    if (value === undefined) return true
    if (field === 'timeInForce') return value === terms.timeInForce
    const before = field === 'qty' ? format(order.qty) : terms[field]
    return before !== undefined && parse(before) === parse(value)
  })
  if (same) return refuse('order_change', 'nothing', 'another quantity, price or time in force')
  if (control.qty === undefined) return true
  if (order.parentId !== null || terms.orderClass !== undefined) {
    const limit = 'the quantity that entry and exits share; cancel them and place new ones'
    return refuse('order_rules', `qty ${control.qty}`, limit)
  }
  const traded = add(order.filledQty, order.inherited)
  if (parse(control.qty) > traded) return true
  return refuse(
    'order_change',
    `qty ${control.qty}`,
    `more than the ${format(traded)} that have traded`,
  )
}

function checkExposure(
  order: Order,
  wanted: Wanted,
  state: RiskState,
  table: Readonly<StateTable>,
  checks: Check[],
): void {
  const { symbol, side } = order
  const price = wanted.limitPrice ?? wanted.stopPrice
  const orderPrice = price === undefined ? null : parse(price)
  const last = lastClose(table.market, symbol)
  if (Number.isNaN(last)) {
    const limit = 'one finished bar of the symbol'
    checks.push({ rule: 'last_price', observed: 'no bar yet', limit, ok: false })
    return
  }
  const close = fromNumber(last)
  const left = max(ZERO, sub(sub(parse(wanted.qty), order.filledQty), order.inherited))
  const value = orderPrice ?? close
  const more = max(ZERO, sub(left, remaining(order)))
  const adds = more > 0 || (!order.reducing && mul(left, value) > order.reservedNotional)
  if (order.reducing && more > 0) {
    const free = closable(table, symbol)
    const ok = more <= free
    checks.push({ rule: 'exceeds_position', observed: format(more), limit: format(free), ok })
  }
  const reducing = order.reducing || !adds
  checks.push({
    rule: 'trading_state',
    observed: state.trading,
    limit: order.reducing ? 'ACTIVE or REDUCING' : 'ACTIVE',
    ok: state.trading === 'ACTIVE' || (order.reducing && state.trading === 'REDUCING'),
  })
  if (!reducing) {
    const observed = String(table.orders.unknown)
    checks.push({ rule: 'unknown_outcomes', observed, limit: '0', ok: observed === '0' })
  }
  if (state.limits === null) return
  const position: Decimal = table.portfolio.holdings.get(symbol)?.qty ?? ZERO
  const working = workingQty(table.orders, symbol)
  checkLimits(
    state.limits,
    {
      ...{ symbol, side, qty: left, price: value, orderPrice, lastClose: close },
      ...{ position, working, reducing },
      instead: { qty: order.reservedQty, notional: order.reservedNotional },
    },
    state,
    table,
    checks,
  )
}

/** The order that a control names, where it is open; else what is wrong is noted. */
function openOrder(
  { orderId = 0 }: ControlReceived,
  checks: Check[],
  table: Readonly<StateTable>,
): Order | null {
  const order = table.orders.open.get(orderId)
  if (order !== undefined) return order
  const ended = table.orders.ended.get(orderId)
  const known = ended !== undefined || (orderId > 0 && orderId <= table.orders.lastOrderId)
  checks.push({
    rule: known ? 'order_open' : 'order_known',
    observed: known ? `order ${orderId} is ${ended ?? 'over'}` : `order ${orderId}`,
    limit: known ? 'an open order' : `an order from 1 to ${table.orders.lastOrderId}`,
    ok: false,
  })
  return null
}

function answerOf({ controlId, actor }: ControlReceived): Answer {
  return { signalId: controlId, source: `operator:${actor}`, checks: [] }
}

function denied(answer: Answer): RiskVerdict {
  const failed = answer.checks.find((check) => !check.ok)!
  const { rule, observed, limit } = failed
  const code = rule === 'trading_state' ? observed.toLowerCase() : rule
  return verdict(answer, { verdict: 'denied', code, rule, observed, limit })
}

function verdict(
  { signalId, source, checks }: Answer,
  given: Partial<RiskVerdict> & { code: string },
): RiskVerdict {
  const { verdict: said = 'approved', code, orderIds = [], qty = null, order = null } = given
  const { rule = null, observed = null, limit = null, replaces } = given
  return {
    ...{
      signalId,
      source,
      verdict: said,
      orderIds,
      code,
      rule,
      observed,
      limit,
      qty,
      checks,
      order,
    },
    ...(replaces !== undefined && { replaces }),
  }
}
