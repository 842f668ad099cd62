/**
 * Exact decimals for accounting: a whole number of nanos (1e-9) in a safe integer while it fits,
 * in a bigint when it does not. Every price, quantity and amount of money is one of these; on the
 * wire it is a decimal string. Sums and differences are exact. Products and quotients are rounded
 * half to even at the ninth decimal, which no price × whole quantity ever reaches.
 */
export type Decimal = number | bigint

export const SCALE = 1_000_000_000
const SCALE_BIG = 1_000_000_000n
const PATTERN = /^([+-]?)(\d+)(?:\.(\d+))?$/

export const ZERO: Decimal = 0
export const ONE: Decimal = SCALE

function fit(value: bigint): Decimal {
  const small = Number(value)
  return Number.isSafeInteger(small) ? small : value
}

/** Quotient of two integers rounded half to even. */
function divideEven(numerator: bigint, denominator: bigint): bigint {
  let n = numerator
  let d = denominator
  if (d < 0n) {
    n = -n
    d = -d
  }
  let quotient = n / d
  let rest = n % d
  if (rest < 0n) {
    rest += d
    quotient -= 1n
  }
  const twice = rest * 2n
  if (twice > d || (twice === d && (quotient & 1n) === 1n)) quotient += 1n
  return quotient
}

/** Thrown when a text is not a plain decimal number, such as "12.50" or "-3". */
export class DecimalError extends Error {
  override name = 'DecimalError'
}

/** Reads "123.45". More than nine decimals are rounded half to even. Throws DecimalError. */
export function parse(text: string): Decimal {
  const length = text.length
  if (length < 15 && length > 0) {
    const quick = parseShort(text)
    if (quick === quick) return quick
  }
  const match = PATTERN.exec(text)
  if (!match) throw new DecimalError(`"${text}" is not a decimal number such as 12.50`)
  const [, sign, whole = '0', fraction = ''] = match
  let value = BigInt(whole + fraction.slice(0, 9).padEnd(9, '0'))
  if (fraction.length > 9) {
    value = divideEven(BigInt(whole + fraction), 10n ** BigInt(fraction.length - 9))
  }
  return fit(sign === '-' ? -value : value)
}

/** Up to 14 characters, at most 6 digits before the point: one pass, no allocation; NaN otherwise. */
function parseShort(text: string): number {
  let index = 0
  let negative = false
  const first = text.charCodeAt(0)
  if (first === 45 || first === 43) {
    negative = first === 45
    index = 1
  }
  let digits = 0
  let value = 0
  let decimals = -1
  for (; index < text.length; index++) {
    const code = text.charCodeAt(index)
    if (code === 46) {
      if (decimals >= 0 || digits === 0) return Number.NaN
      decimals = 0
    } else if (code >= 48 && code <= 57) {
      value = value * 10 + (code - 48)
      digits++
      if (decimals >= 0) decimals++
    } else return Number.NaN
  }
  if (digits === 0 || decimals === 0 || decimals > 9) return Number.NaN
  const scaled = value * POWERS[9 - (decimals < 0 ? 0 : decimals)]!
  if (!Number.isSafeInteger(scaled)) return Number.NaN
  return negative && scaled !== 0 ? -scaled : scaled
}

const POWERS = [1, 10, 100, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9]

/** Writes the shortest exact text: "123.45", "-3", "0". */
export function format(value: Decimal): string {
  if (typeof value === 'number') {
    const negative = value < 0
    const size = negative ? -value : value
    const whole = Math.floor(size / SCALE)
    const rest = size - whole * SCALE
    const text = rest === 0 ? `${whole}` : `${whole}.${fractionText(rest)}`
    return negative ? `-${text}` : text
  }
  const negative = value < 0n
  const size = negative ? -value : value
  const rest = Number(size % SCALE_BIG)
  const text = rest === 0 ? `${size / SCALE_BIG}` : `${size / SCALE_BIG}.${fractionText(rest)}`
  return negative ? `-${text}` : text
}

function fractionText(rest: number): string {
  let digits = 9
  let value = rest
  while (value % 10 === 0) {
    value /= 10
    digits--
  }
  const text = `${value}`
  return text.length === digits ? text : text.padStart(digits, '0')
}

