import type { ExchangeSettings } from '../../schemas/types.gen.ts'
import type { ChainEvent } from '../chain/processor.ts'
import type { StateTable } from '../chain/state-table.ts'
import { actionOf } from '../backtest/listed-actions.ts'
import { actionKey } from '../market/actions.ts'
import { add, type Decimal, div, fromNumber, max, min, parse } from '../decimal.ts'
import { lastClose } from '../market/market.ts'
import { parseTime } from '../time.ts'
import type { Order } from '../trading/order-state.ts'

/** What an exchange knows of an order that works, and the chain has no use for. */
export interface Watched {
  /** When it was intended, ms. */
  since: number
  /** Start of the first bar that it met, ms; null before it. */
  firstBar: number | null
  /** Trailing stops: the best price so far, null before any, and the distance in money, null where it is percent. */
  best: Decimal | null
  amount: Decimal | null
  /** A leg whose entry was just filled: start of the bar, and the price where that may tell when within it. */
  entered: { time: number; price: Decimal | null } | null
}

/** Newest bar of a symbol. */
interface SeenBar {
  time: number
  end: number
  volume: number
}

/**
 * Looks on while a broker works, so that a simulated exchange can go on in its place: the newest bar of every symbol,
 * the bars that day orders have met, and how far trailing stops have moved.
 */
export class OrderWatch {
  readonly bars = new Map<string, SeenBar>()
  /** Shares that were traded on the newest bar of each symbol that had a fill. */
  readonly traded = new Map<string, { time: number; qty: Decimal }>()
  /** Corporate actions of the newest time of each symbol that had any: the exchange ignores those shown again. */
  readonly actions = new Map<string, { time: number; keys: string[] }>()
  /** When open orders came to the market: the sequence of the report, which is their place in the queue. */
  readonly ranks = new Map<number, number>()
  /** Sequence of the broker's newest report. */
  sequence = 0
  private readonly orders = new Map<number, Watched>()
  /** Open entries that have legs, and whether each is a market order. */
  private readonly entries = new Map<number, boolean>()

  of(orderId: number): Watched | undefined {
    return this.orders.get(orderId)
  }

  /** Every event, in order, once the chain whose table is given has it. */
  see(event: ChainEvent, table: Readonly<StateTable>): void {
    if ('brokerSequence' in event.data) {
      this.sequence = Math.max(this.sequence, event.data.brokerSequence)
      if ('orderId' in event.data) {
        const { orderId, brokerSequence } = event.data
        if (!table.orders.open.has(orderId)) this.ranks.delete(orderId)
        else if (event.type === 'order.accepted') this.ranks.set(orderId, brokerSequence)
      }
    }
    switch (event.type) {
      case 'market.bar': {
        if (!table.market.fresh) return
        const { symbol, time, end, volume } = event.data
        this.bars.set(symbol, { time, end, volume })
        this.each(symbol, table, (watched, order) => {
          const { entered } = watched
          watched.entered = null
          // A leg whose entry fills inside a bar meets the next one; only after a fill at the open, this one as well.
          const inside = entered?.time === time
          if (!inside) watched.firstBar ??= time
          if (order.terms.type !== 'trailing_stop') return
          if (inside && entered.price !== null && entered.price !== fromNumber(event.data.open))
            return
          const trail = table.settings.settings?.exchange.trail
          this.move(watched, order, event.data[priceFor(order, trail)])
        })
        return
      }
      case 'market.action': {
        const { symbol, newSymbol, kind, value } = event.data
        const time = parseTime(event.data.time)
        const known = this.actions.get(symbol)
        const keys = known?.time === time ? known.keys : []
        this.actions.set(symbol, { time, keys: [...keys, actionKey(actionOf(event.data))] })
        if (kind === 'rename' && newSymbol !== undefined) {
          const bar = this.bars.get(symbol)
          if (bar !== undefined && !this.bars.has(newSymbol)) this.bars.set(newSymbol, bar)
        }
        if (kind !== 'split' || value === undefined) return
        const ratio = parse(value)
        this.each(symbol, table, (watched) => {
          if (watched.best !== null) watched.best = div(watched.best, ratio)
          if (watched.amount !== null) watched.amount = div(watched.amount, ratio)
        })
        return
      }
      case 'order.intended': {
        const { orderId, type, timeInForce, trailAmount, legs } = event.data
        if (legs !== undefined) this.entries.set(orderId, type === 'market')
        if (type !== 'trailing_stop' && timeInForce !== 'day') return
        const amount = trailAmount === undefined ? null : parse(trailAmount)
        const none = { firstBar: null, best: null, entered: null }
        this.orders.set(orderId, { since: event.at, amount, ...none })
        return
      }
      case 'order.accepted': {
        const watched = this.orders.get(event.data.orderId)
        const order = table.orders.open.get(event.data.orderId)
        if (watched === undefined || order?.terms.type !== 'trailing_stop') return
        const close = lastClose(table.market, order.symbol)
        if (watched.best === null && !Number.isNaN(close)) this.move(watched, order, close)
        return
      }
      case 'order.filled': {
        const { orderId: entry, complete, symbol } = event.data
        const time = parseTime(event.data.occurredAt)
        const qty = parse(event.data.qty)
        const before = this.traded.get(symbol)
        this.traded.set(symbol, { time, qty: before?.time === time ? add(before.qty, qty) : qty })
        const market = this.entries.get(entry)
        if (!complete || market === undefined) return
        this.entries.delete(entry)
        const price = parse(event.data.price)
        for (const [orderId, watched] of this.orders) {
          if (table.orders.open.get(orderId)?.parentId !== entry) continue
          // Trailing stops among legs start from the price of their entry.
          watched.best = price
          watched.entered = { time, price: market ? null : price }
        }
        return
      }
      default:
    }
  }

  private each(
    symbol: string,
    table: Readonly<StateTable>,
    visit: (watched: Watched, order: Order) => void,
  ): void {
    for (const [orderId, watched] of this.orders) {
      const order = table.orders.open.get(orderId)
      if (order === undefined) this.orders.delete(orderId)
      else if (order.symbol === symbol && works(order)) visit(watched, order)
    }
  }

  private move(watched: Watched, order: Order, price: number): void {
    const value = fromNumber(price)
    const { best } = watched
    const better = order.side === 'buy' ? min : max
    watched.best = best === null ? value : better(best, value)
  }
}

/** Whether the broker has the order at the market. */
export function works({ status }: Order): boolean {
  return status === 'accepted' || status === 'partially_filled'
}

function priceFor(order: Order, trail: ExchangeSettings['trail']): 'close' | 'low' | 'high' {
  if (trail === 'close') return 'close'
  return order.side === 'buy' ? 'low' : 'high'
}
