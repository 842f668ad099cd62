/** Values of Parquet columns as those of a CSV file: by the column's type, exact to nine decimals. */
import { whole } from './csv.ts'
import type { CsvRefusal } from './csv.ts'
import { readNumber, StampReader, stampReason } from './csv-values.ts'

/** The part of a schema element that decides. */
export interface ColumnType {
  name: string
  type?: string | undefined
  repetition_type?: string | undefined
  num_children?: number | undefined
  converted_type?: string | undefined
  logical_type?:
    | { type: string; unit?: string; isAdjustedToUTC?: boolean; scale?: number }
    | undefined
  scale?: number | undefined
}

/** A stamp as read: ms since the epoch UTC, whether it names a time, its time of day, ms. */
export interface Stamp {
  time: number
  hasTime: boolean
  clock: number
}

/** A stamp, or why it is none. */
export type ReadStamp = (value: unknown) => Stamp | string

const DAY = 86_400_000
const TICKS_PER_MS: Readonly<Record<string, bigint>> = {
  MILLIS: 1n,
  MICROS: 1000n,
  NANOS: 1_000_000n,
}

/**
 * How the stamps of a column are read. `local`: they are wall clock times without an offset, which only
 * dates may be. Throws CsvRefusal for a type that names no moment.
 */
export function stampReader(column: ColumnType): { read: ReadStamp; local: boolean } {
  const { type, converted_type: converted, logical_type: logical } = column
  if (logical?.type === 'DATE' || converted === 'DATE') {
    return {
      local: false,
      read: (value) => ({ time: Number(value) * DAY, hasTime: false, clock: 0 }),
    }
  }
  const unit =
    logical?.type === 'TIMESTAMP' ? logical.unit : /^TIMESTAMP_(\w+)$/.exec(converted ?? '')?.[1]
  if (type === 'INT64' && unit !== undefined && TICKS_PER_MS[unit] !== undefined) {
    const ticks = TICKS_PER_MS[unit]
    const perMs = Number(ticks)
    return {
      local: logical?.isAdjustedToUTC === false,
      read(value) {
        const number = Number(value)
        // Division of bigints costs ten times as much; below 2^53 it is not needed.
        if (Number.isSafeInteger(number)) return moment(Math.floor(number / perMs))
        return moment(Number(floorDiv(BigInt(value as bigint), ticks)))
      },
    }
  }
  // Deprecated, but what Spark writes unless told otherwise; it means UTC by it.
  if (type === 'INT96') {
    return { local: false, read: (value) => moment(Number(floorDiv(value as bigint, 1_000_000n))) }
  }
  if (isText(column)) {
    const stamps = new StampReader()
    return {
      local: false,
      read(value) {
        const bytes = Buffer.from(String(value).trim())
        const time = stamps.read(bytes, 0, bytes.length)
        if (stamps.fault !== '') return stampReason(stamps.fault)
        return {
          time: stamps.hasTime ? time : stamps.day,
          hasTime: stamps.hasTime,
          clock: stamps.clock,
        }
      },
    }
  }
  throw typeRefusal(column, 'store it as TIMESTAMP in UTC, as DATE, or as text')
}

function moment(time: number): Stamp | string {
  if (Math.abs(time) > 8.64e15) return 'there is no such date or time'
  return { time, hasTime: true, clock: ((time % DAY) + DAY) % DAY }
}

function floorDiv(value: bigint, by: bigint): bigint {
  const quotient = value / by
  return value % by < 0n ? quotient - 1n : quotient
}

/** How the numbers of a column are read; NaN for what is none. Throws CsvRefusal for other types. */
export function numberReader(column: ColumnType): (value: unknown) => number {
  const { type, converted_type: converted, logical_type: logical } = column
  if (logical?.type === 'DECIMAL' || converted === 'DECIMAL') {
    const scale = logical?.scale ?? column.scale ?? 0
    return (value) =>
      unscaled(value instanceof Uint8Array ? signed(value) : (value as bigint), scale)
  }
  if (type === 'DOUBLE') return (value) => toNine(value as number)
  if (type === 'FLOAT') return (value) => toNine(fromSingle(value as number))
  const whole =
    (type === 'INT32' || type === 'INT64') &&
    (logical === undefined || logical.type === 'INTEGER') &&
    !/^(DATE|TIME)/.test(converted ?? '')
  if (whole) return (value) => Number(value)
  throw typeRefusal(column, 'prices and volumes are numbers: DOUBLE, FLOAT, DECIMAL or integers')
}

/** Checks that a column holds text. Throws CsvRefusal. */
export function textReader(column: ColumnType): (value: unknown) => string {
  if (!isText(column)) throw typeRefusal(column, 'store it as text')
  return String
}

function isText({ type, converted_type: converted, logical_type: logical }: ColumnType): boolean {
  if (type !== 'BYTE_ARRAY') return false
  const named = logical?.type ?? converted
  return named === undefined || ['STRING', 'UTF8', 'ENUM'].includes(named)
}

function typeRefusal(column: ColumnType, remedy: string): CsvRefusal {
  const named = column.logical_type?.type ?? column.converted_type
  const type = `${column.type ?? 'a group'}${named === undefined ? '' : ` (${named})`}`
  return whole(`column "${column.name}" is ${type}; ${remedy}`)
}

const BELOW = 2_251_799_813_685_248

/** The float nearest to the nine-decimal rounding of a float's shortest text, as a CSV of it would be read. */
export function toNine(value: number): number {
  if (Number.isInteger(value)) return value === 0 ? 0 : value
  const nanos = Math.round(value * 1e9)
  if (Math.abs(nanos) < BELOW && nanos / 1e9 === value) return value
  return read(String(value))
}

/** The shortest decimal that is the same single-precision float: what its owner meant by it. */
function fromSingle(value: number): number {
  for (let digits = 6; digits < 9; digits++) {
    const shorter = Number(value.toPrecision(digits))
    if (Math.fround(shorter) === value) return shorter
  }
  return value
}

const POWERS = [1, 10, 100, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9]

function unscaled(value: bigint | number, scale: number): number {
  const number = Number(value)
  // Both exact: the quotient is the float nearest to the decimal.
  if (scale <= 9 && Number.isSafeInteger(number)) return number / POWERS[scale]!
  const digits = String(value)
    .replace('-', '')
    .padStart(scale + 1, '0')
  const sign = value < 0 ? '-' : ''
  const point = digits.length - scale
  return read(`${sign}${digits.slice(0, point)}.${digits.slice(point)}`)
}

function read(text: string): number {
  const bytes = Buffer.from(text, 'latin1')
  return readNumber(bytes, 0, bytes.length)
}

/** A two's complement number, highest byte first. */
function signed(bytes: Uint8Array): bigint {
  let value = 0n
  for (const byte of bytes) value = (value << 8n) | BigInt(byte)
  return bytes.length > 0 && bytes[0]! >= 128 ? value - (1n << BigInt(8 * bytes.length)) : value
}
