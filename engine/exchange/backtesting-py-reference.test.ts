import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { abs, add, format, fromNumber, mul, parse } from '../decimal.ts'
import type { Bar } from '../market/bar.ts'
import type { BrokerReport } from '../ports/broker.ts'
import { DAY_MS, formatDay, parseTime } from '../time.ts'
import { Exchange } from './exchange.ts'

const shared = resolve(process.env.SHARED ?? '../shared', 'data')
const reference = join(shared, 'reference/backtesting_py/goog_sma_10_30_reverse.trades.csv')

function lines(path: string): string[][] {
  const [, ...rest] = readFileSync(path, 'utf8').trim().split(/\r?\n/)
  return rest.map((line) => line.split(','))
}

function average(bars: Bar[], end: number, length: number): number {
  let sum = 0
  for (let i = end - length + 1; i <= end; i++) sum += bars[i]!.close
  return sum / length
}

if (existsSync(reference)) {
  test('reversing with "all" on every cross trades the sizes and prices of backtesting.py', () => {
    const fills: BrokerReport[] = []
    const exchange = new Exchange(
      {
        cash: '10000',
        fill: 'next-open',
        limitFill: 'through',
        participation: 0,
        slippageBps: 0,
        commission: '0',
        feePerShare: '0',
        feeMin: '0',
      },
      (report) => {
        if (report.kind === 'filled') fills.push(report)
      },
    )
    const bars = lines(join(shared, 'daily/GOOG.csv')).map((cells): Bar => {
      const time = parseTime(cells[0]!)
      const [open, high, low, close, volume] = cells.slice(1, 6).map(Number) as [
        number,
        number,
        number,
        number,
        number,
      ]
      const end = time + DAY_MS
      return { symbol: 'GOOG', symbolIndex: 0, time, end, open, high, low, close, volume }
    })
    let orderId = 0
    const send = (side: 'buy' | 'sell', qty: string, now: number) => {
      const clientOrderId = `o${++orderId}`
      exchange.submit(
        { clientOrderId, orderId, symbol: 'GOOG', side, type: 'market', qty, timeInForce: 'gtc' },
        now,
      )
    }
    bars.forEach((bar, i) => {
      exchange.onBar(bar)
      if (i < 30) return
      const before = average(bars, i - 1, 10) - average(bars, i - 1, 30)
      const now = average(bars, i, 10) - average(bars, i, 30)
      if (!(before < 0 && now > 0) && !(before > 0 && now < 0)) return
      const side = now > 0 ? 'buy' : 'sell'
      const held = exchange.account.position('GOOG')
      // Closing comes first in the queue, so that "all" counts what it brings in.
      if (held !== 0) send(side, format(abs(held)), bar.end)
      send(side, 'all', bar.end)
    })

    const openings = fills.filter((_, i) => i % 2 === 0)
    const trades = lines(reference)
    assert.is(openings.length, trades.length)
    trades.forEach(([size, , , entry, , price], i) => {
      const fill = openings[i]!
      assert.is(formatDay(fill.occurredAt / DAY_MS), entry, `entry ${i}`)
      assert.is(Number(fill.qty) * (fill.side === 'buy' ? 1 : -1), Number(size), `size ${i}`)
      assert.is(parse(fill.price!), fromNumber(Number(price)), `price ${i}`)
    })
    const { account } = exchange
    const last = fromNumber(bars.at(-1)!.close)
    assert.is(format(add(account.cash, mul(account.position('GOOG'), last))), '51959.95')
  })
} else {
  test.skip(`needs shared data: ${reference}`, () => {})
}

test.run()
