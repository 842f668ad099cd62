import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { barAt } from './bar-columns.ts'
import { BadBarsFile, readBarFile } from './bar-file.ts'
import { BadBarRange } from './bar-range.ts'
import type { BarReadOptions } from './bar-rows.ts'
import { loadBars } from './bar-set.ts'
import { DEMO_SYMBOL, demoBarsPath } from './demo-data.ts'

let folder = ''
test.before.each(() => {
  folder = mkdtempSync(join(tmpdir(), 'bars-csv-'))
})
test.after.each(() => rmSync(folder, { recursive: true, force: true }))

const HEADER = 'timestamp,open,high,low,close,volume'

function file(content: string | Buffer, name = 'ABC.csv'): string {
  const path = join(folder, name)
  writeFileSync(path, content)
  return path
}

function bars(...rows: string[]): string {
  return file([HEADER, ...rows].join('\n'))
}

async function fails(run: () => Promise<unknown>): Promise<BadBarsFile> {
  try {
    await run()
  } catch (error) {
    assert.instance(error, BadBarsFile)
    return error as BadBarsFile
  }
  return assert.unreachable('it was accepted') as never
}

/** Reason of the single fault of a refused file. */
async function reason(path: string, options?: BarReadOptions): Promise<string> {
  const error = await fails(() => readBarFile(path, options))
  assert.is(error.code, 'bad_bars_file')
  assert.is(error.faults.length, 1)
  return error.faults[0]!.reason
}

test('reads dates, offsets, spaces, fractions, quotes, CRLF, a byte order mark and aliases', async () => {
  const text = [
    '\ufeff"T", v ,C,l,H,O,note',
    '2024-01-31 09:30:00-05:00,10,2,1,3,1.5,"a, ""b""\nc"',
    '"2024-01-31T14:31:00.000Z", 0 ,"2",1,3,1.5,',
    '',
    '2024-01-31t20:02:00+05:30,,2.,1e0,3,15E-1,x',
    '',
  ].join('\r\n')
  const read = await readBarFile(file(text, 'abc_1m.csv'))
  assert.equal(read.symbols, ['ABC'])
  assert.is(read.timeframe, '1m')
  assert.equal(
    Array.from(read.columns.time, (time) => new Date(time).toISOString()),
    ['2024-01-31T14:30:00.000Z', '2024-01-31T14:31:00.000Z', '2024-01-31T14:32:00.000Z'],
  )
  assert.equal([...read.columns.open], [1.5, 1.5, 1.5])
  assert.equal([...read.columns.close], [2, 2, 2])
  assert.equal([...read.columns.volume], [10, 0, Number.NaN])
  assert.equal([...read.lines], [2, 4, 6])
  assert.ok(read.hasVolume)
  assert.equal(read.header, ['T', 'v', 'C', 'l', 'H', 'O', 'note'])
  assert.equal(barAt(read.columns, 0, read.symbols, '1m').end, Date.UTC(2024, 0, 31, 14, 31))
  assert.throws(() => barAt(read.columns, 3, read.symbols, '1m'), /no row 3 of 3/)
})

test('takes the symbol from the column, the option or the file name', async () => {
  const body = 'date,symbol,open,high,low,close\n2024-01-02,brk.b,1,1,1,1\n2024-01-02,AA,2,2,2,2\n'
  const read = await readBarFile(file(body, '_.csv'))
  assert.equal(read.symbols, ['BRK.B', 'AA'])
  assert.not(read.hasVolume)
  assert.equal([...read.columns.symbol], [0, 1])
  const plain = `${HEADER}\n2024-01-02,1,1,1,1,1\n`
  assert.equal((await readBarFile(file(plain, 'x.y.csv'))).symbols, ['X'])
  assert.equal((await readBarFile(file(plain, 'x.csv'), { symbol: 'msft' })).symbols, ['MSFT'])
  assert.match(await reason(file(plain, '_x.csv')), /"" is not a symbol/)
})

test('the full column name wins over its alias; two aliases, or a name twice, are refused', async () => {
  const row = '2024-01-02,9,1,1,1,1\n'
  const path = file(`date,time,open,high,low,close\n${row}`)
  assert.match(await reason(path), /"date" and "time" could each be timestamp/)
  assert.match(await reason(file(`date,close,open,high,low,close\n${row}`)), /could each be close/)
  const read = await readBarFile(file(`date,c,open,high,low,close\n${row}`))
  assert.equal([...read.columns.close], [1])
})

