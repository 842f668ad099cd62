import { add, type Decimal, div, format, parse, SCALE, ZERO } from '../engine/decimal.ts'
import { clientOrderId, orderIdOf } from '../engine/events/ids.ts'
import { splitPosition } from '../engine/market/actions.ts'
import { formatTime } from '../engine/time.ts'
import {
  isOpen,
  isReport,
  type OrderEvent,
  type OrderStatus,
  legEvent,
  REPORT_TYPES,
  replacementEvent,
  reportedEvent,
  TRANSITIONS,
} from '../engine/trading/transitions.ts'
import type {
  MarketAction,
  OrderAdjusted,
  OrderBody,
  OrderFilled,
  OrderIntended,
} from '../schemas/types.gen.ts'
import { KeyIndex } from './key-index.ts'
import { Listing } from './listing.ts'
import { bookEvent, type Projection } from './projection.ts'

/** An order from its intent to its end. */
export interface OrderRecord {
  /** Position of its intent in the book. */
  entry: number
  symbol: string
  /** As it was asked for, with what the broker adjusted since. */
  intent: OrderIntended
  /** Order that took its place; null: none. */
  replacedBy: number | null
  /** strategy:<name>, operator:<name> or engine; unknown where no verdict named the order. */
  source: string
  status: OrderStatus
  /** All that traded, also after the order's end. */
  filledQty: Decimal
  /** Σ qty × price of the fills, in 1e-18: exact. */
  value: bigint
  cancelRequested: boolean
  /** Why it ended without trading, or why its outcome is unknown. */
  code: string | null
  reason: string | null
  /** Positions of all events that name the order, its intent first; replaced, never written to. */
  life: readonly number[]
  /** Engine time, ms. */
  createdAt: number
  updatedAt: number
}

export interface OrdersState {
  bookId: string
  list: Listing<OrderRecord>
  /** Order number → its place in the list. */
  byId: KeyIndex<number>
  /** How many are working now. */
  open: number
  /** Who the last verdict answered, and the orders that it approved: their intents follow it. */
  approved: { source: string; orderIds: readonly number[] }
}

const NOBODY: OrdersState['approved'] = { source: 'unknown', orderIds: [] }

/** The life of every order, by the engine's own table of transitions; what the table refuses changes nothing. */
export const ordersProjection: Projection<OrdersState> = {
  name: 'orders',
  handles: [
    'book.created',
    'risk.verdict',
    'order.intended',
    'order.cancel_requested',
    'market.action',
    ...REPORT_TYPES,
  ],
  initial: () => ({
    bookId: '',
    list: new Listing(),
    byId: new KeyIndex(),
    open: 0,
    approved: NOBODY,
  }),
  apply(state, recorded) {
    const event = bookEvent(recorded)
    switch (event.type) {
      case 'book.created':
        state.bookId = event.data.bookId
        break
      case 'risk.verdict':
        state.approved = event.data
        break
      case 'order.intended':
        intend(state, event.data, event.position, event.at)
        break
      case 'order.cancel_requested': {
        const order = edit(state, event.data.orderId)
        if (order !== undefined && isOpen(order.status)) {
          order.cancelRequested = true
          order.updatedAt = event.at
        }
        break
      }
      case 'order.cancel_rejected': {
        const order = edit(state, event.data.orderId)
        if (order !== undefined && isOpen(order.status)) {
          order.cancelRequested = false
          order.updatedAt = event.at
        }
        break
      }
      case 'order.adjusted':
        adjust(state, event.data, event.at)
        break
      case 'order.replaced':
      case 'order.replace_rejected':
        settleReplacement(state, event)
        break
      case 'market.action':
        if (state.open > 0) act(state, event.data)
        break
      case 'order.filled':
        fill(state, event.data, event.at)
        break
      case 'order.outcome_unknown': {
        const { orderId, reason } = event.data
        advance(state, orderId, 'outcome_unknown', event.at, { code: 'outcome_unknown', reason })
        break
      }
      default:
        if (isReport(event.type)) {
          const data = event.data as { orderId: number; code?: string; reason?: string }
          const why =
            data.code === undefined ? null : { code: data.code, reason: data.reason ?? '' }
          advance(state, data.orderId, reportedEvent({ type: event.type, data }), event.at, why)
        }
    }
    const { orderId } = event.data as { orderId?: number }
    const order = orderId === undefined ? undefined : edit(state, orderId)
    if (order !== undefined) order.life = [...order.life, event.position]
    return state
  },
  copy: (state) => ({
    ...state,
    list: state.list.copy(),
    byId: state.byId.copy(state.list.size),
  }),
}

