import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { format } from '../decimal.ts'
import type { BrokerOrder, BrokerReport } from '../ports/broker.ts'
import { DAY_MS } from '../time.ts'
import { daily, open } from './exchange-fixture.ts'

function leg(id: number, terms: Partial<BrokerOrder>): BrokerOrder {
  return {
    ...{ clientOrderId: `${id}`, orderId: id, symbol: 'A', side: 'sell' },
    ...{ type: 'stop', qty: '10', timeInForce: 'gtc' },
    ...terms,
  } as BrokerOrder
}

const PROFIT = leg(11, { type: 'limit', limitPrice: '12' })
const STOP = leg(12, { stopPrice: '8' })
const BRACKET = {
  orderClass: 'bracket',
  legs: [PROFIT, STOP],
} as const satisfies Partial<BrokerOrder>

function kinds(reports: BrokerReport[]): string[] {
  return reports.map(({ kind, orderId, qty, code }) =>
    [kind, orderId, qty ?? '', code ?? ''].join(' ').trim().replace(/ +/g, ' '),
  )
}

test('legs are held until the entry is wholly filled, and then work', () => {
  const { exchange, reports, send } = open({ participation: 0.1 })
  send({ ...BRACKET, clientOrderId: '1' })
  // Below the stop, but the entry has not filled: no leg trades.
  exchange.onBar(daily(1, 10, 13, 7, 10, 50))
  assert.equal(kinds(reports), ['accepted 1', 'held 11', 'held 12', 'filled 1 5'])
  assert.is(exchange.resting('A'), 1)
  reports.length = 0
  exchange.onBar(daily(2, 10, 11, 9, 10, 1000))
  assert.equal(kinds(reports), ['filled 1 5', 'accepted 11', 'accepted 12'])
  reports.length = 0
  exchange.onBar(daily(3, 10, 12.5, 9, 12, 1000))
  assert.equal(kinds(reports), ['filled 11 10', 'canceled 12 sibling_filled'])
  assert.is(exchange.account.position('A'), 0)
  assert.is(exchange.resting('A'), 0)
})

test('legs meet the rest of the bar whose open filled the entry; of both the stop comes first', () => {
  const { exchange, said, send } = open()
  send({ ...BRACKET, clientOrderId: '1' })
  exchange.onBar(daily(1, 10, 13, 7, 10))
  assert.equal(said(), ['filled 1 10@10', 'filled 12 10@8', 'canceled 11 sibling_filled'])
  assert.is(exchange.ambiguousBars, 1)
})

test('after an entry by limit inside the bar a stop in its range is hit, a profit waits', () => {
  const entry = { type: 'limit', limitPrice: '9', clientOrderId: '1' } as const
  const hit = open()
  hit.send({ ...BRACKET, ...entry })
  hit.exchange.onBar(daily(1, 10, 13, 7, 10))
  // From 10 down to 7 the market passed 9 first: nothing ambiguous.
  assert.equal(hit.said(), ['filled 1 10@9', 'filled 12 10@8', 'canceled 11 sibling_filled'])
  assert.is(hit.exchange.ambiguousBars, 0)
  const spared = open()
  spared.send({ ...BRACKET, ...entry })
  spared.exchange.onBar(daily(1, 10, 13, 8.5, 10))
  assert.equal(spared.said(), ['filled 1 10@9'])
  spared.exchange.onBar(daily(2, 10, 13, 8.5, 10))
  assert.equal(spared.said(), ['filled 11 10@12', 'canceled 12 sibling_filled'])
})

test('after an entry by stop the stop leg counts as hit, ambiguously; else the profit may be taken', () => {
  const entry = { type: 'stop', stopPrice: '11', clientOrderId: '1' } as const
  const lost = open()
  lost.send({ ...BRACKET, ...entry })
  lost.exchange.onBar(daily(1, 10, 13, 7, 10))
  assert.equal(lost.said(), ['filled 1 10@11', 'filled 12 10@8', 'canceled 11 sibling_filled'])
  assert.is(lost.exchange.ambiguousBars, 1)
  const won = open()
  won.send({ ...BRACKET, ...entry })
  won.exchange.onBar(daily(1, 10, 13, 9, 10))
  assert.equal(won.said(), ['filled 1 10@11', 'filled 11 10@12', 'canceled 12 sibling_filled'])
  assert.is(won.exchange.ambiguousBars, 0)
})

test('an entry at the close leaves its legs for the next bar', () => {
  const { exchange, said, send } = open({ fill: 'same-close' })
  send({ ...BRACKET, clientOrderId: '1' })
  exchange.onBar(daily(1, 10, 13, 7, 10))
  assert.equal(said(), ['filled 1 10@10'])
  exchange.onBar(daily(2, 7, 7, 7, 7))
  assert.equal(said(), ['filled 12 10@7', 'canceled 11 sibling_filled'])
})

