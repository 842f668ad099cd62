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

/** The API answers whoever reaches it, so it is not offered to other machines. */
export class NonLoopbackHost extends Error {
  override name = 'NonLoopbackHost'
  readonly code = 'non_loopback_host'
  readonly host: string
  constructor(host: string) {
    super(
      `the HTTP API does not bind to ${host}: without access tokens, which this version does not support, ` +
        'everybody who reaches that address could read the account; use 127.0.0.1, ::1 or localhost, ' +
        'and a proxy that authenticates for access from elsewhere',
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

/** The address to bind to, brackets removed. Throws NonLoopbackHost. */
export function loopback(host: string): string {
  if (host === 'localhost') return '127.0.0.1'
  const bare = host.startsWith('[') && host.endsWith(']') ? host.slice(1, -1) : host
  if (bare === '::1' || /^127(\.(25[0-5]|2[0-4]\d|1?\d?\d)){3}$/.test(bare)) return bare
  throw new NonLoopbackHost(host)
}

/** A failure to listen, as the typed error that says what to do. */
export function listenError(host: string, port: number, cause: unknown): Error {
  const { code } = cause as { code?: unknown }
  return code === 'EADDRINUSE'
    ? new PortInUse(host, port, cause)
    : new CannotListen(host, port, cause)
}
