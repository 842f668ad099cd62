import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import * as fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { allocateBars } from './bar-columns.ts'
import { BarCache, type BarCacheOptions } from './bar-cache.ts'
import { BadBarsFile, readBarFile } from './bar-file.ts'
import type { BarFile } from './bar-rows.ts'

const text = readFileSync(join(import.meta.dirname, 'testing/MINUTE.csv'))

let folder = ''
let dir = ''
let source = ''
let notices: string[] = []
test.before.each(() => {
  folder = mkdtempSync(join(tmpdir(), 'bar-cache-'))
  dir = join(folder, 'cache/bars')
  source = join(folder, 'ABC.csv')
  notices = []
  writeFileSync(source, text)
})
test.after.each(() => rmSync(folder, { recursive: true, force: true }))

const cache = (change: Partial<BarCacheOptions> = {}): BarCache =>
  new BarCache({ dir, minBytes: 0, notice: (notice) => notices.push(notice), ...change })
const kept = (): string[] => (existsSync(dir) ? readdirSync(dir) : [])
const onlyFile = (): string => {
  assert.is(kept().length, 1)
  return join(dir, kept()[0]!)
}
/** Bytes of all arrays, so that NaN and −0 count as what they are. */
const bits = ({ columns, lines }: BarFile): Buffer =>
  Buffer.concat(
    [...Object.values(columns), lines]
      .filter((array) => typeof array === 'object')
      .map(({ buffer, byteOffset, byteLength }) => Buffer.from(buffer, byteOffset, byteLength)),
  )

test('what is kept comes back with the same bits, under the path asked for', async () => {
  const parsed = await readBarFile(source, {}, cache())
  assert.match(onlyFile(), /^.*\/[0-9a-f]{64}\.bars$/)
  const again = await readBarFile(source, {}, cache())
  assert.equal(again, parsed)
  assert.equal(bits(again), bits(parsed))
  // Seen to come from there: what the cache says is what is read.
  const other = join(folder, 'sub.csv')
  writeFileSync(other, text)
  assert.is((await readBarFile(other, { symbol: 'ABC' }, cache())).path, other)
  assert.is(kept().length, 1)
  assert.equal(notices, [])
})

test('any columns survive, with their symbols and what was skipped', () => {
  const row = fc.record({
    numbers: fc.array(fc.double(), { minLength: 6, maxLength: 6 }),
    symbol: fc.nat(65_535),
    line: fc.nat(0xffff_ffff),
  })
  fc.assert(
    fc.property(fc.array(row), fc.array(fc.string()), (rows, symbols) => {
      const columns = allocateBars(rows.length)
      const lines = new Uint32Array(rows.length)
      for (const [at, { numbers, symbol, line }] of rows.entries()) {
        const [time, open, high, low, close, volume] = numbers as [
          number,
          number,
          number,
          number,
          number,
          number,
        ]
        for (const [name, value] of Object.entries({ time, open, high, low, close, volume })) {
          columns[name as 'time'][at] = value
        }
        columns.symbol[at] = symbol
        lines[at] = line
      }
      const fault = { line: 3, field: 'open', reason: 'is "bad"\n', text: 'ü' }
      const bars: BarFile = {
        path: 'there',
        symbols,
        timeframe: '5m',
        columns,
        lines,
        unit: 'row',
        hasVolume: rows.length > 0,
        skipped: [{ file: 'there', ...fault }],
        header: ['t', ...symbols],
      }
      const key = 'f'.repeat(64)
      cache().store(key, bars)
      const loaded = cache().load(key, 'here')!
      const { columns: _a, lines: _b, skipped: _c, path, ...rest } = loaded
      const { columns: _d, lines: _e, skipped: _f, path: _g, ...expected } = bars
      assert.equal(rest, expected)
      assert.is(path, 'here')
      assert.equal(loaded.skipped, [{ file: 'here', ...fault }])
      // Buffers, since NaN is never equal to itself.
      assert.ok(bits(loaded).equals(bits(bars)))
    }),
    { numRuns: 100 },
  )
})

test('other bytes, another symbol or another way of reading are another entry', async () => {
  await readBarFile(source, {}, cache())
  await readBarFile(source, { symbol: 'X' }, cache())
  await readBarFile(source, { skipBadRows: true }, cache())
  await readBarFile(source, { timeframe: '1m' }, cache())
  assert.is(kept().length, 4)
  writeFileSync(source, `${text.toString()}2024-02-01T14:30:00Z,1,1,1,1,1\n`)
  assert.is((await readBarFile(source, {}, cache())).columns.length, 301)
  assert.is(kept().length, 5)
  writeFileSync(source, gzipSync(text))
  assert.is((await readBarFile(source, {}, cache())).columns.length, 300)
  assert.is(kept().length, 6)
})

