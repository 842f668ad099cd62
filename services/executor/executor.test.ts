import * as fc from 'fast-check'
import { setImmediate as turn } from 'node:timers/promises'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { clientOrderId } from '../../engine/events/ids.ts'
import type { Broker } from '../../engine/ports/broker.ts'
import type { Bus } from '../../engine/ports/bus.ts'
import type { EventStore } from '../../engine/ports/event-store.ts'
import type { Executor } from './executor.ts'
import { BOOK, type BrokerDouble, ReportsDouble, RUN, Scene, until } from './executor-fixture.ts'

const id = (orderId: number) => clientOrderId(BOOK, orderId)

/** Runs a test on a scene of its own, and closes it, also on failure. */
function scene(name: string, body: (s: Scene) => Promise<void>, writer = true): void {
  test(name, async () => {
    const s = new Scene(writer)
    try {
      await body(s)
    } finally {
      await s.close()
    }
  })
}

scene('an intent is sent, and what the broker says is published in order', async (s) => {
  const executor = s.start()
  await s.intend(1)
  await s.intend(2)
  await s.settled(executor)
  assert.equal(s.broker.submits, [id(1), id(2)])
  assert.equal(s.reported(), ['accepted 1', 'filled 1', 'accepted 2', 'filled 2'])
  assert.equal(
    s.bus.sent.map((m) => [m.id, m.sequence]),
    [1, 2, 3, 4].map((n) => [`${BOOK}-r${n}`, `${n}`]),
  )
  assert.is(executor.reportedThrough(), 4)
})

scene("a late intent is withheld, by the feed's time or by the book's", async (s) => {
  const executor = s.start()
  s.now = 1000
  await s.intend(1)
  await s.settled(executor)
  s.now = 0
  await s.append('timer.fired', { name: 't', dueAt: '1970-01-01T00:00:02Z' } as never, 2000)
  await s.intend(2, 2000)
  await s.settled(executor)
  assert.equal(s.codes(), ['too_late', 'too_late'])
  assert.equal(s.broker.submits, [])
  assert.equal(
    s.bus.sent.map((m) => m.id),
    [`${BOOK}-w1-${RUN}`, `${BOOK}-w2-${RUN}`],
  )
})

scene('a halt or cancel recorded while the executor was away is heeded at its start', async (s) => {
  await s.intend(1)
  await s.requestCancel(1)
  await s.intend(2)
  await s.halt()
  await s.intend(3)
  await s.settled(s.start())
  assert.equal(new Set(s.codes()), new Set(['canceled', 'halted']))
  assert.is(s.codes().length, 2)
  assert.equal(s.broker.submits, [id(3)])
  assert.ok(s.waits.includes(3), 'what an earlier run may have sent is looked up after a while')
})

scene('an unknown outcome that turns out known is not sent again', async (s) => {
  s.broker.fates = ['takes, answer lost']
  s.broker.deafLookups = 2
  const executor = s.start()
  await s.intend(1)
  await s.settled(executor)
  assert.equal(s.broker.submits, [id(1)])
  assert.equal([...s.reported()].sort(), ['accepted 1', 'filled 1', 'outcome_unknown 1'])
})

scene(
  'a lookup alone tells that an order landed, also while its reports are not recorded',
  async (s) => {
    s.broker.fates = ['takes, answer lost']
    const executor = s.start()
    await s.intend(1)
    await s.settled(executor)
    assert.equal(s.broker.submits, [id(1)])
    assert.equal(s.waits, [])
  },
  false,
)

scene('an unknown outcome that never arrived is sent once more under the same id', async (s) => {
  s.broker.fates = ['never arrives']
  const executor = s.start()
  await s.intend(1)
  await s.settled(executor)
  assert.equal(s.broker.submits, [id(1), id(1)])
  assert.is(s.broker.orders.size, 1)
  assert.equal(s.reported(), ['outcome_unknown 1', 'accepted 1', 'filled 1'])
  assert.is(s.bus.sent[0]?.id, `${BOOK}-u1-1-${RUN}`)
})

scene('tries go on with growing waits, numbered, until the broker is back', async (s) => {
  s.broker.fates = Array(6).fill('never arrives')
  const executor = s.start()
  await s.intend(1)
  await s.settled(executor)
  assert.is(s.broker.submits.length, 7)
  assert.equal(s.waits, [10, 20, 40, 80, 100, 100])
  const attempts = s.bus.sent.flatMap(({ type, data }) =>
    type === 'order.outcome_unknown' ? [data.attempt] : [],
  )
  assert.equal(attempts, [1, 2, 3, 4, 5, 6])
})

