import fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { abs, add, type Decimal, format, mul, neg, parse, sub, ZERO } from '../decimal.ts'
import { RoundTrips, type Trade, type TradedFill } from './round-trips.ts'

const DAY = 86_400_000

function fillOf(
  time: number,
  side: 'buy' | 'sell',
  qty: string,
  price: string,
  fee = '0',
  symbol = 'A',
): TradedFill {
  return { time, symbol, side, qty: parse(qty), price: parse(price), fee: parse(fee) }
}

function run(fills: readonly TradedFill[]): { trips: RoundTrips; trades: Trade[] } {
  const trades: Trade[] = []
  const trips = new RoundTrips((trade) => trades.push(trade))
  for (const fill of fills) trips.fill(fill)
  return { trips, trades }
}

/** A trade with its decimals as text. */
function show(trade: Trade): Record<string, unknown> {
  return {
    ...trade,
    qty: format(trade.qty),
    entryPrice: format(trade.entryPrice),
    exitPrice: format(trade.exitPrice),
    fees: format(trade.fees),
    pnl: format(trade.pnl),
  }
}

test('closes a long, net of the fees of both sides', () => {
  const { trips, trades } = run([
    fillOf(0, 'buy', '10', '50', '1'),
    fillOf(3 * DAY, 'sell', '10', '60', '1.5'),
  ])
  assert.equal(trades.map(show), [
    {
      symbol: 'A',
      side: 'long',
      qty: '10',
      entryTime: 0,
      entryPrice: '50',
      exitTime: 3 * DAY,
      exitPrice: '60',
      fees: '2.5',
      pnl: '97.5',
      return: 0.195,
    },
  ])
  assert.is(trips.openCount, 0)
  assert.is(trips.totals.holdMs, 3 * DAY)
})

test('one closing fill gives one trade for each lot it consumes, oldest first, and splits the last', () => {
  const { trips, trades } = run([
    fillOf(1, 'sell', '3', '100', '3'),
    fillOf(2, 'sell', '5', '110', '5'),
    fillOf(3, 'buy', '4', '90', '8'),
  ])
  const seen = trades.map((t) => [
    t.side,
    t.entryTime,
    format(t.qty),
    format(t.fees),
    format(t.pnl),
  ])
  assert.equal(seen, [
    ['short', 1, '3', '9', '21'], // 3 × 10 − 3 − 6
    ['short', 2, '1', '3', '17'], // 1 × 20 − 1 − 2
  ])
  const [lot] = trips.openLots()
  assert.is(trips.openCount, 1)
  assert.equal([lot!.side, format(lot!.qty), format(lot!.fee)], ['short', '4', '4'])
})

test('a fill that crosses zero closes, then opens with the rest and its share of the fee', () => {
  const { trips, trades } = run([
    fillOf(1, 'buy', '10', '20'),
    fillOf(2, 'sell', '25', '22', '2.5'),
    fillOf(3, 'buy', '15', '22', '0'),
  ])
  const seen = trades.map((t) => [
    t.side,
    t.entryTime,
    format(t.qty),
    format(t.fees),
    format(t.pnl),
  ])
  assert.equal(seen, [
    ['long', 1, '10', '1', '19'],
    ['short', 2, '15', '1.5', '-1.5'],
  ])
  assert.is(trips.openCount, 0)
  assert.equal([trips.totals.wins, trips.totals.losses], [1, 1])
})

test('symbols are matched apart', () => {
  const { trips, trades } = run([
    fillOf(1, 'buy', '1', '10', '0', 'A'),
    fillOf(2, 'sell', '1', '12', '0', 'B'),
  ])
  assert.is(trades.length, 0)
  assert.equal(
    trips.openLots().map((lot) => [lot.symbol, lot.side]),
    [
      ['A', 'long'],
      ['B', 'short'],
    ],
  )
})

test('breaking even is neither win nor loss', () => {
  const { trips } = run([fillOf(1, 'buy', '1', '10'), fillOf(2, 'sell', '1', '10')])
  assert.equal([trips.totals.count, trips.totals.wins, trips.totals.losses], [1, 0, 0])
  assert.equal([trips.totals.best, trips.totals.worst], [0, 0])
})

