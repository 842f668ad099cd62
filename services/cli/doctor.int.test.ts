import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { execFile } from 'node:child_process'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { InvalidConfig, loadConfig } from '../runtime/config.ts'
import {
  type Check,
  checkEngine,
  checkFolder,
  checkNats,
  checkNode,
  checkPackages,
  checkPort,
  checkSpace,
  findEngine,
} from './doctor-checks.ts'
import { type DoctorReport, examine, exitCode, renderReport } from './doctor.ts'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const PATH = `${process.env.PATH}:/usr/sbin`
let cwd = ''
const servers: Server[] = []

test.before.each(() => {
  cwd = mkdtempSync(join(tmpdir(), 'bitacora-doctor-'))
})
test.after.each(() => {
  for (const server of servers.splice(0)) server.close()
  rmSync(cwd, { recursive: true, force: true })
})

/** An HTTP server on a free port of the loopback; its port. */
async function serve(status: number): Promise<number> {
  const server = createServer((_, response) => response.writeHead(status).end())
  servers.push(server)
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready))
  return (server.address() as AddressInfo).port
}

function script(name: string, body: string): string {
  const path = join(cwd, name)
  writeFileSync(path, `#!/bin/sh\n${body}\n`)
  chmodSync(path, 0o755)
  return path
}

function config(env: Record<string, string>) {
  return loadConfig({ env, cwd })
}

function engineFile(pid: number, httpUrl: string | null): string {
  const dir = join(cwd, 'data')
  mkdirSync(dir, { recursive: true })
  const record = { pid, natsUrl: 'nats://u:hunter2@127.0.0.1:1', httpUrl }
  writeFileSync(join(dir, 'engine.json'), JSON.stringify(record))
  return dir
}

function is(check: Check | undefined, state: Check['state'], detail: string | RegExp): void {
  assert.is(check?.state, state, JSON.stringify(check))
  assert.match(check?.detail ?? '', detail as RegExp)
  assert.is(check?.remedy === null, state === 'ok')
}

test('Node, and what packages do when they are absent or broken', async () => {
  is(checkNode(), 'ok', process.versions.node)
  is(checkNode('20.18.3'), 'fail', 'too old')
  is(checkNode('22.0.0'), 'ok', '22.0.0')
  for (const [name, code] of [
    ['crashing', 'process.kill(process.pid, "SIGSEGV")'],
    ['throwing', 'throw new Error("wrong ELF class")'],
    ['working', ''],
  ] as const) {
    mkdirSync(join(cwd, 'node_modules', name), { recursive: true })
    writeFileSync(join(cwd, 'node_modules', name, 'index.js'), code)
  }
  const names = ['crashing', 'throwing', 'working', 'absent']
  const packages = names.map(
    (name) => ({ name, without: 'fail', purpose: 'p', remedy: 'r' }) as const,
  )
  const [crashing, throwing, working, absent] = await checkPackages(packages, join(cwd, 'x.js'))
  is(crashing, 'fail', 'ended by SIGSEGV')
  is(throwing, 'fail', 'Error: wrong ELF class')
  is(working, 'ok', 'loads')
  is(absent, 'fail', 'not installed')
})

test('the nats-server that would be run', async () => {
  const check = (file: string) => checkNats(config({ NATS_SERVER_BIN: file }), { PATH })
  is(await check('nats-server'), 'ok', /nats-server 2\.\d+\.\d+/)
  is(await check(script('old', 'echo nats-server: v2.8.4')), 'fail', 'too old')
  is(await check(script('other', 'echo hello')), 'fail', 'does not tell a version')
  is(await check(script('broken', 'exit 3')), 'fail', 'exit code 3')
  is(await check(join(cwd, 'gone')), 'fail', 'ENOENT')
  const hidden = await checkNats(config({}), { PATH: cwd })
  is(hidden, 'fail', existsSync('/usr/sbin/nats-server') ? 'is not on PATH' : /nats-server/)
})

test('a NATS_URL where nobody listens fails without its password', async () => {
  const check = await checkNats(config({ NATS_URL: 'nats://user:hunter2@127.0.0.1:1' }), {})
  is(check, 'fail', 'nats://****@127.0.0.1:1 is not usable')
  assert.match(check.remedy ?? '', 'NATS_URL')
  assert.not.match(JSON.stringify(check), 'hunter2')
})

test('the folder, made or not, and its space', async () => {
  const [made, space] = await checkFolder(cwd)
  is(made, 'ok', 'can be written')
  is(space, 'ok', 'GiB free')
  is((await checkFolder(join(cwd, 'a/b')))[0], 'ok', 'the first start makes it')
  assert.not(existsSync(join(cwd, 'a')))
  writeFileSync(join(cwd, 'file'), '')
  is((await checkFolder(join(cwd, 'file/below')))[0], 'fail', 'cannot be written')
  is(checkSpace(500 * 1024 ** 2), 'warn', '500 MiB free')
  is(checkSpace(5 * 1024 ** 2), 'fail', '5 MiB free')
})

