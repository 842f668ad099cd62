import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Step } from '../../engine/events/step-recorder.ts'
import { MAX_APPEND_BYTES } from '../../engine/ports/event-store.ts'
import { firstBatch, type Uncommitted } from './batch.ts'
import { startDesk, until } from './writer-fixture.ts'

function step(first: number, bytes: number): Uncommitted {
  const id = `00000000-0000-8000-8000-${String(first).padStart(12, '0')}`
  const proposed = [{ id, type: 'timer.fired', body: '{}', checksum: null }]
  return { step: { first, events: [], proposed, bytes } as Step, from: null }
}

test('a batch takes the first steps, as many as surely fit, and always one', () => {
  const third = Math.floor(MAX_APPEND_BYTES / 3)
  const taken = (...sizes: number[]) => {
    const all = sizes.map((bytes, first) => step(first, bytes))
    const { batch, events, bytes } = firstBatch(all)
    assert.equal(batch, all.slice(0, batch.length))
    assert.is(events.length, batch.length)
    assert.is(
      bytes,
      sizes.slice(0, batch.length).reduce((sum, size) => sum + size, 0),
    )
    return batch.length
  }
  assert.is(taken(10, 20, 30), 3)
  assert.is(taken(third - 10, 10, 1), 2)
  assert.is(taken(third, 1), 1)
  assert.is(taken(MAX_APPEND_BYTES, 1), 1)
  assert.is(taken(), 0)
})

test('inputs that arrive in one turn share one append, and are acknowledged after it', async () => {
  const { bus, writer, store } = await startDesk()
  const before = store.appends.length
  for (let n = 0; n < 20; n++) bus.bar(n)
  assert.is(store.appends.length, before)
  assert.is(bus.acked.MARKET, 0)
  assert.not.ok(writer.idle)
  await until(() => writer.idle)
  assert.is(store.appends.length, before + 1)
  assert.is(bus.acked.MARKET, 20)
  await writer.close()
})

test('close right after an input waits for its append', async () => {
  const { bus, writer, store } = await startDesk()
  const before = store.appends.length
  bus.bar(0)
  await writer.close()
  assert.is(store.appends.length, before + 1)
  assert.is(bus.acked.MARKET, 1)
})

test.run()
