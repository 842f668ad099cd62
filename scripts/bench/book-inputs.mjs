// Inputs of a busy account, for the bench of the book: minute bars of 200 symbols, of which every 20th makes the
// strategy signal. Orders are withheld, not filled: an engine does not start on a book that tells of fills without the
// journal of the broker that gave them. The bus is in memory, so that the writer and its store are what is measured.
import { Buffer } from 'node:buffer'
import { clientOrderId } from '../../dist/engine/events/ids.js'

export const BOOK_ID = 'b0123456789abcdef'
export const ACCOUNT = 'main'
export const FEED = 'bench'
export const SYMBOLS = Array.from({ length: 200 }, (_, i) => `S${String(i).padStart(3, '0')}`)
export const START = Date.UTC(2000, 0, 1)
const MINUTE_MS = 60_000
/** Bars of a symbol from one crossing of the averages to the next. */
const HALF_WAVE = 20
/** Bars under way at once: what a market-data stream delivers ahead of the acknowledgements. */
const WINDOW = 2000

export const STRATEGY = { fast: 2, slow: 5, mode: 'reverse', size: '10' }
export const RISK = {
  maxOrderNotional: '1000000',
  maxPosition: '1000',
  maxGrossExposure: '5',
  priceCollar: '0.05',
  maxDailyLoss: '0.9',
  maxDrawdown: '0.9',
}

export const SETTINGS = {
  feed: 'historical',
  timeframe: '1m',
  symbols: SYMBOLS,
  strategies: [{ name: 'sma_cross', params: STRATEGY }],
  risk: RISK,
  exchange: {
    cash: '100000000',
    fill: 'next-open',
    limitFill: 'through',
    participation: 0,
    slippageBps: 1,
    commission: '0.001',
    feePerShare: '0',
    feeMin: '0',
  },
}

/** Bar n of all: the symbols take turns, each on a wave of its own phase. */
export function bar(n) {
  const index = n % SYMBOLS.length
  const minute = Math.floor(n / SYMBOLS.length)
  const at = (step) => {
    const phase = (step + index) % (2 * HALF_WAVE)
    return 100 + (phase < HALF_WAVE ? phase : 2 * HALF_WAVE - phase) * 0.25
  }
  const open = at(minute)
  const close = at(minute + 1)
  return {
    feed: FEED,
    symbol: SYMBOLS[index],
    timeframe: '1m',
    time: new Date(START + minute * MINUTE_MS).toISOString().replace('.000', ''),
    open: String(open),
    high: String(Math.max(open, close) + 0.01),
    low: String(Math.min(open, close) - 0.01),
    close: String(close),
    volume: '100000',
    revision: 0,
  }
}

/** A bus that delivers bars as fast as they are acknowledged, and an answer to every intent. */
export class MemoryBus {
  #handlers = new Map()
  #sequences = { REPORTS: 0, MARKET: 0 }
  #acked = 0
  #wake = () => {}

  async consume(stream, _durable, onMessage) {
    this.#handlers.set(stream, onMessage)
    return {
      done: new Promise(() => {}),
      ack: ({ sequence }) => {
        if (stream !== 'MARKET') return
        this.#acked = sequence
        this.#wake()
      },
      pending: async () => 0,
      stop: async () => {},
    }
  }

  async publish() {
    return { stream: '', sequence: 0, duplicate: false }
  }

  /** Delivers bars from number `n` until `enough()`; resolves when all are acknowledged. */
  async feed(n, enough) {
    for (;;) {
      const ended = enough()
      if (ended && this.#acked === this.#sequences.MARKET) return n
      for (let i = 0; !ended && this.#sequences.MARKET - this.#acked < WINDOW; i++, n++) {
        const body = bar(n)
        this.#deliver('MARKET', `md.bar.1m.${body.symbol}`, body)
        // As a socket delivers: some at a time.
        if (i === 500) break
      }
      if (ended || this.#sequences.MARKET - this.#acked >= WINDOW) {
        await new Promise((resolve) => {
          this.#wake = resolve
          if (this.#acked === this.#sequences.MARKET) resolve()
        })
      }
      await new Promise((resolve) => setImmediate(resolve))
    }
  }

  /** To be called with what was appended: its intents are answered. */
  answer(events) {
    for (const { type, body } of events) {
      if (type !== 'order.intended') continue
      const { orderId } = JSON.parse(body).data
      this.#report('order.withheld', {
        orderId,
        clientOrderId: clientOrderId(BOOK_ID, orderId),
        code: 'too_late',
        reason: 'the bench sends nothing',
      })
    }
  }

  #report(type, data) {
    setImmediate(() => this.#deliver('REPORTS', `reports.${ACCOUNT}`, { type, version: 1, data }))
  }

  #deliver(stream, subject, body) {
    this.#handlers.get(stream)?.({
      stream,
      sequence: ++this.#sequences[stream],
      subject,
      headers: {},
      payload: Buffer.from(JSON.stringify(body)),
      storedAt: 1_700_000_000_000,
      redelivered: false,
    })
  }
}
