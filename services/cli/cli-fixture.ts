/** For tests: the command line as a real process, and books to run it on. */
import { type ChildProcess, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { Chain } from '../../engine/chain/chain.ts'
import { type Step, StepRecorder } from '../../engine/events/step-recorder.ts'
import { barToWire } from '../../engine/market/bar-wire.ts'
import { DAY_MS } from '../../engine/time.ts'
import type { Bar } from '../../engine/market/bar.ts'
import { Exchange } from '../../engine/exchange/exchange.ts'
import type { BrokerOrder, BrokerReport } from '../../engine/ports/broker.ts'
import { brokerOrder } from '../../engine/trading/broker-order.ts'
import { reportEvent } from '../../engine/trading/reports.ts'
import type { ChainSettings, EventType, OrderIntended } from '../../schemas/types.gen.ts'
import { openSqliteStore } from '../adapters/embedded/sqlite-store.ts'
import { codeHash } from '../runtime/code-hash.ts'
import { bookPath, bookStream } from '../runtime/folder.ts'
import { DEFAULT_EXCHANGE } from './settings.ts'

export interface CliResult {
  code: number | null
  stdout: string
  stderr: string
}

const ROOT = resolve(import.meta.dirname, '../..')
const MAIN = join(ROOT, 'services/cli/main.ts')
const LIMIT_MS = 30_000
/** What a developer's own shell may have set. */
const FOREIGN = ['DATA_DIR', 'NATS_URL', 'SIGNALS_KEYS_FILE', 'COLUMNS', 'LOG_LEVEL', 'FORCE_COLOR']

/** Runs one command to its end. `env` adds to an environment without settings of ours. */
export function cli(
  args: readonly string[],
  options: { env?: Record<string, string>; cwd?: string } = {},
): Promise<CliResult> {
  const env: NodeJS.ProcessEnv = { ...process.env, USER: 'tester', ...options.env }
  for (const name of FOREIGN) if (options.env?.[name] === undefined) delete env[name]
  const loader = import.meta.resolve('tsx')
  const child: ChildProcess = spawn(process.execPath, ['--import', loader, MAIN, ...args], {
    cwd: options.cwd ?? ROOT,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  return new Promise((done, fail) => {
    let stdout = ''
    let stderr = ''
    const timer = setTimeout(() => {
      child.kill('SIGKILL')
      fail(new Error(`bitacora ${args.join(' ')} did not end: ${stdout}${stderr}`))
    }, LIMIT_MS)
    child.stdout!.on('data', (chunk: Buffer) => (stdout += chunk.toString()))
    child.stderr!.on('data', (chunk: Buffer) => (stderr += chunk.toString()))
    child.once('error', fail)
    child.once('close', (code) => {
      clearTimeout(timer)
      done({ code, stdout, stderr })
    })
  })
}

/** Wraps a test body: a folder of its own, removed also on failure. */
export function inFolder(body: (folder: string) => void | Promise<void>): () => Promise<void> {
  return async () => {
    const folder = mkdtempSync(join(tmpdir(), 'bitacora-cli-'))
    try {
      await body(folder)
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  }
}

export const SETTINGS: ChainSettings = {
  feed: 'historical',
  timeframe: '1d',
  symbols: [],
  strategies: [{ name: 'sma_cross', params: { fast: 2, slow: 4, mode: 'long-only', size: '10' } }],
  risk: { maxOrderNotional: '935' },
  exchange: DEFAULT_EXCHANGE,
}

/** Closes that cross a few times, around 100. */
export function closeOf(day: number): number {
  return Math.round((100 + 8 * Math.sin(day / 3)) * 100) / 100
}

/** Writes a book of `days` bars as a lock-step engine with a simulated broker would. */
export async function writeBook(
  dir: string,
  days: number,
  change: {
    settings?: ChainSettings
    codeHash?: string
    /** Changes a step before it is stored; `day` is -1 before the first bar. */
    alter?: (step: Step, day: number) => void
  } = {},
): Promise<{ events: number }> {
  const store = openSqliteStore(bookPath(dir))
  try {
    const hash = (text: string) => createHash('sha256').update(text).digest('hex')
    const recorder = new StepRecorder(new Chain(), 'a'.repeat(16), hash, 0, '')
    const bookId = `b${'1'.repeat(16)}`
    const settings = change.settings ?? SETTINGS
    const reports: BrokerReport[] = []
    const intents: BrokerOrder[] = []
    const exchange = new Exchange(settings.exchange, (report) => reports.push(report))
    let day = -1
    const append = async (type: EventType, at: number, data: unknown) => {
      const before = recorder.next - 1
      const step = recorder.compute(type, at, at + 5, data)
      for (const event of step.events) {
        if (event.type !== 'order.intended') continue
        intents.push(brokerOrder(bookId, event.data as OrderIntended))
      }
      change.alter?.(step, day)
      await store.append(bookStream(), before, step.proposed)
    }
    const settle = async (at: number) => {
      while (intents.length > 0 || reports.length > 0) {
        for (const order of intents.splice(0)) exchange.submit(order, at)
        for (const report of reports.splice(0)) {
          const { type, data } = reportEvent(report, at)
          await append(type, at, data)
        }
      }
    }
    const { cash } = settings.exchange
    await append('book.created', 0, { bookId, account: 'main', currency: 'USD', cash })
    await append('engine.started', 0, {
      run: 'a'.repeat(16),
      codeHash: change.codeHash ?? codeHash(),
      engineVersion: '0.0.0',
      nodeVersion: process.versions.node,
      settings,
    })
    for (day = 0; day < days; day++) {
      const bar = barOf(day)
      exchange.onBar(bar)
      await settle(bar.end)
      await append('market.bar', bar.end, barToWire(bar, 'file', '1d'))
      await settle(bar.end)
    }
    return { events: recorder.next }
  } finally {
    await store.close()
  }
}

function barOf(day: number): Bar {
  const close = closeOf(day)
  const time = day * DAY_MS
  const prices = { open: close, high: close + 1, low: close - 1, close }
  return { symbol: 'AAPL', symbolIndex: 0, time, end: time + DAY_MS, ...prices, volume: 1e6 }
}

/** The same bars as CSV. */
export function barsCsv(days: number): string {
  const rows = Array.from({ length: days }, (_, day) => {
    const close = closeOf(day)
    const date = new Date(day * DAY_MS).toISOString().slice(0, 10)
    return `${date},${close},${close + 1},${close - 1},${close},1000000`
  })
  return `date,open,high,low,close,volume\n${rows.join('\n')}\n`
}
