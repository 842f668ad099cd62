// Generated from schemas/**/*.json by scripts/gen-types.ts; edit those and run: npm run gen

/**
 * The account paid, or received, money without an order
 */
export interface AccountCharged {
  /**
   * Symbol it was paid for, where there is one
   */
  symbol?: string
  /**
   * Sequence of the report at the broker, from 1
   */
  brokerSequence: number
  /**
   * The broker's clock
   */
  occurredAt: string
  /**
   * Money paid; negative: received
   */
  amount: string
  /**
   * Stable code, such as borrow_fee
   */
  code: string
  /**
   * What for
   */
  reason: string
}

/**
 * A command that NATS has stored; the engine takes it in its turn
 */
export interface CommandStored {
  /**
   * Its id: the Idempotency-Key
   */
  id: string
  /**
   * JetStream stream that holds it
   */
  stream: string
  /**
   * Its sequence there
   */
  sequence: number
  /**
   * Where to look for what became of it
   */
  location: string
}

/**
 * Body of POST /control/{action}
 */
export interface ControlRequest {
  /**
   * Why
   */
  reason: string
  /**
   * cancel-order, replace-order: number of the order
   */
  orderId?: number
  /**
   * replace-order: whole quantity, what is filled included
   */
  qty?: string
  /**
   * replace-order: limit price
   */
  limitPrice?: string
  /**
   * replace-order: stop price
   */
  stopPrice?: string
  /**
   * replace-order: distance of a trailing stop, money
   */
  trailAmount?: string
  /**
   * replace-order: distance of a trailing stop, percent
   */
  trailPercent?: string
  /**
   * replace-order: how long it stands
   */
  timeInForce?: 'day' | 'gtc' | 'ioc' | 'fok' | 'opg' | 'cls'
}

/**
 * A control that the engine has taken
 */
export interface ControlTaken {
  /**
   * Position of the book that the answer belongs to
   */
  position: number
  /**
   * Its id: the Idempotency-Key
   */
  id: string
  /**
   * What was ordered
   */
  action: string
  /**
   * Its position in the book; /explain/p:<entry> tells what came of it
   */
  entry: number
  /**
   * Trading state now
   */
  trading: 'ACTIVE' | 'REDUCING' | 'HALTED'
  /**
   * cancel-order, replace-order: what was said of it; null for the others
   */
  verdict: ('approved' | 'denied') | null
  /**
   * replace-order: the order that takes the place of the other; empty when denied, and for the others
   */
  orderIds: number[]
  /**
   * Stable code: why denied, or what is done
   */
  code: string | null
  /**
   * What the rule that denied saw
   */
  observed: string | null
  /**
   * What that rule allows
   */
  limit: string | null
}

/**
 * Something that was decided, or that a decision was based on
 */
export interface DecisionBody {
  /**
   * Position in the book of the event that brought it
   */
  entry: number
  /**
   * Type of the event
   */
  type: string
  /**
   * Position of the input that it follows from
   */
  step: number
  /**
   * Position of the event that caused it; null: it is an input itself
   */
  because: number | null
  /**
   * Engine time
   */
  at: string
  /**
   * The event's data, by the schema of its type
   */
  data: {}
}

/**
 * Decisions
 */
export interface DecisionList {
  /**
   * Position of the book that the answer belongs to; -1: it is empty
   */
  position: number
  /**
   * One page
   */
  items: DecisionBody[]
  /**
   * Cursor of the next page; null: this is the last
   */
  next: string | null
}

/**
 * The equity curve
 */
export interface EquityList {
  /**
   * Position of the book that the answer belongs to; -1: it is empty
   */
  position: number
  /**
   * One page
   */
  items: EquityPoint[]
  /**
   * Cursor of the next page; null: this is the last
   */
  next: string | null
  summary: EquitySummary
}

/**
 * The account after all bars of one moment
 */
export interface EquityPoint {
  /**
   * Position in the book of the event that brought it
   */
  entry: number
  /**
   * Start of the bar
   */
  time: string
  /**
   * Engine time
   */
  at: string
  /**
   * Cash
   */
  cash: string
  /**
   * Value of all positions at the mark, signed
   */
  positionValue: string
  /**
   * cash + positionValue, exactly
   */
  equity: string
  /**
   * equity / highest equity so far − 1; null where that is not above zero
   */
  drawdown: number | null
}

/**
 * Figures of the whole curve, by the definitions of summary.json
 */
export interface EquitySummary {
  /**
   * Cash to begin with
   */
  start: string
  /**
   * Equity of the last point
   */
  end: string
  /**
   * Highest equity of a point
   */
  peak: string
  /**
   * Lowest drawdown of a point, zero or negative
   */
  maxDrawdown: number | null
  /**
   * Longest time under water, days, an open one included
   */
  maxDrawdownDays: number | null
}

/**
 * An event of the book
 */
export interface EventBody {
  /**
   * Place in the book
   */
  position: number
  /**
   * UUID
   */
  id: string
  /**
   * Type
   */
  type: string
  /**
   * Version of its schema
   */
  version: number
  /**
   * Engine time
   */
  at: string
  /**
   * Wall clock of the writer
   */
  recordedAt: string
  /**
   * Position of the input that it belongs to
   */
  step: number
  /**
   * Position of the event that caused it; null: an input
   */
  because: number | null
  /**
   * Data by the schema of its type
   */
  data: {}
}

/**
 * Events of the book
 */
export interface EventList {
  /**
   * Position of the book that the answer belongs to; -1: it is empty
   */
  position: number
  /**
   * One page
   */
  items: EventBody[]
  /**
   * Cursor of the next page; null: this is the last
   */
  next: string | null
}

/**
 * Why something is as it is: the events that led to it and followed from it
 */
export interface ExplainBody {
  /**
   * What was asked for
   */
  id: string
  /**
   * What it is
   */
  kind: 'order' | 'signal' | 'bar' | 'event'
  /**
   * Position of the book that the answer belongs to
   */
  position: number
  /**
   * What became of it, in a few words
   */
  outcome: string
  /**
   * In the order of the book, each with the event that caused it
   */
  chain: {
    /**
     * Place in the book
     */
    position: number
    /**
     * Type of the event
     */
    type: string
    /**
     * Engine time
     */
    at: string
    /**
     * Position of the event that caused it; null: an input
     */
    because: number | null
    /**
     * The event as a sentence
     */
    text: string
    /**
     * Its data, by the schema of its type
     */
    data: {}
  }[]
  /**
   * Whether the chain is longer than what is shown
   */
  truncated: boolean
  /**
   * Bars only: what each strategy looked at
   */
  strategies?: {
    /**
     * Name
     */
    strategy: string
    /**
     * Its parameters
     */
    params: {}
    /**
     * What it may do, and all that must hold for it
     */
    actions: {
      /**
       * Action
       */
      side: 'buy' | 'sell' | 'close'
      /**
       * Whether all conditions held
       */
      met: boolean
      /**
       * Each of them
       */
      conditions: {
        /**
         * What is looked at
         */
        name: string
        /**
         * What was there; null: not known yet
         */
        observed: string | null
        /**
         * What is wanted
         */
        wanted: string
        /**
         * Whether it holds
         */
        met: boolean
      }[]
    }[]
  }[]
}

/**
 * One execution
 */