test('what one leg fills in part the other loses', () => {
  const { exchange, reports, send } = open({ participation: 0.1 })
  send({ ...BRACKET, clientOrderId: '1' })
  exchange.onBar(daily(1, 10, 10, 10, 10, 1000))
  reports.length = 0
  exchange.onBar(daily(2, 10, 13, 9, 12, 40))
  assert.equal(kinds(reports), ['filled 11 4', 'adjusted 12 6 sibling_filled'])
  assert.is(reports[1]?.stopPrice, '8')
  reports.length = 0
  exchange.onBar(daily(3, 7, 7, 7, 7, 30))
  // The rest of the stop is a market order by now, and the profit shrinks to it.
  assert.equal(kinds(reports), ['filled 12 3', 'adjusted 11 7 sibling_filled'])
  assert.is(reports[1]?.limitPrice, '12')
  reports.length = 0
  exchange.onBar(daily(4, 10, 10, 10, 10, 1000))
  assert.equal(kinds(reports), ['filled 12 3', 'canceled 11 sibling_filled'])
  assert.is(exchange.account.position('A'), 0)
})

test('an entry that ends unfilled takes its legs along', () => {
  const canceled = open()
  canceled.send({ ...BRACKET, clientOrderId: '1' })
  canceled.exchange.cancel('1', 5)
  assert.equal(canceled.said(), [
    'canceled 1 cancel_requested',
    'canceled 11 entry_canceled',
    'canceled 12 entry_canceled',
  ])
  const expired = open()
  expired.send({
    ...{ ...BRACKET, clientOrderId: '1', type: 'limit', limitPrice: '9', timeInForce: 'day' },
  })
  expired.exchange.onBar(daily(1, 10, 10, 10, 10))
  assert.equal(expired.said(), [
    'expired 1 expired',
    'canceled 11 entry_expired',
    'canceled 12 entry_expired',
  ])
})

test('an entry canceled in part leaves its legs what it brought in', () => {
  const { exchange, reports, send } = open({ participation: 0.1 })
  send({ ...BRACKET, clientOrderId: '1' })
  exchange.onBar(daily(1, 10, 10, 10, 10, 40))
  reports.length = 0
  exchange.cancel('1', 5)
  assert.equal(kinds(reports), [
    'canceled 1 cancel_requested',
    'accepted 11',
    'adjusted 11 4 entry_partial',
    'accepted 12',
    'adjusted 12 4 entry_partial',
  ])
  reports.length = 0
  exchange.onBar(daily(2, 7, 7, 7, 7, 1000))
  assert.equal(kinds(reports), ['filled 12 4', 'canceled 11 sibling_filled'])
  assert.is(exchange.account.position('A'), 0)
})

test('a leg that is canceled takes its sibling along, and an entry that still works', () => {
  const held = open()
  held.send({ ...BRACKET, clientOrderId: '1' })
  held.said()
  held.exchange.cancel('11', 5)
  assert.equal(held.said(), [
    'canceled 11 cancel_requested',
    'canceled 1 leg_canceled',
    'canceled 12 sibling_canceled',
  ])
  const working = open()
  working.send({ ...BRACKET, clientOrderId: '1' })
  working.exchange.onBar(daily(1, 10, 10, 10, 10))
  working.said()
  working.exchange.cancel('12', 5)
  assert.equal(working.said(), ['canceled 12 cancel_requested', 'canceled 11 sibling_canceled'])
})

test('a day leg expires with its day, and its sibling with it', () => {
  const { exchange, send, said } = open()
  const legs = [{ ...PROFIT, timeInForce: 'day' as const }, STOP]
  send({ ...BRACKET, legs, clientOrderId: '1' })
  exchange.onBar(daily(1, 10, 10, 10, 10))
  exchange.onBar(daily(2, 10, 10, 10, 10))
  assert.equal(said(), ['filled 1 10@10', 'expired 11 expired', 'canceled 12 sibling_expired'])
})

test('oco: both work at once, one trades', () => {
  const { exchange, reports, send } = open()
  send({})
  exchange.onBar(daily(1, 10, 10, 10, 10))
  reports.length = 0
  send({
    ...{ clientOrderId: '5', side: 'sell', type: 'limit', limitPrice: '12' },
    ...{ orderClass: 'oco', legs: [STOP] },
  })
  assert.equal(kinds(reports), ['accepted 5', 'accepted 12'])
  reports.length = 0
  exchange.onBar(daily(2, 10, 13, 7, 10))
  assert.equal(kinds(reports), ['filled 12 10', 'canceled 5 sibling_filled'])
  assert.is(exchange.ambiguousBars, 1)
  assert.is(exchange.account.position('A'), 0)
})

