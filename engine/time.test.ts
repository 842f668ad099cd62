import * as fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import {
  DAY_MS,
  dayFromCivil,
  dayNumber,
  formatDay,
  formatTime,
  parseDuration,
  parseTime,
  tradingDay,
} from './time.ts'

const FROM = Date.UTC(1900, 0, 1)
const TO = Date.UTC(2100, 11, 31, 23, 59, 59, 999)
const ms = fc.integer({ min: FROM, max: TO })

test('a stamp is what Date writes, with milliseconds only where there are any', () => {
  fc.assert(
    fc.property(ms, (at) => {
      const iso = new Date(at).toISOString()
      assert.is(formatTime(at), iso.replace('.000Z', 'Z'))
      assert.is(formatDay(dayNumber(at)), iso.slice(0, 10))
      assert.is(parseTime(formatTime(at)), at)
      assert.is(parseTime(iso.slice(0, 10)), dayNumber(at) * DAY_MS)
      // Not what was written last, so it is read and not remembered.
      assert.is(parseTime(iso), at)
    }),
    { numRuns: 2000 },
  )
})

test('what is remembered of the last stamp never answers for another', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.boolean(), fc.integer({ min: 0, max: 3 })), { maxLength: 20 }),
      (calls) => {
        const times = [0, 1, DAY_MS, 1_368_403_200_000]
        const texts = [
          '1970-01-01T00:00:00Z',
          '1970-01-01T00:00:00.001Z',
          '1970-01-02T00:00:00Z',
          '2013-05-13T00:00:00Z',
        ]
        for (const [write, i] of calls) {
          if (write) assert.is(formatTime(times[i]!), texts[i])
          else assert.is(parseTime(texts[i]!), times[i])
        }
      },
    ),
  )
  assert.ok(Number.isNaN(parseTime('')))
  assert.ok(Number.isNaN(parseTime('')))
})

test('every day of two centuries is named and found', () => {
  for (let day = dayNumber(FROM); day <= dayNumber(TO); day++) {
    const date = new Date(day * DAY_MS)
    const [year, month, of] = [date.getUTCFullYear(), date.getUTCMonth() + 1, date.getUTCDate()]
    assert.is(dayFromCivil(year, month, of), day)
    const text = `${year}-${String(month).padStart(2, '0')}-${String(of).padStart(2, '0')}`
    assert.is(formatDay(day), text)
  }
})

test('days far apart and before the epoch are told right', () => {
  for (const [day, text] of [
    [0, '1970-01-01'],
    [-1, '1969-12-31'],
    [-719_468, '0000-03-01'],
    [11_016, '2000-02-29'],
    [2_932_896, '9999-12-31'],
  ] as const) {
    assert.is(formatDay(day), text)
    assert.is(parseTime(text), day * DAY_MS)
  }
})

test('offsets are taken off', () => {
  const noon = Date.UTC(2020, 5, 1, 12)
  for (const text of [
    '2020-06-01T12:00Z',
    '2020-06-01 12:00:00Z',
    '2020-06-01T14:00:00+02:00',
    '2020-06-01T08:00:00-0400',
    '2020-06-01T17:30:00.000+05:30',
    '2020-05-31T23:00:00-13:00',
    '2020-06-01T12:00:00+00:00',
  ]) {
    assert.is(parseTime(text), noon, text)
  }
})

test('any offset of a day gives what Date gives', () => {
  fc.assert(
    fc.property(ms, fc.integer({ min: -23, max: 23 }), fc.nat(59), (at, hours, minutes) => {
      const local = new Date(at).toISOString().slice(0, -1)
      const sign = hours < 0 ? '-' : '+'
      const zone = `${sign}${String(Math.abs(hours)).padStart(2, '0')}:${String(minutes).padStart(2, '0')}`
      assert.is(parseTime(local + zone), Date.parse(local + zone), local + zone)
    }),
  )
})

test('fractions of one to six digits are cut to milliseconds', () => {
  fc.assert(
    fc.property(fc.nat(999_999), fc.integer({ min: 1, max: 6 }), (micros, length) => {
      const digits = String(micros).padStart(6, '0').slice(0, length)
      const expected = Number(digits.padEnd(3, '0').slice(0, 3))
      assert.is(parseTime(`1970-01-01T00:00:00.${digits}Z`), expected, digits)
    }),
    { numRuns: 2000 },
  )
})

