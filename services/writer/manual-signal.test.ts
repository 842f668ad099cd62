import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { SignalReceived } from '../../schemas/types.gen.ts'
import { validateEvent } from '../../schemas/validate.ts'
import type { InboundMessage } from '../../engine/ports/bus.ts'
import { formatTime } from '../../engine/time.ts'
import {
  checkSignature,
  secretKey,
  signatureHeaders,
  type SignalKeys,
} from '../runtime/webhook-signature.ts'
import { Identities } from './identity.ts'
import { type InboundRules, type Input, readInbound } from './inbound.ts'
import { readManualSignal } from './manual-signal.ts'
import { messageHash, Refusal } from './message.ts'
import { inbound, NOW } from './writer-fixture.ts'

const KEY = secretKey(`whsec_${Buffer.alloc(32, 7).toString('base64')}`) as Buffer
const KEYS: SignalKeys = new Map([['ana', [KEY]]])
const OPEN: InboundRules = {
  requireSignature: false,
  checkSignature: (message, operator) => checkSignature(KEYS, message, operator),
  now: () => NOW + 250,
}
const CLOSED: InboundRules = { ...OPEN, requireSignature: true }
const BASE = { symbol: 'AAPL', side: 'buy', qty: '10' }

const on = (body: unknown, given: Partial<InboundMessage> = {}, operator = 'ana') =>
  inbound(`signals.manual.${operator}`, body, given)

function read(body: unknown, given: Partial<InboundMessage> = {}): SignalReceived {
  const data = readManualSignal(on(body, given), OPEN)
  assert.ok(validateEvent('signal.received', 1, data).ok)
  return data
}

function refused(message: InboundMessage, rules = OPEN): { code: string; message: string } {
  const { refusal, type } = readInbound(message, rules) as Input
  assert.ok(refusal, 'it was taken')
  assert.is(type, 'input.refused')
  return refusal
}

function signed(body: unknown, id = 'w1', subject = 'signals.manual.ana', at = NOW) {
  const text = JSON.stringify(body)
  const timestamp = String(Math.floor(at / 1000))
  return signatureHeaders({ id, timestamp, subject, payload: text }, KEY)
}

test('the plainest signal is a market order for the day, good for a minute', () => {
  assert.equal(read(BASE, { headers: { 'nats-msg-id': 'm1' } }), {
    operator: 'ana',
    signalId: 'm1',
    symbol: 'AAPL',
    side: 'buy',
    qty: '10',
    orderType: 'market',
    timeInForce: 'day',
    validForMs: 60_000,
    storedAt: formatTime(NOW),
    receivedAt: formatTime(NOW + 250),
    signed: false,
  })
})

test('everything that may be given is kept', () => {
  const all = {
    symbol: 'BRK.B',
    side: 'sell',
    notional: '1500.50',
    type: 'limit',
    limitPrice: '12.5',
    timeInForce: 'gtc',
    takeProfit: '11',
    stopLoss: '13',
    fractional: true,
    confidence: 0.75,
    reason: 'because',
    validFor: 'PT5M',
  } as const
  const { type, validFor, ...kept } = all
  const data = read(all)
  assert.is(data.orderType, type)
  assert.is(validFor && data.validForMs, 300_000)
  for (const [name, value] of Object.entries(kept)) {
    assert.is(data[name as keyof SignalReceived], value, name)
  }
})

test('exits stand until cancelled unless said otherwise, and go with an entry', () => {
  assert.is(read(BASE).timeInForce, 'day')
  for (const exit of [{ takeProfit: '9' }, { stopLoss: '9' }, { trailPercent: '2' }]) {
    assert.is(read({ ...BASE, ...exit }).timeInForce, 'gtc')
    assert.is(read({ ...BASE, ...exit, timeInForce: 'day' }).timeInForce, 'day')
    assert.throws(
      () => read({ symbol: 'A', side: 'close', ...exit }),
      (error: Error) => /go with an entry/.test(error.message),
    )
  }
  assert.throws(
    () => read({ ...BASE, stopLoss: '9', trailPercent: '2' }),
    (error: Error) => /trailPercent must be left out/.test(error.message),
  )
  assert.throws(
    () => read({ ...BASE, fractional: true }),
    (error: Error) => /fractional goes with \/notional/.test(error.message),
  )
})

