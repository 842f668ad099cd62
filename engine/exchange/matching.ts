import { type Decimal, fromNumber, ZERO } from '../decimal.ts'
import type { Bar } from '../market/bar.ts'
import { type Book, byRank, CLOSE, END, TIME } from './book.ts'
import { type BarPrices, PHASE, readPrices } from './fill-model.ts'
import type { Floor } from './floor.ts'
import { ratchet } from './trailing.ts'
import type { OrderGroup, WorkingOrder } from './working-orders.ts'

const BOTH = (1 << PHASE.stop) | (1 << PHASE.limit)

/**
 * Matches the orders of one symbol with a bar: first what has ended, then the fills by phase, then what was good for this
 * bar only, then what ends with it. Only orders that the bar can concern are looked at.
 *
 * Legs whose entry fills at the open meet the rest of the bar. Of an entry inside the bar, a stop leg that the bar
 * reaches is hit: after a limit it must have been, after a stop it is taken to have been (and counted ambiguous). A
 * profit is taken in that bar only after an entry by stop, beyond which it lies.
 */
export class Matching {
  /** Bars inside which a stop and a limit of one side were both reached: which came first, no bar tells. */
  ambiguousBars = 0
  readonly #floor: Floor
  /** Price of a bar that moves trailing stops. */
  readonly #trail: 'extreme' | 'close'
  readonly #prices: BarPrices = { open: ZERO, high: ZERO, low: ZERO, close: ZERO }
  /** Orders that the bar may concern. */
  readonly #met: WorkingOrder[] = []
  /** Submitted from inside a report: they wait for the next bar, or with same-close for the end of this one. */
  readonly #arrived: WorkingOrder[] = []
  /** Phases in which buys and sells of the bar fill, a bit each. */
  #buys = 0
  #sells = 0
  /** Whether the bar at hand is counted already. */
  #counted = false

  constructor(floor: Floor, trail: 'extreme' | 'close') {
    this.#floor = floor
    this.#trail = trail
  }

