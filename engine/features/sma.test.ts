import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { Sma } from './sma.ts'

function next(sma: Sma, close: number): number {
  return sma.next(close, close, close, close, 0)
}

/** Deterministic values from 0 to 1. */
function* noise(seed: number): Generator<number, never> {
  let x = seed
  for (;;) {
    x = (Math.imul(x, 1_664_525) + 1_013_904_223) >>> 0
    yield x / 4_294_967_296
  }
}

test('averages the last n closes', () => {
  const sma = new Sma(3)
  assert.equal(
    [1, 2, 6, 7, 2, 9].map((c) => next(sma, c)),
    [Number.NaN, Number.NaN, 3, 5, 5, 6],
  )
  assert.is(sma.value, 6)
})

test('a value of another magnitude leaves no trace once the ring has wrapped', () => {
  const period = 20
  const spiked = new Sma(period)
  const plain = new Sma(period)
  let runningSum = 0
  const window: number[] = []
  for (let i = 0; i < 4 * period; i++) {
    const close = i === 25 ? 1e17 : 0.1
    next(spiked, close)
    next(plain, 0.1)
    window.push(close)
    runningSum += close
    if (window.length > period) runningSum -= window.shift()!
  }
  assert.is(spiked.value, plain.value)
  // What the recount is for: a plain running sum never recovers.
  assert.ok(Math.abs(runningSum / period - 0.1) > 1e-3)
})

test('stays exact to 1e-13 over ten million bars', () => {
  const period = 30
  const sma = new Sma(period)
  const ring = new Float64Array(period)
  const random = noise(7)
  let price = 100
  for (let i = 0; i < 10_000_000; i++) {
    if (i % 16 === 0) price = 1 + 10_000 * random.next().value
    price = price * 1.000001 + 0.01
    ring[i % period] = price
    const value = sma.next(price, price, price, price, 0)
    if (i % 99_991 === 0 && i > period) {
      const mean = ring.reduce((sum, x) => sum + x, 0) / period
      assert.ok(Math.abs(value - mean) <= 1e-13 * mean, `bar ${i}: ${value} is not ${mean}`)
    }
  }
})

test('depends on the last bars and their number only', () => {
  const period = 7
  const one = new Sma(period)
  const other = new Sma(period)
  for (let i = 0; i < 5 * period; i++) {
    next(one, i * 1e9)
    next(other, i / 3)
  }
  const random = noise(3)
  for (let i = 0; i < 2 * period; i++) {
    const close = 100 + random.next().value
    next(one, close)
    next(other, close)
  }
  assert.is(one.value, other.value)
  assert.equal(one.snapshot(), other.snapshot())
})

test.run()