test('a ticker in lower case, with blanks around it, is the ticker', () => {
  assert.is(read({ ...BASE, symbol: ' aapl\n' }).symbol, 'AAPL')
  assert.is(read({ ...BASE, symbol: 'brk.b' }).symbol, 'BRK.B')
})

test('a price without a type speaks for itself', () => {
  assert.is(read({ ...BASE, limitPrice: '5' }).orderType, 'limit')
  assert.is(read({ ...BASE, stopPrice: '5' }).orderType, 'stop')
  assert.is(read(BASE).orderType, 'market')
})

test('a signal may be good for as long as its id is remembered', () => {
  assert.is(read({ ...BASE, validFor: 'P7D' }).validForMs, 7 * 86_400_000)
})

test('closing needs no quantity, and may have one', () => {
  assert.is(read({ symbol: 'A', side: 'close' }).qty, undefined)
  assert.is(read({ symbol: 'A', side: 'close', qty: '3' }).qty, '3')
  assert.is(read({ symbol: 'A', side: 'close', qty: 'all' }).qty, 'all')
})

test('without an id of its own a signal is known by a hash of place, time and content', () => {
  const message = on(BASE)
  const { signalId } = readManualSignal(message, OPEN)
  assert.is(signalId, messageHash(message))
  assert.match(signalId, /^[0-9a-f]{32}$/)
  assert.is(readManualSignal({ ...message, redelivered: true }, OPEN).signalId, signalId)
  for (const other of [
    { ...message, sequence: 2 },
    { ...message, storedAt: NOW + 1 },
    { ...message, payload: on({ ...BASE, qty: '11' }).payload },
  ]) {
    assert.is.not(readManualSignal(other, OPEN).signalId, signalId)
  }
  assert.is(read(BASE, { headers: { 'nats-msg-id': '' } }).signalId, signalId)
})

