import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import * as decimal from '../../engine/decimal.ts'
import { readBarFile } from './bar-file.ts'
import { loadBars } from './bar-set.ts'
import { parseStamp, plainDecimal, readNumber } from './csv-values.ts'

const folder = mkdtempSync(join(tmpdir(), 'bars-property-'))
test.after(() => rmSync(folder, { recursive: true, force: true }))

const read = (text: string): number => {
  const bytes = Buffer.from(`,${text},`)
  return readNumber(bytes, 1, bytes.length - 1)
}

const digits = (min: number, max: number): fc.Arbitrary<string> =>
  fc.string({ unit: fc.constantFrom(...'0123456789'), minLength: min, maxLength: max })

test('a number equals the float of its nine-decimal text', async () => {
  fc.assert(
    fc.property(digits(1, 17), digits(0, 20), (whole, fraction) => {
      const text = fraction ? `${whole}.${fraction}` : whole
      const canonical = decimal.format(decimal.parse(text))
      assert.is(read(text), Number(canonical))
      assert.is(read(canonical), Number(canonical))
    }),
    { numRuns: 3000 },
  )
})

test('halves at the ninth decimal go to the even side', async () => {
  assert.is(read('1.0000000005'), 1)
  assert.is(read('1.0000000015'), 1.000000002)
  assert.is(read('1.00000000050000000001'), 1.000000001)
  assert.is(Object.is(read('-0.0000000001'), 0), true)
})

test('an exponent moves the point and nothing else', async () => {
  fc.assert(
    fc.property(
      digits(0, 8),
      digits(0, 8),
      fc.integer({ min: -20, max: 20 }),
      (whole, part, shift) => {
        fc.pre(whole.length + part.length > 0)
        const plain = plainDecimal(`${whole}.${part}e${shift}`)!
        // Undoing the shift gives the same exact number.
        const back = plainDecimal(`${plain}e${-shift}`)!
        const trim = (text: string): string =>
          text.replace(/^0+(?=\d)/, '').replace(/\.0*$|(\.\d*?)0+$/, '$1')
        assert.is(trim(back), trim(`${whole || '0'}.${part}`))
        assert.is(Number(plain), Number(`${whole}.${part}e${shift}`))
      },
    ),
    { numRuns: 1000 },
  )
  for (const text of ['', '.', '-', 'e5', '1e', '1,5', '0x10', 'Infinity', '1 2', '1.2.3', '1_0']) {
    assert.ok(Number.isNaN(read(text)), text)
  }
})

test('stamps equal those of the platform', async () => {
  const offset = fc.integer({ min: -1439, max: 1439 })
  const date = fc.date({
    min: new Date('0000-01-03T00:00:00Z'),
    max: new Date('9999-12-29T00:00:00Z'),
    noInvalidDate: true,
  })
  fc.assert(
    fc.property(date, offset, fc.constantFrom('T', 't', ' '), (when, minutes, separator) => {
      const local = new Date(when.getTime() + minutes * 60_000).toISOString()
      const size = Math.abs(minutes)
      const zone = `${minutes < 0 ? '-' : '+'}${two(Math.floor(size / 60))}:${two(size % 60)}`
      const text = local.replace('Z', zone).replace('T', separator)
      assert.equal(parseStamp(text), { time: when.getTime(), hasTime: true })
      const day = local.slice(0, 10)
      assert.equal(parseStamp(day), { time: Date.parse(day), hasTime: false })
    }),
    { numRuns: 2000 },
  )
  assert.is(parseStamp('2024-01-02T00:00:00.0009Z')?.time, Date.UTC(2024, 0, 2))
  assert.is(parseStamp('2024-01-02T00:00:00.29Z')?.time, Date.UTC(2024, 0, 2) + 290)
})

function two(value: number): string {
  return String(value).padStart(2, '0')
}

interface Row {
  symbol: string
  time: number
  prices: [open: string, high: string, low: string, close: string]
  volume: string
}

const START = Date.UTC(2020, 0, 2)
const MINUTE = 60_000
const DAY = 86_400_000

const price = fc
  .tuple(fc.integer({ min: 1, max: 10_000_000 }), fc.integer({ min: 0, max: 9 }))
  .map(([units, decimals]) => decimal.format(units * 10 ** (9 - decimals)))

const prices = fc.tuple(price, price, price, price).map((four): Row['prices'] => {
  const [low, a, b, high] = four.sort((x, y) => Number(x) - Number(y)) as Row['prices']
  return [a, high, low, b]
})

