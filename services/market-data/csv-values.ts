/** Numbers, stamps and symbols as they stand in the bytes of a CSV file. */
import * as decimal from '../../engine/decimal.ts'

const POWERS = [1, 10, 100, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9]

/**
 * A number rounded half to even at the ninth decimal, as the float nearest to that decimal, so that
 * a bar read here equals the same bar read from decimal strings. NaN when it is not a number.
 */
export function readNumber(bytes: Uint8Array, start: number, end: number): number {
  let value = 0
  let digits = 0
  let point = -1
  for (let index = start; index < end; index++) {
    const code = bytes[index]!
    if (code >= 48 && code <= 57) {
      value = value * 10 + (code - 48)
      digits++
    } else if (code === 46 && point < 0) point = digits
    else return slowNumber(bytes, start, end)
  }
  const decimals = point < 0 ? 0 : digits - point
  // Up to 15 digits over a power of ten: both exact, so the quotient is the nearest float.
  if (digits > 0 && digits <= 15 && decimals <= 9) {
    return decimals === 0 ? value : value / POWERS[decimals]!
  }
  return slowNumber(bytes, start, end)
}

const NUMBER = /^([+-]?)(\d*)(?:\.(\d*))?(?:e([+-]?\d{1,3}))?$/i

function slowNumber(bytes: Uint8Array, start: number, end: number): number {
  const plain = plainDecimal(
    Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString('latin1'),
  )
  if (plain === undefined) return Number.NaN
  const value = decimal.toNumber(decimal.parse(plain))
  return value === 0 ? 0 : value
}

/** "1.5e3" → "1500.0": digits without an exponent; undefined when it is not a number. */
export function plainDecimal(text: string): string | undefined {
  const match = NUMBER.exec(text)
  if (!match) return undefined
  const [, sign = '', whole = '', fraction = '', exponent = '0'] = match
  if (whole.length + fraction.length === 0) return undefined
  const shift = Number(exponent)
  const point = whole.length + shift
  let digits = whole + fraction
  if (point <= 0) digits = '0'.repeat(1 - point) + digits
  const at = Math.max(point, 1)
  digits = digits.padEnd(at, '0')
  const rest = digits.slice(at)
  return `${sign}${digits.slice(0, at)}${rest && `.${rest}`}`
}

const DAY = 86_400_000

/** Formats the readers take, for messages. */
export const STAMP_REMEDY =
  'write dates as YYYY-MM-DD, times as RFC 3339 with an offset (2024-01-31T09:30:00-05:00 or …Z)'

/** Reads YYYY-MM-DD and RFC 3339 stamps; what else there is to know about the last one lies in its fields. */
export class StampReader {
  /** The last stamp named a time, not only a date. */
  hasTime = false
  /** 00:00 UTC of the date as written, ms. */
  day = 0
  /** Time of day as written, ms since midnight. */
  clock = 0
  /** Why the last stamp was not read: another format, no offset, or no such date or time. */
  fault: '' | 'format' | 'offset' | 'calendar' = ''

  /** Ms since the epoch UTC, a date counting as its 00:00 UTC; NaN with `fault` set. */
  read(bytes: Uint8Array, start: number, end: number): number {
    this.fault = ''
    this.hasTime = end - start > 10
    if (end - start < 10 || bytes[start + 4] !== 45 || bytes[start + 7] !== 45) {
      return this.#refuse('format')
    }
    const year = number(bytes, start, 4)
    const month = number(bytes, start + 5, 2)
    const date = number(bytes, start + 8, 2)
    if (year < 0 || month < 0 || date < 0) return this.#refuse('format')
    const valid = month >= 1 && month <= 12 && date >= 1 && date <= daysIn(year, month)
    this.day = daysFromEpoch(year, month, date) * DAY
    this.clock = 0
    if (!this.hasTime) return valid ? this.day : this.#refuse('calendar')
    const separator = bytes[start + 10]
    if (separator !== 84 && separator !== 116 && separator !== 32) return this.#refuse('format')
    return this.#time(bytes, start + 11, end, valid)
  }

