import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { OrderType, TimeInForce } from '../ports/broker.ts'
import { type OrderTerms, orderFault, type RuleSet } from './order-rules.ts'

const TYPES: OrderType[] = ['market', 'limit', 'stop', 'stop_limit', 'trailing_stop']
const TIMES: TimeInForce[] = ['day', 'gtc', 'ioc', 'fok', 'opg', 'cls']

function terms(
  type: OrderType,
  timeInForce: TimeInForce,
  more: Partial<OrderTerms> = {},
): OrderTerms {
  return {
    type,
    timeInForce,
    fractional: false,
    ...((type === 'limit' || type === 'stop_limit') && { limitPrice: '10' }),
    ...((type === 'stop' || type === 'stop_limit') && { stopPrice: '9' }),
    ...(type === 'trailing_stop' && { trailPercent: '2' }),
    ...more,
  }
}

/** One row a time in force, one letter a type in the order of TYPES: + taken, - refused. */
function table(rules: RuleSet, more: Partial<OrderTerms>): Record<string, string> {
  return Object.fromEntries(
    TIMES.map((time) => [
      time,
      TYPES.map((type) => (orderFault(terms(type, time, more), rules) === null ? '+' : '-')).join(
        '',
      ),
    ]),
  )
}

test('whole shares: every type by day and gtc, market and limit at one moment', () => {
  const whole = {
    day: '+++++',
    gtc: '+++++',
    ioc: '++---',
    fok: '++---',
    opg: '++---',
    cls: '++---',
  }
  assert.equal(table('plain', {}), whole)
  assert.equal(table('alpaca', {}), whole)
})

test('fractions: the simulated exchange takes them as whole shares, Alpaca by day alone', () => {
  const fractional = { fractional: true }
  assert.equal(table('plain', fractional), table('plain', {}))
  const none = '-----'
  assert.equal(table('alpaca', fractional), {
    ...{ day: '++++-', gtc: none, ioc: none },
    ...{ fok: none, opg: none, cls: none },
  })
})

test('extended hours: limit orders of day and gtc, whole shares', () => {
  const none = '-----'
  const limit = { day: '-+---', gtc: '-+---', ioc: none, fok: none, opg: none, cls: none }
  assert.equal(table('plain', { extendedHours: true }), limit)
  assert.equal(table('alpaca', { extendedHours: true }), limit)
  const both = { ...table('alpaca', { extendedHours: true, fractional: true }) }
  assert.ok(Object.values(both).every((row) => row === none))
})

const code = (order: OrderTerms, rules: RuleSet = 'plain') => orderFault(order, rules)?.code ?? null

test('each type has its prices, and no other', () => {
  assert.is(code({ ...terms('limit', 'day'), limitPrice: undefined as never }), 'price_missing')
  assert.is(
    code({ type: 'stop_limit', timeInForce: 'day', fractional: false, stopPrice: '1' }),
    'price_missing',
  )
  assert.is(code(terms('market', 'day', { limitPrice: '1' })), 'price_not_for_type')
  assert.is(code(terms('limit', 'day', { stopPrice: '1' })), 'price_not_for_type')
  assert.is(code(terms('stop', 'day', { trailAmount: '1' })), 'price_not_for_type')
  assert.is(code(terms('trailing_stop', 'day', { trailAmount: '1' })), 'trail_ambiguous')
  assert.is(code({ type: 'trailing_stop', timeInForce: 'day', fractional: false }), 'price_missing')
})

const leg = (...types: OrderType[]) => ({ legs: types.map((type) => ({ type })) })

test('classes have their legs, stand by day or gtc, and share whole shares', () => {
  const bracket = { orderClass: 'bracket', ...leg('limit', 'stop') } as const
  assert.is(code(terms('market', 'gtc', bracket)), null)
  assert.is(code(terms('market', 'gtc', { ...bracket, ...leg('limit', 'trailing_stop') })), null)
  assert.is(
    code(terms('market', 'gtc', { ...bracket, ...leg('limit', 'trailing_stop') }), 'alpaca'),
    'class_not_allowed',
  )
  for (const legs of [
    leg('limit'),
    leg('limit', 'limit'),
    leg('stop', 'stop'),
    leg('limit', 'market'),
  ]) {
    assert.is(code(terms('market', 'gtc', { ...bracket, ...legs })), 'legs_do_not_fit')
  }
  assert.is(code(terms('market', 'gtc', leg('limit'))), 'legs_do_not_fit')
  for (const type of ['limit', 'stop', 'trailing_stop'] as const) {
    assert.is(code(terms('market', 'gtc', { orderClass: 'oto', ...leg(type) })), null)
  }
  assert.is(
    code(terms('market', 'gtc', { orderClass: 'oto', ...leg('limit', 'stop') })),
    'legs_do_not_fit',
  )
  const oco = { orderClass: 'oco', ...leg('stop') } as const
  assert.is(code(terms('limit', 'gtc', { ...oco, reducing: true })), null)
  assert.is(code(terms('market', 'gtc', oco)), 'class_not_allowed')
  assert.is(code(terms('limit', 'gtc', { ...oco, reducing: false })), 'class_not_allowed')
  for (const more of [
    { fractional: true },
    { all: true },
    { extendedHours: true },
    { reducing: true },
    { timeInForce: 'ioc' as const },
  ]) {
    const fault = orderFault(terms('limit', 'gtc', { ...bracket, ...more }))
    assert.ok(fault !== null, JSON.stringify(more))
    assert.ok(fault!.reason.length > 10 && fault!.observed !== '')
  }
})

test('Alpaca takes neither type close, nor "all", nor finer prices', () => {
  assert.is(code(terms('close', 'day')), null)
  assert.is(code(terms('close', 'day'), 'alpaca'), 'time_in_force_for_type')
  assert.is(code(terms('market', 'day', { all: true })), null)
  assert.is(code(terms('market', 'day', { all: true }), 'alpaca'), 'fractional_not_allowed')
  for (const [price, fault] of [
    ['10.01', null],
    ['10.010', null],
    ['10.001', 'price_increment'],
    ['0.1234', null],
    ['0.12345', 'price_increment'],
  ] as const) {
    assert.is(code(terms('limit', 'day', { limitPrice: price }), 'alpaca'), fault, price)
    assert.is(code(terms('limit', 'day', { limitPrice: price })), null, price)
  }
})

test.run()
