import * as fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Columns } from '../backtest/column-source.ts'
import { add, format, fromNumber } from '../decimal.ts'
import { DAY_MS, formatTime } from '../time.ts'
import { TIMEFRAME_MS, type Timeframe } from './bar.ts'
import { ALWAYS_OPEN, CalendarError, NYSE } from './calendar.ts'
import { resample, ResampleError, type ResampleOptions } from './resample.ts'
import { PARTIAL } from './resample-buckets.ts'

interface Row {
  time: number
  open: number
  high: number
  low: number
  close: number
  volume: number
  symbol: number
}

const calendar = (symbol: string) => (symbol.includes('/') ? ALWAYS_OPEN : NYSE)
const FIELDS = ['time', 'open', 'high', 'low', 'close', 'volume', 'symbol'] as const

function columnsOf(rows: readonly Row[]): Columns {
  const columns: Columns = {
    length: rows.length,
    time: new Float64Array(rows.length),
    open: new Float64Array(rows.length),
    high: new Float64Array(rows.length),
    low: new Float64Array(rows.length),
    close: new Float64Array(rows.length),
    volume: new Float64Array(rows.length),
    symbol: new Uint16Array(rows.length),
  }
  for (const [at, row] of rows.entries()) for (const name of FIELDS) columns[name][at] = row[name]
  return columns
}

function rowsOf(columns: Columns): Row[] {
  return Array.from({ length: columns.length }, (_, row) => ({
    time: columns.time[row]!,
    open: columns.open[row]!,
    high: columns.high[row]!,
    low: columns.low[row]!,
    close: columns.close[row]!,
    volume: columns.volume[row]!,
    symbol: columns.symbol[row]!,
  }))
}

function bar(stamp: string, close: number, change: Partial<Row> = {}): Row {
  const prices = { open: close, high: close, low: close, close }
  return { time: Date.parse(stamp), ...prices, volume: 1, symbol: 0, ...change }
}

function run(rows: readonly Row[], to: Timeframe, change: Partial<ResampleOptions> = {}) {
  return resample(columnsOf(rows), ['SPY', 'BTC/USD', 'QQQ'], {
    from: '1m',
    to,
    calendar,
    ...change,
  })
}

const times = (columns: Columns) => Array.from(columns.time, formatTime)

/** Every minute of New York from one time of a day to another, to the minute before. */
function minutes(date: string, from: string, to: string, offset = '-05:00'): Row[] {
  const rows: Row[] = []
  const end = Date.parse(`${date}T${to}:00${offset}`)
  let close = 100
  for (let time = Date.parse(`${date}T${from}:00${offset}`); time < end; time += 60_000) {
    close += (rows.length % 7) - 3
    rows.push({ time, open: close, high: close + 2, low: close - 2, close, volume: 10, symbol: 0 })
  }
  return rows
}

test('an hour counts from the open of the session, the last one is short and says so', () => {
  const made = run(minutes('2024-01-31', '09:30', '16:00'), '1h')
  assert.equal(times(made.columns), [
    '2024-01-31T14:30:00Z',
    '2024-01-31T15:30:00Z',
    '2024-01-31T16:30:00Z',
    '2024-01-31T17:30:00Z',
    '2024-01-31T18:30:00Z',
    '2024-01-31T19:30:00Z',
    '2024-01-31T20:30:00Z',
  ])
  assert.equal([...made.partial], [0, 0, 0, 0, 0, 0, PARTIAL.session])
  assert.equal([...made.sources], [60, 60, 60, 60, 60, 60, 30])
  assert.equal([...made.columns.volume], [600, 600, 600, 600, 600, 600, 300])
})

test('an early close shortens the last bar, summer time moves the first', () => {
  const made = run(minutes('2024-07-03', '09:30', '13:00', '-04:00'), '1h')
  assert.equal(times(made.columns).at(0), '2024-07-03T13:30:00Z')
  assert.equal([...made.sources], [60, 60, 60, 30])
  assert.is(made.partial.at(-1), PARTIAL.session)
})

