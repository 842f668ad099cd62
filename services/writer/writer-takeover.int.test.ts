import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { RecordedEvent } from '../../engine/events/envelope.ts'
import type { EventStore } from '../../engine/ports/event-store.ts'
import { BOOK_ID, CODE_HASH, settings, sha256 } from '../../engine/testing/fixtures.ts'
import type { EngineStarted, SignalReceived } from '../../schemas/types.gen.ts'
import { openSqliteStore } from '../adapters/embedded/sqlite-store.ts'
import { readDelivery } from '../adapters/nats/delivery.ts'
import { NatsBus } from '../adapters/nats/nats-bus.ts'
import { type NatsFixture, rejection, until, withNats } from '../adapters/nats/nats-fixture.ts'
import { provision } from '../adapters/nats/streams.ts'
import { recover } from './recover.ts'
import { Writer } from './writer.ts'
import { ORIGIN, quietLog, readEvents, STREAM } from './writer-fixture.ts'

/** A store whose appends can be held back, as a pause of the process holds them back. */
class PausedStore {
  held: Promise<void> | null = null
  resume: () => void = () => {}
  readonly store: EventStore

  constructor(store: EventStore) {
    this.store = Object.assign(Object.create(store) as EventStore, {
      read: store.read.bind(store),
      append: async (...given: Parameters<EventStore['append']>) => {
        await this.held
        return store.append(...given)
      },
    })
  }

  pause(): void {
    this.held = new Promise((resolve) => {
      this.resume = resolve
    })
  }
}

async function makeWriter(fixture: NatsFixture, store: EventStore): Promise<Writer> {
  const nc = await fixture.connect('engine')
  await provision(nc, { bookId: BOOK_ID, account: 'test' })
  return new Writer({
    store,
    stream: STREAM,
    bus: new NatsBus(nc),
    recovered: await recover(store, STREAM, sha256),
    account: 'test',
    bookId: BOOK_ID,
    run: randomBytes(8).toString('hex'),
    codeHash: CODE_HASH,
    engineVersion: '0.0.0',
    settings: settings(),
    hash: sha256,
    clock: { now: Date.now },
    rules: { requireSignature: false, checkSignature: () => null, now: Date.now },
    origin: ORIGIN,
    deadLetter: async () => undefined,
    log: quietLog().log,
  })
}

/** Every acknowledgement that anybody sends for INBOX: consumer, and sequence up to which it reaches. */
async function watchAcks(fixture: NatsFixture) {
  const acks: { consumer: string; sequence: number }[] = []
  const nc = await fixture.connect('watcher')
  nc.subscribe('$JS.ACK.INBOX.>', {
    callback: (_error, { subject }) => {
      const { sequence } = readDelivery(subject)
      acks.push({ consumer: subject.split('.')[3] ?? '', sequence })
    },
  })
  await nc.flush()
  return acks
}

const ids = (events: readonly RecordedEvent[]): string[] =>
  events
    .filter(({ type }) => type === 'signal.received')
    .map(({ data }) => (data as SignalReceived).signalId)

test(
  'replaced while its appends were on their way, a writer acknowledges none of it, and nothing is lost',
  withNats(async (fixture) => {
    const store = openSqliteStore(join(fixture.dir, 'book.sqlite'))
    const paused = new PausedStore(store)
    const first = await makeWriter(fixture, paused.store)
    await first.start()
    const bus = new NatsBus(await fixture.connect())
    const sent: string[] = []
    const send = async (count: number): Promise<void> => {
      for (let n = 0; n < count; n++) {
        const id = `s${sent.length + 1}`
        const body = JSON.stringify({ symbol: 'A', side: 'buy', qty: '1' })
        await bus.publish('signals.manual.ana', body, { id })
        sent.push(id)
      }
    }
    const acks = await watchAcks(fixture)
    await send(5)
    await until(async () => ids(await readEvents(store)).length === 5)
    await until(() => acks.some(({ sequence }) => sequence === 5))
    const own = acks[0]!.consumer

    paused.pause()
    await send(10)
    // All of it is with the first writer, computed, and its append is about to be made.
    await until(() => !first.idle)
    await sleep(300)
    const second = await makeWriter(fixture, store)
    await second.start()
    await until(async () => ids(await readEvents(store)).length === 15)
    await send(5)
    await until(async () => ids(await readEvents(store)).length === 20)

    paused.resume()
    assert.is((await rejection(first.done)).code, 'wrong_expected_position')
    await send(5)
    await until(async () => ids(await readEvents(store)).length === 25)
    await sleep(300)
    assert.equal(ids(await readEvents(store)), sent)
    const reached = acks.filter(({ consumer }) => consumer === own).map(({ sequence }) => sequence)
    assert.is(Math.max(...reached), 5, 'the first acknowledged what was in the book, and no more')
    await until(() => acks.some(({ consumer, sequence }) => consumer !== own && sequence === 25))

    const events = await readEvents(store)
    const starts = events.filter(({ type }) => type === 'engine.started')
    assert.is(starts.length, 2)
    const run = (starts[1]!.data as EngineStarted).run
    const late = events.filter(({ position }) => position >= starts[1]!.position)
    assert.ok(late.every(({ id }) => id.startsWith(run.slice(0, 8))))

    // A third finds nothing to be taken again.
    await second.close()
    const third = await makeWriter(fixture, store)
    await third.start()
    await sleep(300)
    assert.equal(ids(await readEvents(store)), sent)
    await third.close()
    await first.close()
    await store.close()
  }),
)

test.run()
