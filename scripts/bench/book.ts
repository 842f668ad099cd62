/** The book: appending, rebuilding the read model, and a restart, on SQLite and on the loopback double of EventStoreDB. */
import { type ChildProcess, spawn } from 'node:child_process'
import {
  closeSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { connect } from 'nats'
import { openSqliteStore } from '../../services/adapters/embedded/sqlite-store.ts'
import { openStore } from '../../services/adapters/open-store.ts'
import { spawnDouble } from '../../services/adapters/eventstoredb/testing/double-process.ts'
import { bookStream } from '../../services/runtime/folder.ts'
import { bar, RISK, STRATEGY, SYMBOLS } from './book-inputs.mjs'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const RUN = fileURLToPath(new URL('./book-run.mjs', import.meta.url))
const STREAM = bookStream()
/** Through a wire that carries one message an event, a million would take minutes to write. */
const DOUBLE_APPENDS = 100_000
const MINUTES_AFTER = 20
const START_LIMIT_MS = 300_000

export interface Figure {
  name: string
  events: number
  seconds: number
  /** Processor time of the measured process, all threads; null where nobody tells it. */
  cpuSeconds: number | null
  /** Null where seconds are what counts. */
  eventsPerSecond: number | null
  peakMemoryMb: number | null
  /** What the design asks for, in words; null where it asks for nothing. */
  target: string | null
  meetsTarget: boolean | null
}

const TARGETS = { append: 50_000, project: 300_000, restartSeconds: 10, restartEvents: 1_000_000 }

interface Measured {
  events: number
  seconds: number
  cpuSeconds: number
  eventsPerSecond: number
  peakMemoryMb: number
}

/** Runs every measurement of the book, the restart with so many events in it; `tell` gets each figure at once. */
export async function benchBook(events: number, tell: (figure: Figure) => void): Promise<Figure[]> {
  const folder = mkdtempSync(join(tmpdir(), 'bitacora-bench-'))
  try {
    return await measureAll(folder, events, tell)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

async function measureAll(
  folder: string,
  events: number,
  tell: (figure: Figure) => void,
): Promise<Figure[]> {
  const book = join(folder, 'book.db')
  const figures: Figure[] = []
  const keep = (figure: Figure) => {
    figures.push(figure)
    tell(figure)
  }
  const add = (name: string, measured: Measured, target: number | null) => {
    keep({
      name,
      ...pick(measured),
      target: target === null ? null : `${target.toLocaleString('en')} events/s`,
      meetsTarget: target === null ? null : measured.eventsPerSecond >= target,
    })
  }
  const { append, project } = TARGETS
  add('sqlite: append through the writer, fsynced', await measure('append', book, events), append)
  const raw = join(folder, 'raw.db')
  copyFileSync(book, raw)
  add('sqlite: append by the store alone, fsynced', await measure('raw', raw, events), append)
  rmSync(raw)
  add('sqlite: read model from the book', await measure('project', book), project)
  add('sqlite: state of the writer from the book', await measure('recover', book), null)

  // Restarts, all in one folder: the first finds no JetStream data, as after their loss; the others find everything.
  const dir = join(folder, 'engine')
  mkdirSync(dir)
  renameSync(book, join(dir, 'book.db'))
  const inFolder = await prepare(dir)
  keep(await restart('sqlite: restart, TAPE lost', inFolder, null, true))
  keep(await restart('sqlite: restart', inFolder, null))

  const written = await spawnDouble({ file: join(folder, 'written.ndjson') })
  try {
    const measured = await measure('append', written.url, Math.min(events, DOUBLE_APPENDS))
    add('double: append through the writer, fsynced', measured, null)
  } finally {
    await written.kill()
  }
  const log = join(folder, 'double.ndjson')
  await toDouble(join(dir, 'book.db'), log)
  rmSync(join(dir, 'book.db'))
  const double = await spawnDouble({ file: log })
  try {
    add('double: read model from the book', await measure('project', double.url), null)
    add('double: state of the writer from the book', await measure('recover', double.url), null)
    keep(await restart('double: restart, no local copy', inFolder, double.url))
    keep(await restart('double: restart', inFolder, double.url))
  } finally {
    await double.kill()
  }
  return figures
}

function pick({ events, seconds, cpuSeconds, eventsPerSecond, peakMemoryMb }: Measured) {
  return { events, seconds, cpuSeconds, eventsPerSecond, peakMemoryMb }
}

/** One measurement in a process of its own, while this one stays able to answer. */
async function measure(task: string, place: string, events?: number): Promise<Measured> {
  const args = [RUN, task, place, ...(events === undefined ? [] : [String(events)])]
  const child = spawn(process.execPath, args, { cwd: ROOT, stdio: ['ignore', 'pipe', 'inherit'] })
  const text = collect(child)
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve))
  if (code !== 0) throw new Error(`the measurement ${task} ended with ${code}`)
  return JSON.parse(text.out) as Measured
}

function collect(child: ChildProcess): { out: string } {
  const text = { out: '' }
  child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
    text.out += chunk
  })
  return text
}

