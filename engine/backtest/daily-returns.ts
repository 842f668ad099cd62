/** First size of the buffer, in days; it doubles. */
const FIRST_CAPACITY = 512

/**
 * Equity at each session close and the turnover of each day, from per-bar input. Memory grows with
 * days, 8 bytes each, never with bars.
 *
 * A return belongs to two consecutive session closes: rₜ = equityₜ / equityₜ₋₁ − 1, so n sessions
 * give n − 1 returns. What happens before the first close is in the total return and the drawdown,
 * which start from the initial equity, but is no daily return: there is no close before it.
 */
export class DailyReturns {
  private closes = new Float64Array(FIRST_CAPACITY)
  private count = 0
  private day = Number.NEGATIVE_INFINITY
  private last = 0
  /** Traded on the current day, and ahead of its first bar on the next one. */
  private tradedToday = 0
  private tradedNext = 0
  private turnoverSum = 0

  /**
   * Takes the equity after a bar; the last one of a day is its session close. `day` is the number
   * of the trading day, never decreasing. Throws RangeError.
   */
  update(day: number, equity: number): void {
    if (day !== this.day) this.begin(day)
    this.last = equity
  }

  /**
   * Takes the money traded by a fill, price × quantity, above zero. A fill may come before the
   * first bar of its day, as the fills at an open do, but not for a day already past.
   */
  traded(day: number, notional: number): void {
    if (day === this.day) this.tradedToday += notional
    else if (day > this.day) this.tradedNext += notional
    else throw new RangeError(`fill on day ${day} after day ${this.day} began`)
  }

  /** Number of sessions seen. */
  get sessions(): number {
    return this.day === Number.NEGATIVE_INFINITY ? 0 : this.count + 1
  }

  /** Equity after the last bar, NaN before the first. */
  get equity(): number {
    return this.day === Number.NEGATIVE_INFINITY ? Number.NaN : this.last
  }

  /** Mean over the days of traded notional / equity at the close; null without a day or equity. */
  get turnover(): number | null {
    const sessions = this.sessions
    if (sessions === 0) return null
    const mean = (this.turnoverSum + this.tradedToday / this.last) / sessions
    return Number.isFinite(mean) && mean >= 0 ? mean : null
  }

  /**
   * The daily returns in order of time, a fresh array. Null when the equity touched zero or less
   * before the last close, as no return can be formed from there, or was not a number.
   */
  returns(): Float64Array | null {
    const size = Math.max(0, this.sessions - 1)
    const returns = new Float64Array(size)
    for (let i = 0; i < size; i++) {
      const before = this.closes[i]!
      const after = i + 1 < this.count ? this.closes[i + 1]! : this.last
      const value = after / before - 1
      if (!(before > 0) || !Number.isFinite(value)) return null
      returns[i] = value
    }
    return returns
  }

  private begin(day: number): void {
    if (!(day > this.day)) throw new RangeError(`trading day runs back from ${this.day} to ${day}`)
    if (this.day !== Number.NEGATIVE_INFINITY) {
      if (this.tradedToday !== 0) this.turnoverSum += this.tradedToday / this.last
      if (this.count === this.closes.length) {
        const larger = new Float64Array(this.count * 2)
        larger.set(this.closes)
        this.closes = larger
      }
      this.closes[this.count++] = this.last
    }
    this.day = day
    this.tradedToday = this.tradedNext
    this.tradedNext = 0
  }
}
