import { type Decimal, min, ZERO } from '../decimal.ts'
import type { ReportKind } from '../ports/broker.ts'
import type { OrderGroup, WorkingOrder } from './working-orders.ts'

/**
 * Orders that live and end together.
 *
 * - bracket, oto: legs are held until the entry is wholly filled, and then work for what it filled. An entry that ends
 *   after filling in part leaves its legs to what it filled (reported `adjusted`); one that ends unfilled takes them along.
 * - oco: both work from the start.
 * - Of two working legs, what one fills the other loses (`adjusted`); when one is over, so is the other.
 * - Canceling a leg while the entry works cancels the entry too: it must not come in without the protection it was
 *   sent with. What it has filled is then the caller's.
 */
export interface ClassDesk {
  activate(order: WorkingOrder, at: number): void
  finish(kind: ReportKind, order: WorkingOrder, at: number, code: string, reason: string): void
  adjusted(order: WorkingOrder, at: number, code: string, reason: string): void
}

/** After a fill, in part or whole, of one of the group. */
export function afterFill(
  desk: ClassDesk,
  order: WorkingOrder,
  group: OrderGroup,
  at: number,
): void {
  if (order === group.entry) {
    if (order.done) enter(desk, group, order.filled, at)
    return
  }
  if (order.done) group.ending = true
  for (const leg of group.legs) {
    if (leg === order || leg.done) continue
    if (order.done) {
      desk.finish('canceled', leg, at, 'sibling_filled', `order ${order.orderId} was filled`)
    } else if (leg.remaining > order.remaining) {
      leg.remaining = order.remaining
      desk.adjusted(leg, at, 'sibling_filled', `order ${order.orderId} was filled in part`)
    }
  }
}

/** After one of the group ended without a trade. */
export function afterEnd(
  desk: ClassDesk,
  order: WorkingOrder,
  group: OrderGroup,
  kind: ReportKind,
  at: number,
): void {
  const how = kind === 'expired' ? 'expired' : 'canceled'
  if (group.ending) return
  if (order === group.entry) {
    if (order.filled === ZERO) {
      group.ending = true
      cancelLegs(desk, group, at, `entry_${how}`, `its entry, order ${order.orderId}, ${how}`)
    } else enter(desk, group, order.filled, at)
    return
  }
  const { entry } = group
  group.ending = true
  if (entry !== null && !entry.done) {
    desk.finish('canceled', entry, at, `leg_${how}`, `its leg, order ${order.orderId}, ${how}`)
  }
  cancelLegs(desk, group, at, `sibling_${how}`, `order ${order.orderId} ${how}`)
}

/** Lets the legs work for what the entry has brought in. */
function enter(desk: ClassDesk, group: OrderGroup, filled: Decimal, at: number): void {
  group.live = true
  // Legs are taken from the list as it stands: a report may cancel those behind.
  for (const leg of [...group.legs]) {
    if (leg.done || leg.extra?.held !== true) continue
    const less = leg.remaining > filled
    leg.remaining = leg.remaining === ZERO ? filled : min(leg.remaining, filled)
    desk.activate(leg, at)
    if (less && !leg.done) desk.adjusted(leg, at, 'entry_partial', 'its entry filled in part only')
  }
}

function cancelLegs(
  desk: ClassDesk,
  group: OrderGroup,
  at: number,
  code: string,
  reason: string,
): void {
  for (const leg of [...group.legs]) {
    if (!leg.done) desk.finish('canceled', leg, at, code, reason)
  }
}
