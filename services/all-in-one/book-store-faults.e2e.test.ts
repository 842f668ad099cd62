import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { spawnDouble } from '../adapters/eventstoredb/testing/double-process.ts'
import { faultyLine } from '../adapters/eventstoredb/testing/faulty-line.ts'
import { bitacora, EngineProcess, inEngineFolder, until } from './testing/engine-process.ts'

// What a book behind gRPC can suffer, seen from outside. Everything runs against the loopback double of the wire
// protocol, not against a real EventStoreDB.
const SETTINGS = ['--speed', 'max', '--set', 'fast=2', 'slow=5', 'mode=reverse', 'size=50']
const BARS = 1260

const bars = async (engine: EngineProcess): Promise<number> =>
  (await engine.get<{ counts: { bars: number } }>('/status')).counts.bars

const reached = (engine: EngineProcess, share: number) =>
  until(`${share} of the bars`, async () => (await bars(engine)) >= BARS * share, 120_000)

/** Stops the engine at the end of its data; the book proves itself, and a backtest of it decides the same. */
async function prove(engine: EngineProcess, env: Record<string, string>): Promise<void> {
  await reached(engine, 1)
  assert.is(await engine.stop(), 0, engine.output.stderr)
  const dir = engine.folder
  const verified = await bitacora(['verify', '--dir', dir, '--json'], { env })
  assert.is(verified.code, 0, verified.stderr + verified.stdout)
  const backtest = await bitacora(['backtest', '--history', '--dir', dir, '--json'], { env })
  assert.is(backtest.code, 0, backtest.stderr)
  const digest = (text: string) => (JSON.parse(text) as { digest: string }).digest
  assert.is(digest(backtest.stdout), digest(verified.stdout))
}

test('a store that times out after writing, forgets that it did, is slow, and whose line is cut: all is in the book once', () =>
  inEngineFolder(async (dir) => {
    const double = await spawnDouble({ file: join(dir, 'double.log') })
    const line = await faultyLine(double.port)
    try {
      const env = { EVENTSTORE_URL: `esdb://127.0.0.1:${line.port}?tls=false` }
      const engine = new EngineProcess(dir, SETTINGS, env)
      await engine.ready(60_000)
      await reached(engine, 0.1)
      double.fault({ timeOutAfterWriting: 5 })
      await reached(engine, 0.2)
      // The repeated append is answered by "somebody else wrote": whoever believes it ends an engine that is alone.
      double.fault({ timeOutAfterWriting: 5, forgetIds: true })
      await reached(engine, 0.3)
      double.fault({ swallowAnswers: 1 })
      await reached(engine, 0.4)
      double.fault({ forgetIds: false, delayMs: 300 })
      await new Promise((resolve) => setTimeout(resolve, 3000))
      double.fault({ delayMs: 0 })
      for (const share of [0.5, 0.55, 0.6, 0.65, 0.7]) {
        await reached(engine, share)
        line.cut()
      }
      line.refusing = true
      line.cut()
      await new Promise((resolve) => setTimeout(resolve, 1500))
      line.refusing = false
      await prove(engine, env)
    } finally {
      await line.close()
      await double.kill()
    }
  }))

test('a store that refuses: not ready, named, alive, and on again when it takes appends', () =>
  inEngineFolder(async (dir) => {
    const double = await spawnDouble({ file: join(dir, 'double.log') })
    try {
      const env = { EVENTSTORE_URL: double.url }
      const engine = new EngineProcess(dir, SETTINGS, env)
      const { url } = await engine.ready(60_000)
      await reached(engine, 0.1)
      double.fault({ refuseAppends: 1_000_000 })
      const unready = await until(
        'not ready',
        async () => {
          const response = await fetch(`${url}/readyz`)
          return response.status === 503 && response.text()
        },
        60_000,
      )
      assert.match(
        unready,
        /does not take an append: esdb:.*no answer to an append of account-main/,
      )
      assert.match(unready, /check that the server runs/)
      assert.is((await fetch(`${url}/livez`)).status, 200)
      const before = await bars(engine)
      double.fault({ refuseAppends: 0 })
      await until('it goes on', async () => (await bars(engine)) > before, 60_000)
      assert.is((await fetch(`${url}/readyz`)).status, 200)
      await prove(engine, env)
    } finally {
      await double.kill()
    }
  }))

test.run()
