import { type Indicator, SEEN, StatefulIndicator } from './indicator.ts'

const LAST_CLOSE = 2
/** While warming up sums, afterwards averages. */
const GAIN = 3
const LOSS = 4

/**
 * Relative strength index after Wilder: 100 × gain / (gain + loss), where gain and loss are the
 * averages of the rises and falls of the close, first as the mean of the first n changes, then
 * avgₜ = avgₜ₋₁ + (changeₜ − avgₜ₋₁) / n. It needs n + 1 bars. When the close has never moved,
 * neither side is stronger and the value is 50 (TA-Lib says 0 there, Skender's library 100).
 */
export class Rsi extends StatefulIndicator {
  override readonly inPrices = false
  private readonly weight: number

  constructor(period: number) {
    super('rsi', period, period + 1, 3)
    this.weight = 1 / period
  }

  next(_open: number, _high: number, _low: number, close: number, _volume: number): number {
    const state = this.state
    const seen = state[SEEN]!
    const change = close - state[LAST_CLOSE]!
    state[LAST_CLOSE] = close
    // Exact, and without a branch: the direction of a close is what no processor can predict.
    const rise = (Math.abs(change) + change) / 2
    const fall = rise - change
    let gain = state[GAIN]!
    let loss = state[LOSS]!
    if (seen > this.period) {
      gain = (rise - gain) * this.weight + gain
      loss = (fall - loss) * this.weight + loss
    } else {
      state[SEEN] = seen + 1
      if (seen === 0) return Number.NaN
      gain += rise
      loss += fall
      if (seen < this.period) {
        state[GAIN] = gain
        state[LOSS] = loss
        return Number.NaN
      }
      gain /= this.period
      loss /= this.period
    }
    state[GAIN] = gain
    state[LOSS] = loss
    return strength(gain, loss)
  }

  get value(): number {
    const state = this.state
    return state[SEEN]! > this.period ? strength(state[GAIN]!, state[LOSS]!) : Number.NaN
  }
}

/** A cold relative strength index over `period` bars. Throws InvalidParameter. */
export function rsi(period: number): Indicator {
  return new Rsi(period)
}

function strength(gain: number, loss: number): number {
  const total = gain + loss
  return total > 0 ? 100 * (gain / total) : 50
}
