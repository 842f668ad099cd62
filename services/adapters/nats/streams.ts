import {
  DiscardPolicy,
  type JetStreamManager,
  type NatsConnection,
  type NatsError,
  nanos,
  RetentionPolicy,
  StorageType,
  type StreamConfig,
  type StreamInfo,
} from 'nats'

export const STREAMS = ['MARKET', 'INBOX', 'REPORTS', 'TAPE', 'VERDICTS', 'DEAD'] as const
export type StreamName = (typeof STREAMS)[number]

/** The server does not hold the stream as we asked for it. */
export class StreamMismatch extends Error {
  override name = 'StreamMismatch'
  readonly code = 'stream_mismatch'
  readonly stream: string
  readonly fields: readonly string[]
  constructor(stream: string, fields: readonly string[], cause?: unknown) {
    super(
      `stream ${stream} differs from what was asked for: ${fields.join('; ')}. ` +
        'Upgrade the server, or delete the stream if its messages are expendable',
      { cause },
    )
    this.stream = stream
    this.fields = fields
  }
}

/** A stream of our name, or what it holds, belongs to another book or to somebody else. */
export class ForeignStream extends Error {
  override name = 'ForeignStream'
  readonly code = 'foreign_stream'
  readonly stream: string
  /** Book id the stream carries, null when it carries none. */
  readonly found: string | null
  readonly expected: string
  constructor(stream: string, found: string | null, expected: string) {
    super(
      `stream ${stream} belongs to ${found === null ? 'no bitacora book' : `book ${found}`}, ` +
        `this engine keeps book ${expected}: use the --dir of that book, or another NATS_URL or account`,
    )
    this.stream = stream
    this.found = found
    this.expected = expected
  }
}

/** Another stream already takes messages of our subjects. */
export class SubjectOverlap extends Error {
  override name = 'SubjectOverlap'
  readonly code = 'subject_overlap'
  constructor(stream: string, subjects: readonly string[], others: readonly string[]) {
    super(
      `subjects ${subjects.join(', ')} of stream ${stream} are taken by ` +
        `${others.length ? `stream ${others.join(', ')}` : 'another stream'}: delete that stream or use another NATS account`,
    )
  }
}

/** The server has no room for the stream's byte limit. */
export class StreamStorageInsufficient extends Error {
  override name = 'StreamStorageInsufficient'
  readonly code = 'stream_storage_insufficient'
  constructor(stream: string, maxBytes: number, cause: unknown) {
    super(
      `the NATS server cannot reserve ${maxBytes} bytes for stream ${stream}: raise max_file_store, or lower the stream's limit`,
      { cause },
    )
  }
}

export interface ProvisionOptions {
  bookId: string
  account: string
  /** Byte limits to use instead of the default ones. */
  maxBytes?: Partial<Record<StreamName, number>>
}

export type Wanted = Pick<
  StreamConfig,
  | 'name'
  | 'description'
  | 'subjects'
  | 'retention'
  | 'storage'
  | 'discard'
  | 'max_age'
  | 'max_bytes'
  | 'max_msgs'
  | 'max_msgs_per_subject'
  | 'max_msg_size'
  | 'duplicate_window'
  | 'num_replicas'
  | 'sealed'
  | 'deny_purge'
  | 'no_ack'
>

const MIB = 1024 * 1024
const DAY_MS = 24 * 60 * 60 * 1000
const WINDOW_MIN_MS = 100
const WINDOW_MS = 2 * 60 * 1000
const DESCRIPTION = /^bitacora book (\S+) account (\S+)$/

interface Limits {
  subjects: string[]
  /** 0: kept whatever its age. */
  maxAgeMs: number
  maxBytes: number
  discard: DiscardPolicy
  windowMs: number
}

/**
 * INBOX and REPORTS refuse new messages when full and never drop old ones: nothing may vanish before it is in
 * the book (trimConsumed makes room). Their senders choose their ids freely, and two may choose alike, so the
 * INBOX window is the least the server takes. TAPE has no age, because its last message says where it ends, and
 * the least window, because order is kept by expected sequences and a rebuild sends the same ids again.
 */
const LIMITS: Record<StreamName, Limits> = {
  MARKET: limits(['md.>'], 7 * DAY_MS, 4096 * MIB, DiscardPolicy.Old, WINDOW_MS),
  INBOX: limits(['signals.manual.>', 'control.>'], 0, 512 * MIB, DiscardPolicy.New, WINDOW_MIN_MS),
  REPORTS: limits(['reports.>'], 0, 512 * MIB, DiscardPolicy.New, WINDOW_MS),
  TAPE: limits(['tape.>'], 0, 4096 * MIB, DiscardPolicy.Old, WINDOW_MIN_MS),
  VERDICTS: limits(['signals.verdict.>'], 7 * DAY_MS, 512 * MIB, DiscardPolicy.Old, WINDOW_MS),
  DEAD: limits(['dead.>'], 30 * DAY_MS, 512 * MIB, DiscardPolicy.Old, WINDOW_MS),
}

function limits(
  subjects: string[],
  maxAgeMs: number,
  maxBytes: number,
  discard: DiscardPolicy,
  windowMs: number,
): Limits {
  return { subjects, maxAgeMs, maxBytes, discard, windowMs }
}

