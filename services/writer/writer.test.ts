import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { RecordedEvent } from '../../engine/events/envelope.ts'
import { MAX_APPEND_BYTES } from '../../engine/ports/event-store.ts'
import { BOOK_ID, sha256 } from '../../engine/testing/fixtures.ts'
import {
  FakeBus,
  FaultyStore,
  openDesk,
  rejection,
  settle,
  startDesk,
  STREAM,
  until,
} from './writer-fixture.ts'

const inputsOf = (events: RecordedEvent[]) =>
  events.filter(({ because }) => because === null).map(({ type }) => type)

test('an empty book begins with its genesis and engine.started', async () => {
  const { writer, events, bus } = await startDesk()
  const [genesis, started, ...rest] = await events()
  assert.is(genesis?.type, 'book.created')
  assert.equal(genesis?.data, { bookId: BOOK_ID, account: 'test', currency: 'USD', cash: '10000' })
  assert.is(started?.type, 'engine.started')
  assert.is((started?.data as { run: string }).run, '00000000000000a1')
  assert.equal(rest, [])
  assert.is(writer.position, 1)
  assert.ok(writer.idle && writer.running)
  assert.equal(bus.acks, [])
  await writer.close()
})

test('a book with a past gets engine.started only, and the inputs wait for it', async () => {
  const { store, bus, writer } = await startDesk()
  await writer.close()
  bus.bar(0)
  const next = await openDesk({ store, bus, run: '00000000000000a2' })
  store.hold()
  const starting = next.writer.start()
  await settle()
  assert.equal(await next.types(), ['book.created', 'engine.started'])
  store.release()
  await starting
  await settle()
  assert.equal(inputsOf(await next.events()), [
    'book.created',
    'engine.started',
    'engine.started',
    'market.bar',
  ])
  await next.writer.close()
})

test('an input is acknowledged only after its append resolved', async () => {
  const { bus, store, writer, types } = await startDesk()
  store.hold()
  bus.bar(0)
  bus.signal('s1')
  await settle()
  assert.equal(bus.acks, [])
  assert.is(writer.idle, false)
  assert.is(writer.position, 1)
  store.release()
  await until(() => writer.idle)
  assert.equal(bus.acked, { REPORTS: 0, INBOX: 1, MARKET: 1 })
  assert.is(writer.position, (await types()).length - 1)
  await writer.close()
})

test('an append that fails is tried again, unchanged, and nothing is acknowledged meanwhile', async () => {
  const { bus, store, writer, lines, types } = await startDesk()
  store.faults.push('fail', 'fail')
  bus.bar(0)
  await until(() => store.appends.length === 3)
  assert.equal(bus.acks, [])
  await until(() => writer.idle)
  const [, first, second, third] = store.appends
  assert.equal(second, first)
  assert.equal(third, first)
  assert.equal(bus.acks, ['MARKET 1'])
  assert.is((await types()).filter((type) => type === 'market.bar').length, 1)
  assert.is(lines.filter((line) => line.includes('trying again')).length, 2)
  await writer.close()
})

test('an append that wrote and then failed is repeated with the same expected position, and written once', async () => {
  const { bus, store, writer, types } = await startDesk()
  store.faults.push('write-then-fail')
  bus.bar(0)
  await until(() => writer.idle)
  const [, first, second] = store.appends
  assert.equal(second, first)
  assert.is((await types()).filter((type) => type === 'market.bar').length, 1)
  bus.bar(1)
  await until(() => writer.idle)
  assert.equal(bus.acks, ['MARKET 1', 'MARKET 2'])
  await writer.close()
})

test('reports come before the inbox, and the inbox before the market', async () => {
  const store = new FaultyStore()
  const bus = new FakeBus()
  bus.bar(0)
  bus.signal('s1')
  bus.accepted(1)
  const { writer, events } = await openDesk({ store, bus })
  // Everything that lies in the streams is delivered while consume is called, one stream after the other.
  await writer.start()
  await until(() => writer.idle)
  assert.equal(inputsOf(await events()).slice(2), [
    'order.accepted',
    'signal.received',
    'market.bar',
  ])
  await writer.close()
})

test('what gathers behind a full writer is sequenced by priority, not by arrival', async () => {
  const { bus, store, writer, events } = await startDesk()
  store.hold()
  const big = '\u0000'.repeat(1000)
  // Each of these steps is several thousand bytes: the writer soon refuses to compute further ahead.
  let sent = 0
  while (sent < 2000) bus.signal(`fill-${sent++}`, { reason: big })
  bus.bar(0)
  bus.accepted(1)
  await settle()
  store.release()
  await until(() => writer.idle)
  const order = inputsOf(await events())
  const report = order.indexOf('order.accepted')
  assert.ok(report > 2 && report < order.lastIndexOf('signal.received'), `report is ${report}`)
  assert.is(order.indexOf('market.bar'), order.length - 1)
  await writer.close()
})

