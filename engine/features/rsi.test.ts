import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { Rsi } from './rsi.ts'

function series(period: number, closes: readonly number[]): number[] {
  const rsi = new Rsi(period)
  return closes.map((c) => rsi.next(c, c, c, c, 0))
}

test('weighs rises against falls, from n + 1 bars on', () => {
  // Changes +3 −1 | +2: gain 1.5 then 1.75, loss 0.5 then 0.25.
  assert.equal(series(2, [10, 13, 12, 14]), [Number.NaN, Number.NaN, 75, 87.5])
})

test('is 100 when the close only rose, 0 when it only fell, 50 when it never moved', () => {
  assert.is(series(3, [1, 2, 3, 4, 5]).at(-1), 100)
  assert.is(series(3, [5, 4, 3, 2, 1]).at(-1), 0)
  assert.is(series(3, [5, 5, 5, 5, 5]).at(-1), 50)
})

test('recovers from a flat start', () => {
  const flat = new Array<number>(60).fill(5)
  assert.is(series(14, [...flat, 6]).at(-1), 100)
  const value = series(14, [...flat, 6, 5])
  assert.ok(value.slice(14, 60).every((v) => v === 50))
  assert.ok(value.at(-1)! > 0 && value.at(-1)! < 50)
})

test('stays between 0 and 100 when the averages decay to nothing', () => {
  const rsi = new Rsi(2)
  for (const close of [1, 2, 1]) rsi.next(close, close, close, close, 0)
  for (let i = 0; i < 5000; i++) {
    const value = rsi.next(1, 1, 1, 1, 0)
    assert.ok(value >= 0 && value <= 100, `${value}`)
  }
})

test.run()
