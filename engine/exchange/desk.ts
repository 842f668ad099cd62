import { add, type Decimal, format, fromNumber, mul, sub, ZERO } from '../decimal.ts'
import type { BrokerOrder, BrokerReport, ReportKind } from '../ports/broker.ts'
import { dayNumber } from '../time.ts'
import { Account } from './account.ts'
import { Book, CLOSE } from './book.ts'
import { afterEnd, afterFill } from './classes.ts'
import type { Fees } from './fees.ts'
import { KnownIds } from './known-ids.ts'
import type { Refusal } from './read-order.ts'
import { ratchet } from './trailing.ts'
import { type OrderGroup, type WorkingOrder, wholeQty } from './working-orders.ts'

/** An order that is over, as long as a late replacement may still ask for it. */
export type EndedOrder = [clientOrderId: string, orderId: number, symbol: string]

/** So many are kept. */
const ENDED = 1024

type Named = Pick<BrokerOrder, 'clientOrderId' | 'orderId' | 'symbol'>

/** The exchange's desk: which orders there are, what becomes of them, the account, and the one voice that reports. */
export class Desk {
  /** Orders that work or are held, by client order id, in order of submission. */
  readonly orders = new Map<string, WorkingOrder>()
  /** Client order ids of orders that are over: an id is never taken twice. */
  readonly over = new KnownIds()
  /** The newest orders that are over, oldest first from `endedAt` on. */
  ended: (WorkingOrder | EndedOrder)[] = []
  endedAt = 0
  readonly books = new Map<string, Book>()
  readonly account: Account
  sequence = 0
  readonly #fees: Fees
  readonly #report: (report: BrokerReport) => void

  constructor(cash: Decimal, fees: Fees, report: (report: BrokerReport) => void) {
    this.account = new Account(cash)
    this.#fees = fees
    this.#report = report
  }

  /** True for every client order id that was submitted, whatever became of it. */
  knows(clientOrderId: string): boolean {
    return this.orders.has(clientOrderId) || this.over.has(clientOrderId)
  }

  book(symbol: string): Book {
    let book = this.books.get(symbol)
    if (book === undefined) {
      book = new Book(symbol)
      this.books.set(symbol, book)
    }
    return book
  }

  /** Takes an order in and says so; a leg that is held goes into no queue yet. */
  accept(order: WorkingOrder, at: number): void {
    this.orders.set(order.clientOrderId, order)
    if (order.extra?.held === true) {
      this.emit('held', order, at)
      return
    }
    this.#enqueue(order)
    this.emit('accepted', order, at)
  }

  /** Lets a held leg work. */
  activate(order: WorkingOrder, at: number): void {
    order.extra!.held = false
    this.#enqueue(order)
    this.emit('accepted', order, at)
  }

