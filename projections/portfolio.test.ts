import fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { ChainEvent } from '../engine/chain/processor.ts'
import { add, type Decimal, format, mul, parse, sub } from '../engine/decimal.ts'
import { barFromWire } from '../engine/market/bar-wire.ts'
import { marketProcessor } from '../engine/market/market.ts'
import { initialPortfolio, portfolioProcessor } from '../engine/portfolio/portfolio.ts'
import { DAY_MS } from '../engine/time.ts'
import type { MarketBar } from '../schemas/types.gen.ts'
import { equityOf, portfolioBody, portfolioProjection, type PortfolioState } from './portfolio.ts'
import { TestBook } from './testing/book.ts'

function fold(book: TestBook): PortfolioState {
  return book.fold(portfolioProjection)
}

function body(book: TestBook) {
  return portfolioBody(fold(book), book.events.length - 1, book.at)
}

test('an empty book has no cash and no time', () => {
  const found = portfolioBody(portfolioProjection.initial(), -1, null)
  assert.is(found.position, -1)
  assert.is(found.at, null)
  assert.is(found.cash, '0')
  assert.equal(found.positions, [])
})

test('lots leave first in first out, and the average price is that of the rest', () => {
  const book = new TestBook().created('10000')
  book.filled(1, '10', '100').filled(2, '10', '110', { fee: '1' })
  book.filled(3, '15', '120', { side: 'sell' }).bar('AAPL', '125')
  const found = body(book)
  // 10 × 100 and 5 × 110 are gone; 5 × 110 are left.
  assert.equal(found.positions, [
    {
      symbol: 'AAPL',
      qty: '5',
      avgPrice: '110',
      marketPrice: '125',
      marketValue: '625',
      unrealizedPnl: '75',
      // 10 × 20 + 5 × 10, less half of the fee of the second lot.
      realizedPnl: '249.5',
    },
  ])
  assert.is(found.cash, '9699')
  assert.is(found.equity, '10324')
  assert.is(found.fees, '1')
  assert.is(found.realizedPnl, '249.5')
  assert.is(found.at, '2013-10-22T00:00:00Z')
})

test('a fill that crosses zero opens a short at its price, which gains when the price falls', () => {
  const book = new TestBook().created('1000').filled(1, '5', '10')
  book.filled(2, '8', '12', { side: 'sell' }).bar('AAPL', '11')
  const [position] = body(book).positions
  assert.is(position?.qty, '-3')
  assert.is(position?.avgPrice, '12')
  assert.is(position?.marketValue, '-33')
  assert.is(position?.unrealizedPnl, '3')
  assert.is(position?.realizedPnl, '10')
})

test('before any bar a position is marked at its last fill, after a fill at that fill until the next bar', () => {
  const book = new TestBook().created('1000').filled(1, '1', '10').filled(2, '1', '11')
  assert.is(body(book).positions[0]?.marketPrice, '11')
  assert.is(body(book.bar('AAPL', '15')).positions[0]?.marketPrice, '15')
  assert.is(body(book.filled(3, '1', '14')).positions[0]?.marketPrice, '14')
  assert.is(body(book.bar('AAPL', '16')).positions[0]?.marketPrice, '16')
})

test('a flat position is not listed, its gain still counts', () => {
  const book = new TestBook().created('1000').filled(1, '3', '10')
  book.filled(2, '3', '9', { side: 'sell', fee: '0.5' }).bar('AAPL', '99')
  const found = body(book)
  assert.equal(found.positions, [])
  assert.is(found.realizedPnl, '-3.5')
  assert.is(found.unrealizedPnl, '0')
  assert.is(found.equity, '996.5')
})

test('positions come by symbol', () => {
  const book = new TestBook().created('1000')
  for (const symbol of ['MSFT', 'AAPL', 'TSLA']) book.filled(1, '1', '1', { symbol })
  assert.equal(
    body(book).positions.map(({ symbol }) => symbol),
    ['AAPL', 'MSFT', 'TSLA'],
  )
})

