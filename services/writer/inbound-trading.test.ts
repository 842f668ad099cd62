import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { InboundMessage } from '../../engine/ports/bus.ts'
import { validateEvent } from '../../schemas/validate.ts'
import { Identities } from './identity.ts'
import { type InboundRules, type Input, readInbound } from './inbound.ts'
import { inbound, NOW } from './writer-fixture.ts'

const RULES: InboundRules = {
  requireSignature: false,
  checkSignature: () => null,
  now: () => NOW,
}

/** What is taken is what its schema takes, also after JSON. */
function taken(message: InboundMessage): Input {
  const input = readInbound(message, RULES)
  assert.is(input.refusal, null, JSON.stringify(input.refusal))
  const back = JSON.parse(JSON.stringify(input.data)) as unknown
  const checked = validateEvent(input.type, 1, back)
  assert.ok(checked.ok, JSON.stringify(checked))
  return input
}

function refused(message: InboundMessage): { code: string; message: string } {
  const { refusal } = readInbound(message, RULES)
  assert.ok(refusal !== null, `${message.subject} was taken`)
  return refusal!
}

const WHO = { actor: 'ana', reason: 'test' }
const control = (action: string, body: object) =>
  inbound(`control.${action}`, { ...WHO, ...body }, { stream: 'INBOX' })

test('an order is canceled or replaced by its number, with what is to change', () => {
  const cancel = taken(control('cancel-order', { orderId: 4 }))
  assert.is(cancel.type, 'control.received')
  const { action, orderId } = cancel.data as { action: string; orderId: number }
  assert.equal([action, orderId], ['cancel-order', 4])
  const change = { orderId: 4, qty: '5', limitPrice: '10', timeInForce: 'gtc' }
  const replace = taken(control('replace-order', change)).data as Record<string, unknown>
  for (const [name, value] of Object.entries(change)) assert.is(replace[name], value, name)
})

test('fields that do not go with a control are refused by name', () => {
  const words = (action: string, body: object) => {
    const { code, message } = refused(control(action, body))
    assert.is(code, 'invalid_control')
    return message
  }
  assert.match(words('cancel-order', {}), /\/orderId is needed for cancel-order/)
  assert.match(words('replace-order', { orderId: 1 }), /\/qty, .*at least one is needed/)
  assert.match(
    words('cancel-order', { orderId: 1, qty: '2' }),
    /\/qty goes with replace-order only/,
  )
  assert.match(words('halt', { orderId: 1 }), /\/orderId does not go with halt/)
  assert.match(words('replace-order', { orderId: 0, qty: '1' }), /\/orderId/)
  assert.match(words('replace-order', { orderId: 1, qty: 'all' }), /\/qty/)
  assert.match(words('replace-order', { orderId: 1, limitPrice: '-1' }), /\/limitPrice/)
  assert.match(words('replace-order', { orderId: 1, timeInForce: 'week' }), /\/timeInForce/)
})

const ACTION = {
  feed: 'f',
  symbol: 'A',
  kind: 'split',
  value: '2',
  exDate: '2015-04-09',
  time: '2015-04-09T00:00:00Z',
}
const market = (given: object, headers: Record<string, string> = {}) =>
  inbound('md.action.A', { ...ACTION, ...given }, { stream: 'MARKET', headers })

test('a corporate action is an input of its own time, behind the reports it caused', () => {
  const input = taken(market({}, { 'bitacora-reports': '7' }))
  assert.is(input.type, 'market.action')
  assert.is(input.clock, Date.UTC(2015, 3, 9))
  assert.is(input.after, 7)
  taken(market({ kind: 'dividend', value: '0.5' }))
  taken(market({ kind: 'delist', value: undefined }))
  taken(market({ kind: 'rename', value: undefined, newSymbol: 'B' }))
})

test('an action that could not take effect is refused', () => {
  const code = (given: object) => refused(market(given)).code
  for (const given of [
    { kind: 'merger' },
    { value: undefined },
    { kind: 'dividend', value: undefined },
    { value: '0' },
    { value: '0.0000000001' },
    { kind: 'rename', value: undefined },
    { newSymbol: 'B' },
    { exDate: '2015-02-30' },
    { time: '2015-02-30T00:00:00Z' },
    { time: '9999-12-31T00:00:00Z' },
    { extra: 1 },
  ]) {
    assert.is(code(given), 'invalid_action', JSON.stringify(given))
  }
})

test('an action told again is known, also with another value', () => {
  const identities = new Identities()
  const { data } = taken(market({}))
  assert.not.ok(identities.knows('market.action', data))
  identities.remember('market.action', data)
  assert.ok(identities.knows('market.action', data))
  assert.ok(identities.knows('market.action', { ...ACTION, value: '3' }))
  assert.not.ok(identities.knows('market.action', { ...ACTION, exDate: '2015-04-10' }))
  assert.not.ok(identities.knows('market.action', { ...ACTION, kind: 'dividend' }))
})

test("every kind of a broker's report is taken in its order, a charge too", () => {
  const common = { orderId: 1, clientOrderId: 'b-1', symbol: 'A', occurredAt: ACTION.time }
  const why = { code: 'c', reason: 'r' }
  const identities = new Identities()
  const reports: [string, object][] = [
    ['order.held', common],
    ['order.adjusted', { ...common, ...why, qty: '5' }],
    ['order.replaced', { ...common, ...why, replacedBy: 2 }],
    ['order.replace_rejected', { ...common, ...why, replacedBy: 3 }],
    ['order.cancel_rejected', { ...common, ...why }],
    ['account.charged', { symbol: 'A', occurredAt: ACTION.time, amount: '0.5', ...why }],
  ]
  for (const [index, [type, data]] of reports.entries()) {
    const brokerSequence = index + 1
    const body = { type, version: 1, data: { ...data, brokerSequence } }
    const input = taken(inbound('reports.main', body, { stream: 'REPORTS' }))
    assert.is(input.after, index)
    assert.not.ok(identities.knows(input.type, input.data))
    identities.remember(input.type, input.data)
    assert.is(identities.brokerSequence, brokerSequence, type)
  }
})

test.run()