  /** A trailing stop starts from the last price there is, else from its first. */
  #enqueue(order: WorkingOrder): void {
    const book = this.book(order.symbol)
    book.add(order)
    const trail = order.extra === null ? null : order.extra.trail
    if (trail === null || trail.best !== null) return
    const last = this.lastPrice(order.symbol)
    if (last !== null) ratchet(order, trail, fromNumber(last))
  }

  /** Books one fill, reports it, and does what follows for the order's class. */
  trade(order: WorkingOrder, qty: Decimal, price: Decimal, time: number): void {
    const value = mul(qty, price)
    const fee = this.#fees.of(qty, value, order.buys, dayNumber(time))
    this.account.apply(order.symbol, order.buys, qty, value, fee)
    order.remaining = sub(order.remaining, qty)
    order.filled = add(order.filled, qty)
    const complete = order.remaining === ZERO
    if (complete) this.#close(order)
    this.#report({
      sequence: ++this.sequence,
      kind: 'filled',
      clientOrderId: order.clientOrderId,
      orderId: order.orderId,
      symbol: order.symbol,
      occurredAt: time,
      side: order.buys ? 'buy' : 'sell',
      qty: format(qty),
      price: format(price),
      fee: format(fee),
      complete,
    })
    if (order.extra !== null && order.extra.group !== null) {
      if (complete && order.extra.group.entry === order) startTrails(order.extra.group, price)
      afterFill(this, order, order.extra.group, time)
    }
  }

  /** Ends an order without a trade, reports it, and does what follows for its class. */
  finish(kind: ReportKind, order: WorkingOrder, at: number, code: string, reason: string): void {
    this.#close(order)
    this.emit(kind, order, at, code, reason)
    if (order.extra !== null && order.extra.group !== null) {
      afterEnd(this, order, order.extra.group, kind, at)
    }
  }

  /** Takes an order out because another stands in its place; its class goes on with that one. */
  retire(order: WorkingOrder, replacedBy: number, at: number): void {
    this.#close(order)
    this.emit('replaced', order, at, 'replaced', 'replaced on request', { replacedBy })
  }

  /** Says that quantity or prices of an order are others from now on. */
  adjusted(order: WorkingOrder, at: number, code: string, reason: string): void {
    const { type, price, extra } = order
    const more: Partial<BrokerReport> = {}
    if (order.remaining !== ZERO) more.qty = format(wholeQty(order))
    if (type === 'limit') more.limitPrice = format(price)
    if (type === 'stop_limit') more.limitPrice = format(extra!.limit)
    if (type === 'stop' || type === 'stop_limit' || type === 'trailing_stop') {
      more.stopPrice = format(price)
    }
    this.emit('adjusted', order, at, code, reason, more)
  }

  /** Refuses an order, and its legs with it. */
  reject(order: BrokerOrder, at: number, { code, reason }: Refusal): void {
    this.over.add(order.clientOrderId)
    this.emit('rejected', order, at, code, reason)
    for (const leg of order.legs ?? []) {
      if (this.knows(leg.clientOrderId)) continue
      this.over.add(leg.clientOrderId)
      this.emit('rejected', leg, at, 'entry_rejected', `its order was rejected: ${reason}`)
    }
  }

  /** Takes money from the account that no order asked for. */
  charge(symbol: string, amount: Decimal, at: number, code: string, reason: string): void {
    this.account.charge(amount)
    const nobody = { clientOrderId: '', orderId: 0, symbol }
    this.emit('charged', nobody, at, code, reason, { amount: format(amount) })
  }

  emit(
    kind: ReportKind,
    order: Named,
    occurredAt: number,
    code?: string,
    reason = '',
    more?: Partial<BrokerReport>,
  ): void {
    const { clientOrderId, orderId, symbol } = order
    const sequence = ++this.sequence
    const report = { sequence, kind, clientOrderId, orderId, symbol, occurredAt }
    this.#report(code === undefined ? report : { ...report, ...more, code, reason })
  }

  /** An order that is over, if it ended not long ago. */
  endedOrder(clientOrderId: string): Named | null {
    for (const one of this.ended) {
      if (Array.isArray(one)) {
        const [id, orderId, symbol] = one
        if (id === clientOrderId) return { clientOrderId: id, orderId, symbol }
      } else if (one.clientOrderId === clientOrderId) return one
    }
    return null
  }

  #close(order: WorkingOrder): void {
    order.done = true
    this.orders.delete(order.clientOrderId)
    this.over.add(order.clientOrderId)
    if (order.extra?.held !== true) this.book(order.symbol).remove(order)
    if (this.ended.length < ENDED) this.ended.push(order)
    else {
      this.ended[this.endedAt] = order
      this.endedAt = (this.endedAt + 1) % ENDED
    }
  }

  /** Last price of a symbol; null before any. */
  lastPrice(symbol: string): number | null {
    const close = this.books.get(symbol)?.last[CLOSE]
    return close === undefined || !Number.isFinite(close) ? null : close
  }
}

/** Trailing stops among legs start from the price of their entry. */
function startTrails({ legs }: OrderGroup, price: Decimal): void {
  for (const leg of legs) {
    const trail = leg.extra === null ? null : leg.extra.trail
    if (trail !== null && !leg.done) ratchet(leg, trail, price)
  }
}

/** The newest ended orders as plain JSON, oldest first. */
export function endedSnapshot({ ended, endedAt }: Desk): EndedOrder[] {
  return [...ended.slice(endedAt), ...ended.slice(0, endedAt)].map((one) =>
    Array.isArray(one) ? one : [one.clientOrderId, one.orderId, one.symbol],
  )
}
