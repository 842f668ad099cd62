import type { OrderIntended } from '../../schemas/types.gen.ts'
import { clientOrderId } from '../events/ids.ts'
import type { BrokerOrder } from '../ports/broker.ts'
import { parseTime } from '../time.ts'

/** A recorded intent as the broker is asked for it. */
export function brokerOrder(bookId: string, intent: OrderIntended): BrokerOrder {
  return {
    clientOrderId: clientOrderId(bookId, intent.orderId),
    orderId: intent.orderId,
    symbol: intent.symbol,
    side: intent.side,
    type: intent.type,
    qty: intent.qty,
    ...(intent.limitPrice !== undefined && { limitPrice: intent.limitPrice }),
    ...(intent.stopPrice !== undefined && { stopPrice: intent.stopPrice }),
    timeInForce: intent.timeInForce,
    ...(intent.expiresAt !== undefined && { expiresAt: parseTime(intent.expiresAt) }),
  }
}
