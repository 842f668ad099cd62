import { RoundTrips, type Trade } from '../engine/portfolio/round-trips.ts'
import {
  abs,
  add,
  type Decimal,
  div,
  format,
  mul,
  neg,
  parse,
  sub,
  ZERO,
} from '../engine/decimal.ts'
import { positionAfter, priceAfter } from '../engine/market/actions.ts'
import { actOnTrips } from '../engine/portfolio/action-trips.ts'
import { formatTime, parseTime } from '../engine/time.ts'
import type {
  MarketAction,
  OrderFilled,
  PortfolioBody,
  PositionBody,
} from '../schemas/types.gen.ts'
import { orderNumbered } from './orders.ts'
import { bookEvent, type Projection } from './projection.ts'

/** What is or was held in one symbol. */
export interface Position {
  symbol: string
  /** Shares, negative when short. */
  qty: Decimal
  /** Mark: the price of the symbol's latest bar close or fill, whichever came last in the book. */
  price: Decimal
  /** qty × price */
  value: Decimal
  /** Lots of this symbol, first in first out. */
  trips: RoundTrips
  /** Money paid or received for the open lots, without fees; null when it must be summed again. */
  cost: Decimal | null
}

export interface PortfolioState {
  cash: Decimal
  fees: Decimal
  /** Value of all positions, signed. */
  netValue: Decimal
  positions: Map<string, Position>
  /** Round trips that the last fill closed. */
  closed: readonly Trade[]
  /** Start of the newest bar of each symbol. */
  barTimes: Map<string, string>
  /** Its close, put into the money of after the corporate actions since. */
  closes: Map<string, Decimal>
  /** Paid without an order, such as borrow fees, less what was received so. */
  charges: Decimal
}

/**
 * Cash and positions, exact, marked by the rule of the engine's portfolio: at the close of the symbol's
 * last bar, and at the price just traded until its next one. So the equity shown is the equity that risk saw.
 */
export const portfolioProjection: Projection<PortfolioState> = {
  name: 'portfolio',
  handles: ['book.created', 'market.bar', 'market.action', 'order.filled', 'account.charged'],
  initial: () => ({
    cash: ZERO,
    fees: ZERO,
    netValue: ZERO,
    positions: new Map(),
    closed: [],
    barTimes: new Map(),
    closes: new Map(),
    charges: ZERO,
  }),
  apply(state, recorded, others) {
    const event = bookEvent(recorded)
    if (event.type === 'market.bar') {
      const { symbol, time, close } = event.data
      // A late bar does not move the mark: as in the engine, the newest keeps it.
      const newest = state.barTimes.get(symbol)
      if (newest !== undefined && isBefore(time, newest)) return state
      state.barTimes.set(symbol, time)
      state.closes.set(symbol, parse(close))
      const position = state.positions.get(symbol)
      if (position !== undefined && position.qty !== 0) mark(state, position, parse(close))
    } else if (event.type === 'order.filled') {
      fill(state, event.data, others && orderNumbered(others.orders, event.data.orderId)?.source)
    } else if (event.type === 'market.action') act(state, event.data)
    else if (event.type === 'account.charged') {
      const amount = parse(event.data.amount)
      state.cash = sub(state.cash, amount)
      state.charges = add(state.charges, amount)
    } else if (event.type === 'book.created') state.cash = parse(event.data.cash)
    return state
  },
  copy: (state) => ({
    ...state,
    positions: new Map(
      Array.from(state.positions, ([symbol, held]) => [
        symbol,
        { ...held, trips: held.trips.copy(noteTrade) },
      ]),
    ),
    barTimes: new Map(state.barTimes),
    closes: new Map(state.closes),
  }),
}

/** Stamps of one length compare as texts. */
function isBefore(a: string, b: string): boolean {
  return a.length === b.length ? a < b : parseTime(a) < parseTime(b)
}

function mark(state: PortfolioState, position: Position, price: Decimal): void {
  const value = mul(position.qty, price)
  state.netValue = add(state.netValue, sub(value, position.value))
  position.price = price
  position.value = value
}

const closing: Trade[] = []
const noteTrade = (trade: Trade): void => {
  closing.push(trade)
}

function fill(state: PortfolioState, data: OrderFilled, source: string | undefined): void {
  const { symbol, side } = data
  const qty = parse(data.qty)
  const price = parse(data.price)
  const fee = parse(data.fee)
  let position = state.positions.get(symbol)
  if (position === undefined) {
    const trips = new RoundTrips(noteTrade)
    position = { symbol, qty: ZERO, price, value: ZERO, trips, cost: ZERO }
    state.positions.set(symbol, position)
  }
  const value = mul(qty, price)
  const buys = side === 'buy'
  position.qty = buys ? add(position.qty, qty) : sub(position.qty, qty)
  mark(state, position, price)
  position.cost = null
  state.cash = sub(buys ? sub(state.cash, value) : add(state.cash, value), fee)
  state.fees = add(state.fees, fee)
  // Less than half a nano of a share moves nothing; there is no lot of it.
  if (qty > 0) {
    const time = parseTime(data.occurredAt)
    const by = source !== undefined && { source }
    position.trips.fill({ time, symbol, side, qty, price, fee, ...by })
  }
  state.closed = closing.splice(0)
}

