import fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { BODY_SCHEMAS, EVENT_SCHEMAS } from './schemas.gen.ts'
import { EVENT_VERSIONS, type OrderFilled, type RiskVerdict } from './types.gen.ts'
import { errorsText, type Validated, validateBody, validateEvent } from './validate.ts'

const FILLED: OrderFilled = {
  orderId: 7,
  clientOrderId: 'b0123456789abcdef-7',
  symbol: 'BRK.B',
  brokerSequence: 12,
  occurredAt: '2013-03-01T21:00:00.000Z',
  side: 'buy',
  qty: '10',
  price: '12.50',
  fee: '0',
  complete: true,
}

const VERDICT: RiskVerdict = {
  signalId: 'sma-1',
  source: 'strategy:sma',
  verdict: 'denied',
  orderIds: [],
  code: 'denied',
  rule: 'max_position',
  observed: '10',
  limit: '5',
  qty: null,
  checks: [],
  order: null,
}

/** The message at a path; fails when the value passed or the path has no error. */
function messageAt(result: Validated<unknown>, path: string): string {
  if (result.ok) throw new Error('expected errors, but the value passed')
  const found = result.errors.find((error) => error.path === path)
  if (!found) throw new Error(`no error at ${path}: ${JSON.stringify(result.errors)}`)
  return found.message
}

test('a valid event passes and is returned as it came', () => {
  const result = validateEvent('order.filled', 1, FILLED)
  assert.ok(result.ok && result.value === FILLED)
})

test('every schema compiles in strict mode and refuses a number', () => {
  for (const key of Object.keys(EVENT_SCHEMAS)) {
    const [type = '', version = ''] = key.split('@')
    assert.not.ok(validateEvent(type, Number(version), 1).ok, key)
  }
  for (const name of Object.keys(BODY_SCHEMAS)) assert.not.ok(validateBody(name, 1).ok, name)
  assert.ok(Object.keys(EVENT_SCHEMAS).length >= Object.keys(EVENT_VERSIONS).length)
})

test('each kind of mistake names its field and the remedy', () => {
  const { side: _, ...rest } = FILLED
  const wrong = {
    ...rest,
    orderId: 0,
    symbol: 'aapl',
    qty: 10,
    price: '-1',
    occurredAt: 'yesterday',
    complete: 'yes',
    colour: 'red',
  }
  const result = validateEvent('order.filled', 1, wrong)
  assert.is(messageAt(result, '/side'), 'must be given')
  assert.is(messageAt(result, '/orderId'), 'must be at least 1, not 0')
  assert.is(
    messageAt(result, '/symbol'),
    'must be a ticker in upper case, such as AAPL or BRK.B, not "aapl"',
  )
  assert.is(
    messageAt(result, '/qty'),
    'must be a decimal number above zero in quotes, such as "12.50", not 10',
  )
  assert.match(messageAt(result, '/price'), 'above zero')
  assert.match(messageAt(result, '/occurredAt'), 'a UTC time such as')
  assert.is(messageAt(result, '/complete'), 'must be true or false, not "yes"')
  assert.match(messageAt(result, '/colour'), 'must be left out; the fields here are orderId, ')
})

test('allowed values are listed', () => {
  const result = validateBody('manual-signal', { symbol: 'AAPL', side: 'hold' })
  assert.is(messageAt(result, '/side'), 'must be one of buy, sell, close, not "hold"')
  const currency = validateEvent('book.created', 1, {
    bookId: 'b0123456789abcdef',
    account: 'main',
    currency: 'EUR',
    cash: '1',
  })
  assert.is(messageAt(currency, '/currency'), 'must be USD, not "EUR"')
})

test('a field that may be null says so once, and null itself passes', () => {
  assert.ok(validateEvent('risk.verdict', 1, VERDICT).ok)
  const result = validateEvent('risk.verdict', 1, { ...VERDICT, qty: 5 })
  assert.not.ok(result.ok)
  if (!result.ok) assert.is(result.errors.length, 1)
  assert.match(messageAt(result, '/qty'), /or null, not 5$/)
})

test('inside a nullable object the inner field is named', () => {
  const order = { side: 'buy', type: 'market', timeInForce: 'week', symbol: 'AAPL' }
  const result = validateEvent('risk.verdict', 1, { ...VERDICT, order })
  assert.is(
    messageAt(result, '/order/timeInForce'),
    'must be one of day, gtc, ioc, fok, opg, cls, not "week"',
  )
  if (!result.ok) assert.is(result.errors.length, 1)
})

test('bounds and lengths', () => {
  const signal = { symbol: 'A'.repeat(33), side: 'buy', confidence: 1.5, reason: 'x'.repeat(1001) }
  const result = validateBody('manual-signal', signal)
  assert.is(messageAt(result, '/symbol'), 'must have at most 32 characters')
  assert.is(messageAt(result, '/confidence'), 'must be at most 1, not 1.5')
  assert.is(messageAt(result, '/reason'), 'must have at most 1000 characters')
  const empty = validateBody('manual-signal', { symbol: '', side: 'buy' })
  assert.is(messageAt(empty, '/symbol'), 'must not be empty')
})

test('unknown types, versions and bodies are results, not exceptions', () => {
  assert.match(messageAt(validateEvent('order.eaten', 1, {}), ''), '"order.eaten" is not known')
  assert.is(
    messageAt(validateEvent('order.filled', 9, {}), ''),
    'version 9 of order.filled is not known; known: 1',
  )
  assert.match(messageAt(validateBody('toString', {}), ''), 'is not known; known: ')
  assert.match(messageAt(validateEvent('__proto__', 1, {}), ''), 'is not known')
})

test('many mistakes are cut at twenty', () => {
  const extra = Object.fromEntries(Array.from({ length: 500 }, (_, index) => [`x${index}`, index]))
  const result = validateBody('manual-signal', { symbol: 'A', side: 'buy', ...extra })
  assert.not.ok(result.ok)
  if (!result.ok) assert.is(result.errors.length, 20)
})

test('no message ever shows a regular expression', () => {
  const patterns: string[] = []
  JSON.stringify([EVENT_SCHEMAS, BODY_SCHEMAS], (key, value: unknown) => {
    if (key === 'pattern') patterns.push(String(value))
    return value
  })
  assert.ok(patterns.length > 0)
  const values = fc.oneof(fc.constant('?'), fc.integer(), fc.constant(null), fc.constant({}))
  fc.assert(
    fc.property(fc.constantFrom(...Object.keys(EVENT_SCHEMAS)), values, (key, value) => {
      const schema = EVENT_SCHEMAS[key] as { properties: Record<string, unknown> }
      const fields = Object.keys(schema.properties)
      const data = Object.fromEntries(fields.map((field) => [field, value]))
      const result = validateEvent(key.split('@')[0] ?? '', Number(key.split('@')[1]), data)
      const text = result.ok ? '' : errorsText(result.errors)
      return !text.includes('\\d') && !text.includes('[') && !text.includes('^')
    }),
  )
})

test('errors read as a sentence', () => {
  const errors = [
    { path: '/strategies/0/name', message: 'must be given' },
    { path: '', message: 'must be an object, not 3' },
    { path: '/a~1b', message: 'must be given' },
  ]
  assert.is(
    errorsText(errors),
    'strategies.0.name must be given; must be an object, not 3; a/b must be given',
  )
})

test.run()
