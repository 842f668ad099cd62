import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { DAY_MS, parseTime } from '../time.ts'
import { daily, open } from './exchange-fixture.ts'

type Opened = ReturnType<typeof open>

function quote({ exchange }: Opened, bid: number, ask: number, time = 1, size = 100): void {
  exchange.onQuote({ symbol: 'A', bid, ask, bidSize: size, askSize: size, time })
}

function trade({ exchange }: Opened, price: number, time = 1, size = 100): void {
  exchange.onTrade({ symbol: 'A', price, size, time })
}

test('a quote fills market orders at its far side, and limits it reaches at the far side too', () => {
  const one = open({ slippageBps: 100, spreadBps: 5000 })
  one.send({})
  one.send({ side: 'sell' })
  one.send({ type: 'limit', limitPrice: '10.3' })
  one.send({ type: 'limit', limitPrice: '10.1' })
  one.send({ type: 'limit', limitPrice: '9.9', side: 'sell' })
  one.send({ type: 'stop', stopPrice: '5' })
  quote(one, 10, 10.2)
  // Slippage in basis points, but no half spread: the quote has its own.
  assert.equal(one.said(), [
    'filled 1 10@10.302',
    'filled 2 10@9.9',
    'filled 3 10@10.2',
    'filled 5 10@10',
  ])
})

test('with participation a quote trades its share of the size shown, each side on its own', () => {
  const one = open({ participation: 0.1 })
  one.send({ qty: '8' })
  one.send({ qty: '8' })
  one.send({ qty: '8', side: 'sell' })
  quote(one, 10, 11)
  assert.equal(one.said(), ['filled 1 8@11', 'filled 2 2@11 …', 'filled 3 8@10'])
})

test('a trade triggers stops, which then trade at the far side of the quote', () => {
  const one = open()
  quote(one, 10, 10.2)
  one.send({ type: 'stop', side: 'sell', stopPrice: '9.5' })
  one.send({ type: 'stop_limit', side: 'sell', stopPrice: '9.5', limitPrice: '9.9' })
  one.send({ type: 'stop_limit', side: 'sell', stopPrice: '9.5', limitPrice: '10.1' })
  quote(one, 9.4, 9.6, 2)
  assert.equal(one.said(), [], 'quotes trigger nothing')
  quote(one, 10, 10.2, 3)
  trade(one, 9.5, 4)
  assert.equal(one.said(), ['filled 1 10@10', 'filled 2 10@10'])
  quote(one, 10.1, 10.2, 5)
  assert.equal(one.said(), ['filled 3 10@10.1'])
})

test('without a quote market orders and stops trade at the trade, limits at their price', () => {
  const one = open({ participation: 0.1 })
  one.send({ qty: '4' })
  one.send({ type: 'stop', stopPrice: '9', qty: '4' })
  one.send({ type: 'limit', limitPrice: '9.5', qty: '4' })
  trade(one, 9.4)
  assert.equal(one.said(), ['filled 1 4@9.4', 'filled 2 4@9.4', 'filled 3 2@9.5 …'])
  trade(one, 9.5, 2)
  assert.equal(one.said(), [], 'touched, not traded through')
})

test('trades move trailing stops and hit them', () => {
  const one = open()
  one.send({ type: 'trailing_stop', side: 'sell', trailAmount: '1' })
  for (const [i, price] of [10, 12, 11.5, 11, 10].entries()) trade(one, price, i)
  assert.equal(one.said(), ['filled 1 10@11'])
})

test('a symbol with ticks is matched by them; its bars tell the close only', () => {
  const one = open()
  trade(one, 10)
  one.send({})
  one.send({ type: 'limit', limitPrice: '20' })
  one.send({ timeInForce: 'cls' })
  one.send({ type: 'limit', limitPrice: '1', expiresAt: 2 * DAY_MS })
  one.exchange.onBar(daily(1, 15, 16, 14, 15.5))
  assert.equal(one.said(), ['filled 3 10@15.5', 'expired 4 expired'])
  quote(one, 10, 10.5, 3 * DAY_MS)
  assert.equal(one.said(), ['filled 1 10@10.5', 'filled 2 10@10.5'])
})

test('what is good for a moment has the first tick; orders with an end end in time', () => {
  const one = open({ participation: 0.1 })
  one.send({ timeInForce: 'ioc', qty: '15' })
  one.send({ timeInForce: 'fok', qty: '15' })
  one.send({ timeInForce: 'ioc', type: 'limit', limitPrice: '9' })
  one.send({ type: 'limit', limitPrice: '9', expiresAt: 5 })
  quote(one, 10, 11, 4)
  quote(one, 10, 11, 5)
  assert.equal(one.said(), [
    'filled 1 10@11 …',
    'canceled 1 ioc_unfilled',
    'canceled 2 fok_unfilled',
    'canceled 3 ioc_unfilled',
    'expired 4 expired',
  ])
})

test('ticks keep to the session, and an older one is ignored', () => {
  const one = open({ sessions: 'us-equity' })
  const early = parseTime('2024-03-04T08:00:00-05:00')
  one.send({}, early - 1)
  one.send({ type: 'limit', limitPrice: '20', extendedHours: true }, early - 1)
  quote(one, 10, 11, early)
  assert.equal(one.said(), ['filled 2 10@11'])
  const core = parseTime('2024-03-04T09:30:00-05:00')
  quote(one, 12, 13, core)
  assert.equal(one.said(), ['filled 1 10@13'])
  one.send({}, core)
  quote(one, 1, 2, early)
  trade(one, 1, early)
  assert.equal(one.said(), [])
})

test('a snapshot keeps the quote and what it has left', () => {
  const settings = { participation: 0.1 }
  const one = open(settings)
  one.send({ qty: '8' })
  one.send({ type: 'stop', stopPrice: '11' })
  quote(one, 10, 11)
  trade(one, 10.5)
  const other = open(settings)
  other.exchange.restore(JSON.parse(JSON.stringify(one.exchange.snapshot())))
  one.said()
  for (const each of [one, other]) trade(each, 11, 2)
  assert.equal(other.said(), ['filled 2 2@11 …'])
  assert.equal(one.said(), ['filled 2 2@11 …'])
})

test('a tick from inside a report throws', () => {
  const one = open({}, ({ kind }) => {
    if (kind === 'filled') trade(one, 1, 9)
  })
  one.send({})
  assert.throws(() => quote(one, 10, 11), /from inside a report/)
})

test.run()
