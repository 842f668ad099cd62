/** A compiled engine in a process of its own, on a folder of its own, and figures about what it does. */
import { type ChildProcess, fork, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const PROBE = fileURLToPath(new URL('./live-probe.mjs', import.meta.url))
const READY_LIMIT_MS = 300_000

export interface RunningEngine {
  url: string
  natsUrl: string
  /** Processor time used so far, all threads, s; null where nobody tells it. */
  cpuSeconds(): number | null
  /** Resolves when it has ended. */
  stop(): Promise<void>
}

export interface SpawnOptions {
  /** File that the probe writes when the engine ends. */
  probe?: string
  /** Further options of Node. */
  node?: readonly string[]
  log?: 'warn' | 'silent'
}

/** Starts `bitacora start` from the build, whatever became of the sources meanwhile. */
export async function spawnEngine(
  dir: string,
  args: readonly string[],
  { probe, node = [], log = 'warn' }: SpawnOptions = {},
): Promise<RunningEngine> {
  const { PATH, HOME } = process.env
  const env = {
    ...{ PATH, HOME, LOG_LEVEL: log },
    ...(probe !== undefined && { BENCH_PROBE: probe }),
  }
  const main = join(ROOT, 'dist/services/cli/main.js')
  const child = spawn(
    process.execPath,
    [...node, '--import', PROBE, main, 'start', '--dir', dir, '--port', '0', '--json', ...args],
    { cwd: dir, env, stdio: ['ignore', 'pipe', 'inherit'] },
  )
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()))
  const stop = (): Promise<void> => {
    child.kill('SIGTERM')
    return ended
  }
  try {
    const { url, natsUrl } = await untilReady(child)
    return { url, natsUrl, cpuSeconds: () => cpuOf(child.pid), stop }
  } catch (error) {
    await stop()
    throw error
  }
}

async function untilReady(child: ChildProcess): Promise<{ url: string; natsUrl: string }> {
  let out = ''
  child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
    out += chunk
  })
  const limit = performance.now() + READY_LIMIT_MS
  while (child.exitCode === null && performance.now() < limit) {
    if (out.endsWith('}\n')) {
      const said = JSON.parse(out) as { url?: string; natsUrl?: string }
      if (said.url === undefined || said.natsUrl === undefined) break
      return { url: said.url, natsUrl: said.natsUrl }
    }
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  throw new Error(`the engine is not ready: ${out}`)
}

/** Processor time of a process that still runs, where /proc tells it, in ticks of 10 ms as Linux counts them. */
function cpuOf(pid: number | undefined): number | null {
  try {
    // The name in parentheses may hold spaces; user and system time are the 12th and 13th field behind it.
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? []
    return (Number(fields[11]) + Number(fields[12])) / 100
  } catch {
    return null
  }
}

export interface Helper {
  child: ChildProcess
  /** Its next message. */
  next(): Promise<unknown>
}

/** A process beside, once it says that it is ready. */
export async function startHelper(script: string, args: string[]): Promise<Helper> {
  const child = fork(script, args)
  const next = (): Promise<unknown> =>
    new Promise((resolve, reject) => {
      child.once('message', resolve)
      child.once('exit', () => reject(new Error(`${script} ended`)))
    })
  await next()
  return { child, next }
}

/** Of times in ms. With n samples, p99.9 rests on the n / 1000 longest. */
export interface Times {
  samples: number
  p50: number
  p99: number
  p999: number
  max: number
}

export function timesOf(samples: readonly number[]): Times {
  const sorted = Float64Array.from(samples).sort()
  const at = (share: number): number =>
    round(sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN)
  return { samples: sorted.length, p50: at(0.5), p99: at(0.99), p999: at(0.999), max: at(1) }
}

export function printTimes({ samples, p50, p99, p999, max }: Times): string {
  const ms = (value: number): string => value.toFixed(2).padStart(8)
  return `p50${ms(p50)}  p99${ms(p99)}  p99.9${ms(p999)}  max${ms(max)} ms  (${samples})`
}

export function round(value: number): number {
  return Math.round(value * 1000) / 1000
}
