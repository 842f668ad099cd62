import type { OrderIntended } from '../../schemas/types.gen.ts'
import type { StateTable } from '../chain/state-table.ts'
import {
  abs,
  add,
  type Decimal,
  floorDiv,
  fromNumber,
  max,
  min,
  mul,
  neg,
  parse,
  sub,
  ZERO,
} from '../decimal.ts'
import { lastClose } from '../market/market.ts'
import { isOpen, type OrderStatus } from './transitions.ts'

export interface Order {
  orderId: number
  symbol: string
  side: 'buy' | 'sell'
  status: OrderStatus
  /** Shares wanted; for "all" and "notional" what they would have bought at the last close, until it is filled. */
  qty: Decimal
  filledQty: Decimal
  /** What the orders that this one replaced have traded: part of its quantity. */
  inherited: Decimal
  /** Price that reservations are made at; zero when it can only reduce, which reserves nothing. */
  reservePrice: Decimal
  /** What it takes up of `working` and `workingNotional`. */
  reservedQty: Decimal
  reservedNotional: Decimal
  /** Placed to bring the position nearer to zero. */
  reducing: boolean
  /** Asked for as "all" or by value: its quantity is known when it is filled. */
  all: boolean
  cancelRequested: boolean
  /** The broker refused the last request to cancel it. */
  cancelRefused: boolean
  /** Entry whose leg it is; null: none. */
  parentId: number | null
  /** Order that was asked for in its place, and not answered yet; null: none. */
  replacement: number | null
  /** Order whose place it takes once the broker says so; null: none, or it has. */
  replaces: number | null
  /** As it was asked for, with what was adjusted since. */
  terms: OrderIntended
}

export interface Working {
  buyQty: Decimal
  sellQty: Decimal
}

export interface OrdersState {
  open: Map<number, Order>
  /** The most recently ended orders, so that a late report can be told from an impossible one. */
  ended: Map<number, OrderStatus>
  /** Of those, the replaced ones and what replaced them. */
  replacedBy: Map<number, number>
  lastOrderId: number
  /** By symbol, what would be bought and sold; legs are not part of it: they only ever undo their entry. */
  working: Map<string, Working>
  /** Value of all working orders at their reserve prices. */
  workingNotional: Decimal
  /** Orders whose outcome nobody knows. */
  unknown: number
  /** Open orders that are legs. */
  legs: number
  /** Entry of the leg that the last fill was of; null: it was no leg's. */
  filledLegOf: number | null
  /** Order that the last report ended before it had wholly traded; null: none. */
  fellShort: Order | null
}

const REMEMBERED = 1024

export function initialOrders(): OrdersState {
  return {
    open: new Map(),
    ended: new Map(),
    replacedBy: new Map(),
    lastOrderId: 0,
    working: new Map(),
    workingNotional: ZERO,
    unknown: 0,
    legs: 0,
    filledLegOf: null,
    fellShort: null,
  }
}

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

/** Whether any leg of the symbol stands, held or working. */
export function hasLegs(state: Readonly<OrdersState>, symbol: string): boolean {
  if (state.legs === 0) return false
  for (const order of state.open.values()) {
    if (order.parentId !== null && order.symbol === symbol) return true
  }
  return false
}

/**
 * Shares of a position that its legs will sell, or buy back: of the legs of one entry only one trades, so the largest
 * counts, and legs whose entry has not wholly filled count for what it has brought in.
 */
export function guardedQty(table: Readonly<StateTable>, symbol: string): Decimal {
  const { orders } = table
  const held = table.portfolio.holdings.get(symbol)?.qty ?? ZERO
  if (orders.legs === 0 || held === 0) return ZERO
  const closes = held > 0 ? 'sell' : 'buy'
  const groups = new Map<number, Decimal>()
  for (const order of orders.open.values()) {
    if (order.parentId === null || order.symbol !== symbol || order.side !== closes) continue
    const entry = orders.open.get(order.parentId)
    const left = remaining(order)
    const guarded = entry === undefined ? left : min(left, add(entry.filledQty, entry.inherited))
    groups.set(order.parentId, max(groups.get(order.parentId) ?? ZERO, guarded))
  }
  let sum: Decimal = ZERO
  for (const qty of groups.values()) sum = add(sum, qty)
  return min(abs(held), sum)
}

/** Shares that a market order which closes a position will surely trade: what its replacement, if one is asked for, leaves. */
export function closingShares(order: Readonly<Order>, orders: Readonly<OrdersState>): Decimal {
  const counts = order.reducing && order.terms.type === 'market' && order.parentId === null
  // Of one by value nobody knows how many shares it will be; a replacement counts in the place of its original.
  if (!counts || order.all || order.cancelRequested || order.replaces !== null) return ZERO
  const next = order.replacement === null ? undefined : orders.open.get(order.replacement)
  return next === undefined ? remaining(order) : min(remaining(order), remaining(next))
}

