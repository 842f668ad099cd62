import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import * as decimal from '../../engine/decimal.ts'
import { BadBarsFile, readBarFile } from './bar-file.ts'
import type { BarReadOptions } from './bar-rows.ts'
import { loadBars } from './bar-set.ts'
import { loadParquet } from './parquet-library.ts'
import { numberReader, stampReader, toNine } from './parquet-values.ts'

/** Written by pyarrow 25: the same 300 minutes in the types and codecs that are met. */
const here = join(import.meta.dirname, 'testing')
const installed = await loadParquet().then(
  () => true,
  () => false,
)
const withParquet = installed ? test : test.skip

let folder = ''
test.before.each(() => {
  folder = mkdtempSync(join(tmpdir(), 'bars-parquet-'))
})
test.after.each(() => rmSync(folder, { recursive: true, force: true }))

const fixture = (name: string): string => join(here, `${name}.parquet`)

async function refused(path: string, options?: BarReadOptions): Promise<BadBarsFile> {
  try {
    await readBarFile(path, options)
  } catch (error) {
    assert.instance(error, BadBarsFile)
    return error as BadBarsFile
  }
  return assert.unreachable('it was accepted') as never
}

const reason = async (name: string): Promise<string> => {
  const error = await refused(fixture(name))
  assert.is(error.faults.length, 1)
  return error.faults[0]!.reason
}

for (const name of [
  'MINUTE_ms_snappy',
  'MINUTE_us_zstd',
  'MINUTE_ns_gzip',
  'MINUTE_int96_none',
  'MINUTE_decimal_lz4',
  'MINUTE_intdecimal_brotli',
  'MINUTE_float_snappy',
]) {
  withParquet(`needs hyparquet: ${name} holds the bars of the CSV, bit for bit`, async () => {
    const csv = await readBarFile(join(here, 'MINUTE.csv'))
    const read = await readBarFile(fixture(name))
    assert.equal(read.columns, csv.columns)
    assert.equal(read.symbols, ['MINUTE'])
    assert.is(read.timeframe, '1m')
    assert.ok(read.hasVolume)
    assert.is(read.unit, 'row')
    assert.equal([read.lines[0], read.lines[299]], [1, 300])
    assert.is(read.header.length, 6)
  })
}

withParquet(
  'needs hyparquet: text stamps, a symbol column, columns that are not bars',
  async () => {
    const csv = await readBarFile(join(here, 'MINUTE.csv'))
    const read = await readBarFile(fixture('TEXT'), { timeframe: '1m' })
    assert.equal(read.symbols, ['AA', 'BRK.B'])
    assert.equal([...read.columns.symbol.subarray(0, 3)], [0, 1, 0])
    assert.equal(read.columns.time, csv.columns.time)
    assert.equal(read.header, ['t', 'open', 'high', 'low', 'close', 'volume', 'symbol', 'note'])
  },
)

withParquet(
  'needs hyparquet: dates, also as midnights of the wall clock or of New York',
  async () => {
    for (const name of ['DATE', 'NAIVEDAYS', 'NYDAYS']) {
      const read = await readBarFile(fixture(name))
      assert.is(read.timeframe, '1d', name)
      assert.equal(
        [...read.columns.time],
        [2, 3, 4, 5, 6].map((date) => Date.UTC(2024, 0, date)),
        name,
      )
      assert.equal(read.columns.close[0], 1.75)
    }
    const read = await readBarFile(fixture('DATE'))
    assert.equal([...read.columns.volume], [Number.NaN, 1.5, Number.NaN, 0, 7])
    assert.not((await readBarFile(fixture('NYDAYS'))).hasVolume)
  },
)

withParquet('needs hyparquet: bad rows are named by their number, over row groups', async () => {
  const error = await refused(fixture('BAD'))
  assert.is(error.rows, 7)
  assert.equal(
    error.faults.map(({ line, unit, field, reason, text }) => [line, unit, field, reason, text]),
    [
      [2, 'row', 'open', 'is not above zero', '-1'],
      [3, 'row', 'timestamp', 'is missing', ''],
      [4, 'row', 'low', 'is above the high 0.5', '1'],
      [6, 'row', 'volume', 'is negative', '-2'],
      [7, 'row', 'open', 'is missing', ''],
    ],
  )
  assert.match(error.message, 'row 2, open "-1": is not above zero')
  const read = await readBarFile(fixture('BAD'), { skipBadRows: true, timeframe: '1d' })
  assert.equal([...read.lines], [1, 5])
  assert.is(read.skipped.length, 5)
})

withParquet('needs hyparquet: files that are no bars say why', async () => {
  assert.match(await reason('NAIVE'), 'no offset from UTC (isAdjustedToUTC is false)')
  assert.match(await reason('EPOCH'), 'column "timestamp" is INT64; store it as TIMESTAMP in UTC')
  assert.match(
    await reason('STRINGS'),
    'column "open" is BYTE_ARRAY (STRING); prices and volumes are numbers',
  )
  assert.match(await reason('NESTED'), 'column "open" is nested; bars are flat')
  assert.is(await reason('NOCLOSE'), 'no column for close')
  assert.is(await reason('EMPTY'), 'has a header but no rows')
})