/**
 * Creates or updates the streams of a book, then reads each back: servers drop settings they do not know without
 * a word. All are looked at before any is touched. Throws ForeignStream, SubjectOverlap, StreamMismatch,
 * StreamStorageInsufficient.
 */
export async function provision(nc: NatsConnection, options: ProvisionOptions): Promise<void> {
  const jsm = await nc.jetstreamManager()
  const wanted = STREAMS.map((name) => configuration(name, options))
  const present: (StreamInfo | undefined)[] = []
  for (const config of wanted) {
    const info = await lookUp(jsm, config.name)
    if (info) checkOwner(info, options.bookId)
    present.push(info)
  }
  for (const [index, config] of wanted.entries()) {
    const held = present[index]
    // An update makes 2.9 forget when the stream was made: it would pass for another one two starts later.
    if (held && differences(config, held.config).length === 0) continue
    await put(jsm, config, held !== undefined)
    const info = await jsm.streams.info(config.name)
    const fields = differences(config, info.config)
    if (fields.length > 0) throw new StreamMismatch(config.name, fields)
  }
}

/** Throws ForeignStream when the stream does not carry the book's id. */
export function checkOwner(info: StreamInfo, bookId: string): void {
  const found = DESCRIPTION.exec(info.config.description ?? '')?.[1] ?? null
  if (found !== bookId) throw new ForeignStream(info.config.name, found, bookId)
}

/** One line for each field in which the server's stream is not the one asked for. */
export function differences(wanted: Partial<StreamConfig>, got: Partial<StreamConfig>): string[] {
  const lines: string[] = []
  for (const [field, value] of Object.entries(wanted)) {
    const asked = normal(value)
    const held = normal(got[field as keyof StreamConfig])
    if (asked !== held) lines.push(`${field} asked ${asked}, held ${held}`)
  }
  return lines
}

/**
 * Makes room in a stream that refuses new messages when full: removes what every durable consumer has
 * acknowledged, except the last `keep` of those. Resolves to the number removed; without a consumer, 0.
 */
export async function trimConsumed(
  nc: NatsConnection,
  stream: StreamName,
  keep = 100_000,
): Promise<number> {
  const jsm = await nc.jetstreamManager()
  let floor = Number.POSITIVE_INFINITY
  for await (const consumer of jsm.consumers.list(stream)) {
    if (consumer.config.durable_name) floor = Math.min(floor, consumer.ack_floor.stream_seq)
  }
  if (!Number.isFinite(floor) || floor <= keep) return 0
  const { purged } = await jsm.streams.purge(stream, { seq: floor - keep + 1 })
  return purged
}

export function configuration(name: StreamName, options: ProvisionOptions): Wanted {
  const { subjects, maxAgeMs, maxBytes, discard, windowMs } = LIMITS[name]
  return {
    name,
    description: `bitacora book ${options.bookId} account ${options.account}`,
    subjects,
    retention: RetentionPolicy.Limits,
    storage: StorageType.File,
    discard,
    max_age: nanos(maxAgeMs),
    max_bytes: options.maxBytes?.[name] ?? maxBytes,
    max_msgs: -1,
    max_msgs_per_subject: -1,
    max_msg_size: -1,
    duplicate_window: nanos(windowMs),
    num_replicas: 1,
    // Nothing could be published, confirmed, or trimmed any more.
    sealed: false,
    deny_purge: false,
    no_ack: false,
  }
}

export async function lookUp(jsm: JetStreamManager, name: string): Promise<StreamInfo | undefined> {
  try {
    return await jsm.streams.info(name)
  } catch (error) {
    if (apiCode(error) === 10059) return undefined
    throw error
  }
}

/** Makes or alters a stream. Throws SubjectOverlap, StreamStorageInsufficient, StreamMismatch. */
export async function put(jsm: JetStreamManager, config: Wanted, present: boolean): Promise<void> {
  try {
    await (present ? jsm.streams.update(config.name, config) : jsm.streams.add(config))
  } catch (error) {
    const code = apiCode(error)
    if (code === 10065) {
      throw new SubjectOverlap(config.name, config.subjects, await takers(jsm, config))
    }
    if (code === 10047 || code === 10028 || code === 10023) {
      throw new StreamStorageInsufficient(config.name, config.max_bytes, error)
    }
    if (present && code !== undefined) {
      const { config: held } = await jsm.streams.info(config.name)
      throw new StreamMismatch(config.name, differences(config, held), error)
    }
    throw error
  }
}

async function takers(jsm: JetStreamManager, config: Wanted): Promise<string[]> {
  const names = new Set<string>()
  for (const subject of config.subjects) {
    for await (const name of jsm.streams.names(subject)) names.add(name)
  }
  names.delete(config.name)
  return [...names]
}

/** JetStream's own error number, undefined for other errors. */
export function apiCode(error: unknown): number | undefined {
  return (error as NatsError | undefined)?.api_error?.err_code
}

function normal(value: unknown): string {
  // Servers leave out some of the flags that are not set.
  if (value === false) return 'nothing'
  if (Array.isArray(value)) return JSON.stringify([...value].map(String).sort())
  return JSON.stringify(value) ?? 'nothing'
}
