import { barToWire } from '../../engine/market/bar-wire.ts'
import type { Timeframe } from '../../engine/market/bar.ts'
import type { Bus } from '../../engine/ports/bus.ts'
import { REPORTS_HEADER } from '../../engine/ports/headers.ts'
import { formatTime } from '../../engine/time.ts'
import type { MarketBar } from '../../schemas/types.gen.ts'
import type { Log } from '../runtime/log.ts'
import { type BarColumns, barAt } from './bar-columns.ts'

export interface FileFeedOptions {
  bars: { columns: BarColumns; symbols: readonly string[]; timeframe: Timeframe }
  /** Name under which the bars are recorded. */
  feed: string
  bus: Bus
  /**
   * Shows the simulated broker a bar before the engine sees it; answers the sequence of its newest
   * report, for which the writer waits. Absent with a broker that has a market of its own.
   */
  broker: { onBar(bar: MarketBar): number } | null
  /** Bars a second, or max: the next when the engine has settled. */
  speed: number | 'max'
  /** Start of the newest bar of a symbol that the book holds, ms; NaN for none. */
  lastBar(symbol: string): number
  /**
   * Resolves when the book holds the bar (null: whatever was published before) and the engine has nothing
   * left to do for it: intents answered, answers in the book.
   */
  settled(bar: MarketBar | null): Promise<void>
  log: Log
}

export interface FileFeed {
  /** Bars published or found in the book, of all there are. */
  progress(): { done: number; of: number; ended: boolean; last: string | null }
  /** What keeps it from going on, in words; null while nothing does. */
  trouble(): string | null
  /** Resolves after the last bar, or when stopped; rejects when the bus gave up. */
  readonly done: Promise<void>
  stop(): Promise<void>
}

const RETRY_MS = 500
const SHOWN_AGAIN = 1000

/** Publishes the bars of files in order, from the first one that the book does not hold. */
export function startFileFeed(options: FileFeedOptions): FileFeed {
  const { columns, symbols, timeframe } = options.bars
  let row = firstMissing(options)
  let stopped = false
  let last: string | null = null
  let trouble: string | null = null
  let wake: () => void = () => {}
  let halt: () => void = () => {}
  const halted = new Promise<void>((resolve) => {
    halt = resolve
  })

  const pause = (ms: number): Promise<void> =>
    new Promise((resolve) => {
      const timer = setTimeout(resolve, ms)
      wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })

  /** A broker that cannot write its journal, as on a full disk, is asked again: the bar is not lost. */
  const show = async (bar: MarketBar): Promise<number> => {
    while (!stopped) {
      try {
        const reports = options.broker?.onBar(bar) ?? 0
        trouble = null
        return reports
      } catch (error) {
        if ((error as { code?: unknown }).code !== 'journal_unavailable') throw error
        trouble = (error as Error).message
        options.log.warn(
          { err: error, time: bar.time },
          'the broker could not take a bar; trying again',
        )
        await pause(RETRY_MS)
      }
    }
    return 0
  }

  const publish = async (bar: MarketBar, reports: number): Promise<void> => {
    while (!stopped) {
      try {
        const subject = `md.bar.${bar.timeframe}.${bar.symbol.replace(/[^A-Za-z0-9_-]/g, '_')}`
        await options.bus.publish(subject, JSON.stringify(bar), {
          id: `${options.feed}|${bar.symbol}|${bar.timeframe}|${bar.time}`,
          headers: { [REPORTS_HEADER]: String(reports) },
        })
        trouble = null
        return
      } catch (error) {
        trouble = `a bar could not be published: ${error instanceof Error ? error.message : String(error)}`
        options.log.warn(
          { err: error, time: bar.time },
          'a bar could not be published; trying again',
        )
        await pause(RETRY_MS)
      }
    }
  }

  const run = async (): Promise<void> => {
    // A power cut may have taken the broker's newest bars: what it knows changes nothing.
    for (let known = Math.max(0, row - SHOWN_AGAIN); known < row; known++) {
      options.broker?.onBar(
        barToWire(barAt(columns, known, symbols, timeframe), options.feed, timeframe),
      )
    }
    // What an earlier start left in the streams comes before anything new.
    if (options.speed === 'max') await Promise.race([options.settled(null), halted])
    let due = Date.now()
    for (; row < columns.length && !stopped; row++) {
      const bar = barToWire(barAt(columns, row, symbols, timeframe), options.feed, timeframe)
      const reports = await show(bar)
      await publish(bar, reports)
      last = formatTime(columns.time[row]!)
      if (options.speed === 'max') await Promise.race([options.settled(bar), halted])
      else {
        due = Math.max(due + 1000 / options.speed, Date.now() - 1000)
        const wait = due - Date.now()
        if (wait > 0) await pause(wait)
      }
    }
    if (!stopped) {
      options.log.info(
        { bars: columns.length },
        'the data has ended: the engine stays up, and market orders rest until there is another bar',
      )
    }
  }

  const done = run()
  done.catch(() => {})
  return {
    done,
    trouble: () => trouble,
    progress: () => ({ done: row, of: columns.length, ended: row >= columns.length, last }),
    async stop() {
      stopped = true
      wake()
      halt()
      await done.catch(() => {})
    },
  }
}

/** The first row that is newer than what the book holds of its symbol. */
function firstMissing(options: FileFeedOptions): number {
  const { columns, symbols } = options.bars
  const known = symbols.map((symbol) => options.lastBar(symbol))
  let row = 0
  while (row < columns.length && columns.time[row]! <= known[columns.symbol[row]!]!) row++
  return row
}