test('an entry whose cost rounds to nothing has no return', () => {
  const { trips, trades } = run([
    fillOf(1, 'buy', '0.000000001', '0.000000001'),
    fillOf(2, 'sell', '0.000000001', '5'),
  ])
  assert.is(trades[0]!.return, null)
  assert.is(trips.totals.best, null)
})

test('refuses a fill of nothing', () => {
  for (const qty of ['0', '-1']) {
    assert.throws(() => run([fillOf(1, 'buy', qty, '10')]), /quantity must be above zero/)
  }
})

test('drops the closed front of a long queue', () => {
  const trips = new RoundTrips()
  for (let i = 0; i < 1000; i++) trips.fill(fillOf(i, 'buy', '1', '10'))
  for (let i = 0; i < 900; i++) trips.fill(fillOf(1000 + i, 'sell', '1', '11'))
  assert.is(trips.openCount, 100)
  assert.is(trips.openLots()[0]!.time, 900)
  assert.is(trips.totals.count, 900)
  assert.is(format(trips.totals.grossProfit), '900')
})

test('a split keeps costs, and the lots together hold what a position would', () => {
  const { trips, trades } = run([
    fillOf(1, 'buy', '1', '90', '0.3'),
    fillOf(2, 'buy', '1', '90'),
    fillOf(3, 'buy', '1', '90'),
  ])
  trips.split('A', parse('0.333333333'))
  trips.split('OTHER', parse('2'))
  const lots = trips.openLots()
  const total = lots.reduce<Decimal>((sum, lot) => add(sum, lot.qty), ZERO)
  assert.is(format(total), '0.999999999')
  assert.equal(
    lots.map((lot) => format(lot.notional)),
    ['90', '90', '90'],
  )
  assert.is(format(lots[0]!.price), '270.00000027')
  trips.fill(fillOf(4, 'sell', '0.999999999', '270'))
  const pnl = trades.reduce<Decimal>((sum, trade) => add(sum, trade.pnl), ZERO)
  // Sold for 269.99999973 what had cost 270, and 0.3 of fees.
  assert.is(format(pnl), '-0.30000027')
  assert.throws(() => trips.split('A', ZERO), /ratio must be above zero/)
})

const nanos = (max: number) => fc.integer({ min: 1, max }).map((n): Decimal => n)
const whole = (max: number) => fc.integer({ min: 1, max }).map((n) => parse(`${n}`))
const fills: fc.Arbitrary<TradedFill[]> = fc
  .array(
    fc.record({
      symbol: fc.constantFrom('A', 'B'),
      side: fc.constantFrom('buy' as const, 'sell' as const),
      qty: fc.oneof(whole(20), nanos(5_000_000_000), whole(1_000_000)),
      price: fc.oneof(whole(500), nanos(2_000_000_000), nanos(Number.MAX_SAFE_INTEGER)),
      fee: fc.oneof(fc.constant(ZERO), nanos(3_000_000_000), nanos(1000).map(neg), nanos(10)),
    }),
    { maxLength: 60 },
  )
  .map((list) => list.map((fill, i) => ({ ...fill, time: i * 1000 })))

const sum = (values: Iterable<Decimal>): Decimal => {
  let total: Decimal = ZERO
  for (const value of values) total = add(total, value)
  return total
}

test('no fee, no quantity and no money is lost, to the last nano', () => {
  fc.assert(
    fc.property(fills, (fills) => {
      const { trips, trades } = run(fills)
      const lots = trips.openLots()
      assert.is(trips.openCount, lots.length)

      const charged = sum(fills.map((f) => f.fee))
      const shared = add(sum(trades.map((t) => t.fees)), sum(lots.map((l) => l.fee)))
      assert.is(format(shared), format(charged))

      for (const symbol of ['A', 'B']) {
        const of = fills.filter((f) => f.symbol === symbol)
        const position = sum(of.map((f) => (f.side === 'buy' ? f.qty : neg(f.qty))))
        const held = lots.filter((l) => l.symbol === symbol)
        assert.is(
          format(sum(held.map((l) => (l.side === 'long' ? l.qty : neg(l.qty))))),
          format(position),
        )
        assert.ok(new Set(held.map((l) => l.side)).size <= 1, 'lots of one side only')
      }

      const cash = sum(
        fills.map((f) => {
          const notional = mul(f.price, f.qty)
          return sub(f.side === 'sell' ? notional : neg(notional), f.fee)
        }),
      )
      // Closed pnl = change in cash, with what the open lots cost put back.
      const invested = sum(lots.map((l) => (l.side === 'long' ? l.notional : neg(l.notional))))
      const pnl = sum(trades.map((t) => t.pnl))
      assert.is(format(pnl), format(add(cash, add(invested, sum(lots.map((l) => l.fee))))))
    }),
    { numRuns: 300 },
  )
})