test('oto with a trailing stop: it starts from the price of the entry', () => {
  const { exchange, said, send } = open()
  const trailing = leg(12, { type: 'trailing_stop', trailAmount: '1' })
  send({ clientOrderId: '1', orderClass: 'oto', legs: [trailing] })
  exchange.onBar(daily(1, 10, 11, 9.5, 10.5))
  assert.equal(said(), ['filled 1 10@10'])
  // The high of 11 came after the entry at the open: the stop stands at 10.
  exchange.onBar(daily(2, 10.5, 10.5, 9.9, 10))
  assert.equal(said(), ['filled 12 10@10'])
})

test('a leg may end from inside the report of its entry, and its sibling with it', () => {
  const { exchange, said, send } = open({}, (report) => {
    if (report.kind === 'filled' && report.orderId === 1) exchange.cancel('12', 5)
  })
  send({ ...BRACKET, clientOrderId: '1' })
  exchange.onBar(daily(1, 10, 13, 7, 10))
  assert.equal(said(), [
    'filled 1 10@10',
    'canceled 12 cancel_requested',
    'canceled 11 sibling_canceled',
  ])
  assert.is(format(exchange.account.position('A')), '10')
})

const refusals: [string, string, Partial<BrokerOrder>][] = [
  ['a class without legs', 'legs_do_not_fit', { orderClass: 'bracket' }],
  ['legs without a class', 'legs_do_not_fit', { legs: [STOP] }],
  ['a bracket of two stops', 'legs_do_not_fit', { orderClass: 'bracket', legs: [STOP, STOP] }],
  ['a class for a moment', 'class_not_allowed', { ...BRACKET, timeInForce: 'ioc' }],
  ['a class for a fraction', 'class_not_allowed', { ...BRACKET, qty: '0.5' }],
  ['an unknown class', 'invalid_class', { orderClass: 'ladder' as 'oto', legs: [STOP] }],
  [
    'a leg of the same side',
    'invalid_leg',
    { orderClass: 'oto', legs: [leg(12, { stopPrice: '8', side: 'buy' })] },
  ],
  [
    'a leg of another size',
    'invalid_leg',
    { orderClass: 'oto', legs: [leg(12, { stopPrice: '8', qty: '9' })] },
  ],
  [
    'a leg of another symbol',
    'invalid_leg',
    { orderClass: 'oto', legs: [leg(12, { stopPrice: '8', symbol: 'B' })] },
  ],
  ['a leg without its price', 'invalid_leg', { orderClass: 'oto', legs: [leg(12, {})] }],
  [
    'a leg for a moment',
    'invalid_leg',
    { orderClass: 'oto', legs: [leg(12, { type: 'limit', limitPrice: '12', timeInForce: 'ioc' })] },
  ],
  [
    'a leg with a class',
    'invalid_leg',
    { orderClass: 'oto', legs: [leg(12, { stopPrice: '8', orderClass: 'oto' })] },
  ],
  [
    'a trailing entry',
    'invalid_class',
    { orderClass: 'oto', legs: [STOP], type: 'trailing_stop', trailAmount: '1' },
  ],
  [
    'a profit below the stop',
    'invalid_class',
    { orderClass: 'bracket', legs: [leg(11, { type: 'limit', limitPrice: '7' }), STOP] },
  ],
  ['a stop above the entry', 'invalid_class', { ...BRACKET, type: 'limit', limitPrice: '7.5' }],
]

for (const [what, code, order] of refusals) {
  test(`refuses ${what}, and every leg with it`, () => {
    const { exchange, reports, send } = open()
    send({ clientOrderId: '1', ...order })
    const wanted = [`rejected 1 ${code}`]
    for (const one of new Set((order.legs ?? []).map((each) => each.orderId))) {
      wanted.push(`rejected ${one} entry_rejected`)
    }
    assert.equal(kinds(reports), wanted)
    exchange.onBar(daily(1, 10, 10, 10, 10))
    assert.is(reports.length, wanted.length)
  })
}

test('a leg with an id that is taken is refused', () => {
  const { reports, send } = open()
  send({ clientOrderId: '12', type: 'limit', limitPrice: '1' })
  send({ clientOrderId: '1', orderClass: 'oto', legs: [STOP] }, DAY_MS)
  assert.equal(kinds(reports), ['accepted 12', 'rejected 1 invalid_leg'])
})

test.run()
