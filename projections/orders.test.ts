import fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { initialPortfolio } from '../engine/portfolio/portfolio.ts'
import { ordersProcessor } from '../engine/trading/orders.ts'
import type { ChainEvent } from '../engine/chain/processor.ts'
import type { StateTable } from '../engine/chain/state-table.ts'
import { marketProcessor } from '../engine/market/market.ts'
import { settingsProcessor } from '../engine/chain/settings.ts'
import { format } from '../engine/decimal.ts'
import { findOrder, orderBody, ordersProjection, type OrdersState } from './orders.ts'
import { BOOK_ID, TestBook } from './testing/book.ts'

function fold(book: TestBook): OrdersState {
  return book.fold(ordersProjection)
}

function order(book: TestBook, id = '1') {
  const state = fold(book)
  const found = findOrder(state, id)
  assert.ok(found)
  return orderBody(state, found)
}

const begun = (): TestBook => new TestBook().created()

test('an order from its intent to its last fill', () => {
  const book = begun().intended(1, { limitPrice: '101', type: 'limit' })
  assert.is(order(book).status, 'intended')
  assert.is(order(book).avgPrice, null)
  book.at += 1000
  assert.is(order(book.accepted(1)).status, 'accepted')
  book.at += 1000
  book.filled(1, '3', '100', { complete: false })
  assert.is(order(book).status, 'partially_filled')
  book.filled(1, '7', '101')
  assert.equal(order(book), {
    id: 1,
    clientOrderId: `${BOOK_ID}-1`,
    symbol: 'AAPL',
    side: 'buy',
    type: 'limit',
    qty: '10',
    filledQty: '10',
    avgPrice: '100.7',
    status: 'filled',
    code: null,
    reason: null,
    limitPrice: '101',
    stopPrice: null,
    timeInForce: 'gtc',
    expiresAt: null,
    cancelRequested: false,
    signalId: 's-1',
    createdAt: '2013-10-22T00:00:00Z',
    updatedAt: '2013-10-22T00:00:02Z',
    entry: 1,
  })
})

test('the average price is rounded once, half to even, from an exact sum', () => {
  const book = begun().intended(1).filled(1, '0.000000001', '1.000000001', { complete: false })
  // (1.000000001 + 1.000000002) / 2 = 1.0000000015: the even neighbour is …2.
  assert.is(order(book.filled(1, '0.000000001', '1.000000002')).avgPrice, '1.000000002')
  const other = begun().intended(1).filled(1, '1', '1.000000002', { complete: false })
  // 1.0000000025: the even neighbour is …2 again.
  assert.is(order(other.filled(1, '1', '1.000000003')).avgPrice, '1.000000002')
})

test('"all" becomes the quantity that filled, once complete', () => {
  const book = begun().intended(1, { qty: 'all' }).filled(1, '4', '10', { complete: false })
  assert.is(order(book).qty, 'all')
  assert.is(order(book).filledQty, '4')
  assert.is(order(book.filled(1, '3', '10')).qty, '7')
})

test('an order that ended without trading says why', () => {
  for (const how of ['rejected', 'canceled', 'expired'] as const) {
    const found = order(begun().intended(1).ended(1, how, 'some_code', 'in words'))
    assert.equal([found.status, found.code, found.reason], [how, 'some_code', 'in words'])
  }
  const silent = order(begun().intended(1).ended(1, 'rejected', 'no_words', ''))
  assert.is(silent.reason, 'no_words')
  const book = begun().intended(1)
  const clientOrderId = `${BOOK_ID}-1`
  book.add('order.withheld', {
    orderId: 1,
    clientOrderId,
    code: 'halted',
    reason: 'trading halted',
  })
  assert.equal(
    [order(book).status, order(book).code, order(book).reason],
    ['withheld', 'halted', 'trading halted'],
  )
})

