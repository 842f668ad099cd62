import type { ExchangeSettings } from '../../schemas/types.gen.ts'
import { abs, type Decimal, div, fromNumber, mul, parse, ZERO } from '../decimal.ts'
import { type Action, actionKey } from '../market/actions.ts'
import type { Bar } from '../market/bar.ts'
import type { BrokerOrder, BrokerReport, Replacement } from '../ports/broker.ts'
import { dayNumber } from '../time.ts'
import type { RuleSet } from '../trading/order-rules.ts'
import type { AccountView } from './account.ts'
import { type Book, CLOSE, END, TIME, VOLUME } from './book.ts'
import { actionFault, applyAction } from './corporate.ts'
import { Desk } from './desk.ts'
import { Fees, readAmount } from './fees.ts'
import { FillModel } from './fill-model.ts'
import { Floor, type FloorRules } from './floor.ts'
import { Gates } from './gates.ts'
import { Matching } from './matching.ts'
import { readClass, readOrder, type Refusal, ruleFault } from './read-order.ts'
import { readReplacement } from './replacing.ts'
import { SessionClock } from './session-clock.ts'
import { type ExchangeSnapshot, restoreDesk, snapshotDesk } from './snapshot.ts'
import { type QuoteTick, Ticks, type TradeTick } from './ticks.ts'

/** Days of a year by which borrow fees are reckoned, as brokers do. */
const BORROW_YEAR = parse('360')

/** A corporate action that cannot be applied: the message says what is wrong with it. */
export class InvalidAction extends Error {
  override name = 'InvalidAction'
  readonly code = 'invalid_action'
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
 * - `ioc` and `fok` have the first bar's open (the close with same-close), `opg` the open and `cls` the close of their
 *   session's bar; what is left is canceled. A stop_limit works as a limit once triggered, also within that bar when
 *   the limit lies on the far side of the stop. A trailing stop is tested at its old level, then moved.
 * - Classes: classes.ts. Sessions: session-clock.ts. Quotes and trades: ticks.ts. Corporate actions: corporate.ts.
 *
 * An id is taken by the first order that names it, also by one that is refused (Alpaca frees it then): a request sent
 * again because its answer was lost must not become a second order.
 */
export class Exchange {
  readonly #desk: Desk
  readonly #floor: Floor
  readonly #matching: Matching
  readonly #ticks: Ticks
  readonly #gates: Gates
  readonly #rules: RuleSet
  readonly #borrowRate: Decimal
  /** Whether a new day costs or marks anything. */
  readonly #daily: boolean
  #day = Number.NEGATIVE_INFINITY
  /** Books by symbol number, for the way of a bar. */
  readonly #byIndex: Book[] = []

  /** Throws ExchangeSettingsError when the settings are out of range. */
  constructor(settings: ExchangeSettings, report: (report: BrokerReport) => void) {
    const fees = new Fees(settings)
    this.#desk = new Desk(parse(settings.cash), fees, report)
    this.#gates = new Gates(settings)
    this.#rules = settings.rules === 'alpaca' ? 'alpaca' : 'plain'
    const rules: FloorRules = {
      fills: new FillModel(settings),
      fees,
      gates: this.#gates,
      clock: new SessionClock(settings.sessions),
    }
    this.#floor = new Floor(this.#desk, rules)
    this.#matching = new Matching(this.#floor, settings.trail ?? 'extreme')
    this.#ticks = new Ticks(this.#floor)
    this.#borrowRate = readAmount('borrowRate', settings.borrowRate ?? '0')
    this.#daily = this.#borrowRate > 0 || this.#gates.marks
  }

  get account(): AccountView {
    return this.#desk.account
  }

  /** Bars inside which a stop and a limit of one side were both reached: which came first, no bar tells. */
  get ambiguousBars(): number {
    return this.#matching.ambiguousBars
  }

  /** Sequence of the newest report, 0 before the first. */
  get sequence(): number {
    return this.#desk.sequence
  }

  /** How many orders of a symbol work; held legs do not. */
  resting(symbol: string): number {
    return this.#desk.books.get(symbol)?.count ?? 0
  }

  /** How many orders there are in all, held legs too. */
  get standing(): number {
    return this.#desk.orders.size
  }

