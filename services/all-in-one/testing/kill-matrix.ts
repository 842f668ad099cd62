import { cellName, KILL_POINTS, type KillCase, MODES, STORES, TARGETS } from './kill-plan.ts'
import { type CaseResult, runCase } from './kill-run.ts'
import type { KillSite } from './kill-scene.ts'

export interface MatrixResult {
  plan: KillCase
  result: CaseResult
}

export interface MatrixOptions {
  site: KillSite
  cases: readonly KillCase[]
  /** Cases under way at once. */
  jobs: number
  seen?: (one: MatrixResult, done: number) => void
  /** Once aborted, no more cases begin. */
  stop?: AbortSignal
}

const ATTEMPTS = 4

/** Runs the cases. One that ended before anything was killed is run again with an earlier kill. */
export async function runMatrix(options: MatrixOptions): Promise<MatrixResult[]> {
  const { site, jobs, seen, stop } = options
  const queue = [...options.cases]
  const results: MatrixResult[] = []
  const lane = async (): Promise<void> => {
    for (let plan = queue.shift(); plan && !stop?.aborted; plan = queue.shift()) {
      const one = { plan, result: await runUntilKilled(site, plan) }
      results.push(one)
      seen?.(one, results.length)
    }
  }
  await Promise.all(Array.from({ length: jobs }, lane))
  return results.sort((a, b) => a.plan.id - b.plan.id)
}

async function runUntilKilled(site: KillSite, plan: KillCase): Promise<CaseResult> {
  let result = await runCase(site, plan)
  for (let attempt = 2; result.kills === 0 && result.failures.length === 0; attempt++) {
    if (attempt > ATTEMPTS) {
      return { ...result, failures: [`nothing was killed in ${ATTEMPTS} attempts`] }
    }
    const strikes = plan.strikes.map(({ at, share }) => ({ at, share: share / 2 ** (attempt - 1) }))
    result = await runCase(site, { ...plan, strikes })
  }
  return result
}

export interface Totals {
  cases: number
  failed: number
  kills: number
  starts: number
  /** Cases in which more than one kill struck. */
  repeated: number
  /** Times an engine ended by itself because its NATS server was killed while it started. */
  gaveUp: number
  signals: number
}

export function totalsOf(results: readonly MatrixResult[]): Totals {
  const sum = (of: (one: MatrixResult) => number) =>
    results.reduce((total, one) => total + of(one), 0)
  return {
    cases: results.length,
    failed: sum(({ result }) => (result.failures.length > 0 ? 1 : 0)),
    kills: sum(({ result }) => result.kills),
    starts: sum(({ result }) => result.starts),
    repeated: sum(({ result }) => (result.kills > 1 ? 1 : 0)),
    gaveUp: sum(({ result }) => result.gaveUp.length),
    signals: sum(({ plan }) => plan.signals.length),
  }
}

/** Header and rows: a kill point and a target each, and the cases of each mode and store. */
export function tableOf(results: readonly MatrixResult[]): string[][] {
  const columns = MODES.flatMap((mode) => STORES.map((store) => ({ mode, store })))
  const rows = [
    ['boundary', 'where', 'killed', ...columns.map(({ mode, store }) => `${mode}, ${store}`)],
  ]
  for (const { boundary, at, what } of KILL_POINTS) {
    for (const target of TARGETS) {
      const counts = columns.map(({ mode, store }) => {
        const name = cellName({ at, target, mode, store })
        return countOf(results.filter(({ plan }) => cellName(plan) === name))
      })
      rows.push([boundary, what, target, ...counts])
    }
  }
  return rows
}

function countOf(results: readonly MatrixResult[]): string {
  if (results.length === 0) return '–'
  const failed = results.filter(({ result }) => result.failures.length > 0).length
  return failed === 0 ? `${results.length}` : `${results.length}, ${failed} FAILED`
}

/** For a terminal: columns aligned, a boundary and its explanation said once. */
export function textTable(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_, i) => Math.max(...rows.map((row) => row[i]!.length)))
  const lines = rows.map((row, r) =>
    row
      .map((cell, i) => {
        const above = r > 1 ? rows[r - 1]! : null
        const repeats = above?.[0] === row[0] && (i === 0 || (i === 1 && above?.[1] === row[1]))
        return (repeats ? '' : cell).padEnd(widths[i]!)
      })
      .join('  ')
      .trimEnd(),
  )
  return lines.join('\n')
}

export function markdownTable(rows: readonly (readonly string[])[]): string {
  const [header = [], ...body] = rows
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  return [line(header), line(header.map(() => '---')), ...body.map(line)].join('\n')
}

/** What failed, and how to see it again. */
export function failureText({ plan, result }: MatrixResult, seed: number): string {
  return [
    `case ${plan.id}, ${cellName(plan)}: ${result.failures.join('; ')}`,
    `  again: npm run kill-matrix -- --case ${plan.id} --seed ${seed}`,
    ...(result.folder === null ? [] : [`  left in ${result.folder}`]),
  ].join('\n')
}
