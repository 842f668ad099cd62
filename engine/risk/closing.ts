import type { Emit } from '../chain/processor.ts'
import type { StateTable } from '../chain/state-table.ts'
import { ZERO, abs, format, parse } from '../decimal.ts'
import type { OrderFilled } from '../../schemas/types.gen.ts'
import { hasLegs, isReducing, legsCountOn, type Order } from '../trading/order-state.ts'
import type { RiskState, TradingState } from './risk.ts'

/** What is under way to bring positions to where somebody wants them. */
export interface Flattening {
  /** Who wants it: operator:<name>, strategy:<name> or engine. */
  source: string
  /** Id that its closing orders are named by: of the control, or of the signal. */
  signalId: string
  /** An operator's flatten closes whatever the trading state; a close waits for its exits, and gives way to a halt. */
  code: 'flatten' | 'close'
  /** Closing orders sent so far. */
  sent: number
  /** The last of them; 0: none. */
  orderId: number
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
  if (flattening === undefined || state.splitting === symbol) return false
  const held = table.portfolio.holdings.get(symbol)?.qty ?? ZERO
  if (held === 0 && flattening.sent > 0 && !table.orders.open.has(flattening.orderId)) {
    // That was the wish. What works by now came after it.
    state.flattening.delete(symbol)
    return false
  }
  for (const order of table.orders.open.values()) if (order.symbol === symbol) return false
  const halted = flattening.code === 'close' && state.trading === 'HALTED'
  if (held === 0 || halted || flattening.sent === FLATTEN_ATTEMPTS) {
    state.flattening.delete(symbol)
    return false
  }
  flattening.sent++
  flattening.orderId = orderId
  emit('risk.verdict', {
    signalId: `${flattening.signalId}:${symbol}${flattening.sent > 1 ? `:${flattening.sent}` : ''}`,
    source: flattening.source,
    verdict: 'approved',
    orderIds: [orderId],
    code: flattening.code,
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
 * Wants a symbol flat whose position is guarded by exits: they are cancelled, as is whatever else works, and what is
 * held then is closed. Two orders never sell the same shares.
 */
export function closeAfterExits(
  state: RiskState,
  symbol: string,
  by: TakenBack,
  emit: Emit,
  table: Readonly<StateTable>,
): void {
  const under = state.flattening.get(symbol)
  if (under === undefined)
    state.flattening.set(symbol, { ...by, code: 'close', sent: 0, orderId: 0 })
  cancelWorking(by.source, `close ${symbol}`, (order) => order.symbol === symbol, emit, table)
}

/**
 * A close that ends before it has traded, while an entry of the other side with exits stands behind it, would leave the
 * exits larger than what they guard. An entry that has not traded is taken back; where one has, all of the symbol makes
 * way, and what is held then is closed after all. While trading is halted nothing is done: it is looked at again when
 * an operator resumes.
 */
export function closeAfterAll(
  state: RiskState,
  order: Order | null,
  emit: Emit,
  table: Readonly<StateTable>,
): void {
  if (order === null || !legsCountOn(order, table)) return
  // Everything is being cancelled.
  if (state.cancelling !== null && !state.cancelling.opening) return
  if (state.trading === 'HALTED') {
    state.shortfalls.set(order.symbol, order)
    return
  }
  const { symbol } = order
  const by = { signalId: `${order.terms.signalId}:instead-${order.orderId}`, source: 'engine' }
  const entries = new Set<number>()
  for (const leg of table.orders.open.values()) {
    if (leg.symbol !== symbol || leg.parentId === null || leg.side === order.side) continue
    const entry = table.orders.open.get(leg.parentId)
    if (entry === undefined || entry.filledQty > 0 || entry.inherited > 0) {
      closeAfterExits(state, symbol, by, emit, table)
      return
    }
    entries.add(entry.orderId)
  }
  for (const orderId of entries) takeBack(state, orderId, by)
  cancelWorking(by.source, `close ${symbol}`, (other) => entries.has(other.orderId), emit, table)
}

/** Looks again at closes that ended while trading was halted. */
export function lookAtShortfalls(state: RiskState, emit: Emit, table: Readonly<StateTable>): void {
  const orders = [...state.shortfalls.values()]
  state.shortfalls.clear()
  for (const order of orders) closeAfterAll(state, order, emit, table)
}

/** Asks once more for what has to make way for a flatten or close, where the broker refused to cancel it. */
export function askAgain(
  state: RiskState,
  symbol: string,
  emit: Emit,
  table: Readonly<StateTable>,
): void {
  const wish = state.flattening.get(symbol)
  if (wish === undefined) return
  const refused = (order: Order) => order.symbol === symbol && order.cancelRefused
  cancelWorking(wish.source, `close ${symbol}`, refused, emit, table)
}

/**
 * Exits whose position is gone, closed otherwise than by them, would open one the other way: they are cancelled.
 * Those of the exit that was just traded are the broker's to cancel.
 */
export function cancelOrphans(fill: OrderFilled, emit: Emit, table: Readonly<StateTable>): void {
  const { orders, portfolio } = table
  if (orders.legs === 0) return
  const held = portfolio.holdings.get(fill.symbol)?.qty ?? ZERO
  const orphan = (order: Order) =>
    order.parentId !== null &&
    order.parentId !== orders.filledLegOf &&
    order.symbol === fill.symbol &&
    !orders.open.has(order.parentId) &&
    (order.side === 'sell' ? held <= 0 : held >= 0)
  cancelWorking('engine', `nothing of ${fill.symbol} is held any more`, orphan, emit, table)
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
  if (hasLegs(table.orders, fill.symbol)) {
    closeAfterExits(state, fill.symbol, undoing(by, fill.orderId), emit, table)
    return false
  }
  const side = fill.side === 'buy' ? 'sell' : 'buy'
  const qty = parse(fill.qty)
  // An entry that happened to reduce, while only reducing is allowed, is not opened again.
  if (trading === 'REDUCING' && !isReducing(table, fill.symbol, side, qty)) return false
  emit('risk.verdict', {
    ...undoing(by, fill.orderId),
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

function undoing(by: TakenBack, orderId: number): TakenBack {
  return { signalId: `${by.signalId}:undo-${orderId}`, source: by.source }
}
