import * as fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { OrderIntended } from '../../schemas/types.gen.ts'
import { add, format, fromNumber, ONE, sub, toNumber } from '../decimal.ts'
import { history, play } from '../testing/arbitraries.ts'
import { bar, control, fill, type Input, opened, report, signal } from '../testing/fixtures.ts'
import { Given, given } from '../testing/given.ts'
import type { Order } from '../trading/order-state.ts'
import { TRANSITIONS } from '../trading/transitions.ts'

/** 100 A held at 100. */
const HELD: Input[] = [bar('A', 0, 100), signal(0, { qty: '100' }), fill(0, 1, 'buy', '100', '100')]
const STOP = signal(0, {
  signalId: 'p',
  side: 'close',
  orderType: 'stop',
  stopPrice: '90',
})
const ENTRY = signal(0, {
  signalId: 'e',
  qty: '7',
  orderType: 'limit',
  limitPrice: '90',
})

/** 100 A held, a stop for all of it as order 2, and a flatten that has asked for its cancellation. */
function flattening(): Given {
  const chain = given(...opened(), ...HELD, STOP)
  chain.when(control(0, 'flatten')).leadsTo(['order.cancel_requested', { orderId: 2 }])
  return chain
}

function held(chain: Given, symbol = 'A'): string {
  return format(chain.table.portfolio.holdings.get(symbol)?.qty ?? fromNumber(0))
}

test('a resting exit is cancelled first; once that is reported, what is held is closed', () => {
  const chain = flattening()
  chain.when(report(0, 2, 'canceled')).leadsTo(
    [
      'risk.verdict',
      {
        verdict: 'approved',
        code: 'flatten',
        signalId: 'k1:A',
        orderIds: [3],
      },
    ],
    ['order.intended', { orderId: 3, side: 'sell', type: 'market', qty: '100' }],
  )
  chain.when(fill(0, 3, 'sell', '100', '99')).leadsTo()
  assert.is(held(chain), '0')
  assert.is(chain.table.risk.flattening.size, 0)
})

test('an exit that ends in any other way is followed by the close as well', () => {
  for (const kind of ['expired', 'rejected', 'withheld'] as const) {
    const outcome = flattening().when(report(0, 2, kind))
    assert.is(outcome.one('order.intended').qty, '100', kind)
  }
})

test('an exit that fills before its cancellation leaves nothing to send', () => {
  const chain = flattening()
  chain.when(fill(0, 2, 'sell', '100', '90')).leadsTo()
  assert.is(held(chain), '0')
  assert.is(chain.table.risk.flattening.size, 0)
})

test('an exit that fills in part leaves the rest to close, not the whole', () => {
  const chain = flattening()
  chain.when(fill(0, 2, 'sell', '60', '90', { complete: false })).leadsTo()
  chain
    .when(report(0, 2, 'canceled'))
    .leadsTo('risk.verdict', ['order.intended', { side: 'sell', qty: '40' }])
})

test('an entry that fills although its cancellation was asked for is closed too', () => {
  const alone = given(...opened(), bar('A', 0, 100), ENTRY)
  alone.when(control(0, 'flatten')).leadsTo(['order.cancel_requested', { orderId: 1 }])
  alone
    .when(fill(0, 1, 'buy', '7', '90'))
    .leadsTo('risk.verdict', ['order.intended', { orderId: 2, side: 'sell', qty: '7' }])

  const beside = given(...opened(), ...HELD, ENTRY)
  beside.when(control(0, 'flatten')).leadsTo(['order.cancel_requested', { orderId: 2 }])
  beside.when(fill(0, 2, 'buy', '3', '90', { complete: false })).leadsTo()
  beside
    .when(report(0, 2, 'canceled'))
    .leadsTo('risk.verdict', ['order.intended', { orderId: 3, side: 'sell', qty: '103' }])
})

test('nothing is sent while one of several orders of the symbol may still trade', () => {
  const chain = given(...opened(), ...HELD, STOP, ENTRY)
  chain.when(control(0, 'flatten')).leadsTo('order.cancel_requested', 'order.cancel_requested')
  chain.when(report(0, 3, 'canceled')).leadsTo()
  chain.when(report(0, 2, 'outcome_unknown')).leadsTo()
  chain.when(report(0, 2, 'canceled')).leadsTo('risk.verdict', 'order.intended')
})

test('one symbol does not wait for another', () => {
  const chain = given(...opened(), ...HELD, STOP, bar('B', 0, 50))
  chain.and(signal(0, { signalId: 'b', symbol: 'B', qty: '5' }))
  chain.and(fill(0, 3, 'buy', '5', '50', { symbol: 'B' }))
  chain
    .when(control(0, 'flatten'))
    .leadsTo(['order.cancel_requested', { orderId: 2 }], 'risk.verdict', [
      'order.intended',
      { orderId: 4, symbol: 'B', qty: '5' },
    ])
  chain
    .when(report(0, 2, 'canceled'))
    .leadsTo('risk.verdict', ['order.intended', { orderId: 5, symbol: 'A', qty: '100' }])
})

