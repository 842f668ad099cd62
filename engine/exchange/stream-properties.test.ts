import * as fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { ExchangeSettings } from '../../schemas/types.gen.ts'
import { add, type Decimal, fromNumber, mul, parse, sub, toNumber, ZERO } from '../decimal.ts'
import type { Bar } from '../market/bar.ts'
import { NYSE } from '../market/calendar.ts'
import type { BrokerOrder, BrokerReport } from '../ports/broker.ts'
import { Exchange } from './exchange.ts'
import { play, settings, type Step, streams, SYMBOLS } from '../testing/order-streams.ts'

interface Run {
  exchange: Exchange
  reports: BrokerReport[]
}

function start(with_: ExchangeSettings, hear?: (report: BrokerReport) => void): Run {
  const reports: BrokerReport[] = []
  const exchange = new Exchange(with_, (report) => {
    reports.push(report)
    hear?.(report)
  })
  return { exchange, reports }
}

function property(
  runs: number,
  check: (with_: ExchangeSettings, steps: Step[], at: number) => void,
): void {
  fc.assert(fc.property(settings, streams, fc.nat(50), check), { numRuns: runs })
}

const ENDS: readonly string[] = ['rejected', 'canceled', 'expired', 'replaced']

function isEnd({ kind, complete }: BrokerReport): boolean {
  return ENDS.includes(kind) || (kind === 'filled' && complete === true)
}

/** All orders that were sent, legs too; what replaced one takes over its terms. */
function ordersOf(steps: readonly Step[]): Map<string, BrokerOrder> {
  const orders = new Map<string, BrokerOrder>()
  for (const step of steps) {
    if (step.do === 'submit') {
      for (const one of [step.order, ...(step.order.legs ?? [])]) orders.set(one.clientOrderId, one)
    } else if (step.do === 'replace') {
      const old = orders.get(step.clientOrderId)
      if (old !== undefined) orders.set(step.by.clientOrderId, { ...old, ...step.by })
    }
  }
  return orders
}

/** What later reports depend on; ranks by their order only, since a restored queue may number anew. */
function stateOf(exchange: Exchange): unknown {
  const { account, ambiguousBars, sequence, day, books } = exchange.snapshot()
  const queues = books.map(({ orders, ...book }) => ({
    ...book,
    orders: [...orders]
      .sort((a, b) => a.rank! - b.rank! || a.orderId - b.orderId)
      .map((order) => ({ ...order, rank: 0 })),
  }))
  return { account, ambiguousBars, sequence, day, queues }
}

test('the random streams meet what the other properties are about', () => {
  const seen = new Map<string, number>()
  property(1000, (with_, steps) => {
    const { exchange, reports } = start(with_)
    const orders = ordersOf(steps)
    play(exchange, steps)
    for (const { kind, code, complete, clientOrderId } of reports) {
      const type = orders.get(clientOrderId)?.type
      for (const key of [
        `${kind} ${kind === 'filled' ? type : (code ?? '')}`.trim(),
        ...(complete === false ? ['in part'] : []),
      ]) {
        seen.set(key, (seen.get(key) ?? 0) + 1)
      }
    }
    if (exchange.ambiguousBars > 0) seen.set('ambiguous', (seen.get('ambiguous') ?? 0) + 1)
  })
  for (const key of [
    ...['market', 'limit', 'stop', 'stop_limit', 'trailing_stop', 'close'].map(
      (t) => `filled ${t}`,
    ),
    ...['accepted', 'held', 'replaced replaced', 'in part', 'ambiguous', 'charged borrow_fee'],
    ...['expired expired', 'canceled cancel_requested', 'canceled sibling_filled'],
    ...['canceled ioc_unfilled', 'canceled fok_unfilled', 'canceled auction_over'],
    ...['canceled entry_canceled', 'canceled entry_expired', 'canceled sibling_canceled'],
    ...['adjusted sibling_filled', 'adjusted entry_partial', 'canceled insufficient_cash'],
    ...['rejected wash_trade', 'rejected not_shortable', 'rejected invalid_class'],
    ...['rejected time_in_force_for_type', 'rejected entry_rejected', 'canceled leg_canceled'],
    ...['replace_rejected unchanged', 'replace_rejected not_working'],
    ...['replace_rejected invalid_replacement', 'canceled not_shortable'],
  ]) {
    assert.ok((seen.get(key) ?? 0) > 0, `${key} was never seen`)
  }
})

