import fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { EVENT_VERSIONS, type EventType } from '../../schemas/types.gen.ts'
import { validateEvent } from '../../schemas/validate.ts'
import type { InboundMessage } from '../../engine/ports/bus.ts'
import { BOOK_ID } from '../../engine/testing/fixtures.ts'
import { DAY_MS } from '../../engine/time.ts'
import { isBrokerInput } from '../../engine/trading/transitions.ts'
import { Identities } from './identity.ts'
import { type InboundRules, type Input, readInbound } from './inbound.ts'
import { messageHash } from './message.ts'
import { barBody, inbound, NOW, ORIGIN } from './writer-fixture.ts'

const RULES: InboundRules = {
  requireSignature: false,
  checkSignature: () => null,
  now: () => NOW,
}

function read(message: InboundMessage): Input {
  const input = readInbound(message, RULES)
  assert.not.ok(input.ignored)
  return input
}

/** Its refusal, which is also an event that its schema takes. */
function refusal(message: InboundMessage): { code: string; message: string } {
  const input = read(message)
  assert.ok(input.refusal, `${message.subject} was taken`)
  assert.is(input.type, 'input.refused')
  const { code, message: words } = input.data as { code: string; message: string }
  assert.is(code, input.refusal.code)
  assert.ok(input.refusal.message.startsWith(words))
  assertRecordable(input)
  return input.refusal
}

/** What is recorded must read back as it was, and match its schema. */
function assertRecordable(input: Input): void {
  const back = JSON.parse(JSON.stringify(input.data)) as unknown
  const checked = validateEvent(input.type, 1, back)
  assert.ok(checked.ok, JSON.stringify(checked))
}

const bar = (given: Record<string, unknown>, subject = 'md.bar.1d.A') =>
  inbound(subject, { ...barBody(0), ...given }, { stream: 'MARKET' })

const bytes = (...values: number[]) => new Uint8Array(values)

test('a bar becomes market.bar, with the end of the bar as its clock', () => {
  const input = read(bar({}))
  assert.is(input.type, 'market.bar')
  assert.equal(input.data, barBody(0))
  assert.is(input.clock, ORIGIN + DAY_MS)
  assert.is(input.after, 0)
  assert.is(input.refusal, null)
  assertRecordable(input)
})

test('a bar may leave out volume and revision, and may have none', () => {
  for (const given of [{ volume: undefined, revision: undefined }, { volume: null }]) {
    const input = read(bar(given))
    assert.is((input.data as { volume: null }).volume, null)
    assert.is((input.data as { revision: number }).revision, 0)
    assertRecordable(input)
  }
})

test('a bar names the reports it waits for; what is not a count is none', () => {
  const after = (value: string) =>
    read({ ...bar({}), headers: { 'bitacora-reports': value } }).after
  assert.is(after('7'), 7)
  for (const value of ['', 'x', '-1', '1.5', 'NaN', 'Infinity', '1e400']) assert.is(after(value), 0)
})

