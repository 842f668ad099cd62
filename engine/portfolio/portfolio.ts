import type { EventOf, Processor } from '../chain/processor.ts'
import { ZERO, abs, add, type Decimal, fromNumber, mul, parse, sub } from '../decimal.ts'
import type { Bar } from '../market/bar.ts'
import { positionAfter, priceAfter } from '../market/actions.ts'
import { lastClose, type MarketState } from '../market/market.ts'
import { parseTime, tradingDay } from '../time.ts'

/** A holding in one symbol. */
export interface Holding {
  symbol: string
  /** Shares, negative when short. */
  qty: Decimal
  /** Last mark: the close of its newest bar, or the price traded since. */
  price: Decimal
  /** qty × last mark, signed. */
  value: Decimal
}

/** A recorded fill with its decimals read. */
export interface Fill {
  symbol: string
  side: 'buy' | 'sell'
  qty: Decimal
  price: Decimal
  fee: Decimal
  /** ms */
  time: number
}

/** Cash and holdings, exact, marked at the last close of each symbol. */
export interface PortfolioState {
  cash: Decimal
  holdings: Map<string, Holding>
  /** The same holdings by symbol number; undefined where none was ever held. */
  bySymbol: (Holding | undefined)[]
  /** Sum of signed and of absolute values at the last marks. */
  netValue: Decimal
  grossValue: Decimal
  /** cash + netValue, always. */
  equity: Decimal
  peakEquity: Decimal
  /** Trading day of the last event, and the equity it began with. */
  day: number
  dayStartEquity: Decimal
  fees: Decimal
  /** Paid without an order, such as borrow fees, less what was received so. */
  charges: Decimal
}

/** Reads the decimals of a recorded fill. */
export function fillOf(data: EventOf<'order.filled'>['data']): Fill {
  return {
    symbol: data.symbol,
    side: data.side,
    qty: parse(data.qty),
    price: parse(data.price),
    fee: parse(data.fee),
    time: parseTime(data.occurredAt),
  }
}

export function initialPortfolio(): PortfolioState {
  return {
    cash: ZERO,
    holdings: new Map(),
    bySymbol: [],
    netValue: ZERO,
    grossValue: ZERO,
    equity: ZERO,
    peakEquity: ZERO,
    day: Number.NEGATIVE_INFINITY,
    dayStartEquity: ZERO,
    fees: ZERO,
    charges: ZERO,
  }
}

export const portfolioProcessor: Processor<PortfolioState> = {
  name: 'portfolio',
  handles: ['book.created', 'market.bar', 'market.action', 'order.filled', 'account.charged'],
  initial: initialPortfolio,
  handle(state, event, _emit, table) {
    if (event.type === 'market.bar') markBar(state, event.data, event.at, table.market)
    else if (event.type === 'order.filled') fill(state, event)
    else if (event.type === 'market.action') act(state, event, table.market)
    else if (event.type === 'account.charged') charge(state, event)
    else if (event.type === 'book.created') {
      state.cash = parse(event.data.cash)
      state.equity = state.cash
      state.peakEquity = state.cash
      state.dayStartEquity = state.cash
    }
    return state
  },
}

function rollDay(state: PortfolioState, at: number): void {
  const day = tradingDay(at)
  if (day > state.day) {
    state.day = day
    state.dayStartEquity = state.equity
  }
}

function markBar(state: PortfolioState, bar: Bar, at: number, market: MarketState): void {
  rollDay(state, at)
  if (bar.time < market.barTime[bar.symbolIndex]!) return
  let holding = state.bySymbol[bar.symbolIndex]
  if (holding === undefined) {
    if (state.holdings.size === 0) return
    holding = state.holdings.get(bar.symbol)
    if (holding === undefined) return
    state.bySymbol[bar.symbolIndex] = holding
  }
  if (holding.qty !== 0) mark(state, holding, fromNumber(bar.close))
}

function mark(state: PortfolioState, holding: Holding, price: Decimal): void {
  holding.price = price
  const value = mul(holding.qty, price)
  if (value === holding.value) return
  state.netValue = add(state.netValue, sub(value, holding.value))
  state.grossValue = add(state.grossValue, sub(abs(value), abs(holding.value)))
  holding.value = value
  state.equity = add(state.cash, state.netValue)
  if (state.equity > state.peakEquity) state.peakEquity = state.equity
}

function fill(state: PortfolioState, event: EventOf<'order.filled'>): void {
  rollDay(state, event.at)
  const trade = fillOf(event.data)
  let holding = state.holdings.get(trade.symbol)
  if (holding === undefined) {
    holding = { symbol: trade.symbol, qty: ZERO, price: ZERO, value: ZERO }
    state.holdings.set(trade.symbol, holding)
  }
  const buys = trade.side === 'buy'
  holding.qty = buys ? add(holding.qty, trade.qty) : sub(holding.qty, trade.qty)
  const value = mul(trade.qty, trade.price)
  state.cash = buys ? sub(state.cash, value) : add(state.cash, value)
  state.cash = sub(state.cash, trade.fee)
  state.fees = add(state.fees, trade.fee)
  // Marked at the price just traded until the symbol's next bar: cash and position change as one.
  mark(state, holding, trade.price)
  state.equity = add(state.cash, state.netValue)
  if (state.equity > state.peakEquity) state.peakEquity = state.equity
}

/**
 * Lets a corporate action change what is held: shares, mark and cash change as one, so that equity does not. Fractions
 * and delisted shares are paid at the last close, which the market has put into the money of after the action.
 */
function act(
  state: PortfolioState,
  { data, at }: EventOf<'market.action'>,
  market: MarketState,
): void {
  rollDay(state, at)
  const { symbol, kind, newSymbol } = data
  const holding = state.holdings.get(symbol)
  if (holding === undefined) return
  if (kind === 'rename') {
    if (newSymbol !== undefined) rename(state, holding, newSymbol)
    return
  }
  const action = { kind, value: data.value === undefined ? null : parse(data.value) }
  const close = lastClose(market, symbol)
  const price = priceAfter(holding.price, action)
  const after = positionAfter(holding.qty, Number.isNaN(close) ? price : fromNumber(close), action)
  holding.qty = after.qty
  state.cash = add(state.cash, after.cash)
  mark(state, holding, price)
  state.equity = add(state.cash, state.netValue)
}

/** The holding goes on under another name; where that name is held too, the two become one. */
function rename(state: PortfolioState, holding: Holding, symbol: string): void {
  state.holdings.delete(holding.symbol)
  state.bySymbol = state.bySymbol.map((known) => (known === holding ? undefined : known))
  const there = state.holdings.get(symbol)
  if (there === undefined) {
    state.holdings.set(symbol, { ...holding, symbol })
    return
  }
  const { value } = holding
  there.qty = add(there.qty, holding.qty)
  // Both marks fall into the one there is.
  state.netValue = sub(state.netValue, value)
  state.grossValue = sub(state.grossValue, abs(value))
  mark(state, there, there.price)
  state.equity = add(state.cash, state.netValue)
}

function charge(state: PortfolioState, { data, at }: EventOf<'account.charged'>): void {
  rollDay(state, at)
  const amount = parse(data.amount)
  state.cash = sub(state.cash, amount)
  state.charges = add(state.charges, amount)
  state.equity = add(state.cash, state.netValue)
  if (state.equity > state.peakEquity) state.peakEquity = state.equity
}
