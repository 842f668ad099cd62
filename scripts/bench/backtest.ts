/** Backtests over generated bars: bars a second and peak memory, by strategy and number of bars. */
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const TARGET_BARS_PER_SECOND = 1_500_000
/**
 * Peak memory at the largest size may exceed that at the smallest by so much, and is still flat: V8 gives a longer run a
 * larger young generation, and then no more (10M and 30M bars peak alike).
 */
const FLAT_MB = 96

interface Run {
  bars: number
  orders: number
  decisions: number
  seconds: number
  barsPerSecond: number
  peakMemoryMb: number
}

export interface BacktestResult {
  name: string
  runs: Run[]
  targetBarsPerSecond: number
  meetsTarget: boolean
  memoryFlat: boolean
}

/** Strategies that trade often and rarely, with and without limits; averages are in bars. */
const CASES = [
  { name: 'busy, limits on', fast: 20, slow: 60, risk: 'on' },
  { name: 'busy, limits off', fast: 20, slow: 60, risk: 'off' },
  { name: 'calm, limits on', fast: 1000, slow: 3000, risk: 'on' },
] as const

export function benchBacktest(sizes: readonly number[]): BacktestResult[] {
  return CASES.map((one) => {
    const runs = sizes.map((size) => run(size, one))
    const first = runs[0]!
    const last = runs[runs.length - 1]!
    return {
      name: one.name,
      runs,
      targetBarsPerSecond: TARGET_BARS_PER_SECOND,
      meetsTarget: last.barsPerSecond >= TARGET_BARS_PER_SECOND,
      memoryFlat: last.peakMemoryMb - first.peakMemoryMb <= FLAT_MB,
    }
  })
}

function run(size: number, one: (typeof CASES)[number]): Run {
  const script = fileURLToPath(new URL('./backtest-run.mjs', import.meta.url))
  const ran = spawnSync(
    process.execPath,
    [script, String(size), String(one.fast), String(one.slow), one.risk],
    { encoding: 'utf8' },
  )
  if (ran.status !== 0) throw new Error(`the backtest of ${size} bars failed: ${ran.stderr}`)
  return JSON.parse(ran.stdout) as Run
}

export function printBacktest(results: readonly BacktestResult[]): void {
  console.log(`backtest; target: ${millions(TARGET_BARS_PER_SECOND)} bars/s inside, memory flat\n`)
  for (const { name, runs, meetsTarget, memoryFlat } of results) {
    console.log(name)
    for (const { bars, orders, barsPerSecond, peakMemoryMb } of runs) {
      console.log(
        `  ${String(bars).padStart(9)} bars  ${millions(barsPerSecond).padStart(6)} bars/s  ${String(peakMemoryMb).padStart(4)} MB peak  ${orders} orders`,
      )
    }
    console.log(
      `  ${meetsTarget ? 'meets' : 'misses'} the target; memory ${memoryFlat ? 'flat' : 'grows'}\n`,
    )
  }
}

function millions(value: number): string {
  return `${(value / 1e6).toFixed(2)}M`
}