const BARS: [name: string, message: InboundMessage, code: string, words: RegExp][] = [
  ['not JSON', inbound('md.bar.1d.A', '{'), 'not_json', /not JSON/],
  ['empty', inbound('md.bar.1d.A', ''), 'not_json', /not JSON/],
  ['a list', inbound('md.bar.1d.A', []), 'not_an_object', /JSON object/],
  ['null', inbound('md.bar.1d.A', null), 'not_an_object', /JSON object/],
  ['a number', inbound('md.bar.1d.A', 5), 'not_an_object', /JSON object/],
  ['NaN', inbound('md.bar.1d.A', '{"open":NaN}'), 'not_json', /NaN|not JSON/],
  ['another timeframe', bar({}, 'md.bar.1h.A'), 'invalid_bar', /\/timeframe is 1d.* 1h/],
  ['no such timeframe', bar({ timeframe: '2d' }), 'invalid_bar', /\/timeframe must be one of/],
  ['no feed', bar({ feed: undefined }), 'invalid_bar', /\/feed must be given/],
  ['an empty feed', bar({ feed: '' }), 'invalid_bar', /\/feed must not be empty/],
  ['a number for a price', bar({ open: 100 }), 'invalid_bar', /\/open must be a decimal number/],
  ['an exponent', bar({ open: '1e400' }), 'invalid_bar', /\/open must be a decimal number/],
  ['400 digits', bar({ open: '1'.repeat(400) }), 'invalid_bar', /\/open must be a decimal/],
  ['NaN as text', bar({ close: 'NaN' }), 'invalid_bar', /\/close must be a decimal number/],
  ['an unknown field', bar({ vwap: '1' }), 'invalid_bar', /\/vwap must be left out/],
  ['__proto__', inbound('md.bar.1d.A', '{"__proto__":{"a":1}}'), 'invalid_bar', /__proto__/],
  ['a date that is none', bar({ time: '2013-02-30T00:00:00Z' }), 'invalid_bar', /does not exist/],
  ['hour 24', bar({ time: '2013-02-03T24:00:00Z' }), 'invalid_bar', /does not exist/],
  ['a date alone', bar({ time: '2013-05-13' }), 'invalid_bar', /\/time must be a UTC time/],
  ['low above close', bar({ low: '101' }), 'invalid_bar', /low ≤ open, close ≤ high/],
  ['high below open', bar({ high: '99' }), 'invalid_bar', /low ≤ open, close ≤ high/],
  ['open below low', bar({ open: '99' }), 'invalid_bar', /low ≤ open, close ≤ high/],
  ['a price of zero', bar({ low: '0' }), 'invalid_bar', /above zero/],
  ['a negative price', bar({ low: '-1' }), 'invalid_bar', /above zero/],
  ['a price under a nano', bar({ low: '0.0000000001' }), 'invalid_bar', /above zero/],
  ['a negative volume', bar({ volume: '-1' }), 'invalid_bar', /\/volume -1 is below zero/],
  ['year 9999', bar({ time: '9999-01-01T00:00:00Z' }), 'invalid_bar', /beyond the year 9998/],
  ['a dotless i', bar({ symbol: 'ıBM' }), 'invalid_bar', /\/symbol must be a ticker/],
  ['a lower-case symbol', bar({ symbol: 'a' }), 'invalid_bar', /\/symbol must be a ticker/],
  ['neither bar, trade nor quote', inbound('md.depth.A', {}), 'unknown_subject', /md\.depth/],
  ['a foreign subject', inbound('orders.A', {}), 'unknown_subject', /orders\.A/],
]
for (const [name, message, code, words] of BARS) {
  test(`a bar is refused: ${name}`, () => {
    const found = refusal(message)
    assert.is(found.code, code)
    assert.match(found.message, words)
  })
}

test('trades and quotes are ignored, whatever they hold', () => {
  for (const subject of ['md.trade.A', 'md.quote.A']) {
    const input = readInbound(inbound(subject, '{'), RULES)
    assert.is(input.ignored, true)
    assert.is(input.refusal, null)
    assert.is(input.after, 0)
  }
})

const REPORT = {
  orderId: 1,
  clientOrderId: `${BOOK_ID}-1`,
  symbol: 'A',
  brokerSequence: 3,
  occurredAt: '2013-05-13T00:00:00Z',
}
const report = (body: unknown, headers: Record<string, string> = {}) =>
  inbound('reports.test', body, { stream: 'REPORTS', headers })

test('a numbered report comes after the one before it, and is known once a later one is in a step', () => {
  const input = read(
    report({ type: 'order.accepted', version: 1, data: REPORT }, { 'bitacora-clock': '5000' }),
  )
  assert.is(input.type, 'order.accepted')
  assert.is(input.after, 2)
  assert.is(input.clock, 5000)
  const identities = new Identities()
  identities.brokerSequence = 2
  assert.not.ok(identities.knows(input.type, input.data))
  identities.remember(input.type, input.data)
  assert.is(identities.brokerSequence, 3)
  assert.ok(identities.knows(input.type, input.data))
  assertRecordable(input)
})

test('what the executor of another start found out is left out, what the broker said never is', () => {
  const rules = { ...RULES, run: 'this' }
  const { orderId, clientOrderId } = REPORT
  const withheld = { orderId, clientOrderId, code: 'too_late', reason: 'x' }
  const own = { type: 'order.withheld', version: 1, data: withheld }
  const from = (run: string) => readInbound(report(own, { 'bitacora-run': run }), rules)
  assert.is(from('another').ignored, true)
  assert.is(from('another').refusal, null)
  assert.not.ok(from('this').ignored)
  assert.is(from('this').type, 'order.withheld')
  assert.not.ok(readInbound(report(own), rules).ignored)
  assert.not.ok(readInbound(report(own, { 'bitacora-run': 'another' }), RULES).ignored)
  // Malformed is malformed, whoever says it.
  const broken = { ...own, data: {} }
  assert.ok(readInbound(report(broken, { 'bitacora-run': 'another' }), rules).refusal)
})