test('a close that is withheld brings only its own symbol to another', () => {
  const chain = given(...opened(), ...HELD, bar('B', 0, 50))
  chain.and(signal(0, { signalId: 'b', symbol: 'B', qty: '5' }))
  chain.and(fill(0, 2, 'buy', '5', '50', { symbol: 'B' }), control(0, 'flatten'))
  chain
    .when(report(0, 3, 'withheld'))
    .leadsTo(
      ['risk.verdict', { signalId: 'k1:A:2', orderIds: [5] }],
      ['order.intended', { symbol: 'A' }],
    )
})

test('a broker that refuses the close three times ends the attempt; a new flatten begins another', () => {
  for (const kind of ['rejected', 'canceled', 'expired', 'withheld'] as const) {
    const chain = given(...opened(), ...HELD, control(0, 'flatten'))
    chain
      .when(report(0, 2, kind))
      .leadsTo(['risk.verdict', { signalId: 'k1:A:2', orderIds: [3] }], 'order.intended')
    chain
      .when(report(0, 3, kind))
      .leadsTo(['risk.verdict', { signalId: 'k1:A:3', orderIds: [4] }], 'order.intended')
    chain.when(report(0, 4, kind)).leadsTo()
    assert.is(held(chain), '100')
    assert.is(chain.table.risk.flattening.size, 0)
    chain
      .when(control(0, 'flatten', 'k2'))
      .leadsTo(['risk.verdict', { signalId: 'k2:A' }], 'order.intended')
  }
})

test('a flatten that is over closes nothing that is bought later', () => {
  const chain = flattening().and(fill(0, 2, 'sell', '100', '90'))
  chain.and(signal(0, { signalId: 's2', qty: '5' }))
  chain.when(fill(0, 3, 'buy', '5', '90')).leadsTo()
  assert.is(held(chain), '5')
})

test('a close that trades more than it was to is made good by a second', () => {
  const chain = given(...opened(), ...HELD, control(0, 'flatten'))
  const outcome = chain.when(fill(0, 2, 'sell', '130', '100'))
  assert.is(outcome.one('order.anomaly').code, 'overfill')
  const { side, qty } = outcome.one('order.intended')
  assert.is(`${side} ${qty}`, 'buy 30')
})

/** So many symbols held, each with a strategy that leaves it at the next low bar. */
function manyHeld(count: number): Given {
  const cross = { name: 'sma_cross', params: { fast: 1, slow: 2, size: '3' } }
  const chain = given(...opened({ exchange: { cash: '1000000' }, strategies: [cross] }))
  for (let i = 0; i < count; i++) {
    const symbol = `S${i}`
    chain.and(bar(symbol, 0, 13), bar(symbol, 1, 14))
    chain.and(signal(1, { signalId: symbol, symbol, qty: '3' }))
    chain.and(fill(1, i + 1, 'buy', '3', '14', { symbol }))
  }
  return chain
}

function orderIds(intents: readonly OrderIntended[]): number[] {
  return intents.map(({ orderId }) => orderId)
}

test('more closes than fit into a step come in turns, each with a number of its own', () => {
  const chain = manyHeld(600)
  const first = orderIds(chain.when(control(1, 'flatten')).all('order.intended'))
  assert.ok(first.length < 600, 'they do not fit')
  const sent = [...first]
  while (chain.table.orders.open.size > 0) {
    const { orderId, symbol } = [...chain.table.orders.open.values()][0]!
    const report = fill(1, orderId, 'sell', '3', '14', { symbol })
    sent.push(...orderIds(chain.when(report).all('order.intended')))
  }
  assert.equal(
    sent,
    sent.map((_, i) => 601 + i),
  )
  assert.is(sent.length, 600)
  for (const { symbol } of chain.table.portfolio.holdings.values()) {
    assert.is(held(chain, symbol), '0')
  }
})

test('a close that is withheld gives no number twice while other symbols wait', () => {
  const chain = manyHeld(600).and(control(1, 'flatten'))
  const ids = orderIds(chain.when(report(1, 601, 'withheld')).all('order.intended'))
  assert.is(new Set(ids).size, ids.length)
})

test('a strategy that signals at the bar of a close sends nothing beside it', () => {
  const chain = manyHeld(600).and(control(1, 'flatten'))
  const outcome = chain.when(bar('S599', 2, 1))
  assert.is(outcome.all('signal.raised').length, 1)
  const { orderId, qty } = outcome.one('order.intended')
  assert.is(qty, '3')
  assert.is(chain.table.orders.open.get(orderId)?.symbol, 'S599')
})

test('a report that names another symbol than its order does not stop the close', () => {
  const chain = flattening()
  chain.when(report(0, 2, 'canceled', 'B')).leadsTo('risk.verdict', 'order.intended')
})

