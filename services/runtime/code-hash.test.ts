import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { BuildInfoError, codeHash, hashSources, isHashed, readBuildHash } from './code-hash.ts'

function withTree(files: Record<string, string>, use: (root: string) => void): void {
  const root = mkdtempSync(join(tmpdir(), 'bitacora-hash-'))
  try {
    for (const [file, content] of Object.entries(files)) {
      mkdirSync(dirname(join(root, file)), { recursive: true })
      writeFileSync(join(root, file), content)
    }
    use(root)
  } finally {
    rmSync(root, { recursive: true, force: true })
  }
}

const TREE = { 'engine/a.ts': 'one', 'schemas/x/y.v1.json': '{}', 'schemas/validate.ts': 'v' }

function hashOf(files: Record<string, string>): string {
  let hash = ''
  withTree(files, (root) => {
    hash = hashSources(root)
  })
  return hash
}

test('what decides is hashed, tests and fixtures are not', () => {
  const yes = ['engine/a.ts', 'engine/b/c.ts', 'schemas/common.json', 'schemas/x/y.v1.json']
  const no = ['engine/a.test.ts', 'engine/testing/b.ts', 'engine/c/testing/d.ts', 'services/e.ts']
  for (const file of yes) assert.ok(isHashed(file), file)
  for (const file of no) assert.not.ok(isHashed(file), file)
  assert.not.ok(isHashed('schemas/validate.test.ts'))
  assert.not.ok(isHashed('engine/readme.md'))
})

test('content, name and the border between files change the hash; tests do not', () => {
  const base = hashOf(TREE)
  assert.match(base, /^[0-9a-f]{64}$/)
  assert.is(hashOf(TREE), base)
  assert.is(hashOf({ ...TREE, 'engine/a.test.ts': 'x', 'engine/testing/t.ts': 'x' }), base)
  assert.is.not(hashOf({ ...TREE, 'engine/a.ts': 'two' }), base)
  assert.is.not(hashOf({ ...TREE, 'engine/b.ts': '' }), base)
  assert.is.not(hashOf({ ...TREE, 'schemas/x/y.v1.json': '{ }' }), base)
  const { 'engine/a.ts': content, ...rest } = TREE
  assert.is.not(hashOf({ ...rest, 'engine/c.ts': content }), base)
})

test('from the sources the hash is that of this repository', () => {
  assert.is(codeHash(), hashSources('.'))
})

test('a build without a hash says how to make one', () => {
  withTree(
    { 'bad.json': '{"codeHash": 5}', 'good.json': `{"codeHash":"${'a'.repeat(64)}"}` },
    (root) => {
      assert.is(readBuildHash(join(root, 'good.json')), 'a'.repeat(64))
      for (const file of ['bad.json', 'absent.json']) {
        assert.throws(
          () => readBuildHash(join(root, file)),
          (error: unknown) =>
            error instanceof BuildInfoError && error.message.includes('npm run build'),
        )
      }
    },
  )
})

test.run()
