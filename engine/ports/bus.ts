/** A message from a durable stream. It is delivered again until it is acknowledged. */
export interface InboundMessage {
  stream: string
  /** Sequence in its stream, from 1. */
  sequence: number
  subject: string
  /** Lower-cased names; the first value of each. */
  headers: Readonly<Record<string, string>>
  payload: Uint8Array
  /** Wall clock of the server when it stored the message, ms since the epoch. */
  storedAt: number
  redelivered: boolean
}

export interface Consumption {
  /** Acknowledges this message and all before it in the same consumption. */
  ack(message: InboundMessage): void
  /** Messages the server still holds for us, delivered but unacknowledged ones included. */
  pending(): Promise<number>
  /** Stops delivery; resolves when nothing more will arrive. */
  stop(): Promise<void>
  /** Rejects when the stream or consumer is gone for good. */
  readonly done: Promise<void>
}

export interface PublishOptions {
  /** Sent as Nats-Msg-Id. */
  id?: string
  headers?: Readonly<Record<string, string>>
}

/** Durable messaging between services: every message published is stored before the promise resolves. */
export interface Bus {
  /** Resolves when the server has stored the message. Rejects when no stream takes the subject, or not in time. */
  publish(
    subject: string,
    payload: Uint8Array | string,
    options?: PublishOptions,
  ): Promise<{ stream: string; sequence: number; duplicate: boolean }>
  /** Delivers a stream's messages in order through a named durable consumer, from the first unacknowledged one. */
  consume(
    stream: string,
    durable: string,
    onMessage: (message: InboundMessage) => void,
  ): Promise<Consumption>
}
