import type { ChainSettings } from '../../schemas/types.gen.ts'
import { EVENT_VERSIONS } from '../../schemas/types.gen.ts'
import { Chain } from '../chain/chain.ts'
import type { ChainEvent } from '../chain/processor.ts'
import { format, toNumber, ZERO } from '../decimal.ts'
import type { Bar } from '../market/bar.ts'
import { lastClose } from '../market/market.ts'
import type { BrokerReport } from '../ports/broker.ts'
import { fillOf } from '../portfolio/portfolio.ts'
import { DecisionDigest, decisionLine, isDecision, type RunningHash } from '../replay/decisions.ts'
import { tradingDay } from '../time.ts'
import { DailyReturns } from './daily-returns.ts'
import { Drawdown } from './drawdown.ts'
import { ExchangeDriver } from './exchange-driver.ts'
import {
  ActionLog,
  type ActionReport,
  ACTIONS_AFTER_MS,
  actionOf,
  actionWire,
  type ListedAction,
} from './listed-actions.ts'
import type { ListedOrder } from './listed-orders.ts'
import { listedIntents } from './listed-orders.ts'
import { RoundTrips, type Trade } from '../portfolio/round-trips.ts'
import { type Measured, summarize } from './statistics.ts'

/** Where bars come from, in order of their end, then of symbol. Fills the object given; false at the end. */
export interface BarSource {
  next(into: Bar): boolean
}

/** What a caller may want to write down on the way. All are optional; none can change a decision. */
export interface BacktestListener {
  decision?(line: string): void
  /** Every event, inputs and consequences, in order; a bar's data is used again. */
  event?(event: ChainEvent): void
  trade?(trade: Trade): void
  /** After the last bar of each moment. Decimals as strings are made only here. */
  equity?(point: { time: number; cash: string; positionValue: string; equity: string }): void
}

export interface BacktestInput {
  settings: ChainSettings
  bars: BarSource
  hash: RunningHash
  /** Orders to place instead of a strategy's. */
  orders?: readonly ListedOrder[]
  /** Corporate actions, in order of time. */
  actions?: readonly ListedAction[]
  /** Start of the first bar to trade on, ms: bars before only bring features, marks and the market up to date. */
  tradeFrom?: number
  /** What to write down on the way. */
  listener?: BacktestListener
}

export interface OrderCounts {
  submitted: number
  filled: number
  expired: number
  canceled: number
  denied: number
  rejected: number
}

export interface BacktestResult {
  bars: number
  /** Start of the first and of the last bar, ms; NaN without bars. */
  from: number
  to: number
  symbols: readonly string[]
  equity: { start: string; end: string; peak: string }
  returns: ReturnType<typeof summarize>['returns']
  trades: ReturnType<typeof summarize>['trades']
  orders: OrderCounts
  /** Orders that still stood at the end. */
  working: number
  fees: string
  /** What the account paid without an order, such as fees for borrowed shares. */
  charges: string
  digest: string
  decisions: number
  /** What corporate actions did to positions; absent when none were given. */
  actions?: ActionReport
}

/** A book of its own for every backtest; no decision contains it. */
const BOOK_ID = 'b0000000000000000'

/**
 * Runs the chain over recorded bars with the simulated exchange as the broker: for each bar the
 * exchange's fills, then the bar, then the orders it led to, as the live engine does.
 */
export function runBacktest(input: BacktestInput): BacktestResult {
  return new Backtest(input).run()
}

class Backtest {
  private readonly input: BacktestInput
  private readonly listener: BacktestListener
  private readonly chain = new Chain()
  private readonly driver: ExchangeDriver
  private readonly digest: DecisionDigest
  private readonly daily = new DailyReturns()
  private readonly drawdown: Drawdown
  private readonly trips: RoundTrips
  private readonly actions: ActionLog
  /** Engine time of the next corporate action, ms; Infinity: none is left. */
  private nextAction: number
  private readonly counts: OrderCounts = {
    submitted: 0,
    filled: 0,
    expired: 0,
    canceled: 0,
    denied: 0,
    rejected: 0,
  }
  private at = Number.NEGATIVE_INFINITY
  private barsInPosition = 0
  private moment = Number.NaN
  private momentBar = Number.NaN

