import { type Indicator, SEEN, StatefulIndicator } from './indicator.ts'

/** While warming up the sum of the closes, afterwards the average. */
const AVERAGE = 2

/**
 * Exponential moving average of the close: emaₜ = emaₜ₋₁ + k (closeₜ − emaₜ₋₁), k = 2 / (n + 1),
 * its first value the mean of the first n closes, as in TA-Lib and Skender's library.
 */
export class Ema extends StatefulIndicator {
  private readonly weight: number

  constructor(period: number) {
    super('ema', period, period, 1)
    this.weight = 2 / (period + 1)
  }

  next(_open: number, _high: number, _low: number, close: number, _volume: number): number {
    const state = this.state
    const average = state[AVERAGE]!
    const seen = state[SEEN]!
    if (seen === this.period) {
      const value = (close - average) * this.weight + average
      state[AVERAGE] = value
      return value
    }
    const sum = average + close
    state[SEEN] = seen + 1
    if (seen + 1 < this.period) {
      state[AVERAGE] = sum
      return Number.NaN
    }
    const seed = sum / this.period
    state[AVERAGE] = seed
    return seed
  }

  get value(): number {
    return this.state[SEEN] === this.period ? this.state[AVERAGE]! : Number.NaN
  }
}

/** A cold exponential moving average over `period` bars. Throws InvalidParameter. */
export function ema(period: number): Indicator {
  return new Ema(period)
}
