// One backtest over generated minute bars, in a process of its own so that its peak memory is its own.
// Runs the compiled engine: that is what users run. Prints one JSON line.
import { createHash } from 'node:crypto'
import { runBacktest } from '../../dist/engine/backtest/backtest.js'

const [bars, fast, slow, risk] = process.argv.slice(2)
const count = Number(bars)
const START = Date.UTC(2000, 0, 1)

/** A random walk with whole cents, generated as it is read: memory does not grow with the number of bars. */
function generated(length) {
  let row = 0
  let seed = 12345
  let price = 100
  const random = () => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0
    return seed / 4294967296
  }
  return {
    next(bar) {
      if (row >= length) return false
      const open = price
      // Pulled back to 100, or a long walk would end at a price where nothing moves any more.
      const next = open * (1 + (random() - 0.5) * 0.004) + (100 - open) * 0.0005
      const close = Math.round(Math.max(1, next) * 100) / 100
      bar.symbol = 'GEN'
      bar.symbolIndex = 0
      bar.time = START + row * 60_000
      bar.end = bar.time + 60_000
      bar.open = open
      bar.high = Math.max(open, close) + 0.01
      bar.low = Math.min(open, close) - 0.01
      bar.close = close
      bar.volume = 100_000
      price = close
      row++
      return true
    },
  }
}

const limits = {
  maxOrderNotional: '1000000',
  maxPosition: '1000',
  maxGrossExposure: '5',
  priceCollar: '0.05',
  maxDailyLoss: '0.5',
  maxDrawdown: '0.9',
}
const input = (length) => ({
  settings: {
    feed: 'historical',
    timeframe: '1m',
    symbols: [],
    strategies: [
      {
        name: 'sma_cross',
        params: { fast: Number(fast), slow: Number(slow), mode: 'reverse', size: '10' },
      },
    ],
    risk: risk === 'on' ? limits : null,
    exchange: {
      cash: '1000000',
      fill: 'next-open',
      limitFill: 'through',
      participation: 0.1,
      slippageBps: 1,
      commission: '0.001',
      feePerShare: '0',
      feeMin: '0',
    },
  },
  bars: generated(length),
  hash: createHash('sha256'),
})

// The compiler of the JavaScript engine needs a few thousand decisions to settle.
runBacktest(input(100_000))
const cpu = process.cpuUsage()
const began = performance.now()
const result = runBacktest(input(count))
const seconds = (performance.now() - began) / 1000
const used = process.cpuUsage(cpu)
const cpuSeconds = (used.user + used.system) / 1e6
console.log(
  JSON.stringify({
    bars: result.bars,
    orders: result.orders.submitted,
    decisions: result.decisions,
    seconds,
    cpuSeconds,
    barsPerSecond: Math.round(result.bars / seconds),
    barsPerCpuSecond: Math.round(result.bars / cpuSeconds),
    peakMemoryMb: Math.round(process.resourceUsage().maxRSS / 1024),
    digest: result.digest,
  }),
)
