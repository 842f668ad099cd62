import { add, div, format, fromNumber, toNumber } from '../decimal.ts'
import type { DailyReturns } from './daily-returns.ts'
import type { Drawdown } from './drawdown.ts'
import type { RoundTrips } from '../portfolio/round-trips.ts'

/** Trading days of a year, the N of the formulas below. */
export const PERIODS_PER_YEAR = 252
/** A standard deviation needs two values; below, every figure of the daily returns is null. */
export const MIN_RETURNS = 2
/** The estimators of skewness and kurtosis are undefined for fewer returns. */
export const MIN_RETURNS_PSR = 4

const DAY_MS = 86_400_000
const TAIL = 0.05

/**
 * The `returns` block of summary.json. Full-precision floats; null where undefined (too few
 * samples, division by zero), never 0, NaN or Infinity in its place.
 *
 * E₀ is the initial equity, E_T the equity marked at the last close, r the T daily returns between
 * session closes (see DailyReturns), rf = 0, N = 252, std with ddof = 1.
 */
export interface ReturnsSummary {
  /** E_T / E₀ − 1 */
  total: number | null
  /** (E_T / E₀)^(365.25 / calendar days) − 1; null when E_T is below zero */
  cagr: number | null
  /** std(r) · √N */
  volatility: number | null
  /** mean(r) / std(r) · √N */
  sharpe: number | null
  /** mean(r) / √(Σ min(r, 0)² / T) · √N: all T in the denominator, not the losing days alone */
  sortino: number | null
  /** cagr / |maxDrawdown| */
  calmar: number | null
  /** min over the closes of equity / peak − 1, zero or negative, the peak seeded with E₀ */
  maxDrawdown: number
  /** The same against the worst price within each bar; only where bars allow. */
  maxDrawdownIntraday?: number
  /** Longest time from a peak to the return to it, in days, an open one included. */
  maxDrawdownDays: number
  /** Historical 1-day value at risk: the 5th percentile of r, linear interpolation; a loss is negative. */
  var95: number | null
  /** Mean of the ⌊(T − 1) · 0.05⌋ + 1 worst r; a loss is negative. */
  cvar95: number | null
  /** Probability that the true Sharpe ratio is above zero: see probabilisticSharpe. */
  psr: number | null
  /** Share of the bars at whose close a position was held. */
  exposure: number | null
  /** Mean over the days of traded notional / equity at the close. */
  turnover: number | null
}

/** The `trades` block of summary.json, of closed round trips, net of fees. */
export interface TradesSummary {
  count: number
  /** Lots still open at the end: in no other figure of this block. */
  open: number
  /** Trades with a pnl above zero / count: breaking even is no win. */
  winRate: number | null
  /** Σ winning pnl / |Σ losing pnl|, in currency; null when nothing was lost. */
  profitFactor: number | null
  /** Mean pnl, a decimal string. */
  expectancy: string | null
  /** Highest and lowest return of a trade. */
  best: number | null
  worst: number | null
  avgHoldDays: number | null
  /** Bars in which the order of events within the bar had to be assumed. */
  ambiguousBars: number
}

/** What a run has measured on its way. */
export interface Measured {
  initialEquity: number
  /** Times of the first and the last bar, ms; ignored when there was no bar. */
  from: number
  to: number
  bars: number
  /** Bars at whose close any position was held. */
  barsInPosition: number
  ambiguousBars: number
  daily: DailyReturns
  drawdown: Drawdown
  roundTrips: RoundTrips
}

/** The figures of a finished run, or of one under way. Pure: it may be called at any time. */
export function summarize(run: Measured): { returns: ReturnsSummary; trades: TradesSummary } {
  return { returns: returnsSummary(run), trades: tradesSummary(run) }
}

function returnsSummary(run: Measured): ReturnsSummary {
  const growth = run.daily.equity / run.initialEquity
  const cagr = annualGrowth(growth, (run.to - run.from) / DAY_MS)
  const daily = run.daily.returns()
  const shape = daily === null || daily.length < MIN_RETURNS ? null : momentsOf(daily)
  const tail = daily === null || daily.length < MIN_RETURNS ? null : tailOf(daily)
  const year = Math.sqrt(PERIODS_PER_YEAR)
  const maxDrawdown = run.drawdown.max
  const maxDrawdownIntraday = run.drawdown.maxIntraday
  return {
    total: defined(growth - 1),
    cagr,
    volatility: shape && defined(shape.std * year),
    sharpe: shape && ratio(shape.mean * year, shape.std),
    sortino: shape && ratio(shape.mean * year, shape.downside),
    calmar: cagr === null ? null : ratio(cagr, -maxDrawdown),
    maxDrawdown,
    ...(maxDrawdownIntraday === null ? {} : { maxDrawdownIntraday }),
    maxDrawdownDays: run.drawdown.maxDays,
    var95: tail && defined(tail.percentile),
    cvar95: tail && defined(tail.mean),
    psr: shape && psrOf(shape),
    exposure: ratio(run.barsInPosition, run.bars),
    turnover: run.daily.turnover,
  }
}

function tradesSummary(run: Measured): TradesSummary {
  const totals = run.roundTrips.totals
  const net = add(totals.grossProfit, totals.grossLoss)
  return {
    count: totals.count,
    open: run.roundTrips.openCount,
    winRate: ratio(totals.wins, totals.count),
    profitFactor: ratio(toNumber(totals.grossProfit), -toNumber(totals.grossLoss)),
    expectancy: totals.count === 0 ? null : format(div(net, fromNumber(totals.count))),
    best: totals.best,
    worst: totals.worst,
    avgHoldDays: ratio(totals.holdMs / DAY_MS, totals.count),
    ambiguousBars: run.ambiguousBars,
  }
}

