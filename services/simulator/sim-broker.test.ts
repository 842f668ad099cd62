import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as fc from 'fast-check'
import Database from 'libsql'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { format } from '../../engine/decimal.ts'
import { Exchange } from '../../engine/exchange/exchange.ts'
import { ExchangeSettingsError } from '../../engine/exchange/fees.ts'
import { barFromWire, barToWire } from '../../engine/market/bar-wire.ts'
import { type BrokerOrder, type BrokerReport, OutcomeUnknown } from '../../engine/ports/broker.ts'
import { DAY_MS } from '../../engine/time.ts'
import type { ExchangeSettings, MarketBar } from '../../schemas/types.gen.ts'
import { openSimBroker, type SimBroker } from './sim-broker.ts'
import { ForeignJournal, JournalMismatch, JournalUnavailable, NotAJournal } from './sim-journal.ts'
import { FolderNotMade } from '../runtime/make-folder.ts'

const BOOK = 'b0123456789abcdef'
const SETTINGS: ExchangeSettings = {
  cash: '10000',
  fill: 'next-open',
  limitFill: 'through',
  participation: 0,
  slippageBps: 0,
  commission: '0',
  feePerShare: '0',
  feeMin: '0',
}

class Folder {
  readonly dir = mkdtempSync(join(tmpdir(), 'sim-broker-'))
  readonly path = join(this.dir, 'sim-broker.db')
  readonly #open = new Set<SimBroker>()

  open(settings: Partial<ExchangeSettings> = {}, bookId = BOOK): SimBroker {
    const broker = openSimBroker({ dir: this.dir, settings: { ...SETTINGS, ...settings }, bookId })
    this.#open.add(broker)
    return broker
  }

  sql(text: string): unknown[] {
    const db = new Database(this.path)
    try {
      return db.prepare(text).raw().all([]) as unknown[]
    } finally {
      db.close()
    }
  }

  exec(text: string): void {
    const db = new Database(this.path)
    try {
      db.exec(text)
    } finally {
      db.close()
    }
  }

  dispose(): void {
    for (const broker of this.#open) {
      try {
        broker.close()
      } catch {
        // Damaged on purpose by the test.
      }
    }
    rmSync(this.dir, { recursive: true, force: true })
  }
}

function inFolder(name: string, body: (folder: Folder) => Promise<void>): void {
  test(name, async () => {
    const folder = new Folder()
    try {
      await body(folder)
    } finally {
      folder.dispose()
    }
  })
}

function order(orderId: number, over: Partial<BrokerOrder> = {}): BrokerOrder {
  return {
    ...{ clientOrderId: `${BOOK}-${orderId}`, orderId, symbol: 'A', side: 'buy', type: 'market' },
    ...{ qty: '1', timeInForce: 'gtc' },
    ...over,
  } as BrokerOrder
}

function bar(day: number, close = 10, symbol = 'A', volume = Number.NaN): MarketBar {
  const prices = { open: 10, high: Math.max(10, close), low: Math.min(10, close), close }
  return barToWire({ symbol, time: day * DAY_MS, volume, ...prices }, 'file', '1d')
}

function collect(broker: SimBroker, after = 0): BrokerReport[] {
  const reports: BrokerReport[] = []
  broker.reports(after, (report) => reports.push(report))
  return reports
}

async function rejection(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise
  } catch (error) {
    return error
  }
  throw new Error('it did not reject')
}

inFolder('orders, fills and positions are there after a reopening', async (folder) => {
  const first = folder.open()
  await first.submit(order(1))
  assert.is(first.onBar(bar(1)), 2)
  await first.submit(order(2, { type: 'limit', limitPrice: '5' }))
  const before = collect(first)
  first.close()
  const second = folder.open()
  assert.equal(collect(second), before)
  assert.equal(
    before.map(({ kind }) => kind),
    ['accepted', 'filled', 'accepted'],
  )
  assert.is(format(second.account.cash), '9990')
  assert.is(await second.knows(`${BOOK}-2`), true)
  assert.is(await second.knows(`${BOOK}-3`), false)
  await second.cancel(`${BOOK}-2`)
  await second.cancel(`${BOOK}-9`)
  assert.is(collect(second, 3)[0]?.kind, 'canceled')
})