test('pre- and post-market have bars of their own, never mixed with the core session', () => {
  const made = run(minutes('2024-01-31', '09:00', '17:00'), '1h')
  assert.equal(times(made.columns).slice(0, 2), ['2024-01-31T14:00:00Z', '2024-01-31T14:30:00Z'])
  assert.equal(times(made.columns).slice(-2), ['2024-01-31T20:30:00Z', '2024-01-31T21:00:00Z'])
  assert.equal([...made.sources], [30, 60, 60, 60, 60, 60, 60, 30, 60])
  assert.equal(made.partial[0], PARTIAL.session)
  assert.is(made.outside.count, 0)
})

test('a daily bar is the core session, stamped by its date; the option takes the rest in', () => {
  const rows = minutes('2024-01-31', '04:00', '20:00')
  const core = run(rows, '1d')
  assert.equal(times(core.columns), ['2024-01-31T00:00:00Z'])
  assert.is(core.sources[0], 390)
  assert.is(core.partial[0], 0)
  assert.is(core.columns.open[0], rows[330]!.open)
  assert.is(core.columns.close[0], rows[719]!.close)
  assert.equal(core.outside, { count: 570, first: 0 })
  const all = run(rows, '1d', { daily: 'all' })
  assert.is(all.columns.open[0], rows[0]!.open)
  // In winter the bar's UTC date ends at 19:00: what came later was not known at its end.
  assert.is(all.sources[0], 900)
  assert.equal(all.outside, { count: 60, first: 900 })
  assert.is(
    run(minutes('2024-07-31', '04:00', '20:00', '-04:00'), '1d', { daily: 'all' }).sources[0],
    960,
  )
})

test('where the data begin or end within a bar it is labelled, a gap in between is not', () => {
  const rows = minutes('2024-01-31', '11:02', '15:10').filter(
    ({ time }) =>
      time < Date.parse('2024-01-31T12:00:00-05:00') ||
      time >= Date.parse('2024-01-31T14:10:00-05:00'),
  )
  const made = run(rows, '1h')
  assert.equal(times(made.columns), [
    '2024-01-31T15:30:00Z',
    '2024-01-31T16:30:00Z',
    '2024-01-31T18:30:00Z',
    '2024-01-31T19:30:00Z',
  ])
  assert.equal([...made.partial], [PARTIAL.data, 0, 0, PARTIAL.data])
  assert.is(run(rows, '1d').partial[0], PARTIAL.data)
})

test('a session that lacks more than half an hour at an end is labelled, also between whole ones', () => {
  const days = ['2024-01-29', '2024-01-30', '2024-01-31', '2024-02-01', '2024-02-02']
  const hours: [string, string][] = [
    ['09:30', '16:00'],
    ['10:00', '15:30'],
    ['10:01', '16:00'],
    ['09:30', '15:29'],
    ['09:30', '16:00'],
  ]
  const rows = days.flatMap((day, at) => minutes(day, ...hours[at]!))
  assert.equal([...run(rows, '1d').partial], [0, 0, PARTIAL.data, PARTIAL.data, 0])
  assert.equal(
    [...run(rows, '1h').partial].filter((bits) => bits & PARTIAL.data),
    [],
  )
})

test('bars of several symbols come by time, then symbol, each by its own market', () => {
  const made = run(
    [
      bar('2024-01-31T14:00:00Z', 1, { symbol: 1 }),
      bar('2024-01-31T14:31:00Z', 5, { symbol: 2 }),
      bar('2024-01-31T14:32:00Z', 7, { symbol: 0 }),
      bar('2024-01-31T15:00:00Z', 2, { symbol: 1 }),
      // The first minute of this bucket comes after a bar that begins later.
      bar('2024-01-31T15:35:00Z', 6, { symbol: 2 }),
      bar('2024-01-31T16:00:00Z', 3, { symbol: 1 }),
      bar('2024-01-31T16:10:00Z', 8, { symbol: 0 }),
      bar('2024-02-03T16:00:00Z', 4, { symbol: 1 }),
    ],
    '1h',
  )
  assert.equal(
    rowsOf(made.columns).map(({ time, symbol, close }) => [
      formatTime(time).slice(8, 16),
      symbol,
      close,
    ]),
    [
      ['31T14:00', 1, 1],
      ['31T14:30', 0, 7],
      ['31T14:30', 2, 5],
      ['31T15:00', 1, 2],
      ['31T15:30', 0, 8],
      ['31T15:30', 2, 6],
      ['31T16:00', 1, 3],
      ['03T16:00', 1, 4],
    ],
  )
})

