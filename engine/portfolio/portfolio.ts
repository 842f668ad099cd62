import type { EventOf, Processor } from '../chain/processor.ts'
import { ZERO, abs, add, type Decimal, fromNumber, mul, parse, sub } from '../decimal.ts'
import type { Bar } from '../market/bar.ts'
import type { MarketState } from '../market/market.ts'
import { parseTime, tradingDay } from '../time.ts'

/** A holding in one symbol. */
export interface Holding {
  symbol: string
  /** Shares, negative when short. */
  qty: Decimal
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
  }
}

export const portfolioProcessor: Processor<PortfolioState> = {
  name: 'portfolio',
  handles: ['book.created', 'market.bar', 'order.filled'],
  initial: initialPortfolio,
  handle(state, event, _emit, table) {
    if (event.type === 'market.bar') markBar(state, event.data, event.at, table.market)
    else if (event.type === 'order.filled') fill(state, event)
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
    holding = { symbol: trade.symbol, qty: ZERO, value: ZERO }
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
