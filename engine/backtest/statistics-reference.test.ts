import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { fromNumber } from '../decimal.ts'
import { DailyReturns } from './daily-returns.ts'
import { Drawdown } from './drawdown.ts'
import { RoundTrips, type Trade, type TradedFill } from '../portfolio/round-trips.ts'
import { annualGrowth, type Measured, momentsOf, normalCdf, summarize } from './statistics.ts'

const DAY = 86_400_000
const STATS = resolve(
  fileURLToPath(new URL('../../', import.meta.url)),
  process.env.SHARED ?? '../shared',
  'data',
)

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

/** Published rows whose definition is not ours, and why. */
const NOT_OURS: Record<string, string> = {
  cum_returns: 'a series; its end is our total, checked by cum_returns_final',
  annual_return: 'compounds by 252 / number of returns; cagr by 365.25 / calendar days',
  calmar: 'divides that annual_return',
  omega: 'not reported',
  excess_sharpe: 'needs a benchmark; not reported',
}

const published = resolve(STATS, 'reference/stats/empyrical_published_vectors.json')
if (!existsSync(published)) test.skip(`needs shared data: ${published}`, () => {})
else {
  test("equals empyrical's published vectors where the definition is the same", () => {
    const { series, expected } = JSON.parse(readFileSync(published, 'utf8'))
    let held = 0
    for (const row of expected) {
      if (row.fn in NOT_OURS) continue
      if (row.fn === 'sharpe' && row.risk_free !== 0) continue // our rf is 0
      // A missing first return is no return here.
      const returns: number[] = series[row.series].filter((r: number | null) => r !== null)
      const closes = wealth(returns)
      const figures = summarize(measure(1, closes)).returns
      // Ours are annualised by 252; other periods differ by the root of the ratio.
      const scale = Math.sqrt((row.periods ?? 252) / 252)
      const sample = Float64Array.from(returns)
      const ours: Record<string, number | null> = {
        cum_returns_final: figures.total,
        max_drawdown: figures.maxDrawdown,
        annual_volatility: figures.volatility! * scale,
        sharpe: figures.sharpe! * scale,
        sortino: figures.sortino! * scale,
        downside_risk: momentsOf(sample).downside * Math.sqrt(252) * scale,
      }
      const place = `${row.fn} of ${row.series}`
      assert.ok(row.fn in ours, `${place} is compared or named in NOT_OURS`)
      near(ours[row.fn]!, row.expected, place, row.decimals === 4 ? 5e-5 : 1e-8)
      held++
    }
    assert.is(held, 19)
  })
}

const computed = resolve(STATS, 'reference/stats/empyrical_computed.json')
if (!existsSync(computed)) test.skip(`needs shared data: ${computed}`, () => {})
else {
  test('equals empyrical on three real series', () => {
    const expected = JSON.parse(readFileSync(computed, 'utf8'))
    const column = (file: string, name: string): { times: number[]; values: number[] } => {
      const [header = '', ...lines] = readFileSync(resolve(STATS, file), 'utf8')
        .trim()
        .split(/\r?\n/)
      const at = header.split(',').indexOf(name)
      const rows = lines.map((line) => line.split(','))
      return {
        times: rows.map((r) => Date.parse(r[0]!)),
        values: rows.map((r) => Number(r[at])),
      }
    }
    const reverse = 'reference/backtesting_py/goog_sma_10_30_reverse.equity.csv'
    for (const [name, { times, values }] of [
      ['SPX_2000_2020_close', column('daily/SPX.csv', 'close')],
      ['AAPL_2000_2013_adjclose_vs_SPX', column('daily/AAPL.csv', 'adjclose')],
      ['GOOG_equity_sma_10_30_reverse', column(reverse, 'Equity')],
    ] as const) {
      const run = measure(values[0]!, values, times)
      const { returns } = summarize(run)
      const them = expected[name]
      const sample = run.daily.returns()!
      const shape = momentsOf(sample)
      assert.is(sample.length, them.n)
      for (const [key, value, wanted] of [
        ['total', returns.total, them.cum_return],
        ['volatility', returns.volatility, them.annual_volatility_252],
        ['sharpe', returns.sharpe, them.sharpe_rf0],
        ['sortino', returns.sortino, them.sortino],
        ['maxDrawdown', returns.maxDrawdown, them.max_drawdown],
        ['var95', returns.var95, them.value_at_risk_5pct],
        ['cvar95', returns.cvar95, them.conditional_value_at_risk_5pct],
        ['downside', shape.downside * Math.sqrt(252), them.downside_risk],
        ['skew', shape.skew, them.skew],
        ['kurtosis', shape.kurtosis - 3, them.excess_kurtosis],
      ] as const) {
        near(value, wanted, `${key} of ${name}`, 1e-10)
      }
      // Not the same: annual_return_252 and its calmar (252 / n against calendar days). Both are
      // growth rates of one total, so the exponents are what differs.
      near(annualGrowth(1 + returns.total!, (them.n / 252) * 365.25), them.annual_return_252, name)
      near(returns.calmar, returns.cagr! / -them.max_drawdown, `calmar of ${name}`)
      // Φ of the published moments: the Sharpe ratio per day, the raw kurtosis.
      const daily = them.sharpe_rf0 / Math.sqrt(252)
      const spread = 1 - them.skew * daily + ((them.excess_kurtosis + 2) / 4) * daily ** 2
      near(
        returns.psr,
        normalCdf((daily * Math.sqrt(them.n - 1)) / Math.sqrt(spread)),
        `psr of ${name}`,
      )
    }
  })
}

interface PeerTrade {
  long: boolean
  size: number
  entry: { time: number; price: number }
  exit: { time: number; price: number }
  pnl: number
  commission: number
  gain: number
}

