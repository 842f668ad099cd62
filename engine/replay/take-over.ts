import type { ExchangeSettings } from '../../schemas/types.gen.ts'
import type { ChainEvent } from '../chain/processor.ts'
import type { StateTable } from '../chain/state-table.ts'
import { add, format, max, parse, sub, ZERO } from '../decimal.ts'
import { clientOrderId } from '../events/ids.ts'
import { FillModel } from '../exchange/fill-model.ts'
import { SessionClock } from '../exchange/session-clock.ts'
import type { ExchangeSnapshot } from '../exchange/snapshot.ts'
import { stopOf } from '../exchange/trailing.ts'
import { orderFrom, type WorkingOrderSnapshot } from '../exchange/working-orders.ts'
import { lastClose } from '../market/market.ts'
import { dayNumber, parseTime } from '../time.ts'
import { isLeg } from '../trading/broker-order.ts'
import { type Order, remaining } from '../trading/order-state.ts'
import type { OrderWatch } from './order-watch.ts'

/** How a simulated exchange goes on for a broker. */
export interface TakenOver {
  /** Account, prices and working orders, as the chain has them. */
  exchange: ExchangeSnapshot
  /** What the broker had not answered yet, to be asked of the exchange. */
  asks: ChainEvent[]
  /** Replacements whose original is over: nobody can answer those. */
  orphans: Order[]
}

/**
 * Puts a simulated exchange in the place of the broker that a chain has heard so far. What no report tells is taken to
 * be as it mostly is: a stop that was triggered and found nothing to trade with waits for its price again. `at`: engine
 * time, ms.
 */
export function takeOver(table: Readonly<StateTable>, watch: OrderWatch, at: number): TakenOver {
  const settings = table.settings.settings!
  const { open, lastOrderId } = table.orders
  const orders = [...open.values()].sort((a, b) => a.orderId - b.orderId)
  const there = orders.filter((order) => isThere(order, table))
  const orphans = orders.filter(
    (order) =>
      !isThere(order, table) &&
      order.terms.replaces !== undefined &&
      !open.has(order.terms.replaces),
  )
  const asks: ChainEvent[] = []
  const cancel = ({ orderId }: Order) =>
    asks.push({ type: 'order.cancel_requested', at, data: { orderId, actor: '', reason: '' } })
  for (const order of there) if (order.cancelRequested) cancel(order)
  const unsent = orders.filter((order) => !there.includes(order) && !orphans.includes(order))
  for (const { terms } of unsent) asks.push({ type: 'order.intended', at, data: terms })
  for (const order of unsent) if (order.cancelRequested) cancel(order)

  const { bookId } = table.settings
  const symbols = new Set([
    ...table.market.symbols,
    ...watch.actions.keys(),
    ...there.map(({ symbol }) => symbol),
  ])
  const last = Math.max(...[...watch.bars.values()].map(({ time }) => time))
  const above: number[] = []
  let upTo = 0
  for (let id = 1; id <= lastOrderId; id++) {
    if (open.has(id)) continue
    if (id === upTo + 1) upTo = id
    else above.push(id)
  }
  return {
    exchange: {
      sequence: watch.sequence,
      ambiguousBars: 0,
      account: accountOf(table),
      over: {
        numbered: lastOrderId === 0 ? [] : [[clientOrderId(bookId, 0).slice(0, -1), upTo, above]],
        others: [],
      },
      ...(Number.isFinite(last) && {
        day: dayNumber(last),
        lastEquity: format(table.portfolio.equity),
      }),
      books: [...symbols].map((symbol) => ({
        symbol,
        ...seen(symbol, table, watch, settings.exchange),
        orders: there
          .filter((order) => order.symbol === symbol)
          .map((order) => snapshotOf(order, table, watch, settings.exchange)),
      })),
    },
    asks,
    orphans,
  }
}

/** Whether the broker has the order: it said so, or it has the entry that the order went with. */
function isThere({ status, terms, parentId }: Order, table: Readonly<StateTable>): boolean {
  if (status !== 'intended' && status !== 'unknown') return true
  if (!isLeg(terms) || parentId === null) return false
  const entry = table.orders.open.get(parentId)
  return entry === undefined || isThere(entry, table)
}

function accountOf({ portfolio }: Readonly<StateTable>): ExchangeSnapshot['account'] {
  const positions: Record<string, string> = {}
  for (const { symbol, qty } of portfolio.holdings.values()) {
    if (qty !== ZERO) positions[symbol] = format(qty)
  }
  return { cash: format(portfolio.cash), fees: format(portfolio.fees), positions }
}

