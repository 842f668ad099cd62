import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { StoredEvent } from '../ports/event-store.ts'
import {
  bar,
  CODE_HASH,
  control,
  fill,
  opened,
  report,
  settings,
  signal,
  started,
  dayEnd,
} from '../testing/fixtures.ts'
import { RecordedBook, verify } from '../testing/given.ts'

/**
 * A recorded book that later code must still decide alike: one strategy, an operator, limits, a denial,
 * a partial fill, a cancellation, a halt and a change of settings. When decisions are meant to change,
 * write it again with UPDATE_HISTORIES=1 and say in the commit why.
 */
const GOLDEN = fileURLToPath(new URL('./histories/cross-and-operator.ndjson', import.meta.url))
/** The same, but for one digit of one order. */
const ALTERED = fileURLToPath(
  new URL('./histories/cross-and-operator.altered.ndjson', import.meta.url),
)
const DIGEST = 'b8b8d80e18baa73f771906575d10febbc89148a408b55335bd29c44bc20c8031'
const ALTERED_FROM =
  '"orderId":2,"signalId":"op-1","symbol":"A","side":"buy","type":"limit","limitPrice":"20.25","timeInForce":"gtc","qty":"25"'
const ALTERED_TO =
  '"orderId":2,"signalId":"op-1","symbol":"A","side":"buy","type":"limit","limitPrice":"20.25","timeInForce":"gtc","qty":"26"'

function record(): StoredEvent[] {
  const book = new RecordedBook()
  const limits = {
    maxOrderNotional: '2000',
    maxDrawdown: '0.5',
    maxDailyLoss: '0.4',
    priceCollar: '0.2',
  }
  const strategies = [{ name: 'sma_cross', params: { fast: 2, slow: 3, size: '40' } }]
  const inputs = [
    ...opened({ risk: limits, strategies }),
    ...[20, 19, 18, 19].map((close, n) => bar('A', n, close)),
    bar('A', 4, 21),
    report(4, 1, 'accepted'),
    fill(5, 1, 'buy', '15', '21.1', { fee: '0.33', complete: false }),
    bar('A', 5, '20.5'),
    fill(6, 1, 'buy', '25', '20.55', { fee: '0.5' }),
    bar('A', 6, 22),
    bar('B', 6, 100),
    signal(6, {
      signalId: 'op-1',
      qty: '25',
      orderType: 'limit',
      limitPrice: '20.25',
      reason: 'señal',
    }),
    signal(6, { signalId: 'op-2', notional: '9000' }),
    signal(6, { signalId: 'op-3', symbol: 'B', notional: '1999.99' }),
    signal(6, { signalId: 'op-4', symbol: 'C', qty: '1' }),
    report(6, 2, 'accepted'),
    report(6, 3, 'outcome_unknown', 'B'),
    signal(6, { signalId: 'op-5', qty: '1' }),
    fill(6, 3, 'buy', '19', '100.05', { symbol: 'B', fee: '0.1' }),
    control(7, 'cancel-all', 'k1'),
    report(7, 2, 'canceled'),
    bar('A', 7, 20),
    bar('A', 8, 18),
    report(8, 4, 'accepted'),
    fill(9, 4, 'sell', '40', '17.9', { fee: '0.4' }),
    bar('A', 9, 18),
    bar('B', 9, 104),
    control(9, 'halt', 'k2'),
    signal(9, { signalId: 'op-6', symbol: 'B', side: 'close' }),
    control(9, 'resume', 'k3'),
    started(settings({ risk: null, strategies: [] }), dayEnd(9)),
    signal(9, { signalId: 'op-7', symbol: 'B', side: 'close', qty: '9' }),
    fill(10, 5, 'sell', '9', '104.5', { symbol: 'B' }),
    bar('B', 10, 105),
  ]
  for (const [index, input] of inputs.entries()) {
    // Broker sequences are numbered by the book, not by what other tests did before.
    if ('brokerSequence' in input.data) input.data.brokerSequence = index
    book.take(input)
  }
  return book.stored
}

function read(path: string): StoredEvent[] {
  return readFileSync(path, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as StoredEvent)
}

if (process.env.UPDATE_HISTORIES) {
  const text = record()
    .map((event) => `${JSON.stringify(event)}\n`)
    .join('')
  writeFileSync(GOLDEN, text)
  const from = JSON.stringify(ALTERED_FROM).slice(1, -1)
  assert.is(text.split(from).length, 2, 'the altered order is there once')
  writeFileSync(ALTERED, text.replace(from, JSON.stringify(ALTERED_TO).slice(1, -1)))
  console.log(`digest ${verify(read(GOLDEN)).digest}`)
}

test('the recorded book decides again byte for byte, to its digest', () => {
  const stored = read(GOLDEN)
  const result = verify(stored)
  assert.is(result.divergence?.message ?? null, null)
  assert.is(result.ok, true)
  assert.is(result.digest, DIGEST)
  assert.ok(result.checked.steps >= 30, `${result.checked.steps} steps`)
  assert.is(result.checked.events, stored.length)
})

test('the recorder writes the same book today, byte for byte', () => {
  assert.equal(record(), read(GOLDEN))
})

test('the recorded book holds what it was made for', () => {
  const bodies = read(GOLDEN).map(({ body }) => JSON.parse(body))
  const codes = bodies.filter(({ type }) => type === 'risk.verdict').map(({ data }) => data.code)
  for (const code of [
    'approved',
    'max_order_notional',
    'unknown_symbol',
    'unknown_outcomes',
    'halted',
  ]) {
    assert.ok(codes.includes(code), code)
  }
  for (const type of [
    'feature.computed',
    'signal.raised',
    'order.cancel_requested',
    'risk.state_changed',
  ]) {
    assert.ok(
      bodies.some((body) => body.type === type),
      type,
    )
  }
  assert.is(bodies[1].data.codeHash, CODE_HASH)
})

test('one altered digit is found at its order', () => {
  const { ok, divergence, faults } = verify(read(ALTERED))
  assert.is(ok, false)
  assert.is(faults, 1)
  assert.is(divergence?.kind, 'altered')
  assert.is(divergence?.type, 'order.intended')
  assert.match(divergence!.message, /qty: recorded "26", computed "25"/)
  assert.equal(
    divergence?.causes.map(({ type }) => type),
    ['risk.verdict', 'signal.received'],
  )
})

test.run()
