import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Bus } from '../../engine/ports/bus.ts'
import { StoodDown, untilReplaced } from './takeover.ts'

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

test.run()
