import { setImmediate as turn } from 'node:timers/promises'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { clientOrderId } from '../../engine/events/ids.ts'
import type { Executor } from './executor.ts'
import { BOOK, RUN, Scene, until } from './executor-fixture.ts'

const id = (orderId: number) => clientOrderId(BOOK, orderId)

/** A scene whose executor has a lease that can be taken away. */
class LeaseScene extends Scene {
  held = true
  looks = 0

  begin(): Executor {
    return this.start({
      lease: {
        valid: () => {
          this.looks++
          return this.held
        },
      },
    })
  }

  /** Until it has asked for its lease a few times more, in vain. */
  async waitsInVain(): Promise<void> {
    const enough = this.looks + 5
    await until(
      () => this.looks >= enough,
      () => 'it asks for its lease',
    )
    for (let i = 0; i < 20; i++) await turn()
  }
}

function scene(name: string, body: (s: LeaseScene) => Promise<void>): void {
  test(name, async () => {
    const s = new LeaseScene()
    try {
      await body(s)
    } finally {
      await s.close()
    }
  })
}

scene('without a lease nothing is sent; with one it goes on where it was', async (s) => {
  s.held = false
  const executor = s.begin()
  await s.intend(1)
  await s.waitsInVain()
  assert.equal(s.broker.submits, [])
  assert.ok(executor.position() < s.head, 'what waits is not done')
  s.held = true
  await s.settled(executor)
  assert.equal(s.broker.submits, [id(1)])
})

scene('without a lease nothing is given up either, however late or halted it is', async (s) => {
  s.held = false
  const executor = s.begin()
  await s.intend(1)
  await s.intend(2)
  await s.requestCancel(2)
  await s.halt()
  s.now = 5000
  await s.waitsInVain()
  assert.equal(s.reported(), [])
  s.held = true
  await s.settled(executor)
  assert.equal(s.broker.submits, [])
  assert.equal(new Set(s.codes()), new Set(['canceled', 'halted']))
})

scene('what somebody else did meanwhile is not done again', async (s) => {
  s.held = false
  const executor = s.begin()
  await s.intend(1)
  await s.waitsInVain()
  // As the engine that had the lease meanwhile would have it recorded.
  await s.append('order.accepted', {
    ...{ orderId: 1, clientOrderId: id(1), brokerSequence: 1, occurredAt: '1970-01-01T00:00:00Z' },
  } as never)
  s.held = true
  await until(
    () => executor.position() === s.head,
    () => 'it has seen the answer',
  )
  assert.equal(s.broker.submits, [])
  assert.equal(s.reported(), [])
})

scene('no cancellation is sent without a lease', async (s) => {
  s.broker.fills = false
  const executor = s.begin()
  await s.intend(1)
  await s.settled(executor)
  s.held = false
  await s.requestCancel(1)
  await s.waitsInVain()
  assert.equal(s.broker.cancels, [])
  s.held = true
  await s.settled(executor)
  assert.equal(s.broker.cancels, [id(1)])
})

scene('a lease that ends while the outcome is unknown ends the lookups', async (s) => {
  s.broker.fates = ['never arrives']
  s.broker.deafLookups = 2
  let lookups = 0
  const knows = s.broker.knows.bind(s.broker)
  s.broker.knows = async (clientOrderId) => {
    lookups++
    if (lookups === 2) s.held = false
    return knows(clientOrderId)
  }
  const executor = s.begin()
  await s.intend(1)
  await until(
    () => lookups === 2,
    () => 'it looks the order up',
  )
  await s.waitsInVain()
  assert.is(lookups, 2)
  assert.equal(s.broker.submits, [id(1)])
  s.held = true
  await s.settled(executor)
  assert.equal(s.broker.submits, [id(1), id(1)])
})

scene('a lease that ends before an order is called withheld leaves it to the next', async (s) => {
  await s.intend(1, 1000)
  s.now = 2000
  s.broker.knows = async () => {
    s.held = false
    return false
  }
  const executor = s.begin()
  await s.waitsInVain()
  assert.equal(s.reported(), [])
  s.broker.knows = async () => false
  s.held = true
  await s.settled(executor)
  assert.equal(s.codes(), ['too_late'])
})

scene('closed while it waits for its lease, it sends nothing', async (s) => {
  s.held = false
  const executor = s.begin()
  await s.intend(1)
  await s.waitsInVain()
  const closed = executor.close()
  s.held = true
  await closed
  assert.equal(s.broker.submits, [])
  assert.equal(s.reported(), [])
})

scene('what it finds out itself names its run, what the broker says does not', async (s) => {
  s.broker.fates = ['takes, answer lost']
  const executor = s.begin()
  await s.intend(1)
  await s.intend(2, 0)
  await s.settled(executor)
  const runs = s.bus.sent.map(({ type, run }) => `${type} ${run ?? 'any'}`)
  assert.ok(runs.includes(`order.outcome_unknown ${RUN}`))
  assert.ok(runs.includes(`order.withheld ${RUN}`))
  assert.ok(runs.includes('order.accepted any'))
  assert.ok(runs.includes('order.filled any'))
})

scene('a stream that refuses at once does not keep it from closing', async (s) => {
  let asked = 0
  s.bus.publish = () => {
    asked++
    // Far more often than it may try; then it rests, so that the test can tell.
    if (asked > 1000) return new Promise(() => undefined)
    return Promise.reject(new Error('stood down'))
  }
  const subscribe = s.store.subscribe.bind(s.store)
  s.store.subscribe = (stream, from, handler) => {
    const subscription = subscribe(stream, from, handler)
    const close = async (): Promise<void> => {
      await turn()
      await subscription.close()
    }
    return { done: subscription.done, close }
  }
  const executor = s.begin()
  await s.intend(1)
  await until(
    () => asked > 2,
    () => 'reports are refused',
  )
  const before = asked
  const closed = executor.close()
  for (let i = 0; i < 20; i++) await turn()
  assert.ok(asked <= before + 1, `${asked - before} attempts while it closes`)
  await closed
})

test.run()
