import {
  appendFileSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import Database from 'libsql'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { clientOrderId } from '../../engine/events/ids.ts'
import type { BrokerReport } from '../../engine/ports/broker.ts'
import { reportEvent } from '../../engine/trading/reports.ts'
import { alterBook } from '../adapters/embedded/altered-book.ts'
import { lockFolder } from '../adapters/embedded/folder-lock.ts'
import { openSqliteStore, type SqliteStore } from '../adapters/embedded/sqlite-store.ts'
import { withDouble } from '../adapters/eventstoredb/testing/double-scene.ts'
import { BOOK_FILE, bookPath } from '../runtime/folder.ts'
import { copyJournal, inspectJournal, JOURNAL_FILE } from '../simulator/journal-copy.ts'
import { openSimBroker, type SimBroker } from '../simulator/sim-broker.ts'
import { readAnchors } from './anchor.ts'
import { type BackupOptions, type BrokerFile, makeBackup } from './backup.ts'
import { MANIFEST_FILE, readManifest } from './manifest.ts'
import { restoreBackup } from './restore.ts'
import { readRestored } from './restored.ts'
import { inFolder, rejection } from './testing/in-folder.ts'
import { BOOK, readAll, SampleBook, STREAM, store } from './testing/sample-book.ts'

const BROKER: BrokerFile = { name: JOURNAL_FILE, copy: copyJournal, inspect: inspectJournal }
/** The machine may be busy. */
const PATIENT = { attemptMs: 10_000, patienceMs: 30_000, openMs: 20_000 }
const EXCHANGE = {
  cash: '10000',
  fill: 'next-open',
  limitFill: 'through',
  participation: 0,
  slippageBps: 0,
  commission: '0',
  feePerShare: '0',
  feeMin: '0',
} as const

/** A book and its broker, driven by hand in the order in which an engine does things. */
class Desk {
  readonly dir: string
  readonly book: SampleBook
  readonly store: SqliteStore
  readonly broker: SimBroker
  readonly #said: BrokerReport[] = []
  #orders = 0
  #days = 1000

  constructor(folder: string, bookId = BOOK) {
    this.dir = join(folder, 'desk')
    this.book = new SampleBook(bookId)
    this.store = openSqliteStore(bookPath(this.dir))
    this.broker = openSimBroker({ dir: this.dir, settings: EXCHANGE, bookId })
    this.broker.reports(0, (report) => this.#said.push(report))
  }

  async bars(count: number): Promise<void> {
    for (let n = 0; n < count; n++) this.book.bar()
    await this.#append()
  }

  /** An intent into the book, then to the broker. */
  async order(): Promise<void> {
    const orderId = 1000 + ++this.#orders
    const { at } = this.book
    this.book.input({
      type: 'order.intended',
      at,
      data: {
        orderId,
        signalId: `s${orderId}`,
        symbol: 'A',
        side: 'buy',
        type: 'market',
        qty: '1',
        timeInForce: 'gtc',
        notAfter: new Date(at + 9e8).toISOString(),
      },
    } as never)
    await this.#append()
    await this.broker.submit({
      clientOrderId: clientOrderId(BOOK, orderId),
      orderId,
      symbol: 'A',
      side: 'buy',
      type: 'market',
      qty: '1',
      timeInForce: 'gtc',
    })
  }

  /** What the broker has said, into the book. */
  async hear(): Promise<void> {
    for (const report of this.#said.splice(0)) {
      const { type, data } = reportEvent(report, report.occurredAt)
      this.book.input({ type, at: this.book.at, data } as never)
    }
    await this.#append()
  }

  /** A bar that the broker sees first and that fills what rests. */
  show(): void {
    const day = this.#days++
    const time = new Date(day * 86_400_000).toISOString()
    const price = { open: '100', high: '101', low: '99', close: '100' }
    this.broker.onBar({
      feed: 'f',
      symbol: 'A',
      timeframe: '1d',
      time,
      ...price,
      volume: '1000',
      revision: 0,
    })
  }

  async #append(): Promise<void> {
    const head = await this.store.head(STREAM)
    let last = -1
    const missing = this.book.steps.filter((step) => {
      const first = last + 1
      last += step.length
      return first > head
    })
    if (missing.length > 0) await store(this.store, missing)
  }

  async close(): Promise<void> {
    this.broker.close()
    await this.store.close()
  }
}

function withDesk(body: (desk: Desk, folder: string) => Promise<void>, bookId?: string) {
  return inFolder(async (folder) => {
    const desk = new Desk(folder, bookId)
    try {
      await body(desk, folder)
    } finally {
      await desk.close()
    }
  })
}

const backup = (desk: Desk, target: string, more: Partial<BackupOptions> = {}) =>
  makeBackup({
    ...{ store: desk.store, stream: STREAM, name: desk.dir, dir: desk.dir, target, broker: BROKER },
    ...{ engineVersion: '1.2.3', codeHash: 'c'.repeat(64), now: () => 0 },
    ...more,
  })

const restore = (from: string, dir: string) =>
  restoreBackup({ backup: from, dir, stream: STREAM, broker: BROKER, now: () => 7 })

/** What the files of a folder know: orders and reports of book and broker. */
async function known(folder: string) {
  const reader = openSqliteStore(bookPath(folder), { readonly: true })
  const events = await readAll(reader)
  await reader.close()
  const db = new Database(join(folder, JOURNAL_FILE))
  const commands = db.prepare('SELECT body FROM commands WHERE bar = 0').raw().all([]) as [string][]
  const [sequence] = db.prepare('SELECT sequence FROM head').raw().get([]) as [number]
  db.close()
  const datas = events.map(({ type, body }) => ({ type, data: JSON.parse(body).data }))
  return {
    events,
    intents: new Set(
      datas.filter(({ type }) => type === 'order.intended').map(({ data }) => data.orderId),
    ),
    reports: Math.max(0, ...datas.map(({ data }) => data.brokerSequence ?? 0)),
    submitted: commands
      .map(([body]) => JSON.parse(body))
      .filter((command) => command.do === 'submit')
      .map(({ order }) => order.orderId as number),
    sequence,
  }
}

test(
  'a backup of a quiet desk holds all of it, and comes back as it was',
  withDesk(async (desk, folder) => {
    await desk.bars(60)
    await desk.order()
    desk.show()
    await desk.hear()
    const target = join(folder, 'deep', 'backup')
    const { manifest, sourceEnd } = await backup(desk, target)
    assert.is(sourceEnd, desk.book.last)
    assert.equal(readdirSync(target).sort(), [BOOK_FILE, MANIFEST_FILE, JOURNAL_FILE].sort())
    assert.equal(readManifest(target), manifest)
    assert.is(manifest.bookId, BOOK)
    assert.is(manifest.events, desk.book.events.length)
    assert.is(manifest.head.checksum, desk.book.events.at(-1)!.checksum)
    assert.is(manifest.brokerSequence, desk.broker.lastSequence())
    assert.is(manifest.engineVersion, '1.2.3')

    const dir = join(folder, 'again', 'data')
    await restore(target, dir)
    const after = await known(dir)
    assert.equal(after.events, desk.book.events)
    assert.is(after.sequence, desk.broker.lastSequence())
    const { position, checksum } = manifest.head
    assert.equal(readAnchors(dir), [{ bookId: BOOK, position, checksum, at: manifest.createdAt }])
    assert.is(readRestored(dir)?.position, position)
    assert.not.ok(existsSync(join(dir, 'restore.partial')))
    const broker = openSimBroker({ dir, settings: EXCHANGE, bookId: BOOK })
    assert.ok(await broker.knows(clientOrderId(BOOK, 1001)))
    assert.equal(broker.account, desk.broker.account)
    broker.close()
  }),
)

test(
  'whatever happens between the two copies, book and journal know of each other what they must',
  withDesk(async (desk, folder) => {
    await desk.bars(20)
    let seed = 7
    const random = (n: number) => {
      seed = (seed * 1103515245 + 12345) % 2 ** 31
      return Math.floor((seed / 2 ** 31) * n)
    }
    const live = async (steps: number) => {
      for (let i = 0; i < steps; i++) {
        const what = random(4)
        if (what === 0) await desk.order()
        else if (what === 1) desk.show()
        else if (what === 2) await desk.hear()
        else await desk.bars(1)
      }
    }
    let cut = 0
    let pending = 0
    for (let round = 0; round < 40; round++) {
      await live(5)
      // The port's calls give way to a desk that goes on: before and after the journal's copy, and while reading.
      let went = Promise.resolve()
      const busy: BrokerFile = {
        ...BROKER,
        copy(from, to) {
          copyJournal(from, to)
          went = live(random(6))
        },
      }
      const slow = {
        append: desk.store.append.bind(desk.store),
        subscribe: desk.store.subscribe.bind(desk.store),
        close: () => desk.store.close(),
        async *read(stream: string, from: number, to?: number) {
          await went
          yield* desk.store.read(stream, from, to)
        },
        head: async (stream: string) => {
          await went
          return desk.store.head(stream)
        },
      }
      const target = join(folder, `backup-${round}`)
      const { manifest, sourceEnd } = await backup(desk, target, { store: slow, broker: busy })
      const held = await known(target)
      assert.ok(held.reports <= held.sequence, `round ${round}: the journal lacks a report`)
      for (const order of held.submitted)
        assert.ok(held.intents.has(order), `round ${round}: order ${order}`)
      assert.equal(held.events, desk.book.events.slice(0, held.events.length))
      if (manifest.head.position < sourceEnd) cut++
      if (held.reports < held.sequence || held.intents.size > held.submitted.length) pending++
    }
    assert.ok(cut >= 5, `cut in ${cut} rounds`)
    assert.ok(pending >= 5, `pending in ${pending} rounds`)
  }),
)

test(
  'a journal that does not belong to the book is refused, and nothing is left behind',
  withDesk(async (desk, folder) => {
    await desk.bars(5)
    const early = join(folder, 'early.db')
    copyJournal(join(desk.dir, JOURNAL_FILE), early)
    await desk.order()
    desk.show()
    await desk.hear()
    await desk.bars(5)
    const target = join(folder, 'backup')
    const older: BrokerFile = { ...BROKER, copy: (_from, to) => copyFileSync(early, to) }
    const behind = await rejection(backup(desk, target, { broker: older }))
    assert.is(behind.code, 'broker_behind')
    assert.match(
      behind.message,
      /ends at report 0, and the book tells of report 1: put the journal/,
    )
    assert.not.ok(existsSync(target))
    assert.not.ok(existsSync(`${target}.partial`))

    const other = openSimBroker({
      dir: join(folder, 'other'),
      settings: EXCHANGE,
      bookId: 'bother',
    })
    other.close()
    const foreign = await rejection(backup(desk, target, { dir: join(folder, 'other') }))
    assert.is(foreign.code, 'foreign_book')
    assert.match(foreign.message, /holds book bother, and book b1/)

    mkdirSync(join(folder, 'text'))
    writeFileSync(
      join(folder, 'text', JOURNAL_FILE),
      'no journal at all, but long enough to be looked at',
    )
    const text = await rejection(backup(desk, target, { dir: join(folder, 'text') }))
    assert.is(text.code, 'not_a_journal')
    const program = new Database(join(folder, 'text', 'other.db'))
    program.exec('CREATE TABLE journal (version, book_id)')
    program.close()
    assert.throws(
      () => inspectJournal(join(folder, 'text', 'other.db')),
      ({ message }: Error) => message.includes("another program's file"),
    )
    assert.throws(() => inspectJournal(join(folder, 'nowhere.db')))

    // Without one the book goes alone, and the manifest says so.
    const { manifest } = await backup(desk, target, { dir: join(folder, 'empty') })
    assert.is(manifest.brokerSequence, null)
    await restore(target, join(folder, 'alone'))
    assert.not.ok(existsSync(join(folder, 'alone', JOURNAL_FILE)))
  }),
)

test(
  'a place that is taken, an altered book and an empty one are refused',
  withDesk(async (desk, folder) => {
    const empty = await rejection(backup(desk, join(folder, 'backup')))
    assert.is(empty.code, 'no_book')
    await desk.bars(5)
    writeFileSync(join(folder, 'file'), '')
    const file = await rejection(backup(desk, join(folder, 'file')))
    assert.is(file.code, 'folder_not_empty')
    assert.match(file.message, 'a file of that name')
    const taken = await rejection(backup(desk, folder))
    assert.is(taken.code, 'folder_not_empty')
    assert.match(taken.message, /it holds (desk|file).*name a new folder for each backup/)
    mkdirSync(join(folder, 'ready'))
    mkdirSync(join(folder, 'ready.partial'))
    writeFileSync(join(folder, 'ready.partial', 'left over'), '')
    await backup(desk, join(folder, 'ready'))
    assert.is(readdirSync(join(folder, 'ready')).length, 3)

    alterBook(bookPath(desk.dir), `UPDATE appends SET bodies = replace(bodies, '"A"', '"B"')`)
    const altered = await rejection(backup(desk, join(folder, 'backup')))
    assert.is(altered.code, 'altered_event')
    assert.not.ok(existsSync(join(folder, 'backup')))
    assert.not.ok(existsSync(join(folder, 'backup.partial')))
  }),
)

test(
  'a book in EventStoreDB is backed up into a file',
  withDesk(async (desk, folder) =>
    withDouble(async (scene) => {
      await desk.bars(30)
      await desk.order()
      await desk.hear()
      const server = await scene.open(PATIENT)
      await store(server, desk.book.steps)
      const target = join(folder, 'backup')
      await backup(desk, target, { store: server })
      await restore(target, join(folder, 'data'))
      assert.equal((await known(join(folder, 'data'))).events, desk.book.events)
    }),
  ),
)

test(
  'a backup that was altered in any place is not restored, and the folder stays free',
  withDesk(async (desk, folder) => {
    await desk.bars(30)
    await desk.order()
    await desk.hear()
    const target = join(folder, 'backup')
    await backup(desk, target)
    const whole = JSON.parse(readFileSync(join(target, MANIFEST_FILE), 'utf8'))
    const dir = join(folder, 'data')
    const refused = async (code: string, message: RegExp, what: string) => {
      const error = await rejection(restore(target, dir))
      assert.is(error.code, code, what)
      assert.match(error.message, message)
      const left = existsSync(dir)
        ? readdirSync(dir).filter((name) => !name.startsWith('engine.lock'))
        : []
      assert.equal(left, [], what)
    }
    const manifest = (change: object | string) =>
      writeFileSync(
        join(target, MANIFEST_FILE),
        typeof change === 'string' ? change : JSON.stringify({ ...whole, ...change }),
      )
    const shas = (name: string, sha256: string, bytes?: number) =>
      whole.files.map((file: { name: string }) =>
        file.name === name ? { ...file, sha256, ...(bytes !== undefined && { bytes }) } : file,
      )
    manifest('{')
    await refused('backup_damaged', /manifest\.json cannot be read/, 'no JSON')
    manifest({ format: 2 })
    await refused('backup_too_new', /format 2, this program knows up to 1/, 'format')
    for (const field of [
      'format',
      'bookId',
      'stream',
      'events',
      'head',
      'brokerSequence',
      'files',
    ]) {
      manifest({ [field]: 'x'.repeat(3) === field ? null : { x: 1 } })
      await refused('backup_damaged', new RegExp(`no valid ${field}`), field)
    }
    manifest({ files: [{ ...whole.files[0], name: '../book.db' }] })
    await refused('backup_damaged', /no valid files/, 'a path that leads out')
    manifest({ files: [...whole.files, { ...whole.files[0], name: 'engine.json' }] })
    await refused('backup_damaged', /it names engine\.json/, 'a file of another kind')
    manifest({ files: [whole.files[1]] })
    await refused('backup_damaged', /it names no book\.db/, 'no book')
    manifest({ files: [whole.files[0]] })
    await refused('backup_damaged', /it names no sim-broker\.db/, 'no journal')
    manifest({ files: shas(BOOK_FILE, 'a'.repeat(64)) })
    await refused('backup_damaged', /book\.db does not have the sha256/, 'sha256')
    manifest({ files: shas(JOURNAL_FILE, 'a'.repeat(64), 1) })
    await refused('backup_damaged', /sim-broker\.db has \d+ bytes, not 1/, 'size')
    manifest({ head: { ...whole.head, checksum: 'a'.repeat(64) } })
    await refused('backup_damaged', /another checksum than the step/, 'checksum')
    manifest({ head: { ...whole.head, position: whole.head.position + 5 } })
    await refused('backup_damaged', /has seen it up to/, 'a longer book')
    manifest({ events: 3 })
    await refused('backup_damaged', /its book has \d+ events, not 3/, 'events')
    manifest({ bookId: 'bother' })
    await refused('backup_damaged', /belongs to book bother/, 'id')
    manifest({ brokerSequence: 77 })
    await refused('backup_damaged', /sim-broker\.db ends at report 1/, 'report')
    manifest({})
    const bytes = readFileSync(join(target, BOOK_FILE))
    appendFileSync(join(target, BOOK_FILE), 'x')
    await refused('backup_damaged', /book\.db has/, 'appended')
    writeFileSync(join(target, BOOK_FILE), bytes)
    const none = await rejection(restore(join(folder, 'nothing'), dir))
    assert.is(none.code, 'no_backup')
    // Byte by byte the files are whole, and SQLite finds nothing: only the chain does.
    alterBook(join(target, BOOK_FILE), `UPDATE appends SET bodies = replace(bodies, '"A"', '"B"')`)
    const { createHash } = await import('node:crypto')
    const now = readFileSync(join(target, BOOK_FILE))
    manifest({ files: shas(BOOK_FILE, createHash('sha256').update(now).digest('hex'), now.length) })
    await refused('backup_damaged', /does not match its checksum/, 'chain')
    writeFileSync(join(target, BOOK_FILE), bytes)
    manifest({})
    await restore(target, dir)
  }),
)

test(
  'only an empty folder is restored into; what an interrupted restore left is no hindrance',
  withDesk(async (desk, folder) => {
    await desk.bars(10)
    const target = join(folder, 'backup')
    await backup(desk, target)
    const held = await rejection(restore(target, desk.dir))
    assert.is(held.code, 'folder_not_empty')
    assert.match(held.message, 'restore into a new folder with --dir')
    const other = join(folder, 'other')
    mkdirSync(other)
    writeFileSync(join(other, 'notes.txt'), 'mine')
    assert.match((await rejection(restore(target, other))).message, 'it holds notes.txt')
    assert.equal(readdirSync(other), ['notes.txt'])

    const dir = join(folder, 'data')
    mkdirSync(join(dir, 'restore.partial'), { recursive: true })
    writeFileSync(join(dir, 'restore.partial', BOOK_FILE), 'half')
    writeFileSync(join(dir, JOURNAL_FILE), 'old')
    const lock = lockFolder(dir)
    const used = await rejection(restore(target, dir))
    assert.is(used.code, 'folder_in_use')
    lock.release()
    await restore(target, dir)
    assert.equal((await known(dir)).events, desk.book.events)
    assert.is((await rejection(restore(target, dir))).code, 'folder_not_empty')
    writeFileSync(join(dir, 'restored.json'), '{')
    assert.throws(
      () => readRestored(dir),
      ({ code }: Error & { code?: string }) => code === 'bad_restore_mark',
    )
  }),
)

test.run()
