import * as fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import {
  abs,
  add,
  type Decimal,
  div,
  format,
  fromNumber,
  mul,
  neg,
  parse,
  sub,
  trunc,
  ZERO,
} from '../decimal.ts'
import { lastClose } from '../market/market.ts'
import { history, play, price, shares, SYMBOLS } from '../testing/arbitraries.ts'
import { bar, created, dayEnd, fill, type Input, opened, signal } from '../testing/fixtures.ts'
import { Given, given } from '../testing/given.ts'
import { fillOf, type PortfolioState } from './portfolio.ts'

const trade = fc.oneof(
  fc.record({ symbol: fc.constantFrom(...SYMBOLS), close: price, days: fc.constantFrom(0, 1) }),
  fc.record({
    symbol: fc.constantFrom(...SYMBOLS),
    side: fc.constantFrom('buy' as const, 'sell' as const),
    qty: fc.oneof(shares, fc.constant('1000000'), fc.constant('0.000000001')),
    price: fc.oneof(price, fc.constant('33.333333333'), fc.constant('0.000000007')),
    fee: fc.constantFrom('0', '1.1', '0.000000001', '-0.25'),
  }),
)

/** The books kept a second time: every trade by itself, nothing incremental. */
class Ledger {
  cash: Decimal = parse('10000')
  fees: Decimal = ZERO
  readonly qty = new Map<string, Decimal>()
  readonly mark = new Map<string, Decimal>()

  trade(symbol: string, side: 'buy' | 'sell', qty: Decimal, at: Decimal, fee: Decimal): void {
    const signed = side === 'buy' ? qty : neg(qty)
    this.qty.set(symbol, add(this.qty.get(symbol) ?? ZERO, signed))
    this.cash = sub(sub(this.cash, mul(signed, at)), fee)
    this.fees = add(this.fees, fee)
    this.mark.set(symbol, at)
  }

  /** A corporate action by the arithmetic of a person: shares, mark and cash one by one. */
  act(kind: string, symbol: string, value: Decimal, close: number): void {
    const qty = this.qty.get(symbol)
    const mark = this.mark.get(symbol)
    if (qty === undefined || mark === undefined) return
    const paidAt = fromNumber(close)
    if (kind === 'dividend') {
      this.cash = add(this.cash, mul(qty, value))
      this.mark.set(symbol, value < mark ? sub(mark, value) : mark)
    } else if (kind === 'delist') {
      this.cash = add(this.cash, mul(qty, paidAt))
      this.qty.set(symbol, ZERO)
    } else {
      const all = mul(qty, value)
      const kept = trunc(qty) === qty ? trunc(all) : all
      this.qty.set(symbol, kept)
      this.cash = add(this.cash, mul(sub(all, kept), paidAt))
      this.mark.set(symbol, div(mark, value))
    }
  }

  values(): Decimal[] {
    return [...this.qty].map(([symbol, qty]) => mul(qty, this.mark.get(symbol)!))
  }

  agrees(state: PortfolioState): void {
    const values = this.values()
    assert.is(state.cash, this.cash, 'cash')
    assert.is(state.fees, this.fees, 'fees')
    assert.is(state.netValue, values.reduce(add, ZERO), 'net value')
    assert.is(state.grossValue, values.map(abs).reduce(add, ZERO), 'gross value')
    assert.is(state.equity, values.reduce(add, this.cash), 'equity')
    for (const [symbol, qty] of this.qty) assert.is(state.holdings.get(symbol)!.qty, qty, symbol)
  }
}