test('the jitter spreads the waits both ways', async () => {
  for (const [random, wait] of [
    [0, 9],
    [1, 11],
  ] as const) {
    const s = new Scene()
    s.broker.fates = ['never arrives']
    const executor = s.start({ random: () => random })
    await s.intend(1)
    await s.settled(executor)
    await s.close()
    assert.equal(s.waits, [wait])
  }
})

scene(
  'an order that became too late between tries is looked up once more and withheld',
  async (s) => {
    s.broker.fates = ['never arrives', 'takes']
    s.onWait = () => {
      s.now = 5000
    }
    const executor = s.start()
    await s.intend(1)
    await s.settled(executor)
    assert.equal(s.reported(), ['outcome_unknown 1', 'withheld 1'])
    assert.equal(s.codes(), ['too_late'])
    assert.equal(s.waits, [10, 3])
  },
)

scene('a request that arrives after all while it is given up is not called withheld', async (s) => {
  s.broker.fates = ['never arrives']
  const executor = s.start()
  s.onWait = async (ms) => {
    s.now = 5000
    // The lost request reaches the broker during the last wait.
    if (ms === 3) await s.broker.submit({ ...ORDER, clientOrderId: id(1) })
  }
  await s.intend(1)
  await s.settled(executor)
  assert.equal(s.reported(), ['outcome_unknown 1', 'accepted 1', 'filled 1'])
})

scene('a cancel overtakes the tries of its order: it is not sent again', async (s) => {
  s.broker.fates = ['never arrives']
  let release = () => {}
  const executor = s.start({
    sleep: (ms, signal) =>
      new Promise((resolve) => {
        s.waits.push(ms)
        if (ms === 3 || signal.aborted) return resolve()
        release = resolve
        signal.addEventListener('abort', () => resolve())
      }),
  })
  await s.intend(1)
  await until(
    () => s.waits.length === 1,
    () => 'the wait before the second try',
  )
  await s.requestCancel(1)
  await s.settled(executor)
  release()
  assert.equal(s.broker.submits, [id(1)])
  assert.equal(s.codes(), ['canceled'])
})

scene('a cancel of an order whose answer was lost reaches the broker', async (s) => {
  s.broker.fills = false
  s.broker.fates = ['takes, answer lost']
  s.broker.onSubmit = () => void s.requestCancel(1)
  const executor = s.start()
  await s.intend(1)
  await until(
    () => s.reported().includes('canceled 1'),
    () => 'the cancellation',
  )
  await s.settled(executor)
  assert.equal(s.broker.submits, [id(1)])
  assert.equal(s.broker.cancels, [id(1)])
})

scene('a cancel goes to the broker until it is answered', async (s) => {
  s.broker.fills = false
  s.broker.deafCancels = 2
  const executor = s.start()
  await s.intend(1)
  await s.settled(executor)
  await s.requestCancel(1)
  await s.requestCancel(1)
  await s.settled(executor)
  assert.equal(s.reported(), ['accepted 1', 'canceled 1'])
  assert.equal(s.broker.cancels, [id(1)])
  assert.is(s.log.length, 2)
})

scene('a cancel nobody had sent is sent by the next start', async (s) => {
  s.broker.fills = false
  const first = s.start()
  await s.intend(1)
  await s.settled(first)
  await first.close()
  await s.requestCancel(1)
  await s.settled(s.start())
  assert.equal(s.broker.cancels, [id(1)])
  assert.equal(s.reported(), ['accepted 1', 'canceled 1'])
})

scene('reports wait for the server and lose nothing', async (s) => {
  s.bus.refusals = [true, true, true, false, true]
  const executor = s.start()
  await s.intend(1)
  await s.intend(2)
  await s.settled(executor)
  assert.equal(
    s.bus.sent.map((m) => m.sequence),
    ['1', '2', '3', '4'],
  )
  assert.ok(s.log.length >= 3)
})

scene('what was not published before a stop is published by the next start', async (s) => {
  s.bus.refusals = Array(1000).fill(true)
  const first = s.start()
  await s.intend(1)
  await until(
    () => s.log.length > 2,
    () => 'failures',
  )
  assert.is(first.reportedThrough(), 0)
  assert.is(s.broker.orders.size, 1)
  await first.close()
  s.bus.refusals = []
  const second = s.start()
  await s.settled(second)
  assert.equal(s.reported(), ['accepted 1', 'filled 1'])
  assert.is(s.broker.orders.size, 1)
})