  /** True for every client order id that was submitted, whatever became of it. */
  knows(clientOrderId: string): boolean {
    return this.#desk.knows(clientOrderId)
  }

  /** Takes an order with its legs at `now` (ms) and reports them. An id submitted again is ignored. */
  submit(order: BrokerOrder, now: number): void {
    const desk = this.#desk
    if (desk.knows(order.clientOrderId)) return
    const working = readOrder(order, now)
    if ('code' in working) return desk.reject(order, now, working)
    const legs = this.#simple(order) ? NO_LEGS : this.#legs(order, working, now)
    if ('code' in legs) return desk.reject(order, now, legs)
    const refused = this.#gates.refusal(working, desk)
    if (refused !== null) return desk.reject(order, now, refused)
    const book = desk.book(working.symbol)
    if (book.gone) return desk.reject(order, now, notListed(working.symbol))
    desk.accept(working, now)
    // The acceptance of one may already have ended them all.
    for (const leg of legs) if (!leg.done) desk.accept(leg, now)
    this.#matching.arrive(book, working, now)
  }

  /** Whether no rule can have anything against an order that could be read. */
  #simple({ type, timeInForce, legs, orderClass, extendedHours }: BrokerOrder): boolean {
    return (
      this.#rules === 'plain' &&
      (timeInForce === 'gtc' || timeInForce === 'day' || type === 'market') &&
      legs === undefined &&
      orderClass === undefined &&
      extendedHours === undefined
    )
  }

