import { setTimeout as sleep } from 'node:timers/promises'
import { headers as makeHeaders, type NatsConnection } from 'nats'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { ForeignStream } from './streams.ts'
import { NatsBus } from './nats-bus.ts'
import { type NatsFixture, rejection, until, withNats } from './nats-fixture.ts'
import { provision } from './streams.ts'
import { readTapeEnd, TapeStream } from './tape-stream.ts'

const BOOK = { bookId: 'b1', account: 'main' }

async function provisioned(fixture: NatsFixture): Promise<NatsConnection> {
  const nc = await fixture.connect()
  await provision(nc, BOOK)
  return nc
}

/** Positions on the stream, in stream order. */
async function positions(nc: NatsConnection, durable: string): Promise<number[]> {
  const jsm = await nc.jetstreamManager()
  const { state } = await jsm.streams.info('TAPE')
  const found: number[] = []
  const reader = await new NatsBus(nc).consume('TAPE', durable, (message) => {
    assert.is(message.headers['nats-msg-id'], `b1-${message.headers['bitacora-position']}`)
    found.push(Number(message.headers['bitacora-position']))
    reader.ack(message)
  })
  await until(() => found.length === state.messages, 30_000)
  await reader.stop()
  return found
}

async function sendRange(tape: TapeStream, from: number, to: number): Promise<void> {
  for (let position = from; position <= to; position++) {
    const full = tape.send('tape.order.accepted', `{"position":${position}}`, position)
    if (full) await full
  }
}

const numbers = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, index) => from + index)

test(
  'every position arrives once and in order, and a new tape goes on behind it',
  withNats(async (fixture) => {
    const nc = await provisioned(fixture)
    const tape = await TapeStream.open(nc, { bookId: 'b1' })
    assert.is(tape.acknowledged(), -1)
    await tape.flush()
    await sendRange(tape, 0, 2499)
    await tape.flush()
    assert.is(tape.acknowledged(), 2499)
    tape.close()
    await tape.done
    const next = await TapeStream.open(nc, { bookId: 'b1' })
    assert.is(next.acknowledged(), 2499)
    assert.is(next.send('tape.x', 'passed over', 2000), undefined)
    await sendRange(next, 2490, 2600)
    await next.flush()
    assert.throws(() => void next.send('tape.x', 'gap', 2602), /2601 is next/)
    next.close()
    assert.throws(() => void next.send('tape.x', 'late', 2601), /closed/)
    assert.equal(await positions(nc, 'r'), numbers(0, 2600))
  }),
)

test(
  'the window bounds what is in flight',
  withNats(async (fixture) => {
    const nc = await provisioned(fixture)
    const tape = await TapeStream.open(nc, { bookId: 'b1', maxInFlight: 10 })
    for (let position = 0; position < 9; position++)
      assert.is(tape.send('tape.x', '', position), undefined)
    const full = tape.send('tape.x', '', 9)
    assert.instance(full, Promise)
    await full
    assert.ok(tape.acknowledged() >= 0)
    tape.close()
  }),
)

test(
  'messages lost on the way are sent again before any later one is stored',
  withNats(async (fixture) => {
    const nc = await provisioned(fixture)
    let seen = 0
    let lost = 0
    const lossy = new Proxy(nc, {
      get: (target, key) => {
        const value = Reflect.get(target, key)
        if (key !== 'publish') return typeof value === 'function' ? value.bind(target) : value
        return (subject: string, ...rest: []) => {
          if (subject.startsWith('tape.') && ++seen % 997 === 0) {
            lost++
            return
          }
          target.publish(subject, ...rest)
        }
      },
    })
    const tape = await TapeStream.open(lossy, { bookId: 'b1', ackTimeoutMs: 300 })
    await sendRange(tape, 0, 5000)
    await tape.flush()
    assert.ok(lost >= 5)
    assert.equal(await positions(nc, 'r'), numbers(0, 5000))
    tape.close()
  }),
)

test(
  'a lost confirmation is found out by reading the stream',
  withNats(async (fixture) => {
    const nc = await provisioned(fixture)
    const tape = await TapeStream.open(nc, { bookId: 'b1', ackTimeoutMs: 200 })
    const pid = fixture.server.pid as number
    // The very last message, with nothing behind it that would confirm it: dropped without a trace.
    const publish = nc.publish.bind(nc)
    nc.publish = () => {}
    void tape.send('tape.x', 'only', 0)
    nc.publish = publish
    await tape.flush()
    assert.is(tape.acknowledged(), 0)
    process.kill(pid, 'SIGSTOP')
    void tape.send('tape.x', 'later', 1)
    await sleep(1500)
    process.kill(pid, 'SIGCONT')
    await tape.flush()
    assert.equal(await positions(nc, 'r'), [0, 1])
    tape.close()
  }),
)

