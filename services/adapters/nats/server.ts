import { execFile, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { open, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { connect as connectSocket, createServer } from 'node:net'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { makeFolder } from '../../runtime/make-folder.ts'
import { connectNats } from './connection.ts'
import { isAlive, serversOn } from './process-table.ts'
import {
  JetStreamDisabled,
  JetStreamLocked,
  NatsServerFailed,
  NatsServerMissing,
  NatsServerTooOld,
} from './server-errors.ts'

export interface NatsServer {
  url: string
  version: string
  /** Ours to stop; false behind NATS_URL. */
  owned: boolean
  /** Was running already, left by an engine that was killed. */
  adopted: boolean
  pid: number | null
  /** Ends the server if it is ours, after it has closed its files. */
  stop(): Promise<void>
}

/** What `<dir>/nats.json` holds while our server runs. */
export interface ServerRecord {
  url: string
  port: number
  pid: number
  serverName: string
  startedAt: string
}

interface ServerInfo {
  server_name: string
  version: string
  jetstream?: boolean
}

const FLOOR = '2.9.0'
const HOST = '127.0.0.1'
const START_TIMEOUT_MS = 15_000
const STOP_TIMEOUT_MS = 15_000
const LOCK_TIMEOUT_MS = 20_000
const UNNAMED_LOCK_MS = 1000
const PORT_ATTEMPTS = 5
const run = promisify(execFile)

/**
 * A reachable NATS server with JetStream: the one at `url`, else the one left running on `dir`, else a new one.
 * Ours runs in its own session, so that neither Ctrl-C nor a SIGKILL of the engine ends it.
 * Throws NatsUnreachable, NatsServerMissing, NatsServerTooOld, JetStreamDisabled, JetStreamLocked, NatsServerFailed,
 * FolderNotMade.
 */
export async function ensureServer(options: {
  dir: string
  url?: string
  /** Program to run; default NATS_SERVER_BIN, else nats-server on PATH. */
  binary?: string
}): Promise<NatsServer> {
  if (options.url) return externalServer(options.url)
  const dir = resolve(options.dir)
  const binary = options.binary ?? (process.env.NATS_SERVER_BIN || 'nats-server')
  makeFolder(dir)
  const unlock = await lock(join(dir, 'nats.lock'))
  try {
    const record = await readRecord(dir)
    const info = record && isAlive(record.pid) ? await readInfo(record.port) : undefined
    if (record && info?.server_name === record.serverName) {
      checkVersion(record.url, info.version)
      return ownServer(dir, record, info.version, true)
    }
    const [holder] = await serversOn(dir)
    if (holder !== undefined) return await adoptUnrecorded(dir, holder, binary)
    return await startServer(dir, binary, record?.port)
  } finally {
    await unlock()
  }
}

/**
 * A server runs on the folder that no record names: its engine was killed between starting it and writing
 * that down. The configuration was written before, so that name and port are known. Throws JetStreamLocked.
 */
async function adoptUnrecorded(dir: string, pid: number, binary: string): Promise<NatsServer> {
  const conf = await readFile(join(dir, 'nats.conf'), 'utf8').catch(() => '')
  const port = Number(/^listen: "[^"]*:(\d+)"$/m.exec(conf)?.[1])
  const serverName = /^server_name: "([^"]+)"$/m.exec(conf)?.[1]
  const known = serverName !== undefined && Number.isInteger(port)
  const info = known ? await answers(port, serverName, () => !isAlive(pid)) : undefined
  if (!known || info === undefined) {
    if (!isAlive(pid)) return startServer(dir, binary, known ? port : undefined)
    throw new JetStreamLocked(join(dir, 'jetstream'), pid)
  }
  const url = `nats://${HOST}:${port}`
  const record = { url, port, pid, serverName, startedAt: new Date().toISOString() }
  await writeRecord(dir, record)
  return ownServer(dir, record, info.version, true)
}

async function externalServer(url: string): Promise<NatsServer> {
  const nc = await connectNats(url, 'probe')
  try {
    const version = nc.info?.version ?? '0.0.0'
    checkVersion(nc.getServer(), version)
    try {
      await nc.jetstreamManager({ timeout: 3000 })
    } catch (error) {
      throw new JetStreamDisabled(nc.getServer(), error)
    }
    return { url, version, owned: false, adopted: false, pid: null, stop: async () => {} }
  } finally {
    await nc.close()
  }
}

async function startServer(
  dir: string,
  binary: string,
  lastPort: number | undefined,
): Promise<NatsServer> {
  await checkBinary(binary)
  const logFile = join(dir, 'nats.log')
  for (let attempt = 1; ; attempt++) {
    const port = attempt === 1 && lastPort && (await isFree(lastPort)) ? lastPort : await freePort()
    const serverName = `bitacora-${randomUUID()}`
    const conf = join(dir, 'nats.conf')
    await writeFile(conf, configuration(dir, port, serverName, logFile))
    const logStart = await sizeOf(logFile)
    const child = spawn(binary, ['-c', conf], { detached: true, stdio: 'ignore' })
    child.unref()
    let ended = false
    child.once('error', () => (ended = true))
    child.once('exit', () => (ended = true))
    const info = await answers(port, serverName, () => ended)
    if (info && child.pid !== undefined) {
      const url = `nats://${HOST}:${port}`
      const startedAt = new Date().toISOString()
      const record: ServerRecord = { url, port, pid: child.pid, serverName, startedAt }
      await writeRecord(dir, record)
      return ownServer(dir, record, info.version, false)
    }
    if (!ended) child.kill('SIGKILL')
    const log = (await readFile(logFile, 'utf8').catch(() => '')).slice(logStart)
    const portTaken = /address already in use/i.test(log)
    if (!portTaken || attempt === PORT_ATTEMPTS) {
      throw new NatsServerFailed(logFile, log.trim().split('\n').slice(-8).join('\n'))
    }
  }
}

