import type { Command } from 'commander'
import { addBarOptions, type BarOptions } from './bar-options.ts'
import { ACTIONS_HELP } from './actions.ts'
import { dirOption, jsonOption, time, whole } from './options.ts'
import { addExchangeOptions, addRiskOption, addStrategyOptions } from './settings.ts'

export interface BacktestOptions extends BarOptions {
  data?: string[]
  history?: true
  dir?: string
  strategy?: string
  set?: Record<string, string>
  orders?: string
  actions?: string
  from?: string
  to?: string
  warmup?: number
  risk?: string
  seed: number
  skipBadRows?: true
  out?: string
  json?: true
}

export function registerBacktest(program: Command): void {
  const command = program
    .command('backtest')
    .description('run a strategy, or a list of orders, over recorded bars')
    .option('--data <path...>', 'bars: CSV, .csv.gz or Parquet files, or folders of them')
    .option('--history', 'the bars recorded in the book of --dir, with its settings')
    .addOption(dirOption())
  addStrategyOptions(command).option('--orders <file>', 'orders as CSV, in place of a strategy')
  addExchangeOptions(command)
  addRiskOption(command)
  addBarOptions(command)
    .option('--from <time>', 'first bar', time)
    .option('--to <time>', 'last bar, inclusive', time)
    .option(
      '--warmup <n>',
      'bars before --from, or the first ones, that only warm features up',
      whole(0),
    )
    .option('--actions <file>', ACTIONS_HELP)
    .option('--seed <n>', 'recorded in the summary; nothing here is random', whole(0), 1)
    .option('--skip-bad-rows', 'leave bad rows out instead of refusing the file')
    .option('--out <dir>', 'write summary, trades, orders, fills, equity and decisions there')
    .addOption(jsonOption())
    .addHelpText(
      'after',
      '\nExample: bitacora backtest --data GOOG.csv --strategy sma_cross --set fast=10',
    )
    .action(async (_options, self: Command) => {
      const { runBacktestCommand } = await import('./backtest-run.ts')
      await runBacktestCommand(self)
    })
}