test('cash and the value of all holdings are the equity, exactly, after every event', () => {
  const seen = { long: 0, short: 0, crossed: 0, big: 0 }
  fc.assert(
    fc.property(fc.array(trade, { maxLength: 60, size: 'max' }), (trades) => {
      const chain = given(created())
      const ledger = new Ledger()
      let day = 0
      for (const [n, one] of trades.entries()) {
        if ('close' in one) {
          day += one.days
          chain.and(bar(one.symbol, day, one.close))
          ledger.mark.set(one.symbol, parse(one.close))
        } else {
          const before = ledger.qty.get(one.symbol) ?? ZERO
          chain.and(
            fill(day, n + 1, one.side, one.qty, one.price, { symbol: one.symbol, fee: one.fee }),
          )
          ledger.trade(one.symbol, one.side, parse(one.qty), parse(one.price), parse(one.fee))
          const after = ledger.qty.get(one.symbol)!
          if (after > 0) seen.long++
          if (after < 0) seen.short++
          if ((before < 0 && after > 0) || (before > 0 && after < 0)) seen.crossed++
        }
        ledger.agrees(chain.table.portfolio)
        if (typeof chain.table.portfolio.equity === 'bigint') seen.big++
      }
    }),
    { numRuns: 300 },
  )
  for (const [what, count] of Object.entries(seen)) assert.ok(count > 0, `${what} was never tried`)
})

test('the same holds for whole histories, with orders, partial fills and restarts', () => {
  fc.assert(
    fc.property(history, (past) => {
      const chain = new Given()
      const ledger = new Ledger()
      play(past, chain.table, (input: Input) => {
        chain.when(input)
        if (input.type === 'account.charged') {
          ledger.cash = sub(ledger.cash, parse(input.data.amount))
        }
        if (input.type === 'market.action') {
          const { kind, symbol, value = '1' } = input.data
          const close = lastClose(chain.table.market, symbol)
          const before = chain.table.portfolio.holdings.get(symbol)
          if (before !== undefined) {
            ledger.act(
              kind,
              symbol,
              parse(value),
              Number.isNaN(close) ? Number(format(before.price)) : close,
            )
          }
        }
        if (input.type === 'market.bar') ledger.mark.set(input.data.symbol, parse(input.data.close))
        if (input.type === 'order.filled') {
          const { symbol, side, qty, price: at, fee } = input.data
          ledger.trade(symbol, side, parse(qty), parse(at), parse(fee))
        }
        ledger.agrees(chain.table.portfolio)
      })
    }),
    { numRuns: 80 },
  )
})

test('independent fills may come in any order', () => {
  const fills = fc.array(
    fc.record({ side: fc.constantFrom('buy' as const, 'sell' as const), qty: shares, at: price }),
    { minLength: 1, maxLength: 8 },
  )
  fc.assert(
    fc.property(
      fills.chain((list) =>
        fc.tuple(fc.constant(list), fc.shuffledSubarray(list, { minLength: list.length })),
      ),
      ([list, shuffled]) => {
        const [one, other] = [list, shuffled].map((trades) => {
          const chain = given(created(), bar('A', 0, 40))
          for (const [n, { side, qty, at }] of trades.entries())
            chain.and(fill(0, n + 1, side, qty, at))
          return chain.and(bar('A', 1, 50)).table.portfolio
        })
        assert.is(one!.cash, other!.cash)
        assert.is(one!.equity, other!.equity)
        assert.is(one!.holdings.get('A')!.qty, other!.holdings.get('A')!.qty)
      },
    ),
  )
})

test('a book opens with its cash, and nothing else', () => {
  const { portfolio } = given(created('2500.5')).table
  for (const field of ['cash', 'equity', 'peakEquity', 'dayStartEquity'] as const) {
    assert.is(format(portfolio[field]), '2500.5', field)
  }
  assert.is(portfolio.holdings.size, 0)
  assert.is(portfolio.grossValue, ZERO)
})

test('a fill marks at its own price until the next bar of its symbol', () => {
  const chain = given(created(), bar('A', 0, 100), fill(0, 1, 'buy', '10', '90', { fee: '2' }))
  assert.is(format(chain.table.portfolio.equity), '9998')
  chain.and(bar('B', 1, 5))
  assert.is(format(chain.table.portfolio.equity), '9998')
  chain.and(bar('A', 1, 110))
  assert.is(format(chain.table.portfolio.equity), '10198')
})

