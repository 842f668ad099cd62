import { setTimeout as sleep } from 'node:timers/promises'
import type { ConsumerInfo, JetStreamManager } from 'nats'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { InboundMessage, StreamGap, StreamMark } from '../../../engine/ports/bus.ts'
import { NatsBus } from './nats-bus.ts'
import { type NatsFixture, until, withNats } from './nats-fixture.ts'
import { provision } from './streams.ts'

const BOOK = { bookId: 'b1', account: 'main' }

interface Desk {
  bus: NatsBus
  jsm: JetStreamManager
}

async function desk(fixture: NatsFixture): Promise<Desk> {
  const nc = await fixture.connect()
  await provision(nc, BOOK)
  return { bus: new NatsBus(nc), jsm: await nc.jetstreamManager() }
}

async function fill(bus: NatsBus, from: number, to: number): Promise<void> {
  for (let n = from; n <= to; n++) await bus.publish('md.bar.1m.A', String(n))
}

/** A reader as the writer is one: it says what it has, and hears of gaps. */
async function read(bus: NatsBus, after: StreamMark | null) {
  const got: InboundMessage[] = []
  const gaps: StreamGap[] = []
  const consumption = await bus.consume('MARKET', 'writer', (message) => got.push(message), {
    after,
    onGap: (gap) => gaps.push(gap),
  })
  const values = () => got.map(({ payload }) => Number(Buffer.from(payload).toString()))
  return { got, gaps, consumption, values }
}

const markOf = ({ stream, sequence, storedAt }: InboundMessage): StreamMark => ({
  stream,
  sequence,
  storedAt,
})
const numbers = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, index) => from + index)

async function consumers(jsm: JetStreamManager): Promise<ConsumerInfo[]> {
  return (await jsm.consumers.list('MARKET').next()).filter(({ name }) => name.startsWith('writer'))
}

test(
  'a successor begins behind what the book has, whatever the other acknowledged, took or still does',
  withNats(async (fixture) => {
    const { bus, jsm } = await desk(fixture)
    const paused = await read(new NatsBus(await fixture.connect()), null)
    await fill(bus, 1, 50)
    await until(() => paused.got.length === 50)
    // It acknowledged more than the book has: its appends were refused.
    paused.consumption.ack(paused.got[29] as InboundMessage)
    await paused.consumption.pending()

    const next = await read(bus, markOf(paused.got[9] as InboundMessage))
    await until(() => next.got.length === 40)
    assert.equal(next.values(), numbers(11, 50))
    // The other goes on: it reads on a consumer of its own, and its acknowledgements are not ours.
    paused.consumption.ack(paused.got[49] as InboundMessage)
    await fill(bus, 51, 70)
    await until(() => next.got.length === 60, 20_000)
    await until(() => paused.got.length === 70, 20_000)
    paused.consumption.ack(paused.got[69] as InboundMessage)
    await paused.consumption.pending()
    assert.equal(next.values(), numbers(11, 70))
    const open = (await consumers(jsm)).map((info) => info.num_ack_pending)
    assert.equal(
      open.sort((a, b) => a - b),
      [0, 60],
    )
    next.consumption.ack(next.got[59] as InboundMessage)
    assert.is(await next.consumption.pending(), 0)
    assert.equal([...paused.gaps, ...next.gaps], [])
    await paused.consumption.stop()
    await next.consumption.stop()
  }),
)

test(
  'a start that ends between two steps leaves nothing that the next start minds',
  withNats(async (fixture) => {
    const { bus, jsm } = await desk(fixture)
    await fill(bus, 1, 20)
    const first = await read(bus, null)
    await until(() => first.got.length === 20)
    const mark = markOf(first.got[4] as InboundMessage)
    await first.consumption.stop()
    const [left] = await consumers(jsm)
    // All consumers deleted and none made: where to begin stands in the book.
    await jsm.consumers.delete('MARKET', left!.name)
    const second = await read(bus, mark)
    await until(() => second.got.length === 15)
    await second.consumption.stop()
    // A new one made and the old ones not yet deleted, one of an older version among them.
    await jsm.consumers.add('MARKET', { durable_name: 'writer', ack_policy: 'all' as never })
    await jsm.consumers.add('MARKET', {
      durable_name: 'writer-0123abcd',
      ack_policy: 'all' as never,
    })
    const third = await read(bus, mark)
    await until(() => third.got.length === 15)
    assert.equal(third.values(), numbers(6, 20))
    await until(async () => (await consumers(jsm)).length === 1)
    // Somebody else's, that is only named alike, stays.
    await jsm.consumers.add('MARKET', {
      durable_name: 'writer-dashboard',
      ack_policy: 'none' as never,
    })
    await third.consumption.stop()
    const fourth = await read(bus, mark)
    await until(async () => (await consumers(jsm)).length === 2)
    assert.ok((await consumers(jsm)).some(({ name }) => name === 'writer-dashboard'))
    assert.equal(fourth.gaps, [])
    await fourth.consumption.stop()
  }),
)

