import fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { EventStore, StoredEvent } from '../../engine/ports/event-store.ts'
import { BOOK_ID, sha256, stateText } from '../../engine/testing/fixtures.ts'
import { formatTime } from '../../engine/time.ts'
import { history, play } from '../../engine/testing/arbitraries.ts'
import { Chain } from '../../engine/chain/chain.ts'
import { StepRecorder } from '../../engine/events/step-recorder.ts'
import { MemoryStore } from '../adapters/memory/memory-store.ts'
import { recover } from './recover.ts'
import { NOW, openDesk, rejection, startDesk, STREAM, until } from './writer-fixture.ts'

const again = (store: EventStore) => recover(store, STREAM, sha256)

async function stored(store: EventStore): Promise<StoredEvent[]> {
  const events: StoredEvent[] = []
  for await (const page of store.read(STREAM, 0)) events.push(...page)
  return events
}

/** A store that answers these events, in pages of a few. */
function holding(events: readonly StoredEvent[], page = 3): EventStore {
  const read = async function* () {
    for (let at = 0; at < events.length; at += page) yield events.slice(at, at + page)
  }
  return { read } as unknown as EventStore
}

/** A book with bars, a trade and a refusal. */
async function book(): Promise<StoredEvent[]> {
  const { bus, writer, store } = await startDesk()
  bus.bar(0)
  bus.signal('s1')
  bus.accepted(1)
  bus.signal('s2', { side: 'sideways' })
  bus.bar(1)
  await until(() => writer.idle)
  await writer.close()
  return stored(store)
}

test('an empty book recovers to nothing', async () => {
  const state = await again(new MemoryStore())
  assert.is(state.last, -1)
  assert.is(state.checksum, '')
  assert.is(state.bookId, null)
  assert.is(state.identities.brokerSequence, 0)
})

test('what is recovered equals what the writer knew, after random histories', async () => {
  await fc.assert(
    fc.asyncProperty(history, async (from) => {
      const store = new MemoryStore()
      const chain = new Chain()
      const recorder = new StepRecorder(chain, '00000000000000a1', sha256, 0, '')
      const steps: ReturnType<StepRecorder['compute']>[] = []
      play(from, chain.table, ({ type, at, data }) => {
        steps.push(recorder.compute(type, at, at, structuredClone(data)))
      })
      for (const { first, proposed } of steps) await store.append(STREAM, first - 1, proposed)
      const state = await again(store)
      assert.is(stateText(state.chain.table), stateText(chain.table))
      assert.is(state.last, recorder.next - 1)
      assert.is(state.checksum, (await stored(store)).at(-1)?.checksum)
      assert.is(state.bookId, BOOK_ID)
    }),
    { numRuns: 60 },
  )
})

test('a writer that goes on from a recovered book continues its chain of checksums', async () => {
  const { bus, writer, store } = await startDesk()
  bus.bar(0)
  await until(() => writer.idle)
  await writer.close()
  const next = await startDesk({ bus, store, run: '00000000000000a2' })
  bus.signal('s1')
  await until(() => next.writer.idle)
  await next.writer.close()
  const state = await again(store)
  assert.is(state.last, next.writer.position)
  assert.is(state.at, next.writer.engineTime)
})

test('identities of every kind are recovered', async () => {
  const { bus, writer, store } = await startDesk()
  bus.bar(0)
  bus.signal('s1')
  bus.control('halt', 'c1')
  bus.accepted(1)
  bus.accepted(2)
  bus.withheld(4)
  const refused = bus.signal('s2', { side: 'sideways' })
  await until(() => writer.idle)
  await writer.close()
  const { identities } = await again(store)
  assert.ok(identities.hasSignal('ana', 's1'))
  assert.not.ok(identities.hasSignal('ana', 's2'))
  const storedAt = formatTime(NOW)
  const control = { actor: 'ana', reason: 'test', controlId: 'c1', storedAt }
  assert.ok(identities.knows('control.received', { action: 'halt', ...control }))
  assert.not.ok(identities.knows('control.received', { action: 'resume', ...control }))
  assert.ok(identities.has('order.withheld:4:0'))
  assert.ok(identities.has(`refused:INBOX:${refused.sequence}:${refused.storedAt}`))
  assert.is(identities.brokerSequence, 2)
  assert.is(identities.lastBar('test', 'A', '1d'), Date.UTC(2013, 4, 13))
})

