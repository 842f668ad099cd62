import * as fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { AlteredEvent, encodeBody, type RecordedEvent } from '../../engine/events/envelope.ts'
import type { StoredEvent } from '../../engine/ports/event-store.ts'
import { formatTime } from '../../engine/time.ts'
import type { EventData, EventType } from '../../schemas/types.gen.ts'
import { decide, foldEvent, foldPage, noIntents } from './intents.ts'

type Item = { [T in EventType]: { type: T; data: EventData[T] } }[EventType]

const NOT_AFTER = 1000

function intended(orderId: number, notAfter = NOT_AFTER): Item {
  return {
    type: 'order.intended',
    data: {
      orderId,
      signalId: `s${orderId}`,
      symbol: 'A',
      side: 'buy',
      type: 'market',
      qty: '1',
      timeInForce: 'gtc',
      notAfter: formatTime(notAfter),
    },
  }
}

function report(kind: string, orderId: number, brokerSequence = orderId, complete = false): Item {
  const common = {
    orderId,
    clientOrderId: `b-${orderId}`,
    symbol: 'A',
    brokerSequence,
    occurredAt: formatTime(0),
    code: kind,
    reason: kind,
  }
  const trade = { side: 'buy', qty: '1', price: '1', fee: '0', complete }
  return { type: `order.${kind}`, data: { ...common, ...trade } } as never
}

const cancelRequest = (orderId: number): Item => ({
  type: 'order.cancel_requested',
  data: { orderId, actor: 'ana', reason: 'test' },
})

const control = (action: 'halt' | 'resume' | 'flatten'): Item => ({
  type: 'control.received',
  data: { action, actor: 'ana', reason: 'test', controlId: 'c', storedAt: formatTime(0) },
})

const risk = (to: 'HALTED' | 'REDUCING' | 'ACTIVE'): Item => ({
  type: 'risk.state_changed',
  data: {
    from: 'ACTIVE',
    to,
    code: 'x',
    observed: null,
    limit: null,
    actor: 'engine',
    reason: 'test',
  },
})

function recorded(item: Item, position: number, at = position): RecordedEvent {
  const { type, data } = item
  return { id: 'id', position, version: 1, at, recordedAt: 0, step: 0, because: null, type, data }
}

function stored(item: Item, position: number, at = position): StoredEvent {
  const event = recorded(item, position, at)
  return { id: 'id', position, type: item.type, body: encodeBody(event), checksum: null }
}

function folded(items: Item[]) {
  const state = noIntents()
  items.forEach((item, i) => foldEvent(state, recorded(item, i)))
  return state
}

/** What an intent's fate is, told from the list of events alone, without a fold. */
function naive(items: Item[], orderId: number, now: number): string {
  const from = items.findIndex((i) => i.type === 'order.intended' && i.data.orderId === orderId)
  const later = items.slice(from + 1)
  const mine = later.filter((i) => (i.data as { orderId?: number }).orderId === orderId)
  const answers = ['accepted', 'rejected', 'filled', 'canceled', 'expired', 'withheld']
  if (mine.some((i) => answers.includes(i.type.slice(6)))) return 'nothing'
  if (mine.some((i) => i.type === 'order.cancel_requested')) return 'canceled'
  const halted = later.some(
    (i) =>
      (i.type === 'control.received' && i.data.action === 'halt') ||
      (i.type === 'risk.state_changed' && i.data.to === 'HALTED'),
  )
  if (halted) return 'halted'
  return now >= NOT_AFTER ? 'too_late' : 'send'
}

test('an intent is sent before notAfter and not at it', () => {
  const order = folded([intended(1)]).open.get(1)!
  assert.equal(decide(order, NOT_AFTER - 1), { do: 'send' })
  const late = decide(order, NOT_AFTER)
  assert.is(late.do === 'withhold' && late.code, 'too_late')
})

test('an intent recorded after the halt, such as a flatten, is sent', () => {
  const order = folded([control('halt'), risk('HALTED'), intended(1)]).open.get(1)!
  assert.equal(decide(order, 0), { do: 'send' })
})

