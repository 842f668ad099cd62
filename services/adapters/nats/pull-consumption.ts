import {
  AckPolicy,
  type ConsumerInfo,
  DeliverPolicy,
  type JetStreamManager,
  type Msg,
  type NatsConnection,
  nanos,
  type Subscription,
} from 'nats'
import type { Consumption, InboundMessage } from '../../../engine/ports/bus.ts'
import { isConnected, watchStatus } from './connection.ts'
import { ConsumerMismatch, StreamGone } from './consumer-errors.ts'
import { floorOf, inboundMessage, readDelivery } from './delivery.ts'
import { apiCode } from './streams.ts'

export interface ConsumeOptions {
  /** Only messages of this subject pattern. */
  filter?: string
  /** Most messages delivered and not yet acknowledged; default 2,000. */
  window?: number
  /** A durable that does not exist yet begins after this sequence; default 0. */
  startAfter?: number
}

const HEARTBEAT_MS = 2000
const MISSED_MS = 2 * HEARTBEAT_MS + 500
const PULL_EXPIRES_MS = 30_000
/** Redelivery is asked for, never left to the server's timer, which would mix old messages into new ones. */
const ACK_WAIT_MS = 60 * 60 * 1000
const ACK_WAIT_NOW_MS = 1
/** After a change of ack_wait the server looks for overdue messages within 100 ms. */
const REDELIVERY_CHECK_MS = 180
const STREAM_GONE_AFTER_MS = 2000
const API_TIMEOUT_MS = 2000
const ORDER_ATTEMPTS = 3
const ACK = new TextEncoder().encode('+ACK')

/**
 * One durable pull consumer, read in order. Every break (reconnect, missed heartbeats, a hole in the delivery
 * numbers) begins a new round: the server is made to deliver again from the first unacknowledged message, and
 * those handed over already are kept back, so that the caller sees each sequence once and ascending.
 */
export class PullConsumption implements Consumption {
  readonly done: Promise<void>
  readonly #nc: NatsConnection
  readonly #jsm: JetStreamManager
  readonly #stream: string
  readonly #durable: string
  readonly #onMessage: (message: InboundMessage) => void
  readonly #filter: string | undefined
  readonly #window: number
  readonly #unwatch: () => void
  readonly #monitor: NodeJS.Timeout
  #resolveDone: () => void = () => {}
  #rejectDone: (error: unknown) => void = () => {}

  #acked: number
  #handed = 0
  #created: unknown
  #deliveredBefore = 0
  #stopped = false
  #syncing = false
  #syncAgain = false

  #subscription: Subscription | undefined
  #inbox = ''
  #requested = 0
  #openPulls = new Set<string>()
  #pulls = 0
  #lastSign = 0
  #lastDelivery = 0
  #lastSequence = 0
  #firstAtMost = Number.POSITIVE_INFINITY
  #orderFailures = 0
  /** Delivered in this round and not acknowledged, ascending; the first `#head` are done with. */
  #sequences: number[] = []
  #replies: string[] = []
  #head = 0

