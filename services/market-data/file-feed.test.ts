import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Bus, PublishOptions } from '../../engine/ports/bus.ts'
import { DAY_MS } from '../../engine/time.ts'
import type { MarketBar } from '../../schemas/types.gen.ts'
import { validateEvent } from '../../schemas/validate.ts'
import { createLog } from '../runtime/log.ts'
import { allocateBars, type BarColumns } from './bar-columns.ts'
import { type FileFeedOptions, startFileFeed } from './file-feed.ts'

const FIRST = Date.UTC(2013, 4, 13)

/** Daily bars of each symbol on each day, in the order of time. */
function daily(days: number, symbols: readonly string[]): BarColumns {
  const columns = allocateBars(days * symbols.length)
  for (let row = 0; row < columns.length; row++) {
    columns.time[row] = FIRST + Math.floor(row / symbols.length) * DAY_MS
    columns.symbol[row] = row % symbols.length
    for (const name of ['open', 'high', 'low', 'close'] as const) columns[name][row] = 100 + row
    columns.volume[row] = row === 0 ? Number.NaN : 1000
  }
  return columns
}

interface Sent {
  subject: string
  bar: MarketBar
  options: PublishOptions
  at: number
}

class FeedBus implements Pick<Bus, 'publish'> {
  readonly sent: Sent[] = []
  readonly faults: (Error | undefined)[] = []
  attempts = 0

  async publish(subject: string, payload: Uint8Array | string, options: PublishOptions = {}) {
    this.attempts++
    const fault = this.faults.shift()
    if (fault !== undefined) throw fault
    const bar = JSON.parse(String(payload)) as MarketBar
    this.sent.push({ subject, bar, options, at: performance.now() })
    return { stream: 'MARKET', sequence: this.sent.length, duplicate: false }
  }

  get closes(): number[] {
    return this.sent.map(({ bar }) => Number(bar.close))
  }
}

function options(given: Partial<Omit<FileFeedOptions, 'bus'>> & { bus: FeedBus }, days = 5) {
  const symbols = ['A']
  const lines: string[] = []
  const destination = { write: (text: string) => lines.push(text) }
  const full: FileFeedOptions = {
    bars: { columns: daily(days, symbols), symbols, timeframe: '1d' },
    feed: 'file',
    broker: null,
    speed: 'max',
    lastBar: () => Number.NaN,
    settled: async () => {},
    log: createLog({ level: 'debug', name: 'test', destination }),
    ...given,
    bus: given.bus as unknown as Bus,
  }
  return { full, lines }
}

test('every bar is published once, in order, in the form of its schema', async () => {
  const bus = new FeedBus()
  const { full, lines } = options({ bus })
  const feed = startFileFeed(full)
  await feed.done
  assert.equal(bus.closes, [100, 101, 102, 103, 104])
  for (const { subject, bar, options: given } of bus.sent) {
    assert.ok(validateEvent('market.bar', 1, bar).ok)
    assert.is(subject, 'md.bar.1d.A')
    assert.is(given.id, `file|A|1d|${bar.time}`)
    assert.equal(given.headers, { 'bitacora-reports': '0' })
  }
  assert.is(bus.sent[0]?.bar.volume, null)
  assert.equal(feed.progress(), { done: 5, of: 5, ended: true, last: '2013-05-17T00:00:00Z' })
  assert.match(lines.join(''), 'the data has ended')
  await feed.stop()
})

test('a symbol that is no subject token is published on one that is', async () => {
  const bus = new FeedBus()
  const symbols = ['BRK.B', 'BTC/USD']
  const bars = { columns: daily(1, symbols), symbols, timeframe: '1d' as const }
  await startFileFeed(options({ bus, bars }).full).done
  assert.equal(
    bus.sent.map(({ subject, bar }) => `${subject} ${bar.symbol}`),
    ['md.bar.1d.BRK_B BRK.B', 'md.bar.1d.BTC_USD BTC/USD'],
  )
})

test('it resumes at the first bar that the book does not hold', async () => {
  const bus = new FeedBus()
  const feed = startFileFeed(options({ bus, lastBar: () => FIRST + 2 * DAY_MS }).full)
  assert.is(feed.progress().done, 3)
  await feed.done
  assert.equal(bus.closes, [103, 104])
})