test('every bad row is refused with line, field and reason, and can be skipped', async () => {
  const rows: [row: string, field: string, reason: RegExp][] = [
    ['2024-02-30,1,1,1,1,1', 'timestamp', /no such date/],
    ['2024/02/20,1,1,1,1,1', 'timestamp', /another date format/],
    [',1,1,1,1,1', 'timestamp', /missing/],
    ['2024-02-20T00:00:00Z,1,1,1,1,1', 'timestamp', /a time among dates/],
    ['2024-01-03,,1,1,1,1', 'open', /missing/],
    ['2024-01-03,1,abc,1,1,1', 'high', /not a number/],
    ['2024-01-03,1,1,0,1,1', 'low', /not above zero/],
    ['2024-01-03,1,1,1,-1,1', 'close', /not above zero/],
    ['2024-01-03,1,1,1,0.0000000004,1', 'close', /not above zero/],
    ['2024-01-03,1,1e16,1,1,1', 'high', /larger than 1e15/],
    ['2024-01-03,NaN,1,1,1,1', 'open', /not a number/],
    ['2024-01-03,3,2,3,3,1', 'low', /above the high 2/],
    ['2024-01-03,2,4,3,3,1', 'low', /above the open 2/],
    ['2024-01-03,3,4,3,2,1', 'low', /above the close 2/],
    ['2024-01-03,5,4,1,2,1', 'high', /below the open 5/],
    ['2024-01-03,2,4,1,5,1', 'high', /below the close 5/],
    ['2024-01-03,1,1,1,1,-1', 'volume', /negative/],
    ['2024-01-03,1,1,1,1,x', 'volume', /not a number/],
    ['2024-01-03,1,1,1,1', 'row', /5 fields where the header has 6/],
    ['2024-01-03,1,1,1,1,1,1', 'row', /7 fields/],
    ['2024-01-03,"1"2,1,1,1,1', 'row', /after a closing quote/],
    ['2024-01-02,1,1,1,1,1', 'timestamp', /repeats line 2/],
    ['2024-01-01,1,1,1,1,1', 'timestamp', /earlier than line 2; rows must be sorted/],
  ]
  const path = bars('2024-01-02,1,1,1,1,1', ...rows.map(([row]) => row), '2024-03-01,1,1,1,1,1,,')
  const error = await fails(() => readBarFile(path))
  assert.is(error.rows, rows.length + 2)
  assert.is(error.faults.length, rows.length)
  for (const [index, [, field, expected]] of rows.entries()) {
    const fault = error.faults[index]!
    assert.equal([fault.file, fault.line, fault.field], [path, index + 3, field])
    assert.match(fault.reason, expected)
  }
  assert.match(error.message, `23 of 25 rows refused`)
  assert.match(error.message, '  line 3, timestamp "2024-02-30": there is no such date or time')
  assert.match(error.message, '… and 3 more')
  assert.match(error.message, '--skip-bad-rows')
  assert.is(error.message.split('\n').length, 23)

  const read = await readBarFile(path, { skipBadRows: true })
  assert.equal([...read.lines], [2, 26])
  assert.equal(read.skipped, error.faults)
})

test('a symbol that is none is a bad row', async () => {
  const path = file(
    'date,symbol,open,high,low,close\n2024-01-02,A B,1,1,1,1\n2024-01-02,,1,1,1,1\n',
  )
  const error = await fails(() => readBarFile(path))
  assert.equal(
    error.faults.map((fault) => [fault.field, fault.reason, fault.text]),
    [
      ['symbol', 'is not a symbol', 'A B'],
      ['symbol', 'is missing', ''],
    ],
  )
})

test('another date format is the reason for the whole file, also when bad rows are skipped', async () => {
  for (const stamp of ['01/03/2017', '20170103', '1483401600', 'Jan 3 2017', '2017-01-03 9:30']) {
    const error = await fails(() => readBarFile(bars(`${stamp},1,1,1,1,1`), { skipBadRows: true }))
    assert.equal(error.faults.length, 1)
    assert.is(error.faults[0]!.text, stamp)
    assert.is(error.faults[0]!.line, 2)
    assert.match(error.message, `line 2, timestamp "${stamp}": another date format; write dates as`)
  }
  assert.match(await reason(bars('2017-01-03T09:30:00,1,1,1,1,1')), /no offset/)
  assert.match(await reason(bars('2017-01-03T09:30:00-0500,1,1,1,1,1')), /another date format/)
  assert.match(await reason(bars('2017-01-03T09:30:00.Z,1,1,1,1,1')), /another date format/)
  // A remark above the data is only a bad row.
  const read = await readBarFile(bars('total,1,1,1,1,1', '2017-01-03,1,1,1,1,1'), {
    skipBadRows: true,
  })
  assert.is(read.columns.length, 1)
  assert.is(read.skipped.length, 1)
})

