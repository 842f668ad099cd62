import fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { MarketBar } from '../../schemas/types.gen.ts'
import { DAY_MS, parseTime } from '../../engine/time.ts'
import { contentHash, Identities } from './identity.ts'
import { barBody } from './writer-fixture.ts'

/** Bars of few feeds, symbols and days, so that they meet often. */
const days = fc.integer({ min: 0, max: 40 })
const bars: fc.Arbitrary<MarketBar> = fc
  .record({
    feed: fc.constantFrom('f', 'g'),
    symbol: fc.constantFrom('A', 'B'),
    timeframe: fc.constantFrom('1d' as const, '1h' as const),
    day: days,
    close: fc.integer({ min: 1, max: 3 }).map(String),
  })
  .map(({ day, close, ...given }) => barBody(day, { ...given, close }))

/** The same in the plainest way: the newest content of each time, and how often it changed. */
class NaiveIdentities {
  private readonly seen = new Set<string>()
  private readonly known = new Map<string, { content: string; revision: number }>()
  private key = (bar: MarketBar) => [bar.feed, bar.symbol, bar.timeframe, bar.time].join()
  private content = (bar: MarketBar) =>
    [bar.open, bar.high, bar.low, bar.close, bar.volume].join('|')

  barRevision(bar: MarketBar): number | null {
    const known = this.known.get(this.key(bar))
    if (known === undefined) return 0
    return known.content === this.content(bar) ? null : known.revision + 1
  }

  /** A content that was corrected since. */
  superseded(bar: MarketBar): boolean {
    return this.seen.has(`${this.key(bar)} ${this.content(bar)}`) && this.barRevision(bar) !== null
  }

  addBar(bar: MarketBar): void {
    this.seen.add(`${this.key(bar)} ${this.content(bar)}`)
    this.known.set(this.key(bar), { content: this.content(bar), revision: bar.revision })
  }

  lastBar(feed: string, symbol: string, timeframe: string): number {
    let last = Number.NaN
    for (const key of this.known.keys()) {
      const [f, s, t, time] = key.split(',')
      if (f !== feed || s !== symbol || t !== timeframe) continue
      last = Number.isNaN(last) ? parseTime(time!) : Math.max(last, parseTime(time!))
    }
    return last
  }
}

test('bars in any order are told apart as a plain map tells them apart', () => {
  fc.assert(
    fc.property(fc.array(bars, { maxLength: 200 }), (list) => {
      const identities = new Identities()
      const naive = new NaiveIdentities()
      for (const bar of list) {
        if (naive.superseded(bar)) continue
        const revision = naive.barRevision(bar)
        assert.is(identities.barRevision(bar), revision)
        if (revision !== null) {
          identities.addBar({ ...bar, revision })
          naive.addBar({ ...bar, revision })
        }
      }
      for (const feed of ['f', 'g']) {
        for (const symbol of ['A', 'B', 'C']) {
          assert.equal(identities.lastBar(feed, symbol, '1d'), naive.lastBar(feed, symbol, '1d'))
        }
      }
    }),
    { numRuns: 150 },
  )
})

test('thousands of bars, the later half between the earlier ones, are all remembered', () => {
  const identities = new Identities()
  const even = Array.from({ length: 2500 }, (_, n) => barBody(2 * n))
  const odd = Array.from({ length: 2500 }, (_, n) => barBody(2 * n + 1)).reverse()
  for (const bar of [...even, ...odd]) {
    assert.is(identities.barRevision(bar), 0)
    identities.addBar(bar)
  }
  for (const bar of [...even, ...odd]) assert.is(identities.barRevision(bar), null)
  assert.is(identities.barRevision(barBody(5000)), 0)
  assert.is(identities.lastBar('test', 'A', '1d'), parseTime(barBody(4999).time))
})

test('every field of the content counts, and the revision a feed claims does not', () => {
  const identities = new Identities()
  const bar = barBody(0)
  identities.addBar(bar)
  for (const name of ['open', 'high', 'low', 'close', 'volume'] as const) {
    assert.is(identities.barRevision({ ...bar, [name]: '101' }), 1, name)
  }
  assert.is(identities.barRevision({ ...bar, volume: null }), 1)
  assert.is(identities.barRevision({ ...bar, revision: 7 }), null)
})

test('before the first bar of a feed there is no newest', () => {
  assert.ok(Number.isNaN(new Identities().lastBar('test', 'A', '1d')))
})

test('a signal is remembered for seven days after it was stored, and forgotten by what comes later', () => {
  const identities = new Identities()
  identities.addSignal('ana', 's1', 0)
  identities.addSignal('ana', 's2', 7 * DAY_MS)
  assert.ok(identities.hasSignal('ana', 's1'))
  identities.addSignal('ana', 's3', 7 * DAY_MS + 1)
  assert.not.ok(identities.hasSignal('ana', 's1'))
  assert.ok(identities.hasSignal('ana', 's2'))
  assert.ok(identities.hasSignal('ana', 's3'))
})

test('a signal belongs to its operator', () => {
  const identities = new Identities()
  identities.addSignal('ana', 's1', 0)
  assert.not.ok(identities.hasSignal('bob', 's1'))
  assert.not.ok(identities.hasSignal('ana', 's'))
})

test('signals of an account that lives for months do not gather', () => {
  const identities = new Identities()
  for (let day = 0; day < 100; day++) identities.addSignal('ana', `s${day}`, day * DAY_MS)
  const kept = Array.from({ length: 100 }, (_, day) => identities.hasSignal('ana', `s${day}`))
  assert.is(kept.filter(Boolean).length, 8)
})

test('other keys are kept as they are', () => {
  const identities = new Identities()
  assert.not.ok(identities.has('control:c1'))
  identities.add('control:c1')
  assert.ok(identities.has('control:c1'))
  assert.not.ok(identities.has('control:c2'))
})

test('the hash of a content is a safe integer, and different for different prices', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      assert.ok(Number.isSafeInteger(contentHash(text)) && contentHash(text) >= 0)
    }),
  )
  const hashes = new Set<number>()
  for (let price = 0; price < 100_000; price++) hashes.add(contentHash(`${price / 100}|1|2|3|4`))
  assert.is(hashes.size, 100_000)
})

test.run()
