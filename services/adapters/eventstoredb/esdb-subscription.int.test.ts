import { Buffer } from 'node:buffer'
import { EventStoreDBClient } from '@eventstore/db-client'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { StoredEvent } from '../../../engine/ports/event-store.ts'
import { proposed, proposedList, rejection, until } from '../contract/event-store-samples.ts'
import { codeOf, type Scene, urlOf, withDouble } from './testing/double-scene.ts'
import { startDouble } from './testing/esdb-double.ts'

function scene(title: string, body: (scene: Scene) => Promise<void>) {
  test(`eventstoredb subscription: ${title}`, () => withDouble(body))
}

interface Gap {
  from: number
  to: number
}

const upTo = (head: number) => Array.from({ length: head + 1 }, (_, i) => i)
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

// The four complaints about emmett's EventStoreDB consumers, each as a test of ours.

scene('it does not die: cut lines, restarts, silence (emmett #233)', async (it) => {
  const line = await it.line()
  const drops: unknown[] = []
  const onDrop = (_: string, reason: unknown) => void drops.push(reason)
  const writer = await it.open()
  const reader = await it.open({ onDrop }, urlOf(line.port))
  const seen: number[] = []
  const subscription = reader.subscribe('s', 0, (page) => void seen.push(...positions(page)))
  let head = -1
  const troubles: (() => void | Promise<void>)[] = [
    () => line.cut(),
    () => {
      line.silent = true
      setTimeout(() => {
        line.silent = false
      }, 600)
    },
    () => {
      line.refusing = true
      line.cut()
      setTimeout(() => {
        line.refusing = false
      }, 200)
    },
    () => it.restart({ log: it.double.log }),
  ]
  for (let round = 0; round < 8; round++) {
    head = await writer.append('s', head, proposedList(5))
    await until(() => seen.at(-1) === head, `position ${head} before trouble ${round}`)
    await troubles[round % troubles.length]?.()
    head = await writer.append('s', head, proposedList(3))
    await until(() => seen.at(-1) === head, `position ${head} after trouble ${round}`)
  }
  assert.equal(seen, upTo(head))
  assert.ok(drops.length >= 6, `${drops.length} drops`)
  await subscription.close()
  await subscription.done
})

scene('a line that is open and dead is noticed and replaced (emmett #233)', async (it) => {
  const drops: unknown[] = []
  const store = await it.open({ onDrop: (_, reason) => void drops.push(reason) })
  const seen: number[] = []
  const subscription = store.subscribe('s', 0, (page) => void seen.push(...positions(page)))
  await store.append('s', -1, proposedList(2))
  await until(() => seen.length === 2, 'the first events')
  it.double.faults.deafSubscriptions = true
  await store.append('s', 1, proposedList(2))
  await until(() => drops.length > 0, 'the drop')
  assert.is(seen.length, 2)
  it.double.faults.deafSubscriptions = false
  await until(() => seen.length === 4, 'the rest')
  assert.equal(seen, upTo(3))
  await subscription.close()
})

scene('an idle subscription on a sound line is left alone', async (it) => {
  const drops: unknown[] = []
  const store = await it.open({ heartbeatMs: 20, onDrop: (_, reason) => void drops.push(reason) })
  await store.append('s', -1, proposedList(3))
  const seen: number[] = []
  const subscription = store.subscribe('s', 0, async (page) => {
    // Slower than the heartbeat.
    await pause(100)
    seen.push(...positions(page))
  })
  await until(() => seen.length === 3, 'the events')
  await pause(400)
  assert.equal(drops, [])
  assert.is(it.double.subscriptions, 1)
  await subscription.close()
  await until(() => it.double.subscriptions === 0, 'the end of the call at the server')
})

scene('it hands on its stream and nothing else (emmett #221)', async (it) => {
  const store = await it.open()
  const seen: StoredEvent[] = []
  const mine = proposedList(6)
  await store.append('s-other', -1, proposedList(20))
  const subscription = store.subscribe('s', 0, (page) => void seen.push(...page))
  for (const [i, event] of mine.entries()) {
    await store.append('s', i - 1, [event])
    await store.append('s-other', 19 + i, [proposed({ type: event.type })])
  }
  await it.restart({ log: it.double.log })
  await until(() => seen.length === 6, 'the events')
  await pause(250)
  assert.equal(
    seen.map(({ id }) => id),
    mine.map(({ id }) => id),
  )
  await subscription.close()
})

scene('handler calls never overlap, also while it reconnects (emmett #252)', async (it) => {
  const line = await it.line()
  const writer = await it.open()
  const reader = await it.open({}, urlOf(line.port))
  let running = 0
  let most = 0
  const seen: number[] = []
  const subscription = reader.subscribe('s', 0, async (page) => {
    running += 1
    most = Math.max(most, running)
    await pause(15)
    seen.push(...positions(page))
    running -= 1
  })
  let head = -1
  for (let i = 0; i < 40; i++) {
    head = await writer.append('s', head, proposedList(3))
    if (i % 8 === 4) line.cut()
  }
  await until(() => seen.at(-1) === head, 'the head')
  assert.is(most, 1)
  assert.equal(seen, upTo(head))
  await subscription.close()
})