test('a report without a number is known by type, order and attempt', () => {
  const unknown = (attempt: number) => {
    const { orderId, clientOrderId } = REPORT
    const data = { orderId, clientOrderId, attempt, reason: 'x' }
    return read(report({ type: 'order.outcome_unknown', version: 1, data }))
  }
  const identities = new Identities()
  identities.remember('order.outcome_unknown', unknown(1).data)
  assert.ok(identities.knows('order.outcome_unknown', unknown(1).data))
  assert.not.ok(identities.knows('order.outcome_unknown', unknown(2).data))
  assert.is(unknown(1).after, 0)
  assert.ok(Number.isNaN(unknown(1).clock))
})

const REPORTS: [name: string, body: unknown, words: RegExp][] = [
  ['no type', { version: 1, data: REPORT }, /\/type must name what became of an order/],
  ['a type that is a number', { type: 4, version: 1, data: REPORT }, /\/type must name/],
  ['not about an order', { type: 'market.bar', version: 1, data: barBody(0) }, /\/type must name/],
  [
    'a type nobody knows',
    { type: 'order.eaten', version: 1, data: REPORT },
    /\/type must name what became/,
  ],
  [
    'no version',
    { type: 'order.accepted', data: REPORT },
    /version 0 of order\.accepted is not known; known: 1/,
  ],
  ['a later version', { type: 'order.accepted', version: 2, data: REPORT }, /known: 1/],
  ['no data', { type: 'order.accepted', version: 1 }, /must be an object/],
  [
    'a sequence that is text',
    { type: 'order.accepted', version: 1, data: { ...REPORT, brokerSequence: '3' } },
    /\/brokerSequence must be a whole number/,
  ],
  [
    'a negative sequence',
    { type: 'order.accepted', version: 1, data: { ...REPORT, brokerSequence: -1 } },
    /\/brokerSequence must be at least 1/,
  ],
  [
    'a sequence of zero',
    { type: 'order.accepted', version: 1, data: { ...REPORT, brokerSequence: 0 } },
    /\/brokerSequence must be at least 1/,
  ],
]
for (const [name, body, words] of REPORTS) {
  test(`a report is refused: ${name}`, () => {
    const found = refusal(report(body))
    assert.is(found.code, 'invalid_report')
    assert.match(found.message, words)
  })
}

test('only a safe integer from 0 to the year 9998 is the clock of a report', () => {
  const clock = (text: string) =>
    read(report({ type: 'order.accepted', version: 1, data: REPORT }, { 'bitacora-clock': text }))
      .clock
  const end = Date.UTC(9999, 0, 1)
  assert.is(clock('0'), 0)
  assert.is(clock(String(end - 1)), end - 1)
  const wrong = [
    'Infinity',
    '-Infinity',
    '1e999',
    '-1',
    '1.5',
    'NaN',
    'x',
    `${end}`,
    '9e15',
    '2e16',
  ]
  for (const text of wrong) assert.ok(Number.isNaN(clock(text)), text)
})

test('what a broker does not say is no report, although it is a valid event', () => {
  const data = {
    orderId: 1,
    clientOrderId: `${BOOK_ID}-1`,
    signalId: 's1',
    symbol: 'A',
    side: 'buy',
    type: 'market',
    qty: '1000000',
    timeInForce: 'gtc',
  }
  for (const type of Object.keys(EVENT_VERSIONS) as EventType[]) {
    if (isBrokerInput(type)) continue
    const body = { type, version: EVENT_VERSIONS[type], data }
    const found = refusal(inbound('reports.x', body, { stream: 'REPORTS' }))
    assert.is(found.code, 'invalid_report', type)
    assert.match(found.message, '/type must name what became of an order')
  }
})

