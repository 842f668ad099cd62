import { hash, randomBytes } from 'node:crypto'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { WrongExpectedPosition } from '../../engine/ports/event-store.ts'
import { parseTime } from '../../engine/time.ts'
import { lockFolder } from '../adapters/embedded/folder-lock.ts'
import { isConnected, natsLost } from '../adapters/nats/connection.ts'
import { deadLetter } from '../adapters/nats/dead-letter.ts'
import { NatsBus } from '../adapters/nats/nats-bus.ts'
import { provision } from '../adapters/nats/streams.ts'
import { readVerdictEnd } from '../adapters/nats/verdict-end.ts'
import { openStore } from '../adapters/open-store.ts'
import { keepAnchors } from '../book-tools/anchor.ts'
import { askWitnesses } from '../book-tools/book-witnesses.ts'
import { forgetRestored, prepareRestored } from '../book-tools/restored.ts'
import { type Executor, startExecutor } from '../executor/executor.ts'
import { foldEvent, noIntents } from '../executor/intents.ts'
import type { HealthInfo } from '../http-api/health-routes.ts'
import { withOwnToken } from '../http-api/access.ts'
import { createHttpApi } from '../http-api/http-api.ts'
import { type FileFeed, startFileFeed } from '../market-data/file-feed.ts'
import { Explainer } from '../projector/explain.ts'
import { Past } from '../projector/past.ts'
import { PassingModel, startProjector } from '../projector/projector.ts'
import { runPublisher } from '../publisher/publisher.ts'
import { keepVerdicts } from '../publisher/verdict-keeper.ts'
import { codeHash } from '../runtime/code-hash.ts'
import { forgetNewBookId } from '../runtime/engine-identity.ts'
import {
  BOOK_COPY_FILE,
  BOOK_FILE,
  bookStream,
  ENGINE_FILE,
  writeEngineFile,
} from '../runtime/folder.ts'
import { Cleanup } from '../runtime/lifecycle.ts'
import { AppendWatch } from './append-watch.ts'
import { NatsCare } from './nats-care.ts'
import { BusCommands } from './bus-commands.ts'
import type { EngineBroker, EngineOptions } from './engine-options.ts'
import { Renewable } from './renewable.ts'
import { settled } from './settled.ts'
import { openSimBroker } from '../simulator/sim-broker.ts'
import { recover } from '../writer/recover.ts'
import { openNatsHome } from './nats-home.ts'
import { Telemetry } from './telemetry.ts'
import { takeOver, untilReplaced } from './takeover.ts'
import { Writer } from '../writer/writer.ts'

export interface Engine {
  url: string
  natsUrl: string
  bookId: string
  feed: FileFeed
  /** Rejects when a part had to stop: the engine is then to be closed. */
  readonly done: Promise<never>
  close(): Promise<void>
}

const START_ATTEMPTS = 5
const ANCHOR_EVERY_MS = 3_600_000

const sha256 = (text: string): string => hash('sha256', text)

/**
 * Every service in one process, on a folder of its own: it takes the folder, brings up NATS, takes the account's
 * lease, reads the book, lets the inputs in, and only then the market. Whatever fails on the way is undone.
 */
export async function startEngine(options: EngineOptions): Promise<Engine> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await start(options)
    } catch (error) {
      // A predecessor that was paused, and goes on before this one has appended anything, may append once more.
      if (!(error instanceof WrongExpectedPosition) || attempt === START_ATTEMPTS) {
        throw natsLost(error)
      }
      options.log.warn(
        { err: error },
        'somebody appended while the book was read; reading it again',
      )
    }
  }
}

