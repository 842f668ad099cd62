// Runs uvu files in this one process, and fails where uvu alone would pass by silence. Its parent, scripts/test.ts,
// gets a Report over the process channel; run by hand, it prints the totals instead.
//   node --import tsx scripts/test-room.ts [--limit MS] FILE…
import { readFileSync, realpathSync } from 'node:fs'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { inspect, parseArgs } from 'node:util'
import fc from 'fast-check'

export interface Report {
  passed: number
  failed: number
  /** Names of skipped tests, each with the reason in it. */
  skipped: string[]
}

type Outcome = [errors: string | true, ran: number, skipped: number, total: number]
type Run = () => Promise<Outcome>

const { values, positionals } = parseArgs({
  options: { limit: { type: 'string', default: '30000' } },
  allowPositionals: true,
})
const limitMs = Number(values.limit)
const report: Report = { passed: 0, failed: 0, skipped: [] }
let finished = false

/** Faults of the file that runs now: what went wrong outside of a test's own failure. */
let faults: string[] = []
let skips: string[] = []
let thrown: string[] = []

function say(text: string): void {
  process.stdout.write(`${text}\n`)
}

function text(error: unknown): string {
  if (typeof error === 'string') return error
  return error instanceof Error ? (error.stack ?? error.message) : inspect(error)
}

process.on('unhandledRejection', (error) => faults.push(`unhandled rejection: ${text(error)}`))
process.on('uncaughtException', (error) => faults.push(`uncaught exception: ${text(error)}`))
process.on('exit', () => {
  if (finished) return
  process.exitCode = 1
  say('✘ the process ended before its tests did: is there a process.exit in a test?')
})

fc.configureGlobal({
  interruptAfterTimeLimit: Math.floor(limitMs * 0.7),
  markInterruptAsFailure: true,
  ...(process.env.TEST_SEED
    ? { seed: Number(process.env.TEST_SEED) }
    : process.env.CI
      ? { seed: 20_260_101 }
      : {}),
})

const scope = globalThis as unknown as {
  UVU_DEFER: number
  UVU_INDEX: number
  UVU_QUEUE: [name: string, ...runs: Run[]][]
}
scope.UVU_DEFER = 1
const { test } = await import('uvu')

type Hook = Parameters<typeof test.before>[0]

/** uvu forgets what a hook threw; this keeps it. */
function remembering(hook: Hook, where: string): Hook {
  return async (context) => {
    try {
      await hook(context)
    } catch (error) {
      thrown.push(`${where} hook: ${text(error)}`)
      throw error
    }
  }
}

/** The inner hooks first: the outer ones take them along. */
function watchHooks(): void {
  const hooks = [
    [test.before, 'each'],
    [test, 'before'],
    [test.after, 'each'],
    [test, 'after'],
  ] as const
  for (const [owner, key] of hooks) {
    const table = owner as unknown as Record<string, ((hook: Hook) => void) & { each?: unknown }>
    const original = table[key]
    if (!original) throw new Error(`uvu has no ${key} hook: is it still 0.5.6?`)
    const where = owner === test ? key : `${owner === test.before ? 'before' : 'after'}.each`
    table[key] = Object.assign((hook: Hook) => original(remembering(hook, where)), original)
  }
}

watchHooks()
const uvuSkip = test.skip.bind(test)
test.skip = (name = '', handler) => {
  skips.push(name)
  uvuSkip(name, handler)
}
test.only = (name) => {
  faults.push(`.only on "${name}": the others would not run`)
}

async function within<T>(work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(`nothing settled in ${limitMs} ms`), limitMs)
  })
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}

/** Lets rejections that the last test leaked surface while its file is still the current one. */
async function settle(): Promise<void> {
  await new Promise((done) => setTimeout(done, 5))
}

async function runFile(file: string, index: number): Promise<void> {
  faults = []
  skips = []
  thrown = []
  let passed = 0
  let missed = 0
  let uvuSkips = 0
  scope.UVU_INDEX = index
  scope.UVU_QUEUE[index] = [file]
  process.stdout.write(`${file} `)
  try {
    await within(import(pathToFileURL(realpathSync(resolve(file))).href))
  } catch (error) {
    faults.push(`does not load: ${text(error)}`)
  }
  const runs = (scope.UVU_QUEUE[index] ?? []).slice(1) as Run[]
  if (runs.length === 0 && faults.length === 0) faults.push('ran nothing: is .run() missing?')
  for (const run of runs) {
    try {
      const [errors, ran, skipped, total] = await within(run())
      passed += ran
      missed += total - ran
      uvuSkips += skipped
      if (errors !== true) say(`\n${errors}`)
      else if (ran !== total) {
        faults.push(
          `${total - ran} of ${total} tests never passed: a hook threw, or a test threw what is no Error`,
        )
      }
      if (total === 0 && skipped === 0 && faults.length === 0) faults.push('holds no test')
    } catch (error) {
      faults.push(text(error))
    }
  }
  await settle()
  if (uvuSkips !== skips.length) {
    faults.push(
      'a test was left out by a suite() with .skip or .only: use `test` for it to be named',
    )
  }
  for (const name of skips.filter((name) => !/\bneeds /.test(name))) {
    faults.push(`skipped without saying what it needs: "${name}"`)
  }
  // Only `test` can be watched; a suite of its own is searched for in the text.
  const only = /^\s*\w+\.only\s*\(/m.test(readFileSync(file, 'utf8'))
  if (only && !faults.some((fault) => fault.startsWith('.only'))) faults.push('.only was left in')
  if (runs.length === 0) say('')
  for (const fault of [...faults, ...thrown]) say(`  ✘ ${file}: ${fault}`)
  for (const name of skips) say(`  – skipped: ${name}`)
  report.passed += passed
  report.failed += Math.max(missed, faults.length || thrown.length ? 1 : 0)
  report.skipped.push(...skips)
}

for (const [index, file] of positionals.entries()) await runFile(file, index)
if (positionals.length === 0) {
  say('✘ no test file was given')
  report.failed = 1
}
finished = true
process.exitCode = report.failed ? 1 : 0
if (process.send) process.send(report, () => process.exit())
else {
  say(`${report.passed} passed, ${report.failed} failed, ${report.skipped.length} skipped`)
  process.exit()
}
