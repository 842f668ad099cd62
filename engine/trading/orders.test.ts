import * as fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { add, type Decimal, format, max, mul, sub, ZERO } from '../decimal.ts'
import { DAY_MS, formatTime } from '../time.ts'
import { history, play } from '../testing/arbitraries.ts'
import {
  action,
  bar,
  control,
  dayEnd,
  fill,
  type Input,
  opened,
  type PlainReport,
  adjusted,
  replacement,
  report,
  signal,
} from '../testing/fixtures.ts'
import { Given, given } from '../testing/given.ts'
import {
  affordable,
  closable,
  isReducing,
  type Order,
  type OrdersState,
  workingQty,
} from './order-state.ts'
import { isOpen, type OrderEvent, type OrderStatus, refusal, TRANSITIONS } from './transitions.ts'

/** Order 1: to buy 10 A, only intended. */
function intended(): Given {
  return given(...opened(), bar('A', 0, 100), signal(0, { qty: '10' }))
}

/** How order 1 comes into a status. */
const WAYS: Record<OrderStatus, Input[]> = {
  intended: [],
  unknown: [report(0, 1, 'outcome_unknown')],
  accepted: [report(0, 1, 'accepted')],
  partially_filled: [fill(0, 1, 'buy', '4', '100', { complete: false })],
  filled: [fill(0, 1, 'buy', '10', '100')],
  canceled: [report(0, 1, 'canceled')],
  expired: [report(0, 1, 'expired')],
  rejected: [report(0, 1, 'rejected')],
  withheld: [report(0, 1, 'withheld')],
  held: [report(0, 1, 'held')],
  replaced: [replacement(0, 1, 'replaced', 9)],
}

function said(event: OrderEvent): Input {
  if (event === 'replaced' || event === 'replace_rejected') return replacement(0, 1, event, 9)
  if (event === 'adjusted') return adjusted(0, 1, { qty: '12' })
  if (event === 'filled') return fill(0, 1, 'buy', '6', '101')
  if (event === 'partially_filled') return fill(0, 1, 'buy', '2', '101', { complete: false })
  return report(0, 1, event as PlainReport)
}

/** What brokers and executor say; what we ask for ourselves is not among it. */
const EVENTS = (Object.keys(TRANSITIONS.intended) as OrderEvent[]).filter(
  (event) => !event.endsWith('_requested'),
)

for (const status of Object.keys(WAYS) as OrderStatus[]) {
  test(`every report on an order that is ${status}`, () => {
    for (const event of EVENTS) {
      const past = intended().and(...WAYS[status])
      const { orders } = past.table
      assert.is(orders.open.get(1)?.status ?? orders.ended.get(1), status)
      const next = TRANSITIONS[status][event]
      const input = said(event)
      const outcome = past.when(input)
      const where = `${status} + ${event}`
      if (next === undefined) {
        outcome.leadsTo([
          'order.anomaly',
          { orderId: 1, status, event: input.type, code: refusal(status, event) },
        ])
        assert.is(orders.open.get(1)?.status ?? orders.ended.get(1), status, where)
      } else if (isOpen(status)) {
        outcome.leadsTo()
        assert.is(orders.open.get(1)?.status ?? orders.ended.get(1), next, where)
        assert.is(orders.open.has(1), isOpen(next), where)
        assert.is(orders.ended.has(1), !isOpen(next), where)
      } else {
        const late = { orderId: 1, status, event: input.type, code: 'fill_after_end' }
        if (input.type === 'order.filled') outcome.leadsTo(['order.anomaly', late])
        else outcome.leadsTo()
        assert.is(orders.ended.get(1), next, where)
        assert.not.ok(orders.open.has(1), where)
      }
      check(orders)
    }
  })
}

test('a report on an order that never was is an anomaly and changes no order', () => {
  for (const event of EVENTS) {
    const past = given(...opened(), bar('A', 0, 100))
    past
      .when(said(event))
      .leadsTo(['order.anomaly', { orderId: 1, status: 'unknown_order', code: 'unknown_order' }])
    assert.is(past.table.orders.open.size + past.table.orders.ended.size, 0)
  }
})

