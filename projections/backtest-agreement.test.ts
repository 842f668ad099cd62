import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { type BacktestResult, runBacktest } from '../engine/backtest/backtest.ts'
import type { Bar } from '../engine/market/bar.ts'
import { barToWire } from '../engine/market/bar-wire.ts'
import { walk } from '../engine/testing/arbitraries.ts'
import { settings, sharedBars } from '../engine/testing/fixtures.ts'
import { DAY_MS } from '../engine/time.ts'
import type { ChainSettings, EventType } from '../schemas/types.gen.ts'
import { equitySummary, pointBody } from './equity.ts'
import { pnlBody } from './pnl.ts'
import { ReadModel } from './read-model.ts'
import { TestBook } from './testing/book.ts'

type Row = Pick<Bar, 'symbol' | 'time' | 'open' | 'high' | 'low' | 'close'>
interface Point {
  time: number
  cash: string
  positionValue: string
  equity: string
}

/** Runs a backtest and folds every event of it, as a book would hold it. */
function both(
  rows: readonly Row[],
  given: ChainSettings,
): { model: ReadModel; result: BacktestResult; points: Point[] } {
  const model = new ReadModel()
  const book = new TestBook()
  const points: Point[] = []
  let next = 0
  const result = runBacktest({
    settings: given,
    hash: createHash('sha256'),
    bars: {
      next(bar) {
        const row = rows[next++]
        if (row === undefined) return false
        const symbolIndex = row.symbol === 'A' ? 0 : 1
        Object.assign(bar, { end: row.time + DAY_MS, volume: 1e6, symbolIndex }, row)
        return true
      },
    },
    listener: {
      event({ type, at, data }) {
        book.at = at
        const wire = type === 'market.bar' ? barToWire(data, 'test', '1d') : data
        model.apply(book.add(type as EventType, JSON.parse(JSON.stringify(wire)) as never))
      },
      equity: (point) => void points.push(point),
    },
  })
  return { model, result, points }
}

function agree(rows: readonly Row[], given: ChainSettings): number {
  const { model, result, points } = both(rows, given)
  const { states, position, at } = model
  const seen = states.equity.points
    .page({ limit: 1e6, after: null, descending: false })
    .items.map(pointBody)
  assert.equal(
    seen.map(({ cash, positionValue, equity }) => ({ cash, positionValue, equity })),
    points.map(({ cash, positionValue, equity }) => ({ cash, positionValue, equity })),
  )
  const portfolio = model.portfolioBody()
  assert.is(portfolio.equity, result.equity.end)
  assert.is(portfolio.fees, result.fees)
  const summary = equitySummary(states.equity)
  assert.is(summary.start, result.equity.start)
  if (points.length > 0) assert.is(summary.end, points.at(-1)!.equity)
  assert.is(summary.maxDrawdown, result.returns.maxDrawdown)
  assert.is(summary.maxDrawdownDays, result.returns.maxDrawdownDays)
  const pnl = pnlBody(states.pnl, states.portfolio, position, at, 1e6)
  assert.is(pnl.equity, result.equity.end)
  const count = (list: { trades: number }[]) => list.reduce((sum, { trades }) => sum + trades, 0)
  for (const list of [pnl.symbols, pnl.sources, pnl.days]) {
    assert.is(count(list), result.trades.count)
  }
  const wins = pnl.sources.reduce((sum, one) => sum + one.wins, 0)
  assert.is(result.trades.winRate, count(pnl.sources) === 0 ? null : wins / count(pnl.sources))
  return result.trades.count
}

test('equity, drawdown, fees and trades are those of the backtest, whatever the bars', () => {
  let trades = 0
  fc.assert(
    fc.property(
      walk({ min: 20, max: 80 }),
      fc.constantFrom('next-open', 'same-close'),
      fc.boolean(),
      (closes, fill, two) => {
        const rows = closes.flatMap((close, n) => {
          const open = closes[Math.max(0, n - 1)]!
          const prices = { open, high: Math.max(open, close), low: Math.min(open, close), close }
          const row = { time: n * DAY_MS, ...prices }
          return two && n % 3 > 0
            ? [
                { symbol: 'A', ...row },
                { symbol: 'B', ...row },
              ]
            : [{ symbol: 'A', ...row }]
        })
        const params = { fast: 1, slow: 3, mode: 'reverse', size: '10' }
        trades += agree(
          rows,
          settings({
            strategies: [{ name: 'sma_cross', params }],
            exchange: { fill, commission: '0.001', slippageBps: 3 },
          }),
        )
      },
    ),
    { numRuns: 80 },
  )
  assert.ok(trades > 300, String(trades))
})

const bars = sharedBars('daily/GOOG.csv')
const real = bars === null ? test.skip : test
real(
  bars === null ? 'needs shared data: GOOG' : 'the equity curve of GOOG is the backtest’s',
  () => {
    const rows = bars!.map(({ time, open, high, low, close }) => {
      return { symbol: 'A', time, open, high, low, close }
    })
    const params = { fast: 10, slow: 30, mode: 'reverse', size: 'all' }
    const given = settings({
      strategies: [{ name: 'sma_cross', params }],
      risk: null,
      exchange: { cash: '10000', commission: '0', slippageBps: 0, participation: 0 },
    })
    assert.is(agree(rows, given), 65)
  },
)

test.run()
