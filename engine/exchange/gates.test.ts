import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { BrokerOrder } from '../ports/broker.ts'
import { daily, open } from './exchange-fixture.ts'

const LIMIT = { type: 'limit', limitPrice: '10' } as const

test('nothing is sold short where that is not allowed, working sales counted', () => {
  const { exchange, send, said } = open({ shorts: 'listed', shortable: ['B'] })
  send({ qty: '10' })
  exchange.onBar(daily(1, 10, 10, 10, 10))
  send({ side: 'sell', qty: '6', type: 'limit', limitPrice: '20' })
  send({ side: 'sell', qty: '5' })
  send({ side: 'sell', qty: '4', type: 'limit', limitPrice: '20' })
  send({ side: 'sell', qty: '99', symbol: 'B' })
  assert.equal(said(), ['filled 1 10@10', 'rejected 3 not_shortable'])
})

test('what would go short when it fills is cut off there', () => {
  const { exchange, send, said } = open({ shorts: 'none' })
  const stop: BrokerOrder = {
    ...{ clientOrderId: '3', orderId: 3, symbol: 'A', side: 'sell', type: 'stop' },
    ...{ qty: '10', stopPrice: '8', timeInForce: 'gtc' },
  }
  send({ clientOrderId: '1', orderClass: 'oto', legs: [stop] })
  exchange.onBar(daily(1, 10, 10, 10, 10))
  assert.equal(said(), ['filled 1 10@10'])
  exchange.cancel('3', 1)
  send({ clientOrderId: '4', side: 'sell', qty: '7' })
  exchange.onBar(daily(2, 10, 10, 10, 10))
  send({ clientOrderId: '5', side: 'sell', qty: 'all' })
  exchange.onBar(daily(3, 10, 10, 10, 10))
  assert.equal(said(), [
    'canceled 3 cancel_requested',
    'filled 4 7@10',
    'filled 5 3@10 …',
    'canceled 5 not_shortable',
  ])
})

test('a cash account buys with its cash less what working orders reserve', () => {
  const { exchange, send, said } = open({ multiplier: 1 })
  exchange.onBar(daily(1, 10, 10, 10, 10))
  send({ ...LIMIT, limitPrice: '9', qty: '600' })
  send({ qty: '461' })
  send({ qty: '460' })
  send({ side: 'sell', qty: '1' })
  assert.equal(said(), ['rejected 2 insufficient_buying_power', 'rejected 4 not_shortable'])
  exchange.onBar(daily(2, 10, 10, 10, 10))
  // Closing needs nothing.
  send({ side: 'sell', qty: '460', type: 'limit', limitPrice: '11' })
  send({ side: 'sell', qty: '1' })
  assert.equal(said(), ['filled 3 460@10', 'rejected 6 not_shortable'])
})

test('margin: twice what equity leaves beyond half the positions, shorts at 1.03 times the price', () => {
  const { exchange, send, said } = open({ multiplier: 2 })
  exchange.onBar(daily(1, 10, 10, 10, 10))
  send({ ...LIMIT, qty: '2001' })
  send({ ...LIMIT, qty: '1000' })
  exchange.onBar(daily(2, 9, 9, 9, 9))
  // 1000 at 9: equity 10000, half of 9000 is bound, twice 5500 is left.
  send({ ...LIMIT, qty: '1101' })
  send({ ...LIMIT, side: 'sell', qty: '2187' })
  send({ ...LIMIT, side: 'sell', qty: '2100' })
  assert.equal(said(), [
    'rejected 1 insufficient_buying_power',
    'filled 2 1000@9',
    'rejected 3 insufficient_buying_power',
    'rejected 4 insufficient_buying_power',
  ])
})

test('intraday margin counts the equity at the end of the day before', () => {
  const { exchange, send, said } = open({ multiplier: 4 })
  exchange.onBar(daily(1, 10, 10, 10, 10))
  send({ qty: '1000' })
  exchange.onBar(daily(2, 10, 20, 10, 20))
  // Last equity 10000, maintenance 30 % of 20000: four times 4000.
  send({ ...LIMIT, qty: '1601' })
  exchange.onBar(daily(3, 20, 20, 20, 20))
  // Now 20000 − 6000, four times.
  send({ ...LIMIT, qty: '5601' })
  send({ ...LIMIT, qty: '5600' })
  assert.equal(said(), [
    'filled 1 1000@10',
    'rejected 2 insufficient_buying_power',
    'rejected 3 insufficient_buying_power',
  ])
})

test('a small account has neither margin nor shorts', () => {
  const { exchange, send, said } = open({ multiplier: 4, cash: '1999' })
  exchange.onBar(daily(1, 10, 10, 10, 10))
  send({ qty: '200' })
  send({ side: 'sell', qty: '1' })
  send({ qty: '199' })
  assert.equal(said(), ['rejected 1 insufficient_buying_power', 'rejected 2 not_shortable'])
})

test('the legs of a class reserve once, and only their entry', () => {
  const { exchange, send, said } = open({ multiplier: 1 })
  exchange.onBar(daily(1, 10, 10, 10, 10))
  const leg = (orderId: number, terms: Partial<BrokerOrder>): BrokerOrder => ({
    ...{ clientOrderId: `${orderId}`, orderId, symbol: 'A', side: 'sell', type: 'stop' },
    ...{ qty: '1000', timeInForce: 'gtc' },
    ...terms,
  })
  send({
    ...{ clientOrderId: '1', qty: '1000', orderClass: 'bracket' },
    legs: [leg(2, { type: 'limit', limitPrice: '12' }), leg(3, { stopPrice: '8' })],
  })
  exchange.onBar(daily(2, 10, 10, 10, 10))
  send({ clientOrderId: '4', ...LIMIT, symbol: 'B', qty: '1' })
  assert.equal(said(), ['filled 1 1000@10', 'rejected 4 insufficient_buying_power'])
})

test('a replacement that needs more is looked at as if its original were gone', () => {
  const { exchange, send, said } = open({ multiplier: 1 })
  exchange.onBar(daily(1, 10, 10, 10, 10))
  send({ ...LIMIT, limitPrice: '9', qty: '1000' })
  exchange.replace('1', { clientOrderId: '2', orderId: 2, qty: '1112' }, 1)
  exchange.replace('1', { clientOrderId: '3', orderId: 3, qty: '1111' }, 1)
  assert.equal(said(), ['replace_rejected 1 insufficient_buying_power', 'replaced 1 replaced'])
})

test('an order that could trade with one of its own is refused, but for classes and trails', () => {
  const { exchange, send, said } = open({ washTrades: 'refuse' })
  exchange.onBar(daily(1, 10, 10, 10, 10))
  send({ ...LIMIT, limitPrice: '9' })
  send({ side: 'sell', type: 'limit', limitPrice: '9' })
  send({ side: 'sell', type: 'limit', limitPrice: '9.01' })
  send({ side: 'sell' })
  send({ side: 'sell', type: 'stop', stopPrice: '8' })
  send({ side: 'sell', type: 'stop_limit', stopPrice: '8', limitPrice: '8.5' })
  send({ side: 'sell', symbol: 'B' })
  send({ side: 'sell', type: 'trailing_stop', trailAmount: '1' })
  send({ side: 'buy', type: 'limit', limitPrice: '9.01' })
  assert.equal(said(), [
    'rejected 2 wash_trade',
    'rejected 4 wash_trade',
    'rejected 5 wash_trade',
    'rejected 6 wash_trade',
    'rejected 9 wash_trade',
  ])
})

test.run()