/** Bars of three symbols that start a whole number of `step` ms apart, sorted. */
const rowsOf = (step: number): fc.Arbitrary<Row[]> =>
  fc
    .uniqueArray(
      fc.record({
        symbol: fc.constantFrom('A', 'BRK.B', 'C-D'),
        time: fc.integer({ min: 0, max: 400 }).map((count) => START + count * step),
        prices,
        volume: fc.oneof(fc.nat().map(String), fc.constant('')),
      }),
      { minLength: 1, maxLength: 60, selector: (row) => `${row.symbol} ${row.time}` },
    )
    .map((list) => list.sort((x, y) => x.time - y.time))

function flat(time: number): Row {
  return { symbol: 'Z', time, prices: ['1', '1', '1', '1'], volume: '' }
}

const layout = fc.record({
  order: fc.shuffledSubarray([0, 1, 2, 3, 4, 5, 6, 7], { minLength: 8 }),
  long: fc.boolean(),
  quoted: fc.boolean(),
  upper: fc.boolean(),
  end: fc.constantFrom('\n', '\r\n'),
  mark: fc.constantFrom('', '\ufeff'),
})

const LONG = ['timestamp', 'open', 'high', 'low', 'close', 'volume', 'symbol', 'note']
const SHORT = ['t', 'o', 'h', 'l', 'c', 'v', 'symbol', 'note']

test('bars written in any layout read back as they were', async () => {
  const path = join(folder, 'x.csv')
  await fc.assert(
    fc.asyncProperty(rowsOf(MINUTE), layout, async (sparse, style) => {
      // Two bars a minute apart tell the timeframe, however thin the others are.
      const bars = [...sparse, ...[1000, 1001].map((count) => flat(START + count * MINUTE))]
      const cell = (text: string): string =>
        style.quoted ? `"${text.replaceAll('"', '""')}"` : text
      const line = (cells: string[]): string =>
        style.order.map((at) => cell(cells[at]!)).join(',') + style.end
      const names = style.long ? LONG : SHORT
      let text = style.mark + line(style.upper ? names.map((name) => name.toUpperCase()) : names)
      for (const bar of bars) {
        const note = style.quoted ? 'a, "b"\nc' : 'd'
        const stamp = new Date(bar.time).toISOString()
        text += line([stamp, ...bar.prices, bar.volume, bar.symbol, note])
      }
      writeFileSync(path, text)
      const file = await readBarFile(path)
      assert.is(file.timeframe, '1m')
      const { columns } = file
      assert.is(columns.length, bars.length)
      for (const [row, bar] of bars.entries()) {
        assert.is(file.symbols[columns.symbol[row]!], bar.symbol)
        assert.equal(
          [columns.time, columns.open, columns.high, columns.low, columns.close].map((c) => c[row]),
          [bar.time, ...bar.prices.map(Number)],
        )
        assert.equal(columns.volume[row], bar.volume === '' ? Number.NaN : Number(bar.volume))
      }
      assert.is(
        file.hasVolume,
        bars.some((bar) => bar.volume !== ''),
      )
    }),
    { numRuns: 200 },
  )
})

test('bars spread over files merge into one sequence', async () => {
  await fc.assert(
    fc.asyncProperty(
      rowsOf(DAY),
      fc.array(fc.nat(2), { minLength: 60, maxLength: 60 }),
      async (bars, places) => {
        const texts = new Map<number, string>()
        for (const [row, bar] of bars.entries()) {
          const place = places[row]!
          const before = texts.get(place) ?? 'timestamp,open,high,low,close,volume,symbol\n'
          const stamp = new Date(bar.time).toISOString().slice(0, 10)
          texts.set(place, `${before}${stamp},${bar.prices.join()},${bar.volume},${bar.symbol}\n`)
        }
        const paths = [...texts].map(([place, text]) => {
          const path = join(folder, `part${place}.csv`)
          writeFileSync(path, text)
          return path
        })
        const set = await loadBars(paths)
        const { columns, symbols } = set
        const name = (row: number): string =>
          `${columns.time[row]} ${symbols[columns.symbol[row]!]}`
        const held = Array.from({ length: columns.length }, (_, row) => name(row))
        assert.equal([...held].sort(), bars.map((bar) => `${bar.time} ${bar.symbol}`).sort())
        const met: number[] = []
        for (let row = 0; row < columns.length; row++) {
          const symbol = columns.symbol[row]!
          if (!met.includes(symbol)) met.push(symbol)
          if (row === 0) continue
          const gap = columns.time[row]! - columns.time[row - 1]!
          assert.ok(gap > 0 || (gap === 0 && symbol > columns.symbol[row - 1]!))
        }
        assert.equal(
          met,
          symbols.map((_, index) => index),
        )
      },
    ),
    { numRuns: 100 },
  )
})

test.run()
