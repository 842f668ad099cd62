import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { TestBook } from '../../projections/testing/book.ts'
import { moves, play } from '../../projections/testing/pair.ts'
import { runBacktest } from '../../engine/backtest/backtest.ts'
import { barToWire } from '../../engine/market/bar-wire.ts'
import { settings } from '../../engine/testing/fixtures.ts'
import { DAY_MS, formatTime } from '../../engine/time.ts'
import type { EventType } from '../../schemas/types.gen.ts'
import { type FakeProjector, get, withApi } from './testing/fake-projector.ts'

const PATHS = [
  ...['/portfolio', '/positions', '/status', '/orders', '/orders/1', '/fills', '/signals', '/pnl'],
  ...['/equity', '/decisions', '/strategies', '/queues', '/orders?order=desc&limit=2&symbol=AAPL'],
]

function asOf(path: string, moment: number | string): string {
  return `${path}${path.includes('?') ? '&' : '?'}asOf=${encodeURIComponent(moment)}`
}

/** Adds the next events of a played book, and folds them. */
function grow(projector: FakeProjector, from: FakeProjector['book'], to: number): void {
  projector.book.events.push(...from.events.slice(projector.book.events.length, to + 1))
  projector.fold()
}

test('what is said of a position later is what was said there then', async () => {
  await fc.assert(
    fc.asyncProperty(
      moves,
      fc.array(fc.nat(1000), { minLength: 2, maxLength: 5 }),
      async (steps, asked) => {
        await withApi(async (api, projector) => {
          const played = play(steps, () => undefined).book
          const last = played.events.length - 1
          const positions = [...new Set(asked.map((number) => number % last))].sort((a, b) => a - b)
          const then = new Map<string, string>()
          for (const position of positions) {
            grow(projector, played, position)
            for (const path of PATHS) {
              then.set(`${position} ${path}`, (await get(api.url + path)).text)
            }
          }
          grow(projector, played, last)
          for (const position of positions) {
            for (const path of PATHS) {
              const { text, headers, status } = await get(api.url + asOf(path, position))
              assert.is(text, then.get(`${position} ${path}`), `${path} as of ${position}`)
              if (status !== 200) continue
              assert.match(
                headers.get('etag') ?? '',
                new RegExp(`^"p:${position}(-b[0-9a-f]{16})?"$`),
              )
              assert.match(headers.get('cache-control') ?? '', 'immutable')
            }
          }
        })
      },
    ),
    { numRuns: 15 },
  )
})

/** The events of a run with some hundred orders, limits that deny, and a halt. */
function longRun(): TestBook {
  const book = new TestBook()
  let seed = 7
  const random = (): number => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0
    return seed / 2 ** 32
  }
  let price = 100
  let bars = 0
  const params = { fast: 2, slow: 4, mode: 'reverse', size: '30' }
  runBacktest({
    settings: settings({
      strategies: [{ name: 'sma_cross', params }],
      risk: { maxOrderNotional: '2400', maxDailyLoss: '0.05' },
      exchange: { participation: 0.1, commission: '0.001' },
    }),
    hash: createHash('sha256'),
    bars: {
      next(bar) {
        if (bars++ === 900) return false
        const open = price
        price = Math.max(20, Math.round(price * (0.96 + 0.0802 * random()) * 100) / 100)
        const [high, low] = [Math.max(open, price), Math.min(open, price)]
        const time = bars * DAY_MS
        const volume = random() < 0.1 ? 200 : 1e6
        Object.assign(bar, { symbol: 'AAPL', symbolIndex: 0, time, end: time + DAY_MS })
        Object.assign(bar, { open, high, low, close: price, volume })
        return true
      },
    },
    listener: {
      event({ type, at, data }) {
        book.at = at
        const wire = type === 'market.bar' ? barToWire(data, 'test', '1d') : data
        book.add(type as EventType, JSON.parse(JSON.stringify(wire)) as never)
      },
    },
  })
  return book
}

test('200 random positions of a long run: every projection says later what it said then', async () => {
  const played = longRun()
  const last = played.events.length - 1
  const positions = new Set<number>()
  for (let seed = 1; positions.size < 200; seed++) positions.add((seed * 48_271) % last)
  const paths = PATHS.map((path) => path.replace('/orders/1', '/orders/20'))
  await withApi(async (api, projector) => {
    const then = new Map<string, string>()
    for (const position of [...positions].sort((a, b) => a - b)) {
      grow(projector, played, position)
      for (const path of paths) then.set(`${position} ${path}`, (await get(api.url + path)).text)
    }
    grow(projector, played, last)
    assert.ok(projector.model.states.orders.list.size > 150)
    assert.ok(projector.model.states.signals.denied > 20)
    for (const position of positions) {
      for (const path of paths) {
        const { text } = await get(api.url + asOf(path, position))
        assert.is(text, then.get(`${position} ${path}`), `${path} as of ${position}`)
      }
    }
  })
})

test('a time means the last event at or before it, and only once engine time has gone on', async () => {
  await withApi(async (api, projector) => {
    const { book } = projector
    book.created().bar('AAPL', '100')
    const first = book.at
    book.at += 1000
    book.bar('AAPL', '101', first)
    projector.fold()
    const at = (ms: number): ReturnType<typeof get> =>
      get(api.url + asOf('/portfolio', formatTime(ms)))
    assert.is((await at(first)).body.position, 1)
    assert.is((await at(first + 999)).body.position, 1)
    assert.is((await at(first - 1)).body.position, -1)
    // At this very moment more may still come.
    assert.is((await at(first + 1000)).status, 400)
    const offset = await get(`${api.url}/portfolio?asOf=2013-10-21T20:00:00-04:00`)
    assert.is(offset.body.position, 1)
  })
})

test('a moment that has not come is 400, and says how far the book is', async () => {
  await withApi(async (api, projector) => {
    const empty = await get(`${api.url}/portfolio?asOf=0`)
    assert.is(empty.status, 400)
    assert.match(String(empty.body.detail), 'nothing is recorded yet')
    projector.book.created()
    projector.fold()
    const ahead = await get(`${api.url}/portfolio?asOf=1`)
    assert.is(ahead.status, 400)
    assert.match(String(ahead.body.detail), 'beyond position 0')
  })
})

test('too many questions about the past are told to come again', async () => {
  const busy = Object.assign(new Error('32 wait'), { code: 'past_is_busy' })
  await withApi(
    async (api, projector) => {
      projector.book.created()
      projector.fold()
      const { status, headers, body } = await get(`${api.url}/portfolio?asOf=0`)
      assert.equal([status, body.type], [503, '/problems/past-is-busy'])
      assert.is(headers.get('retry-after'), '1')
      assert.is((await get(`${api.url}/portfolio`)).status, 200)
    },
    { past: { model: () => Promise.reject(busy) } },
  )
})

test.run()
