import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'libsql'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { format, parse } from '../../engine/decimal.ts'
import { InvalidAction } from '../../engine/exchange/exchange.ts'
import { barToWire } from '../../engine/market/bar-wire.ts'
import type { BrokerOrder, BrokerReport, Replacement } from '../../engine/ports/broker.ts'
import { DAY_MS } from '../../engine/time.ts'
import type { ExchangeSettings } from '../../schemas/types.gen.ts'
import { openSimBroker, type SimBroker } from './sim-broker.ts'

const BOOK = 'b0123456789abcdef'
const SETTINGS: ExchangeSettings = {
  ...{ cash: '10000', fill: 'next-open', limitFill: 'through', participation: 0, slippageBps: 0 },
  ...{ commission: '0', feePerShare: '0', feeMin: '0' },
}

function inFolder(name: string, body: (dir: string, open: Open) => Promise<void>): void {
  test(name, async () => {
    const dir = mkdtempSync(join(tmpdir(), 'sim-orders-'))
    const brokers: SimBroker[] = []
    try {
      await body(dir, (settings = {}) => {
        const given = { ...SETTINGS, ...settings }
        const broker = openSimBroker({ dir, settings: given, bookId: BOOK })
        brokers.push(broker)
        return broker
      })
    } finally {
      for (const broker of brokers) {
        try {
          broker.close()
        } catch {
          // Overtaken by a later one, on purpose.
        }
      }
      rmSync(dir, { recursive: true, force: true })
    }
  })
}

type Open = (settings?: Partial<ExchangeSettings>) => SimBroker

function order(orderId: number, over: Partial<BrokerOrder> = {}): BrokerOrder {
  return {
    ...{ clientOrderId: `${BOOK}-${orderId}`, orderId, symbol: 'A', side: 'buy', type: 'market' },
    ...{ qty: '10', timeInForce: 'gtc' },
    ...over,
  } as BrokerOrder
}

const BRACKET = order(1, {
  orderClass: 'bracket',
  legs: [
    order(2, { side: 'sell', type: 'limit', limitPrice: '12' }),
    order(3, { side: 'sell', type: 'stop', stopPrice: '8' }),
  ],
})

function by(orderId: number, terms: Partial<Replacement>): Replacement {
  return { clientOrderId: `${BOOK}-${orderId}`, orderId, ...terms }
}

function show(broker: SimBroker, day: number, open: number, high: number, low: number): void {
  const prices = { open, high, low, close: open, volume: Number.NaN }
  broker.onBar(barToWire({ symbol: 'A', time: day * DAY_MS, ...prices }, 'file', '1d'))
}

function collect(broker: SimBroker): BrokerReport[] {
  const reports: BrokerReport[] = []
  broker.reports(0, (report) => reports.push(report))
  return reports
}

function said(broker: SimBroker): string[] {
  return collect(broker).map(({ kind, orderId }) => `${kind} ${orderId}`)
}

