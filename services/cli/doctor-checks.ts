/** What each check of `bitacora doctor` looks at. None changes anything, beyond a file it makes and removes. */
import { execFile } from 'node:child_process'
import { constants, rmSync, statSync, writeFileSync } from 'node:fs'
import { access, statfs } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { createServer } from 'node:net'
import { dirname, join } from 'node:path'
import { ensureServer } from '../adapters/nats/server.ts'
import { isAlive } from '../adapters/nats/process-table.ts'
import { bindAddress } from '../http-api/listen-errors.ts'
import type { Config } from '../runtime/config.ts'
import { maskAddress } from '../runtime/config-value.ts'
import { type EngineRecord, readEngineFile } from '../runtime/folder.ts'

export interface Check {
  /** Stable name, for scripts. */
  id: string
  state: 'ok' | 'warn' | 'fail'
  detail: string
  /** What to do; null when nothing needs doing. */
  remedy: string | null
}

interface RunningEngine {
  record: EngineRecord
  /** Whether its HTTP API answered. */
  answers: boolean
}

type Env = Readonly<Record<string, string | undefined>>

const NODE_FLOOR = [20, 19] as const
const NATS_FLOOR = [2, 9] as const
const PROBE_MS = 20_000
const ANSWER_MS = 2000
const LOW_SPACE = 1024 ** 3
const NO_SPACE = 100 * 1024 ** 2
/** Where packages put it and an ordinary user's PATH does not look. */
const NATS_PLACES = ['/usr/sbin', '/usr/local/sbin', '/usr/local/bin', '/opt/homebrew/bin']
const INSTALL_NATS =
  'install it with `apt install nats-server` or `brew install nats-server`, or name a server in NATS_URL'

export function ok(id: string, detail: string): Check {
  return { id, state: 'ok', detail, remedy: null }
}

export function warn(id: string, detail: string, remedy: string): Check {
  return { id, state: 'warn', detail, remedy }
}

export function fail(id: string, detail: string, remedy: string): Check {
  return { id, state: 'fail', detail, remedy }
}

export function checkNode(version: string = process.versions.node): Check {
  const id = 'node'
  if (isAtLeast(version, NODE_FLOOR)) return ok(id, `Node ${version}`)
  return fail(
    id,
    `Node ${version} is too old`,
    `install Node ${NODE_FLOOR.join('.')} or newer: https://nodejs.org/en/download`,
  )
}

interface NativePackage {
  name: string
  without: 'warn' | 'fail'
  purpose: string
  remedy: string
}

const PACKAGES: readonly NativePackage[] = [
  { name: 'libsql', without: 'fail', purpose: 'the book', remedy: 'run npm ci' },
  { name: 'onnxruntime-node', without: 'warn', purpose: 'models', remedy: 'run npm ci' },
  {
    name: 'tulind',
    without: 'warn',
    purpose: 'further indicators; optional',
    remedy: 'install python3, make and a C++ compiler, then run npm ci; or do without',
  },
]

/** Native packages, each loaded in a process of its own: one built for another machine may crash it. */
export function checkPackages(
  packages: readonly NativePackage[] = PACKAGES,
  from: string = import.meta.url,
): Promise<Check[]> {
  return Promise.all(
    packages.map(async ({ name, without, purpose, remedy }) => {
      const id = `package ${name}`
      const make = without === 'fail' ? fail : warn
      let path: string
      try {
        path = createRequire(from).resolve(name)
      } catch {
        return make(id, `${name} is not installed (${purpose})`, remedy)
      }
      const ran = await runProgram(process.execPath, ['-e', 'require(process.argv[1])', path])
      if (ran.ok) return ok(id, `${name} loads (${purpose})`)
      return make(id, `${name} does not load (${purpose}): ${ran.reason}`, remedy)
    }),
  )
}

