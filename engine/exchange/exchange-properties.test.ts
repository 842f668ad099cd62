import * as fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { ExchangeSettings } from '../../schemas/types.gen.ts'
import {
  add,
  type Decimal,
  format,
  fromNumber,
  mul,
  ONE,
  parse,
  sub,
  trunc,
  ZERO,
} from '../decimal.ts'
import type { Bar } from '../market/bar.ts'
import type { BrokerOrder, BrokerReport } from '../ports/broker.ts'
import { DAY_MS } from '../time.ts'
import { Exchange } from './exchange.ts'

type Action =
  | { do: 'submit'; order: BrokerOrder }
  | { do: 'cancel'; clientOrderId: string }
  | { do: 'bar'; bar: Bar }

const SYMBOLS = ['A', 'B']

const settings: fc.Arbitrary<ExchangeSettings> = fc.record({
  cash: fc.integer({ min: 0, max: 5_000_000 }).map((cents) => `${cents / 100}`),
  fill: fc.constantFrom('next-open', 'same-close'),
  limitFill: fc.constantFrom('touch', 'through'),
  participation: fc.constantFrom(0, 0, 0.1, 0.29, 1),
  slippageBps: fc.constantFrom(0, 1, 2.5, 300),
  commission: fc.constantFrom('0', '0.001', '0.00025'),
  feePerShare: fc.constantFrom('0', '0', '0.005'),
  feeMin: fc.constantFrom('0', '1'),
})

const cents = fc.integer({ min: 900, max: 1100 }).map((n) => n / 100)

const actions: fc.Arbitrary<Action[]> = fc
  .array(
    fc.oneof(
      {
        weight: 4,
        arbitrary: fc.record({
          do: fc.constant('bar' as const),
          symbolIndex: fc.nat(1),
          prices: fc.array(cents, { minLength: 4, maxLength: 4 }),
          volume: fc.constantFrom(0, 9, 57, 1000, Number.NaN),
        }),
      },
      {
        weight: 4,
        arbitrary: fc.record({
          do: fc.constant('submit' as const),
          symbol: fc.constantFrom(...SYMBOLS),
          side: fc.constantFrom('buy' as const, 'sell' as const),
          type: fc.constantFrom('market', 'limit', 'stop', 'close') as fc.Arbitrary<
            BrokerOrder['type']
          >,
          qty: fc.constantFrom('all', 'all', '1', '7', '30', '250', '0.75', '0', 'x'),
          price: cents,
          timeInForce: fc.constantFrom('day' as const, 'gtc' as const, 'gtc' as const),
          lives: fc.option(fc.nat(3)),
        }),
      },
      {
        weight: 1,
        arbitrary: fc.record({ do: fc.constant('cancel' as const), orderId: fc.nat(20) }),
      },
    ),
    { maxLength: 40, size: 'max' },
  )
  .map((list) => {
    let day = 0
    let orderId = 0
    const shown = [0, 0]
    return list.map((item): Action => {
      if (item.do === 'cancel') return { do: 'cancel', clientOrderId: `${item.orderId}` }
      if (item.do === 'submit') {
        const { symbol, side, type, qty, price, timeInForce, lives } = item
        const id = ++orderId
        const order: BrokerOrder = {
          clientOrderId: `${id}`,
          orderId: id,
          symbol,
          side,
          type,
          qty,
          timeInForce,
        }
        if (type === 'limit') order.limitPrice = `${price}`
        if (type === 'stop') order.stopPrice = `${price}`
        if (lives !== null) order.expiresAt = (day + lives) * DAY_MS
        return { do: 'submit', order }
      }
      // Both symbols may have a bar on one day, never two.
      if (shown[item.symbolIndex] === day) day++
      shown[item.symbolIndex] = day
      const [open, a, b, close] = item.prices as [number, number, number, number]
      return {
        do: 'bar',
        bar: {
          symbol: SYMBOLS[item.symbolIndex]!,
          symbolIndex: item.symbolIndex,
          time: day * DAY_MS,
          end: (day + 1) * DAY_MS,
          open,
          high: Math.max(open, a, b, close),
          low: Math.min(open, a, b, close),
          close,
          volume: item.volume,
        },
      }
    })
  })

interface Run {
  exchange: Exchange
  reports: BrokerReport[]
  /** Cash before and after each report. */
  cash: [Decimal, Decimal][]
}

function start(with_: ExchangeSettings): Run {
  const reports: BrokerReport[] = []
  const cash: [Decimal, Decimal][] = []
  let before = parse(with_.cash)
  const exchange = new Exchange(with_, (report) => {
    reports.push(report)
    cash.push([before, exchange.account.cash])
    before = exchange.account.cash
  })
  return { exchange, reports, cash }
}

