import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { bars, prove, reached, TRADING_WITHOUT_LIMITS } from './testing/demo-run.ts'
import { bitacora, EngineProcess, inEngineFolder, until } from './testing/engine-process.ts'

test('a nats-server that dies is started again, and the run ends as if nothing had been', () =>
  inEngineFolder(async (dir) => {
    const engine = new EngineProcess(dir, TRADING_WITHOUT_LIMITS)
    await engine.ready()
    for (const share of [0.2, 0.5]) {
      await reached(engine, share)
      const { pid } = JSON.parse(readFileSync(join(dir, 'nats.json'), 'utf8')) as { pid: number }
      process.kill(pid, 'SIGKILL')
    }
    await prove(engine)
  }))

/** A file system of its own, small enough to fill; null where nothing may be mounted. */
function smallDisk(): { path: string; end(): void } | null {
  const path = mkdtempSync(join(tmpdir(), 'bitacora-disk-'))
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'tmpfs', path])
  const end = (): void => {
    if (mounted.status === 0) spawnSync('umount', ['-l', path])
    rmSync(path, { recursive: true, force: true })
  }
  if (mounted.status === 0) return { path, end }
  end()
  return null
}

const disk = smallDisk()
const full = async (): Promise<void> => {
  const { path, end } = disk!
  const dir = join(path, 'engine')
  mkdirSync(dir)
  try {
    const engine = new EngineProcess(dir, ['--speed', '20'])
    await engine.ready()
    await until('some bars are in', async () => (await bars(engine)) >= 5)
    // Whatever room is left goes, and the book cannot grow any more.
    try {
      writeFileSync(join(path, 'ballast'), Buffer.alloc(16 * 1024 * 1024))
    } catch {
      // Full now.
    }
    const { url } = await engine.ready()
    const unready = await until('not ready', async () => {
      const response = await fetch(`${url}/readyz`)
      return response.status === 503 && response.text()
    })
    assert.match(unready, /does not take an append|nats/)
    // Room again: it goes on by itself, and nothing is missing.
    rmSync(join(path, 'ballast'))
    const before = await bars(engine)
    await until('it goes on', async () => (await bars(engine)) > before + 5, 60_000)
    assert.is(await engine.stop(), 0, engine.output.stderr)
    const verified = await bitacora(['verify', '--dir', dir])
    assert.is(verified.code, 0, verified.stderr)
  } finally {
    for (const file of ['engine.json', 'nats.json']) {
      try {
        process.kill(
          (JSON.parse(readFileSync(join(dir, file), 'utf8')) as { pid: number }).pid,
          'SIGKILL',
        )
      } catch {
        // Not running any more.
      }
    }
    end()
  }
}
if (disk === null) test.skip('needs the right to mount a tmpfs: a full disk', full)
else test('a full disk: not ready, nothing lost, and on again when there is room', full)

test.run()