test('times that do not exist are bad rows', async () => {
  for (const stamp of ['24:00:00Z', '09:60:00Z', '09:30:60Z', '09:30:00+24:00', '09:30:00+01:60']) {
    assert.match(await reason(bars(`2017-01-03T${stamp},1,1,1,1,1`)), /no such date or time/)
  }
  assert.match(await reason(bars('2017-02-29T09:30:00Z,1,1,1,1,1')), /no such date or time/)
})

test('whole files that cannot be read say why', async () => {
  const row = '2024-01-02,1,1,1,1,1\n'
  const loop = join(folder, 'loop.csv')
  symlinkSync(loop, loop)
  assert.is(await reason(join(folder, 'none.csv')), 'no such file')
  assert.is(await reason(folder), 'is a directory; name a file')
  assert.is(await reason(loop), 'cannot be read (ELOOP)')
  assert.is(await reason(file('')), 'is empty')
  assert.is(await reason(file('\n \r\n')), 'is empty')
  assert.is(await reason(file(`${HEADER}\n`)), 'has a header but no rows')
  assert.match(await reason(file(row)), /no header; the first line must name the columns/)
  assert.is(await reason(file('date,open,high\n')), 'no column for low, close')
  assert.match(await reason(file('date;open;high;low;close\n')), /separated by commas, not ";"/)
  assert.match(await reason(file(Buffer.from([0x1f, 0x8b, 8, 0]))), /gzip that ends early/)
  assert.match(await reason(file('PAR1....PAR1')), /Parquet/)
  assert.match(await reason(file('PK\x03\x04')), /zip/)
  assert.match(await reason(file(Buffer.from(`\ufeff${HEADER}`, 'utf16le'))), /UTF-16/)
  assert.match(await reason(file(`${HEADER}\0`)), /binary/)
  assert.match(await reason(bars('2024-01-02,"1,1,1,1,1', '2024-01-03,1,1,1,1,1')), /never closed/)
  const skipping = await fails(() => readBarFile(bars('2024-01-02,1,1,1,1'), { skipBadRows: true }))
  assert.is(skipping.faults[0]!.reason, 'all 1 rows are bad')
  const found = await fails(() => readBarFile(file('date,open\n')))
  assert.match(found.message, 'line 1, header "date,open": no column for high, low, close')
})

test('the timeframe is inferred and must fit the one asked for', async () => {
  const at = (...times: string[]): string =>
    bars(...times.map((time) => `2024-01-02T${time}:00Z,1,1,1,1,1`))
  assert.is((await readBarFile(at('09:30', '09:45', '10:15'))).timeframe, '15m')
  assert.is((await readBarFile(at('09:30', '10:30'))).timeframe, '1h')
  assert.is((await readBarFile(at('09:30', '09:35', '09:47'))).timeframe, '5m')
  assert.is((await readBarFile(at('09:30'), { timeframe: '5m' })).timeframe, '5m')
  assert.is((await readBarFile(at('09:30', '09:32'), { timeframe: '1m' })).timeframe, '1m')
  assert.is((await readBarFile(at('09:30', '09:32', '09:37'), { timeframe: '1m' })).timeframe, '1m')
  assert.match(await reason(at('09:30', '09:35'), { timeframe: '1m' }), /5m bars, 1m was asked/)
  assert.match(await reason(at('09:30')), /no two bars are .* --timeframe/)
  assert.match(await reason(at('09:30', '09:32')), /no two bars are/)
  assert.match(await reason(at('09:30', '09:32'), { timeframe: '15m' }), /do not fit 15m/)
  assert.match(await reason(at('09:30'), { timeframe: '1d' }), /do not fit 1d/)
  assert.is(
    (await readBarFile(at('09:30', '09:31', '10:00', '10:05'), { timeframe: '5m' })).timeframe,
    '1m',
  )
  assert.match(await reason(at('09:30', '09:32', '09:37')), /less than 5m after the bar before/)
  assert.match(
    await reason(bars('2024-01-02,1,1,1,1,1'), { timeframe: '1h' }),
    /1d bars, 1h was asked/,
  )
})

