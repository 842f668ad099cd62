/**
 * The HTTP API over a book with many orders: how long an answer takes, and how far behind the book 200 clients of /stream
 * are while events come. Server and clients are processes of one machine; with more cores than two each would have its own.
 */
import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { Agent, get } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { connect } from 'nats'
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
import { barsCsv, RISK, SYMBOLS } from './live-inputs.mjs'

const script = (name: string): string => fileURLToPath(new URL(name, import.meta.url))
const ORDERS = 100_000
const CLIENTS = 200
/** An event each, and some more where a strategy signals. */
const BARS_PER_SECOND = 1000
const WARM_UP = 100
const PAGE = 100
const STREAM_SECONDS = 20
const FILL_LIMIT_MS = 300_000

export interface HttpFigures {
  book: { orders: number; events: number; seconds: number }
  /** One request at a time over one connection, from the call to the last byte, ms; engine and market quiet. */
  requests: ({ route: string; bytes: number } & Times)[]
  /** While bars come, without clients and with them. */
  streaming: {
    without: Pace
    with: Pace
    clients: number
    lag: Times
    gaps: number
    mbPerSecond: number
  }
}

interface Pace {
  eventsPerSecond: number
  /** Share of one core that the engine used. */
  cores: number | null
}

/** So many requests a route; a fiftieth of them for routes that work the past out. */
export async function benchHttp(requests: number): Promise<HttpFigures> {
  const folder = mkdtempSync(join(tmpdir(), 'bitacora-bench-'))
  try {
    return await measureAll(folder, requests)
  } finally {
    rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 })
  }
}

interface Made {
  orders: number
  events: number
  /** Minutes of bars in the book. */
  minutes: number
  seconds: number
}

async function measureAll(folder: string, requests: number): Promise<HttpFigures> {
  const dir = join(folder, 'engine')
  mkdirSync(dir)
  const args = [script('./http-book.mjs'), dir, String(ORDERS)]
  const { stdout } = await promisify(execFile)(process.execPath, args)
  const made = JSON.parse(stdout) as Made
  const data = join(folder, 'bars.csv')
  const risk = join(folder, 'risk.json')
  writeFileSync(data, barsCsv(SYMBOLS.length, made.minutes))
  writeFileSync(risk, JSON.stringify(RISK))
  const options = ['--data', data, '--timeframe', '1m', '--risk', risk, '--speed', '1000']
  // It misses the streams that the book was made without, and says so.
  const engine = await spawnEngine(dir, [...options, '--cash', '100000000'], { log: 'silent' })
  try {
    await untilQuiet(engine)
    const answered = await measureRequests(engine.url, made, requests)
    const streaming = await measureStream(engine, made.minutes + 1, STREAM_SECONDS)
    const { orders, events } = made
    return { book: { orders, events, seconds: round(made.seconds) }, requests: answered, streaming }
  } finally {
    await engine.stop()
  }
}

/** Until the engine's own bars are in the book, and all of it on TAPE: filling it is not what is measured. */
async function untilQuiet(engine: RunningEngine): Promise<void> {
  const nc = await connect({ servers: engine.natsUrl })
  try {
    const jsm = await nc.jetstreamManager()
    const limit = performance.now() + FILL_LIMIT_MS
    let before = -1
    for (;;) {
      const { position } = JSON.parse(await ask(engine.url, '/status')) as { position: number }
      const { last_seq: last } = (await jsm.streams.info('TAPE')).state
      if (position === before && last > position) return
      before = position
      if (performance.now() > limit) throw new Error('the engine did not come to rest')
      await new Promise((resolve) => setTimeout(resolve, 500))
    }
  } finally {
    await nc.close()
  }
}