/** An engine's folder and the options to start it with. */
interface Folder {
  dir: string
  args: string[]
}

async function prepare(dir: string): Promise<Folder> {
  const data = join(dir, 'bars.csv')
  const risk = join(dir, 'risk.json')
  writeFileSync(risk, JSON.stringify(RISK))
  writeFileSync(data, csv(await headOf(dir, null)))
  const set = Object.entries(STRATEGY).map(([key, value]) => `${key}=${value}`)
  const args = ['start', '--dir', dir, '--port', '0', '--json', '--speed', '20', '--data', data]
  args.push('--strategy', 'sma_cross', '--set', ...set, '--risk', risk)
  return { dir, args }
}

/**
 * From the start of the process until a bar that is new to the book is in it: everything that a restart takes, the
 * engine's own NATS server included. With `fill` the engine then runs until TAPE has every event.
 */
async function restart(
  name: string,
  { dir, args }: Folder,
  url: string | null,
  fill = false,
): Promise<Figure> {
  const head = await headOf(dir, url)
  const { PATH, HOME } = process.env
  const env = { PATH, HOME, LOG_LEVEL: 'error', ...(url !== null && { EVENTSTORE_URL: url }) }
  const began = performance.now()
  const child = spawn(process.execPath, [join(ROOT, 'scripts/bitacora.mjs'), ...args], {
    cwd: dir,
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = new Promise((resolve) => child.once('close', resolve))
  try {
    const { seconds, natsUrl } = await untilTrading(child, head, began)
    const peakMemoryMb = peakOf(child.pid)
    const cpuSeconds = cpuOf(child.pid)
    if (fill) await untilPublished(natsUrl, head)
    const isTarget = !fill && !name.endsWith('copy') && head + 1 >= TARGETS.restartEvents
    return {
      name,
      events: head + 1,
      seconds,
      cpuSeconds,
      eventsPerSecond: null,
      peakMemoryMb,
      target: isTarget ? `${TARGETS.restartSeconds} s` : null,
      meetsTarget: isTarget ? seconds <= TARGETS.restartSeconds : null,
    }
  } finally {
    child.kill('SIGTERM')
    await ended
  }
}

async function untilPublished(natsUrl: string, head: number): Promise<void> {
  const nc = await connect({ servers: natsUrl })
  try {
    const jsm = await nc.jetstreamManager()
    const limit = performance.now() + START_LIMIT_MS
    while ((await jsm.streams.info('TAPE')).state.last_seq <= head) {
      if (performance.now() > limit) throw new Error('TAPE was not filled in time')
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
  } finally {
    await nc.close()
  }
}

async function untilTrading(
  child: ChildProcess,
  head: number,
  began: number,
): Promise<{ seconds: number; natsUrl: string }> {
  const text = collect(child)
  let url: string | null = null
  let natsUrl = ''
  while (performance.now() - began < START_LIMIT_MS && child.exitCode === null) {
    if (url === null && text.out.endsWith('}\n')) {
      const said = JSON.parse(text.out) as { url?: string; natsUrl?: string }
      if (said.url === undefined) break
      url = said.url
      natsUrl = said.natsUrl ?? ''
    }
    if (url !== null) {
      const status = (await (await fetch(`${url}/status`)).json()) as { position: number }
      // engine.started is the first that a restart appends, a bar of the feed the next.
      if (status.position > head + 1) {
        return { seconds: (performance.now() - began) / 1000, natsUrl }
      }
    }
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  throw new Error(`the engine did not come to trade: ${text.out}`)
}

async function headOf(dir: string, url: string | null): Promise<number> {
  const store = await openStore({ path: join(dir, 'book.db'), url }, { readonly: true })
  try {
    return await store.head(STREAM)
  } finally {
    await store.close()
  }
}

/** Bars behind all that can be among so many events, in minutes that the book has not seen. */
function csv(head: number): string {
  const lines = ['timestamp,open,high,low,close,volume,symbol']
  const first = Math.ceil((head + 1) / SYMBOLS.length)
  for (let minute = first; minute < first + MINUTES_AFTER; minute++) {
    for (let i = 0; i < SYMBOLS.length; i++) {
      const { time, open, high, low, close, volume, symbol } = bar(minute * SYMBOLS.length + i)
      lines.push([time, open, high, low, close, volume, symbol].join(','))
    }
  }
  return `${lines.join('\n')}\n`
}

/** Writes a book as the file that the double keeps: as a server that holds it already. */
async function toDouble(book: string, file: string): Promise<void> {
  const store = openSqliteStore(book, { readonly: true })
  const handle = openSync(file, 'w')
  try {
    for await (const page of store.read(STREAM, 0)) {
      const records = page.map(({ id, type, body, checksum, position }) => ({
        id,
        type,
        json: false,
        data: Buffer.from(body).toString('base64'),
        metadata:
          checksum === null ? '' : Buffer.from(JSON.stringify({ checksum })).toString('base64'),
        stream: STREAM,
        revision: position,
        commit: position,
        created: 1_700_000_000_000,
      }))
      writeSync(handle, `${JSON.stringify(records)}\n`)
    }
  } finally {
    closeSync(handle)
    await store.close()
  }
}

/** Processor time of a process that still runs, where /proc tells it, in ticks of 10 ms as Linux counts them. */
function cpuOf(pid: number | undefined): number | null {
  try {
    // The name in parentheses may hold spaces; user and system time are the 12th and 13th field behind it.
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? []
    return (Number(fields[11]) + Number(fields[12])) / 100
  } catch {
    return null
  }
}

/** Peak resident memory of a process that still runs, where /proc tells it. */
function peakOf(pid: number | undefined): number | null {
  try {
    const match = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))
    return match === null ? null : Math.round(Number(match[1]) / 1024)
  } catch {
    return null
  }
}

export function printFigure(figure: Figure): void {
  const { name, events, seconds, cpuSeconds, eventsPerSecond, peakMemoryMb } = figure
  const { target, meetsTarget } = figure
  const what =
    eventsPerSecond === null
      ? `${seconds.toFixed(1)} s`
      : `${Math.round(eventsPerSecond / 1000)}k events/s`
  const cost = `${cpuSeconds?.toFixed(1) ?? '?'} s CPU`
  const verdict = meetsTarget === null ? '' : `  ${meetsTarget ? 'meets' : 'misses'} ${target}`
  console.log(
    `  ${name.padEnd(44)} ${String(events).padStart(9)} events  ${what.padStart(14)}  ${cost.padStart(11)}  ${String(peakMemoryMb ?? '?').padStart(4)} MB peak${verdict}`,
  )
}