test('cash, fees and positions follow from the reports alone, after every one of them', () => {
  property(600, (with_, steps) => {
    let cash = parse(with_.cash)
    let fees: Decimal = ZERO
    const positions = new Map<string, Decimal>(SYMBOLS.map((symbol) => [symbol, ZERO]))
    const closes = new Map<string, Decimal>()
    const run = start(with_, (report) => {
      const paid = parse(report.kind === 'charged' ? report.amount! : (report.fee ?? '0'))
      cash = sub(cash, paid)
      fees = add(fees, paid)
      if (report.kind === 'filled') {
        const qty = report.side === 'buy' ? parse(report.qty!) : sub(ZERO, parse(report.qty!))
        cash = sub(cash, mul(qty, parse(report.price!)))
        positions.set(report.symbol, add(positions.get(report.symbol)!, qty))
      }
      const { account } = run.exchange
      assert.is(account.cash, cash)
      assert.is(account.fees, fees)
      let equity = cash
      let theirs = account.cash
      for (const symbol of SYMBOLS) {
        const close = closes.get(symbol) ?? ZERO
        equity = add(equity, mul(positions.get(symbol)!, close))
        theirs = add(theirs, mul(account.position(symbol), close))
      }
      assert.is(theirs, equity)
    })
    play(run.exchange, steps, 0, (step) => {
      if (step.do === 'bar') closes.set(step.bar.symbol, fromNumber(step.bar.close))
    })
  })
})

test('no fill without its bar, outside its range but for slippage, its limit, or its session', () => {
  property(600, (with_, steps) => {
    const { exchange, reports } = start(with_)
    play(exchange, steps)
    const orders = ordersOf(steps)
    const bars = new Map<string, Bar>()
    for (const step of steps) {
      if (step.do === 'bar') bars.set(`${step.bar.symbol}${step.bar.time}`, step.bar)
    }
    for (const report of reports) {
      if (report.kind !== 'filled') continue
      const order = orders.get(report.clientOrderId)!
      const bar = bars.get(`${report.symbol}${report.occurredAt}`)
      assert.ok(bar, 'there was a bar')
      const price = toNumber(parse(report.price!))
      const share = bar.volume > 0 ? Math.sqrt(Number(report.qty) / bar.volume) : 0
      // An order of "all" may have been sized before impact made it smaller; what it pays is for that size.
      const sized = order.qty === 'all' || order.qty === 'notional' ? 1000 : 1
      const whole = bar.volume > 0 ? Math.sqrt(250 / bar.volume) : 0
      const impact = (with_.impactBps ?? 0) * Math.max(share, whole) * sized
      const slip = (with_.slippageBps + (with_.spreadBps ?? 0) / 2 + impact) / 10_000
      assert.ok(price >= bar.low * (1 - slip) - 1e-6, `${price} below ${bar.low}`)
      assert.ok(price <= bar.high * (1 + slip) + 1e-6, `${price} above ${bar.high}`)
      if (order.type === 'limit' || order.type === 'stop_limit') {
        const limit = Number(order.limitPrice)
        assert.ok(order.side === 'buy' ? price <= limit : price >= limit, 'within its limit')
      }
      if (with_.sessions !== 'us-equity') continue
      const phase = NYSE.phase(bar.time)
      assert.ok(
        phase === 'core' || (phase !== 'closed' && order.extendedHours === true),
        `${order.type} ${order.timeInForce} in phase ${phase}`,
      )
      if (order.timeInForce !== 'cls' && order.type !== 'close') continue
      assert.ok(bar.end >= NYSE.sessionAt(bar.time)!.close, 'a bar that ends the session')
    }
  })
})