scene('a start publishes only what the book lacks', async (s) => {
  const first = s.start()
  await s.intend(1)
  await s.settled(first)
  await first.close()
  const second = s.start()
  await s.intend(2)
  await s.settled(second)
  assert.equal(
    s.bus.asked,
    [1, 2, 3, 4].map((n) => `${BOOK}-r${n}`),
  )
})

scene('a position counts as done only when its order was answered for', async (s) => {
  s.broker.fates = Array(3).fill('never arrives')
  const seen: number[] = []
  const executor = s.start()
  s.onWait = () => void seen.push(executor.position())
  assert.is(executor.position(), -1)
  await s.append('timer.fired', { name: 't', dueAt: 'x' } as never)
  await s.intend(1)
  await s.settled(executor)
  assert.equal(seen, [0, 0, 0])
})

scene('a store that fails ends the executor, and says so', async (s) => {
  const store = {
    head: () => s.store.head('book'),
    subscribe: () => ({ close: async () => undefined, done: Promise.reject(new Error('disk')) }),
  } as unknown as EventStore
  const executor = s.start({ store })
  let reason: unknown
  await executor.done.catch((error: unknown) => {
    reason = error
  })
  assert.match(String(reason), /disk/)
  assert.match(s.log.join(), /lost the book/)
})

scene('closing ends the waits and leaves the order to the next start', async (s) => {
  s.broker.fates = ['never arrives', 'never arrives']
  const first = s.start({
    sleep: (_ms, signal) =>
      new Promise((resolve) => {
        s.waits.push(_ms)
        signal.addEventListener('abort', () => resolve())
      }),
  })
  await s.intend(1)
  await until(
    () => s.waits.length === 1,
    () => 'the wait',
  )
  await first.close()
  assert.equal(s.codes(), [])
  const second = s.start()
  await s.settled(second)
  assert.is(s.broker.orders.size, 1)
  const unknown = s.bus.sent
    .filter((m) => m.type === 'order.outcome_unknown')
    .map((m) => m.data.attempt)
  assert.equal(unknown, [1, 2])
})

const ORDER = {
  ...{ clientOrderId: '', orderId: 1, symbol: 'AAPL', side: 'buy', type: 'market' },
  ...{ qty: '1', timeInForce: 'gtc' },
} as Parameters<Broker['submit']>[0]

/** An executor's view of the world that dies at its n-th call, before or after the call takes effect. */
function mortal(
  s: Scene,
  at: number,
  after: boolean,
): { broker: Broker; bus: Bus; dead: () => boolean } {
  let calls = 0
  let dead = false
  const live = async <T>(call: () => Promise<T>): Promise<T> => {
    if (dead) return new Promise(() => undefined)
    if (++calls === at) {
      dead = true
      if (after) void call().catch(() => undefined)
      return new Promise(() => undefined)
    }
    const result = await call()
    return dead ? new Promise(() => undefined) : result
  }
  return {
    dead: () => dead,
    bus: {
      publish: (...args) => live(() => s.bus.publish(...args)),
      consume: () => s.bus.consume(),
    },
    broker: {
      submit: (order) => live(() => s.broker.submit(order)),
      cancel: (order) => live(() => s.broker.cancel(order)),
      knows: (order) => live(() => s.broker.knows(order)),
      lastSequence: () => s.broker.lastSequence(),
      reports: (from, handler) => s.broker.reports(from, (report) => dead || handler(report)),
    },
  }
}

test('killed at any call and started again: one order each, every report in order', async () => {
  let deaths = 0
  for (const after of [false, true]) {
    for (let at = 1; at <= 16; at++) {
      const s = new Scene()
      try {
        s.broker.fates = ['takes', 'never arrives', 'takes, answer lost']
        const world = mortal(s, at, after)
        const first = s.start({ broker: world.broker, bus: world.bus })
        for (const orderId of [1, 2, 3]) await s.intend(orderId)
        const settled = () => first.position() === s.head && first.reportedThrough() === 6
        await until(
          () => world.dead() || settled(),
          () => `death at ${at}`,
        )
        if (world.dead()) deaths++
        for (let i = 0; i < 5; i++) await turn()
        const second = s.start()
        await s.settled(second)
        assert.equal([...s.broker.orders.keys()].sort(), [id(1), id(2), id(3)], `${at} ${after}`)
        const sequences = s.bus.sent.flatMap(({ sequence }) => sequence ?? [])
        assert.equal(sequences, ['1', '2', '3', '4', '5', '6'], `${at} ${after}`)
        assert.equal(s.codes(), [])
        // A dead process answers nothing, so it cannot be waited for.
        first.close().catch(() => undefined)
        await second.close()
      } finally {
        await s.store.close()
      }
    }
  }
  assert.ok(deaths >= 16, `${deaths} deaths`)
})

