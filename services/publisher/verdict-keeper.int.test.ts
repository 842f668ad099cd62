import { setTimeout as sleep } from 'node:timers/promises'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { encodeBody } from '../../engine/events/envelope.ts'
import { eventId } from '../../engine/events/ids.ts'
import { MemoryStore } from '../adapters/memory/memory-store.ts'
import { NatsBus } from '../adapters/nats/nats-bus.ts'
import { rejection, until, withNats } from '../adapters/nats/nats-fixture.ts'
import { provision } from '../adapters/nats/streams.ts'
import { readVerdictEnd } from '../adapters/nats/verdict-end.ts'
import { createLog } from '../runtime/log.ts'
import { keepVerdicts } from './verdict-keeper.ts'

const BOOK = { bookId: 'b1', account: 'main' }
const STREAM = 'account-main'
const log = createLog({ level: 'fatal', name: 'test', destination: { write: () => {} } })

/** Appends a refused signal, of which its operator is told. */
async function refuse(store: MemoryStore, signalId: string): Promise<void> {
  const head = await store.head(STREAM)
  const data = {
    subject: 'signals.manual.ana',
    stream: 'INBOX',
    sequence: 1,
    code: 'not_json',
    message: 'the message is not JSON',
    payload: '{',
    operator: 'ana',
    signalId,
    storedAt: '2026-01-01T00:00:00Z',
  }
  const body = encodeBody({
    ...{ type: 'input.refused', version: 1, at: 0, recordedAt: Date.now() },
    ...{ step: head + 1, because: null, data },
  })
  const id = eventId('00000000000000a1', head + 1)
  await store.append(STREAM, head, [{ id, type: 'input.refused', body, checksum: null }])
}

test(
  'verdicts that the stream lost are told again: emptied, deleted, and hidden by a newer one',
  withNats(async (fixture) => {
    const nc = await fixture.connect()
    const jsm = await nc.jetstreamManager()
    await provision(nc, BOOK)
    const store = new MemoryStore()
    const verdicts = await keepVerdicts({
      ...{ store, stream: STREAM, bus: new NatsBus(nc), bookId: 'b1', log, lookMs: 200 },
      readEnd: () => readVerdictEnd(nc, 'b1'),
    })
    const told = async () => {
      const info = await jsm.streams.info('VERDICTS').catch(() => null)
      if (info === null) return []
      const ids: string[] = []
      for (let seq = Math.max(1, info.state.first_seq); seq <= info.state.last_seq; seq++) {
        const { data } = await jsm.streams.getMessage('VERDICTS', { seq })
        ids.push((JSON.parse(Buffer.from(data).toString()) as { signalId: string }).signalId)
      }
      return ids
    }
    const all = (ids: string) => until(async () => (await told()).join() === ids)
    await refuse(store, 's1')
    await refuse(store, 's2')
    await all('s1,s2')
    await sleep(500)
    await all('s1,s2')
    await jsm.streams.delete('VERDICTS')
    await provision(nc, BOOK)
    await all('s1,s2')
    // A newer one comes before anybody has looked.
    await jsm.streams.delete('VERDICTS')
    await provision(nc, BOOK)
    await refuse(store, 's3')
    await until(async () => new Set(await told()).size === 3)
    await verdicts.close()
    await verdicts.done
  }),
)

test(
  'a book that cannot be read ends it',
  withNats(async (fixture) => {
    const nc = await fixture.connect()
    await provision(nc, BOOK)
    const broken = Promise.reject(new Error('disk gone'))
    broken.catch(() => {})
    const store = {
      subscribe: () => ({ done: broken, close: async () => {} }),
    } as unknown as MemoryStore
    const verdicts = await keepVerdicts({
      ...{ store, stream: STREAM, bus: new NatsBus(nc), bookId: 'b1', log },
      readEnd: async () => -1,
    })
    assert.match((await rejection(verdicts.done)).message, 'disk gone')
    await verdicts.close()
  }),
)

test.run()
