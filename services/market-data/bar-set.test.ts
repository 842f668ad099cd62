import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { runBacktest } from '../../engine/backtest/backtest.ts'
import { columnSource } from '../../engine/backtest/column-source.ts'
import { TIMEFRAME_MS, type Timeframe } from '../../engine/market/bar.ts'
import { BarCache } from './bar-cache.ts'
import { BadBarsFile, readBarFile } from './bar-file.ts'
import { BadBarRange } from './bar-range.ts'
import { type BarLoadOptions, type BarSet, loadBars, reshapeBars } from './bar-set.ts'
import { loadParquet } from './parquet-library.ts'

const here = join(import.meta.dirname, 'testing')
const csv = join(here, 'MINUTE.csv')
const data = join(process.env.SHARED ?? '../shared', 'data')
const withData = existsSync(join(data, 'MANIFEST.csv')) ? test : test.skip
const parquet = await loadParquet().then(
  () => true,
  () => false,
)

let folder = ''
test.before.each(() => {
  folder = mkdtempSync(join(tmpdir(), 'bar-set-'))
})
test.after.each(() => rmSync(folder, { recursive: true, force: true }))

function file(name: string, ...rows: string[]): string {
  const path = join(folder, name)
  writeFileSync(path, ['timestamp,open,high,low,close,volume', ...rows, ''].join('\n'))
  return path
}

const stamps = (set: Pick<BarSet, 'columns'>): string[] =>
  Array.from(set.columns.time, (time) => new Date(time).toISOString().slice(0, 16))

function digest(set: BarSet): { digest: string; bars: number; decisions: number } {
  const source = columnSource(set.columns, set.symbols, TIMEFRAME_MS[set.timeframe])
  const params = { fast: 2, slow: 5, mode: 'reverse', size: '10' }
  const result = runBacktest({
    settings: {
      feed: 'historical',
      timeframe: set.timeframe,
      symbols: [],
      strategies: [{ name: 'sma_cross', params }],
      risk: null,
      exchange: {
        cash: '100000',
        fill: 'next-open',
        limitFill: 'through',
        participation: 0.1,
        slippageBps: 1,
        commission: '0.001',
        feePerShare: '0',
        feeMin: '0',
      },
    },
    bars: source,
    tradeFrom: set.tradeFrom,
    hash: createHash('sha256'),
  })
  return { digest: result.digest, bars: result.bars, decisions: result.decisions }
}

test('CSV, gzip, Parquet and cache lead to the same decisions, in any timeframe', async () => {
  const packed = join(folder, 'MINUTE.csv.gz')
  writeFileSync(packed, gzipSync(readFileSync(csv)))
  const cache = new BarCache({ dir: join(folder, 'cache'), minBytes: 0 })
  for (const timeframe of ['1m', '5m', '15m', '1h'] as Timeframe[]) {
    const expected = digest(await loadBars([csv], { timeframe }))
    if (timeframe === '1m') assert.ok(expected.decisions > 10)
    const others: [string, BarLoadOptions][] = [
      [packed, {}],
      [csv, { cache }],
      [csv, { cache }],
      [packed, { cache }],
      [packed, { cache }],
    ]
    if (parquet) {
      others.push([join(here, 'MINUTE_us_zstd.parquet'), {}])
      others.push([join(here, 'MINUTE_decimal_lz4.parquet'), { cache }])
      others.push([join(here, 'MINUTE_decimal_lz4.parquet'), { cache }])
    }
    for (const [path, options] of others) {
      const set = await loadBars([path], { timeframe, ...options })
      assert.equal(set.symbols, ['MINUTE'])
      assert.equal(digest(set), expected, `${path} ${timeframe}`)
    }
  }
})