test('bars outside the hours of their market are left out and counted', () => {
  const made = run(
    [
      bar('2024-02-02T20:59:00Z', 1),
      bar('2024-02-03T16:00:00Z', 2),
      bar('2024-02-05T08:00:00Z', 3),
      bar('2024-02-05T14:30:00Z', 4),
    ],
    '5m',
  )
  assert.equal([...made.columns.close], [1, 4])
  assert.equal(made.outside, { count: 2, first: 1 })
})

test('a bar belongs to the bucket in which it ends, and straddling is counted', () => {
  // Bars on the full clock hour, as some vendors cut them: the one of 9:00 holds the open.
  const rows = [9, 10, 11].map((hour) => bar(`2024-01-31T${hour + 5}:00:00Z`, hour))
  const made = run(rows, '1d', { from: '1h' })
  assert.equal([...made.columns.close], [11])
  assert.is(made.columns.open[0], 9)
  assert.equal(made.straddling, { count: 1, first: 0 })
  const late = run([bar('2024-01-31T14:34:30Z', 1)], '5m')
  assert.equal(times(late.columns), ['2024-01-31T14:35:00Z'])
  assert.equal(late.straddling, { count: 1, first: 0 })
})

test('an unknown volume makes the sum unknown, fractions add up exactly', () => {
  const at = (minute: number, volume: number) => bar(`2024-01-31T14:3${minute}:00Z`, 1, { volume })
  assert.is(run([at(0, 0.1), at(1, 0.2), at(2, 0.7)], '5m').columns.volume[0], 1)
  assert.ok(Number.isNaN(run([at(0, 1), at(1, Number.NaN), at(2, 1)], '5m').columns.volume[0]))
  assert.ok(Number.isNaN(run([at(0, Number.NaN), at(1, 1)], '5m').columns.volume[0]))
  assert.is(run([at(0, Number.NaN), at(6, 1)], '5m').columns.volume[1], 1)
})

test('the same length changes nothing, a shorter one is refused, so are unknown years', () => {
  const rows = [bar('2024-02-03T16:00:00Z', 1), bar('2024-02-03T16:00:00Z', 2, { symbol: 1 })]
  assert.equal(rowsOf(run(rows, '1m').columns), rows)
  const daily = [bar('1950-01-03T00:00:00Z', 1)]
  assert.equal(rowsOf(run(daily, '1d', { from: '1d' }).columns), daily)
  assert.throws(
    () => run(daily, '1h', { from: '1d' }),
    (error: unknown) => error instanceof ResampleError && error.code === 'cannot_resample',
  )
  assert.throws(
    () => run([bar('1992-06-01T15:00:00Z', 1)], '1h'),
    (error: unknown) => error instanceof CalendarError && error.code === 'outside_calendar',
  )
  assert.is(run([], '1h').columns.length, 0)
})

const FIRST = Date.UTC(2024, 2, 8)
const price = fc.integer({ min: 1, max: 100_000 }).map((n) => n / 100)
/** Minutes of a few days around a change of clocks, thin and in order, of three symbols. */
const history: fc.Arbitrary<Row[]> = fc
  .array(
    fc.record({
      minute: fc.integer({ min: 0, max: 5 * 1440 }),
      symbol: fc.nat(2),
      prices: fc.tuple(price, price, price, price),
      volume: fc.integer({ min: 0, max: 1e9 }).map((n) => n / 1000),
    }),
    { maxLength: 400 },
  )
  .map((list) => {
    const byKey = new Map<number, Row>()
    for (const { minute, symbol, prices, volume } of list) {
      const [open, close, a, b] = prices
      const high = Math.max(open, close, a, b)
      const low = Math.min(open, close, a, b)
      const time = FIRST + minute * 60_000
      byKey.set(time * 3 + symbol, { time, open, high, low, close, volume, symbol })
    }
    return [...byKey].sort((a, b) => a[0] - b[0]).map(([, row]) => row)
  })

