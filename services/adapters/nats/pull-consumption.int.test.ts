import { setTimeout as sleep } from 'node:timers/promises'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Consumption, InboundMessage } from '../../../engine/ports/bus.ts'
import type { NatsConnection } from './connection.ts'
import { NatsBus } from './nats-bus.ts'
import { type NatsFixture, rejection, until, withNats } from './nats-fixture.ts'
import { provision } from './streams.ts'

const BOOK = { bookId: 'b1', account: 'main' }

async function busOn(fixture: NatsFixture): Promise<NatsBus> {
  const nc = await fixture.connect()
  await provision(nc, BOOK)
  return new NatsBus(nc)
}

async function fill(bus: NatsBus, from: number, to: number): Promise<void> {
  for (let at = from; at <= to; at += 200) {
    const batch: Promise<unknown>[] = []
    for (let n = at; n < at + 200 && n <= to; n++) batch.push(bus.publish('md.bar.1m.A', String(n)))
    await Promise.all(batch)
  }
}

/** Names of the consumers of MARKET. */
async function consumersOf(nc: NatsConnection): Promise<string[]> {
  const names: string[] = []
  const jsm = await nc.jetstreamManager()
  for await (const info of jsm.consumers.list('MARKET')) names.push(info.name)
  return names
}

const text = (message: InboundMessage) => Buffer.from(message.payload).toString()
const numbers = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, index) => from + index)

test(
  'after a crash before the acknowledgement everything comes again, flagged, in order, before what is new',
  withNats(async (fixture) => {
    const bus = await busOn(fixture)
    await fill(bus, 1, 1500)
    const before: number[] = []
    const first = await bus.consume('MARKET', 'engine', (message) => {
      before.push(message.sequence)
      if (message.sequence === 400) first.ack(message)
    })
    await until(() => before.length === 1500)
    await first.stop()
    await fill(bus, 1501, 3000)
    const after: InboundMessage[] = []
    const second = await bus.consume('MARKET', 'engine', (message) => after.push(message))
    assert.is(await second.pending(), 2600)
    await until(() => after.length >= 2000)
    second.ack(after[1999] as InboundMessage)
    await until(() => after.length === 2600)
    assert.equal(
      after.map((message) => message.sequence),
      numbers(401, 3000),
    )
    assert.ok(after.slice(0, 1100).every((message) => message.redelivered))
    assert.ok(after.slice(1100).every((message) => !message.redelivered))
    second.ack(after[2599] as InboundMessage)
    await until(async () => (await second.pending()) === 0)
    await second.stop()
  }),
)

test(
  'a consumer that does not acknowledge is sent no more than its window',
  withNats(async (fixture) => {
    const bus = await busOn(fixture)
    await fill(bus, 1, 1000)
    const got: InboundMessage[] = []
    const options = { window: 100 }
    const slow = await bus.consume('MARKET', 'slow', (message) => got.push(message), options)
    await until(() => got.length === 100)
    await sleep(300)
    assert.is(got.length, 100)
    slow.ack(got[9] as InboundMessage)
    await sleep(300)
    assert.is(got.length, 100)
    slow.ack(got[49] as InboundMessage)
    await until(() => got.length === 150)
    await sleep(200)
    assert.is(got.length, 150)
    assert.throws(() => slow.ack({ ...(got[0] as InboundMessage), sequence: 999 }), /not delivered/)
    assert.throws(() => slow.ack({ ...(got[0] as InboundMessage), stream: 'INBOX' }), /not deliv/)
    await slow.stop()
    const one: InboundMessage[] = []
    const single = await bus.consume(
      'MARKET',
      'single',
      (message) => {
        one.push(message)
        setImmediate(() => single.ack(message))
      },
      { window: 1 },
    )
    await until(() => one.length === 1000)
    await single.stop()
  }),
)

