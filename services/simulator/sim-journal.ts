import type { Buffer } from 'node:buffer'
import { dirname } from 'node:path'
import Database from 'libsql'
import type { ExchangeSnapshot } from '../../engine/exchange/snapshot.ts'
import type { Action } from '../../engine/market/actions.ts'
import type { BrokerOrder, BrokerReport, Replacement } from '../../engine/ports/broker.ts'
import type { ExchangeSettings } from '../../schemas/types.gen.ts'
import { makeFolder } from '../runtime/make-folder.ts'

/** The journal in this folder keeps the orders of another book. It was left untouched. */
export class ForeignJournal extends Error {
  override name = 'ForeignJournal'
  readonly code = 'foreign_journal'
  readonly found: string
  readonly expected: string
  constructor(path: string, found: string, expected: string) {
    super(
      `${path} belongs to book ${found}, this engine keeps book ${expected}: ` +
        `use the --dir of book ${found}, or another folder`,
    )
    this.found = found
    this.expected = expected
  }
}

/** Replaying the newest commands gives other reports than those handed out: the exchange's code changed. */
export class JournalMismatch extends Error {
  override name = 'JournalMismatch'
  readonly code = 'journal_mismatch'
  /** First report that differs. */
  readonly sequence: number
  constructor(path: string, sequence: number) {
    super(
      `${path}: report ${sequence} comes out differently than it was handed out: start once with ` +
        'the version that wrote it and stop it with Ctrl-C, then start this version',
    )
    this.sequence = sequence
  }
}

/** The file is no journal of ours, or one of a later version. It was left untouched. */
export class NotAJournal extends Error {
  override name = 'NotAJournal'
  readonly code = 'not_a_journal'
  constructor(path: string, what: string, cause?: unknown) {
    super(`${path} is not a simulated broker's journal: ${what}; move it away`, { cause })
  }
}

/** The disk refused, or another process writes. What was asked is in the journal whole or not at all. */
export class JournalUnavailable extends Error {
  override name = 'JournalUnavailable'
  readonly code = 'journal_unavailable'
  constructor(path: string, cause: unknown) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    super(`${path} cannot be used (${reason}): check the disk's space and permissions`, { cause })
  }
}

/** A second broker writes to the journal: this one stops, and nothing of its command was written. */
export class JournalOvertaken extends Error {
  override name = 'JournalOvertaken'
  readonly code = 'journal_overtaken'
  constructor(path: string) {
    super(`${path} was written by another process: end it, then start again`)
  }
}

/** `now` is engine time in ms. A bar: symbol, start, end, open, high, low, close, volume or null. */
export type Command =
  | { do: 'submit'; order: BrokerOrder; now: number }
  | { do: 'cancel'; clientOrderId: string; now: number }
  | { do: 'replace'; clientOrderId: string; by: Replacement; now: number }
  | { do: 'action'; action: ActionRow }
  | { do: 'bar'; bar: BarRow }
  | { do: 'settings'; settings: ExchangeSettings }
/** A corporate action; decimals as text. */
export type ActionRow = Omit<Action, 'value'> & { value: string | null }
export type BarRow = [string, number, number, number, number, number, number, number | null]

/** State of the broker after the command with number `command`. */
export interface Snapshot {
  command: number
  now: number
  settings: ExchangeSettings
  exchange: ExchangeSnapshot
}

type Connection = InstanceType<typeof Database>
interface Head {
  /** Number of the newest command, from 1. */
  command: number
  /** Sequence of the newest report. */
  sequence: number
}

/** `btcs` in ASCII. */
const APPLICATION_ID = 0x62746373
const VERSION = 1
const BUSY_MS = 2000
const SCHEMA = `
  CREATE TABLE journal (version INTEGER NOT NULL, book_id TEXT NOT NULL);
  CREATE TABLE head (command INTEGER NOT NULL, sequence INTEGER NOT NULL);
  CREATE TABLE commands (number INTEGER PRIMARY KEY, bar INTEGER NOT NULL, body TEXT NOT NULL);
  CREATE INDEX bars ON commands (number) WHERE bar = 1;
  CREATE TABLE reports (sequence INTEGER PRIMARY KEY, body TEXT NOT NULL);
  CREATE TABLE snapshot (id INTEGER PRIMARY KEY CHECK (id = 1), command INTEGER NOT NULL, body TEXT NOT NULL);
  INSERT INTO head VALUES (0, 0);
  PRAGMA application_id = ${APPLICATION_ID};`

