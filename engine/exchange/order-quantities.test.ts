import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { format } from '../decimal.ts'
import type { Bar } from '../market/bar.ts'
import { DAY_MS } from '../time.ts'
import { daily, open } from './exchange-fixture.ts'

const MINUTE = 60_000

test('"all" buys every whole share the cash covers at the fill price, fees included', () => {
  const { exchange, send, said } = open({ commission: '0.001', slippageBps: 100 })
  send({ qty: 'all' })
  exchange.onBar(daily(1, 33, 34, 32, 33))
  // 10000 ÷ (33.33 × 1.001) = 299.73
  assert.equal(said(), ['filled 1 299@33.33'])
  assert.is(format(exchange.account.cash), '24.36433')
})

test('"all" sells short by the same formula, and a close ahead of it in the queue counts', () => {
  const { exchange, send, said } = open()
  send({ qty: 'all' })
  exchange.onBar(daily(1, 100, 100, 100, 100))
  send({ side: 'sell', qty: '100' })
  send({ side: 'sell', qty: 'all' })
  exchange.onBar(daily(2, 110, 110, 110, 110))
  assert.equal(said(), ['filled 1 100@100', 'filled 2 100@110', 'filled 3 100@110'])
  assert.is(format(exchange.account.position('A')), '-100')
})

test('"all" without cash for one share is canceled', () => {
  const { exchange, send, said } = open({ cash: '9.99' })
  send({ qty: 'all' })
  send({ qty: 'all', side: 'sell' })
  exchange.onBar(daily(1, 10, 10, 10, 10))
  assert.equal(said(), ['canceled 1 insufficient_cash', 'canceled 2 insufficient_cash'])
})

test('participation caps a bar in whole shares, the rest goes on at the next open', () => {
  const { exchange, send, said } = open({ participation: 0.1 })
  send({ qty: '25' })
  exchange.onBar(daily(1, 10, 10, 10, 10, 109))
  exchange.onBar(daily(2, 11, 11, 11, 11, 0))
  exchange.onBar(daily(3, 12, 12, 12, 12, 5))
  exchange.onBar(daily(4, 13, 13, 13, 13, 1000))
  assert.equal(said(), ['filled 1 10@10 …', 'filled 1 15@13'])
})

test('the orders of one symbol share the cap in order of submission', () => {
  const { exchange, send, said } = open({ participation: 0.1 })
  send({ qty: '7' })
  send({ qty: '7', side: 'sell' })
  send({ qty: '7', symbol: 'B' })
  exchange.onBar(daily(1, 10, 10, 10, 10, 100))
  exchange.onBar({ ...daily(1, 20, 20, 20, 20, 100), symbol: 'B', symbolIndex: 1 })
  exchange.onBar(daily(2, 11, 11, 11, 11, 100))
  assert.equal(said(), ['filled 1 7@10', 'filled 2 3@10 …', 'filled 3 7@20', 'filled 2 4@11'])
})

test('a part is whole shares, also after a fraction of a share', () => {
  const { exchange, send, said } = open({ participation: 0.1, cash: '100' })
  send({ qty: '0.5' })
  send({ qty: '1.75' })
  send({ qty: 'all' })
  exchange.onBar(daily(1, 10, 10, 10, 10, 20))
  exchange.onBar(daily(2, 20, 20, 20, 20, 50))
  // Of two shares the first bar has 0.5 left after one whole part: nothing for "all", which stays unsized.
  assert.equal(said(), ['filled 1 0.5@10', 'filled 2 1@10 …', 'filled 2 0.75@20', 'filled 3 3@20'])
})

test('same-close: a market order takes what the bar shown last has left', () => {
  const { exchange, send, said } = open({ participation: 0.1, fill: 'same-close' })
  send({ qty: '6' })
  exchange.onBar(daily(1, 10, 10, 10, 10, 100))
  send({ qty: '6' }, DAY_MS)
  send({ qty: '6' }, DAY_MS)
  exchange.onBar(daily(2, 11, 11, 11, 11, 100))
  assert.equal(said(), ['filled 1 6@10', 'filled 2 4@10 …', 'filled 2 2@11', 'filled 3 6@11'])
})

test('what is left of a triggered stop is a market order, of a limit a limit', () => {
  const { exchange, send, said } = open({ participation: 0.1 })
  send({ type: 'stop', side: 'sell', stopPrice: '9', qty: '15' })
  send({ type: 'stop', side: 'sell', stopPrice: '9', qty: '5' })
  exchange.onBar(daily(1, 10, 10, 9, 10, 100))
  assert.equal(said(), ['filled 1 10@9 …'])
  // Back above the stop: both go on as market orders, the second though it traded nothing yet.
  exchange.onBar(daily(2, 11, 11, 11, 11, 100))
  assert.equal(said(), ['filled 1 5@11', 'filled 2 5@11'])
  send({ type: 'limit', limitPrice: '10', qty: '15' })
  exchange.onBar(daily(3, 9, 9, 9, 9, 100))
  exchange.onBar(daily(4, 11, 11, 11, 11, 100))
  exchange.onBar(daily(5, 11, 11, 9, 11, 100))
  assert.equal(said(), ['filled 3 10@9 …', 'filled 3 5@10'])
})

test('a bar without trades triggers no stop', () => {
  const { exchange, send, said } = open({ participation: 0.1 })
  send({ type: 'stop', side: 'sell', stopPrice: '9' })
  exchange.onBar(daily(1, 8, 8, 8, 8, 0))
  exchange.onBar(daily(2, 11, 11, 10, 11, 1000))
  assert.equal(said(), [])
})

