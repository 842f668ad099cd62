/**
 * Bars per second at the exchange while orders rest far from the market, which a bar must not pay for. The exchange
 * alone, in this process: `node --import tsx scripts/bench/resting-orders.ts`.
 */
import { performance } from 'node:perf_hooks'
import { pathToFileURL } from 'node:url'
import { Exchange } from '../../engine/exchange/exchange.ts'
import type { Bar } from '../../engine/market/bar.ts'
import type { BrokerOrder } from '../../engine/ports/broker.ts'

export interface RestingRun {
  /** Orders that rest, limits and stops of both sides, none within reach. */
  resting: number
  bars: number
  barsPerSecond: number
}

const SYMBOL = 'GEN'
const WARM_UP = 50_000

/** Half below, half above a market at 100; each side limits and stops. */
function restingOrder(n: number): BrokerOrder {
  const below = n % 2 === 0
  const limit = n % 4 < 2
  const price = below ? (50 - (n % 4000) / 100).toFixed(2) : (150 + (n % 4000) / 100).toFixed(2)
  return {
    clientOrderId: `rest-${n + 1}`,
    orderId: n + 1,
    symbol: SYMBOL,
    side: below === limit ? 'buy' : 'sell',
    type: limit ? 'limit' : 'stop',
    qty: '1',
    ...(limit ? { limitPrice: price } : { stopPrice: price }),
    timeInForce: 'gtc',
  }
}

export function benchResting(resting: number, bars: number): RestingRun {
  let said = 0
  const exchange = new Exchange(
    {
      cash: '1000000',
      fill: 'next-open',
      limitFill: 'through',
      participation: 0.1,
      slippageBps: 1,
      commission: '0.001',
      feePerShare: '0',
      feeMin: '0',
    },
    () => {
      said++
    },
  )
  for (let n = 0; n < resting; n++) exchange.submit(restingOrder(n), 0)
  const bar: Bar = {
    symbol: SYMBOL,
    symbolIndex: 0,
    time: 0,
    end: 0,
    open: 100,
    high: 101,
    low: 99,
    close: 100,
    volume: 100_000,
  }
  const run = (count: number): void => {
    for (let i = 0; i < count; i++) {
      bar.time += 60_000
      bar.end = bar.time + 60_000
      // Whole cents that differ from bar to bar, within 95 and 105.
      bar.open = 100 + (i % 7) / 100
      bar.high = 101 + (i % 400) / 100
      bar.low = 99 - (i % 400) / 100
      bar.close = 100 + (i % 11) / 100
      exchange.onBar(bar)
    }
  }
  run(WARM_UP)
  const start = performance.now()
  run(bars)
  const seconds = (performance.now() - start) / 1000
  if (said !== resting || exchange.resting(SYMBOL) !== resting) {
    throw new Error('an order that should rest did not: the figure would mean nothing')
  }
  return { resting, bars, barsPerSecond: Math.round(bars / seconds) }
}

/** The section of the bench: none, 1, 100 and 10,000 resting orders. */
export function benchRestingOrders(bars = 2_000_000): RestingRun[] {
  return [0, 1, 100, 10_000].map((resting) => benchResting(resting, bars))
}

export function printRestingOrders(runs: readonly RestingRun[]): string {
  const lines = runs.map(({ resting, barsPerSecond }) => {
    const millions = (barsPerSecond / 1e6).toFixed(2)
    return `  ${String(resting).padStart(9)} resting  ${millions.padStart(6)}M bars/s`
  })
  return ['exchange alone, orders far from the market', ...lines].join('\n')
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  console.log(printRestingOrders(benchRestingOrders()))
}
