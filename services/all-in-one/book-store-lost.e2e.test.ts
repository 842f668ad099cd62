import { copyFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { type DoubleProcess, spawnDouble } from '../adapters/eventstoredb/testing/double-process.ts'
import { selfSigned } from '../adapters/eventstoredb/testing/self-signed.ts'
import { prove, reached, TRADING } from './testing/demo-run.ts'
import { bitacora, EngineProcess, inEngineFolder } from './testing/engine-process.ts'

// A book behind gRPC that is taken away from a running engine: credentials, or what it held. Everything runs against the loopback double of the wire
// protocol, not against a real EventStoreDB.

test('credentials that no longer hold end a running engine with 4 and without a password; with good ones it goes on', () =>
  inEngineFolder(async (dir) => {
    const file = join(dir, 'double.log')
    // Only with TLS: the client sends no credentials over a plain line.
    const tls = selfSigned()
    const ca = join(dir, 'ca.pem')
    writeFileSync(ca, tls.certificate)
    let double: DoubleProcess = await spawnDouble({ file, tls, users: { admin: 'first-one' } })
    const { port } = double
    const place = `127.0.0.1:${port}?tls=true&tlsCAFile=${encodeURIComponent(ca)}`
    const env = (password: string) => ({ EVENTSTORE_URL: `esdb://admin:${password}@${place}` })
    try {
      const engine = new EngineProcess(dir, TRADING, env('first-one'))
      await engine.ready(60_000)
      await reached(engine, 0.1)
      await double.kill()
      double = await spawnDouble({ file, port, tls, users: { admin: 'second-one' } })
      assert.is((await engine.exited).code, 4, engine.output.stderr)
      assert.match(engine.output.stderr, /check user and password in EVENTSTORE_URL/)
      const refused = new EngineProcess(dir, TRADING, env('first-one'))
      assert.is((await refused.exited).code, 4)
      for (const { stdout, stderr } of [engine.output, refused.output]) {
        assert.not.match(stdout + stderr, /first-one|second-one/)
      }
      const next = new EngineProcess(dir, TRADING, env('second-one'))
      await next.ready(60_000)
      await prove(next, env('second-one'))
    } finally {
      await double.kill()
    }
  }))

test('a store that came back empty is not gone on with; what it lost is put back from the local copy', () =>
  inEngineFolder(async (dir) => {
    let double: DoubleProcess = await spawnDouble({ file: join(dir, 'double.log') })
    const { port, url } = double
    const env = { EVENTSTORE_URL: url }
    try {
      const engine = new EngineProcess(dir, TRADING, env)
      const { bookId } = await engine.ready(60_000)
      await reached(engine, 0.1)
      await double.kill()
      double = await spawnDouble({ file: join(dir, 'empty.log'), port })
      assert.is((await engine.exited).code, 4, engine.output.stderr)
      assert.match(engine.output.stderr, /are gone, the server is older than it was/)
      const next = new EngineProcess(dir, TRADING, env)
      assert.is((await next.exited).code, 3, next.output.stderr)
      assert.match(next.output.stderr, /book-copy\.db has read it up to \d+: .* are gone there/)
      // As the message says.
      const back = join(dir, 'put-back')
      mkdirSync(back)
      copyFileSync(join(dir, 'book-copy.db'), join(back, 'book.db'))
      const copied = await bitacora(['copy-book', '--dir', back, '--to', url, '--json'], { env })
      assert.is(copied.code, 0, copied.stderr + copied.stdout)
      const last = new EngineProcess(dir, TRADING, env)
      assert.is((await last.ready(60_000)).bookId, bookId)
      await prove(last, env)
    } finally {
      await double.kill()
    }
  }))

test('without a copy, streams and journal tell that a store came back empty', () =>
  inEngineFolder(async (dir) => {
    let double: DoubleProcess = await spawnDouble({ file: join(dir, 'double.log') })
    const { port, url } = double
    const env = { EVENTSTORE_URL: url }
    try {
      const engine = new EngineProcess(dir, TRADING, env)
      const { bookId } = await engine.ready(60_000)
      await reached(engine, 0.1)
      assert.is(await engine.stop(), 0)
      await double.kill()
      double = await spawnDouble({ file: join(dir, 'empty.log'), port })
      rmSync(join(dir, 'book-copy.db'))
      const next = new EngineProcess(dir, TRADING, env)
      assert.is((await next.exited).code, 4, next.output.stderr)
      assert.match(next.output.stderr, bookId)
    } finally {
      await double.kill()
    }
  }))

test.run()