async function start(options: EngineOptions): Promise<Engine> {
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
          log.warn(
            { reason: String(reason) },
            'lost a subscription to EventStoreDB; subscribing again',
          ),
        copy: {
          path: join(dir, BOOK_COPY_FILE),
          hash: sha256,
          warn: (reason, message) => log.warn({ reason: String(reason) }, message),
        },
      },
    )
    cleanup.add('book', () => store.close())
    const failed = new Failure()
    const { nc, url: natsUrl } = await openNatsHome(
      {
        ...{ dir, binary: options.natsBinary, failed: failed.report, log },
        ...(options.natsUrl !== undefined && { url: options.natsUrl }),
      },
      cleanup,
    )
    const run = randomBytes(8).toString('hex')
    const { leaseTtlMs: ttlMs, standby, signal } = options
    const { lease, newId } = await takeOver({
      ...{ dir, account, store, stream, nc, run, log },
      ...(ttlMs !== undefined && { ttlMs }),
      ...(standby !== undefined && { standby }),
      ...(signal !== undefined && { signal }),
    })
    cleanup.add('lease', () => lease.release())
    const telemetry = await Telemetry.open({
      ...{ dir, account, run, store, stream, log, version: options.version },
      endpoint: options.otlpEndpoint ?? null,
    })
    // Closed after all who still have something to say.
    cleanup.add('telemetry', () => telemetry.close())
    const tracedLog = telemetry.log(log)
    const actedOn = telemetry.acted(store)
    const passing = new PassingModel()
    const intents = noIntents()
    // One pass over the book for all who need the whole of it.
    const recovered = await recover(store, stream, sha256, (event) => {
      passing.take(event)
      foldEvent(intents, event)
      telemetry.take(event)
    })
    const bookId = recovered.bookId ?? newId

    const projector = startProjector({ store, stream, model: passing.result() })
    cleanup.add('projector', () => projector.close())
    let checks = (): HealthInfo['checks'] => [{ name: 'started', ok: false }]
    const own = options.tokens == null ? null : withOwnToken(options.tokens)
    const commands = new BusCommands(options.sign ?? (() => ({})))
    const http = await createHttpApi({
      projector,
      past: new Past(store, stream),
      explainer: new Explainer(store, stream),
      book: { store, stream },
      commands,
      tokens: own?.tokens ?? null,
      host: options.host,
      port: options.port,
      info: () => {
        const all = checks()
        const ready = all.every((check) => check.ok)
        return { ready, checks: all, version: options.version, role: 'writer' }
      },
      metrics: telemetry.scrape,
      log: tracedLog,
    })
    cleanup.add('http', () => http.close())

    const restored = await prepareRestored(dir, nc, bookId)
    await provision(nc, { bookId, account })
    const bus = new NatsBus(nc)
    commands.connect(telemetry.commands(bus))
    // First of those who follow the book.
    telemetry.follow(bookId)

    const care = new NatsCare({ nc, bookId, account, log })
    cleanup.add('care of NATS', async () => care.close())
    const broker = await openBroker(options, bookId)
    cleanup.add('broker', async () => broker.close())
    await askWitnesses({
      ...{ dir, store, stream, nc, broker },
      book: {
        bookId,
        last: recovered.last,
        lastOrderId: recovered.chain.table.orders.lastOrderId,
        brokerSequence: recovered.identities.brokerSequence,
      },
      warn: (err, message) => log.warn({ err }, message),
    })
    // Closed after the writer, so that the last anchor is of the last step.
    const anchors = keepAnchors({
      ...{ dir, store, stream, bookId, now: Date.now, everyMs: ANCHOR_EVERY_MS },
      failed: (err) => log.warn({ err }, 'the end of the book could not be noted'),
    })
    cleanup.add('anchors', () => anchors.close())
    const appends = new AppendWatch(() => performance.now())
    const writer = new Writer({
      store: appends.watched(telemetry.written(store)),
      stream,
      bus: telemetry.read(bus),
      recovered,
      account,
      bookId,
      run,
      codeHash: codeHash(),
      engineVersion: options.version,
      settings,
      hash: sha256,
      clock: { now: Date.now },
      rules: { ...options.signals, now: Date.now, run },
      origin: options.bars.columns.time[0] ?? Date.now(),
      deadLetter: (message, code, reason) => deadLetter(bus, message, code, reason),
      onGap: (gap) => care.noteGap(gap),
      log,
    })
    cleanup.add('writer', () => writer.close())
    await writer.start()
    forgetNewBookId(dir)
    const replaced = (): boolean => lease.isLost || !writer.running
    const unlessReplaced = untilReplaced(bus, replaced)
    const outward = telemetry.outward(unlessReplaced)
    if (restored) forgetRestored(dir)
    const startOne = (): Executor =>
      startExecutor({
        store: actedOn,
        stream,
        broker: telemetry.broker(broker),
        bus: outward,
        account,
        bookId,
        run,
        lease: { valid: () => lease.valid() && writer.running },
        intents,
        engineNow: () => writer.engineTime,
        clock: { now: Date.now },
        backoff: options.backoff,
        settleMs: broker.settleMs ?? 0,
        log: tracedLog,
      })
    const executor = new Renewable(startOne)
    cleanup.add('executor', () => executor.close())
    const publisher = await runPublisher({
      ...{ store: actedOn, stream, nc, bookId },
      ...(telemetry.trace !== null && { trace: telemetry.trace }),
    })
    cleanup.add('publisher', () => publisher.close())
    const verdicts = await keepVerdicts({
      store: actedOn,
      stream,
      bus: outward,
      bookId,
      readEnd: () => readVerdictEnd(nc, bookId),
      log,
    })
    cleanup.add('verdicts', () => verdicts.close())
    const feed = startFileFeed({
      bars: options.bars,
      feed: options.feed,
      bus: outward,
      broker,
      mayShow: () => lease.valid() && writer.running,
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
      ...(options.actions !== undefined && { actions: options.actions }),
      settledAction: (action) => settled(writer, executor, broker, () => writer.hasAction(action)),
      log,
    })
    cleanup.add('feed', () => feed.stop())
    care.recoverFrom({ executor, feed, stalled: () => writer.stalled })

    checks = () => [
      { name: 'nats', ok: isConnected(nc) },
      troubled('lease', lease.trouble),
      troubled('writer', writer.running ? (writer.stalled ?? appends.trouble()) : 'it has stopped'),
      { name: 'executor', ok: executor.current.position() >= 0 },
      troubled('feed', feed.trouble()),
      ...care.checks(),
    ]
    telemetry.connect({
      projector,
      followers: {
        executor: () => executor.current.position(),
        publisher: () => publisher.position(),
        verdicts: () => verdicts.position(),
      },
      lease: { epoch: lease.epoch, held: () => lease.valid() },
      checks: () => checks(),
    })
    writeEngineFile(dir, {
      pid: process.pid,
      natsUrl: natsUrl(),
      httpUrl: http.url,
      ...(own !== null && { httpToken: own.token }),
      account,
      bookId,
      startedAt: new Date().toISOString(),
    })
    cleanup.add('engine.json', async () => rmSync(join(dir, ENGINE_FILE), { force: true }))
    await projector.waitFor(writer.position, 30_000)
    lease.lost.catch(failed.report)
    const done = Promise.all([
      writer.done,
      executor.done,
      publisher.done,
      projector.done,
      feed.done,
      verdicts.done,
      failed.done,
      care.done,
    ]).then(() => new Promise<never>(() => {}))
    done.catch(() => {})
    return {
      url: http.url,
      natsUrl: natsUrl(),
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

async function openBroker(options: EngineOptions, bookId: string): Promise<EngineBroker> {
  const { dir, log, settings } = options
  if (options.openBroker !== undefined) return options.openBroker({ bookId, settings })
  const broker = openSimBroker({ dir, settings: settings.exchange, bookId })
  if (broker.settingsConflict !== null) {
    const { journaled, given } = broker.settingsConflict
    log.warn(
      { journaled, given },
      `the simulated account was opened with ${journaled}; --cash ${given} has no effect on this folder`,
    )
  }
  return broker
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
