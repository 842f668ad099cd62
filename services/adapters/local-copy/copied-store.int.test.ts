import { execFileSync } from 'node:child_process'
import { hash as digest } from 'node:crypto'
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { eventId } from '../../../engine/events/ids.ts'
import { stepChecksum } from '../../../engine/events/step-recorder.ts'
import type { EventStore, ProposedEvent, StoredEvent } from '../../../engine/ports/event-store.ts'
import { readAll, rejection } from '../contract/event-store-samples.ts'
import { alterBook } from '../embedded/altered-book.ts'
import { inFolder } from '../embedded/book-process.ts'
import { openSqliteStore } from '../embedded/sqlite-store.ts'
import { MemoryStore } from '../memory/memory-store.ts'
import { openCopiedStore } from './copied-store.ts'

const STREAM = 'account-main'
const RUN = '0123456789abcdef'

const hash = (text: string): string => digest('sha256', text)

/** The book's authority for a test: what was read from it, and never closed by those who close their store. */
class Source extends MemoryStore {
  /** Positions handed out since the last look, in order. */
  served: number[] = []
  #checksum: string
  readonly #what: string

  constructor(checksum = '', what = '') {
    super()
    this.#checksum = checksum
    this.#what = what
  }

  override async *read(stream: string, from: number, to?: number) {
    for await (const page of super.read(stream, from, to)) {
      this.served.push(...page.map(({ position }) => position))
      yield page
    }
  }

  override async close(): Promise<void> {}

  /** The next step of so many events, as a writer makes it. */
  async step(size: number, padding = 0): Promise<ProposedEvent[]> {
    const first = (await this.head(STREAM)) + 1
    const bodies = Array.from({ length: size }, (_, i) =>
      JSON.stringify({
        type: 'market.bar',
        n: first + i,
        what: this.#what,
        padding: 'x'.repeat(padding),
      }),
    )
    this.#checksum = stepChecksum(hash, this.#checksum, eventId(RUN, first), bodies)
    return bodies.map((body, i) => ({
      id: eventId(RUN, first + i),
      type: 'market.bar',
      body,
      checksum: i === size - 1 ? this.#checksum : null,
    }))
  }

  looked(): number {
    const { length } = this.served
    this.served = []
    return length
  }
}

interface Scene {
  source: Source
  path: string
  warnings: string[]
  open(): Promise<EventStore>
  /** Appends steps of these sizes through a store. */
  write(store: EventStore, sizes: readonly number[], padding?: number): Promise<void>
}

function scene(title: string, body: (scene: Scene) => Promise<void>): void {
  test(`local copy: ${title}`, () =>
    inFolder(async (folder) => {
      const source = new Source()
      const path = join(folder, 'book-copy.db')
      const warnings: string[] = []
      const warn = (error: unknown, message: string) =>
        void warnings.push(`${message} (${(error as Error).message})`)
      const open = () =>
        openCopiedStore({ path, stream: STREAM, source, name: 'the server', hash, warn })
      const write = async (store: EventStore, sizes: readonly number[], padding = 0) => {
        for (const size of sizes) {
          const head = await source.head(STREAM)
          await store.append(STREAM, head, await source.step(size, padding))
        }
      }
      await body({ source, path, warnings, open, write })
    }))
}

/** Everything, after which the copy was written. */
async function readAndClose(store: EventStore): Promise<StoredEvent[]> {
  const events = await readAll(store, STREAM)
  await store.close()
  return events
}

scene('what was appended or read once is not asked of the source again', async (at) => {
  const { source, open, write, warnings } = at
  let store = await open()
  await write(store, [1, 3, 2])
  await store.close()
  source.looked()
  store = await open()
  assert.equal(await readAndClose(store), await readAll(source, STREAM))
  // The last event, to compare it when the copy is opened and where it joins; nothing else.
  assert.equal(source.served.slice(0, -6), [5, 5])
  // Appended by another engine meanwhile.
  await write(source, [2, 1])
  source.looked()
  assert.is((await readAndClose(await open())).length, 9)
  assert.equal(source.served, [5, 5, 6, 7, 8])
  source.looked()
  assert.is((await readAndClose(await open())).length, 9)
  assert.is(source.looked(), 2)
  assert.equal(warnings, [])
})

