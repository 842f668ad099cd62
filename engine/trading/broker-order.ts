import type { OrderIntended } from '../../schemas/types.gen.ts'
import { clientOrderId } from '../events/ids.ts'
import type { BrokerOrder, Replacement } from '../ports/broker.ts'
import { parseTime } from '../time.ts'

/** A recorded intent, and those of its legs, as the broker is asked for them. */
export function brokerOrder(
  bookId: string,
  intent: OrderIntended,
  legs: readonly OrderIntended[] = [],
): BrokerOrder {
  return {
    clientOrderId: clientOrderId(bookId, intent.orderId),
    orderId: intent.orderId,
    symbol: intent.symbol,
    side: intent.side,
    type: intent.type,
    qty: intent.qty,
    ...(intent.notional !== undefined && { notional: intent.notional }),
    ...(intent.limitPrice !== undefined && { limitPrice: intent.limitPrice }),
    ...(intent.stopPrice !== undefined && { stopPrice: intent.stopPrice }),
    ...(intent.trailAmount !== undefined && { trailAmount: intent.trailAmount }),
    ...(intent.trailPercent !== undefined && { trailPercent: intent.trailPercent }),
    timeInForce: intent.timeInForce,
    ...(intent.extendedHours !== undefined && { extendedHours: intent.extendedHours }),
    ...(intent.expiresAt !== undefined && { expiresAt: parseTime(intent.expiresAt) }),
    ...(intent.orderClass !== undefined && { orderClass: intent.orderClass }),
    ...(legs.length > 0 && { legs: legs.map((leg) => brokerOrder(bookId, leg)) }),
  }
}

const CHANGEABLE = ['limitPrice', 'stopPrice', 'trailAmount', 'trailPercent'] as const

/**
 * The intent of a replacement as the broker is asked for it: only what differs from the original, and never the
 * quantity of an order that shares it with legs or an entry.
 */
export function replacementOrder(
  bookId: string,
  intent: OrderIntended,
  original: OrderIntended,
): Replacement {
  const alone = intent.parentId === undefined && intent.orderClass === undefined
  const by: Replacement = {
    clientOrderId: clientOrderId(bookId, intent.orderId),
    orderId: intent.orderId,
  }
  if (alone && intent.qty !== original.qty) by.qty = intent.qty
  for (const field of CHANGEABLE) {
    const value = intent[field]
    if (value !== undefined && value !== original[field]) by[field] = value
  }
  if (intent.timeInForce !== original.timeInForce) by.timeInForce = intent.timeInForce
  return by
}

/** Whether an intent reaches the broker with that of its entry, not by itself. */
export function isLeg(intent: Pick<OrderIntended, 'parentId' | 'replaces'>): boolean {
  return intent.parentId !== undefined && intent.replaces === undefined
}
