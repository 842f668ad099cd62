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
    const denials = new Denials()
    const begun = performance.now()
    const result = replay(job, denials.listen(out?.listener))
    const seconds = (performance.now() - begun) / 1000
    job.warnings.push(...denials.warnings())
    const summary = summaryOf(job, result, options.seed, seconds)
    out?.finish(summary)
    if (options.json) printJson(summary)
    else print(summaryText(job, summary))
  } catch (error) {
    out?.discard()
    throw error
  }
}

function replay(job: Job, listener: BacktestListener): BacktestResult {
  const { bars, settings, orders, actions } = job
  const timeframe = TIMEFRAME_MS[bars.timeframe]
  const progress = new Progress('replaying')
  const source = columnSource(bars.columns, bars.symbols, timeframe)
  try {
    return runBacktest({
      settings,
      bars: progress.active ? watched(source, bars.columns.length, progress) : source,
      hash: createHash('sha256'),
      listener,
      ...(orders !== null && { orders }),
      ...(bars.tradeFrom !== undefined && { tradeFrom: bars.tradeFrom }),
      ...(actions !== null && { actions }),
    })
  } finally {
    progress.finish()
  }
}

/** Counts what the limits refused: a strategy that hardly trades may only be held back. */
class Denials {
  private readonly codes = new Map<string, number>()

  /** Listens in beside another listener. */
  listen(other: BacktestListener | undefined): BacktestListener {
    return {
      ...other,
      decision: (line) => {
        other?.decision?.(line)
        if (line.includes('"verdict":"denied"')) this.count(line)
      },
    }
  }

  warnings(): string[] {
    if (this.codes.size === 0) return []
    const most = [...this.codes].sort((a, b) => b[1] - a[1])
    const total = most.reduce((sum, [, times]) => sum + times, 0)
    const codes = most.map(([code, times]) => `${code} ${times}`).join(', ')
    return [`${total} ${total === 1 ? 'signal was' : 'signals were'} denied by risk: ${codes}`]
  }

  private count(line: string): void {
    const { type, data } = JSON.parse(line) as {
      type: string
      data: { verdict?: string; code: string }
    }
    if (type !== 'risk.verdict' || data.verdict !== 'denied') return
    this.codes.set(data.code, (this.codes.get(data.code) ?? 0) + 1)
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
