// Minute bars of 500 symbols, of which most make a strategy trade now and then, and limits that stop nothing.

/** @type {readonly string[]} */
export const SYMBOLS = Array.from({ length: 500 }, (_, i) => `S${String(i).padStart(3, '0')}`)
/** Symbols whose price never moves: a strategy leaves them to whoever sends signals. */
export const STILL = SYMBOLS.slice(0, 20)

export const RISK = {
  maxOrderNotional: '1000000',
  maxPosition: '1000000',
  maxGrossExposure: '5',
  priceCollar: '0.05',
  maxDailyLoss: '0.9',
  maxDrawdown: '0.9',
}

const START = Date.UTC(2000, 0, 1)
const MINUTE_MS = 60_000
/** Bars of a symbol from its lowest to its highest: the averages cross as often. */
const HALF_WAVE = 100

/**
 * Bar n from a minute on; the symbols take turns, each on a wave of its own phase.
 * @param {number} n
 * @param {number} [from]
 */
export function bar(n, from = 0) {
  const index = n % SYMBOLS.length
  const minute = from + Math.floor(n / SYMBOLS.length)
  const at = (/** @type {number} */ step) => {
    if (index < STILL.length) return 100
    const phase = (step + index) % (2 * HALF_WAVE)
    return 100 + (phase < HALF_WAVE ? phase : 2 * HALF_WAVE - phase) * 0.05
  }
  const [open, close] = [at(minute), at(minute + 1)]
  return {
    symbol: SYMBOLS[index] ?? '',
    time: new Date(START + minute * MINUTE_MS).toISOString().replace('.000', ''),
    open: open.toFixed(2),
    high: (Math.max(open, close) + 0.01).toFixed(2),
    low: (Math.min(open, close) - 0.01).toFixed(2),
    close: close.toFixed(2),
    volume: '100000',
  }
}

/**
 * So many bars as a file, from a minute on.
 * @param {number} count
 * @param {number} [from]
 */
export function barsCsv(count, from = 0) {
  const lines = ['timestamp,open,high,low,close,volume,symbol']
  for (let n = 0; n < count; n++) {
    const { time, open, high, low, close, volume, symbol } = bar(n, from)
    lines.push([time, open, high, low, close, volume, symbol].join(','))
  }
  return `${lines.join('\n')}\n`
}
