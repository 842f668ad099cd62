import { Drawdown } from '../backtest/drawdown.ts'
import { actionOf } from '../backtest/listed-actions.ts'
import type { ChainEvent } from '../chain/processor.ts'
import type { StateTable } from '../chain/state-table.ts'
import { add, format, fromNumber, toNumber, ZERO } from '../decimal.ts'
import { lastClose } from '../market/market.ts'
import { actOnTrips } from '../portfolio/action-trips.ts'
import { fillOf } from '../portfolio/portfolio.ts'
import { RoundTrips } from '../portfolio/round-trips.ts'

/** What a history came to. Amounts as decimals in text. */
export interface Outcome {
  equity: string
  cash: string
  /** Closed round trips, both sides' fees taken off. */
  realizedPnl: string
  fees: string
  /** Deepest fall of the equity below its highest at the close of a moment, zero or negative; null where undefined. */
  maxDrawdown: number | null
  trades: number
  fills: number
  orders: {
    submitted: number
    filled: number
    canceled: number
    expired: number
    rejected: number
    withheld: number
    working: number
  }
  /** Signals that risk denied. */
  denied: number
  positions: { symbol: string; qty: string }[]
}

/** Adds up what becomes of orders and money, from the events of one chain. */
export class Ledger {
  private readonly trips = new RoundTrips()
  private readonly orders = {
    submitted: 0,
    filled: 0,
    canceled: 0,
    expired: 0,
    rejected: 0,
    withheld: 0,
  }
  private fills = 0
  private denied = 0
  private drawdown: Drawdown | null = null
  /** Newest moment, which may still change. */
  private time = Number.NEGATIVE_INFINITY
  private equity = 0

  /** Lets `apply` run an event through the chain whose table is given, and takes it in. Consequences go to `count`. */
  run(event: ChainEvent, table: Readonly<StateTable>, apply: () => void): void {
    if (event.type === 'market.action') {
      const held = table.portfolio.holdings.get(event.data.symbol)?.qty ?? ZERO
      apply()
      const close = lastClose(table.market, event.data.symbol)
      const action = actionOf(event.data)
      const paid = Number.isNaN(close) ? ZERO : fromNumber(close)
      actOnTrips(this.trips, { ...action, qty: held, close: paid })
      return
    }
    apply()
    if (event.type === 'market.bar') {
      if (!table.market.fresh || event.data.time < this.time) return
      if (event.data.time > this.time) this.settle()
      this.time = event.data.time
      this.equity = toNumber(table.portfolio.equity)
      return
    }
    this.count(event)
    if (event.type === 'book.created') {
      const cash = Number(event.data.cash)
      this.drawdown = cash > 0 ? new Drawdown(cash) : null
    }
  }

  /** Takes in an event that changes no money by itself. */
  count(event: ChainEvent): void {
    const { orders } = this
    switch (event.type) {
      case 'order.intended':
        orders.submitted++
        return
      case 'risk.verdict':
        if (event.data.verdict === 'denied') this.denied++
        return
      case 'order.filled':
        this.fills++
        this.trips.fill(fillOf(event.data))
        if (event.data.complete) orders.filled++
        return
      case 'order.canceled':
        orders.canceled++
        return
      case 'order.expired':
        orders.expired++
        return
      case 'order.rejected':
        orders.rejected++
        return
      case 'order.withheld':
        orders.withheld++
        return
      default:
    }
  }

  finish(table: Readonly<StateTable>): Outcome {
    this.settle()
    const { portfolio, orders } = table
    const { grossProfit, grossLoss, count } = this.trips.totals
    const held = [...portfolio.holdings.values()].filter(({ qty }) => qty !== ZERO)
    return {
      equity: format(portfolio.equity),
      cash: format(portfolio.cash),
      realizedPnl: format(add(grossProfit, grossLoss)),
      fees: format(portfolio.fees),
      maxDrawdown: this.drawdown === null ? null : this.drawdown.max,
      trades: count,
      fills: this.fills,
      orders: { ...this.orders, working: orders.open.size },
      denied: this.denied,
      positions: held.map(({ symbol, qty }) => ({ symbol, qty: format(qty) })),
    }
  }

  private settle(): void {
    if (Number.isFinite(this.time)) this.drawdown?.update(this.time, this.equity)
  }
}
