import type { EventType } from '../../schemas/types.gen.ts'

/**
 * The life of an order as one table: status × event → next status. What is not in it is refused by name
 * and recorded as an order.anomaly. `withheld` and `rejected` mean it never stood at the broker.
 */
export type OrderStatus =
  | 'intended'
  | 'unknown'
  | 'accepted'
  | 'partially_filled'
  | 'filled'
  | 'canceled'
  | 'expired'
  | 'rejected'
  | 'withheld'

export type OrderEvent =
  | 'accepted'
  | 'rejected'
  | 'partially_filled'
  | 'filled'
  | 'canceled'
  | 'expired'
  | 'withheld'
  | 'outcome_unknown'

const REPORTED = {
  'order.accepted': 'accepted',
  'order.rejected': 'rejected',
  'order.filled': 'partially_filled',
  'order.canceled': 'canceled',
  'order.expired': 'expired',
  'order.withheld': 'withheld',
  'order.outcome_unknown': 'outcome_unknown',
} as const satisfies Partial<Record<EventType, OrderEvent>>

/** The recorded events that tell what became of an order. */
export type ReportType = keyof typeof REPORTED

export function isReport(type: EventType): type is ReportType {
  return Object.hasOwn(REPORTED, type)
}

/** What a recorded report means to the table; the fill that leaves nothing over is its own event. */
export function reportedEvent(event: { type: ReportType; data: object }): OrderEvent {
  const complete = 'complete' in event.data && event.data.complete === true
  return complete ? 'filled' : REPORTED[event.type]
}

type Row = Partial<Record<OrderEvent, OrderStatus>>

export const TRANSITIONS: Readonly<Record<OrderStatus, Row>> = {
  intended: {
    accepted: 'accepted',
    rejected: 'rejected',
    partially_filled: 'partially_filled',
    filled: 'filled',
    canceled: 'canceled',
    expired: 'expired',
    withheld: 'withheld',
    outcome_unknown: 'unknown',
  },
  unknown: {
    accepted: 'accepted',
    rejected: 'rejected',
    partially_filled: 'partially_filled',
    filled: 'filled',
    canceled: 'canceled',
    expired: 'expired',
    withheld: 'withheld',
    outcome_unknown: 'unknown',
  },
  accepted: {
    partially_filled: 'partially_filled',
    filled: 'filled',
    canceled: 'canceled',
    expired: 'expired',
    rejected: 'rejected',
  },
  partially_filled: {
    // A broker may report a fill before its acknowledgement: nothing changes.
    accepted: 'partially_filled',
    partially_filled: 'partially_filled',
    filled: 'filled',
    canceled: 'canceled',
    expired: 'expired',
  },
  filled: {},
  // Real brokers report fills after a cancellation, when both crossed on the wire. The trade happened.
  canceled: { partially_filled: 'canceled', filled: 'filled' },
  expired: { partially_filled: 'expired', filled: 'filled' },
  rejected: {},
  withheld: {},
}

export function isOpen(status: OrderStatus): boolean {
  return (
    status === 'intended' ||
    status === 'unknown' ||
    status === 'accepted' ||
    status === 'partially_filled'
  )
}