export interface FillBody {
  /**
   * Position in the book of the event that brought it
   */
  entry: number
  /**
   * Number of the order
   */
  orderId: number
  /**
   * Id the broker knows the order by
   */
  clientOrderId: string
  /**
   * Ticker
   */
  symbol: string
  /**
   * Side of the order
   */
  side: 'buy' | 'sell'
  /**
   * Shares traded
   */
  qty: string
  /**
   * Price per share
   */
  price: string
  /**
   * Fee charged
   */
  fee: string
  /**
   * Whether nothing of the order is left
   */
  complete: boolean
  /**
   * Engine time
   */
  at: string
  /**
   * The broker's clock
   */
  occurredAt: string
}

/**
 * Fills
 */
export interface FillList {
  /**
   * Position of the book that the answer belongs to; -1: it is empty
   */
  position: number
  /**
   * One page
   */
  items: FillBody[]
  /**
   * Cursor of the next page; null: this is the last
   */
  next: string | null
}

/**
 * Liveness, readiness, version and role
 */
export interface HealthBody {
  /**
   * Position of the book that the answer belongs to; -1: it is empty
   */
  position: number
  /**
   * Always, when this is answered at all
   */
  live: true
  /**
   * Whether every check passed
   */
  ready: boolean
  /**
   * Version of the package
   */
  version: string
  /**
   * What this process is, such as writer or standby
   */
  role: string
  /**
   * What readiness needs
   */
  checks: {
    /**
     * What is looked at
     */
    name: string
    /**
     * Whether it is well
     */
    ok: boolean
    /**
     * What was seen, and the remedy
     */
    detail?: string
  }[]
}

/**
 * The process answers
 */
export interface LiveBody {
  /**
   * Position of the book that the answer belongs to; -1: it is empty
   */
  position: number
  /**
   * Always, when this is answered at all
   */
  live: true
}

/**
 * An order from its intent to its end
 */
export interface OrderBody {
  /**
   * Number of the order in its account, 1, 2, …
   */
  id: number
  /**
   * Id the broker knows the order by
   */
  clientOrderId: string
  /**
   * Ticker
   */
  symbol: string
  /**
   * Side of the order
   */
  side: 'buy' | 'sell'
  /**
   * Order type
   */
  type: 'market' | 'limit' | 'stop' | 'stop_limit' | 'trailing_stop' | 'close'
  /**
   * Shares; "all" or "notional" until such an order has filled
   */
  qty: string
  /**
   * Shares traded so far
   */
  filledQty: string
  /**
   * Volume-weighted price of the fills, rounded half to even at nine decimals; null before the first
   */
  avgPrice: string | null
  /**
   * Where it stands
   */
  status:
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
  /**
   * Stable code of why it ended or is unknown
   */
  code: string | null
  /**
   * The same in words
   */
  reason: string | null
  /**
   * Limit price
   */
  limitPrice: string | null
  /**
   * Stop price
   */
  stopPrice: string | null
  /**
   * How long it stands
   */
  timeInForce: 'day' | 'gtc' | 'ioc' | 'fok' | 'opg' | 'cls'
  /**
   * Moment at which the broker lets it expire
   */
  expiresAt: string | null
  /**
   * Whether its cancellation was asked for
   */
  cancelRequested: boolean
  /**
   * Signal it follows from
   */
  signalId: string
  /**
   * Engine time of the intent
   */
  createdAt: string
  /**
   * Engine time of the last change
   */
  updatedAt: string
  /**
   * Position in the book of the event that brought it
   */
  entry: number
  /**
   * Distance of a trailing stop, money per share
   */
  trailAmount?: string
  /**
   * Distance of a trailing stop, percent
   */
  trailPercent?: string
  /**
   * Money to spend or raise
   */
  notional?: string
  /**
   * How it and its legs belong together
   */
  orderClass?: 'bracket' | 'oco' | 'oto'
  /**
   * Numbers of its legs
   */
  legs?: number[]
  /**
   * Order whose leg it is
   */
  parentId?: number
  /**
   * What it is as a leg
   */
  role?: 'take_profit' | 'stop_loss'
  /**
   * Order that it takes, or took, the place of
   */
  replaces?: number
  /**
   * Order that took its place
   */
  replacedBy?: number
}

/**
 * One order
 */
export interface OrderDetail {
  /**
   * Position of the book that the answer belongs to; -1: it is empty
   */
  position: number
  /**
   * Number of the order in its account, 1, 2, …
   */
  id: number
  /**
   * Id the broker knows the order by
   */
  clientOrderId: string
  /**
   * Ticker
   */
  symbol: string
  /**
   * Side of the order
   */
  side: 'buy' | 'sell'
  /**
   * Order type
   */
  type: 'market' | 'limit' | 'stop' | 'stop_limit' | 'trailing_stop' | 'close'
  /**
   * Shares; "all" or "notional" until such an order has filled
   */
  qty: string
  /**
   * Shares traded so far
   */
  filledQty: string
  /**
   * Volume-weighted price of the fills, rounded half to even at nine decimals; null before the first
   */
  avgPrice: string | null
  /**
   * Where it stands
   */
  status:
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
  /**
   * Stable code of why it ended or is unknown
   */
  code: string | null
  /**
   * The same in words
   */
  reason: string | null
  /**
   * Limit price
   */
  limitPrice: string | null
  /**
   * Stop price
   */
  stopPrice: string | null
  /**
   * How long it stands
   */
  timeInForce: 'day' | 'gtc' | 'ioc' | 'fok' | 'opg' | 'cls'
  /**
   * Moment at which the broker lets it expire
   */
  expiresAt: string | null
  /**
   * Whether its cancellation was asked for
   */
  cancelRequested: boolean
  /**
   * Signal it follows from
   */
  signalId: string
  /**
   * Engine time of the intent
   */
  createdAt: string
  /**
   * Engine time of the last change
   */
  updatedAt: string
  /**
   * Position in the book of the event that brought it
   */
  entry: number
  /**
   * Distance of a trailing stop, money per share
   */
  trailAmount?: string
  /**
   * Distance of a trailing stop, percent
   */
  trailPercent?: string
  /**
   * Money to spend or raise
   */
  notional?: string
  /**
   * How it and its legs belong together
   */
  orderClass?: 'bracket' | 'oco' | 'oto'
  /**
   * Numbers of its legs
   */
  legs?: number[]
  /**
   * Order whose leg it is
   */
  parentId?: number
  /**
   * What it is as a leg
   */
  role?: 'take_profit' | 'stop_loss'
  /**
   * Order that it takes, or took, the place of
   */
  replaces?: number
  /**
   * Order that took its place
   */
  replacedBy?: number
}

/**
 * Orders
 */
export interface OrderList {
  /**
   * Position of the book that the answer belongs to; -1: it is empty
   */
  position: number
  /**
   * One page
   */
  items: OrderBody[]
  /**
   * Cursor of the next page; null: this is the last
   */
  next: string | null
}

/**
 * Gains and losses since the book began; amounts in the account currency
 */
