import { existsSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { EventStore } from '../../engine/ports/event-store.ts'
import { alterBook } from '../adapters/embedded/altered-book.ts'
import { openSqliteStore } from '../adapters/embedded/sqlite-store.ts'
import { withDouble } from '../adapters/eventstoredb/testing/double-scene.ts'
import { MemoryStore } from '../adapters/memory/memory-store.ts'
import { bookPath } from '../runtime/folder.ts'
import { openBookFolder } from './book-folder.ts'
import { bookIdOf, copyBook, type CopyOptions } from './copy-book.ts'
import { inFolder, rejection } from './testing/in-folder.ts'
import { readAll, rechained, SampleBook, STREAM, store } from './testing/sample-book.ts'

/** The machine may be busy. */
const PATIENT = { attemptMs: 10_000, patienceMs: 60_000, openMs: 20_000 }
const names = { source: 'here', target: 'there' }
const copy = (source: EventStore, target: EventStore, more: Partial<CopyOptions> = {}) =>
  copyBook({ source, target, stream: STREAM, names, ...more })

async function memory(book: SampleBook, steps = book.steps): Promise<MemoryStore> {
  const made = new MemoryStore()
  await store(made, steps)
  return made
}

/** Counts appends and keeps what each carried; fails when told to. */
function watched(inner: EventStore, fail: (append: number) => Error | null = () => null) {
  const appends: { bytes: number; wholeSteps: boolean }[] = []
  const target: EventStore = {
    append: async (stream, expected, events) => {
      const error = fail(appends.length)
      if (error !== null) throw error
      const bytes = events.reduce((sum, { body }) => sum + Buffer.byteLength(body), 0)
      appends.push({ bytes, wholeSteps: events.at(-1)!.checksum !== null })
      return inner.append(stream, expected, events)
    },
    read: (stream, from, to) => inner.read(stream, from, to),
    head: (stream) => inner.head(stream),
    subscribe: (stream, from, handler) => inner.subscribe(stream, from, handler),
    close: () => inner.close(),
  }
  return { target, appends }
}

test(
  'SQLite to EventStoreDB to SQLite: every byte of every event comes back',
  inFolder((folder) =>
    withDouble(async (scene) => {
      const book = new SampleBook().bars(400).restart().bars(200)
      const first = openSqliteStore(join(folder, 'a.db'))
      const last = openSqliteStore(join(folder, 'b.db'))
      try {
        await store(first, book.steps)
        const server = await scene.open(PATIENT)
        const out = await copy(first, server)
        assert.is(out.events, book.events.length)
        assert.is(out.copied, book.events.length)
        assert.is(out.found, 0)
        assert.is(out.steps, book.steps.length)
        assert.is(out.sourceEnd, book.last)
        assert.is(out.head.position, book.last)
        assert.is(out.head.checksum, book.events.at(-1)!.checksum)
        assert.equal(await readAll(server), book.events)
        const back = await copy(server, last)
        assert.equal(back.head, out.head)
        assert.equal(await readAll(last), book.events)
        assert.is(await bookIdOf(last, STREAM), out.bookId)
      } finally {
        await first.close()
        await last.close()
      }
    }),
  ),
)

test('appends hold whole steps and at most 512 KiB', async () => {
  const book = new SampleBook()
  for (let n = 0; n < 40; n++) {
    book.bar()
    // Bodies of some 100 KiB in UTF-8, which are fewer characters.
    const big = book.steps.at(-1)!
    big[0] = { ...big[0]!, body: big[0]!.body.replace(/\}\}$/, `,"x":"${'é'.repeat(50_000)}"}}`) }
  }
  const steps = rechained(book.steps)
  const source = new MemoryStore()
  await store(source, steps, 1)
  const { target, appends } = watched(new MemoryStore())
  await copy(source, target)
  assert.ok(appends.every(({ bytes, wholeSteps }) => wholeSteps && bytes <= 512 * 1024))
  assert.ok(appends.length >= 8 && appends.length <= 12, `${appends.length} appends`)
})

test('many small events keep below what one append to a server may carry', async () => {
  const book = new SampleBook().bars(3000)
  const { target, appends } = watched(new MemoryStore())
  await copy(await memory(book), target)
  assert.ok(appends.length > 1)
  assert.ok(appends.every(({ bytes, wholeSteps }) => wholeSteps && bytes <= 512 * 1024))
})

