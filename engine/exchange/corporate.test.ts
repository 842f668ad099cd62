import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { format, parse } from '../decimal.ts'
import type { Action } from '../market/actions.ts'
import type { BrokerOrder } from '../ports/broker.ts'
import { DAY_MS } from '../time.ts'
import { InvalidAction } from './exchange.ts'
import { daily, open } from './exchange-fixture.ts'

function action(kind: Action['kind'], value: string | null, more: Partial<Action> = {}): Action {
  const decimal = value === null ? null : parse(value)
  return { symbol: 'A', kind, value: decimal, time: 2 * DAY_MS, ...more }
}

/** An exchange that holds so many shares of A, bought (or sold) at 10, the last price. */
function holding(qty: string, settings = {}) {
  const opened = open({ cash: '0', ...settings })
  const side = qty.startsWith('-') ? 'sell' : 'buy'
  opened.send({ clientOrderId: '99', side, qty: qty.replace('-', '') })
  opened.exchange.onBar(daily(1, 10, 10, 10, 10))
  opened.said()
  return opened
}

function worth(exchange: ReturnType<typeof holding>['exchange'], price: number): string {
  const value = Number(format(exchange.account.position('A'))) * price
  return (Number(format(exchange.account.cash)) + value).toFixed(6)
}

test('a split changes positions, and pays the fraction of a whole one at the price after it', () => {
  for (const [qty, ratio, wanted, price] of [
    ['100', '2', '200', 5],
    ['101', '0.25', '25', 40],
    ['-101', '0.25', '-25', 40],
    ['0.5', '3', '1.5', 10 / 3],
  ] as const) {
    const { exchange } = holding(qty)
    const before = worth(exchange, 10)
    exchange.onAction(action('split', ratio))
    assert.is(format(exchange.account.position('A')), wanted)
    assert.is(worth(exchange, price), before, `${qty} ${ratio}`)
  }
})

test('orders are scaled with a split, and what leaves less than a share is canceled', () => {
  const { exchange, reports, send, said } = holding('100', { participation: 0.1 })
  const stop: BrokerOrder = {
    ...{ clientOrderId: '8', orderId: 8, symbol: 'A', side: 'sell', type: 'stop' },
    ...{ qty: '6', stopPrice: '7', timeInForce: 'gtc' },
  }
  send({ type: 'limit', limitPrice: '9', qty: '41' })
  send({ type: 'stop_limit', stopPrice: '12', limitPrice: '13', qty: '8' })
  send({ type: 'trailing_stop', side: 'sell', trailAmount: '2', qty: '8' })
  send({ type: 'limit', limitPrice: '8', qty: '3' })
  send({
    ...{ clientOrderId: '5', type: 'limit', limitPrice: '8', qty: '6' },
    ...{ orderClass: 'oto', legs: [stop] },
  })
  exchange.onBar(daily(2, 9.5, 9.5, 8.5, 9, 100))
  assert.equal(said(), ['filled 1 10@9 …'])
  reports.length = 0
  exchange.onAction(action('split', '0.5', { time: 3 * DAY_MS }))
  assert.equal(
    reports.map(({ kind, orderId, qty, limitPrice, stopPrice, code }) =>
      [kind, orderId, qty, limitPrice, stopPrice, code].filter(Boolean).join(' '),
    ),
    [
      // 31 of 41 were left: 15.5 become 15, and 5 are filled.
      'adjusted 1 20 18 split',
      'adjusted 2 4 26 24 split',
      'adjusted 3 4 16 split',
      'adjusted 4 1 16 split',
      'adjusted 5 3 16 split',
      'adjusted 8 3 14 split',
    ],
  )
  exchange.onAction(action('split', '0.5', { time: 4 * DAY_MS }))
  // Each keeps its whole shares of what was left: 4 has none.
  assert.equal(said().slice(-5), [
    'adjusted 2 split',
    'adjusted 3 split',
    'canceled 4 split',
    'adjusted 5 split',
    'adjusted 8 split',
  ])
  exchange.onBar(daily(5, 31.9, 31.9, 27, 31.9, 1e6))
  assert.equal(said(), ['filled 1 7@31.9', 'filled 3 2@31.9', 'filled 5 1@31.9', 'filled 8 1@28'])
})

test('a dividend is credited to long and debited from short positions; orders stay', () => {
  const long = holding('100')
  long.send({ type: 'limit', limitPrice: '9' })
  long.exchange.onAction(action('dividend', '0.52'))
  assert.is(format(long.exchange.account.cash), '-948')
  assert.equal(long.said(), [])
  const short = holding('-100')
  short.exchange.onAction(action('dividend', '0.52'))
  assert.is(format(short.exchange.account.cash), '948')
})

