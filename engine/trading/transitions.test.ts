import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { EVENT_VERSIONS, type EventType } from '../../schemas/types.gen.ts'
import {
  isBrokerInput,
  isOpen,
  isReport,
  legEvent,
  type OrderEvent,
  type OrderStatus,
  refusal,
  replacementEvent,
  TRANSITIONS,
} from './transitions.ts'

const EVENTS: OrderEvent[] = [
  'accepted',
  'held',
  'rejected',
  'partially_filled',
  'filled',
  'canceled',
  'expired',
  'withheld',
  'outcome_unknown',
  'replaced',
  'adjusted',
  'cancel_rejected',
  'replace_rejected',
  'cancel_requested',
  'replace_requested',
]

const FIRST =
  'accepted held rejected partially_filled filled canceled expired withheld unknown replaced'

/** The table once more, by column in the order of EVENTS: the next status, or !why it is refused. */
const EXPECTED: Record<OrderStatus, string> = {
  intended: `${FIRST} intended intended intended intended intended`,
  unknown: `${FIRST} unknown unknown unknown unknown unknown`,
  held: 'accepted held rejected partially_filled filled canceled expired !withheld_after_answer !unknown_after_answer replaced held held held held held',
  accepted:
    'accepted !held_after_working rejected partially_filled filled canceled expired !withheld_after_answer !unknown_after_answer replaced accepted accepted accepted accepted accepted',
  partially_filled:
    'partially_filled !held_after_working !rejected_after_fill partially_filled filled canceled expired !withheld_after_answer !unknown_after_answer replaced partially_filled partially_filled partially_filled partially_filled partially_filled',
  filled:
    'filled !held_after_end !ended_twice !fill_after_completion !fill_after_completion !ended_twice !ended_twice !withheld_after_answer !unknown_after_answer !replaced_after_end !adjusted_after_end filled filled !request_after_end !request_after_end',
  canceled:
    'canceled !held_after_end !ended_twice canceled filled canceled !ended_twice !withheld_after_answer !unknown_after_answer !replaced_after_end !adjusted_after_end canceled canceled !request_after_end !request_after_end',
  expired:
    'expired !held_after_end !ended_twice expired filled !ended_twice expired !withheld_after_answer !unknown_after_answer !replaced_after_end !adjusted_after_end expired expired !request_after_end !request_after_end',
  rejected:
    '!accepted_after_rejection !held_after_end rejected !fill_after_rejection !fill_after_rejection !ended_twice !ended_twice !withheld_after_answer !unknown_after_answer !replaced_after_end !adjusted_after_end rejected rejected !request_after_end !request_after_end',
  withheld:
    '!report_after_withholding !report_after_withholding !report_after_withholding !fill_after_withholding !fill_after_withholding !report_after_withholding !report_after_withholding withheld !report_after_withholding !report_after_withholding !report_after_withholding !report_after_withholding !report_after_withholding !report_after_withholding !report_after_withholding',
  replaced:
    'replaced !held_after_end !ended_twice replaced replaced !ended_twice !ended_twice !withheld_after_answer !unknown_after_answer replaced !adjusted_after_end replaced replaced !request_after_end !request_after_end',
}

test('every pair of status and event is in the table or refused by name, cell by cell', () => {
  assert.equal(Object.keys(TRANSITIONS).toSorted(), Object.keys(EXPECTED).toSorted())
  assert.equal(Object.keys(TRANSITIONS.intended).toSorted(), EVENTS.toSorted())
  let cells = 0
  for (const [status, row] of Object.entries(EXPECTED) as [OrderStatus, string][]) {
    const found = EVENTS.map((event) => {
      cells++
      const why = refusal(status, event)
      const next = TRANSITIONS[status][event]
      assert.is(why === null, next !== undefined, `${status} ${event}: one or the other`)
      return next ?? `!${why}`
    }).join(' ')
    assert.is(found, row, status)
  }
  assert.is(cells, 11 * 15)
})

test('an order that has ended never opens again', () => {
  for (const [status, row] of Object.entries(TRANSITIONS) as [OrderStatus, object][]) {
    if (isOpen(status)) continue
    for (const next of Object.values(row)) assert.not.ok(isOpen(next as OrderStatus), status)
  }
})

test('what the broker has is never back among what it may not have', () => {
  for (const status of ['held', 'accepted', 'partially_filled'] as const) {
    for (const next of Object.values(TRANSITIONS[status])) {
      assert.not.ok(['intended', 'unknown', 'withheld'].includes(next), `${status} ${next}`)
    }
  }
})

test('every status can be reached from an intent', () => {
  const reached = new Set<OrderStatus>(['intended'])
  for (const status of reached) {
    for (const next of Object.values(TRANSITIONS[status])) reached.add(next)
  }
  assert.equal([...reached].toSorted(), Object.keys(TRANSITIONS).toSorted())
})

test('only an end without ever standing at the broker takes the legs along', () => {
  const taken = EVENTS.filter((event) => legEvent(event) !== null)
  assert.equal(taken, ['rejected', 'withheld'])
  for (const event of taken) assert.is(refusal('intended', legEvent(event)!), null)
})

test('a replacement stands or falls by what is said of its original', () => {
  assert.equal(
    EVENTS.map((event) => [event, replacementEvent(event, 'accepted')]).filter(([, fate]) => fate),
    [
      ['replaced', 'accepted'],
      ['replace_rejected', 'rejected'],
    ],
  )
  assert.is(replacementEvent('replaced', 'held'), 'held')
  assert.is(replacementEvent('replace_rejected', 'held'), 'rejected')
})

test('brokers speak of orders, and of charges; nothing else comes from them', () => {
  const types = Object.keys(EVENT_VERSIONS) as EventType[]
  assert.is(types.filter(isReport).length, 12)
  assert.equal(
    types.filter((type) => isBrokerInput(type) && !isReport(type)),
    ['account.charged'],
  )
  for (const type of ['order.intended', 'order.cancel_requested', 'order.anomaly'] as const) {
    assert.not.ok(isBrokerInput(type), type)
  }
})

test.run()
