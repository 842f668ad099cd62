import { STRATEGIES } from '../../engine/strategies/registry.ts'

/** How a value is read. The kinds `host`, `text`, `path`, `file` and `program` are all strings. */
export type SettingKind =
  | 'boolean'
  | 'enum'
  | 'file'
  | 'host'
  | 'integer'
  | 'number'
  | 'path'
  | 'program'
  | 'symbols'
  | 'text'
  | 'url'

export interface SettingSpec {
  readonly name: string
  readonly kind: SettingKind
  /** As it would be written in `.env`; empty: none. */
  readonly default: string
  /** First version in which it has an effect; null: accepted and checked, reserved for a later one. */
  readonly since: string | null
  /** One line, without the values allowed. */
  readonly help: string
  /** Never printed or logged whole. */
  readonly secret?: true
  /** A reserved one that stops the start instead of being ignored. */
  readonly refused?: true
  /** The option that sets it on the command line. */
  readonly flag?: string
  /** Values of an enum. */
  readonly allowed?: readonly string[]
  /** Values of an enum that are known names without a feature behind them yet. */
  readonly later?: readonly string[]
  /** Whether an enum takes any case. */
  readonly anyCase?: true
  /** Bounds of a number, both allowed. */
  readonly min?: number
  readonly max?: number
  readonly unit?: string
  /** Protocols of a URL, without the colon. */
  readonly protocols?: readonly string[]
  /** Several addresses separated by commas, each with or without a protocol. */
  readonly addresses?: true
}

/**
 * Environment names that start like this are ours: one that is no setting stops the start. Prefixes that other
 * programs use as well are left out (NATS_ and EVENTSTORE_ configure servers and their tools, API_, OTEL_, TELEGRAM_,
 * DISCORD_ and PROMETHEUS_ anything, MCP_ alone the clients of the Model Context Protocol): there a name that
 * looks misspelt earns a warning.
 */
export const OUR_PREFIXES: readonly string[] = [
  'ALPACA_',
  'AUTO_TRAINING_',
  'BITACORA_',
  'MCP_CACHE_',
  'MCP_RATE_LIMIT_',
  'SIGNALS_',
]

const HTTP = ['http', 'https'] as const