test('daily bars stamped with midnight count as bars of that date', async () => {
  const midnight = (date: string, time: string): string => `${date}T${time},1,1,1,1,1`
  for (const time of ['00:00:00-05:00', '00:00:00+09:00', '05:00:00Z']) {
    const read = await readBarFile(bars(midnight('2024-03-08', time), midnight('2024-03-11', time)))
    assert.is(read.timeframe, '1d')
    assert.equal([...read.columns.time], [Date.UTC(2024, 2, 8), Date.UTC(2024, 2, 11)])
  }
  const one = await readBarFile(bars(midnight('2024-03-08', '05:00:00Z')), { timeframe: '1d' })
  assert.equal([...one.columns.time], [Date.UTC(2024, 2, 8)])
  const noon = bars(midnight('2024-03-08', '12:00:00Z'), midnight('2024-03-11', '12:00:00Z'))
  assert.match(await reason(noon), /no two bars are/)
})

const DAILY = (dates: string[], price = 1): string =>
  [HEADER, ...dates.map((date) => `${date},${price},${price},${price},${price},5`)].join('\n')

test('merges files by time, then by first appearance, whatever their order', async () => {
  const a = file(DAILY(['2024-01-03', '2024-01-04'], 1), 'A.csv')
  const b = file(DAILY(['2024-01-02', '2024-01-03', '2024-01-04'], 2), 'B.csv')
  const more = file(DAILY(['2024-01-05'], 3), 'A_2.csv')
  const set = await loadBars([a, b, more, a])
  assert.equal(set.symbols, ['B', 'A'])
  assert.equal([...set.columns.symbol], [0, 0, 1, 0, 1, 1])
  assert.equal([...set.columns.close], [2, 2, 1, 2, 1, 3])
  assert.equal(set.files, [a, b, more])
  assert.ok(set.hasVolume)
  const grouped = file(
    'symbol,date,open,high,low,close\nZ,2024-01-03,1,1,1,1\nY,2024-01-02,1,1,1,1\nY,2024-01-03,1,1,1,1\n',
  )
  const sorted = await loadBars([grouped])
  assert.equal(sorted.symbols, ['Y', 'Z'])
  assert.equal([...sorted.columns.symbol], [0, 0, 1])
  assert.not(sorted.hasVolume)
})

test('from and to are inclusive, to a whole day; symbols outside are left out', async () => {
  const a = file(DAILY(['2024-01-02', '2024-01-03', '2024-01-04', '2024-01-05']), 'A.csv')
  const b = file(DAILY(['2024-01-02']), 'B.csv')
  const set = await loadBars([b, a], { from: '2024-01-03', to: '2024-01-04' })
  assert.equal(set.symbols, ['A'])
  assert.equal([...set.columns.time], [Date.UTC(2024, 0, 3), Date.UTC(2024, 0, 4)])
  const stamped = file(
    `${HEADER}\n2024-01-02T23:59:00Z,1,1,1,1,1\n2024-01-03T00:00:00Z,1,1,1,1,1\n`,
    'M.csv',
  )
  assert.is((await loadBars([stamped], { to: '2024-01-02' })).columns.length, 1)
  assert.is((await loadBars([stamped], { from: '2024-01-03T01:00:00+01:00' })).columns.length, 1)
  const refusal = async (from?: string, to?: string): Promise<string> => {
    try {
      await loadBars([a], { ...(from && { from }), ...(to && { to }) })
    } catch (error) {
      assert.instance(error, BadBarRange)
      assert.is((error as BadBarRange).code, 'bad_bar_range')
      return (error as Error).message
    }
    return assert.unreachable('it was accepted') as never
  }
  assert.match(await refusal('yesterday'), 'from "yesterday" is not a time')
  assert.match(await refusal(undefined, '2024-01-03T00:00:00'), 'is not a time')
  assert.match(await refusal('2024-01-04', '2024-01-03'), 'is after to')
  assert.match(await refusal('2025-01-01'), 'the files hold 2024-01-02 to 2024-01-05')
})

test('the same bar in two files is refused, naming both', async () => {
  const a = file(DAILY(['2024-01-02', '2024-01-03'], 1), 'A_1.csv')
  const b = file(DAILY(['2024-01-03', '2024-01-04'], 2), 'A_2.csv')
  const error = await fails(() => loadBars([a, b]))
  assert.equal(error.faults, [
    { file: b, line: 2, field: 'timestamp', reason: `repeats ${a} line 3`, text: 'A 2024-01-03' },
  ])
  assert.match(error.message, `${b}: line 2, timestamp "A 2024-01-03": repeats ${a} line 3`)
  const set = await loadBars([a, b], { skipBadRows: true })
  assert.equal([...set.columns.close], [1, 1, 2])
  assert.equal(set.skipped, error.faults)
})