const DEEP = `${'['.repeat(30_000)}${']'.repeat(30_000)}`
const POISON: [name: string, body: string][] = [
  ['a type with a toString of its own', '{"type":{"toString":1}}'],
  ['a version with a toString of its own', '{"type":"order.accepted","version":{"toString":1}}'],
  ['deep nesting in the place of the data', `{"type":"order.filled","version":1,"data":${DEEP}}`],
  ['deep nesting in a field nobody knows', `{"x":${DEEP}}`],
  [
    'deep nesting in every known field',
    `{"symbol":${DEEP.slice(15_000, -15_000)},"side":[],"actor":{}}`,
  ],
  ['a constructor', '{"constructor":{"prototype":{"type":1}},"type":"constructor"}'],
]
for (const [name, body] of POISON) {
  test(`never thrown, whatever the subject: ${name}`, () => {
    for (const subject of ['md.bar.1d.A', 'reports.x', 'control.halt', 'signals.manual.ana']) {
      const { code } = refusal(inbound(subject, body))
      assert.match(code, /^(unreadable|invalid_(bar|report|control|signal))$/)
    }
  })
}

const control = (action: string, body: unknown, headers: Record<string, string> = {}) =>
  inbound(`control.${action}`, body, { headers })

test('each control is taken, and known by its message id, else by a hash of the message', () => {
  const body = { actor: 'ana', reason: 'drill' }
  for (const action of ['halt', 'resume', 'cancel-all', 'flatten']) {
    const input = read(control(action, body, { 'nats-msg-id': 'c1' }))
    assert.is(input.type, 'control.received')
    assert.is((input.data as { action: string }).action, action)
    assert.is((input.data as { controlId: string }).controlId, 'c1')
    assertRecordable(input)
  }
  const hashed = read(control('halt', body))
  assert.match((hashed.data as { controlId: string }).controlId, /^[0-9a-f]{32}$/)
  const other = read({ ...control('halt', body), sequence: 2 })
  assert.is.not(
    (other.data as { controlId: string }).controlId,
    (hashed.data as { controlId: string }).controlId,
  )
})

test('a control without a usable id is known by its hash', () => {
  const body = { actor: 'ana', reason: 'drill' }
  const id = (given: string) =>
    (read(control('halt', body, { 'nats-msg-id': given })).data as { controlId: string }).controlId
  assert.is(id('x'.repeat(128)), 'x'.repeat(128))
  for (const none of ['', 'x'.repeat(129)]) assert.is(id(none), messageHash(control('halt', body)))
})

const ACTORS = [
  'ana x 1\r\nPUB control.halt 2\r\n{}',
  'ana x',
  'a.b',
  '*',
  '>',
  'ana\n',
  'maría',
  '',
]
test('an actor is one token: nothing else may become part of a subject', () => {
  for (const actor of ACTORS) {
    const found = refusal(control('flatten', { actor, reason: 'x' }))
    assert.is(found.code, 'invalid_control', actor)
    assert.match(found.message, '/actor must be 1 to 64 letters, digits')
  }
})

const CONTROLS: [name: string, message: InboundMessage, code: string, words: RegExp][] = [
  ['an unknown action', control('panic', {}), 'unknown_action', /"panic"; there are halt, resume/],
  ['an action with a tail', control('halt.now', {}), 'unknown_action', /"halt\.now"/],
  ['a prototype name', control('constructor', {}), 'unknown_action', /"constructor"/],
  ['no actor', control('halt', { reason: 'x' }), 'invalid_control', /\/actor must be given/],
  ['no reason', control('halt', { actor: 'x' }), 'invalid_control', /\/reason must be given/],
  ['an empty reason', control('halt', { actor: 'x', reason: '' }), 'invalid_control', /empty/],
  [
    'a long actor',
    control('halt', { actor: 'x'.repeat(65), reason: 'x' }),
    'invalid_control',
    /\/actor must be 1 to 64 letters, digits/,
  ],
  [
    'an unknown field',
    control('halt', { actor: 'x', reason: 'x', force: true }),
    'invalid_control',
    /\/force must be left out/,
  ],
  ['an empty payload', control('halt', ''), 'not_json', /not JSON/],
]
for (const [name, message, code, words] of CONTROLS) {
  test(`a control is refused: ${name}`, () => {
    const found = refusal(message)
    assert.is(found.code, code)
    assert.match(found.message, words)
  })
}

test('a refusal keeps the first 2,048 bytes as text, and says where the message lies', () => {
  const message = inbound('control.halt', 'x'.repeat(5000), { sequence: 7 })
  const data = read(message).data as Record<string, unknown>
  assert.is(data.payload, 'x'.repeat(2048))
  assert.is(data.sequence, 7)
  assert.is(data.stream, 'INBOX')
  assert.is(data.subject, 'control.halt')
  assert.is(data.operator, undefined)
  assert.is(data.signalId, undefined)
})

