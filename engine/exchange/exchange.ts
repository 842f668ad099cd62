import type { ExchangeSettings } from '../../schemas/types.gen.ts'
import { type Decimal, format, fromNumber, mul, ONE, parse, sub, trunc, ZERO } from '../decimal.ts'
import type { Bar } from '../market/bar.ts'
import type { BrokerOrder, BrokerReport, ReportKind } from '../ports/broker.ts'
import { DAY_MS, dayNumber } from '../time.ts'
import { Account, type AccountSnapshot, type AccountView } from './account.ts'
import { Fees } from './fees.ts'
import { KnownIds, type KnownIdsSnapshot } from './known-ids.ts'
import { type BarPrices, FillModel, PHASE, readPrices } from './fill-model.ts'
import {
  orderFrom,
  orderSnapshot,
  readOrder,
  sweep,
  type WorkingOrder,
  type WorkingOrderSnapshot,
} from './working-orders.ts'

/** One symbol: its resting orders in order of submission, and its newest bar. */
interface Book {
  readonly symbol: string
  orders: WorkingOrder[]
  /** Newest bar: time, end, close, volume. A typed array, so that a bar stores without allocating. */
  readonly last: Float64Array
  /** Whole shares the newest bar can still trade; null: no limit; undefined: not worked out yet. */
  cap: Decimal | null | undefined
}

const TIME = 0
const END = 1
const CLOSE = 2
const VOLUME = 3

/** Plain JSON: everything later reports depend on, but not the settings. */
export interface ExchangeSnapshot {
  sequence: number
  ambiguousBars: number
  account: AccountSnapshot
  /** Client order ids of orders that are over: an id is never taken twice. */
  over: KnownIdsSnapshot
  books: {
    symbol: string
    /** Newest bar; null before the first. */
    last: { time: number; end: number; close: number; volume: number | null } | null
    cap: string | null
    orders: WorkingOrderSnapshot[]
  }[]
}

/**
 * The simulated exchange: orders and bars in, reports out, all synchronous and pure. Backtests and the
 * wire simulator run this one class.
 *
 * - An order first meets the bar after the one it was submitted on; with `same-close` a market order
 *   fills at the close of the bar just shown. Orders submitted from inside a report follow the same rule.
 * - Within a bar: the open, then stops, then limits, then the close; in each, in order of submission.
 * - The orders of one symbol share what a bar can trade (participation); the rest waits for later bars.
 * - A fill or expiry on a bar carries the bar's start as its time.
 * - A bar that is not newer than the last of its symbol is ignored: nothing trades twice.
 */
export class Exchange {
  readonly #report: (report: BrokerReport) => void
  readonly #fills: FillModel
  readonly #fees: Fees
  readonly #account: Account
  /** Working orders by client order id, and the ids of those that are over. */
  readonly #orders = new Map<string, WorkingOrder>()
  readonly #over = new KnownIds()
  readonly #books = new Map<string, Book>()
  /** The same books by symbol number, for the way of a bar. */
  readonly #byIndex: Book[] = []
  readonly #prices: BarPrices = { open: ZERO, high: ZERO, low: ZERO, close: ZERO }
  /** The book whose bar is being matched. */
  #matching: Book | null = null
  #sequence = 0
  #ambiguousBars = 0

  /** Throws ExchangeSettingsError when the settings are out of range. */
  constructor(settings: ExchangeSettings, report: (report: BrokerReport) => void) {
    this.#report = report
    this.#fills = new FillModel(settings)
    this.#fees = new Fees(settings)
    this.#account = new Account(parse(settings.cash))
  }

  get account(): AccountView {
    return this.#account
  }

  /** Bars inside which a stop and a limit of one side were both reached: which came first, no bar tells. */
  get ambiguousBars(): number {
    return this.#ambiguousBars
  }

  /** Sequence of the newest report, 0 before the first. */
  get sequence(): number {
    return this.#sequence
  }

  /** True for every client order id that was submitted, whatever became of it. */
  knows(clientOrderId: string): boolean {
    return this.#orders.has(clientOrderId) || this.#over.has(clientOrderId)
  }

  /** Takes an order at `now` (ms) and reports it accepted or rejected. An id submitted again is ignored. */
  submit(order: BrokerOrder, now: number): void {
    if (this.knows(order.clientOrderId)) return
    const working = readOrder(order)
    if ('code' in working) {
      this.#over.add(order.clientOrderId)
      this.#emit('rejected', order, now, working.code, working.reason)
      return
    }
    const book = this.#book(working.symbol)
    this.#orders.set(working.clientOrderId, working)
    book.orders.push(working)
    this.#emit('accepted', working, now)
    if (this.#fills.sameClose && book !== this.#matching && now < staleFrom(book)) {
      this.#fillAtClose(book, working)
      this.#tidy(book)
    }
  }

