import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { isOpen, type OrderEvent, type OrderStatus, TRANSITIONS } from './transitions.ts'

const EVENTS: OrderEvent[] = [
  'accepted',
  'rejected',
  'partially_filled',
  'filled',
  'canceled',
  'expired',
  'withheld',
  'outcome_unknown',
]

/** The table once more, by column in the order of EVENTS; a dash is not in the table. */
const EXPECTED: Record<OrderStatus, string> = {
  intended: 'accepted rejected partially_filled filled canceled expired withheld unknown',
  unknown: 'accepted rejected partially_filled filled canceled expired withheld unknown',
  accepted: '- rejected partially_filled filled canceled expired - -',
  partially_filled: 'partially_filled - partially_filled filled canceled expired - -',
  filled: '- - - - - - - -',
  canceled: '- - canceled filled - - - -',
  expired: '- - expired filled - - - -',
  rejected: '- - - - - - - -',
  withheld: '- - - - - - - -',
}

test('the table is what it is meant to be, cell by cell', () => {
  assert.equal(Object.keys(TRANSITIONS).toSorted(), Object.keys(EXPECTED).toSorted())
  for (const [status, row] of Object.entries(EXPECTED) as [OrderStatus, string][]) {
    const found = EVENTS.map((event) => TRANSITIONS[status][event] ?? '-').join(' ')
    assert.is(found, row, status)
  }
})

test('an order that has ended never opens again', () => {
  for (const [status, row] of Object.entries(TRANSITIONS) as [OrderStatus, object][]) {
    if (isOpen(status)) continue
    for (const next of Object.values(row)) assert.not.ok(isOpen(next as OrderStatus), status)
  }
})

test('every status can be reached from an intent', () => {
  const reached = new Set<OrderStatus>(['intended'])
  for (const status of reached) {
    for (const next of Object.values(TRANSITIONS[status])) reached.add(next)
  }
  assert.equal([...reached].toSorted(), Object.keys(TRANSITIONS).toSorted())
})

test.run()
