import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { DAY_MS } from '../time.ts'
import { BAR, daily, open } from './exchange-fixture.ts'

test('next-open: a market order fills at the open of the next bar of its symbol', () => {
  const { exchange, send, said } = open()
  exchange.onBar(daily(1, 10, 12, 9, 11))
  send({}, 2 * DAY_MS)
  exchange.onBar({ ...BAR, symbol: 'B', symbolIndex: 1, time: 2 * DAY_MS })
  assert.equal(said(), [])
  exchange.onBar(daily(3, 13, 14, 12, 13))
  assert.equal(said(), ['filled 1 10@13'])
  exchange.onBar(daily(4, 14, 14, 14, 14))
  assert.equal(said(), [])
})

test('same-close: a market order fills at once at the close of the bar shown last', () => {
  const { exchange, reports, send, said } = open({ fill: 'same-close' })
  exchange.onBar(daily(1, 10, 12, 9, 11))
  send({}, 2 * DAY_MS)
  assert.is(reports.at(-1)?.occurredAt, DAY_MS)
  assert.equal(said(), ['filled 1 10@11'])
})

test('same-close: before the first bar, or when the last is stale, it waits for the next close', () => {
  const { exchange, send, said } = open({ fill: 'same-close' })
  send({})
  assert.equal(said(), [])
  exchange.onBar(daily(1, 10, 12, 9, 11))
  assert.equal(said(), ['filled 1 10@11'])
  send({}, 3 * DAY_MS)
  assert.equal(said(), [])
  exchange.onBar(daily(4, 20, 22, 19, 21))
  assert.equal(said(), ['filled 2 10@21'])
})

test('same-close: limits and stops wait for the next bar', () => {
  const { exchange, send, said } = open({ fill: 'same-close' })
  exchange.onBar(daily(1, 10, 12, 9, 11))
  send({ type: 'limit', limitPrice: '12' }, 2 * DAY_MS)
  send({ type: 'stop', stopPrice: '10' }, 2 * DAY_MS)
  send({ type: 'close' }, 2 * DAY_MS)
  assert.equal(said(), [])
  exchange.onBar(daily(2, 11, 11, 11, 10.5))
  assert.equal(said(), ['filled 1 10@11', 'filled 2 10@11', 'filled 3 10@10.5'])
})

test('a close order fills at the close of the next bar', () => {
  const { exchange, send, said } = open()
  send({ type: 'close', side: 'sell' })
  exchange.onBar(daily(1, 10, 12, 9, 11))
  assert.equal(said(), ['filled 1 10@11'])
})

test('a limit fills at the open when that is better, else at the limit once traded through', () => {
  const through = open()
  const touch = open({ limitFill: 'touch' })
  // side, limit, bar, price with "through", price with "touch"
  const cases: ['buy' | 'sell', string, [number, number, number, number], string, string][] = [
    ['buy', '10', [9, 11, 8, 10], '9', '9'],
    ['buy', '10', [11, 12, 9.99, 11], '10', '10'],
    ['buy', '10', [11, 12, 10, 11], '', '10'],
    ['buy', '10', [10, 12, 10, 11], '', '10'],
    ['buy', '10', [10, 12, 9, 11], '10', '10'],
    ['buy', '10', [11, 12, 10.01, 11], '', ''],
    ['sell', '10', [11, 12, 9, 10], '11', '11'],
    ['sell', '10', [9, 10.01, 8, 9], '10', '10'],
    ['sell', '10', [9, 10, 8, 9], '', '10'],
    ['sell', '10', [10, 10, 8, 9], '', '10'],
    ['sell', '10', [9, 9.99, 8, 9], '', ''],
  ]
  cases.forEach(([side, limitPrice, [o, h, l, c], wantThrough, wantTouch], i) => {
    for (const [{ exchange, send, said }, want] of [
      [through, wantThrough],
      [touch, wantTouch],
    ] as const) {
      const id = send({ side, type: 'limit', limitPrice })
      exchange.onBar(daily(i + 1, o, h, l, c))
      assert.equal(said(), want === '' ? [] : [`filled ${id} 10@${want}`], `case ${i}`)
      exchange.cancel(id, 0)
      said()
    }
  })
})

