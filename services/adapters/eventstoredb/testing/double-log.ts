import { Buffer } from 'node:buffer'
import {
  closeSync,
  existsSync,
  fdatasyncSync,
  ftruncateSync,
  openSync,
  readFileSync,
  writeSync,
} from 'node:fs'

/** Expected revisions that are no numbers of events. */
export const ANY = -2
export const NO_STREAM = -1
export const STREAM_EXISTS = -4

/** What the server remembers of ids for `any` and `stream exists`, in entries (it: 8 MiB). */
const REMEMBERED_IDS = 100_000
const LONG_MAX = '9223372036854775807'

export interface DoubleEvent {
  id: string
  type: string
  json: boolean
  data: Uint8Array
  metadata: Uint8Array
}

export interface DoubleRecord extends DoubleEvent {
  stream: string
  revision: number
  /** Place in the log of all streams. */
  commit: number
  /** Milliseconds since 1970. */
  created: number
}

export type Outcome =
  | { kind: 'success'; last: number; commit: number }
  | { kind: 'wrong'; current: number }
  | { kind: 'deleted' }

/**
 * The log behind the double: what an append, a delete or a tombstone does, as we read it in the server's
 * `IndexWriter.CheckCommit` (24.10). With a file, every write is in it before it is answered; a torn last line
 * is cut off when it is opened again.
 */
export class DoubleLog {
  readonly records: DoubleRecord[] = []
  #streams = new Map<string, DoubleRecord[]>()
  #tombstones = new Set<string>()
  #ids = new Map<string, DoubleRecord>()
  #waiting = new Set<() => void>()
  #file: number | null = null