export interface PnlBody {
  /**
   * Position of the book that the answer belongs to; -1: it is empty
   */
  position: number
  /**
   * Engine time of the last input; null before the first
   */
  at: string | null
  /**
   * Cash to begin with
   */
  start: string
  /**
   * Equity now
   */
  equity: string
  /**
   * equity − start, exactly realizedPnl + unrealizedPnl − openFees
   */
  total: string
  /**
   * Closed round trips, both sides' fees taken off
   */
  realizedPnl: string
  /**
   * Open lots at the mark, without fees
   */
  unrealizedPnl: string
  /**
   * Paid for what is not closed: in neither of the two above
   */
  openFees: string
  /**
   * All fees paid
   */
  fees: string
  /**
   * By symbol
   */
  symbols: {
    /**
     * Ticker
     */
    symbol: string
    /**
     * Shares held, negative when short
     */
    qty: string
    /**
     * Open lots at the mark
     */
    unrealizedPnl: string
    /**
     * Closed round trips, both sides' fees taken off
     */
    realizedPnl: string
    /**
     * Closed round trips
     */
    trades: number
    /**
     * Those that gained
     */
    wins: number
    /**
     * Those that lost; the rest broke even
     */
    losses: number
    /**
     * Both sides' fees of the closed round trips
     */
    fees: string
  }[]
  /**
   * By who opened what was closed
   */
  sources: {
    /**
     * strategy:<name>, operator:<name>, engine or unknown
     */
    source: string
    /**
     * Closed round trips, both sides' fees taken off
     */
    realizedPnl: string
    /**
     * Closed round trips
     */
    trades: number
    /**
     * Those that gained
     */
    wins: number
    /**
     * Those that lost; the rest broke even
     */
    losses: number
    /**
     * Both sides' fees of the closed round trips
     */
    fees: string
  }[]
  /**
   * By trading day, newest first; see `days`
   */
  days: {
    /**
     * Trading day
     */
    day: string
    /**
     * At the end of the day
     */
    equity: string
    /**
     * Against the end of the day before
     */
    change: string
    /**
     * Value of all fills
     */
    traded: string
    /**
     * Closed round trips, both sides' fees taken off
     */
    realizedPnl: string
    /**
     * Closed round trips
     */
    trades: number
    /**
     * Those that gained
     */
    wins: number
    /**
     * Those that lost; the rest broke even
     */
    losses: number
    /**
     * Both sides' fees of the closed round trips
     */
    fees: string
  }[]
}

/**
 * Closed round trips added up
 */
export interface PnlFigures {
  /**
   * Closed round trips, both sides' fees taken off
   */
  realizedPnl: string
  /**
   * Closed round trips
   */
  trades: number
  /**
   * Those that gained
   */
  wins: number
  /**
   * Those that lost; the rest broke even
   */
  losses: number
  /**
   * Both sides' fees of the closed round trips
   */
  fees: string
}

/**
 * Cash and positions; amounts in the account currency
 */
export interface PortfolioBody {
  /**
   * Position of the book that the answer belongs to; -1: it is empty
   */
  position: number
  /**
   * Engine time of the last input; null before the first
   */
  at: string | null
  /**
   * Currency of all amounts
   */
  currency: 'USD'
  /**
   * Cash
   */
  cash: string
  /**
   * cash + the market value of all positions, exactly
   */
  equity: string
  /**
   * Sum over the open positions
   */
  unrealizedPnl: string
  /**
   * Sum over all closed round trips, fees taken off
   */
  realizedPnl: string
  /**
   * Fees paid so far
   */
  fees: string
  /**
   * Paid without an order, such as borrow fees; left out where nothing was
   */
  charges?: string
  /**
   * Open positions by symbol
   */
  positions: PositionBody[]
}

/**
 * A position that is not flat; amounts in the account currency
 */
export interface PositionBody {
  /**
   * Ticker
   */
  symbol: string
  /**
   * Shares, negative when short
   */
  qty: string
  /**
   * Price paid or received for the shares held, first in first out, without fees
   */
  avgPrice: string
  /**
   * Close of the last bar, or the price of a later fill
   */
  marketPrice: string
  /**
   * qty × marketPrice
   */
  marketValue: string
  /**
   * marketValue less what the shares held cost, without fees
   */
  unrealizedPnl: string
  /**
   * Gains and losses of the closed round trips of the symbol, fees taken off
   */
  realizedPnl: string
}

/**
 * Open positions by symbol
 */
export interface PositionList {
  /**
   * Position of the book that the answer belongs to; -1: it is empty
   */
  position: number
  /**
   * One page
   */
  items: PositionBody[]
  /**
   * Cursor of the next page; null: this is the last
   */
  next: string | null
}

/**
 * What went wrong, by RFC 9457
 */
export interface ProblemBody {
  /**
   * Stable URI reference of the kind of problem, such as /problems/not-found
   */
  type: string
  /**
   * The kind in words
   */
  title: string
  /**
   * HTTP status
   */
  status: number
  /**
   * This case, and the remedy
   */
  detail: string
  /**
   * Every fault found
   */
  errors?: {
    /**
     * JSON pointer: /query/<parameter> or /path/<parameter>
     */
    pointer: string
    /**
     * What is wrong with it
     */
    detail: string
  }[]
}

/**
 * One queue
 */
export interface QueueBody {
  /**
   * orders.<what they wait for> or inputs.<door>
   */
  name: string
  /**
   * How many wait; null: inputs wait in NATS, not in the book
   */
  depth: number | null
  /**
   * How many went through
   */
  done: number | null
  /**
   * Engine time of the newest that went through
   */
  lastAt: string | null
  /**
   * What waits longest
   */
  oldest: {
    /**
     * Position in the book of the event that brought it
     */
    entry: number
    /**
     * Engine time
     */
    at: string
  } | null
}

/**
 * Queues
 */
export interface QueueList {
  /**
   * Position of the book that the answer belongs to; -1: it is empty
   */
  position: number
  /**
   * All of them
   */
  items: QueueBody[]
  /**
   * There is one page
   */
  next: null
}

/**
 * Whether the engine is ready
 */
export interface ReadyBody {
  /**
   * Position of the book that the answer belongs to; -1: it is empty
   */
  position: number
  /**
   * Whether every check passed
   */
  ready: boolean
  /**
   * What readiness needs
   */
  checks: {
    /**
     * What is looked at
     */
    name: string
    /**
     * Whether it is well
     */
    ok: boolean
    /**
     * What was seen, and the remedy
     */
    detail?: string
  }[]
}

/**
 * A signal and its verdict
 */
export interface SignalBody {
  /**
   * Id within its source
   */
  signalId: string
  /**
   * What risk said; null: not judged yet
   */
  verdict: ('approved' | 'denied') | null
  /**
   * Numbers of the orders that follow; empty when denied
   */
  orderIds: number[]
  /**
   * Stable code: approved, or why denied
   */
  code: string | null
  /**
   * Rule that denied; input: refused before risk saw it
   */
  rule: string | null
  /**
   * What that rule saw
   */
  observed: string | null
  /**
   * What that rule allows
   */
  limit: string | null
  /**
   * manual: from an operator; strategy: raised by one; control: a flatten; refused: it did not parse, validate or verify
   */
  kind: 'manual' | 'strategy' | 'control' | 'refused'
  /**
   * strategy:<name>, operator:<name>, or unknown
   */
  source: string
  /**
   * Ticker; null where it could not be read
   */
  symbol: string | null
  /**
   * What is wanted
   */
  side: ('buy' | 'sell' | 'close') | null
  /**
   * Order to place
   */
  type: ('market' | 'limit' | 'stop') | null
  /**
   * Shares asked for
   */
  qty: string | null
  /**
   * Value asked for instead of shares
   */
  notional: string | null
  /**
   * Limit price
   */
  limitPrice: string | null
  /**
   * Stop price
   */
  stopPrice: string | null
  /**
   * Shares approved
   */
  approvedQty: string | null
  /**
   * Why, in the words of its source
   */
  reason: string | null
  /**
   * Engine time
   */
  at: string
  /**
   * Position in the book of the event that brought it
   */
  entry: number
}

