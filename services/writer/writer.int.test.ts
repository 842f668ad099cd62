import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ConsumerInfo, JetStreamManager } from 'nats'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { RecordedEvent } from '../../engine/events/envelope.ts'
import type { Bus, InboundMessage } from '../../engine/ports/bus.ts'
import { BOOK_ID, CODE_HASH, settings, sha256 } from '../../engine/testing/fixtures.ts'
import { openSqliteStore, type SqliteStore } from '../adapters/embedded/sqlite-store.ts'
import type { NatsConnection } from '../adapters/nats/connection.ts'
import { deadLetter } from '../adapters/nats/dead-letter.ts'
import { NatsBus } from '../adapters/nats/nats-bus.ts'
import { type NatsFixture, until, withNats } from '../adapters/nats/nats-fixture.ts'
import { provision } from '../adapters/nats/streams.ts'
import { readVerdictEnd } from '../adapters/nats/verdict-end.ts'
import { startVerdicts, type Verdict, type Verdicts } from '../publisher/verdicts.ts'
import { READER } from './input-side.ts'
import { recover } from './recover.ts'
import { Writer } from './writer.ts'
import { barBody, FakeBus, ORIGIN, quietLog, readEvents, STREAM } from './writer-fixture.ts'

interface Line {
  nc: NatsConnection
  store: SqliteStore
  writer: Writer
  verdicts: Verdicts
  events(): Promise<RecordedEvent[]>
  close(): Promise<void>
}

/** A writer that has read its book and is not started. */
async function makeWriter(store: SqliteStore, bus: Bus): Promise<Writer> {
  return new Writer({
    store,
    stream: STREAM,
    bus,
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
    deadLetter: (message, code, reason) => deadLetter(bus, message, code, reason),
    log: quietLog().log,
  })
}

/** A writer and the verdicts over the fixture's server and the book in its folder, as the engine composes them. */
async function openLine(fixture: NatsFixture): Promise<Line> {
  const nc = await fixture.connect('engine')
  await provision(nc, { bookId: BOOK_ID, account: 'test' })
  const bus = new NatsBus(nc, { publishTimeoutMs: 1000 })
  const store = openSqliteStore(join(fixture.dir, 'book.sqlite'))
  const writer = await makeWriter(store, bus)
  await writer.start()
  const verdicts = startVerdicts({
    store,
    stream: STREAM,
    bus,
    bookId: BOOK_ID,
    after: await readVerdictEnd(nc, BOOK_ID),
    log: quietLog().log,
  })
  return {
    nc,
    store,
    writer,
    verdicts,
    events: () => readEvents(store),
    async close() {
      await verdicts.close()
      await writer.close()
      await store.close()
      await nc.close()
    },
  }
}

/** Publishes until the server confirms, as every sender must. */
async function send(bus: NatsBus, subject: string, body: unknown, id?: string): Promise<number> {
  const payload = typeof body === 'string' ? body : JSON.stringify(body)
  for (;;) {
    try {
      return (await bus.publish(subject, payload, id === undefined ? {} : { id })).sequence
    } catch {
      await sleep(50)
    }
  }
}

const sendBar = (bus: NatsBus, n: number) =>
  send(bus, 'md.bar.1d.A', barBody(n, { close: String(100 + (n % 7)) }), `bar-${n}`)
const sendSignal = (bus: NatsBus, id: string, body: object = {}) =>
  send(bus, 'signals.manual.ana', { symbol: 'A', side: 'buy', qty: '1', ...body }, id)

/** The writer's consumers of a stream. */
async function readers(jsm: JetStreamManager, stream: string): Promise<ConsumerInfo[]> {
  const found = await jsm.consumers.list(stream).next()
  return found.filter(({ name }) => name.startsWith(`${READER}-`))
}

async function readStream(fixture: NatsFixture, stream: string): Promise<InboundMessage[]> {
  const nc = await fixture.connect('reader')
  const { state } = await (await nc.jetstreamManager()).streams.info(stream)
  const messages: InboundMessage[] = []
  const durable = `reader-${randomBytes(4).toString('hex')}`
  const reader = await new NatsBus(nc).consume(stream, durable, (message) => messages.push(message))
  await until(() => messages.length === state.messages)
  await reader.stop()
  await nc.close()
  return messages
}

const json = (message: InboundMessage) =>
  JSON.parse(Buffer.from(message.payload).toString()) as Record<string, unknown>

/** Every verdict of the book, once, in the order of the book. */
async function assertVerdicts(fixture: NatsFixture, line: Line): Promise<Verdict[]> {
  const due = (await line.events()).filter(
    ({ type, data }) =>
      type === 'risk.verdict' ||
      (type === 'input.refused' && (data as { signalId?: string }).signalId !== undefined),
  )
  await until(() => line.verdicts.position() >= (due.at(-1)?.position ?? -1))
  const messages = await readStream(fixture, 'VERDICTS')
  assert.equal(
    messages.map(({ headers }) => Number(headers['bitacora-position'])),
    due.map(({ position }) => position),
  )
  return messages.map((message) => json(message) as unknown as Verdict)
}

