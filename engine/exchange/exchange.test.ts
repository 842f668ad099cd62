import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { ExchangeSettings } from '../../schemas/types.gen.ts'
import { format } from '../decimal.ts'
import { DAY_MS } from '../time.ts'
import type { Exchange } from './exchange.ts'
import { daily, open } from './exchange-fixture.ts'
import { ExchangeSettingsError } from './fees.ts'

test('reports are numbered from 1 and say what they are about', () => {
  const { exchange, reports, send } = open({ commission: '0.001' })
  send({}, 5)
  send({ qty: '-1' }, 6)
  exchange.onBar(daily(1, 20, 21, 19, 20))
  assert.equal(reports, [
    { sequence: 1, kind: 'accepted', clientOrderId: '1', orderId: 1, symbol: 'A', occurredAt: 5 },
    {
      sequence: 2,
      kind: 'rejected',
      clientOrderId: '2',
      orderId: 2,
      symbol: 'A',
      occurredAt: 6,
      code: 'invalid_qty',
      reason: 'qty is "-1": give a decimal above zero, or all',
    },
    {
      sequence: 3,
      kind: 'filled',
      clientOrderId: '1',
      orderId: 1,
      symbol: 'A',
      occurredAt: DAY_MS,
      side: 'buy',
      qty: '10',
      price: '20',
      fee: '0.2',
      complete: true,
    },
  ])
  assert.is(exchange.sequence, 3)
  assert.is(format(exchange.account.cash), '9799.8')
  assert.is(format(exchange.account.fees), '0.2')
  assert.is(format(exchange.account.position('A')), '10')
  assert.equal([...exchange.account.symbols()], ['A'])
  send({ side: 'sell' })
  exchange.onBar(daily(2, 20, 21, 19, 20))
  assert.is(exchange.account.position('A'), 0)
  assert.equal([...exchange.account.symbols()], [])
})

test('an id submitted again is ignored, also when it was refused or is over', () => {
  const { exchange, reports, send } = open()
  send({ clientOrderId: '1' })
  send({ clientOrderId: '2', qty: '0' })
  exchange.onBar(daily(1, 10, 10, 10, 10))
  const before = reports.length
  send({ clientOrderId: '1' })
  send({ clientOrderId: '2' })
  exchange.onBar(daily(2, 10, 10, 10, 10))
  assert.is(reports.length, before)
  assert.ok(exchange.knows('1'))
  assert.ok(exchange.knows('2'))
  assert.not(exchange.knows('3'))
})

test('cancel ends a working order once; what is unknown or over is ignored', () => {
  const { exchange, reports, send, said } = open()
  const id = send({})
  exchange.cancel('nobody', 1)
  exchange.cancel(id, 2)
  assert.is(reports.at(-1)?.occurredAt, 2)
  exchange.cancel(id, 3)
  exchange.onBar(daily(1, 10, 10, 10, 10))
  assert.equal(said(), ['canceled 1 cancel_requested'])
})

test('canceling from inside a report keeps the other leg from filling in the same bar', () => {
  let take = ''
  const { exchange, send, said } = open({}, (report) => {
    if (report.kind === 'filled') exchange.cancel(take, report.occurredAt)
  })
  take = send({ side: 'sell', type: 'limit', limitPrice: '12' })
  send({ side: 'sell', type: 'stop', stopPrice: '9' })
  exchange.onBar(daily(1, 10, 13, 8, 10))
  assert.equal(said(), ['filled 2 10@9', 'canceled 1 cancel_requested'])
  assert.is(exchange.ambiguousBars, 1)
})

test('an order submitted from inside a report waits for the next bar', () => {
  const { exchange, send, said } = open({}, (report) => {
    if (report.kind === 'filled' && report.orderId === 1) {
      send({ side: 'sell' })
      send({ side: 'sell', type: 'limit', limitPrice: '5', expiresAt: 2 * DAY_MS })
    }
  })
  send({})
  exchange.onBar(daily(1, 10, 13, 8, 10))
  assert.equal(said(), ['filled 1 10@10', 'expired 3 expired'])
  exchange.onBar(daily(2, 11, 13, 8, 10))
  assert.equal(said(), ['filled 2 10@11'])
})

test('same-close: a market order from inside a report fills at the close of that bar', () => {
  const { exchange, send, said } = open({ fill: 'same-close' }, (report) => {
    if (report.kind === 'filled' && report.orderId === 1) send({ side: 'sell', symbol: 'B' })
    if (report.kind === 'filled' && report.orderId === 2) send({ side: 'sell' })
  })
  exchange.onBar({ ...daily(0, 7, 7, 7, 7), symbol: 'B', symbolIndex: 1 })
  send({ type: 'limit', limitPrice: '10' })
  exchange.onBar(daily(1, 9, 13, 8, 12))
  // The order for B meets the close of B's newest bar, the one for A the close of the bar at hand.
  assert.equal(said(), ['filled 1 10@9', 'filled 2 10@7', 'filled 3 10@12'])
})

