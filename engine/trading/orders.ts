import type {
  MarketAction,
  OrderAdjusted,
  OrderFilled,
  OrderIntended,
} from '../../schemas/types.gen.ts'
import type { ChainEvent, Emit, EventOf, Processor } from '../chain/processor.ts'
import type { StateTable } from '../chain/state-table.ts'
import { ZERO, add, div, fromNumber, min, parse, sub } from '../decimal.ts'
import { splitPosition } from '../market/actions.ts'
import { lastClose } from '../market/market.ts'
import { emitIntents } from './intents.ts'
import {
  affordable,
  close,
  initialOrders,
  isReducing,
  type Order,
  type OrdersState,
  remaining,
  reserve,
} from './order-state.ts'
import {
  isOpen,
  legEvent,
  type OrderEvent,
  type OrderStatus,
  refusal,
  REPORT_TYPES,
  replacementEvent,
  reportedEvent,
  type ReportType,
  TRANSITIONS,
} from './transitions.ts'

/**
 * Keeps the life of every order by the table of transitions, and turns approvals into intents. What a corporate action
 * makes of an open order's quantity and prices is for the broker to say (order.adjusted, order.canceled), so that it
 * cannot count twice; what it has traded before, and the name of its symbol, follow the action itself.
 */
export const ordersProcessor: Processor<OrdersState> = {
  name: 'orders',
  handles: [
    'risk.verdict',
    'order.intended',
    'order.cancel_requested',
    'order.replace_requested',
    'market.action',
    ...REPORT_TYPES,
  ],
  initial: initialOrders,
  handle(state, event, emit, table) {
    switch (event.type) {
      case 'risk.verdict':
        emitIntents(event.data, event.at, emit, table)
        break
      case 'order.intended':
        intend(state, event.data, table)
        break
      case 'order.cancel_requested':
      case 'order.replace_requested':
        request(state, event, emit)
        break
      case 'market.action':
        if (event.data.kind === 'rename') rename(state, event.data.symbol, event.data.newSymbol)
        else if (event.data.kind === 'split') splitFilled(state, event.data)
        break
      default:
        report(state, event as ReportEvent, emit)
    }
    return state
  },
}

function intend(state: OrdersState, data: OrderIntended, table: Readonly<StateTable>): void {
  const price = data.limitPrice ?? data.stopPrice
  const last = lastClose(table.market, data.symbol)
  const value = price !== undefined ? parse(price) : Number.isNaN(last) ? ZERO : fromNumber(last)
  const sized = data.qty !== 'all' && data.qty !== 'notional'
  const notional = data.qty === 'notional' ? parse(data.notional ?? '0') : ZERO
  const qty = sized
    ? parse(data.qty)
    : data.qty === 'all'
      ? affordable(table, data.symbol)
      : value > 0
        ? div(notional, value)
        : ZERO
  const original = data.replaces === undefined ? undefined : state.open.get(data.replaces)
  const parentId = original?.parentId ?? data.parentId ?? null
  const reducing =
    parentId !== null ||
    (original === undefined ? isReducing(table, data.symbol, data.side, qty) : original.reducing)
  const order: Order = {
    orderId: data.orderId,
    symbol: data.symbol,
    side: data.side,
    status: 'intended',
    qty,
    filledQty: ZERO,
    inherited: original === undefined ? ZERO : add(original.inherited, original.filledQty),
    reservePrice: reducing ? ZERO : value,
    reservedQty: ZERO,
    reservedNotional: ZERO,
    reducing,
    all: !sized,
    cancelRequested: false,
    cancelRefused: false,
    parentId,
    replacement: null,
    replaces: original === undefined ? null : original.orderId,
    terms: data,
  }
  if (parentId !== null) state.legs++
  state.open.set(order.orderId, order)
  state.lastOrderId = Math.max(state.lastOrderId, order.orderId)
  reserve(state, order)
}

function request(
  state: OrdersState,
  event: EventOf<'order.cancel_requested'> | EventOf<'order.replace_requested'>,
  emit: Emit,
): void {
  const { orderId } = event.data
  const order = state.open.get(orderId)
  const kind = event.type === 'order.cancel_requested' ? 'cancel_requested' : 'replace_requested'
  if (order === undefined) {
    const status = state.ended.get(orderId)
    const code = status === undefined ? 'unknown_order' : refusal(status, kind)!
    emit('order.anomaly', { orderId, status: status ?? 'unknown_order', event: event.type, code })
  } else if (event.type === 'order.cancel_requested') order.cancelRequested = true
  else order.replacement = event.data.replacedBy
}

type ReportEvent = Extract<ChainEvent, { type: ReportType }>

