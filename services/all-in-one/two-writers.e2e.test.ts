import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { spawnDouble } from '../adapters/eventstoredb/testing/double-process.ts'
import { openSqliteStore } from '../adapters/embedded/sqlite-store.ts'
import { openEsdbStore } from '../adapters/eventstoredb/esdb-store.ts'
import { connectNats } from '../adapters/nats/connection.ts'
import { ensureServer } from '../adapters/nats/server.ts'
import { BOOK_COPY_FILE, bookStream } from '../runtime/folder.ts'
import { bitacora, until } from './testing/engine-process.ts'
import { spawnSharedBroker } from './testing/shared-broker.ts'
import { SharedBrokerClient } from './testing/shared-broker-client.ts'
import { SYMBOL, type SharedEngineOptions } from './testing/shared-engine.ts'
import { SharedEngineProcess, TwoWriters } from './testing/two-writers.ts'

const ROUNDS = Number(process.env.ROUNDS ?? 4)
const TTL_MS = Number(process.env.LEASE_TTL_MS ?? 2000)
/** More than any run here can use up. */
const BARS = 500_000
/** What a replaced engine may name as the reason of its end. */
const REPLACED = ['lease_lost', 'wrong_expected_position']

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

/** Two folders, and everything that both engines share. */
async function inTwoFolders(
  body: (world: {
    dirs: [string, string]
    engine: (options: Partial<SharedEngineOptions>) => SharedEngineProcess
    natsUrl: string
    storeUrl: string
    broker: Awaited<ReturnType<typeof spawnSharedBroker>>
  }) => Promise<void>,
): Promise<void> {
  const root = mkdtempSync(join(tmpdir(), 'bitacora-two-'))
  const folder = (name: string): string => {
    mkdirSync(join(root, name))
    return join(root, name)
  }
  const dirs: [string, string] = [folder('a'), folder('b')]
  const nats = await ensureServer({ dir: folder('nats') })
  const ends: (() => unknown)[] = [() => nats.stop()]
  const engines: SharedEngineProcess[] = []
  try {
    const double = await spawnDouble({ file: join(root, 'double.log') })
    ends.push(() => double.kill())
    const broker = await spawnSharedBroker(folder('broker'), join(root, 'calls.ndjson'))
    ends.push(() => broker.child.kill('SIGKILL'))
    const engine = (options: Partial<SharedEngineOptions>): SharedEngineProcess => {
      const one = new SharedEngineProcess({
        ...{ name: 'A', dir: dirs[0], natsUrl: nats.url, eventStoreUrl: double.url },
        ...{ brokerPort: broker.port, standby: false, ttlMs: TTL_MS, speed: 80, bars: BARS },
        ...options,
      })
      engines.push(one)
      return one
    }
    await body({ dirs, engine, natsUrl: nats.url, storeUrl: double.url, broker })
  } finally {
    for (const { child } of engines) child.kill('SIGKILL')
    for (const end of ends.reverse()) await end()
    rmSync(root, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 })
  }
}

