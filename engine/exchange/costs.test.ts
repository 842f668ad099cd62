import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { format, parse } from '../decimal.ts'
import { dayNumber, parseTime } from '../time.ts'
import { daily, open } from './exchange-fixture.ts'
import { ExchangeSettingsError } from './fees.ts'
import { regulatoryFee } from './regulatory-fees.ts'

test('fees of SEC and FINRA by date, each rounded up to a cent', () => {
  // date, shares, value, both fees: 0.01 is the least that a fee above zero costs
  const cases: [string, string, string, string][] = [
    ['2013-05-24', '1000', '50000', '1.24'],
    ['2020-02-17', '1000', '50000', '1.16'],
    ['2020-02-18', '1000', '50000', '1.23'],
    ['2021-02-25', '1000', '50000', '0.38'],
    // The maximum of the TAF.
    ['2024-06-03', '100000', '50000', '9.69'],
    // No section 31 fee for a while, and again.
    ['2025-05-14', '1000', '50000', '0.17'],
    ['2026-04-03', '1000', '50000', '0.2'],
    ['2026-04-04', '1000', '50000', '1.23'],
    ['2026-04-04', '1', '10', '0.02'],
    // Before the first row its rates stand in, after the last one too.
    ['2001-01-02', '1000', '50000', '1.21'],
    ['2040-01-02', '1000', '50000', '1.23'],
  ]
  for (const [date, qty, value, wanted] of cases) {
    const day = dayNumber(parseTime(date))
    assert.is(format(regulatoryFee(day, parse(qty), parse(value))), wanted, `${date} ${qty}`)
  }
})

test('only sales pay them, beside the commission', () => {
  const { exchange, reports, send } = open({ regulatoryFees: 'us-equity', commission: '0.001' })
  const day = dayNumber(parseTime('2024-06-03'))
  send({ qty: '100' })
  exchange.onBar(daily(day, 50, 50, 50, 50))
  send({ qty: '100', side: 'sell' })
  exchange.onBar(daily(day + 1, 50, 50, 50, 50))
  const fees = reports.filter(({ kind }) => kind === 'filled').map(({ fee }) => fee)
  // 5000 × 0.0000278 = 0.139 → 0.14; 100 × 0.000166 = 0.0166 → 0.02.
  assert.equal(fees, ['5', '5.16'])
})

test('half the assumed spread goes against market orders and stops, not against limits', () => {
  const { exchange, send, said } = open({ spreadBps: 100, slippageBps: 50 })
  send({})
  send({ side: 'sell', type: 'stop', stopPrice: '9' })
  send({ type: 'limit', limitPrice: '9' })
  exchange.onBar(daily(1, 10, 10, 8, 10))
  assert.equal(said(), ['filled 1 10@10.1', 'filled 2 10@8.91', 'filled 3 10@9'])
})

test('impact grows with the square root of the share of the volume', () => {
  const at = (qty: string, volume: number, more = {}): string => {
    const { exchange, send, said } = open({ impactBps: 1000, cash: '1000000', ...more })
    send({ qty })
    exchange.onBar(daily(1, 10, 10, 10, 10, volume))
    return said().join()
  }
  assert.is(at('100', 10_000), 'filled 1 100@10.1')
  assert.is(at('400', 10_000), 'filled 1 400@10.2')
  assert.is(at('10000', 10_000), 'filled 1 10000@11')
  // No volume, no impact.
  assert.is(at('100', 0), 'filled 1 100@10')
  assert.is(at('100', Number.NaN), 'filled 1 100@10')
  // Of what participation lets it trade.
  assert.is(at('1000', 10_000, { participation: 0.01 }), 'filled 1 100@10.1 …')
  // "all" is sized for the impact that it has at most.
  assert.is(at('all', 10_000, { cash: '1000' }), 'filled 1 99@10.1')
})

test('a short position pays its borrow fee per calendar day on the close', () => {
  const { exchange, reports, send } = open({ borrowRate: '0.36' })
  exchange.onBar(daily(1, 10, 10, 10, 10))
  send({ side: 'sell', qty: '100' })
  exchange.onBar(daily(2, 10, 12, 10, 12))
  reports.length = 0
  // Over a weekend: three days on the close of 12.
  exchange.onBar(daily(5, 11, 11, 11, 11))
  const charged = { clientOrderId: '', orderId: 0, symbol: 'A', occurredAt: 5 * 86_400_000 }
  assert.equal(reports, [
    {
      ...{ sequence: 3, kind: 'charged', ...charged },
      ...{ amount: '3.6', code: 'borrow_fee', reason: 'borrow fee of 3 days' },
    },
  ])
  assert.is(format(exchange.account.cash), '10996.4')
  assert.is(format(exchange.account.fees), '3.6')
  reports.length = 0
  send({ qty: '200' })
  exchange.onBar(daily(6, 10, 10, 10, 10))
  assert.is(reports.find(({ kind }) => kind === 'charged')?.amount, '1.1')
  reports.length = 0
  exchange.onBar(daily(7, 10, 10, 10, 10))
  assert.equal(reports, [], 'a long position pays none')
})

test('basis points and rates out of range are refused by name', () => {
  for (const [name, settings] of [
    ['spreadBps', { spreadBps: -1 }],
    ['impactBps', { impactBps: 100_001 }],
    ['borrowRate', { borrowRate: '-0.1' }],
  ] as const) {
    assert.throws(
      () => open(settings),
      (error: unknown) =>
        error instanceof ExchangeSettingsError && error.message.startsWith(`exchange.${name} is `),
    )
  }
})

test.run()
