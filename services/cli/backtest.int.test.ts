import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { DEMO_SYMBOL, demoBarsPath } from '../market-data/demo-data.ts'
import { barsCsv, cli, inFolder, writeBook } from './cli-fixture.ts'

const DEMO = ['backtest', '--data', demoBarsPath(), '--strategy', 'sma_cross']
const lines = (path: string) => readFileSync(path, 'utf8').trimEnd().split('\n')

function writeBars(folder: string, name = 'AAPL.csv', text = barsCsv(60)): string {
  const path = join(folder, name)
  writeFileSync(path, text)
  return path
}

test('defaults: commission, slippage, participation and the limits of start', async () => {
  const { code, stdout, stderr } = await cli([...DEMO, '--json'])
  assert.is(code, 0, stderr)
  assert.is(stderr, '')
  const { assumptions, trades, warnings, ...summary } = JSON.parse(stdout)
  const { strategies, risk, ...rest } = assumptions
  assert.equal(rest, {
    fill: 'next-open',
    limitFill: 'through',
    commission: 0.001,
    slippageBps: 1,
    participation: 0.1,
    cash: '100000',
    riskFreeRate: 0,
    periodsPerYear: 252,
    seed: 1,
    timeframe: '1d',
  })
  assert.equal(strategies[0].params, { fast: 10, slow: 30, mode: 'long-only', size: '100' })
  const file = JSON.parse(readFileSync('deploy/risk.default.json', 'utf8'))
  assert.equal(risk, file)
  assert.is(summary.bars, 1260)
  assert.is(summary.from, '2013-05-13')
  assert.is(summary.to, '2018-05-11')
  assert.equal(summary.symbols.length, 1)
  // The limits of a fresh installation let its demo trade.
  assert.is(trades.count, 26)
  assert.is(summary.orders.denied, 0)
  assert.equal(warnings, [])
  assert.ok(summary.durationSeconds > 0 && summary.barsPerSecond > 0)
})

test(
  'the documented files, and the digest is the sha256 of the decisions',
  inFolder(async (folder) => {
    const out = join(folder, 'a/b')
    const { code, stdout } = await cli([...DEMO, '--json', '--out', out])
    assert.is(code, 0)
    const summary = JSON.parse(stdout)
    assert.equal(readdirSync(out).sort(), [
      'decisions.ndjson',
      'equity.csv',
      'fills.csv',
      'orders.csv',
      'summary.json',
      'trades.csv',
    ])
    const digest = createHash('sha256')
      .update(readFileSync(join(out, 'decisions.ndjson')))
      .digest('hex')
    assert.is(summary.digest, digest)
    const [head, first] = lines(join(out, 'trades.csv'))
    assert.is(head, 'symbol,side,qty,entry_time,entry_price,exit_time,exit_price,fees,pnl,return')
    assert.match(
      first!,
      /^[A-Z]+,long,100,2013-07-18,61\.9\d+,2013-09-17,63\.9\d+,12\.\d+,\d+\.\d+,0\.0\d+$/,
    )
    assert.is(lines(join(out, 'trades.csv')).length, 1 + summary.trades.count)
    assert.is(lines(join(out, 'equity.csv')).length, 1 + summary.bars)
    assert.is(lines(join(out, 'orders.csv')).length, 1 + summary.orders.submitted)
    assert.match(lines(join(out, 'fills.csv'))[0]!, /^id,timestamp,symbol,side,qty,price,fee$/)
    assert.is(lines(join(out, 'equity.csv'))[1], '2013-05-13,100000,0,100000')
  }),
)

test(
  'a second run overwrites its own files and touches no other',
  inFolder(async (folder) => {
    const out = join(folder, 'out')
    const args = [...DEMO, '--out', out]
    assert.is((await cli(args)).code, 0)
    writeFileSync(join(out, 'notes.txt'), 'mine')
    assert.is((await cli([...args, '--set', 'fast=5'])).code, 0)
    const { assumptions } = JSON.parse(readFileSync(join(out, 'summary.json'), 'utf8'))
    assert.is(assumptions.strategies[0].params.fast, 5)
    assert.is(readFileSync(join(out, 'notes.txt'), 'utf8'), 'mine')

    const other = join(folder, 'other')
    mkdirSync(other)
    writeFileSync(join(other, 'notes.txt'), 'mine')
    const refused = await cli([...DEMO, '--out', other])
    assert.is(refused.code, 2)
    assert.match(refused.stderr, 'there is notes.txt')
    assert.equal(readdirSync(other), ['notes.txt'])

    const file = await cli([...DEMO, '--out', join(other, 'notes.txt')])
    assert.is(file.code, 1)
    assert.match(file.stderr, 'is a file')
  }),
)