/**
 * Whether legs of an entry on the other side of a position count on this order, which closes that position first: were
 * it not to trade any more, they would sell, or buy back, more than there will be. An entry counts until the broker has
 * said that it is gone: it may trade while its cancellation is under way.
 */
export function legsCountOn(order: Readonly<Order>, table: Readonly<StateTable>): boolean {
  const { orders } = table
  const closes = order.reducing && order.terms.type === 'market' && order.parentId === null
  if (orders.legs === 0 || !closes) return false
  const held = table.portfolio.holdings.get(order.symbol)?.qty ?? ZERO
  let there = order.side === 'buy' ? held : neg(held)
  const groups = new Map<number, Decimal>()
  for (const other of orders.open.values()) {
    if (other.symbol !== order.symbol || other.orderId === order.orderId) continue
    if (other.parentId === null) {
      if (other.side !== order.side) continue
      const enters = other.terms.orderClass !== undefined && other.replaces === null
      there = add(there, enters ? remaining(other) : closingShares(other, orders))
    } else if (other.side !== order.side && !other.cancelRequested) {
      groups.set(other.parentId, max(groups.get(other.parentId) ?? ZERO, remaining(other)))
    }
  }
  let guarded: Decimal = ZERO
  for (const qty of groups.values()) guarded = add(guarded, qty)
  return guarded > there && guarded > 0
}

/** Shares of a position that working orders of the opposite side, legs apart, will close. */
function closingQty(table: Readonly<StateTable>, symbol: string, held: Decimal): Decimal {
  const working = table.orders.working.get(symbol)
  if (held === 0 || working === undefined) return ZERO
  return min(abs(held), held > 0 ? working.sellQty : working.buyQty)
}

/** Shares of a position that nothing will close yet, neither a working order nor a leg; zero when flat. */
export function closable(table: Readonly<StateTable>, symbol: string): Decimal {
  const held = table.portfolio.holdings.get(symbol)?.qty ?? ZERO
  if (held === 0) return ZERO
  const free = sub(abs(held), closingQty(table, symbol, held))
  return table.orders.legs === 0 ? free : max(ZERO, sub(free, guardedQty(table, symbol)))
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
  const closing = closingQty(table, symbol, held)
  const proceeds = mul(held < 0 ? neg(closing) : closing, price)
  return max(ZERO, floorDiv(add(table.portfolio.cash, proceeds), perShare))
}

/** Shares of an order still to be traded. */
export function remaining(order: Readonly<Order>): Decimal {
  const left = sub(order.qty, order.filledQty)
  return max(ZERO, order.inherited === 0 ? left : sub(left, order.inherited))
}

/**
 * Makes an order's reservation what it must be now. A leg reserves nothing. A replacement and its original stand for
 * each other until the broker has answered: together they take up what the larger of them does.
 */
export function reserve(state: OrdersState, order: Order): void {
  let qty: Decimal = ZERO
  let notional: Decimal = ZERO
  if (order.parentId === null && isOpen(order.status)) {
    qty = remaining(order)
    notional = order.reservePrice === 0 ? ZERO : mul(qty, order.reservePrice)
    const original = order.replaces === null ? undefined : state.open.get(order.replaces)
    if (original !== undefined) {
      qty = max(ZERO, sub(qty, original.reservedQty))
      notional = max(ZERO, sub(notional, original.reservedNotional))
    }
  }
  if (qty !== order.reservedQty) {
    let working = state.working.get(order.symbol)
    if (working === undefined) {
      working = { buyQty: ZERO, sellQty: ZERO }
      state.working.set(order.symbol, working)
    }
    const change = sub(qty, order.reservedQty)
    if (order.side === 'buy') working.buyQty = add(working.buyQty, change)
    else working.sellQty = add(working.sellQty, change)
    order.reservedQty = qty
  }
  if (notional !== order.reservedNotional) {
    state.workingNotional = add(state.workingNotional, sub(notional, order.reservedNotional))
    order.reservedNotional = notional
  }
  if (order.replacement === null) return
  const next = state.open.get(order.replacement)
  if (next !== undefined) reserve(state, next)
}

/** Takes an order that has ended out of the open ones, and remembers how it ended. */
export function close(state: OrdersState, order: Order): void {
  state.open.delete(order.orderId)
  if (order.parentId !== null) state.legs--
  state.ended.set(order.orderId, order.status)
  if (state.ended.size > REMEMBERED) {
    const oldest = state.ended.keys().next().value!
    state.ended.delete(oldest)
    if (state.replacedBy.size > 0) state.replacedBy.delete(oldest)
  }
}
