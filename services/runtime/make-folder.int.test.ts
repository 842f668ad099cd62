import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { lockFolder } from '../adapters/embedded/folder-lock.ts'
import { ensureServer } from '../adapters/nats/server.ts'
import { SimJournal } from '../simulator/sim-journal.ts'
import { FolderNotMade, makeFolder } from './make-folder.ts'

const LIMIT_MS = 20_000

function inFolder(body: (folder: string) => void | Promise<void>): () => Promise<void> {
  return async () => {
    const folder = mkdtempSync(join(tmpdir(), 'bitacora-make-'))
    try {
      await body(folder)
    } finally {
      chmodSync(folder, 0o700)
      rmSync(folder, { recursive: true, force: true })
    }
  }
}

function refusal(path: string): FolderNotMade {
  try {
    makeFolder(path)
  } catch (error) {
    if (error instanceof FolderNotMade) return error
    throw error
  }
  throw new Error(`${path} was made`)
}

/** Root may write anywhere, so a test of permissions puts that off for a moment. */
function asOrdinaryUser<T>(body: () => T): T {
  if (process.getuid?.() !== 0) return body()
  process.seteuid!(65_534)
  try {
    return body()
  } finally {
    process.seteuid!(0)
  }
}

test(
  'every level is made, and the topmost new one is told',
  inFolder((folder) => {
    const path = join(folder, 'a', 'b', 'c')
    assert.is(makeFolder(path), join(folder, 'a'))
    assert.ok(statSync(path).isDirectory())
    assert.is(makeFolder(path), undefined)
    assert.is(makeFolder(join(path, 'd')), join(path, 'd'))
    const near = relative(process.cwd(), join(folder, 'e', '..', 'f'))
    assert.is(makeFolder(near), join(folder, 'f'))
    assert.equal(readdirSync(folder), ['a', 'f'])
  }),
)

test(
  'a link to a folder counts as the folder, a link to nowhere is refused',
  inFolder((folder) => {
    mkdirSync(join(folder, 'real'))
    symlinkSync(join(folder, 'real'), join(folder, 'link'))
    assert.is(makeFolder(join(folder, 'link', 'a')), join(folder, 'link', 'a'))
    assert.ok(existsSync(join(folder, 'real', 'a')))
    symlinkSync(join(folder, 'none'), join(folder, 'dangling'))
    const error = refusal(join(folder, 'dangling', 'a'))
    assert.is(error.place, join(folder, 'dangling'))
    assert.match(error.message, 'a link to nowhere')
    symlinkSync(join(folder, 'round'), join(folder, 'round'))
    assert.match(refusal(join(folder, 'round')).message, 'ELOOP')
  }),
)

test(
  'a file in the way is named, with what to do',
  inFolder((folder) => {
    const file = join(folder, 'file')
    writeFileSync(file, '')
    for (const path of [file, join(file, 'a'), join(file, 'a', 'b')]) {
      const error = refusal(path)
      assert.is(error.code, 'folder_not_made')
      assert.is(error.folder, path)
      assert.is(error.place, file)
      assert.match(error.message, path)
      assert.match(error.message, 'it is a file')
      assert.match(error.message, 'name another with --dir')
    }
  }),
)

test('a name that is empty or too long is refused', () => {
  assert.match(refusal('').message, 'it has no name')
  assert.match(refusal(' ').message, 'it has no name')
  assert.match(refusal(join(tmpdir(), 'x'.repeat(300))).message, 'the name is too long')
})

test(
  'where permission lacks, the place is told',
  inFolder((folder) => {
    chmodSync(folder, 0o555)
    const error = asOrdinaryUser(() => refusal(join(folder, 'a', 'b')))
    assert.is(error.place, join(folder, 'a'))
    assert.match(error.message, `${join(folder, 'a')}: permission denied, EACCES`)
    chmodSync(folder, 0)
    assert.match(asOrdinaryUser(() => refusal(join(folder, 'a', 'b'))).message, 'permission denied')
  }),
)

const proc = existsSync('/proc/self') ? test : test.skip
proc('below /proc nothing is made, and that is said at once', () => {
  const script = `
    const { makeFolder } = await import(${JSON.stringify(import.meta.resolve('./make-folder.ts'))})
    for (const path of ['/proc/bitacora', '/proc/bitacora/a/b']) {
      try { makeFolder(path) } catch (error) { console.log(error.code, error.place) }
    }`
  const args = ['--import', import.meta.resolve('tsx'), '--input-type=module', '-e', script]
  // A process of its own: one that never returns cannot be ended from within.
  const ran = spawnSync(process.execPath, args, {
    encoding: 'utf8',
    timeout: LIMIT_MS,
    killSignal: 'SIGKILL',
  })
  const line = 'folder_not_made /proc/bitacora\n'
  assert.is(ran.stdout, line + line, ran.stderr)
})

test(
  'whoever makes a folder for the user refuses one that cannot be',
  inFolder(async (folder) => {
    const file = join(folder, 'file')
    writeFileSync(file, 'mine')
    const notMade = (error: Error) => error instanceof FolderNotMade
    assert.throws(() => lockFolder(file), notMade)
    assert.throws(() => new SimJournal(join(file, 'sim.db'), 'b0'), notMade)
    const failed = await ensureServer({ dir: join(file, 'nats') }).then(
      () => null,
      (error: Error) => error,
    )
    assert.instance(failed, FolderNotMade)
    assert.equal(readdirSync(folder), ['file'])
  }),
)

test.run()
