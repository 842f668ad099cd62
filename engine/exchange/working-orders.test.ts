import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { parse } from '../decimal.ts'
import type { BrokerOrder } from '../ports/broker.ts'
import { readOrder } from './read-order.ts'
import { orderFrom, orderSnapshot, type WorkingOrder } from './working-orders.ts'

const market: BrokerOrder = {
  clientOrderId: 'book-1',
  orderId: 1,
  symbol: 'IBM',
  side: 'buy',
  type: 'market',
  qty: '10',
  timeInForce: 'gtc',
}

function working(order: object): WorkingOrder {
  const read = readOrder({ ...market, ...order })
  if ('code' in read) throw new Error(read.reason)
  return read
}

test('reads an order with the price its type needs', () => {
  assert.is(working({}).remaining, parse('10'))
  assert.is(working({ type: 'limit', limitPrice: '9.5' }).price, parse('9.5'))
  assert.is(working({ type: 'stop', stopPrice: '9.5' }).price, parse('9.5'))
  assert.is(working({ type: 'close', side: 'sell' }).buys, false)
  assert.is(working({ qty: 'all' }).all, true)
})

test('a day order has no end before its first bar, and an explicit end wins', () => {
  assert.is(working({ timeInForce: 'day' }).day, true)
  assert.is(working({ timeInForce: 'day' }).expiresAt, Number.POSITIVE_INFINITY)
  assert.is(working({ timeInForce: 'day', expiresAt: 5 }).day, false)
  assert.is(working({ timeInForce: 'day', expiresAt: 5 }).expiresAt, 5)
})

const refusals: [string, string, object][] = [
  ['no symbol', 'invalid_symbol', { symbol: '' }],
  ['an unknown side', 'invalid_side', { side: 'close' }],
  ['an unknown type', 'unsupported_type', { type: 'iceberg' }],
  ['qty of zero', 'invalid_qty', { qty: '0' }],
  ['qty below zero', 'invalid_qty', { qty: '-5' }],
  ['qty that is no number', 'invalid_qty', { qty: 'ten' }],
  ['qty that is not text', 'invalid_qty', { qty: 10 }],
  ['qty that rounds to nothing', 'invalid_qty', { qty: '0.0000000001' }],
  ['a limit without a price', 'invalid_price', { type: 'limit' }],
  ['a limit of zero', 'invalid_price', { type: 'limit', limitPrice: '0' }],
  ['a limit that is no number', 'invalid_price', { type: 'limit', limitPrice: '1e3' }],
  [
    'a limit with a stop price',
    'invalid_price',
    { type: 'limit', limitPrice: '1', stopPrice: '1' },
  ],
  ['a stop without a price', 'invalid_price', { type: 'stop' }],
  ['a stop below zero', 'invalid_price', { type: 'stop', stopPrice: '-1' }],
  ['a market order with a limit price', 'invalid_price', { limitPrice: '1' }],
  ['a close order with a stop price', 'invalid_price', { type: 'close', stopPrice: '1' }],
  ['an unknown time in force', 'invalid_time_in_force', { timeInForce: 'gtd' }],
  ['an end that is no time', 'invalid_expiry', { expiresAt: Number.NaN }],
]

for (const [what, code, order] of refusals) {
  test(`refuses ${what}`, () => {
    const read = readOrder({ ...market, ...order })
    assert.is('code' in read ? read.code : 'read', code)
    assert.ok('code' in read && read.reason.length > 0)
  })
}

test('snapshots come back equal through JSON', () => {
  for (const order of [
    working({ type: 'stop', stopPrice: '9.5', timeInForce: 'day' }),
    working({ type: 'limit', limitPrice: '0.123456789', side: 'sell', expiresAt: 7 }),
    working({ qty: 'all' }),
  ]) {
    const json = JSON.parse(JSON.stringify(orderSnapshot(order)))
    assert.equal(orderFrom('IBM', json), order)
  }
})

test.run()
