import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { proposedList } from '../adapters/contract/event-store-samples.ts'
import { MemoryStore } from '../adapters/memory/memory-store.ts'
import { AppendWatch } from './append-watch.ts'

/** A store whose appends wait until they are let go. */
class Slow extends MemoryStore {
  go: (error?: Error) => void = () => undefined

  override async append(...call: Parameters<MemoryStore['append']>): Promise<number> {
    await new Promise<void>((resolve, reject) => {
      this.go = (error) => (error === undefined ? resolve() : reject(error))
    })
    return super.append(...call)
  }
}

test('an append that takes long is trouble before the store gives up, and no longer once it is answered', async () => {
  let now = 1000
  const slow = new Slow()
  const watch = new AppendWatch(() => now)
  const store = watch.watched(slow)
  now += 60_000
  assert.is(watch.trouble(), null)
  const written = store.append('s', -1, proposedList(1))
  now += 1999
  assert.is(watch.trouble(), null)
  now += 1301
  assert.is(watch.trouble(), 'an append has waited 3 s for the book')
  slow.go()
  assert.is(await written, 0)
  assert.is(watch.trouble(), null)
  const refused = store.append('s', 0, proposedList(1))
  now += 5000
  assert.ok(watch.trouble())
  slow.go(new Error('full'))
  await refused.catch(() => undefined)
  assert.is(watch.trouble(), null)
  assert.is(await store.head('s'), 0)
})

test.run()
