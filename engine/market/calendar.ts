/** When a market trades: sessions of days, phases of moments. */
import { DAY_MS, dayFromCivil, dayNumber, formatDay, formatTime, parseTime } from '../time.ts'
import { coreHours, EARLY_CLOSE, FIRST_YEAR, LAST_YEAR, REGULAR } from './calendar-nyse.ts'
import { newYorkMidnight, STANDARD_OFFSET_MS } from './new-york-time.ts'

/** One trading day; moments in ms since the epoch, each the first that no longer belongs to what was before. */
export interface Session {
  /** The date where the market is. */
  date: string
  preOpen: number
  open: number
  close: number
  postClose: number
  /** The core session ends before its usual hour. */
  early: boolean
}

export type Phase = 'closed' | 'pre' | 'core' | 'post'

export interface Calendar {
  /** The session of a date "2024-07-03"; null on days without one. Throws CalendarError. */
  session(date: string): Session | null
  /** What the market does at a moment, ms. Throws CalendarError outside the calendar's years. */
  phase(ms: number): Phase
  /** The session that a moment belongs to, its pre and post hours included; null when closed. Throws CalendarError. */
  sessionAt(ms: number): Session | null
  /** The first session that opens later than the moment. Throws CalendarError when there is none in the calendar. */
  next(ms: number): Session
}

/** A date that is none (`invalid_date`), or one that the calendar does not know (`outside_calendar`). */
export class CalendarError extends Error {
  override name = 'CalendarError'
  readonly code: 'outside_calendar' | 'invalid_date'

  constructor(code: 'outside_calendar' | 'invalid_date', message: string) {
    super(message)
    this.code = code
  }
}

const MINUTE_MS = 60_000
const PRE_OPEN = 4 * 60
const POST_CLOSE = 20 * 60
const EARLY_POST_CLOSE = 17 * 60

const FIRST_DAY = dayFromCivil(FIRST_YEAR, 1, 1)
const LAST_DAY = dayFromCivil(LAST_YEAR, 12, 31)
/** Midnights in New York; the calendar's moments lie between them. */
const BEGIN = newYorkMidnight(FIRST_DAY)
const END = newYorkMidnight(LAST_DAY + 1)

/**
 * Sessions of the New York exchanges, 1993 to 2030: 9:30 to 16:00, pre-market from 4:00, post-market to 20:00;
 * closing at 13:00, to 17:00. Holidays and exceptions are in calendar-nyse.ts. The hours before and after
 * are today's: in the nineties there was less trading then, or none.
 */
class NyseCalendar implements Calendar {
  private readonly sessions: (Session | null | undefined)[] = []
  // The stretch of one phase that was asked for last: bars come in order, so it answers nearly always.
  private from = Number.POSITIVE_INFINITY
  private to = Number.NEGATIVE_INFINITY
  private last: Phase = 'closed'

  session(date: string): Session | null {
    const day = dayOf(date)
    if (day < FIRST_DAY || day > LAST_DAY) throw outside(date)
    return this.ofDay(day)
  }

  phase(ms: number): Phase {
    if (ms >= this.from && ms < this.to) return this.last
    return this.find(ms)
  }

  sessionAt(ms: number): Session | null {
    const session = this.ofDay(this.dayAt(ms))
    return session !== null && ms >= session.preOpen && ms < session.postClose ? session : null
  }

  next(ms: number): Session {
    if (ms < BEGIN) throw outside(shown(ms))
    for (let day = this.dayAt(ms); day <= LAST_DAY; day++) {
      const session = this.ofDay(day)
      if (session !== null && session.open > ms) return session
    }
    throw outside(`the session after ${shown(ms)}`)
  }

  private find(ms: number): Phase {
    const day = this.dayAt(ms)
    const session = this.ofDay(day)
    const midnight = newYorkMidnight(day)
    const tomorrow = newYorkMidnight(day + 1)
    if (session === null) return this.keep(midnight, tomorrow, 'closed')
    const { preOpen, open, close, postClose } = session
    if (ms < preOpen) return this.keep(midnight, preOpen, 'closed')
    if (ms < open) return this.keep(preOpen, open, 'pre')
    if (ms < close) return this.keep(open, close, 'core')
    if (ms < postClose) return this.keep(close, postClose, 'post')
    return this.keep(postClose, tomorrow, 'closed')
  }

  private keep(from: number, to: number, phase: Phase): Phase {
    this.from = from
    this.to = to
    this.last = phase
    return phase
  }

  /** Day number of New York's date, within the calendar. */
  private dayAt(ms: number): number {
    if (!(ms >= BEGIN && ms < END)) throw outside(shown(ms))
    const day = dayNumber(ms + STANDARD_OFFSET_MS)
    return ms >= newYorkMidnight(day + 1) ? day + 1 : day
  }

  private ofDay(day: number): Session | null {
    const known = this.sessions[day - FIRST_DAY]
    if (known !== undefined) return known
    const session = sessionOf(day)
    this.sessions[day - FIRST_DAY] = session
    return session
  }
}

function sessionOf(day: number): Session | null {
  const hours = coreHours(day)
  if (hours === null) return null
  // Sessions are on weekdays from 4:00 on, clocks change on Sundays at 2:00: one offset holds all day.
  const at = (minutes: number): number => newYorkMidnight(day) + minutes * MINUTE_MS
  const scheduledEarly = hours.close <= EARLY_CLOSE
  return Object.freeze({
    date: formatDay(day),
    preOpen: at(PRE_OPEN),
    open: at(hours.open),
    close: at(hours.close),
    postClose: at(scheduledEarly ? EARLY_POST_CLOSE : POST_CLOSE),
    early: hours.close < REGULAR.close,
  })
}

/** A market that never closes, such as crypto: its session is the UTC day. */
class AlwaysOpen implements Calendar {
  session(date: string): Session {
    return utcDay(dayOf(date))
  }

  phase(ms: number): Phase {
    if (!Number.isFinite(ms)) throw outside(shown(ms))
    return 'core'
  }

  sessionAt(ms: number): Session {
    if (!Number.isFinite(ms)) throw outside(shown(ms))
    return utcDay(dayNumber(ms))
  }

  next(ms: number): Session {
    if (!Number.isFinite(ms)) throw outside(shown(ms))
    return utcDay(dayNumber(ms) + 1)
  }
}

function utcDay(day: number): Session {
  const start = day * DAY_MS
  const end = start + DAY_MS
  const date = formatDay(day)
  return { date, preOpen: start, open: start, close: end, postClose: end, early: false }
}

function dayOf(date: string): number {
  const ms = /^\d{4}-\d{2}-\d{2}$/.test(date) ? parseTime(date) : Number.NaN
  if (Number.isNaN(ms)) {
    throw new CalendarError('invalid_date', `"${date}" is no date; write it as 2024-01-31`)
  }
  return dayNumber(ms)
}

function outside(what: string): CalendarError {
  return new CalendarError(
    'outside_calendar',
    `the exchange calendar knows ${FIRST_YEAR} to ${LAST_YEAR}, not ${what}`,
  )
}

function shown(ms: number): string {
  return Number.isFinite(ms) && Math.abs(ms) < 8.64e15 ? formatTime(ms) : String(ms)
}

export const NYSE: Calendar = new NyseCalendar()
export const ALWAYS_OPEN: Calendar = new AlwaysOpen()