const CASES: [name: string, body: unknown, code: string, words: RegExp][] = [
  ['an empty payload', '', 'not_json', /not JSON/],
  ['not JSON', 'buy AAPL', 'not_json', /not JSON/],
  ['a list', [BASE], 'not_an_object', /must be a JSON object/],
  ['text', '"buy"', 'not_an_object', /must be a JSON object/],
  ['NUL bytes', '\0\0', 'not_json', /not JSON/],
  ['NaN', '{"symbol":"A","side":"buy","qty":NaN}', 'not_json', /not JSON/],
  ['too much of it', { ...BASE, reason: 'x'.repeat(70_000) }, 'too_large', /at most 65536/],
  ['deep nesting', `${'['.repeat(30_000)}${']'.repeat(30_000)}`, 'not_an_object', /JSON object/],
  ['no symbol', { side: 'buy', qty: '1' }, 'invalid_signal', /\/symbol must be given/],
  ['no side', { symbol: 'A', qty: '1' }, 'invalid_signal', /\/side must be given/],
  ['an unknown side', { ...BASE, side: 'short' }, 'invalid_signal', /\/side must be one of buy/],
  ['an empty symbol', { ...BASE, symbol: '' }, 'invalid_signal', /\/symbol must not be empty/],
  ['a blank symbol', { ...BASE, symbol: '  ' }, 'invalid_signal', /\/symbol .* is not a ticker/],
  ['no ticker', { ...BASE, symbol: 'A B' }, 'invalid_signal', /"A B" is not a ticker such as/],
  ['a dotless i', { ...BASE, symbol: 'ıbm' }, 'invalid_signal', /"ıbm" is not a ticker/],
  ['a long s', { ...BASE, symbol: 'ſpy' }, 'invalid_signal', /"ſpy" is not a ticker/],
  ['an fi of one letter', { ...BASE, symbol: 'ﬁ' }, 'invalid_signal', /not a ticker/],
  ['a wildcard', { ...BASE, symbol: '>' }, 'invalid_signal', /not a ticker/],
  ['a number for qty', { ...BASE, qty: 10 }, 'invalid_signal', /\/qty must be .* in quotes/],
  ['1e999', '{"symbol":"A","side":"buy","qty":1e999}', 'invalid_signal', /\/qty must be/],
  ['a qty of zero', { ...BASE, qty: '0' }, 'invalid_signal', /\/qty must be .* above zero/],
  ['a negative qty', { ...BASE, qty: '-1' }, 'invalid_signal', /\/qty must be .* above zero/],
  ['400 digits', { ...BASE, qty: '1'.repeat(400) }, 'invalid_signal', /\/qty must be/],
  ['an exponent', { ...BASE, qty: '1e400' }, 'invalid_signal', /\/qty must be/],
  ['NaN as text', { ...BASE, qty: 'NaN' }, 'invalid_signal', /\/qty must be/],
  ['an unknown field', { ...BASE, price: '1' }, 'invalid_signal', /\/price must be left out/],
  ['neither', { symbol: 'A', side: 'buy' }, 'invalid_signal', /\/qty or \/notional is needed/],
  ['both', { ...BASE, notional: '5' }, 'invalid_signal', /\/notional must be left out/],
  [
    'a value to close',
    { symbol: 'A', side: 'close', notional: '5' },
    'invalid_signal',
    /\/notional does not go with side close; use \/qty/,
  ],
  ['limit, no price', { ...BASE, type: 'limit' }, 'invalid_signal', /\/limitPrice is needed/],
  ['stop, no price', { ...BASE, type: 'stop' }, 'invalid_signal', /\/stopPrice is needed/],
  [
    'market with a limit',
    { ...BASE, type: 'market', limitPrice: '5' },
    'invalid_signal',
    /\/limitPrice goes with type limit only/,
  ],
  [
    'a limit and a stop',
    { ...BASE, limitPrice: '5', stopPrice: '4' },
    'invalid_signal',
    /\/stopPrice goes with type stop only/,
  ],
  ['a limit of zero', { ...BASE, limitPrice: '0' }, 'invalid_signal', /\/limitPrice must be/],
  ['confidence 2', { ...BASE, confidence: 2 }, 'invalid_signal', /\/confidence must be at most 1/],
  ['no duration', { ...BASE, validFor: '5m' }, 'invalid_signal', /\/validFor must be .* PT5M/],
  ['eight days', { ...BASE, validFor: 'P8D' }, 'invalid_signal', /\/validFor must be at most P7D/],
  ['a second more', { ...BASE, validFor: 'P7DT1S' }, 'invalid_signal', /at most P7D/],
  ['an age', { ...BASE, validFor: `PT${'9'.repeat(20)}H` }, 'invalid_signal', /\/validFor must be/],
  ['for ever', { ...BASE, validFor: `P${'9'.repeat(400)}D` }, 'invalid_signal', /\/validFor must/],
  ['an empty duration', { ...BASE, validFor: 'PT' }, 'invalid_signal', /\/validFor must be/],
  [
    'a long reason',
    { ...BASE, reason: 'x'.repeat(1001) },
    'invalid_signal',
    /\/reason must have at most 1000 characters/,
  ],
]
for (const [name, body, code, words] of CASES) {
  test(`refused: ${name}`, () => {
    const found = refused(on(body))
    assert.is(found.code, code)
    assert.match(found.message, words)
  })
}

test('several faults are told at once', () => {
  const { message } = refused(on({ symbol: 'A', side: 'up', qty: 1 }))
  assert.match(message, /\/side .*; \/qty/)
})

test('an operator is one token of letters, digits, _ and -', () => {
  for (const operator of ['a.b', '', 'ana maría', 'x'.repeat(65), '*', 'a\n']) {
    const found = refused(on(BASE, {}, operator))
    assert.is(found.code, 'invalid_subject', operator)
    assert.match(found.message, 'one token of letters')
  }
  assert.is((readInbound(on(BASE, {}, 'A_b-9'), OPEN) as Input).refusal, null)
})

