import { createHash } from 'node:crypto'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import * as fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { ChainSettings } from '../../schemas/types.gen.ts'
import type { ChainEvent } from '../chain/processor.ts'
import type { Bar } from '../market/bar.ts'
import { walk } from '../testing/arbitraries.ts'
import { settings, sha256, sharedBars } from '../testing/fixtures.ts'
import { DAY_MS } from '../time.ts'
import { type BacktestInput, type BacktestResult, type BarSource, runBacktest } from './backtest.ts'
import type { ListedOrder } from './listed-orders.ts'

type Row = Partial<Bar> & { close: number; time: number }

/** Bars as given; what is left out is flat at the close, in symbol A, with ample volume. */
function source(rows: Iterable<Row>): BarSource {
  const iterator = rows[Symbol.iterator]()
  return {
    next(bar) {
      const { value, done } = iterator.next()
      if (done) return false
      const { close, time } = value
      Object.assign(bar, {
        symbol: 'A',
        symbolIndex: 0,
        open: close,
        high: close,
        low: close,
        volume: 1e6,
      })
      Object.assign(bar, { end: time + DAY_MS }, value)
      return true
    },
  }
}

function daily(...closes: number[]): Row[] {
  return closes.map((close, n) => ({ close, time: n * DAY_MS }))
}

const CROSS = { name: 'sma_cross', params: { fast: 1, slow: 2, size: '10' } }

function run(
  rows: Iterable<Row>,
  given: ChainSettings = settings({ strategies: [CROSS] }),
  more: Partial<BacktestInput> = {},
): BacktestResult {
  return runBacktest({ settings: given, bars: source(rows), hash: createHash('sha256'), ...more })
}

/** Every event as text, in order, as a listener sees them. */
function trace(rows: Iterable<Row>, given?: ChainSettings, orders?: ListedOrder[]) {
  const events: { type: string; at: number; data: never }[] = []
  const lines: string[] = []
  const listener = {
    event: (event: ChainEvent) => void events.push(JSON.parse(JSON.stringify(event))),
    decision: (line: string) => void lines.push(line),
  }
  const result = run(rows, given, { listener, ...(orders && { orders }) })
  const short = events.map(({ type, at, data }) => {
    const { orderId, price, symbol } = data as { orderId?: number; price?: string; symbol?: string }
    return [at / DAY_MS, type, orderId ?? symbol, price]
      .filter((one) => one !== undefined)
      .join(' ')
  })
  return { result, lines, events, short: short.filter((text) => !/feature|book|engine/.test(text)) }
}

test('a bar comes after the fills it makes, and before the decisions it leads to', () => {
  const { short } = trace(daily(4, 2, 8, 9))
  assert.equal(short, [
    '1 market.bar A',
    '2 market.bar A',
    '3 market.bar A',
    '3 signal.raised A',
    '3 risk.verdict',
    '3 order.intended 1',
    '3 order.accepted 1',
    '4 order.filled 1 9',
    '4 market.bar A',
  ])
})

test('with same-close an order fills at the close that led to it', () => {
  const given = settings({ strategies: [CROSS], exchange: { fill: 'same-close' } })
  const { short } = trace(daily(4, 2, 8, 9), given)
  assert.ok(short.indexOf('3 order.filled 1 8') > short.indexOf('3 order.intended 1'))
  assert.is(run(daily(4, 2, 8, 9), given).equity.end, '10010')
})

test('the same input gives the same digest, and it is the sha256 of the decision lines', () => {
  fc.assert(
    fc.property(walk({ min: 2, max: 120 }), (closes) => {
      const one = trace(daily(...closes))
      const other = trace(daily(...closes))
      assert.equal(other, one)
      assert.is(one.result.digest, sha256(one.lines.join('')))
      assert.is(one.result.decisions, one.lines.length)
      assert.is(run(daily(...closes)).digest, one.result.digest, 'with nobody listening')
    }),
    { numRuns: 40 },
  )
})