test('a quantity below half a nano costs its fee and leaves no lot', () => {
  const book = new TestBook().created('10').filled(1, '0.0000000001', '5', { fee: '1' })
  assert.is(body(book).cash, '9')
  assert.equal(body(book).positions, [])
})

test('the average price of an endless fraction is rounded once', () => {
  const book = new TestBook().created('1000').filled(1, '1', '1').filled(2, '2', '2')
  assert.is(body(book).positions[0]?.avgPrice, '1.666666667')
})

const SYMBOLS = ['AAPL', 'MSFT', 'BRK.B']
const price = fc.integer({ min: 1, max: 5_000_000 }).map((cents) => format(BigInt(cents) * 10_000n))
const qty = fc.oneof(
  fc.integer({ min: 1, max: 10_000 }).map(String),
  fc.integer({ min: 1, max: 999_999_999 }).map((nanos) => format(nanos)),
)
const happening = fc.oneof(
  fc.record({
    kind: fc.constant('fill' as const),
    symbol: fc.constantFrom(...SYMBOLS),
    side: fc.constantFrom('buy' as const, 'sell' as const),
    qty,
    price,
    fee: fc.oneof(
      fc.constant('0'),
      price,
      price.map((text) => `-${text}`),
    ),
  }),
  fc.record({
    kind: fc.constant('bar' as const),
    symbol: fc.constantFrom(...SYMBOLS),
    close: price,
    late: fc.boolean(),
  }),
)

test('after every event the sums are exact, and equal what the engine decides by', () => {
  fc.assert(
    fc.property(fc.array(happening, { maxLength: 40 }), price, (happenings, cash) => {
      const book = new TestBook().created(cash)
      for (const [index, one] of happenings.entries()) {
        book.at += DAY_MS
        if (one.kind === 'bar') {
          book.bar(one.symbol, one.close, book.at - (one.late ? 3 : 1) * DAY_MS)
        } else {
          const { symbol, side, fee } = one
          book.filled(index + 1, one.qty, one.price, { symbol, side, fee })
        }
      }
      let state = portfolioProjection.initial()
      const engine = initialPortfolio()
      let market = marketProcessor.initial()
      for (const event of book.events) {
        state = portfolioProjection.apply(state, event)
        let data = event.data
        if (event.type === 'market.bar') {
          const bar = barFromWire(data as MarketBar)
          data = { ...bar, symbolIndex: SYMBOLS.indexOf(bar.symbol) }
        }
        const seen = { type: event.type, at: event.at, data } as ChainEvent
        market = marketProcessor.handle(market, seen, () => undefined, {} as never)
        portfolioProcessor.handle(engine, seen, () => undefined, { market } as never)
        assert.is(state.cash, engine.cash)
        assert.is(state.fees, engine.fees)
        assert.is(equityOf(state), engine.equity)
        for (const { symbol, qty: held } of engine.holdings.values()) {
          assert.is(state.positions.get(symbol)?.qty, held)
        }
        const found = portfolioBody(state, event.position, event.at)
        let sum: Decimal = parse(found.cash)
        let values: Decimal = 0
        for (const one of found.positions) {
          sum = add(sum, mul(parse(one.qty), parse(one.marketPrice)))
          values = add(values, parse(one.marketValue))
        }
        assert.is(format(sum), found.equity)
        assert.is(format(add(parse(found.cash), values)), found.equity)
      }
      // No money is lost between the lots: gains and what open lots hold of fees explain the equity.
      const end = portfolioBody(state, 0, 0)
      let gained = add(parse(end.realizedPnl), parse(end.unrealizedPnl))
      for (const { trips } of state.positions.values()) {
        for (const lot of trips.openLots()) gained = sub(gained, lot.fee)
      }
      assert.is(format(add(parse(cash), gained)), end.equity)
    }),
    { numRuns: 300 },
  )
})

test.run()
