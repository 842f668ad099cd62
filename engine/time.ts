/** Calendar arithmetic on milliseconds since the epoch, UTC, without Date: the engine reads no clock. */

export const DAY_MS = 86_400_000

/** Number of the UTC day, 0 = 1970-01-01. */
export function dayNumber(ms: number): number {
  return Math.floor(ms / DAY_MS)
}

/**
 * The trading day that a moment of engine time belongs to. A bar is stamped at its end, and a daily bar
 * ends at the first millisecond of the next date, so the moment itself still counts to the day before.
 */
export function tradingDay(at: number): number {
  return Math.floor((at - 1) / DAY_MS)
}

let cachedDay = Number.NaN
let cachedDate = ''

/** "2013-05-13" for a day number. */
export function formatDay(day: number): string {
  if (day === cachedDay) return cachedDate
  // Civil date from days, with years starting in March so that the leap day comes last.
  const shifted = day + 719_468
  const era = Math.floor(shifted / 146_097)
  const dayOfEra = shifted - era * 146_097
  const yearOfEra = Math.floor(
    (dayOfEra -
      Math.floor(dayOfEra / 1460) +
      Math.floor(dayOfEra / 36_524) -
      Math.floor(dayOfEra / 146_096)) /
      365,
  )
  const dayOfYear =
    dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100))
  const shiftedMonth = Math.floor((5 * dayOfYear + 2) / 153)
  const date = dayOfYear - Math.floor((153 * shiftedMonth + 2) / 5) + 1
  const month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
  const year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
  cachedDay = day
  cachedDate = `${String(year).padStart(4, '0')}-${two(month)}-${two(date)}`
  return cachedDate
}

function two(value: number): string {
  return value < 10 ? `0${value}` : `${value}`
}

/** A stamp has four digits for the year. */
const YEAR_0 = -62_167_219_200_000
const YEAR_10000 = 253_402_300_800_000

let cachedMs = Number.NaN
let cachedTime = ''

/** "2013-05-13T00:00:00Z", with milliseconds only where there are any. */
export function formatTime(ms: number): string {
  // The events of one bar carry the same few moments over and over.
  if (ms !== cachedMs) {
    cachedTime = writeTime(ms)
    cachedMs = ms
    // Reading back what was just written is the other half of the same habit.
    if (ms >= YEAR_0 && ms < YEAR_10000) {
      parsedText = cachedTime
      parsedMs = ms
    }
  }
  return cachedTime
}

function writeTime(ms: number): string {
  const day = Math.floor(ms / DAY_MS)
  const rest = ms - day * DAY_MS
  if (rest === 0) return `${formatDay(day)}T00:00:00Z`
  const hours = Math.floor(rest / 3_600_000)
  const minutes = Math.floor(rest / 60_000) % 60
  const seconds = Math.floor(rest / 1000) % 60
  const millis = rest % 1000
  const fraction = millis === 0 ? '' : `.${String(millis).padStart(3, '0')}`
  return `${formatDay(day)}T${two(hours)}:${two(minutes)}:${two(seconds)}${fraction}Z`
}

/** Day number of a civil date; no check that the date exists. */
export function dayFromCivil(year: number, month: number, date: number): number {
  const shiftedYear = month <= 2 ? year - 1 : year
  const era = Math.floor(shiftedYear / 400)
  const yearOfEra = shiftedYear - era * 400
  const dayOfYear = Math.floor((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5) + date - 1
  const dayOfEra =
    yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear
  return era * 146_097 + dayOfEra - 719_468
}

const STAMP =
  /^(\d{4})-(\d{2})-(\d{2})(?:[T ](\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?(Z|[+-]\d{2}:?\d{2})?)?$/

let parsedText = ''
let parsedMs = Number.NaN

/** Reads a date or an RFC 3339 stamp into ms; a date means its 00:00 UTC. NaN when it is neither, or does not exist. */
export function parseTime(text: string): number {
  if (text !== parsedText) {
    parsedMs = readTime(text)
    parsedText = text
  }
  return parsedMs
}

function readTime(text: string): number {
  const match = STAMP.exec(text)
  if (!match) return Number.NaN
  const [, y, mo, d, h, mi, s, fraction, zone] = match
  const year = Number(y)
  const month = Number(mo)
  const date = Number(d)
  const day = dayFromCivil(year, month, date)
  if (formatDay(day) !== `${y}-${mo}-${d}`) return Number.NaN
  if (h === undefined) return day * DAY_MS
  if (zone === undefined) return Number.NaN
  const hours = Number(h)
  const minutes = Number(mi)
  const seconds = Number(s ?? 0)
  if (hours > 23 || minutes > 59 || seconds > 59) return Number.NaN
  const millis = fraction === undefined ? 0 : Number(fraction.slice(0, 3).padEnd(3, '0'))
  let offset = 0
  if (zone !== 'Z') {
    const sign = zone[0] === '-' ? -1 : 1
    const digits = zone.slice(1).replace(':', '')
    if (Number(digits.slice(0, 2)) > 23 || Number(digits.slice(2, 4)) > 59) return Number.NaN
    offset = sign * (Number(digits.slice(0, 2)) * 60 + Number(digits.slice(2, 4))) * 60_000
  }
  return day * DAY_MS + hours * 3_600_000 + minutes * 60_000 + seconds * 1000 + millis - offset
}

const DURATION = /^P(?=.)(?:(\d+)D)?(?:T(?=.)(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?$/

/** Reads an ISO 8601 duration of days, hours, minutes and seconds into ms; NaN when it is none. */
export function parseDuration(text: string): number {
  const match = DURATION.exec(text)
  if (!match) return Number.NaN
  const [, days = '0', hours = '0', minutes = '0', seconds = '0'] = match
  return (
    Number(days) * DAY_MS +
    Number(hours) * 3_600_000 +
    Number(minutes) * 60_000 +
    Math.round(Number(seconds) * 1000)
  )
}
