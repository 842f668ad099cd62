/** Longer bars out of shorter ones, by sessions: what the feed publishes and what a backtest replays. */
import type { Columns } from '../backtest/column-source.ts'
import { parseTime } from '../time.ts'
import { TIMEFRAME_MS, type Timeframe } from './bar.ts'
import type { Calendar, Session } from './calendar.ts'
import { Buckets, PARTIAL } from './resample-buckets.ts'

export interface ResampleOptions {
  /** Length of the bars given, and of those wanted; the same or longer. */
  from: Timeframe
  to: Timeframe
  /** The market of a symbol. */
  calendar: (symbol: string) => Calendar
  /** Hours of which daily bars are made: the core session (default), or pre- and post-market too. */
  daily?: 'core' | 'all'
}

export interface Resampled {
  /** Ordered by start, then symbol; symbols keep their numbers. */
  columns: Columns
  /** For each bar the sum of PARTIAL bits, 0 when it is whole. */
  partial: Uint8Array
  /** For each bar how many source bars it holds. */
  sources: Uint32Array
  /** Source rows left out: outside the market's hours, or, of daily bars, outside those asked for. */
  outside: { count: number; first: number }
  /** Source rows that begin in one bar and end in another, which got them. */
  straddling: { count: number; first: number }
}

/** Thin symbols trade in no minute at the open or close: a daily bar is whole all the same. */
const DAILY_SLACK_MS = 30 * 60_000

/** Bars that cannot be made of what is there. */
export class ResampleError extends Error {
  override name = 'ResampleError'
  readonly code = 'cannot_resample'
}

/**
 * Resamples columns ordered by start, sorted per symbol. Intraday bars count from the start of their phase
 * (pre-market, core, post-market) and never reach into the next one, so the 1h bars of a New York session start
 * at 9:30; a daily bar starts at 00:00 UTC of the session's date.
 *
 * A source bar belongs to the bar in which it ends: nothing is known before it has happened. Missing bars stay
 * missing, a bar without source bars does not exist. The end of a bar is its start plus the timeframe, also where the
 * session ends sooner. Volume is the exact sum, unknown (NaN) when one of the sources is.
 * Throws ResampleError, and CalendarError for moments that a calendar does not know.
 */
export function resample(
  source: Columns,
  symbols: readonly string[],
  options: ResampleOptions,
): Resampled {
  const length = TIMEFRAME_MS[options.from]
  const target = TIMEFRAME_MS[options.to]
  if (target < length) {
    throw new ResampleError(
      `${options.to} bars cannot be made of ${options.from} bars: only longer ones can`,
    )
  }
  if (target === length) return unchanged(source)
  const out = new Buckets(symbols.length)
  const phases = phasesOf(symbols, options.calendar)
  const daily = options.to === '1d'
  const core = daily && options.daily !== 'all'
  const slack = core ? DAILY_SLACK_MS : Number.POSITIVE_INFINITY
  const outside = { count: 0, first: -1 }
  const straddling = { count: 0, first: -1 }
  for (let row = 0; row < source.length; row++) {
    const symbol = source.symbol[row]!
    const time = source.time[row]!
    const phase = phases[symbol]!
    const last = time + length - 1
    const open = phase.at(last) && (!core || phase.core)
    const start = daily ? phase.date : phase.bucket(last, target)
    // A daily bar counts at the end of its UTC date; New York's winter evenings lie beyond.
    if (!open || last >= start + target) {
      if (outside.count++ === 0) outside.first = row
      continue
    }
    const begins = daily ? phase.begin(core) : start
    const ends = daily ? phase.end(core) : Math.min(phase.to, start + target)
    if (time < begins && straddling.count++ === 0) straddling.first = row
    out.add(source, row, symbol, start, !daily && start + target > ends ? PARTIAL.session : 0)
    out.cover(symbol, time - begins, ends - last - 1, slack)
  }
  return { ...out.finish(), outside, straddling }
}

function unchanged(source: Columns): Resampled {
  return {
    columns: source,
    partial: new Uint8Array(source.length),
    sources: new Uint32Array(source.length).fill(1),
    outside: { count: 0, first: -1 },
    straddling: { count: 0, first: -1 },
  }
}

/** The phase of a market's session that was asked for last; bars come in order. */
class PhaseCursor {
  from = Number.POSITIVE_INFINITY
  to = Number.NEGATIVE_INFINITY
  core = false
  /** 00:00 UTC of the session's date. */
  date = 0
  private session: Session | null = null
  private readonly calendar: Calendar

  constructor(calendar: Calendar) {
    this.calendar = calendar
  }

  /** Moves to the phase of a moment; false when the market is closed. */
  at(ms: number): boolean {
    if (ms >= this.from && ms < this.to) return true
    const session = this.calendar.sessionAt(ms)
    if (session === null) return false
    const { preOpen, open, close, postClose } = session
    this.core = ms >= open && ms < close
    this.from = ms < open ? preOpen : ms < close ? open : close
    this.to = ms < open ? open : ms < close ? close : postClose
    this.date = parseTime(session.date)
    this.session = session
    return true
  }

  /** What a whole daily bar spans. */
  begin(core: boolean): number {
    return (core ? this.session?.open : this.session?.preOpen) ?? 0
  }

  end(core: boolean): number {
    return (core ? this.session?.close : this.session?.postClose) ?? 0
  }

  bucket(ms: number, length: number): number {
    return this.from + Math.floor((ms - this.from) / length) * length
  }
}

/** One cursor for each market, shared by its symbols. */
function phasesOf(
  symbols: readonly string[],
  calendarOf: (symbol: string) => Calendar,
): PhaseCursor[] {
  const cursors = new Map<Calendar, PhaseCursor>()
  return symbols.map((symbol) => {
    const calendar = calendarOf(symbol)
    const cursor = cursors.get(calendar) ?? new PhaseCursor(calendar)
    cursors.set(calendar, cursor)
    return cursor
  })
}
