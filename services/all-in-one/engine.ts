import { createHash, randomBytes } from 'node:crypto'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Timeframe } from '../../engine/market/bar.ts'
import { parseTime } from '../../engine/time.ts'
import type { ChainSettings } from '../../schemas/types.gen.ts'
import { lockFolder } from '../adapters/embedded/folder-lock.ts'
import { connectNats, isConnected, type NatsConnection } from '../adapters/nats/connection.ts'
import { deadLetter } from '../adapters/nats/dead-letter.ts'
import { NatsBus } from '../adapters/nats/nats-bus.ts'
import { isAlive } from '../adapters/nats/process-table.ts'
import { ensureServer, type NatsServer } from '../adapters/nats/server.ts'
import { provision, trimConsumed } from '../adapters/nats/streams.ts'
import { readVerdictEnd } from '../adapters/nats/verdict-end.ts'
import { openStore } from '../adapters/open-store.ts'
import { type Executor, startExecutor } from '../executor/executor.ts'
import type { HealthInfo } from '../http-api/health-routes.ts'
import { createHttpApi } from '../http-api/http-api.ts'
import type { BarColumns } from '../market-data/bar-columns.ts'
import { type FileFeed, startFileFeed } from '../market-data/file-feed.ts'
import { Past } from '../projector/past.ts'
import { startProjector } from '../projector/projector.ts'
import { runPublisher } from '../publisher/publisher.ts'
import { startVerdicts } from '../publisher/verdicts.ts'
import { codeHash } from '../runtime/code-hash.ts'
import { BOOK_FILE, bookStream, ENGINE_FILE, writeEngineFile } from '../runtime/folder.ts'
import { Cleanup } from '../runtime/lifecycle.ts'
import type { Log } from '../runtime/log.ts'
import { openSimBroker, type SimBroker } from '../simulator/sim-broker.ts'
import { recover } from '../writer/recover.ts'
import { Writer, type WriterOptions } from '../writer/writer.ts'

export interface EngineOptions {
  dir: string
  account: string
  version: string
  settings: ChainSettings
  bars: { columns: BarColumns; symbols: readonly string[]; timeframe: Timeframe }
  feed: string
  speed: number | 'max'
  host: string
  port: number
  natsUrl?: string
  /** EventStoreDB that holds the book; null: the embedded store in the folder. */
  eventStoreUrl: string | null
  /** Program to run as the engine's own NATS server. */
  natsBinary: string
  signals: Omit<WriterOptions['rules'], 'now'>
  backoff: { baseMs: number; maxMs: number; jitter: number }
  log: Log
}

export interface Engine {
  url: string
  natsUrl: string
  bookId: string
  feed: FileFeed
  /** Rejects when a part had to stop: the engine is then to be closed. */
  readonly done: Promise<never>
  close(): Promise<void>
}

const TRIM_EVERY_MS = 60_000
const REVIVE_EVERY_MS = 2000

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')

/**
 * Every service in one process, on a folder of its own: it takes the folder, brings up NATS, reads the
 * book, lets the inputs in, and only then the market. Whatever fails on the way is undone.
 */
