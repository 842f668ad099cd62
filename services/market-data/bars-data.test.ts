import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { BadBarsFile, readBarFile } from './bar-file.ts'
import { loadBars } from './bar-set.ts'
import type { RowFault } from './csv.ts'
import { parseStamp } from './csv-values.ts'

const data = join(process.env.SHARED ?? '../shared', 'data')
const withData = existsSync(join(data, 'MANIFEST.csv')) ? test : test.skip

async function faultsOf(path: string): Promise<BadBarsFile> {
  try {
    await readBarFile(path)
  } catch (error) {
    assert.instance(error, BadBarsFile)
    return error as BadBarsFile
  }
  return assert.unreachable('it was accepted') as never
}

function brief(faults: readonly RowFault[]): unknown[] {
  return faults.map(({ line, field, reason, text }) => [line, field, reason, text])
}

withData('needs shared data: every file has the rows its manifest says', async () => {
  const manifest = readFileSync(join(data, 'MANIFEST.csv'), 'utf8').trim().split('\n').slice(1)
  let files = 0
  for (const line of manifest) {
    const [name, , rows, first, last] = line.split(',') as [string, string, string, string, string]
    const folder = name.split('/')[0]!
    if (!['daily', 'intraday', 'other', 'raw_2015_2017'].includes(folder)) continue
    if (/ACTIONS|DROPPED/.test(name)) continue
    files++
    const read = await readBarFile(join(data, name))
    const { time, length } = read.columns
    assert.is(length, Number(rows), name)
    assert.is(time[0], parseStamp(first)?.time, name)
    assert.is(time[length - 1], parseStamp(last)?.time, name)
    assert.is(read.timeframe, folder === 'intraday' ? '1m' : '1d', name)
    assert.is(read.skipped.length, 0)
  }
  assert.is(files, 20 + 24)
})

withData('needs shared data: folders load as one sequence', async () => {
  const raw = await loadBars([join(data, 'raw_2015_2017')])
  assert.is(raw.symbols.length, 24)
  assert.is(raw.columns.length, 11_928)
  assert.equal(
    raw.ignored.map((path) => path.split('/').at(-1)),
    ['ACTIONS.csv', 'DROPPED.csv'],
  )
  const minutes = await loadBars([join(data, 'intraday')])
  assert.is(minutes.columns.length, 28_581)
  assert.is(minutes.symbols.length, 8)
})

withData('needs shared data: overlapping downloads', async () => {
  const path = join(data, 'dirty/SPY_1min_yahoo_overlapping_downloads.csv')
  const error = await faultsOf(path)
  assert.is(error.rows, 13_435)
  assert.is(error.faults.length, 5075)
  const sorted = 'is earlier than line 7583; rows must be sorted'
  assert.equal(brief(error.faults.slice(0, 3)), [
    [1940, 'open', 'is missing', ''],
    [7584, 'timestamp', sorted, '2020-01-14 11:00:00-05:00'],
    [7585, 'timestamp', sorted, '2020-01-14 11:01:00-05:00'],
  ])
  assert.is(error.faults.filter((fault) => fault.reason.startsWith('repeats')).length, 17)
  const read = await readBarFile(path, { skipBadRows: true })
  assert.is(read.columns.length, 8360)
  assert.is(read.timeframe, '1m')
})

withData('needs shared data: lows above the open', async () => {
  const path = join(data, 'dirty/SPY_2008_2018_low_above_close.csv')
  const error = await faultsOf(path)
  assert.equal(brief(error.faults), [
    [1808, 'low', 'is above the open 209.419998', '209.850006'],
    [1825, 'low', 'is above the open 205.740005', '206.960007'],
  ])
  assert.is((await readBarFile(path, { skipBadRows: true })).columns.length, 2517)
})

withData('needs shared data: American dates, then what lies behind them', async () => {
  const path = join(data, 'dirty/skender_bad.csv')
  const error = await faultsOf(path)
  assert.is(error.faults.length, 1)
  assert.equal([error.faults[0]!.line, error.faults[0]!.text], [2, '01/03/2017'])
  assert.match(error.faults[0]!.reason, 'another date format; write dates as YYYY-MM-DD')

  const folder = mkdtempSync(join(tmpdir(), 'bars-data-'))
  try {
    const rewritten = join(folder, 'SK.csv')
    const text = readFileSync(path, 'utf8').replace(/^(\d\d)\/(\d\d)\/(\d{4})/gm, '$3-$1-$2')
    writeFileSync(rewritten, text)
    const rows = await faultsOf(rewritten)
    assert.is(rows.rows, 502)
    assert.equal(brief(rows.faults.slice(0, 3)), [
      [202, 'timestamp', 'is missing', ''],
      [203, 'timestamp', 'is missing', ''],
      [204, 'timestamp', 'is missing', ''],
    ])
    const read = await readBarFile(rewritten, { skipBadRows: true })
    assert.is(read.columns.length + read.skipped.length, 502)
    assert.is(rows.faults.length, 165)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})

test.run()
