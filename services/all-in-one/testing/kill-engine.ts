import { type ChildProcess, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { connect } from 'nats'
import { DoubleLog } from '../../adapters/eventstoredb/testing/double-log.ts'
import { bookStream } from '../../runtime/folder.ts'
import type { PlannedSignal, Target } from './kill-plan.ts'

const SWITCH = new URL('kill-switch.mjs', import.meta.url).href

/** What the kill switch in the engine is told; see kill-switch.mjs. */
export interface SwitchOrders {
  kills: { at: string; passage: number; target: Target }[]
  /** File that gets the number of passages of each boundary, when the engine ends by itself. */
  counts?: string
  /** Name of a planted fault. */
  plant?: string
}

/** A built engine in a process of its own, with a kill switch in it. */
export class ArmedEngine {
  readonly child: ChildProcess
  readonly exited: Promise<{ code: number | null; signal: NodeJS.Signals | null }>
  output = ''

  constructor(
    dist: string,
    dir: string,
    args: readonly string[],
    orders: SwitchOrders,
    env: Record<string, string> = {},
  ) {
    const { PATH, HOME, TMPDIR } = process.env
    this.child = spawn(
      process.execPath,
      [
        '--import',
        SWITCH,
        join(dist, 'services/cli/main.js'),
        'start',
        '--dir',
        dir,
        '--port',
        '0',
        '--json',
        ...args,
      ],
      {
        cwd: dir,
        env: {
          PATH,
          HOME,
          ...(TMPDIR !== undefined && { TMPDIR }),
          LOG_LEVEL: 'warn',
          KILL_SWITCH: JSON.stringify({ dir, dist, ...orders }),
          ...env,
        },
        stdio: ['ignore', 'ignore', 'pipe'],
      },
    )
    this.child.stderr?.on('data', (data: Buffer) => {
      this.output = `${this.output}${data.toString()}`.slice(-8000)
    })
    this.exited = new Promise((resolve) => {
      this.child.once('close', (code, signal) => resolve({ code, signal }))
    })
  }

  kill(): void {
    this.child.kill('SIGKILL')
  }

  async stop(): Promise<number | null> {
    this.child.kill('SIGTERM')
    return (await this.exited).code
  }
}

/** Process id of the folder's own nats-server; null when none is recorded. */
export function serverPid(dir: string): number | null {
  try {
    return (JSON.parse(readFileSync(join(dir, 'nats.json'), 'utf8')) as { pid: number }).pid
  } catch {
    return null
  }
}

/** True when there was one to kill. */
export function killServer(dir: string): boolean {
  const pid = serverPid(dir)
  if (pid === null) return false
  try {
    process.kill(pid, 'SIGKILL')
    return true
  } catch {
    return false
  }
}

/** The event store's log, which tells when an append of the book arrived and when it was written. */
export class WatchedLog extends DoubleLog {
  appends = 0
  /** Called before and after the n-th append, counted from the last time that it was set. */
  watch: ((what: 'arrived' | 'written', append: number) => void) | null = null

  override append(...args: Parameters<DoubleLog['append']>): ReturnType<DoubleLog['append']> {
    if (args[0] !== bookStream()) return super.append(...args)
    const number = ++this.appends
    this.watch?.('arrived', number)
    const outcome = super.append(...args)
    this.watch?.('written', number)
    return outcome
  }
}

const PUBLISH_MS = 1500
const AGAIN_MS = 60

/** An operator's program: publishes signals until NATS says that it has stored them, whatever dies meanwhile. */
export class SignalSender {
  /** Ids of signals that NATS confirmed. */
  readonly stored = new Set<string>()
  readonly done: Promise<void>
  readonly #dir: string
  #closed = false

  constructor(dir: string, signals: readonly PlannedSignal[]) {
    this.#dir = dir
    this.done = Promise.all(signals.map((signal) => this.#send(signal))).then(() => undefined)
  }

  async close(): Promise<void> {
    this.#closed = true
    await this.done
  }

  async #send(signal: PlannedSignal): Promise<void> {
    await sleep(signal.afterMs)
    for (let sent = 0; sent < signal.times && !this.#closed; ) {
      if (await this.#publish(signal)) sent++
      else await sleep(AGAIN_MS)
    }
  }

  async #publish({ id, operator, side, qty }: PlannedSignal): Promise<boolean> {
    const url = urlOf(this.#dir)
    if (url === null) return false
    let nc: Awaited<ReturnType<typeof connect>> | null = null
    try {
      nc = await connect({ servers: url, reconnect: false, timeout: PUBLISH_MS })
      const body = JSON.stringify({ symbol: 'AAPL', side, qty: String(qty), reason: 'by hand' })
      const options = { msgID: id, timeout: PUBLISH_MS }
      await nc.jetstream().publish(`signals.manual.${operator}`, body, options)
      this.stored.add(id)
      return true
    } catch {
      return false // not up, killed under us, or no stream yet
    } finally {
      await nc?.close().catch(() => undefined)
    }
  }
}

function urlOf(dir: string): string | null {
  try {
    return (JSON.parse(readFileSync(join(dir, 'nats.json'), 'utf8')) as { url: string }).url
  } catch {
    return null
  }
}

export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

export const ROOT = fileURLToPath(new URL('../../..', import.meta.url))