test('a step whose bytes were altered is refused, wherever the change is', async () => {
  const events = await book()
  assert.is((await again(holding(events))).last, events.length - 1)
  for (const [index, event] of events.entries()) {
    // The wall clock changes nothing that is decided: only the checksum can tell.
    const body = event.body.replace(/"recordedAt":(\d+)\d/, '"recordedAt":$10')
    const changed = body === event.body ? event.body.replace(/0,"step/, '1,"step') : body
    assert.is.not(changed, event.body)
    const altered = events.with(index, { ...event, body: changed })
    const error = await rejection(again(holding(altered)))
    assert.is(error.code, 'altered_event')
    // The checksum covers the step as a whole: where in it the change is, nobody can tell.
    const first = events.findLastIndex(({ checksum }, at) => at < index && checksum !== null) + 1
    assert.is((error as Error & { position?: number }).position, first)
    assert.match(error.message, `event ${first} `)
  }
})

test('altered bytes are told as such, also where they would not fold or were filed as something else', async () => {
  const events = await book()
  const bar = events.findIndex(({ type }) => type === 'market.bar')
  const bodies = [
    events[bar]!.body.replace(/"data":.*$/, '"data":{}}'),
    events[bar]!.body.replace('market.bar', 'order.filled'),
    events[bar]!.body.replace('market.bar', 'nothing.known'),
    events[bar]!.body.replace('"version":1', '"version":99'),
    events[bar]!.body.replace(/"open":"[^"]*"/, '"open":{"toString":1}'),
  ]
  for (const body of bodies) {
    assert.is.not(body, events[bar]!.body)
    const error = await rejection(again(holding(events.with(bar, { ...events[bar]!, body }))))
    assert.is(error.code, 'altered_event', error.message)
    assert.is((error as Error & { position?: number }).position, bar)
  }
  const filed = await rejection(
    again(holding(events.with(bar, { ...events[bar]!, type: 'timer.fired' }))),
  )
  assert.is(filed.code, 'altered_event')
  assert.match(filed.message, 'it is filed as timer.fired')
})

test('a checksum that was altered, or moved to another step, is refused', async () => {
  const events = await book()
  const ends = events.filter(({ checksum }) => checksum !== null)
  assert.ok(ends.length > 3)
  for (const { position } of ends) {
    const other = sha256(`${position}`)
    const altered = events.with(position, { ...events[position]!, checksum: other })
    assert.is((await rejection(again(holding(altered)))).code, 'altered_event')
  }
})

test('a body that is no event is refused with its position', async () => {
  const events = await book()
  for (const body of ['', '{', 'null', '[]', '{"type":"market.bar"}']) {
    const altered = events.with(2, { ...events[2]!, body })
    const error = await rejection(again(holding(altered)))
    assert.is(error.code, 'altered_event')
    assert.is((error as Error & { position?: number }).position, 2)
  }
})

test('an event that was taken out, put in twice, or exchanged with its neighbour is refused', async () => {
  const events = await book()
  const variants = [
    events.toSpliced(3, 1),
    events.toSpliced(3, 0, events[3]!),
    events.with(3, events[4]!).with(4, events[3]!),
  ]
  for (const altered of variants) {
    assert.is((await rejection(again(holding(altered)))).code, 'altered_event')
  }
})

test('a book that ends within a step is refused', async () => {
  const events = await book()
  const end = events.findLastIndex(({ checksum }, at) => checksum === null && at > 0)
  const error = await rejection(again(holding(events.slice(0, end + 1))))
  assert.is(error.code, 'altered_event')
  assert.match(error.message, 'the end of its step is missing')
  const first = events.findLastIndex(({ checksum }, at) => at < end && checksum !== null) + 1
  assert.is((error as Error & { position?: number }).position, first)
})

test('where the pages of a store end makes no difference', async () => {
  const events = await book()
  const texts = new Set<string>()
  for (const size of [1, 2, 5, 1000]) {
    const state = await again(holding(events, size))
    texts.add(`${state.last} ${state.checksum} ${stateText(state.chain.table)}`)
  }
  assert.is(texts.size, 1)
})

test('nobody trades on an altered book: the writer is not even made', async () => {
  const events = await book()
  const store = new MemoryStore()
  await store.append(STREAM, -1, [
    { ...events[0]!, body: events[0]!.body.replace('10000', '99999') },
  ])
  const error = await rejection(openDesk({ store: store as never }))
  assert.is(error.code, 'altered_event')
})

test.run()
