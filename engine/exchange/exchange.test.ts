import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { ExchangeSettings } from '../../schemas/types.gen.ts'
import { format } from '../decimal.ts'
import type { Bar } from '../market/bar.ts'
import type { BrokerOrder, BrokerReport } from '../ports/broker.ts'
import { DAY_MS } from '../time.ts'
import { Exchange } from './exchange.ts'
import { ExchangeSettingsError } from './fees.ts'

const MINUTE = 60_000

/** A daily bar of symbol A: day number, open, high, low, close, volume. */
function daily(day: number, o: number, h: number, l: number, c: number, volume = 1e6): Bar {
  const time = day * DAY_MS
  return { ...BAR, time, end: time + DAY_MS, open: o, high: h, low: l, close: c, volume }
}

const BAR: Bar = {
  symbol: 'A',
  symbolIndex: 0,
  time: 0,
  end: DAY_MS,
  open: 10,
  high: 10,
  low: 10,
  close: 10,
  volume: 1e6,
}

/** An exchange with its reports, shortened to "kind id qty@price" or "kind id code". */
function open(settings: Partial<ExchangeSettings> = {}, handler?: (r: BrokerReport) => void) {
  const reports: BrokerReport[] = []
  const exchange = new Exchange(
    {
      cash: '10000',
      fill: 'next-open',
      limitFill: 'through',
      participation: 0,
      slippageBps: 0,
      commission: '0',
      feePerShare: '0',
      feeMin: '0',
      ...settings,
    },
    (report) => {
      reports.push(report)
      handler?.(report)
    },
  )
  let orderId = 0
  const send = (order: Partial<BrokerOrder>, now = 0): string => {
    const clientOrderId = order.clientOrderId ?? `${++orderId}`
    exchange.submit(
      {
        clientOrderId,
        orderId: Number(clientOrderId),
        symbol: 'A',
        side: 'buy',
        type: 'market',
        qty: '10',
        timeInForce: 'gtc',
        ...order,
      },
      now,
    )
    return clientOrderId
  }
  /** What was said since the last call, acceptances left out. */
  const said = (): string[] => {
    const texts = reports
      .filter((report) => report.kind !== 'accepted')
      .map((report) =>
        report.kind === 'filled'
          ? `filled ${report.clientOrderId} ${report.qty}@${report.price}${report.complete ? '' : ' …'}`
          : `${report.kind} ${report.clientOrderId} ${report.code}`,
      )
    reports.length = 0
    return texts
  }
  return { exchange, reports, send, said }
}

test('reports are numbered from 1 and say what they are about', () => {
  const { exchange, reports, send } = open({ commission: '0.001' })
  send({}, 5)
  send({ qty: '-1' }, 6)
  exchange.onBar(daily(1, 20, 21, 19, 20))
  assert.equal(reports, [
    { sequence: 1, kind: 'accepted', clientOrderId: '1', orderId: 1, symbol: 'A', occurredAt: 5 },
    {
      sequence: 2,
      kind: 'rejected',
      clientOrderId: '2',
      orderId: 2,
      symbol: 'A',
      occurredAt: 6,
      code: 'invalid_qty',
      reason: 'qty is "-1": give a decimal above zero, or all',
    },
    {
      sequence: 3,
      kind: 'filled',
      clientOrderId: '1',
      orderId: 1,
      symbol: 'A',
      occurredAt: DAY_MS,
      side: 'buy',
      qty: '10',
      price: '20',
      fee: '0.2',
      complete: true,
    },
  ])
  assert.is(exchange.sequence, 3)
  assert.is(format(exchange.account.cash), '9799.8')
  assert.is(format(exchange.account.fees), '0.2')
  assert.is(format(exchange.account.position('A')), '10')
  assert.equal([...exchange.account.symbols()], ['A'])
  send({ side: 'sell' })
  exchange.onBar(daily(2, 20, 21, 19, 20))
  assert.is(exchange.account.position('A'), 0)
  assert.equal([...exchange.account.symbols()], [])
})

test('an id submitted again is ignored, also when it was refused or is over', () => {
  const { exchange, reports, send } = open()
  send({ clientOrderId: '1' })
  send({ clientOrderId: '2', qty: '0' })
  exchange.onBar(daily(1, 10, 10, 10, 10))
  const before = reports.length
  send({ clientOrderId: '1' })
  send({ clientOrderId: '2' })
  exchange.onBar(daily(2, 10, 10, 10, 10))
  assert.is(reports.length, before)
  assert.ok(exchange.knows('1'))
  assert.ok(exchange.knows('2'))
  assert.not(exchange.knows('3'))
})

