import { isPublishable } from './subject.ts'
import { headers as makeHeaders, type NatsConnection, type NatsError } from 'nats'
import type { Bus, Consumption, InboundMessage, PublishOptions } from '../../../engine/ports/bus.ts'
import { type Confirmed, type ConsumeOptions, PullConsumption } from './pull-consumption.ts'
import { apiCode } from './streams.ts'

/** No stream takes the subject, or JetStream is not there. */
export class NoStreamForSubject extends Error {
  override name = 'NoStreamForSubject'
  readonly code = 'no_stream'
  constructor(subject: string, cause?: unknown) {
    super(`no JetStream stream takes ${subject}: provision the streams, or correct the subject`, {
      cause,
    })
  }
}

/** The server did not confirm in time: the message may or may not be stored. */
export class PublishTimeout extends Error {
  override name = 'PublishTimeout'
  readonly code = 'publish_timeout'
  constructor(subject: string, timeoutMs: number, cause?: unknown) {
    super(
      `no confirmation for a message on ${subject} within ${timeoutMs} ms: it may be stored; publish it again with the same id`,
      { cause },
    )
  }
}

/** The server answered and did not store the message. */
export class PublishRefused extends Error {
  override name = 'PublishRefused'
  readonly code = 'publish_refused'
  /** JetStream's number, for example 10077: the stream is full. */
  readonly apiCode: number | undefined
  constructor(subject: string, reason: string, number: number | undefined, cause?: unknown) {
    const remedy = number === 10077 ? ': the stream is full; let its consumers catch up' : ''
    super(`the NATS server did not store a message on ${subject}: ${reason}${remedy}`, { cause })
    this.apiCode = number
  }
}

/** The Bus port over JetStream. */
export class NatsBus implements Bus {
  readonly #nc: NatsConnection
  readonly #timeoutMs: number
  readonly #last = new Map<string, number>()
  readonly #confirmed: Confirmed = {
    of: (stream) => this.#last.get(stream) ?? 0,
    restart: (stream, last) => void this.#last.set(stream, last),
  }

  constructor(nc: NatsConnection, options: { publishTimeoutMs?: number } = {}) {
    this.#nc = nc
    this.#timeoutMs = options.publishTimeoutMs ?? 5000
  }

  /** Rejects with NoStreamForSubject, PublishTimeout or PublishRefused. */
  async publish(
    subject: string,
    payload: Uint8Array | string,
    options: PublishOptions = {},
  ): Promise<{ stream: string; sequence: number; duplicate: boolean }> {
    if (!isPublishable(subject)) {
      throw new PublishRefused(subject, 'it is not a subject that can be published on', 0, null)
    }
    try {
      const headers = makeHeaders()
      for (const [name, value] of Object.entries(options.headers ?? {})) headers.set(name, value)
      const ack = await this.#nc.jetstream().publish(subject, payload, {
        timeout: this.#timeoutMs,
        headers,
        ...(options.id === undefined ? {} : { msgID: options.id }),
      })
      const { stream, seq: sequence, duplicate } = ack
      if (sequence > this.#confirmed.of(stream)) this.#last.set(stream, sequence)
      return { stream, sequence, duplicate }
    } catch (error) {
      throw this.#explain(subject, error)
    }
  }

  /** Besides the port: a subject filter, the size of the window, where a new reader begins. */
  consume(
    stream: string,
    durable: string,
    onMessage: (message: InboundMessage) => void,
    options: ConsumeOptions = {},
  ): Promise<Consumption> {
    return PullConsumption.start(this.#nc, stream, durable, onMessage, options, this.#confirmed)
  }

  #explain(subject: string, error: unknown): unknown {
    const { code, message } = error as NatsError
    const number = apiCode(error)
    if (number === undefined && code === '503') return new NoStreamForSubject(subject, error)
    if (number === undefined && code === 'TIMEOUT') {
      return new PublishTimeout(subject, this.#timeoutMs, error)
    }
    if (code === undefined && number === undefined) return error
    return new PublishRefused(subject, message, number, error)
  }
}
