import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { encodeBody } from '../../engine/events/envelope.ts'
import { eventId } from '../../engine/events/ids.ts'
import type { EventStore, ProposedEvent, StoredEvent } from '../../engine/ports/event-store.ts'
import { TestBook } from '../../projections/testing/book.ts'
import { MemoryStore } from '../adapters/memory/memory-store.ts'
import { startProjector } from './projector.ts'

const RUN = '0123456789abcdef'

function proposed(book: TestBook, from = 0): ProposedEvent[] {
  return book.events.slice(from).map((event) => ({
    id: eventId(RUN, event.position),
    type: event.type,
    body: encodeBody(event),
    checksum: null,
  }))
}

function longBook(bars: number): TestBook {
  const book = new TestBook().created().started()
  for (let i = 1; book.events.length < bars; i++) {
    book.at += 86_400_000
    book.bar('AAPL', String(100 + (i % 7)))
    if (i % 20 === 0) {
      book.signal('alice', `s-${i}`).verdict('operator:alice', `s-${i}`)
      book
        .intended(i)
        .accepted(i)
        .filled(i, '1', '100', { side: i % 40 ? 'buy' : 'sell' })
    }
  }
  return book
}

test('follows the book from its first event, across pages, and as it grows', async () => {
  const store = new MemoryStore()
  const book = longBook(2500)
  const half = proposed(book)
  await store.append('book', -1, half.slice(0, 1300))
  await store.append('book', 1299, half.slice(1300))
  const projector = startProjector({ store, stream: 'book' })
  try {
    assert.is(projector.position(), -1)
    const head = book.events.length - 1
    assert.is(await projector.waitFor(head, 5000), true)
    assert.is(projector.position(), head)
    assert.is(projector.model.statusBody().counts.bars, book.events.filter(isBar).length)
    assert.is(await projector.waitFor(0, 0), true)

    const later = projector.waitFor(head + 2, 5000)
    book.filled(1, '7', '100')
    book.add('timer.set', { name: 't', dueAt: '2013-10-22T00:00:00Z' })
    await store.append('book', head, proposed(book, head + 1))
    assert.is(await later, true)
    assert.is(projector.position(), head + 2)
    assert.is(projector.model.portfolioBody().position, head + 2)
  } finally {
    await projector.close()
    await store.close()
  }
})

const isBar = (event: { type: string }): boolean => event.type === 'market.bar'

test('a position that does not come is given up after the time, or when the projector closes', async () => {
  const store = new MemoryStore()
  const projector = startProjector({ store, stream: 'book' })
  const started = performance.now()
  assert.is(await projector.waitFor(0, 30), false)
  assert.ok(performance.now() - started >= 25)
  const waiting = projector.waitFor(0, 60_000)
  await projector.close()
  assert.is(await waiting, false)
  assert.is(await projector.waitFor(0, 60_000), false)
  await projector.done
  assert.is(projector.failure(), null)
  await store.close()
})

test('an altered event stops it: what came before stays, the failure is told, waiters end', async () => {
  const store = new MemoryStore()
  const book = new TestBook().created('77').bar('AAPL', '1')
  const events = proposed(book)
  events[1] = { ...events[1]!, body: '{"type":1}' }
  await store.append('book', -1, events)
  const projector = startProjector({ store, stream: 'book' })
  assert.is(await projector.waitFor(1, 60_000), false)
  assert.match(projector.failure()?.message ?? '', /event 1 of the book was altered/)
  assert.is(projector.position(), 0)
  assert.is(projector.model.portfolioBody().cash, '77')
  const told = await projector.done.then(
    () => null,
    (error: unknown) => error,
  )
  assert.is(told, projector.failure())
  await projector.close()
  await store.close()
})

test('a failure of the store is a failure of the projector, also one that is no Error', async () => {
  for (const thrown of [new Error('disk gone'), 'disk gone']) {
    const store = {
      subscribe: () => ({ close: () => Promise.resolve(), done: Promise.reject(thrown) }),
    } as unknown as EventStore
    const projector = startProjector({ store, stream: 'book' })
    assert.is(await projector.waitFor(0, 60_000), false)
    assert.match(projector.failure()?.message ?? '', 'disk gone')
    await projector.close()
  }
})

test('a gap in what the store hands over is not folded over', async () => {
  const book = new TestBook().created().bar('AAPL', '1').bar('AAPL', '2')
  const stored: StoredEvent[] = proposed(book).map((event, position) => ({ ...event, position }))
  const store = {
    subscribe(_stream: string, _from: number, handler: (events: StoredEvent[]) => void) {
      const done = Promise.resolve().then(() => handler([stored[0]!, stored[2]!]))
      return { close: () => done.catch(() => undefined), done }
    },
  } as unknown as EventStore
  const projector = startProjector({ store, stream: 'book' })
  assert.is(await projector.waitFor(2, 60_000), false)
  assert.match(projector.failure()?.message ?? '', 'event 2 does not follow 0')
  await projector.close()
})

test('rebuilds from the memory store at a rate fit for long books', async () => {
  const store = new MemoryStore()
  const events = proposed(longBook(60_000))
  for (let i = 0; i < events.length; i += 1000) {
    await store.append('book', i - 1, events.slice(i, i + 1000))
  }
  const started = performance.now()
  const projector = startProjector({ store, stream: 'book' })
  assert.is(await projector.waitFor(events.length - 1, 60_000), true)
  const rate = events.length / ((performance.now() - started) / 1000)
  await projector.close()
  await store.close()
  console.log(`${Math.round(rate / 1000)}k events/s`)
  // A tenth of the target: a busy machine must not turn this red, a quadratic fold must.
  assert.ok(rate > 30_000, `${Math.round(rate)} events/s`)
})

test.run()
