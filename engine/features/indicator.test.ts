import { existsSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { atr } from './atr.ts'
import { ema } from './ema.ts'
import { type Indicator, InvalidParameter, InvalidSnapshot, MAX_PERIOD } from './indicator.ts'
import { rsi } from './rsi.ts'
import { sma } from './sma.ts'

type Bar = readonly [open: number, high: number, low: number, close: number]

const KINDS = { sma, ema, rsi, atr }
type Kind = keyof typeof KINDS
const KIND_NAMES = Object.keys(KINDS) as Kind[]

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const SHARED = resolve(ROOT, process.env.SHARED ?? '../shared')

function feed(indicator: Indicator, bar: Bar): number {
  return indicator.next(bar[0], bar[1], bar[2], bar[3], Number.NaN)
}

/** Each definition from its textbook formula, over the whole history. */
const DEFINITIONS: Record<Kind, (bars: readonly Bar[], n: number) => number> = {
  sma: (bars, n) => mean(bars.slice(-n).map((b) => b[3])),
  ema(bars, n) {
    const closes = bars.map((b) => b[3])
    let value = mean(closes.slice(0, n))
    for (const close of closes.slice(n)) value = (close * 2 + value * (n - 1)) / (n + 1)
    return value
  },
  rsi(bars, n) {
    const changes = bars.slice(1).map((b, i) => b[3] - bars[i]![3])
    const gain = wilder(
      changes.map((c) => Math.max(c, 0)),
      n,
    )
    const loss = wilder(
      changes.map((c) => Math.max(-c, 0)),
      n,
    )
    if (gain === 0 && loss === 0) return 50
    return loss === 0 ? 100 : 100 - 100 / (1 + gain / loss)
  },
  atr(bars, n) {
    const ranges = bars.slice(1).map(([, high, low], i) => {
      const last = bars[i]![3]
      return Math.max(high - low, Math.abs(high - last), Math.abs(low - last))
    })
    return wilder(ranges, n)
  },
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, v) => sum + v, 0) / values.length
}

function wilder(values: readonly number[], n: number): number {
  let average = mean(values.slice(0, n))
  for (const value of values.slice(n)) average = (average * (n - 1) + value) / n
  return average
}

function close(actual: number, expected: number, tolerance: number, place: string): void {
  const ok = Math.abs(actual - expected) <= tolerance
  assert.ok(ok, `${place}: ${actual} is not ${expected} within ${tolerance}`)
}

const price = fc.double({ min: 1, max: 1000, noNaN: true })
const bar: fc.Arbitrary<Bar> = fc.tuple(price, price, price, price).map(([a, b, c, d]) => {
  return [a, Math.max(a, b, c, d), Math.min(a, b, c, d), d]
})
const kind = fc.constantFrom(...KIND_NAMES)
const period = fc.integer({ min: 1, max: 40 })
const bars = fc.array(bar, { minLength: 0, maxLength: 150 })

test('agrees with the textbook definition at every bar, NaN before warm-up', () => {
  fc.assert(
    fc.property(kind, period, bars, (kind, n, bars) => {
      const indicator = KINDS[kind](n)
      for (const [i, bar] of bars.entries()) {
        const value = feed(indicator, bar)
        assert.ok(Object.is(indicator.value, value), 'value is what next answered')
        if (i + 1 < indicator.warmup) assert.ok(Number.isNaN(value), `bar ${i} is warm-up`)
        else {
          const expected = DEFINITIONS[kind](bars.slice(0, i + 1), n)
          // RSI: the textbook form cancels near 0, so it is held to its own scale of 100.
          const size = kind === 'rsi' ? 100 : Math.max(expected, 1e-3)
          close(value, expected, 1e-9 * size, `${indicator.name} at bar ${i}`)
        }
      }
    }),
  )
})

test('a snapshot at any bar, through JSON, continues with identical bits', () => {
  fc.assert(
    fc.property(kind, period, bars, fc.nat(150), (kind, n, bars, cut) => {
      const original = KINDS[kind](n)
      const at = Math.min(cut, bars.length)
      for (const bar of bars.slice(0, at)) feed(original, bar)
      const state = JSON.parse(JSON.stringify(original.snapshot()))
      const restored = KINDS[kind](n)
      for (const bar of bars.slice(0, 7)) feed(restored, bar) // must be overwritten wholly
      restored.restore(state)
      assert.ok(Object.is(restored.value, original.value))
      for (const bar of bars.slice(at)) {
        assert.ok(Object.is(feed(restored, bar), feed(original, bar)))
      }
      assert.equal(restored.snapshot(), original.snapshot())
    }),
  )
})

test('a snapshot is a copy: later bars leave it alone', () => {
  for (const name of KIND_NAMES) {
    const indicator = KINDS[name](3)
    for (let i = 1; i < 9; i++) feed(indicator, [i, i + 1, i - 1, i])
    const state = indicator.snapshot()
    const copy = [...state]
    feed(indicator, [50, 60, 40, 55])
    assert.equal([...state], copy)
    assert.not.equal([...indicator.snapshot()], copy)
  }
})

test('names, warm-up and value before the first bar', () => {
  const seen = KIND_NAMES.map((name) => {
    const indicator = KINDS[name](14)
    assert.ok(Number.isNaN(indicator.value))
    return [indicator.name, indicator.warmup]
  })
  assert.equal(seen, [
    ['sma_14', 14],
    ['ema_14', 14],
    ['rsi_14', 15],
    ['atr_14', 15],
  ])
})

