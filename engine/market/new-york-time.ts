/** New York's wall clock by arithmetic: the engine has no time zone database. */
import { DAY_MS, dayFromCivil, dayNumber, formatDay } from '../time.ts'

const HOUR_MS = 3_600_000
export const STANDARD_OFFSET_MS = -5 * HOUR_MS
export const DAYLIGHT_OFFSET_MS = -4 * HOUR_MS

/** First year of the rules below: the law of 1986. */
export const FIRST_RULED_YEAR = 1987

/** 0 = Sunday … 6 = Saturday. */
export function weekday(day: number): number {
  return (((day + 4) % 7) + 7) % 7
}

/** Day number of the nth (from 1) weekday of a month. */
export function nthWeekday(year: number, month: number, which: number, nth: number): number {
  const first = dayFromCivil(year, month, 1)
  return first + ((which - weekday(first) + 7) % 7) + 7 * (nth - 1)
}

/** Day number of the last given weekday of a month. */
export function lastWeekday(year: number, month: number, which: number): number {
  const next = month === 12 ? dayFromCivil(year + 1, 1, 1) : dayFromCivil(year, month + 1, 1)
  return next - 1 - ((weekday(next - 1) - which + 7) % 7)
}

export function yearOfDay(day: number): number {
  return Number(formatDay(day).slice(0, 4))
}

interface DaylightYear {
  /** First and last millisecond boundary of daylight saving time, ms UTC: clocks change at 2:00 local. */
  begins: number
  ends: number
}

const years = new Map<number, DaylightYear>()

/**
 * Daylight saving time of a year. 1987 to 2006 from the first Sunday of April to the last of October; since
 * 2007 from the second Sunday of March to the first of November, assumed to stay.
 */
export function daylightTime(year: number): DaylightYear {
  const known = years.get(year)
  if (known !== undefined) return known
  const first = year < 2007 ? nthWeekday(year, 4, 0, 1) : nthWeekday(year, 3, 0, 2)
  const last = year < 2007 ? lastWeekday(year, 10, 0) : nthWeekday(year, 11, 0, 1)
  const found = {
    begins: first * DAY_MS + 2 * HOUR_MS - STANDARD_OFFSET_MS,
    ends: last * DAY_MS + 2 * HOUR_MS - DAYLIGHT_OFFSET_MS,
  }
  years.set(year, found)
  return found
}

/** New York's distance from UTC at a moment, ms: −5 h, or −4 h in summer. Throws RangeError before 1987. */
export function newYorkOffset(ms: number): number {
  const year = yearOfDay(dayNumber(ms + STANDARD_OFFSET_MS))
  if (!(year >= FIRST_RULED_YEAR)) {
    throw new RangeError(`New York's time is known since ${FIRST_RULED_YEAR}, not at ${ms} ms`)
  }
  const { begins, ends } = daylightTime(year)
  return ms >= begins && ms < ends ? DAYLIGHT_OFFSET_MS : STANDARD_OFFSET_MS
}

/** Day number of the date that a clock in New York shows. */
export function newYorkDay(ms: number): number {
  return dayNumber(ms + newYorkOffset(ms))
}

/** New York's 00:00 of a date, ms UTC: the clock never changes at midnight. */
export function newYorkMidnight(day: number): number {
  const standard = day * DAY_MS - STANDARD_OFFSET_MS
  const summer = day * DAY_MS - DAYLIGHT_OFFSET_MS
  return newYorkOffset(summer) === DAYLIGHT_OFFSET_MS ? summer : standard
}
