import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { Ema } from './ema.ts'

test('starts at the mean of the first n closes, then moves by 2 / (n + 1)', () => {
  const ema = new Ema(3)
  const values = [2, 4, 6, 8, 6, 0].map((c) => ema.next(c, c, c, c, 0))
  assert.equal(values, [Number.NaN, Number.NaN, 4, 6, 6, 3])
  assert.is(ema.value, 3)
})

test('stays at a constant close and inside the range of the closes', () => {
  const ema = new Ema(50)
  for (let i = 0; i < 100_000; i++) ema.next(0.1, 0.1, 0.1, 0.1, 0)
  assert.ok(Math.abs(ema.value - 0.1) < 1e-15)
  for (let i = 0; i < 100_000; i++) {
    const close = i % 2 === 0 ? 90 : 110
    const value = ema.next(close, close, close, close, 0)
    assert.ok(value >= 0.1 && value <= 110)
  }
  // An alternating close settles symmetrically around its middle.
  assert.ok(Math.abs(ema.value - (100 + 10 / 50)) < 1e-9)
})

test.run()
