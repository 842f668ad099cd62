import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { BrokerOrder, Replacement } from '../ports/broker.ts'
import { DAY_MS } from '../time.ts'
import { daily, open } from './exchange-fixture.ts'

const LIMIT = { type: 'limit', limitPrice: '9', qty: '10' } as const

function by(orderId: number, terms: Partial<Replacement> = {}): Replacement {
  return { clientOrderId: `${orderId}`, orderId, ...terms }
}

test('a replacement stands in the place of its original, with what is not named taken over', () => {
  const { exchange, reports, send, said } = open()
  send(LIMIT)
  reports.length = 0
  exchange.replace('1', by(7, { limitPrice: '8' }), 5)
  assert.equal(reports, [
    {
      ...{ sequence: 2, kind: 'replaced', clientOrderId: '1', orderId: 1, symbol: 'A' },
      ...{ occurredAt: 5, replacedBy: 7, code: 'replaced', reason: 'replaced on request' },
    },
    { sequence: 3, kind: 'accepted', clientOrderId: '7', orderId: 7, symbol: 'A', occurredAt: 5 },
  ])
  reports.length = 0
  exchange.onBar(daily(1, 10, 10, 7, 10))
  assert.equal(said(), ['filled 7 10@8'])
  assert.ok(exchange.knows('1') && exchange.knows('7'))
})

test('the quantity is the whole one: what is filled is part of it', () => {
  const { exchange, send, said } = open({ participation: 0.1 })
  send(LIMIT)
  exchange.onBar(daily(1, 9, 9, 8, 9, 40))
  said()
  exchange.replace('1', by(2, { qty: '4' }), 1)
  assert.equal(said(), ['replace_rejected 1 invalid_qty'])
  exchange.replace('1', by(3, { qty: '6' }), 1)
  exchange.onBar(daily(2, 9, 9, 8, 9, 1000))
  assert.equal(said(), ['replaced 1 replaced', 'filled 3 2@9'])
  exchange.replace('3', by(4, { qty: '8' }), 1)
  assert.equal(said(), ['replace_rejected 3 not_working'])
})

test('only a smaller quantity keeps the place in the queue', () => {
  const queue = (terms: Partial<Replacement>): string[] => {
    const { exchange, send, said } = open({ participation: 0.1 })
    send(LIMIT)
    send(LIMIT)
    exchange.replace('1', by(3, terms), 1)
    said()
    exchange.onBar(daily(1, 8, 8, 8, 8, 100))
    return said()
  }
  assert.equal(queue({ qty: '8' }), ['filled 3 8@8', 'filled 2 2@8 …'])
  assert.equal(queue({ qty: '12' }), ['filled 2 10@8'])
  assert.equal(queue({ limitPrice: '9.5' }), ['filled 2 10@8'])
  assert.equal(queue({ qty: '8', timeInForce: 'day' }), ['filled 2 10@8', 'expired 3 expired'])
})

test('a replacement sent again, or of an order never seen, is ignored', () => {
  const { exchange, reports, send } = open()
  send(LIMIT)
  exchange.replace('nobody', by(5), 1)
  assert.not(exchange.knows('5'))
  exchange.replace('1', by(2, { limitPrice: '8' }), 1)
  const before = reports.length
  exchange.replace('1', by(2, { limitPrice: '7' }), 1)
  exchange.replace('2', by(2, { limitPrice: '7' }), 1)
  assert.is(reports.length, before)
})

test('one that is refused is known all the same, and its original works on', () => {
  const { exchange, send, said } = open()
  send(LIMIT)
  exchange.replace('1', by(2), 1)
  assert.ok(exchange.knows('2'))
  exchange.onBar(daily(1, 8, 8, 8, 8))
  assert.equal(said(), ['replace_rejected 1 unchanged', 'filled 1 10@8'])
})