test('engines that run, hang, have ended, or never were', async () => {
  const dir = join(cwd, 'data')
  is(checkEngine(dir, await findEngine(dir)), 'ok', 'no engine runs')
  const port = await serve(200)
  engineFile(process.pid, `http://127.0.0.1:${port}`)
  const running = await findEngine(dir)
  is(checkEngine(dir, running), 'ok', `process ${process.pid}`)
  assert.not.match(checkEngine(dir, running).detail, 'hunter2')
  is(await checkPort(config({ API_PORT: `${port}` }), running), 'ok', 'by the engine of the folder')
  engineFile(process.pid, `http://127.0.0.1:${await serve(503)}`)
  is(checkEngine(dir, await findEngine(dir)), 'warn', 'does not answer')
  engineFile(process.pid, null)
  is(checkEngine(dir, await findEngine(dir)), 'ok', 'HTTP off')
  engineFile(2 ** 22 + 1, null)
  is(checkEngine(dir, await findEngine(dir)), 'ok', 'ended without tidying up')
})

test('the port', async () => {
  const port = String(await serve(200))
  is(await checkPort(config({ API_PORT: port }), null), 'fail', 'is in use')
  is(await checkPort(config({ API_PORT: '0' }), null), 'ok', 'any free port')
  is(await checkPort(config({ API_HOST: '0.0.0.0' }), null), 'fail', 'does not listen on 0.0.0.0')
})

test('exit codes: 0, 2 for an invalid configuration, 4 for what is missing', async () => {
  const env = {
    PATH,
    API_PORT: '0',
    ALPACA_API_KEY: 'hunter2hunter2xy',
    ALPACA_API_SECRET: 'hunter2',
  }
  const good = await examine({ env, cwd })
  assert.is(exitCode(good), 0, JSON.stringify(good.checks))
  const key = good.settings.find(({ name }) => name === 'ALPACA_API_KEY')
  assert.is(key?.value, 'set (****xy)')
  assert.is(key?.source, 'environment')
  assert.match(
    renderReport(good, 80, false).replace(/\s+/g, ' '),
    'environment; reserved: no effect in this version',
  )
  const stored = await examine({ env: { ...env, EVENTSTORE_URL: 'esdb://u:hunter2@h:1' }, cwd })
  assert.is(exitCode(stored), 4)
  is(
    stored.checks.find(({ id }) => id === 'event store'),
    'fail',
    'EVENTSTORE_URL',
  )
  const bad = await examine({ env: { ...env, LOG_LEVEL: 'x', SIGNALS_X: 'hunter2' }, cwd })
  assert.is(exitCode(bad), 2)
  assert.is(bad.problems.length, 2)
  for (const report of [good, stored, bad]) {
    assert.not.match(JSON.stringify(report) + renderReport(report, 40, true), 'hunter2')
  }
})

test('a .env with secrets that others may read is remarked on', async () => {
  const file = join(cwd, '.env')
  writeFileSync(file, 'TELEGRAM_TOKEN=hunter2\nAPI_PORT=0\n', { mode: 0o644 })
  const find = async () =>
    (await examine({ env: { PATH }, cwd })).checks.find(({ id }) => id === '.env')
  is(await find(), 'warn', 'can be read by other users')
  chmodSync(file, 0o600)
  assert.is(await find(), undefined)
})

test('text keeps to narrow terminals, and piped text is not broken into rows', () => {
  const detail = 'some words that go on and on until the terminal ends'
  const report: DoctorReport = {
    ok: false,
    checks: [{ id: 'x', state: 'fail', detail, remedy: `do ${detail}` }],
    settings: [{ name: 'API_PORT', value: 8080, source: 'default', reserved: '' }],
    problems: [],
  }
  for (const row of renderReport(report, 24, false).split('\n')) assert.ok(row.length <= 24, row)
  assert.match(renderReport(report, Infinity, false), `FAIL  ${detail}\n      → do ${detail}\n`)
  assert.not.match(renderReport(report, 80, false), '\u001b')
  assert.match(renderReport(report, 80, true), '\u001b[31mFAIL\u001b[0m')
})

test('the command prints one JSON document and sets the exit code', async () => {
  const code = `import { Command } from ${JSON.stringify(import.meta.resolve('commander'))}
    import { registerDoctor } from ${JSON.stringify(new URL('./doctor.ts', import.meta.url).href)}
    const program = new Command(); registerDoctor(program); await program.parseAsync()`
  const file = join(cwd, 'command.mts')
  writeFileSync(file, code)
  const ran = await new Promise<{ code: unknown; stdout: string }>((done) => {
    const args = ['--import', 'tsx', file, 'doctor', '--json', '--dir', join(cwd, 'mine')]
    const env = { PATH, API_PORT: '0', HOME: cwd, LOG_LEVEL: 'error' }
    execFile(process.execPath, args, { cwd: ROOT, env }, (error, stdout) => {
      done({ code: error?.code ?? 0, stdout })
    })
  })
  const report = JSON.parse(ran.stdout) as DoctorReport
  assert.is(ran.code, report.ok ? 0 : 4)
  const dir = report.settings.find(({ name }) => name === 'DATA_DIR')
  assert.equal([dir?.value, dir?.source], [join(cwd, 'mine'), 'flag'])
})

test('anything but an invalid configuration is not swallowed', async () => {
  const env = new Proxy(
    {},
    {
      ownKeys: () => {
        throw new RangeError('broken')
      },
    },
  )
  try {
    await examine({ env, cwd })
    assert.unreachable()
  } catch (error) {
    assert.instance(error, RangeError)
    assert.not.instance(error, InvalidConfig)
  }
})

test.run()
