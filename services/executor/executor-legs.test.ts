import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { clientOrderId } from '../../engine/events/ids.ts'
import { type Broker, OutcomeUnknown, type Replacement } from '../../engine/ports/broker.ts'
import { formatTime } from '../../engine/time.ts'
import type { EventData, OrderIntended } from '../../schemas/types.gen.ts'
import { BOOK, Scene, until } from './executor-fixture.ts'
import { foldEvent, isWhole, legsOf, noIntents } from './intents.ts'

const id = (orderId: number) => clientOrderId(BOOK, orderId)

function intent(orderId: number, more: Partial<OrderIntended> = {}): OrderIntended {
  return {
    ...{ orderId, signalId: 's', symbol: 'AAPL', side: 'buy', type: 'market', qty: '1' },
    ...{ timeInForce: 'gtc', notAfter: formatTime(1000) },
    ...more,
  } as OrderIntended
}

const ENTRY = intent(1, { orderClass: 'bracket', legs: [2, 3] })
const EXITS = [
  intent(2, { side: 'sell', type: 'limit', limitPrice: '12', parentId: 1, role: 'take_profit' }),
  intent(3, { side: 'sell', type: 'stop', stopPrice: '8', parentId: 1, role: 'stop_loss' }),
]

async function bracket(s: Scene): Promise<void> {
  await s.append('order.intended', ENTRY)
  for (const exit of EXITS) await s.append('order.intended', exit)
}

function scene(name: string, body: (s: Scene) => Promise<void>): void {
  test(name, async () => {
    const s = new Scene()
    try {
      await body(s)
    } finally {
      await s.close()
    }
  })
}

scene('an entry goes to the broker once, with its exits, which are never sent alone', async (s) => {
  const executor = s.start()
  await bracket(s)
  await s.settled(executor)
  assert.equal(s.broker.submits, [id(1)])
  const sent = s.broker.orders.get(id(1))!
  assert.is(sent.orderClass, 'bracket')
  assert.equal(
    sent.legs?.map(({ clientOrderId: leg, type, side }) => [leg, type, side]),
    [
      [id(2), 'limit', 'sell'],
      [id(3), 'stop', 'sell'],
    ],
  )
})

scene(
  'an entry found at start is sent with its exits too, and only once after an unknown outcome',
  async (s) => {
    await bracket(s)
    s.broker.fates = ['never arrives', 'takes, answer lost']
    await s.settled(s.start())
    assert.equal(s.broker.submits, [id(1), id(1)])
    assert.is(s.broker.orders.get(id(1))!.legs?.length, 2)
  },
)

scene(
  'an entry that is withheld takes its exits along: one report, and nothing is sent',
  async (s) => {
    await bracket(s)
    await s.halt()
    const executor = s.start()
    await s.settled(executor)
    assert.equal(s.reported(), ['withheld 1'])
    assert.equal(s.broker.submits, [])
    // A cancel of an exit that never was has nowhere to go.
    await s.requestCancel(2)
    await s.settled(executor)
    assert.equal(s.broker.cancels, [])
  },
)

scene(
  'an exit is canceled once its entry is at the broker, and again after a refusal',
  async (s) => {
    s.broker.fills = false
    await bracket(s)
    await s.requestCancel(2)
    const executor = s.start()
    await until(
      () => s.broker.cancels.length === 1,
      () => 'the cancellation',
    )
    assert.equal(s.broker.cancels, [id(2)])
    assert.equal(s.broker.submits, [id(1)], 'the entry went first')
    const common = { orderId: 2, clientOrderId: id(2), symbol: 'AAPL', brokerSequence: 2 }
    const why = { occurredAt: formatTime(0), code: 'c', reason: 'r' }
    await s.append('order.cancel_rejected', { ...common, ...why })
    await s.requestCancel(2)
    await until(
      () => s.broker.cancels.length === 2,
      () => 'the second cancellation',
    )
    await until(
      () => executor.position() === s.head,
      () => 'the end',
    )
  },
)

/** A broker that can replace, and remembers how it was asked. */
function replacing(s: Scene, fates: ('takes' | 'lost')[] = []): [string, Replacement][] {
  const asked: [string, Replacement][] = []
  const broker = s.broker as Broker
  broker.replace = async (original, by) => {
    asked.push([original, by])
    if ((fates.shift() ?? 'takes') === 'lost') throw new OutcomeUnknown('no answer')
  }
  return asked
}

const REPLACEMENT = intent(2, { replaces: 1, type: 'limit', qty: '5', limitPrice: '11' })

async function limit(s: Scene): Promise<void> {
  s.broker.fills = false
  await s.append('order.intended', intent(1, { type: 'limit', limitPrice: '10' }))
}

scene('a replacement asks for what differs, under an id of its own', async (s) => {
  const asked = replacing(s)
  const executor = s.start()
  await limit(s)
  await s.settled(executor)
  await s.append('order.replace_requested', {
    orderId: 1,
    replacedBy: 2,
    signalId: 'k',
    source: 'x',
  })
  await s.append('order.intended', REPLACEMENT)
  await s.settled(executor)
  assert.equal(asked, [[id(1), { clientOrderId: id(2), orderId: 2, qty: '5', limitPrice: '11' }]])
  assert.equal(s.broker.submits, [id(1)])
})

scene(
  'a replacement without an answer is looked up by its own id, then asked for again',
  async (s) => {
    const asked = replacing(s, ['lost', 'takes'])
    const executor = s.start()
    await limit(s)
    await s.settled(executor)
    await s.append('order.intended', REPLACEMENT)
    await s.settled(executor)
    assert.is(asked.length, 2)
    assert.ok(s.reported().includes('outcome_unknown 2'))
  },
)

scene(
  'a replacement of an order that is over, or by a broker that cannot, is withheld',
  async (s) => {
    const executor = s.start()
    await limit(s)
    await s.settled(executor)
    await s.append('order.intended', REPLACEMENT)
    await s.settled(executor)
    assert.equal(s.codes(), ['unsupported'])
    const asked = replacing(s)
    const common = { orderId: 1, clientOrderId: id(1), symbol: 'AAPL', brokerSequence: 2 }
    const why = { occurredAt: formatTime(0), code: 'c', reason: 'r' }
    await s.append('order.expired', { ...common, ...why })
    await s.append('order.intended', intent(3, { replaces: 1 }))
    await until(
      () => s.codes().length === 2,
      () => 'the second refusal',
    )
    assert.equal(s.codes(), ['unsupported', 'original_ended'])
    assert.equal(asked, [])
  },
)

type Typed = { [T in keyof EventData]: { type: T; data: EventData[T] } }[keyof EventData]

test('an entry waits for the exits that the next page of the book holds', () => {
  const state = noIntents()
  let position = 0
  const fold = (event: Typed) =>
    foldEvent(state, {
      ...{ id: '', version: 1, at: 0, recordedAt: 0, step: 0, because: null },
      ...{ ...event, position: position++ },
    })
  const entry = fold({ type: 'order.intended', data: ENTRY })!
  assert.not.ok(isWhole(entry))
  assert.is(fold({ type: 'order.intended', data: EXITS[0]! }), entry)
  assert.not.ok(isWhole(entry))
  assert.is(fold({ type: 'order.intended', data: EXITS[1]! }), entry)
  assert.ok(isWhole(entry))
  assert.equal(legsOf(entry), EXITS)
  const charge = { amount: '1', code: 'c', reason: 'r', occurredAt: formatTime(0) }
  fold({ type: 'account.charged', data: { ...charge, brokerSequence: 7 } })
  assert.is(state.brokerSequence, 7)
})

test.run()
