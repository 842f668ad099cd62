import { add, type Decimal, format, max, parse, toNumber, ZERO } from '../engine/decimal.ts'
import { Drawdown } from '../engine/backtest/drawdown.ts'
import { formatTime, parseTime } from '../engine/time.ts'
import type { EquityPoint, EquitySummary } from '../schemas/types.gen.ts'
import { PointColumns, type PointRecord } from './point-columns.ts'
import { equityOf, type PortfolioState } from './portfolio.ts'
import { bookEvent, type Projection } from './projection.ts'

export interface EquityState {
  start: Decimal
  points: PointColumns
  /** Of the points but the last, which may still change. */
  drawdown: Drawdown | null
  /** Peak of the points but the last. */
  peak: Decimal
}

/** The equity curve: a point for each moment that bars ended at, as the backtest writes it. */
export const equityProjection: Projection<EquityState> = {
  name: 'equity',
  handles: ['book.created', 'market.bar', 'order.filled', 'account.charged'],
  initial: () => ({ start: ZERO, points: new PointColumns(), drawdown: null, peak: ZERO }),
  apply(state, recorded, others) {
    const event = bookEvent(recorded)
    if (event.type === 'book.created') {
      state.start = parse(event.data.cash)
      state.peak = state.start
      state.drawdown = state.start > 0 ? new Drawdown(toNumber(state.start)) : null
    } else if (event.type === 'market.bar') {
      const time = parseTime(event.data.time)
      const last = lastPoint(state)
      if (last === null || time > last.time) {
        settle(state, last)
        const { position: entry, at } = event
        state.points.add({ entry, time, at, ...read(state, others!.portfolio) })
      } else if (time === last.time) refresh(state, others!.portfolio)
    } else if (event.type === 'order.filled' || event.type === 'account.charged') {
      // Fills at an open come before their bar and belong to its point; those at a close come after it.
      const last = lastPoint(state)
      if (last !== null && event.at <= last.at) refresh(state, others!.portfolio)
    }
    return state
  },
  copy: (state) => ({
    ...state,
    points: state.points.copy(),
    drawdown: state.drawdown?.copy() ?? null,
  }),
}

function lastPoint({ points }: Readonly<EquityState>): PointRecord | null {
  return points.size === 0 ? null : points.at(points.size - 1)
}

function read(
  state: Readonly<EquityState>,
  portfolio: Readonly<PortfolioState>,
): Pick<PointRecord, 'cash' | 'positionValue' | 'peak'> {
  const { cash, netValue: positionValue } = portfolio
  return { cash, positionValue, peak: max(state.peak, equityOf(portfolio)) }
}

function refresh(state: EquityState, portfolio: Readonly<PortfolioState>): void {
  state.points.replaceLast({ ...lastPoint(state)!, ...read(state, portfolio) })
}

function settle(state: EquityState, last: PointRecord | null): void {
  if (last === null) return
  state.peak = last.peak
  state.drawdown?.update(last.time, toNumber(equityAt(last)))
}

function equityAt({ cash, positionValue }: PointRecord): Decimal {
  return add(cash, positionValue)
}

export function pointBody(point: PointRecord): EquityPoint {
  const equity = equityAt(point)
  return {
    entry: point.entry,
    time: formatTime(point.time),
    at: formatTime(point.at),
    cash: format(point.cash),
    positionValue: format(point.positionValue),
    equity: format(equity),
    drawdown: point.peak > 0 ? toNumber(equity) / toNumber(point.peak) - 1 : null,
  }
}

/** The figures of the whole curve, by the definitions of the backtest's summary. */
export function equitySummary(state: Readonly<EquityState>): EquitySummary {
  const last = lastPoint(state)
  const drawdown = state.drawdown?.copy() ?? null
  if (last !== null) drawdown?.update(last.time, toNumber(equityAt(last)))
  return {
    start: format(state.start),
    end: format(last === null ? state.start : equityAt(last)),
    peak: format(last === null ? state.start : last.peak),
    maxDrawdown: drawdown === null ? null : drawdown.max,
    maxDrawdownDays: drawdown === null ? null : drawdown.maxDays,
  }
}
