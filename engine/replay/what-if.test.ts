import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { ChainSettings, RiskVerdict } from '../../schemas/types.gen.ts'
import { type BarSource, runBacktest } from '../backtest/backtest.ts'
import { format } from '../decimal.ts'
import { decodeBody, type RecordedEvent } from '../events/envelope.ts'
import { barFromWire } from '../market/bar-wire.ts'
import type { StoredEvent } from '../ports/event-store.ts'
import { history, play, walk } from '../testing/arbitraries.ts'
import {
  bar,
  CODE_HASH,
  control,
  dayEnd,
  type Input,
  settings,
  signal,
  started,
} from '../testing/fixtures.ts'
import { RecordedBook, verify } from '../testing/given.ts'
import { SimulatedBook } from '../testing/simulated-book.ts'
import { WhatIf, type WhatIfOptions, type WhatIfResult } from './what-if.ts'

const same = (given: ChainSettings): ChainSettings => given

function whatIf(
  events: readonly RecordedEvent[],
  options: Partial<WhatIfOptions> = {},
): WhatIfResult {
  const run = new WhatIf({
    change: same,
    codeHash: CODE_HASH,
    runningHash: () => createHash('sha256'),
    ...options,
  })
  for (const event of events) run.feed(event)
  return run.finish()
}

function nothingDiffers(result: WhatIfResult, digest: string): void {
  assert.is(result.divergence, null)
  assert.is(result.simulated, null)
  assert.equal(result.differences, [])
  const { changed, onlyRecorded, onlyNow } = result.decisions
  assert.equal([changed, onlyRecorded, onlyNow], [0, 0, 0])
  assert.is(result.digest.recorded, digest)
  assert.is(result.digest.now, digest)
  assert.equal(result.now, result.recorded)
}

test('without a change nothing differs, and the digest is that of verify, on any history', () => {
  let decisions = 0
  fc.assert(
    fc.property(history, fc.double({ min: 0, max: 1, noNaN: true }), (made, part) => {
      const book = new RecordedBook()
      play(made, book.chain.table, (input) => book.take(input))
      const events = book.stored.map(decodeBody)
      const { digest } = verify(book.stored)
      const result = whatIf(events)
      nothingDiffers(result, digest)
      decisions += result.decisions.same
      assert.is(result.now.equity, format(book.chain.table.portfolio.equity))
      assert.is(result.position, events.length - 1)
      // What only happens up to a position, and is decided again from there, is the same too.
      nothingDiffers(whatIf(events, { from: Math.floor(part * events.length) }), digest)
    }),
    { numRuns: 150 },
  )
  assert.ok(decisions > 1000, `${decisions} decisions`)
})

const golden = (name: string): StoredEvent[] =>
  readFileSync(fileURLToPath(new URL(`./histories/${name}.ndjson`, import.meta.url)), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as StoredEvent)

test('the golden history differs in nothing; one altered digit of one order is the only difference', () => {
  const stored = golden('cross-and-operator')
  nothingDiffers(whatIf(stored.map(decodeBody)), verify(stored).digest)

  const altered = whatIf(golden('cross-and-operator.altered').map(decodeBody))
  const { divergence } = altered
  assert.is(divergence?.recorded?.type, 'order.intended')
  const qty = (one: { data: unknown } | null | undefined) => (one?.data as { qty: string }).qty
  assert.is(qty(divergence?.recorded), '26')
  assert.is(qty(divergence?.now), '25')
  for (const one of [divergence!.recorded!, divergence!.now!]) {
    assert.equal(
      one.causes.map(({ type }) => type),
      ['risk.verdict', 'signal.received'],
    )
  }
  assert.is(altered.differences[0]?.kind, 'changed')
})

const cross = (fast: number, slow: number): ChainSettings['strategies'] => [
  { name: 'sma_cross', params: { fast, slow, mode: 'reverse', size: '20' } },
]
const crossing = (strategies: ChainSettings['strategies'], fill: 'next-open' | 'same-close') =>
  settings({
    strategies,
    risk: { maxDailyLoss: '0.2', maxOrderNotional: '2000' },
    exchange: {
      cash: '100000',
      fill,
      commission: '0.001',
      slippageBps: 3,
      participation: 0.000012,
    },
  })

function barsOf(closes: readonly number[]): Input[] {
  return closes.flatMap((close, day) => {
    const shape = { open: close - 0.3, high: close + 0.8, low: Math.max(0.1, close - 0.8) }
    return [
      bar('A', day, close, shape),
      ...(day % 4 === 1 ? [] : [bar('B', day, Math.round(close * 150) / 100)]),
    ]
  })
}