  private constructor(
    nc: NatsConnection,
    jsm: JetStreamManager,
    stream: string,
    durable: string,
    onMessage: (message: InboundMessage) => void,
    options: ConsumeOptions,
  ) {
    this.#nc = nc
    this.#jsm = jsm
    this.#stream = stream
    this.#durable = durable
    this.#onMessage = onMessage
    this.#filter = options.filter
    this.#window = options.window ?? 2000
    this.#acked = options.startAfter ?? 0
    this.done = new Promise<void>((resolve, reject) => {
      this.#resolveDone = resolve
      this.#rejectDone = reject
    })
    this.done.catch(() => {})
    this.#unwatch = watchStatus(nc, ({ type }) => {
      if (type === 'closed') this.#fail(new Error(`connection closed under consumer ${durable}`))
      else if (type === 'disconnected') this.#closeInbox()
      else void this.#sync()
    })
    this.#monitor = setInterval(() => this.#checkHeartbeat(), 1000)
    this.#monitor.unref()
  }

  /** Throws StreamGone or ConsumerMismatch. */
  static async start(
    nc: NatsConnection,
    stream: string,
    durable: string,
    onMessage: (message: InboundMessage) => void,
    options: ConsumeOptions = {},
  ): Promise<PullConsumption> {
    const jsm = await nc.jetstreamManager({ timeout: API_TIMEOUT_MS, checkAPI: false })
    const consumption = new PullConsumption(nc, jsm, stream, durable, onMessage, options)
    try {
      await consumption.#begin()
    } catch (error) {
      consumption.#end()
      throw apiCode(error) === 10059 ? new StreamGone(stream, 'does not exist', error) : error
    }
    void consumption.#sync()
    return consumption
  }

  ack(message: InboundMessage): void {
    if (message.stream !== this.#stream || message.sequence > this.#handed) {
      throw new RangeError(
        `message ${message.sequence} of ${message.stream} was not delivered by ${this.#durable}`,
      )
    }
    if (message.sequence <= this.#acked) return
    this.#acked = message.sequence
    if (this.#subscription) this.#settle()
  }

  async pending(): Promise<number> {
    if (isConnected(this.#nc)) await this.#nc.flush()
    const info = await this.#jsm.consumers.info(this.#stream, this.#durable)
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
    this.#closeInbox()
  }

  #fail(error: unknown): void {
    if (this.#stopped) return
    this.#end()
    this.#rejectDone(error)
  }

  async #begin(): Promise<void> {
    const info = await this.#ensureConsumer()
    const { state, created } = await this.#jsm.streams.info(this.#stream)
    this.#created = created
    this.#deliveredBefore = Math.min(info.delivered.stream_seq, state.last_seq)
    const floor = floorOf(info)
    if (Math.max(floor, info.delivered.stream_seq) > state.last_seq) {
      // The server lost the end of the stream and gives its sequences away again. What of it was seen cannot be
      // told from here: everything comes again, rather than something never.
      this.#acked = 0
      this.#deliveredBefore = state.last_seq
      await this.#remakeConsumer()
    } else {
      this.#acked = floor
    }
    this.#handed = this.#acked
  }

  async #remakeConsumer(): Promise<void> {
    // 2.9 may answer a deletion with a file system error of its own and delete all the same.
    await this.#jsm.consumers.delete(this.#stream, this.#durable).catch(() => {})
    const info = await this.#ensureConsumer()
    if (floorOf(info) > this.#acked) {
      throw new ConsumerMismatch(
        this.#stream,
        this.#durable,
        'a start behind the end of its stream',
      )
    }
  }

  /** Sequences that are given away a second time would pass for messages handed over already. */
  async #checkStream(): Promise<void> {
    const { state, created } = await this.#jsm.streams.info(this.#stream)
    if (created !== this.#created) throw new StreamGone(this.#stream, 'was deleted and made again')
    if (state.last_seq < this.#handed) throw new StreamGone(this.#stream, 'lost its last messages')
  }

  /** Begins a new round; calls during one make it repeat. */
  async #sync(): Promise<void> {
    if (this.#syncing) {
      this.#syncAgain = true
      return
    }
    this.#syncing = true
    const started = Date.now()
    for (let attempt = 0; !this.#stopped; attempt++) {
      this.#syncAgain = false
      this.#closeInbox()
      try {
        if (!isConnected(this.#nc)) break
        await this.#checkStream()
        const info = await this.#ensureConsumer()
        await this.#redeliver(info)
        if (this.#stopped || !isConnected(this.#nc)) break
        if (!this.#syncAgain) {
          this.#openInbox()
          break
        }
      } catch (error) {
        if (error instanceof ConsumerMismatch || error instanceof StreamGone) {
          return this.#fail(error)
        }
        const missing = apiCode(error) === 10059
        if (missing && Date.now() - started > STREAM_GONE_AFTER_MS) {
          return this.#fail(new StreamGone(this.#stream, 'does not exist', error))
        }
      }
      await new Promise((resolve) => setTimeout(resolve, Math.min(2000, 50 * 2 ** attempt)))
    }
    this.#syncing = false
    // A reconnect may have been reported between the last look at the connection and here.
    if (this.#syncAgain && !this.#stopped && !this.#subscription) void this.#sync()
  }

  async #ensureConsumer(): Promise<ConsumerInfo> {
    try {
      const info = await this.#jsm.consumers.info(this.#stream, this.#durable)
      const { ack_policy, filter_subject, deliver_subject } = info.config
      const wrong = (what: string) => new ConsumerMismatch(this.#stream, this.#durable, what)
      if (deliver_subject) throw wrong('a deliver subject')
      if (ack_policy !== AckPolicy.All) throw wrong(`ack policy ${ack_policy}`)
      if ((filter_subject ?? '') !== (this.#filter ?? '')) throw wrong(`filter ${filter_subject}`)
      return info
    } catch (error) {
      if (apiCode(error) !== 10014) throw error
    }
    return this.#jsm.consumers.add(this.#stream, {
      durable_name: this.#durable,
      ack_policy: AckPolicy.All,
      ack_wait: nanos(ACK_WAIT_MS),
      max_ack_pending: 1_000_000,
      max_deliver: -1,
      deliver_policy: this.#acked > 0 ? DeliverPolicy.StartSequence : DeliverPolicy.All,
      ...(this.#acked > 0 ? { opt_start_seq: this.#acked + 1 } : {}),
      ...(this.#filter ? { filter_subject: this.#filter } : {}),
    })
  }

  /** Lets everything unacknowledged fall due at once: the server sorts it and delivers it before what is new. */
  async #redeliver(info: ConsumerInfo): Promise<void> {
    this.#firstAtMost = Number.POSITIVE_INFINITY
    if (info.num_ack_pending > 0) {
      const wait = (ms: number) =>
        this.#jsm.consumers.update(this.#stream, this.#durable, { ack_wait: nanos(ms) })
      await wait(ACK_WAIT_NOW_MS)
      const pause = REDELIVERY_CHECK_MS * (1 + this.#orderFailures)
      await new Promise((resolve) => setTimeout(resolve, pause))
      await wait(ACK_WAIT_MS)
      const { state } = await this.#jsm.streams.info(this.#stream)
      const due = state.first_seq <= info.delivered.stream_seq
      if (due && this.#orderFailures < ORDER_ATTEMPTS) {
        this.#firstAtMost = info.delivered.stream_seq
      }
    } else if (info.config.ack_wait !== nanos(ACK_WAIT_MS)) {
      await this.#jsm.consumers.update(this.#stream, this.#durable, {
        ack_wait: nanos(ACK_WAIT_MS),
      })
    }
  }

  #openInbox(): void {
    this.#inbox = `_INBOX.${this.#durable}.${Math.random().toString(36).slice(2)}${Date.now()}`
    this.#lastDelivery = 0
    this.#lastSequence = 0
    this.#lastSign = Date.now()
    this.#subscription = this.#nc.subscribe(`${this.#inbox}.*`, {
      callback: (error, message) => {
        if (error) this.#fail(error)
        else this.#take(message)
      },
    })
    this.#pull()
  }

  #closeInbox(): void {
    if (!this.#nc.isClosed()) this.#subscription?.unsubscribe()
    this.#subscription = undefined
    this.#requested = 0
    this.#openPulls.clear()
    this.#sequences = []
    this.#replies = []
    this.#head = 0
  }

  #take(message: Msg): void {
    if (!this.#subscription) return
    this.#lastSign = Date.now()
    if (message.subject.startsWith(this.#inbox)) return this.#takeStatus(message)
    const delivery = readDelivery(message.reply ?? '')
    const { sequence } = delivery
    const holed = this.#lastDelivery > 0 && delivery.number !== this.#lastDelivery + 1
    if (holed || sequence <= this.#lastSequence || sequence > this.#firstAtMost) {
      this.#orderFailures++
      void this.#sync()
      return
    }
    this.#orderFailures = 0
    this.#firstAtMost = Number.POSITIVE_INFINITY
    this.#lastDelivery = delivery.number
    this.#lastSequence = sequence
    if (this.#requested > 0) this.#requested--
    if (this.#requested === 0) this.#openPulls.clear()
    this.#sequences.push(sequence)
    this.#replies.push(message.reply as string)
    if (sequence <= this.#acked) this.#settle()
    else if (sequence > this.#handed) {
      this.#handed = sequence
      const redelivered = delivery.count > 1 || sequence <= this.#deliveredBefore
      try {
        this.#onMessage(inboundMessage(message, this.#stream, delivery, redelivered))
      } catch (error) {
        this.#fail(error)
      }
    }
    this.#pull()
  }

  #takeStatus(message: Msg): void {
    const code = message.headers?.code ?? 0
    if (code === 100) return
    const left = Number(message.headers?.get('Nats-Pending-Messages') || 0)
    this.#openPulls.delete(message.subject)
    this.#requested = this.#openPulls.size === 0 ? 0 : Math.max(0, this.#requested - left)
    if (code === 404 || code === 408) this.#pull()
    else void this.#sync()
  }

  /** Acknowledges up to `#acked` with the newest delivery at or below it. */
  #settle(): void {
    let reply = ''
    while (
      this.#head < this.#sequences.length &&
      (this.#sequences[this.#head] as number) <= this.#acked
    ) {
      reply = this.#replies[this.#head] as string
      this.#head++
    }
    if (reply) this.#nc.publish(reply, ACK)
    if (this.#head > 4096 || this.#head === this.#sequences.length) {
      this.#sequences = this.#sequences.slice(this.#head)
      this.#replies = this.#replies.slice(this.#head)
      this.#head = 0
    }
    this.#pull()
  }

  #pull(): void {
    if (!this.#subscription) return
    const room = this.#window - (this.#sequences.length - this.#head) - this.#requested
    if (room < Math.max(1, this.#window >> 2)) return
    const reply = `${this.#inbox}.${++this.#pulls}`
    this.#requested += room
    this.#openPulls.add(reply)
    if (this.#requested === room) this.#lastSign = Date.now()
    const request = {
      batch: room,
      expires: nanos(PULL_EXPIRES_MS),
      idle_heartbeat: nanos(HEARTBEAT_MS),
    }
    const subject = `$JS.API.CONSUMER.MSG.NEXT.${this.#stream}.${this.#durable}`
    this.#nc.publish(subject, JSON.stringify(request), { reply })
  }

  #checkHeartbeat(): void {
    if (!this.#subscription || this.#requested === 0) return
    if (Date.now() - this.#lastSign > MISSED_MS) void this.#sync()
  }
}
