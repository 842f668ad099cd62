// Kills the engine, its NATS server and both, at every boundary and at random instants, and looks at what is left.
// `npm run kill-matrix -- --help` has the options.
import { spawnSync } from 'node:child_process'
import { cpSync, rmSync, writeFileSync } from 'node:fs'
import { arch, cpus, platform, totalmem } from 'node:os'
import { join, resolve } from 'node:path'
import { Command, InvalidArgumentError } from 'commander'
import {
  failureText,
  markdownTable,
  type MatrixResult,
  runMatrix,
  tableOf,
  textTable,
  totalsOf,
} from '../services/all-in-one/testing/kill-matrix.ts'
import { type KillCase, planCase, planCases } from '../services/all-in-one/testing/kill-plan.ts'
import { BAR_COUNT, makeSite } from '../services/all-in-one/testing/kill-scene.ts'
import { demoBarsPath } from '../services/market-data/demo-data.ts'

const ROOT = resolve(import.meta.dirname, '..')
const PAGE = join(ROOT, 'docs/kill-matrix.md')
const MOST_JOBS = 16

interface Options {
  cases: number
  seed: number
  jobs: number
  case?: number
  only?: string
  json?: boolean
  write?: boolean
  plant?: string
}

function whole(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('give a whole number')
  return Number(text)
}

const options = new Command('kill-matrix')
  .description(
    'kill the engine, its NATS server and both at every boundary, and check what is left',
  )
  .option('--cases <n>', 'how many cases', whole, 1000)
  .option('--seed <n>', 'what is drawn at random follows from it', whole, Date.now() % 1_000_000)
  .option('--jobs <n>', 'cases at once', whole, 2)
  .option('--case <id>', 'run one case alone', whole)
  .option(
    '--only <words>',
    'cells with all of these in their name, such as ack.sent/nats or both,double',
  )
  .option('--plant <fault>', 'with a fault planted, to see that it is found')
  .option('--json', 'one JSON document on stdout')
  .option('--write', 'write docs/kill-matrix.md')
  .parse()
  .opts<Options>()

function planned(): KillCase[] {
  if (options.case !== undefined) return [planCase(options.case, options.seed)]
  const words = (options.only ?? '').split(',').filter(Boolean)
  return planCases(options.cases, options.seed, (name) => words.every((one) => name.includes(one)))
}

/** A copy of the build, so that another build meanwhile changes nothing. */
function copyBuild(): string {
  const built = spawnSync(process.execPath, ['--import', 'tsx', 'scripts/build.ts', '--if-stale'], {
    cwd: ROOT,
    stdio: ['ignore', 'inherit', 'inherit'],
  })
  if (built.status !== 0) process.exit(1)
  const copy = join(ROOT, `dist.kill-${process.pid}`)
  process.on('exit', () => rmSync(copy, { recursive: true, force: true }))
  cpSync(join(ROOT, 'dist'), copy, { recursive: true })
  return copy
}

function machine(): string {
  const [first] = cpus()
  const gib = Math.round(totalmem() / 2 ** 30)
  const model = first?.model.replace(/\((R|TM)\)|Processor|CPU.*/g, '').trim() ?? ''
  return `${cpus().length} cores${model === '' ? '' : ` (${model})`}, ${gib} GiB, ${platform()} ${arch()}`
}

function serverVersion(): string {
  const binary = process.env.NATS_SERVER_BIN || 'nats-server'
  const { stdout } = spawnSync(binary, ['--version'], { encoding: 'utf8' })
  return /\d+\.\d+\.\d+/.exec(stdout ?? '')?.[0] ?? 'unknown'
}