test('skipped rows are told again from the cache; a refused file is not kept', async () => {
  writeFileSync(source, `${text.toString()}2024-02-01T14:30:00Z,0,1,1,1,1\n`)
  for (let time = 0; time < 2; time++) {
    const { skipped } = await readBarFile(source, { skipBadRows: true }, cache())
    assert.equal(skipped, [
      { file: source, line: 302, field: 'open', reason: 'is not above zero', text: '0' },
    ])
    try {
      await readBarFile(source, {}, cache())
      assert.unreachable()
    } catch (error) {
      assert.instance(error, BadBarsFile)
    }
    assert.is(kept().length, 1)
  }
})

test('a damaged entry is told, removed and made again, whatever is damaged', async () => {
  const parsed = await readBarFile(source, {}, cache())
  const path = onlyFile()
  const whole = readFileSync(path)
  const damages: [Buffer, RegExp][] = [
    [Buffer.alloc(0), /it ends early/],
    [whole.subarray(0, 11), /it ends early/],
    [Buffer.from('x'.repeat(whole.length)), /it is no file of bars/],
    [whole.subarray(0, whole.length - 1), /its length does not fit its bars/],
    [Buffer.concat([whole, whole]), /its length does not fit its bars/],
  ]
  const head = Buffer.from(whole)
  head.writeUInt32LE(0xffff_ffff, 8)
  damages.push([head, /its head is too long/])
  const json = Buffer.from(whole)
  json[12] = 0
  damages.push([json, /JSON/])
  for (const [bytes, why] of damages) {
    writeFileSync(path, bytes)
    notices = []
    assert.equal(await readBarFile(source, {}, cache()), parsed)
    assert.is(notices.length, 1)
    assert.match(notices[0]!, why)
    assert.match(notices[0]!, `the bars are read from ${source} again`)
    assert.equal(readFileSync(path), whole)
  }
  await fc.assert(
    fc.asyncProperty(
      fc.nat(whole.length - 1),
      fc.integer({ min: 1, max: 255 }),
      async (at, flip) => {
        const damaged = Buffer.from(whole)
        damaged[at]! ^= flip
        writeFileSync(path, damaged)
        notices = []
        assert.equal(await readBarFile(source, {}, cache()), parsed)
        assert.is(notices.length, 1)
      },
    ),
    { numRuns: 60 },
  )
})

test('small files are parsed each time and leave no folder behind', async () => {
  await readBarFile(source, {}, new BarCache({ dir }))
  assert.not(existsSync(dir))
  await readBarFile(source, {}, cache({ minBytes: text.length + 1 }))
  assert.not(existsSync(dir))
  await readBarFile(source, {}, cache({ minBytes: text.length }))
  assert.is(kept().length, 1)
})

test('the cache may be deleted at any time', async () => {
  const parsed = await readBarFile(source, {}, cache())
  rmSync(dir, { recursive: true })
  assert.equal(await readBarFile(source, {}, cache()), parsed)
  assert.is(kept().length, 1)
})

test('a folder that cannot be made or written to is no error', async () => {
  writeFileSync(join(folder, 'file'), '')
  const blocked = cache({ dir: join(folder, 'file/cache') })
  assert.is((await readBarFile(source, {}, blocked)).columns.length, 300)
  assert.is((await readBarFile(source, {}, cache({ dir: '/proc/none' }))).columns.length, 300)
  await readBarFile(source, {}, cache())
  chmodSync(dir, 0o555)
  try {
    assert.is((await readBarFile(source, { symbol: 'Y' }, cache())).columns.length, 300)
    assert.is((await readBarFile(source, {}, cache())).columns.length, 300)
  } finally {
    chmodSync(dir, 0o755)
  }
  assert.equal(notices, [])
})

test('the entries used longest ago make room', async () => {
  for (const symbol of ['A', 'B', 'C']) await readBarFile(source, { symbol }, cache())
  const size = readFileSync(join(dir, kept()[0]!)).length
  const key = (symbol: string) => `${cache().key(source, text, { symbol })}.bars`
  const day = 86_400
  for (const [age, symbol] of ['A', 'B', 'C'].entries()) {
    utimesSync(join(dir, key(symbol)), 1e9 - age * day, 1e9 - age * day)
  }
  // C is the oldest, but just used.
  await readBarFile(source, { symbol: 'C' }, cache())
  await readBarFile(source, { symbol: 'D' }, cache({ maxBytes: size * 3 }))
  assert.equal(kept().sort(), [key('A'), key('C'), key('D')].sort())
})

test('an entry cut short by a crash is not mistaken for one', async () => {
  await readBarFile(source, {}, cache())
  writeFileSync(join(dir, `${'0'.repeat(64)}.abc.tmp`), 'half')
  truncateSync(onlyBars(), 100)
  assert.is((await readBarFile(source, {}, cache())).columns.length, 300)
  assert.is(notices.length, 1)
})

function onlyBars(): string {
  return join(dir, kept().find((name) => name.endsWith('.bars'))!)
}

test.run()
