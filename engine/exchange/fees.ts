import type { ExchangeSettings } from '../../schemas/types.gen.ts'
import { add, type Decimal, fromNumber, max, mul, ONE, parse, SCALE, ZERO } from '../decimal.ts'
import { regulatoryFee } from './regulatory-fees.ts'

/** Thrown when the settings of the exchange contradict themselves; the schema cannot say all of it. */
export class ExchangeSettingsError extends Error {
  override name = 'ExchangeSettingsError'
  readonly code = 'invalid_exchange_settings'
}

/** Reads a setting that must be a decimal of zero or more. Throws ExchangeSettingsError. */
export function readAmount(
  name: 'commission' | 'feePerShare' | 'feeMin' | 'borrowRate',
  text: string,
): Decimal {
  const value = parse(text)
  if (value < 0) {
    throw new ExchangeSettingsError(`exchange.${name} is ${text}: give zero or more`)
  }
  return value
}

/**
 * A rate kept as a reduced fraction, so that rate × amount stays in safe integers: 0.001 of an amount
 * is amount × 1 ÷ 1000, where nanos × nanos would need a bigint on every fill.
 */
export interface Rate {
  readonly value: Decimal
  readonly numerator: number
  readonly denominator: number
}

export function rate(value: Decimal): Rate {
  if (typeof value !== 'number' || value <= 0) return { value, numerator: 0, denominator: 1 }
  let a = SCALE
  let b = value
  while (b !== 0) {
    const rest = a % b
    a = b
    b = rest
  }
  return { value, numerator: value / a, denominator: SCALE / a }
}

/** amount × rate, rounded half to even at the ninth decimal: what `mul` gives, faster. */
export function portion(amount: Decimal, of: Rate): Decimal {
  if (of.value === ZERO) return ZERO
  if (typeof amount === 'number' && amount >= 0 && of.numerator > 0) {
    const product = amount * of.numerator
    if (Number.isSafeInteger(product)) {
      const rest = product % of.denominator
      const quotient = (product - rest) / of.denominator
      const twice = rest * 2
      const up = twice > of.denominator || (twice === of.denominator && quotient % 2 === 1)
      return up ? quotient + 1 : quotient
    }
  }
  return mul(amount, of.value)
}

/**
 * floor(share × volume) whole shares; `volume` is zero or more. Exact while volume × numerator is a safe
 * integer: a quotient of such integers below a whole number never rounds up to it.
 */
export function wholeShares(volume: number, share: Rate): Decimal {
  return fromNumber(Math.floor((volume * share.numerator) / share.denominator))
}

/**
 * What a fill costs: a fraction of its value, plus an amount per share that has a minimum, plus, on sales, the fees of
 * SEC and FINRA where they are asked for.
 */
export class Fees {
  readonly #commission: Rate
  readonly #perShare: Decimal
  readonly #minimum: Decimal
  readonly #regulatory: boolean

  /** Throws ExchangeSettingsError on a negative rate. The minimum counts only when charged per share. */
  constructor(
    settings: Pick<ExchangeSettings, 'commission' | 'feePerShare' | 'feeMin' | 'regulatoryFees'>,
  ) {
    this.#commission = rate(readAmount('commission', settings.commission))
    this.#perShare = readAmount('feePerShare', settings.feePerShare)
    const minimum = readAmount('feeMin', settings.feeMin)
    this.#minimum = this.#perShare === ZERO ? ZERO : minimum
    this.#regulatory = settings.regulatoryFees === 'us-equity'
  }

  /** Fee of one fill of `qty` shares worth `value`, on a day (a day number). */
  of(qty: Decimal, value: Decimal, buys = true, day = 0): Decimal {
    let fee = portion(value, this.#commission)
    if (this.#perShare !== ZERO) fee = add(fee, max(this.#minimum, mul(qty, this.#perShare)))
    return this.#regulatory && !buys ? add(fee, regulatoryFee(day, qty, value)) : fee
  }

  /**
   * The most whole shares whose value and fee `cash` covers, in one fill at `price`:
   * floor(cash ÷ (price × (1 + commission))), per-share fees and their minimum included. Never below 0.
   */
  affordable(cash: Decimal, price: Decimal): Decimal {
    if (cash <= 0) return ZERO
    const scale = BigInt(SCALE)
    const unit = BigInt(price) * (BigInt(ONE) + BigInt(this.#commission.value))
    if (unit <= 0n) return ZERO
    const whole = BigInt(cash) * scale
    // The fee per share is the larger of two, so both must be covered.
    let shares = whole / (unit + BigInt(this.#perShare) * scale)
    if (this.#minimum > 0) {
      const after = whole - BigInt(this.#minimum) * scale
      const most = after > 0n ? after / unit : 0n
      if (most < shares) shares = most
    }
    const nanos = shares * scale
    return nanos <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(nanos) : nanos
  }
}