test(`${ROUNDS} times paused, replaced, resumed: one writer, no order twice, no input lost`, () =>
  inTwoFolders(async ({ dirs, engine, natsUrl, storeUrl, broker }) => {
    const nc = await connectNats(natsUrl, 'test')
    const store = await openEsdbStore(storeUrl)
    const book = new TwoWriters(store)
    const names = ['A1']
    let signals = 0
    const signal = (): Promise<void> => {
      const side = ['buy', 'sell', 'close'][signals % 3]
      const qty = side === 'close' ? {} : { qty: '10' }
      return book.publishSignal(nc, `s${++signals}`, { symbol: SYMBOL, side, ...qty })
    }
    const bookGrows = async (by: number, active: SharedEngineProcess): Promise<void> => {
      const goal = book.counts.bars + by
      while (book.counts.bars < goal && active.over === null) {
        await book.readOn()
        await sleep(20)
      }
    }
    const errors: Record<string, number> = {}
    let late = 0
    try {
      let active = engine({ name: 'A1' })
      await active.within(active.ready, 'it is ready')
      const unwatch = await book.watchMarket(nc)
      for (let round = 1; round <= ROUNDS; round++) {
        const speed = Math.random() < 0.3 ? 'max' : 80
        const standby = engine({
          ...{ name: `${round % 2 ? 'B' : 'A'}${round + 1}`, dir: dirs[round % 2]! },
          ...{ standby: true, speed },
        })
        names.push(standby.name)
        await standby.within(standby.waits, 'it waits')
        if (round === 1) {
          const { bookId } = await book.readOn().then(() => book)
          const watcher = await SharedBrokerClient.open(broker.port, 'watcher', {
            ...{ bookId, settings: undefined as never },
          })
          watcher.reports(0, (report) => book.hear(report))
        }
        await bookGrows(10, active)
        await signal()
        await sleep(Math.random() * 400)
        active.signal('SIGSTOP')
        await signal()
        await signal()
        await standby.within(standby.ready, 'it has taken over')
        await bookGrows(15, standby)
        await signal()
        active.signal('SIGCONT')
        const { code, error } = await active.within(active.ended, 'it has ended')
        assert.is(code, 4, `${active.name}: ${error} ${active.stderr}`)
        assert.ok(REPLACED.includes(String(error)), `${active.name}: ${error}`)
        errors[String(error)] = (errors[String(error)] ?? 0) + 1
        await book.complete()
        assert.is(book.runs.length, names.length, 'each takeover is one start in the book')
        late = book.checkCalls(broker.calls(), names)
        book.checkBroker()
        active = standby
      }
      active.signal('SIGTERM')
      assert.equal(await active.within(active.ended, 'it has ended'), { code: 0, error: null })
      await unwatch()

      // No more bars come: what is under way settles, and both sides are compared as they stand.
      await book.complete(1).catch(() => undefined)
      const last = engine({ name: 'last', bars: book.counts.bars })
      names.push('last')
      await last.within(last.ready, 'it is ready')
      const until = Date.now() + 30_000
      while (book.unheard > 0 && Date.now() < until) {
        await sleep(50)
        await book.readOn()
      }
      await book.complete()
      const repeats = await book.checkTape(nc)
      last.signal('SIGTERM')
      assert.is((await last.ended).code, 0, last.stderr)
      await book.readOn()
      late = book.checkCalls(broker.calls(), names)
      book.checkBroker()
      assert.is(book.unheard, 0)
      const client = await SharedBrokerClient.open(broker.port, 'end', {
        ...{ bookId: book.bookId, settings: undefined as never },
      })
      const held = [...(await client.positions())].map(([symbol, qty]) => [symbol, Number(qty)])
      client.close()
      assert.equal(
        held,
        [...book.positions].filter(([, qty]) => qty !== 0),
      )
      assert.is(book.counts.signals, signals)
      assert.is(book.counts.anomalies, 0)
      assert.is(book.position, await store.head(bookStream()))
      const env = { EVENTSTORE_URL: storeUrl }
      const verified = await bitacora(['verify', '--dir', dirs[0], '--json'], { env })
      assert.is(verified.code, 0, verified.stderr)
      console.log(
        JSON.stringify({
          ...{ rounds: ROUNDS, orders: book.orders, ...book.counts },
          ...{ caughtCalls: late, tapeRepeats: repeats, errors },
        }),
      )
    } finally {
      await store.close()
      await nc.close()
    }
  }))

test('an engine that is asked to end hands over at once, however long its lease would last', () =>
  inTwoFolders(async ({ dirs, engine }) => {
    const long = { ttlMs: 3_600_000 }
    const first = engine({ name: 'A1', ...long })
    await first.within(first.ready, 'it is ready')
    const second = engine({ name: 'B2', dir: dirs[1], standby: true, ttlMs: 1000 })
    await second.within(second.waits, 'it waits')
    // While it waits it reads along, so that its copy of the book is warm when its turn comes.
    const copied = async (): Promise<number> => {
      const copy = openSqliteStore(join(dirs[1], BOOK_COPY_FILE), { readonly: true })
      try {
        return await copy.head(bookStream())
      } finally {
        await copy.close()
      }
    }
    const before = await until('it has read', async () => (await copied()) + 1)
    await until('it reads on', async () => (await copied()) > before + 20)
    first.signal('SIGTERM')
    assert.equal(await first.within(first.ended, 'it has ended'), { code: 0, error: null })
    await second.within(second.ready, 'it has taken over')
    // Killed, and started again on its folder: its own lease is no obstacle.
    const third = engine({ name: 'B3', dir: dirs[1], ...long })
    assert.is((await third.within(third.ended, 'it has ended')).error, 'folder_in_use')
    second.signal('SIGKILL')
    await second.ended
    const fourth = engine({ name: 'B4', dir: dirs[1], ...long })
    await fourth.within(fourth.ready, 'it is ready')
    fourth.signal('SIGKILL')
    await fourth.ended
    const fifth = engine({ name: 'B5', dir: dirs[1], ...long })
    await fifth.within(fifth.ready, 'it is ready again')
  }))

test.run()