test(
  'SIGKILLs of the server while publishing and consuming lose and reorder nothing',
  withNats(async (fixture) => {
    const bus = await busOn(fixture)
    const got: InboundMessage[] = []
    let acked = 0
    const gaps: unknown[] = []
    const from = { after: null, onGap: (gap: unknown) => gaps.push(gap) }
    const consumption = await bus.consume(
      'MARKET',
      'engine',
      (message) => {
        got.push(message)
        if (got.length % 50 === 0) {
          consumption.ack(message)
          acked++
        }
      },
      from,
    )
    const confirmed: number[] = []
    let stop = false
    const publishing = (async () => {
      for (let n = 1; !stop; n++) {
        const sent = await bus.publish('md.bar.1m.A', String(n)).catch(() => undefined)
        if (sent) confirmed.push(n)
      }
    })()
    for (let round = 0; round < 3; round++) {
      const mark = got.length
      await until(() => got.length > mark + 500)
      await fixture.crash(round * 200)
    }
    const mark = got.length
    await until(() => got.length > mark + 500)
    stop = true
    await publishing
    const last = confirmed[confirmed.length - 1] as number
    await until(() => Number(text(got[got.length - 1] as InboundMessage)) >= last)
    const sequences = got.map((message) => message.sequence)
    assert.equal(sequences, numbers(1, sequences.length))
    const seen = new Set(got.map(text))
    assert.equal(
      confirmed.filter((n) => !seen.has(String(n))),
      [],
    )
    const values = got.map((message) => Number(text(message)))
    assert.ok(values.every((value, index) => index === 0 || value > (values[index - 1] as number)))
    assert.ok(acked > 30)
    assert.equal(gaps, [], 'a killed process loses nothing that it confirmed')
    consumption.ack(got[got.length - 1] as InboundMessage)
    await until(async () => (await consumption.pending()) === 0)
    await consumption.stop()
  }),
)

test(
  'acknowledgements made while the server is away are not lost',
  withNats(async (fixture) => {
    const bus = await busOn(fixture)
    await fill(bus, 1, 300)
    const got: InboundMessage[] = []
    const consumption = await bus.consume('MARKET', 'engine', (message) => got.push(message))
    await until(() => got.length === 300)
    const crash = fixture.crash(500)
    await sleep(250)
    consumption.ack(got[199] as InboundMessage)
    await crash
    await until(async () => (await consumption.pending().catch(() => -1)) === 100)
    await fill(bus, 301, 310)
    await until(() => got.length === 310)
    assert.equal(
      got.map((message) => message.sequence),
      numbers(1, 310),
    )
    await consumption.stop()
  }),
)

test(
  'a hole in the delivery numbers is repaired in order',
  withNats(async (fixture) => {
    const bus = await busOn(fixture)
    await fill(bus, 1, 100)
    const got: InboundMessage[] = []
    const consumption = await bus.consume('MARKET', 'engine', (message) => got.push(message))
    await until(() => got.length === 100)
    // Somebody else pulls from our durable: these five never reach us.
    const thief = await fixture.connect('thief')
    const stolen = thief.subscribe('stolen', { callback: () => {} })
    // Whose request the server serves first is its own affair: it is tried until something was stolen.
    let count = 100
    for (let round = 0; round < 10 && stolen.getReceived() === 0; round++) {
      const [name] = await consumersOf(thief)
      for (let n = 0; n < 5; n++) {
        thief.publish(
          `$JS.API.CONSUMER.MSG.NEXT.MARKET.${name}`,
          '{"batch":1,"expires":5000000000}',
          { reply: 'stolen' },
        )
      }
      await thief.flush()
      await fill(bus, count + 1, count + 40)
      count += 40
      // Also at the very end of the stream, where no message follows.
      await until(() => got.length === count)
    }
    assert.ok(stolen.getReceived() > 0, 'nothing was stolen, so nothing was proven')
    assert.equal(
      got.map((message) => message.sequence),
      numbers(1, count),
    )
    await consumption.stop()
  }),
)

test(
  'a deleted consumer is made again behind what was acknowledged, and each message comes once',
  withNats(async (fixture) => {
    const bus = await busOn(fixture)
    const admin = await fixture.connect()
    const jsm = await admin.jetstreamManager()
    await fill(bus, 1, 50)
    const got: InboundMessage[] = []
    const consumption = await bus.consume('MARKET', 'engine', (message) => got.push(message))
    await until(() => got.length === 50)
    consumption.ack(got[19] as InboundMessage)
    await consumption.pending()
    // 2.9 now and then answers with a file system error of its own and deletes all the same.
    const [name] = await consumersOf(admin)
    await jsm.consumers.delete('MARKET', name as string).catch(() => {})
    await fill(bus, 51, 60)
    await until(() => got.length === 60)
    assert.equal(
      got.map((message) => message.sequence),
      numbers(1, 60),
    )
    await consumption.stop()
    const rest: number[] = []
    const next = await bus.consume('MARKET', 'engine', (message) => rest.push(message.sequence))
    await until(() => rest.length === 40)
    assert.equal(rest, numbers(21, 60))
    await next.stop()
  }),
)