test('an id is at most 128 characters long', () => {
  assert.is(read(BASE, { headers: { 'nats-msg-id': 'x'.repeat(128) } }).signalId.length, 128)
  const found = refused(on(BASE, { headers: { 'nats-msg-id': 'x'.repeat(129) } }))
  assert.is(found.code, 'invalid_signal')
  assert.match(found.message, 'the id has 129 characters; at most 128')
})

test('a refused signal keeps operator and id, so that its sender is told', () => {
  const named = readInbound(on('{', { headers: { 'nats-msg-id': 'm1' } }), OPEN) as Input
  assert.is((named.data as { operator: string }).operator, 'ana')
  assert.is((named.data as { signalId: string }).signalId, 'm1')
  // What is no usable id is none.
  for (const id of ['', 'x'.repeat(129)]) {
    const message = on('{', { headers: { 'nats-msg-id': id } })
    const { data } = readInbound(message, OPEN)
    assert.is((data as { signalId: string }).signalId, messageHash(message))
  }
  const nameless = readInbound(on('{'), OPEN) as Input
  assert.is((nameless.data as { signalId: string }).signalId, messageHash(on('{')))
  const nobody = readInbound(on(BASE, {}, 'a.b'), OPEN) as Input
  assert.is((nobody.data as { operator?: string }).operator, undefined)
})

test('where signatures are required, a signal without one is refused with the remedy', () => {
  const found = refused(on(BASE), CLOSED)
  assert.is(found.code, 'signature_required')
  assert.match(found.message, 'send webhook-id, webhook-timestamp and webhook-signature')
})

test('a signature that holds is recorded, required or not', () => {
  for (const rules of [OPEN, CLOSED]) {
    const data = readManualSignal(on(BASE, { headers: signed(BASE) }), rules)
    assert.is(data.signed, true)
    assert.is(data.signalId, 'w1')
  }
})

test('a signature that does not hold is refused, also where none is required', () => {
  const other = JSON.stringify({ ...BASE, qty: '99' })
  const cases: [InboundMessage, string][] = [
    [on(other, { headers: signed(BASE) }), 'signature_invalid'],
    [on(BASE, { headers: { ...signed(BASE), 'webhook-id': 'w2' } }), 'signature_invalid'],
    [on(BASE, { headers: { 'webhook-signature': '' } }), 'signature_invalid'],
    [
      on(BASE, { headers: { ...signed(BASE), 'webhook-signature': 'v1,AAAA' } }),
      'signature_invalid',
    ],
    [on(BASE, { headers: signed(BASE, 'w1', 'signals.manual.bob') }), 'signature_invalid'],
    [on(BASE, { headers: signed(BASE, 'w1', 'signals.manual.bob') }, 'bob'), 'unknown_operator'],
    [on(BASE, { headers: signed(BASE), storedAt: NOW + 301_000 }), 'signature_stale'],
  ]
  for (const [message, code] of cases) {
    assert.is(refused(message, OPEN).code, code)
    assert.is(refused(message, CLOSED).code, code)
  }
})

test('a signed message that is published again under another Nats-Msg-Id is the same signal', () => {
  const identities = new Identities()
  const headers = signed(BASE)
  const first = readInbound(on(BASE, { headers: { ...headers, 'nats-msg-id': 'a' } }), CLOSED)
  const replay = { headers: { ...headers, 'nats-msg-id': 'b' }, sequence: 2, storedAt: NOW + 1000 }
  const second = readInbound(on(BASE, replay), CLOSED)
  identities.remember(first.type, first.data)
  assert.ok(identities.knows(second.type, second.data))
})

test('what goes wrong is a Refusal, with a code', () => {
  assert.throws(
    () => readManualSignal(on('{'), OPEN),
    (error: unknown) => error instanceof Refusal && error.code === 'not_json',
  )
})

test.run()