test('a delisting cancels orders with their legs and closes the position', () => {
  const leg: BrokerOrder = {
    ...{ clientOrderId: '8', orderId: 8, symbol: 'A', side: 'sell', type: 'stop' },
    ...{ qty: '10', stopPrice: '7', timeInForce: 'gtc' },
  }
  for (const [value, cash] of [
    [null, '0'],
    ['12.5', '250'],
    ['0', '-1000'],
  ] as const) {
    const { exchange, send, said } = holding('100')
    send({ type: 'limit', limitPrice: '9' })
    send({ clientOrderId: '2', orderClass: 'oto', legs: [leg] })
    exchange.onAction(action('delist', value))
    assert.equal(said(), [
      'canceled 1 delisted',
      'canceled 2 delisted',
      'canceled 8 entry_canceled',
    ])
    assert.is(exchange.account.position('A'), 0)
    assert.is(format(exchange.account.cash), cash)
  }
})

test('a renamed company keeps its position and its orders', () => {
  const { exchange, reports, send, said } = holding('100')
  send({ type: 'limit', limitPrice: '9', expiresAt: 5 * DAY_MS })
  send({ clientOrderId: '2', type: 'limit', limitPrice: '9.5', symbol: 'B' })
  exchange.onAction(action('rename', null, { newSymbol: 'B' }))
  assert.is(format(exchange.account.position('B')), '100')
  assert.is(exchange.account.position('A'), 0)
  assert.equal([exchange.resting('A'), exchange.resting('B')], [0, 2])
  reports.length = 0
  exchange.onBar(daily(3, 8, 8, 8, 8))
  assert.equal(said(), [], 'nothing rests under the old name')
  exchange.onBar({ ...daily(3, 8, 8, 8, 8), symbol: 'B', symbolIndex: 1 })
  assert.equal(
    reports.map(({ orderId, symbol }) => `${orderId} ${symbol}`),
    ['2 B', '1 B'],
  )
})

test('an action shown again, or of before the last, changes nothing, also after a restore', () => {
  const first = holding('100')
  first.exchange.onAction(action('split', '2'))
  first.exchange.onAction(action('dividend', '1'))
  const { exchange } = holding('1')
  exchange.restore(JSON.parse(JSON.stringify(first.exchange.snapshot())))
  for (const one of [first.exchange, exchange]) {
    one.onAction(action('split', '2'))
    one.onAction(action('dividend', '1'))
    one.onAction(action('dividend', '1', { time: DAY_MS }))
    assert.is(format(one.account.position('A')), '200')
    assert.is(format(one.account.cash), '-800')
  }
  exchange.onAction(action('dividend', '1', { time: 3 * DAY_MS }))
  assert.is(format(exchange.account.cash), '-600')
})

test('borrow fees of the days before are reckoned on the position before', () => {
  const { exchange, reports } = holding('-100', { borrowRate: '0.36' })
  reports.length = 0
  exchange.onAction(action('split', '2'))
  assert.equal(
    reports.map(({ kind, amount }) => [kind, amount]),
    [['charged', '1']],
  )
  exchange.onBar(daily(2, 5, 5, 5, 5))
  assert.is(reports.length, 1)
})

test('what cannot be applied is refused by name', () => {
  const { exchange } = holding('100')
  for (const bad of [
    action('split', null),
    action('split', '0'),
    action('dividend', '-1'),
    action('delist', '-1'),
    action('rename', null),
    action('rename', null, { newSymbol: 'A' }),
  ]) {
    assert.throws(
      () => exchange.onAction(bad),
      (error: unknown) => error instanceof InvalidAction && error.code === 'invalid_action',
    )
  }
})

test('exits of an entry that a reverse split met half filled sell no more than is held', () => {
  const { exchange, send, said } = open({ cash: '10000', participation: 0.1 })
  const stop: BrokerOrder = {
    ...{ clientOrderId: '2', orderId: 2, symbol: 'A', side: 'sell', type: 'stop' },
    ...{ qty: '30', stopPrice: '5', timeInForce: 'gtc' },
  }
  send({ clientOrderId: '1', qty: '30', orderClass: 'oto', legs: [stop] })
  exchange.onBar(daily(1, 10, 10, 10, 10, 70))
  exchange.onAction(action('split', '0.25'))
  assert.is(format(exchange.account.position('A')), '1')
  exchange.onBar(daily(2, 40, 40, 40, 40, 1000))
  assert.is(format(exchange.account.position('A')), '6')
  said()
  exchange.onBar(daily(3, 20, 20, 10, 10, 1000))
  assert.equal(said(), ['filled 2 6@20'])
  assert.is(format(exchange.account.position('A')), '0')
})

test('what is traded no more takes no orders, until it has a price again', () => {
  for (const gone of [action('delist', null), action('rename', null, { newSymbol: 'B' })]) {
    const { exchange, send, said } = holding('100')
    exchange.onAction(gone)
    send({ clientOrderId: '1' })
    assert.equal(said(), ['rejected 1 not_listed'])
    exchange.restore(JSON.parse(JSON.stringify(exchange.snapshot())))
    send({ clientOrderId: '2' })
    assert.equal(said(), ['rejected 2 not_listed'])
    send({ clientOrderId: '3', symbol: 'B' })
    exchange.onBar(daily(2, 10, 10, 10, 10))
    send({ clientOrderId: '4' })
    exchange.onBar(daily(3, 10, 10, 10, 10))
    assert.equal(said(), ['filled 4 10@10'])
  }
})

test.run()
