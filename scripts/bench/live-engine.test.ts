import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { timesOf } from './live-engine.ts'
import { bar, barsCsv, STILL, SYMBOLS } from './live-inputs.mjs'

test('a percentile is the smallest time that so many of the samples do not exceed', () => {
  const samples = Array.from({ length: 2000 }, (_, i) => 2000 - i)
  assert.equal(timesOf(samples), { samples: 2000, p50: 1000, p99: 1980, p999: 1998, max: 2000 })
  assert.equal(timesOf([0.00149]), { samples: 1, p50: 0.001, p99: 0.001, p999: 0.001, max: 0.001 })
})

test('figures without a sample are not numbers, rather than zero', () => {
  assert.ok(Number.isNaN(timesOf([]).p99))
})

test('the bars of a later minute go on where those of the earlier ones end', () => {
  assert.equal(bar(SYMBOLS.length + 7), bar(7, 1))
  const [header, ...rows] = barsCsv(SYMBOLS.length, 3).trimEnd().split('\n')
  assert.is(header, 'timestamp,open,high,low,close,volume,symbol')
  assert.is(new Set(rows.map((row) => row.split(',').at(-1))).size, SYMBOLS.length)
  assert.ok(rows.every((row) => row.startsWith('2000-01-01T00:03:00Z,')))
})

test('bars are possible ones, and only the still symbols stand still', () => {
  for (let n = 0; n < 3 * SYMBOLS.length; n++) {
    const { symbol, open, high, low, close } = bar(n)
    assert.ok(Number(low) < Math.min(Number(open), Number(close)))
    assert.ok(Number(high) > Math.max(Number(open), Number(close)))
    assert.is(open === close, STILL.includes(symbol))
  }
})

test.run()
