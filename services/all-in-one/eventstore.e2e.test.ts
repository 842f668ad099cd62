import { renameSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { spawnDouble } from '../adapters/eventstoredb/testing/double-process.ts'
import { prove, reached, TRADING, TRADING_WITHOUT_LIMITS } from './testing/demo-run.ts'
import { bitacora, EngineProcess, inEngineFolder } from './testing/engine-process.ts'

// Everything here runs against the loopback double of the wire protocol, not against a real EventStoreDB.

test('the book in an event store behind gRPC: kills of engine and store change nothing', () =>
  inEngineFolder(async (dir) => {
    const file = join(dir, 'double.log')
    let double = await spawnDouble({ file })
    const { port, url } = double
    const env = { EVENTSTORE_URL: url }
    try {
      let engine = new EngineProcess(dir, TRADING_WITHOUT_LIMITS, env)
      await engine.ready()
      for (const share of [0.1, 0.3, 0.5]) {
        await reached(engine, share)
        await engine.kill()
        engine = new EngineProcess(dir, TRADING_WITHOUT_LIMITS, env)
        await engine.ready()
      }
      // The store goes away under a running engine and comes back with all that it had confirmed.
      await double.kill()
      await new Promise((resolve) => setTimeout(resolve, 500))
      double = await spawnDouble({ file, port })
      await reached(engine, 1)
      const { equity } = await engine.get<{ equity: string }>('/portfolio')
      assert.is((await prove(engine, env)).equity.end, equity)
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

test('a folder whose book lies in EventStoreDB gets no second one, and can be made to have the first', () =>
  inEngineFolder(async (dir) => {
    const double = await spawnDouble({ file: join(dir, 'double.log') })
    const env = { EVENTSTORE_URL: double.url }
    try {
      const engine = new EngineProcess(dir, TRADING, env)
      await engine.ready()
      await reached(engine, 1)
      assert.is(await engine.stop(), 0, engine.output.stderr)
      const refused = new EngineProcess(dir, TRADING)
      assert.is((await refused.exited).code, 4)
      assert.match(refused.output.stderr, /book-copy\.db is a copy of it: set EVENTSTORE_URL/)
      assert.is((await bitacora(['verify', '--dir', dir])).code, 4)
      // As the message says.
      renameSync(join(dir, 'book-copy.db'), join(dir, 'book.db'))
      await prove(new EngineProcess(dir, TRADING))
    } finally {
      await double.kill()
    }
  }))

test.run()