test('interrupted at any append, it goes on where it was', async () => {
  const book = new SampleBook().bars(2500)
  const source = await memory(book)
  const end = new MemoryStore()
  const lost = new Error('lost')
  let runs = 0
  for (;;) {
    runs++
    const { target, appends } = watched(end, (n) => (n === 1 ? lost : null))
    const before = await end.head(STREAM)
    try {
      const result = await copy(source, target)
      assert.is(result.found, before + 1)
      assert.is(result.copied, book.events.length - result.found)
      break
    } catch (error) {
      assert.is(error, lost)
      assert.is(appends.length, 1)
      assert.ok((await end.head(STREAM)) > before)
    }
  }
  assert.ok(runs >= 2)
  assert.equal(await readAll(end), book.events)
  const again = await copy(source, end)
  assert.is(again.copied, 0)
  assert.is(again.found, book.events.length)
})

test('an answer that was lost after writing makes no repeat', () =>
  withDouble(async (scene) => {
    const book = new SampleBook().bars(300)
    const server = await scene.open({ ...PATIENT, attemptMs: 2000 })
    scene.double.faults.swallowAnswers = 1
    const result = await copy(await memory(book), server)
    assert.is(result.copied, book.events.length)
    assert.equal(await readAll(server), book.events)
  }))

test('a server that stays away is named, and the next run goes on', () =>
  withDouble(async (scene) => {
    const book = new SampleBook().bars(50)
    await store(await scene.open(PATIENT), book.steps.slice(0, 20))
    const server = await scene.open({ ...PATIENT, attemptMs: 300, patienceMs: 900 })
    scene.double.faults.mute = true
    const error = await rejection(copy(await memory(book), server))
    assert.is(error.code, 'eventstore_unreachable')
    scene.double.faults.mute = false
    const result = await copy(await memory(book), await scene.open(PATIENT))
    assert.is(result.found + result.copied, book.events.length)
    assert.ok(result.found > 0 && result.copied > 0)
  }))

test('another book at the target is refused with both ids, and left as it was', async () => {
  const target = await memory(new SampleBook('bother').bars(3))
  const before = await readAll(target)
  const error = await rejection(copy(await memory(new SampleBook('bmine').bars(9)), target))
  assert.is(error.code, 'foreign_book')
  assert.match(error.message, /there holds book bother, and book bmine was to be copied there/)
  assert.equal(await readAll(target), before)
  // Something else entirely.
  const stranger = new MemoryStore()
  await stranger.append(STREAM, -1, [
    { id: '00000000-0000-4000-8000-000000000000', type: 'x', body: '{}', checksum: null },
  ])
  const other = await rejection(copy(await memory(new SampleBook().bars(1)), stranger))
  assert.is(other.code, 'foreign_book')
  assert.match(other.message, 'without an id')
})

test('copies that both went on are told from a copy that can go on', async () => {
  const shared = new SampleBook().bars(20)
  const forked = await memory(shared)
  const fork = shared.last
  const mine = new SampleBook().bars(20).restart().bars(3)
  const theirs = new SampleBook().bars(20)
  theirs.start()
  await store(forked, theirs.steps.slice(shared.steps.length))
  const error = await rejection(copy(await memory(mine), forked))
  assert.is(error.code, 'book_diverged')
  assert.match(
    error.message,
    `the same book up to ${fork} and go on differently (another id at ${fork + 1})`,
  )

  const ahead = await rejection(copy(await memory(shared), await memory(mine)))
  assert.is(ahead.code, 'copy_ahead')
  assert.match(ahead.message, `there holds the book up to ${mine.last}, here only up to ${fork}`)

  // The target ends inside a step, as no interrupted copy leaves it.
  const step = mine.steps.find(({ length }) => length > 1)!
  const cut = new MemoryStore()
  await cut.append(STREAM, -1, mine.steps.flat().slice(0, mine.steps.flat().indexOf(step[0]!) + 1))
  const inside = await rejection(copy(await memory(mine), cut))
  assert.is(inside.code, 'book_diverged')
  assert.match(inside.message, 'a step is cut in two')
})

