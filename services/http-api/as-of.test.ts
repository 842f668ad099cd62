import fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { moves, play } from '../../projections/testing/pair.ts'
import { formatTime } from '../../engine/time.ts'
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
              assert.is(headers.get('etag'), `"p:${position}"`)
              assert.match(headers.get('cache-control') ?? '', 'immutable')
            }
          }
        })
      },
    ),
    { numRuns: 15 },
  )
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
