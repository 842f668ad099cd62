import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { AlteredEvent, decodeBody, encodeBody, type RecordedEvent } from './envelope.ts'

const EVENT: RecordedEvent = {
  id: '00000000-0000-8000-8000-000000000007',
  position: 7,
  type: 'timer.fired',
  version: 1,
  at: 1000,
  recordedAt: 2000,
  step: 6,
  because: 6,
  data: { name: 'über "quoted"\n', dueAt: '1970-01-01T00:00:01Z' },
  mark: undefined,
  trace: undefined,
}

test('a body is one line of JSON in a fixed order, without id and position', () => {
  const body = encodeBody(EVENT)
  assert.is(
    body,
    '{"type":"timer.fired","version":1,"at":1000,"recordedAt":2000,"step":6,"because":6,' +
      '"data":{"name":"über \\"quoted\\"\\n","dueAt":"1970-01-01T00:00:01Z"}}',
  )
  const shuffled = Object.fromEntries(
    Object.entries(EVENT).toReversed(),
  ) as unknown as RecordedEvent
  assert.is(encodeBody(shuffled), body)
})

test('what was encoded comes back', () => {
  const { id, position } = EVENT
  assert.equal(decodeBody({ id, position, body: encodeBody(EVENT) }), EVENT)
  const input = { ...EVENT, because: null }
  assert.equal(decodeBody({ id, position, body: encodeBody(input) }), input)
  const came: RecordedEvent = { ...input, mark: ['INBOX', 3, 900], trace: '00-a-b-01' }
  assert.equal(decodeBody({ id, position, body: encodeBody(came) }), came)
})

test('a body that is no event is reported as altered, with its position', () => {
  const fields = JSON.parse(encodeBody(EVENT)) as Record<string, unknown>
  const without = (name: string, value?: unknown) => JSON.stringify({ ...fields, [name]: value })
  for (const [body, what] of [
    ['', 'not JSON'],
    ['{"type":', 'not JSON'],
    [encodeBody(EVENT).slice(1), 'not JSON'],
    ['null', 'not an event'],
    ['7', 'not an event'],
    ['[]', 'not an event'],
    [without('type'), 'not an event'],
    [without('type', 3), 'not an event'],
    [without('version', '1'), 'not an event'],
    [without('at', null), 'not an event'],
    [without('step'), 'not an event'],
    [without('data', 'x'), 'not an event'],
    [without('data', null), 'not an event'],
  ] as const) {
    assert.throws(
      () => decodeBody({ id: 'x', position: 41, body }),
      (error: unknown) =>
        error instanceof AlteredEvent &&
        error.code === 'altered_event' &&
        error.position === 41 &&
        error.message.includes('event 41') &&
        error.message.includes(what),
      body,
    )
  }
})

test('what a body says of its own id and position overrides nothing', () => {
  const fields = JSON.parse(encodeBody(EVENT)) as Record<string, unknown>
  const body = JSON.stringify({ ...fields, id: 'forged', position: 99 })
  const event = decodeBody({ id: EVENT.id, position: EVENT.position, body })
  assert.is(event.id, EVENT.id)
  assert.is(event.position, EVENT.position)
  assert.equal(event, EVENT)
})

test.run()
