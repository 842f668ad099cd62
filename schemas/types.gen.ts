// Generated from schemas/**/*.json by scripts/gen-types.ts; edit those and run: npm run gen

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
   * Who
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
   * Who
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
  'manual-signal': ManualSignal
  'risk-limits': RiskLimits
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
