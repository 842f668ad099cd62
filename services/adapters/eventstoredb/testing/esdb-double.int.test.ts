import { appendFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  ANY,
  BACKWARDS,
  END,
  EventStoreDBClient,
  type AppendExpectedRevision,
  eventTypeFilter,
  FORWARDS,
  jsonEvent,
  NO_STREAM,
  START,
  STREAM_EXISTS,
  streamNameFilter,
} from '@eventstore/db-client'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import {
  expectedIds,
  idsAndPositions,
  proposedList,
  rejection,
} from '../../contract/event-store-samples.ts'
import { openEsdbStore } from '../esdb-store.ts'
import { type DoubleProcess, spawnDouble } from './double-process.ts'
import { startDouble } from './esdb-double.ts'

// The double through the client as others use it (BatchAppend), against what the server's source says.
async function withClient(body: (client: EventStoreDBClient) => Promise<void>): Promise<void> {
  const double = await startDouble()
  const client = EventStoreDBClient.connectionString(double.url)
  try {
    await body(client)
  } finally {
    await client.dispose()
    await double.stop()
  }
}

const notes = (count: number, type = 'note') =>
  Array.from({ length: count }, () => jsonEvent({ type, data: { text: 'x' } }))

type Appended = bigint | string

async function append(
  client: EventStoreDBClient,
  expectedRevision: AppendExpectedRevision,
  events: ReturnType<typeof notes>,
  stream = 's',
): Promise<Appended> {
  try {
    return (await client.appendToStream(stream, events, { expectedRevision })).nextExpectedRevision
  } catch (error) {
    return (error as { type: string }).type
  }
}

test('double: expected revisions, one by one', () =>
  withClient(async (client) => {
    const [a, b, c] = [notes(2), notes(2), notes(2)]
    const wrong = 'wrong-expected-version'
    assert.is(await append(client, STREAM_EXISTS, a), wrong)
    assert.is(await append(client, 0n, a), wrong)
    assert.is(await append(client, NO_STREAM, a), 1n)
    assert.is(await append(client, NO_STREAM, a), 1n, 'the same ids at the same places')
    assert.is(await append(client, NO_STREAM, b), wrong)
    assert.is(await append(client, NO_STREAM, [...a, ...b]), wrong, 'half known')
    assert.is(await append(client, STREAM_EXISTS, b), 3n)
    assert.is(await append(client, ANY, b), 3n, 'known by id')
    assert.is(await append(client, ANY, [...b, ...c]), wrong, 'half known by id')
    assert.is(await append(client, 1n, b), 3n)
    assert.is(await append(client, 3n, b), 5n, 'at the end a known id is written again')
    assert.is(await append(client, ANY, notes(1)), 6n)
    assert.is(await append(client, 9n, c), wrong)
  }))

test('double: deletions', () =>
  withClient(async (client) => {
    await append(client, NO_STREAM, notes(3))
    const wrong = await rejection(client.deleteStream('s', { expectedRevision: 1n }))
    assert.is((wrong as { type: string }).type, 'wrong-expected-version')
    await client.deleteStream('s', { expectedRevision: 2n })
    const missing = await rejection(collect(client.readStream('s')))
    assert.is((missing as { type: string }).type, 'stream-not-found')
    assert.is(await append(client, STREAM_EXISTS, notes(1)), 'stream-deleted')
    assert.is(await append(client, NO_STREAM, notes(1)), 3n, 'the numbers go on')
    assert.equal(await collect(client.readStream('s')), [3n])
    await client.tombstoneStream('s')
    assert.is(await append(client, ANY, notes(1)), 'stream-deleted')
    const gone = await rejection(collect(client.readStream('s')))
    assert.is((gone as { type: string }).type, 'stream-deleted')
  }))

