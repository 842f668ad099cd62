/** Options that say which bars are meant and how long they are to be: the same for `start` and `backtest`. */
import { join } from 'node:path'
import { type Command, Option } from 'commander'
import type { Timeframe } from '../../engine/market/bar.ts'
import { NYSE } from '../../engine/market/calendar.ts'
import type { ExchangeSettings } from '../../schemas/types.gen.ts'
import { BarCache } from '../market-data/bar-cache.ts'
import { SESSIONS, type Sessions } from '../market-data/bar-resampling.ts'
import type { BarLoadOptions } from '../market-data/bar-set.ts'
import { engineDir } from '../runtime/folder.ts'
import { UsageError } from './exit-codes.ts'
import { warn } from './output.ts'

export interface BarOptions {
  timeframe?: Timeframe
  sessions?: Sessions
  extendedHours?: true
}

export function addBarOptions(command: Command): Command {
  return command
    .addOption(
      new Option('--timeframe <length>', 'length of the bars; shorter ones are resampled').choices([
        '1m',
        '5m',
        '15m',
        '1h',
        '1d',
      ]),
    )
    .addOption(
      new Option(
        '--sessions <market>',
        'trading hours that orders keep to (default: none) and resampling goes by (default: crypto for pairs such as BTC/USD, else us-equity)',
      ).choices(SESSIONS),
    )
    .option('--extended-hours', 'resampled daily bars hold pre- and post-market too')
}

/** What `loadBars` is to do. `timeframe` may come from the environment. Throws UsageError. */
export function barLoadOptions(
  { sessions, extendedHours }: BarOptions,
  timeframe: Timeframe | undefined,
): BarLoadOptions {
  if (timeframe === undefined && extendedHours) {
    throw new UsageError('--extended-hours goes with --timeframe: it says how to resample')
  }
  return {
    ...(timeframe !== undefined && { timeframe }),
    ...(sessions !== undefined && { sessions }),
    ...(extendedHours && { extendedHours }),
  }
}

/**
 * Looks whether the calendar knows the years of the bars, where orders are to keep to its hours: better now than at
 * the bar that it does not know. Throws CalendarError.
 */
export function checkSessionYears(
  { length, time }: { readonly length: number; readonly time: ArrayLike<number> },
  sessions: ExchangeSettings['sessions'],
): void {
  if (sessions !== 'us-equity' || length === 0) return
  NYSE.sessionAt(time[0]!)
  NYSE.sessionAt(time[length - 1]!)
}

/** The cache of parsed bars in an engine's folder. */
export function barCache(dir: string | undefined): BarCache {
  return new BarCache({ dir: join(engineDir(dir), 'cache/bars'), notice: warn })
}