test('what is no date, or no stamp with a zone, is NaN', () => {
  for (const text of [
    '',
    'today',
    '2021-02-29',
    '1900-02-29',
    '2021-04-31',
    '2021-13-01',
    '2021-00-10',
    '2021-01-00',
    '2021-1-01',
    '21-01-01',
    '20210101',
    '01/02/2021',
    ' 2021-01-01',
    '2021-01-01 ',
    '2021-01-01T',
    '2021-01-01T10:00:00',
    '2021-01-01T24:00:00Z',
    '2021-01-01T10:60:00Z',
    '2021-01-01T10:00:60Z',
    '2021-01-01T10Z',
    '2021-01-01T10:00:00.Z',
    '2021-01-01T10:00:00+2',
    '2021-01-01TZ',
    '1609459200000',
  ]) {
    assert.ok(Number.isNaN(parseTime(text)), text)
  }
})

test('durations of days, hours, minutes and seconds', () => {
  for (const [text, expected] of [
    ['PT1M', 60_000],
    ['PT5S', 5000],
    ['PT1.5S', 1500],
    ['PT0.0005S', 1],
    ['P1D', DAY_MS],
    ['P1DT2H3M4S', DAY_MS + 2 * 3_600_000 + 3 * 60_000 + 4000],
    ['PT0S', 0],
    ['PT90M', 5_400_000],
  ] as const) {
    assert.is(parseDuration(text), expected, text)
  }
  for (const text of [
    '',
    'P',
    'PT',
    'P1DT',
    '1D',
    'P1W',
    'P1Y',
    'P1M',
    '-PT1S',
    'PT-1S',
    'PT1,5S',
    'pt1s',
    'PT1S ',
    'PT.5S',
    'PT1M1H',
  ]) {
    assert.ok(Number.isNaN(parseDuration(text)), text)
  }
})

test('a moment counts to the day that it ends, and its first later millisecond to the next', () => {
  const midnight = 100 * DAY_MS
  assert.is(tradingDay(midnight), 99)
  assert.is(tradingDay(midnight + 1), 100)
  assert.is(tradingDay(midnight - 1), 99)
  assert.is(tradingDay(midnight + DAY_MS), 100)
  fc.assert(
    fc.property(ms, (start) => {
      const bar = dayNumber(start)
      assert.is(tradingDay((bar + 1) * DAY_MS), bar, 'a daily bar belongs to its own date')
    }),
  )
})

test('nine digits of a fraction are cut, not rounded', () => {
  assert.is(parseTime('1970-01-01T00:00:00.123999999Z'), 123)
  assert.is(parseTime('1970-01-01T00:00:00.000999999Z'), 0)
  assert.is(parseTime('1969-12-31T23:59:59.999999999Z'), -1)
  assert.ok(Number.isNaN(parseTime('1970-01-01T00:00:00.1234567890Z')))
})

test('an offset that no clock has is NaN', () => {
  for (const zone of ['+99:99', '-99:99', '+24:00', '-24:00', '+00:60', '+9999', '-0060']) {
    assert.ok(Number.isNaN(parseTime(`2020-06-01T12:00:00${zone}`)), zone)
  }
  assert.is(parseTime('2020-06-01T12:00:00+23:59'), Date.UTC(2020, 4, 31, 12, 1))
})

test('a year of five digits or before 0 is NaN, also right after it was written', () => {
  const last = Date.UTC(9999, 11, 31, 23, 59, 59, 999)
  for (const at of [last + 1, last + 1 + 400 * DAY_MS, -62_167_219_200_001]) {
    const text = formatTime(at)
    assert.ok(Number.isNaN(parseTime(text)), `${text}, just written`)
    parseTime('1970-01-01')
    assert.ok(Number.isNaN(parseTime(text)), `${text}, read`)
  }
  for (const at of [last, -62_167_219_200_000]) {
    const text = formatTime(at)
    assert.is(parseTime(text), at, `${text}, just written`)
    parseTime('1970-01-01')
    assert.is(parseTime(text), at, `${text}, read`)
  }
})

test.run()