test('double: more than 1 MiB in one append is refused', () =>
  withClient(async (client) => {
    const large = [jsonEvent({ type: 'large', data: { text: 'x'.repeat(1024 * 1024) } })]
    assert.is(await append(client, NO_STREAM, large), 'maximum-append-size-exceeded')
  }))

test('double: streams and all, forwards and backwards, from a place', () =>
  withClient(async (client) => {
    await append(client, NO_STREAM, notes(5))
    await append(client, NO_STREAM, notes(2, 'other'), 't')
    const reads = [
      collect(client.readStream('s', { fromRevision: 3n })),
      collect(client.readStream('s', { direction: BACKWARDS, fromRevision: END, maxCount: 2 })),
      collect(client.readStream('s', { direction: BACKWARDS, fromRevision: 1n })),
      collect(client.readStream('s', { fromRevision: 9n })),
      collect(client.readAll({ fromPosition: START })),
      collect(client.readAll({ direction: BACKWARDS, fromPosition: END, maxCount: 3 })),
      collect(client.readAll({ direction: FORWARDS, fromPosition: { commit: 5n, prepare: 5n } })),
    ]
    assert.equal(await Promise.all(reads), [
      [3n, 4n],
      [4n, 3n],
      [1n, 0n],
      [],
      [0n, 1n, 2n, 3n, 4n, 0n, 1n],
      [1n, 0n, 4n],
      [0n, 1n],
    ])
  }))

test('double: a subscription to all is filtered by stream or type, and reports checkpoints', () =>
  withClient(async (client) => {
    for (const [stream, type] of [
      ['a-1', 'x'],
      ['b-1', 'y'],
    ] as const) {
      await append(client, NO_STREAM, notes(100, type), stream)
    }
    let checkpoints = 0
    const byName = client.subscribeToAll({
      filter: streamNameFilter({
        prefixes: ['b-'],
        checkpointInterval: 1,
        checkpointReached: () => {
          checkpoints += 1
        },
      }),
    })
    const byType = client.subscribeToAll({ filter: eventTypeFilter({ regex: '^x$' }) })
    assert.equal([...new Set(await streamsOf(byName, 100))], ['b-1'])
    assert.equal([...new Set(await streamsOf(byType, 100))], ['a-1'])
    assert.ok(checkpoints >= 3, `${checkpoints} checkpoints`)
  }))

test('double: killed at any time it comes back with everything it answered for', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'bitacora-double-'))
  const file = join(folder, 'log.ndjson')
  let double: DoubleProcess = await spawnDouble({ file })
  const { port, url } = double
  const store = await openEsdbStore(url, { attemptMs: 1000, patienceMs: 20_000 })
  try {
    const events = proposedList(600)
    let killing: Promise<unknown> = Promise.resolve()
    for (let i = 0; i < events.length; i += 2) {
      if (i === 150 || i === 400) {
        killing = double.kill().then(async () => {
          // A line that was being written when the power went.
          appendFileSync(file, '[{"id":"torn')
          double = await spawnDouble({ file, port })
        })
      }
      assert.is(await store.append('s', i - 1, events.slice(i, i + 2)), i + 1)
    }
    await killing
    assert.equal(await idsAndPositions(store, 's'), expectedIds(events))
  } finally {
    await store.close()
    await double.kill()
    await rm(folder, { recursive: true, force: true })
  }
})

interface Revised {
  event?: { revision: bigint; streamId: string } | undefined
}

async function collect(events: AsyncIterable<Revised>): Promise<bigint[]> {
  const revisions: bigint[] = []
  for await (const { event } of events) if (event !== undefined) revisions.push(event.revision)
  return revisions
}

async function streamsOf(
  subscription: AsyncIterable<Revised> & { unsubscribe(): Promise<void> },
  count: number,
): Promise<string[]> {
  const streams: string[] = []
  for await (const { event } of subscription) {
    if (event !== undefined) streams.push(event.streamId)
    if (streams.length === count) break
  }
  await subscription.unsubscribe()
  return streams
}

test.run()
