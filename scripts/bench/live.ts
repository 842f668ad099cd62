/**
 * The live path: from a manual signal being published on NATS to the call of the broker, beside a plain JetStream round
 * trip of a message of the same size on the same server, taken in turns.
 *
 * Times are of CLOCK_MONOTONIC (`process.hrtime`), which all processes of one machine share. Included: the client's
 * publish, the server, the engine's reading, judging, the synced append, and the executor's way to the broker's
 * `submit`. Excluded: what the broker then does, and whatever a network would add.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { AckPolicy, connect, type NatsConnection, StorageType } from 'nats'
import { decodeBody } from '../../engine/events/envelope.ts'
import { clientOrderId } from '../../engine/events/ids.ts'
import { openSqliteStore } from '../../services/adapters/embedded/sqlite-store.ts'
import { bookStream } from '../../services/runtime/folder.ts'
import {
  type Helper,
  printTimes,
  type RunningEngine,
  round,
  spawnEngine,
  startHelper,
  type Times,
  timesOf,
} from './live-engine.ts'
import { barsCsv, RISK, STILL, SYMBOLS } from './live-inputs.mjs'

const READER = fileURLToPath(new URL('./live-reader.mjs', import.meta.url))
const FEED = fileURLToPath(new URL('./live-feed.mjs', import.meta.url))
const STREAM = 'BENCH'
const CONSUMER = 'reader'
/** Of each kind; they take turns. */
const PER_SECOND = 20
const WARM_UP_SECONDS = 5
const WARM_UP_PER_SECOND = 100
const BARS_PER_SECOND = 1000
const TARGET_RATIO = 3
const ANSWERED_WITHIN_MS = 30_000
const SETTLE_MS = 2000

export interface LiveFigure {
  /** Bars a second that reached the book while it was measured. */
  barsPerSecond: number
  /** Processor time of the engine by wall clock while it was measured; null where nobody tells it. */
  cores: number | null
  signal: Times
  plain: Times
  /** The same until the message was written to a file and synced: the least that durability costs on this disk. */
  plainSynced: Times
  /** p99 of the signal over that of the plain round trip. */
  ratio: number
  target: string
  meetsTarget: boolean
  /** Where a signal's time goes, ms; only without bars, because with them steps of others come between. */
  stages: Record<string, Times> | null
}

export interface LiveOptions {
  /** Of signals, and as many plain round trips. */
  samples: number
  /** Folder for CPU profiles of the engines. */
  profile: string | undefined
}

/** Both cases, each on an engine and a server of its own; `tell` gets each figure at once. */
export async function benchLive(
  options: LiveOptions,
  tell: (figure: LiveFigure) => void,
): Promise<LiveFigure[]> {
  const figures: LiveFigure[] = []
  for (const barsPerSecond of [0, BARS_PER_SECOND]) {
    const folder = mkdtempSync(join(tmpdir(), 'bitacora-bench-'))
    try {
      const figure = await measure(folder, options, barsPerSecond)
      figures.push(figure)
      tell(figure)
    } finally {
      rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 })
    }
  }
  return figures
}