test('a fill that crosses its cancellation is an anomaly, and the portfolio has it', () => {
  const past = intended().and(report(0, 1, 'canceled'))
  past.when(fill(0, 1, 'buy', '10', '99')).leadsTo(['order.anomaly', { code: 'fill_after_end' }])
  assert.is(format(past.table.portfolio.holdings.get('A')!.qty), '10')
  assert.is(format(past.table.portfolio.cash), '9010')
  assert.is(past.table.orders.workingNotional, ZERO)
  assert.is(workingQty(past.table.orders, 'A'), ZERO)
})

/** What works in each symbol is what is left of the open orders, at the prices it was reserved at. */
function check(orders: OrdersState): void {
  const left = new Map<string, { buy: Decimal; sell: Decimal }>()
  let notional: Decimal = ZERO
  let unknown = 0
  let legs = 0
  for (const order of orders.open.values()) {
    assert.ok(isOpen(order.status))
    assert.not.ok(orders.ended.has(order.orderId))
    const sums = left.get(order.symbol) ?? { buy: ZERO, sell: ZERO }
    left.set(order.symbol, sums)
    const [qty, value] = reservation(orders, order)
    sums[order.side] = add(sums[order.side], qty)
    notional = add(notional, value)
    if (order.parentId !== null) legs++
    if (order.status === 'unknown') unknown++
  }
  for (const [symbol, working] of orders.working) {
    assert.is(working.buyQty, left.get(symbol)?.buy ?? ZERO, `${symbol} buys`)
    assert.is(working.sellQty, left.get(symbol)?.sell ?? ZERO, `${symbol} sells`)
    assert.is(workingQty(orders, symbol), sub(working.buyQty, working.sellQty))
  }
  for (const symbol of left.keys()) assert.ok(orders.working.has(symbol))
  assert.is(orders.workingNotional, notional)
  assert.ok(orders.workingNotional >= 0)
  if (orders.open.size === 0) assert.is(orders.workingNotional, ZERO)
  assert.is(orders.unknown, unknown)
  assert.is(orders.legs, legs)
  for (const from of orders.replacedBy.keys()) assert.is(orders.ended.get(from), 'replaced')
}

/** What an order must take up: a leg nothing, a replacement what it has beyond its original. */
function reservation(orders: OrdersState, order: Order): [Decimal, Decimal] {
  if (order.parentId !== null) return [ZERO, ZERO]
  const left = max(ZERO, sub(sub(order.qty, order.filledQty), order.inherited))
  const value = mul(left, order.reservePrice)
  const original = order.replaces === null ? undefined : orders.open.get(order.replaces)
  if (original === undefined) return [left, value]
  const [qty, before] = reservation(orders, original)
  return [max(ZERO, sub(left, qty)), max(ZERO, sub(value, before))]
}

test('reservations are what is left of the open orders, after every event of any history', () => {
  fc.assert(
    fc.property(history, (past) => {
      const chain = new Given()
      play(past, chain.table, (input) => {
        chain.when(input)
        check(chain.table.orders)
      })
    }),
    { numRuns: 150 },
  )
})

test('order numbers count up from 1, one for every approval, over all symbols', () => {
  fc.assert(
    fc.property(history, (past) => {
      const chain = new Given()
      let last = 0
      play(past, chain.table, (input) => {
        for (const data of chain.when(input).all('order.intended')) {
          last++
          assert.is(data.orderId, last)
        }
        assert.is(chain.table.orders.lastOrderId, last)
      })
    }),
    { numRuns: 60 },
  )
})

test('only so many ended orders are remembered, the newest', () => {
  const past = given(...opened(), bar('A', 0, 100))
  for (let n = 1; n <= 1100; n++) {
    past.and(signal(0, { signalId: `s${n}`, qty: '1' }), report(0, n, 'rejected'))
  }
  const { ended, open, working } = past.table.orders
  assert.is(open.size, 0)
  assert.is(ended.size, 1024)
  assert.is(working.size, 1)
  assert.not.ok(ended.has(76))
  assert.ok(ended.has(77))
  assert.ok(ended.has(1100))
  past.when(report(0, 76, 'accepted')).leadsTo(['order.anomaly', { code: 'unknown_order' }])
  past
    .when(report(0, 77, 'accepted'))
    .leadsTo(['order.anomaly', { code: 'accepted_after_rejection' }])
})

