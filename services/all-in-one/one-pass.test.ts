import { hash } from 'node:crypto'
import fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { Chain } from '../../engine/chain/chain.ts'
import { decodeBody, type RecordedEvent } from '../../engine/events/envelope.ts'
import { StepRecorder } from '../../engine/events/step-recorder.ts'
import { history, play } from '../../engine/testing/arbitraries.ts'
import { stateText } from '../../engine/testing/fixtures.ts'
import { ReadModel } from '../../projections/read-model.ts'
import { MemoryStore } from '../adapters/memory/memory-store.ts'
import { foldEvent, foldPage, type Intents, noIntents } from '../executor/intents.ts'
import { PassingModel, startProjector } from '../projector/projector.ts'
import { recover } from '../writer/recover.ts'

// At start the book is read once: the writer's state, the read model and the executor's intents are folded from the
// same parsed events.

const STREAM = 'account-test'
const sha256 = (text: string): string => hash('sha256', text)

async function bookOf(from: Parameters<typeof play>[0]): Promise<MemoryStore> {
  const store = new MemoryStore()
  const chain = new Chain()
  const recorder = new StepRecorder(chain, '00000000000000a1', sha256, 0, '')
  const steps: ReturnType<StepRecorder['compute']>[] = []
  play(from, chain.table, ({ type, at, data }) => {
    steps.push(recorder.compute(type, at, at, structuredClone(data)))
  })
  for (const { first, proposed } of steps) await store.append(STREAM, first - 1, proposed)
  return store
}

async function eventsOf(store: MemoryStore): Promise<RecordedEvent[]> {
  const events: RecordedEvent[] = []
  for await (const page of store.read(STREAM, 0)) events.push(...page.map(decodeBody))
  return events
}

function answers(model: ReadModel): unknown {
  return JSON.parse(
    JSON.stringify([model.position, model.at, model.portfolioBody(), model.statusBody()]),
  )
}

/** Orders name each other, also in circles: by their numbers. */
function intentsText({ open, ...rest }: Intents): unknown {
  const orders = [...open.values()].map(({ entry, original, dependents, ...order }) => ({
    ...order,
    entry: entry?.intent.orderId,
    original: original?.intent.orderId,
    dependents: dependents.map(({ intent }) => intent.orderId),
  }))
  return { ...rest, orders }
}

test('one pass leaves writer, read model and what is to be sent as two passes do, after random histories', async () => {
  await fc.assert(
    fc.asyncProperty(history, async (from) => {
      const store = await bookOf(from)
      const events = await eventsOf(store)
      const passing = new PassingModel()
      const intents = noIntents()
      const seen: RecordedEvent[] = []
      const together = await recover(store, STREAM, sha256, (event) => {
        seen.push(event)
        passing.take(event)
        foldEvent(intents, event)
      })
      const alone = await recover(store, STREAM, sha256)
      assert.is(stateText(together.chain.table), stateText(alone.chain.table))
      assert.equal([together.last, together.checksum], [alone.last, alone.checksum])
      // Nobody altered what the others are given.
      assert.equal(seen, events)
      const expected = new ReadModel()
      for (const event of events) expected.apply(event)
      const model = passing.result()
      assert.is(stateText(model.states), stateText(expected.states))
      assert.equal(answers(model), answers(expected))
      const paged = noIntents()
      for await (const page of store.read(STREAM, 0)) foldPage(paged, page)
      assert.equal(intentsText(intents), intentsText(paged))
    }),
    { numRuns: 60 },
  )
})

test('the projector goes on behind what it was given, and a model that could not follow is not used', async () => {
  const [sample] = fc.sample(history, { numRuns: 1, seed: 7 })
  const store = await bookOf(sample!)
  const events = await eventsOf(store)
  const head = events.length - 1
  assert.ok(head > 4)
  const half = new PassingModel()
  for (const event of events.slice(0, 3)) half.take(event)
  const broken = new PassingModel()
  broken.take(events[0]!)
  // A gap: whatever it would say from here on is wrong.
  broken.take(events[2]!)
  broken.take(events[1]!)
  assert.is(half.result().position, 2)
  assert.is(broken.result().position, -1)
  for (const passing of [half, broken]) {
    const projector = startProjector({ store, stream: STREAM, model: passing.result() })
    assert.is(await projector.waitFor(head, 20_000), true)
    const expected = new ReadModel()
    for (const event of events) expected.apply(event)
    assert.equal(answers(projector.model), answers(expected))
    await projector.close()
  }
})

test.run()
