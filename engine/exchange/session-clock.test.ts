import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Bar } from '../market/bar.ts'
import { CalendarError } from '../market/calendar.ts'
import { DAY_MS, parseTime } from '../time.ts'
import { BAR, open } from './exchange-fixture.ts'

const HALF_HOUR = 30 * 60_000
const US = { sessions: 'us-equity' } as const

/** Half an hour from a moment in New York's winter, flat at a price. */
function at(date: string, clock: string, price = 10): Bar {
  const time = parseTime(`${date}T${clock}:00-05:00`)
  return { ...BAR, time, end: time + HALF_HOUR, open: price, high: price, low: price, close: price }
}

function now(date: string, clock: string): number {
  return parseTime(`${date}T${clock}:00-05:00`)
}

const MONDAY = '2024-03-04'
const TUESDAY = '2024-03-05'

test('before and after the core session only limits with extendedHours trade, when closed none', () => {
  const { exchange, send, said } = open(US)
  const limit = { type: 'limit', limitPrice: '11' } as const
  send({}, now(MONDAY, '03:00'))
  send(limit, now(MONDAY, '03:00'))
  exchange.onBar(at(MONDAY, '03:00'))
  send({ ...limit, extendedHours: true }, now(MONDAY, '03:30'))
  exchange.onBar(at(MONDAY, '03:30'))
  assert.equal(said(), [])
  exchange.onBar(at(MONDAY, '08:00'))
  assert.equal(said(), ['filled 3 10@10'])
  exchange.onBar(at(MONDAY, '09:30'))
  assert.equal(said(), ['filled 1 10@10', 'filled 2 10@10'])
  send(limit, now(MONDAY, '16:00'))
  send({ ...limit, extendedHours: true }, now(MONDAY, '16:00'))
  exchange.onBar(at(MONDAY, '16:00'))
  assert.equal(said(), ['filled 5 10@10'])
})

test('a day order ends with its core session, in extended hours with the post hours', () => {
  const { exchange, send, said } = open(US)
  const limit = { type: 'limit', limitPrice: '5', timeInForce: 'day' } as const
  send(limit, now(MONDAY, '10:00'))
  send({ ...limit, extendedHours: true }, now(MONDAY, '10:00'))
  exchange.onBar(at(MONDAY, '15:00'))
  assert.equal(said(), [])
  exchange.onBar(at(MONDAY, '15:30'))
  assert.equal(said(), ['expired 1 expired'])
  // Sent after the close: for the next session.
  send(limit, now(MONDAY, '16:30'))
  exchange.onBar(at(MONDAY, '19:30'))
  assert.equal(said(), ['expired 2 expired'])
  exchange.onBar(at(TUESDAY, '15:30'))
  assert.equal(said(), ['expired 3 expired'])
})

test('a day order whose session had no bar does not live into the next', () => {
  const { exchange, send, said } = open(US)
  send({ timeInForce: 'day' }, now(MONDAY, '10:00'))
  exchange.onBar(at(TUESDAY, '10:00'))
  assert.equal(said(), ['expired 1 expired'])
})

test('opg is for the first bar of a session that it was there for, cls for the last', () => {
  const { exchange, send, said } = open(US)
  send({ timeInForce: 'opg' }, now(MONDAY, '10:00'))
  send({ timeInForce: 'cls' }, now(MONDAY, '10:00'))
  send({ type: 'close' }, now(MONDAY, '10:00'))
  exchange.onBar(at(MONDAY, '10:00', 9))
  exchange.onBar(at(MONDAY, '15:00', 9))
  assert.equal(said(), [])
  exchange.onBar(at(MONDAY, '15:30', 8))
  assert.equal(said(), ['filled 2 10@8', 'filled 3 10@8'])
  exchange.onBar(at(TUESDAY, '08:00', 7))
  send({ timeInForce: 'opg', type: 'limit', limitPrice: '5' }, now(TUESDAY, '09:00'))
  exchange.onBar(at(TUESDAY, '09:30', 6))
  assert.equal(said(), ['filled 1 10@6', 'canceled 4 auction_over'])
})

test('the close of an early session is its last bar', () => {
  const { exchange, send, said } = open(US)
  send({ timeInForce: 'cls' }, now('2019-12-24', '10:00'))
  exchange.onBar(at('2019-12-24', '12:00', 9))
  exchange.onBar(at('2019-12-24', '12:30', 8))
  assert.equal(said(), ['filled 1 10@8'])
})

test('a daily bar is the core session of its date, and on a holiday none', () => {
  const { exchange, send, said } = open(US)
  const day = (date: string): Bar => {
    const time = parseTime(date)
    return { ...BAR, time, end: time + DAY_MS }
  }
  send({ timeInForce: 'opg' })
  send({ timeInForce: 'cls' })
  send({ timeInForce: 'day' })
  exchange.onBar(day('2024-03-03'))
  assert.equal(said(), [])
  exchange.onBar(day(MONDAY))
  assert.equal(said(), ['filled 1 10@10', 'filled 3 10@10', 'filled 2 10@10'])
})

test('same-close: no market order trades at the close of a bar outside the core session', () => {
  const { exchange, send, said } = open({ ...US, fill: 'same-close' })
  exchange.onBar(at(MONDAY, '08:00', 9))
  send({}, now(MONDAY, '08:30'))
  assert.equal(said(), [])
  exchange.onBar(at(MONDAY, '09:30', 10))
  assert.equal(said(), ['filled 1 10@10'])
  send({}, now(MONDAY, '10:00'))
  assert.equal(said(), ['filled 2 10@10'])
})

test('crypto: the session is the UTC day', () => {
  const { exchange, send, said } = open({ sessions: 'crypto' })
  const bar = (time: string, price: number): Bar => {
    const from = parseTime(time)
    return { ...at(MONDAY, '09:30', price), time: from, end: from + HALF_HOUR }
  }
  send({ timeInForce: 'cls' }, parseTime('2024-03-02T10:00:00Z'))
  send({ timeInForce: 'day', type: 'limit', limitPrice: '1' }, parseTime('2024-03-02T10:00:00Z'))
  exchange.onBar(bar('2024-03-02T10:00:00Z', 9))
  exchange.onBar(bar('2024-03-02T23:30:00Z', 8))
  assert.equal(said(), ['filled 1 10@8', 'expired 2 expired'])
})

test('a time that the calendar does not know is an error by name', () => {
  const { exchange, send } = open(US)
  send({})
  assert.throws(
    () => exchange.onBar(at('1980-03-04', '10:00')),
    (error: unknown) => error instanceof CalendarError && error.code === 'outside_calendar',
  )
})

test('an order for a close whose bar is missing does not live until the next', () => {
  const { exchange, send, said } = open(US)
  exchange.onBar(at(MONDAY, '10:00'))
  send({ timeInForce: 'cls' }, now(MONDAY, '10:30'))
  exchange.onBar(at(MONDAY, '15:00'))
  assert.equal(said(), [])
  exchange.onBar(at(TUESDAY, '09:30'))
  assert.equal(said(), ['expired 1 expired'])
  send({ timeInForce: 'cls' }, now(TUESDAY, '10:00'))
  exchange.onBar(at(TUESDAY, '15:30'))
  assert.equal(said(), ['filled 2 10@10'])
  // Sent after the close: for that of the next session.
  send({ timeInForce: 'cls' }, now(TUESDAY, '16:30'))
  exchange.onBar(at('2024-03-06', '15:30'))
  assert.equal(said(), ['filled 3 10@10'])
})

test.run()