scene('a book larger than an append is copied whole, steps uncut', async (at) => {
  const { source, open, write, path } = at
  await write(
    source,
    Array.from({ length: 60 }, (_, i) => 1 + (i % 4)),
    20_000,
  )
  await readAndClose(await open())
  source.looked()
  assert.equal(await readAndClose(await open()), await readAll(source, STREAM))
  const copy = openSqliteStore(path, { readonly: true })
  assert.is(await copy.head(STREAM), await source.head(STREAM))
  await copy.close()
})

scene('an altered event is not handed out, and the source is read from its step on', async (at) => {
  const { source, open, write, path, warnings } = at
  await readAndCopy(at, [1, 3, 2, 2])
  const text = readFileSync(path, 'latin1')
  const place = text.indexOf('"n":4,')
  assert.ok(place > 0)
  writeFileSync(path, text.replace('"n":4,', '"n":7,'), 'latin1')
  const events = await readAndClose(await open())
  assert.equal(events, await all(source))
  assert.match(warnings.join(), /event 4 of the book was altered: its step does not match/)
  assert.not(existsSync(path))
  // Made anew by the next.
  await readAndClose(await open())
  assert.equal(await readAndClose(await open()), await all(source))
  await write(source, [1])
  assert.is(warnings.length, 1)
})

async function readAndCopy({ open, write, source }: Scene, sizes: number[]): Promise<void> {
  await write(source, sizes)
  await readAndClose(await open())
}

const all = (source: Source) => readAll(source, STREAM)

const OTHER = /its type or id is not that of its body and place/

for (const [what, sql, told] of [
  ['type', `UPDATE appends SET types = replace(types, 'market', 'basket') WHERE first = 0`, OTHER],
  [
    'id',
    `UPDATE appends SET ids = replace(ids, '3', '4') WHERE first = 0`,
    /does not match its checksum/,
  ],
  ['end', 'DELETE FROM appends WHERE first > 0', null],
  [
    'checksums',
    `UPDATE appends SET checksums = replace(checksums, 'a', 'b')`,
    /does not match its checksum/,
  ],
] as const) {
  scene(`an altered ${what} does not reach the reader`, async (at) => {
    const { source, open, path, warnings } = at
    await readAndCopy(at, [1, 3])
    const store = await open()
    await at.write(store, [2])
    await store.close()
    alterBook(path, sql)
    assert.equal(await readAndClose(await open()), await all(source))
    if (told !== null) assert.match(warnings.join(), told)
    assert.is(warnings.length, told === null ? 0 : 1)
  })
}

scene(
  'a whole copy of another book is refused and kept; that of another stream goes',
  async (at) => {
    const { source, open, write, path, warnings } = at
    const other = new Source()
    await other.append(STREAM, -1, await other.step(2))
    const foreign = openSqliteStore(path)
    await foreign.append(STREAM, -1, (await all(other)) as ProposedEvent[])
    await foreign.close()
    await write(source, [1, 1, 1])
    const error = await rejection(open())
    assert.is((error as { code?: string }).code, 'foreign_copy')
    assert.match(String(error), /the server, stream account-main, holds another book than/)
    assert.ok(existsSync(path))
    rmSync(path)
    const stream = openSqliteStore(path)
    await stream.append('account-other', -1, (await all(other)) as ProposedEvent[])
    await stream.close()
    assert.equal(await readAndClose(await open()), await all(source))
    assert.match(warnings.join(), /it belongs to stream account-other/)
  },
)

/** A server that was taken back to its first events, and went on differently. */
async function takenBack(source: Source, kept: number, sizes: number[]): Promise<Source> {
  const events = (await all(source)).slice(0, kept)
  const other = new Source(events[kept - 1]?.checksum ?? '', 'other')
  await other.append(STREAM, -1, events)
  for (const size of sizes) {
    await other.append(STREAM, await other.head(STREAM), await other.step(size))
  }
  return other
}