test('participation without a volume is no limit; without participation volume does not matter', () => {
  const unknown = open({ participation: 0.1 })
  unknown.send({})
  unknown.exchange.onBar(daily(1, 10, 10, 10, 10, Number.NaN))
  assert.equal(unknown.said(), ['filled 1 10@10'])
  const off = open()
  off.send({})
  off.exchange.onBar(daily(1, 10, 10, 10, 10, 0))
  assert.equal(off.said(), ['filled 1 10@10'])
})

test('"all" in parts keeps the size of its first fill, and is cut where cash no longer covers it', () => {
  const { exchange, send, said } = open({ participation: 0.1, cash: '100' })
  send({ qty: 'all' })
  exchange.onBar(daily(1, 10, 10, 10, 10, 60))
  exchange.onBar(daily(2, 15, 15, 15, 15, 600))
  // Sized at 10; six at 10 leave 40, which buys two at 15.
  assert.equal(said(), ['filled 1 6@10 …', 'filled 1 2@15 …', 'canceled 1 insufficient_cash'])
  exchange.onBar(daily(3, 5, 5, 5, 5, 600))
  assert.equal(said(), [])

  const cheaper = open({ participation: 0.1, cash: '100' })
  cheaper.send({ qty: 'all' })
  cheaper.exchange.onBar(daily(1, 10, 10, 10, 10, 60))
  cheaper.exchange.onBar(daily(2, 5, 5, 5, 5, 600))
  assert.equal(cheaper.said(), ['filled 1 6@10 …', 'filled 1 4@5'])

  const short = open({ participation: 0.1, cash: '100' })
  short.send({ qty: 'all', side: 'sell' })
  short.exchange.onBar(daily(1, 10, 10, 10, 10, 60))
  short.exchange.onBar(daily(2, 50, 50, 50, 50, 600))
  assert.equal(short.said(), ['filled 1 6@10 …', 'filled 1 4@50'])

  const canceled = open({ participation: 0.1, cash: '100' }, (report) => {
    if (report.price === '15') canceled.exchange.cancel('1', 0)
  })
  canceled.send({ qty: 'all' })
  canceled.exchange.onBar(daily(1, 10, 10, 10, 10, 60))
  canceled.exchange.onBar(daily(2, 15, 15, 15, 15, 600))
  assert.equal(canceled.said(), [
    'filled 1 6@10 …',
    'filled 1 2@15 …',
    'canceled 1 cancel_requested',
  ])
})

test('an order with an end is last eligible on the bar that reaches it', () => {
  const { exchange, reports, send, said } = open()
  const never = { type: 'limit', limitPrice: '1' } as const
  send({ ...never, expiresAt: 3 * DAY_MS })
  send({ ...never, expiresAt: 3 * DAY_MS + 1 })
  send({ type: 'limit', limitPrice: '9', expiresAt: 3 * DAY_MS })
  exchange.onBar(daily(1, 10, 10, 10, 10))
  assert.equal(said(), [])
  exchange.onBar(daily(2, 10, 10, 8, 10))
  assert.is(reports.find((report) => report.kind === 'expired')?.occurredAt, 2 * DAY_MS)
  assert.equal(said(), ['filled 3 10@9', 'expired 1 expired'])
  // A bar that starts at the end or later fills nothing of it.
  exchange.onBar(daily(4, 0.5, 0.5, 0.5, 0.5))
  assert.equal(said(), ['expired 2 expired'])
})

test('a day order ends with the UTC day of its first bar, gtc never', () => {
  const { exchange, send, said } = open()
  const minute = (at: number, price: number): Bar => ({
    ...daily(0, price, price, price, price),
    time: at,
    end: at + MINUTE,
  })
  const friday = 4 * DAY_MS + 20 * 60 * MINUTE
  const monday = 7 * DAY_MS + 14 * 60 * MINUTE
  exchange.onBar(minute(friday, 10))
  send({ type: 'limit', limitPrice: '5', timeInForce: 'day' }, friday + MINUTE)
  send({ type: 'limit', limitPrice: '4' }, friday + MINUTE)
  exchange.onBar(minute(monday, 10))
  exchange.onBar(minute(monday + MINUTE, 10))
  assert.equal(said(), [])
  exchange.onBar(minute(monday + DAY_MS, 3))
  assert.equal(said(), ['expired 1 expired', 'filled 2 10@3'])
})

test('a day order on daily bars lives one bar', () => {
  const { exchange, send, said } = open({ participation: 0.1 })
  send({ timeInForce: 'day', qty: '15' })
  exchange.onBar(daily(1, 10, 10, 10, 10, 100))
  assert.equal(said(), ['filled 1 10@10 …', 'expired 1 expired'])
  const same = open({ participation: 0.1, fill: 'same-close' })
  same.exchange.onBar(daily(1, 10, 10, 10, 10, 100))
  same.send({ timeInForce: 'day', qty: '15' }, 2 * DAY_MS)
  same.exchange.onBar(daily(2, 10, 10, 10, 10, 0))
  same.send({ timeInForce: 'day', qty: '15' }, 3 * DAY_MS)
  assert.equal(same.said(), ['filled 1 10@10 …', 'expired 1 expired', 'expired 2 expired'])
})

test('fractions of shares and prices beyond safe integers stay exact', () => {
  const { exchange, send, said } = open({ cash: '10000000000000' })
  send({ qty: '0.5' })
  send({ qty: '1000000' })
  exchange.onBar(daily(1, 3_000_000.25, 3_000_000.25, 3_000_000.25, 3_000_000.25))
  assert.equal(said(), ['filled 1 0.5@3000000.25', 'filled 2 1000000@3000000.25'])
  assert.is(format(exchange.account.cash), '6999998249999.875')
})

test.run()
