/** For tests: random streams of orders, requests and bars, with settings to meet them. */
import * as fc from 'fast-check'
import type { ExchangeSettings } from '../../schemas/types.gen.ts'
import type { Bar } from '../market/bar.ts'
import type { BrokerOrder, Replacement } from '../ports/broker.ts'
import { parseTime } from '../time.ts'
import type { Exchange } from '../exchange/exchange.ts'

export type Step =
  | { do: 'submit'; order: BrokerOrder }
  | { do: 'cancel'; clientOrderId: string }
  | { do: 'replace'; clientOrderId: string; by: Replacement }
  | { do: 'bar'; bar: Bar }

export const SYMBOLS = ['A', 'B']
/** 4:00 in New York on a Monday: bars of two hours pass through all phases of the day. */
const START = parseTime('2024-03-04T09:00:00Z')
const HOURS_2 = 2 * 3_600_000

export const settings: fc.Arbitrary<ExchangeSettings> = fc.record({
  cash: fc.constantFrom('1000', '20000', '500000'),
  fill: fc.constantFrom('next-open' as const, 'same-close' as const),
  limitFill: fc.constantFrom('touch' as const, 'through' as const),
  participation: fc.constantFrom(0, 0, 0.1, 0.5),
  slippageBps: fc.constantFrom(0, 2.5, 100),
  commission: fc.constantFrom('0', '0.001'),
  feePerShare: fc.constantFrom('0', '0.005'),
  feeMin: fc.constantFrom('0', '1'),
  trail: fc.constantFrom('extreme' as const, 'close' as const),
  spreadBps: fc.constantFrom(0, 4),
  impactBps: fc.constantFrom(0, 50),
  regulatoryFees: fc.constantFrom('none' as const, 'us-equity' as const),
  borrowRate: fc.constantFrom('0', '0.36'),
  shorts: fc.constantFrom('all' as const, 'all' as const, 'none' as const, 'listed' as const),
  shortable: fc.constant(['A']),
  washTrades: fc.constantFrom('allow' as const, 'refuse' as const),
  sessions: fc.constantFrom('none' as const, 'us-equity' as const, 'crypto' as const),
})

const price = fc.integer({ min: 900, max: 1100 }).map((n) => n / 100)
const text = price.map(String)
/** Orders have every third number, their legs the two behind. */
const id = fc.oneof(
  fc.nat(9).map((n) => 1 + 3 * n),
  fc.nat(40),
)
const trails = fc.constantFrom('0.1', '0.5', '2')

const order = fc.record({
  symbol: fc.constantFrom(...SYMBOLS),
  side: fc.constantFrom('buy' as const, 'sell' as const),
  type: fc.constantFrom<BrokerOrder['type']>(
    'market',
    'limit',
    'limit',
    'stop',
    'stop_limit',
    'trailing_stop',
    'close',
  ),
  qty: fc.constantFrom('1', '7', '30', '30', '250', '0.75', 'all', 'notional'),
  timeInForce: fc.constantFrom<BrokerOrder['timeInForce']>(
    'day',
    'gtc',
    'gtc',
    'gtc',
    'ioc',
    'fok',
    'opg',
    'cls',
  ),
  orderClass: fc.constantFrom('simple' as const, 'simple' as const, 'bracket', 'oco', 'oto'),
  limit: text,
  stop: text,
  trail: trails,
  byPercent: fc.boolean(),
  extended: fc.constantFrom(false, false, true),
  gap: fc.integer({ min: 5, max: 60 }),
  trailing: fc.constantFrom(false, false, true),
  lives: fc.option(fc.nat(6), { freq: 4 }),
})

type Drawn = typeof order extends fc.Arbitrary<infer T> ? T : never