  /** Opens or creates the file; without one the log lives in memory. */
  constructor(file?: string) {
    if (file === undefined) return
    const kept = existsSync(file) ? readFileSync(file) : Buffer.alloc(0)
    const whole = kept.lastIndexOf(0x0a) + 1
    // Line by line: a long log does not fit one string.
    for (let at = 0, end = kept.indexOf(0x0a); end >= 0; end = kept.indexOf(0x0a, at)) {
      if (end > at) this.#restore(kept.toString('utf8', at, end))
      at = end + 1
    }
    this.#file = openSync(file, 'a')
    ftruncateSync(this.#file, whole)
  }

  /** A copy in memory of the first records: the server as an old backup restores it. */
  copy(records: number): DoubleLog {
    const older = new DoubleLog()
    for (const record of this.records.slice(0, records)) older.#keep({ ...record })
    return older
  }

  /** Revision of the last event of a stream, -1 when it has none. */
  last(stream: string): number {
    return (this.#streams.get(stream)?.length ?? 0) - 1
  }

  isTombstoned(stream: string): boolean {
    return this.#tombstones.has(stream)
  }

  /** The stream's events with what its metadata have cut off; null when there is no such stream. */
  visible(stream: string): { first: number; events: readonly DoubleRecord[] } | null {
    const events = this.#streams.get(stream)
    if (events === undefined) return null
    const { truncateBefore, maxCount } = this.#limits(stream)
    if (truncateBefore > Number.MAX_SAFE_INTEGER) return null
    return { first: Math.max(0, truncateBefore, events.length - maxCount), events }
  }

  append(stream: string, expected: number, events: readonly DoubleEvent[]): Outcome {
    const decision = this.#check(stream, expected, events)
    if (decision !== 'write') return decision
    const revived = this.#isSoftlyDeleted(stream)
    const first = this.last(stream) + 1
    // Writing to a stream that was deleted softly brings it back, with its numbers going on.
    if (revived) this.#write(this.#number(`$$${stream}`, [metadataEvent(`{"$tb":${first}}`)]))
    this.#write(this.#number(stream, events))
    return { kind: 'success', last: this.last(stream), commit: this.records.length - 1 }
  }

  /** Soft: the events go, the name stays usable. */
  delete(stream: string, expected: number): Outcome {
    const refusal = this.#checkDelete(stream, expected)
    if (refusal !== null) return refusal
    return this.append(`$$${stream}`, ANY, [metadataEvent(`{"$tb":${LONG_MAX}}`)])
  }

  /** For good: the name can never be used again. */
  tombstone(stream: string, expected: number): Outcome {
    const refusal = this.#checkDelete(stream, expected)
    if (refusal !== null) return refusal
    this.#write(this.#number(stream, [{ ...metadataEvent(''), type: '$streamDeleted' }]))
    return { kind: 'success', last: this.last(stream), commit: this.records.length - 1 }
  }

  /** Calls back once, at the next write. Returns how to stop waiting. */
  onWrite(call: () => void): () => void {
    this.#waiting.add(call)
    return () => void this.#waiting.delete(call)
  }

  close(): void {
    if (this.#file !== null) closeSync(this.#file)
    this.#file = null
  }

  #check(stream: string, expected: number, events: readonly DoubleEvent[]): Outcome | 'write' {
    if (this.isTombstoned(stream)) return { kind: 'deleted' }
    const kept = this.#streams.get(stream) ?? []
    const current = kept.length - 1
    const wrong: Outcome = { kind: 'wrong', current }
    if (expected === STREAM_EXISTS) {
      if (this.#isSoftlyDeleted(stream)) return { kind: 'deleted' }
      if (current < 0 && this.last(`$$${stream}`) < 0) return wrong
    }
    if (expected === ANY || expected === STREAM_EXISTS) {
      const known = events.map(({ id }) => this.#ids.get(id))
      const unknown = known.findIndex((record) => record?.stream !== stream)
      const last = known.at(-1)
      if (unknown > 0) return wrong
      if (unknown === 0 || last === undefined) return 'write'
      return { kind: 'success', last: last.revision, commit: last.commit }
    }
    if (expected > current) return wrong
    if (expected === current) return 'write'
    // Below the end only the same ids at the same places count, as a repetition of what was written there.
    for (const [i, { id }] of events.entries()) {
      if (kept[expected + 1 + i]?.id === id) continue
      const first = i === 0
      if (first && expected === NO_STREAM && this.#isSoftlyDeleted(stream)) return 'write'
      return wrong
    }
    const last = kept[expected + events.length]
    if (last === undefined || events.length === 0) return wrong
    return { kind: 'success', last: last.revision, commit: last.commit }
  }

  #checkDelete(stream: string, expected: number): Outcome | null {
    if (this.isTombstoned(stream)) return { kind: 'deleted' }
    const current = this.last(stream)
    const fits = expected === ANY || expected === current
    return fits || (expected === STREAM_EXISTS && current >= 0) ? null : { kind: 'wrong', current }
  }

  #isSoftlyDeleted(stream: string): boolean {
    return this.#limits(stream).truncateBefore > Number.MAX_SAFE_INTEGER
  }

  #limits(stream: string): { truncateBefore: number; maxCount: number } {
    const last = this.#streams.get(`$$${stream}`)?.at(-1)
    if (last === undefined) return { truncateBefore: 0, maxCount: Number.MAX_SAFE_INTEGER }
    const { $tb = 0, $maxCount = Number.MAX_SAFE_INTEGER } = JSON.parse(
      Buffer.from(last.data).toString('utf8'),
    ) as { $tb?: number; $maxCount?: number }
    return { truncateBefore: $tb, maxCount: $maxCount }
  }

  #number(stream: string, events: readonly DoubleEvent[]): DoubleRecord[] {
    const revision = this.last(stream) + 1
    const commit = this.records.length
    const created = Date.now()
    return events.map((event, i) => ({
      ...event,
      stream,
      revision: revision + i,
      commit: commit + i,
      created,
    }))
  }

  #write(records: readonly DoubleRecord[]): void {
    if (this.#file !== null) {
      writeSync(this.#file, `${JSON.stringify(records.map(toLine))}\n`)
      fdatasyncSync(this.#file)
    }
    for (const record of records) this.#keep(record)
    const waiting = [...this.#waiting]
    this.#waiting.clear()
    for (const call of waiting) call()
  }

  #restore(line: string): void {
    for (const record of JSON.parse(line) as Line[]) this.#keep(fromLine(record))
  }

  #keep(record: DoubleRecord): void {
    this.records.push(record)
    if (record.type === '$streamDeleted') {
      this.#tombstones.add(record.stream)
      return
    }
    const events = this.#streams.get(record.stream)
    if (events === undefined) this.#streams.set(record.stream, [record])
    else events.push(record)
    this.#ids.set(record.id, record)
    if (this.#ids.size > REMEMBERED_IDS) {
      const oldest = this.#ids.keys().next().value
      if (oldest !== undefined) this.#ids.delete(oldest)
    }
  }
}

type Line = Omit<DoubleRecord, 'data' | 'metadata'> & { data: string; metadata: string }

function toLine(record: DoubleRecord): Line {
  const data = Buffer.from(record.data).toString('base64')
  return { ...record, data, metadata: Buffer.from(record.metadata).toString('base64') }
}

function fromLine(line: Line): DoubleRecord {
  const data = new Uint8Array(Buffer.from(line.data, 'base64'))
  return { ...line, data, metadata: new Uint8Array(Buffer.from(line.metadata, 'base64')) }
}

function metadataEvent(text: string): DoubleEvent {
  const id = globalThis.crypto.randomUUID()
  const metadata = new Uint8Array()
  return { id, type: '$metadata', json: true, data: new Uint8Array(Buffer.from(text)), metadata }
}
