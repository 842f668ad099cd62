/** Resampled bars, and in words what had to be left out, cut short or taken across an edge. */
import { ALWAYS_OPEN, type Calendar, NYSE } from '../../engine/market/calendar.ts'
import type { Timeframe } from '../../engine/market/bar.ts'
import { resample, type Resampled } from '../../engine/market/resample.ts'
import { PARTIAL } from '../../engine/market/resample-buckets.ts'
import type { MergeSource } from './bar-columns.ts'
import { stampText } from './bar-range.ts'

/** Markets whose hours are known. */
export const SESSIONS = ['us-equity', 'crypto'] as const
export type Sessions = (typeof SESSIONS)[number]

export interface ResamplingOptions {
  /** The market of all symbols; left out: of a pair such as BTC/USD crypto, of any other us-equity. */
  sessions?: Sessions
  /** Daily bars are made of pre- and post-market too. */
  extendedHours?: boolean
}

/** Bars of another length. Throws ResampleError and CalendarError. */
export function resampleBars(
  bars: MergeSource,
  from: Timeframe,
  to: Timeframe,
  options: ResamplingOptions,
): { columns: Resampled['columns']; notices: string[] } {
  const calendar = (symbol: string): Calendar => {
    const market = options.sessions ?? (symbol.includes('/') ? 'crypto' : 'us-equity')
    return market === 'crypto' ? ALWAYS_OPEN : NYSE
  }
  const daily = options.extendedHours === true ? 'all' : 'core'
  const made = resample(bars.columns, bars.symbols, { from, to, calendar, daily })
  return { columns: made.columns, notices: notices(bars, from, to, made) }
}

function notices(bars: MergeSource, from: Timeframe, to: Timeframe, made: Resampled): string[] {
  const texts: string[] = []
  const { outside, straddling, partial, columns } = made
  if (outside.count > 0) {
    const what = to === '1d' ? 'the hours that a daily bar is made of' : "their market's hours"
    texts.push(
      `${count(outside.count, from)} outside ${what} left out of ${to}; the first: ${name(bars, outside.first, from)}`,
    )
  }
  if (straddling.count > 0) {
    texts.push(
      `${count(straddling.count, from)} across the start of a ${to} bar counted to it whole; the first: ${name(bars, straddling.first, from)}`,
    )
  }
  for (const [bit, why] of [
    [PARTIAL.session, 'the session ends within it'],
    [PARTIAL.data, 'the data begin or end within it'],
  ] as const) {
    const rows = Array.from(partial.keys()).filter((row) => (partial[row]! & bit) !== 0)
    const [first] = rows
    if (first === undefined) continue
    const of = name({ columns, symbols: bars.symbols }, first, to)
    texts.push(`partial: ${count(rows.length, to)}, ${why}; the first: ${of}`)
  }
  return texts
}

function count(n: number, timeframe: Timeframe): string {
  return n === 1 ? `1 bar of ${timeframe}` : `${n} bars of ${timeframe}`
}

function name({ columns, symbols }: MergeSource, row: number, timeframe: Timeframe): string {
  return `${symbols[columns.symbol[row]!]} ${stampText(columns.time[row]!, timeframe)}`
}