test('warm-up looks at bars without trading on them, and trades as if they had been there', async () => {
  const whole = await loadBars([csv])
  const from = '2024-01-31T15:30:00Z'
  const cold = await loadBars([csv], { from })
  const warm = await loadBars([csv], { from, warmup: 20 })
  assert.is(whole.columns.length, 300)
  assert.is(cold.columns.length, 240)
  assert.is(warm.columns.length, 260)
  assert.is(warm.tradeFrom, Date.parse(from))
  assert.is(digest(warm).bars, 240)
  assert.not.equal(digest(warm).digest, digest(cold).digest)
  // Longer than the slowest average, more of it changes nothing.
  assert.equal(digest(await loadBars([csv], { from, warmup: 60 })), digest(warm))
  assert.equal(digest(await loadBars([csv], { warmup: 60 })), digest(warm))
  const short = await loadBars([csv], { from, warmup: 70 })
  assert.equal(digest(short), digest(warm))
  assert.equal(short.notices, ['the warm-up is 10 bars short: there are no more before'])
  assert.equal(digest(await loadBars([csv], { warmup: 0 })), digest(whole))
  const error = await loadBars([csv], { warmup: 300 }).catch((thrown: unknown) => thrown)
  assert.instance(error, BadBarRange)
  assert.match((error as Error).message, 'a warm-up of 300 bars takes all there are')
  const made = await loadBars([csv], { timeframe: '5m', from, warmup: 4 })
  assert.is(stamps(made)[0], '2024-01-31T15:10')
})

test('a bucket that lies in two files is one bar; from and to count bars, not their parts', async () => {
  const at = (minute: string, close: number) =>
    `2024-01-31T${minute}:00Z,${close},${close},${close},${close},10`
  const first = file('ABC_1.csv', at('14:30', 1), at('14:31', 2), at('14:32', 3))
  const second = file('ABC_2.csv', at('14:33', 9), at('14:34', 4), at('14:35', 5))
  const set = await loadBars([second, first], { timeframe: '5m' })
  assert.is(set.timeframe, '5m')
  assert.equal([...set.columns.close], [4, 5])
  assert.equal([...set.columns.high], [9, 5])
  assert.equal([...set.columns.volume], [50, 10])
  assert.equal(set.notices, [
    'resampled from 1m to 5m',
    'partial: 1 bar of 5m, the data begin or end within it; the first: ABC 2024-01-31T14:35:00Z',
  ])
  const cut = await loadBars([second, first], { timeframe: '5m', from: '2024-01-31T14:31:00Z' })
  assert.equal(stamps(cut), ['2024-01-31T14:35'])
})

test('files of several lengths make one, but not for one symbol', async () => {
  const minute = file(
    'AA_m.csv',
    '2024-01-31T14:30:00Z,1,1,1,1,1',
    '2024-01-31T14:31:00Z,2,2,2,2,2',
  )
  const five = file('BB_5.csv', '2024-01-31T14:30:00Z,3,3,3,3,1', '2024-01-31T14:35:00Z,4,4,4,4,2')
  const set = await loadBars([minute, five], { timeframe: '15m' })
  assert.equal(set.symbols, ['AA', 'BB'])
  assert.equal([...set.columns.close], [2, 4])
  assert.ok(set.notices.includes('resampled from 5m to 15m'))
  const kept = await loadBars([minute, five], { timeframe: '5m' })
  assert.equal([...kept.columns.close], [2, 3, 4])
  const refusal = async (...paths: string[]): Promise<string> => {
    const error = await loadBars(paths, { timeframe: '15m' }).catch((thrown: unknown) => thrown)
    assert.instance(error, BadBarsFile)
    return (error as BadBarsFile).message
  }
  const other = file('AA_5.csv', '2024-02-01T14:30:00Z,3,3,3,3,1', '2024-02-01T14:35:00Z,4,4,4,4,2')
  assert.match(await refusal(minute, other), /holds 5m bars of AA, .*AA_m.csv holds 1m/)
  const day = file('DD.csv', '2024-01-31,1,1,1,1,1')
  assert.match(await refusal(day), 'holds 1d bars, 15m was asked for; only longer bars can be made')
})

