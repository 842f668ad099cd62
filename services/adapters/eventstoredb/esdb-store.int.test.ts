import { Buffer } from 'node:buffer'
import { writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { EventStoreDBClient, jsonEvent } from '@eventstore/db-client'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { WrongExpectedPosition } from '../../../engine/ports/event-store.ts'
import { eventStoreContract } from '../contract/event-store-contract.ts'
import {
  expectedIds,
  idsAndPositions,
  proposed,
  proposedList,
  readAll,
  rejection,
} from '../contract/event-store-samples.ts'
import { type EsdbStore, openEsdbStore } from './esdb-store.ts'
import { codeOf, QUICK, type Scene, urlOf, withDouble } from './testing/double-scene.ts'
import { startDouble } from './testing/esdb-double.ts'
import type { FaultyLine } from './testing/faulty-line.ts'
import { selfSigned } from './testing/self-signed.ts'

// Against the double, that is: against our reading of the server. `npm run conformance -- URL` runs the same
// suite against a real one.
eventStoreContract(
  test,
  'eventstoredb client over the double',
  async () => {
    const double = await startDouble()
    const handles: EsdbStore[] = []
    const another = async () => {
      const store = await openEsdbStore(double.url)
      handles.push(store)
      return store
    }
    const dispose = async () => {
      for (const handle of handles) await handle.close()
      await double.stop()
    }
    return { store: await another(), another, dispose }
  },
  { propertyRuns: 25 },
)

function scene(title: string, body: (scene: Scene) => Promise<void>) {
  test(`eventstoredb: ${title}`, () => withDouble(body))
}

scene('what the server holds: type, id, exact bytes, checksum', async ({ double, open }) => {
  const store = await open()
  const event = proposed({ body: '{ "n": 1.50, "s": "ñ\\u00e9" }' })
  await store.append('s', -1, [event, proposed({ checksum: null })])
  const [first, second] = double.log.records
  assert.is(Buffer.from(first?.data ?? []).toString('utf8'), event.body)
  assert.equal([first?.type, first?.id, first?.revision], [event.type, event.id, 0])
  const metadata = JSON.parse(Buffer.from(first?.metadata ?? []).toString('utf8'))
  assert.equal(metadata, { checksum: event.checksum })
  assert.is(second?.metadata.length, 0)
})

for (const [title, fault] of [
  ['lost', 'swallowAnswers'],
  ['a timeout', 'timeOutAfterWriting'],
] as const) {
  scene(`an append whose answer is ${title} is repeated and written once`, async (it) => {
    const store = await it.open()
    const lists = [proposedList(3), proposedList(2), proposedList(4)]
    let head = -1
    for (const list of lists) {
      it.double.faults[fault] = 2
      head = await store.append('s', head, list)
      assert.is(it.double.faults[fault], 0, 'both faults were met')
    }
    assert.equal(await idsAndPositions(store, 's'), expectedIds(lists.flat()))
  })
}

for (const fault of ['swallowAnswers', 'timeOutAfterWriting'] as const) {
  scene(
    `${fault}, and then "somebody else wrote": our own events are known by their ids`,
    async (it) => {
      const store = await it.open()
      it.double.faults.forgetIds = true
      const lists = [proposedList(3), proposedList(2500), proposedList(1)]
      let head = -1
      for (const list of lists) {
        it.double.faults[fault] = 1
        head = await store.append('s', head, list)
        assert.is(it.double.faults[fault], 0, 'the fault was met')
      }
      assert.equal(await idsAndPositions(store, 's'), expectedIds(lists.flat()))
      // Also when others have written since; and only when every id is ours.
      const rival = await it.open()
      await rival.append('s', head, proposedList(2))
      assert.is(await store.append('s', head - 1, lists.at(-1)!), head)
      for (const list of [
        proposedList(1),
        [lists.at(-1)![0]!, ...proposedList(1)],
        [lists.at(-1)![0]!, ...proposedList(9)],
      ]) {
        const error = await rejection(store.append('s', head - 1, list))
        assert.instance(error, WrongExpectedPosition)
      }
      assert.is(it.double.log.last('s'), head + 2, 'nothing was written twice')
    },
  )
}

scene('an append given up is unreachable, and its repetition finds it written', async (it) => {
  const store = await it.open({ attemptMs: 100, patienceMs: 500 })
  const list = proposedList(2)
  it.double.faults.swallowAnswers = 1000
  const error = await rejection(store.append('s', -1, list))
  assert.is(codeOf(error), 'eventstore_unreachable')
  it.double.faults.swallowAnswers = 0
  assert.is(await store.append('s', -1, list), 1)
  assert.equal(await idsAndPositions(store, 's'), expectedIds(list))
})

scene('while an answer is lost another writer takes the place: the loser is told', async (it) => {
  const [store, rival] = [await it.open({ attemptMs: 300 }), await it.open()]
  await store.append('s', -1, proposedList(1))
  it.double.faults.refuseAppends = 3
  const losing = rejection(store.append('s', 0, proposedList(2)))
  while (it.double.faults.refuseAppends > 0) await new Promise((done) => setTimeout(done, 1))
  const won = proposedList(1)
  const results = await Promise.allSettled([losing, rival.append('s', 0, won)])
  const head = await store.head('s')
  // Either may come first; never both, and never a mixture.
  const winner = results[1]?.status === 'fulfilled' ? 1 : 2
  assert.is(head, winner)
})

scene('the server goes and comes back: appends and reads wait for it', async (it) => {
  const store = await it.open()
  const list = proposedList(3)
  await store.append('s', -1, list.slice(0, 1))
  const { log, port } = it.double
  await it.double.stop()
  const appended = store.append('s', 0, list.slice(1))
  const read = idsAndPositions(store, 's', 0, 0)
  await new Promise((resolve) => setTimeout(resolve, 300))
  it.double = await startDouble({ port, log })
  assert.is(await appended, 2)
  assert.equal(await read, expectedIds(list).slice(0, 1))
  assert.equal(await idsAndPositions(store, 's'), expectedIds(list))
})

scene('a server that stays away is named, without credentials', async (it) => {
  const url = `esdb://admin:s3cret@127.0.0.1:${it.double.port}?tls=false`
  const store = await it.open({ patienceMs: 600 }, url)
  await it.double.stop()
  for (const call of [
    () => store.append('s', -1, proposedList(1)),
    () => store.head('s'),
    () => readAll(store, 's'),
    () => openEsdbStore(url, { openMs: 300 }),
  ]) {
    const error = (await rejection(call())) as Error
    assert.is(codeOf(error), 'eventstore_unreachable')
    assert.match(error.message, `esdb://127.0.0.1:${it.double.port} `)
    assert.not.match(`${error.message} ${error.stack}`, /s3cret|admin/)
  }
})

scene('a line that is cut, refused or silent costs time and nothing else', async (it) => {
  const line = await it.line()
  const store = await it.open({ patienceMs: 8000 }, urlOf(line.port))
  const events = proposedList(60)
  for (const [i, event] of events.entries()) {
    if (i % 20 === 5) line.cut()
    if (i % 20 === 10) line.refusing = true
    if (i % 20 === 15) line.silent = true
    if (i % 5 === 0) setTimeout(() => heal(line), 150)
    if (i % 20 === 10) line.cut()
    assert.is(await store.append('s', i - 1, [event]), i)
  }
  assert.equal(await idsAndPositions(store, 's'), expectedIds(events))
})

function heal(line: FaultyLine): void {
  line.refusing = false
  line.silent = false
}

scene('a slow server is waited for', async (it) => {
  const store = await it.open()
  it.double.faults.delayMs = 150
  const events = proposedList(3)
  assert.is(await store.append('s', -1, events), 2)
  assert.is(await store.head('s'), 2)
  assert.equal(await idsAndPositions(store, 's'), expectedIds(events))
})

scene('a server that accepts and never answers is unreachable, in reads too', async (it) => {
  const store = await it.open({ attemptMs: 100, patienceMs: 400 })
  it.double.faults.mute = true
  for (const call of [
    () => store.append('s', 0, proposedList(1)),
    () => store.head('s'),
    () => readAll(store, 's'),
  ]) {
    assert.is(codeOf(await rejection(call())), 'eventstore_unreachable')
  }
})

scene('a burst of 1,000 appends right after opening does not hang', async (it) => {
  const store = await it.open({ attemptMs: 5000, patienceMs: 15_000 })
  const last = await Promise.all(
    Array.from({ length: 1000 }, (_, i) =>
      store.append(`s-${i % 500}`, i < 500 ? -1 : 0, proposedList(1)),
    ),
  )
  assert.equal([...new Set(last)], [0, 1])
  assert.is(it.double.log.records.length, 1000)
})

scene('appends to one stream keep the order in which they were made', async (it) => {
  const store = await it.open()
  const events = proposedList(200)
  await Promise.all(events.map((event, i) => store.append('s', i - 1, [event])))
  assert.equal(await idsAndPositions(store, 's'), expectedIds(events))
})

scene('a server older than it was: the gap is named, by append, head and read', async (it) => {
  const store = await it.open()
  for (let i = 0; i < 5; i++) await store.append('s', i * 2 - 1, proposedList(2))
  await it.restart({ log: it.double.log.copy(6) })
  for (const call of [
    () => store.append('s', 9, proposedList(1)),
    () => store.head('s'),
    () => readAll(store, 's'),
    () => readAll(store, 's', 8),
  ]) {
    const error = (await rejection(call())) as Error & { from: number; to: number }
    assert.is(codeOf(error), 'eventstore_regressed')
    assert.equal([error.from, error.to], [6, 9])
    assert.match(error.message, /positions 6 to 9 are gone/)
  }
  assert.equal((await readAll(store, 's', 0, 5)).length, 6, 'what is there can be read')
  await it.restart()
  const error = (await rejection(store.head('s'))) as Error & { from: number; to: number }
  assert.equal([error.from, error.to], [0, 9])
})

scene('a stream that was deleted cannot hold a book again', async (it) => {
  const store = await it.open()
  const admin = EventStoreDBClient.connectionString(it.double.url)
  for (const stream of ['soft', 'hard', 'capped']) await store.append(stream, -1, proposedList(3))
  await admin.deleteStream('soft')
  await admin.tombstoneStream('hard')
  const fresh = await it.open()
  assert.is(await fresh.head('soft'), -1)
  for (const stream of ['soft', 'hard']) {
    const error = await rejection(fresh.append(stream, -1, proposedList(1)))
    assert.is(codeOf(error), 'eventstore_stream_deleted')
  }
  assert.is(codeOf(await rejection(fresh.head('hard'))), 'eventstore_stream_deleted')
  assert.is(it.double.log.last('soft'), 2, 'nothing was written')
  await admin.setStreamMetadata('new', { maxCount: 5 })
  const limited = await rejection(fresh.append('new', -1, proposedList(1)))
  assert.is(codeOf(limited), 'eventstore_stream_deleted')
  await admin.dispose()
})

scene('a truncated stream is not read as if it were whole', async (it) => {
  const store = await it.open()
  await store.append('s', -1, proposedList(10))
  const admin = EventStoreDBClient.connectionString(it.double.url)
  await admin.setStreamMetadata('s', { truncateBefore: 4 })
  const error = (await rejection(readAll(store, 's'))) as Error & { from: number; to: number }
  assert.equal([codeOf(error), error.from, error.to], ['eventstore_truncated', 0, 3])
  assert.is((await readAll(store, 's', 4)).length, 6)
  await admin.dispose()
})

scene('an event of somebody else is named, not handed on', async (it) => {
  const store = await it.open()
  await store.append('s', -1, proposedList(1))
  const other = EventStoreDBClient.connectionString(it.double.url)
  await other.appendToStream('s', jsonEvent({ type: 'note', data: { from: 'elsewhere' } }))
  const error = (await rejection(readAll(store, 's'))) as Error & { position: number }
  assert.equal([codeOf(error), error.position], ['eventstore_foreign_event', 1])
  await other.dispose()
})

scene('many tiny events are refused before the server refuses them', async (it) => {
  const store = await it.open()
  const list = Array.from({ length: 11_000 }, () => proposed({ body: '1' }))
  const error = await rejection(store.append('s', -1, list))
  assert.instance(error, RangeError)
  assert.is(it.double.log.records.length, 0)
})

scene('a node that is not the leader sends the appends to the leader', async (it) => {
  const follower = await startDouble({ leader: { host: '127.0.0.1', port: it.double.port } })
  try {
    const store = await it.open({}, follower.url)
    await store.append('s', -1, proposedList(2))
    assert.is(it.double.log.records.length, 2)
    assert.is(follower.log.records.length, 0)
    const found = await it.open({}, follower.url.replace('esdb:', 'esdb+discover:'))
    assert.is(await found.head('s'), 1)
    assert.is(await found.append('s', 1, proposedList(1)), 2)
  } finally {
    await follower.stop()
  }
})

scene('a closed store refuses work and may be closed again', async ({ open }) => {
  const store = await open()
  await store.close()
  await store.close()
  for (const call of [
    () => store.append('s', -1, proposedList(1)),
    () => store.head('s'),
    () => readAll(store, 's'),
  ]) {
    assert.match(String(await rejection(call())), /closed/)
  }
  assert.throws(() => store.subscribe('s', 0, () => undefined), /closed/)
})

test('eventstoredb: TLS and credentials come from the URL; wrong ones are told apart from no server', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'bitacora-esdb-'))
  const identity = selfSigned()
  const users = { admin: 'ch:ange@it' }
  const tls = { certificate: identity.certificate, key: identity.key }
  const double = await startDouble({ tls, users })
  try {
    const ca = join(folder, 'ca.pem')
    writeFileSync(ca, identity.certificate)
    const place = `127.0.0.1:${double.port}?tls=true&tlsCAFile=${encodeURIComponent(ca)}`
    const store = await openEsdbStore(`esdb://admin:ch%3Aange%40it@${place}`, QUICK)
    await store.append('s', -1, proposedList(2))
    assert.is(await store.head('s'), 1)
    await store.close()
    const cases: [string, string][] = [
      [`esdb://admin:wrong@${place}`, 'eventstore_unauthorized'],
      [`esdb://${place}`, 'eventstore_unauthorized'],
      [`esdb://admin:ch%3Aange%40it@127.0.0.1:${double.port}?tls=true`, 'eventstore_unreachable'],
      [`esdb://127.0.0.1:${double.port}?tls=false`, 'eventstore_unreachable'],
    ]
    for (const [url, code] of cases) {
      const error = (await rejection(openEsdbStore(url, { ...QUICK, openMs: 500 }))) as Error
      assert.is(codeOf(error), code, error.message)
      assert.not.match(error.message, /wrong|ange/)
    }
  } finally {
    await double.stop()
    await rm(folder, { recursive: true, force: true })
  }
})