test('a bar waits for the reports that it caused, however late they come', async () => {
  const { bus, writer, events } = await startDesk()
  bus.bar(0, 100, { 'bitacora-reports': '2' })
  bus.bar(1, 101)
  await settle()
  assert.is(writer.idle, false)
  bus.accepted(1)
  await settle()
  assert.equal(inputsOf(await events()).slice(2), ['order.accepted'])
  assert.is(bus.acked.MARKET, 0)
  bus.accepted(2)
  await until(() => writer.idle)
  assert.equal(inputsOf(await events()).slice(2), [
    'order.accepted',
    'order.accepted',
    'market.bar',
    'market.bar',
  ])
  assert.is(writer.brokerSequence, 2)
  await writer.close()
})

test('a report that leaves a gap waits, and the inbox does not wait with it', async () => {
  const { bus, writer, events } = await startDesk()
  bus.accepted(1)
  bus.accepted(3)
  bus.control('halt', 'c1')
  await settle()
  assert.equal(inputsOf(await events()).slice(2), ['order.accepted', 'control.received'])
  assert.equal(bus.acked, { REPORTS: 1, INBOX: 1, MARKET: 0 })
  await writer.close()
})

test('inputs that arrive during an append share the next one', async () => {
  const { bus, store, writer } = await startDesk()
  store.hold()
  bus.bar(0)
  await settle()
  for (let n = 1; n <= 200; n++) bus.bar(n)
  await settle()
  assert.is(store.appends.length, 2)
  store.release()
  await until(() => writer.idle)
  assert.is(store.appends.length, 3)
  assert.is(bus.acked.MARKET, 201)
  await writer.close()
})

test('no append holds more than the store takes, and steps are never torn apart', async () => {
  const { bus, store, writer, events } = await startDesk()
  bus.bar(0)
  await until(() => writer.idle)
  store.hold()
  for (let n = 0; n < 400; n++) bus.signal(`s${n}`, { reason: '語'.repeat(1000) })
  await settle()
  store.release()
  await until(() => writer.idle)
  for (const { bytes } of store.appends) assert.ok(bytes <= MAX_APPEND_BYTES, `${bytes} bytes`)
  const all = await events()
  for (const { expected } of store.appends.slice(1)) {
    assert.is(all[expected + 1]?.step, expected + 1, 'an append begins with an input')
  }
  assert.is(bus.acked.INBOX, 400)
  await writer.close()
})

test('beyond what a few appends hold, nothing more is computed', async () => {
  let computed = 0
  const hash = (text: string) => {
    computed++
    return sha256(text)
  }
  const { bus, store, writer } = await startDesk({ hash })
  computed = 0
  store.hold()
  for (let n = 0; n < 1500; n++) bus.signal(`s${n}`, { reason: '\u0000'.repeat(1000) })
  await settle()
  assert.ok(computed > 50 && computed < 500, `${computed} steps were computed`)
  assert.equal(bus.acks, [])
  store.release()
  await until(() => writer.idle, 20_000)
  assert.is(computed, 1500)
  assert.is(bus.acked.INBOX, 1500)
  const total = store.appends.reduce((sum, { bytes }) => sum + bytes, 0)
  assert.ok(total > 8 * MAX_APPEND_BYTES, 'the flood was larger than the bound')
  await writer.close()
})

test('a halt waits behind a few appends at most, however many bars came before it', async () => {
  const { bus, store, writer, events } = await startDesk()
  store.hold()
  const bars = 8000
  for (let n = 0; n < bars; n++) bus.bar(n, 100)
  bus.control('halt', 'c1')
  await settle()
  store.release()
  await until(() => writer.idle, 20_000)
  const halt = (await events()).findIndex(({ type }) => type === 'control.received')
  const before = store.appends.slice(1).filter(({ expected }) => expected + 1 < halt).length
  const all = store.appends.length - 1
  assert.ok(before <= 5 && all > 12, `it was in append ${before} of ${all}`)
  assert.is(bus.acked.MARKET, bars)
  await writer.close()
})

test('another writer fences this one off: it stops, and acknowledges and appends nothing more', async () => {
  const first = await startDesk()
  const { bus, store, writer, lines } = first
  const second = await startDesk({ store, run: '00000000000000b2' })
  const appends = store.appends.length
  bus.bar(0)
  bus.signal('s1')
  const error = await rejection(writer.done)
  assert.is(error.code, 'wrong_expected_position')
  assert.is(writer.running, false)
  bus.bar(1)
  bus.accepted(1)
  await settle()
  assert.equal(bus.acks, [])
  assert.is(store.appends.length, appends + 1)
  assert.equal(bus.stopped.sort(), ['INBOX', 'MARKET', 'REPORTS'])
  assert.not.match(lines.join(''), 'trying again')
  await writer.close()
  await second.writer.close()
})