inFolder('an order submitted twice exists once, also after a reopening', async (folder) => {
  const first = folder.open()
  await Promise.all([first.submit(order(1)), first.submit(order(1))])
  first.close()
  const second = folder.open()
  await second.submit(order(1))
  assert.is(second.lastSequence(), 1)
})

inFolder('a bar shown again changes nothing, also after a reopening', async (folder) => {
  const first = folder.open()
  await first.submit(order(1))
  assert.is(first.onBar(bar(3)), 2)
  await first.submit(order(2))
  assert.is(first.onBar(bar(3)), 3)
  assert.is(first.onBar(bar(2)), 3)
  first.close()
  const second = folder.open()
  assert.is(second.onBar(bar(3)), 3)
  assert.is(second.onBar(bar(4)), 4)
})

inFolder('an order carries the end of the newest bar as its time, 0 before any', async (folder) => {
  const broker = folder.open()
  await broker.submit(order(1))
  broker.onBar(bar(1))
  broker.onBar(bar(0, 10, 'B'))
  broker.close()
  const again = folder.open()
  await again.submit(order(2))
  assert.equal(
    collect(again).map(({ occurredAt }) => occurredAt),
    [0, DAY_MS, 2 * DAY_MS],
  )
})

inFolder('commands that wait come before the bar that is shown', async (folder) => {
  const broker = folder.open()
  const submitted = broker.submit(order(1))
  assert.is(broker.onBar(bar(1)), 2)
  await submitted
})

inFolder(
  'reports come past first, then live, without gap or repeat, to every listener',
  async (folder) => {
    const broker = folder.open()
    for (let i = 1; i <= 1200; i++) void broker.submit(order(i, { type: 'limit', limitPrice: '1' }))
    await broker.submit(order(1201))
    const seen: number[] = []
    const late: number[] = []
    let stop = () => {}
    broker.reports(100, ({ sequence }) => {
      seen.push(sequence)
      // Listening and trading from inside a report must not disturb the order.
      if (sequence === 101) stop = broker.reports(0, (report) => late.push(report.sequence))
      if (sequence === 1201) broker.onBar(bar(1))
      if (sequence === 1202) void broker.submit(order(2000))
    })
    await broker.submit(order(2001))
    assert.equal(
      seen,
      Array.from({ length: 1104 }, (_, i) => 101 + i),
    )
    assert.equal(
      late,
      Array.from({ length: 1204 }, (_, i) => 1 + i),
    )
    stop()
    await broker.cancel(`${BOOK}-1`)
    assert.is(seen.at(-1), 1205)
    assert.is(late.at(-1), 1204)
  },
)

inFolder('another book is refused, both named, and nothing is changed', async (folder) => {
  folder.open().close()
  const other = 'bfedcba9876543210'
  assert.throws(
    () => folder.open({}, other),
    (e: unknown) =>
      e instanceof ForeignJournal && e.message.includes(BOOK) && e.message.includes(other),
  )
  folder.open().close()
})

inFolder('a file that is something else is refused and left as it is', async (folder) => {
  folder.exec('CREATE TABLE mine (a)')
  assert.throws(
    () => folder.open(),
    (e: unknown) => e instanceof NotAJournal,
  )
  assert.equal(folder.sql('SELECT name FROM sqlite_master'), [['mine']])
})

inFolder('a journal of a later format is refused', async (folder) => {
  folder.open().close()
  folder.exec('UPDATE journal SET version = 2')
  assert.throws(
    () => folder.open(),
    (e: unknown) => e instanceof NotAJournal && /format 2/.test(e.message),
  )
})

inFolder('a folder that cannot be made is a typed error', async (folder) => {
  folder.exec('CREATE TABLE mine (a)')
  assert.throws(
    () => openSimBroker({ dir: folder.path, settings: SETTINGS, bookId: BOOK }),
    (e: unknown) => e instanceof FolderNotMade,
  )
})

inFolder('other cash is ignored and told; other settings are taken and kept', async (folder) => {
  folder.open().close()
  const second = folder.open({ cash: '500', commission: '0.1' })
  assert.equal(second.settingsConflict, { field: 'cash', journaled: '10000', given: '500' })
  await second.submit(order(1))
  second.onBar(bar(1))
  assert.is(collect(second)[1]?.fee, '1')
  assert.is(second.settings.cash, '10000')
  second.close()
  const third = folder.open({ commission: '0.1' })
  assert.is(third.settingsConflict, null)
  assert.is(format(third.account.cash), '9989')
})

