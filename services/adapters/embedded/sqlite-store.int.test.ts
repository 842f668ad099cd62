import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'libsql'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { eventStoreContract } from '../contract/event-store-contract.ts'
import {
  expectedIds,
  idsAndPositions,
  proposed,
  proposedList,
  readAll,
  rejection,
  until,
} from '../contract/event-store-samples.ts'
import { bookProcess, inFolder } from './book-process.ts'
import { openSqliteStore, type SqliteStore } from './sqlite-store.ts'

eventStoreContract(
  test,
  'sqlite',
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'bitacora-book-'))
    const handles: SqliteStore[] = []
    const another = async () => {
      const store = openSqliteStore(join(folder, 'book.db'))
      handles.push(store)
      return store
    }
    const dispose = async () => {
      for (const handle of handles) await handle.close()
      rmSync(folder, { recursive: true, force: true })
    }
    return { store: await another(), another, dispose }
  },
  { propertyRuns: 40 },
)

interface Coded extends Error {
  code: string
  found?: number
  supported?: number
  position?: number
}

function refusal(path: string, readonly = false): Coded {
  try {
    void openSqliteStore(path, { readonly }).close()
  } catch (error) {
    return error as Coded
  }
  throw new Error(`${path} was opened`)
}

test('sqlite: the folder is made, and a closed book is one file', () =>
  inFolder(async (folder) => {
    const path = join(folder, 'a', 'b', 'book.db')
    const store = openSqliteStore(path)
    await store.append('s', -1, proposedList(3))
    await store.close()
    await store.close()
    assert.is(statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0, 0)
    for (const call of [() => store.append('s', 2, proposedList(1)), () => store.head('s')]) {
      assert.match(String(await rejection(call())), /closed/)
    }
    assert.throws(() => store.subscribe('s', 0, () => undefined), /closed/)
    const again = openSqliteStore(path)
    assert.is(await again.head('s'), 2)
    await again.close()
  }))

test('sqlite: any SQLite tool can read the bodies, one a line', () =>
  inFolder(async (folder) => {
    const path = join(folder, 'book.db')
    const store = openSqliteStore(path)
    const run = '0b9d3f7a-52c1-4e8b-9d6f-'
    const events = [10, 11, 12].map((n) => proposed({ id: `${run}${`${n}`.padStart(12, '0')}` }))
    await store.append('s', -1, events)
    const db = new Database(path)
    const row = db.prepare('SELECT first, count, ids, bodies FROM appends').raw().get()
    db.close()
    const bodies = events.map(({ body }) => body).join('\n')
    assert.equal(row, [0, 3, `${run}00000000001:0,1,2`, bodies])
    assert.equal(await idsAndPositions(store, 's'), expectedIds(events))
    await store.close()
  }))

test('sqlite: what is not a book is refused and left as it was', () =>
  inFolder(async (folder) => {
    const text = join(folder, 'text.db')
    writeFileSync(text, 'not a database '.repeat(1000))
    const foreign = join(folder, 'foreign.db')
    const db = new Database(foreign)
    db.exec('CREATE TABLE theirs (a)')
    db.close()
    for (const path of [text, foreign]) {
      const before = readFileSync(path)
      for (const readonly of [false, true]) {
        const error = refusal(path, readonly)
        assert.is(error.code, 'not_a_book')
        assert.match(error.message, path)
      }
      assert.ok(before.equals(readFileSync(path)), 'the file did not change')
    }
  }))

test('sqlite: a newer format names both versions; a format that is none is refused', () =>
  inFolder(async (folder) => {
    const path = join(folder, 'book.db')
    await openSqliteStore(path).close()
    const setVersion = (value: number) => {
      const db = new Database(path)
      db.exec(`UPDATE meta SET value = ${value} WHERE key = 'schema_version'`)
      db.close()
    }
    setVersion(7)
    const error = refusal(path)
    assert.equal([error.code, error.found, error.supported], ['book_too_new', 7, 1])
    assert.match(error.message, /format 7.*up to 1/)
    setVersion(0)
    assert.is(refusal(path).code, 'not_a_book')
  }))

test('sqlite: a reader finds no book where none is, and makes none', () =>
  inFolder(async (folder) => {
    const missing = join(folder, 'none', 'book.db')
    const error = refusal(missing, true)
    assert.is(error.code, 'no_book')
    assert.match(error.message, `no book in ${join(folder, 'none')}`)
    assert.match(error.message, 'bitacora start')
    assert.not(existsSync(join(folder, 'none')))
    // A process killed before its first commit leaves an empty file.
    writeFileSync(join(folder, 'empty.db'), '')
    assert.is(refusal(join(folder, 'empty.db'), true).code, 'no_book')
    const store = openSqliteStore(join(folder, 'empty.db'))
    assert.is(await store.append('s', -1, proposedList(1)), 0)
    await store.close()
  }))

