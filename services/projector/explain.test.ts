import fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { encodeBody, type RecordedEvent } from '../../engine/events/envelope.ts'
import { ReadModel } from '../../projections/read-model.ts'
import { TestBook } from '../../projections/testing/book.ts'
import { moves, play } from '../../projections/testing/pair.ts'
import type { ExplainBody } from '../../schemas/types.gen.ts'
import { errorsText, validateBody } from '../../schemas/validate.ts'
import { MemoryStore } from '../adapters/memory/memory-store.ts'
import { Explainer } from './explain.ts'

/** An explainer of the events, and the model of all of them. */
async function book(
  events: readonly RecordedEvent[],
): Promise<{ explain: (name: string) => Promise<ExplainBody>; model: ReadModel }> {
  const store = new MemoryStore()
  const model = new ReadModel()
  let expected = -1
  for (const event of events) {
    model.apply(event)
    expected = await store.append('book', expected, [
      { id: event.id, type: event.type, body: encodeBody(event), checksum: 'c'.repeat(64) },
    ])
  }
  const explainer = new Explainer(store, 'book')
  return { model, explain: (name) => explainer.explain(name, model) }
}

async function codeOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise
  } catch (error) {
    return `${(error as { code: string }).code}: ${(error as Error).message}`
  }
  throw new Error('nothing was thrown')
}

/** The causes of every link stand in the chain too, or it is an input; and the book says the same of each. */
function hangsTogether(body: ExplainBody, events: readonly RecordedEvent[]): void {
  const result = validateBody('explain-body', body)
  assert.ok(result.ok, result.ok ? '' : errorsText(result.errors))
  assert.ok(body.chain.length > 0, body.id)
  const positions = new Set(body.chain.map(({ position }) => position))
  for (const { position, because, type, data, text } of body.chain) {
    const event = events[position]!
    assert.equal([type, data, because], [event.type, event.data, event.because])
    if (because === null) assert.is(event.step, position)
    else assert.ok(positions.has(because), `${body.id}: ${position} lacks its cause`)
    assert.ok(text.length > 5 && text.length < 2000)
  }
}

test('every order, signal and event of a book is explained back to an input', async () => {
  let explained = 0
  await fc.assert(
    fc.asyncProperty(moves, async (steps) => {
      const { events } = play(steps, () => undefined).book
      const { explain, model } = await book(linked(events))
      const { orders, signals } = model.states
      const all = { limit: 1e6, after: null, descending: false }
      for (const order of orders.list.page(all).items) {
        const body = await explain(String(order.intent.orderId))
        assert.is(body.kind, 'order')
        hangsTogether(body, linked(events))
        const positions = body.chain.map(({ position }) => position)
        for (const entry of order.life) assert.ok(positions.includes(entry))
        explained++
      }
      for (const { source, signalId, entry } of signals.list.page(all).items) {
        const body = await explain(`${source}:${signalId}`)
        assert.is(body.kind, 'signal')
        hangsTogether(body, linked(events))
        assert.ok(body.chain.some(({ position }) => position === entry))
        assert.ok(body.chain.some(({ type }) => type === 'risk.verdict'))
        explained++
      }
      for (const { position, type } of events) {
        const body = await explain(`p:${position}`)
        assert.is(body.kind, type === 'market.bar' ? 'bar' : 'event')
        hangsTogether(body, linked(events))
      }
    }),
    { numRuns: 12 },
  )
  assert.ok(explained > 50, String(explained))
})

/** The steps and causes that the writer would have recorded: the hand-written book says none. */
function linked(events: readonly RecordedEvent[]): RecordedEvent[] {
  const INPUTS = new Set(['book.created', 'engine.started', 'market.bar', 'signal.received'])
  let step = 0
  let last = new Map<string, number>()
  return events.map((event) => {
    const reported = /^order\.(accepted|filled|rejected|canceled|expired)$/.test(event.type)
    if (INPUTS.has(event.type) || reported) {
      step = event.position
      last = new Map([['input', step]])
      return { ...event, step, because: null }
    }
    const because =
      last.get(
        event.type === 'order.intended'
          ? 'risk.verdict'
          : event.type === 'risk.verdict'
            ? 'signal.raised'
            : 'input',
      ) ?? step
    last.set(event.type, event.position)
    return { ...event, step, because }
  })
}

test('a bar on which nothing happened says which conditions were not met', async () => {
  const history = new TestBook().created().started()
  for (const close of ['10', '11', '12']) {
    history.bar('AAPL', close)
    history.at += 86_400_000
  }
  const { explain } = await book(linked(history.events))
  const body = await explain('bar:AAPL:2013-10-22')
  assert.equal(
    [body.kind, body.outcome],
    ['bar', 'no signal: of every action at least one condition was not met'],
  )
  assert.is(body.chain[0]?.position, 3)
  const [strategy] = body.strategies ?? []
  assert.is(strategy?.strategy, 'sma_cross')
  for (const { met, conditions } of strategy!.actions) {
    assert.is(met, false)
    assert.is(conditions[0]?.observed, null)
  }
})

test('what nobody knows is said to be unknown, with the remedy; a name of several is not guessed', async () => {
  const history = new TestBook().created().started().bar('AAPL', '10')
  history.signal('alice', 's').denied('operator:alice', 's')
  history.signal('bob', 's').denied('operator:bob', 's')
  const { explain } = await book(linked(history.events))
  for (const name of [
    '77',
    'nobody',
    'p:99',
    'p:',
    '',
    'bar:AAPL:2011-01-01T00:00:00Z',
    'bar:MSFT:2013-10-21T00:00:00Z',
  ]) {
    assert.match(await codeOf(explain(name)), 'nothing_to_explain', name)
  }
  assert.match(await codeOf(explain('bar:AAPL:yesterday')), 'write bar:<symbol>:<start>')
  assert.match(await codeOf(explain('s')), 'ambiguous_name: 2 signals')
  const denied = await explain('alice:s')
  assert.is(denied.outcome, 'denied, max_position: saw 110, allowed 100')
  assert.ok((await codeOf(explain('x'.repeat(5000)))).length < 500)
})

test('one bar is explained at a time', async () => {
  const history = new TestBook().created().started().bar('AAPL', '10')
  const { explain } = await book(linked(history.events))
  const both = await Promise.allSettled([explain('p:2'), explain('p:2')])
  assert.equal(
    both.map((one) => (one.status === 'rejected' ? one.reason.code : one.value.kind)),
    ['bar', 'past_is_busy'],
  )
  assert.is((await explain('p:2')).kind, 'bar')
})

test.run()
