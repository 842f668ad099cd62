import type { Emit } from '../chain/processor.ts'
import type { StateTable } from '../chain/state-table.ts'
import { ZERO, abs, format, parse } from '../decimal.ts'
import type { OrderFilled } from '../../schemas/types.gen.ts'
import { isReducing, type Order } from '../trading/orders.ts'
import type { RiskState, TradingState } from './risk.ts'

/** What is under way to bring positions to where somebody wants them. */
export interface Flattening {
  actor: string
  controlId: string
  /** Closing orders sent so far. */
  sent: number
}

/** An entry that a close took back: should it trade all the same, what came in is closed again. */
export interface TakenBack {
  source: string
  signalId: string
}

/**
 * What one event may lead to: a cancel counts one, a close two. With the longest reasons and ids that is less than
 * half of what one append holds; the rest follows at the next events.
 */
const STEP_BUDGET = 200
const CLOSE_COST = 2
const REASON_CHARS = 100

/** Spent anew for every event; kept in one place so that a bar costs nothing. */
const budget = { left: STEP_BUDGET, asked: new Set<number>() }

export function renewBudget(): void {
  budget.left = STEP_BUDGET
  if (budget.asked.size > 0) budget.asked.clear()
}

/** Asks for the cancellation of working orders. Answers whether it could ask for all of them. */
function cancelWorking(
  actor: string,
  reason: string,
  which: (order: Order) => boolean,
  emit: Emit,
  table: Readonly<StateTable>,
): boolean {
  for (const order of table.orders.open.values()) {
    if (order.cancelRequested || budget.asked.has(order.orderId) || !which(order)) continue
    if (budget.left < 1) return false
    budget.left--
    budget.asked.add(order.orderId)
    emit('order.cancel_requested', {
      orderId: order.orderId,
      actor: actor.slice(0, REASON_CHARS),
      reason: reason.slice(0, REASON_CHARS),
    })
  }
  return true
}

/** Wants all working orders cancelled, or all that open a position; what was wanted before stays wanted. */
export function wantCancelled(
  state: RiskState,
  actor: string,
  reason: string,
  opening: boolean,
): void {
  state.cancelling = {
    actor,
    reason,
    opening: opening && (state.cancelling === null || state.cancelling.opening),
  }
}

/** Goes on with what is wanted cancelled, as far as one step allows. */
export function continueCancelling(
  state: RiskState,
  emit: Emit,
  table: Readonly<StateTable>,
): void {
  if (state.cancelling === null) return
  const { actor, reason, opening } = state.cancelling
  const done = cancelWorking(actor, reason, (order) => !opening || !order.reducing, emit, table)
  if (done) state.cancelling = null
}

/** A broker that keeps refusing to close needs a person, not another order. */
const FLATTEN_ATTEMPTS = 3

/**
 * Closes what is held of a symbol once nothing of it works any more: an exit that was just cancelled may have
 * traded, and an entry may still have come in. Answers whether it sent an order.
 */
export function continueFlattening(
  state: RiskState,
  symbol: string,
  emit: Emit,
  table: Readonly<StateTable>,
  orderId = table.orders.lastOrderId + 1,
): boolean {
  const flattening = state.flattening.get(symbol)
  if (flattening === undefined) return false
  for (const order of table.orders.open.values()) if (order.symbol === symbol) return false
  const held = table.portfolio.holdings.get(symbol)?.qty ?? ZERO
  if (held === 0 || flattening.sent === FLATTEN_ATTEMPTS) {
    state.flattening.delete(symbol)
    return false
  }
  flattening.sent++
  emit('risk.verdict', {
    signalId: `${flattening.controlId}:${symbol}${flattening.sent > 1 ? `:${flattening.sent}` : ''}`,
    source: `operator:${flattening.actor}`,
    verdict: 'approved',
    orderIds: [orderId],
    code: 'flatten',
    rule: null,
    observed: null,
    limit: null,
    qty: format(abs(held)),
    checks: [],
    order: { symbol, side: held > 0 ? 'sell' : 'buy', type: 'market', timeInForce: 'gtc' },
  })
  return true
}

/**
 * `numbered`: order numbers that this event has used already. A report may name another symbol than its order's, so every symbol is looked at. Each close has a number
 * of its own; what does not fit into the step waits for the next report, or the next bar of its symbol.
 */
export function continueAll(
  state: RiskState,
  emit: Emit,
  table: Readonly<StateTable>,
  numbered = 0,
): void {
  let orderId = table.orders.lastOrderId + numbered
  for (const symbol of state.flattening.keys()) {
    if (budget.left < CLOSE_COST) return
    if (!continueFlattening(state, symbol, emit, table, orderId + 1)) continue
    orderId++
    budget.left -= CLOSE_COST
  }
}

/** Entries remembered after a close; a fill that crosses its cancellation comes soon or never. */
const REMEMBERED = 1024

/** Remembers an order that must not trade any more. */
export function takeBack(state: RiskState, orderId: number, by: TakenBack): void {
  state.takenBack.delete(orderId)
  state.takenBack.set(orderId, by)
  if (state.takenBack.size > REMEMBERED) {
    state.takenBack.delete(state.takenBack.keys().next().value!)
  }
}

/** Asks for the entries of a symbol back, and remembers them: a fill may be under way. */
export function takeBackEntries(
  state: RiskState,
  symbol: string,
  by: TakenBack,
  emit: Emit,
  table: Readonly<StateTable>,
): void {
  const entry = (order: Order) => order.symbol === symbol && !order.reducing
  for (const order of table.orders.open.values()) {
    if (entry(order)) takeBack(state, order.orderId, by)
  }
  cancelWorking(by.source, `close ${symbol}`, entry, emit, table)
}

/**
 * Closes what an entry brought in although it had been taken back. Answers whether it sent an order. While trading
 * is halted nothing is sent, and while it only reduces nothing that opens; the position is then the operator's.
 */
export function undoFill(
  state: RiskState,
  fill: OrderFilled,
  trading: TradingState,
  emit: Emit,
  table: Readonly<StateTable>,
): boolean {
  const by = state.takenBack.get(fill.orderId)
  // A flatten under way looks at the whole position when its orders have ended.
  if (by === undefined || state.flattening.has(fill.symbol)) return false
  if (trading === 'HALTED') return false
  const side = fill.side === 'buy' ? 'sell' : 'buy'
  const qty = parse(fill.qty)
  // An entry that happened to reduce, while only reducing is allowed, is not opened again.
  if (trading === 'REDUCING' && !isReducing(table, fill.symbol, side, qty)) return false
  emit('risk.verdict', {
    signalId: `${by.signalId}:undo-${fill.orderId}`,
    source: by.source,
    verdict: 'approved',
    orderIds: [table.orders.lastOrderId + 1],
    code: 'entry_undone',
    rule: null,
    observed: null,
    limit: null,
    qty: format(qty),
    checks: [],
    order: {
      symbol: fill.symbol,
      side,
      type: 'market',
      timeInForce: 'gtc',
    },
  })
  return true
}
