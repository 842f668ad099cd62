import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { cli, inFolder, writeBook } from './cli-fixture.ts'

const minute = join(import.meta.dirname, '../market-data/testing/MINUTE.csv')
const SMA = ['--strategy', 'sma_cross', '--set', 'fast=2', 'slow=5', 'size=10', '--risk', 'off']

async function summary(args: readonly string[], env: Record<string, string> = {}) {
  const { code, stdout, stderr } = await cli(['backtest', ...SMA, ...args, '--json'], { env })
  assert.is(code, 0, stderr)
  return { ...JSON.parse(stdout), stderr }
}

test(
  'minutes are resampled to what --timeframe says, from CSV and from gzip alike',
  inFolder(async (folder) => {
    const plain = await summary(['--data', minute])
    assert.is(plain.assumptions.timeframe, '1m')
    assert.is(plain.bars, 300)
    const made = await summary(['--data', minute, '--timeframe', '5m'])
    assert.is(made.assumptions.timeframe, '5m')
    assert.is(made.bars, 60)
    assert.is(made.from, '2024-01-31T14:30:00Z')
    assert.is(made.warnings[0], 'resampled from 1m to 5m')
    mkdirSync(join(folder, 'bars'))
    writeFileSync(join(folder, 'bars/MINUTE.csv.gz'), gzipSync(readFileSync(minute)))
    for (const path of ['bars', 'bars/MINUTE.csv.gz']) {
      const packed = await summary(['--data', join(folder, path), '--timeframe', '5m'])
      assert.is(packed.digest, made.digest)
    }
    const hours = await summary(['--data', minute, '--timeframe', '1h', '--sessions', 'crypto'])
    assert.is(hours.from, '2024-01-31T14:00:00Z')
    assert.match(hours.warnings[1], 'partial: 2 bars of 1h, the data begin or end within it')
  }),
)

test(
  '--warmup leaves bars out of the trading, not out of the features',
  inFolder(async () => {
    const from = ['--data', minute, '--from', '2024-01-31T15:30:00Z']
    const warm = await summary([...from, '--warmup', '50'])
    const cold = await summary(from)
    assert.is(warm.bars, 240)
    assert.is(warm.from, '2024-01-31T15:30:00Z')
    assert.is(cold.bars, 240)
    assert.not.equal(warm.digest, cold.digest)
    const short = await summary([...from, '--warmup', '61'])
    assert.is(short.warnings[0], 'the warm-up is 1 bars short: there are no more before')
    assert.is(short.digest, warm.digest)
  }),
)

test(
  'with --sessions no order fills outside its session',
  inFolder(async (folder) => {
    // From an hour before the open to an hour after the close, two days of New York in winter; each bar half an hour.
    const rows = ['timestamp,open,high,low,close,volume']
    for (const day of ['2024-01-30', '2024-01-31']) {
      for (let half = 0; half < 17; half++) {
        const time = new Date(Date.parse(`${day}T13:30:00Z`) + half * 1_800_000).toISOString()
        for (let minute = 0; minute < 2; minute++) {
          const at = new Date(Date.parse(time) + minute * 60_000).toISOString()
          rows.push(`${at},100,101,99,100,100000`)
        }
      }
    }
    const bars = join(folder, 'ABC.csv')
    writeFileSync(bars, rows.join('\n'))
    const orders = join(folder, 'orders.csv')
    const list = [
      '1,2024-01-30T13:30:00Z,buy,market,10,,',
      '2,2024-01-30T21:01:00Z,buy,market,10,,',
      '3,2024-01-30T21:00:00Z,sell,limit,10,100.5,',
    ]
    writeFileSync(orders, ['id,submit_date,side,type,size,price,valid_until', ...list].join('\n'))
    const trade = async (more: string[]) => {
      const out = join(folder, `out-${more.length}`)
      const args = ['backtest', '--data', bars, '--orders', orders, '--out', out, ...more]
      const { code, stderr, stdout } = await cli([...args, '--json'])
      assert.is(code, 0, stderr)
      const [, ...fills] = readFileSync(join(out, 'fills.csv'), 'utf8').trim().split('\n')
      const times = Object.fromEntries(fills.map((row) => row.split(',', 2)))
      return { times, sessions: JSON.parse(stdout).assumptions.sessions }
    }
    const around = await trade([])
    assert.equal(around.times, {
      1: '2024-01-30T13:31:00Z',
      2: '2024-01-30T21:30:00Z',
      3: '2024-01-30T21:01:00Z',
    })
    assert.is(around.sessions, undefined)
    const core = { 1: '2024-01-30T14:30:00Z', 2: '2024-01-31T14:30:00Z', 3: '2024-01-31T14:30:00Z' }
    const kept = await trade(['--sessions', 'us-equity'])
    assert.equal(kept.times, core)
    assert.is(kept.sessions, 'us-equity')
    const five = await trade(['--sessions', 'us-equity', '--timeframe', '5m'])
    assert.equal(five.times, core)
    const night = await trade(['--sessions', 'crypto', '--limit-fill', 'touch', '--seed', '2'])
    assert.equal(night.times, around.times)
  }),
)

