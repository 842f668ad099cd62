import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { cli, inFolder } from './cli-fixture.ts'

const data = resolve(process.env.SHARED ?? '../shared', 'data')
const reference = join(data, 'reference')

function rows(path: string): Record<string, string>[] {
  const [head = '', ...lines] = readFileSync(path, 'utf8').trim().split(/\r?\n/)
  const names = head.split(',')
  return lines.map((line) => {
    const cells = line.split(',')
    return Object.fromEntries(names.map((name, i) => [name, cells[i] ?? '']))
  })
}

function close(actual: number, expected: number, what: string): void {
  const tolerance = 1e-9 * Math.max(1, Math.abs(expected))
  assert.ok(Math.abs(actual - expected) <= tolerance, `${what}: ${actual}, not ${expected}`)
}

interface Case {
  name: string
  bars: string
  set: string[]
  commission?: string
}

const CASES: readonly Case[] = [
  { name: 'goog_sma_10_30_reverse', bars: 'GOOG', set: ['mode=reverse', 'size=all'] },
  { name: 'goog_sma_10_30_long_only', bars: 'GOOG', set: ['size=all'] },
  { name: 'goog_sma_10_30_long_fixed_10_shares', bars: 'GOOG', set: ['size=10'] },
  {
    name: 'goog_sma_10_20_exclusive_commission_0.002',
    bars: 'GOOG',
    set: ['fast=10', 'slow=20', 'mode=reverse', 'size=all'],
    commission: '0.002',
  },
  { name: 'npm_aapl_sma_10_30_reverse', bars: 'AAPL_2013_2018', set: ['mode=reverse', 'size=all'] },
  {
    name: 'npm_aapl_sma_10_30_long_only_100_shares',
    bars: 'AAPL_2013_2018',
    set: ['size=100'],
    commission: '0.001',
  },
  { name: 'npm_spx_sma_50_200_long_only', bars: 'SPX', set: ['fast=50', 'slow=200', 'size=all'] },
]

