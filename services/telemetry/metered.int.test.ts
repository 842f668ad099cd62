import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Bus, Consumption, InboundMessage } from '../../engine/ports/bus.ts'
import { MemoryStore } from '../adapters/memory/memory-store.ts'
import { MeteredBus, MeteredStore } from './metered.ts'

const proposed = (position: number) => ({
  ...{ id: `00000000-0000-4000-8000-${String(position).padStart(12, '0')}`, type: 'market.bar' },
  ...{ body: '{}', checksum: 'c'.repeat(64) },
})

test('each append that the book took is timed; how long a follower is behind follows from it', async () => {
  const took: number[] = []
  const store = new MeteredStore(new MemoryStore(), (seconds) => took.push(seconds))
  assert.is(store.lagSeconds(-1, Date.now()), 0)
  await store.append('s', -1, [proposed(0), proposed(1)])
  await store.append('s', 1, [proposed(2)])
  const refused = await store.append('s', 7, [proposed(8)]).catch((error: Error) => error)
  assert.ok(refused instanceof Error)
  assert.is(took.length, 2)
  assert.is(store.position, 2)
  assert.is(store.lagSeconds(2, Date.now() + 60_000), 0)
  for (const behind of [-1, 0, 1]) {
    const lag = store.lagSeconds(behind, Date.now() + 60_000)
    assert.ok(lag >= 60 && lag < 120, `${behind}: ${lag}`)
  }
  assert.is(await store.head('s'), 2)
  const read: number[] = []
  for await (const page of store.read('s', 1)) read.push(...page.map(({ position }) => position))
  assert.equal(read, [1, 2])
  await store.close()
})

test('appends long ago are forgotten, and a lag beyond them counts from the oldest that is known', async () => {
  const store = new MeteredStore(new MemoryStore(), () => {})
  for (let at = 0; at < 9000; at++) await store.append('s', at - 1, [proposed(at)])
  assert.ok(store.lagSeconds(-1, Date.now() + 1000) >= 1)
  assert.is(store.lagSeconds(8999, Date.now() + 1000), 0)
})

test('messages are counted by stream, those delivered again as well; who does not answer is left out', async () => {
  let deliver: (message: InboundMessage) => void = () => {}
  const consumption = (pending: () => Promise<number>): Consumption => ({
    ack: () => {},
    pending,
    stop: async () => {},
    done: new Promise(() => {}),
  })
  const answers: Record<string, () => Promise<number>> = {
    INBOX: async () => 3,
    MARKET: () => new Promise(() => {}),
    REPORTS: () => Promise.reject(new Error('gone')),
  }
  const inner = {
    publish: async () => ({ stream: 'INBOX', sequence: 7, duplicate: false }),
    consume: async (stream, _durable, onMessage) => {
      deliver = onMessage
      return consumption(answers[stream]!)
    },
  } satisfies Bus as Bus
  const bus = new MeteredBus(inner)
  const seen: number[] = []
  for (const stream of ['REPORTS', 'MARKET', 'INBOX']) {
    await bus.consume(stream, 'writer', ({ sequence }) => seen.push(sequence))
  }
  const message = {
    ...{ stream: 'INBOX', sequence: 1, subject: 's', headers: {}, storedAt: 0 },
    payload: new Uint8Array(0),
  }
  deliver({ ...message, redelivered: false })
  deliver({ ...message, sequence: 2, redelivered: true })
  assert.equal(seen, [1, 2])
  assert.is(bus.received.get('INBOX'), 2)
  assert.is(bus.redelivered.get('INBOX'), 1)
  assert.is(bus.redelivered.get('MARKET'), 0)
  assert.equal([...(await bus.pending(20))], [['INBOX', 3]])
  assert.is((await bus.publish('x', '')).sequence, 7)
})

test.run()
