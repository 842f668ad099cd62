import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import {
  bookStream,
  ENGINE_FILE,
  engineDir,
  isRunning,
  packageRoot,
  readEngineFile,
  writeEngineFile,
} from './folder.ts'

function inFolder(body: (folder: string) => void): () => void {
  return () => {
    const folder = mkdtempSync(join(tmpdir(), 'bitacora-folder-'))
    try {
      body(folder)
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  }
}

test('the folder is the one given, else DATA_DIR, else ./data', () => {
  assert.is(engineDir('x', { DATA_DIR: 'y' }), 'x')
  assert.is(engineDir(undefined, { DATA_DIR: 'y' }), 'y')
  assert.is(engineDir(undefined, { DATA_DIR: '' }), './data')
  assert.is(engineDir(undefined, {}), './data')
  assert.is(bookStream(), 'account-main')
})

test(
  'an engine file reads back, and only its owner may read it',
  inFolder((folder) => {
    assert.is(readEngineFile(folder), null)
    const record = {
      pid: process.pid,
      natsUrl: 'nats://127.0.0.1:1',
      httpUrl: null,
      account: 'main',
      bookId: 'b0',
      startedAt: '2026-01-01T00:00:00Z',
    }
    writeEngineFile(folder, record)
    assert.equal(readEngineFile(folder), record)
    if (process.platform !== 'win32') {
      assert.is(statSync(join(folder, ENGINE_FILE)).mode & 0o777, 0o600)
    }
    assert.ok(isRunning(record))
    assert.not.ok(isRunning({ pid: 2 ** 30 }))
    assert.not.ok(isRunning({ pid: 0 }))
  }),
)

test(
  'what is no engine file counts as none',
  inFolder((folder) => {
    for (const text of ['', '{', 'null', '[]', '{"pid":"1","natsUrl":"x"}', '{"pid":1}']) {
      writeFileSync(join(folder, ENGINE_FILE), text)
      assert.is(readEngineFile(folder), null, text)
    }
    writeFileSync(join(folder, ENGINE_FILE), '{"pid":1,"natsUrl":"x"}')
    assert.is(readEngineFile(folder)?.account, 'main')
  }),
)

test('the root of the package is found from its sources and from its build', () => {
  const root = packageRoot()
  const built = pathToFileURL(join(root, 'dist/services/runtime/folder.js')).href
  assert.is(packageRoot(built), root)
  assert.throws(() => packageRoot(pathToFileURL('/x/y.js').href), /no package\.json/)
})

test.run()
