import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { cli, inFolder } from './cli-fixture.ts'

/** Daily bars of ABC at 100, three of 2024, and orders to place on them. */
function files(folder: string, orders: readonly string[]): string[] {
  mkdirSync(folder, { recursive: true })
  const bars = join(folder, 'ABC.csv')
  const days = ['02', '03', '04'].map((day) => `2024-01-${day},100,100,100,100,10000`)
  writeFileSync(bars, ['date,open,high,low,close,volume', ...days].join('\n'))
  const list = join(folder, 'orders.csv')
  writeFileSync(list, ['id,submit_date,side,type,size,price', ...orders].join('\n'))
  return ['--data', bars, '--orders', list, '--commission', '0', '--slippage-bps', '0']
}

async function trade(folder: string, orders: readonly string[], more: readonly string[]) {
  const out = join(folder, 'out')
  const args = ['backtest', ...files(folder, orders), ...more, '--out', out, '--json']
  const { code, stdout, stderr } = await cli(args)
  assert.is(code, 0, stderr)
  const rows = (name: string) => readFileSync(join(out, name), 'utf8').trim().split('\n').slice(1)
  return {
    summary: JSON.parse(stdout),
    fills: rows('fills.csv').map((row) => row.split(',').slice(3).join(' ')),
    codes: rows('orders.csv').map((row) => row.split(',').at(-2)),
  }
}

const BUY = '1,2024-01-02,buy,market,100,'
const SELL = '2,2024-01-02,sell,market,100,'

test(
  'costs and permissions of the exchange are set by options, and said in the assumptions',
  inFolder(async (folder) => {
    const at = (name: string) => join(folder, name)
    const costs = await trade(
      at('costs'),
      [BUY, SELL],
      [...['--spread-bps', '20', '--impact-bps', '100', '--regulatory-fees', 'us-equity']],
    )
    // Half of 0.2 %, and 1 % × √(100 ÷ 10,000): 0.2 in 100.
    assert.equal(costs.fills[0], 'buy 100 100.2 0')
    // SEC 8 a million, 0.07984, and FINRA 0.000166 a share, 0.0166: each up to the cent.
    assert.equal(costs.fills[1], 'sell 100 99.8 0.1')
    const { spreadBps, impactBps, regulatoryFees } = costs.summary.assumptions
    assert.equal([spreadBps, impactBps, regulatoryFees], [20, 100, 'us-equity'])

    const borrowed = await trade(at('borrow'), [SELL], ['--borrow-rate', '0.36'])
    assert.is(borrowed.summary.charges, '10')
    assert.is(borrowed.summary.equity.end, '99990')
    for (const [shorts, code] of [
      ['none', 'not_shortable'],
      ['xyz,DEF', 'not_shortable'],
      ['ABC', ''],
      ['all', ''],
    ] as const) {
      const { codes, summary } = await trade(at(`shorts-${shorts}`), [SELL], ['--shorts', shorts])
      assert.equal(codes, [code], shorts)
      if (shorts === 'xyz,DEF') assert.equal(summary.assumptions.shortable, ['XYZ', 'DEF'])
    }
    const cash = await trade(at('cash'), [BUY], ['--multiplier', '1', '--cash', '9999'])
    assert.equal(cash.codes, ['insufficient_buying_power'])
    const wash = await trade(at('wash'), [BUY, SELL], ['--wash-trades', 'refuse'])
    assert.equal(wash.codes, ['', 'wash_trade'])
  }),
)

test('a setting that cannot be is refused with 2', async () => {
  for (const [option, value] of [
    ['--spread-bps', '-1'],
    ['--impact-bps', '100001'],
    ['--regulatory-fees', 'eu'],
    ['--borrow-rate', '1'],
    ['--shorts', 'A,,B'],
    ['--multiplier', '3'],
    ['--wash-trades', 'maybe'],
  ] as const) {
    const args = ['backtest', '--data', 'none.csv', '--strategy', 'sma_cross', option, value]
    const { code, stderr } = await cli(args)
    assert.is(code, 2, option)
    assert.match(stderr, `option '${option}`)
  }
})

test.run()
