import { spawn } from 'node:child_process'
import { chmod, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { freePort, rejection, until, withNats } from './nats-fixture.ts'
import { isAlive } from './process-table.ts'
import { ensureServer, type ServerRecord } from './server.ts'

const SERVER = pathToFileURL(join(import.meta.dirname, 'server.ts')).href

async function recordIn(dir: string): Promise<ServerRecord> {
  return JSON.parse(await readFile(join(dir, 'nats.json'), 'utf8'))
}

/** An engine in a process group of its own that starts the server, prints its pid and then only waits. */
async function engine(dir: string): Promise<{ pid: number; serverPid: number }> {
  const code = `import { ensureServer } from ${JSON.stringify(SERVER)}
    const server = await ensureServer({ dir: ${JSON.stringify(dir)} })
    console.log(server.pid)
    setInterval(() => {}, 1000)`
  const args = ['--import', 'tsx', '--input-type=module', '-e', code]
  const child = spawn(process.execPath, args, {
    detached: true,
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  let printed = ''
  child.stdout?.on('data', (chunk) => (printed += chunk))
  await until(() => printed.includes('\n'))
  return { pid: child.pid as number, serverPid: Number(printed) }
}

/** Runs with NATS_SERVER_BIN set to a shell script. */
async function withBinary(dir: string, script: string, body: () => Promise<void>): Promise<void> {
  const file = join(dir, 'fake-server')
  await writeFile(file, `#!/bin/sh\n${script}\n`)
  await chmod(file, 0o755)
  const before = process.env.NATS_SERVER_BIN
  process.env.NATS_SERVER_BIN = file
  try {
    await body()
  } finally {
    if (before === undefined) delete process.env.NATS_SERVER_BIN
    else process.env.NATS_SERVER_BIN = before
  }
}

test(
  'a server starts on a folder, is recorded, keeps its messages, and is gone after stop',
  withNats(
    async (fixture) => {
      const { dir } = fixture
      fixture.server = await ensureServer({ dir })
      const record = await recordIn(dir)
      assert.is(record.url, fixture.server.url)
      assert.is(record.pid, fixture.server.pid)
      assert.ok(fixture.server.owned && !fixture.server.adopted)
      const jsm = await (await fixture.connect()).jetstreamManager()
      await jsm.streams.add({ name: 'S', subjects: ['s'] })
      await (await fixture.connect()).jetstream().publish('s', 'kept')
      await fixture.server.stop()
      assert.not(isAlive(record.pid))
      assert.is((await rejection(recordIn(dir))).code, 'ENOENT')
      fixture.server = await ensureServer({ dir })
      const again = await (await fixture.connect()).jetstreamManager()
      assert.is((await again.streams.info('S')).state.messages, 1)
      await fixture.server.stop()
      await fixture.server.stop()
    },
    { start: false },
  ),
)

test(
  'the server survives Ctrl-C and SIGKILL of its engine and is adopted by the next',
  withNats(
    async ({ dir }) => {
      const first = await engine(dir)
      process.kill(-first.pid, 'SIGINT')
      await until(() => !isAlive(first.pid))
      await sleep(100)
      assert.ok(isAlive(first.serverPid))
      const second = await engine(dir)
      assert.is(second.serverPid, first.serverPid)
      process.kill(second.pid, 'SIGKILL')
      await until(() => !isAlive(second.pid))
      const adopted = await ensureServer({ dir })
      assert.ok(adopted.adopted && adopted.owned)
      assert.is(adopted.pid, first.serverPid)
      await adopted.stop()
      assert.not(isAlive(first.serverPid))
    },
    { start: false },
  ),
)

test(
  'starts at the same moment end with one server',
  withNats(
    async ({ dir }) => {
      const servers = await Promise.all([1, 2, 3].map(() => ensureServer({ dir })))
      assert.is(new Set(servers.map((server) => server.pid)).size, 1)
      assert.is(servers.filter((server) => server.adopted).length, 2)
      await writeFile(join(dir, 'nats.lock'), '999999999')
      assert.ok((await ensureServer({ dir })).adopted)
    },
    { start: false },
  ),
)

test(
  'after the server died its port is used again if free, otherwise another',
  withNats(async (fixture) => {
    const { url } = fixture.server
    await fixture.crash()
    assert.is(fixture.server.url, url)
    const { port, pid } = await recordIn(fixture.dir)
    process.kill(pid, 'SIGKILL')
    await until(() => !isAlive(pid))
    const squatter = createServer().listen(port, '127.0.0.1')
    await once(squatter, 'listening')
    fixture.server = await ensureServer({ dir: fixture.dir })
    squatter.close()
    assert.is.not(fixture.server.url, url)
    assert.not(fixture.server.adopted)
  }),
)

test(
  'a record that points at somebody else is not believed, and stop leaves that process alone',
  withNats(async (fixture) => {
    const other = await fixture.spawnServer('server_name: "stranger"')
    const dir = join(fixture.dir, 'second')
    await mkdir(dir)
    const record = {
      ...(await recordIn(fixture.dir)),
      ...other,
      port: Number(new URL(other.url).port),
    }
    await writeFile(join(dir, 'nats.json'), JSON.stringify(record))
    const server = await ensureServer({ dir })
    assert.not(server.adopted)
    assert.is.not(server.url, other.url)
    await server.stop()
    assert.ok(isAlive(other.pid))
    await writeFile(join(dir, 'nats.json'), '{"half a rec')
    await (await ensureServer({ dir })).stop()
  }),
)

test(
  'a live server on the folder that cannot be adopted is named, not fought',
  withNats(async (fixture) => {
    const { dir } = fixture
    const pid = fixture.server.pid as number
    process.kill(pid, 'SIGSTOP')
    const hung = await rejection(ensureServer({ dir }))
    process.kill(pid, 'SIGCONT')
    assert.is(hung.code, 'jetstream_locked')
    assert.match(hung.message, String(pid))
    await rm(join(dir, 'nats.json'))
    await rm(join(dir, 'nats.conf'))
    assert.is((await rejection(ensureServer({ dir }))).code, 'jetstream_locked')
    assert.ok(isAlive(pid))
  }),
)

test(
  'a port taken between choice and bind is tried again elsewhere',
  withNats(
    async ({ dir }) => {
      const script = `[ "$1" = --version ] && exec nats-server --version
        if [ ! -e ${dir}/tried ]; then
          touch ${dir}/tried
          echo '[FTL] listen tcp 127.0.0.1: bind: address already in use' >> ${dir}/nats.log
          exit 1
        fi
        exec nats-server "$@"`
      await withBinary(dir, script, async () => {
        const server = await ensureServer({ dir })
        assert.ok(isAlive(server.pid as number))
        await server.stop()
      })
    },
    { start: false },
  ),
)

test(
  'a missing, old or failing program is reported with what to do',
  withNats(
    async ({ dir }) => {
      await withBinary(dir, 'echo "nats-server: v2.8.4"', async () => {
        const old = await rejection(ensureServer({ dir }))
        assert.is(old.code, 'nats_server_too_old')
        assert.match(old.message, '2.8.4')
      })
      const failing = `[ "$1" = --version ] && exec nats-server --version
        echo '[FTL] no room' >> ${dir}/nats.log; exit 1`
      await withBinary(dir, failing, async () => {
        const failed = await rejection(ensureServer({ dir }))
        assert.is(failed.code, 'nats_server_failed')
        assert.match(failed.message, 'no room')
      })
      await withBinary(dir, '', async () => {
        process.env.NATS_SERVER_BIN = join(dir, 'absent')
        const missing = await rejection(ensureServer({ dir }))
        assert.is(missing.code, 'nats_server_missing')
        for (const way of ['apt install', 'brew install', 'docker run', 'NATS_URL']) {
          assert.match(missing.message, way)
        }
      })
      assert.is((await rejection(recordIn(dir))).code, 'ENOENT')
    },
    { start: false },
  ),
)

test(
  'a server named by its address is used as it is and never stopped',
  withNats(async (fixture) => {
    const dir = join(fixture.dir, 'unused')
    const server = await ensureServer({ dir, url: fixture.server.url })
    assert.equal([server.owned, server.adopted, server.pid], [false, false, null])
    await server.stop()
    assert.ok(isAlive(fixture.server.pid as number))
    assert.is((await rejection(readFile(join(dir, 'nats.json')))).code, 'ENOENT')
  }),
)

test(
  'an address that does not answer, lacks JetStream or is too old is refused',
  withNats(
    async (fixture) => {
      const { dir } = fixture
      const nobody = `nats://127.0.0.1:${await freePort()}`
      assert.is((await rejection(ensureServer({ dir, url: nobody }))).code, 'nats_unreachable')
      const plain = await fixture.spawnServer('')
      assert.is((await rejection(ensureServer({ dir, url: plain.url }))).code, 'jetstream_disabled')
      const old = createServer((socket) => {
        socket.write(
          'INFO {"server_id":"X","version":"2.8.4","headers":true,"max_payload":1048576}\r\n',
        )
        socket.on('data', (data) => data.includes('PING') && socket.write('PONG\r\n'))
        socket.on('error', () => {})
      })
      const port = await freePort()
      old.listen(port, '127.0.0.1')
      const error = await rejection(ensureServer({ dir, url: `nats://127.0.0.1:${port}` }))
      old.close()
      assert.is(error.code, 'nats_server_too_old')
    },
    { start: false },
  ),
)

test(
  'a server whose engine was killed before it could record it is adopted by its configuration',
  withNats(
    async (fixture) => {
      const { dir } = fixture
      const first = await engine(dir)
      process.kill(first.pid, 'SIGKILL')
      await until(() => !isAlive(first.pid))
      await rm(join(dir, 'nats.json'))
      fixture.server = await ensureServer({ dir })
      assert.is(fixture.server.adopted, true)
      assert.is(fixture.server.pid, first.serverPid)
      assert.is((await recordIn(dir)).pid, first.serverPid)
    },
    { start: false },
  ),
)

test.run()