  /** Cancels a working order at `now` (ms). One that is unknown or over is ignored. */
  cancel(clientOrderId: string, now: number): void {
    const order = this.#orders.get(clientOrderId)
    if (!order) return
    this.#finish('canceled', order, now, 'cancel_requested', 'canceled on request')
    this.#tidy(this.#book(order.symbol))
  }

  /** Shows the exchange a bar: expiries and fills on it are reported before this returns. */
  onBar(bar: Bar): void {
    let book = this.#byIndex[bar.symbolIndex]
    if (book === undefined || book.symbol !== bar.symbol) book = this.#place(bar)
    const last = book.last
    if (!(bar.time > last[TIME]!)) return
    last[TIME] = bar.time
    last[END] = bar.end
    last[CLOSE] = bar.close
    last[VOLUME] = bar.volume
    book.cap = undefined
    if (book.orders.length > 0) this.#match(book, bar)
  }

  #match(book: Book, bar: Bar): void {
    if (this.#matching) throw new Error('a bar was shown to the exchange from inside a report')
    this.#matching = book
    try {
      const orders = book.orders
      // Orders submitted from inside a report come behind these: they wait for the next bar.
      const count = orders.length
      const phases = this.#sort(orders, count, bar)
      for (let phase: number = PHASE.open; phase <= PHASE.close; phase++) {
        if ((phases & (1 << phase)) === 0) continue
        for (let i = 0; i < count; i++) {
          const order = orders[i]!
          if (order.phase !== phase || order.done) continue
          this.#fill(book, order, this.#fills.price(order, phase, this.#prices))
        }
      }
      for (let i = count; this.#fills.sameClose && i < orders.length; i++) {
        this.#fillAtClose(book, orders[i]!)
      }
      for (const order of orders) {
        if (!order.done && bar.end >= order.expiresAt) this.#expire(order, bar.time)
      }
    } finally {
      this.#matching = null
      sweep(book.orders)
    }
  }

  /** Expires what ended before the bar, and finds where in the bar each order fills; returns the phases there are. */
  #sort(orders: WorkingOrder[], count: number, bar: Bar): number {
    readPrices(bar, this.#prices)
    const idle = this.#fills.idle(bar.volume)
    let buys = 0
    let sells = 0
    for (let i = 0; i < count; i++) {
      const order = orders[i]!
      if (!this.#meets(order, bar.time)) continue
      order.phase = idle ? PHASE.none : this.#fills.phase(order, this.#prices)
      if (order.buys) buys |= 1 << order.phase
      else sells |= 1 << order.phase
    }
    const both = (1 << PHASE.stop) | (1 << PHASE.limit)
    if ((buys & both) === both || (sells & both) === both) this.#ambiguousBars++
    return buys | sells
  }

  /** Whether the order still stands when a bar starts at `time`; a day order gets its end from its first bar. */
  #meets(order: WorkingOrder, time: number): boolean {
    if (order.done) return false
    if (order.day) {
      order.day = false
      order.expiresAt = (dayNumber(time) + 1) * DAY_MS
    }
    if (time < order.expiresAt) return true
    this.#expire(order, time)
    return false
  }

  /** A market order of same-close trades at the close of the bar shown last. */
  #fillAtClose(book: Book, order: WorkingOrder): void {
    const time = book.last[TIME]!
    if (order.type !== 'market' || !this.#meets(order, time)) return
    this.#fill(book, order, this.#fills.slipped(order.buys, fromNumber(book.last[CLOSE]!)))
    if (!order.done && book.last[END]! >= order.expiresAt) this.#expire(order, time)
  }

