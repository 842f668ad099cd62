import { connectNats, isConnected, type NatsConnection } from '../adapters/nats/connection.ts'
import { isAlive } from '../adapters/nats/process-table.ts'
import { ensureServer, type NatsServer } from '../adapters/nats/server.ts'
import type { Cleanup } from '../runtime/lifecycle.ts'
import type { Log } from '../runtime/log.ts'

export interface NatsHomeOptions {
  /** The engine's folder. */
  dir: string
  /** Program to run as the engine's own NATS server. */
  binary: string
  /** A server elsewhere, in place of one of its own. */
  url?: string
  /** Called when its own server died and could not be started again where it was. */
  failed: (error: unknown) => void
  log: Log
}

export interface NatsHome {
  nc: NatsConnection
  url: () => string
}

const REVIVE_EVERY_MS = 2000

/** Brings up NATS, or finds it, and looks after it until the cleanup runs. */
export async function openNatsHome(options: NatsHomeOptions, cleanup: Cleanup): Promise<NatsHome> {
  const { dir, binary, url, failed, log } = options
  const wanted = { dir, binary, ...(url !== undefined && { url }) }
  let server = await ensureServer(wanted)
  cleanup.add('nats-server', () => server.stop())
  const nc = await connectNats(server.url, 'engine', ({ type }) => {
    if (type === 'disconnected') log.warn('lost the connection to NATS; connecting again')
    else if (type === 'reconnected') log.info('connected to NATS again')
  })
  cleanup.add('nats', () => nc.close())
  let reviving = false
  const watch = setInterval(() => {
    const dead = server.pid !== null && !isAlive(server.pid)
    if (reviving || isConnected(nc) || !server.owned || !dead) return
    reviving = true
    revive(wanted, server, log)
      .then((revived) => {
        server = revived
      })
      .catch(failed)
      .finally(() => {
        reviving = false
      })
  }, REVIVE_EVERY_MS)
  cleanup.add('nats-server watch', async () => clearInterval(watch))
  return { nc, url: () => server.url }
}

/**
 * Starts the engine's own server again where it has died: with its folder and on its port, so that every connection
 * finds it. Another port would leave everybody else behind: the engine then ends, and its next start tells them.
 */
async function revive(
  wanted: Parameters<typeof ensureServer>[0],
  dead: NatsServer,
  log: Log,
): Promise<NatsServer> {
  const server = await ensureServer(wanted)
  if (server.url !== dead.url) {
    throw new NatsMoved(dead.url, server.url)
  }
  if (server.pid !== dead.pid) log.warn({ pid: server.pid }, 'nats-server had died; it runs again')
  return server
}

/** The server had to be started on another port. */
export class NatsMoved extends Error {
  override name = 'NatsMoved'
  readonly code = 'nats_moved'
  constructor(before: string, now: string) {
    super(
      `nats-server died and could only be started again at ${now}, not at ${before} where everybody looks for it: start the engine again`,
    )
  }
}