test('an unknown outcome says what went wrong until it is known', () => {
  const book = begun().intended(1)
  const clientOrderId = `${BOOK_ID}-1`
  book.add('order.outcome_unknown', { orderId: 1, clientOrderId, attempt: 1, reason: 'timed out' })
  assert.equal(
    [order(book).status, order(book).code, order(book).reason],
    ['unknown', 'outcome_unknown', 'timed out'],
  )
  book.accepted(1)
  assert.equal([order(book).status, order(book).reason], ['accepted', null])
})

test('a fill that crossed a cancellation counts, and the order stays cancelled', () => {
  const book = begun().intended(1).accepted(1)
  book.add('order.cancel_requested', { orderId: 1, actor: 'alice', reason: 'enough' })
  assert.is(order(book).cancelRequested, true)
  book.ended(1, 'canceled', 'cancel_requested', 'canceled on request')
  book.filled(1, '2', '10', { complete: false })
  assert.equal(
    [order(book).status, order(book).filledQty, order(book).reason],
    ['canceled', '2', 'canceled on request'],
  )
  assert.is(order(book.filled(1, '8', '10')).status, 'filled')
  assert.is(order(book).reason, null)
})

test('what the table refuses changes no status; a trade is counted all the same', () => {
  const book = begun().intended(1).filled(1, '10', '10')
  book.ended(1, 'canceled', 'late', 'late').accepted(1)
  assert.equal([order(book).status, order(book).code], ['filled', null])
  book.filled(1, '5', '10')
  assert.equal([order(book).status, order(book).filledQty], ['filled', '15'])
})

test('reports of orders nobody intended change nothing', () => {
  const book = begun().filled(7, '1', '1').accepted(7)
  book.add('order.cancel_requested', { orderId: 7, actor: 'a', reason: 'b' })
  assert.is(fold(book).list.size, 0)
})

test('an order is found by its number and by the id of the broker, and by no other spelling', () => {
  const state = fold(begun().intended(1).intended(12))
  assert.is(findOrder(state, '12')?.intent.orderId, 12)
  assert.is(findOrder(state, `${BOOK_ID}-12`)?.intent.orderId, 12)
  for (const id of ['0', '-1', '012', '1.0', '1e1', '', 'b-12', `${BOOK_ID}-0`, '9'.repeat(400)]) {
    assert.is(findOrder(state, id), undefined, id)
  }
})

const report = fc.record({
  orderId: fc.integer({ min: 1, max: 4 }),
  kind: fc.constantFrom(
    'accepted' as const,
    'part' as const,
    'rest' as const,
    'rejected' as const,
    'canceled' as const,
    'expired' as const,
  ),
})

test('after any reports, status and quantity of every working order are the engine’s', () => {
  fc.assert(
    fc.property(fc.array(report, { maxLength: 30 }), (reports) => {
      const book = begun()
      for (const id of [1, 2, 3]) book.intended(id)
      for (const { orderId, kind } of reports) {
        if (kind === 'accepted') book.accepted(orderId)
        else if (kind === 'part') book.filled(orderId, '1', '10', { complete: false })
        else if (kind === 'rest') book.filled(orderId, '2', '11')
        else book.ended(orderId, kind, 'c', 'r')
      }
      const state = fold(book)
      const table = {
        orders: ordersProcessor.initial(),
        portfolio: initialPortfolio(),
        market: marketProcessor.initial(),
        settings: settingsProcessor.initial(),
      } as StateTable
      for (const event of book.events) {
        ordersProcessor.handle(table.orders, event as ChainEvent, () => undefined, table)
      }
      let working = 0
      for (const id of [1, 2, 3]) {
        const found = findOrder(state, String(id))
        const engine = table.orders.open.get(id)
        assert.is(found?.status, engine?.status ?? table.orders.ended.get(id))
        if (engine === undefined || found === undefined) continue
        working++
        assert.is(orderBody(state, found).filledQty, format(engine.filledQty))
      }
      assert.is(state.open, working)
    }),
    { numRuns: 300 },
  )
})

test.run()