/**
 * One signal, with every rule that was looked at
 */
export interface SignalDetail {
  /**
   * Position of the book that the answer belongs to; -1: it is empty
   */
  position: number
  /**
   * Id within its source
   */
  signalId: string
  /**
   * What risk said; null: not judged yet
   */
  verdict: ('approved' | 'denied') | null
  /**
   * Numbers of the orders that follow; empty when denied
   */
  orderIds: number[]
  /**
   * Stable code: approved, or why denied
   */
  code: string | null
  /**
   * Rule that denied; input: refused before risk saw it
   */
  rule: string | null
  /**
   * What that rule saw
   */
  observed: string | null
  /**
   * What that rule allows
   */
  limit: string | null
  /**
   * manual: from an operator; strategy: raised by one; control: a flatten; refused: it did not parse, validate or verify
   */
  kind: 'manual' | 'strategy' | 'control' | 'refused'
  /**
   * strategy:<name>, operator:<name>, or unknown
   */
  source: string
  /**
   * Ticker; null where it could not be read
   */
  symbol: string | null
  /**
   * What is wanted
   */
  side: ('buy' | 'sell' | 'close') | null
  /**
   * Order to place
   */
  type: ('market' | 'limit' | 'stop') | null
  /**
   * Shares asked for
   */
  qty: string | null
  /**
   * Value asked for instead of shares
   */
  notional: string | null
  /**
   * Limit price
   */
  limitPrice: string | null
  /**
   * Stop price
   */
  stopPrice: string | null
  /**
   * Shares approved
   */
  approvedQty: string | null
  /**
   * Why, in the words of its source
   */
  reason: string | null
  /**
   * Engine time
   */
  at: string
  /**
   * Position in the book of the event that brought it
   */
  entry: number
  /**
   * Every rule looked at, in order
   *
   * Items: One rule, what it saw and what it allows
   */
  checks: {
    /**
     * Name of the rule
     */
    rule: string
    /**
     * What it saw
     */
    observed: string
    /**
     * What it allows
     */
    limit: string
    /**
     * Whether it passed
     */
    ok: boolean
  }[]
}

/**
 * Signals
 */
export interface SignalList {
  /**
   * Position of the book that the answer belongs to; -1: it is empty
   */
  position: number
  /**
   * One page
   */
  items: SignalBody[]
  /**
   * Cursor of the next page; null: this is the last
   */
  next: string | null
}

/**
 * What runs, whether it may trade, and how much it has seen
 */
export interface StatusBody {
  /**
   * Position of the book that the answer belongs to; -1: it is empty
   */
  position: number
  /**
   * Engine time of the last input; null before the first
   */
  at: string | null
  /**
   * Id of the book; null before its first entry
   */
  bookId: string | null
  /**
   * Name of the account; null likewise
   */
  account: string | null
  /**
   * Whether it may trade, and why
   */
  trading: {
    /**
     * ACTIVE trades, REDUCING only closes, HALTED sends nothing
     */
    state: 'ACTIVE' | 'REDUCING' | 'HALTED'
    /**
     * Stable code of what led to it; started: nothing did
     */
    code: string
    /**
     * What was seen
     */
    observed: string | null
    /**
     * What is allowed
     */
    limit: string | null
    /**
     * Who asked, or engine
     */
    actor: string | null
    /**
     * Why, in words
     */
    reason: string | null
    /**
     * Engine time of the change
     */
    since: string | null
  }
  /**
   * How much the book holds
   */
  counts: {
    /**
     * Bars
     */
    bars: number
    /**
     * Orders
     */
    orders: number
    /**
     * Orders that work now
     */
    openOrders: number
    /**
     * Fills
     */
    fills: number
    /**
     * Signals
     */
    signals: number
    /**
     * Verdicts that approved
     */
    approved: number
    /**
     * Signals denied, refused inputs with an id included
     */
    denied: number
    /**
     * Inputs that did not parse, validate or verify
     */
    refusedInputs: number
    /**
     * Times that inputs were found missing which NATS may have confirmed
     */
    gaps: number
    /**
     * Reports that an order could not take from its state
     */
    anomalies: number
    /**
     * Controls used
     */
    controls: number
    /**
     * Times an engine took over the book
     */
    starts: number
  }
  /**
   * Newest bar of each symbol
   */
  lastBars: {
    /**
     * Ticker
     */
    symbol: string
    /**
     * Length of a bar
     */
    timeframe: '1m' | '5m' | '15m' | '1h' | '1d'
    /**
     * Start of the bar
     */
    time: string
    /**
     * Last price
     */
    close: string
  }[]
  /**
   * The engine that last took over the book; null before the first
   */
  run: {
    /**
     * Random id of the run
     */
    run: string
    /**
     * sha256 over the sources of engine and schemas
     */
    codeHash: string
    /**
     * Version of the package
     */
    engineVersion: string
    /**
     * Version of Node
     */
    nodeVersion: string
    /**
     * Engine time
     */
    startedAt: string
  } | null
  /**
   * Settings in force; null before the first start
   */
  settings: ChainSettings | null
}

/**
 * One source of signals
 */
export interface StrategyBody {
  /**
   * strategy:<name>, operator:<name>, engine or unknown
   */
  source: string
  /**
   * Whether it is a strategy that runs now
   */
  running: boolean
  /**
   * Parameters of a strategy that runs
   */
  params: {} | null
  /**
   * Signals raised or sent
   */
  signals: number
  /**
   * Verdicts that approved
   */
  approved: number
  /**
   * Verdicts that denied
   */
  denied: number
  /**
   * Orders intended
   */
  orders: number
  /**
   * Executions
   */
  fills: number
  /**
   * Engine time of the newest signal
   */
  lastSignalAt: string | null
  /**
   * Why the newest denied signal was denied
   */
  lastDenial: {
    /**
     * Stable code
     */
    code: string
    /**
     * Rule that denied
     */
    rule: string | null
  } | null
  /**
   * Closed round trips, both sides' fees taken off
   */
  realizedPnl: string
  /**
   * Closed round trips
   */
  trades: number
  /**
   * Those that gained
   */
  wins: number
  /**
   * Those that lost; the rest broke even
   */
  losses: number
  /**
   * Both sides' fees of the closed round trips
   */
  fees: string
}

/**
 * Who asks for orders
 */
export interface StrategyList {
  /**
   * Position of the book that the answer belongs to; -1: it is empty
   */
  position: number
  /**
   * All of them
   */
  items: StrategyBody[]
  /**
   * There is one page
   */
  next: null
}

/**
 * Genesis: the first entry of a book; mints its identity
 */
export interface BookCreated {
  /**
   * Random id of the book
   */
  bookId: string
  /**
   * Name of the account
   */
  account: string
  /**
   * Currency of all amounts
   */
  currency: 'USD'
  /**
   * Cash the book opens with
   */
  cash: string
}

/**
 * A writer took over the book: its code, versions and settings
 */
export interface EngineStarted {
  /**
   * Random id of this writer's run
   */
  run: string
  /**
   * sha256 over the sources of engine and schemas
   */
  codeHash: string
  /**
   * Version of the package
   */
  engineVersion: string
  /**
   * Version of Node
   */
  nodeVersion: string
  settings: ChainSettings
}

/**
 * Everything that decides what the chain decides
 */