scene('a server that was taken back and went on is refused, and the copy kept', async (at) => {
  const { source, path } = at
  await readAndCopy(at, [1, 3, 2])
  // Shorter than the copy, as long, and longer.
  for (const sizes of [[1], [2], [3, 3]]) {
    const server = await takenBack(source, 4, sizes)
    const error = await rejection(
      openCopiedStore({
        ...{ path, stream: STREAM, hash },
        source: server,
        name: 'it',
        warn: fail,
      }),
    )
    assert.is((error as { code?: string }).code, 'server_diverged')
    assert.ok(existsSync(path))
  }
})

scene(
  'a server that was taken back after the copy was compared is noticed when it is read',
  async (at) => {
    const { source, path } = at
    await readAndCopy(at, [1, 3, 2])
    for (const sizes of [[1], [2], [3, 3]]) {
      let server: Source = source
      const turning = {
        append: () => Promise.reject(new Error('not here')),
        head: (stream: string) => server.head(stream),
        read: (stream: string, from: number, to?: number) => server.read(stream, from, to),
        subscribe: () => Promise.reject(new Error('not here')) as never,
        close: async () => undefined,
      }
      const options = { ...{ path, stream: STREAM, hash }, source: turning, name: 'it', warn: fail }
      const store = await openCopiedStore(options)
      server = await takenBack(source, 4, sizes)
      const error = await rejection(readAll(store, STREAM))
      assert.is((error as { code?: string }).code, 'server_diverged')
      await store.close()
    }
  },
)

function fail(error: unknown): never {
  throw error
}

scene('what is no book of ours is left, and work goes on without a copy', async (at) => {
  const { source, open, write, path, warnings } = at
  await write(source, [1, 2])
  writeFileSync(path, 'a letter')
  assert.equal(await readAndClose(await open()), await all(source))
  assert.is(readFileSync(path, 'utf8'), 'a letter')
  assert.match(warnings.join(), /no copy of the book is kept.*is not a book/)
  rmSync(path)
  mkdirSync(path)
  assert.equal(await readAndClose(await open()), await all(source))
  rmSync(path, { recursive: true })
  await readAndClose(await open())
  rmSync(`${path}-wal`, { force: true })
  mkdirSync(`${path}-wal`)
  assert.equal(await readAndClose(await open()), await all(source))
  assert.is(warnings.length, 3)
  assert.match(warnings[1] ?? '', /no copy of the book is kept.*not a file/)
})

scene('a newer format or a damaged file is thrown away', async (at) => {
  const { source, open, path, warnings } = at
  await readAndCopy(at, [2, 2])
  alterBook(path, `UPDATE meta SET value = 99 WHERE key = 'schema_version'`)
  assert.equal(await readAndClose(await open()), await all(source))
  assert.match(warnings.join(), /has book format 99/)
  alterBook(path, 'UPDATE appends SET first = first + 1')
  assert.equal(await readAndClose(await open()), await all(source))
  assert.is(warnings.length, 2)
})

const mountable = canMount()
if (!mountable) console.log('local copy: a full disk: skipped, no tmpfs can be mounted here')

