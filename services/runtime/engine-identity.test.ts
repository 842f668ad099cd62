import { cpSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { engineIdentity, forgetNewBookId, IDENTITY_FILE, newBookId } from './engine-identity.ts'

function inFolders(body: (dir: string, other: string) => void): () => void {
  return () => {
    const root = mkdtempSync(join(tmpdir(), 'bitacora-identity-'))
    const dir = mkdtempSync(join(root, 'engine-'))
    try {
      body(dir, join(root, 'other'))
    } finally {
      rmSync(root, { recursive: true, force: true })
    }
  }
}

test(
  'it stays the same from start to start',
  inFolders((dir) => {
    const first = engineIdentity(dir)
    assert.match(first.id, /^e[0-9a-f]{16}$/)
    assert.is(first.host, hostname())
    assert.is(first.pid, process.pid)
    assert.equal(engineIdentity(`${dir}/.`), first)
  }),
)

test(
  'a copy, and a folder that was moved, are other engines',
  inFolders((dir, other) => {
    const { id } = engineIdentity(dir)
    cpSync(dir, other, { recursive: true })
    const copied = engineIdentity(other).id
    assert.is.not(copied, id)
    assert.is(engineIdentity(dir).id, id)
    rmSync(other, { recursive: true })
    renameSync(dir, other)
    assert.is.not(engineIdentity(other).id, id)
  }),
)

test(
  'a copy put in the place of the original is another engine',
  inFolders((dir, other) => {
    const { id } = engineIdentity(dir)
    cpSync(dir, other, { recursive: true })
    // Both exist at once, so that the copy has an inode of its own.
    renameSync(dir, `${other}-kept`)
    renameSync(other, dir)
    assert.is.not(engineIdentity(dir).id, id)
  }),
)

test(
  'the folder on another machine, and a file that cannot be read, are other engines',
  inFolders((dir) => {
    const path = join(dir, IDENTITY_FILE)
    const { id } = engineIdentity(dir)
    const kept = JSON.parse(readFileSync(path, 'utf8'))
    const spoilt = [
      JSON.stringify({ ...kept, host: 'elsewhere' }),
      JSON.stringify({ ...kept, id: 'x' }),
      JSON.stringify({ ...kept, inode: 7 }),
      '7',
      '{"id":',
    ]
    for (const text of spoilt) {
      writeFileSync(path, text)
      const made = engineIdentity(dir).id
      assert.is.not(made, id, text)
      assert.is(engineIdentity(dir).id, made, text)
    }
    writeFileSync(path, JSON.stringify(kept))
    assert.is(engineIdentity(dir).id, id)
  }),
)

test(
  'a new book keeps its id until it exists; the one after it is another',
  inFolders((dir) => {
    const id = newBookId(dir)
    assert.match(id, /^b[0-9a-f]{16}$/)
    assert.is(newBookId(dir), id)
    forgetNewBookId(dir)
    forgetNewBookId(dir)
    const next = newBookId(dir)
    assert.is.not(next, id)
    writeFileSync(join(dir, 'new-book.json'), '{"bookId":"../x"}')
    assert.match(newBookId(dir), /^b[0-9a-f]{16}$/)
  }),
)

test.run()
