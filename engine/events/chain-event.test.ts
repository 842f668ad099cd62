import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { bar, dayEnd, signal } from '../testing/fixtures.ts'
import { chainEvent } from './chain-event.ts'
import { UnreadableVersion } from './upcast.ts'

test('a recorded bar becomes numbers; everything else stays as recorded', () => {
  const wire = bar('A', 3, '101.25', { volume: null })
  const event = chainEvent({ ...wire, version: 1 })
  assert.is(event.type, 'market.bar')
  assert.is(event.at, dayEnd(3))
  assert.is((event.data as { close: number }).close, 101.25)
  assert.ok(Number.isNaN((event.data as { volume: number }).volume))
  const given = signal(0, { qty: '3' })
  assert.equal(chainEvent({ ...given, version: 1 }), given)
})

test('a version this code does not know is refused', () => {
  const newer = { ...signal(0, { qty: '3' }), version: 99 }
  assert.throws(
    () => chainEvent(newer),
    (error: unknown) => error instanceof UnreadableVersion,
  )
})

test.run()