if (mountable) {
  scene(
    'a full disk ends the copy, not the work',
    async ({ source, open, write, path, warnings }) => {
      const disk = join(path, '../small')
      mkdirSync(disk)
      mount(disk)
      try {
        const small = join(disk, 'book-copy.db')
        const warn = (error: unknown, message: string) =>
          void warnings.push(`${message} (${(error as Error).message})`)
        const store = await openCopiedStore({
          path: small,
          stream: STREAM,
          source,
          name: 'the server',
          hash,
          warn,
        })
        await write(store, new Array(30).fill(2), 20_000)
        assert.equal(await readAndClose(store), await all(source))
        assert.match(warnings.join(), /small.book-copy\.db is no good copy.*check the disk's space/)
        assert.not(existsSync(small))
      } finally {
        // A closed file stays open until it is collected.
        execFileSync('umount', ['-l', disk])
      }
      await (await open()).close()
    },
  )
}

function mount(folder: string): void {
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=400k', 'tmpfs', folder], { stdio: 'ignore' })
}

function canMount(): boolean {
  const folder = join('/tmp', `bitacora-mount-${process.pid}`)
  mkdirSync(folder)
  try {
    mount(folder)
    execFileSync('umount', [folder])
    return true
  } catch {
    return false
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

test('local copy: whatever is done with it, it tells what the source tells', () =>
  inFolder(async (folder) => {
    let files = 0
    const action = fc.oneof(
      {
        weight: 4,
        arbitrary: fc.record({ do: fc.constant('own'), n: fc.integer({ min: 1, max: 4 }) }),
      },
      {
        weight: 2,
        arbitrary: fc.record({ do: fc.constant('other'), n: fc.integer({ min: 1, max: 4 }) }),
      },
      {
        weight: 4,
        arbitrary: fc.record({ do: fc.constant('read'), n: fc.nat(30), m: fc.nat(40) }),
      },
      { weight: 3, arbitrary: fc.record({ do: fc.constant('all') }) },
      { weight: 1, arbitrary: fc.record({ do: fc.constant('two') }) },
      { weight: 2, arbitrary: fc.record({ do: fc.constant('reopen') }) },
      { weight: 1, arbitrary: fc.record({ do: fc.constant('older') }) },
      { weight: 1, arbitrary: fc.record({ do: fc.constant('flip'), n: fc.nat(10_000) }) },
    ) as fc.Arbitrary<{ do: string; n?: number; m?: number }>
    await fc.assert(
      fc.asyncProperty(fc.array(action, { maxLength: 30 }), async (actions) => {
        const source = new Source()
        const warn = () => undefined
        let path = join(folder, `${files++}.db`)
        let old: string | null = null
        let store = await openCopiedStore({
          path,
          stream: STREAM,
          source,
          name: 'the server',
          hash,
          warn,
        })
        /** Goes on with what lies in a file, under a name that nobody has had open. */
        const reopen = async (from: () => string | null) => {
          await store.close()
          const file = from()
          path = join(folder, `${files++}.db`)
          if (file !== null && existsSync(file)) copyFileSync(file, path)
          store = await openCopiedStore({
            path,
            stream: STREAM,
            source,
            name: 'the server',
            hash,
            warn,
          })
        }
        const add = async (target: EventStore, size: number) =>
          target.append(STREAM, await source.head(STREAM), await source.step(size))
        const same = async (from: number, to?: number) =>
          assert.equal(
            await readAll(store, STREAM, from, to),
            await readAll(source, STREAM, from, to),
          )
        for (const { do: what, n = 0, m = 0 } of actions) {
          if (what === 'own') await add(store, n)
          if (what === 'other') await add(source, n)
          if (what === 'read') await same(n, n + m)
          if (what === 'all') await same(0)
          if (what === 'two') await Promise.all([same(0), same(0), same(3)])
          if (what === 'reopen') await reopen(() => (old = path))
          // What a power cut leaves of a file that was not synced.
          if (what === 'older') await reopen(() => old)
          if (what === 'flip') await reopen(() => flip(path, n))
        }
        await same(0)
        await store.close()
      }),
      { numRuns: 150 },
    )
  }))

/** Turns one bit of the file, behind the page that says what the file is. */
function flip(path: string, n: number): string {
  if (!existsSync(path)) return path
  const bytes = readFileSync(path)
  const used = [...bytes.keys()].filter((at) => at >= 4096 && bytes[at] !== 0)
  const at = used[(n * 7919) % used.length]
  if (at === undefined) return path
  bytes[at] = bytes[at]! ^ (1 << (n % 8))
  writeFileSync(path, bytes)
  return path
}

test.run()