export async function startEngine(options: EngineOptions): Promise<Engine> {
  const { account, dir, log, settings } = options
  const cleanup = new Cleanup(log)
  try {
    const lock = lockFolder(dir)
    cleanup.add('folder', async () => lock.release())
    const stream = bookStream(account)
    const store = await openStore(
      { path: join(dir, BOOK_FILE), url: options.eventStoreUrl },
      {
        stream,
        onDrop: (_stream, reason) =>
          log.warn({ err: reason }, 'lost a subscription to EventStoreDB; subscribing again'),
      },
    )
    cleanup.add('book', () => store.close())
    const recovered = await recover(store, stream, sha256)
    const bookId = recovered.bookId ?? `b${randomBytes(8).toString('hex')}`

    const projector = startProjector({ store, stream })
    cleanup.add('projector', () => projector.close())
    let checks = (): HealthInfo['checks'] => [{ name: 'started', ok: false }]
    const http = await createHttpApi({
      projector,
      past: new Past(store, stream),
      host: options.host,
      port: options.port,
      info: () => {
        const all = checks()
        const ready = all.every((check) => check.ok)
        return { ready, checks: all, version: options.version, role: 'writer' }
      },
      log,
    })
    cleanup.add('http', () => http.close())

    const wanted = {
      dir,
      binary: options.natsBinary,
      ...(options.natsUrl !== undefined && { url: options.natsUrl }),
    }
    let server = await ensureServer(wanted)
    cleanup.add('nats-server', () => server.stop())
    const nc = await connectNats(server.url, 'engine', ({ type }) => {
      if (type === 'disconnected') log.warn('lost the connection to NATS; connecting again')
      else if (type === 'reconnected') log.info('connected to NATS again')
    })
    cleanup.add('nats', () => nc.close())
    await provision(nc, { bookId, account })
    const bus = new NatsBus(nc)

    const failed = new Failure()
    let reviving = false
    const watch = setInterval(() => {
      const dead = server.pid !== null && !isAlive(server.pid)
      if (reviving || isConnected(nc) || !server.owned || !dead) return
      reviving = true
      revive(wanted, server, log)
        .then((revived) => {
          server = revived
        })
        .catch(failed.report)
        .finally(() => {
          reviving = false
        })
    }, REVIVE_EVERY_MS)
    cleanup.add('nats-server watch', async () => clearInterval(watch))
    const trimming = setInterval(() => trim(nc, log), TRIM_EVERY_MS)
    cleanup.add('trimming', async () => clearInterval(trimming))
    const broker = openSimBroker({ dir, settings: settings.exchange, bookId })
    cleanup.add('broker', async () => broker.close())
    if (broker.settingsConflict !== null) {
      const { journaled, given } = broker.settingsConflict
      log.warn(
        { journaled, given },
        `the simulated account was opened with ${journaled}; --cash ${given} has no effect on this folder`,
      )
    }
    const writer = new Writer({
      store,
      stream,
      bus,
      recovered,
      account,
      bookId,
      run: randomBytes(8).toString('hex'),
      codeHash: codeHash(),
      engineVersion: options.version,
      settings,
      hash: sha256,
      clock: { now: Date.now },
      rules: { ...options.signals, now: Date.now },
      origin: options.bars.columns.time[0] ?? Date.now(),
      deadLetter: (message, code, reason) => deadLetter(bus, message, code, reason),
      log,
    })
    cleanup.add('writer', () => writer.close())
    await writer.start()
    const executor = startExecutor({
      store,
      stream,
      broker,
      bus,
      account,
      bookId,
      engineNow: () => writer.engineTime,
      clock: { now: Date.now },
      backoff: options.backoff,
      settleMs: 0,
      log,
    })
    cleanup.add('executor', () => executor.close())
    const publisher = await runPublisher({ store, stream, nc, bookId })
    cleanup.add('publisher', () => publisher.close())
    const verdicts = startVerdicts({
      store,
      stream,
      bus,
      bookId,
      after: await readVerdictEnd(nc, bookId),
      log,
    })
    cleanup.add('verdicts', () => verdicts.close())
    const feed = startFileFeed({
      bars: options.bars,
      feed: options.feed,
      bus,
      broker,
      speed: options.speed,
      lastBar: (symbol) => writer.lastBar(options.feed, symbol, options.bars.timeframe),
      settled: (bar) =>
        settled(
          writer,
          executor,
          broker,
          () =>
            bar === null ||
            writer.lastBar(bar.feed, bar.symbol, bar.timeframe) >= parseTime(bar.time),
        ),
      log,
    })
    cleanup.add('feed', () => feed.stop())

    checks = () => [
      { name: 'nats', ok: isConnected(nc) },
      troubled('writer', writer.running ? writer.stalled : 'it has stopped'),
      { name: 'executor', ok: executor.position() >= 0 },
      troubled('feed', feed.trouble()),
    ]
    writeEngineFile(dir, {
      pid: process.pid,
      natsUrl: server.url,
      httpUrl: http.url,
      account,
      bookId,
      startedAt: new Date().toISOString(),
    })
    cleanup.add('engine.json', async () => rmSync(join(dir, ENGINE_FILE), { force: true }))
    await projector.waitFor(writer.position, 30_000)
    const done = Promise.all([
      writer.done,
      executor.done,
      publisher.done,
      projector.done,
      feed.done,
      verdicts.done,
      failed.done,
    ]).then(() => new Promise<never>(() => {}))
    done.catch(() => {})
    return {
      url: http.url,
      natsUrl: server.url,
      bookId,
      feed,
      done,
      close: () => cleanup.run(),
    }
  } catch (error) {
    await cleanup.run()
    throw error
  }
}

function troubled(name: string, detail: string | null): HealthInfo['checks'][number] {
  return { name, ok: detail === null, ...(detail !== null && { detail }) }
}

/** Something that happened beside all promises. */
class Failure {
  readonly done: Promise<never>
  report: (error: unknown) => void = () => {}

  constructor() {
    this.done = new Promise((_, reject) => {
      this.report = reject
    })
    this.done.catch(() => {})
  }
}

/**
 * Starts the engine's own server again where it has died: with its folder and on its port, so that every connection
 * finds it. Another port would leave everybody else behind: the engine then ends, and its next start tells them.
 */
async function revive(
  wanted: Parameters<typeof ensureServer>[0],
  dead: NatsServer,
  log: Log,
): Promise<NatsServer> {
  const server = await ensureServer(wanted)
  if (server.url !== dead.url) {
    throw new NatsMoved(dead.url, server.url)
  }
  if (server.pid !== dead.pid) log.warn({ pid: server.pid }, 'nats-server had died; it runs again')
  return server
}

/** The server had to be started on another port. */
export class NatsMoved extends Error {
  override name = 'NatsMoved'
  readonly code = 'nats_moved'
  constructor(before: string, now: string) {
    super(
      `nats-server died and could only be started again at ${now}, not at ${before} where everybody looks for it: start the engine again`,
    )
  }
}

/** Inputs that are in the book make room in the streams that refuse new ones when they are full. */
function trim(nc: NatsConnection, log: Log): void {
  for (const stream of ['INBOX', 'REPORTS'] as const) {
    trimConsumed(nc, stream).catch((error: unknown) =>
      log.warn(
        { err: error, stream },
        'consumed messages could not be removed; trying again later',
      ),
    )
  }
}

/**
 * Resolves when a bar has arrived and the engine has nothing left to do: inputs drained, steps in the book,
 * intents answered, answers in the book. All of it is looked at in one turn of the event loop, so nothing
 * can be between two of them; a message that NATS has not delivered yet is seen by what it brings missing.
 */
async function settled(
  writer: Writer,
  executor: Executor,
  broker: SimBroker,
  arrived: () => boolean,
): Promise<void> {
  while (writer.running) {
    const reports = broker.lastSequence()
    if (
      arrived() &&
      writer.idle &&
      writer.brokerSequence >= reports &&
      executor.position() >= writer.position &&
      executor.reportedThrough() >= reports
    ) {
      return
    }
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
  return new Promise(() => {})
}