  constructor(input: BacktestInput) {
    this.input = input
    this.listener = input.listener ?? {}
    const { exchange } = input.settings
    this.driver = new ExchangeDriver(exchange, BOOK_ID, {
      table: this.chain.table,
      step: (event) => this.step(event),
      hear: (report, event) => this.hear(report, event),
    })
    this.digest = new DecisionDigest(input.hash)
    this.drawdown = new Drawdown(Number(exchange.cash))
    this.trips = new RoundTrips((trade) => this.listener.trade?.(trade))
    this.actions = new ActionLog(input.actions ?? [])
    this.nextAction = this.actions.nextTime
  }

  run(): BacktestResult {
    const { settings, bars } = this.input
    const { chain, driver } = this
    const listed = this.input.orders === undefined ? null : listedIntents(this.input.orders)
    const bar: Bar = {
      symbol: '',
      symbolIndex: 0,
      time: 0,
      end: 0,
      open: 0,
      high: 0,
      low: 0,
      close: 0,
      volume: Number.NaN,
    }
    const event: ChainEvent = { type: 'market.bar', at: 0, data: bar }
    const tradeFrom = this.input.tradeFrom ?? Number.NEGATIVE_INFINITY
    let warmed = 0
    let count = 0
    let from = Number.NaN
    let to = Number.NaN
    while (bars.next(bar)) {
      if (bar.time < tradeFrom) {
        if (warmed++ === 0) this.begin(settings, bar.time)
        this.warm(event, bar)
        continue
      }
      if (count === 0) {
        from = bar.time
        if (warmed === 0) this.begin(settings, bar.time)
      }
      count++
      to = bar.time
      // At the close of the bar before: that is when they were submitted.
      if (listed !== null) this.place(listed.before(bar))
      if (this.nextAction <= bar.time) this.act(bar.time)
      if (bar.end > this.at) {
        this.closeMoment()
        this.at = bar.end
      }
      driver.fireTimers(this.at)
      driver.exchange.onBar(bar)
      driver.settle(this.at)
      event.at = this.at
      this.step(event)
      driver.settle(this.at)
      if (chain.table.portfolio.grossValue !== 0) this.barsInPosition++
      this.moment = bar.end
      this.momentBar = bar.time
    }
    if (count === 0 && warmed === 0) this.begin(settings, 0)
    this.closeMoment()
    if (count > 0) this.act(this.at + ACTIONS_AFTER_MS)
    if (listed !== null) this.placeRest(listed.rest(settings.symbols[0] ?? bar.symbol))
    return this.result(count, from, to)
  }

  /** Lets the corporate actions until `time` take effect: the exchange first, as with a bar, then the chain. */
  private act(time: number): void {
    const { driver } = this
    const { table } = this.chain
    for (let action = this.actions.take(time); action !== null; action = this.actions.take(time)) {
      this.closeMoment()
      const data = actionWire(action, 'backtest')
      // What it does to orders comes first, in the time that the engine has reached.
      driver.exchange.onAction(actionOf(data))
      driver.settle(this.at)
      this.at = Math.max(this.at, action.time)
      driver.fireTimers(this.at)
      const held = table.portfolio.holdings.get(action.symbol)?.qty ?? ZERO
      this.step({ type: 'market.action', at: this.at, data })
      this.actions.note(action, held, lastClose(table.market, action.symbol), this.trips)
      driver.settle(this.at)
    }
    this.nextAction = this.actions.nextTime
  }

  /** Folds a bar as recovery does: the state follows it, what would have been decided is not. */
  private warm(event: ChainEvent, bar: Bar): void {
    this.at = Math.max(this.at, bar.end)
    this.driver.exchange.onBar(bar)
    event.at = this.at
    this.chain.fold(event)
  }