test('an order is heard of before it trades, trades no more than its quantity, and ends once', () => {
  property(600, (with_, steps) => {
    const { exchange, reports } = start(with_)
    play(exchange, steps)
    const orders = ordersOf(steps)
    const heard = new Map<string, 'held' | 'works' | 'over'>()
    const filled = new Map<string, Decimal>()
    const before = new Map<number, string>()
    reports.forEach((report, i) => {
      const { clientOrderId: id, kind } = report
      assert.is(report.sequence, i + 1)
      if (kind === 'charged') return
      const state = heard.get(id)
      if (kind === 'replace_rejected') {
        assert.ok(state !== undefined)
        return
      }
      assert.is.not(state, 'over', `${kind} of ${id}, which is over`)
      if (kind === 'accepted') assert.is.not(state, 'works')
      if (kind === 'held') assert.is(state, undefined)
      if (kind === 'filled' || kind === 'adjusted') assert.is(state, 'works')
      if (kind === 'replaced') before.set(report.replacedBy!, id)
      if (kind === 'held') heard.set(id, 'held')
      if (kind === 'accepted') {
        heard.set(id, 'works')
        const old = before.get(report.orderId)
        if (old !== undefined) filled.set(id, filled.get(old) ?? ZERO)
      }
      if (isEnd(report)) heard.set(id, 'over')
      if (kind !== 'filled') return
      const sum = add(filled.get(id) ?? ZERO, parse(report.qty!))
      filled.set(id, sum)
      const { qty } = orders.get(id)!
      if (qty !== 'all' && qty !== 'notional') assert.ok(sum <= parse(qty), `${id} over ${qty}`)
    })
  })
})

test('legs wait for their entry, end with it, and of two never more than the entry brought in trades', () => {
  let both = 0
  property(600, (with_, steps) => {
    const { exchange, reports } = start(with_)
    /** Newest id of each order and leg, through replacements. */
    const now = new Map<string, string>()
    const newest = (id: string): string => {
      let at = id
      while (now.has(at)) at = now.get(at)!
      return at
    }
    const over = new Set<string>()
    const works = new Set<string>()
    const filled = new Map<string, Decimal>()
    let read = 0
    const groups: BrokerOrder[] = []
    play(exchange, steps, 0, (step) => {
      if (step.do === 'submit' && (step.order.orderClass ?? 'simple') !== 'simple') {
        groups.push(step.order)
      }
      for (; read < reports.length; read++) {
        const report = reports[read]!
        const { clientOrderId: id, kind } = report
        if (kind === 'accepted') works.add(id)
        if (kind === 'replaced') now.set(id, `o-${report.replacedBy}`)
        if (isEnd(report)) over.add(id)
        if (kind === 'filled') filled.set(id, add(filled.get(id) ?? ZERO, parse(report.qty!)))
      }
      const total = (id: string): Decimal => {
        let sum = filled.get(id) ?? ZERO
        for (let at = now.get(id); at !== undefined; at = now.get(at)) {
          sum = add(sum, filled.get(at) ?? ZERO)
        }
        return sum
      }
      for (const group of groups) {
        const legs = group.legs!.map((leg) => leg.clientOrderId)
        const all = group.orderClass === 'oco' ? [group.clientOrderId, ...legs] : legs
        const ended = all.map((id) => over.has(newest(id)))
        assert.is(new Set(ended).size, 1, 'legs end together')
        const traded = all.reduce<Decimal>((sum, id) => add(sum, total(id)), ZERO)
        if (all.filter((id) => total(id) > 0).length === 2) both++
        if (group.orderClass === 'oco') {
          assert.ok(traded <= parse(group.qty))
          continue
        }
        const entry = newest(group.clientOrderId)
        if (!over.has(entry)) {
          assert.is(traded, ZERO, 'no leg trades before its entry has')
          assert.not(
            legs.some((id) => works.has(newest(id))),
            'nor works',
          )
        }
        assert.ok(traded <= total(group.clientOrderId))
        if (over.has(entry) && total(group.clientOrderId) === ZERO) assert.ok(ended[0])
      }
    })
  })
  assert.ok(both > 0, 'some legs share what there is')
})

test('the same stream gives the same reports, and a restored exchange goes on with them', () => {
  property(600, (with_, steps, at) => {
    const whole = start(with_)
    play(whole.exchange, steps)
    const first = start(with_)
    play(first.exchange, steps.slice(0, at))
    const second = start(with_)
    second.exchange.restore(JSON.parse(JSON.stringify(first.exchange.snapshot())))
    assert.equal(second.exchange.snapshot(), first.exchange.snapshot())
    play(second.exchange, steps, at)
    assert.equal([...first.reports, ...second.reports], whole.reports)
    assert.equal(stateOf(second.exchange), stateOf(whole.exchange))
  })
})

test.run()