test('what is left out is told; pairs trade round the clock unless said otherwise', async () => {
  const rows = ['2024-02-03T16:00:00Z,1,1,1,1,1', '2024-02-03T16:01:00Z,2,2,2,2,1']
  const stock = file('ABC.csv', ...rows)
  const error = await loadBars([stock], { timeframe: '5m' }).catch((thrown: unknown) => thrown)
  assert.instance(error, BadBarRange)
  assert.match((error as Error).message, 'name the market with --sessions')
  const crypto = await loadBars([stock], { timeframe: '5m', sessions: 'crypto' })
  assert.equal([...crypto.columns.close], [2])
  const pair = await loadBars([stock], { timeframe: '1d', symbol: 'BTC/USD' })
  assert.equal(stamps(pair), ['2024-02-03T00:00'])
  const post = file(
    'XYZ.csv',
    '2024-01-31T20:59:00Z,1,1,1,1,1',
    '2024-01-31T21:00:00Z,2,2,2,2,1',
    '2024-02-01T14:30:00Z,3,3,3,3,1',
  )
  const daily = await loadBars([post], { timeframe: '1d' })
  assert.equal([...daily.columns.close], [1, 3])
  assert.match(
    daily.notices[1]!,
    '1 bar of 1m outside the hours that a daily bar is made of left out of 1d; the first: XYZ 2024-01-31T21:00:00Z',
  )
  const all = await loadBars([post], { timeframe: '1d', extendedHours: true })
  assert.equal([...all.columns.close], [2, 3])
})

test('bars that are there already are reshaped alike', async () => {
  const minutes = await loadBars([csv])
  const options = { from: '2024-01-31T15:30:00Z', warmup: 3 }
  const reshaped = reshapeBars(minutes, '1m', '15m', options)
  const loaded = await loadBars([csv], { timeframe: '15m', ...options })
  assert.equal(reshaped.columns, loaded.columns)
  assert.equal(reshaped.notices, loaded.notices)
  assert.is(reshaped.tradeFrom, loaded.tradeFrom)
  assert.throws(() => reshapeBars(minutes, '15m', '1m', {}), /cannot be made of 15m bars/)
})

test('one damaged file among good ones, cached or not', async () => {
  mkdirSync(join(folder, 'bars'))
  for (const name of ['A', 'B']) writeFileSync(join(folder, `bars/${name}.csv`), readFileSync(csv))
  const whole = gzipSync(readFileSync(csv))
  writeFileSync(join(folder, 'bars/C.csv.gz'), whole.subarray(0, 500))
  const cache = new BarCache({ dir: join(folder, 'cache'), minBytes: 0 })
  for (let time = 0; time < 2; time++) {
    const error = await loadBars([join(folder, 'bars')], { cache }).catch(
      (thrown: unknown) => thrown,
    )
    assert.instance(error, BadBarsFile)
    assert.match((error as Error).message, /C.csv.gz: is gzip that ends early/)
  }
  assert.ok((await readBarFile(join(folder, 'bars/A.csv'), {}, cache)).hasVolume)
})

withData('needs shared data: minutes of SPY make the days that were published', async () => {
  const made = await loadBars([join(data, 'intraday/SPY_1min_2019-12-13_2020-01-16.csv')], {
    timeframe: '1d',
  })
  const published = await loadBars([join(data, 'daily/SPY.csv')])
  const rowOf = new Map(Array.from(published.columns.time, (time, row) => [time, row]))
  let whole = 0
  for (let row = 0; row < made.columns.length; row++) {
    const time = made.columns.time[row]!
    const other = rowOf.get(time)
    assert.ok(other !== undefined, new Date(time).toISOString())
    const day = new Date(time).toISOString().slice(0, 10)
    // Yahoo's minutes lack auctions and late prints: within the day, and close to it where it is whole.
    assert.ok(made.columns.high[row]! <= published.columns.high[other]! + 0.02, day)
    assert.ok(made.columns.low[row]! >= published.columns.low[other]! - 0.02, day)
    if (['2019-12-13', '2020-01-10', '2020-01-16'].includes(day)) continue
    whole++
    assert.ok(Math.abs(made.columns.open[row]! - published.columns.open[other]!) < 0.25, day)
    assert.ok(Math.abs(made.columns.close[row]! - published.columns.close[other]!) < 0.25, day)
  }
  assert.is(made.columns.length, 23)
  assert.is(whole, 20)
  assert.ok(made.notices.some((notice) => notice.startsWith('partial: ')))
})

test.run()