test('next-open: a market order fills at the open of the next bar of its symbol', () => {
  const { exchange, send, said } = open()
  exchange.onBar(daily(1, 10, 12, 9, 11))
  send({}, 2 * DAY_MS)
  exchange.onBar({ ...BAR, symbol: 'B', symbolIndex: 1, time: 2 * DAY_MS })
  assert.equal(said(), [])
  exchange.onBar(daily(3, 13, 14, 12, 13))
  assert.equal(said(), ['filled 1 10@13'])
  exchange.onBar(daily(4, 14, 14, 14, 14))
  assert.equal(said(), [])
})

test('same-close: a market order fills at once at the close of the bar shown last', () => {
  const { exchange, reports, send, said } = open({ fill: 'same-close' })
  exchange.onBar(daily(1, 10, 12, 9, 11))
  send({}, 2 * DAY_MS)
  assert.is(reports.at(-1)?.occurredAt, DAY_MS)
  assert.equal(said(), ['filled 1 10@11'])
})

test('same-close: before the first bar, or when the last is stale, it waits for the next close', () => {
  const { exchange, send, said } = open({ fill: 'same-close' })
  send({})
  assert.equal(said(), [])
  exchange.onBar(daily(1, 10, 12, 9, 11))
  assert.equal(said(), ['filled 1 10@11'])
  send({}, 3 * DAY_MS)
  assert.equal(said(), [])
  exchange.onBar(daily(4, 20, 22, 19, 21))
  assert.equal(said(), ['filled 2 10@21'])
})

test('same-close: limits and stops wait for the next bar', () => {
  const { exchange, send, said } = open({ fill: 'same-close' })
  exchange.onBar(daily(1, 10, 12, 9, 11))
  send({ type: 'limit', limitPrice: '12' }, 2 * DAY_MS)
  send({ type: 'stop', stopPrice: '10' }, 2 * DAY_MS)
  send({ type: 'close' }, 2 * DAY_MS)
  assert.equal(said(), [])
  exchange.onBar(daily(2, 11, 11, 11, 10.5))
  assert.equal(said(), ['filled 1 10@11', 'filled 2 10@11', 'filled 3 10@10.5'])
})

test('a close order fills at the close of the next bar', () => {
  const { exchange, send, said } = open()
  send({ type: 'close', side: 'sell' })
  exchange.onBar(daily(1, 10, 12, 9, 11))
  assert.equal(said(), ['filled 1 10@11'])
})

test('a limit fills at the open when that is better, else at the limit once traded through', () => {
  const through = open()
  const touch = open({ limitFill: 'touch' })
  // side, limit, bar, price with "through", price with "touch"
  const cases: ['buy' | 'sell', string, [number, number, number, number], string, string][] = [
    ['buy', '10', [9, 11, 8, 10], '9', '9'],
    ['buy', '10', [11, 12, 9.99, 11], '10', '10'],
    ['buy', '10', [11, 12, 10, 11], '', '10'],
    ['buy', '10', [10, 12, 10, 11], '', '10'],
    ['buy', '10', [10, 12, 9, 11], '10', '10'],
    ['buy', '10', [11, 12, 10.01, 11], '', ''],
    ['sell', '10', [11, 12, 9, 10], '11', '11'],
    ['sell', '10', [9, 10.01, 8, 9], '10', '10'],
    ['sell', '10', [9, 10, 8, 9], '', '10'],
    ['sell', '10', [10, 10, 8, 9], '', '10'],
    ['sell', '10', [9, 9.99, 8, 9], '', ''],
  ]
  cases.forEach(([side, limitPrice, [o, h, l, c], wantThrough, wantTouch], i) => {
    for (const [{ exchange, send, said }, want] of [
      [through, wantThrough],
      [touch, wantTouch],
    ] as const) {
      const id = send({ side, type: 'limit', limitPrice })
      exchange.onBar(daily(i + 1, o, h, l, c))
      assert.equal(said(), want === '' ? [] : [`filled ${id} 10@${want}`], `case ${i}`)
      exchange.cancel(id, 0)
      said()
    }
  })
})