test('an altered source is refused before its step is written', async () => {
  const book = new SampleBook().bars(60)
  const at = 40
  const steps = book.steps.with(
    at,
    book.steps[at]!.map((event) => ({ ...event, body: event.body.replace('"A"', '"B"') })),
  )
  const target = new MemoryStore()
  const error = await rejection(copy(await memory(book, steps), target))
  assert.is(error.code, 'altered_event')
  assert.match(error.message, 'does not match its checksum')
  assert.ok((await target.head(STREAM)) < book.steps.slice(0, at).flat().length)

  const open = await memory(book)
  await open.append(STREAM, book.last, [{ ...book.bar()[0]!, checksum: null }])
  const unended = await rejection(copy(open, new MemoryStore()))
  assert.match(unended.message, 'the end of its step is missing')
  const empty = await rejection(copy(new MemoryStore(), new MemoryStore()))
  assert.is(empty.code, 'no_book')
})

test('a target that alters what it is given, or is written to by somebody else, is found by reading it', async () => {
  const book = new SampleBook().bars(30)
  const inner = new MemoryStore()
  const liar: EventStore = {
    ...watched(inner).target,
    append: (stream, expected, events) =>
      inner.append(
        stream,
        expected,
        events.map((event, i) =>
          i === 9 ? { ...event, body: event.body.replace('"A"', '"B"') } : event,
        ),
      ),
  }
  const error = await rejection(copy(await memory(book), liar))
  assert.is(error.code, 'book_diverged')
  assert.match(error.message, 'another body at 9')

  const busy = new MemoryStore()
  const { target } = watched(busy)
  const shared: EventStore = {
    ...target,
    async append(stream, expected, events) {
      const last = await busy.append(stream, expected, events)
      await busy.append(stream, last, [
        { ...events[0]!, id: '00000000-0000-4000-8000-000000000000' },
      ])
      return last
    },
  }
  const other = await rejection(copy(await memory(book), shared))
  assert.match(other.message, 'another writer has appended')
})

test('a source that grows meanwhile is copied up to where it was, and says so', async () => {
  const book = new SampleBook().bars(50)
  const source = await memory(book)
  const end = book.last
  const { target } = watched(new MemoryStore(), () => {
    void store(source, [book.bar()])
    return null
  })
  const result = await copy(source, target)
  assert.is(result.head.position, end)
  assert.ok(result.sourceEnd > end)
  const rest = await copy(source, target)
  assert.is(rest.head.position, result.sourceEnd)
})

test(
  'in a folder the copy has another name until it is whole, and no engine can start meanwhile',
  inFolder(async (folder) => {
    const book = new SampleBook().bars(50)
    const source = await memory(book)
    const dir = join(folder, 'new')
    const first = await openBookFolder(dir, STREAM)
    await store(first.store, book.steps.slice(0, 10))
    const locked = await rejection(openBookFolder(dir, STREAM))
    assert.is(locked.code, 'folder_in_use')
    await first.close(false)
    assert.not.ok(existsSync(bookPath(dir)))

    const second = await openBookFolder(dir, STREAM)
    const result = await copy(source, second.store)
    assert.ok(result.found > 0)
    await second.close(true)
    assert.equal(
      readdirSync(dir).filter((name) => name.startsWith('book')),
      ['book.db'],
    )
    // What is whole is continued in place.
    await store(source, [book.bar()])
    const third = await openBookFolder(dir, STREAM)
    assert.is((await copy(source, third.store)).found, result.events)
    await third.close(true)
    const reader = openSqliteStore(bookPath(dir), { readonly: true })
    assert.equal(await readAll(reader), book.events)
    await reader.close()

    alterBook(bookPath(dir), `UPDATE streams SET name = 'else'`)
    const foreign = await rejection(openBookFolder(dir, STREAM))
    assert.is(foreign.code, 'corrupt_book')
    assert.match(foreign.message, 'it does not belong here')
    // And the folder is free again.
    alterBook(bookPath(dir), `UPDATE streams SET name = '${STREAM}'`)
    await (await openBookFolder(dir, STREAM)).close(true)
  }),
)

test(
  'a folder whose own book lies in EventStoreDB takes no other',
  inFolder(async (dir) => {
    writeFileSync(join(dir, 'book-copy.db'), '')
    assert.is((await rejection(openBookFolder(dir, STREAM))).code, 'book_elsewhere')
    // And is let go of.
    assert.is((await rejection(openBookFolder(dir, STREAM))).code, 'book_elsewhere')
    assert.not(existsSync(bookPath(dir)))
  }),
)

test.run()