test('a refusal of bytes that are no text is recordable', () => {
  for (const body of [bytes(0xff, 0xfe, 0x00), bytes(0, 0, 0), bytes(0xed, 0xa0, 0x80), bytes()]) {
    refusal(inbound('signals.manual.ana', body))
    refusal(inbound('control.halt', body))
    refusal(inbound('md.bar.1d.A', body))
  }
})

test('a very long subject does not make a long entry', () => {
  const data = read(inbound(`control.${'x'.repeat(100_000)}`, '')).data as Record<string, string>
  assert.is(data.subject?.length, 512)
  assert.ok((data.message?.length ?? 0) <= 2000)
})

const subjects = fc.oneof(
  fc.constantFrom(
    'md.bar.1d.A',
    'md.trade.A',
    'md.',
    'reports.test',
    'control.halt',
    'control.',
    'signals.manual.ana',
    'signals.manual.',
    'signals.manual.a.b',
    'x',
  ),
  fc.string({ unit: 'binary' }),
)
const headers = fc.dictionary(
  fc.constantFrom(
    'nats-msg-id',
    'bitacora-reports',
    'bitacora-clock',
    'webhook-id',
    'webhook-signature',
  ),
  fc.string({ unit: 'binary', maxLength: 300 }),
)

function assertReads(message: InboundMessage): void {
  const input = readInbound(message, RULES)
  if (input.ignored) return
  assertRecordable(input)
  if (input.refusal !== null) assert.not.ok(new Identities().knows(input.type, input.data))
}

test('random bytes on any subject never throw, and what they become is recordable', () => {
  fc.assert(
    fc.property(subjects, headers, fc.uint8Array({ maxLength: 200 }), (subject, given, payload) =>
      assertReads(inbound(subject, payload, { headers: given })),
    ),
    { numRuns: 1000 },
  )
})

/** Stands for lists in lists, deeper than a stack of calls is; put in when the message is written. */
const NESTED = '@nested'
const written = (body: object) =>
  JSON.stringify(body).replaceAll(`"${NESTED}"`, `${'['.repeat(10_000)}${']'.repeat(10_000)}`)

/** A message of the right shape, with some of its fields replaced by anything, or by what borders on valid. */
const awkward = fc.oneof(
  fc.jsonValue({ maxDepth: 2 }).filter((value) => typeof value !== 'object' || value === null),
  fc.constantFrom('0', '-0', '1e5', '0.000000000000000001', '9'.repeat(30), '', ' A ', '\ud800'),
  fc.constantFrom<unknown>({ toString: 1 }, { valueOf: null, toString: null }, NESTED),
  fc.constantFrom('all', 'P1D', 'PT0S', 'PT99999999999H', '9999-12-31T23:59:59Z', 1e308, -0),
)
const mutated = <T extends object>(base: T) =>
  fc
    .tuple(fc.dictionary(fc.constantFrom(...Object.keys(base), 'extra'), awkward, { maxKeys: 3 }))
    .map(([changes]) => ({ ...base, ...changes }))

test('messages that are nearly right never throw, and what they become is recordable', () => {
  const signal = { symbol: 'A', side: 'buy', qty: '1', limitPrice: '5', validFor: 'PT5M' }
  const bodies = fc.oneof(
    fc.tuple(fc.constant('md.bar.1d.A'), mutated(barBody(0))),
    fc.tuple(fc.constant('signals.manual.ana'), mutated({ ...signal, reason: '', confidence: 1 })),
    fc.tuple(fc.constant('control.halt'), mutated({ actor: 'a', reason: 'b' })),
    fc.tuple(
      fc.constant('reports.test'),
      mutated(REPORT).map((data) => ({ type: 'order.accepted', version: 1, data })),
    ),
    fc.tuple(
      fc.constant('reports.test'),
      mutated({ type: 'order.accepted', version: 1, data: REPORT as object }),
    ),
  )
  fc.assert(
    fc.property(bodies, headers, ([subject, body], given) =>
      assertReads(inbound(subject, written(body), { headers: given })),
    ),
    { numRuns: 1500 },
  )
})

test.run()
