import * as fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import {
  bar,
  DAY_0,
  fill,
  type Input,
  opened,
  type PlainBar,
  sharedBars,
} from '../testing/fixtures.ts'
import { walk } from '../testing/arbitraries.ts'
import { given } from '../testing/given.ts'
import { DAY_MS } from '../time.ts'

interface Params {
  period: number
  average: number
  band: number
  oversold: number
  exit: number
  mode: 'long-only' | 'long-short'
}
type Shape = Pick<PlainBar, 'high' | 'low' | 'close'>

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}

/** Wilder's average of a whole series: a mean first, then one n-th of the way to each value. */
function wilder(values: readonly number[], n: number): number {
  let average = mean(values.slice(0, n))
  for (const value of values.slice(n)) average = (average * (n - 1) + value) / n
  return average
}

function ema(values: readonly number[], n: number): number {
  let average = mean(values.slice(0, n))
  for (const value of values.slice(n)) average += (2 / (n + 1)) * (value - average)
  return average
}

/** The signals as the definition says, everything computed anew at each bar; null where a comparison is too near to call. */
function naive(bars: readonly Shape[], params: Params): string[] | null {
  const { period, average, band, oversold, exit, mode } = params
  const closes = bars.map(({ close }) => close)
  const moves = closes.slice(1).map((close, i) => close - closes[i]!)
  const ranges = bars
    .slice(1)
    .map(({ high, low }, i) => Math.max(high, closes[i]!) - Math.min(low, closes[i]!))
  const signals: string[] = []
  let position = 0
  let near = false
  const above = (a: number, b: number): boolean => {
    if (Math.abs(a - b) < 1e-9 * Math.max(1, Math.abs(b))) near = true
    return a > b
  }
  for (let i = Math.max(period, average - 1); i < bars.length; i++) {
    const close = closes[i]!
    const line = ema(closes.slice(0, i + 1), average)
    const gain = wilder(
      moves.slice(0, i).map((move) => Math.max(move, 0)),
      period,
    )
    const loss = wilder(
      moves.slice(0, i).map((move) => Math.max(-move, 0)),
      period,
    )
    const rsi = gain + loss > 0 ? (100 * gain) / (gain + loss) : 50
    const distance = band * wilder(ranges.slice(0, i), period)
    if (position > 0) {
      if (!above(line, close) || above(rsi, exit)) {
        signals.push(`${i} close`)
        position = 0
      }
    } else if (position < 0) {
      if (!above(close, line) || above(100 - exit, rsi)) {
        signals.push(`${i} close`)
        position = 0
      }
    } else if (above(oversold, rsi) && above(line - distance, close)) {
      signals.push(`${i} buy`)
      position = 1
    } else if (
      mode === 'long-short' &&
      above(rsi, 100 - oversold) &&
      above(close, line + distance)
    ) {
      signals.push(`${i} sell`)
      position = -1
    }
  }
  return near ? null : signals
}

function engine(bars: readonly Shape[], params: Params): string[] {
  const strategies = [{ name: 'mean_reversion', params: { ...params, size: '10' } }]
  const chain = given(...opened({ strategies }))
  const signals: string[] = []
  for (const [i, { high, low, close }] of bars.entries()) {
    const outcome = chain.when(bar('A', i, close, { high, low }))
    for (const { side } of outcome.all('signal.raised')) signals.push(`${i} ${side}`)
    for (const { orderId, side, qty } of outcome.all('order.intended')) {
      chain.when(fill(i, orderId, side, qty, String(close)))
    }
  }
  return signals
}

const params: fc.Arbitrary<Params> = fc.record({
  period: fc.integer({ min: 2, max: 6 }),
  average: fc.integer({ min: 2, max: 8 }),
  band: fc.constantFrom(0, 0.25, 1),
  oversold: fc.constantFrom(20, 35, 50),
  exit: fc.constantFrom(40, 50, 70),
  mode: fc.constantFrom('long-only', 'long-short'),
})

test('on random walks the signals are those of the definition', () => {
  let signals = 0
  fc.assert(
    fc.property(walk({ min: 20, max: 70 }), params, fc.nat(40), (closes, given, spread) => {
      const bars = closes.map((close) => ({
        close,
        high: close + spread / 100,
        low: close - spread / 200,
      }))
      const expected = naive(bars, given)
      fc.pre(expected !== null)
      assert.equal(engine(bars, given), expected)
      signals += expected!.length
    }),
    { numRuns: 150 },
  )
  assert.ok(signals > 50, `${signals} signals`)
})

const spy = sharedBars('daily/SPY.csv')

if (spy !== null) {
  test('on SPY the signals are those of the definition', () => {
    const bars = spy.slice(0, 1500)
    for (const mode of ['long-only', 'long-short'] as const) {
      const given: Params = { period: 14, average: 20, band: 1, oversold: 35, exit: 50, mode }
      const expected = naive(bars, given)
      assert.ok(expected !== null && expected.length > 20, `${expected?.length} signals`)
      assert.equal(engine(bars, given), expected)
    }
  })
} else {
  test.skip('needs shared data: daily/SPY.csv', () => {})
}

/** Bars with a fall at the end, the averages still warm. */
function falling(mode: Params['mode']): Input[] {
  const closes = [50, 50.5, 50, 50.5, 50, 50.5, 50, 44]
  const strategies = [
    { name: 'mean_reversion', params: { period: 3, average: 4, band: 0.5, mode, size: '10' } },
  ]
  return [...opened({ strategies }), ...closes.map((close, n) => bar('A', n, close))]
}

test('a fall is bought, the return to the average is sold', () => {
  const past = falling('long-only')
  const chain = given(...past.slice(0, -1))
  const bought = chain.when(past.at(-1)!).one('signal.raised')
  assert.is(bought.side, 'buy')
  assert.is(bought.qty, '10')
  assert.is(bought.reason, 'oversold below its average')
  chain.and(fill(7, 1, 'buy', '10', '44'))
  const sold = chain.when(bar('A', 8, 60)).one('signal.raised')
  assert.is(sold.side, 'close')
  assert.is(sold.qty, undefined)
  assert.is(sold.reason, 'close is back at its average')
})

test('the features of a decision are recorded with it', () => {
  const past = falling('long-short')
  const { values, barTime } = given(...past.slice(0, -1))
    .when(past.at(-1)!)
    .one('feature.computed')
  const names = ['atr_3', 'atr_3_previous', 'ema_4', 'ema_4_previous', 'rsi_3', 'rsi_3_previous']
  assert.equal(Object.keys(values).toSorted(), names)
  assert.is(Date.parse(barTime), (DAY_0 + 7) * DAY_MS)
})

test.run()