test('the digest tells one decision from another', () => {
  const digests = [daily(4, 2, 8, 9), daily(4, 2, 7, 9), daily(4, 2, 2, 9), daily(4, 2, 8)].map(
    (rows) => run(rows).digest,
  )
  // The last bar of the first only fills: no decision differs without it. 7 for 8 changes no decision either.
  assert.is(digests[0], digests[3])
  assert.is(digests[0], digests[1])
  assert.is.not(digests[0], digests[2])
})

test('a listener sees cash and the value of positions once a moment, and they are the equity', () => {
  const points: { time: number; cash: string; positionValue: string; equity: string }[] = []
  const rows = ['A', 'B'].flatMap((symbol, symbolIndex) =>
    [4, 2, 8, 9, 12].map((close, n) => ({ symbol, symbolIndex, close, time: n * DAY_MS })),
  )
  rows.sort((a, b) => a.time - b.time || a.symbolIndex - b.symbolIndex)
  const result = run(rows, undefined, { listener: { equity: (point) => points.push(point) } })
  assert.equal(points, [
    { time: 0, cash: '10000', positionValue: '0', equity: '10000' },
    { time: DAY_MS, cash: '10000', positionValue: '0', equity: '10000' },
    { time: 2 * DAY_MS, cash: '10000', positionValue: '0', equity: '10000' },
    { time: 3 * DAY_MS, cash: '9820', positionValue: '180', equity: '10000' },
    { time: 4 * DAY_MS, cash: '9820', positionValue: '240', equity: '10060' },
  ])
  assert.is(result.bars, 10)
  assert.equal(result.symbols, ['A', 'B'])
  assert.is(result.equity.end, '10060')
})

test('symbols that a source numbers otherwise are told apart by name', () => {
  const rows = (numbers: number[]) =>
    ['A', 'B', 'C']
      .flatMap((symbol, i) =>
        [4, 2, 8, 9, 3, 7].map((close, n) => ({
          symbol,
          symbolIndex: numbers[i]!,
          close: close + i,
          time: n * DAY_MS,
        })),
      )
      .toSorted((a, b) => a.time - b.time || (a.symbol < b.symbol ? -1 : 1))
  const plain = trace(rows([0, 1, 2]))
  for (const numbers of [
    [2, 0, 1],
    [5, 9, 7],
    [1, 2, 0],
  ]) {
    const other = trace(rows(numbers))
    assert.is(other.result.digest, plain.result.digest)
    assert.is(other.result.equity.end, plain.result.equity.end)
  }
})

test('an empty source gives an empty result', () => {
  const result = run([])
  assert.is(result.bars, 0)
  assert.ok(Number.isNaN(result.from) && Number.isNaN(result.to))
  assert.equal(result.symbols, [])
  assert.equal(result.equity, { start: '10000', end: '10000', peak: '10000' })
  assert.is(result.digest, sha256(''))
  assert.is(result.decisions, 0)
  assert.equal(result.orders, {
    submitted: 0,
    filled: 0,
    expired: 0,
    canceled: 0,
    denied: 0,
    rejected: 0,
  })
})

test('one bar is enough', () => {
  const result = run(daily(5))
  assert.is(result.bars, 1)
  assert.is(result.from, 0)
  assert.is(result.to, 0)
})

test('a timer fires between the bars that it lies between, with its own time', () => {
  const given = settings({ strategies: [CROSS], risk: { maxDailyLoss: '0.000001' } })
  const { short, events } = trace(daily(4, 2, 8, 9, 5, 5, 3), given)
  const at = short.findIndex((text) => text.includes('timer.fired'))
  assert.is(short[at]!.split(' ')[0], '5')
  assert.match(short[at - 1]!, /^5 /)
  assert.match(short[at + 1]!, /^5 risk\.state_changed/)
  assert.match(short[at + 2]!, /^6 /)
  for (const [index, event] of events.entries()) {
    if (index > 0) assert.ok(event.at >= events[index - 1]!.at, 'time never runs back')
  }
})

