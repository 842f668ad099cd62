import type { ExchangeSettings } from '../../schemas/types.gen.ts'
import type { ChainEvent } from '../chain/processor.ts'
import type { StateTable } from '../chain/state-table.ts'
import { type Decimal, div, fromNumber, max, min, parse } from '../decimal.ts'
import { lastClose } from '../market/market.ts'
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
  /** Sequence of the broker's newest report. */
  sequence = 0
  private readonly orders = new Map<number, Watched>()

  of(orderId: number): Watched | undefined {
    return this.orders.get(orderId)
  }

  /** Every event, in order, once the chain whose table is given has it. */
  see(event: ChainEvent, table: Readonly<StateTable>): void {
    if ('brokerSequence' in event.data) {
      this.sequence = Math.max(this.sequence, event.data.brokerSequence)
    }
    switch (event.type) {
      case 'market.bar': {
        if (!table.market.fresh) return
        const { symbol, time, end, volume } = event.data
        this.bars.set(symbol, { time, end, volume })
        this.each(symbol, table, (watched, order) => {
          watched.firstBar ??= time
          if (order.terms.type !== 'trailing_stop') return
          const trail = table.settings.settings?.exchange.trail
          this.move(watched, order, event.data[priceFor(order, trail)])
        })
        return
      }
      case 'market.action': {
        const { symbol, newSymbol, kind, value } = event.data
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
        const { orderId, type, timeInForce, trailAmount } = event.data
        if (type !== 'trailing_stop' && timeInForce !== 'day') return
        const amount = trailAmount === undefined ? null : parse(trailAmount)
        this.orders.set(orderId, { since: event.at, firstBar: null, best: null, amount })
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
        // Trailing stops among legs start from the price of their entry.
        if (!event.data.complete || table.orders.legs === 0) return
        for (const [orderId, watched] of this.orders) {
          const order = table.orders.open.get(orderId)
          if (order?.parentId === event.data.orderId) watched.best = parse(event.data.price)
        }
      }
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