async function measure(
  folder: string,
  { samples, profile }: LiveOptions,
  barsPerSecond: number,
): Promise<LiveFigure> {
  const dir = join(folder, 'engine')
  const probe = join(folder, 'probe.ndjson')
  const data = join(folder, 'bars.csv')
  const risk = join(folder, 'risk.json')
  mkdirSync(dir)
  // One of each symbol: without a price no signal is approved.
  writeFileSync(data, barsCsv(SYMBOLS.length))
  writeFileSync(risk, JSON.stringify(RISK))
  const args = ['--data', data, '--timeframe', '1m', '--risk', risk, '--cash', '100000000']
  args.push('--speed', '1000')
  const node = profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${resolve(profile)}`]
  const engine = await spawnEngine(dir, args, { probe, node })
  let sent: Sent
  try {
    sent = await exchange(engine, join(folder, 'plain'), samples, barsPerSecond)
  } finally {
    await engine.stop()
  }
  return figureOf(sent, await readBook(dir, sent), readProbe(probe), barsPerSecond)
}

interface Sent {
  /** When the n-th signal was handed to the client. */
  signals: number[]
  /** How long each plain round trip took. */
  plain: number[]
  /** How long until it was on the disk besides. */
  plainSynced: number[]
  /** First of the measured ones. */
  from: number
  cores: number | null
}

/** Sends signals and plain messages in turns, open loop, and waits until the last are through. */
async function exchange(
  engine: RunningEngine,
  file: string,
  samples: number,
  barsPerSecond: number,
): Promise<Sent> {
  const nc = await connect({ servers: engine.natsUrl })
  try {
    const reader = await startReader(nc, engine.natsUrl, file)
    let feed: Helper | null = null
    try {
      await untilAllPriced(nc)
      // Minute 0 of each symbol is the engine's own.
      if (barsPerSecond > 0)
        feed = await startHelper(FEED, [engine.natsUrl, String(barsPerSecond), '1'])
      const js = nc.jetstream()
      const signals: number[] = []
      const plain: number[] = []
      const acks: Promise<unknown>[] = []
      const publish = (subject: string, payload: string, msgID: string): void => {
        const ack = js.publish(subject, payload, { msgID })
        // It is looked at in the end; until then it must not end the process.
        ack.catch(() => undefined)
        acks.push(ack)
      }
      const sendSignal = (): void => {
        const n = signals.length
        const { payload, id } = signal(n)
        signals.push(now())
        publish('signals.manual.bench', payload, id)
      }
      const sendPlain = (): void => {
        const n = plain.length
        const message = { n, filler: '' }
        const room = signal(n).payload.length - JSON.stringify(message).length
        message.filler = 'x'.repeat(Math.max(0, room))
        const payload = JSON.stringify(message)
        plain.push(now())
        publish('bench.plain', payload, `plain-${n}`)
      }
      const warm = WARM_UP_SECONDS * WARM_UP_PER_SECOND
      await inTurns(warm, WARM_UP_PER_SECOND, [sendSignal, sendPlain])
      const [began, used] = [now(), engine.cpuSeconds()]
      await inTurns(samples, PER_SECOND, [sendSignal, sendPlain])
      const [ended, usedAfter] = [now(), engine.cpuSeconds()]
      const cores =
        used === null || usedAfter === null ? null : (usedAfter - used) / ((ended - began) / 1000)
      feed?.child.kill()
      await Promise.all(acks)
      await verdictOf(nc, signal(signals.length - 1).id)
      const answer = reader.next()
      reader.child.send('end')
      const came = (await answer) as [number, number, number][]
      if (came.length !== plain.length) {
        throw new Error(`${came.length} of ${plain.length} plain messages came back`)
      }
      // They may be synced in another order than they came.
      came.sort(([a], [b]) => a - b)
      return {
        signals,
        plain: came.map(([n, at]) => at - plain[n]!),
        plainSynced: came.map(([n, , synced]) => synced - plain[n]!),
        from: warm,
        cores: cores === null ? null : round(cores),
      }
    } finally {
      reader.child.kill()
      feed?.child.kill()
    }
  } finally {
    await nc.close()
  }
}

/** Calls each in turn, so many times a second each; a little off the beat, so as not to march with the bars. */
async function inTurns(times: number, perSecond: number, calls: (() => void)[]): Promise<void> {
  const slot = 1000 / perSecond / calls.length
  let due = now()
  for (let i = 0; i < times * calls.length; i++) {
    const wait = due + Math.random() * slot * 0.8 - now()
    if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait))
    calls[i % calls.length]!()
    due = Math.max(due + slot, now() - 1000)
  }
}

async function startReader(nc: NatsConnection, natsUrl: string, file: string): Promise<Helper> {
  const jsm = await nc.jetstreamManager()
  await jsm.streams.add({ name: STREAM, subjects: ['bench.>'], storage: StorageType.File })
  await jsm.consumers.add(STREAM, { durable_name: CONSUMER, ack_policy: AckPolicy.Explicit })
  return startHelper(READER, [natsUrl, STREAM, CONSUMER, file])
}

/** Until bars of every symbol were published: TAPE has them once they are in the book. */
async function untilAllPriced(nc: NatsConnection): Promise<void> {
  const jsm = await nc.jetstreamManager()
  const limit = now() + 60_000
  for (;;) {
    const info = await jsm.streams.info('TAPE', { subjects_filter: 'tape.market.bar.>' })
    if (Object.keys(info.state.subjects ?? {}).length >= SYMBOLS.length) return
    if (now() > limit) throw new Error('the first bars did not come')
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

/** The last verdict says that all were judged; the executor gets a moment more. */
async function verdictOf(nc: NatsConnection, id: string): Promise<void> {
  const jsm = await nc.jetstreamManager()
  const limit = now() + ANSWERED_WITHIN_MS
  for (;;) {
    const last = await jsm.streams
      .getMessage('VERDICTS', { last_by_subj: 'signals.verdict.bench' })
      .catch(() => null)
    if (last !== null && (last.json() as { signalId: string }).signalId === id) break
    if (now() > limit) throw new Error(`signal ${id} was not answered`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  await new Promise((resolve) => setTimeout(resolve, SETTLE_MS))
}

function signal(n: number): { id: string; payload: string } {
  const symbol = STILL[n % STILL.length]
  return {
    id: `bench-${n}`,
    payload: JSON.stringify({ symbol, side: 'buy', qty: '1', reason: 'measured by the bench' }),
  }
}

interface Book {
  /** Client order id by number of the signal. */
  orders: Map<number, string>
  /** When the bars were recorded, wall clock. */
  bars: number[]
  signalTimes: number[]
  /** Why an order was not sent, by client order id. */
  withheld: Map<string, string>
}

async function readBook(dir: string, sent: Sent): Promise<Book> {
  const store = openSqliteStore(join(dir, 'book.db'), { readonly: true })
  try {
    const book: Book = { orders: new Map(), bars: [], signalTimes: [], withheld: new Map() }
    let bookId = ''
    for await (const page of store.read(bookStream(), 0)) {
      for (const stored of page) {
        const { type, recordedAt, data } = decodeBody(stored)
        const { signalId, orderId } = data as { signalId?: string; orderId?: number }
        if (type === 'book.created') bookId = (data as { bookId: string }).bookId
        if (type === 'market.bar') book.bars.push(recordedAt)
        if (type === 'order.withheld') {
          const { clientOrderId: id, code } = data as { clientOrderId: string; code: string }
          book.withheld.set(id, code)
        }
        const n = Number(/bench-(\d+)$/.exec(signalId ?? '')?.[1] ?? Number.NaN)
        if (Number.isNaN(n)) continue
        if (type === 'signal.received') book.signalTimes[n] = recordedAt
        if (type === 'order.intended') book.orders.set(n, clientOrderId(bookId, orderId!))
      }
    }
    const missing = sent.signals.findIndex((_, n) => !book.orders.has(n))
    if (missing >= 0) throw new Error(`signal ${missing} did not become an order`)
    return book
  } finally {
    await store.close()
  }
}

/** Time of the call, and of the boundaries before it, by client order id. */
type Calls = Map<string, { called: number; passed: (number | null)[] }>

function readProbe(file: string): Calls {
  const calls: Calls = new Map()
  for (const line of readFileSync(file, 'utf8').trimEnd().split('\n')) {
    const [id, called, passed] = JSON.parse(line) as [string, number, (number | null)[]]
    // Sent once more, it is the first time that counts.
    if (!calls.has(id)) calls.set(id, { called, passed })
  }
  return calls
}

function figureOf(sent: Sent, book: Book, calls: Calls, barsPerSecond: number): LiveFigure {
  const latencies: number[] = []
  const stages: number[][] = STAGES.map(() => [])
  for (let n = sent.from; n < sent.signals.length; n++) {
    const id = book.orders.get(n)!
    const call = calls.get(id)
    if (call === undefined) {
      const why = book.withheld.get(id) ?? 'no answer'
      throw new Error(`the order of signal ${n} did not reach the broker: ${why}`)
    }
    latencies.push(call.called - sent.signals[n]!)
    const times = [sent.signals[n]!, ...call.passed, call.called]
    stages.forEach((stage, i) => stage.push((times[i + 1] ?? NaN) - (times[i] ?? NaN)))
  }
  const signal = timesOf(latencies)
  const plain = timesOf(sent.plain.slice(sent.from))
  const plainSynced = timesOf(sent.plainSynced.slice(sent.from))
  const ratio = Math.round((signal.p99 / plain.p99) * 100) / 100
  const first = book.signalTimes[sent.from]!
  const last = book.signalTimes.at(-1)!
  const during = book.bars.filter((at) => at >= first && at <= last).length
  return {
    barsPerSecond: Math.round(during / ((last - first) / 1000)),
    cores: sent.cores,
    ...{ signal, plain, plainSynced, ratio },
    target: `p99 at most ${TARGET_RATIO} × the plain round trip's`,
    meetsTarget: ratio <= TARGET_RATIO,
    stages:
      barsPerSecond > 0
        ? null
        : Object.fromEntries(STAGES.map((name, i) => [name, timesOf(stages[i]!)])),
  }
}

const STAGES = [
  'published to received',
  'received to computed',
  'computed to append',
  'append, synced, to broker',
]

function now(): number {
  const [seconds, nanos] = process.hrtime()
  return seconds * 1000 + nanos / 1e6
}

export function printLive(figure: LiveFigure): void {
  const { barsPerSecond, cores, signal, plain, plainSynced, ratio, target, meetsTarget, stages } =
    figure
  console.log(
    `${PER_SECOND} signals/s, ${barsPerSecond} bars/s, ${cores ?? '?'} cores used by the engine`,
  )
  console.log(`  ${'signal to broker'.padEnd(24)} ${printTimes(signal)}`)
  console.log(`  ${'plain round trip'.padEnd(24)} ${printTimes(plain)}`)
  console.log(`  ${'and written, synced'.padEnd(24)} ${printTimes(plainSynced)}`)
  for (const [name, times] of Object.entries(stages ?? {})) {
    console.log(`    ${name.padEnd(22)} ${printTimes(times)}`)
  }
  console.log(`  ratio of p99 ${ratio}: ${meetsTarget ? 'meets' : 'misses'} ${target}\n`)
}
