import type { OrderIntended } from '../../schemas/types.gen.ts'
import type { ChainEvent } from '../chain/processor.ts'
import type { Bar } from '../market/bar.ts'
import { DAY_MS, formatTime } from '../time.ts'

/** A row of an orders file, checked. */
export interface ListedOrder {
  id: string
  /** Time of the bar after which it is submitted, ms. */
  submitTime: number
  side: 'buy' | 'sell'
  type: OrderIntended['type']
  /** Decimal string above zero. */
  qty: string
  /** Limit of a limit order, stop of a stop and a stop_limit. */
  price?: string
  /** Limit of a stop_limit. */
  limitPrice?: string
  trailAmount?: string
  trailPercent?: string
  /** gtc when left out. */
  timeInForce?: OrderIntended['timeInForce']
  /** Start of the last bar on which it may trade, ms; a date is its 00:00 UTC. */
  validUntil?: number
  /** The bars' only symbol when left out. */
  symbol?: string
}

/** Hands out the listed orders as intents, each before the first bar that begins after its submission. */
export function listedIntents(orders: readonly ListedOrder[]): {
  before(bar: Bar): readonly ChainEvent[]
  rest(symbol: string): readonly ChainEvent[]
} {
  const queue = orders
    .map((order, index) => ({ order, orderId: index + 1 }))
    .sort((a, b) => a.order.submitTime - b.order.submitTime || a.orderId - b.orderId)
  let next = 0
  const take = (until: number, symbol: string): readonly ChainEvent[] => {
    if (next >= queue.length || queue[next]!.order.submitTime >= until) return NONE
    const events: ChainEvent[] = []
    for (; next < queue.length && queue[next]!.order.submitTime < until; next++) {
      const { order, orderId } = queue[next]!
      events.push({
        type: 'order.intended',
        at: order.submitTime,
        data: intent(order, orderId, symbol),
      })
    }
    return events
  }
  return {
    before: (bar) => take(bar.time, bar.symbol),
    rest: (symbol) => take(Number.POSITIVE_INFINITY, symbol),
  }
}

const NONE: readonly ChainEvent[] = []

function intent(order: ListedOrder, orderId: number, symbol: string): OrderIntended {
  return {
    orderId,
    signalId: `listed:${order.id}`,
    symbol: order.symbol ?? symbol,
    side: order.side,
    type: order.type,
    qty: order.qty,
    ...prices(order),
    timeInForce: order.timeInForce ?? 'gtc',
    notAfter: formatTime(order.submitTime + DAY_MS),
    ...(order.validUntil !== undefined && { expiresAt: formatTime(order.validUntil + 1) }),
  }
}

function prices({
  type,
  price,
  limitPrice,
  trailAmount,
  trailPercent,
}: ListedOrder): Pick<OrderIntended, 'limitPrice' | 'stopPrice' | 'trailAmount' | 'trailPercent'> {
  if (type === 'limit') return { limitPrice: price! }
  if (type === 'stop') return { stopPrice: price! }
  if (type === 'stop_limit') return { stopPrice: price!, limitPrice: limitPrice! }
  if (type !== 'trailing_stop') return {}
  return trailPercent === undefined ? { trailAmount: trailAmount! } : { trailPercent }
}