test('a stop fills at its price once reached, and at the open when it was jumped over', () => {
  const { exchange, send, said } = open()
  const cases: ['buy' | 'sell', string, [number, number, number, number], string][] = [
    ['buy', '10', [9, 10, 8, 9], '10'],
    ['buy', '10', [11, 12, 10.5, 11], '11'],
    ['buy', '10', [9, 9.99, 8, 9], ''],
    ['sell', '10', [11, 12, 10, 11], '10'],
    ['sell', '10', [9, 12, 8, 11], '9'],
    ['sell', '10', [11, 12, 10.01, 11], ''],
  ]
  cases.forEach(([side, stopPrice, [o, h, l, c], want], i) => {
    const id = send({ side, type: 'stop', stopPrice })
    exchange.onBar(daily(i + 1, o, h, l, c))
    assert.equal(said(), want === '' ? [] : [`filled ${id} 10@${want}`], `case ${i}`)
    exchange.cancel(id, 0)
    said()
  })
})

test('slippage goes against market, stop and close orders, never against a limit', () => {
  const { exchange, send, said } = open({ slippageBps: 50, limitFill: 'touch' })
  send({})
  send({ side: 'sell' })
  send({ type: 'stop', stopPrice: '101' })
  send({ type: 'close', side: 'sell' })
  send({ type: 'limit', limitPrice: '99' })
  send({ type: 'limit', limitPrice: '120' })
  exchange.onBar(daily(1, 100, 102, 98, 100))
  assert.equal(said(), [
    'filled 1 10@100.5',
    'filled 2 10@99.5',
    'filled 6 10@100',
    'filled 3 10@101.505',
    'filled 5 10@99',
    'filled 4 10@99.5',
  ])
})

test('slippage is rounded to nine decimals, and never makes a price of zero', () => {
  const small = open({ slippageBps: 1 })
  small.send({})
  small.exchange.onBar(daily(1, 0.123456, 1, 0.1, 1))
  assert.equal(small.said(), ['filled 1 10@0.123468346'])
  const whole = open({ slippageBps: 10_000 })
  whole.send({ side: 'sell' })
  whole.exchange.onBar(daily(1, 10, 10, 10, 10))
  assert.equal(whole.said(), ['filled 1 10@0.000000001'])
})

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
  exchange.onBar(daily(2, 10, 10, 10, 10, 50))
  // Of two shares the first bar has 0.5 left after one whole part: nothing for "all", which stays unsized.
  assert.equal(said(), [
    'filled 1 0.5@10',
    'filled 2 1@10 …',
    'filled 2 0.75@10',
    'filled 3 4@10 …',
  ])
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

test('cancel ends a working order once; what is unknown or over is ignored', () => {
  const { exchange, reports, send, said } = open()
  const id = send({})
  exchange.cancel('nobody', 1)
  exchange.cancel(id, 2)
  assert.is(reports.at(-1)?.occurredAt, 2)
  exchange.cancel(id, 3)
  exchange.onBar(daily(1, 10, 10, 10, 10))
  assert.equal(said(), ['canceled 1 cancel_requested'])
})

test('within a bar: the open, stops, limits, the close; in each, order of submission', () => {
  const { exchange, send, said } = open()
  send({ type: 'close' })
  send({ type: 'limit', limitPrice: '9' })
  send({ type: 'stop', stopPrice: '11' })
  send({})
  send({ type: 'limit', limitPrice: '12' })
  exchange.onBar(daily(1, 10, 12, 8, 10.5))
  assert.equal(said(), [
    'filled 4 10@10',
    'filled 5 10@10',
    'filled 3 10@11',
    'filled 2 10@9',
    'filled 1 10@10.5',
  ])
})

