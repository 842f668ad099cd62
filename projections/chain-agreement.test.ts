import fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { Chain } from '../engine/chain/chain.ts'
import type { ChainEvent } from '../engine/chain/processor.ts'
import { format } from '../engine/decimal.ts'
import { barFromWire } from '../engine/market/bar-wire.ts'
import { DAY_MS, formatTime } from '../engine/time.ts'
import type {
  BookCreated,
  EngineStarted,
  EventType,
  MarketBar,
  OrderIntended,
} from '../schemas/types.gen.ts'
import { equityOf } from './portfolio.ts'
import { ReadModel } from './read-model.ts'
import { BOOK_ID, TestBook } from './testing/book.ts'

/** The real chain and the read model, fed with the same book: what the first emits, the second is shown. */
class Pair {
  readonly chain = new Chain()
  readonly model = new ReadModel()
  readonly book = new TestBook()
  readonly intents: OrderIntended[] = []

  /** Takes what was added to the book as one input. */
  input(type: EventType, data: object): void {
    const { at } = this.book
    this.record(type, data)
    const seen = type === 'market.bar' ? barFromWire(data as MarketBar) : data
    this.chain.step({ type, at, data: seen } as ChainEvent, (event) => {
      if (event.type === 'order.intended') this.intents.push(event.data)
      this.record(event.type, event.data)
    })
  }

  private record(type: EventType, data: object): void {
    // What is recorded passes through JSON.
    this.model.apply(this.book.add(type, JSON.parse(JSON.stringify(data)) as never))
  }
}

function started(): [BookCreated, EngineStarted] {
  const { events } = new TestBook().created('10000').started()
  const [created, engine] = events as unknown as [{ data: BookCreated }, { data: EngineStarted }]
  engine.data.settings.strategies[0]!.params = { fast: 1, slow: 2, mode: 'reverse', size: '7' }
  engine.data.settings.risk = { maxPosition: '15', maxDrawdown: '0.2', maxDailyLoss: '0.05' }
  return [created.data, engine.data]
}

const moves = fc.array(
  fc.record({
    symbol: fc.constantFrom('AAPL', 'MSFT'),
    close: fc.integer({ min: 50, max: 150 }),
    fate: fc.constantFrom('filled', 'filled', 'part', 'rejected', 'waits'),
    manual: fc.constantFrom(null, null, 'buy', 'sell', 'close'),
  }),
  { minLength: 5, maxLength: 40 },
)

test('whatever the engine decides, the read model says the same', () => {
  let orders = 0
  let denials = 0
  let halts = 0
  fc.assert(
    fc.property(moves, (steps) => {
      const pair = new Pair()
      const { chain, model, book } = pair
      const [created, engine] = started()
      pair.input('book.created', created)
      pair.input('engine.started', engine)
      for (const [index, { symbol, close, fate, manual }] of steps.entries()) {
        book.at += DAY_MS
        const intent = fate === 'waits' ? undefined : pair.intents.shift()
        if (intent !== undefined) {
          const report = { ...book.report(intent.orderId), symbol: intent.symbol }
          pair.input('order.accepted', report)
          const trade = { side: intent.side, price: String(close), fee: '0.1' }
          const qty = fate === 'part' ? '1' : intent.qty
          if (fate === 'rejected')
            pair.input('order.rejected', { ...report, code: 'c', reason: 'r' })
          else pair.input('order.filled', { ...report, ...trade, qty, complete: fate === 'filled' })
        }
        const price = String(close)
        pair.input('market.bar', {
          ...{ feed: 'test', symbol, timeframe: '1d', time: formatTime(book.at - DAY_MS) },
          ...{ open: price, high: price, low: price, close: price, volume: null, revision: 0 },
        })
        if (manual !== null) {
          const signal = new TestBook()
          signal.at = book.at
          signal.signal('alice', `m-${index}`, { symbol, side: manual })
          pair.input('signal.received', signal.events[0]!.data as object)
        }
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
          const seen = states.orders.byId.get(order.orderId)
          assert.is(seen?.status, order.status)
          assert.is(seen && format(seen.filledQty), format(order.filledQty))
        }
        assert.is(states.signals.list.size, states.signals.approved + states.signals.denied)
      }
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