test('same-close: such an order comes after all else the bar fills', () => {
  const { exchange, send, said } = open({ fill: 'same-close' }, (report) => {
    if (report.kind === 'filled' && report.orderId === 1) send({ side: 'sell' })
  })
  exchange.onBar(daily(1, 11, 11, 11, 11))
  send({ type: 'limit', limitPrice: '10' })
  send({ type: 'limit', limitPrice: '8.5' })
  exchange.onBar(daily(2, 9, 13, 8, 12))
  assert.equal(said(), ['filled 1 10@9', 'filled 2 10@8.5', 'filled 3 10@12'])
})

test('an order canceled from inside its acceptance does not trade', () => {
  const { exchange, send, said } = open({ fill: 'same-close' }, (report) => {
    if (report.kind === 'accepted') exchange.cancel(report.clientOrderId, 0)
  })
  exchange.onBar(daily(1, 10, 10, 10, 10))
  send({})
  assert.equal(said(), ['canceled 1 cancel_requested'])
})

test('a bar that is not newer than the last of its symbol is ignored', () => {
  const { exchange, send, said } = open()
  exchange.onBar(daily(2, 10, 10, 10, 10))
  send({})
  exchange.onBar(daily(2, 11, 11, 11, 11))
  exchange.onBar(daily(1, 12, 12, 12, 12))
  assert.equal(said(), [])
  exchange.onBar(daily(3, 13, 13, 13, 13))
  assert.equal(said(), ['filled 1 10@13'])
})

test('a wrong symbol number does no harm', () => {
  const { exchange, send, said } = open()
  send({})
  exchange.onBar({ ...daily(1, 20, 20, 20, 20), symbol: 'B' })
  exchange.onBar({ ...daily(1, 10, 10, 10, 10), symbolIndex: -1 })
  assert.equal(said(), ['filled 1 10@10'])
  send({})
  exchange.onBar(daily(2, 11, 11, 11, 11))
  assert.equal(said(), ['filled 2 10@11'])
})

test('restoring puts back ids, positions and what is left of the bar, and nothing else stays', () => {
  const settings = { fill: 'same-close', participation: 0.1 } as const
  const first = open(settings)
  first.exchange.onBar(daily(1, 10, 10, 10, 10, 100))
  first.exchange.onBar({ ...daily(1, 20, 20, 20, 20, Number.NaN), symbol: 'B', symbolIndex: 1 })
  first.send({ clientOrderId: '1', qty: '6' }, DAY_MS)
  const { exchange, send, said } = open(settings)
  exchange.onBar({ ...daily(1, 30, 30, 30, 30), symbol: 'C' })
  send({ clientOrderId: '9', symbol: 'C' }, DAY_MS)
  said()

  exchange.restore(JSON.parse(JSON.stringify(first.exchange.snapshot())))
  assert.is(exchange.sequence, 2)
  assert.ok(exchange.knows('1'))
  assert.not(exchange.knows('9'))
  assert.equal([...exchange.account.symbols()], ['A'])
  assert.is(format(exchange.account.cash), '9940')
  send({ clientOrderId: '2', qty: '6' }, DAY_MS)
  send({ clientOrderId: '3', qty: '600', symbol: 'B', side: 'sell' }, DAY_MS)
  send({ clientOrderId: '4', symbol: 'C' }, DAY_MS)
  assert.equal(said(), ['filled 2 4@10 …', 'filled 3 600@20'])
})

test('what must not be done from inside a report throws', () => {
  for (const forbidden of [
    (exchange: Exchange) => exchange.onBar(daily(2, 1, 1, 1, 1)),
    (exchange: Exchange) => exchange.snapshot(),
    (exchange: Exchange) => exchange.restore(open().exchange.snapshot()),
  ]) {
    const { exchange, send } = open({}, (report) => {
      if (report.kind !== 'filled') return
      send({})
      forbidden(exchange)
    })
    send({})
    assert.throws(() => exchange.onBar(daily(1, 10, 10, 10, 10)), /from inside a report/)
    // The failure leaves no trace in the matching itself.
    assert.is(exchange.snapshot().books[0]?.orders.length, 1)
  }
})

test('settings out of range are refused by name', () => {
  const cases: [string, Partial<ExchangeSettings>][] = [
    ['participation', { participation: 1.1 }],
    ['participation', { participation: -0.1 }],
    ['participation', { participation: Number.NaN }],
    ['participation', { participation: 1e-12 }],
    ['slippageBps', { slippageBps: -1 }],
    ['slippageBps', { slippageBps: 10_001 }],
  ]
  for (const [name, settings] of cases) {
    assert.throws(
      () => open(settings),
      (error: unknown) =>
        error instanceof ExchangeSettingsError && error.message.startsWith(`exchange.${name} is `),
    )
  }
})

test.run()