function source(inputs: readonly Input[]): BarSource {
  let next = 0
  return {
    next(into) {
      const input = inputs[next++]
      if (input === undefined) return false
      assert.is(input.type, 'market.bar')
      Object.assign(into, barFromWire((input as Extract<Input, { type: 'market.bar' }>).data))
      into.symbolIndex = input.data && 'symbol' in input.data && input.data.symbol === 'B' ? 1 : 0
      return true
    },
  }
}

const lengths = fc.tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 5, max: 8 }))

test('other parameters decide, fill and earn what a backtest with them does', () => {
  let diverged = 0
  let fills = 0
  let simulated = 0
  fc.assert(
    fc.property(
      walk({ min: 15, max: 60 }),
      lengths,
      lengths,
      fc.constantFrom('next-open' as const, 'same-close' as const),
      (closes, was, is, fill) => {
        const inputs = barsOf(closes)
        const book = new SimulatedBook(crossing(cross(...was), fill))
        for (const input of inputs) book.take(input)
        const result = whatIf(book.events, {
          change: (given) => ({ ...given, strategies: cross(...is) }),
        })
        const expected = runBacktest({
          settings: crossing(cross(...is), fill),
          bars: source(inputs),
          hash: createHash('sha256'),
        })
        assert.is(result.digest.now, expected.digest)
        assert.is(result.now.equity, expected.equity.end)
        assert.is(result.now.orders.submitted, expected.orders.submitted)
        assert.is(result.now.orders.working, expected.working)
        assert.is(result.now.denied, expected.orders.denied)
        assert.is(result.now.trades, expected.trades.count)
        // The other way round, the recorded side is a backtest as well.
        const recorded = runBacktest({
          settings: crossing(cross(...was), fill),
          bars: source(inputs),
          hash: createHash('sha256'),
        })
        assert.is(result.digest.recorded, recorded.digest)
        assert.is(result.recorded.equity, recorded.equity.end)
        if (result.divergence !== null) diverged++
        fills += result.simulated?.fills ?? 0
        simulated += result.differences.filter((one) => one.simulated).length
      },
    ),
    { numRuns: 150 },
  )
  assert.ok(diverged > 50 && fills > 200, `${diverged} diverged, ${fills} fills`)
  assert.ok(simulated > 100, `${simulated} differences rest on simulated fills`)
})

test('a lower limit denies the first order above it, and nothing before that differs', () => {
  let denied = 0
  fc.assert(
    fc.property(
      walk({ min: 15, max: 50 }),
      fc.integer({ min: 700, max: 1400 }),
      (closes, limit) => {
        const book = new SimulatedBook(crossing(cross(2, 5), 'next-open'))
        for (const input of barsOf(closes)) book.take(input)
        const { events } = book
        const result = whatIf(events, {
          change: (given) => ({ ...given, risk: { ...given.risk, maxOrderNotional: `${limit}` } }),
        })
        // An order that opens and is worth more than the limit, as its verdict noted.
        const above = events.find(({ type, data }) => {
          if (type !== 'risk.verdict') return false
          const { verdict, checks } = data as RiskVerdict
          const check = checks.find(({ rule }) => rule === 'max_order_notional')
          return verdict === 'approved' && check !== undefined && Number(check.observed) > limit
        })
        assert.is(result.divergence?.recorded?.position ?? null, above?.position ?? null)
        if (above === undefined) {
          // The digest tells more: what the verdicts were held against.
          assert.equal(result.differences, [])
          assert.equal(result.now, result.recorded)
          return
        }
        denied++
        const now = result.divergence!.now!.data as RiskVerdict
        assert.is(now.code, 'max_order_notional')
        assert.is(now.limit, `${limit}`)
        const [first, second] = result.differences
        assert.equal([first?.kind, first?.type], ['changed', 'risk.verdict'])
        assert.equal([second?.kind, second?.type], ['only_recorded', 'order.intended'])
        const last = result.divergence!.now!.causes.at(-1)!
        assert.equal([last.type, last.position], ['market.bar', result.divergence!.position])
      },
    ),
    { numRuns: 100 },
  )
  assert.ok(denied > 20, `${denied} denied`)
})

const buy = (day: number, id: string, qty: string, more: object = {}) =>
  signal(day, { signalId: id, qty, ...more })

