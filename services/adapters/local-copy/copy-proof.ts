import { AlteredEvent } from '../../../engine/events/envelope.ts'
import { type Hash, stepChecksum } from '../../../engine/events/step-recorder.ts'
import type { EventStore, StoredEvent } from '../../../engine/ports/event-store.ts'
import type { SqliteStore } from '../embedded/sqlite-store.ts'
import type { BookCopyOptions } from './book-copy.ts'
import { CopyOfAnotherBook, ServerBehindCopy, ServerDiverged } from './copy-errors.ts'

/** Something is wrong with the copy's own file; the cause says what. */
export class FileTrouble extends Error {
  override name = 'FileTrouble'
}

async function ofFile<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (cause) {
    throw new FileTrouble('the local copy', { cause })
  }
}

/** The last event of a copy; undefined when it is empty. Throws FileTrouble. */
export function lastStep(
  file: SqliteStore,
  { stream }: BookCopyOptions,
): Promise<StoredEvent | undefined> {
  return ofFile(async () => {
    const last = await file.head(stream)
    if (last < 0) return undefined
    const event = await eventAt(file, stream, last)
    if (event === undefined || event.checksum === null) {
      throw new AlteredEvent(last, 'it does not end with a step')
    }
    return event
  })
}

/**
 * The checksum of a step covers all before it: where the last is the source's, a proven copy is the source's. A copy
 * that is whole and is not the source's is evidence of a loss, or of a wrong address: never thrown away.
 */
export async function compare(
  file: SqliteStore,
  last: StoredEvent,
  { path, stream, source, name, hash }: BookCopyOptions,
): Promise<void> {
  const head = await source.head(stream)
  if (head < 0) throw new ServerBehindCopy(name, path, stream, head, last.position)
  const end = Math.min(head, last.position)
  const ours = end < last.position ? await ofFile(() => eventAt(file, stream, end)) : last
  if (isSame(ours, await eventAt(source, stream, end))) {
    if (head >= last.position) return
    throw new ServerBehindCopy(name, path, stream, head, last.position)
  }
  await ofFile(() => proveAll(file, stream, hash))
  const first = await ofFile(() => eventAt(file, stream, 0))
  if (!isSame(first, await eventAt(source, stream, 0))) {
    throw new CopyOfAnotherBook(name, path, stream)
  }
  throw new ServerDiverged(name, path, stream, end)
}

async function eventAt(
  store: EventStore,
  stream: string,
  position: number,
): Promise<StoredEvent | undefined> {
  for await (const [event] of store.read(stream, position, position)) return event
  return undefined
}

export function isSame(one: StoredEvent | undefined, other: StoredEvent | undefined): boolean {
  if (one === undefined || other === undefined) return false
  const { position, id, type, checksum, body } = other
  const alike = one.position === position && one.id === id && one.type === type
  return alike && one.checksum === checksum && one.body === body
}

async function proveAll(file: SqliteStore, stream: string, hash: Hash): Promise<void> {
  let checksum = ''
  let step: StoredEvent[] = []
  for await (const page of file.read(stream, 0)) {
    for (const event of page) {
      step.push(event)
      if (event.checksum === null) continue
      checksum = checkStep(hash, checksum, step)
      step = []
    }
  }
}

/** Answers the checksum of the step. Throws AlteredEvent. */
export function checkStep(hash: Hash, previous: string, step: readonly StoredEvent[]): string {
  const first = step[0]!
  const bodies: string[] = []
  for (const { id, type, body, position } of step) {
    bodies.push(body)
    // Neither is covered by the checksum; both follow from what is (engine/events: ids.ts, envelope.ts).
    const tail = position.toString(16).padStart(15, '0')
    const isFiled = body.startsWith(`{"type":"${type}",`)
    if (!isFiled || id !== `${first.id.slice(0, 20)}${tail.slice(0, 3)}-${tail.slice(3)}`) {
      throw new AlteredEvent(position, 'its type or id is not that of its body and place')
    }
  }
  const sum = stepChecksum(hash, previous, first.id, bodies)
  if (sum !== step[step.length - 1]!.checksum) {
    throw new AlteredEvent(first.position, 'its step does not match its checksum')
  }
  return sum
}
