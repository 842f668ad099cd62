import {
  createInbox,
  type JetStreamManager,
  type Msg,
  type MsgHdrs,
  type NatsConnection,
  type StreamState,
  type Subscription,
} from 'nats'
import { isConnected, watchStatus } from './connection.ts'
import { apiCode, ForeignStream } from './streams.ts'

/** TAPE ends before what the server had confirmed: it lost or was relieved of its last messages. */
export class TapeRegressed extends Error {
  override name = 'TapeRegressed'
  readonly code = 'tape_regressed'
  readonly position: number
  constructor(stream: string, position: number, confirmed: number) {
    super(
      `stream ${stream} ends at position ${position} though ${confirmed} was confirmed: publish again from ${position + 1}`,
    )
    this.position = position
  }
}

/** TAPE lacks its beginning, or its last message is missing or carries no position. */
export class TapeDamaged extends Error {
  override name = 'TapeDamaged'
  readonly code = 'tape_damaged'
  constructor(stream: string, sequence: number, what: string) {
    super(`message ${sequence} of stream ${stream} ${what}: rebuild it from the book`)
  }
}

export interface TapeOptions {
  bookId: string
  /** Default TAPE. */
  stream?: string
  /** Most messages sent and not confirmed; default 1,000. */
  maxInFlight?: number
  /** Default 5,000. */
  ackTimeoutMs?: number
}

export interface TapeEnd {
  /** Position of the last event on the stream, −1 when it is empty. */
  position: number
  /** Sequence the server gave last, also when the message is gone. */
  sequence: number
}

interface Entry {
  subject: string
  payload: Uint8Array | string
  trace: string | undefined
  sentAt: number
}

/** Where TAPE ends. Throws ForeignStream when its last message is another book's, TapeDamaged. */
export async function readTapeEnd(
  nc: NatsConnection,
  stream: string,
  bookId: string,
  timeout = 5000,
): Promise<TapeEnd> {
  const jsm = await nc.jetstreamManager({ timeout, checkAPI: false })
  const { config, state } = await jsm.streams.info(stream)
  const sequence = state.last_seq
  if (state.messages === 0) return { position: -1, sequence }
  const last = await jsm.streams.getMessage(stream, { seq: sequence }).catch((error) => {
    if (apiCode(error) === 10037) throw new TapeDamaged(stream, sequence, 'was deleted')
    throw error
  })
  const text = last.header.get('bitacora-position')
  const position = text === '' ? -1 : Number(text)
  if (!Number.isSafeInteger(position) || position < 0) {
    throw new TapeDamaged(stream, sequence, 'carries no position')
  }
  const id = last.header.get('Nats-Msg-Id')
  if (id !== `${bookId}-${position}`) {
    const suffix = `-${position}`
    throw new ForeignStream(
      stream,
      id.endsWith(suffix) ? id.slice(0, -suffix.length) : null,
      bookId,
    )
  }
  await checkBeginning(jsm, stream, state, config.max_bytes)
  return { position, sequence }
}

/** A limit removes the oldest only from a full stream; one that has room and lacks them was emptied by somebody. */
async function checkBeginning(
  jsm: JetStreamManager,
  stream: string,
  state: StreamState,
  maxBytes: number,
): Promise<void> {
  const { first_seq: sequence, bytes } = state
  if (sequence <= 1 || (maxBytes > 0 && bytes > maxBytes / 2)) return
  const first = await jsm.streams.getMessage(stream, { seq: sequence }).catch((error) => {
    if (apiCode(error) === 10037) return null
    throw error
  })
  const position = Number(first?.header.get('bitacora-position') || Number.NaN)
  if (position > 0) {
    throw new TapeDamaged(stream, sequence, `is the first one, with position ${position}`)
  }
}

/**
 * Publishes events in order with many in flight. Every message names the sequence it must follow, so that the
 * server itself refuses whatever arrives after a hole, from us or from a second publisher; one confirmation thus
 * confirms all before it. After any doubt the end of the stream is read and sending goes on behind it.
 */