test('participation fills an order over several bars', () => {
  const given = settings({ strategies: [CROSS], exchange: { participation: 0.1 } })
  const rows = daily(4, 2, 8, 9, 10, 11, 12).map((row) => ({ ...row, volume: 40 }))
  const { short, result } = trace(rows, given)
  const fills = short.filter((text) => text.includes('order.filled'))
  assert.equal(fills, ['4 order.filled 1 9', '5 order.filled 1 10', '6 order.filled 1 11'])
  assert.is(result.orders.filled, 1)
  assert.is(result.working, 0)
  // 4 at 9, 4 at 10, 2 at 11, all worth 12.
  assert.is(result.equity.end, String(10_000 + 120 - 36 - 40 - 22))
})

test('orders that never trade stand at the end', () => {
  const given = settings({ strategies: [CROSS], exchange: { participation: 0.1 } })
  const rows = daily(4, 2, 8, 9).map((row) => ({ ...row, volume: 0 }))
  const result = run(rows, given)
  assert.is(result.working, 1)
  assert.is(result.orders.filled, 0)
  assert.is(result.orders.submitted, 1)
})

test('a limit that breaks while an order still trades cancels what is left of it', () => {
  const given = settings({
    strategies: [CROSS],
    risk: { maxDailyLoss: '0.000001' },
    exchange: { participation: 0.1 },
  })
  const rows = daily(4, 2, 8, 9, 5, 5, 5).map((row) => ({ ...row, volume: 40 }))
  const { short, result } = trace(rows, given)
  const at = short.findIndex((text) => text.includes('cancel_requested'))
  assert.equal(
    short.slice(at - 1, at + 2).map((text) => text.split(' ')[1]),
    ['risk.state_changed', 'order.cancel_requested', 'timer.set'],
  )
  assert.is(result.orders.canceled, 1)
  assert.is(result.working, 0)
})

test('a denial is counted, and places nothing', () => {
  const result = run(
    daily(4, 2, 8, 9),
    settings({ strategies: [CROSS], risk: { maxOrderNotional: '1' } }),
  )
  assert.equal(result.orders, {
    submitted: 0,
    filled: 0,
    expired: 0,
    canceled: 0,
    denied: 1,
    rejected: 0,
  })
})

const listed = (id: string, day: number, given: Partial<ListedOrder> = {}): ListedOrder => ({
  id,
  submitTime: day * DAY_MS,
  side: 'buy',
  type: 'market',
  qty: '10',
  ...given,
})

test('listed orders meet the bar after their day, from before the data and after it', () => {
  const orders = [
    listed('before', -9),
    listed('first', 0),
    listed('last', 3),
    listed('after', 400),
    listed('limit', 1, { type: 'limit', price: '1', validUntil: 2 * DAY_MS }),
    listed('bad', 1, { type: 'limit', price: '0' }),
  ]
  const { short, result } = trace(daily(10, 11, 12, 13), settings(), orders)
  assert.equal(
    short.filter((text) => /filled|expired|rejected/.test(text)),
    ['1 order.filled 1 10', '2 order.filled 2 11', '2 order.rejected 6', '3 order.expired 5'],
  )
  assert.equal(result.orders, {
    submitted: 6,
    filled: 2,
    expired: 1,
    canceled: 0,
    denied: 0,
    rejected: 1,
  })
  assert.is(result.working, 2)
  assert.is(result.equity.end, '10050')
})

test('listed orders of several symbols each meet their own bars', () => {
  const rows = ['A', 'B'].flatMap((symbol, symbolIndex) =>
    [10, 20].map((close, n) => ({
      symbol,
      symbolIndex,
      close: close + symbolIndex,
      time: n * DAY_MS,
    })),
  )
  rows.sort((a, b) => a.time - b.time || a.symbolIndex - b.symbolIndex)
  const orders = [listed('b', 0, { symbol: 'B' }), listed('a', 0, { symbol: 'A', side: 'sell' })]
  const { short } = trace(rows, settings(), orders)
  assert.equal(
    short.filter((text) => text.includes('filled')),
    ['2 order.filled 2 20', '2 order.filled 1 21'],
  )
})