const of = (events: RecordedEvent[], type: string) => events.filter((event) => event.type === type)

test(
  'bars, signals and controls reach the book; dead letters and verdicts come out',
  withNats(async (fixture) => {
    const line = await openLine(fixture)
    const bus = new NatsBus(await fixture.connect('sender'))
    await sendBar(bus, 0)
    await until(() => line.writer.idle && line.writer.position > 1)
    await sendSignal(bus, 's1')
    await sendSignal(bus, 's2', { side: 'sideways' })
    await send(bus, 'signals.manual.ana', 'buy A', 's3')
    await send(bus, 'control.panic', {})
    await send(bus, 'control.halt', { actor: 'ana', reason: 'test' }, 'c1')
    await sendSignal(bus, 's4', { symbol: 'a' })
    await until(async () => of(await line.events(), 'signal.received').length === 2)
    await until(() => line.writer.idle)

    const events = await line.events()
    assert.equal(
      events.filter(({ because }) => because === null).map(({ type }) => type),
      [
        'book.created',
        'engine.started',
        'market.bar',
        'signal.received',
        'input.refused',
        'input.refused',
        'input.refused',
        'control.received',
        'signal.received',
      ],
    )
    const dead = await readStream(fixture, 'DEAD')
    assert.equal(
      dead.map(({ subject, headers }) => [
        subject,
        headers['reason-code'],
        headers['original-sequence'],
      ]),
      [
        ['dead.inbox.signals.manual.ana', 'invalid_signal', '2'],
        ['dead.inbox.signals.manual.ana', 'not_json', '3'],
        ['dead.inbox.control.panic', 'unknown_action', '4'],
      ],
    )
    assert.is(Buffer.from(dead[1]!.payload).toString(), 'buy A')
    assert.match(dead[0]?.headers.reason ?? '', '/side must be one of buy, sell, close')

    const told = await assertVerdicts(fixture, line)
    assert.equal(
      told.map(({ signalId, verdict, code }) => `${signalId} ${verdict} ${code}`),
      [
        's1 approved approved',
        's2 denied invalid_signal',
        's3 denied not_json',
        's4 denied halted',
      ],
    )
    const [info] = await readers(await line.nc.jetstreamManager(), 'INBOX')
    assert.is(info?.ack_floor.stream_seq, 6)
    await line.close()
  }),
)

test(
  'after a restart nothing is recorded or told twice, and what came meanwhile is taken up',
  withNats(async (fixture) => {
    const bus = new NatsBus(await fixture.connect('sender'))
    const first = await openLine(fixture)
    for (let n = 0; n < 20; n++) await sendBar(bus, n)
    for (let n = 0; n < 20; n++) await sendSignal(bus, `s${n}`)
    await until(async () => of(await first.events(), 'signal.received').length === 20)
    await until(() => first.verdicts.position() >= first.writer.position - 1)
    await first.close()
    for (let n = 15; n < 30; n++) await sendBar(bus, n)
    for (let n = 10; n < 30; n++) await sendSignal(bus, `s${n}`)
    await send(bus, 'signals.manual.ana', '{', 'bad')

    const second = await openLine(fixture)
    await until(async () => of(await second.events(), 'input.refused').length === 1)
    await until(async () => of(await second.events(), 'market.bar').length === 30)
    const events = await second.events()
    assert.equal(
      of(events, 'signal.received').map(({ data }) => (data as { signalId: string }).signalId),
      Array.from({ length: 30 }, (_, n) => `s${n}`),
    )
    assert.is((await assertVerdicts(fixture, second)).length, 31)
    await second.close()
  }),
)

test(
  'an engine that dies between append and acknowledgement recognises all that comes again',
  withNats(async (fixture) => {
    const bus = new NatsBus(await fixture.connect('sender'))
    const first = await openLine(fixture)
    for (let n = 0; n < 50; n++) await sendBar(bus, n)
    for (let n = 0; n < 50; n++) await sendSignal(bus, `s${n}`)
    await send(bus, 'signals.manual.ana', '{', 'bad')
    await until(async () => of(await first.events(), 'input.refused').length === 1)
    await until(() => first.writer.idle)
    await assertVerdicts(fixture, first)
    await first.close()
    // As if not one acknowledgement had arrived: the server begins again at the first message.
    const nc = await fixture.connect('admin')
    const jsm = await nc.jetstreamManager()
    for (const stream of ['INBOX', 'MARKET', 'REPORTS'])
      for (const { name } of await readers(jsm, stream)) await jsm.consumers.delete(stream, name)

    const second = await openLine(fixture)
    await sendBar(bus, 50)
    await until(async () => of(await second.events(), 'market.bar').length === 51)
    const events = await second.events()
    assert.is(of(events, 'signal.received').length, 50)
    assert.is(of(events, 'input.refused').length, 1)
    assert.is(of(events, 'engine.started').length, 2)
    assert.is((await readStream(fixture, 'DEAD')).length, 1)
    assert.is((await assertVerdicts(fixture, second)).length, 51)
    await second.close()
  }),
)

