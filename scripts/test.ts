// Runs the tests and prints one line of totals at the end. `--import tsx scripts/test.ts [all|check|unit|int|e2e]… [TEXT]…`;
// a TEXT that is none of these picks the files with it in their path. `all` also builds and holds the coverage.
import { readdirSync, rmSync } from 'node:fs'
import { resolve } from 'node:path'
import { spawnSync } from 'node:child_process'
import { runChecks } from './check.ts'
import { checkCoverage, RAW_COVERAGE } from './coverage.ts'
import { type ChildOptions, type ChildResult, killAll, runTests } from './test-process.ts'

const KINDS = ['all', 'check', 'unit', 'int', 'e2e']
const ROOMS = ['schemas', 'engine', 'projections', 'services', 'scripts', 'examples']
const UNIT: ChildOptions = { limitMs: 30_000, killMs: 600_000 }
const INT: ChildOptions = { limitMs: 115_000, killMs: 120_000 }
const E2E: ChildOptions = { limitMs: 290_000, killMs: 300_000 }
const AT_ONCE = 2

const words = process.argv.slice(2)
const asked = words.filter((word) => KINDS.includes(word))
const texts = words.filter((word) => !KINDS.includes(word))
const kinds = new Set(asked.length ? asked : ['unit', 'int', 'e2e'])
const all = kinds.has('all')
const totals = { passed: 0, failed: 0, skipped: 0 }

function count(result: { passed: number; failed: number }, skipped = 0): void {
  totals.passed += result.passed
  totals.failed += result.failed
  totals.skipped += skipped
}

function filesOf(room: string): string[] {
  try {
    return (readdirSync(room, { recursive: true }) as string[])
      .map((name) => `${room}/${name.replaceAll('\\', '/')}`)
      .filter((file) => file.endsWith('.test.ts') && texts.every((text) => file.includes(text)))
      .sort()
  } catch {
    return [] // a room that is not there yet; finding nothing at all is an error below
  }
}

function kindOf(file: string): string {
  return /\.(int|e2e)\.test\.ts$/.exec(file)?.[1] ?? 'unit'
}

function show(result: ChildResult): void {
  process.stdout.write(result.output)
  count(result, result.skipped.length)
}

async function unitTests(): Promise<number> {
  let found = 0
  if (all) rmSync('coverage', { recursive: true, force: true })
  const env = all ? { ...process.env, NODE_V8_COVERAGE: resolve(RAW_COVERAGE) } : process.env
  for (const room of ROOMS) {
    const files = filesOf(room).filter((file) => kindOf(file) === 'unit')
    if (files.length) show(await runTests(files, { ...UNIT, env }))
    found += files.length
  }
  return found
}

async function processTests(kind: string, options: ChildOptions): Promise<number> {
  const files = ROOMS.flatMap(filesOf).filter((file) => kindOf(file) === kind)
  const queue = [...files]
  async function lane(): Promise<void> {
    for (let file = queue.shift(); file; file = queue.shift()) {
      const result = await runTests([file], options)
      show(result)
      console.log(`  ${result.failed ? '✘' : '✔'} ${file} (${result.seconds.toFixed(1)} s)`)
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, lane))
  return files.length
}

function build(): void {
  const args = ['--import', 'tsx', 'scripts/build.ts', '--if-stale']
  const ran = spawnSync(process.execPath, args, { encoding: 'utf8' })
  if (ran.status !== 0) console.log(`${ran.stdout}${ran.stderr}`.trimEnd())
  console.log(ran.status === 0 ? '✔ build' : '✘ build')
  count(ran.status === 0 ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 })
}

async function main(): Promise<void> {
  if (all || kinds.has('check')) count(runChecks())
  if (all) build()
  let found = 0
  if (all || kinds.has('unit')) found += await unitTests()
  if (all && texts.length === 0) count(checkCoverage())
  if (all || kinds.has('int')) found += await processTests('int', INT)
  if (all || kinds.has('e2e')) found += await processTests('e2e', E2E)
  if (found === 0 && !(kinds.size === 1 && kinds.has('check'))) {
    console.log(
      `✘ no test file was found${texts.length ? ` with ${texts.join(' and ')} in its path` : ''}`,
    )
    count({ passed: 0, failed: 1 })
  }
}

for (const [signal, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const) {
  process.on(signal, () => {
    killAll()
    process.exit(code)
  })
}

try {
  await main()
} catch (error) {
  console.log(error)
  count({ passed: 0, failed: 1 })
}
killAll()
const skipped = totals.skipped ? `, ${totals.skipped} skipped` : ''
console.log(`${totals.passed} passed, ${totals.failed} failed${skipped}`)
process.exitCode = totals.failed ? 1 : 0
