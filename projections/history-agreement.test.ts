import fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { format } from '../engine/decimal.ts'
import { StepRecorder } from '../engine/events/step-recorder.ts'
import { Chain } from '../engine/chain/chain.ts'
import { history, play } from '../engine/testing/arbitraries.ts'
import { RUN, sha256 } from '../engine/testing/fixtures.ts'
import { findOrder } from './orders.ts'
import { equityOf } from './portfolio.ts'
import { ReadModel } from './read-model.ts'

test('brackets, replacements, corporate actions, charges: the read model says what the engine knows', () => {
  const seen = new Set<string>()
  fc.assert(
    fc.property(history, (past) => {
      const chain = new Chain()
      const recorder = new StepRecorder(chain, RUN, sha256, 0, '')
      const model = new ReadModel()
      const { table } = chain
      play(past, table, ({ type, at, data }) => {
        const step = recorder.compute(type, at, at, structuredClone(data))
        for (const event of step.events) {
          seen.add(event.type)
          // What is recorded passes through JSON.
          model.apply({ ...event, data: JSON.parse(JSON.stringify(event.data)) as unknown })
        }
        const { portfolio, orders } = model.states
        assert.is(portfolio.cash, table.portfolio.cash, `cash after ${type}`)
        assert.is(equityOf(portfolio), table.portfolio.equity, `equity after ${type}`)
        assert.is(portfolio.charges, table.portfolio.charges)
        for (const holding of table.portfolio.holdings.values()) {
          const qty = portfolio.positions.get(holding.symbol)?.qty ?? 0
          assert.is(qty, holding.qty, `${holding.symbol} after ${type}`)
        }
        assert.is(orders.open, table.orders.open.size, `open orders after ${type}`)
        for (const order of table.orders.open.values()) {
          const known = findOrder(orders, String(order.orderId))
          assert.is(known?.status, order.status, `order ${order.orderId} after ${type}`)
          assert.is(known?.cancelRequested, order.cancelRequested)
          assert.is(known && format(known.filledQty), format(order.filledQty))
          assert.is(known?.intent.qty, order.terms.qty)
          assert.is(known?.intent.limitPrice, order.terms.limitPrice)
        }
        const lots = [...portfolio.positions.values()].flatMap(({ trips }) => trips.openLots())
        for (const holding of table.portfolio.holdings.values()) {
          const held = lots
            .filter(({ symbol }) => symbol === holding.symbol)
            .reduce((sum, { side, qty }) => sum + Number(side === 'long' ? qty : -qty), 0)
          assert.is(held, Number(holding.qty), `lots of ${holding.symbol} after ${type}`)
        }
      })
    }),
    { numRuns: 120 },
  )
  for (const type of [
    'order.held',
    'order.replaced',
    'order.replace_rejected',
    'order.cancel_rejected',
    'order.adjusted',
    'account.charged',
    'market.action',
  ]) {
    assert.ok(seen.has(type), `${type} was never tried`)
  }
})

test.run()
