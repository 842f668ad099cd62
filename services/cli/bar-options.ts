/** Options that say which bars are meant and how long they are to be: the same for `start` and `backtest`. */
import { join } from 'node:path'
import { type Command, Option } from 'commander'
import type { Timeframe } from '../../engine/market/bar.ts'
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
        'whose hours resampling goes by (default: crypto for pairs such as BTC/USD, else us-equity)',
      ).choices(SESSIONS),
    )
    .option('--extended-hours', 'resampled daily bars hold pre- and post-market too')
}

/** What `loadBars` is to do. `timeframe` may come from the environment. Throws UsageError. */
export function barLoadOptions(
  { sessions, extendedHours }: BarOptions,
  timeframe: Timeframe | undefined,
): BarLoadOptions {
  if (timeframe === undefined && (sessions !== undefined || extendedHours)) {
    throw new UsageError(
      '--sessions and --extended-hours go with --timeframe: they say how to resample',
    )
  }
  return {
    ...(timeframe !== undefined && { timeframe }),
    ...(sessions !== undefined && { sessions }),
    ...(extendedHours && { extendedHours }),
  }
}

/** The cache of parsed bars in an engine's folder. */
export function barCache(dir: string | undefined): BarCache {
  return new BarCache({ dir: join(engineDir(dir), 'cache/bars'), notice: warn })
}