export interface ChainSettings {
  /**
   * historical: engine time is the clock of the data; realtime: the wall clock
   */
  feed: 'historical' | 'realtime'
  /**
   * Length of a bar
   */
  timeframe: '1m' | '5m' | '15m' | '1h' | '1d'
  /**
   * Symbols that may be traded; empty: every symbol that has a bar
   *
   * Items: Ticker
   */
  symbols: string[]
  /**
   * Strategies, in the order they are asked
   */
  strategies: {
    /**
     * Name of the strategy
     */
    name: string
    /**
     * Its parameters
     */
    params: {
      [k: string]: string | number | boolean
    }
  }[]
  /**
   * Limits; null: no limits
   */
  risk: RiskLimits | null
  exchange: ExchangeSettings
}

/**
 * How the simulated exchange fills
 */
export interface ExchangeSettings {
  /**
   * Cash to begin with
   */
  cash: string
  /**
   * When market orders fill
   */
  fill: 'next-open' | 'same-close'
  /**
   * Whether a limit fills when touched, or only when traded through
   */
  limitFill: 'touch' | 'through'
  /**
   * Share of a bar's volume an order may take; 0: no limit
   */
  participation: number
  /**
   * Slippage against the order, basis points of the price
   */
  slippageBps: number
  /**
   * Commission as a fraction of value
   */
  commission: string
  /**
   * Commission per share
   */
  feePerShare: string
  /**
   * Smallest commission of a fill when charged per share
   */
  feeMin: string
  /**
   * Price of a bar that moves trailing stops: its high or low, or its close; extreme when left out
   */
  trail?: 'extreme' | 'close'
  /**
   * Spread assumed where only bars are known, basis points of the price; half of it goes against market and stop orders
   */
  spreadBps?: number
  /**
   * Price impact of an order as large as its bar's volume, basis points; it grows with the square root of order ÷ volume
   */
  impactBps?: number
  /**
   * Fees of SEC and FINRA on sales, by date
   */
  regulatoryFees?: 'none' | 'us-equity'
  /**
   * Yearly rate paid on the value of short positions, as a fraction; charged per calendar day on the close
   */
  borrowRate?: string
  /**
   * What may be sold short: everything, nothing, or the symbols of shortable
   */
  shorts?: 'all' | 'none' | 'listed'
  /**
   * Symbols that may be sold short, with shorts of listed
   *
   * Items: Ticker, upper case
   */
  shortable?: string[]
  /**
   * Checks buying power: 1 cash, 2 overnight margin, 4 intraday margin. Left out: unlimited
   */
  multiplier?: 1 | 2 | 4
  /**
   * Whether an order that could trade with one of its own is refused
   */
  washTrades?: 'allow' | 'refuse'
  /**
   * Which orders are taken: all that can be simulated, or those that Alpaca takes
   */
  rules?: 'open' | 'alpaca'
  /**
   * Trading hours that orders keep to: none, those of the New York exchanges, or the UTC day
   */
  sessions?: 'none' | 'us-equity' | 'crypto'
}

/**
 * Limits that every order must keep. A limit left out is not checked
 */
export interface RiskLimits {
  /**
   * Largest value of one order, in the account currency
   */
  maxOrderNotional?: string
  /**
   * Largest position in one symbol, in shares, long or short, working orders included
   */
  maxPosition?: string
  /**
   * Largest sum of absolute position values and working orders, as a multiple of equity
   */
  maxGrossExposure?: string
  /**
   * Largest distance of a limit or stop price from the last close, as a fraction of it
   */
  priceCollar?: string
  /**
   * Largest loss since the day's first equity, as a fraction of it; beyond it the state becomes REDUCING
   */
  maxDailyLoss?: string
  /**
   * Largest fall of equity from its peak, as a fraction of it; beyond it the state becomes HALTED
   */
  maxDrawdown?: string
}

/**
 * What an operator publishes on control.<action>
 */
export interface ControlCommand {
  /**
   * Who: letters, digits, _ and -, at most 64
   */
  actor: string
  /**
   * Why
   */
  reason: string
  /**
   * cancel-order, replace-order: number of the order
   */
  orderId?: number
  /**
   * replace-order: whole quantity, what is filled included
   */
  qty?: string
  /**
   * replace-order: limit price
   */
  limitPrice?: string
  /**
   * replace-order: stop price
   */
  stopPrice?: string
  /**
   * replace-order: distance of a trailing stop, money
   */
  trailAmount?: string
  /**
   * replace-order: distance of a trailing stop, percent
   */
  trailPercent?: string
  /**
   * replace-order: how long it stands
   */
  timeInForce?: 'day' | 'gtc' | 'ioc' | 'fok' | 'opg' | 'cls'
}

/**
 * An operator used a control
 */
export interface ControlReceived {
  /**
   * What is asked
   */
  action: 'halt' | 'resume' | 'cancel-all' | 'flatten' | 'cancel-order' | 'replace-order'
  /**
   * Who: letters, digits, _ and -, at most 64
   */
  actor: string
  /**
   * Why
   */
  reason: string
  /**
   * Id of the message
   */
  controlId: string
  /**
   * When NATS stored it
   */
  storedAt: string
  /**
   * cancel-order, replace-order: number of the order
   */
  orderId?: number
  /**
   * replace-order: whole quantity, what is filled included
   */
  qty?: string
  /**
   * replace-order: limit price
   */
  limitPrice?: string
  /**
   * replace-order: stop price
   */
  stopPrice?: string
  /**
   * replace-order: distance of a trailing stop, money
   */
  trailAmount?: string
  /**
   * replace-order: distance of a trailing stop, percent
   */
  trailPercent?: string
  /**
   * replace-order: how long it stands
   */
  timeInForce?: 'day' | 'gtc' | 'ioc' | 'fok' | 'opg' | 'cls'
}

/**
 * The feature values that a decision used
 */
export interface FeatureComputed {
  /**
   * Strategy that decided
   */
  strategy: string
  /**
   * Ticker
   */
  symbol: string
  /**
   * Start of the bar
   */
  barTime: string
  /**
   * Name to value
   */
  values: {
    [k: string]: number
  }
}

/**
 * A corporate action takes effect
 */
export interface MarketAction {
  /**
   * Name of the feed
   */
  feed: string
  /**
   * Ticker
   */
  symbol: string
  /**
   * What happens
   */
  kind: 'split' | 'dividend' | 'delist' | 'rename'
  /**
   * split: new shares for one old (2, 0.25); dividend: money per share; delist: price paid per share, the last close when left out
   */
  value?: string
  /**
   * rename: the symbol from now on
   */
  newSymbol?: string
  /**
   * First day that trades without it
   */
  exDate: string
  /**
   * Moment at which it takes effect: before the first bar of that day
   */
  time: string
}

/**
 * A finished bar
 */
export interface MarketBar {
  /**
   * Name of the feed
   */
  feed: string
  /**
   * Ticker
   */
  symbol: string
  /**
   * Length of a bar
   */
  timeframe: '1m' | '5m' | '15m' | '1h' | '1d'
  /**
   * Start of the bar
   */
  time: string
  /**
   * First price
   */
  open: string
  /**
   * Highest price
   */
  high: string
  /**
   * Lowest price
   */
  low: string
  /**
   * Last price
   */
  close: string
  /**
   * Shares traded; null: unknown
   */
  volume: string | null
  /**
   * 0 for the first version, 1, 2, … for corrections
   */
  revision: number
}

