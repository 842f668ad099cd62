import type { JetStreamManager, Msg, NatsConnection } from 'nats'
import type {
  ConsumeFrom,
  Consumption,
  GapReason,
  InboundMessage,
  StreamGap,
} from '../../../engine/ports/bus.ts'
import { isConnected, watchStatus } from './connection.ts'
import { altered, consumerConfig } from './consumer-config.ts'
import { StreamGone } from './consumer-errors.ts'
import { consumerName, findPredecessors, removeConsumers } from './consumer-names.ts'
import { type Delivery, inboundMessage } from './delivery.ts'
import { PullRound } from './pull-round.ts'
import { type Anchor, assess, readStreamState, stateOf } from './stream-state.ts'
import { apiCode } from './streams.ts'

export interface ConsumeOptions extends Partial<ConsumeFrom> {
  /** Only messages of this subject pattern. */
  filter?: string
  /** Most messages delivered and not yet acknowledged; default 2,000. */
  window?: number
  /** A reader of which the server knows nothing yet begins after this sequence; default 0. */
  startAfter?: number
}

/** Highest sequence of a stream that the server confirmed to this process. */
export interface Confirmed {
  of(stream: string): number
  /** The stream gives its sequences away again, so far up to `last`. */
  restart(stream: string, last: number): void
}

const WATCH_MS = 1000
/** Every so many of those, stream and consumer are looked at. */
const LOOK_EVERY = 5
/** A delivery that the server says it made must have arrived by then. */
const ON_THE_WAY_MS = 1000
const API_TIMEOUT_MS = 2000

/**
 * One reader of a stream, in order. It pulls in rounds, each on a consumer of its own that begins behind the last
 * acknowledged message. Every break (reconnect, missed heartbeats, a delivery that is missing or came twice, a
 * consumer altered or deleted) begins a new round; what was handed over already is kept back, so that the caller
 * sees each sequence once and ascending. Whoever pulls from an older consumer takes nothing from this one.
 *
 * Before each round, and every few seconds, the stream itself is looked at. What it does not hold any more is told
 * as a gap. When its sequences are given away again, all that may be new is delivered, in a new epoch.
 */
export class PullConsumption implements Consumption {
  readonly done: Promise<void>
  readonly #nc: NatsConnection
  readonly #jsm: JetStreamManager
  readonly #stream: string
  readonly #reader: string
  readonly #onMessage: (message: InboundMessage) => void
  readonly #options: ConsumeOptions
  readonly #confirmed: Confirmed
  readonly #unwatch: () => void
  readonly #monitor: NodeJS.Timeout
  #resolveDone: () => void = () => {}
  #rejectDone: (error: unknown) => void = () => {}

  #acked = 0
  #handed = 0
  #anchor: Anchor = { sequence: 0, storedAt: Number.NaN }
  #epoch = 0
  #created: number | null = null
  /** Last sequence that the stream is known to have given away. */
  #known = 0
  #deliveredBefore = 0

  #stopped = false
  #syncing = false
  #syncAgain = false
  #trouble: string | null = null
  #ticks = 0
  #failures = 0
  #round: PullRound | null = null
  #consumer = ''
  /** Consumers to be removed once there is a newer one. */
  #old: string[] = []