test('pairs the units that a one-by-one queue pairs', () => {
  const unit = fc.record({
    side: fc.constantFrom('buy' as const, 'sell' as const),
    qty: fc.integer({ min: 1, max: 6 }),
    price: fc.integer({ min: 1, max: 50 }),
  })
  fc.assert(
    fc.property(fc.array(unit, { maxLength: 40 }), (list) => {
      const { trips, trades } = run(list.map((f, i) => fillOf(i, f.side, `${f.qty}`, `${f.price}`)))
      const queue: { side: string; time: number }[] = []
      const expected: string[] = []
      for (const [time, f] of list.entries()) {
        for (let n = 0; n < f.qty; n++) {
          if (queue.length > 0 && queue[0]!.side !== f.side) {
            const entry = queue.shift()!
            const gain = (f.price - list[entry.time]!.price) * (entry.side === 'buy' ? 1 : -1)
            expected.push(`${entry.time} ${time} ${gain}`)
          } else queue.push({ side: f.side, time })
        }
      }
      const actual: string[] = []
      for (const trade of trades) {
        const qty = Number(format(trade.qty))
        for (let n = 0; n < qty; n++) {
          actual.push(`${trade.entryTime} ${trade.exitTime} ${Number(format(trade.pnl)) / qty}`)
        }
      }
      assert.equal(actual, expected)
      assert.is(Number(format(sum(trips.openLots().map((l) => l.qty)))), queue.length)
    }),
  )
})

test('the streaming totals are those of the trades', () => {
  fc.assert(
    fc.property(fills, (fills) => {
      const { trips, trades } = run(fills)
      const returns = trades.map((t) => t.return).filter((r) => r !== null)
      const { totals } = trips
      assert.is(totals.count, trades.length)
      assert.is(totals.wins, trades.filter((t) => t.pnl > 0).length)
      assert.is(totals.losses, trades.filter((t) => t.pnl < 0).length)
      assert.is(
        format(totals.grossProfit),
        format(sum(trades.map((t) => (t.pnl > 0 ? t.pnl : ZERO)))),
      )
      assert.is(
        format(abs(totals.grossLoss)),
        format(sum(trades.map((t) => (t.pnl < 0 ? neg(t.pnl) : ZERO)))),
      )
      assert.is(format(totals.fees), format(sum(trades.map((t) => t.fees))))
      assert.is(totals.best, returns.length === 0 ? null : Math.max(...returns))
      assert.is(totals.worst, returns.length === 0 ? null : Math.min(...returns))
      assert.is(
        totals.holdMs,
        trades.reduce((ms, t) => ms + t.exitTime - t.entryTime, 0),
      )
    }),
  )
})

test('a share of an amount is rounded to the nearest nano, not by parts', () => {
  // 1/3 of two nanos of fee: a product rounded on its way would give nothing, then everything.
  const { trades } = run([
    fillOf(1, 'buy', '3', '1', '0.000000002'),
    fillOf(2, 'sell', '1', '1'),
    fillOf(3, 'sell', '1', '1'),
    fillOf(4, 'sell', '1', '1'),
  ])
  assert.equal(
    trades.map((t) => format(t.fees)),
    ['0.000000001', '0.000000001', '0'],
  )
  const rebate = run([fillOf(1, 'buy', '3', '1', '-0.000000002'), fillOf(2, 'sell', '1', '1')])
  assert.is(format(rebate.trades[0]!.fees), '-0.000000001')
  // 6/7 of eight million: through a float quotient it would end in 856.
  const large = run([fillOf(1, 'buy', '7', '1', '8000000'), fillOf(2, 'sell', '6', '1')])
  assert.is(format(large.trades[0]!.fees), '6857142.857142857')
})

test.run()