/**
 * The broker holds the order
 */
export interface OrderAccepted {
  /**
   * Number of the order in its account, 1, 2, …
   */
  orderId: number
  /**
   * Id the broker knows the order by: book id and order number
   */
  clientOrderId: string
  /**
   * Ticker
   */
  symbol: string
  /**
   * Sequence of the report at the broker, from 1
   */
  brokerSequence: number
  /**
   * The broker's clock
   */
  occurredAt: string
}

/**
 * Quantity or prices of a working order changed otherwise than by request: a sibling that filled in part, a split
 */
export interface OrderAdjusted {
  /**
   * Number of the order in its account, 1, 2, …
   */
  orderId: number
  /**
   * Id the broker knows the order by: book id and order number
   */
  clientOrderId: string
  /**
   * Ticker
   */
  symbol: string
  /**
   * Sequence of the report at the broker, from 1
   */
  brokerSequence: number
  /**
   * The broker's clock
   */
  occurredAt: string
  /**
   * Whole quantity from now on, what is filled included
   */
  qty?: string
  /**
   * Limit price from now on
   */
  limitPrice?: string
  /**
   * Stop price from now on
   */
  stopPrice?: string
  /**
   * Stable code
   */
  code: string
  /**
   * Why
   */
  reason: string
}

/**
 * A report that the order could not take from its state; it changed nothing, or only what is said here
 */
export interface OrderAnomaly {
  /**
   * Order it names
   */
  orderId: number
  /**
   * Status of the order, or unknown_order
   */
  status: string
  /**
   * Type of the report
   */
  event: string
  /**
   * Stable code
   */
  code: string
}

/**
 * The broker refused to cancel the order: it goes on as it was
 */
export interface OrderCancelRejected {
  /**
   * Number of the order in its account, 1, 2, …
   */
  orderId: number
  /**
   * Id the broker knows the order by: book id and order number
   */
  clientOrderId: string
  /**
   * Ticker
   */
  symbol: string
  /**
   * Sequence of the report at the broker, from 1
   */
  brokerSequence: number
  /**
   * The broker's clock
   */
  occurredAt: string
  /**
   * Stable code
   */
  code: string
  /**
   * Why
   */
  reason: string
}

/**
 * The intent to cancel an order
 */
export interface OrderCancelRequested {
  /**
   * Number of the order in its account, 1, 2, …
   */
  orderId: number
  /**
   * Who asked
   */
  actor: string
  /**
   * Why
   */
  reason: string
}

/**
 * The order was cancelled
 */
export interface OrderCanceled {
  /**
   * Number of the order in its account, 1, 2, …
   */
  orderId: number
  /**
   * Id the broker knows the order by: book id and order number
   */
  clientOrderId: string
  /**
   * Ticker
   */
  symbol: string
  /**
   * Sequence of the report at the broker, from 1
   */
  brokerSequence: number
  /**
   * The broker's clock
   */
  occurredAt: string
  /**
   * Stable code
   */
  code: string
  /**
   * Why
   */
  reason: string
}

/**
 * The order expired
 */
export interface OrderExpired {
  /**
   * Number of the order in its account, 1, 2, …
   */
  orderId: number
  /**
   * Id the broker knows the order by: book id and order number
   */
  clientOrderId: string
  /**
   * Ticker
   */
  symbol: string
  /**
   * Sequence of the report at the broker, from 1
   */
  brokerSequence: number
  /**
   * The broker's clock
   */
  occurredAt: string
  /**
   * Stable code
   */
  code: string
  /**
   * Why
   */
  reason: string
}

/**
 * The order traded, wholly or in part
 */
export interface OrderFilled {
  /**
   * Number of the order in its account, 1, 2, …
   */
  orderId: number
  /**
   * Id the broker knows the order by: book id and order number
   */
  clientOrderId: string
  /**
   * Ticker
   */
  symbol: string
  /**
   * Sequence of the report at the broker, from 1
   */
  brokerSequence: number
  /**
   * The broker's clock
   */
  occurredAt: string
  /**
   * Side of the order
   */
  side: 'buy' | 'sell'
  /**
   * Shares traded
   */
  qty: string
  /**
   * Price per share
   */
  price: string
  /**
   * Fee charged
   */
  fee: string
  /**
   * Whether nothing of the order is left
   */
  complete: boolean
}

/**
 * The broker holds a leg back until its entry has filled
 */
export interface OrderHeld {
  /**
   * Number of the order in its account, 1, 2, …
   */
  orderId: number
  /**
   * Id the broker knows the order by: book id and order number
   */
  clientOrderId: string
  /**
   * Ticker
   */
  symbol: string
  /**
   * Sequence of the report at the broker, from 1
   */
  brokerSequence: number
  /**
   * The broker's clock
   */
  occurredAt: string
}

/**
 * The intent to place an order; nothing is sent that is not recorded so
 */
export interface OrderIntended {
  /**
   * Number of the order in its account, 1, 2, …
   */
  orderId: number
  /**
   * Signal it follows from
   */
  signalId: string
  /**
   * Ticker
   */
  symbol: string
  /**
   * Side of the order
   */
  side: 'buy' | 'sell'
  /**
   * Order type
   */
  type: 'market' | 'limit' | 'stop' | 'stop_limit' | 'trailing_stop' | 'close'
  /**
   * Shares; "all": every whole share the cash buys at the fill price; "notional": as many as the notional pays
   */
  qty: string
  /**
   * Limit price
   */
  limitPrice?: string
  /**
   * Stop price
   */
  stopPrice?: string
  /**
   * Distance of a trailing stop, money per share
   */
  trailAmount?: string
  /**
   * Distance of a trailing stop, percent of the best price
   */
  trailPercent?: string
  /**
   * Money to spend or raise, fees apart; with a qty of "notional"
   */
  notional?: string
  /**
   * How long it stands
   */
  timeInForce: 'day' | 'gtc' | 'ioc' | 'fok' | 'opg' | 'cls'
  /**
   * Engine time after which it must not be sent any more
   */
  notAfter: string
  /**
   * Moment at which the broker lets it expire
   */
  expiresAt?: string
  /**
   * May trade before and after the core session
   */
  extendedHours?: boolean
  /**
   * How it and its legs belong together
   */
  orderClass?: 'bracket' | 'oco' | 'oto'
  /**
   * Numbers of its legs, whose intents follow in the same step; they reach the broker with it
   */
  legs?: number[]
  /**
   * Order whose leg it is
   */
  parentId?: number
  /**
   * What it is as a leg
   */
  role?: 'take_profit' | 'stop_loss'
  /**
   * Order that it takes the place of: the broker is asked to replace that one
   */
  replaces?: number
}

/**
 * Nobody knows whether the order landed; it is being looked up
 */
export interface OrderOutcomeUnknown {
  /**
   * Number of the order in its account, 1, 2, …
   */
  orderId: number
  /**
   * Id the broker knows the order by: book id and order number
   */
  clientOrderId: string
  /**
   * How many times it was tried
   */
  attempt: number
  /**
   * What went wrong
   */
  reason: string
}

/**
 * The broker refused the order
 */
export interface OrderRejected {
  /**
   * Number of the order in its account, 1, 2, …
   */
  orderId: number
  /**
   * Id the broker knows the order by: book id and order number
   */
  clientOrderId: string
  /**
   * Ticker
   */
  symbol: string
  /**
   * Sequence of the report at the broker, from 1
   */
  brokerSequence: number
  /**
   * The broker's clock
   */
  occurredAt: string
  /**
   * Stable code
   */
  code: string
  /**
   * Why
   */
  reason: string
}