function play(exchange: Exchange, list: Action[], from = 0): void {
  let now = 0
  list.forEach((action, i) => {
    if (action.do === 'bar') now = action.bar.end
    if (i < from) return
    if (action.do === 'bar') exchange.onBar(action.bar)
    else if (action.do === 'submit') exchange.submit(action.order, now)
    else exchange.cancel(action.clientOrderId, now)
  })
}

function property(
  runs: number,
  check: (with_: ExchangeSettings, list: Action[], at: number) => void,
) {
  fc.assert(fc.property(settings, actions, fc.nat(40), check), { numRuns: runs })
}

/** A bar of before all others. */
const OLD_BAR: Bar = {
  symbol: 'A',
  symbolIndex: 0,
  time: -DAY_MS,
  end: 0,
  open: 10,
  high: 10,
  low: 10,
  close: 10,
  volume: 0,
}

function barsOf(list: Action[]): Map<string, Bar> {
  const bars = new Map<string, Bar>()
  for (const action of list) {
    if (action.do === 'bar') bars.set(`${action.bar.symbol}${action.bar.time}`, action.bar)
  }
  return bars
}

function ordersOf(list: Action[]): Map<string, BrokerOrder> {
  const orders = new Map<string, BrokerOrder>()
  for (const action of list) {
    if (action.do === 'submit') orders.set(action.order.clientOrderId, action.order)
  }
  return orders
}

test('the random runs trade, so that what follows is about something', () => {
  const seen = new Map<string, number>()
  property(500, (with_, list) => {
    const { exchange, reports } = start(with_)
    play(exchange, list)
    for (const { kind, code, complete } of reports) {
      const key = `${kind} ${code ?? ''}${complete === false ? 'in part' : ''}`.trim()
      seen.set(key, (seen.get(key) ?? 0) + 1)
    }
  })
  for (const key of [
    'accepted',
    'rejected invalid_qty',
    'filled',
    'filled in part',
    'expired expired',
    'canceled cancel_requested',
    'canceled insufficient_cash',
  ]) {
    assert.ok((seen.get(key) ?? 0) > 10, `${key}: ${seen.get(key)}`)
  }
})

test('cash + fees + Σ signed qty × price is what it was, exactly, and positions are the sum of fills', () => {
  property(500, (with_, list) => {
    const { exchange, reports } = start(with_)
    play(exchange, list)
    let total = exchange.account.cash
    const positions = new Map<string, Decimal>()
    for (const report of reports) {
      if (report.kind !== 'filled') continue
      const qty = report.side === 'buy' ? parse(report.qty!) : sub(ZERO, parse(report.qty!))
      total = add(add(total, mul(qty, parse(report.price!))), parse(report.fee!))
      positions.set(report.symbol, add(positions.get(report.symbol) ?? ZERO, qty))
    }
    assert.is(total, parse(with_.cash))
    for (const symbol of SYMBOLS) {
      assert.is(exchange.account.position(symbol), positions.get(symbol) ?? ZERO)
    }
  })
})

test('no fill is outside its bar but for slippage, none worse than its limit, none without its bar', () => {
  property(500, (with_, list) => {
    const { exchange, reports } = start(with_)
    play(exchange, list)
    const bars = barsOf(list)
    const orders = ordersOf(list)
    const slip = fromNumber(with_.slippageBps / 10_000)
    for (const report of reports) {
      if (report.kind !== 'filled') continue
      const order = orders.get(report.clientOrderId)!
      const bar = bars.get(`${report.symbol}${report.occurredAt}`)
      assert.ok(bar, 'there was a bar')
      const price = parse(report.price!)
      const low = fromNumber(bar.low)
      const high = fromNumber(bar.high)
      if (order.type === 'limit') {
        const limit = parse(order.limitPrice!)
        assert.ok(price >= low && price <= high)
        assert.ok(order.side === 'buy' ? price <= limit : price >= limit)
      } else if (order.side === 'buy') {
        assert.ok(price >= low && price <= add(high, mul(high, slip)))
      } else {
        assert.ok(price <= high && price >= sub(low, mul(low, slip)))
      }
    }
  })
})

