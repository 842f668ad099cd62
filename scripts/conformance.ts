// Runs the EventStore port's contract suite against a real EventStoreDB: `npm run conformance -- [URL]`, or the
// URL in EVENTSTORE_URL. Writes only to streams named contract-<uuid>…, and deletes what it wrote.
import { EventStoreDBClient } from '@eventstore/db-client'
import type { EventStore } from '../engine/ports/event-store.ts'
import { eventStoreContract } from '../services/adapters/contract/event-store-contract.ts'
import { openEsdbStore } from '../services/adapters/eventstoredb/esdb-store.ts'
import { shownUrl } from '../services/adapters/eventstoredb/esdb-url.ts'

const NOT_REACHABLE = 4
const USAGE = 2
const TEST_MS = 120_000

/** Deletes softly (`--tombstone`: for good); a soft deletion leaves a metadata stream until the next scavenge. */
const TOMBSTONE = '--tombstone'

interface Totals {
  passed: number
  failed: number
}

async function main(args: readonly string[]): Promise<number> {
  const url = args.find((arg) => !arg.startsWith('--')) ?? process.env['EVENTSTORE_URL'] ?? ''
  const unknown = args.find((arg) => arg.startsWith('--') && arg !== TOMBSTONE)
  if (url === '' || unknown !== undefined) {
    process.stderr.write(
      `usage: npm run conformance -- [${TOMBSTONE}] [URL], e.g. esdb://localhost:2113?tls=false; or set EVENTSTORE_URL\n`,
    )
    return USAGE
  }
  try {
    await (await openEsdbStore(url)).close()
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n`)
    return NOT_REACHABLE
  }
  process.stdout.write(`EventStore contract against ${shownUrl(url)}\n`)
  const written = new Set<string>()
  const stop = interrupted()
  const strays: unknown[] = []
  process.on('unhandledRejection', (error) => void strays.push(error))
  const totals = await runContract(url, written, stop)
  totals.failed += strays.length
  for (const error of strays) process.stdout.write(`FAIL  outside every test: ${String(error)}\n`)
  const { deleted, left } = await removeStreams(url, written, args.includes(TOMBSTONE))
  process.stdout.write(`${totals.passed} passed, ${totals.failed} failed\n`)
  process.stdout.write(`${deleted} streams deleted, ${left.length} left\n`)
  for (const line of left) process.stderr.write(`not deleted: ${line}\n`)
  return totals.failed === 0 && totals.passed > 0 && left.length === 0 && !stop.value ? 0 : 1
}

/** The suite's tests one by one, with a line each; uvu's own runner would print and exit by itself. */
async function runContract(
  url: string,
  written: Set<string>,
  stop: { value: boolean },
): Promise<Totals> {
  const tests: { title: string; body: () => Promise<void> }[] = []
  const collector = (title: string, body: () => Promise<void>) => void tests.push({ title, body })
  const open = async () => {
    const handles: EventStore[] = []
    const another = async () => {
      const store = await openEsdbStore(url)
      handles.push(store)
      return recording(store, written)
    }
    const dispose = async () => {
      await Promise.all(handles.map((handle) => handle.close()))
    }
    return { store: await another(), another, dispose }
  }
  eventStoreContract(collector as never, 'eventstoredb', open, { propertyRuns: 10 })
  const totals = { passed: 0, failed: 0 }
  for (const { title, body } of tests) {
    if (stop.value) break
    const start = performance.now()
    try {
      await inTime(body())
      totals.passed += 1
      process.stdout.write(`ok    ${title} (${Math.round(performance.now() - start)} ms)\n`)
    } catch (error) {
      totals.failed += 1
      const text = error instanceof Error ? (error.stack ?? error.message) : String(error)
      process.stdout.write(`FAIL  ${title}\n      ${text.replaceAll('\n', '\n      ')}\n`)
    }
  }
  return totals
}

async function inTime(test: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not done in ${TEST_MS} ms`)), TEST_MS)
  })
  await Promise.race([test, late]).finally(() => clearTimeout(timer))
}

/** The same store, which notes the streams it was told to write, also when the answer was lost. */
function recording(store: EventStore, written: Set<string>): EventStore {
  return {
    append: (stream, expected, events) => {
      written.add(stream)
      return store.append(stream, expected, events)
    },
    read: (stream, from, to) => store.read(stream, from, to),
    head: (stream) => store.head(stream),
    subscribe: (stream, from, handler) => store.subscribe(stream, from, handler),
    close: () => store.close(),
  }
}

/** `left` says what could not be deleted, with the reason. */
async function removeStreams(
  url: string,
  written: ReadonlySet<string>,
  forGood: boolean,
): Promise<{ deleted: number; left: string[] }> {
  const client = EventStoreDBClient.connectionString(url)
  const store = await openEsdbStore(url)
  const left: string[] = []
  let deleted = 0
  for (const stream of written) {
    try {
      // Refused appends leave no stream.
      if ((await store.head(stream)) < 0) continue
      if (forGood) await client.tombstoneStream(stream)
      else await client.deleteStream(stream)
      deleted += 1
    } catch (error) {
      left.push(`${stream}: ${(error as Error).message}`)
    }
  }
  await store.close()
  await client.dispose()
  return { deleted, left }
}

/** The first Ctrl-C ends after the running test, so that its streams are deleted. */
function interrupted(): { value: boolean } {
  const state = { value: false }
  process.once('SIGINT', () => {
    state.value = true
  })
  return state
}

process.exit(await main(process.argv.slice(2)))