test('a bar is what its source bars say, and every source bar is in one or counted', () => {
  fc.assert(
    fc.property(
      history,
      fc.constantFrom<Timeframe>('5m', '15m', '1h', '1d'),
      fc.constantFrom<'core' | 'all'>('core', 'all'),
      (rows, to, daily) => {
        const made = run(rows, to, { daily })
        const bars = rowsOf(made.columns)
        const total = made.sources.reduce((sum, count) => sum + count, 0)
        assert.is(total + made.outside.count, rows.length)
        const used = new Set<Row>()
        for (const [at, one] of bars.entries()) {
          const of = rows.filter(
            ({ time, symbol }) =>
              symbol === one.symbol &&
              time >= one.time &&
              time + 60_000 <= one.time + TIMEFRAME_MS[to] &&
              inside(time, symbol, one.time, to, daily),
          )
          assert.is(of.length, made.sources[at])
          for (const row of of) used.add(row)
          assert.is(one.open, of[0]!.open)
          assert.is(one.close, of.at(-1)!.close)
          assert.is(one.high, Math.max(...of.map(({ high }) => high)))
          assert.is(one.low, Math.min(...of.map(({ low }) => low)))
          const volume = of.reduce((sum, row) => add(sum, fromNumber(row.volume)), fromNumber(0))
          assert.is(format(fromNumber(one.volume)), format(volume))
          const before = bars[at - 1]
          if (before === undefined) continue
          assert.ok(
            before.time < one.time || (before.time === one.time && before.symbol < one.symbol),
          )
        }
        assert.is(used.size, total)
      },
    ),
    { numRuns: 200 },
  )
})

/** By the definition, without the code under test: the same phase, or the hours of a day. */
function inside(time: number, symbol: number, start: number, to: Timeframe, daily: 'core' | 'all') {
  if (symbol === 1) return true
  const session = NYSE.sessionAt(time)
  if (session === null) return false
  if (to === '1d') {
    return Date.parse(session.date) === start && (daily === 'all' || NYSE.phase(time) === 'core')
  }
  return NYSE.phase(start) === NYSE.phase(time) && NYSE.sessionAt(start) === session
}

test('in one step or in two, the bars are the same', () => {
  fc.assert(
    fc.property(
      history,
      fc.constantFrom<[Timeframe, Timeframe]>(
        ['5m', '15m'],
        ['5m', '1h'],
        ['15m', '1h'],
        ['5m', '1d'],
        ['15m', '1d'],
      ),
      (rows, [middle, to]) => {
        const once = run(rows, to)
        const first = run(rows, middle)
        const twice = resample(first.columns, ['SPY', 'BTC/USD', 'QQQ'], {
          from: middle,
          to,
          calendar,
        })
        assert.equal(rowsOf(twice.columns), rowsOf(once.columns))
        assert.is(twice.straddling.count, 0)
      },
    ),
    { numRuns: 200 },
  )
})

test('a bar is made of nothing that happened after its end: a longer history changes only what is open', () => {
  fc.assert(
    fc.property(
      history,
      fc.constantFrom<Timeframe>('5m', '1h', '1d'),
      fc.nat(400),
      (rows, to, cut) => {
        const whole = rowsOf(run(rows, to).columns)
        const known = rows.slice(0, cut)
        const now = (known.at(-1)?.time ?? 0) + 60_000
        const closed = ({ time }: Row) => time + TIMEFRAME_MS[to] <= now
        // At the cut several symbols may have a bar of the same minute still to come.
        const settled = whole.filter((one) => closed(one) && one.time + TIMEFRAME_MS[to] < now)
        const soon = rowsOf(run(known, to).columns)
        for (const one of settled) {
          assert.equal(
            soon.find(({ time, symbol }) => time === one.time && symbol === one.symbol),
            one,
          )
        }
      },
    ),
    { numRuns: 200 },
  )
})

test('a day of crypto is the UTC day', () => {
  const rows = [0, 719, 1439, 1440].map((minute) => ({
    ...bar('2024-02-03T00:00:00Z', minute + 1),
    time: Date.UTC(2024, 1, 3) + minute * 60_000,
    symbol: 1,
  }))
  const made = run(rows, '1d')
  assert.equal([...made.columns.time], [Date.UTC(2024, 1, 3), Date.UTC(2024, 1, 3) + DAY_MS])
  assert.equal([...made.sources], [3, 1])
  assert.equal([...made.partial], [0, PARTIAL.data])
})

test.run()