scene('its position is the place in the stream, not in all streams (emmett #247)', async (it) => {
  const store = await it.open()
  await store.append('before', -1, proposedList(500))
  await store.append('s', -1, proposedList(4))
  await store.append('between', -1, proposedList(500))
  await store.append('s', 3, proposedList(4))
  const seen: number[] = []
  const first = store.subscribe('s', 0, (page) => void seen.push(...positions(page)))
  await until(() => seen.length === 8, 'all')
  await first.close()
  assert.equal(seen, upTo(7))
  // What was handed on is what another subscription may begin with.
  const again: number[] = []
  const second = store.subscribe(
    's',
    (seen[5] ?? 0) + 1,
    (page) => void again.push(...positions(page)),
  )
  await until(() => again.length === 2, 'the rest')
  assert.equal(again, [6, 7])
  await second.close()
})

// What ends it.

scene('a server older than it was ends it, naming the gap', async (it) => {
  const store = await it.open()
  await store.append('s', -1, proposedList(10))
  const seen: number[] = []
  const subscription = store.subscribe('s', 0, (page) => void seen.push(...positions(page)))
  await until(() => seen.length === 10, 'the events')
  const failed = rejection(subscription.done)
  await it.restart({ log: it.double.log.copy(7) })
  const error = (await failed) as Error & Gap
  assert.equal([codeOf(error), error.from, error.to], ['eventstore_regressed', 7, 9])
})

scene('a server that came back empty ends it', async (it) => {
  const store = await it.open()
  await store.append('s', -1, proposedList(3))
  const seen: number[] = []
  const subscription = store.subscribe('s', 0, (page) => void seen.push(...positions(page)))
  await until(() => seen.length === 3, 'the events')
  const failed = rejection(subscription.done)
  await it.restart()
  const error = (await failed) as Error & Gap
  assert.equal([codeOf(error), error.from, error.to], ['eventstore_regressed', 0, 2])
})

scene(
  'an older server that was written further ends it: another event at its place',
  async (it) => {
    const store = await it.open()
    await store.append('s', -1, proposedList(4))
    const seen: number[] = []
    const subscription = store.subscribe('s', 0, (page) => void seen.push(...positions(page)))
    await until(() => seen.length === 4, 'the events')
    const failed = rejection(subscription.done)
    const log = it.double.log.copy(2)
    log.append('s', 1, [foreign(), foreign(), foreign()])
    await it.restart({ log })
    const error = (await failed) as Error & { position: number }
    assert.equal([codeOf(error), error.position], ['eventstore_foreign_event', 3])
    assert.equal(seen, upTo(3))
  },
)

function foreign() {
  const { id, type, body } = proposed({})
  const data = new Uint8Array(Buffer.from(body))
  return { id, type, json: false, data, metadata: new Uint8Array() }
}

scene('a deleted stream ends it, softly or for good', async (it) => {
  const admin = EventStoreDBClient.connectionString(it.double.url)
  const store = await it.open()
  for (const [stream, code] of [
    ['soft', 'eventstore_regressed'],
    ['hard', 'eventstore_stream_deleted'],
  ] as const) {
    await store.append(stream, -1, proposedList(2))
    let count = 0
    const subscription = store.subscribe(stream, 0, (page) => {
      count += page.length
    })
    await until(() => count === 2, 'the events')
    const failed = rejection(subscription.done)
    if (stream === 'soft') await admin.deleteStream(stream)
    else await admin.tombstoneStream(stream)
    assert.is(codeOf(await failed), code)
  }
  await admin.dispose()
})

scene('a stream truncated below it ends it, naming what is missing', async (it) => {
  const admin = EventStoreDBClient.connectionString(it.double.url)
  const store = await it.open()
  await store.append('s', -1, proposedList(8))
  await admin.setStreamMetadata('s', { truncateBefore: 5 })
  const subscription = store.subscribe('s', 2, () => undefined)
  const error = (await rejection(subscription.done)) as Error & Gap
  assert.equal([codeOf(error), error.from, error.to], ['eventstore_truncated', 2, 4])
  await admin.dispose()
})

scene('credentials that no longer hold end it', async (it) => {
  const store = await it.open()
  await store.append('s', -1, proposedList(1))
  let count = 0
  const subscription = store.subscribe('s', 0, () => {
    count += 1
  })
  await until(() => count === 1, 'the event')
  const failed = rejection(subscription.done)
  await it.restart({ log: it.double.log, users: { admin: 'changed' } })
  assert.is(codeOf(await failed), 'eventstore_unauthorized')
})

// How it behaves under load and in disorder.

scene('a slow handler makes the server wait, and gets large pages', async (it) => {
  const store = await it.open({ attemptMs: 3000 })
  const total = 12_000
  for (let i = 0; i < total; i += 1000) await store.append('s', i - 1, proposedList(1000))
  const sizes: number[] = []
  let next = 0
  const subscription = store.subscribe('s', 0, async (page) => {
    assert.is(page[0]?.position, next)
    next += page.length
    sizes.push(page.length)
    await pause(30)
  })
  await until(() => next === total, 'all')
  assert.ok(Math.max(...sizes) <= 1000)
  assert.ok(sizes.length < 200, `${sizes.length} pages`)
  await subscription.close()
})

scene('closing while the server is away ends it at once', async (it) => {
  const store = await it.open()
  const subscription = store.subscribe('s', 0, () => undefined)
  await pause(50)
  const { port } = it.double
  await it.double.stop()
  await pause(300)
  const start = performance.now()
  await subscription.close()
  assert.ok(performance.now() - start < 1000)
  it.double = await startDouble({ port })
})

function positions(page: readonly StoredEvent[]): number[] {
  return page.map(({ position }) => position)
}

test.run()
