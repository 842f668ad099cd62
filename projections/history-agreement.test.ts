import fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { format } from '../engine/decimal.ts'
import { StepRecorder } from '../engine/events/step-recorder.ts'
import { Chain } from '../engine/chain/chain.ts'
import { history, play } from '../engine/testing/arbitraries.ts'
import {
  action,
  adjusted,
  bar,
  charged,
  control,
  fill,
  type Input,
  opened,
  replacement,
  report,
  RUN,
  sha256,
  signal,
} from '../engine/testing/fixtures.ts'
import { type OrderRecord, findOrder } from './orders.ts'
import { equityOf } from './portfolio.ts'
import { ReadModel } from './read-model.ts'

/** The engine and the read model over the same book. */
class Both {
  readonly chain = new Chain()
  readonly model = new ReadModel()
  readonly seen = new Set<string>()
  readonly #recorder = new StepRecorder(this.chain, RUN, sha256, 0, '')

  order(orderId: number): OrderRecord | undefined {
    return findOrder(this.model.states.orders, String(orderId))
  }

  /** Lets an input happen, and compares all that both say. */
  readonly take = ({ type, at, data }: Input): void => {
    const { table } = this.chain
    const step = this.#recorder.compute(type, at, at, structuredClone(data))
    for (const event of step.events) {
      this.seen.add(event.type)
      // What is recorded passes through JSON.
      this.model.apply({ ...event, data: JSON.parse(JSON.stringify(event.data)) as unknown })
    }
    const { portfolio, orders } = this.model.states
    assert.is(portfolio.cash, table.portfolio.cash, `cash after ${type}`)
    assert.is(equityOf(portfolio), table.portfolio.equity, `equity after ${type}`)
    assert.is(portfolio.charges, table.portfolio.charges)
    const lots = [...portfolio.positions.values()].flatMap(({ trips }) => trips.openLots())
    for (const { symbol, qty } of table.portfolio.holdings.values()) {
      assert.is(portfolio.positions.get(symbol)?.qty ?? 0, qty, `${symbol} after ${type}`)
      const held = lots
        .filter((lot) => lot.symbol === symbol)
        .reduce((sum, lot) => sum + Number(lot.side === 'long' ? lot.qty : -lot.qty), 0)
      assert.is(held, Number(qty), `lots of ${symbol} after ${type}`)
    }
    assert.is(orders.open, table.orders.open.size, `open orders after ${type}`)
    for (const order of table.orders.open.values()) {
      const known = this.order(order.orderId)
      assert.is(known?.status, order.status, `order ${order.orderId} after ${type}`)
      assert.is(known?.cancelRequested, order.cancelRequested)
      assert.is(known && format(known.filledQty), format(order.filledQty))
      assert.is(known?.intent.qty, order.terms.qty)
      assert.is(known?.intent.limitPrice, order.terms.limitPrice)
      assert.is(known?.intent.symbol, order.symbol)
    }
  }
}

test('brackets, corporate actions, charges: the read model says what the engine knows', () => {
  const seen = new Set<string>()
  fc.assert(
    fc.property(history, (past) => {
      const both = new Both()
      play(past, both.chain.table, both.take)
      for (const type of both.seen) seen.add(type)
    }),
    { numRuns: 120 },
  )
  const kinds = ['held', 'cancel_rejected', 'adjusted'].map((kind) => `order.${kind}`)
  for (const type of [...kinds, 'account.charged', 'market.action']) {
    assert.ok(seen.has(type), `${type} was never tried`)
  }
})

test('a replacement and its original agree, whichever is heard of first', () => {
  const limit = { qty: '10', orderType: 'limit', limitPrice: '99' } as const
  const begin = [...opened(), bar('A', 0, 100), signal(0, limit), report(0, 1, 'accepted')]
  const wish = control(0, 'replace-order', 'k2', { orderId: 1, qty: '15', limitPrice: '98' })
  const part = (id: number, qty: string) => fill(0, id, 'buy', qty, '98', { complete: false })
  const ways: Record<string, [Input[], [number, string][]]> = {
    replaced: [
      [part(1, '4'), replacement(0, 1, 'replaced', 2), report(0, 2, 'accepted'), part(1, '1')],
      [
        [1, 'replaced'],
        [2, 'accepted'],
      ],
    ],
    'filled first': [
      [fill(0, 1, 'buy', '10', '98'), replacement(0, 1, 'replace_rejected', 2)],
      [
        [1, 'filled'],
        [2, 'rejected'],
      ],
    ],
    'refused, then canceled': [
      [replacement(0, 1, 'replace_rejected', 2), report(0, 1, 'canceled')],
      [
        [1, 'canceled'],
        [2, 'rejected'],
      ],
    ],
    'acknowledged before': [
      [report(0, 2, 'accepted'), replacement(0, 1, 'replaced', 2), fill(0, 2, 'buy', '15', '98')],
      [
        [1, 'replaced'],
        [2, 'filled'],
      ],
    ],
  }
  for (const [name, [inputs, ends]] of Object.entries(ways)) {
    const both = new Both()
    for (const input of [...begin, wish, ...inputs]) both.take(input)
    for (const [id, status] of ends) assert.is(both.order(id)?.status, status, `${name}: ${id}`)
  }
})

test('legs fall with an entry that never stood, and a rename, a split and a fee agree', () => {
  const both = new Both()
  const exits = { takeProfit: '110', stopLoss: '90' }
  for (const input of [...opened(), bar('A', 0, 100), signal(0, { qty: '10', ...exits })]) {
    both.take(input)
  }
  both.take(report(0, 1, 'withheld'))
  assert.equal(
    [1, 2, 3].map((id) => both.order(id)?.status),
    ['withheld', 'withheld', 'withheld'],
  )
  for (const input of [
    signal(0, { signalId: 's2', qty: '7', ...exits }),
    report(0, 4, 'accepted'),
    report(0, 5, 'held'),
    report(0, 6, 'held'),
    fill(1, 4, 'buy', '7', '100'),
    report(1, 5, 'accepted'),
    report(1, 6, 'accepted'),
    charged(1, '0.5'),
    adjusted(1, 5, { qty: '10', limitPrice: '73.333333333' }),
    action(2, 'split', '1.5'),
    action(2, 'rename', undefined, { newSymbol: 'B' }),
    bar('B', 2, 66),
  ]) {
    both.take(input)
  }
  assert.is(both.order(5)?.intent.symbol, 'B')
  assert.is(format(both.chain.table.portfolio.holdings.get('B')!.qty), '10')
})

test.run()
