import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { spawn } from 'node:child_process'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { cli, inFolder } from './cli-fixture.ts'
import { HELP } from './help-golden.ts'

for (const [command, golden] of Object.entries(HELP)) {
  test(`help of ${command} is what is documented`, async () => {
    const { code, stdout, stderr } = await cli([...command.split(' '), '--help'])
    assert.is(code, 0)
    assert.is(stderr, '')
    assert.is(stdout, golden)
    const longest = Math.max(...stdout.split('\n').map((line) => line.length))
    assert.ok(longest <= 80, `${longest} columns`)
  })
}

test('the general help lists every command and the exit codes', async () => {
  const { code, stdout } = await cli(['--help'])
  assert.is(code, 0)
  for (const command of Object.keys(HELP)) {
    assert.match(stdout, new RegExp(`^  ${command.split(' ')[0]} `, 'm'))
  }
  assert.match(stdout, 'Exit codes: 0 ok, 1 failed, 2 usage')
  assert.equal(await cli(['-h']), { code: 0, stdout, stderr: '' })
})

test('usage errors exit 2, on stderr, with the nearest name; with --json a document too', async () => {
  const command = await cli(['bactest'])
  assert.is(command.code, 2)
  assert.is(command.stdout, '')
  assert.match(
    command.stderr,
    /^error: unknown command 'bactest'\n\(Did you mean backtest\?\)\nsee: bitacora --help/,
  )
  const option = await cli(['verify', '--form', '1', '--json'])
  assert.is(option.code, 2)
  const { error } = JSON.parse(option.stdout)
  assert.is(error.code, 'usage')
  assert.match(error.message, /^unknown option '--form'\n\(Did you mean --from\?\)$/)
  assert.match(option.stderr, 'see: bitacora verify --help')
  const none = await cli([])
  assert.is(none.code, 2)
  assert.match(none.stderr, 'Usage: bitacora')
  assert.is((await cli(['verify', 'extra'])).code, 2)
})

test('the version is the package’s', async () => {
  const { code, stdout } = await cli(['--version'])
  assert.is(code, 0)
  assert.match(stdout, /^\d+\.\d+\.\d+\n$/)
})

test(
  'an error nobody foresaw exits 1, its stack only for LOG_LEVEL=debug',
  inFolder(async (folder) => {
    const bars = join(folder, 'AAPL.csv')
    writeFileSync(bars, 'date,open,high,low,close\n2020-01-02,1,1,1,1\n2020-01-03,1,1,1,1\n')
    // No file system takes a name as long as this.
    const args = [
      'backtest',
      '--data',
      bars,
      '--strategy',
      'sma_cross',
      '--out',
      join(folder, 'x'.repeat(300)),
    ]
    const plain = await cli(args)
    assert.is(plain.code, 1)
    assert.match(plain.stderr, /^error: --out .*ENAMETOOLONG.*\n$/)
    const debug = await cli(args, { env: { LOG_LEVEL: 'debug' } })
    assert.is(debug.code, 1)
    assert.match(debug.stderr, /\n {4}at /)
  }),
)

test('a reader that stops early is no failure', async () => {
  const main = join(import.meta.dirname, 'main.ts')
  const child = spawn(process.execPath, ['--import', import.meta.resolve('tsx'), main, '--help'], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  child.stdout.destroy()
  let stderr = ''
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()))
  const code = await new Promise((ended) => child.once('close', ended))
  assert.is(code, 0)
  assert.is(stderr, '')
})

test.run()
