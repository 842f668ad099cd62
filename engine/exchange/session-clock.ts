import type { ExchangeSettings } from '../../schemas/types.gen.ts'
import type { Bar } from '../market/bar.ts'
import { ALWAYS_OPEN, type Calendar, NYSE, type Session } from '../market/calendar.ts'
import { DAY_MS, dayNumber, formatDay } from '../time.ts'
import { type Book, END, TIME } from './book.ts'
import type { WorkingOrder } from './working-orders.ts'

/**
 * Which orders a moment of the market is for. Without sessions every bar is for every order, and a day is the UTC day.
 *
 * With sessions, a bar belongs to the phase in which it starts, a daily bar to the core session of its date:
 * - Core: all orders. `opg` only when the order was there at the opening, and so in the first bar of the session;
 *   `cls` and orders at the close only in the bar that reaches the session's close.
 * - Before and after: limit orders with extendedHours. Closed: none.
 * A day order ends with the core session it is for, with extendedHours with its post hours: the session in which it
 * was submitted, else the next. Throws CalendarError for times that the calendar does not know.
 */
export class SessionClock {
  readonly #calendar: Calendar | null
  #core = true
  #closed = false
  #last = true
  #opening = Number.POSITIVE_INFINITY

  constructor(sessions: ExchangeSettings['sessions']) {
    this.#calendar = sessions === 'us-equity' ? NYSE : sessions === 'crypto' ? ALWAYS_OPEN : null
  }

  /** Turns to a bar. */
  enterBar(bar: Bar): void {
    const calendar = this.#calendar
    if (calendar === null) {
      this.#last = true
      return
    }
    const daily = isDaily(bar.time, bar.end)
    const session = sessionOf(calendar, bar.time, daily)
    this.#enter(session, daily ? null : bar.time)
    this.#last = this.#core && bar.end >= session!.close
  }

  /** Turns to the moment of a quote or a trade; the close is known from bars only. */
  enterTick(time: number): void {
    this.#last = false
    if (this.#calendar !== null) this.#enter(this.#calendar.sessionAt(time), time)
  }

  #enter(session: Session | null, time: number | null): void {
    this.#closed = session === null
    this.#core =
      session !== null && (time === null || (time >= session.open && time < session.close))
    this.#opening = session?.open ?? Number.POSITIVE_INFINITY
  }

  /** Whether the moment is one for the order. */
  admits(order: WorkingOrder): boolean {
    const { timeInForce, type } = order
    if (timeInForce === 'cls' || type === 'close') return this.#last
    if (this.#calendar === null) return true
    if (!this.#core) return !this.#closed && order.extra?.extended === true
    if (timeInForce !== 'opg') return true
    return order.since <= this.#opening
  }

  /** Whether the newest bar of a book was one of the core session, or there are no sessions. */
  wasCore({ last }: Book): boolean {
    const calendar = this.#calendar
    if (calendar === null) return true
    const time = last[TIME]!
    return isDaily(time, last[END]!)
      ? sessionOf(calendar, time, true) !== null
      : calendar.phase(time) === 'core'
  }

  /** End of a day order whose first bar starts at `time`, ms. */
  endOfDay(order: WorkingOrder, time: number): number {
    if (this.#calendar === null) return (dayNumber(time) + 1) * DAY_MS
    const from = order.since > 0 ? order.since : time
    const extended = order.extra?.extended === true
    const end = (session: Session): number => (extended ? session.postClose : session.close)
    const now = this.#calendar.sessionAt(from)
    if (now !== null && from < end(now)) return end(now)
    return end(this.#calendar.next(from))
  }
}

function isDaily(time: number, end: number): boolean {
  return end - time >= DAY_MS
}

function sessionOf(calendar: Calendar, time: number, daily: boolean): Session | null {
  return daily ? calendar.session(formatDay(dayNumber(time))) : calendar.sessionAt(time)
}