/** The order to be changed. */
function edit(state: OrdersState, orderId: number): OrderRecord | undefined {
  const index = state.byId.last(orderId)
  return index === undefined ? undefined : state.list.edit(index)
}

function intend(state: OrdersState, intent: OrderIntended, entry: number, at: number): void {
  const order: OrderRecord = {
    entry,
    symbol: intent.symbol,
    intent,
    replacedBy: null,
    source: state.approved.orderIds.includes(intent.orderId) ? state.approved.source : 'unknown',
    status: 'intended',
    filledQty: ZERO,
    value: 0n,
    cancelRequested: false,
    code: null,
    reason: null,
    life: [],
    createdAt: at,
    updatedAt: at,
  }
  state.byId.add(intent.orderId, state.list.add(order))
  state.open++
}

/** `why` stays with the order until another event that the table allows says otherwise. */
function advance(
  state: OrdersState,
  orderId: number,
  kind: OrderEvent,
  at: number,
  why: { code: string; reason: string } | null,
): void {
  const order = edit(state, orderId)
  const next = order && TRANSITIONS[order.status][kind]
  if (order === undefined || next === undefined) return
  if (isOpen(order.status) && !isOpen(next)) state.open--
  // A fill that crossed a cancellation leaves the order cancelled, and why it was.
  if (next !== order.status || why !== null) {
    order.code = why?.code ?? null
    order.reason = why === null ? null : why.reason || why.code
  }
  order.status = next
  order.updatedAt = at
  const fate = legEvent(kind)
  if (fate === null) return
  for (const leg of order.intent.legs ?? []) {
    // What was heard of at the broker has a life of its own.
    const status = orderNumbered(state, leg)?.status
    if (status === 'intended' || status === 'unknown') advance(state, leg, fate, at, why)
  }
}

/** Quantity and prices as they are now; what cannot be any more changes nothing. */
function adjust(state: OrdersState, data: OrderAdjusted, at: number): void {
  const order = edit(state, data.orderId)
  if (order === undefined || TRANSITIONS[order.status].adjusted === undefined) return
  const { qty, limitPrice, stopPrice } = data
  order.intent = {
    ...order.intent,
    ...(qty !== undefined && { qty }),
    ...(limitPrice !== undefined && { limitPrice }),
    ...(stopPrice !== undefined && { stopPrice }),
  }
  order.updatedAt = at
}

/** The broker's answer to a replacement is about two orders. */
function settleReplacement(
  state: OrdersState,
  event: {
    at: number
    type: 'order.replaced' | 'order.replace_rejected'
    data: { orderId: number; replacedBy: number; code: string; reason: string }
  },
): void {
  const { orderId, replacedBy, code, reason } = event.data
  const kind = event.type === 'order.replaced' ? 'replaced' : 'replace_rejected'
  const order = edit(state, orderId)
  if (order === undefined || TRANSITIONS[order.status][kind] === undefined) return
  const { status } = order
  if (kind === 'replaced') order.replacedBy = replacedBy
  advance(state, orderId, kind, event.at, kind === 'replaced' ? { code, reason } : null)
  const next = orderNumbered(state, replacedBy)
  const fate = replacementEvent(kind, status)
  if (next?.intent.replaces !== orderId || fate === null || !isOpen(next.status)) return
  advance(state, replacedBy, fate, event.at, fate === 'rejected' ? { code, reason } : null)
}

