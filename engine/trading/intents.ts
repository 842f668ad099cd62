import type { OrderIntended, RiskVerdict } from '../../schemas/types.gen.ts'
import type { Emit } from '../chain/processor.ts'
import type { StateTable } from '../chain/state-table.ts'
import { TIMEFRAME_MS, type Timeframe } from '../market/bar.ts'
import { formatTime } from '../time.ts'

/** An intent not sent within so many bars (historical feed) or ms (realtime) is not sent at all. */
const SEND_WITHIN_BARS = 10
const SEND_WITHIN_MS = 30_000

function notAfter(at: number, table: Readonly<StateTable>): number {
  const settings = table.settings.settings
  if (settings === null || settings.feed === 'realtime') return at + SEND_WITHIN_MS
  return at + SEND_WITHIN_BARS * TIMEFRAME_MS[settings.timeframe as Timeframe]
}

/**
 * Turns an approval into intents: the order, then its legs, all in one step, so that none is ever in the book without
 * the others. Legs trade the other way, for the quantity of their entry, and stand as long as it may.
 */
export function emitIntents(
  verdict: RiskVerdict,
  at: number,
  emit: Emit,
  table: Readonly<StateTable>,
): void {
  const { order, orderIds, qty, signalId, replaces } = verdict
  if (verdict.verdict !== 'approved' || order === null) return
  const orderId = orderIds[0]!
  const until = formatTime(notAfter(at, table))
  const { legs = [], ...terms } = order
  if (replaces !== undefined) {
    const { source } = verdict
    emit('order.replace_requested', { orderId: replaces, replacedBy: orderId, signalId, source })
  }
  emit('order.intended', {
    orderId,
    signalId,
    ...terms,
    qty: qty!,
    notAfter: until,
    ...(legs.length > 0 && { legs: orderIds.slice(1) }),
    ...(replaces !== undefined && inPlaceOf(replaces, table)),
  })
  for (const [index, leg] of legs.entries()) {
    const intent: OrderIntended = {
      orderId: orderIds[index + 1]!,
      signalId,
      symbol: order.symbol,
      side: order.side === 'buy' ? 'sell' : 'buy',
      type: leg.type,
      qty: qty!,
      ...(leg.limitPrice !== undefined && { limitPrice: leg.limitPrice }),
      ...(leg.stopPrice !== undefined && { stopPrice: leg.stopPrice }),
      ...(leg.trailPercent !== undefined && { trailPercent: leg.trailPercent }),
      timeInForce: order.timeInForce,
      notAfter: until,
      parentId: orderId,
      role: leg.role,
    }
    emit('order.intended', intent)
  }
}

/** A replacement belongs where its original does. */
function inPlaceOf(
  replaces: number,
  table: Readonly<StateTable>,
): Pick<OrderIntended, 'replaces' | 'parentId' | 'role' | 'orderClass'> {
  const original = table.orders.open.get(replaces)
  const { role, orderClass } = original?.terms ?? {}
  const parentId = original?.parentId ?? null
  return {
    replaces,
    ...(orderClass !== undefined && { orderClass }),
    ...(parentId !== null && { parentId }),
    ...(role !== undefined && { role }),
  }
}
