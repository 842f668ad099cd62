import { add, type Decimal, fromNumber, mul, toNumber, trunc, ZERO } from '../decimal.ts'
import {
  type Action,
  positionAfter,
  priceAfter,
  scalePrice,
  splitPosition,
} from '../market/actions.ts'
import { CLOSE, TIME } from './book.ts'
import type { Desk } from './desk.ts'
import type { WorkingOrder } from './working-orders.ts'

/** Why an action cannot be applied; null when it can. */
export function actionFault({ symbol, kind, value, newSymbol }: Action): string | null {
  if (kind === 'rename') {
    const named = newSymbol !== undefined && newSymbol !== '' && newSymbol !== symbol
    return named ? null : 'give another newSymbol'
  }
  if (kind === 'delist') return value !== null && value < 0 ? 'give a price of zero or more' : null
  return value !== null && value > 0 ? null : 'give a value above zero'
}

/**
 * What a corporate action does to the account and to the orders of its symbol. Cash and positions change without a
 * report, since whoever sends the action knows of it; what becomes of orders is reported.
 *
 * - split: positions, quantities, prices and trails in proportion (`adjusted`). What was whole stays whole: the fraction
 *   of a position is paid out at the last price as it counts after the split, that of an order is dropped, and an order of which nothing is left is
 *   canceled. No order is canceled otherwise; brokers differ, some cancel all that stand beyond the day.
 * - dividend: cash for long positions, from short ones. Prices of orders stay, as with orders marked "do not reduce".
 * - delist: orders are canceled, positions closed at the given price or the last one.
 * - rename: everything goes on under the new symbol, orders behind those that it has.
 */
export function applyAction(desk: Desk, action: Action): void {
  const { symbol, kind, value, time } = action
  if (kind === 'rename') {
    rename(desk, symbol, action.newSymbol!)
    return
  }
  const { account } = desk
  const book = desk.book(symbol)
  const last = desk.lastPrice(symbol)
  const close = last === null ? ZERO : priceAfter(fromNumber(last), action)
  const { qty, cash } = positionAfter(account.position(symbol), close, action)
  account.hold(symbol, qty)
  account.credit(cash)
  if (last !== null) book.last[CLOSE] = toNumber(close)
  book.quote = null
  if (kind === 'split') splitOrders(desk, symbol, value!, time)
  if (kind !== 'delist') return
  for (const order of ordersOf(desk, symbol)) {
    if (order.done) continue
    desk.finish('canceled', order, time, 'delisted', `${symbol} is traded no more`)
  }
}

function ordersOf(desk: Desk, symbol: string): WorkingOrder[] {
  return [...desk.orders.values()].filter((order) => order.symbol === symbol)
}

function splitOrders(desk: Desk, symbol: string, ratio: Decimal, time: number): void {
  const book = desk.book(symbol)
  for (const order of ordersOf(desk, symbol)) {
    if (order.done) continue
    const sized = order.remaining !== ZERO
    const whole = trunc(order.remaining) === order.remaining
    const scale = (): void => {
      scaleOrder(order, ratio)
      if (whole) order.remaining = trunc(order.remaining)
    }
    if (order.extra?.held) scale()
    else book.change(order, scale)
    if (sized && order.remaining === ZERO) {
      desk.finish('canceled', order, time, 'split', 'the split leaves less than one share of it')
    } else desk.adjusted(order, time, 'split', 'adjusted to a split')
  }
}

function scaleOrder(order: WorkingOrder, ratio: Decimal): void {
  order.remaining = mul(order.remaining, ratio)
  // What was bought of a whole share after the split was paid out: legs must not sell it.
  order.filled = splitPosition(order.filled, ratio).qty
  if (order.price !== ZERO) order.price = scalePrice(order.price, ratio)
  const { extra } = order
  if (extra === null) return
  if (extra.limit !== ZERO) extra.limit = scalePrice(extra.limit, ratio)
  if (extra.stop !== ZERO) extra.stop = scalePrice(extra.stop, ratio)
  if (extra.trail === null) return
  const { amount, percent, best } = extra.trail
  extra.trail = {
    amount: amount === null ? null : scalePrice(amount, ratio),
    percent,
    best: best === null ? null : scalePrice(best, ratio),
  }
}

function rename(desk: Desk, symbol: string, newSymbol: string): void {
  const { account } = desk
  const from = desk.book(symbol)
  const to = desk.book(newSymbol)
  for (const order of ordersOf(desk, symbol)) {
    order.symbol = newSymbol
    if (order.extra?.held) continue
    from.remove(order)
    order.rank = 0
    to.add(order)
  }
  account.hold(newSymbol, add(account.position(newSymbol), account.position(symbol)))
  account.hold(symbol, ZERO)
  if (!(to.last[TIME]! > from.last[TIME]!)) to.last.set(from.last)
}
