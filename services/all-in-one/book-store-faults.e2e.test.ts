import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { spawnDouble } from '../adapters/eventstoredb/testing/double-process.ts'
import { faultyLine } from '../adapters/eventstoredb/testing/faulty-line.ts'
import { bars, prove, reached, TRADING } from './testing/demo-run.ts'
import { EngineProcess, inEngineFolder, until } from './testing/engine-process.ts'

// What a book behind gRPC can suffer, seen from outside. Everything runs against the loopback double of the wire
// protocol, not against a real EventStoreDB.

test('a store that times out after writing, forgets that it did, is slow, and whose line is cut: all is in the book once', () =>
  inEngineFolder(async (dir) => {
    const double = await spawnDouble({ file: join(dir, 'double.log') })
    const line = await faultyLine(double.port)
    try {
      const env = { EVENTSTORE_URL: `esdb://127.0.0.1:${line.port}?tls=false` }
      const engine = new EngineProcess(dir, TRADING, env)
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
      const engine = new EngineProcess(dir, TRADING, env)
      const { url } = await engine.ready(60_000)
      await reached(engine, 0.1)
      double.fault({ refuseAppends: 1_000_000 })
      const unready = await until(
        'not ready',
        async () => {
          const response = await fetch(`${url}/readyz`)
          const text = await response.text()
          // Before the store has given up, how long it has waited.
          if (response.status === 503) assert.match(text, /waited \d+ s|does not take an append/)
          return text.includes('does not take an append') && text
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
