import { setTimeout as sleep } from 'node:timers/promises'
import { type JetStreamManager, nanos, type StreamConfig } from 'nats'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { NatsConnection } from './connection.ts'
import { NatsBus } from './nats-bus.ts'
import { rejection, until, withNats } from './nats-fixture.ts'
import {
  differences,
  type ForeignStream,
  provision,
  STREAMS,
  type StreamMismatch,
  trimConsumed,
} from './streams.ts'

const BOOK = { bookId: 'b1', account: 'main' }

test(
  'provisioning makes the streams, may be repeated, and applies what changed',
  withNats(async (fixture) => {
    const nc = await fixture.connect()
    const jsm = await nc.jetstreamManager()
    await provision(nc, BOOK)
    await nc.jetstream().publish('reports.main', 'kept')
    await provision(nc, BOOK)
    for (const name of STREAMS) {
      const { config } = await jsm.streams.info(name)
      assert.is(config.description, 'bitacora book b1 account main')
      assert.is(config.storage, 'file')
    }
    await provision(nc, { ...BOOK, maxBytes: { REPORTS: 1_000_000 } })
    const { config, state } = await jsm.streams.info('REPORTS')
    assert.is(config.max_bytes, 1_000_000)
    assert.is(state.messages, 1)
    assert.is((await jsm.streams.info('INBOX')).config.duplicate_window, nanos(100))
    assert.is((await jsm.streams.info('INBOX')).config.discard, 'new')
    assert.is((await jsm.streams.info('INBOX')).config.max_age, 0)
  }),
)

test(
  'streams of another book, or of nobody, are refused and left as they were',
  withNats(async (fixture) => {
    const nc = await fixture.connect()
    const jsm = await nc.jetstreamManager()
    await provision(nc, BOOK)
    await jsm.streams.delete('MARKET')
    const foreign = (await rejection(provision(nc, { ...BOOK, bookId: 'b2' }))) as ForeignStream
    assert.is(foreign.code, 'foreign_stream')
    assert.equal([foreign.found, foreign.expected], ['b1', 'b2'])
    assert.match(foreign.message, 'b1')
    assert.match(foreign.message, 'b2')
    assert.match((await rejection(jsm.streams.info('MARKET'))).message, 'not found')
    await jsm.streams.add({ name: 'MARKET', subjects: ['md.>'] })
    const nobody = (await rejection(provision(nc, BOOK))) as ForeignStream
    assert.is(nobody.code, 'foreign_stream')
    assert.equal([nobody.stream, nobody.found], ['MARKET', null])
  }),
)

test(
  'a subject that another stream takes is reported with that stream',
  withNats(async (fixture) => {
    const nc = await fixture.connect()
    const jsm = await nc.jetstreamManager()
    await jsm.streams.add({ name: 'THEIRS', subjects: ['control.halt'] })
    const error = await rejection(provision(nc, BOOK))
    assert.is(error.code, 'subject_overlap')
    assert.match(error.message, 'THEIRS')
  }),
)

test(
  'what the server cannot change, or silently changes, is listed by field',
  withNats(async (fixture) => {
    const nc = await fixture.connect()
    const jsm = await nc.jetstreamManager()
    const description = 'bitacora book b1 account main'
    const memory = { name: 'MARKET', subjects: ['md.>'], storage: 'memory' as never, description }
    await jsm.streams.add(memory)
    const fixed = (await rejection(provision(nc, BOOK))) as StreamMismatch
    assert.is(fixed.code, 'stream_mismatch')
    assert.ok(fixed.fields.some((field) => field.startsWith('storage asked "file", held "memory"')))
    await jsm.streams.delete('MARKET')
    const dropping = droppingWindow(nc, jsm)
    const dropped = (await rejection(provision(dropping, BOOK))) as StreamMismatch
    assert.is(dropped.code, 'stream_mismatch')
    assert.equal(dropped.fields, ['duplicate_window asked 120000000000, held nothing'])
    // The real thing: 2.9 takes this setting without a word and does not keep it.
    if (nc.info?.version.startsWith('2.9.')) {
      const asked = { name: 'T', subjects: ['t'], allow_msg_ttl: true } as Partial<StreamConfig>
      await jsm.streams.add(asked as StreamConfig)
      const held = (await jsm.streams.info('T')).config
      assert.equal(differences(asked, held), ['allow_msg_ttl asked true, held nothing'])
    }
  }),
)

/** The connection to a server that forgets the duplicate window. */
function droppingWindow(nc: NatsConnection, jsm: JetStreamManager): NatsConnection {
  const info = async (name: string) => {
    const { duplicate_window: _, ...config } = (await jsm.streams.info(name)).config
    return { ...(await jsm.streams.info(name)), config }
  }
  const streams = new Proxy(jsm.streams, {
    get: (target, key) => {
      if (key === 'info') return info
      const value = Reflect.get(target, key)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
  return { jetstreamManager: async () => ({ streams }) } as unknown as NatsConnection
}

test(
  'a server without room for the limits is a typed error',
  withNats(async (fixture) => {
    const store = `${fixture.dir}/small`
    const small = await fixture.spawnServer(
      `jetstream { store_dir: "${store}", max_file_store: 10MB }`,
    )
    const nc = await fixture.connect('test', small.url)
    const error = await rejection(provision(nc, BOOK))
    assert.is(error.code, 'stream_storage_insufficient')
  }),
)

test(
  'two senders with the same id are two messages to the INBOX',
  withNats(async (fixture) => {
    const nc = await fixture.connect()
    await provision(nc, BOOK)
    const bus = new NatsBus(nc)
    assert.is((await bus.publish('signals.manual.ana', 'x', { id: '1' })).duplicate, false)
    await sleep(250)
    assert.is((await bus.publish('signals.manual.bob', 'x', { id: '1' })).duplicate, false)
  }),
)

test(
  'a full INBOX refuses, and trimming what is consumed makes room without touching the rest',
  withNats(async (fixture) => {
    const nc = await fixture.connect()
    await provision(nc, { ...BOOK, maxBytes: { INBOX: 20_000 } })
    const bus = new NatsBus(nc)
    const payload = 'x'.repeat(900)
    let stored = 0
    const full = async () => {
      for (;;) {
        await bus.publish('signals.manual.op', payload)
        stored++
      }
    }
    assert.is((await rejection(full())).code, 'publish_refused')
    assert.is(await trimConsumed(nc, 'INBOX', 3), 0)
    let count = 0
    const consumption = await bus.consume('INBOX', 'engine', (message) => {
      if (++count === 10) consumption.ack(message)
    })
    await until(() => count === stored)
    await consumption.pending()
    assert.is(await trimConsumed(nc, 'INBOX', 3), 7)
    assert.is(await trimConsumed(nc, 'INBOX', 3), 0)
    await bus.publish('signals.manual.op', payload)
    const { state } = await (await nc.jetstreamManager()).streams.info('INBOX')
    assert.is(state.first_seq, 8)
    await consumption.stop()
  }),
)

test.run()