test('a resume does not bring back what a halt withheld', () => {
  const order = folded([intended(1), control('halt'), control('resume'), risk('ACTIVE')]).open.get(
    1,
  )!
  const decision = decide(order, 0)
  assert.is(decision.do === 'withhold' && decision.code, 'halted')
})

test('an unknown outcome is no answer, and its attempts are counted on', () => {
  const unknown = (attempt: number): Item => ({
    type: 'order.outcome_unknown',
    data: { orderId: 1, clientOrderId: 'b-1', attempt, reason: 'x' },
  })
  const order = folded([intended(1), unknown(2), unknown(1)]).open.get(1)!
  assert.is(order.attempts, 2)
  assert.equal(decide(order, 0), { do: 'send' })
})

test('an order stays until its end, so that its cancellation is not forgotten', () => {
  const state = folded([intended(1), report('accepted', 1), cancelRequest(1), cancelRequest(1)])
  assert.is(state.open.get(1)?.cancelPosition, 2)
  foldEvent(state, recorded(report('filled', 1, 2, false), 4))
  assert.ok(state.open.has(1))
  foldEvent(state, recorded(report('filled', 1, 3, true), 5))
  assert.not(state.open.has(1))
  assert.is(foldEvent(state, recorded(report('filled', 1, 4, true), 6)), null)
  assert.is(state.brokerSequence, 4)
})

test('a page takes engine time from its last event and parses nothing that does not matter', () => {
  const state = noIntents()
  const bar = (position: number, at: number, body?: string): StoredEvent => {
    const event = stored(
      { type: 'timer.set', data: { name: 't', dueAt: '' } } as never,
      position,
      at,
    )
    return { ...event, type: 'market.bar', body: body ?? event.body }
  }
  const touched = foldPage(state, [bar(0, 5, 'not JSON'), stored(intended(1), 1, 7), bar(2, 900)])
  assert.equal(
    [...touched].map(({ position }) => position),
    [1],
  )
  assert.is(state.at, 900)
  assert.is(state.position, 2)
  assert.throws(
    () => foldPage(state, [bar(3, 901, 'not JSON')]),
    (e: unknown) => e instanceof AlteredEvent,
  )
})

test('property: whatever is recorded in whatever order, the decision is that of the whole list', () => {
  const orderId = fc.integer({ min: 1, max: 3 })
  const item: fc.Arbitrary<Item> = fc.oneof(
    fc
      .record({
        kind: fc.constantFrom('accepted', 'rejected', 'filled', 'canceled', 'expired', 'withheld'),
        id: orderId,
        end: fc.boolean(),
      })
      .map(({ kind, id, end }) => report(kind, id, id, end)),
    orderId.map(cancelRequest),
    fc.constantFrom(control('halt'), control('resume'), control('flatten')),
    fc.constantFrom(risk('HALTED'), risk('REDUCING'), risk('ACTIVE')),
    fc.constant(report('outcome_unknown', 2)),
  )
  const seen = new Set<string>()
  fc.assert(
    fc.property(
      fc.array(item, { maxLength: 5 }),
      fc.array(fc.nat(5), { minLength: 3, maxLength: 3 }),
      fc.constantFrom(0, NOT_AFTER - 1, NOT_AFTER),
      (others, places, now) => {
        const items = [...others]
        places.forEach((place, i) =>
          items.splice(Math.min(place, items.length), 0, intended(i + 1)),
        )
        const state = noIntents()
        const orders = new Map<number, NonNullable<ReturnType<typeof foldEvent>>>()
        items.forEach((one, i) => {
          const order = foldEvent(state, recorded(one, i, 0))
          if (one.type === 'order.intended') orders.set(one.data.orderId, order!)
          for (const [id, known] of orders) {
            const decision = decide(known, now)
            const got = decision.do === 'withhold' ? decision.code : decision.do
            assert.is(got, naive(items.slice(0, i + 1), id, now))
            seen.add(got)
          }
        })
      },
    ),
    { numRuns: 2000 },
  )
  assert.equal([...seen].sort(), ['canceled', 'halted', 'nothing', 'send', 'too_late'])
})

test.run()
