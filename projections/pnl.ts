import { add, type Decimal, format, mul, parse, sub, ZERO } from '../engine/decimal.ts'
import type { Trade } from '../engine/portfolio/round-trips.ts'
import { formatDay, formatTime, tradingDay } from '../engine/time.ts'
import type { PnlBody, PnlFigures } from '../schemas/types.gen.ts'
import { Chunks } from './chunks.ts'
import { equityOf, type PortfolioState, realizedOf, unrealizedOf } from './portfolio.ts'
import { bookEvent, type Projection } from './projection.ts'

/** Closed round trips added up. Money net of both sides' fees. */
export interface Closed {
  trades: number
  wins: number
  losses: number
  profit: Decimal
  /** Zero or less. */
  loss: Decimal
  fees: Decimal
}

interface Day {
  /** Number of the trading day. */
  day: number
  start: Decimal
  end: Decimal
  traded: Decimal
  closed: Closed
}

export interface PnlState {
  start: Decimal
  /** By who opened what was closed: strategy:<name>, operator:<name>, engine, unknown. */
  sources: Map<string, Closed>
  /** Days on which something was marked or traded, rising. */
  days: Chunks<Day>
}

/** Gains and losses by day and by who opened the position; by symbol they follow from the portfolio. */
export const pnlProjection: Projection<PnlState> = {
  name: 'pnl',
  handles: ['book.created', 'market.bar', 'market.action', 'order.filled', 'account.charged'],
  initial: () => ({ start: ZERO, sources: new Map(), days: new Chunks() }),
  apply(state, recorded, others) {
    const event = bookEvent(recorded)
    if (event.type === 'book.created') state.start = parse(event.data.cash)
    else {
      const { portfolio } = others!
      const day = today(state, tradingDay(event.at))
      day.end = equityOf(portfolio)
      if (event.type === 'order.filled') {
        day.traded = add(day.traded, mul(parse(event.data.qty), parse(event.data.price)))
      }
      if (event.type === 'order.filled' || event.type === 'market.action') {
        // What a day's copy refers to is shared: a new object takes its place.
        day.closed = portfolio.closed.reduce(withTrade, day.closed)
        for (const trade of portfolio.closed) {
          const source = trade.source ?? 'unknown'
          state.sources.set(source, withTrade(state.sources.get(source) ?? NOTHING, trade))
        }
      }
    }
    return state
  },
  copy: ({ start, sources, days }) => ({ start, sources: new Map(sources), days: days.copy() }),
}

export const NOTHING: Closed = {
  trades: 0,
  wins: 0,
  losses: 0,
  profit: ZERO,
  loss: ZERO,
  fees: ZERO,
}

function withTrade(sum: Closed, { pnl, fees }: Trade): Closed {
  return {
    trades: sum.trades + 1,
    wins: sum.wins + (pnl > 0 ? 1 : 0),
    losses: sum.losses + (pnl < 0 ? 1 : 0),
    profit: pnl > 0 ? add(sum.profit, pnl) : sum.profit,
    loss: pnl < 0 ? add(sum.loss, pnl) : sum.loss,
    fees: add(sum.fees, fees),
  }
}

function today(state: PnlState, day: number): Day {
  const { days, start } = state
  const last = days.size === 0 ? null : days.at(days.size - 1)
  if (last !== null && last.day >= day) return days.edit(days.size - 1)
  const before = last?.end ?? start
  days.push({ day, start: before, end: before, traded: ZERO, closed: NOTHING })
  return days.edit(days.size - 1)
}

export function figures({ trades, wins, losses, profit, loss, fees }: Closed): PnlFigures {
  return { realizedPnl: format(add(profit, loss)), trades, wins, losses, fees: format(fees) }
}

/** `at` is engine time in ms, null before the first event; days newest first, at most `most` of them. */
export function pnlBody(
  state: Readonly<PnlState>,
  portfolio: Readonly<PortfolioState>,
  position: number,
  at: number | null,
  most: number,
): PnlBody {
  const equity = equityOf(portfolio)
  let unrealized: Decimal = ZERO
  let realized: Decimal = ZERO
  for (const held of portfolio.positions.values()) {
    unrealized = add(unrealized, unrealizedOf(held))
    realized = add(realized, realizedOf(held))
  }
  const total = sub(equity, state.start)
  const days: PnlBody['days'] = []
  for (let i = state.days.size - 1; i >= 0 && days.length < most; i--) {
    const { day, start, end, traded, closed } = state.days.at(i)
    const change = format(sub(end, start))
    days.push({
      day: formatDay(day),
      equity: format(end),
      change,
      traded: format(traded),
      ...figures(closed),
    })
  }
  return {
    position,
    at: at === null ? null : formatTime(at),
    start: format(state.start),
    equity: format(equity),
    total: format(total),
    realizedPnl: format(realized),
    unrealizedPnl: format(unrealized),
    // Paid for what is still open: in neither of the two above.
    openFees: format(sub(add(realized, unrealized), total)),
    fees: format(portfolio.fees),
    symbols: [...portfolio.positions.values()]
      .sort((a, b) => (a.symbol < b.symbol ? -1 : 1))
      .map((held) => {
        const { count, wins, losses, grossProfit, grossLoss, fees } = held.trips.totals
        return {
          symbol: held.symbol,
          qty: format(held.qty),
          unrealizedPnl: format(unrealizedOf(held)),
          ...figures({ trades: count, wins, losses, profit: grossProfit, loss: grossLoss, fees }),
        }
      }),
    sources: [...state.sources]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([source, closed]) => ({ source, ...figures(closed) })),
    days,
  }
}
