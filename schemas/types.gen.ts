// Generated from schemas/**/*.json by scripts/gen-types.ts; edit those and run: npm run gen

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
  type: 'market' | 'limit' | 'stop' | 'close'
  /**
   * Shares; "all" until such an order has filled
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
    | 'accepted'
    | 'partially_filled'
    | 'filled'
    | 'canceled'
    | 'expired'
    | 'rejected'
    | 'withheld'
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
  timeInForce: 'day' | 'gtc'
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
  type: 'market' | 'limit' | 'stop' | 'close'
  /**
   * Shares; "all" until such an order has filled
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
    | 'accepted'
    | 'partially_filled'
    | 'filled'
    | 'canceled'
    | 'expired'
    | 'rejected'
    | 'withheld'
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
  timeInForce: 'day' | 'gtc'
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
}

/**
 * An operator used a control
 */
export interface ControlReceived {
  /**
   * What is asked
   */
  action: 'halt' | 'resume' | 'cancel-all' | 'flatten'
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
  type: 'market' | 'limit' | 'stop' | 'close'
  /**
   * Shares
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
   * How long it stands
   */
  timeInForce: 'day' | 'gtc'
  /**
   * Engine time after which it must not be sent any more
   */
  notAfter: string
  /**
   * Moment at which the broker lets it expire
   */
  expiresAt?: string
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
    type: 'market' | 'limit' | 'stop'
    /**
     * Limit price
     */
    limitPrice?: string
    /**
     * Stop price
     */
    stopPrice?: string
    /**
     * How long it stands
     */
    timeInForce: 'day' | 'gtc'
    /**
     * Ticker
     */
    symbol: string
  } | null
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
   * How long the order stands
   */
  timeInForce?: 'day' | 'gtc'
  /**
   * Price to take profit at; not supported yet: the signal is denied
   */
  takeProfit?: string
  /**
   * Price to stop a loss at; not supported yet: the signal is denied
   */
  stopLoss?: string
  /**
   * Distance of a trailing stop, percent; not supported yet: the signal is denied
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
   * Limit price
   */
  takeProfit?: string
  /**
   * Limit price
   */
  stopLoss?: string
  /**
   * Limit price
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
  'book.created': BookCreated
  'control.received': ControlReceived
  'engine.started': EngineStarted
  'feature.computed': FeatureComputed
  'input.refused': InputRefused
  'market.bar': MarketBar
  'order.accepted': OrderAccepted
  'order.anomaly': OrderAnomaly
  'order.cancel_requested': OrderCancelRequested
  'order.canceled': OrderCanceled
  'order.expired': OrderExpired
  'order.filled': OrderFilled
  'order.intended': OrderIntended
  'order.outcome_unknown': OrderOutcomeUnknown
  'order.rejected': OrderRejected
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
  'control-command': ControlCommand
  'exchange-settings': ExchangeSettings
  'fill-body': FillBody
  'fill-list': FillList
  'health-body': HealthBody
  'live-body': LiveBody
  'manual-signal': ManualSignal
  'order-body': OrderBody
  'order-detail': OrderDetail
  'order-list': OrderList
  'portfolio-body': PortfolioBody
  'position-body': PositionBody
  'position-list': PositionList
  'problem-body': ProblemBody
  'ready-body': ReadyBody
  'risk-limits': RiskLimits
  'signal-body': SignalBody
  'signal-detail': SignalDetail
  'signal-list': SignalList
  'status-body': StatusBody
}

export type EventType = keyof EventData

export type BodyName = keyof BodyData

/** The newest version of each event type: the one that is written. */
export const EVENT_VERSIONS: Readonly<Record<EventType, number>> = {
  'book.created': 1,
  'control.received': 1,
  'engine.started': 1,
  'feature.computed': 1,
  'input.refused': 1,
  'market.bar': 1,
  'order.accepted': 1,
  'order.anomaly': 1,
  'order.cancel_requested': 1,
  'order.canceled': 1,
  'order.expired': 1,
  'order.filled': 1,
  'order.intended': 1,
  'order.outcome_unknown': 1,
  'order.rejected': 1,
  'order.withheld': 1,
  'risk.state_changed': 1,
  'risk.verdict': 1,
  'signal.raised': 1,
  'signal.received': 1,
  'timer.fired': 1,
  'timer.set': 1,
}