test('with several symbols it resumes at the first that lacks a bar', async () => {
  const bus = new FeedBus()
  const symbols = ['A', 'B', 'C']
  const bars = { columns: daily(2, symbols), symbols, timeframe: '1d' as const }
  // A has both days, B and C the first only: the engine was killed after A's second bar.
  const lastBar = (symbol: string) => (symbol === 'A' ? FIRST + DAY_MS : FIRST)
  await startFileFeed(options({ bus, bars, lastBar }).full).done
  assert.equal(
    bus.sent.map(({ bar }) => `${bar.symbol} ${bar.time.slice(0, 10)}`),
    ['B 2013-05-14', 'C 2013-05-14'],
  )
})

test('rewound while it waits for a bar that got lost, it publishes from the first that is missing', async () => {
  const bus = new FeedBus()
  let held = Number.NaN
  let lost = true
  // The third bar never reaches the book the first time.
  const settled = (bar: MarketBar | null): Promise<void> => {
    if (bar === null) return Promise.resolve()
    if (bar.close === '102' && lost) return new Promise(() => {})
    held = Date.parse(bar.time)
    return Promise.resolve()
  }
  const feed = startFileFeed(options({ bus, settled, lastBar: () => held }).full)
  await sleep(20)
  assert.equal(bus.closes, [100, 101, 102])
  lost = false
  feed.rewind()
  await feed.done
  assert.equal(bus.closes, [100, 101, 102, 102, 103, 104])
  await feed.stop()
})

test('rewound after the end of the data, it publishes what is missing, and nothing when nothing is', async () => {
  const bus = new FeedBus()
  let held = FIRST + 4 * DAY_MS
  const feed = startFileFeed(options({ bus, speed: 1000, lastBar: () => held }).full)
  await feed.done
  feed.rewind()
  await sleep(20)
  assert.equal(bus.closes, [])
  held = FIRST + 2 * DAY_MS
  feed.rewind()
  await sleep(50)
  assert.equal(bus.closes, [103, 104])
  assert.is(feed.progress().ended, true)
  await feed.stop()
})

test('a book that holds everything leaves nothing to publish', async () => {
  const bus = new FeedBus()
  const feed = startFileFeed(options({ bus, lastBar: () => FIRST + 10 * DAY_MS }).full)
  await feed.done
  assert.is(bus.attempts, 0)
  assert.equal(feed.progress(), { done: 5, of: 5, ended: true, last: null })
})

test('no bars at all end at once', async () => {
  const bus = new FeedBus()
  const feed = startFileFeed(options({ bus }, 0).full)
  await feed.done
  assert.equal(feed.progress(), { done: 0, of: 0, ended: true, last: null })
})

test('the broker sees each bar first, and the bar carries the number of its newest report', async () => {
  const bus = new FeedBus()
  const steps: string[] = []
  const broker = {
    onBar(bar: MarketBar) {
      steps.push(`broker ${bar.close}, published ${bus.sent.length}`)
      return Number(bar.close) * 2
    },
  }
  await startFileFeed(options({ bus, broker }, 2).full).done
  assert.equal(steps, ['broker 100, published 0', 'broker 101, published 1'])
  assert.equal(
    bus.sent.map(({ options: given }) => given.headers?.['bitacora-reports']),
    ['200', '202'],
  )
})

test('after a restart the broker is shown at most the last thousand bars again', async () => {
  const bus = new FeedBus()
  const shown: number[] = []
  const broker = { onBar: (bar: MarketBar) => shown.push(Number(bar.close)) }
  const lastBar = () => FIRST + 1199 * DAY_MS
  await startFileFeed(options({ bus, broker, lastBar }, 1202).full).done
  assert.is(shown.length, 1002)
  assert.is(shown[0], 300)
  assert.equal(bus.closes, [1300, 1301])
})

test('in lock-step the next bar waits until the engine has settled, the first one included', async () => {
  const bus = new FeedBus()
  const waiting: (() => void)[] = []
  const settled = () => new Promise<void>((resolve) => waiting.push(resolve))
  const feed = startFileFeed(options({ bus, settled }, 2).full)
  await sleep(5)
  assert.is(bus.sent.length, 0)
  waiting.shift()?.()
  await sleep(5)
  assert.is(bus.sent.length, 1)
  assert.is(waiting.length, 1)
  await sleep(5)
  assert.is(bus.sent.length, 1)
  waiting.shift()?.()
  await sleep(5)
  assert.is(bus.sent.length, 2)
  assert.is(feed.progress().ended, false)
  waiting.shift()?.()
  await feed.done
  assert.is(feed.progress().ended, true)
})

test('the engine is asked to settle what was published before, then each bar by name', async () => {
  const bus = new FeedBus()
  const asked: (string | null)[] = []
  const settled = async (bar: MarketBar | null) => {
    asked.push(bar === null ? null : bar.close)
  }
  await startFileFeed(options({ bus, settled }, 2).full).done
  assert.equal(asked, [null, '100', '101'])
})

