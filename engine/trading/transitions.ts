import type { EventType } from '../../schemas/types.gen.ts'

/**
 * The life of an order as one table: status × event → next status. What is not in it is refused by a name of its own
 * and recorded as an order.anomaly. `withheld` and `rejected` mean it never stood at the broker.
 *
 * That a cancellation or a replacement was asked for is no status: the order works on until the broker says otherwise.
 */
export type OrderStatus =
  | 'intended'
  | 'unknown'
  | 'held'
  | 'accepted'
  | 'partially_filled'
  | 'filled'
  | 'canceled'
  | 'expired'
  | 'rejected'
  | 'withheld'
  | 'replaced'

export type OrderEvent =
  | 'accepted'
  | 'held'
  | 'rejected'
  | 'partially_filled'
  | 'filled'
  | 'canceled'
  | 'expired'
  | 'withheld'
  | 'outcome_unknown'
  | 'replaced'
  | 'adjusted'
  | 'cancel_rejected'
  | 'replace_rejected'
  | 'cancel_requested'
  | 'replace_requested'

const REPORTED = {
  'order.accepted': 'accepted',
  'order.held': 'held',
  'order.rejected': 'rejected',
  'order.filled': 'partially_filled',
  'order.canceled': 'canceled',
  'order.expired': 'expired',
  'order.withheld': 'withheld',
  'order.outcome_unknown': 'outcome_unknown',
  'order.replaced': 'replaced',
  'order.adjusted': 'adjusted',
  'order.cancel_rejected': 'cancel_rejected',
  'order.replace_rejected': 'replace_rejected',
} as const satisfies Partial<Record<EventType, OrderEvent>>

/** The recorded events that tell what became of an order. */
export type ReportType = keyof typeof REPORTED

export const REPORT_TYPES = Object.keys(REPORTED) as readonly ReportType[]

export function isReport(type: EventType): type is ReportType {
  return Object.hasOwn(REPORTED, type)
}

/** Whether a broker, or the executor for it, may say this: a report of an order, or a charge of the account. */
export function isBrokerInput(type: EventType): type is ReportType | 'account.charged' {
  return isReport(type) || type === 'account.charged'
}

/** What a recorded report means to the table; the fill that leaves nothing over is its own event. */
export function reportedEvent(event: { type: ReportType; data: object }): OrderEvent {
  const complete = 'complete' in event.data && event.data.complete === true
  return complete ? 'filled' : REPORTED[event.type]
}

type Row = Partial<Record<OrderEvent, OrderStatus>>

/** Before the broker is known to have it, anything may be the first word of it: reports can overtake an acknowledgement. */
function unheard(status: 'intended' | 'unknown'): Row {
  return {
    accepted: 'accepted',
    held: 'held',
    rejected: 'rejected',
    partially_filled: 'partially_filled',
    filled: 'filled',
    canceled: 'canceled',
    expired: 'expired',
    withheld: 'withheld',
    outcome_unknown: 'unknown',
    replaced: 'replaced',
    adjusted: status,
    cancel_rejected: status,
    replace_rejected: status,
    cancel_requested: status,
    replace_requested: status,
  }
}

/** What changes nothing about an order that works. */
function working(status: 'held' | 'accepted' | 'partially_filled'): Row {
  return {
    adjusted: status,
    cancel_rejected: status,
    replace_rejected: status,
    cancel_requested: status,
    replace_requested: status,
  }
}

