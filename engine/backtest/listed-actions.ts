import type { MarketAction } from '../../schemas/types.gen.ts'
import { add, type Decimal, format, fromNumber, parse, ZERO } from '../decimal.ts'
import { type Action, type ActionKind, positionAfter } from '../market/actions.ts'
import type { Timeframe } from '../market/bar.ts'
import { actOnTrips } from '../portfolio/action-trips.ts'
import type { RoundTrips } from '../portfolio/round-trips.ts'
import { DAY_MS, formatTime, parseTime } from '../time.ts'

/** A row of an actions file, checked. */
export interface ListedAction {
  symbol: string
  kind: ActionKind
  /** split: new shares for one old; dividend: money per share; delist: price per share, if other than the last close. */
  value?: string
  newSymbol?: string
  /** YYYY-MM-DD: the first day that trades without it. */
  exDate: string
  /** When it takes effect, ms. */
  time: number
}

/** What corporate actions did to positions. */
export interface ActionReport {
  /** Actions that took effect, held or not. */
  splits: number
  dividends: number
  /** Money that dividends brought, less what short positions owed. */
  dividendCash: string
  /** Positions that a delisting closed. */
  delisted: { symbol: string; exDate: string; qty: string; price: string }[]
  renamed: { symbol: string; newSymbol: string; exDate: string }[]
}

/**
 * When an action of a date takes effect: with daily bars at 00:00 UTC, where the bar of the date begins; else at
 * 08:00 UTC, when New York has closed its late session of the day before and not begun the early one.
 */
export function effectiveAt(exDate: string, timeframe: Timeframe): number {
  return parseTime(exDate) + (timeframe === '1d' ? 0 : DAY_MS / 3)
}

/** A delisting is dated the day after the last bar, or the Monday after: it still belongs to the data. */
export const ACTIONS_AFTER_MS = 7 * DAY_MS

/** An action as it is published and recorded. */
export function actionWire(action: ListedAction, feed: string): MarketAction {
  const { symbol, kind, value, newSymbol, exDate, time } = action
  return {
    feed,
    symbol,
    kind,
    ...(value !== undefined && { value }),
    ...(newSymbol !== undefined && { newSymbol }),
    exDate,
    time: formatTime(time),
  }
}

/** A recorded action as the exchange takes it. */
export function actionOf(data: MarketAction): Action {
  const { symbol, kind, value, newSymbol, time } = data
  return {
    symbol,
    kind,
    value: value === undefined ? null : parse(value),
    ...(newSymbol !== undefined && { newSymbol }),
    time: parseTime(time),
  }
}

/** Hands out the actions as they fall due, and keeps what they did. */
export class ActionLog {
  readonly report: ActionReport = {
    splits: 0,
    dividends: 0,
    dividendCash: '0',
    delisted: [],
    renamed: [],
  }
  private readonly actions: readonly ListedAction[]
  private next = 0
  private received: Decimal = ZERO

  constructor(actions: readonly ListedAction[]) {
    this.actions = [...actions].sort((a, b) => a.time - b.time)
  }

  get nextTime(): number {
    return this.actions[this.next]?.time ?? Number.POSITIVE_INFINITY
  }

  /** The next action that is due at `time`; null when none is. */
  take(time: number): ListedAction | null {
    return this.nextTime <= time ? this.actions[this.next++]! : null
  }

  /** Notes what an action did to `qty` shares; `last` is the last close as it counts after it, NaN without one. */
  note(action: ListedAction, qty: Decimal, last: number, trips: RoundTrips): void {
    const { symbol, kind, newSymbol, exDate, time } = action
    const { report } = this
    const wire = actionOf(actionWire(action, ''))
    const close = Number.isNaN(last) ? ZERO : fromNumber(last)
    actOnTrips(trips, { ...wire, qty, close, time })
    if (kind === 'split') report.splits++
    else if (kind === 'dividend') {
      report.dividends++
      this.received = add(this.received, positionAfter(qty, close, wire).cash)
      report.dividendCash = format(this.received)
    } else if (kind === 'delist') {
      if (qty === 0) return
      const price = format(wire.value ?? close)
      report.delisted.push({ symbol, exDate, qty: format(qty), price })
    } else if (newSymbol !== undefined) report.renamed.push({ symbol, newSymbol, exDate })
  }
}