test(
  'messages removed before they came are a gap with its bounds, at the front and in the middle',
  withNats(async (fixture) => {
    const { bus, jsm } = await desk(fixture)
    const early = await read(bus, null)
    await fill(bus, 1, 10)
    await until(() => early.got.length === 10)
    await early.consumption.stop()
    await fill(bus, 11, 30)
    await jsm.streams.purge('MARKET', { seq: 16 })
    await jsm.streams.deleteMessage('MARKET', 20)
    await jsm.streams.deleteMessage('MARKET', 21)
    const mark = markOf(early.got[9] as InboundMessage)
    const late = await read(bus, mark)
    await until(() => late.got.length === 13)
    assert.equal(late.values(), [...numbers(16, 19), ...numbers(22, 30)])
    assert.equal(
      late.gaps.map(({ from, to, reason }) => [from, to, reason]),
      [
        [11, 15, 'messages_removed'],
        [20, 21, 'messages_removed'],
      ],
    )
    const [front] = late.gaps
    assert.is(front?.after, mark.storedAt)
    assert.equal(front?.mark, { stream: 'MARKET', sequence: 15, storedAt: mark.storedAt })
    // Emptied while it is read, with nothing that was not taken, then with something.
    await jsm.streams.purge('MARKET')
    await fill(bus, 31, 32)
    await until(() => late.got.length === 15)
    assert.is(late.gaps.length, 2)
    await late.consumption.stop()
    // Told once: with the gap in the book the next start goes on behind it.
    const again = await read(bus, front?.mark ?? null)
    await until(() => again.got.length === 2)
    assert.equal(
      again.gaps.map(({ from, to }) => [from, to]),
      [[16, 30]],
    )
    await again.consumption.stop()
  }),
)

test(
  'a stream that lost what it had confirmed is told by the confirmation, with how far it went',
  withNats(async (fixture) => {
    const { bus, jsm } = await desk(fixture)
    const reader = await read(bus, null)
    await fill(bus, 1, 5)
    await until(() => reader.got.length === 5)
    await reader.consumption.stop()
    // The reader is away; five more are confirmed, and the stream is made anew, as after a loss.
    await fill(bus, 6, 10)
    await jsm.streams.delete('MARKET')
    await provision(await fixture.connect(), BOOK)
    const next = await read(bus, markOf(reader.got[4] as InboundMessage))
    await until(() => next.gaps.length === 1)
    const [gap] = next.gaps
    assert.equal([gap?.from, gap?.to, gap?.reason], [6, 10, 'stream_recreated'])
    assert.ok((gap?.after ?? 0) <= (gap?.before ?? 0))
    assert.is(gap?.mark?.sequence, 0)
    await fill(bus, 11, 13)
    await until(() => next.got.length === 3)
    assert.equal(
      next.got.map(({ sequence, epoch }) => [sequence, epoch]),
      [
        [1, 1],
        [2, 1],
        [3, 1],
      ],
    )
    await next.consumption.stop()
    // From a mark without a sequence it is read by time: what is there comes, and no gap is told again.
    const last = await read(bus, gap?.mark ?? null)
    await until(() => last.got.length === 3)
    await sleep(200)
    assert.equal(last.gaps, [])
    await last.consumption.stop()
  }),
)

test(
  'a consumer altered under it is replaced before anything comes twice or is held back',
  withNats(async (fixture) => {
    const { bus, jsm } = await desk(fixture)
    const reader = await read(bus, null)
    await fill(bus, 1, 300)
    await until(() => reader.got.length === 300)
    const [one] = await consumers(jsm)
    // Everything falls due at once, again and again.
    await jsm.consumers.update('MARKET', one!.name, { ack_wait: 1_000_000 })
    await until(async () => (await consumers(jsm)).every(({ name }) => name !== one!.name), 20_000)
    const [two] = await consumers(jsm)
    await jsm.consumers.update('MARKET', two!.name, { max_ack_pending: 1 })
    await until(async () => (await consumers(jsm)).every(({ name }) => name !== two!.name), 20_000)
    await fill(bus, 301, 320)
    await until(() => reader.got.length === 320)
    assert.equal(reader.values(), numbers(1, 320))
    reader.consumption.ack(reader.got[319] as InboundMessage)
    await until(async () => (await reader.consumption.pending().catch(() => -1)) === 0)
    assert.equal(reader.gaps, [])
    await reader.consumption.stop()
  }),
)

test.run()