/** growth^(365.25 / days) − 1; null for no time, a negative growth or one too large to annualise. */
export function annualGrowth(growth: number, days: number): number | null {
  return growth >= 0 && days > 0 ? defined(growth ** (365.25 / days) - 1) : null
}

/** Shape of a sample. */
export interface Moments {
  size: number
  mean: number
  /** Sample standard deviation, ddof = 1. */
  std: number
  /** √(Σ min(x, 0)² / size) */
  downside: number
  /**
   * Skewness, corrected for the bias of a sample as std is:
   * m₃ / m₂^1.5 · √(n (n − 1)) / (n − 2). NaN below four values or when all are equal.
   */
  skew: number
  /**
   * Raw kurtosis, 3 for a normal distribution, corrected likewise, with g = m₄ / m₂² − 3:
   * ((n + 1) g + 6) (n − 1) / ((n − 2)(n − 3)) + 3. NaN below four values or when all are equal.
   */
  kurtosis: number
}

/** Two passes: sums of squares around zero lose the digits of small deviations. */
export function momentsOf(sample: Float64Array): Moments {
  const size = sample.length
  let sum = 0
  let below = 0
  let largest = 0
  for (let i = 0; i < size; i++) {
    const x = sample[i]!
    sum += x
    if (x < 0) below += x * x
    largest = Math.max(largest, Math.abs(x))
  }
  const mean = sum / size
  let square = 0
  let cube = 0
  let fourth = 0
  for (let i = 0; i < size; i++) {
    const d = sample[i]! - mean
    const dd = d * d
    square += dd
    cube += dd * d
    fourth += dd * dd
  }
  const std = Math.sqrt(square / (size - 1))
  const downside = Math.sqrt(below / size)
  // Equal values leave a deviation of rounding errors only; as a divisor it would make a huge ratio.
  if (!(std > largest * 1e-12)) {
    return { size, mean, std: 0, downside, skew: Number.NaN, kurtosis: Number.NaN }
  }
  if (size < MIN_RETURNS_PSR) {
    return { size, mean, std, downside, skew: Number.NaN, kurtosis: Number.NaN }
  }
  const variance = square / size
  const skew = cube / size / variance ** 1.5
  const excess = fourth / size / (variance * variance) - 3
  return {
    size,
    mean,
    std,
    downside,
    skew: (skew * Math.sqrt(size * (size - 1))) / (size - 2),
    kurtosis: (((size + 1) * excess + 6) * (size - 1)) / ((size - 2) * (size - 3)) + 3,
  }
}

function tailOf(sample: Float64Array): { percentile: number; mean: number } {
  const sorted = sample.slice().sort()
  const rank = (sorted.length - 1) * TAIL
  const below = Math.floor(rank)
  const low = sorted[below]!
  const high = sorted[Math.min(below + 1, sorted.length - 1)]!
  let sum = 0
  for (let i = 0; i <= below; i++) sum += sorted[i]!
  return { percentile: low + (high - low) * (rank - below), mean: sum / (below + 1) }
}

function psrOf(shape: Moments): number | null {
  if (Number.isNaN(shape.skew)) return null
  return probabilisticSharpe(shape.mean / shape.std, shape.size, shape.skew, shape.kurtosis)
}

/**
 * Probabilistic Sharpe ratio (Bailey and López de Prado):
 * Φ((SR − SR*) √(T − 1) / √(1 − γ₃ SR + (γ₄ − 1) / 4 · SR²)), with SR per period, not annualised, and
 * γ₄ the raw kurtosis, 3 for a normal distribution. Null when the root has no real value.
 */
export function probabilisticSharpe(
  sharpe: number,
  size: number,
  skew: number,
  kurtosis: number,
  benchmark = 0,
): number | null {
  const spread = 1 - skew * sharpe + ((kurtosis - 1) / 4) * sharpe * sharpe
  if (!(spread > 0) || size < 2) return null
  return defined(normalCdf(((sharpe - benchmark) * Math.sqrt(size - 1)) / Math.sqrt(spread)))
}

const HART_UP = [
  220.206867912376, 221.213596169931, 112.079291497871, 33.912866078383, 6.37396220353165,
  0.700383064443688, 3.52624965998911e-2,
]
const HART_DOWN = [
  440.413735824752, 793.826512519948, 637.333633378831, 296.564248779674, 86.7807322029461,
  16.064177579207, 1.75566716318264, 8.83883476483184e-2,
]

/** Standard normal distribution function after Hart and West, absolute error below 1e-14. */
export function normalCdf(x: number): number {
  const z = Math.abs(x)
  let tail = 0
  if (z <= 37) {
    const density = Math.exp((-z * z) / 2)
    if (z < 7.07106781186547) tail = (density * polynomial(HART_UP, z)) / polynomial(HART_DOWN, z)
    else {
      const fraction = z + 1 / (z + 2 / (z + 3 / (z + 4 / (z + 0.65))))
      tail = density / fraction / 2.506628274631
    }
  }
  return x > 0 ? 1 - tail : tail
}

function polynomial(coefficients: readonly number[], z: number): number {
  let value = 0
  for (let i = coefficients.length - 1; i >= 0; i--) value = value * z + coefficients[i]!
  return value
}

function ratio(numerator: number, divisor: number): number | null {
  return divisor === 0 ? null : defined(numerator / divisor)
}

function defined(value: number): number | null {
  return Number.isFinite(value) ? value : null
}