test('a late replacement of an order long over still has its answer after a restore', () => {
  const { exchange, reports, send } = open()
  send(LIMIT)
  exchange.cancel('1', 1)
  for (let i = 2; i < 1000; i++) exchange.cancel(send({ ...LIMIT, clientOrderId: `${i}` }), 1)
  const again = open()
  again.exchange.restore(JSON.parse(JSON.stringify(exchange.snapshot())))
  for (const one of [exchange, again.exchange]) one.replace('1', by(5000), 1)
  const [last] = again.reports
  assert.equal(last, reports.at(-1))
  assert.equal([last?.kind, last?.orderId, last?.replacedBy], ['replace_rejected', 1, 5000])
})

test('a held leg is replaced by a held leg, a working one by a working one', () => {
  const leg = (orderId: number, terms: Partial<BrokerOrder>): BrokerOrder => ({
    ...{ clientOrderId: `${orderId}`, orderId, symbol: 'A', side: 'sell', type: 'stop' },
    ...{ qty: '10', timeInForce: 'gtc' },
    ...terms,
  })
  const { exchange, reports, send, said } = open()
  send({
    ...{ clientOrderId: '1', orderClass: 'bracket' },
    legs: [leg(2, { type: 'limit', limitPrice: '12' }), leg(3, { stopPrice: '8' })],
  })
  reports.length = 0
  exchange.replace('3', by(4, { stopPrice: '9' }), 1)
  assert.equal(
    reports.map(({ kind, orderId }) => `${kind} ${orderId}`),
    ['replaced 3', 'held 4'],
  )
  exchange.replace('4', by(5, { stopPrice: '12' }), 1)
  exchange.replace('2', by(6, { qty: '5' }), 1)
  exchange.replace('2', by(7, { timeInForce: 'ioc' }), 1)
  exchange.onBar(daily(1, 10, 10, 9.5, 10))
  exchange.replace('2', by(8, { limitPrice: '11' }), DAY_MS)
  exchange.onBar(daily(2, 10, 11.5, 9.5, 10))
  assert.equal(said().slice(1), [
    'replace_rejected 4 invalid_class',
    'replace_rejected 2 invalid_replacement',
    'replace_rejected 2 invalid_replacement',
    'filled 1 10@10',
    'replaced 2 replaced',
    'filled 8 10@11',
    'canceled 4 sibling_filled',
  ])
})

test('a trail is replaced around the best price there was', () => {
  const { exchange, send, said } = open()
  exchange.onBar(daily(1, 10, 10, 10, 10))
  send({ type: 'trailing_stop', side: 'sell', trailAmount: '1' })
  exchange.onBar(daily(2, 10, 12, 10, 11.5))
  exchange.replace('1', by(2, { trailPercent: '25' }), 1)
  exchange.replace('2', by(3, { trailPercent: '25' }), 1)
  exchange.onBar(daily(3, 11, 11, 8.5, 9))
  assert.equal(said(), ['replaced 1 replaced', 'replace_rejected 2 unchanged', 'filled 2 10@9'])
})

const refusals: [string, string, Partial<BrokerOrder>, Partial<Replacement>][] = [
  ['a limit of a market order', 'invalid_price', {}, { limitPrice: '5' }],
  ['a stop of a limit order', 'invalid_price', LIMIT, { stopPrice: '5' }],
  ['a limit of zero', 'invalid_price', LIMIT, { limitPrice: '0' }],
  ['a quantity that is none', 'invalid_qty', LIMIT, { qty: 'ten' }],
  ['the size of an order of "all"', 'invalid_replacement', { ...LIMIT, qty: 'all' }, { qty: '5' }],
  ['the trail of a limit order', 'invalid_trail', LIMIT, { trailAmount: '1' }],
  [
    'two trails',
    'invalid_trail',
    { type: 'trailing_stop', trailAmount: '1' },
    { trailAmount: '1', trailPercent: '1' },
  ],
  [
    'a time its type cannot have',
    'time_in_force_for_type',
    { type: 'stop', stopPrice: '20' },
    { timeInForce: 'fok' },
  ],
]

for (const [what, code, order, terms] of refusals) {
  test(`refuses ${what}`, () => {
    const { exchange, send, said } = open()
    send(order)
    exchange.replace('1', by(2, terms), 1)
    assert.equal(said(), [`replace_rejected 1 ${code}`])
  })
}

test.run()
