import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { JetStreamManager } from 'nats'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { demoBarsPath } from '../market-data/demo-data.ts'
import { bars } from './testing/demo-run.ts'
import { bitacora, EngineProcess, inEngineFolder, until } from './testing/engine-process.ts'
import { OwnNats, withClient } from './testing/own-nats.ts'
import { type Recorded, readRecorded } from './testing/recorded.ts'
import { TcpProxy } from './testing/tcp-proxy.ts'

const TRADING = ['--set', 'fast=2', 'slow=5', 'mode=reverse', 'size=50', '--risk', 'off']
const BARS = 400

/** The first bars of the demo data: lock-step goes through them in a moment. */
function fewBars(dir: string): string {
  const file = join(dir, 'AAPL.csv')
  const lines = readFileSync(demoBarsPath(), 'utf8').split('\n')
  writeFileSync(file, `${lines.slice(0, BARS + 1).join('\n')}\n`)
  return file
}

interface Check {
  name: string
  ok: boolean
  detail?: string
}

async function health(engine: EngineProcess): Promise<{ status: number; checks: Check[] }> {
  const { url } = await engine.ready()
  const response = await fetch(`${url}/readyz`)
  return { status: response.status, ...((await response.json()) as { checks: Check[] }) }
}

const isReady = async (engine: EngineProcess) => (await health(engine)).status === 200

/** Not ready, with words that name why. */
const unready = (engine: EngineProcess, why: RegExp) =>
  until(`not ready: ${why}`, async () => {
    const { status, checks } = await health(engine)
    return status === 503 && checks.some(({ ok, detail }) => !ok && why.test(detail ?? ''))
  })

/** Stops it and looks at its book: every decision comes out again, and no input stands in it twice. */
async function finish(engine: EngineProcess): Promise<Recorded> {
  assert.is(await engine.stop(), 0, engine.output.stderr)
  const verified = await bitacora(['verify', '--dir', engine.folder])
  assert.is(verified.code, 0, verified.stderr)
  const recorded = await readRecorded(engine.folder)
  for (const inputs of [recorded.bars, recorded.signals, recorded.controls]) {
    assert.is(new Set(inputs).size, inputs.length, 'no input is there twice')
  }
  return recorded
}

/** Live decisions are those of a run in which nothing happened. */
async function sameAsBacktest(dir: string): Promise<void> {
  const [verified, backtest] = await Promise.all([
    bitacora(['verify', '--dir', dir, '--json']),
    bitacora(['backtest', '--history', '--dir', dir, '--json']),
  ])
  assert.is(
    (JSON.parse(backtest.stdout) as { digest: string }).digest,
    (JSON.parse(verified.stdout) as { digest: string }).digest,
  )
}

const serverOf = (dir: string) =>
  JSON.parse(readFileSync(join(dir, 'nats.json'), 'utf8')) as { pid: number; url: string }

const signal = (id: string, url: string) =>
  withClient(url, async (_jsm, nc) => {
    const body = JSON.stringify({ symbol: 'AAPL', side: 'buy', qty: '1' })
    const { seq } = await nc.jetstream().publish('signals.manual.ana', body, { msgID: id })
    return seq
  })

const messages = async (jsm: JetStreamManager, stream: string): Promise<number> =>
  (await jsm.streams.info(stream).catch(() => null))?.state.messages ?? -1