test(
  'what cannot be is refused with 2 and a remedy',
  inFolder(async (folder) => {
    const daily = join(folder, 'ABC.csv')
    writeFileSync(daily, 'date,open,high,low,close\n2024-01-02,1,1,1,1\n1950-01-03,1,1,1,1\n')
    const old = join(folder, 'OLD.csv')
    writeFileSync(
      old,
      'date,open,high,low,close\n1990-01-02T15:00:00Z,1,1,1,1\n1990-01-02T15:01:00Z,1,1,1,1\n',
    )
    const cut = join(folder, 'CUT.csv.gz')
    writeFileSync(cut, gzipSync(readFileSync(minute)).subarray(0, 900))
    const orders = join(folder, 'orders.csv')
    writeFileSync(orders, 'id,submit_date,side,type,size,price\n')
    const cases: [string[], RegExp, string][] = [
      [
        ['--data', daily, '--timeframe', '1h', '--skip-bad-rows'],
        /holds 1d bars, 1h was asked for/,
        'bad_bars_file',
      ],
      [
        ['--data', old, '--timeframe', '1h'],
        /exchange calendar knows 1993 to 2030/,
        'outside_calendar',
      ],
      [
        ['--data', old, '--sessions', 'us-equity'],
        /exchange calendar knows 1993 to 2030/,
        'outside_calendar',
      ],
      [['--data', cut], /is gzip that ends early/, 'bad_bars_file'],
      [['--data', minute, '--warmup', '300'], /takes all there are/, 'bad_bar_range'],
      [['--data', minute, '--extended-hours'], /goes with --timeframe/, 'usage'],
      [['--data', minute, '--timeframe', '2h'], /Allowed choices are 1m, 5m/, 'usage'],
      [['--data', minute, '--warmup', '-1'], /whole number from 0/, 'usage'],
    ]
    for (const [args, message, code] of cases) {
      const run = await cli(['backtest', ...SMA, ...args, '--json'])
      assert.is(run.code, 2, args.join(' '))
      assert.match(run.stderr, message)
      assert.is(JSON.parse(run.stdout).error.code, code)
    }
    const listed = await cli(['backtest', '--data', minute, '--orders', orders, '--warmup', '5'])
    assert.is(listed.code, 2)
    assert.match(listed.stderr, '--warmup does not go with --orders')
  }),
)

test(
  'a large file is parsed once: the cache lies in the folder, and does without it',
  inFolder(async (folder) => {
    const rows = ['timestamp,open,high,low,close,volume']
    const start = Date.UTC(2000, 0, 3)
    for (let row = 0; row < 150_000; row++) {
      const time = new Date(start + row * 60_000).toISOString()
      const close = (100 + 5 * Math.sin(row / 50)).toFixed(9)
      rows.push(`${time},${close},${close},${close},${close},100000.000000`)
    }
    const path = join(folder, 'BIG.csv')
    writeFileSync(path, rows.join('\n'))
    const dir = join(folder, 'data')
    const cache = join(dir, 'cache/bars')
    const args = ['--data', path, '--to', '2000-01-04']
    const first = await summary(args, { DATA_DIR: dir })
    assert.is(readdirSync(cache).length, 1)
    const again = await summary(args, { DATA_DIR: dir })
    assert.is(again.digest, first.digest)
    assert.equal(again.warnings, first.warnings)
    const entry = join(cache, readdirSync(cache)[0]!)
    writeFileSync(entry, 'nonsense')
    const repaired = await summary(args, { DATA_DIR: dir })
    assert.is(repaired.digest, first.digest)
    assert.match(repaired.stderr, 'is damaged')
    assert.ok(readFileSync(entry).length > 1e6)
    // A place where nothing can be written.
    const blocked = await summary(args, { DATA_DIR: join(path, 'data') })
    assert.is(blocked.digest, first.digest)
    assert.is(blocked.stderr, '')
    const small = await summary(['--data', minute], { DATA_DIR: join(folder, 'none') })
    assert.is(small.bars, 300)
    assert.not(existsSync(join(folder, 'none')))
  }),
)

test(
  'the bars of a book warm up like those of files; longer ones than days there are none',
  inFolder(async (folder) => {
    await writeBook(folder, 60)
    const history = ['--history', '--dir', folder]
    const warm = await summary([...history, '--warmup', '20'])
    assert.is(warm.bars, 40)
    assert.is(warm.from, '1970-01-21')
    const refused = await cli(['backtest', ...history, '--timeframe', '1h', '--json'])
    assert.is(refused.code, 2)
    assert.is(JSON.parse(refused.stdout).error.code, 'cannot_resample')
    assert.match(refused.stderr, '1h bars cannot be made of 1d bars')
  }),
)

test.run()
