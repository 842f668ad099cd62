import fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { format } from '../engine/decimal.ts'
import { findOrder } from './orders.ts'
import { equityOf } from './portfolio.ts'
import { BOOK_ID } from './testing/book.ts'
import { moves, play } from './testing/pair.ts'

test('whatever the engine decides, the read model says the same', () => {
  let orders = 0
  let denials = 0
  let halts = 0
  fc.assert(
    fc.property(moves, (steps) => {
      const { chain, model } = play(steps, ({ chain, model }) => {
        const { table } = chain
        const { states } = model
        const status = model.statusBody()
        assert.is(equityOf(states.portfolio), table.portfolio.equity)
        assert.is(states.portfolio.cash, table.portfolio.cash)
        assert.is(status.counts.openOrders, table.orders.open.size)
        assert.is(status.counts.bars, table.market.bars)
        assert.is(status.trading.state, table.risk.trading)
        assert.is(status.trading.code, table.risk.cause)
        for (const order of table.orders.open.values()) {
          const seen = findOrder(states.orders, String(order.orderId))
          assert.is(seen?.status, order.status)
          assert.is(seen && format(seen.filledQty), format(order.filledQty))
        }
        assert.is(states.signals.list.size, states.signals.approved + states.signals.denied)
      })
      assert.is(model.states.orders.list.size, chain.table.orders.lastOrderId)
      assert.is(model.statusBody().bookId, BOOK_ID)
      orders += model.states.orders.list.size
      denials += model.states.signals.denied
      if (model.states.status.trading !== 'ACTIVE') halts++
    }),
    { numRuns: 150, seed: 42 },
  )
  // The walks must have been worth walking.
  assert.ok(orders > 500 && denials > 100 && halts > 10, `${orders} ${denials} ${halts}`)
})

test.run()