  #time(bytes: Uint8Array, at: number, end: number, valid: boolean): number {
    const hour = number(bytes, at, 2)
    const minute = number(bytes, at + 3, 2)
    const second = number(bytes, at + 6, 2)
    const colons = bytes[at + 2] === 58 && bytes[at + 5] === 58
    if (end - at < 8 || !colons || hour < 0 || minute < 0 || second < 0) {
      return this.#refuse('format')
    }
    let next = at + 8
    let milliseconds = 0
    if (next < end && bytes[next] === 46) {
      const from = ++next
      let weight = 100
      while (next < end && bytes[next]! >= 48 && bytes[next]! <= 57) {
        milliseconds += (bytes[next++]! - 48) * weight
        weight /= 10
      }
      if (next === from) return this.#refuse('format')
      milliseconds = Math.floor(milliseconds + 1e-9)
    }
    if (next === end) return this.#refuse('offset')
    const offset = offsetMinutes(bytes, next, end)
    if (offset === undefined) return this.#refuse('format')
    if (!valid || hour > 23 || minute > 59 || second > 59 || Number.isNaN(offset)) {
      return this.#refuse('calendar')
    }
    this.clock = ((hour * 60 + minute) * 60 + second) * 1000 + milliseconds
    return this.day + this.clock - offset * 60_000
  }

  #refuse(fault: 'format' | 'offset' | 'calendar'): number {
    this.fault = fault
    return Number.NaN
  }
}

/** Minutes east of UTC; undefined when it is no offset, NaN when there is no such one. */
function offsetMinutes(bytes: Uint8Array, at: number, end: number): number | undefined {
  const code = bytes[at]
  if ((code === 90 || code === 122) && end - at === 1) return 0
  if ((code !== 43 && code !== 45) || end - at !== 6 || bytes[at + 3] !== 58) return undefined
  const hours = number(bytes, at + 1, 2)
  const minutes = number(bytes, at + 4, 2)
  if (hours < 0 || minutes < 0) return undefined
  if (hours > 23 || minutes > 59) return Number.NaN
  return (code === 45 ? -1 : 1) * (hours * 60 + minutes)
}

/** `count` digits as a whole number; -1 when one of them is not a digit. */
function number(bytes: Uint8Array, start: number, count: number): number {
  let value = 0
  for (let index = start; index < start + count; index++) {
    const digit = bytes[index]! - 48
    if (!(digit >= 0 && digit <= 9)) return -1
    value = value * 10 + digit
  }
  return value
}

function daysIn(year: number, month: number): number {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31
}

/** Days from 1970-01-01 in the Gregorian calendar: years start in March, so that a leap day comes last. */
function daysFromEpoch(year: number, month: number, date: number): number {
  const shifted = month <= 2 ? year - 1 : year
  const era = Math.floor(shifted / 400)
  const yearOfEra = shifted - era * 400
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + date - 1
  const dayOfEra =
    yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear
  return era * 146_097 + dayOfEra - 719_468
}

/** Why a stamp was not read, for a fault. */
export function stampReason(fault: StampReader['fault']): string {
  if (fault === 'calendar') return 'there is no such date or time'
  if (fault === 'offset') return `the time has no offset from UTC; ${STAMP_REMEDY}`
  return `another date format; ${STAMP_REMEDY}`
}

/** A date or an RFC 3339 stamp in a text: ms since the epoch UTC, undefined when it is neither. */
export function parseStamp(text: string): { time: number; hasTime: boolean } | undefined {
  const bytes = Buffer.from(text.trim())
  const reader = new StampReader()
  const time = reader.read(bytes, 0, bytes.length)
  return reader.fault === '' ? { time, hasTime: reader.hasTime } : undefined
}

const SYMBOL = /^[A-Z0-9][A-Z0-9/-]{0,23}(\.[A-Z0-9]{1,4})?$/

/** The text as a symbol in upper case; undefined when it cannot be one. */
export function readSymbol(text: string): string | undefined {
  const symbol = text.trim().toUpperCase()
  return SYMBOL.test(symbol) ? symbol : undefined
}
