import { clientOrderId } from '../../engine/events/ids.ts'
import type { Broker } from '../../engine/ports/broker.ts'
import { brokerOrder, replacementOrder } from '../../engine/trading/broker-order.ts'
import { type Decision, decide, legsOf, type OpenOrder } from './intents.ts'

/** Whether an order may be sent at this engine time (ms), by what the book holds and what the broker can do. */
export function decideFor(broker: Broker, order: Readonly<OpenOrder>, now: number): Decision {
  const decision = decide(order, now)
  if (decision.do !== 'send' || order.original === null) return decision
  if (broker.replace !== undefined) return decision
  return { do: 'withhold', code: 'unsupported', reason: 'this broker does not replace orders' }
}

/** Asks the broker for an order, with its legs, or for the replacement of another. Throws OutcomeUnknown. */
export function place(broker: Broker, bookId: string, order: Readonly<OpenOrder>): Promise<void> {
  const { intent, original } = order
  if (original === null) return broker.submit(brokerOrder(bookId, intent, legsOf(order)))
  const id = clientOrderId(bookId, original.intent.orderId)
  return broker.replace!(id, replacementOrder(bookId, intent, original.intent))
}
