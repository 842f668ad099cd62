import { isDeepStrictEqual } from 'node:util'
import { decodeBody } from '../../engine/events/envelope.ts'
import type { EventStore } from '../../engine/ports/event-store.ts'
import { fillBody } from '../../projections/fills.ts'
import { orderBody } from '../../projections/orders.ts'
import { isProjected, ReadModel } from '../../projections/read-model.ts'
import { signalBody } from '../../projections/signals.ts'
import { FolderInUse, lockFolder } from '../adapters/embedded/folder-lock.ts'
import { connectNats } from '../adapters/nats/connection.ts'
import { ensureServer } from '../adapters/nats/server.ts'
import { provision } from '../adapters/nats/streams.ts'
import { openStore } from '../adapters/open-store.ts'
import { bookIdOf } from '../book-tools/copy-book.ts'
import { rebuildTape } from '../publisher/publisher.ts'
import { commandEnv } from '../runtime/command-env.ts'
import {
  bookStream,
  DEFAULT_ACCOUNT,
  engineDir,
  isRunning,
  readEngineFile,
} from '../runtime/folder.ts'
import { bookLocation, shownLocation } from './book-location.ts'
import { apiOf, type EngineApi, getJson } from './engine-link.ts'
import { CliError, EXIT } from './exit-codes.ts'
import { Progress, print, printJson, table } from './output.ts'
import type { RebuildOptions } from './rebuild.ts'

/** What a running engine serves, each with the position that it belongs to. */
const LIST = '?order=desc&limit=500'
const SERVED = ['portfolio', 'status', 'orders', 'fills', 'signals'] as const
type Served = (typeof SERVED)[number]

interface Answer {
  name: Served
  position: number
  body: unknown
}

export interface Folded {
  events: number
  eventsPerSecond: number
  orders: number
  fills: number
  signals: number
  /** Address of the engine that was compared with; null where none runs. */
  comparedWith: string | null
  differing: Served[]
}

export async function runRebuildCommand(options: RebuildOptions): Promise<void> {
  const both = options.projections === undefined && options.tape === undefined
  const location = bookLocation(options.dir)
  const stream = bookStream()
  const store = await openStore(location, { readonly: true, stream })
  try {
    if ((await store.head(stream)) < 0) {
      throw new CliError(
        'no_book',
        `the book in ${shownLocation(location)} has no entry yet: there is nothing to rebuild`,
      )
    }
    const projections =
      both || options.projections ? await foldBook(options.dir, store, stream) : null
    const tape = both || options.tape ? await tapeAgain(options, store, stream, both) : null
    if (projections !== null && projections.differing.length > 0) process.exitCode = EXIT.refused
    if (options.json) printJson({ ok: process.exitCode !== EXIT.refused, projections, tape })
    else print(rebuildText(projections, tape))
  } finally {
    await store.close()
  }
}

/** Folds the whole book, and compares on the way with what the running engine has answered. */
async function foldBook(
  dir: string | undefined,
  store: EventStore,
  stream: string,
): Promise<Folded> {
  const record = readEngineFile(engineDir(dir))
  const http = record !== null && isRunning(record) ? apiOf(record) : null
  const answers = http === null ? [] : await askEngine(http)
  const head = Math.max(await store.head(stream), ...answers.map(({ position }) => position))
  const model = new ReadModel()
  const differing: Served[] = []
  const progress = new Progress('folding')
  const started = performance.now()
  const compare = () => {
    while (answers[0]?.position === model.position) {
      const { name, body } = answers.shift()!
      if (!isDeepStrictEqual(bodyOf(model, name), body)) differing.push(name)
    }
  }
  try {
    for await (const page of store.read(stream, 0, head)) {
      for (const event of page) {
        if (isProjected(event.type)) model.apply(decodeBody(event))
        else model.skip(event.position)
        if (answers[0]?.position === model.position) compare()
      }
      progress.update(model.position, head)
    }
  } finally {
    progress.finish()
  }
  // What the engine serves, the book does not reach.
  differing.push(...answers.map(({ name }) => name))
  const seconds = (performance.now() - started) / 1000
  const { orders, fills, signals } = model.states
  return {
    events: model.position + 1,
    eventsPerSecond: Math.round((model.position + 1) / seconds),
    orders: orders.list.size,
    fills: fills.size,
    signals: signals.list.size,
    comparedWith: http?.httpUrl ?? null,
    differing,
  }
}