test(
  'a nats-server that is killed twice in the middle costs no input and no verdict',
  withNats(
    async (fixture) => {
      const sender = await fixture.connect('sender')
      const bus = new NatsBus(sender, { publishTimeoutMs: 500 })
      const line = await openLine(fixture)
      const bars = 120
      const sending = (async () => {
        for (let n = 0; n < bars; n++) {
          await sendBar(bus, n)
          if (n % 4 === 0) await sendSignal(bus, `s${n}`)
          if (n % 40 === 7) await send(bus, 'signals.manual.ana', '{', `bad-${n}`)
        }
      })()
      await until(async () => of(await line.events(), 'market.bar').length > 20)
      await fixture.crash(100)
      await until(async () => of(await line.events(), 'market.bar').length > 60, 30_000)
      await fixture.crash(300)
      await sending
      await until(async () => of(await line.events(), 'market.bar').length === bars, 30_000)
      await until(async () => of(await line.events(), 'signal.received').length === bars / 4)
      const events = await line.events()
      assert.equal(
        of(events, 'market.bar').map(({ data }) => (data as { time: string }).time),
        Array.from({ length: bars }, (_, n) => barBody(n).time),
      )
      // A signal whose first confirmation was lost is sent again: its id tells, not the server's window.
      const ids = of(events, 'signal.received').map(
        ({ data }) => (data as { signalId: string }).signalId,
      )
      assert.is(new Set(ids).size, bars / 4)
      assert.ok(of(events, 'input.refused').length >= 3)
      assert.ok(line.writer.running)
      await assertVerdicts(fixture, line)
      await line.close()
      // What is in the book folds to the same state, checksums included.
      const store = openSqliteStore(join(fixture.dir, 'book.sqlite'))
      assert.is((await recover(store, STREAM, sha256)).last, events.length - 1)
      await store.close()
    },
    { timeoutMs: 80_000 },
  ),
)

/**
 * What is proven of a takeover: the overtaken writer appends nothing, acknowledges nothing more, and stops; the
 * engine that comes after it gets every input. Its limit: two living writers on one server would share the durable
 * consumer `writer`, and the server would divide the inputs between them. What the overtaken one held
 * unacknowledged comes to the other only when that one connects or starts again, so it may miss inputs until
 * then. Today the lock of the folder keeps a second engine away; a book in an external store, which two machines
 * can reach, needs a consumer that belongs to one writer. So the second writer here has inputs of its own.
 */
test(
  'two engines on one book: the one that was overtaken stops, and what it held goes to the next',
  withNats(async (fixture) => {
    const bus = new NatsBus(await fixture.connect('sender'))
    const first = await openLine(fixture)
    await sendBar(bus, 0)
    await sendSignal(bus, 's0')
    await until(async () => of(await first.events(), 'signal.received').length === 1)
    await until(async () => of(await first.events(), 'market.bar').length === 1)
    await until(() => first.writer.idle)
    const stopped = first.writer.done.then(
      () => 'closed',
      (error: { code?: string }) => error.code,
    )

    const other = openSqliteStore(join(fixture.dir, 'book.sqlite'))
    const second = await makeWriter(other, new FakeBus())
    await second.start()
    const taken = second.position
    for (let n = 1; n < 20; n++) await sendBar(bus, n)
    for (let n = 1; n < 5; n++) await sendSignal(bus, `s${n}`)
    await send(bus, 'signals.manual.ana', '{', 'bad')
    assert.is(await stopped, 'wrong_expected_position')
    assert.is(first.writer.running, false)
    assert.is(second.running, true)
    // Also what comes to it later leads to nothing.
    await sendBar(bus, 20)
    await first.close()
    assert.is(await other.head(STREAM), taken, 'it appended nothing')
    const jsm = await (await fixture.connect('admin')).jetstreamManager()
    for (const stream of ['MARKET', 'INBOX']) {
      const [info] = await readers(jsm, stream)
      assert.is(info?.ack_floor.stream_seq, 1, `of ${stream} it acknowledged nothing more`)
    }
    assert.is((await jsm.streams.info('DEAD')).state.messages, 0)
    await second.close()
    await other.close()

    const third = await openLine(fixture)
    await until(async () => of(await third.events(), 'market.bar').length === 21)
    await until(async () => of(await third.events(), 'input.refused').length === 1)
    await until(() => third.writer.idle)
    const events = await third.events()
    assert.is(of(events, 'engine.started').length, 3)
    assert.equal(
      of(events, 'market.bar').map(({ data }) => (data as { time: string }).time),
      Array.from({ length: 21 }, (_, n) => barBody(n).time),
    )
    assert.equal(
      of(events, 'signal.received').map(({ data }) => (data as { signalId: string }).signalId),
      ['s0', 's1', 's2', 's3', 's4'],
    )
    await third.close()
  }),
)

test.run()
