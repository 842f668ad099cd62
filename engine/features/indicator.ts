/**
 * An indicator that is computed one bar at a time. Live, backtest and training share this one path,
 * so they see the same bits.
 *
 * All indicators take a whole bar, so that a feature set drives them uniformly; each uses what it
 * needs. Inputs are finite numbers: bars are validated where they enter, and a NaN would stay in a
 * recursive indicator for ever.
 *
 * ```ts
 * const fast = new Sma(10)
 * for (const bar of bars) {
 *   const value = fast.next(bar.open, bar.high, bar.low, bar.close, bar.volume)
 *   if (value === value) use(value) // NaN until `warmup` bars have been seen
 * }
 * ```
 */
export interface Indicator {
  /** Kind and parameters, such as `sma_20`. */
  readonly name: string
  /** Number of bars up to and including the first with a value; `next` answers NaN before it. */
  readonly warmup: number
  /** Takes one bar, answers the new value. Amortised O(1), allocates nothing. */
  next(open: number, high: number, low: number, close: number, volume: number): number
  /** The value of the last bar, NaN until warm. */
  readonly value: number
  /** The whole state as finite numbers, so it survives JSON unchanged. */
  snapshot(): readonly number[]
  /** Continues from a snapshot: later values are bit-identical. Throws InvalidSnapshot. */
  restore(state: readonly number[]): void
  /**
   * Goes on as if every price so far had been `factor` times what it was: a split or a dividend changes what a price
   * means, and the bars to come are raw. The factor is above zero.
   */
  scale(factor: number): void
  /** Whether the value is an amount of money, which such a factor changes too. */
  readonly inPrices: boolean
}

export const MIN_PERIOD = 1
export const MAX_PERIOD = 100_000

/** Thrown when an indicator is asked for with a parameter outside its allowed range. */
export class InvalidParameter extends Error {
  override name = 'InvalidParameter'
  readonly code = 'invalid_parameter'
  readonly indicator: string
  readonly parameter: string
  /** The range in words, such as "a whole number from 1 to 100000". */
  readonly allowed: string

  constructor(indicator: string, parameter: string, allowed: string, given: unknown) {
    super(`${indicator}: ${parameter} must be ${allowed}, not ${String(given)}`)
    this.indicator = indicator
    this.parameter = parameter
    this.allowed = allowed
  }
}

/** Thrown when a snapshot belongs to another indicator or period, or is damaged. */
export class InvalidSnapshot extends Error {
  override name = 'InvalidSnapshot'
  readonly code = 'invalid_snapshot'
  readonly indicator: string

  constructor(indicator: string, reason: string) {
    super(`${indicator}: snapshot ${reason}; rebuild the indicator by replaying its bars`)
    this.indicator = indicator
  }
}

/** The period itself when it is a whole number from 1 to 100000. Throws InvalidParameter. */
export function checkedPeriod(indicator: string, period: number): number {
  if (Number.isInteger(period) && period >= MIN_PERIOD && period <= MAX_PERIOD) return period
  const allowed = `a whole number from ${MIN_PERIOD} to ${MAX_PERIOD}`
  throw new InvalidParameter(indicator, 'period', allowed, period)
}

/** Slots that every state begins with. */
export const PERIOD = 0
/** Bars seen; stops growing at `warmup`, so that it never loses precision. */
export const SEEN = 1

/**
 * Keeps the state of one indicator in one Float64Array: `[period, seen, …own slots]`. The period
 * lies in the state because two periods can have states of one length, and a snapshot restored
 * into the wrong one would give wrong values without a sound.
 */
export abstract class StatefulIndicator implements Indicator {
  readonly name: string
  readonly warmup: number
  protected readonly period: number
  protected readonly state: Float64Array
  /** Whether the value is an amount of money; the others compare prices with each other. */
  readonly inPrices: boolean = true
  /** From this slot on, all are amounts of money. */
  protected readonly firstPrice: number = 2

  constructor(kind: string, period: number, warmup: number, ownSlots: number) {
    this.period = checkedPeriod(kind, period)
    this.name = `${kind}_${period}`
    this.warmup = warmup
    this.state = new Float64Array(2 + ownSlots)
    this.state[PERIOD] = period
  }

  abstract next(open: number, high: number, low: number, close: number, volume: number): number
  abstract get value(): number

  snapshot(): readonly number[] {
    return Array.from(this.state)
  }

  scale(factor: number): void {
    for (let slot = this.firstPrice; slot < this.state.length; slot++) this.state[slot]! *= factor
  }

  restore(state: readonly number[]): void {
    const expected = this.state.length
    if (state.length !== expected) {
      throw new InvalidSnapshot(this.name, `has ${state.length} numbers, not ${expected}`)
    }
    if (state[PERIOD] !== this.period) {
      throw new InvalidSnapshot(this.name, `is of period ${state[PERIOD]}`)
    }
    if (!state.every(Number.isFinite)) throw new InvalidSnapshot(this.name, 'has a missing number')
    const seen = state[SEEN]!
    if (!Number.isInteger(seen) || seen < 0 || seen > this.warmup) {
      throw new InvalidSnapshot(this.name, `says ${seen} bars of warm-up, of ${this.warmup}`)
    }
    this.checkOwn(state)
    this.state.set(state)
  }

  /** Refuses own slots that no sequence of bars leads to. */
  protected checkOwn(_state: readonly number[]): void {}
}
