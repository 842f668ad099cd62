import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { fromNumber, parse } from '../decimal.ts'
import type { Bar } from '../market/bar.ts'
import type { BrokerOrder, BrokerReport } from '../ports/broker.ts'
import { DAY_MS, formatDay, parseTime } from '../time.ts'
import { Exchange } from './exchange.ts'

const shared = resolve(process.env.SHARED ?? '../shared', 'data')
const reference = join(shared, 'reference/backtrader')

function rows(path: string): Record<string, string>[] {
  const [head = '', ...lines] = readFileSync(path, 'utf8').trim().split(/\r?\n/)
  const names = head.split(',')
  return lines.map((line) => {
    const cells = line.split(',')
    return Object.fromEntries(names.map((name, i) => [name, cells[i] ?? '']))
  })
}

function readBars(): Bar[] {
  return rows(join(shared, 'daily/IBM.csv')).map((row) => {
    const time = parseTime(row.timestamp!)
    const [open, high, low, close, volume] = ['open', 'high', 'low', 'close', 'volume'].map(
      (name) => Number(row[name]),
    ) as [number, number, number, number, number]
    return {
      symbol: 'IBM',
      symbolIndex: 0,
      time,
      end: time + DAY_MS,
      open,
      high,
      low,
      close,
      volume,
    }
  })
}

function readOrder(row: Record<string, string>): BrokerOrder {
  const order: BrokerOrder = {
    clientOrderId: row.id!,
    orderId: Number(row.id),
    symbol: 'IBM',
    side: row.side as 'buy' | 'sell',
    type: row.type === 'stoptrail' ? 'trailing_stop' : (row.type as BrokerOrder['type']),
    qty: row.size!,
    timeInForce: 'gtc',
  }
  if (row.type === 'limit') order.limitPrice = row.price!
  if (row.type === 'stop') order.stopPrice = row.price!
  if (row.type === 'stoptrail') order.trailAmount = row.trail_amount!
  // The last eligible date: the order ends when that day does.
  if (row.valid_until) order.expiresAt = parseTime(row.valid_until) + DAY_MS
  return order
}

/** Replays the reference orders and returns what was reported. */
function replay(): { bars: Bar[]; orders: Record<string, string>[]; reports: BrokerReport[] } {
  const bars = readBars()
  const orders = rows(join(reference, 'ibm_random_orders.orders.csv'))
  const reports: BrokerReport[] = []
  const exchange = new Exchange(
    {
      cash: '1000000',
      fill: 'next-open',
      limitFill: 'touch',
      participation: 0,
      slippageBps: 0,
      commission: '0.001',
      feePerShare: '0',
      feeMin: '0',
      trail: 'close',
    },
    (report) => reports.push(report),
  )
  for (const bar of bars) {
    exchange.onBar(bar)
    const date = formatDay(bar.time / DAY_MS)
    for (const row of orders) {
      if (row.submit_date === date) exchange.submit(readOrder(row), bar.end)
    }
  }
  return { bars, orders, reports }
}

if (existsSync(reference)) {
  const { bars, orders, reports } = replay()
  const ids = new Set(orders.map((row) => row.id))
  const ended = new Map<string, BrokerReport>()
  for (const report of reports) {
    if (report.kind === 'accepted') continue
    assert.not(ended.has(report.clientOrderId), `order ${report.clientOrderId} ended twice`)
    ended.set(report.clientOrderId, report)
  }

  test('every order fills as backtrader filled it: date, size, price, commission', () => {
    let compared = 0
    for (const row of rows(join(reference, 'ibm_random_orders.fills.csv'))) {
      if (!ids.has(row.id!)) continue
      const fill = ended.get(row.id!)
      assert.is(fill?.kind, 'filled', `order ${row.id}`)
      assert.is(fill?.complete, true)
      assert.is(formatDay(fill!.occurredAt / DAY_MS), row.fill_date, `date of order ${row.id}`)
      const size = Number(fill!.qty) * (fill!.side === 'buy' ? 1 : -1)
      assert.is(size, Number(row.size), `size of order ${row.id}`)
      // The reference holds floats: the decimal each stands for is the one ours must be.
      assert.is(parse(fill!.price!), fromNumber(Number(row.price)), `price of order ${row.id}`)
      assert.is(parse(fill!.fee!), fromNumber(Number(row.commission)), `fee of order ${row.id}`)
      compared++
    }
    assert.is(compared, 150)
  })

  test('every order that expired there expires here, on its last eligible day', () => {
    let compared = 0
    for (const row of rows(join(reference, 'ibm_random_orders.not_filled.csv'))) {
      if (!ids.has(row.id!)) continue
      const report = ended.get(row.id!)
      assert.is(report?.kind, 'expired', `order ${row.id}`)
      const validUntil = parseTime(orders.find((order) => order.id === row.id)!.valid_until!)
      // backtrader notices on the first bar after the last eligible date.
      const seen = bars.find((bar) => bar.time > validUntil)!
      assert.is(formatDay(seen.time / DAY_MS), row.date_seen, `order ${row.id}`)
      const traded = bars.some((bar) => bar.time === validUntil)
      assert.is(report!.occurredAt, traded ? validUntil : seen.time, `order ${row.id}`)
      compared++
    }
    assert.is(compared, 50)
  })

  test('nothing else was reported', () => {
    assert.is(ended.size, orders.length)
    assert.is(reports.length, orders.length * 2)
  })
} else {
  test.skip(`needs shared data: ${reference}`, () => {})
}

test.run()