function peerTrades(file: string): PeerTrade[] {
  const lines = readFileSync(file, 'utf8').trim().split('\n').slice(1)
  return lines.map((line) => {
    const [size, , , entryTime, exitTime, entryPrice, exitPrice, , , pnl, commission, gain] =
      line.split(',')
    return {
      long: Number(size) > 0,
      size: Math.abs(Number(size)),
      entry: { time: Date.parse(entryTime!), price: Number(entryPrice) },
      exit: { time: Date.parse(exitTime!), price: Number(exitPrice) },
      pnl: Number(pnl),
      commission: Number(commission),
      gain: Number(gain),
    }
  })
}

/** The fills behind the peer's trades: a reversal's exit and entry are one fill through zero. */
function fillsOf(trades: readonly PeerTrade[], rate: number): TradedFill[] {
  const merged = new Map<string, { buy: boolean; qty: number; time: number; price: number }>()
  for (const trade of trades) {
    for (const [side, at] of [
      [trade.long, trade.entry],
      [!trade.long, trade.exit],
    ] as const) {
      const key = `${at.time} ${side}`
      const fill = merged.get(key) ?? { buy: side, qty: 0, ...at }
      fill.qty += trade.size
      merged.set(key, fill)
    }
  }
  const fills = [...merged.values()].sort((a, b) => a.time - b.time)
  return fills.map(({ buy, qty, time, price }) => ({
    time,
    symbol: 'PEER',
    side: buy ? 'buy' : 'sell',
    qty: fromNumber(qty),
    price: fromNumber(price),
    fee: fromNumber(price * qty * rate),
  }))
}

const peer = resolve(STATS, 'reference/backtesting_py')
if (!existsSync(peer)) test.skip(`needs shared data: ${peer}`, () => {})
else {
  test('equals the trades and the trade figures of backtesting.py on its seven runs', () => {
    const names = readdirSync(peer).filter((f) => f.endsWith('.trades.csv'))
    assert.is(names.length, 7)
    for (const file of names) {
      const name = file.replace('.trades.csv', '')
      const { settings, ...stats } = JSON.parse(
        readFileSync(resolve(peer, `${name}.stats.json`), 'utf8'),
      )
      const them = stats.stats_finalized
      const expected = peerTrades(resolve(peer, file))
      const trades: Trade[] = []
      const cash = Number(settings.cash)
      const run = measure(cash, [cash])
      run.roundTrips = new RoundTrips((trade) => trades.push(trade))
      for (const fill of fillsOf(expected, Number(settings.commission))) run.roundTrips.fill(fill)
      assert.is(trades.length, expected.length, name)
      const byExit = expected.slice().sort((a, b) => a.exit.time - b.exit.time)
      for (const [i, trade] of trades.entries()) {
        const wanted = byExit[i]!
        const place = `${name} trade ${i}`
        assert.is(trade.side, wanted.long ? 'long' : 'short', place)
        assert.equal(
          [trade.entryTime, trade.exitTime],
          [wanted.entry.time, wanted.exit.time],
          place,
        )
        near(Number(trade.pnl) / 1e9, wanted.pnl, `${place} pnl`)
        near(Number(trade.fees) / 1e9, wanted.commission, `${place} fees`)
        near(trade.return, wanted.gain, `${place} return`)
      }
      const { trades: ours } = summarize(run)
      assert.is(ours.count, them['# Trades'], name)
      near(ours.winRate! * 100, them['Win Rate [%]'], `${name} winRate`)
      near(ours.best! * 100, them['Best Trade [%]'], `${name} best`)
      near(ours.worst! * 100, them['Worst Trade [%]'], `${name} worst`)
      // The peer rounds the mean up to whole bars.
      assert.is(`${Math.ceil(ours.avgHoldDays!)} days 00:00:00`, them['Avg. Trade Duration'], name)
      // Not the same: its profit factor and expectancy are of returns in percent, ours of money.
      const lost = expected.filter((t) => t.pnl < 0).reduce((sum, t) => sum - t.pnl, 0)
      const won = expected.filter((t) => t.pnl > 0).reduce((sum, t) => sum + t.pnl, 0)
      if (lost > 0) near(ours.profitFactor, won / lost, `${name} profitFactor`)
      else assert.is(ours.profitFactor, null)
      near(Number(ours.expectancy), (won - lost) / expected.length, `${name} expectancy`)
    }
  })

  test('GOOG, stop and reverse, the last position left open: the published figures', () => {
    const name = resolve(peer, 'goog_sma_10_30_reverse')
    const stats = JSON.parse(readFileSync(`${name}.stats.json`, 'utf8')).stats_not_finalized
    const lines = readFileSync(`${name}.equity.csv`, 'utf8').trim().split('\n').slice(1)
    const times = lines.map((line) => Date.parse(line.split(',')[0]!))
    const values = lines.map((line) => Number(line.split(',')[1]))
    const all = peerTrades(`${name}.trades.csv`)
    const run = measure(10_000, values, times)
    for (const fill of fillsOf(all, 0).slice(0, -1)) run.roundTrips.fill(fill)
    const { returns, trades } = summarize(run)
    near(returns.total, 4.195995, 'total')
    near(returns.cagr! * 100, stats['CAGR [%]'], 'cagr')
    near(returns.maxDrawdown, -0.4798012705, 'maxDrawdown', 5e-11)
    assert.is(returns.maxDrawdownDays, 584)
    near(trades.winRate, 0.461538, 'winRate', 5e-7)
    near(trades.profitFactor, 1.401946, 'profitFactor', 5e-7)
    near(trades.best, 0.53596, 'best', 5e-7)
    near(trades.worst, -0.183989, 'worst', 5e-7)
    assert.equal([trades.count, trades.open], [65, 1])
  })
}

test.run()