test('the peak is the highest equity marked, the day begins with the equity of the day before', () => {
  const chain = given(created(), bar('A', 0, 100), fill(0, 1, 'buy', '10', '100'))
  const closes = [110, 130, 90, 120]
  const seen = closes.map((close, n) => {
    chain.and(bar('A', n + 1, close))
    const { peakEquity, dayStartEquity } = chain.table.portfolio
    return `${format(peakEquity)} ${format(dayStartEquity)}`
  })
  assert.equal(seen, ['10100 10000', '10300 10100', '10300 10300', '10300 9900'])
})

test('the second bar of a day does not begin another', () => {
  const chain = given(created(), bar('A', 0, 100), fill(0, 1, 'buy', '10', '100'))
  chain.and(bar('A', 1, 110), bar('B', 1, 7), fill(1, 2, 'buy', '1', '50', { symbol: 'B' }))
  assert.is(format(chain.table.portfolio.dayStartEquity), '10000')
  assert.is(chain.table.portfolio.day, dayEnd(0) / 86_400_000)
})

test('a position may be traded before its symbol has a bar', () => {
  const chain = given(created(), fill(0, 1, 'sell', '5', '20', { symbol: 'NEW' }))
  assert.is(format(chain.table.portfolio.equity), '10000')
  chain.and(bar('A', 1, 1), bar('NEW', 1, 30))
  assert.is(format(chain.table.portfolio.equity), '9950')
  assert.is(format(chain.table.portfolio.netValue), '-150')
  assert.is(format(chain.table.portfolio.grossValue), '150')
})

test('a recorded fill is read into decimals and ms', () => {
  const input = fill(0, 1, 'sell', '2.5', '10.01', { fee: '0.3' })
  assert.is(input.type, 'order.filled')
  if (input.type !== 'order.filled') return
  assert.equal(fillOf(input.data), {
    symbol: 'A',
    side: 'sell',
    qty: parse('2.5'),
    price: parse('10.01'),
    fee: parse('0.3'),
    time: dayEnd(0),
  })
})

test('the peak is taken after a fill too', () => {
  const chain = given(
    ...opened(),
    bar('A', 0, 100),
    signal(0, { qty: '10' }),
    fill(0, 1, 'buy', '10', '100'),
    signal(0, { signalId: 's2', side: 'sell', qty: '5' }),
    fill(0, 2, 'sell', '5', '200'),
  )
  assert.is(format(chain.table.portfolio.equity), '11000')
  assert.is(format(chain.table.portfolio.peakEquity), '11000')
  chain.and(bar('A', 1, 100))
  assert.is(format(chain.table.portfolio.equity), '10500')
  assert.is(format(chain.table.portfolio.peakEquity), '11000')
})

test('a fill that sells the last share still takes the peak, fee paid', () => {
  const chain = given(created(), bar('A', 0, 100), fill(0, 1, 'buy', '10', '100'))
  chain.and(fill(0, 2, 'sell', '10', '150', { fee: '20' }))
  assert.is(format(chain.table.portfolio.equity), '10480')
  assert.is(format(chain.table.portfolio.peakEquity), '10480')
})

test('a bar that comes late marks nothing; a correction of the newest one does', () => {
  const chain = given(created(), bar('A', 3, 100), fill(3, 1, 'buy', '10', '100'), bar('A', 4, 110))
  for (const n of [0, 3]) chain.and({ ...bar('A', n, 500), at: dayEnd(4) })
  const { portfolio } = chain.table
  assert.is(format(portfolio.equity), '10100')
  assert.is(format(portfolio.peakEquity), '10100')
  // What another symbol's bars are stamped with is no measure.
  chain.and(bar('B', 9, 5), { ...bar('A', 4, 120, { revision: 1 }), at: dayEnd(9) })
  assert.is(format(portfolio.equity), '10200')
  assert.is(format(portfolio.grossValue), '1200')
})

test.run()
