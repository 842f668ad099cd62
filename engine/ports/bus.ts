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
  /**
   * How often its stream had been replaced under the consumption: then sequences are given away again. Absent: never.
   */
  epoch?: number
}

/** Up to where a stream was taken: a message, all before it included. */
export interface StreamMark {
  stream: string
  /** 0: none of the stream as it is now, which is read by time instead. */
  sequence: number
  /** When the server stored it, ms since the epoch. */
  storedAt: number
}

/**
 * Why sequences never came: somebody or a limit removed them; the stream was made anew; it came back without its
 * newest messages, as after a power cut or from an older copy.
 */
export type GapReason = 'messages_removed' | 'stream_recreated' | 'stream_regressed'

/** Messages that the server may have confirmed to their senders, and that it does not hold any more. */
export interface StreamGap {
  stream: string
  /** First and last of the sequences that never came; `to` null: nobody knows how many there were. */
  from: number
  to: number | null
  /** They were stored after this and before that, ms since the epoch; `after` null: since ever. */
  after: number | null
  before: number
  reason: GapReason
  /** Up to where the stream counts as taken with this gap; null: from its beginning. */
  mark: StreamMark | null
}

export interface ConsumeFrom {
  /** Up to where the caller has the stream, whatever the server holds for acknowledged; null: nothing of it. */
  after: StreamMark | null
  /** Called between the messages, in their order. */
  onGap(gap: StreamGap): void
}

export interface Consumption {
  /** Acknowledges this message and all before it in the same consumption. */
  ack(message: InboundMessage): void
  /** Messages the server still holds for us, delivered but unacknowledged ones included. */
  pending(): Promise<number>
  /** Why nothing can be delivered now, in words; null while all is well. */
  trouble?(): string | null
  /** Stops delivery; resolves when nothing more will arrive. */
  stop(): Promise<void>
  /** Rejects when nothing will ever be delivered again. */
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
  /**
   * Delivers a stream's messages in order to a named durable reader, from the first unacknowledged one, or with
   * `from` from behind what the caller says it has.
   */
  consume(
    stream: string,
    durable: string,
    onMessage: (message: InboundMessage) => void,
    from?: ConsumeFrom,
  ): Promise<Consumption>
}
