/**
 * `npm run bench [-- NAME…] [--json] [--bars 100000,1000000] [--events 1000000] [--samples 2000]
 * [--profile DIR]`: figures beside the targets of the design. Names: backtest, resting, book, live, http; all of them
 * unless named. With `--profile`, the engines of live leave CPU profiles there.
 */
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { cpus, loadavg } from 'node:os'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { benchBacktest, printBacktest } from './backtest.ts'
import { benchBook, printFigure } from './book.ts'
import { benchHttp, printHttp } from './http.ts'
import { benchLive, printLive } from './live.ts'
import { benchRestingOrders, printRestingOrders } from './resting-orders.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const NAMES = ['backtest', 'resting', 'book', 'live', 'http'] as const
type Name = (typeof NAMES)[number]

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    json: { type: 'boolean', default: false },
    bars: { type: 'string', default: '100000,1000000,10000000' },
    events: { type: 'string', default: '1000000' },
    samples: { type: 'string', default: '2000' },
    profile: { type: 'string' },
  },
})
const unknown = positionals.find((name) => !NAMES.includes(name as Name))
if (unknown !== undefined) refuse(`there is no bench ${unknown}; there are ${NAMES.join(', ')}`)
const wanted = new Set(positionals.length === 0 ? NAMES : (positionals as Name[]))
const sizes = values.bars.split(',').map(Number)
if (!sizes.every(isCount)) refuse('--bars takes whole numbers above zero, such as 100000,1000000')
const events = Number(values.events)
if (!isCount(events) || events < 10_000) refuse('--events takes a whole number from 10000 on')
const samples = Number(values.samples)
if (!isCount(samples) || samples < 100) refuse('--samples takes a whole number from 100 on')

build()
const machine = {
  node: process.version,
  cpu: cpus()[0]?.model ?? 'unknown',
  cores: cpus().length,
  /** Of the minute before; on a loaded machine figures are low. */
  load: Math.round((loadavg()[0] ?? 0) * 100) / 100,
}
if (!values.json) console.log(`${machine.cpu}, ${machine.cores} cores, Node ${machine.node}\n`)
const backtest = wanted.has('backtest') ? benchBacktest(sizes) : undefined
if (backtest !== undefined && !values.json) printBacktest(backtest)
const resting = wanted.has('resting') ? benchRestingOrders() : undefined
if (resting !== undefined && !values.json) console.log(`${printRestingOrders(resting)}\n`)
if (wanted.has('book') && !values.json) {
  console.log('book; CPU: processor time of the measured process, all threads')
}
const tell = values.json ? () => undefined : printFigure
const book = wanted.has('book') ? await benchBook(events, tell) : undefined
if (wanted.has('live') && !values.json) console.log('live; times of the monotonic clock\n')
const live = wanted.has('live')
  ? await benchLive({ samples, profile: values.profile }, values.json ? () => undefined : printLive)
  : undefined
const http = wanted.has('http') ? await benchHttp(Math.ceil(samples / 2)) : undefined
if (http !== undefined && !values.json) printHttp(http)
if (values.json)
  console.log(JSON.stringify({ machine, backtest, resting, book, live, http }, null, 2))
// The client of EventStoreDB may keep a timer for a while.
process.exit(0)

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value > 0
}

function refuse(problem: string): never {
  console.error(`error: ${problem}`)
  process.exit(2)
}

function build(): void {
  if (!existsSync(`${ROOT}/scripts/build.ts`)) return
  const built = spawnSync(process.execPath, ['--import', 'tsx', 'scripts/build.ts', '--if-stale'], {
    cwd: ROOT,
    // What the compiler says goes to stderr: stdout is for the figures.
    stdio: ['ignore', 2, 'inherit'],
  })
  if (built.status !== 0) process.exit(1)
}
