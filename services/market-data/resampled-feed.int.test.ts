import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { type BarSource, runBacktest } from '../../engine/backtest/backtest.ts'
import { columnSource } from '../../engine/backtest/column-source.ts'
import { TIMEFRAME_MS, type Timeframe } from '../../engine/market/bar.ts'
import { barFromWire } from '../../engine/market/bar-wire.ts'
import type { Bus } from '../../engine/ports/bus.ts'
import type { MarketBar } from '../../schemas/types.gen.ts'
import { createLog } from '../runtime/log.ts'
import { Identities } from '../writer/identity.ts'
import { type BarSet, loadBars } from './bar-set.ts'
import { startFileFeed } from './file-feed.ts'

const text = readFileSync(join(import.meta.dirname, 'testing/MINUTE.csv'), 'utf8')

let folder = ''
test.before.each(() => {
  folder = mkdtempSync(join(tmpdir(), 'resampled-feed-'))
})
test.after.each(() => rmSync(folder, { recursive: true, force: true }))

function file(content: string): string {
  const path = join(folder, 'ABC.csv')
  writeFileSync(path, content)
  return path
}

/** What the feed puts on the bus. */
async function published(bars: BarSet): Promise<MarketBar[]> {
  const sent: MarketBar[] = []
  const bus = {
    publish: async (subject: string, body: string) => {
      const bar = JSON.parse(body) as MarketBar
      assert.is(subject, `md.bar.${bar.timeframe}.ABC`)
      sent.push(bar)
      return { stream: 'MARKET', sequence: sent.length, duplicate: false }
    },
  } as unknown as Bus
  const feed = startFileFeed({
    bars,
    feed: 'file:ABC.csv',
    bus,
    broker: null,
    speed: 'max',
    lastBar: () => Number.NaN,
    settled: async () => {},
    log: createLog({ level: 'debug', name: 'test', destination: { write: () => {} } }),
  })
  await feed.done
  return sent
}

function wireSource(bars: readonly MarketBar[]): BarSource {
  let row = 0
  return {
    next(into) {
      const bar = bars[row++]
      if (bar === undefined) return false
      Object.assign(into, barFromWire(bar))
      return true
    },
  }
}

function digest(bars: BarSource, timeframe: Timeframe): { digest: string; decisions: number } {
  const params = { fast: 2, slow: 4, mode: 'reverse', size: '500' }
  const result = runBacktest({
    settings: {
      feed: 'historical',
      timeframe,
      symbols: [],
      strategies: [{ name: 'sma_cross', params }],
      risk: null,
      exchange: {
        cash: '100000',
        fill: 'next-open',
        limitFill: 'through',
        participation: 0.001,
        slippageBps: 1,
        commission: '0.001',
        feePerShare: '0',
        feeMin: '0',
      },
    },
    bars,
    hash: createHash('sha256'),
  })
  return { digest: result.digest, decisions: result.decisions }
}

test('what the feed publishes leads to the decisions of a backtest over the same file', async () => {
  for (const timeframe of ['5m', '15m', '1h'] as const) {
    // Fractions, so that a volume summed otherwise would show.
    const path = file(text.replace(/,(\d+)$/gm, ',$1.123456789'))
    const bars = await loadBars([path], { timeframe })
    const sent = await published(bars)
    assert.is(sent.length, bars.columns.length)
    assert.ok(sent.every((bar) => bar.timeframe === timeframe))
    const live = digest(wireSource(sent), timeframe)
    const source = columnSource(bars.columns, bars.symbols, TIMEFRAME_MS[timeframe])
    assert.equal(live, digest(source, timeframe))
    if (timeframe === '5m') assert.ok(live.decisions > 10)
  }
})

test('a corrected or late minute makes a revision of the bar that holds it, and of no other', async () => {
  const lines = text.trim().split('\n')
  const late = lines[1 + 7]!
  const first = [...lines.slice(0, 1 + 7), ...lines.slice(1 + 8)]
  const book = new Identities()
  for (const bar of await published(
    await loadBars([file(first.join('\n'))], { timeframe: '5m' }),
  )) {
    assert.is(book.barRevision(bar), 0)
    book.addBar(bar)
  }
  const revised = async (rows: readonly string[]): Promise<[string, number][]> => {
    const found: [string, number][] = []
    for (const bar of await published(
      await loadBars([file(rows.join('\n'))], { timeframe: '5m' }),
    )) {
      const revision = book.barRevision(bar)
      if (revision === null) continue
      book.addBar({ ...bar, revision })
      found.push([bar.time, revision])
    }
    return found
  }
  assert.equal(await revised(first), [], 'the same bars again are no news')
  assert.match(late, '2024-01-31T14:37:00Z')
  assert.equal(await revised(lines), [['2024-01-31T14:35:00Z', 1]])
  const corrected = lines.map((line) =>
    line.startsWith('2024-01-31T15:01') ? line.replace(/\d+$/, '7') : line,
  )
  assert.equal(await revised(corrected), [['2024-01-31T15:00:00Z', 1]])
  assert.equal(await revised(lines), [], 'what was once said is no news either')
  // A minute more: the bar that was cut short where the data ended is revised, the next one is new.
  const cut = new Identities()
  for (const bar of await published(
    await loadBars([file(lines.slice(0, 1 + 13).join('\n'))], { timeframe: '5m' }),
  )) {
    cut.addBar(bar)
  }
  const grown = await published(
    await loadBars([file(lines.slice(0, 1 + 16).join('\n'))], { timeframe: '5m' }),
  )
  assert.equal(
    grown.map((bar) => cut.barRevision(bar)),
    [null, null, 1, 0],
  )
})

test.run()