test(
  'SIGKILLs of the server in the middle lose nothing confirmed and keep the order',
  withNats(async (fixture) => {
    const nc = await provisioned(fixture)
    const tape = await TapeStream.open(nc, { bookId: 'b1', ackTimeoutMs: 1000 })
    let position = -1
    let stop = false
    const sending = (async () => {
      while (!stop) {
        position++
        const full = tape.send('tape.order.accepted', 'x'.repeat(200), position)
        if (full) await full
        if (position % 100 === 0) await sleep(1)
      }
    })()
    for (let round = 0; round < 4; round++) {
      const mark = tape.acknowledged()
      await until(() => tape.acknowledged() > mark + 2000)
      await fixture.crash(round * 150)
      const confirmed = tape.acknowledged()
      const probe = await fixture.connect('probe')
      assert.ok((await readTapeEnd(probe, 'TAPE', 'b1')).position >= confirmed)
    }
    stop = true
    await sending
    await tape.flush()
    assert.equal(await positions(nc, 'r'), numbers(0, position))
    tape.close()
  }),
)

test(
  'two publishers of the same book end with one copy in order',
  withNats(async (fixture) => {
    const nc = await provisioned(fixture)
    const other = await fixture.connect()
    const one = await TapeStream.open(nc, { bookId: 'b1', maxInFlight: 50 })
    const two = await TapeStream.open(other, { bookId: 'b1', maxInFlight: 70 })
    await Promise.all([sendRange(one, 0, 1500), sendRange(two, 0, 1500)])
    await Promise.all([one.flush(), two.flush()])
    assert.equal(await positions(nc, 'r'), numbers(0, 1500))
    one.close()
    two.close()
  }),
)

test(
  'a tape that lost confirmed messages, is another book’s, or has no positions is refused',
  withNats(async (fixture) => {
    const nc = await provisioned(fixture)
    const jsm = await nc.jetstreamManager()
    const tape = await TapeStream.open(nc, { bookId: 'b1' })
    await sendRange(tape, 0, 9)
    await tape.flush()
    const foreign = (await rejection(TapeStream.open(nc, { bookId: 'b2' }))) as ForeignStream
    assert.is(foreign.code, 'foreign_stream')
    assert.equal([foreign.found, foreign.expected], ['b1', 'b2'])
    const bare = makeHeaders()
    await jsm.streams.purge('TAPE')
    await nc.jetstream().publish('tape.x', 'forged', { headers: bare })
    const damaged = await rejection(TapeStream.open(nc, { bookId: 'b1' }))
    assert.is(damaged.code, 'tape_damaged')
    await jsm.streams.purge('TAPE')
    void tape.send('tape.x', 'after the purge', 10)
    const regressed = await rejection(tape.flush())
    assert.is(regressed.code, 'tape_regressed')
    assert.is((await rejection(tape.done)).code, 'tape_regressed')
    assert.is((await rejection(tape.flush())).code, 'tape_regressed')
    const again = await TapeStream.open(nc, { bookId: 'b1' })
    assert.is(again.acknowledged(), -1)
    await sendRange(again, 0, 3)
    await again.flush()
    const { state } = await jsm.streams.info('TAPE')
    await jsm.streams.deleteMessage('TAPE', state.last_seq)
    const holed = await TapeStream.open(nc, { bookId: 'b1' }).then(
      (opened) => opened.acknowledged(),
      (error: { code: string }) => error.code,
    )
    assert.ok(holed === 'tape_damaged' || holed === 2)
  }),
)

test(
  'closing with messages unconfirmed, and a closed connection, are not taken for success',
  withNats(async (fixture) => {
    const nc = await provisioned(fixture)
    const tape = await TapeStream.open(nc, { bookId: 'b1' })
    void tape.send('tape.x', '', 0)
    const flushed = rejection(tape.flush())
    tape.close()
    assert.match((await flushed).message, 'before everything was confirmed')
    const other = await fixture.connect()
    const orphan = await TapeStream.open(other, { bookId: 'b1' })
    await other.close()
    assert.match((await rejection(orphan.done)).message, 'closed')
  }),
)

test(
  'publishes at full speed',
  withNats(async (fixture) => {
    const nc = await provisioned(fixture)
    const tape = await TapeStream.open(nc, { bookId: 'b1' })
    const payload = 'x'.repeat(200)
    const total = 200_000
    const started = performance.now()
    for (let position = 0; position < total; position++) {
      const full = tape.send('tape.order.accepted', payload, position)
      if (full) await full
    }
    await tape.flush()
    const rate = Math.round(total / ((performance.now() - started) / 1000))
    console.log(`  published ${rate} msg/s`)
    assert.is((await readTapeEnd(nc, 'TAPE', 'b1')).position, total - 1)
    tape.close()
  }),
)

test.run()