/** Open orders go on under a new name; what they have traded counts in the shares of after a split. */
function act(state: OrdersState, { symbol, kind, value, newSymbol }: MarketAction): void {
  for (let index = 0; index < state.list.size; index++) {
    const known = state.list.at(index)
    if (known.intent.symbol !== symbol || !isOpen(known.status)) continue
    if (kind === 'rename' && newSymbol !== undefined) {
      const order = state.list.edit(index)
      order.intent = { ...order.intent, symbol: newSymbol }
    } else if (kind === 'split' && value !== undefined && known.filledQty !== 0) {
      const order = state.list.edit(index)
      order.filledQty = splitPosition(order.filledQty, parse(value)).qty
    }
  }
}

function fill(state: OrdersState, data: OrderFilled, at: number): void {
  const order = edit(state, data.orderId)
  if (order === undefined) return
  // A trade is a fact even where the table has no place for it: the portfolio has booked it too.
  const qty = parse(data.qty)
  order.filledQty = add(order.filledQty, qty)
  order.value += BigInt(qty) * BigInt(parse(data.price))
  order.updatedAt = at
  advance(state, data.orderId, data.complete ? 'filled' : 'partially_filled', at, null)
}

/** The order of a number. */
export function orderNumbered(
  state: Readonly<OrdersState>,
  orderId: number,
): OrderRecord | undefined {
  const index = state.byId.last(orderId)
  return index === undefined ? undefined : state.list.at(index)
}

/** The order by its number or by the id that the broker knows; undefined when there is none. */
export function findOrder(state: Readonly<OrdersState>, id: string): OrderRecord | undefined {
  const number = /^[1-9]\d{0,14}$/.test(id) ? Number(id) : orderIdOf(state.bookId, id)
  return number === null ? undefined : orderNumbered(state, number)
}

export function orderBody(state: Readonly<OrdersState>, order: OrderRecord): OrderBody {
  const { intent, filledQty } = order
  const sized = intent.qty !== 'all' && intent.qty !== 'notional'
  const known = !sized && order.status === 'filled' ? format(filledQty) : intent.qty
  return {
    id: intent.orderId,
    clientOrderId: clientOrderId(state.bookId, intent.orderId),
    symbol: intent.symbol,
    side: intent.side,
    type: intent.type,
    qty: known,
    filledQty: format(filledQty),
    avgPrice: filledQty === 0 ? null : format(div(order.value, BigInt(filledQty) * BigInt(SCALE))),
    status: order.status,
    code: order.code,
    reason: order.reason,
    limitPrice: intent.limitPrice ?? null,
    stopPrice: intent.stopPrice ?? null,
    timeInForce: intent.timeInForce,
    expiresAt: intent.expiresAt ?? null,
    cancelRequested: order.cancelRequested,
    signalId: intent.signalId,
    createdAt: formatTime(order.createdAt),
    updatedAt: formatTime(order.updatedAt),
    entry: order.entry,
    ...special(order),
  }
}

/** What only some orders have. */
function special({ intent, replacedBy }: OrderRecord): Partial<OrderBody> {
  const { trailAmount, trailPercent, notional, orderClass, legs, parentId, role, replaces } = intent
  return {
    ...(trailAmount !== undefined && { trailAmount }),
    ...(trailPercent !== undefined && { trailPercent }),
    ...(notional !== undefined && { notional }),
    ...(orderClass !== undefined && { orderClass }),
    ...(legs !== undefined && { legs }),
    ...(parentId !== undefined && { parentId }),
    ...(role !== undefined && { role }),
    ...(replaces !== undefined && { replaces }),
    ...(replacedBy !== null && { replacedBy }),
  }
}