test('folders give their bars by name and leave other tables out', async () => {
  const sub = join(folder, 'sub')
  mkdirSync(sub)
  assert.match((await fails(() => loadBars([sub]))).message, 'the folder holds no *.csv')
  writeFileSync(join(sub, 'ACTIONS.csv'), 'symbol,ex_date,kind\n')
  assert.match((await fails(() => loadBars([sub]))).message, 'the folder holds no bars')
  assert.match((await fails(() => loadBars([join(sub, 'ACTIONS.csv')]))).message, 'no column for')
  writeFileSync(join(sub, 'B.csv'), DAILY(['2024-01-02']))
  writeFileSync(join(sub, 'A.CSV'), DAILY(['2024-01-02']))
  writeFileSync(join(sub, 'notes.txt'), 'x')
  const set = await loadBars([sub])
  assert.equal(set.symbols, ['A', 'B'])
  assert.equal(set.ignored, [join(sub, 'ACTIONS.csv')])
  assert.match((await fails(() => loadBars([]))).message, 'no bar files were named')
})

test('faults of several files come together; timeframes may not be mixed', async () => {
  const a = file(DAILY(['2024-01-32']), 'A.csv')
  const b = file(DAILY(['2024-01-02', '2024-01-02']), 'B.csv')
  const error = await fails(() => loadBars([a, b, join(folder, 'C.csv')]))
  assert.equal(
    error.faults.map((fault) => fault.line),
    [2, 3, 0],
  )
  assert.match(error.message, '3 faults in 3 files')
  assert.is((await fails(() => loadBars([b]))).path, b)
  const day = file(DAILY(['2024-01-02']), 'D.csv')
  const minute = file(`${HEADER}\n2024-01-02T00:00:00Z,1,1,1,1,1\n2024-01-02T00:01:00Z,1,1,1,1,1`)
  assert.match(
    (await fails(() => loadBars([day, minute]))).message,
    /holds 1m bars, .*D.csv holds 1d/,
  )
})

test('there is a largest number of symbols, and a largest file', async () => {
  const table = (from: number, to: number): string => {
    const lines = ['date,symbol,open,high,low,close']
    for (let number = from; number < to; number++) lines.push(`2024-01-02,S${number},1,1,1,1`)
    return lines.join('\n')
  }
  assert.match(await reason(file(table(0, 65_537))), 'more than 65536 symbols')
  const most = file(table(0, 65_536), 'most.csv')
  assert.is((await loadBars([most])).symbols.length, 65_536)
  const other = file(table(65_536, 65_537), 'other.csv')
  assert.match((await fails(() => loadBars([most, other]))).message, 'more than 65536 symbols')
  truncateSync(other, 2 ** 31)
  assert.is(await reason(other), 'is larger than 2 GiB; split it')
})

test('paths that cannot be followed are refused like files', async () => {
  const loop = join(folder, 'loop')
  symlinkSync(loop, loop)
  assert.match((await fails(() => loadBars([loop]))).message, 'cannot be read (ELOOP)')
})

test('the demo bars are there', async () => {
  const read = await readBarFile(demoBarsPath())
  assert.equal(read.symbols, [DEMO_SYMBOL])
  assert.is(read.columns.length, 1260)
  assert.is(read.timeframe, '1d')
  assert.is(read.columns.time[0], Date.UTC(2013, 4, 13))
})

test('reads fast', async () => {
  const lines = [HEADER]
  const start = Date.UTC(2020, 0, 1)
  for (let row = 0; row < 300_000; row++) {
    const time = new Date(start + row * 60_000).toISOString().replace('.000Z', '-05:00')
    const base = 100 + (row % 977) / 100
    lines.push(`${time},${base.toFixed(2)},${base + 1.25},${base - 1.5},${base.toFixed(4)},${row}`)
  }
  const path = file(lines.join('\n'))
  await readBarFile(path)
  const began = process.hrtime.bigint()
  const read = await readBarFile(path)
  const seconds = Number(process.hrtime.bigint() - began) / 1e9
  assert.is(read.columns.length, 300_000)
  const bytes = readFileSync(path).length
  console.log(
    `bars: ${Math.round(300_000 / seconds / 1000)}k rows/s, ${Math.round(bytes / seconds / 1e6)} MB/s`,
  )
})

test.run()