/** Every setting there is, in the order in which `.env.example` and `doctor` show them. */
export const SETTINGS = [
  {
    name: 'DATA_DIR',
    kind: 'path',
    default: './data',
    since: '0.1',
    flag: '--dir',
    help: "The engine's folder: its book, its JetStream data, how to reach it",
  },
  {
    name: 'NATS_URL',
    kind: 'url',
    protocols: ['nats', 'tls'],
    addresses: true,
    default: '',
    since: '0.1',
    help: 'NATS server with JetStream, 2.9 or newer; empty: the engine runs its own',
  },
  {
    name: 'NATS_SERVER_BIN',
    kind: 'program',
    default: 'nats-server',
    since: '0.1',
    help: 'Program that the engine runs as its own NATS server',
  },
  {
    name: 'EVENTSTORE_URL',
    kind: 'url',
    protocols: ['esdb', 'esdb+discover'],
    default: '',
    since: '0.1',
    help: 'EventStoreDB that holds the book; empty: the embedded store in DATA_DIR',
  },
  {
    name: 'API_HOST',
    kind: 'host',
    default: '127.0.0.1',
    since: '0.1',
    help: 'Address on which the HTTP API listens',
  },
  {
    name: 'API_PORT',
    kind: 'integer',
    min: 0,
    max: 65535,
    default: '8080',
    since: '0.1',
    flag: '--port',
    help: 'Port of the HTTP API; 0: any free one',
  },
  {
    name: 'API_TOKENS_FILE',
    kind: 'file',
    default: '',
    since: '0.1',
    help: 'JSON file of access tokens: name, sha256 of the token, scopes; empty: none, and the API stays on loopback',
  },
  {
    name: 'SYMBOLS',
    kind: 'symbols',
    default: '',
    since: '0.1',
    flag: '--symbols',
    help: 'Symbols that may be traded; empty: every symbol that has a bar',
  },
  {
    name: 'TIMEFRAME',
    kind: 'enum',
    allowed: ['1m', '5m', '15m', '1h', '1d'],
    default: '',
    since: '0.1',
    flag: '--timeframe',
    help: 'Length of a bar; empty: as in the data',
  },
  {
    name: 'STRATEGY',
    kind: 'enum',
    allowed: STRATEGIES.map(({ name }) => name),
    later: ['trend_following', 'ml_prediction', 'ensemble'],
    default: 'sma_cross',
    since: '0.1',
    flag: '--strategy',
    help: 'Built-in strategy',
  },
  {
    name: 'TRADING_MODE',
    kind: 'enum',
    allowed: ['paper'],
    later: ['live'],
    default: 'paper',
    since: '0.1',
    help: 'Whose money: paper is the simulated broker',
  },
  {
    name: 'SIGNALS_REQUIRE_SIGNATURE',
    kind: 'boolean',
    default: '',
    since: '0.1',
    help: 'Refuse manual signals without a valid signature; empty: only with a real broker',
  },
  {
    name: 'SIGNALS_KEYS_FILE',
    kind: 'file',
    default: '',
    since: '0.1',
    help: 'File with the keys that sign manual signals',
  },
  {
    name: 'MAX_RETRY_ATTEMPTS',
    kind: 'integer',
    min: 0,
    max: 100,
    default: '5',
    since: null,
    help: 'Repetitions of a broker call that failed for a passing reason; 0: none',
  },
  {
    name: 'BASE_BACKOFF_TIME_MS',
    kind: 'integer',
    min: 1,
    max: 3_600_000,
    unit: 'ms',
    default: '1000',
    since: '0.1',
    help: 'Wait before the first repetition, doubled before each next one',
  },
  {
    name: 'MAX_BACKOFF_TIME_MS',
    kind: 'integer',
    min: 1,
    max: 3_600_000,
    unit: 'ms',
    default: '30000',
    since: '0.1',
    help: 'Longest wait between repetitions, at least BASE_BACKOFF_TIME_MS',
  },
  {
    name: 'JITTER_FACTOR',
    kind: 'number',
    min: 0,
    max: 1,
    default: '0.1',
    since: '0.1',
    help: 'Share of a wait that is random',
  },
  {
    name: 'LOG_LEVEL',
    kind: 'enum',
    allowed: ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'],
    anyCase: true,
    default: 'info',
    since: '0.1',
    help: 'Least severe log lines written to stderr',
  },
  {
    name: 'OTEL_EXPORTER_OTLP_ENDPOINT',
    kind: 'url',
    protocols: HTTP,
    default: '',
    since: '0.1',
    help: 'OpenTelemetry collector (OTLP over HTTP) that receives traces; empty: none',
  },
  {
    name: 'ALPACA_API_KEY',
    kind: 'text',
    secret: true,
    default: '',
    since: null,
    help: 'Key of the Alpaca account',
  },
  {
    name: 'ALPACA_API_SECRET',
    kind: 'text',
    secret: true,
    default: '',
    since: null,
    help: 'Secret of the Alpaca account',
  },
  {
    name: 'USE_MCP',
    kind: 'boolean',
    default: 'false',
    since: null,
    help: 'Reach Alpaca through the gateway (Market Connection Proxy)',
  },
  {
    name: 'MCP_HOST',
    kind: 'host',
    default: '127.0.0.1',
    since: null,
    help: 'Address of the gateway',
  },
  {
    name: 'MCP_PORT',
    kind: 'integer',
    min: 0,
    max: 65535,
    default: '8090',
    since: null,
    help: 'Port of the gateway',
  },
  {
    name: 'MCP_CACHE_TTL',
    kind: 'integer',
    min: 0,
    max: 86_400,
    unit: 's',
    default: '60',
    since: null,
    help: 'How long the gateway keeps an answer',
  },
  {
    name: 'MCP_RATE_LIMIT_MAX_REQUESTS',
    kind: 'integer',
    min: 1,
    max: 1_000_000,
    default: '100',
    since: null,
    help: 'Requests that the gateway lets through per MCP_RATE_LIMIT_TIMEFRAME',
  },
  {
    name: 'MCP_RATE_LIMIT_TIMEFRAME',
    kind: 'integer',
    min: 1,
    max: 86_400,
    unit: 's',
    default: '60',
    since: null,
    help: 'Window over which the gateway counts requests',
  },
  {
    name: 'MODEL_TYPE',
    kind: 'enum',
    allowed: ['random_forest', 'gradient_boosting', 'lstm'],
    default: 'random_forest',
    since: null,
    help: 'Kind of model that training makes',
  },
  {
    name: 'AUTO_TRAINING_SCHEDULE',
    kind: 'enum',
    allowed: ['daily', 'weekly', 'monthly'],
    default: '',
    since: null,
    help: 'How often models are trained anew; empty: never',
  },
  {
    name: 'TELEGRAM_TOKEN',
    kind: 'text',
    secret: true,
    default: '',
    since: null,
    help: 'Token of the Telegram bot that sends alerts',
  },
  {
    name: 'TELEGRAM_CHAT_ID',
    kind: 'text',
    default: '',
    since: null,
    help: 'Telegram chat that receives alerts',
  },
  {
    name: 'DISCORD_WEBHOOK',
    kind: 'url',
    protocols: ['https'],
    secret: true,
    default: '',
    since: null,
    help: 'Discord webhook that receives alerts',
  },
  {
    name: 'PROMETHEUS_PUSHGATEWAY',
    kind: 'url',
    protocols: HTTP,
    default: '',
    since: null,
    help: 'Prometheus Pushgateway that receives metrics',
  },
] as const satisfies readonly SettingSpec[]

type Spec = (typeof SETTINGS)[number]
export type SettingName = Spec['name']

type ValueOf<S extends SettingSpec> = S['kind'] extends 'integer' | 'number'
  ? number
  : S['kind'] extends 'boolean'
    ? boolean
    : S extends { kind: 'enum'; allowed: readonly (infer A)[] }
      ? A
      : string

/** Every setting's value by name; null where nothing is set and there is no default. Paths are absolute. */
export type Settings = {
  readonly [S in Spec as S['name']]: S['kind'] extends 'symbols'
    ? readonly string[]
    : ValueOf<S> | (S['default'] extends '' ? null : never)
}

/** What the type of a value can be at run time. */
export type SettingValue = string | number | boolean | readonly string[] | null

const RESERVED = 'reserved: no effect in this version'
const REFUSED = 'reserved: this version does not start with it'

/** How a reserved setting is marked; empty for one in force. */
export function reservedMark(spec: SettingSpec): string {
  if (spec.since !== null) return ''
  return spec.refused ? REFUSED : RESERVED
}

/** The setting of a name, or undefined. */
export function findSetting(name: string): (SettingSpec & { name: SettingName }) | undefined {
  return SETTINGS.find((spec) => spec.name === name)
}
