import { type Decimal, format, min, ONE, SCALE, sub, trunc, ZERO } from '../decimal.ts'
import { type Book, byRank, VOLUME } from './book.ts'
import type { Desk } from './desk.ts'
import type { Fees } from './fees.ts'
import { type FillModel, within } from './fill-model.ts'
import type { Gates } from './gates.ts'
import type { SessionClock } from './session-clock.ts'
import type { WorkingOrder } from './working-orders.ts'

export interface FloorRules {
  fills: FillModel
  fees: Fees
  gates: Gates
  clock: SessionClock
}

/** What an order is offered: a price before slippage, and where it comes from. */
export interface Offer {
  price: Decimal
  time: number
  /** The far side of a quote, or a trade; absent: a price of the newest bar. */
  tick?: boolean
}

/** What bars and ticks have in common: one book at a time, orders that end, and single fills. */
export class Floor {
  /** The book being matched. */
  book: Book | null = null
  readonly desk: Desk
  readonly rules: FloorRules
  readonly #ended: WorkingOrder[] = []

  constructor(desk: Desk, rules: FloorRules) {
    this.desk = desk
    this.rules = rules
  }

  begin(book: Book): void {
    if (this.book) throw new Error('a bar was shown to the exchange from inside a report')
    this.book = book
  }

  /** Expires what ends at `until` or before, in order of the queue; `first`: day orders meet their first bar now. */
  endBy(book: Book, until: number, time: number, first: boolean): void {
    if (!book.hasEnds) return
    const { clock } = this.rules
    const resolve = (order: WorkingOrder): void => {
      order.day = false
      order.expiresAt = clock.endOfDay(order, time)
    }
    const ended = this.#ended
    // Again, because a report may lead to an order that is over already.
    for (;;) {
      book.collectDue(until, first ? resolve : null, ended)
      if (ended.length === 0) return
      byRank(ended)
      for (const order of ended) if (!order.done) this.expire(order, time)
      ended.length = 0
    }
  }

  expire(order: WorkingOrder, time: number): void {
    this.desk.finish('expired', order, time, 'expired', 'the order was not filled within its time')
  }

  /** Ends what was good for one moment only. */
  endMoment(order: WorkingOrder, time: number): void {
    const { timeInForce } = order
    if (timeInForce === 'day' || timeInForce === 'gtc' || order.done) return
    const auction = timeInForce === 'opg' || timeInForce === 'cls'
    this.desk.finish(
      'canceled',
      order,
      time,
      auction ? 'auction_over' : `${timeInForce}_unfilled`,
      auction
        ? 'the session it was for is past that point'
        : 'what was not filled at once is canceled',
    )
  }

  /** What has been reached is reached: what cannot trade of a stop now goes on as a market order. */
  trigger(book: Book, order: WorkingOrder): void {
    if (order.type === 'stop' || order.type === 'trailing_stop') {
      book.change(order, () => {
        order.type = 'market'
      })
    } else if (order.type === 'stop_limit') {
      book.change(order, () => {
        order.type = 'limit'
        order.extra!.stop = order.price
        order.price = order.extra!.limit
      })
    }
  }

  /** Trades what the volume, and for an order of "all" the cash, allow of an order. `kept`: a limit that slippage keeps to. */
  fill(book: Book, order: WorkingOrder, offer: Offer, kept: Decimal | null): void {
    const { fees, gates } = this.rules
    const { desk } = this
    const { account } = desk
    const cap = this.#cap(book, order, offer)
    const price = this.#price(book, order, offer, kept, cap)
    this.trigger(book, order)
    if (cap !== null && (order.all ? cap < ONE : cap === ZERO)) return
    let cash: Decimal | null = null
    if (order.all && (order.buys || order.remaining === ZERO)) {
      cash = fees.affordable(account.cash, price)
      if (order.remaining === ZERO) order.remaining = cash
    }
    const notional = order.extra === null ? null : order.extra.notional
    if (notional !== null && order.remaining === ZERO && order.filled === ZERO) {
      order.remaining = sharesFor(notional, price)
      if (order.remaining === ZERO) {
        const reason = `${format(notional)} buys no share at ${format(price)}`
        desk.finish('canceled', order, offer.time, 'notional_too_small', reason)
        return
      }
    }
    // A part is whole shares, also where a fraction of a share has used up some of the cap.
    let qty = cap === null || order.remaining <= cap ? order.remaining : trunc(cap)
    const starved = cash !== null && (cash === ZERO || cash < qty)
    if (starved) qty = cash!
    const most = gates.sellable(order, account.position(order.symbol))
    const barred = most !== null && most < qty
    if (barred) qty = most
    if (order.timeInForce === 'fok' && qty < order.remaining) return
    if (qty > 0) {
      this.#take(book, order, offer, qty)
      desk.trade(order, qty, price, offer.time)
    }
    if (order.done || (!starved && !barred)) return
    if (barred) {
      const reason = `no more of ${order.symbol} is held, and it cannot be sold short`
      desk.finish('canceled', order, offer.time, 'not_shortable', reason)
      return
    }
    const reason = `cash of ${format(account.cash)} buys no whole share at ${format(price)}`
    desk.finish('canceled', order, offer.time, 'insufficient_cash', reason)
  }

  /**
   * The offer with slippage, which goes against all but limit orders; a stop_limit that was just triggered has it up to
   * its limit. Impact is that of what the order could trade at most at the price without it.
   */
  #price(
    book: Book,
    order: WorkingOrder,
    { price, tick }: Offer,
    kept: Decimal | null,
    cap: Decimal | null,
  ): Decimal {
    if (order.type === 'limit' && kept === null) return price
    const { fills, fees } = this.rules
    if (tick) return keep(order.buys, fills.slippedTick(order.buys, price), kept)
    let size: Decimal = ZERO
    if (fills.moves) {
      size = order.remaining
      if (order.all && size === ZERO) size = fees.affordable(this.desk.account.cash, price)
      const notional = order.extra === null ? null : order.extra.notional
      if (notional !== null && size === ZERO) size = sharesFor(notional, price)
      if (cap !== null) size = min(size, cap)
    }
    return keep(order.buys, fills.slipped(order.buys, price, size, book.last[VOLUME]!), kept)
  }

  /** What can still trade: of the bar, or of the quote's side; null: no limit. */
  #cap(book: Book, order: WorkingOrder, { tick }: Offer): Decimal | null {
    if (tick && book.quote !== null) return order.buys ? book.quote.askCap : book.quote.bidCap
    if (book.cap === undefined) book.cap = this.rules.fills.cap(book.last[VOLUME]!)
    return book.cap
  }

  #take(book: Book, order: WorkingOrder, { tick }: Offer, qty: Decimal): void {
    const { quote } = book
    if (tick && quote !== null) {
      if (order.buys && quote.askCap !== null) quote.askCap = sub(quote.askCap, qty)
      if (!order.buys && quote.bidCap !== null) quote.bidCap = sub(quote.bidCap, qty)
    } else if (book.cap) book.cap = sub(book.cap, qty)
  }
}

function keep(buys: boolean, price: Decimal, kept: Decimal | null): Decimal {
  return kept === null ? price : within(buys, price, kept)
}

/** Shares, to the ninth decimal, that an amount of money pays at a price. */
function sharesFor(money: Decimal, price: Decimal): Decimal {
  const nanos = (BigInt(money) * BigInt(SCALE)) / BigInt(price)
  return nanos <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(nanos) : nanos
}