test('an intent carries the approved order and the time until which it may be sent', () => {
  const past = given(...opened(), bar('A', 0, 100))
  const limit = { qty: '2.5', orderType: 'limit', limitPrice: '99.5', timeInForce: 'day' } as const
  assert.equal(past.when(signal(0, limit)).one('order.intended'), {
    orderId: 1,
    signalId: 's1',
    symbol: 'A',
    side: 'buy',
    type: 'limit',
    limitPrice: '99.5',
    timeInForce: 'day',
    qty: '2.5',
    notAfter: formatTime(dayEnd(0) + 10 * DAY_MS),
  })
  const live = given(...opened({ feed: 'realtime' }), bar('A', 0, 100))
  const stop = { qty: '1', side: 'sell', orderType: 'stop', stopPrice: '90' } as const
  const intent = live.when(signal(0, stop)).one('order.intended')
  assert.is(intent.notAfter, formatTime(dayEnd(0) + 30_000))
  assert.is(intent.stopPrice, '90')
  assert.is(intent.limitPrice, undefined)
})

test('a cancellation is asked for once, and reserves on until it is reported', () => {
  const past = intended()
  past
    .when(control(0, 'cancel-all'))
    .leadsTo(['order.cancel_requested', { orderId: 1, actor: 'ana' }])
  past.when(control(0, 'cancel-all', 'k2')).leadsTo()
  assert.is(format(workingQty(past.table.orders, 'A')), '10')
  past.and(report(0, 1, 'canceled'))
  assert.is(workingQty(past.table.orders, 'A'), ZERO)
  past.when(control(0, 'cancel-all', 'k3')).leadsTo()
})

test('what can be closed is what is held less what already closes it', () => {
  const past = intended()
  assert.is(closable(past.table, 'A'), ZERO)
  past.and(fill(0, 1, 'buy', '10', '100'))
  assert.is(format(closable(past.table, 'A')), '10')
  past.and(signal(0, { signalId: 's2', side: 'close', qty: '4' }))
  assert.is(format(closable(past.table, 'A')), '6')
  assert.ok(isReducing(past.table, 'A', 'sell', closable(past.table, 'A')))
  assert.not.ok(isReducing(past.table, 'A', 'sell', add(closable(past.table, 'A'), 1)))
  assert.not.ok(isReducing(past.table, 'A', 'buy', 1))
  assert.not.ok(isReducing(past.table, 'NONE', 'sell', 1))
  // A short position is closed by buying.
  const short = given(...opened(), bar('A', 0, 100), signal(0, { side: 'sell', qty: '10' }))
  short.and(fill(0, 1, 'sell', '10', '100'))
  assert.is(format(closable(short.table, 'A')), '10')
  assert.ok(isReducing(short.table, 'A', 'buy', closable(short.table, 'A')))
  assert.not.ok(isReducing(short.table, 'A', 'sell', 1))
})

test('orders that reduce reserve nothing; others their limit, their stop or the last close', () => {
  const past = intended().and(fill(0, 1, 'buy', '10', '100'))
  past.and(signal(0, { signalId: 's2', side: 'close' }))
  assert.is(past.table.orders.workingNotional, ZERO)
  past.and(signal(0, { signalId: 's3', qty: '2', orderType: 'limit', limitPrice: '90' }))
  assert.is(format(past.table.orders.workingNotional), '180')
  past.and(signal(0, { signalId: 's4', qty: '1', orderType: 'stop', stopPrice: '120' }))
  assert.is(format(past.table.orders.workingNotional), '300')
  past.and(signal(0, { signalId: 's5', qty: '1' }))
  assert.is(format(past.table.orders.workingNotional), '400')
})

test('"all" is every whole share that cash, fees included, buys at the last close', () => {
  const all = (exchange: object, close: number) =>
    format(affordable(given(...opened({ exchange }), bar('A', 0, close)).table, 'A'))
  assert.is(all({}, 100), '100')
  assert.is(all({}, 100.01), '99')
  assert.is(all({}, 10_000), '1')
  assert.is(all({}, 10_000.01), '0')
  assert.is(all({ commission: '0.01' }, 100), '99')
  assert.is(all({ feePerShare: '0.5' }, 100), '99')
  assert.is(all({ cash: '0' }, 100), '0')
  assert.is(all({ cash: '-50' }, 100), '0')
  assert.is(format(affordable(given(...opened()).table, 'A')), '0', 'no close, no size')
})

