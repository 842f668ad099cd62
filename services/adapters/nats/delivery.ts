import type { ConsumerInfo, Msg } from 'nats'
import type { InboundMessage } from '../../../engine/ports/bus.ts'

/** What the acknowledgement subject of a JetStream message says about it. */
export interface Delivery {
  /** How often the message was delivered, this time included. */
  count: number
  /** Sequence in the stream. */
  sequence: number
  /** Delivery number of the consumer: without holes, as long as nothing is lost on the way. */
  number: number
  /** ms since the epoch. */
  storedAt: number
}

/** `$JS.ACK.<stream>.<consumer>.<count>.<sequence>.<number>.<ns>.<pending>`; newer servers put domain and account first. */
export function readDelivery(reply: string): Delivery {
  const tokens = reply.split('.')
  const at = tokens.length > 9 ? 6 : 4
  return {
    count: Number(tokens[at]),
    sequence: Number(tokens[at + 1]),
    number: Number(tokens[at + 2]),
    storedAt: Math.floor(Number(tokens[at + 3]) / 1e6),
  }
}

export function inboundMessage(
  message: Msg,
  stream: string,
  delivery: Delivery,
  redelivered: boolean,
): InboundMessage {
  const { sequence, storedAt } = delivery
  const headers: Record<string, string> = {}
  for (const [key, values] of message.headers ?? []) {
    const name = key.toLowerCase()
    if (headers[name] === undefined) headers[name] = values[0] ?? ''
  }
  const { subject, data: payload } = message
  return { stream, sequence, subject, headers, payload, storedAt, redelivered }
}

/** Last sequence acknowledged. A consumer that began behind a sequence reports no floor until its first acknowledgement. */
export function floorOf(info: ConsumerInfo): number {
  return Math.max(info.ack_floor.stream_seq, (info.config.opt_start_seq ?? 1) - 1)
}