test('a stop fills at its price once reached, and at the open when it was jumped over', () => {
  const { exchange, send, said } = open()
  const cases: ['buy' | 'sell', string, [number, number, number, number], string][] = [
    ['buy', '10', [9, 10, 8, 9], '10'],
    ['buy', '10', [11, 12, 10.5, 11], '11'],
    ['buy', '10', [9, 9.99, 8, 9], ''],
    ['sell', '10', [11, 12, 10, 11], '10'],
    ['sell', '10', [9, 12, 8, 11], '9'],
    ['sell', '10', [11, 12, 10.01, 11], ''],
  ]
  cases.forEach(([side, stopPrice, [o, h, l, c], want], i) => {
    const id = send({ side, type: 'stop', stopPrice })
    exchange.onBar(daily(i + 1, o, h, l, c))
    assert.equal(said(), want === '' ? [] : [`filled ${id} 10@${want}`], `case ${i}`)
    exchange.cancel(id, 0)
    said()
  })
})

test('slippage goes against market, stop and close orders, never against a limit', () => {
  const { exchange, send, said } = open({ slippageBps: 50, limitFill: 'touch' })
  send({})
  send({ side: 'sell' })
  send({ type: 'stop', stopPrice: '101' })
  send({ type: 'close', side: 'sell' })
  send({ type: 'limit', limitPrice: '99' })
  send({ type: 'limit', limitPrice: '120' })
  exchange.onBar(daily(1, 100, 102, 98, 100))
  assert.equal(said(), [
    'filled 1 10@100.5',
    'filled 2 10@99.5',
    'filled 6 10@100',
    'filled 3 10@101.505',
    'filled 5 10@99',
    'filled 4 10@99.5',
  ])
})

test('slippage is rounded to nine decimals, and never makes a price of zero', () => {
  const small = open({ slippageBps: 1 })
  small.send({})
  small.exchange.onBar(daily(1, 0.123456, 1, 0.1, 1))
  assert.equal(small.said(), ['filled 1 10@0.123468346'])
  const whole = open({ slippageBps: 10_000 })
  whole.send({ side: 'sell' })
  whole.exchange.onBar(daily(1, 10, 10, 10, 10))
  assert.equal(whole.said(), ['filled 1 10@0.000000001'])
})

test('within a bar: the open, stops, limits, the close; in each, order of submission', () => {
  const { exchange, send, said } = open()
  send({ type: 'close' })
  send({ type: 'limit', limitPrice: '9' })
  send({ type: 'stop', stopPrice: '11' })
  send({})
  send({ type: 'limit', limitPrice: '12' })
  exchange.onBar(daily(1, 10, 12, 8, 10.5))
  assert.equal(said(), [
    'filled 4 10@10',
    'filled 5 10@10',
    'filled 3 10@11',
    'filled 2 10@9',
    'filled 1 10@10.5',
  ])
})

test('a bar that reaches a stop and a limit of one side is ambiguous; a gap is not', () => {
  const { exchange, send, said } = open()
  const bracket = () => {
    const ids = [
      send({ side: 'sell', type: 'limit', limitPrice: '12' }),
      send({ side: 'sell', type: 'stop', stopPrice: '9' }),
    ]
    return () => {
      for (const id of ids) exchange.cancel(id, 0)
      said()
    }
  }
  let end = bracket()
  exchange.onBar(daily(1, 10, 12, 9, 10))
  assert.is(exchange.ambiguousBars, 0, 'the limit was not traded through')
  end()
  end = bracket()
  exchange.onBar(daily(2, 13, 13, 8, 10))
  assert.is(exchange.ambiguousBars, 0, 'the limit filled at the open')
  end()
  end = bracket()
  exchange.onBar(daily(2.5, 9, 13, 8, 10))
  assert.is(exchange.ambiguousBars, 0, 'the stop filled at the open')
  end()
  send({ side: 'buy', type: 'stop', stopPrice: '12' })
  send({ side: 'sell', type: 'limit', limitPrice: '12' })
  exchange.onBar(daily(3, 10, 13, 8, 10))
  assert.is(exchange.ambiguousBars, 0, 'not of one side')
  said()
  bracket()
  exchange.onBar(daily(4, 10, 13, 8, 10))
  assert.is(exchange.ambiguousBars, 1)
  assert.equal(
    said().map((text) => text.slice(-2)),
    ['@9', '12'],
    'the stop goes first',
  )
})

test('a limit touched by the open fills before what is inside the bar', () => {
  const { exchange, send, said } = open({ limitFill: 'touch' })
  send({ side: 'sell', type: 'stop', stopPrice: '9' })
  send({ side: 'sell', type: 'limit', limitPrice: '10' })
  exchange.onBar(daily(1, 10, 13, 8, 10))
  assert.equal(said(), ['filled 2 10@10', 'filled 1 10@9'])
  assert.is(exchange.ambiguousBars, 0)
})

test.run()
