import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { Atr } from './atr.ts'

test('counts gaps against the last close, and nothing for the first bar', () => {
  const atr = new Atr(2)
  const bars = [
    [50, 10, 20], // first: wide, but no last close
    [24, 21, 22], // gap up from 20: range 4
    [19, 17, 18], // gap down from 22: range 5
    [26, 15, 20], // 11
  ] as const
  const values = bars.map(([high, low, close]) => atr.next(low, high, low, close, 0))
  assert.equal(values, [Number.NaN, Number.NaN, 4.5, 7.75])
  assert.is(atr.value, 7.75)
})

test('ignores open and volume', () => {
  const one = new Atr(3)
  const other = new Atr(3)
  for (let i = 1; i < 20; i++) {
    one.next(i, i + 2, i - 1, i, 5)
    other.next(Number.NaN, i + 2, i - 1, i, Number.NaN)
  }
  assert.is(one.value, other.value)
  assert.is(one.value, 3)
})

test.run()