test('eventstoredb: a URL with a flaw is refused without showing its credentials', async () => {
  for (const [url, flaw] of [
    ['nats://user:hidden@host', /begins with/],
    ['esdb://user:hid:den@host', /%3A/],
    ['esdb://user:hidden@ho st', /not host:port/],
    ['esdb://user@host', /not user:password/],
    ['esdb://user:hidden%@host', /URL-encoded/],
    ['esdb://user:hidden@host?tls=maybe', /true or false/],
    ['esdb://user:hidden@host?tlsVerifyCert=false', /tlsCAFile/],
    ['esdb://user:hidden@host?throwOnAppendFailure=false', /unknown/],
    ['esdb://user:hidden@host?tls=true?x=1', /more than one/],
    ['', /begins with/],
  ] as const) {
    const error = (await rejection(openEsdbStore(url))) as Error
    assert.is(codeOf(error), 'eventstore_url_invalid', url)
    assert.match(error.message, flaw)
    assert.not.match(error.message, /hidden|hid:/)
  }
})

scene('a lost race is WrongExpectedPosition with the end of the stream', async ({ open }) => {
  const store = await open()
  await store.append('s', -1, proposedList(4))
  const error = await rejection(store.append('s', 1, proposedList(1)))
  assert.instance(error, WrongExpectedPosition)
  assert.is((error as WrongExpectedPosition).current, 3)
})

test.run()
