import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect as connectSocket, createServer } from 'node:net'
import { connect, type JetStreamManager, type NatsConnection } from 'nats'

/** A nats-server of a test, on a folder of its own, always on the same port. */
export class OwnNats {
  readonly port: number
  private readonly storeDir: string
  private child: ChildProcess | null = null

  private constructor(storeDir: string, port: number) {
    this.storeDir = storeDir
    this.port = port
  }

  static async start(storeDir: string): Promise<OwnNats> {
    const nats = new OwnNats(storeDir, await freePort())
    await nats.start()
    return nats
  }

  get url(): string {
    return `nats://127.0.0.1:${this.port}`
  }

  async start(): Promise<void> {
    mkdirSync(this.storeDir, { recursive: true })
    // Beside the store, which may be a full disk. Reserved bytes are counted against the disk without a limit.
    const conf = join(tmpdir(), `bitacora-nats-${this.port}.conf`)
    const store = `store_dir: ${JSON.stringify(this.storeDir)}, max_file_store: 1TB`
    writeFileSync(conf, `listen: "127.0.0.1:${this.port}"\njetstream { ${store} }\n`)
    this.child = spawn('nats-server', ['-c', conf], { stdio: 'ignore' })
    for (let attempt = 0; !(await answers(this.port)); attempt++) {
      if (attempt > 500) throw new Error('nats-server does not come up')
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  }

  /** SIGKILL; resolves when it is gone. */
  async kill(): Promise<void> {
    const { child } = this
    rmSync(join(tmpdir(), `bitacora-nats-${this.port}.conf`), { force: true })
    if (child === null || child.exitCode !== null || child.signalCode !== null) return
    const gone = new Promise((resolve) => child.once('exit', resolve))
    child.kill('SIGKILL')
    await gone
  }
}

/** Runs a body with a plain client on a server. */
export async function withClient<T>(
  url: string,
  body: (jsm: JetStreamManager, nc: NatsConnection) => Promise<T>,
): Promise<T> {
  const nc = await connect({ servers: url })
  try {
    return await body(await nc.jetstreamManager(), nc)
  } finally {
    await nc.close()
  }
}

function freePort(): Promise<number> {
  return new Promise((found) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => found(typeof address === 'object' && address ? address.port : 0))
    })
  })
}

function answers(port: number): Promise<boolean> {
  return new Promise((found) => {
    const socket = connectSocket(port, '127.0.0.1')
    socket.once('data', () => {
      socket.destroy()
      found(true)
    })
    socket.once('error', () => found(false))
  })
}
