import { type Indicator, SEEN, StatefulIndicator } from './indicator.ts'

const LAST_CLOSE = 2
/** While warming up the sum of the true ranges, afterwards their average. */
const RANGE = 3

/**
 * Average true range after Wilder. The true range of a bar is max(high, last close) − min(low, last
 * close), so the first bar has none; the first value is the mean of n true ranges, then
 * atrₜ = atrₜ₋₁ + (trₜ − atrₜ₋₁) / n. It needs n + 1 bars, as in TA-Lib and Skender's library.
 */
export class Atr extends StatefulIndicator {
  private readonly weight: number

  constructor(period: number) {
    super('atr', period, period + 1, 2)
    this.weight = 1 / period
  }

  next(_open: number, high: number, low: number, close: number, _volume: number): number {
    const state = this.state
    const seen = state[SEEN]!
    const last = state[LAST_CLOSE]!
    state[LAST_CLOSE] = close
    const range = Math.max(high, last) - Math.min(low, last)
    const average = state[RANGE]!
    if (seen > this.period) {
      const value = (range - average) * this.weight + average
      state[RANGE] = value
      return value
    }
    state[SEEN] = seen + 1
    if (seen === 0) return Number.NaN
    const sum = average + range
    if (seen < this.period) {
      state[RANGE] = sum
      return Number.NaN
    }
    const seed = sum / this.period
    state[RANGE] = seed
    return seed
  }

  get value(): number {
    return this.state[SEEN]! > this.period ? this.state[RANGE]! : Number.NaN
  }
}

/** A cold average true range over `period` bars. Throws InvalidParameter. */
export function atr(period: number): Indicator {
  return new Atr(period)
}
