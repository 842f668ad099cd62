import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { format } from '../decimal.ts'
import type { BrokerOrder } from '../ports/broker.ts'
import { daily, open } from './exchange-fixture.ts'

test('a stop_limit works as a limit only after its stop was reached', () => {
  // side, stop, limit, bar, what is said on it, then on a bar back at the limit
  const cases: [
    'buy' | 'sell',
    string,
    string,
    [number, number, number, number],
    string,
    string,
  ][] = [
    // Not triggered, though the limit would have been met.
    ['buy', '12', '13', [10, 11, 9, 10], '', ''],
    // Triggered inside the bar: at the stop, which the limit allows.
    ['buy', '12', '13', [10, 12.5, 9, 10], '12', ''],
    // Gapped over, still within the limit: the open.
    ['buy', '12', '13', [12.5, 14, 12, 13], '12.5', ''],
    // Gapped beyond the limit: the limit is reached later in the bar, which all lies behind the trigger.
    ['buy', '12', '13', [14, 15, 12.9, 14], '13', ''],
    ['buy', '12', '13', [14, 15, 13.5, 14], '', '13'],
    // Limit below the stop: whether the market came back after the trigger no bar tells.
    ['buy', '12', '11', [10, 12.5, 9, 10], '', '11'],
    ['sell', '8', '7', [10, 11, 7.5, 9], '8', ''],
    ['sell', '8', '7', [7.5, 8, 7, 7], '7.5', ''],
    ['sell', '8', '9', [10, 11, 7.5, 9], '', '9'],
  ]
  for (const [i, [side, stopPrice, limitPrice, bar, first, second]] of cases.entries()) {
    const { exchange, send, said } = open()
    send({ type: 'stop_limit', side, stopPrice, limitPrice })
    exchange.onBar(daily(1, ...bar))
    assert.equal(said(), first === '' ? [] : [`filled 1 10@${first}`], `case ${i}`)
    const limit = Number(limitPrice)
    if (second === '') continue
    exchange.onBar(daily(2, limit + (side === 'buy' ? 1 : -1), limit + 1, limit - 1, limit))
    assert.equal(said(), [`filled 1 10@${second}`], `case ${i}`)
  }
})

test('slippage on a triggered stop_limit ends at its limit', () => {
  const { exchange, send, said } = open({ slippageBps: 1000 })
  send({ type: 'stop_limit', stopPrice: '12', limitPrice: '13' })
  send({ type: 'stop_limit', stopPrice: '12', limitPrice: '14' })
  exchange.onBar(daily(1, 10, 13, 9, 10))
  assert.equal(said(), ['filled 1 10@13', 'filled 2 10@13.2'])
})

test('a trailing stop is tested at its old level, then moved, and never back', () => {
  const { exchange, send, said } = open()
  exchange.onBar(daily(1, 10, 10, 10, 10))
  send({ type: 'trailing_stop', side: 'sell', trailAmount: '1' })
  // Stop at 9: a high of 12 and a low of 9.5 in one bar must not hit 11.
  exchange.onBar(daily(2, 10, 12, 9.5, 10))
  assert.equal(said(), [])
  exchange.onBar(daily(3, 11.5, 11.6, 11.2, 11.3))
  exchange.onBar(daily(4, 11.4, 11.4, 10.5, 11))
  assert.equal(said(), ['filled 1 10@11'])
})

test('with "close" the close moves it, and percents are of the best price', () => {
  const { exchange, send, said } = open({ trail: 'close' })
  exchange.onBar(daily(1, 10, 10, 10, 10))
  send({ type: 'trailing_stop', side: 'buy', trailPercent: '10' })
  exchange.onBar(daily(2, 9, 9, 7, 8))
  exchange.onBar(daily(3, 8.5, 8.7, 8.1, 8.5))
  assert.equal(said(), [])
  // The best close is 8, not the low of 7: 8.8.
  exchange.onBar(daily(4, 8.5, 9, 8.5, 9))
  assert.equal(said(), ['filled 1 10@8.8'])
})

test('a trailing stop sent before any price starts from the open of its first bar', () => {
  const { exchange, send, said } = open()
  send({ type: 'trailing_stop', side: 'sell', trailAmount: '1' })
  exchange.onBar(daily(1, 10, 10.5, 9, 9.5))
  assert.equal(said(), ['filled 1 10@9'])
})

test('what is left of a triggered trailing stop goes on as a market order', () => {
  const { exchange, send, said } = open({ participation: 0.1 })
  exchange.onBar(daily(1, 10, 10, 10, 10))
  send({ type: 'trailing_stop', side: 'sell', trailAmount: '1', qty: '15' })
  exchange.onBar(daily(2, 10, 10, 8, 10, 100))
  exchange.onBar(daily(3, 20, 20, 20, 20, 100))
  assert.equal(said(), ['filled 1 10@9 …', 'filled 1 5@20'])
})

test('ioc takes what the open gives and cancels the rest; later prices of the bar are too late', () => {
  const { exchange, send, said } = open({ participation: 0.1 })
  send({ timeInForce: 'ioc', qty: '15' })
  send({ timeInForce: 'ioc', type: 'limit', limitPrice: '9.5' })
  exchange.onBar(daily(1, 10, 11, 9, 10, 100))
  assert.equal(said(), ['filled 1 10@10 …', 'canceled 1 ioc_unfilled', 'canceled 2 ioc_unfilled'])
})