test('a JetStream that comes back empty, then older: gaps with bounds, and the run ends as if nothing had been', () =>
  inEngineFolder(async (dir) => {
    const data = ['--data', fewBars(dir)]
    const engine = new EngineProcess(dir, ['--speed', 'max', ...data, ...TRADING])
    await engine.ready()
    const files = join(dir, 'jetstream')
    await until('some bars are in', async () => (await bars(engine)) >= 60, 60_000)
    process.kill(serverOf(dir).pid, 'SIGKILL')
    rmSync(files, { recursive: true, force: true, maxRetries: 5 })
    await until('more bars are in', async () => (await bars(engine)) >= 160, 60_000)
    // Two copies of one moment: the second is put back later, as a backup would be.
    const older = mkdtempSync(join(tmpdir(), 'bitacora-older-'))
    try {
      process.kill(serverOf(dir).pid, 'SIGKILL')
      cpSync(files, older, { recursive: true })
      await until('more bars are in', async () => (await bars(engine)) >= 260, 60_000)
      process.kill(serverOf(dir).pid, 'SIGKILL')
      rmSync(files, { recursive: true, force: true, maxRetries: 5 })
      cpSync(older, files, { recursive: true })
    } finally {
      rmSync(older, { recursive: true, force: true })
    }
    await until('all bars are in', async () => (await bars(engine)) >= BARS, 90_000)
    const { status, checks } = await health(engine)
    assert.is(status, 200)
    assert.match(checks.find(({ name }) => name === 'inputs')?.detail ?? '', 'gaps since the start')
    const { url } = serverOf(dir)
    const { position, counts } = await engine.get<{ position: number; counts: { gaps: number } }>(
      '/status',
    )
    await withClient(url, (jsm) =>
      until('TAPE holds the whole book', async () => (await messages(jsm, 'TAPE')) > position),
    )
    const { gaps, bars: recorded } = await finish(engine)
    assert.is(recorded.length, BARS)
    assert.is(counts.gaps, gaps.length)
    const found = gaps.map(({ stream, reason }) => `${stream} ${reason}`)
    assert.ok(found.includes('MARKET stream_recreated'), found.join())
    assert.ok(found.includes('MARKET stream_regressed'), found.join())
    assert.ok(found.includes('REPORTS stream_regressed'), found.join())
    for (const { from, to, after, before } of gaps) {
      assert.ok(to === null || to >= from)
      assert.ok(after === null || after <= before)
    }
    await sameAsBacktest(dir)
  }))

test('files put back older between two runs: sequences given away a second time are not skipped', () =>
  inEngineFolder(async (dir) => {
    const files = join(dir, 'jetstream')
    const older = mkdtempSync(join(tmpdir(), 'bitacora-older-'))
    try {
      const first = new EngineProcess(dir, ['--speed', '40', ...TRADING])
      await first.ready()
      const { url } = serverOf(dir)
      await signal('before-1', url)
      await until('some bars are in', async () => (await bars(first)) >= 5)
      assert.is(await first.stop(), 0)
      cpSync(files, older, { recursive: true })
      const second = new EngineProcess(dir, ['--speed', '40', ...TRADING])
      await second.ready()
      for (const id of ['before-2', 'before-3', 'before-4']) await signal(id, serverOf(dir).url)
      await until('the signals are in', async () => {
        const { counts } = await second.get<{ counts: { approved: number } }>('/status')
        return counts.approved >= 4
      })
      assert.is(await second.stop(), 0)
      rmSync(files, { recursive: true, force: true })
      cpSync(older, files, { recursive: true })
    } finally {
      rmSync(older, { recursive: true, force: true })
    }
    // While no engine runs, the sequences 2 to 5 of INBOX go to others than the book has under them.
    const nats = await OwnNats.start(files)
    for (const [n, id] of ['after-1', 'after-2', 'after-3', 'after-4'].entries()) {
      assert.is(await signal(id, nats.url), n + 2)
    }
    await nats.kill()
    const third = new EngineProcess(dir, ['--speed', '40', ...TRADING])
    await third.ready()
    await until('the signals are in', async () => {
      const { counts } = await third.get<{ counts: { signals: number } }>('/status')
      return counts.signals >= 8 && (await isReady(third))
    })
    const { signals, gaps } = await finish(third)
    for (const id of ['before-1', 'before-4', 'after-1', 'after-2', 'after-3', 'after-4']) {
      assert.ok(signals.includes(id), `${id} is in the book`)
    }
    const gap = gaps.find(({ stream }) => stream === 'INBOX')
    assert.equal([gap?.reason, gap?.from, gap?.to], ['stream_regressed', 5, null])
  }))