export const TRANSITIONS: Readonly<Record<OrderStatus, Row>> = {
  intended: unheard('intended'),
  unknown: unheard('unknown'),
  held: {
    ...working('held'),
    held: 'held',
    accepted: 'accepted',
    // A leg trades after its entry; that it works is implied where the acknowledgement was overtaken.
    partially_filled: 'partially_filled',
    filled: 'filled',
    canceled: 'canceled',
    expired: 'expired',
    rejected: 'rejected',
    replaced: 'replaced',
  },
  accepted: {
    ...working('accepted'),
    accepted: 'accepted',
    partially_filled: 'partially_filled',
    filled: 'filled',
    canceled: 'canceled',
    expired: 'expired',
    rejected: 'rejected',
    replaced: 'replaced',
  },
  partially_filled: {
    ...working('partially_filled'),
    // A broker may report a fill before its acknowledgement: nothing changes.
    accepted: 'partially_filled',
    partially_filled: 'partially_filled',
    filled: 'filled',
    canceled: 'canceled',
    expired: 'expired',
    replaced: 'replaced',
  },
  // What was asked for came too late, and an acknowledgement was overtaken: the trade stands.
  filled: { accepted: 'filled', cancel_rejected: 'filled', replace_rejected: 'filled' },
  // Real brokers report fills after a cancellation, when both crossed on the wire. The trade happened.
  canceled: {
    accepted: 'canceled',
    canceled: 'canceled',
    partially_filled: 'canceled',
    filled: 'filled',
    cancel_rejected: 'canceled',
    replace_rejected: 'canceled',
  },
  expired: {
    accepted: 'expired',
    expired: 'expired',
    partially_filled: 'expired',
    filled: 'filled',
    cancel_rejected: 'expired',
    replace_rejected: 'expired',
  },
  rejected: { rejected: 'rejected', cancel_rejected: 'rejected', replace_rejected: 'rejected' },
  withheld: { withheld: 'withheld' },
  // A fill that crossed the replacement is this order's; the replacement has so much less to trade.
  replaced: {
    accepted: 'replaced',
    replaced: 'replaced',
    partially_filled: 'replaced',
    filled: 'replaced',
    cancel_rejected: 'replaced',
    replace_rejected: 'replaced',
  },
}

/** Why a report is not in the table: the code of its order.anomaly. Null: it is in the table. */
export function refusal(status: OrderStatus, event: OrderEvent): string | null {
  if (TRANSITIONS[status][event] !== undefined) return null
  const fill = event === 'filled' || event === 'partially_filled'
  switch (status) {
    case 'rejected':
      if (fill) return 'fill_after_rejection'
      break
    case 'withheld':
      return fill ? 'fill_after_withholding' : 'report_after_withholding'
    case 'filled':
      if (fill) return 'fill_after_completion'
      break
    default:
      break
  }
  switch (event) {
    case 'cancel_requested':
    case 'replace_requested':
      return 'request_after_end'
    case 'withheld':
      return 'withheld_after_answer'
    case 'outcome_unknown':
      return 'unknown_after_answer'
    case 'held':
      return isOpen(status) ? 'held_after_working' : 'held_after_end'
    case 'accepted':
      return 'accepted_after_rejection'
    case 'adjusted':
      return 'adjusted_after_end'
    case 'replaced':
      return 'replaced_after_end'
    case 'rejected':
      return isOpen(status) ? 'rejected_after_fill' : 'ended_twice'
    default:
      return 'ended_twice'
  }
}

export function isOpen(status: OrderStatus): boolean {
  return (
    status === 'intended' ||
    status === 'unknown' ||
    status === 'held' ||
    status === 'accepted' ||
    status === 'partially_filled'
  )
}

/**
 * What the end of an entry means for a leg that was never heard of: it went, or did not go, to the broker with its
 * entry. Null: nothing, the broker says what becomes of its legs.
 */
export function legEvent(entry: OrderEvent): 'rejected' | 'withheld' | null {
  return entry === 'rejected' || entry === 'withheld' ? entry : null
}

/**
 * What the answer to a replacement means for the order that was to replace one of this status: it stands where that one
 * stood. Null: nothing.
 */
export function replacementEvent(
  original: OrderEvent,
  status: OrderStatus,
): 'accepted' | 'held' | 'rejected' | null {
  if (original === 'replaced') return status === 'held' ? 'held' : 'accepted'
  return original === 'replace_rejected' ? 'rejected' : null
}
