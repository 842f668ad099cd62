import fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { parse } from '../decimal.ts'
import { DailyReturns } from './daily-returns.ts'
import { Drawdown } from './drawdown.ts'
import { RoundTrips, type TradedFill } from '../portfolio/round-trips.ts'
import {
  annualGrowth,
  type Measured,
  normalCdf,
  probabilisticSharpe,
  type ReturnsSummary,
  summarize,
} from './statistics.ts'

const DAY = 86_400_000
/** A run with one equity a day and no trades. */
function measure(initialEquity: number, closes: readonly number[], times?: number[]): Measured {
  const daily = new DailyReturns()
  const drawdown = new Drawdown(initialEquity)
  for (const [i, equity] of closes.entries()) {
    daily.update(i, equity)
    drawdown.update(times?.[i] ?? i * DAY, equity)
  }
  return {
    initialEquity,
    from: times?.[0] ?? 0,
    to: times?.at(-1) ?? (closes.length - 1) * DAY,
    bars: closes.length,
    barsInPosition: 0,
    ambiguousBars: 0,
    daily,
    drawdown,
    roundTrips: new RoundTrips(),
  }
}

/** Equity of 1 that goes through the given returns. */
function wealth(returns: readonly number[]): number[] {
  const closes = [1]
  for (const r of returns) closes.push(closes.at(-1)! * (1 + r))
  return closes
}

function near(actual: number | null, expected: number, place: string, tolerance = 1e-9): void {
  const ok =
    actual !== null && Math.abs(actual - expected) <= tolerance * Math.max(1, Math.abs(expected))
  assert.ok(ok, `${place}: ${actual} is not ${expected}`)
}

test('an empty run has no figures, and the blocks have the keys of the contract in order', () => {
  const { returns, trades } = summarize(measure(100, []))
  assert.equal(Object.entries(returns), [
    ['total', null],
    ['cagr', null],
    ['volatility', null],
    ['sharpe', null],
    ['sortino', null],
    ['calmar', null],
    ['maxDrawdown', 0],
    ['maxDrawdownDays', 0],
    ['var95', null],
    ['cvar95', null],
    ['psr', null],
    ['exposure', null],
    ['turnover', null],
  ])
  assert.equal(Object.entries(trades), [
    ['count', 0],
    ['open', 0],
    ['winRate', null],
    ['profitFactor', null],
    ['expectancy', null],
    ['best', null],
    ['worst', null],
    ['avgHoldDays', null],
    ['ambiguousBars', 0],
  ])
})

test('undefined is null: one session, two sessions, a flat equity, one that only rises, a lost one', () => {
  const of = (closes: number[]): ReturnsSummary => summarize(measure(100, closes)).returns
  const one = of([110])
  near(one.total, 0.1, 'total')
  assert.equal([one.cagr, one.volatility, one.sharpe, one.var95], [null, null, null, null])
  const two = of([100, 110])
  assert.equal([two.volatility, two.sharpe, two.sortino, two.var95, two.psr], Array(5).fill(null))
  const flat = of([100, 100, 100, 100, 100, 100])
  assert.equal([flat.total, flat.cagr, flat.volatility, flat.turnover], [0, 0, 0, 0])
  assert.equal([flat.sharpe, flat.sortino, flat.calmar, flat.psr], [null, null, null, null])
  const steady = of(wealth(Array(9).fill(0.01)).map((w) => w * 100))
  assert.is(steady.volatility, 0)
  assert.equal([steady.sharpe, steady.sortino, steady.calmar, steady.psr], Array(4).fill(null))
  near(steady.var95, 0.01, 'var95')
  const lost = of([100, 40, 0])
  assert.equal([lost.total, lost.cagr, lost.maxDrawdown], [-1, -1, -1])
  const owing = of([100, -50, -60])
  near(owing.total, -1.6, 'total')
  assert.equal([owing.cagr, owing.sharpe, owing.calmar, owing.cvar95], [null, null, null, null])
  near(owing.maxDrawdown, -1.6, 'maxDrawdown')
  const short = of([100, 101, 102])
  assert.is(short.psr, null)
  assert.ok(short.sharpe! > 0)
})

