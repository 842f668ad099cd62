import { Buffer } from 'node:buffer'
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { proposed, proposedList, readAll, rejection } from '../contract/event-store-samples.ts'
import { alterBook, makeLegacy } from './altered-book.ts'
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

/** What a reader says that was open when the rows changed. */
async function corruption(path: string, from = 0, statement?: string): Promise<Corrupt> {
  const store = openSqliteStore(path, { readonly: true })
  try {
    if (statement !== undefined) alterBook(path, statement)
    const error = (await rejection(readAll(store, 's', from))) as Corrupt
    assert.is(error.code, 'corrupt_book')
    const subscription = store.subscribe('s', from, () => undefined)
    assert.is(((await rejection(subscription.done)) as Corrupt).code, 'corrupt_book')
    return error
  } finally {
    await store.close()
  }
}

/** What a writer, and alike a reader, is told at open; null when the book opens. */
function refusal(path: string): Corrupt | null {
  const [reader, writer] = [true, false].map((readonly) => {
    try {
      void openSqliteStore(path, { readonly }).close()
      return null
    } catch (error) {
      return error as Corrupt
    }
  })
  assert.is(reader?.message, writer?.message)
  return writer ?? null
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
      alterBook(file, `UPDATE appends SET ${column} = replace(${column}, ',', ' ') WHERE first = 6`)
      assert.is((await corruption(file, 7)).position, 6)
    }
  }))

test('damage: missing and overlapping rows name the position', () =>
  inFolder(async (folder) => {
    // Statement, first position read, what an open reader names, what is named at open.
    const cases: [string, number, number, number][] = [
      ['DELETE FROM appends WHERE first = 4', 0, 4, 4],
      ['DELETE FROM appends WHERE first = 4', 4, 4, 4],
      ['DELETE FROM appends WHERE first = 0', 0, 0, 0],
      ['UPDATE appends SET first = 7 WHERE first = 6', 0, 6, 6],
      ['UPDATE appends SET first = 5 WHERE first = 6', 0, 5, 5],
      ['UPDATE appends SET count = 1 WHERE first = 0', 0, 0, 1],
      ['UPDATE appends SET count = count + 2 WHERE first = 4', 0, 4, 6],
    ]
    for (const [i, [statement, from, position, atOpen]] of cases.entries()) {
      for (const legacy of [false, true]) {
        const path = join(folder, `${i}-${legacy}.db`)
        await writeBook(path)
        if (legacy) makeLegacy(path)
        assert.is((await corruption(path, from, statement)).position, position, statement)
        const error = refusal(path)
        assert.equal([error?.code, error?.stream, error?.position], ['corrupt_book', 's', atOpen])
      }
    }
  }))

const ROW = 'ids, types, checksums, bodies'
// A statement, and the stream and position that are named.
const ALTERATIONS: [string, string | null, number | null][] = [
  [`UPDATE appends SET first = 'abc' WHERE first = 4`, 's', 4],
  [`UPDATE appends SET first = x'00' WHERE first = 4`, 's', 4],
  [`UPDATE appends SET first = 4.5 WHERE first = 4`, 's', 4],
  [`UPDATE appends SET first = 'abc' WHERE first = 6`, 's', 6],
  [`UPDATE appends SET first = x'00' WHERE first = 6`, 's', 6],
  [`UPDATE appends SET first = -1 WHERE first = 0`, 's', 0],
  [`UPDATE appends SET first = 9007199254740990 WHERE first = 6`, 's', 9007199254740990],
  [`UPDATE appends SET first = 9223372036854775807 WHERE first = 6`, 's', 2 ** 63],
  [`UPDATE appends SET count = 'abc' WHERE first = 6`, 's', 6],
  [`UPDATE appends SET count = '3x' WHERE first = 6`, 's', 6],
  [`UPDATE appends SET count = 3.5 WHERE first = 6`, 's', 6],
  [`UPDATE appends SET count = 0 WHERE first = 6`, 's', 6],
  [`UPDATE appends SET count = 9223372036854775807 WHERE first = 6`, 's', 6],
  [`UPDATE appends SET ids = CAST(ids AS BLOB) WHERE first = 4`, 's', 4],
  [`UPDATE appends SET types = CAST(types AS BLOB) WHERE first = 4`, 's', 4],
  [`UPDATE appends SET checksums = CAST(checksums AS BLOB) WHERE first = 4`, 's', 4],
  [`UPDATE appends SET bodies = CAST(bodies AS BLOB) WHERE first = 4`, 's', 4],
  [`INSERT INTO appends SELECT 9, 1, 'abc', 2, ${ROW} FROM appends WHERE first = 4`, 's', 9],
  [`INSERT INTO appends SELECT 9, 1, -1, 1, ${ROW} FROM appends WHERE first = 4`, 's', 0],
  [`INSERT INTO appends SELECT 9, 7, 0, 2, ${ROW} FROM appends WHERE first = 4`, null, 0],
  [`UPDATE appends SET stream_id = 7 WHERE first = 4`, 's', 4],
  [`UPDATE appends SET stream_id = 7 WHERE first = 6`, null, 6],
  [`UPDATE appends SET stream_id = 'abc' WHERE first = 6`, null, 6],
  [`UPDATE appends SET stream_id = 'abc'`, 's', 0],
  [`INSERT INTO streams VALUES (7, 'x'); UPDATE appends SET stream_id = 7 WHERE first = 6`, 'x', 0],
  [`INSERT INTO streams VALUES (7, 'x')`, 'x', 0],
  [`UPDATE streams SET id = 7`, 's', 0],
  [`UPDATE streams SET name = x'73'`, null, null],
  [`UPDATE streams SET name = ''`, null, null],
  [`DELETE FROM streams`, null, 0],
  [`DELETE FROM appends`, 's', 0],
]

