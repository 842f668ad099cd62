import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { type Desk, FakeBus, settle, startDesk, until } from './writer-fixture.ts'

/** One input of every kind; each is an entry of the book once. */
const KINDS: Record<string, { type: string; send: (bus: FakeBus) => void }> = {
  bar: { type: 'market.bar', send: (bus) => bus.bar(0) },
  signal: { type: 'signal.received', send: (bus) => bus.signal('s1') },
  control: { type: 'control.received', send: (bus) => bus.control('halt', 'c1') },
  'numbered report': { type: 'order.accepted', send: (bus) => bus.accepted(1) },
  'report without a number': { type: 'order.withheld', send: (bus) => bus.withheld(1) },
}

const count = async (desk: Desk, type: string) =>
  (await desk.types()).filter((found) => found === type).length

const acked = ({ bus }: Desk) => Object.values(bus.acked).reduce((sum, one) => sum + one, 0)

for (const [name, { type, send }] of Object.entries(KINDS)) {
  test(`${name}: sent twice, it is recorded once and acknowledged twice`, async () => {
    const desk = await startDesk()
    send(desk.bus)
    await until(() => desk.writer.idle)
    send(desk.bus)
    await until(() => desk.writer.idle)
    assert.is(await count(desk, type), 1)
    assert.is(acked(desk), 2)
    await desk.writer.close()
  })

  test(`${name}: sent twice at once, it is recorded once`, async () => {
    const bus = new FakeBus()
    send(bus)
    send(bus)
    const desk = await startDesk({ bus })
    await until(() => acked(desk) === 2)
    assert.is(await count(desk, type), 1)
    await desk.writer.close()
  })

  test(`${name}: delivered again after a restart, it is recognised`, async () => {
    const desk = await startDesk()
    send(desk.bus)
    await until(() => desk.writer.idle)
    await desk.writer.close()
    // The acknowledgement never arrived at the server.
    for (const stream of Object.keys(desk.bus.acked)) desk.bus.acked[stream] = 0
    desk.bus.acks.length = 0
    const next = await startDesk({ bus: desk.bus, store: desk.store, run: '00000000000000a2' })
    await until(() => next.writer.idle)
    assert.is(await count(next, type), 1)
    assert.is(desk.bus.acks.length, 1)
    await next.writer.close()
  })
}

test('a refused message that is delivered again is recorded once, and kept as a dead letter again', async () => {
  const desk = await startDesk()
  desk.bus.signal('s1', { side: 'sideways' })
  await until(() => desk.writer.idle)
  await desk.writer.close()
  desk.bus.acked.INBOX = 0
  const next = await startDesk({ bus: desk.bus, store: desk.store, run: '00000000000000a2' })
  await until(() => desk.bus.acked.INBOX === 1)
  assert.is(await count(next, 'input.refused'), 1)
  assert.is(next.dead.length, 1)
  assert.is(next.writer.refused, 0, 'only new refusals are counted')
  await next.writer.close()
})

test('two refused messages with equal content are two entries', async () => {
  const desk = await startDesk()
  desk.bus.signal('s1', { side: 'sideways' })
  desk.bus.signal('s1', { side: 'sideways' })
  await until(() => desk.writer.idle)
  assert.is(await count(desk, 'input.refused'), 2)
  await desk.writer.close()
})

test('a repeat is acknowledged only when everything before it is in the book', async () => {
  const desk = await startDesk()
  const { bus, store, writer } = desk
  bus.signal('s1')
  await until(() => writer.idle)
  store.hold()
  bus.signal('s2')
  bus.signal('s1')
  await settle()
  assert.is(bus.acked.INBOX, 1)
  store.release()
  await settle()
  assert.ok((bus.acked.INBOX ?? 0) >= 2)
  bus.signal('s3')
  await until(() => writer.idle)
  assert.is(bus.acked.INBOX, 4)
  assert.is(await count(desk, 'signal.received'), 3)
  await writer.close()
})

test('a corrected bar is revision 1, the next correction 2, whatever the feed claims', async () => {
  const desk = await startDesk()
  const { bus, writer, events } = desk
  bus.bar(0, 100)
  bus.bar(1, 101)
  bus.bar(0, 99)
  bus.bar(0, 98)
  await until(() => writer.idle)
  bus.bar(0, 98)
  await until(() => writer.idle)
  const bars = (await events()).filter(({ type }) => type === 'market.bar')
  const seen = bars.map(({ data }) => {
    const { close, revision } = data as { close: string; revision: number }
    return `${close} r${revision}`
  })
  assert.equal(seen, ['100 r0', '101 r0', '99 r1', '98 r2'])
  await writer.close()

  const next = await startDesk({ bus, store: desk.store, run: '00000000000000a2' })
  bus.bar(1, 101)
  bus.bar(0, 97)
  await until(() => next.writer.idle)
  const last = (await next.events()).at(-1)?.data as { close: string; revision: number }
  assert.is(`${last.close} r${last.revision}`, '97 r3')
  await next.writer.close()
})

test('the same signal id of two operators is two signals', async () => {
  const desk = await startDesk()
  const body = { symbol: 'A', side: 'buy', qty: '1' }
  const given = { headers: { 'nats-msg-id': 'same' } }
  desk.bus.send('INBOX', 'signals.manual.ana', body, given)
  desk.bus.send('INBOX', 'signals.manual.bob', body, given)
  await until(() => desk.writer.idle)
  assert.is(await count(desk, 'signal.received'), 2)
  await desk.writer.close()
})

test('a storm of redeliveries changes nothing and is acknowledged to its end', async () => {
  const desk = await startDesk()
  for (let n = 0; n < 300; n++) desk.bus.bar(n)
  await until(() => desk.writer.idle)
  const before = desk.writer.position
  const appends = desk.store.appends.length
  for (let round = 0; round < 10; round++) for (let n = 0; n < 300; n++) desk.bus.bar(n)
  await until(() => desk.writer.idle)
  assert.is(desk.writer.position, before)
  assert.is(desk.store.appends.length, appends)
  assert.is(desk.bus.acked.MARKET, 3300)
  await desk.writer.close()
})

test.run()