  #legs(order: BrokerOrder, working: ReturnType<typeof readOrder>, now: number) {
    if ('code' in working) return working
    const taken = order.legs?.find((leg) => this.#desk.knows(leg.clientOrderId))
    if (taken !== undefined) {
      const reason = `leg ${taken.orderId} has the id of another order, ${taken.clientOrderId}`
      return { code: 'invalid_leg', reason } satisfies Refusal
    }
    return ruleFault(order, this.#rules) ?? readClass(order, working, now)
  }

  /** Cancels a working or held order at `now` (ms). One that is unknown or over is ignored. */
  cancel(clientOrderId: string, now: number): void {
    const order = this.#desk.orders.get(clientOrderId)
    if (!order) return
    this.#desk.finish('canceled', order, now, 'cancel_requested', 'canceled on request')
  }

  /**
   * Replaces an order at `now` (ms): it is reported `replaced` and the new one accepted (held, when it was), or
   * `replace_rejected`, as when it was filled first. An id used again is ignored, and so is an order never seen.
   */
  replace(clientOrderId: string, by: Replacement, now: number): void {
    const desk = this.#desk
    if (desk.knows(by.clientOrderId)) return
    const order = desk.orders.get(clientOrderId)
    const named = order ?? desk.endedOrder(clientOrderId)
    if (named === null) return
    const next: ReturnType<typeof readReplacement> =
      order === undefined
        ? { code: 'not_working', reason: `order ${named.orderId} is over` }
        : readReplacement(order, by, this.#rules, now)
    const refused = 'code' in next ? next : this.#gates.refusal(next, desk, order)
    if (refused !== null || 'code' in next || order === undefined) {
      const { code, reason } = refused as Refusal
      desk.over.add(by.clientOrderId)
      desk.emit('replace_rejected', named, now, code, reason, { replacedBy: by.orderId })
      return
    }
    const group = order.extra?.group ?? null
    if (group !== null) {
      if (group.entry === order) group.entry = next
      group.legs = group.legs.map((leg) => (leg === order ? next : leg))
    }
    desk.retire(order, by.orderId, now)
    desk.accept(next, now)
  }

  /** Shows the exchange a bar: expiries and fills on it are reported before this returns. */
  onBar(bar: Bar): void {
    let book = this.#byIndex[bar.symbolIndex]
    if (book === undefined || book.symbol !== bar.symbol) book = this.#place(bar)
    const last = book.last
    if (!(bar.time > last[TIME]!)) return
    if (this.#daily) this.#turnDay(book, bar.time)
    last[TIME] = bar.time
    last[END] = bar.end
    last[CLOSE] = bar.close
    last[VOLUME] = bar.volume
    book.cap = undefined
    if (book.count > 0) this.#matching.match(book, bar)
  }

  /** Shows the exchange a quote. One older than the last quote or trade of its symbol is ignored. */
  onQuote(quote: QuoteTick): void {
    const book = this.#enterTick(quote)
    if (book !== null) this.#ticks.quote(book, quote)
  }

  /** Shows the exchange a trade of others. One older than the last quote or trade of its symbol is ignored. */
  onTrade(trade: TradeTick): void {
    const book = this.#enterTick(trade)
    if (book !== null) this.#ticks.trade(book, trade)
  }

  #enterTick({ symbol, time }: { symbol: string; time: number }): Book | null {
    this.#outside('a tick was shown to the exchange')
    const book = this.#desk.book(symbol)
    if (time < book.tickTime) return null
    if (this.#daily) this.#turnDay(book, time)
    book.tickTime = time
    return book
  }

  /**
   * Applies a corporate action, before the first price of its ex-date. One shown again, or older than the last of its
   * symbol, is ignored. Throws InvalidAction.
   */
  onAction(action: Action): void {
    this.#outside('a corporate action was shown to the exchange')
    this.check(action)
    const { symbol, time } = action
    const book = this.#desk.book(symbol)
    if (time < book.actionTime) return
    if (time > book.actionTime) book.actions = []
    const key = actionKey(action)
    if (book.actions.includes(key)) return
    book.actionTime = time
    book.actions.push(key)
    // Fees of the days before are on the position and the price of before.
    if (this.#daily) this.#turnDay(book, time)
    applyAction(this.#desk, action)
  }

  /** Throws InvalidAction when the action could not be applied. */
  check(action: Action): void {
    const fault = actionFault(action)
    if (fault !== null) throw new InvalidAction(`${action.kind} of ${action.symbol}: ${fault}`)
  }

  /** On the first price of a new day: borrow fees for the days since the last, and the equity they ended with. */
  #turnDay(book: Book, time: number): void {
    const desk = this.#desk
    const day = dayNumber(time)
    if (day > this.#day) {
      if (this.#gates.marks) this.#gates.lastEquity = this.#gates.equity(desk)
      this.#day = day
    }
    if (!(day > book.day)) return
    const days = day - book.day
    book.day = day
    const close = desk.lastPrice(book.symbol)
    const held = desk.account.position(book.symbol)
    if (this.#borrowRate === ZERO || held >= 0 || close === null || !Number.isFinite(days)) return
    const value = mul(abs(held), fromNumber(close))
    const fee = div(mul(mul(value, this.#borrowRate), parse(`${days}`)), BORROW_YEAR)
    if (fee === ZERO) return
    const reason = `borrow fee of ${days} ${days === 1 ? 'day' : 'days'}`
    desk.charge(book.symbol, fee, time, 'borrow_fee', reason)
  }

  /** Finds the book of a bar by name, and remembers it by number. */
  #place(bar: Bar): Book {
    const book = this.#desk.book(bar.symbol)
    this.#byIndex[bar.symbolIndex] = book
    return book
  }

  #outside(what: string): void {
    if (this.#floor.book) throw new Error(`${what} from inside a report`)
  }

  /** The whole state, between two calls. Throws while a bar is being matched. */
  snapshot(): ExchangeSnapshot {
    this.#outside('a snapshot was taken')
    const { ambiguousBars } = this.#matching
    const { lastEquity } = this.#gates
    return snapshotDesk(this.#desk, { ambiguousBars, day: this.#day, lastEquity })
  }

  /** Puts back a state that `snapshot` gave, also through JSON; the settings must be the same. */
  restore(from: ExchangeSnapshot): void {
    this.#outside('a snapshot was restored')
    this.#byIndex.length = 0
    const { ambiguousBars, day, lastEquity } = restoreDesk(this.#desk, from)
    this.#matching.ambiguousBars = ambiguousBars
    this.#day = day
    this.#gates.lastEquity = lastEquity
  }
}

const NO_LEGS: readonly never[] = []

function notListed(symbol: string): Refusal {
  const reason = `${symbol} was delisted or renamed: name a symbol that still trades`
  return { code: 'not_listed', reason }
}