/** By the rule of the engine's portfolio: shares, mark and cash change as one, so that equity does not. */
function act(state: PortfolioState, data: MarketAction): void {
  const { symbol, kind, newSymbol } = data
  state.closed = []
  const action = { kind, value: data.value === undefined ? null : parse(data.value) }
  const before = state.closes.get(symbol)
  const close = before === undefined ? null : priceAfter(before, action)
  if (close !== null) state.closes.set(symbol, close)
  if (kind === 'rename' && newSymbol !== undefined) carryOver(state, symbol, newSymbol)
  const position = state.positions.get(symbol)
  if (position === undefined) return
  const { qty } = position
  const price = priceAfter(position.price, action)
  const paidAt = close ?? price
  const time = parseTime(data.time)
  actOnTrips(position.trips, { symbol, ...action, qty, close: paidAt, time })
  state.closed = closing.splice(0)
  const after = positionAfter(qty, paidAt, action)
  position.qty = after.qty
  position.cost = null
  state.cash = add(state.cash, after.cash)
  mark(state, position, price)
}

/** What is held and known of a symbol goes on under its new name. */
function carryOver(state: PortfolioState, symbol: string, newSymbol: string): void {
  if (symbol === newSymbol) return
  const { barTimes, closes, positions } = state
  const [close, time] = [closes.get(symbol), barTimes.get(symbol)]
  if (!barTimes.has(newSymbol) && close !== undefined && time !== undefined) {
    closes.set(newSymbol, close)
    barTimes.set(newSymbol, time)
  }
  const held = positions.get(symbol)
  if (held === undefined) return
  positions.delete(symbol)
  held.trips.rename(symbol, newSymbol)
  const there = positions.get(newSymbol)
  if (there === undefined) {
    positions.set(newSymbol, { ...held, symbol: newSymbol })
    return
  }
  for (const lot of held.trips.openLots()) there.trips.take(lot)
  state.netValue = sub(state.netValue, held.value)
  there.qty = add(there.qty, held.qty)
  there.cost = null
  mark(state, there, there.price)
}

/** Money bound in the open lots of a position, zero or more. */
function costOf(position: Position): Decimal {
  if (position.cost === null) {
    position.cost = position.trips
      .openLots()
      .reduce((sum: Decimal, lot) => add(sum, lot.notional), ZERO)
  }
  return position.cost
}

export function unrealizedOf(position: Position): Decimal {
  const cost = costOf(position)
  return sub(mul(position.qty, position.price), position.qty < 0 ? neg(cost) : cost)
}

/** Gains and losses of the closed round trips, both sides' fees taken off. */
export function realizedOf(position: Position): Decimal {
  const { grossProfit, grossLoss } = position.trips.totals
  return add(grossProfit, grossLoss)
}

/** cash + Σ qty × market price, exactly. */
export function equityOf(state: Readonly<PortfolioState>): Decimal {
  return add(state.cash, state.netValue)
}

export function positionBody(position: Position): PositionBody {
  return {
    symbol: position.symbol,
    qty: format(position.qty),
    avgPrice: format(div(costOf(position), abs(position.qty))),
    marketPrice: format(position.price),
    marketValue: format(mul(position.qty, position.price)),
    unrealizedPnl: format(unrealizedOf(position)),
    realizedPnl: format(realizedOf(position)),
  }
}

/** The positions that are not flat, by symbol. */
export function openPositions(state: Readonly<PortfolioState>): Position[] {
  return [...state.positions.values()]
    .filter(({ qty }) => qty !== 0)
    .sort((a, b) => (a.symbol < b.symbol ? -1 : 1))
}

/** `at` is engine time in ms, null before the first event. */
export function portfolioBody(
  state: Readonly<PortfolioState>,
  position: number,
  at: number | null,
): PortfolioBody {
  let open: Decimal = ZERO
  let closed: Decimal = ZERO
  for (const held of state.positions.values()) {
    open = add(open, unrealizedOf(held))
    closed = add(closed, realizedOf(held))
  }
  return {
    position,
    at: at === null ? null : formatTime(at),
    currency: 'USD',
    cash: format(state.cash),
    equity: format(equityOf(state)),
    unrealizedPnl: format(open),
    realizedPnl: format(closed),
    fees: format(state.fees),
    ...(state.charges !== 0 && { charges: format(state.charges) }),
    positions: openPositions(state).map(positionBody),
  }
}