test(
  'a stream that was never there, a callback that throws and a closed connection each end the consumption',
  withNats(async (fixture) => {
    const bus = await busOn(fixture)
    const nc = await fixture.connect()
    const jsm = await nc.jetstreamManager()
    await jsm.streams.delete('DEAD')
    assert.is((await rejection(bus.consume('DEAD', 'reader', () => {}))).code, 'stream_gone')
    await fill(bus, 1, 3)
    let calls = 0
    const thrower = await bus.consume('MARKET', 'thrower', () => {
      calls++
      throw new Error('bug')
    })
    assert.match((await rejection(thrower.done)).message, 'bug')
    await sleep(100)
    assert.is(calls, 1)
    const other = await fixture.connect()
    const orphan = await new NatsBus(other).consume('MARKET', 'orphan', () => {})
    await other.close()
    assert.match((await rejection(orphan.done)).message, 'closed')
  }),
)

test(
  'a stream deleted under a consumption is waited for; made again, it is read from its beginning in a new epoch',
  withNats(async (fixture) => {
    const nc = await fixture.connect()
    await provision(nc, BOOK)
    const bus = new NatsBus(nc)
    const jsm = await nc.jetstreamManager()
    await fill(bus, 1, 20)
    const got: InboundMessage[] = []
    const consumption = await bus.consume('MARKET', 'engine', (message) => got.push(message))
    await until(() => got.length === 20)
    consumption.ack(got[9] as InboundMessage)
    await jsm.streams.delete('MARKET')
    await until(() => consumption.trouble?.()?.includes('MARKET cannot be read') === true)
    await provision(nc, BOOK)
    await fill(bus, 1, 5)
    await until(() => got.length === 25)
    assert.is(consumption.trouble?.(), null)
    assert.equal(
      got.slice(20).map(({ sequence, epoch }) => [sequence, epoch]),
      numbers(1, 5).map((sequence) => [sequence, 1]),
    )
    // What is acknowledged of the old stream says nothing of the new one.
    consumption.ack(got[19] as InboundMessage)
    assert.is(await consumption.pending(), 5)
    consumption.ack(got[21] as InboundMessage)
    assert.is(await consumption.pending(), 3)
    await consumption.stop()
  }),
)

test(
  'a consumer that stands behind the end of its stream hears everything again',
  withNats(async (fixture) => {
    const bus = await busOn(fixture)
    const jsm = await (await fixture.connect()).jetstreamManager()
    await fill(bus, 1, 5)
    const ahead = {
      durable_name: 'engine',
      ack_policy: 'all' as never,
      deliver_policy: 'by_start_sequence' as never,
      opt_start_seq: 21,
    }
    await jsm.consumers.add('MARKET', ahead)
    const got: InboundMessage[] = []
    const consumption = await bus.consume('MARKET', 'engine', (message) => got.push(message))
    await fill(bus, 6, 7)
    await until(() => got.length === 7)
    assert.equal(
      got.map((message) => [message.sequence, message.redelivered]),
      numbers(1, 7).map((sequence) => [sequence, sequence <= 5]),
    )
    await consumption.stop()
  }),
)

test(
  'a server that stops answering is left and taken up again without loss',
  withNats(async (fixture) => {
    const bus = await busOn(fixture)
    const got: InboundMessage[] = []
    const consumption = await bus.consume('MARKET', 'engine', (message) => {
      got.push(message)
      consumption.ack(message)
    })
    await fill(bus, 1, 100)
    await until(() => got.length === 100)
    process.kill(fixture.server.pid as number, 'SIGSTOP')
    await sleep(6500)
    process.kill(fixture.server.pid as number, 'SIGCONT')
    await until(async () => (await consumption.pending().catch(() => -1)) === 0)
    await fill(bus, 101, 200)
    await until(() => got.length === 200)
    assert.equal(
      got.map((message) => message.sequence),
      numbers(1, 200),
    )
    await consumption.stop()
  }),
)

test(
  'consumes at full speed',
  withNats(async (fixture) => {
    const bus = await busOn(fixture)
    const nc = await fixture.connect()
    const total = 200_000
    const payload = 'x'.repeat(200)
    for (let n = 0; n < total; n++) {
      nc.publish('md.bar.1m.A', payload)
      if (n % 2000 === 0) await nc.flush()
    }
    await nc.flush()
    let count = 0
    let last = 0
    let ordered = true
    const started = performance.now()
    const consumption: Consumption = await bus.consume('MARKET', 'engine', (message) => {
      ordered &&= message.sequence === last + 1
      last = message.sequence
      if (++count % 100 === 0) consumption.ack(message)
    })
    await until(() => count === total, 60_000)
    const rate = Math.round(total / ((performance.now() - started) / 1000))
    console.log(`  consumed ${rate} msg/s`)
    assert.ok(ordered)
    await consumption.stop()
  }),
)

test.run()
