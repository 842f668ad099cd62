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
  type: 'market' | 'close' | 'limit' | 'stop' | 'trailing_stop'
  /** Decimal string above zero. */
  qty: string
  price?: string
  trailAmount?: string
  /** Start of the last bar on which it may trade, ms; a date is its 00:00 UTC. */
  validUntil?: number
  /** The bars' only symbol when left out. */
  symbol?: string
}

/** Types that the exchange does not take yet. */
export function isSupported(order: ListedOrder): boolean {
  return order.type !== 'trailing_stop'
}

/** Hands out the listed orders as intents, each before the first bar that begins after its submission. */
export function listedIntents(orders: readonly ListedOrder[]): {
  before(bar: Bar): readonly ChainEvent[]
  rest(symbol: string): readonly ChainEvent[]
} {
  const queue = orders
    .map((order, index) => ({ order, orderId: index + 1 }))
    .filter(({ order }) => isSupported(order))
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
    type: order.type as OrderIntended['type'],
    qty: order.qty,
    ...(order.type === 'limit' && { limitPrice: order.price! }),
    ...(order.type === 'stop' && { stopPrice: order.price! }),
    timeInForce: 'gtc',
    notAfter: formatTime(order.submitTime + DAY_MS),
    ...(order.validUntil !== undefined && { expiresAt: formatTime(order.validUntil + 1) }),
  }
}
