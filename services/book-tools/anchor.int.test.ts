import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { MemoryStore } from '../adapters/memory/memory-store.ts'
import {
  type Anchor,
  ANCHORS_FILE,
  keepAnchors,
  noteAnchor,
  parseAnchors,
  presentAnchor,
  readAnchors,
} from './anchor.ts'
import { inFolder } from './testing/in-folder.ts'
import { BOOK, SampleBook, STREAM, store } from './testing/sample-book.ts'

const anchor = (position: number): Anchor => ({
  bookId: BOOK,
  position,
  checksum: position.toString(16).padStart(64, '0'),
  at: new Date(position).toISOString(),
})

test('an anchor is read as a document or as lines, and anything else is refused by place', () => {
  assert.equal(parseAnchors(JSON.stringify(anchor(7), null, 2), 'f'), [anchor(7)])
  const lines = `${JSON.stringify(anchor(1))}\n\n${JSON.stringify(anchor(2))}\n`
  assert.equal(parseAnchors(lines, 'f'), [anchor(1), anchor(2)])
  const bad: [string, RegExp][] = [
    ['', /^f: it holds no anchor/],
    ['7', /^f: it is no anchor/],
    [`${JSON.stringify(anchor(1))}\nnonsense\n`, /^f, line 2: it is no anchor/],
    [JSON.stringify({ ...anchor(1), position: -1 }), /^f: an anchor has bookId, position/],
    [JSON.stringify({ ...anchor(1), position: 1.5 }), /an anchor has/],
    [JSON.stringify({ ...anchor(1), checksum: 'abc' }), /an anchor has/],
    [JSON.stringify({ ...anchor(1), bookId: 7 }), /an anchor has/],
    [JSON.stringify({ ...anchor(1), at: null }), /an anchor has/],
  ]
  for (const [text, message] of bad) {
    assert.throws(
      () => parseAnchors(text, 'f'),
      (error: Error & { code?: string }) =>
        error.code === 'bad_anchor' && message.test(error.message),
      text,
    )
  }
})

test(
  'a line torn by a power cut is left out, and does not swallow the next',
  inFolder((folder) => {
    assert.equal(readAnchors(folder), [])
    noteAnchor(folder, anchor(1))
    noteAnchor(folder, anchor(2))
    appendFileSync(join(folder, ANCHORS_FILE), JSON.stringify(anchor(3)).slice(0, 30))
    assert.equal(readAnchors(folder), [anchor(1), anchor(2)])
    noteAnchor(folder, anchor(4))
    assert.equal(readAnchors(folder), [anchor(1), anchor(2), anchor(4)])
    writeFileSync(join(folder, ANCHORS_FILE), '{"bookId')
    assert.equal(readAnchors(folder), [])
    noteAnchor(folder, anchor(5))
    assert.equal(readAnchors(folder), [anchor(5)])
    writeFileSync(join(folder, ANCHORS_FILE), 'nonsense\n')
    assert.throws(
      () => readAnchors(folder),
      ({ code, message }: Error & { code?: string }) =>
        code === 'bad_anchor' && message.includes(ANCHORS_FILE),
    )
  }),
)

test('the present anchor is that of the last step; an empty book has none', async () => {
  const book = new SampleBook().bars(9)
  const memory = new MemoryStore()
  assert.is(await presentAnchor(memory, STREAM, BOOK, 0), null)
  await store(memory, book.steps)
  const { position, checksum } = book.events.at(-1)!
  assert.equal(await presentAnchor(memory, STREAM, BOOK, 1000), {
    bookId: BOOK,
    position,
    checksum,
    at: '1970-01-01T00:00:01.000Z',
  })
  // Appends are whole steps; a store that ends inside one is no place for an anchor.
  const open = book.bar()
  await memory.append(STREAM, position, [{ ...open[0]!, checksum: null }])
  assert.is(await presentAnchor(memory, STREAM, BOOK, 0), null)
})

test(
  'the keeper notes the end at the start, at intervals and when closed, each end once',
  inFolder(async (folder) => {
    const book = new SampleBook().bars(5)
    const memory = new MemoryStore()
    await store(memory, book.steps)
    const failures: unknown[] = []
    const keep = (dir: string, everyMs: number) =>
      keepAnchors({
        ...{ dir, store: memory, stream: STREAM, bookId: BOOK, everyMs },
        now: () => 5,
        failed: (error) => failures.push(error),
      })
    const noted = () => readAnchors(folder).map(({ position }) => position)
    const first = book.last
    const keeper = keep(folder, 10)
    const until = async (count: number) => {
      const end = Date.now() + 20_000
      while (noted().length < count) {
        if (Date.now() > end) throw new Error(`never ${count} anchors`)
        await new Promise((resolve) => setTimeout(resolve, 5))
      }
    }
    await until(1)
    await store(memory, [book.bar()])
    const second = book.last
    await until(2)
    await new Promise((resolve) => setTimeout(resolve, 60))
    assert.equal(noted(), [first, second], 'an end that was noted is not noted again')
    await keeper.close()
    assert.equal(noted(), [first, second])

    const rare = keep(folder, 1e9)
    await until(3)
    await store(memory, [book.bar()])
    await rare.close()
    assert.equal(noted(), [first, second, second, book.last])
    assert.equal(failures, [])

    // What cannot be noted is told, and closing ends all the same.
    const file = join(folder, 'file')
    writeFileSync(file, '')
    mkdirSync(join(folder, 'blocked', ANCHORS_FILE), { recursive: true })
    const blocked = keep(join(folder, 'blocked'), 1e9)
    await blocked.close()
    assert.ok(failures.length >= 1)
    assert.is(readFileSync(file, 'utf8'), '')
  }),
)

test.run()