test('an order never trades more than its quantity, on no bar of before it, and ends once', () => {
  property(500, (with_, list) => {
    const { exchange, reports } = start(with_)
    const orders = ordersOf(list)
    const shownBefore = new Map<string, number>()
    const newest = new Map<string, number>()
    for (const action of list) {
      if (action.do === 'bar') newest.set(action.bar.symbol, action.bar.time)
      else if (action.do === 'submit') {
        const { clientOrderId, symbol } = action.order
        shownBefore.set(clientOrderId, newest.get(symbol) ?? Number.NEGATIVE_INFINITY)
      }
    }
    play(exchange, list)
    const traded = new Map<string, Decimal>()
    const over = new Set<string>()
    reports.forEach((report, i) => {
      const id = report.clientOrderId
      assert.is(report.sequence, i + 1)
      assert.not(over.has(id), 'nothing is said of an order that is over')
      if (report.kind !== 'accepted' && report.complete !== false) over.add(id)
      if (report.kind !== 'filled') return
      const order = orders.get(id)!
      const before = shownBefore.get(id)!
      const atOnce = with_.fill === 'same-close' && order.type === 'market'
      assert.ok(atOnce ? report.occurredAt >= before : report.occurredAt > before)
      if (order.expiresAt !== undefined) assert.ok(report.occurredAt < order.expiresAt)
      const sum = add(traded.get(id) ?? ZERO, parse(report.qty!))
      traded.set(id, sum)
      const qty = parse(report.qty!)
      if (order.qty === 'all' || !report.complete) assert.is(trunc(qty), qty, 'whole shares')
      if (order.qty === 'all') return
      assert.ok(sum <= parse(order.qty))
      assert.is(sum === parse(order.qty), report.complete)
    })
  })
})

test('what trades in a bar keeps to its share of the volume', () => {
  property(500, (with_, list) => {
    if (with_.participation === 0) return
    const { exchange, reports } = start(with_)
    play(exchange, list)
    const traded = new Map<string, Decimal>()
    for (const report of reports) {
      if (report.kind !== 'filled') continue
      const key = `${report.symbol}${report.occurredAt}`
      traded.set(key, add(traded.get(key) ?? ZERO, parse(report.qty!)))
    }
    const bars = barsOf(list)
    for (const [key, qty] of traded) {
      const { volume } = bars.get(key)!
      if (Number.isNaN(volume)) continue
      assert.ok(qty <= trunc(mul(fromNumber(volume), fromNumber(with_.participation))))
    }
  })
})

test('buying "all" never overdraws, and unlimited it leaves less than one more share', () => {
  let bought = 0
  property(500, (with_, list) => {
    const { exchange, reports, cash } = start(with_)
    play(exchange, list)
    const orders = ordersOf(list)
    reports.forEach((report, i) => {
      if (report.kind !== 'filled' || report.side !== 'buy') return
      if (orders.get(report.clientOrderId)!.qty !== 'all') return
      const left = cash[i]![1]
      assert.ok(left >= 0, `${format(left)} left`)
      bought++
      if (with_.participation > 0 || with_.feePerShare !== '0') return
      assert.ok(left < mul(parse(report.price!), add(ONE, parse(with_.commission))))
    })
  })
  assert.ok(bought > 50, `${bought} bought`)
})

test('the same input gives the same reports, also when every order is submitted twice', () => {
  property(300, (with_, list) => {
    const once = start(with_)
    play(once.exchange, list)
    const twice = start(with_)
    const doubled = list.flatMap((action): Action[] =>
      action.do === 'submit' ? [action, action] : [action],
    )
    play(twice.exchange, doubled)
    assert.equal(twice.reports, once.reports)
    assert.equal(twice.exchange.snapshot(), once.exchange.snapshot())
  })
})

test('an exchange restored from a snapshot goes on with the same reports', () => {
  property(500, (with_, list, at) => {
    const whole = start(with_)
    play(whole.exchange, list)
    const first = start(with_)
    play(first.exchange, list.slice(0, at))
    const second = start(with_)
    // What was there before restoring must not show through.
    second.exchange.onBar(OLD_BAR)
    second.exchange.submit(
      {
        clientOrderId: 'old',
        orderId: 99,
        symbol: 'A',
        side: 'buy',
        type: 'market',
        qty: '1',
        timeInForce: 'gtc',
      },
      0,
    )
    second.reports.length = 0
    second.exchange.restore(JSON.parse(JSON.stringify(first.exchange.snapshot())))
    assert.not(second.exchange.knows('old'))
    play(second.exchange, list, at)
    assert.equal([...first.reports, ...second.reports], whole.reports)
    assert.is(
      JSON.stringify(second.exchange.snapshot().account),
      JSON.stringify(whole.exchange.snapshot().account),
    )
    assert.is(second.exchange.ambiguousBars, whole.exchange.ambiguousBars)
  })
})

test.run()
