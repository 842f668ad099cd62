import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { bar, dayEnd, fill, opened, signal, stateText } from './fixtures.ts'
import { Given, given, recordedBook, verify } from './given.ts'

/** uvu's own `throws` lets its assertions through. */
function fails(call: () => unknown): void {
  let failed = false
  try {
    call()
  } catch {
    failed = true
  }
  assert.ok(failed, String(call))
}

test('expectations that are not met fail', () => {
  const outcome = given(...opened(), bar('A', 0, 10)).when(signal(0, { qty: '1' }))
  outcome.leadsTo('risk.verdict', 'order.intended')
  fails(() => outcome.leadsTo())
  fails(() => outcome.leadsTo('risk.verdict'))
  fails(() => outcome.leadsTo('order.intended', 'risk.verdict'))
  fails(() => outcome.leadsTo(['risk.verdict', { verdict: 'denied' }], 'order.intended'))
  fails(() => outcome.leadsTo(['risk.verdict', { nothing: 1 }], 'order.intended'))
  fails(() => outcome.one('signal.raised'))
  assert.is(outcome.one('risk.verdict').verdict, 'approved')
})

test('recorded events change the state without deciding', () => {
  const decided = given(
    ...opened(),
    bar('A', 0, 10),
    signal(0, { qty: '1' }),
    fill(0, 1, 'buy', '1', '9'),
  )
  const book = recordedBook(...opened(), bar('A', 0, 10), signal(0, { qty: '1' }))
  const events = book.stored.map(({ body }) => JSON.parse(body))
  const folded = new Given().recorded(...events)
  assert.is(folded.table.orders.open.size, 1)
  folded.and(fill(0, 1, 'buy', '1', '9'))
  assert.is(stateText(folded.table), stateText(decided.table))
})

test('a state as text tells apart what JSON does not', () => {
  const texts = [
    [0],
    [-0],
    [Number.NaN],
    [null],
    [1n],
    ['bigint 1n'],
    new Map([['a', 1]]),
    { a: 1 },
    new Map([
      ['a', 1],
      ['b', 2],
    ]),
    new Map([
      ['b', 2],
      ['a', 1],
    ]),
    new Float64Array([1, Number.NaN]),
    new Float64Array([1, 2]),
  ].map(stateText)
  assert.is(new Set(texts).size, texts.length)
})

test('a book in memory verifies, and its inputs are not changed by recording', () => {
  const input = bar('A', 0, 10)
  const before = structuredClone(input)
  assert.is(verify(recordedBook(...opened(), input).stored).ok, true)
  assert.equal(input, before)
  assert.is(input.at, dayEnd(0))
})

test.run()