function ownServer(
  dir: string,
  record: ServerRecord,
  version: string,
  adopted: boolean,
): NatsServer {
  const stop = async () => {
    if (isAlive(record.pid) && (await serversOn(dir)).includes(record.pid)) {
      await end(record.pid)
    }
    const current = await readRecord(dir)
    if (current?.serverName === record.serverName) await rm(join(dir, 'nats.json'), { force: true })
  }
  return { url: record.url, version, owned: true, adopted, pid: record.pid, stop }
}

async function end(pid: number): Promise<void> {
  signal(pid, 'SIGTERM')
  const deadline = Date.now() + STOP_TIMEOUT_MS
  while (isAlive(pid)) {
    if (Date.now() > deadline) signal(pid, 'SIGKILL')
    await sleep(20)
  }
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

/** The store limit is lifted because JetStream would count reserved bytes against 75 % of today's free disk. */
function configuration(dir: string, port: number, serverName: string, logFile: string): string {
  return `# Written by bitacora at every start of its own nats-server.
listen: "${HOST}:${port}"
server_name: "${serverName}"
log_file: ${JSON.stringify(logFile)}
logfile_size_limit: 10MB
max_payload: 1MB
write_deadline: "10s"
jetstream { store_dir: ${JSON.stringify(join(dir, 'jetstream'))}, max_file_store: 1TB }
`
}

async function checkBinary(binary: string): Promise<void> {
  let printed: string
  try {
    printed = (await run(binary, ['--version'])).stdout
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    if (code === 'ENOENT' || code === 'EACCES') throw new NatsServerMissing(binary)
    throw error
  }
  checkVersion(binary, /v?(\d+\.\d+\.\d+)/.exec(printed)?.[1] ?? '0.0.0')
}

function checkVersion(where: string, version: string): void {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  const [floorMajor = 0, floorMinor = 0] = FLOOR.split('.').map(Number)
  if (major < floorMajor || (major === floorMajor && minor < floorMinor)) {
    throw new NatsServerTooOld(where, version, FLOOR)
  }
}

async function answers(
  port: number,
  serverName: string,
  ended: () => boolean,
): Promise<ServerInfo | undefined> {
  const deadline = Date.now() + START_TIMEOUT_MS
  while (!ended() && Date.now() < deadline) {
    const info = await readInfo(port)
    if (info?.server_name === serverName && info.jetstream) return info
    await sleep(20)
  }
  return undefined
}

/** The first line a NATS server sends names it; nothing else is needed to know whether it is ours. */
function readInfo(port: number): Promise<ServerInfo | undefined> {
  return new Promise((found) => {
    let text = ''
    const socket = connectSocket({ host: HOST, port })
    const finish = (info?: ServerInfo) => {
      socket.destroy()
      found(info)
    }
    socket.setTimeout(2000, () => finish())
    socket.once('error', () => finish())
    socket.once('close', () => finish())
    socket.on('data', (chunk) => {
      text += chunk.toString('utf8')
      if (!text.includes('\n')) return
      const match = /^INFO (\{.*\})/.exec(text)
      finish(match?.[1] ? parseJson<ServerInfo>(match[1]) : undefined)
    })
  })
}

function freePort(): Promise<number> {
  return listenOnce(0)
}

async function isFree(port: number): Promise<boolean> {
  return listenOnce(port).then(
    () => true,
    () => false,
  )
}

function listenOnce(port: number): Promise<number> {
  return new Promise((found, fail) => {
    const server = createServer()
    server.once('error', fail)
    server.listen(port, HOST, () => {
      const address = server.address()
      server.close(() => found(typeof address === 'object' && address ? address.port : port))
    })
  })
}

async function readRecord(dir: string): Promise<ServerRecord | undefined> {
  const text = await readFile(join(dir, 'nats.json'), 'utf8').catch(() => '')
  const record = parseJson<ServerRecord>(text)
  return record && Number.isInteger(record.pid) && Number.isInteger(record.port)
    ? record
    : undefined
}

/** Renamed into place, so that a kill never leaves half a record. */
async function writeRecord(dir: string, record: ServerRecord): Promise<void> {
  const draft = join(dir, `nats.json.${process.pid}`)
  await writeFile(draft, `${JSON.stringify(record, null, 2)}\n`)
  await rename(draft, join(dir, 'nats.json'))
}

/** Two starts at the same moment must not put two servers on one folder. */
async function lock(file: string): Promise<() => Promise<void>> {
  const deadline = Date.now() + LOCK_TIMEOUT_MS
  for (;;) {
    try {
      const handle = await open(file, 'wx')
      await handle.writeFile(String(process.pid))
      await handle.close()
      return () => rm(file, { force: true })
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    }
    const holder = Number(await readFile(file, 'utf8').catch(() => ''))
    // Empty: its holder was killed before it could write its name, unless it is just about to.
    const abandoned = holder ? !isAlive(holder) : await olderThan(file, UNNAMED_LOCK_MS)
    if (abandoned) await rm(file, { force: true })
    else if (Date.now() > deadline) throw new JetStreamLocked(file, holder)
    await sleep(50)
  }
}

async function olderThan(file: string, ms: number): Promise<boolean> {
  const info = await stat(file).catch(() => undefined)
  return info !== undefined && Date.now() - info.mtimeMs > ms
}

async function sizeOf(file: string): Promise<number> {
  return (await readFile(file, 'utf8').catch(() => '')).length
}

function parseJson<T>(text: string): T | undefined {
  try {
    return JSON.parse(text) as T
  } catch {
    return undefined
  }
}