test('a writer that is fenced off before it began rejects its start', async () => {
  const store = new FaultyStore()
  const late = await openDesk({ store })
  const winner = await startDesk({ store, run: '00000000000000b2' })
  assert.is((await rejection(late.writer.start())).code, 'wrong_expected_position')
  assert.is((await rejection(late.writer.done)).code, 'wrong_expected_position')
  assert.equal(late.bus.acks, [])
  await winner.writer.close()
})

test('an append that was on its way when another wrote is refused, and all behind it is discarded', async () => {
  const { bus, store, writer } = await startDesk()
  store.hold()
  bus.bar(0)
  await settle()
  bus.bar(1)
  bus.signal('s1', { side: 'sideways' })
  await settle()
  const appends = store.appends.length
  await store.intrude(1)
  store.release()
  assert.is((await rejection(writer.done)).code, 'wrong_expected_position')
  await settle()
  assert.equal(bus.acks, [])
  assert.is(store.appends.length, appends)
  assert.is(await store.head(STREAM), 2)
})

test('fenced off while it waits to try an append again, the writer does not try for ever', async () => {
  const { bus, store, writer } = await startDesk()
  store.faults.push('fail')
  bus.bar(0)
  await settle()
  await store.intrude(1)
  assert.is((await rejection(writer.done)).code, 'wrong_expected_position')
  assert.equal(bus.acks, [])
})

test('stopped while an append is on its way, the writer acknowledges nothing, although it was written', async () => {
  const { bus, store, writer } = await startDesk()
  store.hold()
  bus.bar(0)
  await settle()
  bus.fail.get('REPORTS')?.(new Error('stream REPORTS was deleted'))
  await rejection(writer.done)
  store.release()
  await settle()
  assert.equal(bus.acks, [])
  assert.is(await store.head(STREAM), 2)
})

test('a stream that is gone for good stops the writer', async () => {
  const { bus, writer } = await startDesk()
  bus.fail.get('INBOX')?.(new Error('stream INBOX was deleted'))
  assert.match((await rejection(writer.done)).message, 'INBOX was deleted')
  assert.equal(bus.stopped.sort(), ['INBOX', 'MARKET', 'REPORTS'])
  bus.bar(0)
  await settle()
  assert.equal(bus.acks, [])
})

test('a refused message is in the book, then acknowledged, then dead-lettered', async () => {
  const { bus, store, writer, dead, events } = await startDesk()
  store.hold()
  bus.signal('s1', { side: 'sideways' })
  await settle()
  assert.equal(dead, [])
  store.release()
  await until(() => dead.length > 0)
  assert.ok(writer.idle)
  assert.is(dead.length, 1)
  assert.is(dead[0]?.code, 'invalid_signal')
  assert.is(dead[0]?.acked, 1)
  assert.equal(bus.acks, ['INBOX 1'])
  assert.is(writer.refused, 1)
  assert.is((await events()).at(-1)?.type, 'input.refused')
  await writer.close()
})

test('a dead letter that cannot be kept is logged, and the book goes on', async () => {
  const { bus, writer, lines } = await startDesk({
    deadLetter: async () => {
      throw new Error('no room')
    },
  })
  bus.signal('s1', { side: 'sideways' })
  bus.signal('s2')
  await until(() => writer.idle)
  assert.equal(bus.acks, ['INBOX 1', 'INBOX 2'])
  await writer.close()
  assert.match(lines.join(''), 'could not be put on its dead-letter subject')
})

test('close lets nothing more in, and resolves when what was computed is in the book', async () => {
  const { bus, store, writer, types } = await startDesk()
  store.hold()
  bus.bar(0)
  await settle()
  bus.bar(1)
  let closed = false
  const closing = writer.close().then(() => {
    closed = true
  })
  await settle()
  bus.bar(2)
  assert.is(closed, false)
  store.release()
  await closing
  await writer.done
  assert.is((await types()).filter((type) => type === 'market.bar').length, 2)
  assert.is(writer.running, false)
  await writer.close()
})

test('trades and quotes that nobody subscribes to are acknowledged without an entry', async () => {
  const { bus, writer, types } = await startDesk()
  bus.send('MARKET', 'md.trade.A', {})
  bus.send('MARKET', 'md.quote.A', {})
  await until(() => writer.idle)
  assert.is(bus.acked.MARKET, 2)
  assert.equal(await types(), ['book.created', 'engine.started'])
  await writer.close()
})

test.run()