inFolder('a settings change behind the snapshot is replayed after a crash', async (folder) => {
  const first = folder.open()
  await first.submit(order(1))
  first.close()
  const second = folder.open({ commission: '0.1' })
  second.onBar(bar(1))
  // No close: the third opens what a killed process leaves.
  const third = folder.open({ commission: '0.1' })
  assert.is(format(third.account.cash), '9989')
  assert.is(third.lastSequence(), 2)
})

inFolder('impossible settings are refused before anything is written', async (folder) => {
  assert.throws(
    () => folder.open({ participation: 2 }),
    (e: unknown) => e instanceof ExchangeSettingsError,
  )
  folder.open().close()
})

inFolder('reports that would come out otherwise stop the broker', async (folder) => {
  const first = folder.open()
  await first.submit(order(1))
  first.onBar(bar(1))
  folder.exec(
    `UPDATE reports SET body = replace(body, '"price":"10"', '"price":"11"') WHERE sequence = 2`,
  )
  assert.throws(
    () => folder.open(),
    (e: unknown) => e instanceof JournalMismatch && e.sequence === 2,
  )
  folder.exec('DELETE FROM reports WHERE sequence = 2')
  assert.throws(
    () => folder.open(),
    (e: unknown) => e instanceof JournalMismatch,
  )
})

inFolder(
  'after a clean stop stored reports hold, whatever code would make of the commands',
  async (folder) => {
    const first = folder.open()
    await first.submit(order(1))
    first.onBar(bar(1))
    first.close()
    folder.exec(
      `UPDATE reports SET body = replace(body, '"price":"10"', '"price":"11"') WHERE sequence = 2`,
    )
    const second = folder.open()
    assert.is(collect(second)[1]?.price, '11')
    assert.is(format(second.account.cash), '9990')
  },
)

inFolder('an altered row is a typed error', async (folder) => {
  const first = folder.open()
  await first.submit(order(1))
  folder.exec("UPDATE commands SET body = 'x' WHERE number = 2")
  assert.throws(
    () => folder.open(),
    (e: unknown) => e instanceof NotAJournal && /command 2/.test(e.message),
  )
})

inFolder(
  'what the disk refuses is unknown, then absent, and can be submitted again',
  async (folder) => {
    const broker = folder.open()
    await broker.submit(order(1))
    folder.exec(
      `CREATE TRIGGER full BEFORE INSERT ON reports BEGIN SELECT RAISE(ABORT, 'disk full'); END`,
    )
    const seen = collect(broker)
    const error = await rejection(broker.submit(order(2)))
    assert.instance(error, OutcomeUnknown)
    assert.match(String(error), /disk full/)
    assert.is(await broker.knows(`${BOOK}-2`), false)
    assert.throws(
      () => broker.onBar(bar(1)),
      (e: unknown) => e instanceof JournalUnavailable,
    )
    assert.is(seen.length, 1)
    folder.exec('DROP TRIGGER full')
    await broker.submit(order(2))
    assert.is(broker.onBar(bar(1)), 4)
    assert.equal(
      seen.map(({ sequence }) => sequence),
      [1, 2, 3, 4],
    )
  },
)

inFolder(
  'a second process that writes is found out, and neither takes what the other did',
  async (folder) => {
    const first = folder.open()
    const second = folder.open()
    await second.submit(order(2))
    assert.match(String(await rejection(first.submit(order(1)))), /written by another process/)
    assert.instance(await rejection(first.knows(`${BOOK}-1`)), OutcomeUnknown)
    assert.is(second.lastSequence(), 1)
  },
)

inFolder('a closed broker answers unknown', async (folder) => {
  const broker = folder.open()
  const waiting = broker.submit(order(1))
  broker.close()
  broker.close()
  await waiting
  assert.instance(await rejection(broker.submit(order(2))), OutcomeUnknown)
  assert.throws(() => broker.onBar(bar(1)), /closed broker/)
  assert.is(folder.open().lastSequence(), 1)
})

inFolder('bars behind a snapshot leave the journal; orders stay', async (folder) => {
  const broker = folder.open()
  await broker.submit(order(1))
  for (let day = 1; day <= 2500; day++) broker.onBar(bar(day))
  const [counts] = folder.sql('SELECT sum(bar), sum(1 - bar) FROM commands') as [[number, number]]
  assert.ok(counts[0] < 1000, `${counts[0]} bars kept`)
  assert.is(counts[1], 2)
  // No close: as a killed process leaves it.
  const again = folder.open()
  assert.is(again.onBar(bar(2500)), 2)
  assert.is(format(again.account.position('A')), '1')
})