/** The nearest decimal to a float; a float exactly between two nanos goes up. Throws on NaN and Infinity. */
export function fromNumber(value: number): Decimal {
  const scaled = Math.round(value * SCALE)
  // Below 2^51 nanos the product's error stays under half a nano, so rounding restores the decimal that was meant.
  if (scaled < 2_251_799_813_685_248 && scaled > -2_251_799_813_685_248)
    return scaled === 0 ? 0 : scaled
  if (!Number.isFinite(value)) throw new DecimalError(`${value} is not a decimal number`)
  return parse(plain(value))
}

/** A float as plain digits, without an exponent. */
function plain(value: number): string {
  const text = String(value)
  return text.includes('e') ? BigInt(value).toString() : text
}

/** The nearest float, for indicators and statistics only. */
export function toNumber(value: Decimal): number {
  return typeof value === 'number' ? value / SCALE : Number(format(value))
}

export function add(a: Decimal, b: Decimal): Decimal {
  if (typeof a === 'number' && typeof b === 'number') {
    const sum = a + b
    if (Number.isSafeInteger(sum)) return sum
  }
  return fit(BigInt(a) + BigInt(b))
}

export function sub(a: Decimal, b: Decimal): Decimal {
  if (typeof a === 'number' && typeof b === 'number') {
    const difference = a - b
    if (Number.isSafeInteger(difference)) return difference
  }
  return fit(BigInt(a) - BigInt(b))
}

export function neg(a: Decimal): Decimal {
  return typeof a === 'number' ? (a === 0 ? 0 : -a) : fit(-a)
}

export function abs(a: Decimal): Decimal {
  return a < 0 ? neg(a) : a
}

/** Below it a float of one rounding is nearer than 2^-11 to the exact result. */
const CERTAIN = 2 ** 40

/** The whole number nearest to an inexact x, or NaN where the error might decide the rounding. */
function nearest(x: number): number {
  if (!(x < CERTAIN && x > -CERTAIN)) return Number.NaN
  const fraction = x - Math.floor(x)
  if (fraction > 0.499 && fraction < 0.501) return Number.NaN
  const whole = Math.round(x)
  return whole === 0 ? 0 : whole
}

export function mul(a: Decimal, b: Decimal): Decimal {
  if (typeof a === 'number' && typeof b === 'number') {
    // Whole factors, which nearly every quantity is, need no rounding and no bigint.
    if (b % SCALE === 0) {
      const product = a * (b / SCALE)
      if (Number.isSafeInteger(product)) return product === 0 ? 0 : product
    } else if (a % SCALE === 0) {
      const product = b * (a / SCALE)
      if (Number.isSafeInteger(product)) return product === 0 ? 0 : product
    } else {
      const quick = nearest((a * b) / SCALE)
      if (quick === quick) return quick
    }
  }
  return fit(divideEven(BigInt(a) * BigInt(b), SCALE_BIG))
}

/** a ÷ b. Throws DecimalError when b is zero. */
export function div(a: Decimal, b: Decimal): Decimal {
  if (b === 0) throw new DecimalError('division by zero')
  if (typeof a === 'number' && typeof b === 'number') {
    const quick = nearest((a / b) * SCALE)
    if (quick === quick) return quick
  }
  return fit(divideEven(BigInt(a) * SCALE_BIG, BigInt(b)))
}

/** The largest whole number of units not above a ÷ b, as a decimal. Throws when b is zero. */
export function floorDiv(a: Decimal, b: Decimal): Decimal {
  if (b === 0) throw new DecimalError('division by zero')
  const x = BigInt(a)
  const y = BigInt(b)
  let quotient = x / y
  if (x % y !== 0n && x < 0n !== y < 0n) quotient -= 1n
  return fit(quotient * SCALE_BIG)
}

/** Drops the fraction, towards zero. */
export function trunc(a: Decimal): Decimal {
  if (typeof a === 'number') {
    const whole = a - (a % SCALE)
    return whole === 0 ? 0 : whole
  }
  return fit(a - (a % SCALE_BIG))
}

export function compare(a: Decimal, b: Decimal): number {
  return a < b ? -1 : a > b ? 1 : 0
}

export function min(a: Decimal, b: Decimal): Decimal {
  return a <= b ? a : b
}

export function max(a: Decimal, b: Decimal): Decimal {
  return a >= b ? a : b
}