test('never a number that JSON cannot hold', () => {
  const equity = fc.oneof(
    fc.double({ min: -1e6, max: 1e9, noNaN: true }),
    fc.constantFrom(0, 1e-300, 1e300, 100, -1e300),
  )
  fc.assert(
    fc.property(fc.array(equity, { maxLength: 12 }), fc.nat(3), (closes, bars) => {
      const run = { ...measure(100, closes), bars }
      const { returns, trades } = summarize(run)
      for (const [key, value] of [...Object.entries(returns), ...Object.entries(trades)]) {
        assert.ok(
          value === null || typeof value === 'string' || Number.isFinite(value),
          `${key} ${value}`,
        )
      }
    }),
  )
})

test('cagr uses calendar days, calmar follows', () => {
  near(annualGrowth(2, 365.25), 1, 'doubled in a year')
  near(annualGrowth(1.21, 730.5), 0.1, 'two years')
  assert.is(annualGrowth(2, 0), null)
  assert.is(annualGrowth(-0.1, 10), null)
  assert.is(annualGrowth(1e10, 0.1), null) // overflows
  const { returns } = summarize(measure(100, [100, 80, 120], [0, DAY, 365.25 * DAY]))
  near(returns.cagr, 0.2, 'cagr')
  near(returns.calmar, 1, 'calmar')
})

test('exposure, turnover, intraday drawdown and ambiguous bars come through', () => {
  const run = { ...measure(100, [100, 90, 100]), bars: 8, barsInPosition: 2, ambiguousBars: 5 }
  run.daily.traded(2, 30)
  assert.not('maxDrawdownIntraday' in summarize(run).returns)
  run.drawdown.updateWorst(50)
  const { returns, trades } = summarize(run)
  assert.is(returns.exposure, 0.25)
  near(returns.turnover, 0.1, 'turnover')
  assert.is(returns.maxDrawdownIntraday, -0.5)
  assert.is(trades.ambiguousBars, 5)
})

test('trades: profit factor in currency, expectancy a decimal string', () => {
  const run = measure(100, [100])
  const trade = (side: 'buy' | 'sell', price: string, time: number): TradedFill => {
    return { symbol: 'A', side, qty: parse('1'), price: parse(price), fee: parse('0'), time }
  }
  run.roundTrips.fill(trade('buy', '10', 0))
  run.roundTrips.fill(trade('sell', '13', DAY))
  assert.is(summarize(run).trades.profitFactor, null)
  run.roundTrips.fill(trade('buy', '10', 2 * DAY))
  run.roundTrips.fill(trade('sell', '8', 4 * DAY))
  run.roundTrips.fill(trade('buy', '10', 5 * DAY))
  run.roundTrips.fill(trade('sell', '10', 5 * DAY))
  run.roundTrips.fill(trade('sell', '10', 6 * DAY))
  const { trades } = summarize(run)
  assert.is(trades.count, 3)
  assert.is(trades.open, 1)
  near(trades.winRate, 1 / 3, 'winRate')
  assert.is(trades.profitFactor, 1.5)
  assert.is(trades.expectancy, '0.333333333')
  near(trades.best, 0.3, 'best')
  near(trades.worst, -0.2, 'worst')
  assert.is(trades.avgHoldDays, 1)
})

test('the normal distribution function, against tables', () => {
  for (const [x, p] of [
    [0, 0.5],
    [1, 0.8413447460685429],
    [-1, 0.15865525393145707],
    [1.96, 0.9750021048517795],
    [-3, 0.0013498980316300946],
    [5, 0.9999997133484281],
  ] as const) {
    assert.ok(Math.abs(normalCdf(x) - p) < 1e-14, `${x}: ${normalCdf(x)}`)
  }
  assert.ok(Math.abs(normalCdf(-8) / 6.22096057427178e-16 - 1) < 1e-6)
  assert.equal([normalCdf(-40), normalCdf(40)], [0, 1])
})

test('probabilistic Sharpe ratio: the example of Bailey and López de Prado', () => {
  // 24 months, monthly Sharpe 0.458, skewness −2.448, kurtosis 10.164; the paper prints 0.982 and 0.913.
  near(probabilisticSharpe(0.458, 24, 0, 3), 0.982, 'normal', 5e-4)
  near(probabilisticSharpe(0.458, 24, -2.448, 10.164), 0.913, 'skewed', 5e-4)
  assert.is(probabilisticSharpe(0.1, 100, 0, 3, 0.1), 0.5)
  assert.is(probabilisticSharpe(1, 100, 5, 3), null) // the root is imaginary
  assert.is(probabilisticSharpe(0.1, 1, 0, 3), null)
})

test.run()
