import { type Msg, type NatsConnection, nanos, type Subscription } from 'nats'
import { type Delivery, readDelivery } from './delivery.ts'

const HEARTBEAT_MS = 2000
const MISSED_MS = 2 * HEARTBEAT_MS + 500
const PULL_EXPIRES_MS = 30_000
const ACK = new TextEncoder().encode('+ACK')

export interface RoundOptions {
  nc: NatsConnection
  stream: string
  /** A consumer that nobody has pulled from yet. */
  consumer: string
  /** Most messages delivered and not yet acknowledged. */
  window: number
  onMessage(message: Msg, delivery: Delivery): void
  /** Called once: something was lost or came twice, and only a new consumer tells what. */
  onBroken(why: string): void
}

/**
 * Pulls from one consumer and takes its deliveries by number, from the first: each exactly once, none again, none
 * skipped. The first that does not fit ends the round.
 */
export class PullRound {
  readonly #options: RoundOptions
  readonly #inbox: string
  readonly #subscription: Subscription
  #over = false
  #requested = 0
  #openPulls = new Set<string>()
  #pulls = 0
  #lastSign = Date.now()
  #lastDelivery = 0
  #lastSequence = 0
  /** Delivered and not acknowledged, ascending; the first `#head` are done with. */
  #sequences: number[] = []
  #replies: string[] = []
  #head = 0

  constructor(options: RoundOptions) {
    this.#options = options
    const letters = Math.random().toString(36).slice(2)
    this.#inbox = `_INBOX.${options.consumer}.${letters}${Date.now()}`
    this.#subscription = options.nc.subscribe(`${this.#inbox}.*`, {
      callback: (error, message) => {
        if (error) this.#break(error.message)
        else this.#take(message)
      },
    })
    this.#pull()
  }

  /** Number of the newest delivery, from 1; 0 before the first. */
  get lastDelivery(): number {
    return this.#lastDelivery
  }

  /** Asked for messages, and has not even heard a heartbeat for too long. */
  get silent(): boolean {
    return this.#requested > 0 && Date.now() - this.#lastSign > MISSED_MS
  }

  /** Acknowledges all up to a sequence with the newest delivery at or below it. */
  settle(acked: number): void {
    if (this.#over) return
    let reply = ''
    while (
      this.#head < this.#sequences.length &&
      (this.#sequences[this.#head] as number) <= acked
    ) {
      reply = this.#replies[this.#head] as string
      this.#head++
    }
    if (reply) this.#options.nc.publish(reply, ACK)
    if (this.#head > 4096 || this.#head === this.#sequences.length) {
      this.#sequences = this.#sequences.slice(this.#head)
      this.#replies = this.#replies.slice(this.#head)
      this.#head = 0
    }
    this.#pull()
  }

  close(): void {
    this.#over = true
    if (!this.#options.nc.isClosed()) this.#subscription.unsubscribe()
  }

  #break(why: string): void {
    if (this.#over) return
    this.close()
    this.#options.onBroken(why)
  }

  #take(message: Msg): void {
    if (this.#over) return
    this.#lastSign = Date.now()
    if (message.subject.startsWith(this.#inbox)) return this.#takeStatus(message)
    const delivery = readDelivery(message.reply ?? '')
    const { sequence } = delivery
    if (delivery.count !== 1 || sequence <= this.#lastSequence) {
      return this.#break(`message ${sequence} came again`)
    }
    if (delivery.number !== this.#lastDelivery + 1) {
      return this.#break(`delivery ${this.#lastDelivery + 1} never came`)
    }
    this.#lastDelivery = delivery.number
    this.#lastSequence = sequence
    if (this.#requested > 0) this.#requested--
    if (this.#requested === 0) this.#openPulls.clear()
    this.#sequences.push(sequence)
    this.#replies.push(message.reply as string)
    this.#options.onMessage(message, delivery)
    this.#pull()
  }

  #takeStatus(message: Msg): void {
    const code = message.headers?.code ?? 0
    if (code === 100) return
    const left = Number(message.headers?.get('Nats-Pending-Messages') || 0)
    this.#openPulls.delete(message.subject)
    this.#requested = this.#openPulls.size === 0 ? 0 : Math.max(0, this.#requested - left)
    if (code === 404 || code === 408) this.#pull()
    else this.#break(`the consumer answers ${code} ${message.headers?.description ?? ''}`)
  }

  #pull(): void {
    if (this.#over) return
    const { nc, stream, consumer, window } = this.#options
    const room = window - (this.#sequences.length - this.#head) - this.#requested
    if (room < Math.max(1, window >> 2)) return
    const reply = `${this.#inbox}.${++this.#pulls}`
    this.#requested += room
    this.#openPulls.add(reply)
    if (this.#requested === room) this.#lastSign = Date.now()
    const request = {
      batch: room,
      expires: nanos(PULL_EXPIRES_MS),
      idle_heartbeat: nanos(HEARTBEAT_MS),
    }
    const subject = `$JS.API.CONSUMER.MSG.NEXT.${stream}.${consumer}`
    nc.publish(subject, JSON.stringify(request), { reply })
  }
}
