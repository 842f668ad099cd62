import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { settings } from '../../engine/testing/fixtures.ts'
import { DAY_MS, formatTime } from '../../engine/time.ts'
import { barBody, type Desk, FakeBus, NOW, ORIGIN, startDesk, until } from './writer-fixture.ts'

const HISTORICAL = settings()
const REALTIME = settings({ feed: 'realtime' })
/** Falls into a daily loss on the second of two bars, which sets a timer for the end of the day. */
const LOSING = { maxDailyLoss: '0.01' }

const stamps = async ({ events }: Desk) => (await events()).map(({ at }) => at)

function assertNeverDecreasing(times: number[]): void {
  for (const [index, at] of times.entries()) {
    if (index > 0) assert.ok(at >= times[index - 1]!, `event ${index} goes back in time`)
  }
}

test('on a historical feed engine time is the end of the newest bar', async () => {
  const desk = await startDesk({ settings: HISTORICAL })
  desk.bus.bar(0)
  desk.bus.bar(1)
  await until(() => desk.writer.idle)
  assert.equal(await stamps(desk), [ORIGIN, ORIGIN, ORIGIN + DAY_MS, ORIGIN + 2 * DAY_MS])
  assert.is(desk.writer.engineTime, ORIGIN + 2 * DAY_MS)
  await desk.writer.close()
})

test('on a historical feed what is not in the book yet does not move the time that others go by', async () => {
  const desk = await startDesk({ settings: HISTORICAL })
  desk.bus.bar(0)
  await until(() => desk.writer.idle)
  desk.store.hold()
  desk.bus.bar(1)
  await until(() => desk.store.appends.length === 3)
  assert.is(desk.writer.engineTime, ORIGIN + DAY_MS)
  desk.store.release()
  await until(() => desk.writer.idle)
  assert.is(desk.writer.engineTime, ORIGIN + 2 * DAY_MS)
  await desk.writer.close()
})

test("a manual signal sent today into history gets the data's time; its own times stay as they were", async () => {
  const desk = await startDesk({ settings: HISTORICAL })
  desk.bus.bar(0)
  desk.bus.signal('s1')
  desk.bus.control('halt', 'c1')
  await until(() => desk.writer.idle)
  for (const event of await desk.events()) {
    if (event.step >= 3) assert.is(event.at, ORIGIN + DAY_MS)
    assert.is(event.recordedAt, NOW)
    if (event.type !== 'signal.received') continue
    const data = event.data as { storedAt: string; receivedAt: string }
    assert.is(data.storedAt, formatTime(NOW))
    assert.is(data.receivedAt, formatTime(NOW))
  }
  await desk.writer.close()
})

test('a late bar does not turn engine time back', async () => {
  const desk = await startDesk({ settings: HISTORICAL })
  desk.bus.bar(5)
  desk.bus.bar(1)
  desk.bus.bar(5, 90)
  await until(() => desk.writer.idle)
  const times = await stamps(desk)
  assertNeverDecreasing(times)
  assert.is(times.at(-1), ORIGIN + 6 * DAY_MS)
  await desk.writer.close()
})

test('a report brings the clock of the data with it', async () => {
  const desk = await startDesk({ settings: HISTORICAL })
  desk.bus.bar(0)
  desk.bus.accepted(1, 1, ORIGIN + 1.5 * DAY_MS)
  desk.bus.accepted(2, 1, ORIGIN)
  desk.bus.accepted(3, 1)
  await until(() => desk.writer.idle)
  const reports = (await desk.events()).filter(({ type }) => type === 'order.accepted')
  assert.equal(
    reports.map(({ at }) => at),
    [ORIGIN + 1.5 * DAY_MS, ORIGIN + 1.5 * DAY_MS, ORIGIN + 1.5 * DAY_MS],
  )
  await desk.writer.close()
})

test('in real time engine time is the wall clock, and never runs backwards with it', async () => {
  const desk = await startDesk({ settings: REALTIME })
  desk.bus.bar(0)
  await until(() => desk.writer.idle)
  desk.clock.time = NOW - 60_000
  desk.bus.bar(1)
  desk.bus.accepted(1, 1, ORIGIN)
  await until(() => desk.writer.idle)
  desk.clock.time = NOW + 5
  desk.bus.bar(2)
  await until(() => desk.writer.idle)
  const times = await stamps(desk)
  assertNeverDecreasing(times)
  assert.equal(
    times.slice(2).filter((at) => at !== NOW && at !== NOW + 5),
    [],
  )
  assert.is(times.at(-1), NOW + 5)
  await desk.writer.close()
})

test('in real time engine.started is stamped by the wall clock, however old the book is', async () => {
  const first = await startDesk({ settings: REALTIME })
  await first.writer.close()
  assert.equal(await stamps(first), [NOW, NOW])
  const { bus, store } = first
  const now = NOW + 30 * DAY_MS
  const run = '00000000000000a2'
  const second = await startDesk({ bus, store, settings: REALTIME, now, run })
  assert.equal(await stamps(second), [NOW, NOW, now])
  assert.is(second.writer.engineTime, now)
  await second.writer.close()
})

