import { Buffer } from 'node:buffer'
import { hash, randomUUID } from 'node:crypto'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { stepChecksum } from '../../../engine/events/step-recorder.ts'
import type { ProposedEvent, StoredEvent } from '../../../engine/ports/event-store.ts'
import { readAll } from '../contract/event-store-samples.ts'
import { alterBook } from './altered-book.ts'
import { inFolder } from './book-process.ts'
import { openSqliteStore, type SqliteStore } from './sqlite-store.ts'

const PAGE = 4096
const WAL_HEADER = 32
const FRAME = 24 + PAGE
const sha256 = (text: string): string => hash('sha256', text)

/** A book and its log as a crash leaves them: copied under an open writer, with nothing under way. */
interface Crashed {
  book: Buffer
  wal: Buffer
  /** After each append since the log began: head of the book, and where in the log it ends. */
  confirmed: { head: number; length: number }[]
  /** Head of what lies in the book's file without its log. */
  base: number
  events: ProposedEvent[]
}

/** Appends steps with a chain of checksums, of one to six events and up to some pages. */
class ChainWriter {
  readonly events: ProposedEvent[] = []
  head = -1
  #checksum = ''
  #count = 0

  async append(store: SqliteStore): Promise<void> {
    const n = this.#count++
    const step = Array.from({ length: 1 + (n % 6) }, (_, place) => ({
      id: randomUUID(),
      type: 'market.bar',
      body: JSON.stringify({ n, place, padding: 'x'.repeat((n * 977) % 2500) }),
      checksum: null as string | null,
    }))
    const bodies = step.map(({ body }) => body)
    this.#checksum = stepChecksum(sha256, this.#checksum, step[0]!.id, bodies)
    step.at(-1)!.checksum = this.#checksum
    this.head = await store.append('s', this.head, step)
    this.events.push(...step)
  }
}

/** `before` appends lie in the book's file, `after` in its log; `old` of them in a log that was begun anew since. */
async function crash(folder: string, before: number, old: number, after: number): Promise<Crashed> {
  const path = join(folder, 'live.db')
  const writer = new ChainWriter()
  const first = openSqliteStore(path)
  for (let n = 0; n < before; n++) await writer.append(first)
  await first.close()
  const store = openSqliteStore(path)
  for (let n = 0; n < old; n++) await writer.append(store)
  if (old > 0) alterBook(path, 'PRAGMA wal_checkpoint(RESTART)')
  const base = writer.head
  const confirmed: Crashed['confirmed'] = []
  const salt = () => readFileSync(`${path}-wal`).readUInt32BE(16)
  let frames = 0
  for (let n = 0; n < after; n++) {
    await writer.append(store)
    frames = framesOf(readFileSync(`${path}-wal`), salt())
    confirmed.push({ head: writer.head, length: WAL_HEADER + frames * FRAME })
  }
  const [book, wal] = [readFileSync(path), readFileSync(`${path}-wal`)]
  await store.close()
  return { book, wal, confirmed, base, events: writer.events }
}

/** Frames of the log's present run, which a salt of its own tells from those of the run before. */
function framesOf(wal: Buffer, salt: number): number {
  let frames = 0
  for (let at = WAL_HEADER; at + FRAME <= wal.length; at += FRAME) {
    if (wal.readUInt32BE(at + 8) !== salt) break
    frames += 1
  }
  return frames
}

/** Puts the two files where no other file of theirs is, and opens them as the next engine does, which may append. */
async function reopen(
  folder: string,
  book: Buffer,
  wal: Buffer | null,
  goOn = false,
): Promise<StoredEvent[]> {
  const path = join(folder, 'crashed.db')
  for (const end of ['', '-wal', '-shm']) rmSync(`${path}${end}`, { force: true })
  writeFileSync(path, book)
  if (wal !== null) writeFileSync(`${path}-wal`, wal)
  const store = openSqliteStore(path)
  try {
    const events = await readAll(store, 's')
    assert.is(await store.head('s'), events.length - 1)
    if (!goOn) return events
    const id = randomUUID()
    const more = { id, type: 'timer.fired', body: '{}', checksum: null }
    assert.is(await store.append('s', events.length - 1, [more]), events.length)
    return events
  } finally {
    await store.close()
  }
}

/** That these are the first events of the book, whole steps, each with the checksum of its bytes. */
function checkPrefix(events: readonly StoredEvent[], crashed: Crashed, place: string): void {
  let checksum = ''
  let step: StoredEvent[] = []
  for (const event of events) {
    const written = crashed.events[event.position]
    assert.is(event.id, written?.id, `${place}, position ${event.position}`)
    step.push(event)
    if (event.checksum === null) continue
    const bodies = step.map(({ body }) => body)
    checksum = stepChecksum(sha256, checksum, step[0]!.id, bodies)
    assert.is(event.checksum, checksum, `${place}, position ${event.position}`)
    step = []
  }
  assert.is(step.length, 0, `${place}: the last step is whole`)
}

/** Head of the last append that lies whole before this place of the log. */
function headBefore(crashed: Crashed, length: number): number {
  return crashed.confirmed.findLast((append) => append.length <= length)?.head ?? crashed.base
}

const SHAPES = [
  ['a log begun with the book', 0, 0, 16],
  ['a log behind a book', 25, 0, 16],
  ['a log begun anew over an older run', 10, 30, 12],
] as const