/** The server at NATS_URL, or the program that the engine would run. */
export async function checkNats(config: Config, env: Env): Promise<Check> {
  const id = 'nats'
  const { NATS_URL: url, NATS_SERVER_BIN: program, DATA_DIR: dir } = config.values
  if (url !== null) {
    const shown = maskAddress(url)
    try {
      const server = await ensureServer({ dir, url })
      return ok(id, `NATS server ${server.version} with JetStream at ${shown}`)
    } catch (error) {
      return fail(id, `NATS at ${shown} is not usable`, reason(error))
    }
  }
  const ran = await runProgram(program, ['--version'], env)
  if (ran.ok) {
    const version = /v?(\d+\.\d+\.\d+)/.exec(ran.output)?.[1]
    if (version === undefined) {
      return fail(id, `${program} does not tell a version`, 'name a nats-server in NATS_SERVER_BIN')
    }
    if (isAtLeast(version, NATS_FLOOR)) return ok(id, `nats-server ${version} (${program})`)
    const floor = NATS_FLOOR.join('.')
    return fail(
      id,
      `nats-server ${version} (${program}) is too old`,
      `upgrade it to ${floor} or newer`,
    )
  }
  if (!program.includes('/')) {
    const elsewhere = NATS_PLACES.map((place) => join(place, program)).find(isFile)
    if (elsewhere) {
      return fail(
        id,
        `${program} is not on PATH, though ${elsewhere} is there`,
        `set NATS_SERVER_BIN=${elsewhere}, or add its folder to PATH`,
      )
    }
  }
  return fail(id, `no NATS server: ${program} cannot be run (${ran.reason})`, INSTALL_NATS)
}

/** Where the book lies, and whether it can be reached there. */
export async function checkEventStore(config: Config): Promise<Check> {
  const id = 'event store'
  const url = config.values.EVENTSTORE_URL
  if (url === null) return ok(id, 'the book lies in the embedded store')
  const { openEsdbStore } = await import('../adapters/eventstoredb/esdb-store.ts')
  try {
    const store = await openEsdbStore(url, { openMs: ANSWER_MS })
    await store.close()
    return ok(id, `the book lies in EventStoreDB at ${maskAddress(url)}, which answers`)
  } catch (error) {
    return fail(id, (error as Error).message, 'start that server, or correct EVENTSTORE_URL')
  }
}

/** Whether the folder, or the nearest one above it that exists, can be written, and has room. */
export async function checkFolder(dir: string): Promise<Check[]> {
  const id = 'folder'
  const existing = nearestFolder(dir)
  const made = existing === dir ? '' : ' (the first start makes it)'
  try {
    await access(existing, constants.R_OK | constants.W_OK | constants.X_OK)
    // A file system mounted read-only, or full, shows only when something is written.
    const probe = join(existing, `.bitacora-doctor-${process.pid}`)
    try {
      writeFileSync(probe, 'probe', { flag: 'wx' })
    } finally {
      rmSync(probe, { force: true })
    }
  } catch (error) {
    const remedy = `correct the permissions of ${existing}, or name another folder with --dir`
    return [fail(id, `${dir} cannot be written (${reason(error)})`, remedy)]
  }
  const { bavail, bsize } = await statfs(existing)
  return [ok(id, `${dir} can be written${made}`), checkSpace(bavail * bsize)]
}

export function checkSpace(bytes: number): Check {
  const id = 'space'
  const free = bytes < LOW_SPACE ? `${Math.floor(bytes / 1024 ** 2)} MiB` : gib(bytes)
  const detail = `${free} free`
  if (bytes < NO_SPACE)
    return fail(id, detail, 'free some space, or name another folder with --dir')
  if (bytes < LOW_SPACE) return warn(id, detail, 'a book grows: free some space')
  return ok(id, detail)
}

/** The engine that the folder says runs there; null when none is alive. */
export async function findEngine(dir: string): Promise<RunningEngine | null> {
  const record = readEngineFile(dir)
  if (record === null || record.pid <= 0 || !isAlive(record.pid)) return null
  if (record.httpUrl === null) return { record, answers: false }
  const answers = await fetch(new URL('/livez', record.httpUrl), {
    signal: AbortSignal.timeout(ANSWER_MS),
  }).then(
    (response) => response.ok,
    () => false,
  )
  return { record, answers }
}

