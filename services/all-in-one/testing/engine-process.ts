import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('../../..', import.meta.url))
const BIN = join(ROOT, 'scripts/bitacora.mjs')

export interface CommandResult {
  code: number | null
  stdout: string
  stderr: string
}

interface Ready {
  url: string
  natsUrl: string
  bookId: string
}

/** Settings of this machine must not reach what is tested. */
function cleanEnv(extra: Record<string, string> = {}): NodeJS.ProcessEnv {
  const { PATH, HOME, TMPDIR } = process.env
  return { PATH, HOME, ...(TMPDIR !== undefined && { TMPDIR }), LOG_LEVEL: 'warn', ...extra }
}

/** Runs `bitacora …` to its end. */
export async function bitacora(
  args: readonly string[],
  options: { cwd?: string; env?: Record<string, string> } = {},
): Promise<CommandResult> {
  const child = spawn(process.execPath, [BIN, ...args], {
    cwd: options.cwd ?? ROOT,
    env: cleanEnv(options.env),
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const out = collect(child)
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve))
  return { code, ...out }
}

function collect(child: ChildProcess): { stdout: string; stderr: string } {
  const out = { stdout: '', stderr: '' }
  child.stdout?.on('data', (data: Buffer) => {
    out.stdout += data.toString()
  })
  child.stderr?.on('data', (data: Buffer) => {
    out.stderr += data.toString()
  })
  return out
}

/** A `bitacora start` in a process of its own. */
export class EngineProcess {
  readonly child: ChildProcess
  readonly output: { stdout: string; stderr: string }
  readonly exited: Promise<{ code: number | null; signal: NodeJS.Signals | null }>
  private readonly dir: string

  constructor(dir: string, args: readonly string[], env: Record<string, string> = {}) {
    this.dir = dir
    this.child = spawn(
      process.execPath,
      [BIN, 'start', '--dir', dir, '--port', '0', '--json', ...args],
      { cwd: ROOT, env: cleanEnv(env), stdio: ['ignore', 'pipe', 'pipe'] },
    )
    this.output = collect(this.child)
    this.exited = new Promise((resolve) => {
      this.child.once('close', (code, signal) => resolve({ code, signal }))
    })
  }

  /** Resolves when it said that it is ready; rejects when it ended before. */
  async ready(limitMs = 30_000): Promise<Ready> {
    const until = Date.now() + limitMs
    for (;;) {
      const { stdout } = this.output
      if (stdout.endsWith('}\n')) {
        const said = JSON.parse(stdout) as Ready & { error?: unknown }
        if (said.error !== undefined) throw new Error(`the engine does not start: ${stdout}`)
        return said
      }
      if (this.child.exitCode !== null || this.child.signalCode !== null) {
        throw new Error(`the engine ended before it was ready: ${this.output.stderr}`)
      }
      if (Date.now() > until) throw new Error(`the engine is not ready: ${this.output.stderr}`)
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  }

  async stop(): Promise<number | null> {
    this.child.kill('SIGTERM')
    return (await this.exited).code
  }

  async kill(): Promise<void> {
    this.child.kill('SIGKILL')
    await this.exited
  }

  /** GET of its HTTP API, as JSON. */
  async get<T>(path: string): Promise<T> {
    const { url } = await this.ready()
    const response = await fetch(`${url}${path}`)
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`)
    return (await response.json()) as T
  }

  get folder(): string {
    return this.dir
  }
}

/** Runs a body in a folder of its own; whatever is left running in it is ended. */
export async function inEngineFolder(body: (dir: string) => Promise<void>): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), 'bitacora-e2e-'))
  try {
    await body(dir)
  } finally {
    for (const file of ['engine.json', 'nats.json']) {
      try {
        const { pid } = JSON.parse(readFileSync(join(dir, file), 'utf8')) as { pid: number }
        process.kill(pid, 'SIGKILL')
      } catch {
        // Not running any more.
      }
    }
    await new Promise((resolve) => setTimeout(resolve, 100))
    rmSync(dir, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 })
  }
}

/** Asks until the answer is the one hoped for. */
export async function until<T>(
  what: string,
  ask: () => Promise<T | null | undefined | false>,
  limitMs = 30_000,
): Promise<T> {
  const end = Date.now() + limitMs
  for (;;) {
    const answer = await ask()
    if (answer) return answer
    if (Date.now() > end) throw new Error(`not in ${limitMs} ms: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 25))
  }
}
