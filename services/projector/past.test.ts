import fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { encodeBody, type RecordedEvent } from '../../engine/events/envelope.ts'
import type { EventStore } from '../../engine/ports/event-store.ts'
import { ReadModel } from '../../projections/read-model.ts'
import { moves, play } from '../../projections/testing/pair.ts'
import { MemoryStore } from '../adapters/memory/memory-store.ts'
import { Past, PastIsBusy } from './past.ts'

async function stored(events: readonly RecordedEvent[]): Promise<EventStore> {
  const store = new MemoryStore()
  let expected = -1
  for (const event of events) {
    expected = await store.append('book', expected, [
      { id: event.id, type: event.type, body: encodeBody(event), checksum: 'c'.repeat(64) },
    ])
  }
  return store
}

function folded(
  events: readonly RecordedEvent[],
  to: (event: RecordedEvent) => boolean,
): ReadModel {
  const model = new ReadModel()
  for (const event of events) if (to(event)) model.apply(event)
  return model
}

function said(model: ReadModel): string {
  return JSON.stringify([model.portfolioBody(), model.statusBody(), model.position])
}

test('the past is what was, by position and by time, asked in any order', async () => {
  await fc.assert(
    fc.asyncProperty(
      moves,
      fc.array(fc.nat(1000), { minLength: 4, maxLength: 12 }),
      async (steps, asked) => {
        const { events } = play(steps, () => undefined).book
        const store = await stored(events)
        const past = new Past(store, 'book')
        for (const [index, number] of asked.entries()) {
          const { position, at } = events[number % events.length]!
          if (index % 2 === 0) {
            const model = await past.model({ position })
            assert.is(said(model), said(folded(events, (event) => event.position <= position)))
          } else {
            const model = await past.model({ at })
            assert.is(said(model), said(folded(events, (event) => event.at <= at)))
          }
        }
        await store.close()
      },
    ),
    { numRuns: 40 },
  )
})

test('a moment before the first event is an empty book', async () => {
  const { events } = play([], () => undefined).book
  const store = await stored(events)
  const model = await new Past(store, 'book').model({ at: 0 })
  assert.equal([model.position, model.at], [-1, null])
  await store.close()
})

test('too many questions at once are turned away, and the others are answered', async () => {
  const { events } = play([], () => undefined).book
  const store = await stored(events)
  const past = new Past(store, 'book')
  const asked = Array.from({ length: 40 }, (_, at) => past.model({ at: events[0]!.at - at }))
  const answers = await Promise.allSettled(asked)
  const refused = answers.filter(({ status }) => status === 'rejected')
  assert.is(refused.length, 8)
  for (const one of refused) assert.instance((one as PromiseRejectedResult).reason, PastIsBusy)
  assert.is((await past.model({ position: 1 })).position, 1)
  await store.close()
})

test('a store that fails answers this question with its error, and the next one anew', async () => {
  const { events } = play([], () => undefined).book
  const store = await stored(events)
  let broken = true
  const flaky: EventStore = {
    ...({} as EventStore),
    read(stream, from, to) {
      if (broken) throw new Error('disk')
      return store.read(stream, from, to)
    },
  }
  const past = new Past(flaky, 'book')
  let seen = ''
  await past.model({ position: 1 }).catch((error: Error) => {
    seen = error.message
  })
  assert.is(seen, 'disk')
  broken = false
  assert.is((await past.model({ position: 1 })).position, 1)
  await store.close()
})

test.run()
