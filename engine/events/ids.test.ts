import * as fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { clientOrderId, eventId, orderIdOf } from './ids.ts'

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$/
const run = fc.string({
  unit: fc.constantFrom(...'0123456789abcdef'),
  minLength: 16,
  maxLength: 16,
})
const position = fc.nat(Number.MAX_SAFE_INTEGER)

test('an event id is a UUID of version 8', () => {
  fc.assert(
    fc.property(run, position, (r, p) => {
      assert.match(eventId(r, p), UUID)
    }),
  )
})

test('no two positions of a run, and no two runs at a position, share an id', () => {
  fc.assert(
    fc.property(run, position, position, (r, p, q) => {
      assert.is(eventId(r, p) === eventId(r, q), p === q)
    }),
  )
  fc.assert(
    fc.property(run, run, position, (r, s, p) => {
      // The last digit of the run gives way to version and variant.
      assert.is(eventId(r, p) === eventId(s, p), r.slice(0, 15) === s.slice(0, 15))
    }),
  )
})

test('a client order id leads back to its order, in its own book only', () => {
  fc.assert(
    fc.property(run, fc.integer({ min: 1, max: 999_999_999_999_999 }), (book, order) => {
      assert.is(orderIdOf(book, clientOrderId(book, order)), order)
      assert.is(orderIdOf(`${book}0`, clientOrderId(book, order)), null)
    }),
  )
})

test('what only looks like an id of this book is not ours', () => {
  for (const id of [
    '',
    'b',
    'b-',
    'b-0',
    'b-01',
    'b--1',
    'b-1.0',
    'b-1e3',
    'b-1 ',
    'b-x',
    'bb-1',
    'B-1',
    'b-1234567890123456',
  ]) {
    assert.is(orderIdOf('b', id), null, id)
  }
  assert.is(orderIdOf('b', 'b-12'), 12)
})

test.run()