test('stop ends a wait for an engine that never settles, before the first bar or after one', async () => {
  for (const settles of [0, 1]) {
    const bus = new FeedBus()
    let left = settles
    const settled = () => (left-- > 0 ? Promise.resolve() : new Promise<void>(() => {}))
    const feed = startFileFeed(options({ bus, settled }).full)
    await sleep(5)
    assert.is(bus.sent.length, settles)
    const how = await Promise.race([feed.stop().then(() => 'stopped'), sleep(1000, 'hangs')])
    assert.is(how, 'stopped')
    assert.is(bus.sent.length, settles)
    assert.is(feed.progress().ended, false)
  }
})

test('so many bars a second are so many bars a second', async () => {
  const bus = new FeedBus()
  const begun = performance.now()
  const settled = async () => {
    throw new Error('a feed with a speed does not wait for the engine')
  }
  await startFileFeed(options({ bus, speed: 50, settled }, 11).full).done
  const took = performance.now() - begun
  assert.ok(took >= 200 && took < 600, `11 bars at 50 a second took ${took} ms`)
  const first = bus.sent[0]!.at
  for (const [n, { at }] of bus.sent.entries()) {
    assert.ok(at - first > n * 20 - 15, `bar ${n} came after ${at - first} ms`)
  }
})

test('stop ends a pause at once; what was published counts as done', async () => {
  const bus = new FeedBus()
  const feed = startFileFeed(options({ bus, speed: 0.01 }).full)
  await sleep(10)
  const begun = performance.now()
  await feed.stop()
  await feed.done
  assert.ok(performance.now() - begun < 100)
  assert.equal(bus.closes, [100])
  assert.is(feed.progress().ended, false)
  assert.is(feed.progress().last, '2013-05-13T00:00:00Z')
})

test('a bar that could not be published is tried again with the same id, and none is left out', async () => {
  const bus = new FeedBus()
  bus.faults.push(undefined, new Error('timeout'), new Error('timeout'))
  const { full, lines } = options({ bus }, 3)
  await startFileFeed(full).done
  assert.equal(bus.closes, [100, 101, 102])
  assert.is(bus.attempts, 5)
  assert.is(lines.filter((line) => line.includes('could not be published')).length, 2)
})

test('stop during the pause after a failure publishes nothing more', async () => {
  const bus = new FeedBus()
  bus.faults.push(...Array.from({ length: 1000 }, () => new Error('no server')))
  const { full, lines } = options({ bus })
  const feed = startFileFeed(full)
  await sleep(10)
  const begun = performance.now()
  await feed.stop()
  assert.ok(performance.now() - begun < 300)
  assert.is(bus.attempts, 1)
  assert.is(feed.progress().ended, false)
  assert.not.match(lines.join(''), 'the data has ended')
})

test('a broker that fails ends the feed with its error', async () => {
  const bus = new FeedBus()
  const broker = {
    onBar() {
      throw new Error('the journal is full')
    },
  }
  const feed = startFileFeed(options({ bus, broker }).full)
  let error: unknown
  await feed.done.catch((reason) => {
    error = reason
  })
  assert.match(String(error), 'the journal is full')
  assert.is(bus.attempts, 0)
  await feed.stop()
})

test('while the broker may not be shown bars, nothing is shown or published, and it says so', async () => {
  const bus = new FeedBus()
  const shown: number[] = []
  let may = false
  const broker = {
    onBar: async (bar: MarketBar) => {
      shown.push(Number(bar.close))
      if (shown.length === 4) may = false
      return 0
    },
  }
  const { full } = options({ bus, broker, mayShow: () => may, lastBar: () => FIRST })
  const feed = startFileFeed(full)
  await sleep(120)
  assert.equal(shown, [])
  assert.equal(bus.closes, [])
  assert.match(String(feed.trouble()), /lease/)
  may = true
  while (shown.length < 4) await sleep(5)
  await sleep(120)
  // What the book holds is shown again first; the fourth bar was shown when it still might be.
  assert.equal(shown, [100, 101, 102, 103])
  assert.equal(bus.closes, [101, 102, 103])
  assert.match(String(feed.trouble()), /lease/)
  may = true
  await feed.done
  assert.equal(bus.closes, [101, 102, 103, 104])
  assert.is(feed.trouble(), null)
})

test('it can be stopped while it may not show bars', async () => {
  const bus = new FeedBus()
  const { full } = options({ bus, mayShow: () => false })
  const feed = startFileFeed(full)
  await feed.stop()
  await feed.done
  assert.equal(bus.closes, [])
})

test.run()
