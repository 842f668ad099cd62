import { AckPolicy, type ConsumerConfig, type ConsumerInfo, DeliverPolicy, nanos } from 'nats'
import type { Anchor } from './stream-state.ts'

/** Nothing is left to the server's timer, which would mix old messages into new ones. */
const ACK_WAIT_MS = 60 * 60 * 1000
const MAX_ACK_PENDING = 1_000_000
/** A consumer that nobody pulls from any more, as after a kill, holds up nothing longer than this. */
const ABANDONED_MS = 60 * 60 * 1000
/** A stream that was replaced is read from so long before what was taken: clocks are set back now and then. */
const OVERLAP_MS = 24 * 60 * 60 * 1000

export interface ConsumerWish {
  name: string
  /** It begins behind this sequence; 0: at the beginning, or at the anchor's time if it has only that. */
  acked: number
  anchor: Anchor
  filter: string | undefined
  /** Without the caller's own record, what was acknowledged stands in the consumer only: it must last. */
  lasting: boolean
}

export function consumerConfig(wish: ConsumerWish): Partial<ConsumerConfig> {
  return {
    durable_name: wish.name,
    ack_policy: AckPolicy.All,
    ack_wait: nanos(ACK_WAIT_MS),
    max_ack_pending: MAX_ACK_PENDING,
    max_deliver: -1,
    ...(!wish.lasting && { inactive_threshold: nanos(ABANDONED_MS) }),
    ...startOf(wish),
    ...(wish.filter && { filter_subject: wish.filter }),
  }
}

function startOf({ acked, anchor }: ConsumerWish): Partial<ConsumerConfig> {
  if (acked > 0) return { deliver_policy: DeliverPolicy.StartSequence, opt_start_seq: acked + 1 }
  const { sequence, storedAt } = anchor
  if (sequence > 0 || Number.isNaN(storedAt)) return { deliver_policy: DeliverPolicy.All }
  const time = new Date(Math.max(0, storedAt - OVERLAP_MS)).toISOString()
  return { deliver_policy: DeliverPolicy.StartTime, opt_start_time: time }
}

/** Whether somebody gave our consumer other settings: it would hold messages back, or deliver them again. */
export function altered({ config }: ConsumerInfo, filter: string | undefined): boolean {
  return (
    config.ack_wait !== nanos(ACK_WAIT_MS) ||
    config.max_ack_pending !== MAX_ACK_PENDING ||
    (config.max_deliver ?? -1) !== -1 ||
    (config.filter_subject ?? '') !== (filter ?? '') ||
    Boolean(config.deliver_subject)
  )
}