test('a bar that reaches a stop and a limit of one side is ambiguous; a gap is not', () => {
  const { exchange, send, said } = open()
  const bracket = () => {
    const ids = [
      send({ side: 'sell', type: 'limit', limitPrice: '12' }),
      send({ side: 'sell', type: 'stop', stopPrice: '9' }),
    ]
    return () => {
      for (const id of ids) exchange.cancel(id, 0)
      said()
    }
  }
  let end = bracket()
  exchange.onBar(daily(1, 10, 12, 9, 10))
  assert.is(exchange.ambiguousBars, 0, 'the limit was not traded through')
  end()
  end = bracket()
  exchange.onBar(daily(2, 13, 13, 8, 10))
  assert.is(exchange.ambiguousBars, 0, 'the limit filled at the open')
  end()
  end = bracket()
  exchange.onBar(daily(2.5, 9, 13, 8, 10))
  assert.is(exchange.ambiguousBars, 0, 'the stop filled at the open')
  end()
  send({ side: 'buy', type: 'stop', stopPrice: '12' })
  send({ side: 'sell', type: 'limit', limitPrice: '12' })
  exchange.onBar(daily(3, 10, 13, 8, 10))
  assert.is(exchange.ambiguousBars, 0, 'not of one side')
  said()
  bracket()
  exchange.onBar(daily(4, 10, 13, 8, 10))
  assert.is(exchange.ambiguousBars, 1)
  assert.equal(
    said().map((text) => text.slice(-2)),
    ['@9', '12'],
    'the stop goes first',
  )
})

test('a limit touched by the open fills before what is inside the bar', () => {
  const { exchange, send, said } = open({ limitFill: 'touch' })
  send({ side: 'sell', type: 'stop', stopPrice: '9' })
  send({ side: 'sell', type: 'limit', limitPrice: '10' })
  exchange.onBar(daily(1, 10, 13, 8, 10))
  assert.equal(said(), ['filled 2 10@10', 'filled 1 10@9'])
  assert.is(exchange.ambiguousBars, 0)
})

test('canceling from inside a report keeps the other leg from filling in the same bar', () => {
  let take = ''
  const { exchange, send, said } = open({}, (report) => {
    if (report.kind === 'filled') exchange.cancel(take, report.occurredAt)
  })
  take = send({ side: 'sell', type: 'limit', limitPrice: '12' })
  send({ side: 'sell', type: 'stop', stopPrice: '9' })
  exchange.onBar(daily(1, 10, 13, 8, 10))
  assert.equal(said(), ['filled 2 10@9', 'canceled 1 cancel_requested'])
  assert.is(exchange.ambiguousBars, 1)
})

test('an order submitted from inside a report waits for the next bar', () => {
  const { exchange, send, said } = open({}, (report) => {
    if (report.kind === 'filled' && report.orderId === 1) {
      send({ side: 'sell' })
      send({ side: 'sell', type: 'limit', limitPrice: '5', expiresAt: 2 * DAY_MS })
    }
  })
  send({})
  exchange.onBar(daily(1, 10, 13, 8, 10))
  assert.equal(said(), ['filled 1 10@10', 'expired 3 expired'])
  exchange.onBar(daily(2, 11, 13, 8, 10))
  assert.equal(said(), ['filled 2 10@11'])
})

test('same-close: a market order from inside a report fills at the close of that bar', () => {
  const { exchange, send, said } = open({ fill: 'same-close' }, (report) => {
    if (report.kind === 'filled' && report.orderId === 1) send({ side: 'sell', symbol: 'B' })
    if (report.kind === 'filled' && report.orderId === 2) send({ side: 'sell' })
  })
  exchange.onBar({ ...daily(0, 7, 7, 7, 7), symbol: 'B', symbolIndex: 1 })
  send({ type: 'limit', limitPrice: '10' })
  exchange.onBar(daily(1, 9, 13, 8, 12))
  // The order for B meets the close of B's newest bar, the one for A the close of the bar at hand.
  assert.equal(said(), ['filled 1 10@9', 'filled 2 10@7', 'filled 3 10@12'])
})

test('same-close: such an order comes after all else the bar fills', () => {
  const { exchange, send, said } = open({ fill: 'same-close' }, (report) => {
    if (report.kind === 'filled' && report.orderId === 1) send({ side: 'sell' })
  })
  exchange.onBar(daily(1, 11, 11, 11, 11))
  send({ type: 'limit', limitPrice: '10' })
  send({ type: 'limit', limitPrice: '8.5' })
  exchange.onBar(daily(2, 9, 13, 8, 12))
  assert.equal(said(), ['filled 1 10@9', 'filled 2 10@8.5', 'filled 3 10@12'])
})

test('an order canceled from inside its acceptance does not trade', () => {
  const { exchange, send, said } = open({ fill: 'same-close' }, (report) => {
    if (report.kind === 'accepted') exchange.cancel(report.clientOrderId, 0)
  })
  exchange.onBar(daily(1, 10, 10, 10, 10))
  send({})
  assert.equal(said(), ['canceled 1 cancel_requested'])
})