test('cash, fees and positions of the result are those of the fills', () => {
  fc.assert(
    fc.property(walk({ min: 30, max: 120 }), fc.constantFrom('10', 'all'), (closes, size) => {
      const reverse = { name: 'sma_cross', params: { fast: 2, slow: 5, mode: 'reverse', size } }
      const given = settings({
        strategies: [reverse],
        exchange: { commission: '0.001', slippageBps: 5 },
      })
      const { events, result } = trace(daily(...closes), given)
      let cash = 10_000
      let fees = 0
      let held = 0
      for (const { type, data } of events) {
        if (type !== 'order.filled') continue
        const fill = data as { side: string; qty: string; price: string; fee: string }
        const signed = (fill.side === 'buy' ? 1 : -1) * Number(fill.qty)
        held += signed
        cash -= signed * Number(fill.price) + Number(fill.fee)
        fees += Number(fill.fee)
      }
      assert.ok(Math.abs(Number(result.fees) - fees) < 1e-6)
      assert.ok(Math.abs(Number(result.equity.end) - cash - held * closes.at(-1)!) < 1e-5)
    }),
    { numRuns: 40 },
  )
})

/** A sawtooth of prices, so long that nothing could keep all of it. */
function* sawtooth(count: number, onBar: (n: number) => void): Iterable<Row> {
  for (let n = 0; n < count; n++) {
    onBar(n)
    yield { close: 100 + (n % 2000) / 100, time: n * DAY_MS }
  }
}

test('memory is flat in the number of bars', () => {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  const used: number[] = []
  const count = 150_000
  run(
    sawtooth(count, (n) => {
      if (n % 50_000 !== 20_000) return
      collect()
      used.push(process.memoryUsage().heapUsed + process.memoryUsage().arrayBuffers)
    }),
  )
  assert.is(used.length, 3)
  // 100,000 bars of one kept object each would be 10 MB; daily returns are kept, at 8 bytes a day.
  const grown = used[2]! - used[0]!
  assert.ok(grown < 4e6, `${grown} bytes more after 100,000 bars`)
})

const goog = sharedBars('daily/GOOG.csv')

if (goog !== null) {
  test('GOOG, reversing with all the cash, is the run that the contract shows', () => {
    const reverse = {
      name: 'sma_cross',
      params: { fast: 10, slow: 30, mode: 'reverse', size: 'all' },
    }
    const result = run(
      goog.map((row) => ({ ...row, symbol: 'GOOG' })),
      settings({ strategies: [reverse] }),
    )
    assert.is(result.bars, 2148)
    assert.is(Number(result.equity.end).toFixed(2), '51959.95')
    assert.is(Number(result.equity.peak).toFixed(2), '75787.44')
    assert.is(result.trades.count, 65)
    assert.is(result.trades.open, 1)
    assert.is(result.returns.total!.toFixed(6), '4.195995')
    assert.is(result.returns.maxDrawdown!.toFixed(8), '-0.47980127')
    assert.is(result.returns.maxDrawdownDays, 584)
  })
} else {
  test.skip('needs shared data: daily/GOOG.csv', () => {})
}

test('with same-close a listed order fills at the close of its own day, the last day included', () => {
  const given = settings({ exchange: { fill: 'same-close' } })
  const orders = [listed('first', 0), listed('middle', 1), listed('last', 3)]
  const { short, result } = trace(daily(10, 11, 12, 13), given, orders)
  assert.equal(
    short.filter((text) => text.includes('filled')),
    ['1 order.filled 1 10', '2 order.filled 2 11', '4 order.filled 3 13'],
  )
  assert.is(result.working, 0)
})

test('with same-close an order dated long after the data does not fill at the last close', () => {
  const given = settings({ exchange: { fill: 'same-close' } })
  const orders = [listed('last', 3), listed('after', 400), listed('next', 5)]
  const { short, events, result } = trace(daily(10, 11, 12, 13), given, orders)
  assert.equal(
    short.filter((text) => text.includes('filled')),
    ['4 order.filled 1 13'],
  )
  assert.equal(result.orders.submitted, 3)
  assert.is(result.orders.filled, 1)
  assert.is(result.working, 2)
  const intents = events.filter(({ type }) => type === 'order.intended')
  assert.equal(
    intents.map(({ at }) => at / DAY_MS),
    [4, 5, 400],
  )
})

test.run()
