import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { Drawdown } from './drawdown.ts'

const DAY = 86_400_000
const SHARED = resolve(
  fileURLToPath(new URL('../../', import.meta.url)),
  process.env.SHARED ?? '../shared',
)

function track(initial: number, equities: readonly number[]): Drawdown {
  const drawdown = new Drawdown(initial, 0)
  for (const [i, equity] of equities.entries()) drawdown.update((i + 1) * DAY, equity)
  return drawdown
}

test('finds the deepest fall from a peak and the longest time under water', () => {
  const drawdown = track(100, [110, 88, 99, 110, 120, 114, 121])
  assert.ok(Math.abs(drawdown.max + 0.2) < 1e-15)
  assert.is(drawdown.maxDays, 3) // from day 1 to the return on day 4
  assert.is(drawdown.peak, 121)
})

test('counts a loss on the first bar: the peak is seeded with the initial equity', () => {
  const drawdown = track(100, [75, 90])
  assert.is(drawdown.max, -0.25)
  assert.is(drawdown.maxDays, 2)
  assert.is(drawdown.peak, 100)
})

test('measures from the last bar at the peak, and counts a fall still open', () => {
  assert.is(track(100, [100, 100, 100, 90, 100]).maxDays, 2)
  assert.is(track(100, [100, 100, 90, 91, 92]).maxDays, 3)
})

test('an equity that never falls has no drawdown, however far apart its bars are', () => {
  const drawdown = track(100, [100, 101, 101, 150])
  assert.is(drawdown.max, 0)
  assert.is(drawdown.maxDays, 0)
})

test('an unknown start begins at the first bar', () => {
  const drawdown = new Drawdown(100)
  assert.is(drawdown.maxDays, 0)
  drawdown.update(10 * DAY, 90)
  drawdown.update(10.5 * DAY, 95)
  assert.is(drawdown.maxDays, 0.5)
})

test('equity may fall below zero', () => {
  assert.is(track(100, [-50]).max, -1.5)
})

test('the worst price of a bar deepens the intraday figure only', () => {
  const drawdown = new Drawdown(100, 0)
  drawdown.update(DAY, 110)
  assert.is(drawdown.maxIntraday, null)
  drawdown.updateWorst(55)
  drawdown.update(2 * DAY, 99)
  assert.is(drawdown.maxIntraday, -0.5)
  assert.ok(Math.abs(drawdown.max + 0.1) < 1e-15)
  drawdown.update(3 * DAY, 11)
  assert.is(drawdown.maxIntraday, drawdown.max)
})

test('refuses what no run can produce', () => {
  for (const bad of [0, -1, Number.NaN, Number.POSITIVE_INFINITY]) {
    assert.throws(
      () => new Drawdown(bad),
      (e: Error) => e instanceof RangeError,
    )
  }
  for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
    assert.throws(() => track(100, [bad]), /finite number/)
    assert.throws(() => new Drawdown(100, 0).updateWorst(bad), /finite number/)
  }
  const drawdown = track(100, [100, 100])
  assert.throws(() => drawdown.update(DAY, 100), /time runs back/)
  assert.throws(() => new Drawdown(100).update(Number.NaN, 100), /without a time/)
})

test('agrees with a look at the whole curve', () => {
  const curve = fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 60 })
  fc.assert(
    fc.property(curve, (equities) => {
      const whole = [15, ...equities]
      let deepest = 0
      let longest = 0
      for (let i = 0; i < whole.length; i++) {
        const peak = Math.max(...whole.slice(0, i + 1))
        deepest = Math.min(deepest, whole[i]! / peak - 1)
        if (whole[i] !== peak || whole[i + 1] === undefined || whole[i + 1]! >= peak) continue
        const back = whole.findIndex((e, j) => j > i && e >= peak)
        longest = Math.max(longest, (back < 0 ? whole.length - 1 : back) - i)
      }
      const drawdown = track(15, equities)
      assert.is(drawdown.max, deepest)
      assert.is(drawdown.maxDays, longest)
    }),
  )
})

const dir = resolve(SHARED, 'data/reference/backtesting_py')
if (!existsSync(dir)) test.skip(`needs shared data: ${dir}`, () => {})
else {
  test('equals backtesting.py on the equity of its seven runs', () => {
    const files = readdirSync(dir).filter((f) => f.endsWith('.equity.csv'))
    assert.is(files.length, 7)
    for (const file of files) {
      const text = readFileSync(resolve(dir, file.replace('.equity.csv', '.stats.json')), 'utf8')
      const { settings, stats_not_finalized: stats } = JSON.parse(text)
      const drawdown = new Drawdown(Number(settings.cash))
      for (const line of readFileSync(resolve(dir, file), 'utf8').trim().split('\n').slice(1)) {
        const [date = '', equity = ''] = line.split(',')
        drawdown.update(Date.parse(date), Number(equity))
      }
      const percent = stats['Max. Drawdown [%]']
      assert.ok(Math.abs(drawdown.max * 100 - percent) < 1e-10, `${file}: ${drawdown.max}`)
      assert.is(`${drawdown.maxDays} days 00:00:00`, stats['Max. Drawdown Duration'], file)
      assert.is(drawdown.peak, stats['Equity Peak [$]'], file)
      if (file === 'goog_sma_10_30_reverse.equity.csv') {
        assert.ok(Math.abs(drawdown.max + 0.4798012705) < 5e-11)
        assert.is(drawdown.maxDays, 584)
      }
    }
  })
}

test.run()