  /** Trades what the bar's volume, and for an order of "all" the cash, allow at `price`. */
  #fill(book: Book, order: WorkingOrder, price: Decimal): void {
    const time = book.last[TIME]!
    if (book.cap === undefined) book.cap = this.#fills.cap(book.last[VOLUME]!)
    // Reached is reached: what this bar cannot trade of a stop goes on as a market order.
    if (order.type === 'stop') order.type = 'market'
    const cap = book.cap
    if (cap !== null && (order.all ? cap < ONE : cap === ZERO)) return
    let cash: Decimal | null = null
    if (order.all && (order.buys || order.remaining === ZERO)) {
      cash = this.#fees.affordable(this.#account.cash, price)
      if (order.remaining === ZERO) order.remaining = cash
    }
    // A part is whole shares, also where a fraction of a share has used up some of the cap.
    let qty = cap === null || order.remaining <= cap ? order.remaining : trunc(cap)
    const starved = cash !== null && (cash === ZERO || cash < qty)
    if (starved) qty = cash!
    if (qty > 0) this.#trade(book, order, qty, price, time)
    if (starved && !order.done) {
      this.#finish(
        'canceled',
        order,
        time,
        'insufficient_cash',
        `cash of ${format(this.#account.cash)} buys no whole share at ${format(price)}`,
      )
    }
  }

  #trade(book: Book, order: WorkingOrder, qty: Decimal, price: Decimal, time: number): void {
    const value = mul(qty, price)
    const fee = this.#fees.of(qty, value)
    this.#account.apply(order.symbol, order.buys, qty, value, fee)
    if (book.cap) book.cap = sub(book.cap, qty)
    order.remaining = sub(order.remaining, qty)
    const complete = order.remaining === ZERO
    if (complete) this.#close(order)
    this.#report({
      sequence: ++this.#sequence,
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
  }

  #expire(order: WorkingOrder, time: number): void {
    this.#finish('expired', order, time, 'expired', 'the order was not filled within its time')
  }

  #finish(kind: ReportKind, order: WorkingOrder, at: number, code: string, reason: string): void {
    this.#close(order)
    this.#emit(kind, order, at, code, reason)
  }

  #close(order: WorkingOrder): void {
    order.done = true
    this.#orders.delete(order.clientOrderId)
    this.#over.add(order.clientOrderId)
  }

  #emit(
    kind: ReportKind,
    order: Pick<BrokerOrder, 'clientOrderId' | 'orderId' | 'symbol'>,
    occurredAt: number,
    code?: string,
    reason = '',
  ): void {
    const { clientOrderId, orderId, symbol } = order
    const sequence = ++this.#sequence
    const report = { sequence, kind, clientOrderId, orderId, symbol, occurredAt }
    this.#report(code === undefined ? report : { ...report, code, reason })
  }

  #book(symbol: string): Book {
    let book = this.#books.get(symbol)
    if (book === undefined) {
      const last = new Float64Array(4).fill(Number.NEGATIVE_INFINITY)
      book = { symbol, orders: [], last, cap: undefined }
      this.#books.set(symbol, book)
    }
    return book
  }

  /** Finds the book of a bar by name, and remembers it by number. */
  #place(bar: Bar): Book {
    const book = this.#book(bar.symbol)
    this.#byIndex[bar.symbolIndex] = book
    return book
  }

  /** Takes finished orders out, unless a bar is just being matched against the list. */
  #tidy(book: Book): void {
    if (book !== this.#matching) sweep(book.orders)
  }

  /** The whole state, between two calls. Throws while a bar is being matched. */
  snapshot(): ExchangeSnapshot {
    if (this.#matching) throw new Error('a snapshot was taken from inside a report')
    return {
      sequence: this.#sequence,
      ambiguousBars: this.#ambiguousBars,
      account: this.#account.snapshot(),
      over: this.#over.snapshot(),
      books: Array.from(this.#books.values(), bookSnapshot),
    }
  }

  /** Puts back a state that `snapshot` gave, also through JSON; the settings must be the same. */
  restore(from: ExchangeSnapshot): void {
    if (this.#matching) throw new Error('a snapshot was restored from inside a report')
    this.#sequence = from.sequence
    this.#ambiguousBars = from.ambiguousBars
    this.#account.restore(from.account)
    this.#orders.clear()
    this.#books.clear()
    this.#byIndex.length = 0
    this.#over.restore(from.over)
    for (const { symbol, last, cap, orders } of from.books) {
      const book = this.#book(symbol)
      if (last) book.last.set([last.time, last.end, last.close, last.volume ?? Number.NaN])
      // Without a number it is worked out again from the volume.
      if (cap !== null) book.cap = parse(cap)
      book.orders = orders.map((order) => orderFrom(symbol, order))
      for (const order of book.orders) this.#orders.set(order.clientOrderId, order)
    }
  }
}

function bookSnapshot({ symbol, last, cap, orders }: Book): ExchangeSnapshot['books'][number] {
  const [time, end, close, volume] = last as unknown as [number, number, number, number]
  return {
    symbol,
    last:
      time === Number.NEGATIVE_INFINITY
        ? null
        : { time, end, close, volume: Number.isNaN(volume) ? null : volume },
    cap: cap === null || cap === undefined ? null : format(cap),
    orders: orders.map(orderSnapshot),
  }
}

/** From this moment the next bar of the symbol was due, and the close of the last is no price any more. */
function staleFrom({ last }: Book): number {
  return last[END]! + (last[END]! - last[TIME]!)
}
