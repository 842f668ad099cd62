import { appendFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { alterBook } from '../adapters/embedded/altered-book.ts'
import { openSqliteStore } from '../adapters/embedded/sqlite-store.ts'
import { ANCHORS_FILE } from '../book-tools/anchor.ts'
import { bookPath } from '../runtime/folder.ts'
import { cli, inFolder, writeBook } from './cli-fixture.ts'

const audit = (folder: string, ...more: string[]) =>
  cli(['audit', 'verify', '--dir', folder, ...more])

test(
  'a sound book exits 0 with its end, and its anchor is a line to keep',
  inFolder(async (folder) => {
    const { events } = await writeBook(folder, 60)
    const { code, stdout, stderr } = await audit(folder, '--json')
    assert.is(code, 0, stderr)
    assert.is(stderr, '')
    const result = JSON.parse(stdout)
    assert.is(result.ok, true)
    assert.is(result.events, events)
    assert.is(result.runs, 1)
    assert.is(result.fault, null)
    assert.equal(result.anchors, { given: 0, noted: 0 })
    const text = await audit(folder)
    assert.match(text.stdout, /^Audited {3}every byte is as it was written\n/)
    assert.match(text.stdout, 'without one, a book cut off cleanly looks like a shorter book')

    const line = await cli(['audit', 'anchor', '--dir', folder])
    assert.is(line.code, 0, line.stderr)
    assert.match(
      line.stdout,
      /^\{"bookId":"b1+","position":\d+,"checksum":"[0-9a-f]{64}","at":"[^"]+"\}\n$/,
    )
    const document = await cli(['audit', 'anchor', '--dir', folder, '--json'])
    assert.is(JSON.parse(document.stdout).checksum, result.head.checksum)
    writeFileSync(join(folder, 'kept'), line.stdout)
    writeFileSync(join(folder, 'document'), document.stdout)
    const kept = [join(folder, 'kept'), join(folder, 'document'), result.head.checksum]
    const held = await audit(folder, '--anchor', ...kept)
    assert.is(held.code, 0, held.stderr)
    assert.match(held.stdout, '0 noted in the folder, 3 given')
  }),
)

test(
  'an altered byte exits 3 and names the place',
  inFolder(async (folder) => {
    await writeBook(folder, 60)
    alterBook(
      bookPath(folder),
      `UPDATE appends SET bodies = replace(bodies, '"volume":"1000000"', '"volume":"1000001"') WHERE first = 30`,
    )
    const { code, stdout } = await audit(folder, '--json')
    assert.is(code, 3)
    const { ok, fault, faults } = JSON.parse(stdout)
    assert.is(ok, false)
    assert.is(faults, 1)
    assert.equal(fault, {
      kind: 'altered',
      position: 30,
      message: 'the step that begins at 30 does not match its checksum',
    })
    const text = await audit(folder)
    assert.is(text.code, 3)
    assert.match(text.stdout, /^Audited {3}NO: 1 fault\nFault {5}altered: the step/)
  }),
)

test(
  'a clean cut is seen by an anchor: given as file or checksum, or noted in the folder',
  inFolder(async (folder) => {
    await writeBook(folder, 60)
    const line = (await cli(['audit', 'anchor', '--dir', folder])).stdout
    const { checksum, position } = JSON.parse(line)
    alterBook(
      bookPath(folder),
      'DELETE FROM appends WHERE first IN (SELECT first FROM appends ORDER BY first DESC LIMIT 4)',
    )
    assert.is((await cli(['verify', '--dir', folder])).code, 0, 'verify cannot know')
    assert.is((await audit(folder)).code, 0, 'nor can the audit without an anchor')
    writeFileSync(join(folder, 'kept'), line)
    const file = await audit(folder, '--anchor', join(folder, 'kept'), '--json')
    assert.is(file.code, 3)
    const { fault } = JSON.parse(file.stdout)
    assert.is(fault.kind, 'cut')
    assert.match(fault.message, `has seen it up to ${position}: its end was cut off`)
    const hash = await audit(folder, '--anchor', checksum)
    assert.is(hash.code, 3)
    assert.match(hash.stdout, `no step of the book has checksum ${checksum}`)
    appendFileSync(join(folder, ANCHORS_FILE), line.replace(/"bookId":"\w+"/, '"bookId":"bother"'))
    assert.is(
      (await audit(folder)).code,
      0,
      'what was noted of another book is nothing to this one',
    )
    appendFileSync(join(folder, ANCHORS_FILE), line)
    const noted = await audit(folder)
    assert.is(noted.code, 3)
    assert.match(noted.stdout, '1 noted in the folder, 0 given')
  }),
)

test(
  'no book exits 4, no anchor 2',
  inFolder(async (folder) => {
    const none = await audit(folder)
    assert.is(none.code, 4)
    assert.match(none.stderr, 'no book in')
    await openSqliteStore(bookPath(folder)).close()
    for (const args of [['verify'], ['anchor']]) {
      const empty = await cli(['audit', ...args, '--dir', folder, '--json'])
      assert.is(empty.code, 4, empty.stderr)
      assert.is(JSON.parse(empty.stdout).error.code, 'no_book')
    }
    const missing = await audit(folder, '--anchor', join(folder, 'missing'), '--json')
    assert.is(missing.code, 2)
    assert.is(JSON.parse(missing.stdout).error.code, 'bad_anchor')
    assert.match((await audit(folder, '--anchor', folder)).stderr, 'it cannot be read (EISDIR')
    const bare = await cli(['audit'])
    assert.is(bare.code, 2)
    assert.match(bare.stderr, 'Usage: bitacora audit')
  }),
)

test.run()
