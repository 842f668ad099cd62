import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Bar } from '../market/bar.ts'
import { DAY_MS } from '../time.ts'
import { type Columns, columnSource } from './column-source.ts'

const COLUMNS: Columns = {
  length: 4,
  time: Float64Array.of(0, 0, DAY_MS, 2 * DAY_MS),
  open: Float64Array.of(1, 2, 3, 4),
  high: Float64Array.of(5, 6, 7, 8),
  low: Float64Array.of(9, 10, 11, 12),
  close: Float64Array.of(13, 14, 15, 16),
  volume: Float64Array.of(17, Number.NaN, 0, 20),
  symbol: Uint16Array.of(0, 1, 1, 0),
}

function all(...range: number[]): Bar[] {
  const source = columnSource(COLUMNS, ['A', 'B'], DAY_MS, ...range)
  const bar = {} as Bar
  const bars: Bar[] = []
  while (source.next(bar)) bars.push({ ...bar })
  assert.is(source.next(bar), false, 'the end is the end')
  return bars
}

test('rows come in order, each with all its fields', () => {
  const bars = all()
  assert.is(bars.length, 4)
  assert.equal(bars[0], {
    symbol: 'A',
    symbolIndex: 0,
    time: 0,
    end: DAY_MS,
    open: 1,
    high: 5,
    low: 9,
    close: 13,
    volume: 17,
  })
  assert.equal(bars[1], {
    symbol: 'B',
    symbolIndex: 1,
    time: 0,
    end: DAY_MS,
    open: 2,
    high: 6,
    low: 10,
    close: 14,
    volume: Number.NaN,
  })
  assert.equal(
    bars.map(({ symbol }) => symbol),
    ['A', 'B', 'B', 'A'],
  )
})

test('a range of rows is replayed, the last one exclusive', () => {
  assert.equal(
    all(1, 3).map(({ close }) => close),
    [14, 15],
  )
  assert.equal(all(4), [])
  assert.equal(all(0, 0), [])
  assert.equal(
    all(3).map(({ end }) => end),
    [3 * DAY_MS],
  )
})

test('the object given is filled, no other is made', () => {
  const source = columnSource(COLUMNS, ['A', 'B'], DAY_MS)
  const bar = { symbolIndex: 9 } as Bar
  source.next(bar)
  assert.is(bar.symbolIndex, 0)
  source.next(bar)
  assert.is(bar.symbol, 'B')
})

test.run()