test(
  'intraday times are RFC 3339, an interrupted order list stays working',
  inFolder(async (folder) => {
    const start = Date.UTC(2020, 0, 2, 14, 30)
    const rows = Array.from({ length: 30 }, (_, i) => {
      const stamp = new Date(start + i * 60_000).toISOString().replace('.000', '')
      return `${stamp},100,101,99,100`
    })
    const bars = writeBars(folder, 'X_1m.csv', `t,o,h,l,c\n${rows.join('\n')}\n`)
    const orders = join(folder, 'orders.csv')
    writeFileSync(
      orders,
      [
        'id,submit_date,side,type,size,price,trail_amount,valid_until',
        'far,2020-01-02T14:30:00Z,buy,limit,5,50,,',
        '"a,b",2020-01-02T14:31:00Z,buy,market,3,,,',
        'short,2020-01-02T14:31:00Z,buy,limit,5,60,,2020-01-02T14:33:00Z',
        'today,2020-01-02T14:31:00Z,buy,limit,5,60,,2020-01-02',
        'trail,2020-01-02T14:31:00Z,sell,trailing_stop,5,,1,',
      ].join('\n'),
    )
    const out = join(folder, 'out')
    const args = ['backtest', '--data', bars, '--orders', orders, '--out', out, '--json']
    const { code, stdout, stderr } = await cli(args)
    assert.is(code, 0, stderr)
    const summary = JSON.parse(stdout)
    assert.is(summary.from, '2020-01-02T14:30:00Z')
    assert.is(summary.orders.working, 2)
    assert.is(summary.orders.expired, 1)
    assert.is(summary.assumptions.risk, null)
    assert.match(summary.warnings[0], 'the bars have no volume: participation 0.1 is ignored')
    const written = lines(join(out, 'orders.csv'))
    assert.match(
      written[1]!,
      /^far,2020-01-02T14:30:00Z,X,buy,limit,5,50,,gtc,working,0,,0,,,listed:far$/,
    )
    assert.match(written[2]!, /^"a,b",2020-01-02T14:31:00Z,X,buy,market,3,,,gtc,filled,3,100\.01,/)
    assert.match(
      written[3]!,
      /^short,.*,expired,0,,0,2020-01-02T14:3[34]:00Z,expired,listed:short$/,
    )
    assert.match(written[4]!, /^today,.*,working,/)
    // One below the close of 100 that it was submitted on, which the next low touches.
    assert.match(written[5]!, /^trail,.*,trailing_stop,5,,,gtc,filled,5,98\.9901,/)
    assert.is(written.length, 6)
    assert.match(lines(join(out, 'fills.csv'))[1]!, /^"a,b",2020-01-02T14:32:00Z,X,buy,3,100\.01,/)
    assert.match(lines(join(out, 'equity.csv'))[1]!, /^2020-01-02T14:30:00Z,/)
  }),
)

test(
  'bad rows are refused with file and line, all of them with --json, or skipped',
  inFolder(async (folder) => {
    const text = barsCsv(60)
      .replace('1970-01-05,', '1970-01-05,x')
      .replace('1970-01-09,', '1970-01-09,-')
    const bars = writeBars(folder, 'AAPL.csv', text)
    const args = ['backtest', '--data', bars, '--strategy', 'sma_cross']
    const refused = await cli([...args, '--json'])
    assert.is(refused.code, 2)
    const { error } = JSON.parse(refused.stdout)
    assert.is(error.code, 'bad_bars_file')
    assert.equal(
      error.faults.map((fault: { line: number }) => fault.line),
      [6, 10],
    )
    assert.match(refused.stderr, /^error: .*AAPL\.csv: 2 of 60 rows refused\n {2}line 6, open/)
    assert.match(refused.stderr, 'error: Correct the rows')

    const plain = await cli(args)
    assert.is(plain.code, 2)
    assert.is(plain.stdout, '')

    const skipped = await cli([...args, '--skip-bad-rows', '--json'])
    assert.is(skipped.code, 0)
    const summary = JSON.parse(skipped.stdout)
    assert.is(summary.bars, 58)
    assert.match(
      summary.warnings[0],
      /^2 bad rows were left out; the first: .*AAPL\.csv line 6, open/,
    )
  }),
)

