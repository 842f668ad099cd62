import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { setTimeout as sleep } from 'node:timers/promises'
import { MAX_APPEND_BYTES } from '../../engine/ports/event-store.ts'
import { BOOK_ID, settings } from '../../engine/testing/fixtures.ts'
import { DAY_MS } from '../../engine/time.ts'
import { INPUT_STREAMS } from './input-queues.ts'
import {
  barBody,
  type Desk,
  FakeBus,
  FaultyStore,
  NOW,
  openDesk,
  rejection,
  settle,
  startDesk,
  until,
} from './writer-fixture.ts'

const count = async (desk: Desk, type: string) =>
  (await desk.types()).filter((found) => found === type).length

/** The writer lives, and takes what comes next. */
async function assertAlive(desk: Desk, bar: number): Promise<void> {
  desk.bus.bar(bar)
  await until(() => desk.writer.idle || !desk.writer.running)
  assert.ok(desk.writer.running, 'the writer stopped')
  const last = (await desk.events()).findLast(({ type }) => type === 'market.bar')
  assert.is((last?.data as { time: string }).time, barBody(bar).time)
}

test('prices below half a nano, wherever they come, stop nothing', async () => {
  const desk = await startDesk()
  const { bus, writer } = desk
  const tiny = '0.0000000001'
  bus.bar(0)
  bus.send('MARKET', 'md.bar.1d.A', barBody(1, { low: tiny }))
  bus.send('MARKET', 'md.bar.1d.B', barBody(1, { symbol: 'B', close: tiny }))
  const priced = [{ limitPrice: tiny }, { stopPrice: tiny }]
  const sized = [{ qty: '1' }, { qty: 'all' }, { qty: undefined, notional: '100' }]
  for (const symbol of ['A', 'B']) {
    for (const price of priced) {
      for (const size of sized) {
        bus.signal(`${JSON.stringify([symbol, price, size])}`, { symbol, ...price, ...size })
      }
    }
  }
  await until(() => writer.idle || !writer.running)
  await assertAlive(desk, 2)
  const verdicts = (await desk.events()).filter(({ type }) => type === 'risk.verdict')
  assert.is(verdicts.length, 12, 'each signal has its verdict')
  for (const { data } of verdicts) assert.is((data as { verdict: string }).verdict, 'denied')
  assert.is(await count(desk, 'input.refused'), 2, 'both bars are refused')
  await writer.close()
})

test('an intent that comes over the stream of reports is refused: no order goes past risk', async () => {
  const desk = await startDesk()
  desk.bus.bar(0)
  const order = { symbol: 'A', side: 'buy', type: 'market', qty: '1', timeInForce: 'gtc' }
  const data = {
    orderId: 1,
    clientOrderId: `${BOOK_ID}-1`,
    signalId: 's',
    notAfter: null,
    ...order,
  }
  for (const type of ['order.intended', 'order.cancel_requested', 'risk.verdict', 'book.created']) {
    desk.bus.send('REPORTS', 'reports.x', { type, version: 1, data })
  }
  await until(() => desk.writer.idle)
  assert.equal((await desk.types()).slice(3), [
    'input.refused',
    'input.refused',
    'input.refused',
    'input.refused',
  ])
  await until(() => desk.dead.length === 4)
  for (const { code } of desk.dead) assert.is(code, 'invalid_report')
  await assertAlive(desk, 1)
  await desk.writer.close()
})

test('a trade behind a bar is acknowledged only when the bar is in the book', async () => {
  const { bus, store, writer } = await startDesk()
  store.hold()
  bus.bar(0)
  bus.send('MARKET', 'md.trade.A', {})
  await settle()
  assert.equal(bus.acks, [], 'it would have covered the bar')
  assert.is(writer.idle, false)
  store.release()
  await until(() => writer.idle)
  assert.equal(bus.acks, ['MARKET 2'], 'which covers the bar, now that it is in the book')
  await writer.close()
})

test('a repeat that comes during an append is acknowledged after it, without another input', async () => {
  const { bus, store, writer } = await startDesk()
  bus.signal('s1')
  await until(() => writer.idle)
  store.hold()
  bus.signal('s2')
  await settle()
  bus.signal('s1')
  await settle()
  assert.equal(bus.acks, ['INBOX 1'])
  assert.is(writer.idle, false)
  store.release()
  await until(() => writer.idle)
  assert.equal(bus.acks, ['INBOX 1', 'INBOX 3'])
  assert.is(store.appends.length, 3, 'nothing was appended for it')
  await writer.close()
})

