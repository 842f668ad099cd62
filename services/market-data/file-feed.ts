import { barToWire } from '../../engine/market/bar-wire.ts'
import { TIMEFRAME_MS, type Timeframe } from '../../engine/market/bar.ts'
import type { Bus } from '../../engine/ports/bus.ts'
import { REPORTS_HEADER } from '../../engine/ports/headers.ts'
import { formatTime } from '../../engine/time.ts'
import { actionOf, type ListedAction } from '../../engine/backtest/listed-actions.ts'
import type { Action } from '../../engine/market/actions.ts'
import type { MarketAction, MarketBar } from '../../schemas/types.gen.ts'
import type { Log } from '../runtime/log.ts'
import { ActionFeed, actionMessage } from './action-feed.ts'
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
  broker: {
    onBar(bar: MarketBar): number | Promise<number>
    onAction?(action: Action): number | Promise<number>
  } | null
  /** Corporate actions, each published before the first bar of its date. Default: none. */
  actions?: readonly ListedAction[]
  /** Resolves as `settled` does, for an action. Default: at once. */
  settledAction?(action: MarketAction): Promise<void>
  /** Whether the broker may be shown bars now; while it may not, the feed waits. Default: always. */
  mayShow?(): boolean
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
  /** Goes on from the first bar that the book does not hold: some that were published never got there. */
  rewind(): void
  /** Resolves after the last bar, or when stopped; rejects when the bus gave up. */
  readonly done: Promise<void>
  stop(): Promise<void>
}

const RETRY_MS = 500
const SHOWN_AGAIN = 1000
const LEASE_POLL_MS = 50

/** Publishes the bars of files in order, from the first one that the book does not hold. */
export function startFileFeed(options: FileFeedOptions): FileFeed {
  const { columns, symbols, timeframe } = options.bars
  let row = firstMissing(options)
  let stopped = false
  let last: string | null = null
  let trouble: string | null = null
  let wake: () => void = () => {}
  let halt: () => void = () => {}
  let rewinding = false
  let ended = false
  let turnBack: () => void = () => {}
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
  const show = async (
    { time }: { time: string },
    ask: () => number | Promise<number> | undefined,
  ): Promise<number> => {
    while (!stopped) {
      if (options.mayShow?.() === false) {
        trouble = 'it waits for the lease'
        await pause(LEASE_POLL_MS)
        continue
      }
      try {
        const reports = (await ask()) ?? 0
        trouble = null
        return reports
      } catch (error) {
        if ((error as { code?: unknown }).code !== 'journal_unavailable') throw error
        trouble = (error as Error).message
        options.log.warn({ err: error, time }, 'the broker could not take a bar; trying again')
        await pause(RETRY_MS)
      }
    }
    return 0
  }

  const publish = async (
    { subject, id }: { subject: string; id: string },
    bar: MarketBar | MarketAction,
    reports: number,
  ): Promise<void> => {
    while (!stopped) {
      try {
        await options.bus.publish(subject, JSON.stringify(bar), {
          id,
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

  /** Until it resolves, or there is no use in waiting any more. */
  const orTurned = (waited: Promise<void>): Promise<void> =>
    Promise.race([
      waited,
      halted,
      new Promise<void>((resolve) => {
        turnBack = resolve
      }),
    ])

  const run = async (): Promise<void> => {
    // A power cut may have taken the broker's newest bars: what it knows changes nothing.
    for (let known = Math.max(0, row - SHOWN_AGAIN); known < row && !stopped; known++) {
      const bar = barToWire(barAt(columns, known, symbols, timeframe), options.feed, timeframe)
      await show(bar, () => options.broker?.onBar(bar))
    }
    // What an earlier start left in the streams comes before anything new.
    if (options.speed === 'max') await orTurned(options.settled(null))
    await publishRest()
  }

  const actions = new ActionFeed(options.actions ?? [], options.feed)
  const goOn = (): void => {
    if (row > 0) actions.goOnAfter(columns.time[row - 1]!)
    else actions.goOnAfter(Number.NEGATIVE_INFINITY)
  }
  goOn()

  /** What takes effect before the bar of this start: the broker first, as with a bar. */
  const publishActions = async (time: number): Promise<void> => {
    for (let action = actions.peek(time); action !== null; action = actions.peek(time)) {
      const due = action
      const reports = await show(due, () => options.broker?.onAction?.(actionOf(due)))
      if (stopped) return
      await publish(actionMessage(due), due, reports)
      if (options.speed === 'max' && options.settledAction !== undefined) {
        await orTurned(options.settledAction(due))
      }
      if (rewinding || stopped) return
      actions.done()
    }
  }

  const publishRest = async (): Promise<void> => {
    let due = Date.now()
    while (!stopped && (row < columns.length || rewinding)) {
      if (rewinding) {
        rewinding = false
        row = Math.min(row, firstMissing(options))
        goOn()
        continue
      }
      await publishActions(columns.time[row]!)
      if (rewinding || stopped) continue
      const bar = barToWire(barAt(columns, row, symbols, timeframe), options.feed, timeframe)
      const reports = await show(bar, () => options.broker?.onBar(bar))
      await publish(barMessage(bar), bar, reports)
      if (rewinding) continue
      last = formatTime(columns.time[row]!)
      if (options.speed === 'max') await orTurned(options.settled(bar))
      else {
        due = Math.max(due + 1000 / options.speed, Date.now() - 1000)
        const wait = due - Date.now()
        if (wait > 0) await pause(wait)
      }
      if (!rewinding) row++
    }
    ended = true
    if (!stopped && columns.length > 0) {
      const end = columns.time[columns.length - 1]! + TIMEFRAME_MS[timeframe]
      await publishActions(ActionFeed.lastMoment(end))
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
  /** What is published after the end of the data, because it got lost. */
  let afterwards: Promise<void> = Promise.resolve()
  return {
    done,
    trouble: () => trouble,
    progress: () => ({ done: row, of: columns.length, ended: row >= columns.length, last }),
    rewind() {
      if (stopped || (ended && firstMissing(options) >= columns.length)) return
      rewinding = true
      turnBack()
      wake()
      if (!ended) return
      ended = false
      afterwards = publishRest().catch((error: unknown) => {
        trouble = `lost bars could not be published again: ${error instanceof Error ? error.message : String(error)}`
        options.log.error({ err: error }, trouble)
      })
    },
    async stop() {
      stopped = true
      wake()
      halt()
      await done.catch(() => {})
      await afterwards
    },
  }
}

function barMessage({ feed, symbol, timeframe, time }: MarketBar): { subject: string; id: string } {
  return {
    subject: `md.bar.${timeframe}.${symbol.replace(/[^A-Za-z0-9_-]/g, '_')}`,
    id: `${feed}|${symbol}|${timeframe}|${time}`,
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