/** Every way to open again: what a killed process leaves, and what a clean stop does. */
for (const [how, stop] of [
  ['killed', () => undefined],
  ['stopped', (broker: SimBroker) => broker.close()],
] as const) {
  inFolder(
    `a bracket goes on after the broker was ${how}, held, working and over`,
    async (_, open) => {
      const first = open()
      await first.submit(BRACKET)
      assert.equal(said(first), ['accepted 1', 'held 2', 'held 3'])
      stop(first)
      const second = open()
      assert.ok(await second.knows(`${BOOK}-3`))
      show(second, 1, 10, 11, 9)
      stop(second)
      const third = open()
      assert.equal(said(third).slice(3), ['filled 1', 'accepted 2', 'accepted 3'])
      show(third, 2, 10, 11, 7)
      stop(third)
      const fourth = open()
      assert.equal(said(fourth).slice(6), ['filled 3', 'canceled 2'])
      assert.is(format(fourth.account.cash), '9980')
    },
  )

  inFolder(`a replacement is there after the broker was ${how}`, async (_, open) => {
    const first = open()
    await first.submit(order(1, { type: 'limit', limitPrice: '5' }))
    await first.replace(`${BOOK}-1`, by(2, { limitPrice: '9' }))
    stop(first)
    const second = open()
    assert.ok(await second.knows(`${BOOK}-2`))
    await second.replace(`${BOOK}-1`, by(2, { limitPrice: '9' }))
    await second.replace(`${BOOK}-1`, by(3, { limitPrice: '8' }))
    show(second, 1, 10, 11, 8.5)
    stop(second)
    const third = open()
    assert.equal(said(third), [
      'accepted 1',
      'replaced 1',
      'accepted 2',
      'replace_rejected 1',
      'filled 2',
    ])
  })

  inFolder(`a corporate action counts once after the broker was ${how}`, async (_, open) => {
    const split = { symbol: 'A', kind: 'split', value: parse('2'), time: 2 * DAY_MS } as const
    const first = open()
    await first.submit(order(1))
    show(first, 1, 10, 11, 9)
    await first.submit(order(2, { type: 'limit', limitPrice: '4' }))
    assert.is(first.onAction(split), 4)
    stop(first)
    const second = open()
    assert.is(second.onAction(split), 4)
    assert.equal(said(second).slice(2), ['accepted 2', 'adjusted 2'])
    assert.is(format(second.account.position('A')), '20')
    show(second, 2, 5, 5, 1.9)
    assert.equal(said(second).slice(4), ['filled 2'])
    assert.is(format(second.account.position('A')), '40')
  })
}

inFolder('an action that cannot be applied is refused before it is written', async (_, open) => {
  const first = open()
  const bad = { symbol: 'A', kind: 'split', value: null, time: 0 } as const
  assert.throws(
    () => first.onAction(bad),
    (error: unknown) => error instanceof InvalidAction,
  )
  open()
  first.close()
  assert.throws(() => first.onAction(bad), /closed broker/)
})

inFolder('a closed broker does not know what became of a replacement', async (_, open) => {
  const broker = open()
  broker.close()
  let code = ''
  await broker.replace('x', by(1, {})).catch((error: { code: string }) => {
    code = error.code
  })
  assert.is(code, 'outcome_unknown')
})

inFolder(
  'a held leg canceled before its entry leaves bars of the symbol counted right',
  async (_, open) => {
    const broker = open()
    await broker.submit(BRACKET)
    await broker.cancel(`${BOOK}-2`)
    show(broker, 1, 10, 11, 9)
    assert.equal(said(broker).slice(3), ['canceled 2', 'canceled 1', 'canceled 3'])
  },
)

inFolder('a journal of before this format of orders opens and goes on', async (dir, open) => {
  const first = open()
  await first.submit(order(1, { type: 'limit', limitPrice: '9' }))
  await first.submit(order(2, { type: 'stop', stopPrice: '12', timeInForce: 'day' }))
  show(first, 1, 10, 11, 9.5)
  first.close()
  const db = new Database(join(dir, 'sim-broker.db'))
  const [body] = db.prepare('SELECT body FROM snapshot').raw().get([]) as unknown as [string]
  const snapshot = JSON.parse(body)
  delete snapshot.exchange.ended
  for (const book of snapshot.exchange.books) {
    for (const one of book.orders) {
      for (const field of ['rank', 'since', 'filled', 'timeInForce']) delete one[field]
    }
  }
  db.prepare('UPDATE snapshot SET body = ?').run([JSON.stringify(snapshot)])
  db.close()
  const second = open()
  show(second, 2, 9.5, 13, 8)
  assert.equal(said(second), ['accepted 1', 'accepted 2', 'expired 2', 'filled 1'])
})

inFolder('settings that only one of old and new names are taken over', async (_, open) => {
  open({ shorts: 'listed', shortable: ['A'] }).close()
  const same = open({ shorts: 'listed', shortable: ['A'] })
  assert.equal(same.settings.shortable, ['A'])
  same.close()
  const without = open()
  assert.is(without.settings.shorts, undefined)
})

test.run()