for (const [name, before, old, after] of SHAPES) {
  test(`torn: ${name}, cut anywhere, keeps every append that lies before the cut`, () =>
    inFolder(async (folder) => {
      const crashed = await crash(folder, before, old, after)
      const { book, wal, confirmed } = crashed
      assert.is((await reopen(folder, book, wal)).length, crashed.events.length)
      const end = confirmed.at(-1)!.length
      let cuts = 0
      const heads = new Set<number>()
      for (let frame = WAL_HEADER; frame <= end; frame += FRAME) {
        // Cut off, or zeros, as file systems leave it that had grown the file before the power went.
        for (const [how, by] of [
          ['cut', -1],
          ['cut', 0],
          ['cut', 1000],
          ['zeros', 0],
          ['zeros', 24],
        ] as const) {
          let length = Math.min(end, frame + by)
          const kept = wal.subarray(0, length)
          const torn = how === 'cut' ? kept : Buffer.concat([kept, Buffer.alloc(2 * FRAME)])
          // Zeros where there were zeros change nothing.
          while (how === 'zeros' && length < end && wal[length] === 0) length += 1
          const expected = headBefore(crashed, length)
          const place = `${how} at ${frame + by}`
          const events = await reopen(folder, book, torn, cuts % 10 === 0)
          assert.is(events.length - 1, expected, place)
          checkPrefix(events, crashed, place)
          heads.add(expected)
          cuts += 1
        }
      }
      assert.ok(cuts > 100, `${cuts} cuts`)
      assert.ok(heads.size >= after, `${heads.size} different heads`)
    }))
}

test('torn: a log garbled anywhere keeps every append before that place', () =>
  inFolder(async (folder) => {
    const crashed = await crash(folder, 10, 0, 16)
    const { book, wal, confirmed } = crashed
    const end = confirmed.at(-1)!.length
    for (let frame = WAL_HEADER; frame < end; frame += FRAME) {
      // Page number, size of the file, salt, checksum, and places of the page itself.
      for (const [i, at] of [0, 4, 8, 16, 24, 1024, FRAME - 1].entries()) {
        const garbled = Buffer.from(wal)
        garbled[frame + at]! ^= 0x41
        if (i > 4) garbled.fill(0x5a, frame + at, frame + FRAME)
        const events = await reopen(folder, book, garbled)
        const place = `byte ${frame + at}`
        assert.is(events.length - 1, headBefore(crashed, frame), place)
        checkPrefix(events, crashed, place)
      }
    }
  }))

test('torn: a page of the book half written while the log moved into it loses nothing', () =>
  inFolder(async (folder) => {
    const crashed = await crash(folder, 25, 0, 16)
    const { book, wal, events } = crashed
    const pages = new Set<number>()
    for (let at = WAL_HEADER; at + FRAME <= wal.length; at += FRAME) pages.add(wal.readUInt32BE(at))
    assert.ok(pages.size > 10)
    for (const page of pages) {
      const start = (page - 1) * PAGE
      for (const [from, to] of [
        [page === 1 ? 512 : 0, PAGE / 2],
        [PAGE / 2, PAGE],
        [page === 1 ? 512 : 0, PAGE],
      ] as const) {
        const torn = Buffer.alloc(Math.max(book.length, start + to))
        book.copy(torn)
        torn.fill(0x5a, start + from, start + to)
        const found = await reopen(folder, torn, wal, from === 0)
        assert.is(found.length, events.length, `page ${page}`)
        checkPrefix(found, crashed, `page ${page}`)
      }
    }
  }))

/** What a start finds: the whole book, the error's code, or that the chain of checksums is broken. */
async function verdict(folder: string, book: Buffer, crashed: Crashed, place: string) {
  let events: StoredEvent[]
  try {
    events = await reopen(folder, book, null)
  } catch (error) {
    return String((error as { code?: unknown }).code)
  }
  try {
    checkPrefix(events, crashed, place)
  } catch {
    return 'altered'
  }
  return events.length === crashed.events.length ? 'whole' : 'shorter'
}

test('torn: the last pages of a closed book, garbled or cut, are never a shorter book in silence', () =>
  inFolder(async (folder) => {
    const path = join(folder, 'live.db')
    const store = openSqliteStore(path)
    const writer = new ChainWriter()
    for (let n = 0; n < 60; n++) await writer.append(store)
    await store.close()
    const book = readFileSync(path)
    const { events } = writer
    const crashed = { book, wal: book, confirmed: [], base: writer.head, events }
    const found = new Map<string, number>()
    const note = async (torn: Buffer, place: string) => {
      const what = await verdict(folder, torn, crashed, place)
      assert.match(what, /^(whole|altered|corrupt_book|not_a_book)$/, `${place}: ${what}`)
      found.set(what, (found.get(what) ?? 0) + 1)
    }
    const pages = book.length / PAGE
    assert.ok(pages > 30, `${pages}`)
    for (let page = pages - 1; page >= 1; page--) {
      // Near the front lie the roots of tables and indexes.
      if (page > 12 && page < pages - 12) continue
      const start = page * PAGE
      for (const [from, to] of [
        [0, PAGE],
        [0, 512],
        [PAGE / 2, PAGE],
        [PAGE - 16, PAGE],
      ] as const) {
        for (const byte of [0, 0x5a, 0xff]) {
          const torn = Buffer.from(book)
          torn.fill(byte, start + from, start + to)
          await note(torn, `page ${page}, ${from} to ${to}, ${byte}`)
        }
      }
      for (const length of [start, start + 1, start + PAGE / 2, start + PAGE - 1]) {
        await note(book.subarray(0, length), `cut at ${length}`)
      }
      // Each byte of the page's head: what it is, how many cells it has, where they begin.
      for (let at = 0; at < 8; at++) {
        for (const change of [1, -1, 0x80]) {
          const torn = Buffer.from(book)
          torn[start + at] = (torn[start + at]! + change) & 0xff
          await note(torn, `page ${page}, byte ${at} by ${change}`)
        }
      }
    }
    assert.ok((found.get('corrupt_book') ?? 0) > 100, JSON.stringify([...found]))
  }))

test.run()
