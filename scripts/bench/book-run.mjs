// One measurement of the book, in a process of its own, with the compiled engine. Prints one JSON line.
//   append SQLITE_PATH|URL EVENTS   bars through the real writer into the store
//   raw    SQLITE_PATH|URL EVENTS   ready-made appends through the port of the store
//   project SQLITE_PATH|URL         the read model from the book, from its first event
//   recover SQLITE_PATH|URL         the writer's state from the book, every checksum looked at
import { hash } from 'node:crypto'
import { join } from 'node:path'
import { openStore } from '../../dist/services/adapters/open-store.js'
import { startProjector } from '../../dist/services/projector/projector.js'
import { bookStream } from '../../dist/services/runtime/folder.js'
import { createLog } from '../../dist/services/runtime/log.js'
import { recover } from '../../dist/services/writer/recover.js'
import { Writer } from '../../dist/services/writer/writer.js'
import { ACCOUNT, BOOK_ID, MemoryBus, SETTINGS, START } from './book-inputs.mjs'

const [task, place, count] = process.argv.slice(2)
const events = Number(count)
const url = place.startsWith('esdb') ? place : null
const stream = bookStream(ACCOUNT)
const sha256 = (text) => hash('sha256', text)
const TASKS = { append, raw, project, recover: recovery }

const store = await openStore({ path: url === null ? place : join('/nonexistent', 'book.db'), url })
const result = await TASKS[task]()
await store.close()
console.log(
  JSON.stringify({ ...result, peakMemoryMb: Math.round(process.resourceUsage().maxRSS / 1024) }),
)
process.exit(0)

/** Wall clock and processor time since now, all threads; on a loaded machine the second still says what it costs. */
function stopwatch() {
  const began = performance.now()
  const cpu = process.cpuUsage()
  return (events) => {
    const seconds = (performance.now() - began) / 1000
    const { user, system } = process.cpuUsage(cpu)
    const cpuSeconds = (user + system) / 1e6
    return {
      events,
      seconds,
      cpuSeconds,
      eventsPerSecond: Math.round(events / seconds),
      eventsPerCpuSecond: Math.round(events / cpuSeconds),
    }
  }
}

async function append() {
  const bus = new MemoryBus()
  let appends = 0
  const observed = {
    append: async (...call) => {
      const last = await store.append(...call)
      appends += 1
      bus.answer(call[2])
      return last
    },
    head: (...call) => store.head(...call),
    read: (...call) => store.read(...call),
  }
  const writer = new Writer({
    store: observed,
    stream,
    bus,
    recovered: await recover(store, stream, sha256),
    account: ACCOUNT,
    bookId: BOOK_ID,
    run: '0123456789abcdef',
    codeHash: '0'.repeat(64),
    engineVersion: '0.0.0',
    settings: SETTINGS,
    hash: sha256,
    clock: { now: Date.now },
    rules: { requireSignature: false, checkSignature: () => null, now: Date.now },
    origin: START,
    deadLetter: async () => {},
    log: createLog({ level: 'warn', name: 'bench' }),
  })
  await writer.start()
  // The compiler settles first.
  const warm = Math.min(20_000, events / 5)
  let bars = await bus.feed(0, () => writer.position >= warm)
  const before = writer.position
  const appendsBefore = appends
  const measure = stopwatch()
  bars = await bus.feed(bars, () => writer.position >= events - 1)
  const measured = measure(writer.position - before)
  await writer.close()
  return { ...measured, bars, appends: appends - appendsBefore }
}

/** As large as the writer makes them under load, of the same bodies. */
async function raw() {
  const source = []
  for await (const page of store.read(stream, 0, 50_000)) source.push(...page)
  const size = 400
  let head = -1
  const target = 'raw'
  const measure = stopwatch()
  while (head < events - 1) {
    const batch = []
    for (let i = 1; i <= size; i++) {
      const from = source[(head + i) % source.length]
      const id = `01234567-89ab-8cde-8000-${(head + i).toString(16).padStart(12, '0')}`
      batch.push({ id, type: from.type, body: from.body, checksum: from.checksum })
    }
    head = await store.append(target, head, batch)
  }
  return measure(head + 1)
}

async function project() {
  const head = await store.head(stream)
  const measure = stopwatch()
  const projector = startProjector({ store, stream })
  if (!(await projector.waitFor(head, 600_000))) throw projector.failure()
  const measured = measure(head + 1)
  await projector.close()
  return measured
}

async function recovery() {
  const measure = stopwatch()
  const { last } = await recover(store, stream, sha256)
  return measure(last + 1)
}