if (existsSync(reference)) {
  for (const { name, bars, set, commission } of CASES) {
    test(
      `${name} comes out as backtesting.py has it`,
      inFolder(async (folder) => {
        const path = join(reference, 'backtesting_py', name)
        const peer = JSON.parse(readFileSync(`${path}.stats.json`, 'utf8'))
        const stats = peer.stats_not_finalized
        const out = join(folder, 'out')
        const { code, stdout, stderr } = await cli([
          ...['backtest', '--data', join(data, 'daily', `${bars}.csv`), '--strategy', 'sma_cross'],
          ...set.flatMap((pair) => ['--set', pair]),
          ...['--cash', String(peer.settings.cash), '--commission', commission ?? '0'],
          ...['--slippage-bps', '0', '--participation', '0', '--risk', 'off'],
          ...['--json', '--out', out],
        ])
        assert.is(code, 0, stderr)
        assert.is(stderr, '')
        const summary = JSON.parse(stdout)
        assert.equal(JSON.parse(readFileSync(join(out, 'summary.json'), 'utf8')), summary)
        close(Number(summary.equity.end), stats['Equity Final [$]'], 'end')
        close(Number(summary.equity.peak), stats['Equity Peak [$]'], 'peak')
        close(summary.returns.maxDrawdown, stats['Max. Drawdown [%]'] / 100, 'drawdown')
        assert.is(summary.trades.count, stats['# Trades'])

        const trades = rows(join(out, 'trades.csv'))
        // The peer lists a trade still open at the end as closed there; ours are closed ones only.
        const theirs = rows(`${path}.trades.csv`).slice(0, trades.length)
        assert.is(trades.length, summary.trades.count)
        for (const [i, trade] of trades.entries()) {
          const peer = theirs[i]!
          const sign = trade.side === 'long' ? 1 : -1
          assert.is(sign * Number(trade.qty), Number(peer.Size), `size of trade ${i}`)
          assert.is(trade.entry_time, peer.EntryTime, `entry of trade ${i}`)
          assert.is(trade.exit_time, peer.ExitTime, `exit of trade ${i}`)
          close(Number(trade.entry_price), Number(peer.EntryPrice), `entry price of trade ${i}`)
          close(Number(trade.exit_price), Number(peer.ExitPrice), `exit price of trade ${i}`)
          close(Number(trade.pnl), Number(peer.PnL), `pnl of trade ${i}`)
        }
        const equity = rows(join(out, 'equity.csv'))
        const curve = rows(`${path}.equity.csv`)
        assert.is(equity.length, curve.length)
        for (const [i, point] of curve.entries()) {
          assert.is(equity[i]!.timestamp, point.timestamp)
          close(Number(equity[i]!.equity), Number(point.Equity), `equity on ${point.timestamp}`)
          close(
            Number(equity[i]!.cash) + Number(equity[i]!.position_value),
            Number(equity[i]!.equity),
            `parts on ${point.timestamp}`,
          )
        }
        const decisions = readFileSync(join(out, 'decisions.ndjson'))
        assert.is(createHash('sha256').update(decisions).digest('hex'), summary.digest)
        assert.is(summary.warnings.length, commission === undefined ? 1 : 0)
      }),
    )
  }

  test('the figures that the contract names', async () => {
    const { stdout } = await cli([
      ...['backtest', '--data', join(data, 'daily/GOOG.csv'), '--strategy', 'sma_cross'],
      ...['--set', 'fast=10', 'slow=30', 'mode=reverse', 'size=all', '--cash', '10000'],
      ...['--commission', '0', '--slippage-bps', '0', '--participation', '0', '--risk', 'off'],
      '--json',
    ])
    const summary = JSON.parse(stdout)
    assert.equal(summary.equity, { start: '10000', end: '51959.95', peak: '75787.44' })
    assert.is(summary.bars, 2148)
    assert.is(summary.trades.count, 65)
    assert.is(summary.trades.open, 1)
    close(Number(summary.returns.maxDrawdown.toFixed(10)), -0.4798012705, 'drawdown')
    assert.is(summary.returns.maxDrawdownDays, 584)
    assert.match(summary.warnings[0], /^frictionless/)
  })

  test(
    'listed orders fill, and expire, as backtrader has it',
    inFolder(async (folder) => {
      const theirs = join(reference, 'backtrader/ibm_random_orders')
      const out = join(folder, 'out')
      const { code, stdout, stderr } = await cli([
        ...['backtest', '--orders', `${theirs}.orders.csv`],
        ...['--data', join(data, 'daily/IBM.csv'), '--limit-fill', 'touch'],
        ...['--slippage-bps', '0', '--participation', '0', '--commission', '0.001'],
        ...['--cash', '1000000', '--risk', 'off', '--json', '--out', out],
      ])
      assert.is(code, 0, stderr)
      const summary = JSON.parse(stdout)
      const list = rows(`${theirs}.orders.csv`)
      const fills = new Map(rows(join(out, 'fills.csv')).map((row) => [row.id, row]))
      const orders = new Map(rows(join(out, 'orders.csv')).map((row) => [row.id, row]))
      assert.is(orders.size, 200)
      let filled = 0
      for (const row of rows(`${theirs}.fills.csv`)) {
        const fill = fills.get(row.id)
        assert.is(fill?.timestamp, row.fill_date, `date of order ${row.id}`)
        const size = Number(fill!.qty) * (fill!.side === 'buy' ? 1 : -1)
        assert.is(size, Number(row.size), `size of order ${row.id}`)
        close(Number(fill!.price), Number(row.price), `price of order ${row.id}`)
        close(Number(fill!.fee), Number(row.commission), `fee of order ${row.id}`)
        assert.is(orders.get(row.id)!.status, 'filled')
        assert.is(orders.get(row.id)!.ended, row.fill_date)
        filled++
      }
      assert.is(filled, 150)
      assert.is(fills.size, filled)
      let expired = 0
      for (const row of rows(`${theirs}.not_filled.csv`)) {
        assert.is(orders.get(row.id)?.status, 'expired', `order ${row.id}`)
        expired++
      }
      assert.is(expired, 50)
      assert.is(summary.orders.filled, filled)
      assert.is(summary.orders.expired, expired)
      assert.is(summary.orders.working, 0)
      for (const row of list) assert.is(orders.get(row.id)!.submitted, row.submit_date)

      // The reference sums floats: its cents are ours.
      close(Number(summary.equity.end), 1_000_672.1802, 'end')
      const equity = rows(join(out, 'equity.csv'))
      const curve = rows(`${theirs}.equity.csv`)
      const closes = new Map(
        rows(join(data, 'daily/IBM.csv')).map((row) => [row.timestamp, row.close]),
      )
      assert.is(equity.length, curve.length)
      for (const [i, point] of curve.entries()) {
        const ours = equity[i]!
        assert.is(ours.timestamp, point.timestamp)
        close(Number(ours.cash), Number(point.cash), `cash on ${point.timestamp}`)
        close(Number(ours.equity), Number(point.value), `value on ${point.timestamp}`)
        const held = Number(point.position) * Number(closes.get(point.timestamp))
        close(Number(ours.position_value), held, `position on ${point.timestamp}`)
      }
    }),
  )
} else {
  test.skip(`needs shared data: ${reference}`, () => {})
}

test.run()