test('fok fills at once or not at all, and leaves what it cannot use to others', () => {
  const { exchange, send, said } = open({ participation: 0.1 })
  send({ timeInForce: 'fok', qty: '15' })
  send({ timeInForce: 'fok', qty: '10' })
  exchange.onBar(daily(1, 10, 11, 9, 10, 100))
  assert.equal(said(), ['filled 2 10@10', 'canceled 1 fok_unfilled'])
})

test('same-close: ioc and fok have the close of the bar just shown', () => {
  const { exchange, send, said } = open({ participation: 0.1, fill: 'same-close' })
  exchange.onBar(daily(1, 10, 11, 9, 10.5, 100))
  send({ timeInForce: 'ioc', qty: '6' })
  send({ timeInForce: 'fok', qty: '6' })
  send({ timeInForce: 'ioc', qty: '6' })
  assert.equal(said(), [
    'filled 1 6@10.5',
    'canceled 2 fok_unfilled',
    'filled 3 4@10.5 …',
    'canceled 3 ioc_unfilled',
  ])
})

test('a bar without trades gives an ioc nothing', () => {
  const { exchange, send, said } = open({ participation: 0.1 })
  send({ timeInForce: 'ioc' })
  exchange.onBar(daily(1, 10, 11, 9, 10, 0))
  assert.equal(said(), ['canceled 1 ioc_unfilled'])
})

test('without sessions opg is the open and cls the close of the next bar; what is left is canceled', () => {
  const { exchange, send, said } = open({ participation: 0.1, fill: 'same-close' })
  send({ timeInForce: 'opg', qty: '6' })
  send({ timeInForce: 'cls', qty: '6' })
  send({ timeInForce: 'opg', type: 'limit', limitPrice: '9.9' })
  send({ timeInForce: 'cls', type: 'limit', limitPrice: '11' })
  send({ timeInForce: 'cls', type: 'limit', limitPrice: '10' })
  exchange.onBar(daily(1, 10, 11, 9, 10.5, 100))
  assert.equal(said(), [
    'filled 1 6@10',
    'filled 2 4@10.5 …',
    'canceled 2 auction_over',
    'canceled 3 auction_over',
    'canceled 4 auction_over',
    'canceled 5 auction_over',
  ])
})

test('an order of value buys to the ninth decimal what its money pays, fees apart', () => {
  const { exchange, send, said } = open({ commission: '0.01' })
  send({ qty: 'notional', notional: '100', timeInForce: 'day' })
  exchange.onBar(daily(1, 30, 30, 30, 30))
  assert.equal(said(), ['filled 1 3.333333333@30'])
  assert.is(format(exchange.account.cash), '9899.00000001')
})

test('an order of value too small for any share is canceled', () => {
  const { exchange, send, said } = open()
  send({ qty: 'notional', notional: '0.00000001' })
  exchange.onBar(daily(1, 30, 30, 30, 30))
  assert.equal(said(), ['canceled 1 notional_too_small'])
})

const refusals: [string, string, Partial<BrokerOrder>][] = [
  ['a trailing stop without a trail', 'invalid_trail', { type: 'trailing_stop' }],
  [
    'one with both',
    'invalid_trail',
    { type: 'trailing_stop', trailAmount: '1', trailPercent: '1' },
  ],
  ['a trail of zero', 'invalid_trail', { type: 'trailing_stop', trailAmount: '0' }],
  ['a trail of all the price', 'invalid_trail', { type: 'trailing_stop', trailPercent: '100' }],
  ['a trail beside a limit', 'invalid_trail', { type: 'limit', limitPrice: '1', trailAmount: '1' }],
  ['a stop_limit without a limit', 'invalid_price', { type: 'stop_limit', stopPrice: '1' }],
  ['a stop_limit without a stop', 'invalid_price', { type: 'stop_limit', limitPrice: '1' }],
  ['notional beside a quantity', 'invalid_qty', { notional: '5' }],
  ['notional without money', 'invalid_qty', { qty: 'notional' }],
  [
    'a stop for a moment',
    'time_in_force_for_type',
    { type: 'stop', stopPrice: '1', timeInForce: 'ioc' },
  ],
  ['a market order before the open', 'extended_hours_not_allowed', { extendedHours: true }],
]

for (const [what, code, order] of refusals) {
  test(`refuses ${what}`, () => {
    const { send, said } = open()
    send(order)
    assert.equal(said(), [`rejected 1 ${code}`])
  })
}

test('the rules of Alpaca are looked at when they are asked for', () => {
  const { exchange, send, said } = open({ rules: 'alpaca' })
  send({ qty: '0.5' })
  send({ type: 'limit', limitPrice: '10.123' })
  send({ type: 'close' })
  send({ qty: 'all' })
  send({ side: 'sell', qty: '0.5', timeInForce: 'day' })
  assert.equal(said(), [
    'rejected 1 fractional_not_allowed',
    'rejected 2 price_increment',
    'rejected 3 time_in_force_for_type',
    'rejected 4 fractional_not_allowed',
    'rejected 5 not_shortable',
  ])
  send({ qty: '1.5', timeInForce: 'day' })
  exchange.onBar(daily(1, 10, 10, 10, 10))
  send({ side: 'sell', qty: 'notional', notional: '100', timeInForce: 'day' })
  exchange.onBar(daily(2, 10, 10, 10, 10))
  // A sale by value is bounded by what is held: fractions are not sold short.
  assert.equal(said(), ['filled 6 1.5@10', 'filled 7 1.5@10 …', 'canceled 7 not_shortable'])
})

test.run()
