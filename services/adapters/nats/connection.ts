import { connect, Events, type NatsConnection, type Status } from 'nats'

export type { NatsConnection }

export interface ConnectionStatus {
  type: 'disconnected' | 'reconnected' | 'closed'
}

/** No server answered at the address, or none that speaks NATS. */
export class NatsUnreachable extends Error {
  override name = 'NatsUnreachable'
  readonly code = 'nats_unreachable'
  readonly url: string
  constructor(url: string, cause: unknown) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    super(
      `no NATS server reachable at ${withoutCredentials(url)} (${reason}): start one there, or correct NATS_URL`,
      { cause },
    )
    this.url = withoutCredentials(url)
  }
}

/** The server was there and stopped answering in the middle of what needs it. */
export class NatsLost extends Error {
  override name = 'NatsLost'
  readonly code = 'nats_unreachable'
  constructor(cause: Error) {
    super(
      `the NATS server stopped answering while the engine started (${cause.message}): start it again`,
      { cause },
    )
  }
}

const LOST: ReadonlySet<string> = new Set([
  'TIMEOUT',
  '503',
  'CONNECTION_CLOSED',
  'CONNECTION_DRAINING',
  'DISCONNECT',
  'publish_timeout',
])

/** What the client says when its server has gone, as the error that names the remedy; others as they are. */
export function natsLost(error: unknown): unknown {
  const { code } = error as { code?: unknown }
  return error instanceof Error && LOST.has(String(code)) ? new NatsLost(error) : error
}

/** The server answered and refused the credentials of the address. */
export class NatsUnauthorized extends Error {
  override name = 'NatsUnauthorized'
  readonly code = 'nats_unauthorized'
  readonly url: string
  constructor(url: string, cause: unknown) {
    super(
      `the NATS server at ${withoutCredentials(url)} refused our credentials: correct user and password, or token, in NATS_URL`,
      { cause },
    )
    this.url = withoutCredentials(url)
  }
}

const PING_INTERVAL_MS = 1500
const CONNECT_TIMEOUT_MS = 3000
const RECONNECT_MIN_MS = 100
const RECONNECT_JITTER_MS = 400
const AUTH_CODES = new Set(['AUTHORIZATION_VIOLATION', 'AUTHENTICATION_EXPIRED'])

interface Watch {
  connected: boolean
  listeners: Set<(status: ConnectionStatus) => void>
}

const watches = new WeakMap<NatsConnection, Watch>()

/**
 * Connects to `url` (several addresses separated by commas; user:password or a token before the @) and
 * reconnects for ever. The first attempt does not wait: NatsUnreachable or NatsUnauthorized. A server that
 * stops answering without closing its socket is noticed within about 5 s.
 */
export async function connectNats(
  url: string,
  role: string,
  onStatus?: (status: ConnectionStatus) => void,
): Promise<NatsConnection> {
  let nc: NatsConnection
  try {
    nc = await connect({
      ...addresses(url),
      name: `bitacora-${role}`,
      maxReconnectAttempts: -1,
      reconnectDelayHandler: () => RECONNECT_MIN_MS + Math.random() * RECONNECT_JITTER_MS,
      waitOnFirstConnect: false,
      pingInterval: PING_INTERVAL_MS,
      maxPingOut: 2,
      timeout: CONNECT_TIMEOUT_MS,
      noAsyncTraces: true,
    })
  } catch (error) {
    if (AUTH_CODES.has((error as { code?: string }).code ?? '')) {
      throw new NatsUnauthorized(url, error)
    }
    throw new NatsUnreachable(url, error)
  }
  if (onStatus) watchStatus(nc, onStatus)
  return nc
}

/** Calls back on every change of the connection until the returned function is called. */
export function watchStatus(
  nc: NatsConnection,
  listener: (status: ConnectionStatus) => void,
): () => void {
  const watch = watchOf(nc)
  watch.listeners.add(listener)
  return () => void watch.listeners.delete(listener)
}

/** Whether the connection stood when last heard of; an outage shows a moment late. */
export function isConnected(nc: NatsConnection): boolean {
  return watchOf(nc).connected && !nc.isClosed()
}

function watchOf(nc: NatsConnection): Watch {
  const known = watches.get(nc)
  if (known) return known
  const watch: Watch = { connected: !nc.isClosed(), listeners: new Set() }
  watches.set(nc, watch)
  void follow(nc, watch)
  void nc.closed().then(() => tell(watch, false, 'closed'))
  return watch
}

async function follow(nc: NatsConnection, watch: Watch): Promise<void> {
  for await (const status of nc.status() as AsyncIterable<Status>) {
    if (status.type === Events.Disconnect) tell(watch, false, 'disconnected')
    else if (status.type === Events.Reconnect) tell(watch, true, 'reconnected')
  }
}

function tell(watch: Watch, connected: boolean, type: ConnectionStatus['type']): void {
  watch.connected = connected
  for (const listener of [...watch.listeners]) listener({ type })
}

/** The client takes credentials as options, not inside the address. */
function addresses(url: string) {
  const servers: string[] = []
  const options: { user?: string; pass?: string; token?: string; tls?: object } = {}
  for (const part of url.split(',')) {
    const text = part.trim()
    const parsed = parse(text)
    if (!parsed) {
      servers.push(text)
      continue
    }
    if (parsed.protocol === 'tls:') options.tls = {}
    if (parsed.username && parsed.password) {
      options.user = decodeURIComponent(parsed.username)
      options.pass = decodeURIComponent(parsed.password)
    } else if (parsed.username) {
      options.token = decodeURIComponent(parsed.username)
    }
    servers.push(parsed.host || text)
  }
  return { servers, ...options }
}

function withoutCredentials(url: string): string {
  return url
    .split(',')
    .map((part) => part.trim().replace(/^([a-z]+:\/\/)?[^@/]*@/i, '$1'))
    .join(',')
}

function parse(url: string): URL | undefined {
  const full = url.includes('://') ? url : `nats://${url}`
  return URL.canParse(full) ? new URL(full) : undefined
}