export class TapeStream {
  /** Resolves when closed; rejects with what ended it: TapeRegressed, TapeDamaged, ForeignStream. */
  readonly done: Promise<void>
  readonly #nc: NatsConnection
  readonly #options: Required<TapeOptions>
  readonly #inbox = createInbox()
  readonly #subscription: Subscription
  readonly #unwatch: () => void
  readonly #timer: NodeJS.Timeout
  /** Unconfirmed messages from position `#acknowledged + 1` on; the first `#head` are confirmed. */
  #entries: Entry[] = []
  #head = 0
  #acknowledged: number
  /** Sequence of a position = position + this. */
  #offset: number
  #epoch = 0
  #lookedAt = Date.now()
  #recovering = false
  #recoverAgain = false
  #error: unknown
  #closed = false
  #room: (() => void)[] = []
  #drained: { resolve: () => void; reject: (error: unknown) => void }[] = []
  #resolveDone: () => void = () => {}
  #rejectDone: (error: unknown) => void = () => {}

  private constructor(nc: NatsConnection, options: Required<TapeOptions>, end: TapeEnd) {
    this.#nc = nc
    this.#options = options
    this.#acknowledged = end.position
    this.#offset = end.sequence - end.position
    this.done = new Promise<void>((resolve, reject) => {
      this.#resolveDone = resolve
      this.#rejectDone = reject
    })
    this.done.catch(() => {})
    this.#subscription = nc.subscribe(`${this.#inbox}.>`, {
      callback: (error, message) => (error ? this.#fail(error) : this.#confirm(message)),
    })
    this.#unwatch = watchStatus(nc, ({ type }) => {
      if (type === 'closed') this.#fail(new Error('connection closed under the tape'))
      else if (type === 'reconnected') void this.#recover()
    })
    this.#timer = setInterval(() => this.#checkOldest(), Math.max(20, options.ackTimeoutMs / 4))
    this.#timer.unref()
  }

  static async open(nc: NatsConnection, options: TapeOptions): Promise<TapeStream> {
    const full = { stream: 'TAPE', maxInFlight: 1000, ackTimeoutMs: 5000, ...options }
    return new TapeStream(nc, full, await readTapeEnd(nc, full.stream, full.bookId))
  }

  /** Highest position below which, itself included, all are confirmed; −1 for none. */
  acknowledged(): number {
    return this.#acknowledged
  }

  /**
   * Positions must follow one another; those on the stream already are passed over. A promise means the window
   * is full: await it before sending more.
   */
  send(
    subject: string,
    payload: Uint8Array | string,
    position: number,
    trace?: string,
  ): void | Promise<void> {
    if (this.#error !== undefined) throw this.#error
    if (this.#closed) throw new Error('the tape is closed')
    if (position <= this.#acknowledged) return
    const expected = this.#acknowledged + this.#inFlight() + 1
    if (position < expected) return
    if (position > expected) {
      throw new RangeError(`position ${position} sent to the tape, ${expected} is next`)
    }
    const entry: Entry = { subject, payload, trace, sentAt: 0 }
    this.#entries.push(entry)
    if (!this.#recovering) this.#transmit(entry, position)
    if (this.#inFlight() < this.#options.maxInFlight) return
    return new Promise<void>((resolve) => this.#room.push(resolve)).then(() => {
      if (this.#error !== undefined) throw this.#error
    })
  }

  /** Resolves when everything sent is confirmed. */
  flush(): Promise<void> {
    if (this.#error !== undefined) return Promise.reject(this.#error)
    if (this.#inFlight() === 0) return Promise.resolve()
    return new Promise((resolve, reject) => this.#drained.push({ resolve, reject }))
  }

  /** Stops; what is not confirmed may or may not be on the stream. */
  close(): void {
    if (this.#closed) return
    this.#end(new Error('the tape was closed before everything was confirmed'))
    this.#resolveDone()
  }

  #inFlight(): number {
    return this.#entries.length - this.#head
  }

  #transmit(entry: Entry, position: number): void {
    entry.sentAt = Date.now()
    const header = Buffer.from(
      `NATS/1.0\r\nNats-Msg-Id: ${this.#options.bookId}-${position}\r\n` +
        `Nats-Expected-Last-Sequence: ${position + this.#offset - 1}\r\n` +
        `bitacora-position: ${position}\r\n` +
        (entry.trace === undefined ? '\r\n' : `traceparent: ${entry.trace}\r\n\r\n`),
      'latin1',
    )
    this.#nc.publish(entry.subject, entry.payload, {
      // The client only encodes the headers it is given, and building them costs more than the rest.
      headers: { encode: () => header } as unknown as MsgHdrs,
      reply: `${this.#inbox}.${this.#epoch}.${position}`,
    })
  }

  #confirm(message: Msg): void {
    const tokens = message.subject.split('.')
    if (Number(tokens[tokens.length - 2]) !== this.#epoch || this.#recovering) return
    const position = Number(tokens[tokens.length - 1])
    if (!stored(message.data)) {
      // A full or failing server is not asked again at once.
      void this.#recover()
      return
    }
    this.#advance(position)
  }

  #advance(position: number): void {
    if (position <= this.#acknowledged) return
    this.#head += position - this.#acknowledged
    this.#acknowledged = position
    if (this.#head > 4096 || this.#head >= this.#entries.length) {
      this.#entries = this.#entries.slice(this.#head)
      this.#head = 0
    }
    if (this.#inFlight() < this.#options.maxInFlight) {
      for (const resolve of this.#room.splice(0)) resolve()
    }
    if (this.#inFlight() === 0) for (const { resolve } of this.#drained.splice(0)) resolve()
  }

  /** Reads how far the stream goes and sends the rest again, under new reply subjects. */
  async #recover(): Promise<void> {
    if (this.#recovering) {
      this.#recoverAgain = true
      return
    }
    this.#recovering = true
    for (let attempt = 0; !this.#closed; attempt++) {
      this.#recoverAgain = false
      this.#epoch++
      await new Promise((resolve) => setTimeout(resolve, Math.min(1000, 20 * 2 ** attempt)))
      if (this.#closed) return
      if (!isConnected(this.#nc)) continue
      try {
        const end = await readTapeEnd(this.#nc, this.#options.stream, this.#options.bookId, 2000)
        if (this.#closed) return
        if (this.#recoverAgain) continue
        this.#resume(end)
        return
      } catch (error) {
        if (error instanceof ForeignStream || error instanceof TapeDamaged) return this.#fail(error)
      }
    }
  }

  #resume(end: TapeEnd): void {
    if (end.position < this.#acknowledged) {
      const { stream } = this.#options
      return this.#fail(new TapeRegressed(stream, end.position, this.#acknowledged))
    }
    this.#offset = end.sequence - end.position
    this.#lookedAt = Date.now()
    this.#recovering = false
    this.#advance(end.position)
    for (let index = this.#head; index < this.#entries.length; index++) {
      const position = this.#acknowledged + 1 + index - this.#head
      this.#transmit(this.#entries[index] as Entry, position)
    }
  }

  #checkOldest(): void {
    if (this.#recovering) return
    const oldest = this.#entries[this.#head]
    // A stream that nothing is sent to may be emptied or replaced all the same.
    const since = oldest?.sentAt ?? this.#lookedAt
    if (Date.now() - since > this.#options.ackTimeoutMs) void this.#recover()
  }

  #end(reason: unknown): void {
    this.#closed = true
    clearInterval(this.#timer)
    this.#unwatch()
    if (!this.#nc.isClosed()) this.#subscription.unsubscribe()
    for (const resolve of this.#room.splice(0)) resolve()
    for (const { reject } of this.#drained.splice(0)) reject(reason)
  }

  #fail(error: unknown): void {
    if (this.#closed) return
    this.#error = error
    this.#end(error)
    this.#rejectDone(error)
  }
}

/** `{"stream":"TAPE", "seq":7}`: anything longer (an error, a duplicate) is looked at by reading the stream. */
function stored(data: Uint8Array): boolean {
  // Second letter of the first name: "stream" stores, "error" does not; a no-responders reply is empty.
  if (data.length < 12 || data[2] !== 0x73) return false
  return !Buffer.from(data.buffer, data.byteOffset, data.length).includes('"duplicate"')
}