/** Commands, the reports they caused, and the newest snapshot, in one SQLite file. */
export class SimJournal {
  readonly path: string
  readonly #db: Connection
  readonly #statements: ReturnType<typeof prepare>
  #head: Head
  /** Whether commits wait for the disk; null: not set yet. */
  #synced: boolean | null = null

  /** Throws ForeignJournal, NotAJournal, JournalUnavailable. */
  constructor(path: string, bookId: string) {
    this.path = path
    const db = connect(path)
    try {
      identify(db, path, bookId)
      this.#statements = prepare(db)
      this.#head = readHead(this.#statements)
    } catch (error) {
      db.close()
      throw this.#typed(error)
    }
    this.#db = db
  }

  get head(): Readonly<Head> {
    return this.#head
  }

  /**
   * Writes commands and the reports they caused, all or nothing. Unsynced, it outlives the process but
   * not a power cut; the next synced one carries it to the disk too. Throws JournalUnavailable, JournalOvertaken.
   */
  write(commands: readonly Command[], reports: readonly BrokerReport[], synced: boolean): void {
    const { command, sequence } = this.#head
    const next = {
      command: command + commands.length,
      sequence: sequence + reports.length,
    }
    this.#transact(synced, ({ addCommand, addReport, moveHead }) => {
      // The fence: whoever does not know the newest command cannot write behind it.
      if (moveHead.run([next.command, next.sequence, command, sequence]).changes !== 1) {
        throw new JournalOvertaken(this.path)
      }
      commands.forEach((item, i) => {
        addCommand.run([command + 1 + i, item.do === 'bar' ? 1 : 0, JSON.stringify(item)])
      })
      for (const report of reports) addReport.run([report.sequence, JSON.stringify(report)])
    })
    this.#head = next
  }

  /**
   * Replaces the snapshot and removes the bars behind it: they are in the market's records, and a
   * journal must not grow with every bar. Orders and cancels stay.
   */
  saveSnapshot(snapshot: Snapshot): void {
    this.#transact(true, ({ putSnapshot, dropBars, moveHead }) => {
      const { command, sequence } = this.#head
      if (moveHead.run([command, sequence, command, sequence]).changes !== 1) {
        throw new JournalOvertaken(this.path)
      }
      putSnapshot.run([snapshot.command, JSON.stringify(snapshot)])
      dropBars.run([snapshot.command])
    })
  }

  snapshot(): Snapshot | null {
    return this.#read(({ snapshot }) => {
      const row = snapshot.get([]) as [Buffer] | undefined
      return row === undefined ? null : (this.#parse(row[0], 'the snapshot') as Snapshot)
    })
  }

  /** Commands after a number, in order. */
  commandsAfter(command: number): Command[] {
    return this.#read(({ commands }) => {
      const rows = commands.all([command]) as [number, Buffer][]
      return rows.map(([number, body]) => this.#parse(body, `command ${number}`) as Command)
    })
  }

  /** At most `limit` reports after a sequence, in order. */
  reportsAfter(sequence: number, limit: number): BrokerReport[] {
    return this.#read(({ reports }) => {
      const rows = reports.all([sequence, limit]) as [number, Buffer][]
      return rows.map(([number, body]) => this.#parse(body, `report ${number}`) as BrokerReport)
    })
  }

  close(): void {
    try {
      this.#db.pragma('wal_checkpoint(TRUNCATE)')
    } catch {
      // The log is as durable as the file: the next open reads both.
    }
    this.#db.close()
  }

  #transact(synced: boolean, work: (statements: ReturnType<typeof prepare>) => void): void {
    try {
      if (this.#synced !== synced) {
        this.#db.exec(`PRAGMA synchronous = ${synced ? 'FULL' : 'NORMAL'}`)
        this.#synced = synced
      }
      this.#statements.begin.run()
      work(this.#statements)
      this.#statements.commit.run()
    } catch (error) {
      // SQLite has already rolled back after some failures, a full disk among them.
      if (this.#db.inTransaction) this.#statements.rollback.run()
      throw this.#typed(error)
    }
  }

  #read<T>(work: (statements: ReturnType<typeof prepare>) => T): T {
    try {
      return work(this.#statements)
    } catch (error) {
      throw this.#typed(error)
    }
  }

  #parse(body: Buffer, what: string): unknown {
    try {
      return JSON.parse(body.toString('utf8'))
    } catch (error) {
      throw new NotAJournal(this.path, `${what} was altered`, error)
    }
  }

  #typed(error: unknown): unknown {
    const code = (error as { code?: unknown } | null)?.code
    if (typeof code !== 'string' || !code.startsWith('SQLITE_')) return error
    if (/^SQLITE_(NOTADB|CORRUPT)/.test(code)) {
      return new NotAJournal(this.path, 'SQLite cannot read it', error)
    }
    return new JournalUnavailable(this.path, error)
  }
}