test('streams and consumers deleted or altered under a running engine are put back', () =>
  inEngineFolder(async (dir) => {
    const engine = new EngineProcess(dir, ['--speed', '40', ...TRADING])
    await engine.ready()
    const { url } = serverOf(dir)
    await signal('s1', url)
    await until('a verdict is there', () =>
      withClient(url, async (jsm) => (await messages(jsm, 'VERDICTS')) >= 1),
    )
    await withClient(url, async (jsm, nc) => {
      // Consumers of the writer: gone, then with a limit under which everything comes again.
      const readers = async (stream: string) =>
        (await jsm.consumers.list(stream).next()).filter(({ name }) => name.startsWith('writer-'))
      for (const stream of ['MARKET', 'INBOX', 'REPORTS']) {
        for (const { name } of await readers(stream)) {
          await jsm.consumers.delete(stream, name).catch(() => false)
        }
      }
      const before = await bars(engine)
      await until('bars come on', async () => (await bars(engine)) > before + 10)
      for (const { name } of await readers('MARKET')) {
        await jsm.consumers.update('MARKET', name, { ack_wait: 1_000_000, max_ack_pending: 3 })
      }
      await until('bars come on', async () => (await bars(engine)) > before + 40)

      // Streams: settings first, then all of them gone.
      await jsm.streams.update('INBOX', { subjects: ['nothing.>'] })
      await until('INBOX takes signals again', async () => {
        const { config } = await jsm.streams.info('INBOX')
        return config.subjects.includes('signals.manual.>')
      })
      await jsm.streams.update('DEAD', { sealed: true } as object)
      await unready(engine, /DEAD.*sealed/)
      for (const stream of ['DEAD', 'TAPE', 'VERDICTS', 'REPORTS', 'INBOX', 'MARKET']) {
        await jsm.streams.delete(stream)
      }
      await until('ready again', async () => {
        const all = await Promise.all(
          ['DEAD', 'TAPE', 'VERDICTS', 'REPORTS', 'INBOX', 'MARKET'].map((name) =>
            messages(jsm, name),
          ),
        )
        return all.every((count) => count >= 0) && (await isReady(engine))
      })
      await signal('s2', url)
      const missed = await bars(engine)
      await until('bars come on', async () => (await bars(engine)) > missed + 20)
      await until('the verdicts are back', async () => (await messages(jsm, 'VERDICTS')) >= 2)
      // Emptied by hand, its sequence going on.
      await jsm.streams.purge('TAPE')
      await until('TAPE holds the whole book', async () => {
        const { position } = await engine.get<{ position: number }>('/status')
        return (await messages(jsm, 'TAPE')) >= position
      })
      await nc.flush()
    })
    const { signals, gaps, bars: recorded } = await finish(engine)
    assert.ok(signals.includes('s1') && signals.includes('s2'), signals.join())
    assert.ok(gaps.some(({ stream }) => stream === 'MARKET'))
    // The feed published again what was lost: no day is missing.
    const all = (await bitacora(['backtest', '--history', '--dir', dir, '--json'])).stdout
    assert.is((JSON.parse(all) as { bars: number }).bars, recorded.length)
  }))

test('a storm of repeats: each is known, a halt comes through, and nothing is there twice', () =>
  inEngineFolder(async (dir) => {
    const engine = new EngineProcess(dir, ['--speed', '40', ...TRADING])
    await engine.ready()
    const { url } = serverOf(dir)
    await until('some bars are in', async () => (await bars(engine)) >= 60)
    await withClient(url, async (jsm, nc) => {
      const seen: { subject: string; data: Uint8Array }[] = []
      for (let seq = 1; seq <= 50; seq++) {
        const { subject, data } = await jsm.streams.getMessage('MARKET', { seq })
        seen.push({ subject, data })
      }
      const storm = 200
      for (let round = 0; round < storm; round++) {
        for (const { subject, data } of seen) nc.publish(subject, data)
        if (round === storm / 2) {
          const halt = JSON.stringify({ actor: 'ana', reason: 'storm' })
          await nc.jetstream().publish('control.halt', halt, { msgID: 'halt-1', timeout: 20_000 })
        }
        if (round % 20 === 0) await nc.flush()
      }
      await until('halted', async () => {
        const { trading } = await engine.get<{ trading: { state: string } }>('/status')
        return trading.state === 'HALTED'
      })
      await until('all acknowledged', async () => {
        const found = await jsm.consumers.list('MARKET').next()
        const mine = found.find(({ name }) => name.startsWith('writer-'))
        return mine !== undefined && mine.num_pending + mine.num_ack_pending < 50
      })
    })
    const { controls } = await finish(engine)
    assert.equal(controls, ['halt-1'])
  }))

