/** No nats-server program on this machine, and no address of one given. */
export class NatsServerMissing extends Error {
  override name = 'NatsServerMissing'
  readonly code = 'nats_server_missing'
  constructor(binary: string) {
    super(
      `no nats-server found (looked for ${binary}): install it with \`apt install nats-server\` or ` +
        '`brew install nats-server`, name its path in NATS_SERVER_BIN, or run one elsewhere ' +
        '(`docker run -p 4222:4222 nats -js`) and name its address in NATS_URL',
    )
  }
}

/** The server, or the program, is older than the oldest version supported. */
export class NatsServerTooOld extends Error {
  override name = 'NatsServerTooOld'
  readonly code = 'nats_server_too_old'
  constructor(where: string, version: string, floor: string) {
    super(`nats-server at ${where} is ${version}; ${floor} or newer is needed: upgrade it`)
  }
}

/** The server answers and has no JetStream for us. */
export class JetStreamDisabled extends Error {
  override name = 'JetStreamDisabled'
  readonly code = 'jetstream_disabled'
  constructor(where: string, cause?: unknown) {
    super(
      `the NATS server at ${where} has JetStream switched off for our account: start it with -js, or enable it for the account`,
      { cause },
    )
  }
}

/** Another nats-server that we cannot adopt lives on our JetStream folder. */
export class JetStreamLocked extends Error {
  override name = 'JetStreamLocked'
  readonly code = 'jetstream_locked'
  constructor(dir: string, pid: number) {
    super(
      `process ${pid} already serves ${dir} and is not one we can adopt: stop it (kill ${pid}), or use another --dir`,
    )
  }
}

/** Our nats-server ended, or never answered, while starting. */
export class NatsServerFailed extends Error {
  override name = 'NatsServerFailed'
  readonly code = 'nats_server_failed'
  constructor(logFile: string, lastLines: string) {
    super(`nats-server did not start; the end of ${logFile}:\n${lastLines || '(empty)'}`)
  }
}
