import fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { walk } from '../testing/arbitraries.ts'
import { action, bar, opened } from '../testing/fixtures.ts'
import { given } from '../testing/given.ts'
import { createIndicator, type FeatureSpec } from './feature-set.ts'

const KINDS: FeatureSpec['kind'][] = ['sma', 'ema', 'rsi', 'atr']

test('an indicator that was scaled goes on as if all its prices had been', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...KINDS),
      fc.integer({ min: 1, max: 12 }),
      walk({ min: 2, max: 60 }),
      fc.nat(59),
      fc.constantFrom(0.5, 1 / 7, 4, 0.99, 1.0000001),
      (kind, period, closes, at, factor) => {
        const scaled = createIndicator({ kind, period })
        const adjusted = createIndicator({ kind, period })
        for (const [n, close] of closes.entries()) {
          if (n === at) scaled.scale(factor)
          // Before the action prices are the old ones; adjusted series have them in the new money.
          const raw = n < at ? close : close * factor
          const money = close * factor
          const one = scaled.next(raw, raw * 1.01, raw * 0.99, raw, 1)
          const other = adjusted.next(money, money * 1.01, money * 0.99, money, 1)
          if (n < at) continue
          assert.is(Number.isNaN(one), Number.isNaN(other))
          if (Number.isNaN(one)) continue
          assert.ok(Math.abs(one - other) <= 1e-7 * Math.max(1, Math.abs(other)), `${one} ${other}`)
          assert.is(scaled.value, one)
        }
      },
    ),
    { numRuns: 300 },
  )
})

test('a strategy does not take a split for a fall', () => {
  const strategies = [
    { name: 'sma_cross', params: { fast: 2, slow: 4, mode: 'reverse', size: '1' } },
  ]
  const closes = [100, 101, 102, 103, 104, 105, 106]
  const past = given(...opened({ strategies }))
  for (const [n, close] of closes.entries()) past.and(bar('A', n, close))
  // 106 became 53: without the split this is the end of the rise.
  past.when(action(7, 'split', '2')).leadsTo()
  past.when(bar('A', 7, 53.5)).leadsTo()
  past.when(bar('A', 8, 54)).leadsTo()
  const told = given(...opened({ strategies }))
  for (const [n, close] of closes.entries()) told.and(bar('A', n, close))
  assert.ok(told.when(bar('A', 7, 53.5)).types.includes('signal.raised'))
})

test('feature values of before the action are in the money of after it, but for strengths', () => {
  const strategies = [
    { name: 'mean_reversion', params: { period: 2, average: 2 } },
    { name: 'sma_cross', params: { fast: 1, slow: 2, size: '1' } },
  ]
  const past = given(
    ...opened({ strategies }),
    bar('A', 0, 100),
    bar('A', 1, 110),
    bar('A', 2, 104),
  )
  const { features } = past.table
  const before = features.names.map((name, i) => [name, features.rows[0]!.now[i]!] as const)
  past.and(action(3, 'split', '2'))
  for (const [i, [name, value]] of before.entries()) {
    const now = features.rows[0]!.now[i]!
    assert.is(now, name.startsWith('rsi') ? value : value / 2, name)
  }
  past.and(action(3, 'rename', undefined, { newSymbol: 'B' }))
  assert.is(features.rows[0], undefined)
  assert.ok(features.rows[1] !== undefined)
})

test.run()
