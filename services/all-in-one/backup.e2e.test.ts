import { cpSync, existsSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { format } from '../../engine/decimal.ts'
import { spawnDouble } from '../adapters/eventstoredb/testing/double-process.ts'
import { connectNats } from '../adapters/nats/connection.ts'
import { isAlive } from '../adapters/nats/process-table.ts'
import { readAnchors } from '../book-tools/anchor.ts'
import { RESTORED_FILE } from '../book-tools/restored.ts'
import { DEFAULT_EXCHANGE } from '../cli/settings.ts'
import { openSimBroker } from '../simulator/sim-broker.ts'
import { bars, DEMO_BARS } from './testing/demo-run.ts'
import { bitacora, EngineProcess, inEngineFolder, until } from './testing/engine-process.ts'

const STRATEGY = ['--set', 'fast=2', 'slow=5', 'mode=reverse', 'size=50', '--risk', 'off']

interface Portfolio {
  position: number
  positions: { symbol: string; qty: string }[]
  cash: string
}

async function ok(args: readonly string[], env: Record<string, string> = {}): Promise<string> {
  const { code, stdout, stderr } = await bitacora(args, { env })
  assert.is(code, 0, `${args.join(' ')}: ${stdout}${stderr}`)
  return stdout
}

/** The folder's own server, asked to close its files. */
async function stopNats(dir: string): Promise<void> {
  const { pid } = JSON.parse(readFileSync(join(dir, 'nats.json'), 'utf8')) as { pid: number }
  process.kill(pid, 'SIGTERM')
  await until('the server is gone', async () => !isAlive(pid))
}

/** TAPE as it stands: positions of its messages. */
async function tapePositions(url: string): Promise<number[]> {
  const nc = await connectNats(url, 'test')
  try {
    const found: number[] = []
    const consumer = await nc.jetstream().consumers.get('TAPE')
    const { num_pending: pending } = await consumer.info()
    if (pending === 0) return found
    for await (const message of await consumer.fetch({ max_messages: pending, expires: 20_000 })) {
      found.push(Number(message.headers?.get('bitacora-position')))
      if (found.length === pending) break
    }
    return found
  } finally {
    await nc.close()
  }
}

const refused = async (dir: string, code: string, message: RegExp): Promise<void> => {
  const engine = new EngineProcess(dir, ['--speed', 'max', ...STRATEGY])
  assert.is((await engine.exited).code, 3, engine.output.stderr)
  assert.is(JSON.parse(engine.output.stdout).error.code, code)
  assert.match(engine.output.stderr, message)
}

test('a backup beside a running engine is restored, and the engine goes on with what NATS still has', () =>
  inEngineFolder(async (base) => {
    const lost = join(base, 'lost')
    const saved = join(base, 'saved')
    await inEngineFolder(async (again) => {
      const signal = (dir: string, id: string) =>
        ok([
          'signal',
          'buy',
          'AAPL',
          '--qty',
          '1',
          '--id',
          id,
          '--operator',
          'ann',
          '--valid-for',
          'PT1H',
          '--wait',
          '20s',
          '--dir',
          dir,
        ])
      const engine = new EngineProcess(lost, ['--speed', '60', ...STRATEGY])
      try {
        await engine.ready()
        await until('there was trading', async () => (await bars(engine)) >= 60)
        await signal(lost, 'before')
        const made = JSON.parse(await ok(['backup', saved, '--dir', lost, '--json']))
        assert.ok(made.head.position > 100)
        assert.ok(made.brokerSequence > 5)
        await signal(lost, 'since')
        const rebuilt = JSON.parse(await ok(['rebuild', '--dir', lost, '--json']))
        assert.equal(rebuilt.projections.differing, [])
        assert.match(rebuilt.projections.comparedWith, 'http://127.0.0.1')
        assert.equal(rebuilt.tape, { events: null })
        await ok(['audit', 'verify', '--dir', lost])
        await until('the book is ahead of the backup', async () => {
          const { position } = await engine.get<{ position: number }>('/status')
          return position > made.head.position + 50
        })
      } finally {
        await engine.kill()
        await stopNats(lost)
      }

      await ok(['restore', saved, '--dir', again])
      renameSync(join(lost, 'jetstream'), join(again, 'jetstream'))
      const restored = new EngineProcess(again, ['--speed', 'max', ...STRATEGY])
      const { natsUrl } = await restored.ready()
      assert.not.ok(existsSync(join(again, RESTORED_FILE)))
      await until('all bars are in', async () => (await bars(restored)) >= DEMO_BARS, 120_000)
      const { items } = await restored.get<{ items: { signalId: string; verdict: string }[] }>(
        '/signals?limit=500&order=asc',
      )
      const asked = items.filter(({ signalId }) => ['before', 'since'].includes(signalId))
      assert.equal(
        asked.map(({ signalId, verdict }) => `${signalId} ${verdict}`),
        ['before approved', 'since approved'],
      )
      const portfolio = await restored.get<Portfolio>('/portfolio')
      const whole = Array.from({ length: portfolio.position + 1 }, (_, position) => position)
      let tape: number[] = []
      await until('TAPE is whole', async () => {
        tape = await tapePositions(natsUrl)
        return tape.length >= whole.length
      })
      assert.equal(tape, whole)
      assert.is(await restored.stop(), 0, restored.output.stderr)

      await ok(['verify', '--dir', again])
      // The last anchor is of the last step.
      const audit = JSON.parse(await ok(['audit', 'verify', '--dir', again, '--json']))
      assert.is(readAnchors(again).at(-1)?.position, audit.head.position)
      const broker = openSimBroker({ dir: again, bookId: audit.bookId, settings: DEFAULT_EXCHANGE })
      assert.is(format(broker.account.cash), portfolio.cash)
      for (const { symbol, qty } of portfolio.positions) {
        assert.is(format(broker.account.position(symbol)), qty)
      }
      broker.close()

      await olderBooks(base, again, saved)
      await movesOn(again, audit.head.position)
    })
  }))

/** Books put back by hand are refused by everybody who knows better. */
async function olderBooks(base: string, newest: string, saved: string): Promise<void> {
  const copy = join(base, 'copy')
  const fresh = () => {
    rmSync(copy, { recursive: true, force: true })
    cpSync(newest, copy, { recursive: true })
    for (const name of ['nats.json', 'nats.conf']) rmSync(join(copy, name), { force: true })
  }
  fresh()
  cpSync(join(saved, 'book.db'), join(copy, 'book.db'))
  await refused(copy, 'book_older', /the anchor of .* has seen it up to/)
  rmSync(join(copy, 'anchors.ndjson'))
  await refused(copy, 'book_older', /TAPE carries it up to/)
  rmSync(join(copy, 'jetstream'), { recursive: true })
  await refused(copy, 'broker_ahead', /the broker knows order b[0-9a-f]+-\d+, and the last order/)
  fresh()
  cpSync(join(saved, 'sim-broker.db'), join(copy, 'sim-broker.db'))
  await refused(copy, 'broker_behind', /ends at report \d+, and the book tells of report/)
  rmSync(join(copy, 'sim-broker.db'))
  await refused(copy, 'broker_behind', /ends at report 0/)
  rmSync(copy, { recursive: true, force: true })
}

/** The book moves to another store, and the engine goes on there with the same broker. */
async function movesOn(dir: string, position: number): Promise<void> {
  const double = await spawnDouble()
  try {
    await ok(['copy-book', '--to', double.url, '--dir', dir])
    renameSync(join(dir, 'book.db'), join(dir, 'book-before.db'))
    const env = { EVENTSTORE_URL: double.url }
    const moved = new EngineProcess(dir, ['--speed', 'max', ...STRATEGY], env)
    await moved.ready()
    const status = await moved.get<{ position: number }>('/status')
    assert.is(status.position, position + 1, 'another start, and nothing else')
    assert.is(await moved.stop(), 0, moved.output.stderr)
    await ok(['verify', '--dir', dir], env)
  } finally {
    await double.kill()
  }
}

test.run()
