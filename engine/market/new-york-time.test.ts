import * as fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { DAY_MS } from '../time.ts'
import {
  daylightTime,
  newYorkDay,
  newYorkMidnight,
  newYorkOffset,
  weekday,
} from './new-york-time.ts'

const clock = new Intl.DateTimeFormat('en-US', {
  timeZone: 'America/New_York',
  timeZoneName: 'longOffset',
})

/** What the platform's time zone database says, ms. */
function platform(ms: number): number {
  const name = clock.formatToParts(ms).find(({ type }) => type === 'timeZoneName')!.value
  return Number(/GMT-(\d\d):00/.exec(name)![1]) * -3_600_000
}

test('the clocks change when the platform says so, to the millisecond', () => {
  for (let year = 1987; year <= 2037; year++) {
    const { begins, ends } = daylightTime(year)
    for (const change of [begins, ends]) {
      assert.is(newYorkOffset(change - 1), platform(change - 1), `before the change of ${year}`)
      assert.is(newYorkOffset(change), platform(change), `at the change of ${year}`)
      assert.not.equal(platform(change - 1), platform(change))
      assert.is(weekday(newYorkDay(change)), 0)
    }
  }
})

test('offset and date equal those of the platform', () => {
  const moment = fc.integer({ min: Date.UTC(1987, 0, 3), max: Date.UTC(2037, 11, 31) })
  const dates = new Intl.DateTimeFormat('en-CA', { timeZone: 'America/New_York' })
  fc.assert(
    fc.property(moment, (ms) => {
      assert.is(newYorkOffset(ms), platform(ms))
      const day = newYorkDay(ms)
      assert.is(new Date(day * DAY_MS).toISOString().slice(0, 10), dates.format(ms))
      const midnight = newYorkMidnight(day)
      assert.ok(midnight <= ms && ms < newYorkMidnight(day + 1))
      assert.is(newYorkDay(midnight), day)
      assert.is(newYorkDay(midnight - 1), day - 1)
      assert.is(weekday(day), new Date(day * DAY_MS).getUTCDay())
    }),
    { numRuns: 2000 },
  )
})

test('years before the law are refused', () => {
  assert.throws(() => newYorkOffset(Date.UTC(1986, 11, 31)), /known since 1987/)
  assert.throws(() => newYorkOffset(Number.NaN), /known since 1987/)
})

test.run()