  private constructor(
    nc: NatsConnection,
    jsm: JetStreamManager,
    stream: string,
    reader: string,
    onMessage: (message: InboundMessage) => void,
    options: ConsumeOptions,
    confirmed: Confirmed,
  ) {
    this.#nc = nc
    this.#jsm = jsm
    this.#stream = stream
    this.#reader = reader
    this.#onMessage = onMessage
    this.#options = options
    this.#confirmed = confirmed
    this.done = new Promise<void>((resolve, reject) => {
      this.#resolveDone = resolve
      this.#rejectDone = reject
    })
    this.done.catch(() => {})
    this.#unwatch = watchStatus(nc, ({ type }) => {
      if (type === 'closed') this.#fail(new Error(`connection closed under consumer ${reader}`))
      else if (type === 'disconnected') this.#endRound()
      else void this.#sync()
    })
    this.#monitor = setInterval(() => this.#watch(), WATCH_MS)
    this.#monitor.unref()
  }

  /** Throws StreamGone or ConsumerMismatch. */
  static async start(
    nc: NatsConnection,
    stream: string,
    reader: string,
    onMessage: (message: InboundMessage) => void,
    options: ConsumeOptions = {},
    confirmed: Confirmed = { of: () => 0, restart: () => {} },
  ): Promise<PullConsumption> {
    const jsm = await nc.jetstreamManager({ timeout: API_TIMEOUT_MS, checkAPI: false })
    const consumption = new PullConsumption(nc, jsm, stream, reader, onMessage, options, confirmed)
    consumption.#syncing = true
    try {
      await consumption.#begin()
    } catch (error) {
      consumption.#end()
      throw apiCode(error) === 10059 ? new StreamGone(stream, 'does not exist', error) : error
    }
    consumption.#syncing = false
    if (isConnected(nc) && !consumption.#syncAgain) consumption.#openRound()
    else void consumption.#sync()
    return consumption
  }

  ack(message: InboundMessage): void {
    // It lies in a stream that is no more: its sequence is another message's now.
    if (message.stream === this.#stream && (message.epoch ?? 0) < this.#epoch) return
    if (message.stream !== this.#stream || message.sequence > this.#handed) {
      throw new RangeError(
        `message ${message.sequence} of ${message.stream} was not delivered by ${this.#reader}`,
      )
    }
    if (message.sequence <= this.#acked) return
    this.#acked = message.sequence
    this.#round?.settle(this.#acked)
  }

  trouble(): string | null {
    return this.#trouble
  }

  async pending(): Promise<number> {
    if (isConnected(this.#nc)) await this.#nc.flush()
    const info = await this.#jsm.consumers.info(this.#stream, this.#consumer)
    return info.num_pending + info.num_ack_pending
  }

  async stop(): Promise<void> {
    if (!this.#stopped) {
      this.#end()
      this.#resolveDone()
    }
    if (isConnected(this.#nc)) await this.#nc.flush().catch(() => {})
  }

  #end(): void {
    this.#stopped = true
    clearInterval(this.#monitor)
    this.#unwatch()
    this.#endRound()
  }

  #endRound(): void {
    this.#round?.close()
    this.#round = null
  }

  #fail(error: unknown): void {
    if (this.#stopped) return
    this.#end()
    this.#rejectDone(error)
  }

  /** Where to begin: behind what the caller has, or at what an earlier consumer had acknowledged if that is less. */
  async #begin(): Promise<void> {
    const { after, filter, startAfter } = this.#options
    const { names, floor, delivered } = await findPredecessors(
      this.#jsm,
      this.#stream,
      this.#reader,
      filter,
    )
    this.#old = names
    this.#deliveredBefore = delivered
    if (after) {
      this.#anchor = { sequence: after.sequence, storedAt: after.storedAt }
      this.#acked = Math.min(after.sequence, floor ?? after.sequence)
    } else {
      this.#acked = floor ?? startAfter ?? 0
      this.#anchor = { sequence: this.#acked, storedAt: Number.NaN }
      this.#known = delivered
    }
    this.#handed = this.#acked
    await this.#look()
    await this.#makeConsumer()
  }

  /** Begins a new round; calls during one make it repeat. */
  async #sync(): Promise<void> {
    if (this.#syncing) {
      this.#syncAgain = true
      return
    }
    this.#syncing = true
    while (!this.#stopped) {
      this.#syncAgain = false
      this.#endRound()
      try {
        if (!isConnected(this.#nc)) break
        await this.#look()
        await this.#makeConsumer()
        if (this.#stopped || !isConnected(this.#nc)) break
        if (!this.#syncAgain) {
          this.#openRound()
          break
        }
      } catch (error) {
        this.#failures++
        const why = error instanceof Error ? error.message : String(error)
        this.#trouble = `stream ${this.#stream} cannot be read: ${why}`
      }
      const wait = Math.min(2000, 50 * 2 ** Math.min(this.#failures, 6))
      await new Promise((resolve) => setTimeout(resolve, wait))
    }
    this.#syncing = false
    // A reconnect may have been reported between the last look at the connection and here.
    if (this.#syncAgain && !this.#stopped && !this.#round) void this.#sync()
  }

  /** Sequences given away a second time would pass for messages handed over already. */
  async #look(): Promise<void> {
    // What is confirmed while the server answers may not be in the answer.
    const known = Math.max(this.#known, this.#confirmed.of(this.#stream))
    const state = await readStreamState(this.#jsm, this.#stream, this.#anchor.sequence)
    const found = assess(this.#anchor, this.#created, known, state)
    const { sequence, storedAt } = this.#anchor
    this.#known = Math.max(known, state.last)
    this.#created = state.created
    if (found.kind === 'removed') {
      const since = Number.isNaN(storedAt) ? state.created : storedAt
      this.#tell('messages_removed', found.to, Date.now(), { sequence: found.to, storedAt: since })
      this.#anchor = { sequence: found.to, storedAt: since }
      this.#handed = Math.max(this.#handed, found.to)
    } else if (found.kind === 'replaced') {
      const anchor = { sequence: 0, storedAt }
      this.#tell(found.reason, known > sequence ? known : null, Date.now(), anchor)
      this.#epoch++
      this.#anchor = anchor
      this.#acked = 0
      this.#handed = 0
      this.#known = state.last
      this.#deliveredBefore = state.last
      this.#confirmed.restart(this.#stream, state.last)
    }
  }

  #tell(reason: GapReason, to: number | null, before: number, mark: Anchor): void {
    if (this.#options.filter !== undefined) return
    const { sequence, storedAt } = this.#anchor
    const gap: StreamGap = {
      stream: this.#stream,
      from: sequence + 1,
      to,
      after: Number.isNaN(storedAt) ? null : storedAt,
      before,
      reason,
      mark: Number.isNaN(mark.storedAt) ? null : { stream: this.#stream, ...mark },
    }
    try {
      this.#options.onGap?.(gap)
    } catch (error) {
      this.#fail(error)
    }
  }

  async #makeConsumer(): Promise<void> {
    const name = consumerName(this.#reader)
    const { filter, onGap } = this.#options
    const config = consumerConfig({
      name,
      acked: this.#acked,
      anchor: this.#anchor,
      filter,
      lasting: onGap === undefined,
    })
    await this.#jsm.consumers.add(this.#stream, config)
    if (this.#consumer) this.#old.push(this.#consumer)
    this.#consumer = name
    await removeConsumers(this.#jsm, this.#stream, this.#old.splice(0))
  }

  #openRound(): void {
    this.#trouble = null
    this.#round = new PullRound({
      nc: this.#nc,
      stream: this.#stream,
      consumer: this.#consumer,
      window: this.#options.window ?? 2000,
      onMessage: (message, delivery) => this.#take(message, delivery),
      onBroken: () => {
        this.#failures++
        void this.#sync()
      },
    })
  }

  #take(message: Msg, delivery: Delivery): void {
    const { sequence, storedAt } = delivery
    this.#failures = 0
    if (sequence <= this.#acked) return this.#round?.settle(this.#acked)
    if (sequence <= this.#handed) return
    this.#noteHole(sequence, storedAt)
    this.#handed = sequence
    if (sequence > this.#anchor.sequence) this.#anchor = { sequence, storedAt }
    const inbound = inboundMessage(
      message,
      this.#stream,
      delivery,
      sequence <= this.#deliveredBefore,
    )
    if (this.#epoch > 0) inbound.epoch = this.#epoch
    try {
      this.#onMessage(inbound)
    } catch (error) {
      this.#fail(error)
    }
  }

  /** Deliveries are without holes, so a sequence that is skipped is not in the stream any more. */
  #noteHole(sequence: number, storedAt: number): void {
    const last = Math.max(this.#handed, this.#anchor.sequence)
    const byTime = last === 0 && !Number.isNaN(this.#anchor.storedAt)
    if (byTime || sequence <= last + 1) return
    const since = Number.isNaN(this.#anchor.storedAt) ? storedAt : this.#anchor.storedAt
    const mark = { sequence: sequence - 1, storedAt: since }
    this.#tell('messages_removed', sequence - 1, storedAt, mark)
  }

  #watch(): void {
    const round = this.#round
    if (round === null || this.#syncing) return
    if (round.silent) void this.#sync()
    else if (++this.#ticks % LOOK_EVERY === 0) void this.#inspect(round)
  }

  /** What the deliveries alone do not show: a quiet stream that is another one, a last message that went elsewhere. */
  async #inspect(round: PullRound): Promise<void> {
    const current = () => round === this.#round && !this.#syncing
    try {
      const { created, last } = stateOf(await this.#jsm.streams.info(this.#stream))
      if (!current()) return
      if (created !== this.#created || last < this.#handed) return void this.#sync()
      this.#known = Math.max(this.#known, last)
      const info = await this.#jsm.consumers.info(this.#stream, this.#consumer)
      if (!current()) return
      if (altered(info, this.#options.filter)) return void this.#sync()
      const delivered = info.delivered.consumer_seq
      if (delivered <= round.lastDelivery) return
      await new Promise((resolve) => setTimeout(resolve, ON_THE_WAY_MS))
      if (current() && delivered > round.lastDelivery) void this.#sync()
    } catch (error) {
      // A server that does not answer shows by its heartbeats.
      if (apiCode(error) !== undefined && current()) void this.#sync()
    }
  }
}
