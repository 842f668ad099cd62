import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { InboundMessage } from '../../../engine/ports/bus.ts'
import { deadLetter } from './dead-letter.ts'
import { NatsBus } from './nats-bus.ts'
import { type NatsFixture, until, withNats } from './nats-fixture.ts'
import { provision } from './streams.ts'

const BOOK = { bookId: 'b1', account: 'main' }

async function busOn(fixture: NatsFixture): Promise<NatsBus> {
  const nc = await fixture.connect()
  await provision(nc, BOOK)
  return new NatsBus(nc)
}

test(
  'a message that cannot be used is kept with its reason, its payload unchanged, once',
  withNats(async (fixture) => {
    const bus = await busOn(fixture)
    const payload = Uint8Array.from([0, 255, 10, 13, 123])
    await bus.publish('control.halt', payload)
    const got: InboundMessage[] = []
    const inbox = await bus.consume('INBOX', 'engine', (message) => got.push(message))
    await until(() => got.length === 1)
    const bad = got[0] as InboundMessage
    const kept = await deadLetter(bus, bad, 'invalid_json', 'line 1:\r\nunexpected byte')
    assert.equal(kept, { stream: 'DEAD', sequence: 1, duplicate: false })
    assert.is((await deadLetter(bus, bad, 'invalid_json', 'again')).duplicate, true)
    const dead: InboundMessage[] = []
    const reader = await bus.consume('DEAD', 'reader', (message) => dead.push(message))
    await until(() => dead.length === 1)
    assert.is(dead[0]?.subject, 'dead.inbox.control.halt')
    assert.equal(Buffer.from(dead[0]?.payload as Uint8Array), Buffer.from(payload))
    assert.is(dead[0]?.headers['reason-code'], 'invalid_json')
    assert.is(dead[0]?.headers.reason, 'line 1: unexpected byte')
    assert.is(dead[0]?.headers['original-sequence'], '1')
    await Promise.all([inbox.stop(), reader.stop()])
  }),
)

test(
  'the longest subject and the largest payload that a server takes arrive among the dead letters',
  withNats(async (fixture) => {
    const bus = await busOn(fixture)
    const subjects = [256, 257, 2000].map((length) => 'signals.manual.'.padEnd(length, 'x'))
    for (const subject of subjects) await bus.publish(subject, 'x')
    const limit = 768 * 1024
    const largest = new Uint8Array(1024 * 1024 - 256).map((_, at) => at % 251)
    await bus.publish('control.halt', largest.subarray(0, limit))
    await bus.publish('control.halt', largest.subarray(0, limit + 1))
    await bus.publish('control.halt', largest)
    const got: InboundMessage[] = []
    const inbox = await bus.consume('INBOX', 'engine', (message) => got.push(message))
    await until(() => got.length === 6)
    for (const message of got) await deadLetter(bus, message, 'unreadable', 'r'.repeat(5000))
    const dead: InboundMessage[] = []
    const reader = await bus.consume('DEAD', 'reader', (message) => dead.push(message))
    await until(() => dead.length === 6)
    assert.equal(
      dead.map(({ subject, headers }) => [subject, headers['original-subject']]),
      [
        [`dead.inbox.${subjects[0]}`, undefined],
        ['dead.inbox.odd-subject', subjects[1]],
        ['dead.inbox.odd-subject', subjects[2]?.slice(0, 1024)],
        ...Array.from({ length: 3 }, () => ['dead.inbox.control.halt', undefined]),
      ],
    )
    assert.equal(
      dead.slice(3).map(({ payload, headers }) => [payload.length, headers['original-bytes']]),
      [
        [limit, undefined],
        [limit, String(limit + 1)],
        [limit, String(largest.length)],
      ],
    )
    for (const { payload } of dead.slice(3)) {
      assert.ok(Buffer.from(payload).equals(largest.subarray(0, limit)))
    }
    await Promise.all([inbox.stop(), reader.stop()])
  }),
)

test.run()