test('a bar that is not newer than the last of its symbol is ignored', () => {
  const { exchange, send, said } = open()
  exchange.onBar(daily(2, 10, 10, 10, 10))
  send({})
  exchange.onBar(daily(2, 11, 11, 11, 11))
  exchange.onBar(daily(1, 12, 12, 12, 12))
  assert.equal(said(), [])
  exchange.onBar(daily(3, 13, 13, 13, 13))
  assert.equal(said(), ['filled 1 10@13'])
})

test('a wrong symbol number does no harm', () => {
  const { exchange, send, said } = open()
  send({})
  exchange.onBar({ ...daily(1, 20, 20, 20, 20), symbol: 'B' })
  exchange.onBar({ ...daily(1, 10, 10, 10, 10), symbolIndex: -1 })
  assert.equal(said(), ['filled 1 10@10'])
  send({})
  exchange.onBar(daily(2, 11, 11, 11, 11))
  assert.equal(said(), ['filled 2 10@11'])
})

test('fractions of shares and prices beyond safe integers stay exact', () => {
  const { exchange, send, said } = open({ cash: '10000000000000' })
  send({ qty: '0.5' })
  send({ qty: '1000000' })
  exchange.onBar(daily(1, 3_000_000.25, 3_000_000.25, 3_000_000.25, 3_000_000.25))
  assert.equal(said(), ['filled 1 0.5@3000000.25', 'filled 2 1000000@3000000.25'])
  assert.is(format(exchange.account.cash), '6999998249999.875')
})

test('restoring puts back ids, positions and what is left of the bar, and nothing else stays', () => {
  const settings = { fill: 'same-close', participation: 0.1 } as const
  const first = open(settings)
  first.exchange.onBar(daily(1, 10, 10, 10, 10, 100))
  first.exchange.onBar({ ...daily(1, 20, 20, 20, 20, Number.NaN), symbol: 'B', symbolIndex: 1 })
  first.send({ clientOrderId: '1', qty: '6' }, DAY_MS)
  const { exchange, send, said } = open(settings)
  exchange.onBar({ ...daily(1, 30, 30, 30, 30), symbol: 'C' })
  send({ clientOrderId: '9', symbol: 'C' }, DAY_MS)
  said()

  exchange.restore(JSON.parse(JSON.stringify(first.exchange.snapshot())))
  assert.is(exchange.sequence, 2)
  assert.ok(exchange.knows('1'))
  assert.not(exchange.knows('9'))
  assert.equal([...exchange.account.symbols()], ['A'])
  assert.is(format(exchange.account.cash), '9940')
  send({ clientOrderId: '2', qty: '6' }, DAY_MS)
  send({ clientOrderId: '3', qty: '600', symbol: 'B', side: 'sell' }, DAY_MS)
  send({ clientOrderId: '4', symbol: 'C' }, DAY_MS)
  assert.equal(said(), ['filled 2 4@10 …', 'filled 3 600@20'])
})

test('what must not be done from inside a report throws', () => {
  for (const forbidden of [
    (exchange: Exchange) => exchange.onBar(daily(2, 1, 1, 1, 1)),
    (exchange: Exchange) => exchange.snapshot(),
    (exchange: Exchange) => exchange.restore(open().exchange.snapshot()),
  ]) {
    const { exchange, send } = open({}, (report) => {
      if (report.kind !== 'filled') return
      send({})
      forbidden(exchange)
    })
    send({})
    assert.throws(() => exchange.onBar(daily(1, 10, 10, 10, 10)), /from inside a report/)
    // The failure leaves no trace in the matching itself.
    assert.is(exchange.snapshot().books[0]?.orders.length, 1)
  }
})

test('settings out of range are refused by name', () => {
  const cases: [string, Partial<ExchangeSettings>][] = [
    ['participation', { participation: 1.1 }],
    ['participation', { participation: -0.1 }],
    ['participation', { participation: Number.NaN }],
    ['participation', { participation: 1e-12 }],
    ['slippageBps', { slippageBps: -1 }],
    ['slippageBps', { slippageBps: 10_001 }],
  ]
  for (const [name, settings] of cases) {
    assert.throws(
      () => open(settings),
      (error: unknown) =>
        error instanceof ExchangeSettingsError && error.message.startsWith(`exchange.${name} is `),
    )
  }
})

test.run()
