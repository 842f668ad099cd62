import { setTimeout as sleep } from 'node:timers/promises'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { InboundMessage } from '../../../engine/ports/bus.ts'
import { NatsBus } from './nats-bus.ts'
import { type NatsFixture, rejection, until, withNats } from './nats-fixture.ts'
import { provision } from './streams.ts'

const BOOK = { bookId: 'b1', account: 'main' }

async function busOn(fixture: NatsFixture): Promise<NatsBus> {
  const nc = await fixture.connect()
  await provision(nc, BOOK)
  return new NatsBus(nc)
}

const text = (message: InboundMessage) => Buffer.from(message.payload).toString()

test(
  'publishing resolves to where the message is stored, with headers and id',
  withNats(async (fixture) => {
    const bus = await busOn(fixture)
    const first = await bus.publish('reports.main', 'x', {
      id: 'e1',
      headers: { 'X-Kind': 'fill' },
    })
    assert.equal(first, { stream: 'REPORTS', sequence: 1, duplicate: false })
    const again = await bus.publish('reports.main', 'x', { id: 'e1' })
    assert.equal(again, { stream: 'REPORTS', sequence: 1, duplicate: true })
    const got: InboundMessage[] = []
    const before = Date.now()
    const consumption = await bus.consume('REPORTS', 'engine', (message) => got.push(message))
    await until(() => got.length === 1)
    assert.equal(got[0]?.subject, 'reports.main')
    assert.equal(got[0]?.headers, { 'nats-msg-id': 'e1', 'x-kind': 'fill' })
    assert.equal(text(got[0] as InboundMessage), 'x')
    assert.ok(Math.abs((got[0]?.storedAt ?? 0) - before) < 5000)
    assert.is(got[0]?.redelivered, false)
    await consumption.stop()
    await consumption.done
  }),
)

test(
  'publishing without a stream, without a server, or too much, is refused with a code',
  withNats(async (fixture) => {
    const nc = await fixture.connect()
    await provision(nc, { ...BOOK, maxBytes: { INBOX: 4096 } })
    const bus = new NatsBus(nc, { publishTimeoutMs: 300 })
    assert.is((await rejection(bus.publish('nowhere', 'x'))).code, 'no_stream')
    await bus.publish('signals.manual.op', 'x'.repeat(3000))
    const full = await rejection(bus.publish('signals.manual.op', 'x'.repeat(3000)))
    assert.is(full.code, 'publish_refused')
    assert.match(full.message, 'full')
    const large = await rejection(bus.publish('signals.manual.op', 'x'.repeat(1100000)))
    assert.is(large.code, 'publish_refused')
    process.kill(fixture.server.pid as number, 'SIGSTOP')
    await sleep(100)
    const late = await rejection(bus.publish('signals.manual.op', 'x'))
    process.kill(fixture.server.pid as number, 'SIGCONT')
    assert.is(late.code, 'publish_timeout')
  }),
)

test(
  'a subject that would be another command, or many subjects, is refused before it is sent',
  withNats(async (fixture) => {
    const bus = await busOn(fixture)
    const wrong = [
      'signals.verdict.ana 1\r\nx\r\nPUB control.halt 2\r\n{}',
      'control.halt\r\n',
      'control.halt x',
      'control.halt\t',
      'control.\u0000',
      'control.\u007f',
      'control.*',
      'control.>',
      'control..halt',
      '.control',
      'control.',
      '',
    ]
    for (const subject of wrong) {
      const error = await rejection(bus.publish(subject, '{}'))
      assert.is(error.code, 'publish_refused', JSON.stringify(subject))
      assert.match(error.message, 'not a subject that can be published on')
    }
    for (const given of [{ id: 'a\r\nb: c' }, { headers: { reason: 'a\r\nNats-Msg-Id: b' } }]) {
      await rejection(bus.publish('control.halt', '{}', given))
    }
    const jsm = await (await fixture.connect()).jetstreamManager()
    assert.is((await jsm.streams.info('INBOX')).state.messages, 0)
    assert.is((await bus.publish('control.halt', '{}')).sequence, 1)
  }),
)

test(
  'filters and starting points hold, and a durable that works otherwise is refused',
  withNats(async (fixture) => {
    const bus = await busOn(fixture)
    const jsm = await (await fixture.connect()).jetstreamManager()
    for (const symbol of ['A', 'B', 'A', 'B', 'A']) await bus.publish(`md.trade.${symbol}`, symbol)
    const got: InboundMessage[] = []
    const options = { filter: 'md.trade.A', startAfter: 1 }
    const filtered = await bus.consume('MARKET', 'only-a', (message) => got.push(message), options)
    await until(() => got.length === 2)
    assert.equal(
      got.map((message) => message.sequence),
      [3, 5],
    )
    await filtered.stop()
    const other = bus.consume('MARKET', 'only-a', () => {}, { filter: 'md.trade.B' })
    assert.is((await rejection(other)).code, 'consumer_mismatch')
    const explicit = { durable_name: 'x', ack_policy: 'explicit' as never }
    await jsm.consumers.add('MARKET', explicit)
    const wrong = await rejection(bus.consume('MARKET', 'x', () => {}))
    assert.is(wrong.code, 'consumer_mismatch')
    assert.match(wrong.message, 'ack policy explicit')
  }),
)

test.run()