/** Lets a report move the order it names, and then those that stand or fall with it. */
function report(state: OrdersState, event: ReportEvent, emit: Emit): void {
  const kind = reportedEvent(event)
  state.fellShort = null
  const { orderId } = event.data
  const order = state.open.get(orderId)
  const status = order?.status ?? state.ended.get(orderId)
  if (status === undefined) {
    emit('order.anomaly', {
      orderId,
      status: 'unknown_order',
      event: event.type,
      code: 'unknown_order',
    })
    return
  }
  const code = refusal(status, kind)
  if (code !== null) {
    emit('order.anomaly', { orderId, status, event: event.type, code })
    return
  }
  if (event.type === 'order.filled') book(state, event, order, status, emit)
  if (order === undefined) state.ended.set(orderId, TRANSITIONS[status][kind]!)
  else {
    if (event.type === 'order.adjusted') adjust(order, event.data)
    if (event.type === 'order.cancel_rejected') {
      order.cancelRequested = false
      order.cancelRefused = true
    }
    if (event.type === 'order.replaced') state.replacedBy.set(orderId, event.data.replacedBy)
    move(state, order, kind)
    if (!isOpen(order.status) && kind !== 'replaced' && remaining(order) > 0) {
      state.fellShort = order
    }
  }
  if (event.type === 'order.replaced' || event.type === 'order.replace_rejected') {
    settleReplacement(state, orderId, event.data.replacedBy, kind, status)
  }
  const fate = legEvent(kind)
  if (fate === null || state.legs === 0) return
  for (const leg of state.open.values()) {
    const unheard = leg.status === 'intended' || leg.status === 'unknown'
    if (leg.parentId === orderId && unheard) move(state, leg, fate)
  }
}

/** Takes a fill in. It is a fact whatever the order says: what does not fit is noted, and the portfolio has it. */
function book(
  state: OrdersState,
  event: { type: 'order.filled'; data: OrderFilled },
  order: Order | undefined,
  status: OrderStatus,
  emit: Emit,
): void {
  const { orderId, symbol, side } = event.data
  const qty = parse(event.data.qty)
  state.filledLegOf = order?.parentId ?? null
  let next = order?.replacement ?? state.replacedBy.get(orderId) ?? null
  while (next !== null) {
    const heir = state.open.get(next)
    if (heir === undefined) {
      next = state.replacedBy.get(next) ?? null
      continue
    }
    heir.inherited = add(heir.inherited, qty)
    if (order === undefined) reserve(state, heir)
    next = heir.replacement
  }
  if (order === undefined) {
    emit('order.anomaly', { orderId, status, event: event.type, code: 'fill_after_end' })
    return
  }
  order.filledQty = add(order.filledQty, qty)
  const foreign = symbol !== order.symbol || side !== order.side
  if (foreign || (!order.all && add(order.filledQty, order.inherited) > order.qty)) {
    const code = foreign ? 'fill_mismatch' : 'overfill'
    emit('order.anomaly', { orderId, status, event: event.type, code })
  }
}

function adjust(order: Order, data: OrderAdjusted): void {
  const { qty, limitPrice, stopPrice } = data
  if (qty !== undefined) order.qty = parse(qty)
  order.terms = {
    ...order.terms,
    ...(qty !== undefined && { qty }),
    ...(limitPrice !== undefined && { limitPrice }),
    ...(stopPrice !== undefined && { stopPrice }),
  }
  const price = limitPrice ?? stopPrice
  if (price !== undefined && order.reservePrice !== 0) order.reservePrice = parse(price)
}

/** One step of an order by the table; the step must be in it. */
function move(state: OrdersState, order: Order, kind: OrderEvent): void {
  const next = TRANSITIONS[order.status][kind]!
  if (order.status === 'unknown') state.unknown--
  if (next === 'unknown') state.unknown++
  order.status = next
  if (!isOpen(next)) close(state, order)
  reserve(state, order)
}

/**
 * What the broker said of the original, also of one that has ended, decides on the replacement too. `status`: that of
 * the original before.
 */
function settleReplacement(
  state: OrdersState,
  orderId: number,
  replacedBy: number,
  kind: OrderEvent,
  status: OrderStatus,
): void {
  const order = state.open.get(orderId)
  if (order?.replacement === replacedBy) order.replacement = null
  const next = state.open.get(replacedBy)
  const fate = replacementEvent(kind, status)
  if (next === undefined || next.replaces !== orderId || fate === null) return
  next.replaces = null
  // A broker that does not acknowledge the replacement by itself has done so with this.
  if (refusal(next.status, fate) === null) move(state, next, fate)
  else reserve(state, next)
  if (kind !== 'replaced') return
  // An entry that ended meanwhile may have left less to guard than was asked for.
  if (next.parentId !== null && order !== undefined) next.qty = min(next.qty, order.qty)
  for (const leg of state.open.values()) {
    if (leg.parentId === orderId) leg.parentId = next.orderId
  }
}

/**
 * What has traded counts in new shares, whole ones where it was whole, since the fraction of the position was paid out;
 * so does the broker's quantity, which comes with order.adjusted.
 */
function splitFilled(state: OrdersState, { symbol, value }: MarketAction): void {
  if (value === undefined) return
  const ratio = parse(value)
  for (const order of state.open.values()) {
    if (order.symbol !== symbol || (order.filledQty === 0 && order.inherited === 0)) continue
    const traded = splitPosition(add(order.filledQty, order.inherited), ratio).qty
    order.filledQty = splitPosition(order.filledQty, ratio).qty
    order.inherited = sub(traded, order.filledQty)
    reserve(state, order)
  }
}

function rename(state: OrdersState, symbol: string, newSymbol: string | undefined): void {
  if (newSymbol === undefined) return
  for (const order of state.open.values()) {
    if (order.symbol !== symbol) continue
    order.symbol = newSymbol
    order.terms = { ...order.terms, symbol: newSymbol }
  }
  const working = state.working.get(symbol)
  if (working === undefined) return
  state.working.delete(symbol)
  const there = state.working.get(newSymbol)
  state.working.set(newSymbol, {
    buyQty: add(working.buyQty, there?.buyQty ?? ZERO),
    sellQty: add(working.sellQty, there?.sellQty ?? ZERO),
  })
}
