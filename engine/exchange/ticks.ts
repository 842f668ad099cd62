import { type Decimal, fromNumber } from '../decimal.ts'
import { type Book, byRank, CLOSE, type Quote } from './book.ts'
import { PHASE } from './fill-model.ts'
import type { Floor } from './floor.ts'
import { ratchet } from './trailing.ts'
import type { WorkingOrder } from './working-orders.ts'

/** Best bid and offer. Sizes in shares. */
export interface QuoteTick {
  symbol: string
  bid: number
  ask: number
  bidSize: number
  askSize: number
  /** ms */
  time: number
}

export interface TradeTick {
  symbol: string
  price: number
  /** Shares. */
  size: number
  /** ms */
  time: number
}

/**
 * Matches orders with quotes and trades, in order of the queue:
 *
 * - A quote fills market orders at its far side, and limits that it reaches at the far side too. With participation, a
 *   quote trades that share of the size shown on each side.
 * - A trade triggers stops and moves trailing ones. What it triggers, and market orders, trade at the far side of the
 *   last quote, or at the trade's price where there is no quote. A limit that it touches (or trades through) fills at the
 *   limit: another's trade at a better price was not ours. With participation, that share of the size traded.
 * - `cls` and orders at the close wait for the bar that ends the session. Slippage is the basis points alone.
 *
 * An order first meets the quote or trade after its submission, as with bars.
 */
export class Ticks {
  readonly #floor: Floor
  readonly #met: WorkingOrder[] = []

  constructor(floor: Floor) {
    this.#floor = floor
  }

  quote(book: Book, { bid, ask, bidSize, askSize, time }: QuoteTick): void {
    const { fills } = this.#floor.rules
    book.quote = {
      bid: fromNumber(bid),
      ask: fromNumber(ask),
      bidCap: fills.cap(bidSize),
      askCap: fills.cap(askSize),
    }
    this.#run(book, time, book.quote.bid, book.quote.ask, (order) => {
      const far = farSide(order, book.quote!)
      if (order.type === 'market') this.#fill(book, order, far, time)
      else if (order.type === 'limit' && marketable(order, far)) this.#fill(book, order, far, time)
    })
  }

  trade(book: Book, { price: paid, size, time }: TradeTick): void {
    const { fills } = this.#floor.rules
    const price = fromNumber(paid)
    book.last[CLOSE] = paid
    book.cap = fills.cap(size)
    this.#run(book, time, price, price, (order) => {
      const { type, buys } = order
      const trail = order.extra === null ? null : order.extra.trail
      if (type === 'trailing_stop' && trail !== null && trail.best === null) {
        ratchet(order, trail, price)
        return
      }
      const stops = type === 'stop' || type === 'stop_limit' || type === 'trailing_stop'
      if (stops) {
        if (buys ? price < order.price : price > order.price) {
          if (trail !== null) ratchet(order, trail, price)
          return
        }
        this.#floor.trigger(book, order)
      }
      const far = book.quote === null ? price : farSide(order, book.quote)
      if (order.type === 'market') this.#fill(book, order, far, time)
      else if (stops && marketable(order, far)) this.#fill(book, order, far, time)
      else if (!stops && order.type === 'limit' && fills.reaches(buys, order.price, price)) {
        // Of the trade's size, not of the quote's.
        this.#floor.fill(book, order, { price: order.price, time }, null)
      }
    })
  }

  #fill(book: Book, order: WorkingOrder, price: Decimal, time: number): void {
    this.#floor.fill(book, order, { price, time, tick: true }, null)
  }

  #run(
    book: Book,
    time: number,
    bid: Decimal,
    ask: Decimal,
    meet: (order: WorkingOrder) => void,
  ): void {
    const floor = this.#floor
    const { clock } = floor.rules
    floor.begin(book)
    const met = this.#met
    try {
      clock.enterTick(time)
      floor.endBy(book, time, time, true)
      book.collectActive(met)
      // What a falling market reaches buys at the ask or sells at the stop; a rising one the other way round.
      book.collectReached(bid, ask, met)
      byRank(met)
      for (const order of met) {
        order.phase = PHASE.waits
        if (order.done || !clock.admits(order)) continue
        meet(order)
        floor.endMoment(order, time)
      }
      book.settleFresh()
    } finally {
      floor.book = null
      met.length = 0
    }
  }
}

function farSide(order: WorkingOrder, quote: Quote): Decimal {
  return order.buys ? quote.ask : quote.bid
}

function marketable(order: WorkingOrder, far: Decimal): boolean {
  return order.buys ? order.price >= far : order.price <= far
}