test('a clock of a report that is none does not move engine time', async () => {
  const desk = await startDesk({ settings: HISTORICAL })
  desk.bus.bar(0)
  desk.bus.accepted(1, 1, Number.POSITIVE_INFINITY)
  desk.bus.accepted(2, 1, Number.MAX_VALUE)
  desk.bus.accepted(3, 1, Date.UTC(9999, 0, 1))
  desk.bus.bar(1)
  await until(() => desk.writer.idle)
  assert.is((await stamps(desk)).at(-1), ORIGIN + 2 * DAY_MS)
  await desk.writer.close()
})

test('engine time goes on where the book ends, although the wall clock is behind it', async () => {
  const first = await startDesk({ settings: REALTIME })
  first.bus.bar(0)
  await until(() => first.writer.idle)
  await first.writer.close()
  const { bus, store } = first
  const second = await startDesk({
    bus,
    store,
    settings: REALTIME,
    now: NOW - 3_600_000,
    run: '00000000000000a2',
  })
  bus.bar(1)
  await until(() => second.writer.idle)
  assertNeverDecreasing(await stamps(second))
  assert.is((await stamps(second)).at(-1), NOW)
  await second.writer.close()
})

/** Buys, then loses more than a percent of equity: the engine only closes until the day is over. */
async function losingDesk(feed: 'historical' | 'realtime'): Promise<Desk> {
  const desk = await startDesk({ settings: settings({ feed, risk: LOSING }) })
  const { bus, writer } = desk
  bus.bar(0, 100)
  bus.signal('s1', { qty: '50' })
  bus.accepted(1)
  bus.report('order.filled', {
    orderId: 1,
    clientOrderId: 'b1a2b3c4d5e6f708-1',
    symbol: 'A',
    brokerSequence: 2,
    occurredAt: formatTime(ORIGIN + DAY_MS),
    side: 'buy',
    qty: '50',
    price: '100',
    fee: '0',
    complete: true,
  })
  await until(() => writer.idle)
  bus.bar(1, 90)
  await until(() => writer.idle)
  assert.ok((await desk.types()).includes('timer.set'), 'the loss set a timer')
  return desk
}

test('a timer that is due is sequenced before the next input, at its own time', async () => {
  const desk = await losingDesk('historical')
  desk.bus.bar(4, 90)
  await until(() => desk.writer.idle)
  const events = await desk.events()
  const fired = events.findIndex(({ type }) => type === 'timer.fired')
  const bar = events.findLastIndex(({ type }) => type === 'market.bar')
  assert.ok(fired > 0 && fired < bar, 'timer.fired comes before the bar')
  assert.is(events[fired]?.at, ORIGIN + 2 * DAY_MS)
  assert.is(events[fired]?.because, null)
  assert.is(events[bar]?.at, ORIGIN + 5 * DAY_MS)
  assert.is(events.filter(({ type }) => type === 'timer.fired').length, 1)
  await desk.writer.close()
})

test('a timer does not fire for an input at its very moment', async () => {
  const desk = await losingDesk('historical')
  desk.bus.signal('s2')
  await until(() => desk.writer.idle)
  assert.not.ok((await desk.types()).includes('timer.fired'))
  await desk.writer.close()
})

test('in real time a timer fires although nothing comes in', async () => {
  const desk = await losingDesk('realtime')
  const { writer, clock } = desk
  const due = (Math.floor((NOW - 1) / DAY_MS) + 1) * DAY_MS
  await writer.close()
  // The next engine comes up 20 ms before the end of the day, and nothing else happens.
  const begun = Date.now()
  const next = await startDesk({
    store: desk.store,
    bus: new FakeBus(),
    settings: settings({ feed: 'realtime', risk: LOSING }),
    now: due - 20,
    run: '00000000000000a2',
  })
  next.clock.now = () => due - 20 + (Date.now() - begun)
  assert.ok(clock.time < due)
  await until(() => next.writer.position > writer.position + 1)
  const fired = (await next.events()).find(({ type }) => type === 'timer.fired')
  assert.is(fired?.at, due)
  await next.writer.close()
})

test('a timer that waits in real time does not fire after the writer was closed', async () => {
  const desk = await losingDesk('realtime')
  const due = (Math.floor((NOW - 1) / DAY_MS) + 1) * DAY_MS
  await desk.writer.close()
  const next = await startDesk({
    store: desk.store,
    bus: new FakeBus(),
    settings: settings({ feed: 'realtime', risk: LOSING }),
    now: due - 20,
    run: '00000000000000a2',
  })
  await next.writer.close()
  next.clock.time = due + 1000
  await new Promise((resolve) => setTimeout(resolve, 60))
  assert.not.ok((await next.types()).includes('timer.fired'))
})

test('a bar of an intraday timeframe moves engine time to its end', async () => {
  const desk = await startDesk({ settings: HISTORICAL })
  const body = barBody(0, { timeframe: '5m', time: '2013-05-13T14:30:00Z' })
  desk.bus.send('MARKET', 'md.bar.5m.A', body)
  await until(() => desk.writer.idle)
  assert.is((await stamps(desk)).at(-1), ORIGIN + 14 * 3_600_000 + 35 * 60_000)
  await desk.writer.close()
})

test.run()
