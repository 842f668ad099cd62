import { spawn, spawnSync } from 'node:child_process'
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { hashSources } from '../services/runtime/code-hash.ts'

const MAIN = `import { codeHash } from '../runtime/code-hash.ts'
const [command] = process.argv.slice(2)
console.log(import.meta.url.endsWith('.ts') ? 'source' : 'dist', codeHash(), process.argv.slice(2).join('|'))
if (command === 'three') process.exitCode = 3
if (command === 'wait') {
  const timer = setInterval(() => {}, 1000)
  process.on('SIGTERM', () => clearInterval(timer))
}
`

/** A small copy of the repository with a command line of our own and the packages that lie here. */
function copyTo(root: string): void {
  for (const name of ['package.json', 'tsconfig.json', 'tsconfig.build.json'])
    cpSync(name, join(root, name))
  mkdirSync(join(root, 'scripts'))
  for (const name of readdirSync('scripts').filter((name) => /\.(ts|mjs|mts)$/.test(name))) {
    cpSync(join('scripts', name), join(root, 'scripts', name))
  }
  cpSync('schemas', join(root, 'schemas'), { recursive: true })
  for (const folder of ['engine', 'services/runtime', 'services/cli']) {
    mkdirSync(join(root, folder), { recursive: true })
  }
  cpSync('engine/decimal.ts', join(root, 'engine/decimal.ts'))
  cpSync('services/runtime/code-hash.ts', join(root, 'services/runtime/code-hash.ts'))
  writeFileSync(join(root, 'services/cli/main.ts'), MAIN)
  symlinkSync(resolve('node_modules'), join(root, 'node_modules'))
}

let root = ''

test.before(() => {
  root = mkdtempSync(join(tmpdir(), 'bitacora-bin-'))
  copyTo(root)
})

test.after(() => {
  rmSync(root, { recursive: true, force: true })
})

function bitacora(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, ['scripts/bitacora.mjs', ...args], {
    cwd: root,
    encoding: 'utf8',
  })
}

function build(...args: string[]): number | null {
  const all = ['--import', 'tsx', 'scripts/build.ts', ...args]
  return spawnSync(process.execPath, all, { cwd: root, encoding: 'utf8' }).status
}

test('unbuilt it runs the sources, with arguments and exit code as they are', () => {
  const { status, stdout, stderr } = bitacora('three', 'a b', '--x=1')
  assert.is(status, 3, stderr)
  assert.is(stdout, `source ${hashSources(root)} three|a b|--x=1\n`)
})

test('built it runs the build, which has the same hash', () => {
  assert.is(build(), 0)
  const { status, stdout, stderr } = bitacora('three')
  assert.is(status, 3, stderr)
  assert.is(stdout, `dist ${hashSources(root)} three\n`)
  assert.not.ok(readdirSync(root).some((name) => name.startsWith('dist.')))
})

test('a newer source makes the build stale, and --if-stale builds then', () => {
  const later = new Date(Date.now() + 5000)
  utimesSync(join(root, 'engine/decimal.ts'), later, later)
  assert.match(bitacora().stdout, /^source /)
  utimesSync(join(root, 'engine/decimal.ts'), new Date(0), new Date(0))
  assert.match(bitacora().stdout, /^dist /)
  writeFileSync(join(root, 'engine/added.ts'), 'export const added = 1\n')
  assert.match(bitacora().stdout, /^source /)
  assert.is(build('--if-stale'), 0)
  assert.is(bitacora().stdout, `dist ${hashSources(root)} \n`)
})

test('a build that fails leaves the one before', () => {
  writeFileSync(join(root, 'engine/broken.ts'), 'export const broken: number = "text"\n')
  assert.is(build(), 1)
  assert.ok(readdirSync(join(root, 'dist')).includes('build.json'))
  assert.match(bitacora().stdout, /^source /)
  rmSync(join(root, 'engine/broken.ts'))
})

test('a signal reaches the program, which ends with its own code', async () => {
  const child = spawn(process.execPath, ['scripts/bitacora.mjs', 'wait'], { cwd: root })
  try {
    await new Promise((done) => child.stdout.once('data', done))
    await new Promise((done) => setTimeout(done, 100))
    child.kill('SIGTERM')
    assert.is(await new Promise((done) => child.once('exit', done)), 0)
  } finally {
    child.kill('SIGKILL')
  }
})

test.run()