function seen(
  symbol: string,
  table: Readonly<StateTable>,
  { bars, actions, traded }: OrderWatch,
  settings: ExchangeSettings,
): Pick<ExchangeSnapshot['books'][number], 'last' | 'cap' | 'day' | 'actions'> {
  const bar = bars.get(symbol)
  const known = actions.get(symbol)
  const acted = known === undefined ? {} : { actions: known }
  const close = lastClose(table.market, symbol)
  if (bar === undefined || Number.isNaN(close)) return { last: null, cap: null, ...acted }
  const { time, end, volume } = bar
  const used = traded.get(symbol)
  const cap = used?.time === time ? new FillModel(settings).cap(volume) : null
  return {
    last: { time, end, close, volume: Number.isNaN(volume) ? null : volume },
    cap: cap === null ? null : format(max(ZERO, sub(cap, used!.qty))),
    day: dayNumber(time),
    ...acted,
  }
}

function snapshotOf(
  order: Order,
  table: Readonly<StateTable>,
  watch: OrderWatch,
  settings: ExchangeSettings,
): WorkingOrderSnapshot {
  const { terms, orderId, side } = order
  const { timeInForce } = terms
  const begun = order.filledQty !== ZERO
  const type = begun ? afterTrigger(terms.type) : terms.type
  const watched = watch.of(orderId)
  const sized = !order.all || begun
  const group = groupOf(order, table)
  const trail = {
    amount: watched?.amount ?? null,
    percent: terms.trailPercent === undefined ? null : parse(terms.trailPercent),
    best: watched?.best ?? null,
  }
  const stop =
    terms.type === 'trailing_stop' && trail.best !== null
      ? format(stopOf(side === 'buy', trail, trail.best))
      : terms.stopPrice
  const snapshot: WorkingOrderSnapshot = {
    clientOrderId: clientOrderId(table.settings.bookId, orderId),
    orderId,
    side,
    type,
    price: (type === 'limit' ? terms.limitPrice : type === 'market' ? undefined : stop) ?? '0',
    all: terms.qty === 'all',
    remaining: sized ? format(remaining(order)) : '0',
    day: timeInForce === 'day' && terms.expiresAt === undefined,
    expiresAt: terms.expiresAt === undefined ? null : parseTime(terms.expiresAt),
    timeInForce,
    ...(!isHeld(order, table) && { rank: watch.ranks.get(orderId) ?? watch.sequence }),
    ...(watched !== undefined && { since: watched.since }),
  }
  if (begun || order.inherited !== ZERO) {
    snapshot.filled = format(add(order.filledQty, order.inherited))
  }
  if (type === 'stop_limit') snapshot.limit = terms.limitPrice!
  if (terms.type === 'trailing_stop' && type === 'trailing_stop') {
    snapshot.trail = {
      ...(trail.amount !== null && { amount: format(trail.amount) }),
      ...(trail.percent !== null && { percent: format(trail.percent) }),
      ...(trail.best !== null && { best: format(trail.best) }),
    }
  }
  if (terms.qty === 'notional' && !begun && terms.notional !== undefined) {
    snapshot.notional = terms.notional
  }
  if (terms.extendedHours === true) snapshot.extended = true
  if (group !== null) {
    snapshot.group = group
    if (isHeld(order, table)) snapshot.held = true
  }
  if (snapshot.day && watched?.firstBar !== null && watched?.firstBar !== undefined) {
    const clock = new SessionClock(settings.sessions)
    snapshot.expiresAt = clock.endOfDay(orderFrom(order.symbol, snapshot), watched.firstBar)
    snapshot.day = false
  }
  return snapshot
}

/** What a stop goes on as once it has begun to trade. */
function afterTrigger(type: Order['terms']['type']): Order['terms']['type'] {
  if (type === 'stop_limit') return 'limit'
  return type === 'stop' || type === 'trailing_stop' ? 'market' : type
}

/** Legs wait as long as their entry stands, whatever was reported of them; those of an oco work from the start. */
function isHeld({ parentId }: Order, table: Readonly<StateTable>): boolean {
  const entry = parentId === null ? undefined : table.orders.open.get(parentId)
  return entry !== undefined && entry.terms.orderClass !== 'oco'
}

/** The class that an order belongs to; null: none. */
function groupOf(
  order: Order,
  table: Readonly<StateTable>,
): NonNullable<WorkingOrderSnapshot['group']> | null {
  const { open } = table.orders
  const { orderClass } = order.terms
  const first = order.parentId ?? (orderClass === undefined ? null : order.orderId)
  if (first === null) return null
  const entry = open.get(first)
  const legs = [...open.values()]
    .filter(({ parentId }) => parentId === first)
    .sort((a, b) => place(a) - place(b) || a.orderId - b.orderId)
  const kind = entry?.terms.orderClass ?? (legs.length > 1 ? 'bracket' : 'oto')
  if (kind === 'oco' && entry !== undefined) legs.unshift(entry)
  const leg = legs.indexOf(order)
  return {
    id: clientOrderId(table.settings.bookId, first),
    kind,
    ...(leg !== -1 && { leg }),
    ...(legs.every((one) => !isHeld(one, table)) && { live: true as const }),
  }
}

/** A leg that replaced another stands in its place: profits come before losses. */
function place({ terms }: Order): number {
  return terms.role === 'stop_loss' ? 1 : 0
}