test('refuses periods outside 1 to 100000, naming indicator, parameter and range', () => {
  for (const name of KIND_NAMES) {
    for (const bad of [0, -1, 2.5, MAX_PERIOD + 1, Number.NaN, Number.POSITIVE_INFINITY]) {
      try {
        KINDS[name](bad)
      } catch (error) {
        if (!(error instanceof InvalidParameter)) throw error
        assert.is(error.code, 'invalid_parameter')
        assert.is(error.indicator, name)
        assert.is(error.parameter, 'period')
        assert.is(error.allowed, 'a whole number from 1 to 100000')
        assert.is(
          error.message,
          `${name}: period must be a whole number from 1 to 100000, not ${bad}`,
        )
        continue
      }
      assert.unreachable(`${name}(${bad}) was accepted`)
    }
    assert.is(KINDS[name](1).name, `${name}_1`)
    assert.is(KINDS[name](MAX_PERIOD).name, `${name}_100000`)
  }
})

test('refuses a snapshot of another kind or period, and damaged ones, and stays as it was', () => {
  const refuse = (indicator: Indicator, state: readonly number[], reason: RegExp) => {
    feed(indicator, [1, 2, 1, 2])
    const before = indicator.snapshot()
    try {
      indicator.restore(state)
    } catch (error) {
      if (!(error instanceof InvalidSnapshot)) throw error
      assert.is(error.code, 'invalid_snapshot')
      assert.is(error.indicator, indicator.name)
      assert.match(error.message, reason)
      assert.equal(indicator.snapshot(), before)
      return
    }
    assert.unreachable(`restored ${JSON.stringify(state)}`)
  }
  refuse(ema(10), ema(20).snapshot(), /is of period 20/)
  refuse(ema(10), rsi(10).snapshot(), /has 5 numbers, not 3/)
  refuse(ema(10), [10, 10, Number.NaN], /missing number/)
  refuse(ema(10), [10, 11, 5], /says 11 bars of warm-up, of 10/)
  refuse(ema(10), [10, 1.5, 5], /says 1.5 bars/)
  refuse(ema(10), [10, -1, 5], /says -1 bars/)
  refuse(sma(2), [2, 2, 2, 3, 1, 2], /cursor at 2 after 2 bars/)
  refuse(sma(2), [2, 1, 0, 1, 1, 0], /cursor at 0 after 1 bars/)
  refuse(sma(2), [2, 2, 0.5, 3, 1, 2], /cursor at 0.5/)
})

function csv(file: string): Record<string, string>[] {
  const [header = '', ...lines] = readFileSync(file, 'utf8').trim().split(/\r?\n/)
  const names = header.split(',')
  return lines.map((line) => {
    const cells = line.split(',')
    return Object.fromEntries(names.map((name, i) => [name, cells[i] ?? '']))
  })
}

function barsOf(rows: Record<string, string>[]): Bar[] {
  return rows.map((r) => [Number(r.open), Number(r.high), Number(r.low), Number(r.close)])
}

/** `expected[i]` null = warm-up, which has to coincide. */
function hold(indicator: Indicator, bars: Bar[], expected: (number | null)[], tolerance: number) {
  assert.is(expected.length, bars.length)
  let compared = 0
  for (const [i, bar] of bars.entries()) {
    const value = feed(indicator, bar)
    const wanted = expected[i]!
    if (wanted === null) assert.ok(Number.isNaN(value), `${indicator.name} at bar ${i} is warm-up`)
    else {
      close(value, wanted, tolerance, `${indicator.name} at bar ${i}`)
      compared++
    }
  }
  assert.is(compared, bars.length - indicator.warmup + 1)
}

const REFERENCES = [
  { make: () => sma(20), talib: 'sma_20', skender: 'sma' },
  { make: () => ema(20), talib: 'ema_20', skender: 'ema' },
  { make: () => rsi(14), talib: 'rsi_14', skender: 'rsi' },
  { make: () => atr(14), talib: 'atr_14', skender: 'atr' },
] as const

const talibFile = resolve(SHARED, 'data/reference/talib/ibm_talib.csv')
if (!existsSync(talibFile)) test.skip(`needs shared data: ${talibFile}`, () => {})
else {
  test('equals TA-Lib on 3270 daily bars of IBM to its eight decimals', () => {
    const bars = barsOf(csv(resolve(SHARED, 'data/daily/IBM.csv')))
    const rows = csv(talibFile)
    for (const { make, talib } of REFERENCES) {
      const expected = rows.map((r) => (r[talib] === '' ? null : Number(r[talib])))
      hold(make(), bars, expected, 5.001e-9)
    }
  })
}

const skenderDir = resolve(SHARED, 'data/reference/skender')
if (!existsSync(skenderDir)) test.skip(`needs shared data: ${skenderDir}`, () => {})
else {
  test("equals Skender's library on its 502 bars to 1e-10", () => {
    const bars = barsOf(csv(resolve(skenderDir, 'default.csv')))
    for (const { make, skender } of REFERENCES) {
      const text = readFileSync(resolve(skenderDir, `${skender}.standard.json`), 'utf8')
      const rows: Record<string, number | null>[] = JSON.parse(text)
      hold(
        make(),
        bars,
        rows.map((r) => r[skender] ?? null),
        1e-10,
      )
    }
  })
}

test.run()
