// Makes an engine's folder with a book of many orders, by the compiled engine: signals through the writer, orders through
// the executor to the simulated broker, fills at the next bar. Only NATS is left out; the bus is in memory, so that it
// takes seconds. DIR ORDERS as arguments; prints one JSON line.
import { Buffer } from 'node:buffer'
import { hash } from 'node:crypto'
import { join } from 'node:path'
import { openSqliteStore } from '../../dist/services/adapters/embedded/sqlite-store.js'
import { startExecutor } from '../../dist/services/executor/executor.js'
import { BOOK_FILE, bookStream } from '../../dist/services/runtime/folder.js'
import { createLog } from '../../dist/services/runtime/log.js'
import { openSimBroker } from '../../dist/services/simulator/sim-broker.js'
import { recover } from '../../dist/services/writer/recover.js'
import { Writer } from '../../dist/services/writer/writer.js'
import { bar, RISK, SYMBOLS } from './live-inputs.mjs'

const BOOK_ID = 'b0123456789abcdef'
const ACCOUNT = 'main'
/** Every order of a round is filled by the bars of the next. */
const PER_ROUND = 4000
const [dir = '', count] = process.argv.slice(2)
const orders = Number(count)
const run = '0123456789abcdef'
const settings = {
  feed: 'historical',
  timeframe: '1m',
  symbols: [...SYMBOLS],
  strategies: [{ name: 'sma_cross', params: { fast: 10, slow: 30 } }],
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

/** Delivers what is published on it at once. */
class MemoryBus {
  /** @type {Map<string, (message: object) => void>} */
  #handlers = new Map()
  /** @type {Record<string, number>} */
  #sequences = {}

  async consume(stream, _durable, onMessage) {
    this.#handlers.set(stream, onMessage)
    return {
      done: new Promise(() => {}),
      ack: () => {},
      pending: async () => 0,
      stop: async () => {},
    }
  }

  async publish(subject, payload, { id = '', headers = {} } = {}) {
    const [first = ''] = subject.split('.')
    const stream = { reports: 'REPORTS', md: 'MARKET', signals: 'INBOX' }[first] ?? ''
    const sequence = (this.#sequences[stream] ?? 0) + 1
    this.#sequences[stream] = sequence
    this.#handlers.get(stream)?.({
      stream,
      sequence,
      subject,
      headers: { ...headers, 'nats-msg-id': id },
      payload: Buffer.from(payload),
      storedAt: Date.now(),
      redelivered: false,
    })
    return { stream, sequence, duplicate: false }
  }
}

const store = openSqliteStore(join(dir, BOOK_FILE))
const stream = bookStream(ACCOUNT)
const sha256 = (text) => hash('sha256', text)
const log = createLog({ level: 'warn', name: 'bench' })
const bus = new MemoryBus()
const broker = openSimBroker({ dir, settings: settings.exchange, bookId: BOOK_ID })
const clock = { now: Date.now }
const writer = new Writer({
  ...{ store, stream, bus, settings, run, clock, log },
  recovered: await recover(store, stream, sha256),
  account: ACCOUNT,
  bookId: BOOK_ID,
  codeHash: '0'.repeat(64),
  engineVersion: '0.0.0',
  hash: sha256,
  rules: { requireSignature: false, checkSignature: () => null, now: Date.now, run },
  origin: Date.parse(bar(0).time),
  deadLetter: async (_message, code, reason) => {
    throw new Error(`${code}: ${reason}`)
  },
})
const began = performance.now()
await writer.start()
const executor = startExecutor({
  ...{ store, stream, broker, bus, run, clock, log },
  account: ACCOUNT,
  bookId: BOOK_ID,
  lease: { valid: () => true },
  engineNow: () => writer.engineTime,
  settleMs: 0,
})

let sent = 0
let minute = 0
for (; sent < orders; minute++) {
  await bars(minute)
  const side = minute % 2 === 0 ? 'buy' : 'sell'
  for (let i = 0; i < PER_ROUND && sent < orders; i++, sent++) {
    const signal = { symbol: SYMBOLS[sent % SYMBOLS.length], side, qty: '1' }
    await bus.publish('signals.manual.bench', JSON.stringify(signal), { id: `made-${sent}` })
  }
  await settle()
}
await bars(minute++)
await executor.close()
await writer.close()
const events = (await store.head(stream)) + 1
broker.close()
await store.close()
const seconds = (performance.now() - began) / 1000
console.log(JSON.stringify({ orders: sent, events, minutes: minute, seconds }))
process.exit(0)

async function bars(minute) {
  for (let i = 0; i < SYMBOLS.length; i++) {
    const body = { feed: 'made', timeframe: '1m', revision: 0, ...bar(i, minute) }
    const headers = { 'bitacora-reports': String(await broker.onBar(body)) }
    await bus.publish(`md.bar.1m.${body.symbol}`, JSON.stringify(body), { headers })
  }
  await settle()
}

/** Until the inputs are in the book, the intents at the broker, and what it said in the book. */
async function settle() {
  const limit = performance.now() + 120_000
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, 2))
    const head = await store.head(stream)
    const reports = broker.lastSequence()
    const settled = writer.idle && executor.position() >= head && writer.brokerSequence >= reports
    if (settled && writer.position === head) return
    if (performance.now() > limit || !writer.running) throw new Error('the engine does not settle')
  }
}