/**
 * The broker refused to replace the order: it goes on as it was, and the replacement never stood
 */
export interface OrderReplaceRejected {
  /**
   * Number of the order in its account, 1, 2, …
   */
  orderId: number
  /**
   * Id the broker knows the order by: book id and order number
   */
  clientOrderId: string
  /**
   * Ticker
   */
  symbol: string
  /**
   * Sequence of the report at the broker, from 1
   */
  brokerSequence: number
  /**
   * The broker's clock
   */
  occurredAt: string
  /**
   * Number of the order that would have replaced it
   */
  replacedBy: number
  /**
   * Stable code
   */
  code: string
  /**
   * Why
   */
  reason: string
}

/**
 * The intent to replace an order; the intent of the replacement follows
 */
export interface OrderReplaceRequested {
  /**
   * Number of the order in its account, 1, 2, …
   */
  orderId: number
  /**
   * Number of the order that shall take its place
   */
  replacedBy: number
  /**
   * Control that asked for it
   */
  signalId: string
  /**
   * operator:<name> or strategy:<name>
   */
  source: string
}

/**
 * Another order took the place of this one; what still trades of this one is part of the other
 */
export interface OrderReplaced {
  /**
   * Number of the order in its account, 1, 2, …
   */
  orderId: number
  /**
   * Id the broker knows the order by: book id and order number
   */
  clientOrderId: string
  /**
   * Ticker
   */
  symbol: string
  /**
   * Sequence of the report at the broker, from 1
   */
  brokerSequence: number
  /**
   * The broker's clock
   */
  occurredAt: string
  /**
   * Number of the order that replaces it
   */
  replacedBy: number
  /**
   * Stable code
   */
  code: string
  /**
   * Why
   */
  reason: string
}

/**
 * The executor did not send the order
 */
export interface OrderWithheld {
  /**
   * Number of the order in its account, 1, 2, …
   */
  orderId: number
  /**
   * Id the broker knows the order by: book id and order number
   */
  clientOrderId: string
  /**
   * Stable code: too_late, halted, canceled
   */
  code: string
  /**
   * Why
   */
  reason: string
}

/**
 * Trading was restricted or allowed again; latched until a resume
 */
export interface RiskStateChanged {
  /**
   * Before
   */
  from: 'ACTIVE' | 'REDUCING' | 'HALTED'
  /**
   * After
   */
  to: 'ACTIVE' | 'REDUCING' | 'HALTED'
  /**
   * Stable code
   */
  code: string
  /**
   * What was seen
   */
  observed: string | null
  /**
   * What is allowed
   */
  limit: string | null
  /**
   * Who asked, or engine
   */
  actor: string
  /**
   * Why, in words
   */
  reason: string
}

/**
 * What risk said of a signal
 */
export interface RiskVerdict {
  /**
   * Signal judged
   */
  signalId: string
  /**
   * strategy:<name>, operator:<name> or engine
   */
  source: string
  /**
   * The verdict
   */
  verdict: 'approved' | 'denied'
  /**
   * Orders that follow; empty when denied
   */
  orderIds: number[]
  /**
   * Stable code: approved, or why denied
   */
  code: string
  /**
   * Rule that denied
   */
  rule: string | null
  /**
   * What that rule saw
   */
  observed: string | null
  /**
   * What that rule allows
   */
  limit: string | null
  /**
   * Shares approved
   */
  qty: string | null
  /**
   * Every rule looked at, in order
   *
   * Items: One rule, what it saw and what it allows
   */
  checks: {
    /**
     * Name of the rule
     */
    rule: string
    /**
     * What it saw
     */
    observed: string
    /**
     * What it allows
     */
    limit: string
    /**
     * Whether it passed
     */
    ok: boolean
  }[]
  order: {
    /**
     * Side of the order
     */
    side: 'buy' | 'sell'
    /**
     * Order type
     */
    type: 'market' | 'limit' | 'stop' | 'stop_limit' | 'trailing_stop'
    /**
     * Limit price
     */
    limitPrice?: string
    /**
     * Stop price
     */
    stopPrice?: string
    /**
     * Distance of a trailing stop, money per share
     */
    trailAmount?: string
    /**
     * Distance of a trailing stop, percent
     */
    trailPercent?: string
    /**
     * Money to spend or raise
     */
    notional?: string
    /**
     * How long it stands
     */
    timeInForce: 'day' | 'gtc' | 'ioc' | 'fok' | 'opg' | 'cls'
    /**
     * Ticker
     */
    symbol: string
    /**
     * How it and its legs belong together
     */
    orderClass?: 'bracket' | 'oco' | 'oto'
    /**
     * Exits that go with it, in the order of their numbers
     *
     * Items: One exit
     */
    legs?: {
      /**
       * What it is for
       */
      role: 'take_profit' | 'stop_loss'
      /**
       * Order type
       */
      type: 'limit' | 'stop' | 'trailing_stop'
      /**
       * Limit price
       */
      limitPrice?: string
      /**
       * Stop price
       */
      stopPrice?: string
      /**
       * Distance of a trailing stop, percent
       */
      trailPercent?: string
    }[]
  } | null
  /**
   * Order that the approved one takes the place of
   */
  replaces?: number
}

/**
 * Messages that NATS may have confirmed to their senders, that never reached the engine, and that NATS does not hold any more. No decision consumes it
 */
export interface InputGap {
  /**
   * Stream they were in
   */
  stream: string
  /**
   * First sequence that never came
   */
  from: number
  /**
   * Last sequence known to have been given away; null: nobody knows how many there were, or whether there were any
   */
  to: number | null
  /**
   * They were stored after this; null: since ever
   */
  after: string | null
  /**
   * They were stored before this
   */
  before: string
  /**
   * messages_removed: somebody or a limit removed them; stream_recreated: the stream was made anew; stream_regressed: it came back without its newest messages
   */
  reason: 'messages_removed' | 'stream_recreated' | 'stream_regressed'
}

/**
 * A message that did not parse, validate or verify; it also lies on the dead-letter subject
 */
export interface InputRefused {
  /**
   * Subject it came on
   */
  subject: string
  /**
   * Stream it came from
   */
  stream: string
  /**
   * Sequence in that stream
   */
  sequence: number
  /**
   * Stable code
   */
  code: string
  /**
   * Place and remedy, in words
   */
  message: string
  /**
   * The first 2,048 bytes of it, as text
   */
  payload: string
  /**
   * Operator, where the subject names one
   */
  operator?: string
  /**
   * Id of the signal, where it has one
   */
  signalId?: string
  /**
   * When NATS stored it
   */
  storedAt: string
}

/**
 * What an operator publishes on signals.manual.<operator>
 */
