import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { spawnDouble } from '../adapters/eventstoredb/testing/double-process.ts'
import { bitacora, EngineProcess, inEngineFolder, until } from './testing/engine-process.ts'

// Everything here runs against the loopback double of the wire protocol, not against a real EventStoreDB.
const SETTINGS = [
  '--speed',
  'max',
  '--set',
  'fast=2',
  'slow=5',
  'mode=reverse',
  'size=50',
  '--risk',
  'off',
]
const BARS = 1260

const bars = async (engine: EngineProcess): Promise<number> =>
  (await engine.get<{ counts: { bars: number } }>('/status')).counts.bars

test('the book in an event store behind gRPC: kills of engine and store change nothing', () =>
  inEngineFolder(async (dir) => {
    const file = join(dir, 'double.log')
    let double = await spawnDouble({ file })
    const { port, url } = double
    const env = { EVENTSTORE_URL: url }
    try {
      let engine = new EngineProcess(dir, SETTINGS, env)
      await engine.ready()
      for (const share of [0.1, 0.3, 0.5]) {
        await until('some bars are in', async () => (await bars(engine)) >= BARS * share, 60_000)
        await engine.kill()
        engine = new EngineProcess(dir, SETTINGS, env)
        await engine.ready()
      }
      // The store goes away under a running engine and comes back with all that it had confirmed.
      await double.kill()
      await new Promise((resolve) => setTimeout(resolve, 500))
      double = await spawnDouble({ file, port })
      await until('all bars are in', async () => (await bars(engine)) >= BARS, 90_000)
      const portfolio = await engine.get<{ equity: string }>('/portfolio')
      assert.is(await engine.stop(), 0, engine.output.stderr)

      const verified = await bitacora(['verify', '--dir', dir, '--json'], { env })
      assert.is(verified.code, 0, verified.stderr)
      const { digest } = JSON.parse(verified.stdout) as { digest: string }
      const backtest = await bitacora(['backtest', '--history', '--dir', dir, '--json'], { env })
      assert.is(backtest.code, 0, backtest.stderr)
      const summary = JSON.parse(backtest.stdout) as { digest: string; equity: { end: string } }
      assert.is(summary.digest, digest)
      assert.is(summary.equity.end, portfolio.equity)
    } finally {
      await double.kill()
    }
  }))

test('a folder with a book of its own is not split by EVENTSTORE_URL', () =>
  inEngineFolder(async (dir) => {
    const engine = new EngineProcess(dir, ['--speed', '50'])
    await engine.ready()
    assert.is(await engine.stop(), 0)
    const refused = new EngineProcess(dir, [], { EVENTSTORE_URL: 'esdb://127.0.0.1:1?tls=false' })
    assert.is((await refused.exited).code, 4)
    assert.match(refused.output.stderr, /would split it in two/)
  }))

test.run()
