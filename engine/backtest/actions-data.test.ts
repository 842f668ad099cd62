import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { ChainEvent } from '../chain/processor.ts'
import type { Bar } from '../market/bar.ts'
import { type PlainBar, settings, SHARED_DATA, sharedBars } from '../testing/fixtures.ts'
import { DAY_MS, formatDay, parseTime } from '../time.ts'
import { type BacktestResult, type BarSource, runBacktest } from './backtest.ts'
import { effectiveAt, type ListedAction } from './listed-actions.ts'

const FOLDER = 'raw_2015_2017'

function listOf(symbol: string): ListedAction[] {
  const [, ...lines] = readFileSync(join(SHARED_DATA, FOLDER, 'ACTIONS.csv'), 'utf8')
    .trim()
    .split(/\r?\n/)
  return lines.flatMap((line) => {
    const [name, exDate, kind, value] = line.split(',')
    if (name !== symbol) return []
    const time = effectiveAt(exDate!, '1d')
    return [{ symbol, kind: kind as 'split', value: String(Number(value)), exDate: exDate!, time }]
  })
}

function source(symbol: string, bars: readonly PlainBar[]): BarSource {
  let next = 0
  return {
    next(into: Bar) {
      const bar = bars[next++]
      if (bar === undefined) return false
      Object.assign(into, { symbol, ...bar, end: bar.time + DAY_MS })
      return true
    },
  }
}

interface Held {
  result: BacktestResult
  /** Date → cash, position value and equity at its close. */
  points: Map<string, { cash: number; value: number; equity: number }>
  events: string[]
}

/** Buys so many shares at the first open and holds them. */
function hold(
  symbol: string,
  bars: readonly PlainBar[],
  qty: string,
  actions: ListedAction[],
): Held {
  const points: Held['points'] = new Map()
  const events: string[] = []
  const result = runBacktest({
    settings: settings({
      exchange: { cash: '100000' },
      risk: { maxDailyLoss: '0.15', maxDrawdown: '0.6' },
    }),
    bars: source(symbol, bars),
    hash: createHash('sha256'),
    orders: [{ id: '1', submitTime: bars[0]!.time - 1, side: 'buy', type: 'market', qty, symbol }],
    actions,
    listener: {
      event: ({ type }: ChainEvent) => {
        if (type === 'risk.state_changed' || type === 'order.anomaly') events.push(type)
      },
      equity: ({ time, cash, positionValue, equity }) => {
        const point = { cash: Number(cash), value: Number(positionValue), equity: Number(equity) }
        points.set(formatDay(time / DAY_MS), point)
      },
    },
  })
  return { result, points, events }
}

const near = (a: number, b: number, message: string): void =>
  assert.ok(Math.abs(a - b) < 1e-4, `${message}: ${a}, ${b}`)

const CASES = [
  { symbol: 'SBUX', exDate: '2015-04-09', ratio: 2, qty: 100, after: 200 },
  { symbol: 'NFLX', exDate: '2015-07-15', ratio: 7, qty: 100, after: 700 },
  // 101 at 1 for 4 is 25 and a quarter, which is paid at the last close.
  { symbol: 'SQQQ', exDate: '2017-01-13', ratio: 0.25, qty: 101, after: 25 },
]

if (existsSync(join(SHARED_DATA, FOLDER, 'ACTIONS.csv'))) {
  for (const { symbol, exDate, ratio, qty, after } of CASES) {
    test(`equity does not jump at the split of ${symbol}, and dividends are received`, () => {
      const bars = sharedBars(`${FOLDER}/${symbol}.csv`)!
      const actions = listOf(symbol)
      const { result, points, events } = hold(symbol, bars, String(qty), actions)
      assert.equal(events, [], 'no limit was hit, no report was out of place')
      const on = bars.findIndex(({ time }) => time === parseTime(exDate))
      const [before, first] = [bars[on - 1]!, bars[on]!]
      const last = points.get(formatDay(before.time / DAY_MS))!
      const next = points.get(exDate)!
      near(last.value, qty * before.close, 'the day before')
      near(next.value, after * first.close, 'the day of the split')
      const fraction = qty * ratio - after
      near(next.cash - last.cash, (fraction * before.close) / ratio, 'only a fraction is paid')
      // What the market moved, and nothing else.
      const moved = (first.close * ratio - before.close) / before.close
      near((next.equity - last.equity) / last.value, moved * (after / (qty * ratio)), 'the move')
      assert.is(result.actions?.splits, 1)

      let held = qty
      let received = 0
      for (const { kind, value, exDate: date } of actions) {
        if (kind === 'split') held = Math.trunc(held * Number(value))
        else if (parseTime(date) > bars[0]!.time) received += held * Number(value)
      }
      near(Number(result.actions?.dividendCash), received, 'dividends')
      const end = [...points.values()].at(-1)!
      near(end.equity, Number(result.equity.end), 'the end')
      assert.is(result.trades.open, 1)
    })
  }

  test('cash grows by the dividend on its ex-date, and only by that', () => {
    const bars = sharedBars(`${FOLDER}/AAPL.csv`)!
    const { points } = hold('AAPL', bars, '100', listOf('AAPL'))
    const cash = (date: string) => points.get(date)!.cash
    near(cash('2015-05-07') - cash('2015-05-06'), 52, 'AAPL 0.52')
    near(cash('2015-08-06') - cash('2015-08-05'), 51.9999, 'AAPL 0.519999')
    assert.is(cash('2015-05-06'), cash('2015-04-01'))
  })

  for (const [symbol, exDate, price] of [
    ['BRCM', '2016-02-01', '54.669998'],
    ['LNKD', '2016-12-07', '195.940002'],
  ] as const) {
    test(`the delisting of ${symbol} closes the position at its last close, and is named`, () => {
      const bars = sharedBars(`${FOLDER}/${symbol}.csv`)!
      const delist: ListedAction = {
        symbol,
        kind: 'delist',
        exDate,
        time: effectiveAt(exDate, '1d'),
      }
      const { result, events } = hold(symbol, bars, '50', [...listOf(symbol), delist])
      assert.equal(result.actions?.delisted, [{ symbol, exDate, qty: '50', price }])
      assert.is(Number(price), bars.at(-1)!.close)
      assert.is(result.trades.count, 1)
      assert.is(result.trades.open, 0)
      assert.equal(events, [])
    })
  }
} else test.skip(`needs shared data: ${FOLDER}/ACTIONS.csv`, () => {})

test.run()