async function measureRequests(url: string, made: Made, times: number) {
  const id = (): number => 1 + Math.floor(Math.random() * made.orders)
  const position = (): number => Math.floor(made.events * (0.1 + 0.9 * Math.random()))
  let cursor = ''
  const nextPage = (body: string | null): string => {
    if (body !== null) cursor = (JSON.parse(body) as { next: string | null }).next ?? ''
    return `/orders?limit=${PAGE}${cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`}`
  }
  const far = Math.max(10, Math.round(times / 50))
  const routes: [string, (body: string | null) => string, number][] = [
    [`/orders?limit=${PAGE}, newest`, () => `/orders?order=desc&limit=${PAGE}`, times],
    [`/orders?limit=${PAGE}, page by page`, nextPage, times],
    ['/orders/{id}', () => `/orders/${id()}`, times],
    ['/portfolio', () => '/portfolio', times],
    ['/pnl', () => '/pnl', times],
    [`/equity?limit=${PAGE}`, () => `/equity?limit=${PAGE}`, times],
    ['/portfolio?asOf={position}', () => `/portfolio?asOf=${position()}`, far],
    ['/orders/{id}?asOf={position}', () => `/orders/1?asOf=${position()}`, far],
  ]
  const figures = []
  for (const [route, next, count] of routes) {
    const warm = Math.min(WARM_UP, count)
    const samples: number[] = []
    let body: string | null = null
    for (let i = 0; i < warm + count; i++) {
      const path = next(body)
      const began = performance.now()
      body = await ask(url, path)
      if (i >= warm) samples.push(performance.now() - began)
    }
    figures.push({ route, bytes: body?.length ?? 0, ...timesOf(samples) })
  }
  return figures
}

const agent = new Agent({ keepAlive: true, maxSockets: 1 })

function ask(url: string, path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const request = get(`${url}${path}`, { agent }, (response) => {
      let body = ''
      response.setEncoding('utf8').on('data', (chunk: string) => {
        body += chunk
      })
      response.on('end', () => {
        if (response.statusCode === 200) resolve(body)
        else reject(new Error(`${path}: ${response.statusCode} ${body}`))
      })
    })
    request.on('error', reject)
  })
}

interface Seen {
  lags: number[]
  seen: number
  gaps: number
  lastIds: number[]
  bytes: number
}

async function measureStream(engine: RunningEngine, minute: number, seconds: number) {
  const args = [engine.natsUrl, String(BARS_PER_SECOND), String(minute)]
  const feed = await startHelper(script('./live-feed.mjs'), args)
  let clients: Helper | null = null
  try {
    await wait(3)
    const without = await pace(engine, seconds)
    clients = await startHelper(script('./http-clients.mjs'), [engine.url, String(CLIENTS)])
    await wait(3)
    await seenBy(clients)
    const during = await pace(engine, seconds)
    const { lags, gaps, bytes } = await seenBy(clients)
    feed.child.kill()
    await allThrough(engine, clients)
    const mbPerSecond = round(bytes / seconds / 1e6)
    return { without, with: during, clients: CLIENTS, lag: timesOf(lags), gaps, mbPerSecond }
  } finally {
    feed.child.kill()
    clients?.child.kill()
  }
}

async function seenBy(clients: Helper): Promise<Seen> {
  const answer = clients.next()
  clients.child.send('tell')
  return (await answer) as Seen
}

/** Every client got the last event: none was left behind. */
async function allThrough(engine: RunningEngine, clients: Helper): Promise<void> {
  const limit = performance.now() + 30_000
  for (;;) {
    await wait(0.5)
    const { position } = JSON.parse(await ask(engine.url, '/status')) as { position: number }
    const { lastIds } = await seenBy(clients)
    const behind = lastIds.filter((id) => id < position).length
    if (behind === 0 && lastIds.length === CLIENTS) return
    if (performance.now() > limit) throw new Error(`${behind} clients did not get the last event`)
  }
}

async function pace(engine: RunningEngine, seconds: number): Promise<Pace> {
  const read = async () => {
    const { position } = JSON.parse(await ask(engine.url, '/status')) as { position: number }
    return { at: performance.now(), cpu: engine.cpuSeconds(), position }
  }
  const before = await read()
  await wait(seconds)
  const after = await read()
  const elapsed = (after.at - before.at) / 1000
  return {
    eventsPerSecond: Math.round((after.position - before.position) / elapsed),
    cores:
      after.cpu === null || before.cpu === null ? null : round((after.cpu - before.cpu) / elapsed),
  }
}

function wait(seconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, seconds * 1000))
}

export function printHttp({ book, requests, streaming }: HttpFigures): void {
  console.log(`http; a book of ${book.orders} orders in ${book.events} events\n`)
  for (const { route, bytes, ...times } of requests) {
    console.log(`  ${route.padEnd(32)} ${printTimes(times)}  ${Math.round(bytes / 1024)} KiB`)
  }
  const { lag, clients, gaps, mbPerSecond } = streaming
  const say = ({ eventsPerSecond, cores }: Pace): string =>
    `${eventsPerSecond} events/s into the book, ${cores ?? '?'} cores`
  console.log(`\n  /stream, none follows: ${say(streaming.without)}`)
  console.log(`  /stream, ${clients} follow: ${say(streaming.with)}, ${mbPerSecond} MB/s out`)
  console.log(`    recorded to received   ${printTimes(lag)}, ${gaps} gaps\n`)
}
