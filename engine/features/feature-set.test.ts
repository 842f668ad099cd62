import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { bar, dayEnd, opened, settings, started } from '../testing/fixtures.ts'
import { given } from '../testing/given.ts'
import { createIndicator, featureName, type FeatureSpec } from './feature-set.ts'

const cross = (fast: number, slow: number) => ({ name: 'sma_cross', params: { fast, slow } })

test('every kind of indicator is made under its recorded name', () => {
  for (const kind of ['sma', 'ema', 'rsi', 'atr'] satisfies FeatureSpec['kind'][]) {
    const spec = { kind, period: 7 }
    assert.is(featureName(spec), `${kind}_7`)
    assert.is(createIndicator(spec).name, featureName(spec))
  }
})

test('equal specifications of several strategies are computed once', () => {
  const chain = given(...opened({ strategies: [cross(1, 2), cross(1, 3), cross(2, 3)] }))
  assert.equal(chain.table.features.names, ['sma_1', 'sma_2', 'sma_3'])
  assert.equal(
    chain.table.strategies.instances.map(({ slots }) => slots),
    [
      [0, 1],
      [0, 2],
      [1, 2],
    ],
  )
})

test('a row holds the value of this bar and of the one before, by symbol', () => {
  const chain = given(...opened({ strategies: [cross(1, 2)] }), bar('A', 0, 4), bar('B', 0, 50))
  const row = () => chain.table.features.rows[0]!
  assert.equal([...row().now], [4, Number.NaN])
  assert.equal([...row().before], [Number.NaN, Number.NaN])
  chain.and(bar('A', 1, 8), bar('A', 2, 16))
  assert.equal([...row().now], [16, 12])
  assert.equal([...row().before], [8, 6])
  assert.equal([...chain.table.features.rows[1]!.now], [50, Number.NaN])
})

test('features that stay keep their state through a change, new ones start cold', () => {
  const chain = given(...opened({ strategies: [cross(1, 2)] }), bar('A', 0, 4), bar('A', 1, 8))
  chain.and(started(settings({ strategies: [cross(2, 3)] }), dayEnd(1)))
  assert.equal(chain.table.features.names, ['sma_2', 'sma_3'])
  chain.and(bar('A', 2, 16))
  assert.equal([...chain.table.features.rows[0]!.now], [12, Number.NaN])
  assert.equal([...chain.table.features.rows[0]!.before], [6, Number.NaN])
  chain.and(bar('A', 3, 20), bar('A', 4, 24))
  assert.equal([...chain.table.features.rows[0]!.now], [22, 20])
})

test('without strategies nothing is computed', () => {
  const chain = given(...opened({ strategies: [cross(1, 2)] }), bar('A', 0, 4))
  chain.and(started(settings(), dayEnd(0)), bar('A', 1, 8))
  assert.equal(chain.table.features.names, [])
  assert.is(chain.table.features.rows[0]!.now.length, 0)
})

test.run()
