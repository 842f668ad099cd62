/** Another program listens where the API was to. */
export class PortInUse extends Error {
  override name = 'PortInUse'
  readonly code = 'port_in_use'
  readonly host: string
  readonly port: number
  constructor(host: string, port: number, cause?: unknown) {
    super(
      `port ${port} on ${host} is in use: end the program that listens there, or choose another port with --port`,
      { cause },
    )
    this.host = host
    this.port = port
  }
}

/** Without tokens the API answers whoever reaches it, so it is not offered to other machines. */
export class NonLoopbackHost extends Error {
  override name = 'NonLoopbackHost'
  readonly code = 'non_loopback_host'
  readonly host: string
  constructor(host: string) {
    super(
      `the HTTP API does not bind to ${host} without access tokens: everybody who reaches that address could read ` +
        'the account and trade; set API_TOKENS_FILE, or use 127.0.0.1, ::1 or localhost',
    )
    this.host = host
  }
}

/** The operating system refused the address for another reason, such as a port below 1024. */
export class CannotListen extends Error {
  override name = 'CannotListen'
  readonly code = 'cannot_listen'
  readonly host: string
  readonly port: number
  constructor(host: string, port: number, cause: unknown) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    super(`cannot listen on port ${port} of ${host} (${reason}): choose another with --port`, {
      cause,
    })
    this.host = host
    this.port = port
  }
}

/** The address to bind to, brackets removed: a loopback address unless there are tokens. Throws NonLoopbackHost. */
export function bindAddress(host: string, hasTokens: boolean): string {
  if (host === 'localhost') return '127.0.0.1'
  const bare = host.startsWith('[') && host.endsWith(']') ? host.slice(1, -1) : host
  if (hasTokens || bare === '::1' || /^127(\.(25[0-5]|2[0-4]\d|1?\d?\d)){3}$/.test(bare))
    return bare
  throw new NonLoopbackHost(host)
}

/** An address that a client on this machine reaches what is bound to. */
export function reachedAt(address: string): string {
  if (address === '0.0.0.0') return '127.0.0.1'
  return address === '::' ? '[::1]' : address.includes(':') ? `[${address}]` : address
}

/** A failure to listen, as the typed error that says what to do. */
export function listenError(host: string, port: number, cause: unknown): Error {
  const { code } = cause as { code?: unknown }
  return code === 'EADDRINUSE'
    ? new PortInUse(host, port, cause)
    : new CannotListen(host, port, cause)
}