test(
  'what is invalid exits 2 and says what is right',
  inFolder(async (folder) => {
    const bars = writeBars(folder)
    const risk = join(folder, 'risk.json')
    writeFileSync(risk, '{"maxPosition": 5}')
    const orders = join(folder, 'orders.csv')
    writeFileSync(orders, 'id,submit_date,side,type,size\n1,1970-01-03,hold,market,1\n')
    const noSymbol = join(folder, 'listed.csv')
    writeFileSync(noSymbol, 'id,submit_date,side,type,size\n1,1970-01-03,buy,market,1\n')
    const foreign = join(folder, 'foreign.csv')
    writeFileSync(foreign, 'id,submit_date,side,type,size,symbol\n1,1970-01-03,buy,market,1,ZZZ\n')
    const second = writeBars(folder, 'MSFT.csv')
    const sma = ['--strategy', 'sma_cross']
    const cases: [string[], RegExp][] = [
      [[], /^error: name the bars.*\nerror: name what trades/],
      [['--data', bars, '--history', ...sma], /--data or --history, not both/],
      [['--data', bars, '--dir', folder, ...sma], /--dir goes with --history/],
      [['--data', bars, ...sma, '--out', ''], /--out "": name a folder/],
      [['--data', bars, '--set', 'fast=3'], /--set needs --strategy/],
      [['--data', bars, ...sma, '--orders', orders], /--strategy or --orders, not both/],
      [['--data', bars, '--orders', noSymbol, '--risk', risk], /--risk does not go with --orders/],
      [['--data', bars, '--orders', orders], /line 2, side "hold": is neither buy nor sell/],
      [['--data', bars, second, '--orders', noSymbol], /line 2: the bars hold 2 symbols/],
      [['--data', bars, '--orders', foreign], /there are no bars of ZZZ/],
      [['--data', bars, '--strategy', 'nope'], /no strategy "nope"; there are sma_cross/],
      [['--data', bars, ...sma, '--set', 'fast=0', 'speed=1'], /speed: .*; fast: a whole number/],
      [['--data', bars, ...sma, '--set', 'fast'], /'fast' is invalid\. Give key=value/],
      [['--data', bars, ...sma, '--set', 'fast=1', 'fast=2'], /fast is given twice/],
      [['--data', bars, ...sma, '--risk', risk], /maxPosition must be a decimal number/],
      [['--data', bars, ...sma, '--risk', join(folder, 'none')], /cannot be read \(ENOENT\)/],
      [['--data', bars, ...sma, '--from', '1999-01-01'], /no bars from 1999-01-01/],
      [['--data', bars, ...sma, '--from', 'monday'], /Give a date such as/],
      [['--data', bars, ...sma, '--timeframe', '1m'], /1d.*1m|1m.*1d/],
      [['--data', join(folder, 'none.csv'), ...sma], /none\.csv: no such file/],
      [['--data', bars, ...sma, '--fee-min', '1'], /--fee-min needs --fee-per-share/],
      [
        ['--data', bars, ...sma, '--commission', '0', '--fee-per-share', '0.01'],
        /--commission or --fee-per-share/,
      ],
      [['--data', bars, ...sma, '--cash', '0'], /Give a number above zero/],
      [['--data', bars, ...sma, '--commission', '1'], /Give a fraction/],
      [['--data', bars, ...sma, '--participation', '2'], /Give a number from 0 to 1/],
      [['--data', bars, ...sma, '--fill', 'never'], /Allowed choices are next-open, same-close/],
      [['--data', bars, ...sma, '--slipage-bps', '1'], /Did you mean --slippage-bps/],
    ]
    for (const [args, message] of cases) {
      const { code, stdout, stderr } = await cli(['backtest', ...args])
      assert.is(code, 2, `${args.join(' ')}: ${stderr}`)
      assert.match(stderr, message)
      assert.is(stdout, '')
    }
  }),
)

test(
  'bars named twice count once, and are remarked on',
  inFolder(async (folder) => {
    const bars = writeBars(folder)
    const args = ['--strategy', 'sma_cross', '--json']
    const once = await cli(['backtest', '--data', bars, ...args])
    assert.is(once.stderr.includes('more than once'), false)
    const again = `${folder}/./AAPL.csv`
    const twice = await cli(['backtest', '--data', bars, again, bars, ...args])
    assert.is(twice.code, 0, twice.stderr)
    const summary = JSON.parse(twice.stdout)
    const warning = `--data names ${bars} more than once: its bars count once`
    assert.equal(
      summary.warnings.filter((text: string) => text.includes('more than once')),
      [warning],
    )
    assert.match(twice.stderr, `warning: ${warning}`)
    assert.is(summary.digest, JSON.parse(once.stdout).digest)
  }),
)

