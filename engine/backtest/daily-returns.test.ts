import fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { DailyReturns } from './daily-returns.ts'

test('keeps the last equity of each day', () => {
  const daily = new DailyReturns()
  for (const [day, equity] of [
    [10, 90],
    [10, 100],
    [11, 300],
    [11, 110],
    [14, 55],
  ] as const) {
    daily.update(day, equity)
  }
  assert.is(daily.sessions, 3)
  assert.is(daily.equity, 55)
  const returns = daily.returns()!
  assert.is(returns.length, 2)
  assert.ok(Math.abs(returns[0]! - 0.1) < 1e-15)
  assert.is(returns[1], -0.5)
})

test('has no return before the second close', () => {
  const daily = new DailyReturns()
  assert.is(daily.sessions, 0)
  assert.ok(Number.isNaN(daily.equity))
  assert.is(daily.returns()!.length, 0)
  assert.is(daily.turnover, null)
  daily.update(1, 100)
  daily.update(1, 101)
  assert.is(daily.sessions, 1)
  assert.is(daily.returns()!.length, 0)
})

test('forms the same returns from any number of bars a day, past the first buffer', () => {
  const days = fc.array(
    fc.array(fc.integer({ min: 1, max: 1000 }), { minLength: 1, maxLength: 3 }),
    {
      minLength: 1,
      maxLength: 1500,
      size: 'max',
    },
  )
  fc.assert(
    fc.property(days, (days) => {
      const daily = new DailyReturns()
      for (const [day, equities] of days.entries()) {
        for (const equity of equities) daily.update(day * 2, equity)
        if (day % 100 === 0) daily.returns() // looking changes nothing
      }
      const closes = days.map((equities) => equities.at(-1)!)
      const expected = closes.slice(1).map((close, i) => close / closes[i]! - 1)
      assert.equal([...daily.returns()!], expected)
    }),
    { numRuns: 30 },
  )
  const long = new DailyReturns()
  for (let day = 0; day < 2000; day++) long.update(day, 1 + day)
  assert.is(long.returns()!.length, 1999)
  assert.is(long.returns()![1998], 2000 / 1999 - 1)
})

test('has no returns once the equity is gone', () => {
  for (const [closes, defined] of [
    [[100, 0], true], // a return of −100 % can be formed, the next cannot
    [[100, 0, 5], false],
    [[100, -5, 5], false],
    [[100, Number.NaN, 5], false],
    [[100, Number.POSITIVE_INFINITY], false],
  ] as const) {
    const daily = new DailyReturns()
    for (const [day, close] of closes.entries()) daily.update(day, close)
    assert.is(daily.returns() !== null, defined, JSON.stringify(closes))
  }
})

test('turnover is the mean over all days of traded / equity at the close', () => {
  const daily = new DailyReturns()
  daily.traded(1, 50) // at the open, before the first bar of the day
  daily.update(1, 100)
  daily.traded(1, 25)
  daily.update(1, 150)
  daily.update(2, 100)
  daily.traded(3, 10)
  daily.update(3, 200)
  daily.traded(3, 10)
  assert.is(daily.turnover, (75 / 150 + 0 + 20 / 200) / 3)
})

test('turnover is undefined where the equity is gone', () => {
  const daily = new DailyReturns()
  daily.traded(1, 50)
  daily.update(1, 0)
  assert.is(daily.turnover, null)
})

test('refuses a day that runs back', () => {
  const daily = new DailyReturns()
  daily.update(5, 100)
  assert.throws(() => daily.update(4, 100), /trading day runs back from 5 to 4/)
  assert.throws(() => daily.update(Number.NaN, 100), /trading day/)
  assert.throws(() => daily.traded(4, 100), /fill on day 4 after day 5/)
})

test.run()
