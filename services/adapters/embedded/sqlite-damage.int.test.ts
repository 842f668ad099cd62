import { Buffer } from 'node:buffer'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import Database from 'libsql'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { proposed, proposedList, readAll, rejection } from '../contract/event-store-samples.ts'
import { inFolder } from './book-process.ts'
import { openSqliteStore } from './sqlite-store.ts'

interface Corrupt extends Error {
  code: string
  stream: string | null
  position: number | null
}

/** A closed book of three appends: positions 0–3, 4–5, 6–8. */
async function writeBook(path: string): Promise<void> {
  const store = openSqliteStore(path)
  const body = (n: number) => JSON.stringify({ marker: `event-${n}`, reason: 'plain' })
  const events = Array.from({ length: 9 }, (_, n) => proposed({ body: body(n) }))
  await store.append('s', -1, events.slice(0, 4))
  await store.append('s', 3, events.slice(4, 6))
  await store.append('s', 5, events.slice(6))
  await store.close()
}

/** Changes the first bytes equal to `find` in the file, as `sed` would; both are of one length. */
function alter(path: string, find: string, put: Buffer): void {
  const bytes = readFileSync(path)
  const at = bytes.indexOf(find)
  assert.ok(at > 0, `${find} is in the file`)
  assert.is(put.length, Buffer.byteLength(find))
  put.copy(bytes, at)
  writeFileSync(path, bytes)
}

async function bodiesOf(path: string): Promise<string[]> {
  const store = openSqliteStore(path, { readonly: true })
  try {
    return (await readAll(store, 's')).map(({ body }) => body)
  } finally {
    await store.close()
  }
}

async function corruption(path: string, from = 0): Promise<Corrupt> {
  const store = openSqliteStore(path, { readonly: true })
  try {
    const error = (await rejection(readAll(store, 's', from))) as Corrupt
    assert.is(error.code, 'corrupt_book')
    const subscription = store.subscribe('s', from, () => undefined)
    assert.is(((await rejection(subscription.done)) as Corrupt).code, 'corrupt_book')
    return error
  } finally {
    await store.close()
  }
}

function sql(path: string, statement: string): void {
  const db = new Database(path)
  db.exec(statement)
  db.close()
}

test('damage: an altered body is handed through as it is', () =>
  inFolder(async (folder) => {
    const path = join(folder, 'book.db')
    await writeBook(path)
    alter(path, 'event-5', Buffer.from('event-X'))
    const bodies = await bodiesOf(path)
    assert.is(bodies[5], '{"marker":"event-X","reason":"plain"}')
    assert.is(bodies.length, 9)
  }))

// libsql would abort the process on such a TEXT value.
test('damage: bytes that are no UTF-8, and NULs, are handed through and end nothing', () =>
  inFolder(async (folder) => {
    const path = join(folder, 'book.db')
    await writeBook(path)
    alter(path, 'event-1', Buffer.from([0xff, 0xfe, 0xc0, 0x80, 0xed, 0xa0, 0x80]))
    alter(path, 'event-7', Buffer.from('ev\0nt-7'))
    const bodies = await bodiesOf(path)
    assert.match(bodies[1] ?? '', /\ufffd/)
    assert.is(bodies[7], '{"marker":"ev\0nt-7","reason":"plain"}')
    assert.is(bodies[8], '{"marker":"event-8","reason":"plain"}')
  }))

test('damage: a row that does not split into its events names its positions', () =>
  inFolder(async (folder) => {
    const path = join(folder, 'book.db')
    const flaws: [string, string][] = [
      ['"}\n{"marker":"event-5', '"} {"marker":"event-5'],
      ['event-5', 'event\n5'],
    ]
    for (const [i, [find, put]] of flaws.entries()) {
      const file = `${path}-${i}.db`
      await writeBook(file)
      alter(file, find, Buffer.from(put))
      const error = await corruption(file)
      assert.equal([error.stream, error.position], ['s', 4])
      assert.match(error.message, /positions 4 to 5 do not split/)
    }
    for (const [i, column] of ['ids', 'types', 'checksums'].entries()) {
      const file = `${path}-column-${i}.db`
      await writeBook(file)
      sql(file, `UPDATE appends SET ${column} = replace(${column}, ',', ' ') WHERE first = 6`)
      assert.is((await corruption(file, 7)).position, 6)
    }
  }))

test('damage: missing and overlapping rows name the position', () =>
  inFolder(async (folder) => {
    const cases: [string, number, number][] = [
      ['DELETE FROM appends WHERE first = 4', 0, 4],
      ['DELETE FROM appends WHERE first = 4', 4, 4],
      ['DELETE FROM appends WHERE first = 0', 0, 0],
      ['UPDATE appends SET first = 7 WHERE first = 6', 0, 6],
      ['UPDATE appends SET first = 5 WHERE first = 6', 0, 5],
      ['UPDATE appends SET count = 1 WHERE first = 0', 0, 0],
      ['UPDATE appends SET count = count + 2 WHERE first = 4', 0, 4],
    ]
    for (const [i, [statement, from, position]] of cases.entries()) {
      const path = join(folder, `${i}.db`)
      await writeBook(path)
      sql(path, statement)
      assert.is((await corruption(path, from)).position, position, statement)
    }
  }))

test('damage: rows that vanish under a reader are missed', () =>
  inFolder(async (folder) => {
    const path = join(folder, 'book.db')
    const store = openSqliteStore(path)
    for (let i = 0; i < 200; i += 50) await store.append('s', i - 1, proposedList(50))
    const pages = store.read('s', 0)
    const { value } = await pages.next()
    assert.is(value?.length, 100)
    sql(path, 'DELETE FROM appends WHERE first >= 100')
    const error = (await rejection(pages.next())) as Corrupt
    assert.equal([error.code, error.position], ['corrupt_book', 100])
    await store.close()
  }))

test('damage: pages SQLite cannot follow are a corrupt book', () =>
  inFolder(async (folder) => {
    const path = join(folder, 'book.db')
    const store = openSqliteStore(path)
    let head = -1
    for (let i = 0; i < 50; i++) head = await store.append('s', head, proposedList(30))
    await store.close()
    const bytes = readFileSync(path)
    bytes.fill(0x5a, 4096 * 3)
    writeFileSync(path, bytes)
    const reader = openSqliteStore(path, { readonly: true })
    const error = (await rejection(readAll(reader, 's'))) as Corrupt
    assert.is(error.code, 'corrupt_book')
    assert.match(error.message, path)
    await reader.close()
  }))

test('damage: any byte altered anywhere gives events or a typed error, never the end of the process', () =>
  inFolder(async (folder) => {
    const path = join(folder, 'book.db')
    await writeBook(path)
    const sound = readFileSync(path)
    const altered = join(folder, 'altered.db')
    const place = fc.oneof(
      fc.integer({ min: 0, max: sound.length - 1 }),
      // Most bytes are unused space; these are not.
      fc.constantFrom(...[...sound.keys()].filter((at) => sound[at] !== 0)),
    )
    await fc.assert(
      fc.asyncProperty(place, fc.integer({ min: 0, max: 255 }), async (at, byte) => {
        const bytes = Buffer.from(sound)
        bytes[at] = byte
        writeFileSync(altered, bytes)
        try {
          await bodiesOf(altered)
        } catch (error) {
          assert.match(String((error as Corrupt).code), /^(corrupt_book|not_a_book|book_too_new)$/)
        }
      }),
      { numRuns: 500 },
    )
  }))

test.run()