/** An operator buys, protects, halts and resumes. */
function operated(): SimulatedBook {
  const book = new SimulatedBook(settings({ risk: { maxOrderNotional: '5000' } }))
  const closes = [50, 51, 52, 53, 54, 52, 50, 49, 48, 50]
  for (const [day, close] of closes.entries()) {
    book.take(bar('A', day, close, { high: close + 1, low: close - 1 }))
    if (day === 0) book.take(buy(0, 'small', '20'))
    if (day === 1) book.take(buy(1, 'large', '60', { takeProfit: '54.50', stopLoss: '48.50' }))
    if (day === 3) book.take(buy(3, 'rest', '10', { orderType: 'limit', limitPrice: '40.00' }))
    if (day === 6) book.take(control(6, 'halt', 'h1'))
    if (day === 7) book.take(control(7, 'resume', 'r1'))
    if (day === 8) book.take(signal(8, { signalId: 'out', side: 'close' }))
  }
  return book
}

test('operators go on as recorded; what one of their orders would have been is simulated', () => {
  const { events } = operated()
  const result = whatIf(events, {
    change: (given) => ({ ...given, risk: { maxOrderNotional: '2000' } }),
  })
  const denied = result.divergence!.now!.data as RiskVerdict
  assert.equal([denied.signalId, denied.code], ['large', 'max_order_notional'])
  const { signalId } = result.divergence!.recorded!.data as RiskVerdict
  assert.is(signalId, 'large')
  assert.ok(result.simulated!.leftOut > 0)
  // Up to there the recorded fills count; later ones are simulated.
  assert.is(result.now.fills, 2)
  assert.is(result.simulated!.fills, 1)
  assert.equal(result.now.positions, [])
  assert.is(result.now.denied, 1)
  // The resting limit order is cancelled by the halt on both sides.
  assert.is(result.now.orders.canceled, 1)
  assert.ok(result.recorded.orders.canceled >= 2)
  // The order and its two legs; what the operator wants later comes to the same.
  assert.equal(
    result.differences.map(({ kind, type, simulated }) => [kind, type, simulated]),
    [
      ['changed', 'risk.verdict', false],
      ...Array.from({ length: 3 }, () => ['only_recorded', 'order.intended', false]),
    ],
  )
})

test('up to --from everything only happens; up to --to the rest is left away', () => {
  const { events } = operated()
  const risk = (given: ChainSettings) => ({ ...given, risk: { maxOrderNotional: '100' } })
  const received = events.filter(({ type }) => type === 'signal.received')
  const at = (id: string) =>
    received.find(({ data }) => (data as { signalId: string }).signalId === id)!.position
  const all = whatIf(events, { change: risk })
  assert.is(all.divergence?.position, at('small'))
  const later = whatIf(events, { change: risk, from: at('small') + 1 })
  assert.is(later.divergence?.position, at('large'))
  assert.is(later.now.positions.length, 0)
  assert.ok(later.now.fills >= 1)
  const before = whatIf(events, { change: risk, to: at('small') - 1 })
  assert.is(before.divergence, null)
  assert.is(before.position, at('small') - 1)
  // Without an order nothing differs after the last of them.
  const end = whatIf(events, { change: risk, from: at('out') + 1 })
  assert.is(end.divergence, null)
  assert.is(end.digest.now, end.digest.recorded)
})

test('every start of the book is changed, and other code is told', () => {
  const book = operated()
  book.take(started(settings({ risk: null }), dayEnd(9), 'd'.repeat(64)))
  book.take(bar('A', 10, 50))
  book.take(buy(10, 'huge', '90'))
  const result = whatIf(book.events, {
    change: (given) => ({ ...given, risk: { maxOrderNotional: '4000' } }),
  })
  assert.is(result.otherCode, true)
  assert.is(result.settings.recorded?.risk, null)
  assert.equal(result.settings.now?.risk, { maxOrderNotional: '4000' })
  const { signalId } = result.divergence!.now!.data as RiskVerdict
  assert.is(signalId, 'huge')
  assert.is(whatIf(operated().events).otherCode, false)
})

test('differences beyond those kept are counted', () => {
  const { events } = operated()
  const change = (given: ChainSettings) => ({ ...given, risk: { maxOrderNotional: '100' } })
  const whole = whatIf(events, { change })
  const short = whatIf(events, { change, keep: 2 })
  assert.is(short.differences.length, 2)
  assert.is(short.unlisted, whole.differences.length - 2)
  assert.equal(short.decisions, whole.decisions)
})

test('an empty book has nothing to decide', () => {
  const result = whatIf([])
  assert.is(result.position, -1)
  assert.is(result.inputs, 0)
  assert.is(result.now.equity, '0')
})

test.run()
