import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Action } from '../../engine/market/actions.ts'
import { effectiveAt, type ListedAction } from '../../engine/backtest/listed-actions.ts'
import type { Bus, PublishOptions } from '../../engine/ports/bus.ts'
import { format } from '../../engine/decimal.ts'
import { DAY_MS, formatDay } from '../../engine/time.ts'
import { validateEvent } from '../../schemas/validate.ts'
import { createLog } from '../runtime/log.ts'
import { allocateBars } from './bar-columns.ts'
import { type FileFeedOptions, startFileFeed } from './file-feed.ts'

const FIRST = Date.UTC(2015, 3, 6)

function split(day: number, value = '2', symbol = 'A'): ListedAction {
  const exDate = formatDay(FIRST / DAY_MS + day)
  return { symbol, kind: 'split', value, exDate, time: effectiveAt(exDate, '1d') }
}

/** Five daily bars of A, and what was published and shown in which order. */
function feed(given: Partial<FileFeedOptions>) {
  const columns = allocateBars(5)
  for (let row = 0; row < 5; row++) {
    columns.time[row] = FIRST + row * DAY_MS
    for (const name of ['open', 'high', 'low', 'close'] as const) columns[name][row] = 100
  }
  const said: string[] = []
  const ids: (string | undefined)[] = []
  const waited: string[] = []
  let reports = 0
  const bus = {
    async publish(subject: string, payload: string, options: PublishOptions) {
      const body = JSON.parse(payload) as { time: string; kind?: string }
      const type = body.kind === undefined ? 'market.bar' : 'market.action'
      assert.ok(validateEvent(type, 1, body).ok, payload)
      const after = options.headers?.['bitacora-reports']
      said.push(`${subject} ${body.time.slice(8, 10)} after ${after}`)
      if (body.kind !== undefined) ids.push(options.id)
      return { stream: 'MARKET', sequence: said.length, duplicate: false }
    },
  }
  const options: FileFeedOptions = {
    bars: { columns, symbols: ['A'], timeframe: '1d' },
    feed: 'file',
    bus: bus as unknown as Bus,
    broker: {
      onBar: () => reports,
      onAction: ({ kind, value }: Action) => {
        said.push(`shown ${kind} ${format(value!)}`)
        return ++reports
      },
    },
    speed: 'max',
    lastBar: () => Number.NaN,
    settled: async () => {},
    settledAction: async ({ exDate }) => {
      waited.push(exDate)
    },
    log: createLog({ level: 'silent', name: 'test' }),
    ...given,
  }
  return { options, said, ids, waited }
}

test('an action is shown to the broker, published and settled before the bar of its date', async () => {
  const { options, said, ids, waited } = feed({ actions: [split(3, '3'), split(2)] })
  await startFileFeed(options).done
  assert.equal(said, [
    'md.bar.1d.A 06 after 0',
    'md.bar.1d.A 07 after 0',
    'shown split 2',
    'md.action.A 08 after 1',
    'md.bar.1d.A 08 after 1',
    'shown split 3',
    'md.action.A 09 after 2',
    'md.bar.1d.A 09 after 2',
    'md.bar.1d.A 10 after 2',
  ])
  assert.equal(ids, ['file|action|A|split|2015-04-08', 'file|action|A|split|2015-04-09'])
  assert.equal(waited, ['2015-04-08', '2015-04-09'])
})

test('a start goes on behind the actions that the book holds with its last bar', async () => {
  const { options, said } = feed({
    actions: [split(1), split(2), split(3)],
    lastBar: () => FIRST + 2 * DAY_MS,
  })
  await startFileFeed(options).done
  assert.equal(
    said.filter((text) => text.startsWith('md.')),
    ['md.action.A 09 after 1', 'md.bar.1d.A 09 after 1', 'md.bar.1d.A 10 after 1'],
  )
})

test('what is dated in the week after the last bar still takes effect, later ones do not', async () => {
  const { options, said } = feed({ actions: [split(7), split(30)] })
  await startFileFeed(options).done
  assert.equal(said.slice(-2), ['shown split 2', 'md.action.A 13 after 1'])
})

test('a broker with a market of its own is not shown actions', async () => {
  const { options, said } = feed({ actions: [split(0)], broker: null })
  await startFileFeed(options).done
  assert.is(said[0], 'md.action.A 06 after 0')
})

test.run()