function connect(path: string): Connection {
  makeFolder(dirname(path))
  try {
    return new Database(path)
  } catch (error) {
    throw new JournalUnavailable(path, error)
  }
}

/** Makes a new file a journal of the book, and refuses what is not one before anything is changed. */
function identify(db: Connection, path: string, bookId: string): void {
  db.pragma(`busy_timeout = ${BUSY_MS}`)
  const applicationId = row(db, 'PRAGMA application_id')[0]
  const fresh = applicationId === 0 && row(db, 'SELECT count(*) FROM sqlite_master')[0] === 0
  if (!fresh) {
    if (applicationId !== APPLICATION_ID) {
      throw new NotAJournal(path, "it is another program's database")
    }
    const [version, found] = row(db, 'SELECT version, book_id FROM journal')
    if (version !== VERSION)
      throw new NotAJournal(path, `it has format ${String(version)}, not ${VERSION}`)
    if (found !== bookId) throw new ForeignJournal(path, String(found), bookId)
  }
  const [mode] = db.pragma('journal_mode = WAL') as { journal_mode: string }[]
  if (mode?.journal_mode !== 'wal') {
    throw new JournalUnavailable(path, new Error('its file system does not support WAL'))
  }
  db.pragma('synchronous = FULL')
  if (!fresh) return
  db.exec('BEGIN IMMEDIATE')
  try {
    db.exec(SCHEMA)
    db.prepare('INSERT INTO journal VALUES (?, ?)').run([VERSION, bookId])
    db.exec('COMMIT')
  } catch (error) {
    if (db.inTransaction) db.exec('ROLLBACK')
    throw error
  }
}

function row(db: Connection, sql: string): unknown[] {
  return (db.prepare(sql).raw().get([]) as unknown[] | undefined) ?? []
}

function readHead({ head }: ReturnType<typeof prepare>): Head {
  const [command, sequence] = head.get([]) as [number, number]
  return { command, sequence }
}

// Texts are read as blobs: libsql ends the process on a TEXT whose bytes are not UTF-8.
function prepare(db: Connection) {
  return {
    begin: db.prepare('BEGIN IMMEDIATE'),
    commit: db.prepare('COMMIT'),
    rollback: db.prepare('ROLLBACK'),
    head: db.prepare('SELECT command, sequence FROM head').raw(),
    moveHead: db.prepare(
      'UPDATE head SET command = ?, sequence = ? WHERE command = ? AND sequence = ?',
    ),
    addCommand: db.prepare('INSERT INTO commands VALUES (?, ?, ?)'),
    addReport: db.prepare('INSERT INTO reports VALUES (?, ?)'),
    putSnapshot: db.prepare('INSERT OR REPLACE INTO snapshot VALUES (1, ?, ?)'),
    dropBars: db.prepare('DELETE FROM commands WHERE bar = 1 AND number <= ?'),
    snapshot: db.prepare('SELECT CAST(body AS BLOB) FROM snapshot').raw(),
    commands: db
      .prepare('SELECT number, CAST(body AS BLOB) FROM commands WHERE number > ? ORDER BY number')
      .raw(),
    reports: db
      .prepare(
        `SELECT sequence, CAST(body AS BLOB) FROM reports WHERE sequence > ?
         ORDER BY sequence LIMIT ?`,
      )
      .raw(),
  }
}