function page(results: readonly MatrixResult[], seconds: number): string {
  const totals = totalsOf(results)
  const again = `npm run kill-matrix -- --cases ${totals.cases} --seed ${options.seed} --jobs ${options.jobs}`
  return `# Kill matrix

\`\`\`sh
${again} --write
\`\`\`

Each case is a run of its own: a fresh folder, ${BAR_COUNT} daily bars, a strategy that trades every few of them (with partial
fills, without, or under the risk limits), and in free-running cases up to three manual signals. While it runs, something is
killed with SIGKILL; then it is started again until the data has ended and nothing is under way, and stopped with SIGTERM.

- *engine*: the process ends at the boundary itself, nothing of it runs on. *nats*: its nats-server is gone before the
  engine takes the next step, and the engine brings it up again. *both*: first the server, then the engine.
- *lock-step*: the next bar comes when the engine has settled. *free-running*: 400 bars a second.
- *sqlite*: the embedded store. *double*: the loopback double of EventStoreDB's wire protocol, which is no real server.
- How far into the run a kill falls is drawn at random, and so are further kills, most of them during recovery.

A case passes when all of this holds:

- right after each death of the engine: every order that the broker has is in the book, none twice, none filled beyond its size;
- at the end: every bar, every signal that NATS confirmed and every report of the broker is in the book exactly once, in
  order; each signal has one verdict; every order of the book was sent or withheld; no anomaly, no refused input;
- cash, fees and positions of the book are those in the simulated broker's own journal;
- \`verify\` finds every step decided alike by the same code; the engine ends with exit code 0;
- in lock-step, the digest of the decisions and every fill are those of a run that nobody disturbed.

The numbers are cases${totals.failed === 0 ? ', all of which passed' : ''}.

${markdownTable(tableOf(results))}

| | |
| --- | --- |
| cases | ${totals.cases}, ${totals.failed} failed |
| kills | ${totals.kills}; more than one in ${totals.repeated} cases |
| starts of the engine | ${totals.starts} |
| manual signals | ${totals.signals} |
| engine ended by itself, as its NATS server was killed while it started | ${totals.gaveUp} |
| seed | ${options.seed} |
| duration | ${Math.round(seconds / 60)} min, ${(totals.cases / seconds).toFixed(2)} cases a second, ${options.jobs} at once |
| date | ${new Date().toISOString().slice(0, 10)} |
| machine | ${machine()}, shared |
| Node, nats-server | ${process.versions.node}, ${serverVersion()} |

\`services/all-in-one/kill-matrix.e2e.test.ts\` runs a sample with every test run, and plants faults to see that they are found.
A failed case keeps its folder and prints the command that runs it again.
`
}

async function main(): Promise<void> {
  if (options.jobs < 1 || options.jobs > MOST_JOBS) {
    throw new InvalidArgumentError(`--jobs ${options.jobs}: give 1 to ${MOST_JOBS}`)
  }
  const cases = planned()
  const site = makeSite(
    copyBuild(),
    demoBarsPath(),
    options.plant === undefined ? {} : { plant: options.plant },
  )
  const stop = new AbortController()
  // Cases under way are ended, and what was seen is told.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort())
  console.error(`${cases.length} cases, ${options.jobs} at once, seed ${options.seed}`)
  const began = performance.now()
  const results = await runMatrix({
    site,
    cases,
    jobs: options.jobs,
    stop: stop.signal,
    seen: (one, done) => {
      if (one.result.failures.length > 0) console.error(failureText(one, options.seed))
      if (done % 25 !== 0 && done !== cases.length) return
      const rate = done / ((performance.now() - began) / 1000)
      console.error(`${done} of ${cases.length}, ${rate.toFixed(2)} a second`)
    },
  })
  const seconds = (performance.now() - began) / 1000
  const totals = totalsOf(results)
  if (totals.failed === 0) rmSync(site.dir, { recursive: true, force: true })
  if (options.write) writeFileSync(PAGE, page(results, seconds))
  if (options.json) {
    const document = { seed: options.seed, seconds, totals, cases: results }
    process.stdout.write(`${JSON.stringify(document)}\n`)
  } else {
    console.log(textTable(tableOf(results)))
    console.log(
      `\n${totals.cases} cases, ${totals.failed} failed; ${totals.kills} kills, ${totals.starts} starts; ${seconds.toFixed(0)} s; seed ${options.seed}`,
    )
  }
  process.exit(totals.failed > 0 ? 1 : 0)
}

await main()