test('property: never two orders, never one sent after its halt, cancel or time', async () => {
  type Act = 'intend' | 'halt' | 'cancel' | 'tick' | 'restart' | 'wait'
  const acts = fc.array(
    fc.constantFrom<Act>('intend', 'intend', 'halt', 'cancel', 'tick', 'restart', 'wait'),
    { maxLength: 16 },
  )
  const fates = fc.array(
    fc.constantFrom('takes', 'takes, answer lost', 'never arrives') as fc.Arbitrary<
      BrokerDouble['fates'][number]
    >,
    { maxLength: 12 },
  )
  const refusals = fc.array(fc.boolean(), { maxLength: 12 })
  let sent = 0
  let withheld = 0
  await fc.assert(
    fc.asyncProperty(
      acts,
      fates,
      refusals,
      fc.nat(3),
      async (list, fateList, refusalList, deaf) => {
        const s = new Scene()
        try {
          s.broker.fates = [...fateList]
          s.bus.refusals = [...refusalList]
          s.broker.deafLookups = deaf
          const forbidden = new Set<number>()
          const wrong: string[] = []
          s.broker.onSubmit = ({ orderId }) => {
            if (forbidden.has(orderId)) wrong.push(`order ${orderId} sent`)
            if (s.now >= 1000 * orderId) wrong.push(`order ${orderId} late`)
          }
          // What the executor has read forbids; what it has not yet read cannot.
          const intents: number[] = []
          s.onPage = (page) => {
            for (const { type, body } of page) {
              const { data } = JSON.parse(body) as { data: { orderId: number } }
              if (type === 'order.intended') intents.push(data.orderId)
              if (type === 'order.cancel_requested') forbidden.add(data.orderId)
              if (type === 'control.received') for (const n of intents) forbidden.add(n)
            }
          }
          let executor: Executor = s.start()
          let orderId = 0
          for (const act of list) {
            if (act === 'intend') await s.intend(++orderId, 1000 * orderId)
            else if (act === 'tick') s.now += 700
            else if (act === 'wait') for (let i = 0; i < 4; i++) await turn()
            else if (act === 'restart') {
              await executor.close()
              intents.length = 0
              executor = s.start()
            } else if (act === 'halt' || orderId > 0) {
              await (act === 'halt' ? s.halt() : s.requestCancel(orderId))
            }
          }
          await s.settled(executor)
          assert.equal(wrong, [])
          const ids = s.broker.said.filter((r) => r.kind === 'accepted').map((r) => r.orderId)
          assert.is(new Set(ids).size, ids.length)
          const kept = s.bus.sent.flatMap(({ type, data }) =>
            type === 'order.withheld' ? [data.orderId as number] : [],
          )
          assert.is(new Set(kept).size, kept.length)
          for (let n = 1; n <= orderId; n++)
            assert.is(ids.includes(n) !== kept.includes(n), true, `order ${n}`)
          const sequences = s.bus.sent.flatMap(({ sequence }) =>
            sequence === undefined ? [] : [Number(sequence)],
          )
          assert.equal(
            sequences,
            s.broker.said.map((r) => r.sequence),
          )
          sent += ids.length
          withheld += kept.length
        } finally {
          await s.close()
        }
      },
    ),
    { numRuns: 200 },
  )
  assert.ok(sent > 50 && withheld > 50, `${sent} sent, ${withheld} withheld`)
})

test('the double of the stream refuses what the schema does not allow', async () => {
  const bus = new ReportsDouble()
  let error: unknown
  await bus
    .publish('reports.main', '{"type":"order.filled","version":1,"data":{}}', { id: 'x' })
    .catch((e: unknown) => {
      error = e
    })
  assert.match(String(error), /must be given/)
})

test.run()
