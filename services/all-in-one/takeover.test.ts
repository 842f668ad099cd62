import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Bus } from '../../engine/ports/bus.ts'
import { MemoryStore } from '../adapters/memory/memory-store.ts'
import { proposedList } from '../adapters/contract/event-store-samples.ts'
import { ReadAlong, StoodDown, untilReplaced } from './takeover.ts'

/** A bus that notes what it is asked. */
function notingBus(): { bus: Bus; asked: unknown[][] } {
  const asked: unknown[][] = []
  const bus = {
    publish: async (...given: unknown[]) => {
      asked.push(['publish', ...given])
      return { stream: 'S', sequence: 1, duplicate: false }
    },
    consume: async (...given: unknown[]) => {
      asked.push(['consume', ...given])
      return {}
    },
  }
  return { bus: bus as unknown as Bus, asked }
}

test('until it is replaced an engine speaks as before', async () => {
  const { bus, asked } = notingBus()
  const outward = untilReplaced(bus, () => false)
  const stored = await outward.publish('reports.main', 'x', { id: 'r1' })
  assert.is(stored.sequence, 1)
  const onMessage = (): void => {}
  await outward.consume('MARKET', 'writer', onMessage)
  assert.equal(asked, [
    ['publish', 'reports.main', 'x', { id: 'r1' }],
    ['consume', 'MARKET', 'writer', onMessage],
  ])
})

test('once it is replaced nothing more is published, and whoever tries again at once starves nobody', async () => {
  const { bus, asked } = notingBus()
  let replaced = false
  const outward = untilReplaced(bus, () => replaced)
  replaced = true
  let turns = 0
  const timer = setInterval(() => void turns++, 1)
  let refusals = 0
  while (turns < 3) {
    const error = await outward.publish('reports.main', 'x').then(
      () => null,
      (reason: unknown) => reason,
    )
    assert.instance(error, StoodDown)
    assert.is((error as StoodDown).code, 'stood_down')
    if (++refusals > 1_000_000) break
  }
  clearInterval(timer)
  assert.is(turns >= 3, true, 'timers run meanwhile')
  assert.equal(asked, [])
})

test('who reads along goes on where it was after the store was away, and ends at once when asked', async () => {
  const from: number[] = []
  class Shaky extends MemoryStore {
    override async *read(stream: string, start: number) {
      from.push(start)
      if (from.length === 2) throw new Error('away')
      yield* super.read(stream, start)
    }
  }
  const store = new Shaky()
  await store.append('s', -1, proposedList(3))
  const along = new ReadAlong(store, 's')
  while (from.length < 2) await new Promise((resolve) => setTimeout(resolve, 20))
  await store.append('s', 2, proposedList(2))
  while (from.length < 4) await new Promise((resolve) => setTimeout(resolve, 20))
  await along.close()
  assert.equal(from, [0, 3, 3, 5])
  await new Promise((resolve) => setTimeout(resolve, 1200))
  assert.is(from.length, 4)
})

test.run()