test(
  'orders dated before the bars are counted',
  inFolder(async (folder) => {
    const bars = writeBars(folder)
    const orders = join(folder, 'orders.csv')
    const rows = [
      'early,1969-12-30,buy,market,1,',
      'trail,1969-12-30,sell,trailing_stop,1,1',
      'older,1969-12-31T23:59:59Z,buy,market,1,',
      'first,1970-01-01,buy,market,1,',
      'later,1970-01-05,buy,market,1,',
    ]
    const text = (list: string[]) =>
      `id,submit_date,side,type,size,trail_amount\n${list.join('\n')}\n`
    const early = async (list: string[], ...more: string[]) => {
      writeFileSync(orders, text(list))
      const ran = await cli(['backtest', '--data', bars, '--orders', orders, '--json', ...more])
      assert.is(ran.code, 0, ran.stderr)
      const warnings: string[] = JSON.parse(ran.stdout).warnings
      const found = warnings.filter((warning) => warning.includes('before the first bar'))
      for (const warning of found) assert.match(ran.stderr, `warning: ${warning}`)
      return found
    }
    assert.equal(await early(rows), [
      `${orders}: 3 orders have a submit_date before the first bar (early: 1969-12-30, bars of AAPL begin 1970-01-01); nothing can trade before that bar`,
    ])
    assert.equal(await early(rows.slice(3)), [])
    const [cut] = await early(rows.slice(3), '--from', '1970-01-03')
    assert.match(cut!, '1 order has a submit_date before the first bar (first: 1970-01-01')
    assert.match(cut!, 'begin 1970-01-03')
  }),
)

test('costs per share take the place of the commission', async () => {
  const args = ['--fee-per-share', '0.005', '--fee-min', '1', '--json']
  const { code, stdout } = await cli([...DEMO, ...args])
  assert.is(code, 0)
  const { assumptions, fees, orders } = JSON.parse(stdout)
  assert.is(assumptions.commission, 0)
  assert.is(assumptions.feePerShare, 0.005)
  assert.is(assumptions.feeMin, 1)
  // 100 shares at half a cent are 0.5, so each order costs the least there is.
  assert.is(fees, String(orders.filled))
})

test('the same input gives the same digest, other parameters another', async () => {
  const digest = async (...more: string[]) =>
    JSON.parse((await cli([...DEMO, '--json', ...more])).stdout).digest as string
  const first = await digest()
  assert.is(await digest(), first)
  assert.is.not(await digest('--set', 'fast=5'), first)
})

test('text fits a narrow terminal, is plain when piped, and says frictionless', async () => {
  const free = ['--commission', '0', '--slippage-bps', '0']
  const narrow = await cli([...DEMO, ...free], { env: { COLUMNS: '40' } })
  assert.is(narrow.code, 0)
  const longest = Math.max(...narrow.stdout.split('\n').map((line) => line.length))
  assert.ok(longest <= 40, `${longest} columns`)
  assert.match(narrow.stdout, 'frictionless')
  assert.match(narrow.stdout, 'Digest')
  const wide = await cli(DEMO)
  assert.not.match(wide.stdout, '\u001b')
  assert.match(wide.stdout, /^Trades by {4}sma_cross fast=10 slow=30 mode=long-only size=100$/m)
  assert.match(wide.stdout, new RegExp(`^Bars {9}1,260 of ${DEMO_SYMBOL} \\(1d\\)$`, 'im'))
})

test(
  'the bars of a book, with its settings, decide as they did in the book',
  inFolder(async (folder) => {
    await writeBook(folder, 60)
    const bars = writeBars(folder)
    const history = ['backtest', '--history', '--dir', folder, '--json']
    const recorded = await cli(history)
    assert.is(recorded.code, 0, recorded.stderr)
    const summary = JSON.parse(recorded.stdout)
    assert.is(summary.bars, 60)
    assert.is(summary.assumptions.risk.maxOrderNotional, '935')
    const { denied } = summary.orders
    assert.ok(denied > 0)
    assert.equal(summary.warnings, [
      `${denied} signals were denied by risk: max_order_notional ${denied}`,
    ])

    const risk = join(folder, 'risk.json')
    writeFileSync(risk, '{"maxOrderNotional": "935"}')
    const files = await cli([
      ...['backtest', '--data', bars, '--strategy', 'sma_cross', '--risk', risk, '--json'],
      ...['--set', 'fast=2', 'slow=4', 'size=10'],
    ])
    assert.is(JSON.parse(files.stdout).digest, summary.digest)

    const changed = JSON.parse((await cli([...history, '--set', 'slow=6', '--risk', 'off'])).stdout)
    assert.is(changed.assumptions.strategies[0].params.slow, 6)
    assert.is(changed.assumptions.strategies[0].params.fast, 2)
    assert.is(changed.assumptions.risk, null)

    const part = await cli([...history, '--from', '1970-01-11', '--to', '1970-01-20'])
    assert.is(JSON.parse(part.stdout).bars, 10)
    assert.is(JSON.parse(part.stdout).from, '1970-01-11')

    const none = await cli([...history, '--from', '2000-01-01'])
    assert.is(none.code, 4)
    assert.match(none.stderr, 'holds 60 outside that range')
    assert.is((await cli([...history, '--timeframe', '1m'])).code, 2)
    const empty = await cli(['backtest', '--history', '--dir', join(folder, 'none')])
    assert.is(empty.code, 4)
    assert.match(empty.stderr, 'no book in')
    assert.not.ok(existsSync(join(folder, 'none')))
  }),
)

test.run()
