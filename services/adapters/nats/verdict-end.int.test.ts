import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { NatsBus } from './nats-bus.ts'
import { type NatsFixture, rejection, withNats } from './nats-fixture.ts'
import { provision } from './streams.ts'
import { readVerdictEnd } from './verdict-end.ts'

const BOOK = 'b1'

async function prepared(fixture: NatsFixture) {
  const nc = await fixture.connect()
  await provision(nc, { bookId: BOOK, account: 'main' })
  const bus = new NatsBus(nc)
  const tell = (position: number | string, id = `${BOOK}-v${position}`) =>
    bus.publish('signals.verdict.ana', '{}', {
      id,
      headers: { 'bitacora-position': String(position) },
    })
  return { nc, bus, tell, end: () => readVerdictEnd(nc, BOOK) }
}

test(
  'the newest verdict tells how far everybody was told',
  withNats(async (fixture) => {
    const { tell, end } = await prepared(fixture)
    assert.is(await end(), -1)
    await tell(4)
    assert.is(await end(), 4)
    await tell(0)
    assert.is(await end(), 0)
    await tell(123_456_789)
    assert.is(await end(), 123_456_789)
  }),
)

test(
  'a newest message that is no verdict of this book tells nothing',
  withNats(async (fixture) => {
    const { bus, tell, end } = await prepared(fixture)
    await tell(4)
    await bus.publish('signals.verdict.ana', 'by hand')
    assert.is(await end(), -1)
    await tell(5)
    assert.is(await end(), 5)
    await tell(9, 'b2-v9')
    assert.is(await end(), -1)
    await tell('x', `${BOOK}-vNaN`)
    assert.is(await end(), -1)
    await tell('1.5', `${BOOK}-v1.5`)
    assert.is(await end(), -1)
  }),
)

test(
  'a newest verdict that was deleted by hand tells nothing, one that was purged likewise',
  withNats(async (fixture) => {
    const { nc, tell, end } = await prepared(fixture)
    await tell(4)
    const { sequence } = await tell(7)
    const jsm = await nc.jetstreamManager()
    await jsm.streams.deleteMessage('VERDICTS', sequence)
    const found = await end()
    assert.ok(found === -1 || found === 4, `found ${found}`)
    await jsm.streams.purge('VERDICTS')
    assert.is(await end(), -1)
  }),
)

test(
  'without the stream it fails',
  withNats(async (fixture) => {
    const nc = await fixture.connect()
    assert.match((await rejection(readVerdictEnd(nc, BOOK))).message, 'stream not found')
  }),
)

test.run()
