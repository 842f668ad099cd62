import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { daily, open } from './exchange-fixture.ts'
import type { ExchangeSnapshot } from './snapshot.ts'

/** As it was written before orders had ranks, classes and times in force of their own. */
const OLD: ExchangeSnapshot = {
  sequence: 7,
  ambiguousBars: 0,
  account: { cash: '9805', fees: '0', positions: { A: '20' } },
  over: { numbered: [['book-', 2, []]], others: [] },
  books: [
    {
      symbol: 'A',
      last: { time: 172_800_000, end: 259_200_000, close: 10, volume: 100 },
      cap: '0',
      orders: [
        {
          ...{ clientOrderId: 'book-3', orderId: 3, side: 'buy', type: 'stop', price: '12' },
          ...{ all: false, remaining: '10', day: false, expiresAt: 777_600_000 },
        },
        {
          ...{ clientOrderId: 'book-4', orderId: 4, side: 'buy', type: 'limit', price: '9.5' },
          ...{ all: false, remaining: '20', day: false, expiresAt: null },
        },
      ],
    },
  ],
}

test('a snapshot of before goes on as it did', () => {
  const { exchange, reports, said } = open({ participation: 0.1 })
  exchange.restore(JSON.parse(JSON.stringify(OLD)))
  assert.ok(exchange.knows('book-2'))
  assert.is(exchange.resting('A'), 2)
  exchange.onBar(daily(3, 9, 10, 8, 9, 100))
  exchange.onBar(daily(4, 13, 14, 12, 13, 1000))
  assert.equal(
    reports.map(({ sequence }) => sequence),
    [8, 9],
  )
  assert.equal(said(), ['filled book-4 10@9 …', 'filled book-3 10@13'])
  exchange.onBar(daily(5, 9, 10, 8, 9, 1000))
  assert.equal(said(), ['filled book-4 10@9'])
})

test('the orders of a restored queue are served in their old order, those of before as they are listed', () => {
  const { exchange, said } = open({ participation: 0.1 })
  const orders = OLD.books[0]!.orders.map((order) => ({
    ...order,
    type: 'limit' as const,
    price: '9.5',
  }))
  exchange.restore({ ...OLD, books: [{ ...OLD.books[0]!, orders }] })
  exchange.onBar(daily(3, 9, 10, 8, 9, 150))
  assert.equal(said(), ['filled book-3 10@9', 'filled book-4 5@9 …'])
})

test.run()
