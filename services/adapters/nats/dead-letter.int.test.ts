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

test.run()