type Answer = 'accepted' | 'part' | 'filled' | 'over' | 'canceled' | 'expired' | 'rejected'

/** What a broker says to an order, or a cancellation where it cannot say that. A willing one ends no order unasked. */
function answered(order: Order, wanted: Answer, broker: 'willing' | 'any'): Input {
  const said =
    /^(accepted|canceled|expired|rejected)$/.test(wanted) &&
    TRANSITIONS[order.status][wanted as 'accepted'] === undefined
      ? 'canceled'
      : wanted
  const unasked = /^(canceled|expired|rejected)$/.test(said) && !order.cancelRequested
  const answer = broker === 'willing' && unasked ? 'filled' : said
  const { orderId, side, symbol } = order
  const left = sub(order.qty, order.filledQty)
  const trade = (qty: typeof left, complete: boolean) =>
    fill(DAY, orderId, side, format(qty), '45', { symbol, complete })
  switch (answer) {
    case 'filled':
      return trade(left > 0 ? left : ONE, true)
    case 'over':
      return trade(add(left > 0 ? left : ONE, ONE), true)
    case 'part': {
      const half = fromNumber(toNumber(left) / 2)
      return half > 0 && half < left ? trade(half, false) : trade(left > 0 ? left : ONE, true)
    }
    default:
      return report(DAY, orderId, answer, symbol)
  }
}

/** Later than any history lasts. */
const DAY = 500

/** Flattens after a history and lets the broker answer until nothing works; the closes that were sent. */
function flattened(
  chain: Given,
  answers: readonly { pick: number; say: Answer }[],
  broker: 'willing' | 'any',
) {
  const closes: OrderIntended[] = []
  const take = (input: Input): void => {
    const outcome = chain.when(input)
    const ids = outcome.all('risk.verdict').map(({ code, orderIds }) => `${code} ${orderIds[0]}`)
    for (const intent of outcome.all('order.intended')) {
      assert.ok(ids.includes(`flatten ${intent.orderId}`), 'nothing is sent but closes')
      closes.push(intent)
    }
  }
  take(control(DAY, 'flatten', 'last'))
  const { open } = chain.table.orders
  for (let i = 0; open.size > 0; i++) {
    assert.ok(i < 2000, 'it comes to an end')
    const { pick, say } = answers[i] ?? { pick: 0, say: 'filled' }
    take(answered([...open.values()][pick % open.size]!, say, broker))
  }
  assert.is(chain.table.orders.workingNotional, fromNumber(0))
  assert.is(chain.table.risk.flattening.size, 0, 'the attempt is over')
  return closes
}

function answers(...say: Answer[]) {
  return fc.array(fc.record({ pick: fc.nat(5), say: fc.constantFrom(...say) }), {
    maxLength: 40,
    size: 'max',
  })
}

function closesOf(closes: readonly OrderIntended[], symbol: string): number {
  return closes.filter((close) => close.symbol === symbol).length
}

test('after any history and a flatten nothing is held, once cancels and fills are reported', () => {
  const seen = { closes: 0, waited: 0 }
  fc.assert(
    fc.property(history, answers('accepted', 'part', 'filled', 'canceled'), (past, plan) => {
      const chain = new Given()
      play(past, chain.table, (input) => chain.when(input))
      const working = chain.table.orders.open.size
      const closes = flattened(chain, plan, 'willing')
      for (const { symbol, qty } of chain.table.portfolio.holdings.values()) {
        assert.is(format(qty), '0', symbol)
        assert.ok(closesOf(closes, symbol) <= 1, 'one close is enough')
      }
      seen.closes += closes.length
      if (working > 0 && closes.length > 0) seen.waited++
    }),
    { numRuns: 250 },
  )
  assert.ok(seen.closes > 50 && seen.waited > 10, JSON.stringify(seen))
})

test('a position is left only where three closes were sent in vain', () => {
  const seen = { left: 0, again: 0, flat: 0 }
  const say = answers('part', 'filled', 'over', 'canceled', 'expired', 'rejected', 'rejected')
  fc.assert(
    fc.property(history, say, (past, plan) => {
      const chain = new Given()
      play(past, chain.table, (input) => chain.when(input))
      const closes = flattened(chain, plan, 'any')
      for (const { symbol, qty } of chain.table.portfolio.holdings.values()) {
        const sent = closesOf(closes, symbol)
        assert.ok(sent <= 3, `${sent} closes of ${symbol}`)
        if (qty === 0) seen.flat++
        else {
          assert.is(sent, 3, `${format(qty)} ${symbol} left`)
          seen.left++
        }
        if (sent > 1) seen.again++
      }
    }),
    { numRuns: 250 },
  )
  for (const [what, count] of Object.entries(seen)) assert.ok(count > 5, `${what}: ${count}`)
})

test.run()
