import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { demoBarsPath } from '../market-data/demo-data.ts'
import { barsCsv, cli, inFolder } from './cli-fixture.ts'
import { CliError } from './exit-codes.ts'
import { OutFolder } from './out-folder.ts'

const DEMO = ['backtest', '--data', demoBarsPath(), '--strategy', 'sma_cross']

function fault(body: () => void): CliError {
  try {
    body()
  } catch (error) {
    if (error instanceof CliError) return error
    throw error
  }
  throw new Error('nothing failed')
}

function mount(folder: string, options: string): void {
  execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', folder], { stdio: 'ignore' })
}

function unmount(folder: string): void {
  execFileSync('umount', [folder], { stdio: 'ignore' })
}

function canMount(): boolean {
  const folder = mkdtempSync(join(tmpdir(), 'bitacora-mount-'))
  try {
    mount(folder, 'size=16k')
    unmount(folder)
    return true
  } catch {
    return false
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** A file system of its own, gone afterwards also on failure. */
function onTmpfs(options: string, body: (folder: string) => Promise<void>): () => Promise<void> {
  return inFolder(async (folder) => {
    const disk = join(folder, 'disk')
    mkdirSync(disk)
    mount(disk, options)
    try {
      await body(disk)
    } finally {
      unmount(disk)
    }
  })
}

const mountable = canMount()
const tmpfs = mountable ? test : test.skip
const why = mountable ? '' : 'needs a mountable tmpfs: '

tmpfs(
  `${why}a full disk is told, and what was left there`,
  onTmpfs('size=16k', async (disk) => {
    const out = join(disk, 'out')
    const { code, stdout, stderr } = await cli([...DEMO, '--out', out, '--json'])
    assert.is(code, 1, stderr)
    const { error } = JSON.parse(stdout)
    assert.is(error.code, 'out_unwritable')
    assert.is(error.reason, 'ENOSPC')
    assert.ok(error.partial.includes('equity.csv.part'))
    const partial: string[] = error.partial
    assert.equal(readdirSync(out).sort(), [...partial].sort())
    assert.match(stderr, `error: --out ${out} cannot be written`)
    assert.match(stderr, 'the disk is full, ENOSPC')
    assert.match(stderr, 'free space there')
    for (const name of error.partial) assert.match(stderr, name)
    const bytes = error.partial.map((name: string) => statSync(join(out, name)).size)
    assert.ok(Math.max(...bytes) > 0, 'what fitted is kept')
  }),
)

tmpfs(
  `${why}a disk that fills up during the run ends it`,
  onTmpfs('size=400k', async (disk) => {
    const bars = join(disk, 'AAPL.csv')
    writeFileSync(bars, barsCsv(5000))
    const out = join(disk, 'out')
    const args = ['backtest', '--data', bars, '--strategy', 'sma_cross', '--out', out, '--json']
    const { code, stdout, stderr } = await cli(args)
    assert.is(code, 1, stderr)
    const { error } = JSON.parse(stdout)
    assert.is(error.reason, 'ENOSPC')
    assert.is(error.partial.length, 6)
    assert.is(statSync(join(out, 'summary.json.part')).size, 0, 'the run did not reach its end')
  }),
)

tmpfs(
  `${why}a fault leaves the results of the run before`,
  onTmpfs('size=300k', async (disk) => {
    const out = join(disk, 'out')
    const first = await cli([...DEMO, '--out', out])
    assert.is(first.code, 0, first.stderr)
    const before = readFileSync(join(out, 'equity.csv'), 'utf8')
    try {
      writeFileSync(join(disk, 'ballast'), Buffer.alloc(400 * 1024))
    } catch {
      // It filled the disk, which is what it is for.
    }
    const second = await cli([...DEMO, '--set', 'fast=5', '--out', out])
    assert.is(second.code, 1, second.stdout)
    assert.match(second.stderr, 'the disk is full')
    assert.is(second.stdout, '')
    assert.is(readFileSync(join(out, 'equity.csv'), 'utf8'), before)
  }),
)

tmpfs(
  `${why}a read-only disk is told`,
  onTmpfs('size=16k,ro', async (disk) => {
    const { code, stderr } = await cli([...DEMO, '--out', join(disk, 'out')])
    assert.is(code, 1)
    assert.match(stderr, 'the file system is read-only, EROFS')
    assert.match(stderr, 'name a folder on a disk that can be written')
    assert.not.match(stderr, 'unfinished')
    const held = fault(() => new OutFolder(disk, true, null))
    assert.is(held.details.reason, 'EROFS')
    assert.equal(held.details.partial, [])
  }),
)

const proc = existsSync('/proc/self') ? test : test.skip
proc('below /proc nothing can be written, and that is said at once', async () => {
  for (const out of ['/proc/bitacora', '/proc/bitacora/a']) {
    const { code, stderr } = await cli([...DEMO, '--out', out])
    assert.is(code, 1)
    assert.match(stderr, `error: --out ${out} cannot be written (/proc/bitacora: `)
  }
  const start = await cli(['start', '--dir', '/proc/bitacora'])
  assert.is(start.code, 4)
  assert.match(start.stderr, 'error: /proc/bitacora cannot be made')
})

test(
  'a file in the way, as the folder or above it',
  inFolder((folder) => {
    const file = join(folder, 'file')
    writeFileSync(file, 'mine')
    for (const dir of [file, join(file, 'a')]) {
      const error = fault(() => new OutFolder(dir, true, null))
      assert.is(error.code, 'out_unwritable')
      assert.is(error.details.path, file)
      assert.match(error.message, `--out ${dir} cannot be written`)
      assert.match(error.message, 'it is a file): name another folder')
    }
    assert.is(readFileSync(file, 'utf8'), 'mine')
  }),
)

test(
  'a folder in the place of a file of ours: what was begun is named',
  inFolder((folder) => {
    mkdirSync(join(folder, 'fills.csv.part'))
    const error = fault(() => new OutFolder(folder, true, null))
    assert.is(error.details.path, join(folder, 'fills.csv.part'))
    assert.match(error.message, 'it is a folder, EISDIR): move that folder away')
    assert.match(error.message, 'left there: trades.csv.part, orders.csv.part, fills.csv.part')
  }),
)

test(
  'a result that cannot be put in its place is left under its other name',
  inFolder((folder) => {
    const out = new OutFolder(folder, true, null)
    mkdirSync(join(folder, 'equity.csv', 'a'), { recursive: true })
    const error = fault(() => out.finish({}))
    assert.is(error.details.path, join(folder, 'equity.csv.part'))
    out.discard()
    const left = ['equity.csv.part', 'decisions.ndjson.part', 'summary.json.part']
    assert.equal(error.details.partial, left)
    assert.is(readFileSync(join(folder, 'summary.json.part'), 'utf8'), '{}\n')
  }),
)

test(
  'without permission',
  inFolder((folder) => {
    chmodSync(folder, 0o555)
    // Root may write anywhere.
    const root = process.getuid?.() === 0
    if (root) process.seteuid!(65_534)
    try {
      const error = fault(() => new OutFolder(join(folder, 'out'), true, null))
      assert.match(error.message, 'permission denied, EACCES): get the right to write there')
      const held = fault(() => new OutFolder(folder, true, null))
      assert.is(held.details.path, join(folder, 'trades.csv.part'))
    } finally {
      if (root) process.seteuid!(0)
      chmodSync(folder, 0o700)
    }
  }),
)

test(
  'what fails for another reason takes its unfinished files along',
  inFolder((folder) => {
    const out = new OutFolder(folder, true, null)
    assert.is(readdirSync(folder).length, 6)
    out.discard()
    assert.equal(readdirSync(folder), [])
  }),
)

test.run()