test('damage: rows and streams that no writer leaves behind are refused at open, by name', () =>
  inFolder(async (folder) => {
    const sound = join(folder, 'sound.db')
    await writeBook(sound)
    const legacy = join(folder, 'legacy.db')
    copyFileSync(sound, legacy)
    makeLegacy(legacy)
    assert.is(refusal(sound), null)
    assert.is(refusal(legacy), null)
    assert.is((await bodiesOf(legacy)).length, 9)
    let refusedBySqlite = 0
    for (const [i, [statement, stream, position]] of ALTERATIONS.entries()) {
      const path = join(folder, `${i}.db`)
      copyFileSync(legacy, path)
      alterBook(path, statement)
      const error = refusal(path)
      assert.equal(
        [error?.code, error?.stream, error?.position],
        ['corrupt_book', stream, position],
        `${statement}: ${error?.message}`,
      )
      // A new book does not take another type in the first place.
      const fresh = join(folder, `${i}-fresh.db`)
      copyFileSync(sound, fresh)
      try {
        alterBook(fresh, statement)
      } catch (refused) {
        assert.match(String(refused), /cannot store/, statement)
        refusedBySqlite += 1
        continue
      }
      assert.is(refusal(fresh)?.message, error?.message.replace(path, fresh), statement)
    }
    assert.ok(refusedBySqlite >= 13, `${refusedBySqlite}`)
  }))

test('damage: a new book refuses lists of another length than its count, and wrong ranges', () =>
  inFolder(async (folder) => {
    const path = join(folder, 'book.db')
    await writeBook(path)
    const lists = ['ids', 'types', 'checksums'].map((list) => `${list} = ${list} || ','`)
    for (const set of [...lists, 'first = -1', 'count = 0']) {
      const checked = `PRAGMA ignore_check_constraints = OFF; UPDATE appends SET ${set}`
      assert.throws(() => alterBook(path, checked), /CHECK constraint failed/, set)
    }
    assert.is((await bodiesOf(path)).length, 9)
  }))

test('damage: rows moved so that plain sums stay as they were are found', () =>
  inFolder(async (folder) => {
    const sound = join(folder, 'sound.db')
    const store = openSqliteStore(sound)
    for (let i = 0; i < 12; i++) await store.append('s', i * 4 - 1, proposedList(4))
    await store.close()
    for (let row = 2; row < 12; row++) {
      for (const by of [-1, 1]) {
        const path = join(folder, `${row}${by}.db`)
        copyFileSync(sound, path)
        alterBook(path, `UPDATE appends SET first = first + ${by} WHERE id = ${row}`)
        assert.is(refusal(path)?.code, 'corrupt_book')
        if (row === 11) continue
        alterBook(path, `UPDATE appends SET first = first - ${by} WHERE id = ${row + 1}`)
        assert.is(refusal(path)?.code, 'corrupt_book')
      }
    }
  }))

test('damage: streams whose rows alternate are each looked at', () =>
  inFolder(async (folder) => {
    const path = join(folder, 'book.db')
    const store = openSqliteStore(path)
    for (let i = 0; i < 30; i++) {
      await store.append(`s${i % 3}`, Math.floor(i / 3) - 1, proposedList(1))
    }
    assert.equal(await store.streamNames(), ['s0', 's1', 's2'])
    await store.close()
    assert.is(refusal(path), null)
    alterBook(path, 'DELETE FROM appends WHERE first = 4 AND stream_id = 2')
    assert.equal([refusal(path)?.stream, refusal(path)?.position], ['s1', 4])
  }))

test('damage: behind a last row altered under an open writer nothing is appended', () =>
  inFolder(async (folder) => {
    for (const [i, set] of [`first = 'abc'`, `count = 'abc'`, `count = 0`].entries()) {
      const path = join(folder, `${i}.db`)
      await writeBook(path)
      makeLegacy(path)
      const store = openSqliteStore(path)
      alterBook(path, `UPDATE appends SET ${set} WHERE first = 6`)
      for (const expected of [-1, 0, 5, 8]) {
        const error = (await rejection(store.append('s', expected, proposedList(1)))) as Corrupt
        assert.equal([error.code, error.stream], ['corrupt_book', 's'], set)
      }
      assert.is(((await rejection(store.head('s'))) as Corrupt).code, 'corrupt_book')
      await store.close()
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
    alterBook(path, 'DELETE FROM appends WHERE first >= 100')
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
    const error = (await rejection(bodiesOf(path))) as Corrupt
    assert.is(error.code, 'corrupt_book')
    assert.match(error.message, path)
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