test('sqlite: a path that cannot hold a file is unavailable', () =>
  inFolder(async (folder) => {
    writeFileSync(join(folder, 'file'), '')
    assert.is(refusal(join(folder, 'file', 'book.db')).code, 'book_unavailable')
    assert.is(refusal(folder).code, 'book_unavailable')
    assert.is(refusal(folder, true).code, 'book_unavailable')
    assert.is(refusal(join(folder, 'n'.repeat(300))).code, 'book_unavailable')
    symlinkSync(join(folder, 'nowhere', 'book.db'), join(folder, 'dangling.db'))
    assert.is(refusal(join(folder, 'dangling.db')).code, 'book_unavailable')
    symlinkSync(join(folder, 'nowhere'), join(folder, 'link'))
    assert.is(refusal(join(folder, 'link', 'book.db')).code, 'book_unavailable')
    // The one place without a write-ahead log that every machine has.
    assert.match(refusal(':memory:').message, /does not support WAL/)
  }))

test('sqlite: a book that another process keeps locked cannot be made', () =>
  inFolder(async (folder) => {
    const path = join(folder, 'book.db')
    const other = new Database(path)
    other.exec('BEGIN EXCLUSIVE')
    assert.is(refusal(path).code, 'book_busy')
    other.exec('ROLLBACK')
    other.close()
    await openSqliteStore(path).close()
  }))

test('sqlite: a disk that fills while the book is made leaves nothing half-made', () =>
  inFolder(async (folder) => {
    const path = join(folder, 'book.db')
    const maker = bookProcess(
      `try { openSqliteStore(args[0]); say('made') } catch (error) { say('failed ' + error.code) }`,
      [path],
      '-f 16',
    )
    assert.is(await maker.line(''), 'failed book_unavailable')
    await maker.ended
    const store = openSqliteStore(path)
    assert.is(await store.append('s', -1, proposedList(1)), 0)
    await store.close()
  }))

