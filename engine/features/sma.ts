import { type Indicator, InvalidSnapshot, SEEN, StatefulIndicator } from './indicator.ts'

const CURSOR = 2
const SUM = 3
const RING = 4

/**
 * Simple moving average of the close: (close₁ + … + closeₙ) / n over the last n bars.
 *
 * A running sum collects a rounding error at every bar and keeps it. Here the sum is computed afresh
 * from the ring, oldest slot first, each time the ring wraps: the error never outlives n bars, a
 * value depends on no bar older than 2n, and it stays a pure function of the bars fed, as the
 * moment of the wrap depends on their number alone. One addition a bar on average.
 */
export class Sma extends StatefulIndicator {
  protected override readonly firstPrice = SUM

  constructor(period: number) {
    super('sma', period, period, 2 + period)
  }

  next(_open: number, _high: number, _low: number, close: number, _volume: number): number {
    const state = this.state
    const period = this.period
    const cursor = state[CURSOR]!
    const slot = RING + cursor
    const warm = state[SEEN] === period
    const sum = state[SUM]! + (close - state[slot]!)
    state[slot] = close
    if (!warm) state[SEEN] = state[SEEN]! + 1
    if (cursor + 1 === period) {
      state[CURSOR] = 0
      return this.recount() / period
    }
    state[CURSOR] = cursor + 1
    state[SUM] = sum
    return warm ? sum / period : Number.NaN
  }

  get value(): number {
    return this.state[SEEN] === this.period ? this.state[SUM]! / this.period : Number.NaN
  }

  private recount(): number {
    const state = this.state
    const end = RING + this.period
    let sum = 0
    for (let slot = RING; slot < end; slot++) sum += state[slot]!
    state[SUM] = sum
    return sum
  }

  protected override checkOwn(state: readonly number[]): void {
    const cursor = state[CURSOR]!
    const seen = state[SEEN]!
    const whole = Number.isInteger(cursor) && cursor >= 0 && cursor < this.period
    if (!whole || (seen < this.period && cursor !== seen)) {
      throw new InvalidSnapshot(this.name, `has its cursor at ${cursor} after ${seen} bars`)
    }
  }
}

/** A cold simple moving average over `period` bars. Throws InvalidParameter. */
export function sma(period: number): Indicator {
  return new Sma(period)
}