  /** Tells of an order that was just accepted, at `now`. */
  arrive(book: Book, order: WorkingOrder, now: number): void {
    if (!this.#floor.rules.fills.sameClose || order.done) return
    if (book === this.#floor.book) this.#arrived.push(order)
    else if (now < staleFrom(book)) this.#fillAtClose(book, order)
  }

  /** Matches the bar that `book.last` holds already. */
  match(book: Book, bar: Bar): void {
    const floor = this.#floor
    const { fills, clock } = floor.rules
    floor.begin(book)
    this.#counted = false
    try {
      clock.enterBar(bar)
      readPrices(bar, this.#prices)
      floor.endBy(book, bar.time, bar.time, true)
      const met = this.#met
      book.collectActive(met)
      const idle = fills.idle(bar.volume)
      if (!idle && !book.ticks) book.collectReached(this.#prices.high, this.#prices.low, met)
      if (met.length > 0) {
        byRank(met)
        this.#place(book, met, idle)
        this.#fillAll(book, met, bar.time)
        this.#settle(book, met, bar.time, idle)
      }
      for (let i = 0; i < this.#arrived.length; i++) this.#fillAtClose(book, this.#arrived[i]!)
      floor.endBy(book, bar.end, bar.time, false)
      book.settleFresh()
    } finally {
      floor.book = null
      while (this.#met.length > 0) this.#met.pop()
      while (this.#arrived.length > 0) this.#arrived.pop()
    }
  }

  /** Finds where in the bar each order fills. */
  #place(book: Book, met: WorkingOrder[], idle: boolean): void {
    const { clock } = this.#floor.rules
    this.#buys = 0
    this.#sells = 0
    for (let i = 0; i < met.length; i++) {
      const order = met[i]!
      if (!clock.admits(order)) order.phase = PHASE.waits
      else {
        const phase = idle ? PHASE.none : this.#phaseOf(book, order)
        // Ticks have matched everything but the close, which only a bar tells.
        this.#set(order, book.ticks && phase !== PHASE.close ? PHASE.waits : phase)
      }
    }
    if ((this.#buys & BOTH) === BOTH || (this.#sells & BOTH) === BOTH) this.#count()
  }

  #count(): void {
    if (!this.#counted) this.ambiguousBars++
    this.#counted = true
  }

  #set(order: WorkingOrder, phase: number): void {
    order.phase = phase
    if (order.buys) this.#buys |= 1 << phase
    else this.#sells |= 1 << phase
  }

  #phaseOf(book: Book, order: WorkingOrder): number {
    const { fills } = this.#floor.rules
    const { trail } = order.extra ?? NO_TRAIL
    if (trail !== null && trail.best === null) ratchet(order, trail, this.#prices.open)
    const phase = fills.phase(order, this.#prices)
    if (order.type !== 'stop_limit' || phase === PHASE.none) return phase
    this.#floor.trigger(book, order)
    if (phase === PHASE.open) return fills.phase(order, this.#prices)
    return fills.triggeredPhase(order.buys, order.extra!.stop, order.price)
  }

  #fillAll(book: Book, met: WorkingOrder[], time: number): void {
    for (let phase: number = PHASE.open; phase <= PHASE.close; phase++) {
      if (((this.#buys | this.#sells) & (1 << phase)) === 0) continue
      // Legs whose entry fills on the way join behind.
      for (let i = 0; i < met.length; i++) {
        const order = met[i]!
        if (order.phase !== phase || order.done) continue
        const price = this.#floor.rules.fills.price(order, phase, this.#prices)
        const kept = phase === PHASE.stop && order.type === 'limit' ? order.price : null
        this.#floor.fill(book, order, { price, time }, kept)
        if (order.done && order.extra !== null && order.extra.group?.entry === order) {
          this.#enterLegs(book, order.extra.group, phase)
        }
      }
    }
  }

  /** Lets legs meet what is left of the bar in which their entry was filled. */
  #enterLegs(book: Book, group: OrderGroup, entered: number): void {
    for (const leg of group.legs) {
      if (leg.done || leg.extra!.held) continue
      this.#met.push(leg)
      leg.phase = PHASE.waits
      const profit = leg.type === 'limit'
      if (entered === PHASE.open) this.#set(leg, this.#phaseOf(book, leg))
      else if (entered === PHASE.stop || (entered === PHASE.limit && !profit)) {
        if (this.#phaseOf(book, leg) === PHASE.none) continue
        // In the pass that is under way, or the one after it.
        this.#set(leg, leg.type === 'limit' ? PHASE.limit : entered)
        if (entered === PHASE.stop && !profit) this.#count()
      }
    }
    const bits = group.legs[0]!.buys ? this.#buys : this.#sells
    if ((bits & BOTH) === BOTH) this.#count()
  }

  /** Ends the bar for the orders it met. */
  #settle(book: Book, met: WorkingOrder[], time: number, idle: boolean): void {
    const { high, low, close } = this.#prices
    for (let i = 0; i < met.length; i++) {
      const order = met[i]!
      if (order.done || order.phase === PHASE.waits) continue
      if (order.type !== 'trailing_stop') this.#floor.endMoment(order, time)
      else if (!idle && !book.ticks) {
        const best = this.#trail === 'close' ? close : order.buys ? low : high
        ratchet(order, order.extra!.trail!, best)
      }
    }
  }

  /** A market order of same-close trades at the close of the bar shown last. */
  #fillAtClose(book: Book, order: WorkingOrder): void {
    const { clock } = this.#floor.rules
    const { timeInForce } = order
    if (order.type !== 'market' || timeInForce === 'opg' || timeInForce === 'cls') return
    if (order.done || book.ticks || !clock.wasCore(book)) return
    const time = book.last[TIME]!
    if (order.day) {
      order.day = false
      order.expiresAt = clock.endOfDay(order, time)
    }
    if (time >= order.expiresAt) {
      this.#floor.expire(order, time)
      return
    }
    const price: Decimal = fromNumber(book.last[CLOSE]!)
    this.#floor.fill(book, order, { price, time }, null)
    this.#floor.endMoment(order, time)
    if (!order.done && book.last[END]! >= order.expiresAt) this.#floor.expire(order, time)
  }
}

const NO_TRAIL = { trail: null }

/** From this moment the next bar of the symbol was due, and the close of the last is no price any more. */
function staleFrom({ last }: Book): number {
  return last[END]! + (last[END]! - last[TIME]!)
}