test('a slow line, one that is cut, and one that dies in silence: nothing lost, nothing twice', () =>
  inEngineFolder(async (dir) => {
    const nats = await OwnNats.start(join(dir, 'elsewhere'))
    const proxy = await TcpProxy.open(nats.port)
    try {
      const engine = new EngineProcess(dir, ['--speed', '40', ...TRADING], { NATS_URL: proxy.url })
      await engine.ready(60_000)
      proxy.delayMs = 40
      proxy.bytesPerSecond = 200_000
      await until('slow, it goes on', async () => (await bars(engine)) >= 60)
      proxy.cut()
      await signal('s1', nats.url)
      const cut = await bars(engine)
      await until('cut, it goes on', async () => (await bars(engine)) >= cut + 20)
      proxy.freeze()
      await signal('s2', nats.url)
      await until('it notices', async () => !(await isReady(engine)), 60_000)
      proxy.thaw()
      const frozen = await bars(engine)
      await until('it goes on', async () => (await bars(engine)) >= frozen + 20, 60_000)
      await until('ready', () => isReady(engine))
      proxy.delayMs = 0
      proxy.bytesPerSecond = 0
      const { bars: recorded, signals, gaps } = await finish(engine)
      assert.equal(signals, ['s1', 's2'])
      assert.equal(gaps, [])
      await withClient(nats.url, async (jsm) =>
        // All that NATS confirmed; the one under way when it was stopped may be the next start's.
        assert.ok((await messages(jsm, 'MARKET')) - recorded.length <= 2),
      )
    } finally {
      await proxy.close()
      await nats.kill()
    }
  }))

/** A file system of its own, small enough to fill; null where nothing may be mounted. */
function smallDisk(): { path: string; end(): void } | null {
  const path = mkdtempSync(join(tmpdir(), 'bitacora-disk-'))
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=6m', 'tmpfs', path])
  const end = (): void => {
    if (mounted.status === 0) spawnSync('umount', ['-l', path])
    rmSync(path, { recursive: true, force: true })
  }
  if (mounted.status === 0) return { path, end }
  end()
  return null
}

const disk = smallDisk()
const full = () =>
  inEngineFolder(async (dir) => {
    const { path, end } = disk!
    const nats = await OwnNats.start(join(path, 'jetstream'))
    try {
      const engine = new EngineProcess(dir, ['--speed', '40', ...TRADING], { NATS_URL: nats.url })
      await engine.ready()
      await until('some bars are in', async () => (await bars(engine)) >= 20)
      try {
        writeFileSync(join(path, 'ballast'), Buffer.alloc(16 * 1024 * 1024))
      } catch {
        // Full now.
      }
      await unready(engine, /could not be published|cannot be read/)
      rmSync(join(path, 'ballast'))
      // The server gives JetStream up when its disk fails, until it is started again.
      await nats.kill()
      await nats.start()
      const before = await bars(engine)
      await until('it goes on', async () => (await bars(engine)) > before + 20, 60_000)
      await until('ready', () => isReady(engine))
      const { bars: recorded } = await finish(engine)
      assert.ok(recorded.length > 40)
    } finally {
      await nats.kill()
      end()
    }
  })
if (disk === null) test.skip('needs root, to mount a tmpfs: the disk of NATS is full', full)
else test('the disk of NATS is full: not ready, and on again when there is room', full)

test.run()