withParquet('needs hyparquet: a damaged file is refused by name, never half read', async () => {
  const whole = readFileSync(fixture('MINUTE_us_zstd'))
  const path = join(folder, 'CUT.parquet')
  for (const bytes of [
    whole.subarray(0, 4),
    whole.subarray(0, whole.length - 1),
    whole.subarray(0, whole.length >> 1),
    Buffer.concat([whole.subarray(0, 4), Buffer.alloc(2000, 0x5a), whole.subarray(2004)]),
    Buffer.from(`PAR1${'x'.repeat(40)}PAR1`),
  ]) {
    writeFileSync(path, bytes)
    const error = await refused(path)
    assert.match(error.faults[0]!.reason, 'is damaged Parquet, or of a kind that is not read')
  }
})

withParquet('needs hyparquet: in a folder, beside CSV; the same bar twice is refused', async () => {
  writeFileSync(join(folder, 'A.parquet'), readFileSync(fixture('MINUTE_ms_snappy')))
  writeFileSync(join(folder, 'B.csv'), readFileSync(join(here, 'MINUTE.csv')))
  writeFileSync(join(folder, 'NOCLOSE.parquet'), readFileSync(fixture('NOCLOSE')))
  writeFileSync(join(folder, 'notes.txt'), '')
  try {
    await loadBars([folder])
    assert.unreachable()
  } catch (error) {
    assert.match((error as Error).message, 'NOCLOSE.parquet: no column for close')
  }
  rmSync(join(folder, 'NOCLOSE.parquet'))
  const set = await loadBars([folder])
  assert.equal(set.symbols, ['A', 'B'])
  assert.is(set.columns.length, 600)
  writeFileSync(join(folder, 'A_2.parquet'), readFileSync(fixture('MINUTE_ms_snappy')))
  try {
    await loadBars([folder])
    assert.unreachable()
  } catch (error) {
    const [first] = (error as BadBarsFile).faults
    assert.match(first!.file, 'A_2.parquet')
    assert.match(first!.reason, /repeats .*A.parquet row 1/)
  }
})

test('a float is the decimal that a CSV of it would say', () => {
  fc.assert(
    fc.property(fc.double({ min: -1e15, max: 1e15, noNaN: true }), (value) => {
      const [digits, exponent = '0'] = String(value).split('e') as [string, string?]
      const text = exponent === '0' ? digits : value.toFixed(20)
      const expected = decimal.toNumber(decimal.parse(text))
      assert.is(toNine(value), expected === 0 ? 0 : expected)
    }),
    { numRuns: 2000 },
  )
  assert.is(toNine(1.0000000005), 1)
  assert.ok(Number.isNaN(toNine(Number.NaN)))
  const single = numberReader({ name: 'x', type: 'FLOAT' })
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 9_999_999 }), fc.nat(5), (units, decimals) => {
      const meant = Number((units / 10 ** decimals).toPrecision(6))
      assert.is(single(Math.fround(meant)), meant)
    }),
    { numRuns: 2000 },
  )
})

test('decimals are exact, stored as integers or as bytes', () => {
  const whole = (scale: number) =>
    numberReader({ name: 'x', type: 'INT64', converted_type: 'DECIMAL', scale })
  assert.is(whole(2)(12345n), 123.45)
  assert.is(whole(2)(-5n), -0.05)
  assert.is(whole(12)(1_500_000_000_500n), 1.5)
  const bytes = numberReader({
    name: 'x',
    type: 'FIXED_LEN_BYTE_ARRAY',
    logical_type: { type: 'DECIMAL', scale: 4 },
  })
  assert.is(bytes(Uint8Array.of(0, 0, 0x30, 0x39)), 1.2345)
  assert.is(bytes(Uint8Array.of(0xff, 0xff, 0xcf, 0xc7)), -1.2345)
  assert.is(bytes(Uint8Array.of(0x01, 0, 0, 0, 0, 0, 0, 0, 0)), Number('1844674407370955.1616'))
})

test('stamps before 1970 and beyond the calendar', () => {
  const { read } = stampReader({ name: 't', type: 'INT64', converted_type: 'TIMESTAMP_MICROS' })
  assert.equal(read(-1n), { time: -1, hasTime: true, clock: 86_399_999 })
  assert.is(read(9_000_000_000_000_000_000n), 'there is no such date or time')
  assert.throws(() => stampReader({ name: 't', type: 'BOOLEAN' }), /column "t" is BOOLEAN/)
  assert.throws(
    () => stampReader({ name: 't', type: 'INT32', converted_type: 'TIME_MILLIS' }),
    /INT32 \(TIME_MILLIS\)/,
  )
})

test.run()