test('sqlite: a read-only handle reads beside a writer and never writes', () =>
  inFolder(async (folder) => {
    const path = join(folder, 'bo ok #1?%.db')
    const writer = openSqliteStore(path)
    await writer.append('s', -1, proposedList(3))
    const reader = openSqliteStore(path, { readonly: true })
    assert.is((await readAll(reader, 's')).length, 3)
    assert.instance(await rejection(reader.append('s', 2, proposedList(1))), TypeError)
    assert.is(await writer.append('s', 2, proposedList(2)), 4)
    assert.is(await reader.head('s'), 4)
    const seen: number[] = []
    const subscription = reader.subscribe('s', 5, (page) => {
      seen.push(...page.map(({ position }) => position))
    })
    await writer.append('s', 4, proposedList(2))
    await until(() => seen.length === 2, 'the writer’s append at the reader')
    assert.equal(seen, [5, 6])
    await subscription.close()
    await writer.close()
    assert.is(await reader.head('s'), 6)
    await reader.close()
    assert.equal(
      readdirSync(folder).filter((name) => !/^bo ok #1\?%\.db(-wal|-shm)?$/.test(name)),
      [],
    )
  }))

test('sqlite: large events come in small pages, so that a reader stays small', () =>
  inFolder(async (folder) => {
    const store = openSqliteStore(join(folder, 'book.db'))
    const body = JSON.stringify('x'.repeat(100_000))
    for (let i = 0; i < 160; i += 4) {
      const events = [0, 1, 2, 3].map(() => proposed({ body }))
      await store.append('s', i - 1, events)
    }
    const pages: number[][] = []
    for await (const page of store.read('s', 0)) pages.push(page.map(({ position }) => position))
    assert.equal(
      pages.flat(),
      Array.from({ length: 160 }, (_, i) => i),
    )
    assert.ok((pages.at(-1)?.length ?? 0) <= 16, `${pages.map(({ length }) => length)}`)
    await store.close()
  }))

test('sqlite: an idle reader does not keep the log from being reset', () =>
  inFolder(async (folder) => {
    const path = join(folder, 'book.db')
    const writer = openSqliteStore(path)
    let head = await writer.append('s', -1, proposedList(500))
    const reader = openSqliteStore(path, { readonly: true })
    await reader.head('s')
    for await (const _ of reader.read('s', 0)) break
    const subscription = reader.subscribe('s', head, () => undefined)
    const body = JSON.stringify('x'.repeat(100_000))
    for (let i = 0; i < 300; i++) head = await writer.append('s', head, [proposed({ body })])
    const size = statSync(`${path}-wal`).size
    assert.ok(size < 12_000_000, `30 MB written left a log of ${size} bytes`)
    await subscription.close()
    await reader.close()
    await writer.close()
  }))

test('sqlite: a lock held elsewhere is waited for, in order, without stopping the process', () =>
  inFolder(async (folder) => {
    const path = join(folder, 'book.db')
    const store = openSqliteStore(path)
    await store.append('s', -1, proposedList(1))
    const other = new Database(path)
    other.exec('BEGIN IMMEDIATE')
    let ticks = 0
    const ticking = setInterval(() => {
      ticks += 1
    }, 5)
    const events = proposedList(3)
    const appends = events.map((event, i) => store.append('s', i, [event]))
    await new Promise((resolve) => setTimeout(resolve, 150))
    clearInterval(ticking)
    assert.ok(ticks >= 3, `${ticks} ticks while it waited`)
    assert.is(await store.head('s'), 0)
    other.exec('ROLLBACK')
    other.close()
    assert.equal(await Promise.all(appends), [1, 2, 3])
    await store.close()
  }))

test('sqlite: a lock held too long is BookBusy, and nothing is written', () =>
  inFolder(async (folder) => {
    const path = join(folder, 'book.db')
    const store = openSqliteStore(path, { busyLimitMs: 60 })
    const other = new Database(path)
    other.exec('BEGIN IMMEDIATE')
    const error = (await rejection(store.append('s', -1, proposedList(1)))) as Coded
    assert.is(error.code, 'book_busy')
    assert.match(error.message, path)
    other.exec('ROLLBACK')
    other.close()
    assert.is(await store.head('s'), -1)
    assert.is(await store.append('s', -1, proposedList(1)), 0)
    await store.close()
  }))

test('sqlite: a full disk is BookUnavailable; what was acknowledged stays, whole', () =>
  inFolder(async (folder) => {
    const path = join(folder, 'book.db')
    const before = openSqliteStore(path)
    // So much that the log of the limited process does not fit the file either, when it closes.
    const past = proposedList(750).map((event) => ({ ...event, body: `"${'y'.repeat(2000)}"` }))
    for (let i = 0; i < 750; i += 50) await before.append('s', i - 1, past.slice(i, i + 50))
    await before.close()
    const writer = bookProcess(
      `
      const store = openSqliteStore(args[0])
      let head = await store.head('s')
      try {
        for (;;) {
          const events = Array.from({ length: 50 }, () => ({
            id: randomUUID(), type: 't', body: JSON.stringify('x'.repeat(2000)), checksum: null }))
          head = await store.append('s', head, events)
          say('acked ' + head)
        }
      } catch (error) {
        say('failed ' + error.code + ' ' + error.cause?.code)
        say('head ' + (await store.head('s')))
        await store.close()
        say('closed')
      }`,
      [path],
      '-f 4096',
    )
    const failed = await writer.line('failed')
    assert.match(failed, /^failed book_unavailable SQLITE_(FULL|IOERR)/)
    await writer.line('closed')
    await writer.ended
    const acked = writer.lines.filter((line) => line.startsWith('acked')).at(-1)
    const head = Number(acked?.slice('acked '.length))
    assert.ok(head > 850, `${acked}`)
    assert.ok(writer.lines.includes(`head ${head}`))
    const store = openSqliteStore(path)
    assert.is(await store.head('s'), head)
    assert.is((await readAll(store, 's')).length, head + 1)
    await store.append('s', head, proposedList(1))
    await store.close()
  }))

test('sqlite: processes that start at once share one book', () =>
  inFolder(async (folder) => {
    const path = join(folder, 'new', 'book.db')
    const writers = Array.from({ length: 3 }, () =>
      bookProcess(
        `
        const store = openSqliteStore(args[0])
        let done = 0
        while (done < 40) {
          const head = await store.head('s')
          const events = Array.from({ length: 3 }, () => ({
            id: randomUUID(), type: 't', body: '{}', checksum: null }))
          try { await store.append('s', head, events); done++ } catch (error) {
            if (error.code !== 'wrong_expected_position') { say('failed ' + error.stack); break }
          }
        }
        say('done ' + done)
        await store.close()`,
        [path],
      ),
    )
    for (const writer of writers) assert.is(await writer.line('done'), 'done 40')
    await Promise.all(writers.map((writer) => writer.ended))
    const store = openSqliteStore(path, { readonly: true })
    const events = await readAll(store, 's')
    assert.is(events.length, 3 * 40 * 3)
    assert.is(new Set(events.map(({ id }) => id)).size, events.length)
    assert.ok(events.every(({ position }, i) => position === i))
    await store.close()
  }))

test.run()
