import type { OrderIntended } from '../../schemas/types.gen.ts'
import type { ChainEvent, Emit, Processor } from '../chain/processor.ts'
import type { StateTable } from '../chain/state-table.ts'
import {
  ZERO,
  abs,
  add,
  type Decimal,
  floorDiv,
  fromNumber,
  max,
  mul,
  neg,
  parse,
  sub,
} from '../decimal.ts'
import { TIMEFRAME_MS, type Timeframe } from '../market/bar.ts'
import { lastClose } from '../market/market.ts'
import { formatTime } from '../time.ts'
import {
  isOpen,
  type OrderStatus,
  reportedEvent,
  type ReportType,
  TRANSITIONS,
} from './transitions.ts'

export interface Order {
  orderId: number
  symbol: string
  side: 'buy' | 'sell'
  status: OrderStatus
  /** Shares wanted; for "all" what the cash would have bought at the last close, until it is filled. */
  qty: Decimal
  filledQty: Decimal
  /** Price that reservations are made at; zero when it can only reduce, which reserves nothing. */
  reservePrice: Decimal
  /** Placed to bring the position nearer to zero. */
  reducing: boolean
  /** Asked for as "all": its quantity is known when it is filled. */
  all: boolean
  cancelRequested: boolean
}

export interface Working {
  buyQty: Decimal
  sellQty: Decimal
}

export interface OrdersState {
  open: Map<number, Order>
  /** The most recently ended orders, so that a late report can be told from an impossible one. */
  ended: Map<number, OrderStatus>
  lastOrderId: number
  working: Map<string, Working>
  /** Value of all working orders at their reserve prices. */
  workingNotional: Decimal
  /** Orders whose outcome nobody knows. */
  unknown: number
}

const REMEMBERED = 1024
/** An intent not sent within so many bars (historical feed) or ms (realtime) is not sent at all. */
const SEND_WITHIN_BARS = 10
const SEND_WITHIN_MS = 30_000

/** Signed shares that working orders of a symbol would add. */
export function workingQty(state: Readonly<OrdersState>, symbol: string): Decimal {
  const working = state.working.get(symbol)
  return working === undefined ? ZERO : sub(working.buyQty, working.sellQty)
}

/** Whether an order that opens a position of the symbol works, and nobody has asked to cancel it. */
export function hasEntry(state: Readonly<OrdersState>, symbol: string): boolean {
  const working = state.working.get(symbol)
  if (working === undefined || (working.buyQty === 0 && working.sellQty === 0)) return false
  for (const order of state.open.values()) {
    if (order.symbol === symbol && !order.reducing && !order.cancelRequested) return true
  }
  return false
}

/** Shares of a position that no working order of the opposite side will close yet; zero when flat. */
export function closable(table: Readonly<StateTable>, symbol: string): Decimal {
  const held = table.portfolio.holdings.get(symbol)?.qty ?? ZERO
  const working = table.orders.working.get(symbol)
  if (held === 0) return ZERO
  const closing = working === undefined ? ZERO : held > 0 ? working.sellQty : working.buyQty
  return max(ZERO, sub(abs(held), closing))
}

/** Whether an order of so many shares can only bring the position nearer to zero. */
export function isReducing(
  table: Readonly<StateTable>,
  symbol: string,
  side: 'buy' | 'sell',
  qty: Decimal,
): boolean {
  const held = table.portfolio.holdings.get(symbol)?.qty ?? ZERO
  return (side === 'buy' ? held < 0 : held > 0) && qty <= closable(table, symbol)
}

/** Keeps the life of every order by the table of transitions, and turns approvals into intents. */
export const ordersProcessor: Processor<OrdersState> = {
  name: 'orders',
  handles: [
    'risk.verdict',
    'order.intended',
    'order.cancel_requested',
    'order.accepted',
    'order.rejected',
    'order.filled',
    'order.canceled',
    'order.expired',
    'order.withheld',
    'order.outcome_unknown',
  ],
  initial: () => ({
    open: new Map(),
    ended: new Map(),
    lastOrderId: 0,
    working: new Map(),
    workingNotional: ZERO,
    unknown: 0,
  }),
  handle(state, event, emit, table) {
    switch (event.type) {
      case 'risk.verdict': {
        const { verdict, order, orderIds, qty, signalId } = event.data
        if (verdict !== 'approved' || order === null) break
        emit('order.intended', {
          orderId: orderIds[0]!,
          signalId,
          ...order,
          qty: qty!,
          notAfter: formatTime(notAfter(event.at, table)),
        })
        break
      }
      case 'order.intended':
        intend(state, event.data, table)
        break
      case 'order.cancel_requested': {
        const order = state.open.get(event.data.orderId)
        if (order !== undefined) order.cancelRequested = true
        break
      }
      default:
        advance(state, event as ReportEvent, emit)
    }
    return state
  },
}

