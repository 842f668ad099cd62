import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { connectNats, type NatsConnection } from './connection.ts'
import { isAlive, serversOn } from './process-table.ts'
import { ensureServer, type NatsServer } from './server.ts'

/** What a test gets: a folder and a server of its own, ended with everything on it, also on failure. */
export class NatsFixture {
  readonly dir: string
  server!: NatsServer
  readonly #connections: NatsConnection[] = []
  readonly #children: ChildProcess[] = []

  constructor(dir: string) {
    this.dir = dir
  }

  /** A plain connection: provisioned streams are the test's matter. */
  async connect(role = 'test', url = this.server.url): Promise<NatsConnection> {
    const nc = await connectNats(url, role)
    this.#connections.push(nc)
    return nc
  }

  /** SIGKILL, wait, start again on the same port and folder. */
  async crash(downMs = 0): Promise<void> {
    const pid = this.server.pid as number
    process.kill(pid, 'SIGKILL')
    while (isAlive(pid)) await sleep(5)
    await sleep(downMs)
    const { url } = this.server
    this.server = await ensureServer({ dir: this.dir })
    if (this.server.url !== url) throw new Error(`port changed from ${url} to ${this.server.url}`)
  }

  /** A nats-server with a configuration of the test's, in a folder of its own. */
  async spawnServer(configuration: string): Promise<{ url: string; pid: number }> {
    const port = await freePort()
    const file = join(this.dir, `other-${port}.conf`)
    await writeFile(file, `listen: "127.0.0.1:${port}"\n${configuration}\n`)
    const child = spawn('nats-server', ['-c', file], { stdio: 'ignore' })
    this.#children.push(child)
    const url = `nats://127.0.0.1:${port}`
    await until(() => answers(port))
    return { url, pid: child.pid as number }
  }

  async close(): Promise<void> {
    for (const nc of this.#connections) await nc.close().catch(() => {})
    for (const child of this.#children) child.kill('SIGKILL')
    for (const pid of await serversOn(this.dir)) process.kill(pid, 'SIGKILL')
    await until(async () => (await serversOn(this.dir)).length === 0)
    await rm(this.dir, { recursive: true, force: true, maxRetries: 5 })
  }
}

/** Wraps a test body: a fresh folder, optionally with a server running on it. */
export function withNats(
  body: (fixture: NatsFixture) => Promise<void>,
  options: { start?: boolean; timeoutMs?: number } = {},
): () => Promise<void> {
  return async () => {
    const fixture = new NatsFixture(await mkdtemp(join(tmpdir(), 'bitacora-nats-')))
    try {
      if (options.start !== false) fixture.server = await ensureServer({ dir: fixture.dir })
      await Promise.race([body(fixture), expiry(options.timeoutMs ?? 90_000)])
    } finally {
      await fixture.close()
    }
  }
}

export async function until(
  condition: () => boolean | Promise<boolean>,
  timeoutMs = 15_000,
): Promise<void> {
  const deadline = Date.now() + timeoutMs
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`still not so after ${timeoutMs} ms: ${condition}`)
    await sleep(10)
  }
}

/** The error a promise rejects with; resolving is the failure. */
export async function rejection(promise: Promise<unknown>): Promise<Error & { code?: string }> {
  try {
    await promise
  } catch (error) {
    return error as Error & { code?: string }
  }
  throw new Error('it resolved')
}

export function freePort(): Promise<number> {
  return new Promise((found) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => found(typeof address === 'object' && address ? address.port : 0))
    })
  })
}

async function answers(port: number): Promise<boolean> {
  const { connect } = await import('node:net')
  return new Promise((found) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('data', () => found(true))
    socket.once('error', () => found(false))
    socket.once('data', () => socket.destroy())
  })
}

async function expiry(timeoutMs: number): Promise<never> {
  await sleep(timeoutMs, undefined, { ref: false })
  throw new Error(`the test did not end within ${timeoutMs} ms`)
}
