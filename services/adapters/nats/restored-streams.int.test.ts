import { AckPolicy, headers } from 'nats'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { rejection, withNats } from './nats-fixture.ts'
import { resetStreams } from './restored-streams.ts'
import { provision, STREAMS } from './streams.ts'

const BOOK = { bookId: 'b1', account: 'main' }
const DAY_MS = 86_400_000

const SUBJECTS = {
  MARKET: 'md.bar.1d.A',
  INBOX: 'signals.manual.ana',
  REPORTS: 'reports.main',
  TAPE: 'tape.market.bar.A',
  VERDICTS: 'signals.verdict.ana',
  DEAD: 'dead.inbox.x',
} as const

test(
  'what is derived goes, ids included; what people asked for and what was refused stays, to come again',
  withNats(async (fixture) => {
    const nc = await fixture.connect()
    await provision(nc, BOOK)
    const js = nc.jetstream()
    const jsm = await nc.jetstreamManager()
    for (const name of STREAMS) {
      for (let n = 1; n <= 3; n++) await js.publish(SUBJECTS[name], `${n}`, { msgID: `m${n}` })
    }
    const durable = { ack_policy: AckPolicy.All, durable_name: 'writer' }
    await jsm.consumers.add('INBOX', durable)
    await jsm.consumers.add('INBOX', { ...durable, durable_name: 'writer-0123abcd' })
    await jsm.consumers.add('INBOX', { ...durable, durable_name: 'somebody' })
    for (const name of ['writer', 'writer-0123abcd', 'somebody']) {
      const message = await js.consumers.get('INBOX', name).then((consumer) => consumer.next())
      await message!.ackAck()
    }
    await resetStreams(nc, 'b1', Date.now())
    await provision(nc, BOOK)
    const left: Record<string, number> = {}
    for (const name of STREAMS) left[name] = (await jsm.streams.info(name)).state.messages
    assert.equal(left, { MARKET: 0, INBOX: 3, REPORTS: 0, TAPE: 0, VERDICTS: 0, DEAD: 3 })
    const consumers = await jsm.consumers.list('INBOX').next()
    assert.equal(
      consumers.map(({ name }) => name),
      ['somebody'],
    )
    // The same ids are new again.
    for (const name of ['MARKET', 'REPORTS', 'TAPE', 'VERDICTS'] as const) {
      const ack = await js.publish(SUBJECTS[name], 'again', { msgID: 'm1' })
      assert.not.ok(ack.duplicate, name)
      assert.is(ack.seq, 1)
    }
    // Once more, and where there is nothing: the same.
    await resetStreams(nc, 'b1', Date.now())
    for (const name of STREAMS) await jsm.streams.delete(name).catch(() => {})
    await resetStreams(nc, 'b1', Date.now())
  }),
)

test(
  'requests older than the engine remembers them are not delivered again',
  withNats(async (fixture) => {
    const nc = await fixture.connect()
    await provision(nc, BOOK)
    const jsm = await nc.jetstreamManager()
    for (let n = 1; n <= 4; n++) {
      await nc.jetstream().publish(SUBJECTS.INBOX, `${n}`)
      // The age counts in milliseconds: no two are to share one.
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
    const third = (await jsm.streams.getMessage('INBOX', { seq: 3 })).time.getTime()
    await resetStreams(nc, 'b1', third + 6 * DAY_MS)
    const { state } = await jsm.streams.info('INBOX')
    assert.ok(state.first_seq >= 2 && state.first_seq <= 3, `first ${state.first_seq}`)
    assert.is(state.last_seq, 4)
    await resetStreams(nc, 'b1', Date.now() + 7 * DAY_MS)
    assert.is((await jsm.streams.info('INBOX')).state.messages, 0)
    const next = await nc.jetstream().publish(SUBJECTS.INBOX, 'next')
    assert.is(next.seq, 5)
  }),
)

test(
  'streams of another book are refused before anything is touched',
  withNats(async (fixture) => {
    const nc = await fixture.connect()
    await provision(nc, BOOK)
    const made = headers()
    made.set('bitacora-position', '0')
    for (const name of STREAMS) await nc.jetstream().publish(SUBJECTS[name], 'x', { headers: made })
    const error = await rejection(resetStreams(nc, 'bother', Date.now()))
    assert.is(error.code, 'foreign_stream')
    const jsm = await nc.jetstreamManager()
    for (const name of STREAMS) assert.is((await jsm.streams.info(name)).state.messages, 1, name)
  }),
)

test.run()
