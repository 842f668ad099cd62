export type OrderType = 'market' | 'limit' | 'stop' | 'stop_limit' | 'trailing_stop' | 'close'

/**
 * How long an order stands. `opg` trades only at the session's open and `cls` only at its close
 * (market or limit); `ioc` takes what the first bar gives and cancels the rest; `fok` all at once or nothing.
 */
export type TimeInForce = 'day' | 'gtc' | 'ioc' | 'fok' | 'opg' | 'cls'

/** An order as it is sent to a broker. Decimals are strings. */
export interface BrokerOrder {
  clientOrderId: string
  /** Number of the order in its account, 1, 2, … */
  orderId: number
  symbol: string
  side: 'buy' | 'sell'
  type: OrderType
  /**
   * Shares, or "all": every whole share the cash buys at the fill price (simulated brokers only), or
   * "notional": as many shares, to the ninth decimal, as `notional` pays at the fill price.
   */
  qty: string
  /** Money to spend or raise, fees apart; exactly with a qty of "notional". */
  notional?: string
  limitPrice?: string
  stopPrice?: string
  /** Distance of a trailing stop: exactly one of money per share, or percent of the best price. */
  trailAmount?: string
  trailPercent?: string
  timeInForce: TimeInForce
  /** May trade before and after the core session; limit orders of day or gtc only. */
  extendedHours?: boolean
  /** ms since the epoch; the order expires at the first moment at or after it. */
  expiresAt?: number
  /**
   * bracket: an entry with a take profit and a stop loss as legs; oto: an entry with one leg; legs are held
   * until the entry is wholly filled. oco: this order, a limit, and one stop leg, of which only one trades.
   */
  orderClass?: 'simple' | 'bracket' | 'oco' | 'oto'
  /** Legs of a class, each with a client order id of its own. They have no legs and no class. */
  legs?: BrokerOrder[]
}

/** What a working order may become; the replacement is an order of its own, with what is not named taken over. */
export interface Replacement {
  clientOrderId: string
  orderId: number
  /** Whole quantity, what is filled already included. */
  qty?: string
  limitPrice?: string
  stopPrice?: string
  trailAmount?: string
  trailPercent?: string
  timeInForce?: TimeInForce
}

/**
 * held: a leg that waits for its entry (it is accepted once it works). adjusted: quantity or prices of a working
 * order were changed by something else than a request: a sibling that filled in part, a split. charged: the account
 * paid without an order (borrow fees), `orderId` 0 and an empty client order id.
 */
export type ReportKind =
  | 'accepted'
  | 'held'
  | 'rejected'
  | 'filled'
  | 'canceled'
  | 'expired'
  | 'replaced'
  | 'adjusted'
  | 'cancel_rejected'
  | 'replace_rejected'
  | 'charged'

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
  /** Fills: shares traded. Adjusted: the whole quantity from now on, what is filled included. */
  qty?: string
  price?: string
  fee?: string
  /** True on the fill that completes the order. */
  complete?: boolean
  /** Adjusted: prices from now on. */
  limitPrice?: string
  stopPrice?: string
  /** Replaced, replace_rejected: number of the order that replaces, or would have. */
  replacedBy?: number
  /** Charged: money paid; negative: received. */
  amount?: string
  /** Everything but accepted, held and filled: a stable code and words for people. */
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
  /** Asks to replace a working order; the outcome is a report. Throws OutcomeUnknown as `submit` does. */
  replace?(clientOrderId: string, by: Replacement): Promise<void>
  /** True when the broker knows this client order id. Throws OutcomeUnknown when it cannot be asked. */
  knows(clientOrderId: string): Promise<boolean>
  /** Calls the handler with every report after `sequence`, in order, past ones first. Returns an unsubscriber. */
  reports(after: number, handler: (report: BrokerReport) => void): () => void
  /** Sequence of the newest report. */
  lastSequence(): number
}
