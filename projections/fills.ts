import { formatTime } from '../engine/time.ts'
import type { FillBody, OrderFilled } from '../schemas/types.gen.ts'
import { Listing } from './listing.ts'
import { bookEvent, type Projection } from './projection.ts'

export interface FillRecord {
  /** Position of the fill in the book. */
  entry: number
  symbol: string
  /** Engine time, ms. */
  at: number
  data: OrderFilled
}

/** Every execution, in the order of the book. */
export const fillsProjection: Projection<Listing<FillRecord>> = {
  name: 'fills',
  handles: ['order.filled'],
  initial: () => new Listing(),
  apply(state, recorded) {
    const event = bookEvent(recorded)
    if (event.type === 'order.filled') {
      const { data, position, at } = event
      state.add({ entry: position, symbol: data.symbol, at, data })
    }
    return state
  },
  copy: (state) => state.copy(),
}

export function fillBody({ entry, at, data }: FillRecord): FillBody {
  return {
    entry,
    orderId: data.orderId,
    clientOrderId: data.clientOrderId,
    symbol: data.symbol,
    side: data.side,
    qty: data.qty,
    price: data.price,
    fee: data.fee,
    complete: data.complete,
    at: formatTime(at),
    occurredAt: data.occurredAt,
  }
}
