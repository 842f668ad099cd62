import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { OrderIntended } from '../../schemas/types.gen.ts'
import { DAY_MS } from '../time.ts'
import { brokerOrder } from './broker-order.ts'

const INTENT: OrderIntended = {
  orderId: 7,
  signalId: 's1',
  symbol: 'A',
  side: 'sell',
  type: 'market',
  qty: 'all',
  timeInForce: 'day',
  notAfter: '1970-01-03T00:00:00Z',
}

test('an intent becomes an order with an id of its book, and no field it does not have', () => {
  assert.equal(brokerOrder('book', INTENT), {
    clientOrderId: 'book-7',
    orderId: 7,
    symbol: 'A',
    side: 'sell',
    type: 'market',
    qty: 'all',
    timeInForce: 'day',
  })
})

test('prices stay text, the expiry becomes ms', () => {
  const limit = brokerOrder('b', { ...INTENT, type: 'limit', limitPrice: '1.50' })
  assert.is(limit.limitPrice, '1.50')
  assert.not.ok('stopPrice' in limit)
  const stop = brokerOrder('b', { ...INTENT, type: 'stop', stopPrice: '2' })
  assert.is(stop.stopPrice, '2')
  assert.not.ok('limitPrice' in stop)
  const until = brokerOrder('b', { ...INTENT, expiresAt: '1970-01-02T00:00:00Z' })
  assert.is(until.expiresAt, DAY_MS)
})

test.run()
