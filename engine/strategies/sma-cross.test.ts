import * as fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { bar, fill, opened, sharedBars } from '../testing/fixtures.ts'
import { walk } from '../testing/arbitraries.ts'
import { given } from '../testing/given.ts'

type Params = { fast: number; slow: number; mode: 'long-only' | 'reverse'; size: string }

/** Exact sum of the last n closes in millionths, so that ties are ties. */
function sums(closes: readonly number[], n: number): (bigint | null)[] {
  const units = closes.map((close) => BigInt(Math.round(close * 1e6)))
  return units.map((_, end) =>
    end + 1 < n ? null : units.slice(end + 1 - n, end + 1).reduce((sum, unit) => sum + unit, 0n),
  )
}

/** The signals as the definition says, by exact fractions; every order fills before the next bar. */
function naive(closes: readonly number[], { fast, slow, mode }: Params): string[] {
  const short = sums(closes, fast)
  const long = sums(closes, slow)
  const order = (i: number): number => {
    if (long[i] === null || long[i] === undefined) return 0
    const [a, b] = [short[i]! * BigInt(slow), long[i]! * BigInt(fast)]
    return a > b ? 1 : a < b ? -1 : 0
  }
  const signals: string[] = []
  let position = 0
  for (let i = 1; i < closes.length; i++) {
    const up = order(i - 1) < 0 && order(i) > 0
    const down = order(i - 1) > 0 && order(i) < 0
    if (mode === 'reverse' && (up || down)) {
      if (up ? position < 0 : position > 0) signals.push(`${i} close`)
      if (up ? position <= 0 : position >= 0) signals.push(`${i} ${up ? 'buy' : 'sell'}`)
      position = up ? 1 : -1
    } else if (up && position === 0) {
      signals.push(`${i} buy`)
      position = 1
    } else if (down && position > 0) {
      signals.push(`${i} close`)
      position = 0
    }
  }
  return signals
}

/** The signals of the chain, each order filled at the close of its bar. */
function engine(closes: readonly number[], params: Params): string[] {
  const chain = given(...opened({ strategies: [{ name: 'sma_cross', params }] }))
  const signals: string[] = []
  for (const [i, close] of closes.entries()) {
    const outcome = chain.when(bar('A', i, close))
    for (const { side } of outcome.all('signal.raised')) signals.push(`${i} ${side}`)
    for (const { orderId, side, qty } of outcome.all('order.intended')) {
      chain.when(fill(i, orderId, side, qty, String(close)))
    }
  }
  return signals
}

const params: fc.Arbitrary<Params> = fc
  .record({
    fast: fc.integer({ min: 1, max: 6 }),
    more: fc.integer({ min: 1, max: 8 }),
    mode: fc.constantFrom('long-only' as const, 'reverse' as const),
  })
  .map(({ fast, more, mode }) => ({ fast, slow: fast + more, mode, size: '10' }))

/** True where the two averages come so near to each other that floats may tell them apart otherwise. */
function tied(closes: readonly number[], { fast, slow }: Params): boolean {
  const [short, long] = [sums(closes, fast), sums(closes, slow)]
  return closes.some(
    (_, i) => long[i] !== null && short[i]! * BigInt(slow) === long[i]! * BigInt(fast),
  )
}

test('on random walks the signals are those of the definition', () => {
  let signals = 0
  fc.assert(
    fc.property(walk({ min: 3, max: 80 }), params, (closes, given) => {
      // Equal averages are a matter of the last bit of a float; the next test is about them.
      fc.pre(!tied(closes, given))
      const expected = naive(closes, given)
      assert.equal(engine(closes, given), expected)
      signals += expected.length
    }),
    { numRuns: 200 },
  )
  assert.ok(signals > 50, `${signals} signals`)
})

test('equal averages are no crossing: strictly below before, strictly above now', () => {
  // Powers of two, so that every average is exact.
  const cross: Params = { fast: 1, slow: 2, mode: 'long-only', size: '10' }
  assert.equal(engine([4, 2, 4], cross), ['2 buy'])
  assert.equal(engine([4, 2, 2, 4], cross), [], 'it was equal on the bar before')
  assert.equal(engine([4, 4, 8], cross), [])
  assert.equal(engine([4, 2, 2], cross), [], 'it is equal now')
})

test('no signal before the slow average has two values', () => {
  const cross: Params = { fast: 1, slow: 4, mode: 'reverse', size: '1' }
  assert.equal(engine([8, 4, 2, 16], cross), [])
  assert.equal(engine([8, 8, 8, 4, 16], cross), ['4 buy'])
})

const goog = sharedBars('daily/GOOG.csv')
const spx = sharedBars('daily/SPX.csv')

if (goog !== null && spx !== null) {
  for (const [name, bars] of [
    ['GOOG', goog],
    ['SPX', spx],
  ] as const) {
    test(`on ${name} the signals are those of the definition`, () => {
      const closes = bars.map(({ close }) => close)
      for (const mode of ['long-only', 'reverse'] as const) {
        const given: Params = { fast: 10, slow: 30, mode, size: '10' }
        const expected = naive(closes, given)
        assert.ok(expected.length > 60, `${expected.length} signals`)
        assert.equal(engine(closes, given), expected)
      }
    })
  }
} else {
  test.skip('needs shared data: daily/GOOG.csv, daily/SPX.csv', () => {})
}

test('a decision carries the averages it was based on, before and now', () => {
  const chain = given(
    ...opened({ strategies: [{ name: 'sma_cross', params: { fast: 1, slow: 2 } }] }),
  )
  chain.and(bar('A', 0, 4), bar('A', 1, 2))
  chain.when(bar('A', 2, 8)).leadsTo(
    [
      'feature.computed',
      {
        strategy: 'sma_cross',
        symbol: 'A',
        barTime: '2013-05-15T00:00:00Z',
        values: { sma_1: 8, sma_1_previous: 2, sma_2: 5, sma_2_previous: 3 },
      },
    ],
    [
      'signal.raised',
      {
        signalId: 'sma_cross-1',
        side: 'buy',
        qty: '100',
        orderType: 'market',
        reason: 'fast average crossed above slow',
      },
    ],
    'risk.verdict',
    'order.intended',
  )
})

test('a working order counts: the same crossing is not bought twice', () => {
  const strategies = [{ name: 'sma_cross', params: { fast: 1, slow: 2, size: '10' } }]
  const chain = given(...opened({ strategies }), bar('A', 0, 4), bar('A', 1, 2), bar('A', 2, 8))
  chain.and(bar('A', 3, 8), bar('A', 4, 4))
  assert.is(chain.table.orders.lastOrderId, 1)
  assert.is(chain.when(bar('A', 5, 16)).all('signal.raised').length, 0)
})

test.run()