export function checkEngine(dir: string, engine: RunningEngine | null): Check {
  const id = 'engine'
  if (engine === null) {
    const left = readEngineFile(dir)
    if (left === null) return ok(id, 'no engine runs on the folder')
    return ok(id, `no engine runs on the folder; process ${left.pid} ended without tidying up`)
  }
  const { pid, httpUrl, natsUrl } = engine.record
  const where = `process ${pid}, HTTP ${httpUrl ?? 'off'}, NATS ${maskAddress(natsUrl)}`
  if (httpUrl === null || engine.answers) return ok(id, `an engine runs on the folder: ${where}`)
  return warn(
    id,
    `an engine is said to run on the folder and does not answer: ${where}`,
    `it may be starting, or hang; if process ${pid} is something else, remove engine.json`,
  )
}

/** Whether the API could listen; the port of this folder's own engine counts as ours. */
export async function checkPort(config: Config, engine: RunningEngine | null): Promise<Check> {
  const id = 'port'
  const { API_HOST: host, API_PORT: port, API_TOKENS_FILE: tokens } = config.values
  let address: string
  try {
    address = bindAddress(host, tokens !== null)
  } catch (error) {
    return fail(id, `the HTTP API does not listen on ${host}`, reason(error))
  }
  if (port === 0) return ok(id, `the HTTP API takes any free port of ${host}`)
  const code = await tryListen(address, port)
  if (code === null) return ok(id, `port ${port} of ${host} is free`)
  const ours = engine?.answers && Number(new URL(engine.record.httpUrl ?? '').port) === port
  if (ours) return ok(id, `port ${port} of ${host} is used by the engine of the folder`)
  if (code === 'EADDRINUSE') {
    const remedy = 'end the program that listens there, or choose another with API_PORT or --port'
    return fail(id, `port ${port} of ${host} is in use`, remedy)
  }
  return fail(
    id,
    `port ${port} of ${host} cannot be used (${code})`,
    'choose another with API_PORT or --port',
  )
}

/** A `.env` with secrets in it that others on the machine may read. */
export function checkDotenvMode(config: Config, cwd: string): Check[] {
  const path = join(cwd, '.env')
  const mode = statSync(path, { throwIfNoEntry: false })?.mode ?? 0
  if (config.secrets.length === 0 || (mode & 0o044) === 0) return []
  return [warn('.env', `${path} can be read by other users`, `chmod 600 ${path}`)]
}

type Ran = { ok: true; output: string } | { ok: false; reason: string }

function runProgram(file: string, args: readonly string[], env: Env = process.env): Promise<Ran> {
  return new Promise((done) => {
    execFile(file, [...args], { env, timeout: PROBE_MS }, (error, stdout, stderr) => {
      if (!error) return done({ ok: true, output: `${stdout}${stderr}` })
      const { code, signal } = error
      if (signal) return done({ ok: false, reason: `ended by ${signal}` })
      if (typeof code === 'string') return done({ ok: false, reason: code })
      const telling = stderr.split('\n').find((line) => /^\w*Error\b/.test(line))
      done({ ok: false, reason: telling ?? `exit code ${code}` })
    })
  })
}

function tryListen(host: string, port: number): Promise<string | null> {
  return new Promise((done) => {
    const server = createServer()
    server.once('error', (error: NodeJS.ErrnoException) => done(error.code ?? error.message))
    server.listen({ host, port, exclusive: true }, () => server.close(() => done(null)))
  })
}

function nearestFolder(dir: string): string {
  let folder = dir
  while (dirname(folder) !== folder) {
    try {
      if (statSync(folder)) return folder
    } catch {
      folder = dirname(folder)
    }
  }
  return folder
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() === true
}

function isAtLeast(version: string, floor: readonly [number, number]): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  return major > floor[0] || (major === floor[0] && minor >= floor[1])
}

function gib(bytes: number): string {
  return `${(bytes / 1024 ** 3).toFixed(1)} GiB`
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
