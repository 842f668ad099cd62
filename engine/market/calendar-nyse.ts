/** Which days the New York Stock Exchange trades, and from when to when, by its rules and its exceptions. */
import { dayFromCivil } from '../time.ts'
import { lastWeekday, nthWeekday, weekday, yearOfDay } from './new-york-time.ts'

export const FIRST_YEAR = 1993
export const LAST_YEAR = 2030

const SUNDAY = 0
const MONDAY = 1
const WEDNESDAY = 3
const THURSDAY = 4
const FRIDAY = 5
const SATURDAY = 6

/** Minutes since midnight in New York. */
export interface Hours {
  open: number
  close: number
}

export const REGULAR: Hours = { open: 9 * 60 + 30, close: 16 * 60 }
export const EARLY_CLOSE = 13 * 60

/** Closed all day for once, beyond the holidays. */
const CLOSED = days(
  [1994, 4, 27], // funeral of President Nixon
  [2001, 9, 11], // attack on the World Trade Center, to the 14th
  [2001, 9, 12],
  [2001, 9, 13],
  [2001, 9, 14],
  [2004, 6, 11], // mourning for President Reagan
  [2007, 1, 2], // mourning for President Ford
  [2012, 10, 29], // hurricane Sandy
  [2012, 10, 30],
  [2018, 12, 5], // mourning for President George H. W. Bush
  [2025, 1, 9], // mourning for President Carter
)

/** Other hours for once, announced or forced. */
const EXCEPTIONS = new Map<number, Hours>([
  [dayFromCivil(1994, 2, 11), { ...REGULAR, close: 14 * 60 + 30 }], // snow
  [dayFromCivil(1995, 12, 18), { ...REGULAR, open: 10 * 60 + 30 }], // computer trouble
  [dayFromCivil(1996, 1, 8), { open: 11 * 60, close: 14 * 60 }], // snow
  [dayFromCivil(1997, 10, 27), { ...REGULAR, close: 15 * 60 + 30 }], // circuit breaker
  [dayFromCivil(1997, 12, 26), { ...REGULAR, close: EARLY_CLOSE }],
  [dayFromCivil(2002, 9, 11), { ...REGULAR, open: 12 * 60 }], // anniversary
  [dayFromCivil(2003, 12, 26), { ...REGULAR, close: EARLY_CLOSE }],
  [dayFromCivil(2005, 6, 1), { ...REGULAR, close: 15 * 60 + 56 }], // communication failure
])

/**
 * Core hours of a day of 1993 to 2030; null when the exchange is closed. `day` is a day number of
 * engine/time.ts, the caller sees to the range.
 *
 * Certain: holidays, one-off closures, the early closes at 13:00. Less certain: 1999-12-31 (some calendars
 * have 13:00; here it is a full day) and what the exchange announces for years to come. Not modelled: openings
 * late by minutes of silence (2001-09-17, 2001-10-08, 2003-03-20, 2004-06-07, 2006-12-27), halts within a day
 * (2001-06-08, 2015-07-08, the market-wide ones of March 2020), the close at 16:15 of 2009-07-02.
 */
export function coreHours(day: number): Hours | null {
  const which = weekday(day)
  if (which === SATURDAY || which === SUNDAY || CLOSED.has(day)) return null
  const year = yearOfDay(day)
  if (holidays(year).has(day)) return null
  return (
    EXCEPTIONS.get(day) ?? (closesEarly(day, year) ? { ...REGULAR, close: EARLY_CLOSE } : REGULAR)
  )
}

const cache = new Map<number, Set<number>>()

function holidays(year: number): Set<number> {
  let found = cache.get(year)
  if (found === undefined) {
    found = new Set(ruled(year))
    cache.set(year, found)
  }
  return found
}

function ruled(year: number): number[] {
  const newYear = dayFromCivil(year, 1, 1)
  const list = [
    // On a Saturday it is not made up for: the Friday before ends a year of accounts.
    weekday(newYear) === SUNDAY ? newYear + 1 : newYear,
    nthWeekday(year, 2, MONDAY, 3),
    easter(year) - 2,
    lastWeekday(year, 5, MONDAY),
    observed(dayFromCivil(year, 7, 4)),
    nthWeekday(year, 9, MONDAY, 1),
    nthWeekday(year, 11, THURSDAY, 4),
    observed(dayFromCivil(year, 12, 25)),
  ]
  if (year >= 1998) list.push(nthWeekday(year, 1, MONDAY, 3))
  if (year >= 2022) list.push(observed(dayFromCivil(year, 6, 19)))
  return list
}

function observed(day: number): number {
  const which = weekday(day)
  return which === SATURDAY ? day - 1 : which === SUNDAY ? day + 1 : day
}

/** Asked only for days that are no holidays, as a Friday before a holiday on Saturday is. */
function closesEarly(day: number, year: number): boolean {
  if (day === nthWeekday(year, 11, THURSDAY, 4) + 1) return true
  const which = weekday(day)
  if (day === dayFromCivil(year, 12, 24)) return true
  if (year < 1995) return false
  if (day === dayFromCivil(year, 7, 3)) return which !== WEDNESDAY || year >= 2013
  // Until 2012 a Thursday's holiday shortened the Friday after it instead of the Wednesday before.
  return day === dayFromCivil(year, 7, 5) && which === FRIDAY && year < 2013
}

/** Day number of Easter Sunday, after Meeus. */
function easter(year: number): number {
  const a = year % 19
  const b = Math.floor(year / 100)
  const c = year % 100
  const d =
    (19 * a + b - Math.floor(b / 4) - Math.floor((b - Math.floor((b + 8) / 25) + 1) / 3) + 15) % 30
  const e = (32 + 2 * (b % 4) + 2 * Math.floor(c / 4) - d - (c % 4)) % 7
  const f = d + e - 7 * Math.floor((a + 11 * d + 22 * e) / 451) + 114
  return dayFromCivil(year, Math.floor(f / 31), (f % 31) + 1)
}

function days(...list: readonly [year: number, month: number, date: number][]): Set<number> {
  return new Set(list.map(([year, month, date]) => dayFromCivil(year, month, date)))
}
