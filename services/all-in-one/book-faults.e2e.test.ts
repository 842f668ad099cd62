import { copyFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'libsql'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { bars } from './testing/demo-run.ts'
import { bitacora, EngineProcess, inEngineFolder, until } from './testing/engine-process.ts'

// What a book in the folder can suffer, seen from outside: exit code, /readyz, message, and that nothing is lost.
const ROUNDS = Number(process.env.ROUNDS ?? 20)
const RUNNING = ['--speed', '20']
const PAGE = 4096

async function verify(dir: string): Promise<void> {
  const verified = await bitacora(['verify', '--dir', dir])
  assert.is(verified.code, 0, verified.stderr + verified.stdout)
}

/** Runs an engine until its book holds so many bars, and stops it. */
async function trade(dir: string, count: number): Promise<string> {
  const engine = new EngineProcess(dir, ['--speed', '200'])
  const { bookId } = await engine.ready(60_000)
  await until(`${count} bars`, async () => (await bars(engine)) >= count)
  assert.is(await engine.stop(), 0, engine.output.stderr)
  return bookId
}

/** Starts an engine that must not start, and tells what it said. */
async function refusedStart(dir: string, code: number): Promise<string> {
  const engine = new EngineProcess(dir, RUNNING)
  assert.is((await engine.exited).code, code, engine.output.stderr + engine.output.stdout)
  return engine.output.stderr
}

test('a book locked by another program: not ready, named, nothing lost, and on again', () =>
  inEngineFolder(async (dir) => {
    const engine = new EngineProcess(dir, RUNNING)
    const { url } = await engine.ready(60_000)
    await until('some bars are in', async () => (await bars(engine)) >= 3)
    const other = new Database(join(dir, 'book.db'), { timeout: 10_000 })
    other.exec('BEGIN IMMEDIATE')
    try {
      const unready = await until('not ready', async () => {
        const response = await fetch(`${url}/readyz`)
        const text = await response.text()
        return response.status === 503 && text.includes('does not take an append') && text
      })
      assert.match(unready, /does not take an append.*locked by another process.*end the program/)
      assert.is((await fetch(`${url}/livez`)).status, 200)
      other.exec('ROLLBACK')
    } finally {
      other.close()
    }
    await until('ready', async () => (await fetch(`${url}/readyz`)).status === 200)
    const before = await bars(engine)
    await until('it goes on', async () => (await bars(engine)) > before + 5)
    assert.is(await engine.stop(), 0, engine.output.stderr)
    await verify(dir)
  }))

test('a book of a newer program, of another folder, or damaged in its middle is refused by name and left alone', () =>
  inEngineFolder(async (dir) => {
    const path = join(dir, 'book.db')
    const backup = join(dir, 'backup')
    const bookId = await trade(dir, 200)
    copyFileSync(path, backup)
    const unchanged = (before: Buffer) => assert.ok(before.equals(readFileSync(path)), 'unchanged')

    const db = new Database(path)
    db.exec(`UPDATE meta SET value = 7 WHERE key = 'schema_version'`)
    db.pragma('wal_checkpoint(TRUNCATE)')
    db.close()
    const newer = readFileSync(path)
    assert.match(await refusedStart(dir, 4), /book format 7.*up to 1.*use the newer program/)
    assert.is((await bitacora(['verify', '--dir', dir])).code, 4)
    unchanged(newer)

    await inEngineFolder(async (elsewhere) => {
      const foreignId = await trade(elsewhere, 5)
      copyFileSync(join(elsewhere, 'book.db'), path)
      const said = await refusedStart(dir, 4)
      assert.match(said, bookId)
      assert.match(said, foreignId)
      unchanged(readFileSync(join(elsewhere, 'book.db')))
    })

    const damaged = readFileSync(backup)
    const page = Math.floor(damaged.length / PAGE / 2)
    damaged.fill(0x5a, page * PAGE, (page + 1) * PAGE)
    writeFileSync(path, damaged)
    assert.match(await refusedStart(dir, 3), /book\.db.*restore the book from a backup/)
    assert.is((await bitacora(['verify', '--dir', dir])).code, 3)
    unchanged(damaged)

    // What a refused start leaves behind does not keep the next from going on.
    copyFileSync(backup, path)
    await trade(dir, 300)
    await verify(dir)
  }))

test('rows that vanish under a running engine end it: refused, by name', () =>
  inEngineFolder(async (dir) => {
    const engine = new EngineProcess(dir, RUNNING)
    await engine.ready(60_000)
    await until('some bars are in', async () => (await bars(engine)) >= 5)
    const db = new Database(join(dir, 'book.db'), { timeout: 10_000 })
    db.exec(
      'PRAGMA foreign_keys = OFF; PRAGMA ignore_check_constraints = ON; UPDATE appends SET count = 0 WHERE id = (SELECT max(id) FROM appends)',
    )
    db.close()
    const { code } = await engine.exited
    assert.is(code, 3, engine.output.stderr)
    assert.match(engine.output.stderr, /stream account-main.*restore the book from a backup/)
    assert.match(await refusedStart(dir, 3), /stream account-main.*restore the book/)
  }))

test(`of two engines started together one has the folder, the other ends with 4 and names it: ${ROUNDS} rounds`, async () => {
  // Half of them on a folder that the start itself has to make, then again on the same.
  for (let round = 0; round < ROUNDS; round += 2) {
    await inEngineFolder(async (outer) => {
      const dir = join(outer, 'made', 'at', 'start')
      for (const again of [false, true]) {
        assert.is(existsSync(dir), again)
        const rivals = [new EngineProcess(dir, RUNNING), new EngineProcess(dir, RUNNING)] as const
        try {
          const loser = await Promise.race(
            rivals.map(async (rival) => {
              await rival.exited
              return rival
            }),
          )
          const winner = loser === rivals[0] ? rivals[1] : rivals[0]
          assert.is((await loser.exited).code, 4, loser.output.stderr)
          assert.match(loser.output.stderr, /is in use by (the engine with process id|another)/)
          assert.match(loser.output.stderr, dir)
          const { bookId } = await winner.ready(60_000)
          await until('a bar', async () => (await bars(winner)) >= 1)
          const portfolio = await winner.get<{ position: number }>('/portfolio')
          assert.ok(portfolio.position > 0, bookId)
          assert.is(await winner.stop(), 0, winner.output.stderr)
        } finally {
          for (const rival of rivals) await rival.kill()
        }
      }
      if (round % 10 === 0) await verify(dir)
    })
  }
})

test.run()