/** Makes an order that mostly can be worked out of what was drawn. */
function build(drawn: Drawn, id: number, now: number): BrokerOrder {
  const { orderClass, side, type } = drawn
  const classed = orderClass !== 'simple'
  const kind = orderClass === 'oco' ? 'limit' : type
  const one: BrokerOrder = {
    clientOrderId: `o-${id}`,
    orderId: id,
    symbol: drawn.symbol,
    side,
    type: kind,
    qty: classed ? '30' : drawn.qty,
    timeInForce: classed ? 'gtc' : drawn.timeInForce,
  }
  if (kind === 'limit' || kind === 'stop_limit') one.limitPrice = drawn.limit
  if (kind === 'stop' || kind === 'stop_limit') one.stopPrice = drawn.stop
  if (kind === 'trailing_stop' && drawn.byPercent) one.trailPercent = drawn.trail
  else if (kind === 'trailing_stop') one.trailAmount = drawn.trail
  if (one.qty === 'notional') one.notional = '123.45'
  if (drawn.extended && kind === 'limit' && !classed) one.extendedHours = true
  if (drawn.lives !== null) one.expiresAt = now + drawn.lives * HOURS_2
  if (!classed) return one
  const away = side === 'buy' ? 1 : -1
  const exit = side === 'buy' ? 'sell' : 'buy'
  const around = Number(kind === 'stop' ? drawn.stop : drawn.limit)
  const at = (distance: number): string => (around + (away * distance) / 100).toFixed(2)
  const stopAt = orderClass === 'oco' ? at(drawn.gap) : at(-drawn.gap)
  const leg = (offset: number, terms: Partial<BrokerOrder>): BrokerOrder => ({
    ...{ clientOrderId: `o-${id + offset}`, orderId: id + offset, symbol: drawn.symbol },
    ...{ side: orderClass === 'oco' ? side : exit, type: 'stop', qty: '30', timeInForce: 'gtc' },
    ...terms,
  })
  const stop = drawn.trailing
    ? leg(1, { type: 'trailing_stop', trailAmount: drawn.trail })
    : leg(1, { stopPrice: stopAt })
  const profit = leg(2, { type: 'limit', limitPrice: at(drawn.gap) })
  one.orderClass = orderClass
  one.legs = orderClass === 'bracket' ? [profit, stop] : [stop]
  return one
}

export const streams: fc.Arbitrary<Step[]> = fc
  .array(
    fc.oneof(
      {
        weight: 5,
        arbitrary: fc.record({
          do: fc.constant('bar' as const),
          symbolIndex: fc.nat(1),
          prices: fc.array(price, { minLength: 4, maxLength: 4 }),
          volume: fc.constantFrom(0, 57, 400, 1000, Number.NaN),
          skip: fc.constantFrom(1, 1, 1, 2, 7),
        }),
      },
      { weight: 5, arbitrary: fc.record({ do: fc.constant('submit' as const), drawn: order }) },
      {
        weight: 1,
        arbitrary: fc.record({ do: fc.constant('cancel' as const), id }),
      },
      {
        weight: 2,
        arbitrary: fc.record({
          do: fc.constant('replace' as const),
          id,
          what: fc.constantFrom('qty', 'less', 'limit', 'stop', 'trail', 'time', 'nothing'),
          price: text,
        }),
      },
    ),
    { maxLength: 50, size: 'max' },
  )
  .map((list) => {
    let slot = 0
    let last = 0
    let now = START
    const shown = [-1, -1]
    return list.map((item): Step => {
      if (item.do === 'cancel') return { do: 'cancel', clientOrderId: `o-${item.id}` }
      if (item.do === 'submit') {
        const made = build(item.drawn, last + 1, now)
        last += 3
        return { do: 'submit', order: made }
      }
      if (item.do === 'replace') {
        const by: Replacement = { clientOrderId: `o-${last + 1}`, orderId: last + 1 }
        last += 3
        if (item.what === 'qty') by.qty = '40'
        else if (item.what === 'less') by.qty = '1'
        else if (item.what === 'limit') by.limitPrice = item.price
        else if (item.what === 'stop') by.stopPrice = item.price
        else if (item.what === 'trail') by.trailAmount = '0.3'
        else if (item.what === 'time') by.timeInForce = 'day'
        return { do: 'replace', clientOrderId: `o-${item.id}`, by }
      }
      // Both symbols may have a bar at one time, never two.
      if (shown[item.symbolIndex] === slot) slot += item.skip
      shown[item.symbolIndex] = slot
      const [open, a, b, close] = item.prices as [number, number, number, number]
      const time = START + slot * HOURS_2
      now = time + HOURS_2
      const bar: Bar = {
        symbol: SYMBOLS[item.symbolIndex]!,
        symbolIndex: item.symbolIndex,
        time,
        end: now,
        open,
        high: Math.max(open, a, b, close),
        low: Math.min(open, a, b, close),
        close,
        volume: item.volume,
      }
      return { do: 'bar', bar }
    })
  })

/** Plays the steps from one on; `after` hears of each. */
export function play(
  exchange: Exchange,
  steps: readonly Step[],
  from = 0,
  after?: (step: Step) => void,
): void {
  let now = START
  steps.forEach((step, i) => {
    if (step.do === 'bar') now = step.bar.end
    if (i < from) return
    if (step.do === 'bar') exchange.onBar(step.bar)
    else if (step.do === 'submit') exchange.submit(step.order, now)
    else if (step.do === 'cancel') exchange.cancel(step.clientOrderId, now)
    else exchange.replace(step.clientOrderId, step.by, now)
    after?.(step)
  })
}