async function askEngine(http: EngineApi): Promise<Answer[]> {
  const asked = SERVED.map(async (name): Promise<Answer> => {
    const list = name === 'portfolio' || name === 'status' ? '' : LIST
    const { status, body } = await getJson(http, `/${name}${list}`)
    if (status !== 200) {
      throw new CliError(
        'engine_unreachable',
        `${http.httpUrl}/${name} answers ${status}: try again`,
      )
    }
    const { position, next: _, ...rest } = body as { position: number; next?: unknown }
    return { name, position, body: list === '' ? body : rest }
  })
  return (await Promise.all(asked)).sort((a, b) => a.position - b.position)
}

/** What an engine serves of the model, as JSON carries it. */
function bodyOf(model: ReadModel, name: Served): unknown {
  const { orders, fills, signals } = model.states
  const newest = { limit: 500, after: null, descending: true }
  const build = {
    portfolio: () => model.portfolioBody(),
    status: () => model.statusBody(),
    orders: () => ({ items: orders.list.page(newest).items.map((one) => orderBody(orders, one)) }),
    fills: () => ({ items: fills.page(newest).items.map(fillBody) }),
    signals: () => ({ items: signals.list.page(newest).items.map(signalBody) }),
  }
  return JSON.parse(JSON.stringify(build[name]()))
}

export interface TapeRebuilt {
  /** Events published; null where it was left to a running engine. */
  events: number | null
}

/** Throws FolderInUse unless TAPE was asked for among others. */
async function tapeAgain(
  options: RebuildOptions,
  store: EventStore,
  stream: string,
  optional: boolean,
): Promise<TapeRebuilt> {
  const dir = engineDir(options.dir)
  let lock: ReturnType<typeof lockFolder>
  try {
    lock = lockFolder(dir)
  } catch (error) {
    // Its publisher is the one writer of TAPE; a second one would leave holes.
    if (optional && error instanceof FolderInUse) return { events: null }
    throw error
  }
  try {
    const bookId = (await bookIdOf(store, stream)) ?? ''
    const url = commandEnv().NATS_URL
    const server = await ensureServer({ dir, ...(url && { url }) })
    try {
      const nc = await connectNats(server.url, 'rebuild')
      try {
        await provision(nc, { bookId, account: DEFAULT_ACCOUNT })
        return { events: await rebuildTape({ store, stream, nc, bookId }) }
      } finally {
        await nc.close()
      }
    } finally {
      await server.stop()
    }
  } finally {
    lock.release()
  }
}

function rebuildText(projections: Folded | null, tape: TapeRebuilt | null): string {
  const rows: [string, string][] = []
  if (projections !== null) {
    const { events, eventsPerSecond, orders, fills, signals, comparedWith, differing } = projections
    const speed = eventsPerSecond.toLocaleString('en-US')
    rows.push(
      ['Projections', `${events} events folded, ${speed} events/s`],
      ['Found', `${orders} orders, ${fills} fills, ${signals} signals`],
    )
    if (comparedWith === null) rows.push(['Compared', 'with nothing: no engine runs'])
    else if (differing.length === 0) rows.push(['Compared', `the same as ${comparedWith} serves`])
    else {
      const names = differing.join(', ')
      rows.push([
        'Compared',
        `NO: ${names} differ from what ${comparedWith} serves; start it again`,
      ])
    }
  }
  if (tape !== null) {
    const left = 'left to the running engine, which looks after it'
    rows.push(['TAPE', tape.events === null ? left : `${tape.events} events published`])
  }
  return table(rows)
}