function notAfter(at: number, table: Readonly<StateTable>): number {
  const settings = table.settings.settings
  if (settings === null || settings.feed === 'realtime') return at + SEND_WITHIN_MS
  return at + SEND_WITHIN_BARS * TIMEFRAME_MS[settings.timeframe as Timeframe]
}

/**
 * Whole shares that "all" would buy at the last close, fees included, once the working orders that close
 * the symbol's position have filled; zero without a close.
 */
export function affordable(table: Readonly<StateTable>, symbol: string): Decimal {
  const close = lastClose(table.market, symbol)
  if (Number.isNaN(close)) return ZERO
  const exchange = table.settings.settings?.exchange
  const price = fromNumber(close)
  if (price <= 0) return ZERO
  const perShare = add(
    add(price, mul(price, parse(exchange?.commission ?? '0'))),
    parse(exchange?.feePerShare ?? '0'),
  )
  const held = table.portfolio.holdings.get(symbol)?.qty ?? ZERO
  const closing = sub(abs(held), closable(table, symbol))
  const proceeds = mul(held < 0 ? neg(closing) : closing, price)
  return max(ZERO, floorDiv(add(table.portfolio.cash, proceeds), perShare))
}

function intend(state: OrdersState, data: OrderIntended, table: Readonly<StateTable>): void {
  const price = data.limitPrice ?? data.stopPrice
  const close = lastClose(table.market, data.symbol)
  const qty = data.qty === 'all' ? affordable(table, data.symbol) : parse(data.qty)
  const value = price !== undefined ? parse(price) : Number.isNaN(close) ? ZERO : fromNumber(close)
  const reducing = isReducing(table, data.symbol, data.side, qty)
  const order: Order = {
    orderId: data.orderId,
    symbol: data.symbol,
    side: data.side,
    status: 'intended',
    qty,
    filledQty: ZERO,
    reservePrice: reducing ? ZERO : value,
    reducing,
    all: data.qty === 'all',
    cancelRequested: false,
  }
  state.open.set(order.orderId, order)
  state.lastOrderId = Math.max(state.lastOrderId, order.orderId)
  reserve(state, order, sub(order.qty, order.filledQty))
}

/** Adds shares to what works in a symbol; negative to release them. */
function reserve(state: OrdersState, order: Order, qty: Decimal): void {
  let working = state.working.get(order.symbol)
  if (working === undefined) {
    working = { buyQty: ZERO, sellQty: ZERO }
    state.working.set(order.symbol, working)
  }
  if (order.side === 'buy') working.buyQty = add(working.buyQty, qty)
  else working.sellQty = add(working.sellQty, qty)
  state.workingNotional = add(state.workingNotional, mul(qty, order.reservePrice))
}

function remaining(order: Order): Decimal {
  return max(ZERO, sub(order.qty, order.filledQty))
}

type ReportEvent = Extract<ChainEvent, { type: ReportType }>

function advance(state: OrdersState, event: ReportEvent, emit: Emit): void {
  const kind = reportedEvent(event)
  const { orderId } = event.data
  const order = state.open.get(orderId)
  const status = order?.status ?? state.ended.get(orderId)
  const next = status === undefined ? undefined : TRANSITIONS[status][kind]
  if (status === undefined || next === undefined) {
    emit('order.anomaly', {
      orderId,
      status: status ?? 'unknown_order',
      event: event.type,
      code: status === undefined ? 'unknown_order' : 'not_in_table',
    })
    return
  }
  if (order === undefined) {
    // Ended before: only a late fill gets here. The portfolio has booked it.
    state.ended.set(orderId, next)
    emit('order.anomaly', { orderId, status, event: event.type, code: 'fill_after_end' })
    return
  }
  reserve(state, order, neg(remaining(order)))
  if (event.type === 'order.filled') {
    order.filledQty = add(order.filledQty, parse(event.data.qty))
    // The portfolio books what was traded, whatever was asked for; somebody should look.
    const foreign = event.data.symbol !== order.symbol || event.data.side !== order.side
    const code = foreign ? 'fill_mismatch' : 'overfill'
    if (foreign || (!order.all && order.filledQty > order.qty)) {
      emit('order.anomaly', { orderId, status, event: event.type, code })
    }
  }
  if (status === 'unknown') state.unknown--
  if (next === 'unknown') state.unknown++
  order.status = next
  if (isOpen(next)) reserve(state, order, remaining(order))
  else {
    state.open.delete(orderId)
    state.ended.set(orderId, next)
    if (state.ended.size > REMEMBERED) state.ended.delete(state.ended.keys().next().value!)
  }
}
