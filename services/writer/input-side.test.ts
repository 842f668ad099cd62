import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { ConsumeFrom, InboundMessage, StreamGap } from '../../engine/ports/bus.ts'
import type { StoredEvent } from '../../engine/ports/event-store.ts'
import { verify } from '../../engine/testing/given.ts'
import {
  NOW,
  type Desk,
  FakeBus,
  openDesk,
  settle,
  startDesk,
  STREAM,
  until,
} from './writer-fixture.ts'

/** A bus that keeps from where it was asked to read, and tells of gaps. */
class MarkedBus extends FakeBus {
  readonly from = new Map<string, ConsumeFrom>()

  override async consume(
    stream: string,
    durable: string,
    onMessage: (message: InboundMessage) => void,
    from?: ConsumeFrom,
  ) {
    if (from !== undefined) this.from.set(stream, from)
    return super.consume(stream, durable, onMessage)
  }

  gap(stream: string, given: Partial<StreamGap> = {}): void {
    this.from.get(stream)?.onGap({
      ...{ stream, from: 3, to: 5, after: NOW - 1000, before: NOW, reason: 'messages_removed' },
      mark: { stream, sequence: 5, storedAt: NOW - 1000 },
      ...given,
    })
  }
}

const marks = async (desk: Desk) =>
  (await desk.events())
    .filter(({ mark }) => mark !== undefined)
    .map(({ type, mark }) => [type, mark])

test('every input says up to where its stream is in the book, and the next start reads from there', async () => {
  const bus = new MarkedBus()
  const desk = await startDesk({ bus })
  assert.equal(
    [...bus.from.values()].map(({ after }) => after),
    [null, null, null],
  )
  bus.bar(0)
  bus.bar(1)
  bus.signal('s1', {}, NOW + 7)
  bus.signal('s2', { side: 'sideways' }, NOW + 8)
  await until(() => desk.writer.idle)
  assert.equal(await marks(desk), [
    ['market.bar', ['MARKET', 1, NOW]],
    ['market.bar', ['MARKET', 2, NOW]],
    ['signal.received', ['INBOX', 1, NOW + 7]],
    ['input.refused', ['INBOX', 2, NOW + 8]],
  ])
  await desk.writer.close()
  const next = new MarkedBus()
  const successor = await startDesk({ bus: next, store: desk.store, run: '00000000000000a2' })
  assert.equal(
    ['REPORTS', 'INBOX', 'MARKET'].map((name) => next.from.get(name)?.after),
    [
      null,
      { stream: 'INBOX', sequence: 2, storedAt: NOW + 8 },
      { stream: 'MARKET', sequence: 2, storedAt: NOW },
    ],
  )
  await successor.writer.close()
})

test('a report that overtakes those that wait says nothing of its stream', async () => {
  const bus = new MarkedBus()
  const desk = await startDesk({ bus })
  bus.accepted(2, 2)
  bus.withheld(3)
  await settle()
  assert.ok((await desk.types()).includes('order.withheld'))
  assert.equal(await marks(desk), [])
  bus.accepted(1, 1)
  await until(() => desk.writer.idle)
  assert.equal(await marks(desk), [['order.accepted', ['REPORTS', 1, NOW]]])
  await desk.writer.close()
})

test('a gap is recorded in its place, told once it is in the book, and decides nothing', async () => {
  const bus = new MarkedBus()
  const told: unknown[] = []
  const desk = await openDesk({ bus, onGap: (gap) => told.push(gap) })
  await desk.writer.start()
  desk.store.hold()
  bus.bar(0)
  bus.gap('MARKET')
  bus.bar(1)
  await settle()
  assert.equal(told, [])
  desk.store.release()
  await until(() => desk.writer.idle)
  const data = {
    stream: 'MARKET',
    from: 3,
    to: 5,
    after: new Date(NOW - 1000).toISOString().replace('.000', ''),
    before: new Date(NOW).toISOString().replace('.000', ''),
    reason: 'messages_removed',
  }
  assert.equal(told, [data])
  const events = await desk.events()
  const inputs = events.filter(({ because }) => because === null).slice(2)
  assert.equal(
    inputs.map(({ type }) => type),
    ['market.bar', 'input.gap', 'market.bar'],
  )
  const gap = inputs[1]!
  assert.equal(gap.data, data)
  assert.equal(gap.mark, ['MARKET', 5, NOW - 1000])
  assert.ok(desk.lines.some((line) => line.includes('messages are missing')))
  assert.not(
    events.some(({ because }) => because === gap.position),
    'nothing follows from it',
  )
  const stored: StoredEvent[] = []
  for await (const page of desk.store.read(STREAM, 0)) stored.push(...page)
  assert.is(verify(stored).ok, true)
  await desk.writer.close()
})

test('a gap without a mark leaves the mark as it was', async () => {
  const bus = new MarkedBus()
  const desk = await startDesk({ bus })
  bus.bar(0)
  bus.gap('MARKET', { mark: null, after: null, to: null, reason: 'stream_recreated' })
  await until(() => desk.writer.idle)
  await desk.writer.close()
  const next = new MarkedBus()
  const successor = await startDesk({ bus: next, store: desk.store, run: '00000000000000a2' })
  assert.is(next.from.get('MARKET')?.after?.sequence, 1)
  await successor.writer.close()
})

test.run()
