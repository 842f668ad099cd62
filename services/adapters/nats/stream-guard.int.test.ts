import { setTimeout as sleep } from 'node:timers/promises'
import { nanos } from 'nats'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { NatsBus } from './nats-bus.ts'
import { rejection, until, withNats } from './nats-fixture.ts'
import { guardStreams, type StreamRepair } from './stream-guard.ts'
import { provision, STREAMS } from './streams.ts'

const BOOK = { bookId: 'b1', account: 'main' }

const guarded = (
  body: (on: {
    guard: ReturnType<typeof guardStreams>
    repairs: StreamRepair[]
    jsm: Awaited<ReturnType<typeof admin>>['jsm']
    fixture: Parameters<Parameters<typeof withNats>[0]>[0]
  }) => Promise<void>,
) =>
  withNats(async (fixture) => {
    const { nc, jsm } = await admin(fixture)
    await provision(nc, BOOK)
    const repairs: StreamRepair[] = []
    const guard = guardStreams(nc, {
      ...BOOK,
      everyMs: 50,
      repaired: (repair) => repairs.push(repair),
    })
    try {
      await guard.look()
      assert.is(guard.trouble(), null)
      await body({ guard, repairs, jsm, fixture })
    } finally {
      guard.stop()
    }
  })

async function admin(fixture: Parameters<Parameters<typeof withNats>[0]>[0]) {
  const nc = await fixture.connect()
  return { nc, jsm: await nc.jetstreamManager() }
}

test(
  'what is deleted is made again, and what is altered is put back, with its messages',
  guarded(async ({ guard, repairs, jsm, fixture }) => {
    const bus = new NatsBus(await fixture.connect())
    await bus.publish('control.halt', '{}')
    await sleep(200)
    assert.equal(repairs, [], 'as long as nothing is wrong nothing is done')
    for (const name of STREAMS.filter((one) => one !== 'INBOX')) await jsm.streams.delete(name)
    await until(() => repairs.length === STREAMS.length - 1)
    assert.ok(repairs.every(({ fields }) => fields.length === 0))
    const altered = {
      subjects: ['odd.>'],
      max_bytes: 1_000_000,
      max_age: nanos(60_000),
      discard: 'old' as never,
      description: '',
    }
    await jsm.streams.update('INBOX', altered)
    await until(() => repairs.length === STREAMS.length)
    const { config, state } = await jsm.streams.info('INBOX')
    assert.equal(config.subjects, ['signals.manual.>', 'control.>'])
    assert.equal([config.max_age, config.discard, state.messages], [0, 'new', 1])
    assert.is(config.description, 'bitacora book b1 account main')
    const named = repairs.at(-1)?.fields.join('; ') ?? ''
    for (const field of ['subjects', 'max_bytes', 'max_age', 'discard']) assert.match(named, field)
    assert.is(guard.trouble(), null)
  }),
)

test(
  'what cannot be put back is named until somebody mends it',
  guarded(async ({ guard, jsm }) => {
    await jsm.streams.update('VERDICTS', { sealed: true } as object)
    await until(() => guard.trouble() !== null)
    assert.match(guard.trouble() ?? '', 'stream VERDICTS differs')
    assert.match(guard.trouble() ?? '', 'sealed asked nothing, held true')
    await jsm.streams.delete('VERDICTS')
    await until(() => guard.trouble() === null)
    // One made by hand is nobody's, and not ours to take.
    guard.stop()
    await guard.look()
    await jsm.streams.delete('DEAD')
    await jsm.streams.add({ name: 'DEAD', subjects: ['dead.>'] })
    await guard.look()
    assert.match(guard.trouble() ?? '', 'stream DEAD belongs to no bitacora book')
    await jsm.streams.delete('DEAD')
    await guard.look()
    assert.is(guard.trouble(), null)
    // Its subjects are taken by another stream: named, until that one is gone.
    await jsm.streams.update('DEAD', { subjects: ['elsewhere.>'] })
    await jsm.streams.add({ name: 'TAKER', subjects: ['dead.letters.>'] })
    await guard.look()
    assert.match(guard.trouble() ?? '', 'are taken by stream TAKER')
    await jsm.streams.delete('TAKER')
    await guard.look()
    assert.is(guard.trouble(), null)
    assert.equal((await jsm.streams.info('DEAD')).config.subjects, ['dead.>'])
  }),
)

test(
  'a stream that another book took over ends the guard',
  guarded(async ({ guard, jsm }) => {
    await jsm.streams.update('TAPE', { description: 'bitacora book b2 account main' })
    const error = await rejection(guard.done)
    assert.is(error.code, 'foreign_stream')
    assert.match(error.message, 'book b2')
  }),
)

test.run()
