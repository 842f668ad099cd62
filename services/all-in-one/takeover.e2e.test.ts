import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { spawnDouble } from '../adapters/eventstoredb/testing/double-process.ts'
import { ensureServer } from '../adapters/nats/server.ts'
import { EngineProcess, until } from './testing/engine-process.ts'

interface Check {
  name: string
  ok: boolean
  detail?: string
}
interface Failure {
  error: { code: string; message: string; holder?: { id: string; host: string; pid: number } }
}

/** Two folders for engines of one book, started as users start them. */
async function inTwoFolders(
  body: (start: (folder: 'a' | 'b', ...args: string[]) => EngineProcess) => Promise<void>,
): Promise<void> {
  const root = mkdtempSync(join(tmpdir(), 'bitacora-takeover-'))
  for (const name of ['a', 'b', 'nats']) mkdirSync(join(root, name))
  const nats = await ensureServer({ dir: join(root, 'nats') })
  const engines: EngineProcess[] = []
  const ends: (() => unknown)[] = [() => nats.stop()]
  try {
    const double = await spawnDouble()
    ends.push(() => double.kill())
    const env = { NATS_URL: nats.url, EVENTSTORE_URL: double.url, LOG_LEVEL: 'info' }
    await body((folder, ...args) => {
      const engine = new EngineProcess(join(root, folder), ['--speed', '2', ...args], env)
      engines.push(engine)
      return engine
    })
  } finally {
    for (const { child } of engines) child.kill('SIGKILL')
    for (const end of ends.reverse()) await end()
    rmSync(root, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 })
  }
}

const failure = (engine: EngineProcess): Failure['error'] =>
  (JSON.parse(engine.output.stdout) as Failure).error

const waits = (engine: EngineProcess): Promise<true> =>
  until('it waits', async () => engine.output.stderr.includes('standby: account main') && true)

/** A paused engine may have said that it is ready before: what it says last is its error. */
const lastWords = (engine: EngineProcess): Failure['error'] => {
  const { stdout } = engine.output
  return (JSON.parse(stdout.slice(stdout.lastIndexOf('\n{') + 1)) as Failure).error
}

test('a second engine on the book is refused by name; the first shows its lease', () =>
  inTwoFolders(async (start) => {
    const first = start('a')
    await first.ready()
    const { checks } = await first.get<{ checks: Check[] }>('/readyz')
    assert.equal(
      checks.find(({ name }) => name === 'lease'),
      { name: 'lease', ok: true },
    )
    const second = start('b')
    assert.is((await second.exited).code, 4)
    const { code, message, holder } = failure(second)
    assert.is(code, 'lease_held')
    assert.is(holder?.pid, first.child.pid)
    assert.match(message, `process ${first.child.pid}, since 20`)
    assert.match(message, '--standby')
    assert.is(await first.stop(), 0, first.output.stderr)
  }))

test('a standby ends when it is asked to, takes over when the other is, and a killed engine starts again', () =>
  inTwoFolders(async (start) => {
    const first = start('a')
    const { bookId } = await first.ready()
    const unwanted = start('b', '--standby')
    await waits(unwanted)
    assert.is(await unwanted.stop(), 0, unwanted.output.stderr)
    assert.is(unwanted.output.stdout, '')

    const standby = start('b', '--standby')
    await waits(standby)
    assert.is(await first.stop(), 0, first.output.stderr)
    assert.is((await standby.ready()).bookId, bookId)
    await standby.kill()
    const again = start('b')
    assert.is((await again.ready()).bookId, bookId)
    assert.is(await again.stop(), 0, again.output.stderr)
  }))

test('an engine that was paused too long ends by itself and names who took over', () =>
  inTwoFolders(async (start) => {
    const first = start('a')
    await first.ready()
    const standby = start('b', '--standby')
    await waits(standby)
    first.child.kill('SIGSTOP')
    await standby.ready()
    first.child.kill('SIGCONT')
    assert.is((await first.exited).code, 4)
    const { code, message } = lastWords(first)
    assert.ok(['lease_lost', 'wrong_expected_position'].includes(code), `${code}: ${message}`)
    assert.is(await standby.stop(), 0, standby.output.stderr)
  }))

test.run()
