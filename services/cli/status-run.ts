import { resolve } from 'node:path'
import { decodeBody } from '../../engine/events/envelope.ts'
import { formatTime } from '../../engine/time.ts'
import type { HealthBody, PortfolioBody, StatusBody } from '../../schemas/types.gen.ts'
import { openStore } from '../adapters/open-store.ts'
import { commandEnv } from '../runtime/command-env.ts'
import {
  bookStream,
  type EngineRecord,
  engineDir,
  isRunning,
  readEngineFile,
} from '../runtime/folder.ts'
import { bookLocation } from './book-location.ts'
import { apiOf, getJson } from './engine-link.ts'
import { CliError, codeOf, UsageError } from './exit-codes.ts'
import { print, printJson, table } from './output.ts'
import type { StatusOptions } from './status.ts'

/** What stands in the book of an engine that does not run. */
interface Held {
  events: number
  /** Engine time of the last event, RFC 3339. */
  at: string | null
  recordedAt: string | null
}

export async function runStatusCommand(options: StatusOptions): Promise<void> {
  const dir = engineDir(options.dir)
  const record = readEngineFile(dir)
  if (record === null || !isRunning(record)) {
    if (record === null && options.dir === undefined && commandEnv().NATS_URL) {
      throw new UsageError(
        `no engine runs in ${resolve(dir)}, and NATS_URL alone does not tell the address of an engine's API: name its folder with --dir`,
      )
    }
    throw await notRunning(dir, record)
  }
  const api = apiOf(record)
  if (api === null) {
    throw new CliError(
      'engine_unreachable',
      `the engine in ${resolve(dir)} (process ${record.pid}) serves no HTTP yet: try again in a moment`,
      { engine: shown(record) },
    )
  }
  const [health, status, portfolio, ready] = await Promise.all(
    ['/health', '/status', '/portfolio', '/readyz'].map((path) => getJson(api, path)),
  )
  const document = {
    running: true,
    ready: ready!.status === 200,
    dir: resolve(dir),
    engine: shown(record),
    health: health!.body as HealthBody,
    status: status!.body as StatusBody,
    portfolio: portfolio!.body as PortfolioBody,
  }
  if (options.json) printJson(document)
  else print(statusText(document))
}

type Running = {
  ready: boolean
  dir: string
  engine: ReturnType<typeof shown>
  health: HealthBody
  status: StatusBody
  portfolio: PortfolioBody
}

/** The URL of NATS may carry a password: only its place is shown. */
function shown({ pid, natsUrl, httpUrl, account, bookId, startedAt }: EngineRecord) {
  const nats = natsUrl.replace(/([a-z]+:\/\/|^|,)[^@/,]*@/gi, '$1')
  return { pid, natsUrl: nats, httpUrl, account, bookId, startedAt }
}

function statusText({ ready, dir, engine, health, status, portfolio }: Running): string {
  const rows: [string, string][] = [
    ['Engine', `process ${engine.pid} in ${dir}, since ${engine.startedAt}`],
    ['Addresses', `${engine.httpUrl}, ${engine.natsUrl}`],
    ['Ready', ready ? 'yes' : `no: ${failing(health)}`],
  ]
  const { trading, counts } = status
  if (trading !== undefined) {
    const why = trading.reason === null ? '' : `: ${trading.reason} (${trading.actor})`
    rows.push(['Trading', `${trading.state}${why}`])
  }
  rows.push(['Book', `position ${status.position}, engine time ${status.at ?? 'none yet'}`])
  if (counts !== undefined) {
    rows.push([
      'Counts',
      `${counts.bars} bars, ${counts.signals} signals, ${counts.orders} orders, ${counts.openOrders} working, ${counts.fills} fills`,
    ])
  }
  rows.push(['Equity', `${portfolio.equity}, cash ${portfolio.cash}`])
  for (const { symbol, qty, marketPrice, unrealizedPnl } of portfolio.positions ?? []) {
    rows.push(['Position', `${qty} ${symbol} at ${marketPrice}, unrealized ${unrealizedPnl}`])
  }
  return table(rows)
}

function failing(health: HealthBody): string {
  const failed = (health.checks ?? []).filter((check) => !check.ok)
  return failed.map(({ name, detail }) => (detail ? `${name} (${detail})` : name)).join(', ')
}

async function notRunning(dir: string, record: EngineRecord | null): Promise<CliError> {
  const left = record === null ? '' : `; process ${record.pid} has ended without saying so`
  let held: Held | null = null
  let holds = 'its folder holds no book'
  try {
    held = await readHeld(dir)
    holds =
      held.at === null
        ? 'its book is empty'
        : `its book holds ${held.events} events, the last at ${held.at} (recorded ${held.recordedAt})`
  } catch (error) {
    if (codeOf(error) !== 'no_book') holds = `its book cannot be read: ${(error as Error).message}`
  }
  return new CliError(
    'not_running',
    `no engine runs in ${resolve(dir)}${left}; ${holds}: start it with \`bitacora start --dir ${dir}\``,
    { running: false, dir: resolve(dir), book: held },
  )
}

async function readHeld(dir: string): Promise<Held> {
  const store = await openStore(bookLocation(dir), { readonly: true })
  try {
    const stream = bookStream()
    const head = await store.head(stream)
    if (head < 0) return { events: 0, at: null, recordedAt: null }
    for await (const [event] of store.read(stream, head, head)) {
      const { at, recordedAt } = decodeBody(event!)
      return { events: head + 1, at: formatTime(at), recordedAt: formatTime(recordedAt) }
    }
    return { events: head + 1, at: null, recordedAt: null }
  } finally {
    await store.close()
  }
}