  /** Marks the statistics once all bars of a moment are in. */
  private closeMoment(): void {
    if (Number.isNaN(this.moment)) return
    const { portfolio } = this.chain.table
    const equity = toNumber(portfolio.equity)
    this.daily.update(tradingDay(this.moment), equity)
    this.drawdown.update(this.momentBar, equity)
    if (this.listener.equity !== undefined) {
      this.listener.equity({
        time: this.momentBar,
        cash: format(portfolio.cash),
        positionValue: format(portfolio.netValue),
        equity: format(portfolio.equity),
      })
    }
    this.moment = Number.NaN
  }

  private begin(settings: ChainSettings, time: number): void {
    this.at = time
    const { cash } = settings.exchange
    this.step({
      type: 'book.created',
      at: time,
      data: { bookId: BOOK_ID, account: 'backtest', currency: 'USD', cash },
    })
    this.step({
      type: 'engine.started',
      at: time,
      data: {
        run: '0'.repeat(16),
        codeHash: '0'.repeat(64),
        engineVersion: '',
        nodeVersion: '',
        settings,
      },
    })
  }

  private place(events: readonly ChainEvent[]): void {
    for (const event of events) {
      const input = { ...event, at: this.at } as ChainEvent
      this.step(input)
      this.note(input)
    }
    this.driver.settle(this.at)
  }

  /** Orders dated after the data: submitted in their own time, when the last close is history. */
  private placeRest(events: readonly ChainEvent[]): void {
    for (const event of events) {
      this.at = Math.max(this.at, event.at)
      this.place([event])
    }
  }

  private hear(report: BrokerReport, event: ChainEvent): void {
    if (event.type === 'order.filled') {
      const fill = fillOf(event.data)
      this.trips.fill(fill)
      this.daily.traded(tradingDay(this.at), toNumber(fill.price) * toNumber(fill.qty))
      if (event.data.complete) this.counts.filled++
    } else if (report.kind === 'rejected' || report.kind === 'canceled') this.counts[report.kind]++
    else if (report.kind === 'expired') this.counts.expired++
    this.step(event)
  }

  private step(event: ChainEvent): void {
    this.listener.event?.(event)
    this.chain.step(event, this.consequence)
  }

  private readonly consequence = (event: ChainEvent): void => {
    this.listener.event?.(event)
    this.note(event)
  }

  /** Counts a decision, and keeps what the exchange is to be asked. */
  private note(event: ChainEvent): void {
    this.driver.take(event)
    if (event.type === 'order.intended') this.counts.submitted++
    else if (event.type === 'risk.verdict' && event.data.verdict === 'denied') this.counts.denied++
    if (isDecision(event.type)) {
      const line = decisionLine(event.type, EVENT_VERSIONS[event.type], event.at, event.data)
      this.digest.add(line)
      this.listener.decision?.(line)
    }
  }

  private result(bars: number, from: number, to: number): BacktestResult {
    const { table } = this.chain
    const { portfolio } = table
    const { cash } = this.input.settings.exchange
    const measured: Measured = {
      initialEquity: Number(cash),
      from,
      to,
      bars,
      barsInPosition: this.barsInPosition,
      ambiguousBars: this.driver.exchange.ambiguousBars,
      daily: this.daily,
      drawdown: this.drawdown,
      roundTrips: this.trips,
    }
    return {
      bars,
      from,
      to,
      symbols: table.market.symbols,
      equity: {
        start: cash,
        end: format(portfolio.equity),
        peak: format(portfolio.peakEquity),
      },
      ...summarize(measured),
      orders: this.counts,
      working: table.orders.open.size,
      fees: format(portfolio.fees),
      charges: format(portfolio.charges),
      digest: this.digest.finish(),
      decisions: this.digest.count,
      ...(this.input.actions !== undefined && { actions: this.actions.report }),
    }
  }
}