type Action =
  | { do: 'submit'; order: BrokerOrder }
  | { do: 'cancel'; id: string }
  | { do: 'bar'; bar: MarketBar }
  | { do: 'reopen' }
  | { do: 'crash' }

const actions: fc.Arbitrary<Action[]> = fc
  .array(
    fc.oneof(
      {
        weight: 3,
        arbitrary: fc.record({
          do: fc.constant('bar' as const),
          symbol: fc.constantFrom('A', 'B'),
          close: fc.integer({ min: 8, max: 12 }),
          volume: fc.constantFrom(Number.NaN, 0, 15, 1000),
        }),
      },
      {
        weight: 4,
        arbitrary: fc.record({
          do: fc.constant('submit' as const),
          symbol: fc.constantFrom('A', 'B'),
          side: fc.constantFrom('buy', 'sell'),
          type: fc.constantFrom('market', 'limit', 'stop', 'close'),
          qty: fc.constantFrom('1', '7', 'all', 'x'),
          timeInForce: fc.constantFrom('day', 'gtc'),
        }),
      },
      { weight: 1, arbitrary: fc.record({ do: fc.constant('cancel' as const), n: fc.nat(20) }) },
      {
        weight: 1,
        arbitrary: fc.record({ do: fc.constantFrom('reopen' as const, 'crash' as const) }),
      },
    ),
    { maxLength: 40, size: 'max' },
  )
  .map((list) => {
    let n = 0
    let day = 0
    return list.map((item): Action => {
      if (item.do === 'bar')
        return { do: 'bar', bar: bar(++day >> 1, item.close, item.symbol, item.volume) }
      if (item.do === 'cancel') return { do: 'cancel', id: `${BOOK}-${item.n}` }
      if (item.do !== 'submit') return item
      const price =
        item.type === 'limit'
          ? { limitPrice: '10' }
          : item.type === 'stop'
            ? { stopPrice: '11' }
            : {}
      const { symbol, side, type, qty, timeInForce } = item
      return {
        do: 'submit',
        order: order(++n, {
          symbol,
          side,
          type,
          qty,
          timeInForce,
          ...price,
        } as Partial<BrokerOrder>),
      }
    })
  })

test('property: with any reopenings the reports are those of the pure exchange', async () => {
  const fills = fc.constantFrom('next-open' as const, 'same-close' as const)
  const parts = fc.constantFrom(0, 0.2)
  let reports = 0
  await fc.assert(
    fc.asyncProperty(actions, fills, parts, async (list, fill, participation) => {
      const folder = new Folder()
      try {
        const settings = { ...SETTINGS, fill, participation }
        const expected: BrokerReport[] = []
        const exchange = new Exchange(settings, (report) => expected.push(report))
        let now = 0
        let broker = folder.open(settings)
        let seen = collect(broker)
        for (const action of list) {
          if (action.do === 'bar') {
            const one = barFromWire(action.bar)
            now = Math.max(now, one.end)
            exchange.onBar({ ...one, symbolIndex: one.symbol === 'A' ? 0 : 1 })
            assert.is(broker.onBar(action.bar), exchange.sequence)
            assert.is(broker.onBar(action.bar), exchange.sequence)
          } else if (action.do === 'submit') {
            exchange.submit(action.order, now)
            await broker.submit(action.order)
          } else if (action.do === 'cancel') {
            exchange.cancel(action.id, now)
            await broker.cancel(action.id)
          } else {
            if (action.do === 'reopen') broker.close()
            broker = folder.open(settings)
            seen = collect(broker)
          }
          // The clock is the broker's own addition; it never runs back.
          assert.equal(
            seen.map(({ clock: _clock, ...report }) => report),
            expected,
          )
          assert.ok(seen.every((report, i) => i === 0 || seen[i - 1]!.clock! <= report.clock!))
        }
        assert.is(format(broker.account.cash), format(exchange.account.cash))
        reports += expected.length
      } finally {
        folder.dispose()
      }
    }),
    { numRuns: 60 },
  )
  assert.ok(reports > 100, `${reports} reports`)
})

test.run()
