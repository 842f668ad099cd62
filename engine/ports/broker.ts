/** An order as it is sent to a broker. Decimals are strings. */
export interface BrokerOrder {
  clientOrderId: string
  /** Number of the order in its account, 1, 2, … */
  orderId: number
  symbol: string
  side: 'buy' | 'sell'
  type: 'market' | 'limit' | 'stop' | 'close'
  /** Shares, or "all": every whole share the cash buys at the fill price (simulated brokers only). */
  qty: string
  limitPrice?: string
  stopPrice?: string
  timeInForce: 'day' | 'gtc'
  /** ms since the epoch; the order expires at the first moment at or after it. */
  expiresAt?: number
}

export type ReportKind = 'accepted' | 'rejected' | 'filled' | 'canceled' | 'expired'

/** What a broker says of an order. `sequence` numbers all reports of one broker account, from 1. */
export interface BrokerReport {
  sequence: number
  kind: ReportKind
  clientOrderId: string
  orderId: number
  symbol: string
  /** ms since the epoch, the broker's clock (the bar's time with a simulated one). */
  occurredAt: number
  /** Clock of a simulated broker when it spoke, ms: engine time on a historical feed. */
  clock?: number
  /** Fills only. */
  side?: 'buy' | 'sell'
  qty?: string
  price?: string
  fee?: string
  /** True on the fill that completes the order. */
  complete?: boolean
  /** Refusals, cancellations and expiries: a stable code and words for people. */
  code?: string
  reason?: string
}

/** The broker could not be asked, or did not answer: nobody knows whether the order landed. */
export class OutcomeUnknown extends Error {
  override name = 'OutcomeUnknown'
  readonly code = 'outcome_unknown'
}

/**
 * The broker behind the executor. Idempotent by client order id: an order submitted twice exists once.
 * Answers come as reports, never as return values; `submit` resolves when the broker holds the order or
 * has refused it (which is a report too), and throws OutcomeUnknown when nobody can tell.
 */
export interface Broker {
  submit(order: BrokerOrder): Promise<void>
  /** Asks to cancel; the outcome is a report. Unknown ids are ignored. */
  cancel(clientOrderId: string): Promise<void>
  /** True when the broker knows this client order id. Throws OutcomeUnknown when it cannot be asked. */
  knows(clientOrderId: string): Promise<boolean>
  /** Calls the handler with every report after `sequence`, in order, past ones first. Returns an unsubscriber. */
  reports(after: number, handler: (report: BrokerReport) => void): () => void
  /** Sequence of the newest report. */
  lastSequence(): number
}
