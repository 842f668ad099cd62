/** The part of a sequence of bars that a run is over, with what is read before it to warm up. */
import type { Timeframe } from '../../engine/market/bar.ts'
import { TIMEFRAME_MS } from '../../engine/market/bar.ts'
import { mergeBars, type MergeSource } from './bar-columns.ts'
import { parseStamp, STAMP_REMEDY } from './csv-values.ts'

/** A `from`, `to` or `warmup` that is not one, or that leaves no bars. */
export class BadBarRange extends Error {
  override name = 'BadBarRange'
  readonly code = 'bad_bar_range'
}

export interface BarRange {
  /** First bar start: a date or an RFC 3339 stamp. */
  from?: string
  /** Last bar start, inclusive; a date means all of that day, UTC. */
  to?: string
  /** Bar times before `from`, or the first ones, that are only looked at. */
  warmup?: number
}

const DAY = TIMEFRAME_MS['1d']

/** First and last bar start, ms. Throws BadBarRange. */
export function boundaries(range: BarRange): { from: number; to: number } {
  const from = boundary(range.from, 'from')
  const to = boundary(range.to, 'to')
  if (from > to) throw new BadBarRange(`from ${range.from} is after to ${range.to}`)
  return { from, to }
}

function boundary(text: string | undefined, name: 'from' | 'to'): number {
  if (text === undefined) return name === 'from' ? -Infinity : Infinity
  const stamp = parseStamp(text)
  if (!stamp) throw new BadBarRange(`${name} "${text}" is not a time; ${STAMP_REMEDY}`)
  return name === 'to' && !stamp.hasTime ? stamp.time + DAY - 1 : stamp.time
}

export interface RangedBars extends MergeSource {
  symbols: string[]
  /** Start of the first bar that is traded on, ms: those before warm up. */
  tradeFrom: number
  /** Warm-up bar times there were too few of. */
  missing: number
}

/** Cuts ordered bars; symbols without a bar left are gone. Throws BadBarRange when none is left to trade on. */
export function cutBars(bars: MergeSource, range: BarRange, timeframe: Timeframe): RangedBars {
  const { from, to } = boundaries(range)
  const { time, length } = bars.columns
  if (range.from === undefined && range.to === undefined && !range.warmup) {
    return { ...bars, symbols: [...bars.symbols], tradeFrom: time[0]!, missing: 0 }
  }
  let first = 0
  while (first < length && time[first]! < from) first++
  const warmup = range.warmup ?? 0
  let begin = first
  let tradeFrom = time[first] ?? Number.POSITIVE_INFINITY
  let seen = 0
  if (range.from === undefined) {
    while (first < length && seen < warmup) {
      first = nextTime(time, first, length)
      seen++
    }
    tradeFrom = time[first] ?? Number.POSITIVE_INFINITY
    begin = 0
  } else {
    while (begin > 0 && seen < warmup) {
      const before = time[begin - 1]!
      while (begin > 0 && time[begin - 1] === before) begin--
      seen++
    }
  }
  if (first === length || tradeFrom > to)
    throw new BadBarRange(nothing(bars, range, timeframe, first < length))
  const cut = mergeBars([bars], time[begin]!, to)
  return { symbols: cut.symbols, columns: cut.columns, tradeFrom, missing: warmup - seen }
}

function nextTime(time: Float64Array, row: number, length: number): number {
  let next = row + 1
  while (next < length && time[next] === time[row]) next++
  return next
}

function nothing(
  bars: MergeSource,
  range: BarRange,
  timeframe: Timeframe,
  beyond: boolean,
): string {
  const { time, length } = bars.columns
  const held = `${stampText(time[0]!, timeframe)} to ${stampText(time[length - 1]!, timeframe)}`
  if (range.from === undefined && range.warmup && !beyond) {
    return `a warm-up of ${range.warmup} bars takes all there are; the files hold ${held}`
  }
  const part = `from ${range.from ?? 'the start'} to ${range.to ?? 'the end'}`
  return `no bars ${part}; the files hold ${held}`
}

export function stampText(time: number, timeframe: Timeframe): string {
  const text = new Date(time).toISOString()
  return timeframe === '1d' ? text.slice(0, 10) : text.replace('.000Z', 'Z')
}