test('"all" counts on the proceeds of the orders that close the position first', () => {
  const long = intended().and(fill(0, 1, 'buy', '10', '100'))
  assert.is(format(affordable(long.table, 'A')), '90')
  long.and(signal(0, { signalId: 's2', side: 'close' }))
  assert.is(format(affordable(long.table, 'A')), '100')
  const short = given(...opened(), bar('A', 0, 100), signal(0, { side: 'sell', qty: '10' }))
  short.and(fill(0, 1, 'sell', '10', '100'))
  assert.is(format(affordable(short.table, 'A')), '110')
  short.and(signal(0, { signalId: 's2', side: 'close' }))
  assert.is(format(affordable(short.table, 'A')), '100')
})

test('a trade of more than was asked for is an anomaly, and the portfolio has all of it', () => {
  const whole = intended()
  whole
    .when(fill(0, 1, 'buy', '10.000000001', '100'))
    .leadsTo([
      'order.anomaly',
      { orderId: 1, status: 'intended', event: 'order.filled', code: 'overfill' },
    ])
  assert.is(format(whole.table.portfolio.holdings.get('A')!.qty), '10.000000001')
  assert.is(whole.table.orders.ended.get(1), 'filled')

  const parts = intended().and(fill(0, 1, 'buy', '6', '100', { complete: false }))
  parts
    .when(fill(0, 1, 'buy', '6', '100', { complete: false }))
    .leadsTo(['order.anomaly', { status: 'partially_filled', code: 'overfill' }])
  assert.is(format(parts.table.portfolio.holdings.get('A')!.qty), '12')
  assert.is(workingQty(parts.table.orders, 'A'), ZERO)
  check(parts.table.orders)
  intended()
    .when(fill(0, 1, 'buy', '10', '100'))
    .leadsTo()
})

test('"all" may buy more than the last close promised', () => {
  const past = given(...opened(), bar('A', 0, 100), signal(0, { qty: 'all' }))
  past.when(fill(0, 1, 'buy', '125', '80')).leadsTo()
  assert.is(format(past.table.portfolio.holdings.get('A')!.qty), '125')
})

test('a trade of another symbol or side than the order is an anomaly, and the portfolio has it', () => {
  const symbol = intended().and(bar('B', 0, 50))
  symbol
    .when(fill(0, 1, 'buy', '10', '50', { symbol: 'B' }))
    .leadsTo(['order.anomaly', { orderId: 1, event: 'order.filled', code: 'fill_mismatch' }])
  assert.is(format(symbol.table.portfolio.holdings.get('B')!.qty), '10')
  assert.not.ok(symbol.table.portfolio.holdings.has('A'))
  assert.is(format(symbol.table.portfolio.cash), '9500')
  check(symbol.table.orders)

  const side = intended()
  side
    .when(fill(0, 1, 'sell', '4', '100', { complete: false }))
    .leadsTo(['order.anomaly', { code: 'fill_mismatch' }])
  assert.is(format(side.table.portfolio.holdings.get('A')!.qty), '-4')
  side.when(fill(0, 1, 'sell', '60', '100')).leadsTo(['order.anomaly', { code: 'fill_mismatch' }])
  assert.is(format(side.table.portfolio.cash), '16400')
  check(side.table.orders)
})

test('what has traded counts in new shares after a split, whole ones where it was whole', () => {
  const past = given(...opened(), bar('A', 0, 100), signal(0, { qty: '10' }))
  past.and(fill(0, 1, 'buy', '7', '100', { complete: false }))
  past.and(adjusted(0, 1, { qty: '1' }), action(1, 'split', '0.25'))
  const order = past.table.orders.open.get(1)!
  assert.equal([format(order.filledQty), format(order.qty)], ['1', '1'])
  const half = given(...opened(), bar('A', 0, 100), signal(0, { qty: '3' }))
  half.and(fill(0, 1, 'buy', '0.5', '100', { complete: false }), action(1, 'split', '3'))
  assert.is(format(half.table.orders.open.get(1)!.filledQty), '1.5')
})

test.run()
