import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { ChainEvent, EventOf } from '../chain/processor.ts'
import type { Bar } from '../market/bar.ts'
import { DAY_MS } from '../time.ts'
import { type ListedOrder, listedIntents } from './listed-orders.ts'

const order = (id: string, day: number, given: Partial<ListedOrder> = {}): ListedOrder => ({
  id,
  submitTime: day * DAY_MS,
  side: 'buy',
  type: 'market',
  qty: '1',
  ...given,
})

const bar = (day: number, symbol = 'A') => ({ symbol, time: day * DAY_MS }) as Bar

function ids(events: readonly ChainEvent[]): string[] {
  return events.map((event) => (event as EventOf<'order.intended'>).data.signalId)
}

function intents(events: readonly ChainEvent[]) {
  return events.map((event) => (event as EventOf<'order.intended'>).data)
}

test('an order comes before the first bar that begins after it was submitted', () => {
  const listed = listedIntents([order('a', 1), order('b', 3)])
  assert.equal(ids(listed.before(bar(1))), [])
  assert.equal(ids(listed.before(bar(2))), ['listed:a'])
  assert.equal(ids(listed.before(bar(3))), [])
  assert.equal(ids(listed.before(bar(6))), ['listed:b'])
  assert.equal(ids(listed.before(bar(7))), [])
  assert.equal(ids(listed.rest('A')), [])
})

test('orders from before the data come with the first bar, those after it at the end', () => {
  const listed = listedIntents([order('late', 90), order('early', -5)])
  assert.equal(ids(listed.before(bar(1))), ['listed:early'])
  assert.equal(ids(listed.before(bar(50))), [])
  assert.equal(ids(listed.rest('A')), ['listed:late'])
})

test('they are placed in order of time, those of one moment as listed; the number is the row', () => {
  const listed = listedIntents([order('c', 2), order('a', 1), order('b', 1), order('d', 2)])
  assert.equal(
    intents(listed.rest('A')).map(({ orderId, signalId }) => `${orderId} ${signalId}`),
    ['2 listed:a', '3 listed:b', '1 listed:c', '4 listed:d'],
  )
})

test('a row becomes an intent with the price its type needs', () => {
  const listed = listedIntents([
    order('m', 0, { price: '9' }),
    order('l', 0, { type: 'limit', price: '9', symbol: 'B' }),
    order('s', 0, { type: 'stop', price: '8', side: 'sell' }),
    order('c', 0, { type: 'close', validUntil: 3 * DAY_MS }),
  ])
  const common = { side: 'buy', qty: '1', timeInForce: 'gtc', notAfter: '1970-01-02T00:00:00Z' }
  assert.equal(intents(listed.before(bar(1, 'X'))), [
    { orderId: 1, signalId: 'listed:m', symbol: 'X', type: 'market', ...common },
    { orderId: 2, signalId: 'listed:l', symbol: 'B', type: 'limit', limitPrice: '9', ...common },
    {
      orderId: 3,
      signalId: 'listed:s',
      symbol: 'X',
      type: 'stop',
      stopPrice: '8',
      ...common,
      side: 'sell',
    },
    // It may trade on the bar that begins at its last moment, and on none that begins later.
    {
      orderId: 4,
      signalId: 'listed:c',
      symbol: 'X',
      type: 'close',
      expiresAt: '1970-01-04T00:00:00.001Z',
      ...common,
    },
  ])
})

test('each type carries the prices it needs, and how long it stands', () => {
  const listed = listedIntents([
    order('t', 0, { type: 'trailing_stop', trailAmount: '1' }),
    order('p', 0, { type: 'trailing_stop', trailPercent: '2.5' }),
    order('s', 0, { type: 'stop_limit', price: '9', limitPrice: '8', timeInForce: 'day' }),
  ])
  const made = intents(listed.rest('A'))
  assert.equal(
    made.map(({ trailAmount, trailPercent, stopPrice, limitPrice, timeInForce }) => [
      trailAmount,
      trailPercent,
      stopPrice,
      limitPrice,
      timeInForce,
    ]),
    [
      ['1', undefined, undefined, undefined, 'gtc'],
      [undefined, '2.5', undefined, undefined, 'gtc'],
      [undefined, undefined, '9', '8', 'day'],
    ],
  )
})

test('no orders, nothing to place', () => {
  const listed = listedIntents([])
  assert.equal(listed.before(bar(1)), [])
  assert.equal(listed.rest('A'), [])
})

test.run()