test('controls are known by action and id: resume "1" and halt "1" both take effect', async () => {
  const desk = await startDesk()
  const { bus, writer } = desk
  bus.control('halt', '0')
  bus.control('resume', '1')
  bus.control('halt', '1')
  bus.control('halt', '1')
  await until(() => writer.idle)
  const states = (await desk.events()).filter(({ type }) => type === 'risk.state_changed')
  assert.equal(
    states.map(({ data }) => (data as { to: string }).to),
    ['HALTED', 'ACTIVE', 'HALTED'],
  )
  assert.is(await count(desk, 'control.received'), 3)
  assert.is(bus.acked.INBOX, 4)
  await writer.close()
})

test('two controls without a usable id are two', async () => {
  const desk = await startDesk()
  for (const id of ['', 'x'.repeat(129)]) {
    desk.bus.control('halt', id)
    desk.bus.control('halt', id)
  }
  await until(() => desk.writer.idle)
  assert.is(await count(desk, 'control.received'), 4)
  await desk.writer.close()
})

test('the same id eight days later is another signal, also after a restart', async () => {
  const desk = await startDesk()
  const { bus, store } = desk
  bus.signal('s1', {}, NOW)
  bus.signal('s1', {}, NOW + 6 * DAY_MS)
  await until(() => desk.writer.idle)
  assert.is(await count(desk, 'signal.received'), 1)
  await desk.writer.close()
  const next = await startDesk({ bus, store, run: '00000000000000a2', now: NOW + 8 * DAY_MS })
  bus.signal('s1', {}, NOW + 8 * DAY_MS)
  await until(() => next.writer.idle)
  assert.is(await count(next, 'signal.received'), 2)
  assert.is(bus.acked.INBOX, 3)
  await next.writer.close()
})

test('a bar and its correction, both delivered again after a restart, are nothing new', async () => {
  const desk = await startDesk()
  const { bus, store } = desk
  bus.bar(0, 100)
  bus.bar(0, 99)
  bus.bar(0, 98)
  await until(() => desk.writer.idle)
  await desk.writer.close()
  bus.acked.MARKET = 0
  const next = await startDesk({ bus, store, run: '00000000000000a2' })
  await until(() => next.writer.idle)
  assert.is(await count(next, 'market.bar'), 3)
  assert.is(bus.acked.MARKET, 3)
  await next.writer.close()
})

/** Buys of one symbol that rest, each an order that is open. */
async function openOrders(desk: Desk, orders: number): Promise<void> {
  desk.bus.bar(0)
  for (let n = 0; n < orders; n++) desk.bus.signal(`o${n}`, { limitPrice: '1', qty: '1' })
  await until(() => desk.writer.idle || !desk.writer.running)
  assert.is(await count(desk, 'order.intended'), orders)
}

const cancels = async (desk: Desk) =>
  (await desk.events())
    .filter(({ type }) => type === 'order.cancel_requested')
    .map(({ data }) => (data as { orderId: number }).orderId)

/** Bytes of the largest step of the book. */
async function largestStep(desk: Desk): Promise<number> {
  const sizes = new Map<number, number>()
  const steps = new Map((await desk.events()).map(({ position, step }) => [position, step]))
  for await (const page of desk.store.read('account-test', 0)) {
    for (const { position, body } of page) {
      const step = steps.get(position)!
      sizes.set(step, (sizes.get(step) ?? 0) + Buffer.byteLength(body))
    }
  }
  return Math.max(...sizes.values())
}

for (const [name, sign] of [
  ['plain', 'x'],
  ['wide', '語'],
  ['escaped', '\u0001'],
] as const) {
  test(`600 orders are cancelled over several steps, each of which fits: a reason of ${name} characters`, async () => {
    const desk = await startDesk({ settings: settings({ exchange: { cash: '100000' } }) })
    await openOrders(desk, 600)
    desk.bus.control('cancel-all', 'c1', sign.repeat(1000))
    for (let n = 1; n <= 3; n++) desk.bus.bar(n)
    await until(() => desk.writer.idle || !desk.writer.running)
    assert.ok(desk.writer.running)
    const ids = await cancels(desk)
    assert.is(ids.length, 600, 'each once')
    assert.is(new Set(ids).size, 600)
    const requests = (await desk.events()).filter(({ type }) => type === 'order.cancel_requested')
    const steps = new Set(requests.map(({ step }) => step))
    assert.is(steps.size, 3)
    assert.ok((await largestStep(desk)) < MAX_APPEND_BYTES)
    await desk.writer.close()
  })
}