export interface ManualSignal {
  /**
   * Ticker
   */
  symbol: string
  /**
   * What is wanted
   */
  side: 'buy' | 'sell' | 'close'
  /**
   * Shares
   */
  qty?: string
  /**
   * Value instead of shares
   */
  notional?: string
  /**
   * Let notional buy fractions of a share, to the ninth decimal; market orders of day only
   */
  fractional?: boolean
  /**
   * Order to place; market when left out
   */
  type?: 'market' | 'limit' | 'stop'
  /**
   * Limit price
   */
  limitPrice?: string
  /**
   * Stop price
   */
  stopPrice?: string
  /**
   * How long the order, and its exits, stand; gtc with exits, else day, when left out
   */
  timeInForce?: 'day' | 'gtc'
  /**
   * Limit price of an exit with a gain, placed with the entry
   */
  takeProfit?: string
  /**
   * Stop price of an exit with a loss, placed with the entry
   */
  stopLoss?: string
  /**
   * Distance of a trailing exit in place of stopLoss, percent of the best price
   */
  trailPercent?: string
  /**
   * Confidence of the operator
   */
  confidence?: number
  /**
   * Why, in words
   */
  reason?: string
  /**
   * ISO 8601 duration; PT1M when left out
   */
  validFor?: string
}

/**
 * A strategy wants to trade
 */
export interface SignalRaised {
  /**
   * <strategy>-<number>
   */
  signalId: string
  /**
   * Name of the strategy
   */
  strategy: string
  /**
   * Ticker
   */
  symbol: string
  /**
   * What is wanted
   */
  side: 'buy' | 'sell' | 'close'
  /**
   * Shares
   */
  qty?: string
  /**
   * Value instead of shares
   */
  notional?: string
  /**
   * Order to place
   */
  orderType: 'market' | 'limit' | 'stop'
  /**
   * Limit price
   */
  limitPrice?: string
  /**
   * Stop price
   */
  stopPrice?: string
  /**
   * How long the order stands
   */
  timeInForce: 'day' | 'gtc'
  /**
   * Why, in words
   */
  reason: string
  /**
   * Limit price of the exit with a gain
   */
  takeProfit?: string
  /**
   * Stop price of the exit with a loss
   */
  stopLoss?: string
  /**
   * Distance of a trailing exit, percent of the best price
   */
  trailPercent?: string
}

/**
 * An operator wants to trade: a manual signal as it entered
 */
export interface SignalReceived {
  /**
   * Who published it
   */
  operator: string
  /**
   * Id given by the operator, or a hash
   */
  signalId: string
  /**
   * Ticker
   */
  symbol: string
  /**
   * What is wanted
   */
  side: 'buy' | 'sell' | 'close'
  /**
   * Shares
   */
  qty?: string
  /**
   * Value instead of shares
   */
  notional?: string
  /**
   * Order to place
   */
  orderType: 'market' | 'limit' | 'stop'
  /**
   * Limit price
   */
  limitPrice?: string
  /**
   * Stop price
   */
  stopPrice?: string
  /**
   * How long the order stands
   */
  timeInForce: 'day' | 'gtc'
  /**
   * Why, in words
   */
  reason?: string
  /**
   * Limit price of the exit with a gain
   */
  takeProfit?: string
  /**
   * Stop price of the exit with a loss
   */
  stopLoss?: string
  /**
   * Distance of a trailing exit, percent of the best price
   */
  trailPercent?: string
  /**
   * Confidence of the operator
   */
  confidence?: number
  /**
   * How long after storedAt it may be acted upon, ms
   */
  validForMs: number
  /**
   * When NATS stored it
   */
  storedAt: string
  /**
   * When the writer took it up
   */
  receivedAt: string
  /**
   * Whether a valid signature came with it
   */
  signed: boolean
  /**
   * Whether a notional buys fractions of a share too
   */
  fractional?: boolean
}

/**
 * A timer fell due
 */
export interface TimerFired {
  /**
   * Which
   */
  name: string
  /**
   * Engine time when it fell due
   */
  dueAt: string
}

/**
 * A timer that the engine set for itself
 */
export interface TimerSet {
  /**
   * Which
   */
  name: string
  /**
   * Engine time when it falls due
   */
  dueAt: string
}

/** What the newest version of each event type holds. */
export interface EventData {
  'account.charged': AccountCharged
  'book.created': BookCreated
  'control.received': ControlReceived
  'engine.started': EngineStarted
  'feature.computed': FeatureComputed
  'input.gap': InputGap
  'input.refused': InputRefused
  'market.action': MarketAction
  'market.bar': MarketBar
  'order.accepted': OrderAccepted
  'order.adjusted': OrderAdjusted
  'order.anomaly': OrderAnomaly
  'order.cancel_rejected': OrderCancelRejected
  'order.cancel_requested': OrderCancelRequested
  'order.canceled': OrderCanceled
  'order.expired': OrderExpired
  'order.filled': OrderFilled
  'order.held': OrderHeld
  'order.intended': OrderIntended
  'order.outcome_unknown': OrderOutcomeUnknown
  'order.rejected': OrderRejected
  'order.replace_rejected': OrderReplaceRejected
  'order.replace_requested': OrderReplaceRequested
  'order.replaced': OrderReplaced
  'order.withheld': OrderWithheld
  'risk.state_changed': RiskStateChanged
  'risk.verdict': RiskVerdict
  'signal.raised': SignalRaised
  'signal.received': SignalReceived
  'timer.fired': TimerFired
  'timer.set': TimerSet
}

/** What the newest version of each body holds, by the name of its schema file. */
export interface BodyData {
  'chain-settings': ChainSettings
  'command-stored': CommandStored
  'control-command': ControlCommand
  'control-request': ControlRequest
  'control-taken': ControlTaken
  'decision-body': DecisionBody
  'decision-list': DecisionList
  'equity-list': EquityList
  'equity-point': EquityPoint
  'equity-summary': EquitySummary
  'event-body': EventBody
  'event-list': EventList
  'exchange-settings': ExchangeSettings
  'explain-body': ExplainBody
  'fill-body': FillBody
  'fill-list': FillList
  'health-body': HealthBody
  'live-body': LiveBody
  'manual-signal': ManualSignal
  'order-body': OrderBody
  'order-detail': OrderDetail
  'order-list': OrderList
  'pnl-body': PnlBody
  'pnl-figures': PnlFigures
  'portfolio-body': PortfolioBody
  'position-body': PositionBody
  'position-list': PositionList
  'problem-body': ProblemBody
  'queue-body': QueueBody
  'queue-list': QueueList
  'ready-body': ReadyBody
  'risk-limits': RiskLimits
  'signal-body': SignalBody
  'signal-detail': SignalDetail
  'signal-list': SignalList
  'status-body': StatusBody
  'strategy-body': StrategyBody
  'strategy-list': StrategyList
}

export type EventType = keyof EventData

export type BodyName = keyof BodyData

/** The newest version of each event type: the one that is written. */
export const EVENT_VERSIONS: Readonly<Record<EventType, number>> = {
  'account.charged': 1,
  'book.created': 1,
  'control.received': 1,
  'engine.started': 1,
  'feature.computed': 1,
  'input.gap': 1,
  'input.refused': 1,
  'market.action': 1,
  'market.bar': 1,
  'order.accepted': 1,
  'order.adjusted': 1,
  'order.anomaly': 1,
  'order.cancel_rejected': 1,
  'order.cancel_requested': 1,
  'order.canceled': 1,
  'order.expired': 1,
  'order.filled': 1,
  'order.held': 1,
  'order.intended': 1,
  'order.outcome_unknown': 1,
  'order.rejected': 1,
  'order.replace_rejected': 1,
  'order.replace_requested': 1,
  'order.replaced': 1,
  'order.withheld': 1,
  'risk.state_changed': 1,
  'risk.verdict': 1,
  'signal.raised': 1,
  'signal.received': 1,
  'timer.fired': 1,
  'timer.set': 1,
}
