import fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { RecordedEvent } from '../engine/events/envelope.ts'
import { Checkpoints } from './checkpoints.ts'
import { decisionBody } from './decisions.ts'
import { equitySummary, pointBody } from './equity.ts'
import { fillBody } from './fills.ts'
import type { Page, PageQuery } from './listing.ts'
import { orderBody } from './orders.ts'
import { pnlBody } from './pnl.ts'
import { openPositions, positionBody } from './portfolio.ts'
import { queueBodies } from './queues.ts'
import { ReadModel } from './read-model.ts'
import { signalBody, signalDetail } from './signals.ts'
import { strategyBodies } from './strategies.ts'
import { moves, play } from './testing/pair.ts'

function all<T, B>(listing: { page(query: PageQuery<T>): Page<T> }, body: (item: T) => B): B[] {
  return listing.page({ limit: 1e6, after: null, descending: false }).items.map(body)
}

/** Everything that a read model can be asked, as text. */
function said(model: ReadModel): string {
  const { states, position, at } = model
  return JSON.stringify({
    portfolio: model.portfolioBody(),
    positions: openPositions(states.portfolio).map(positionBody),
    status: model.statusBody(),
    orders: all(states.orders.list, (order) => orderBody(states.orders, order)),
    fills: all(states.fills, fillBody),
    signals: all(states.signals.list, signalBody),
    details: all(states.signals.list, (signal) => signalDetail(signal, position)),
    pnl: pnlBody(states.pnl, states.portfolio, position, at, 1e6),
    equity: all(states.equity.points, pointBody),
    summary: equitySummary(states.equity),
    decisions: all(states.decisions, decisionBody),
    strategies: strategyBodies(states.strategies, states.pnl),
    queues: queueBodies(states.queues),
    aapl: states.orders.list
      .page({ limit: 1e6, after: null, descending: true, symbol: 'AAPL' })
      .items.map(({ entry }) => entry),
  })
}

function fold(model: ReadModel, events: readonly RecordedEvent[], to: number): ReadModel {
  for (let p = model.position + 1; p <= to; p++) model.apply(events[p]!)
  return model
}

test('a copy says what the model said then, whatever both see later', () => {
  let looked = 0
  fc.assert(
    fc.property(
      moves,
      fc.array(fc.nat(400), { minLength: 3, maxLength: 8 }),
      fc.integer({ min: 1, max: 9 }),
      (steps, wishes, further) => {
        const { events } = play(steps, () => undefined).book
        const wanted = new Set(wishes.map((wish) => wish % events.length))
        const model = new ReadModel()
        const copies = new Map<number, ReadModel>()
        const then = new Map<number, string>()
        for (const event of events) {
          model.apply(event)
          if (!wanted.has(event.position)) continue
          copies.set(event.position, model.copy())
          then.set(event.position, said(model))
        }
        const end = said(model)
        for (const [position, copy] of copies) {
          assert.is(said(copy), then.get(position))
          // A copy of the copy goes on by itself, as far as the next and beyond what the model had then.
          const to = Math.min(events.length - 1, position + further)
          const gone = fold(copy.copy(), events, to)
          assert.is(said(gone), said(fold(new ReadModel(), events, to)))
          assert.is(said(copy), then.get(position))
          looked++
        }
        assert.is(said(model), end)
      },
    ),
    { numRuns: 60 },
  )
  assert.ok(looked > 100)
})

test('checkpoints lie spread over the whole book, and are few', () => {
  const checkpoints = new Checkpoints()
  const model = new ReadModel()
  const { events } = play([], () => undefined).book
  for (const event of events) model.apply(event)
  for (let position = model.position + 1; position <= 1_000_000; position++) {
    model.skip(position)
    checkpoints.note(model)
  }
  assert.ok(checkpoints.count >= 16 && checkpoints.count <= 32, String(checkpoints.count))
  for (const asked of [0, 5000, 123_456, 999_999]) {
    const found = checkpoints.newest(({ position }) => position <= asked)
    const distance = asked - (found?.position ?? -1)
    assert.ok(distance <= 2 * checkpoints.interval, `${asked} is ${distance} from a checkpoint`)
  }
  assert.is(
    checkpoints.newest(({ position }) => position < 5),
    null,
  )
})

test.run()
