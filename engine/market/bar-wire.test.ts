import * as fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { DAY_MS } from '../time.ts'
import { TIMEFRAME_MS, type Timeframe } from './bar.ts'
import { barFromWire, barToWire } from './bar-wire.ts'

const cents = fc.integer({ min: 1, max: 10_000_000 }).map((n) => n / 10_000)

test('a bar goes onto the wire and comes back', () => {
  fc.assert(
    fc.property(
      cents,
      cents,
      cents,
      cents,
      fc.oneof(fc.nat(1e10), fc.constant(Number.NaN)),
      fc.integer({ min: -40_000_000, max: 40_000_000 }),
      fc.constantFrom<Timeframe>('1m', '5m', '15m', '1h', '1d'),
      (open, high, low, close, volume, minute, timeframe) => {
        const bar = { symbol: 'A', time: minute * 60_000, open, high, low, close, volume }
        const wire = barToWire(bar, 'f', timeframe)
        const end = bar.time + TIMEFRAME_MS[timeframe]
        assert.equal(barFromWire(JSON.parse(JSON.stringify(wire))), { ...bar, symbolIndex: 0, end })
        // What is on the wire stays as it is however often it is read.
        assert.equal(barToWire(barFromWire(wire), 'f', timeframe), wire)
      },
    ),
  )
})

test('decimals are strings, an unknown volume is null, a first version has revision 0', () => {
  const bar = {
    symbol: 'A',
    time: DAY_MS,
    open: 1.5,
    high: 2,
    low: 0.1 + 0.2,
    close: 1,
    volume: Number.NaN,
  }
  assert.equal(barToWire(bar, 'file', '1d'), {
    feed: 'file',
    symbol: 'A',
    timeframe: '1d',
    time: '1970-01-02T00:00:00Z',
    open: '1.5',
    high: '2',
    low: '0.3',
    close: '1',
    volume: null,
    revision: 0,
  })
  assert.is(barToWire({ ...bar, volume: 0 }, 'file', '1d', 3).volume, '0')
  assert.is(barToWire(bar, 'file', '1d', 3).revision, 3)
})

test.run()