test('a report that was refused leaves a gap: after ten seconds the writer says what it waits for', async () => {
  let look = (): void => {}
  const { setInterval } = globalThis
  globalThis.setInterval = ((callback: () => void, ms: number) => {
    look = callback
    return setInterval(callback, ms)
  }) as typeof setInterval
  const desk = await startDesk().finally(() => {
    globalThis.setInterval = setInterval
  })
  const { bus, writer, clock, lines } = desk
  bus.accepted(1)
  bus.report('order.accepted', { orderId: 'two', brokerSequence: 2 } as never)
  bus.accepted(3)
  await settle()
  assert.is(await count(desk, 'order.accepted'), 1)
  assert.is(await count(desk, 'input.refused'), 1)
  clock.time = NOW + 10_000
  look()
  assert.is(writer.stalled, null)
  clock.time = NOW + 10_001
  look()
  const words = 'REPORTS 3 waits for broker report 2; the book has them up to 1'
  assert.is(writer.stalled, words)
  clock.time += 5000
  look()
  assert.is(lines.filter((line) => line.includes(words)).length, 1, 'it is logged once')
  // Reports are taken in the order of their stream: only what stands before it can fill the gap.
  bus.control('halt', 'c1')
  await settle()
  assert.is(await count(desk, 'control.received'), 1, 'operators are heard all the same')
  await writer.close()
})

test('a halt does not wait for the dead letters of 200 refused signals', async () => {
  let kept = 0
  const order: number[] = []
  const desk = await startDesk({
    deadLetter: async ({ sequence }) => {
      await sleep(sequence % 2 === 0 ? 1 : 6)
      order.push(sequence)
      kept++
    },
  })
  for (let n = 0; n < 200; n++) desk.bus.signal(`s${n}`, { side: 'sideways' })
  desk.bus.control('halt', 'c1')
  await until(() => desk.writer.idle)
  assert.ok(kept < 100, `${kept} dead letters were kept before the halt`)
  assert.ok((await desk.types()).includes('risk.state_changed'))
  assert.is(desk.bus.acked.INBOX, 201)
  await desk.writer.close()
  assert.is(kept, 200, 'close waits for them')
  assert.equal(
    order,
    Array.from({ length: 200 }, (_, n) => n + 1),
  )
})

test('an acknowledgement that throws after an append stops the writer, with its error', async () => {
  const { bus, store, writer } = await startDesk()
  store.hold()
  bus.bar(0)
  await settle()
  bus.ackError = new RangeError('message 1 was not delivered')
  store.release()
  assert.match((await rejection(writer.done)).message, 'was not delivered')
  assert.is(writer.running, false)
  assert.equal(bus.stopped.sort(), ['INBOX', 'MARKET', 'REPORTS'])
  await writer.close()
})

test('close during start ends, and what comes then waits for the next engine', async () => {
  for (const stream of INPUT_STREAMS) {
    const bus = new FakeBus()
    let go = (): void => {}
    bus.slow = {
      stream,
      until: new Promise((resolve) => {
        go = resolve
      }),
    }
    bus.bar(0)
    bus.signal('s1')
    bus.accepted(1)
    const desk = await openDesk({ bus })
    const starting = desk.writer.start()
    await settle()
    const closing = desk.writer.close()
    go()
    await Promise.all([starting, closing])
    await desk.writer.done
    await settle()
    assert.is(desk.writer.running, false)
    assert.equal(bus.acks, [])
    const recorded = await desk.types()
    bus.bar(1)
    await settle()
    assert.equal(await desk.types(), recorded)
    const begun = INPUT_STREAMS.slice(0, INPUT_STREAMS.indexOf(stream) + 1)
    assert.equal([...new Set(bus.stopped)].sort(), [...begun].sort(), 'what began was stopped')
  }
})

test('close while the first append is under way ends when it is in the book', async () => {
  const store = new FaultyStore()
  store.hold()
  const desk = await openDesk({ store })
  const starting = desk.writer.start()
  await settle()
  const closing = desk.writer.close()
  store.release()
  await Promise.all([starting, closing])
  assert.equal(await desk.types(), ['book.created', 'engine.started'])
})

test('close gives a store that fails three tries more, and then ends with the error', async () => {
  const desk = await startDesk()
  desk.store.faults.push(...Array.from({ length: 20 }, () => 'fail' as const))
  desk.bus.bar(0)
  await settle()
  await desk.writer.close()
  assert.match((await rejection(desk.writer.done)).message, 'the disk is full')
  assert.ok(desk.store.appends.length <= 2 + 5, `${desk.store.appends.length} appends`)
  assert.equal(desk.bus.acks, [])
})

test.run()
