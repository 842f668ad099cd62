const DAY_MS = 86_400_000

/**
 * Drawdown of a marked-to-market equity, one bar at a time, in constant memory.
 *
 * drawdownₜ = equityₜ / peakₜ − 1 with peakₜ = max(initial equity, equity₁ … equityₜ), so a loss on
 * the first bar counts. Time under water runs from the last bar at the peak to the first bar back
 * at it, or to the last bar when that has not come.
 *
 * Feed one equity per time: with several symbols, after the last of them is marked, or the half
 * marked portfolio shows drawdowns that never were.
 */
export class Drawdown {
  private top: number
  private topTime: number
  private lastTime: number
  private deepest = 0
  private longest = 0
  private deepestIntraday = 0
  private fedIntraday = false
  private submerged = false

  /** `initial`: equity at the start, above zero. `time`: its time in ms, the first bar's if unknown. */
  constructor(initial: number, time = Number.NaN) {
    if (!(initial > 0 && initial < Number.POSITIVE_INFINITY)) {
      throw new RangeError(`initial equity must be above zero, not ${initial}`)
    }
    this.top = initial
    this.topTime = time
    this.lastTime = time
  }

  /** Takes the equity at a bar's close; `time` in ms, never decreasing. Throws RangeError. */
  update(time: number, equity: number): void {
    // Also false for the NaN of an unknown start, and never again after the first bar.
    if (!(time >= this.lastTime)) this.begin(time)
    this.lastTime = time
    if (equity >= this.top) {
      if (equity === Number.POSITIVE_INFINITY) throw notANumber(equity)
      const wet = time - this.topTime
      // A bar at the peak right after another is not time under water.
      if (this.submerged && wet > this.longest) this.longest = wet
      this.submerged = false
      this.top = equity
      this.topTime = time
      return
    }
    this.submerged = true
    const depth = equity / this.top - 1
    if (!(depth < 0 && depth > Number.NEGATIVE_INFINITY)) throw notANumber(equity)
    if (depth < this.deepest) this.deepest = depth
  }

  /**
   * Takes the equity marked at the worst price within the bar, before `update` takes its close: the
   * peak it is held against is that of the closes before. Optional; feeds `maxIntraday`.
   */
  updateWorst(equity: number): void {
    this.fedIntraday = true
    const depth = equity / this.top - 1
    if (!Number.isFinite(depth)) throw notANumber(equity)
    if (depth < this.deepestIntraday) this.deepestIntraday = depth
  }

  /** Highest equity so far, the initial included. */
  get peak(): number {
    return this.top
  }

  /** Deepest drawdown at a close, a negative fraction; 0 when the equity never fell. */
  get max(): number {
    return this.deepest
  }

  /** Deepest drawdown within a bar or at its close; null when no `updateWorst` was fed. */
  get maxIntraday(): number | null {
    if (!this.fedIntraday) return null
    return this.deepestIntraday < this.deepest ? this.deepestIntraday : this.deepest
  }

  /** Longest time under water in days, an open one included; whole for daily bars. */
  get maxDays(): number {
    const open = this.submerged ? this.lastTime - this.topTime : 0
    return (open > this.longest ? open : this.longest) / DAY_MS
  }

  /** What is known so far, to go on with by itself. */
  copy(): Drawdown {
    return Object.assign(new Drawdown(this.top), this)
  }

  private begin(time: number): void {
    if (Number.isNaN(time)) throw new RangeError('bar without a time')
    if (time < this.lastTime)
      throw new RangeError(`time runs back from ${this.lastTime} to ${time}`)
    this.topTime = time
  }
}

function notANumber(equity: number): RangeError {
  return new RangeError(`equity must be a finite number, not ${equity}`)
}
