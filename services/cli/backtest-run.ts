import { createHash } from 'node:crypto'
import type { Command } from 'commander'
import {
  type BacktestListener,
  type BacktestResult,
  type BarSource,
  runBacktest,
} from '../../engine/backtest/backtest.ts'
import { columnSource } from '../../engine/backtest/column-source.ts'
import { TIMEFRAME_MS } from '../../engine/market/bar.ts'
import { type Job, readJob } from './backtest-input.ts'
import type { BacktestOptions } from './backtest.ts'
import { OutFolder } from './out-folder.ts'
import { Progress, print, printJson } from './output.ts'
import { summaryOf, summaryText } from './summary.ts'

/** Bars between two looks at the clock. */
const PROGRESS_EVERY = 20_000

export async function runBacktestCommand(command: Command): Promise<void> {
  const options = command.opts<BacktestOptions>()
  const job = await readJob(command)
  const daily = job.settings.timeframe === '1d'
  const out = options.out === undefined ? null : new OutFolder(options.out, daily, job.orders)
  try {
    const begun = performance.now()
    const result = replay(job, out?.listener)
    const seconds = (performance.now() - begun) / 1000
    const summary = summaryOf(job, result, options.seed, seconds)
    out?.finish(summary)
    if (options.json) printJson(summary)
    else print(summaryText(job, summary))
  } catch (error) {
    out?.discard()
    throw error
  }
}

function replay(job: Job, listener: BacktestListener | undefined): BacktestResult {
  const { bars, settings, orders } = job
  const timeframe = TIMEFRAME_MS[bars.timeframe]
  const progress = new Progress('replaying')
  const source = columnSource(bars.columns, bars.symbols, timeframe)
  try {
    return runBacktest({
      settings,
      bars: progress.active ? watched(source, bars.columns.length, progress) : source,
      hash: createHash('sha256'),
      ...(listener !== undefined && { listener }),
      ...(orders !== null && { orders }),
    })
  } finally {
    progress.finish()
  }
}

function watched(source: BarSource, total: number, progress: Progress): BarSource {
  let done = 0
  return {
    next(bar) {
      if (++done % PROGRESS_EVERY === 0) progress.update(done, total)
      return source.next(bar)
    },
  }
}
