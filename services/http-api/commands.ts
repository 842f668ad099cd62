import { decodeBody } from '../../engine/events/envelope.ts'
import type { EventStore } from '../../engine/ports/event-store.ts'
import { type BookEvent, bookEvent } from '../../projections/projection.ts'
import type { ManualSignal } from '../../schemas/types.gen.ts'
import type { Caller } from './access.ts'
import type { AnswerContext, Projected } from './answer.ts'
import type { Closing } from './closing.ts'
import { Problem } from './problem.ts'

/** A message that NATS has stored. Both throw errors with a code where it did not, or did not say so. */
export interface Stored {
  stream: string
  sequence: number
}

/** How commands leave: as the same messages that everybody else publishes. Nothing goes around risk. */
export interface Commands {
  /** What its schema alone cannot say of a signal, each fault behind the pointer to its field; empty: none. */
  signalFaults(signal: ManualSignal): string[]
  /** The same of a control. */
  controlFaults(action: string, command: object): string[]
  signal(operator: string, id: string, signal: ManualSignal): Promise<Stored>
  control(action: string, id: string, command: object): Promise<Stored>
}

export interface Book {
  store: EventStore
  stream: string
}

export interface CommandContext extends AnswerContext {
  book: Book
  commands: Commands
  underway: Underway
}

/** A command as it came, its form checked. */
export interface Sending {
  caller: Caller
  /** The Idempotency-Key. */
  key: string
  body: object
  /** What the address names: an action, an order. */
  path: string
  /** How long to wait for what becomes of it, ms. */
  wait: number
}

/** What a command is answered with. */
export interface Sent {
  status: number
  body: object
  location: string
}

/** As long as the engine knows the id of an input. */
export const REMEMBERED_MS = 7 * 86_400_000

/** Resolves to what `find` gives once it gives something; null when `ms` have passed or the API closes. */
export async function waitFor<T>(
  projector: Projected,
  closing: Closing,
  ms: number,
  find: () => Promise<T | null>,
): Promise<T | null> {
  const deadline = Date.now() + ms
  for (;;) {
    const seen = projector.position()
    const found = await find()
    if (found !== null) return found
    const left = deadline - Date.now()
    if (left <= 0 || closing.told || projector.failure() !== null) return null
    await closing.or(projector.waitFor(seen + 1, left))
  }
}

/** How long a command that is stored is known without the book, which has it long before. */
const UNDERWAY_MS = 60_000

/**
 * Commands on their way into the book by caller and key: who sends the same again waits for the same answer, and who
 * sends another is refused.
 */
export class Underway {
  readonly #now: () => number
  readonly #sent = new Map<string, { essence: string; answer: Promise<Stored>; until: number }>()

  constructor(now: () => number = () => performance.now()) {
    this.#now = now
  }

  /** Throws Problem key-reused when the key is under way with something else. */
  run(key: string, essence: string, send: () => Promise<Stored>): Promise<Stored> {
    const now = this.#now()
    for (const [other, { until }] of this.#sent) if (until <= now) this.#sent.delete(other)
    const before = this.#sent.get(key)
    if (before !== undefined) {
      if (before.essence !== essence) throw keyReused()
      return before.answer
    }
    const entry = { essence, answer: send(), until: Number.POSITIVE_INFINITY }
    this.#sent.set(key, entry)
    entry.answer.then(
      () => {
        entry.until = this.#now() + UNDERWAY_MS
      },
      () => this.#sent.delete(key),
    )
    return entry.answer
  }
}

export function keyReused(): Problem {
  return new Problem(
    'key-reused',
    'this Idempotency-Key came with another request before: use a new one',
  )
}

/** One event of the book, which must have it. */
export async function eventAt({ store, stream }: Book, position: number): Promise<BookEvent> {
  for await (const [stored] of store.read(stream, position, position)) {
    if (stored !== undefined) return bookEvent(decodeBody(stored))
  }
  throw new Error(`the book has no event ${position}`)
}

/** A body that is not right. `faults`: each begins with the pointer to its field. */
export function invalidBody(faults: readonly string[]): Problem {
  const errors = faults.map((fault) => {
    const [, pointer = '/', detail = fault] = /^(\/[^\s,]*),? (.*)$/s.exec(fault) ?? []
    return { pointer, detail }
  })
  return new Problem('invalid-request', faults.join('; '), { errors })
}

/** Waits until a message is stored. Throws Problem not-stored. */
export async function published(sending: Promise<Stored>): Promise<Stored> {
  try {
    const { stream, sequence } = await sending
    return { stream, sequence }
  } catch (error) {
    throw notStored(error)
  }
}

function notStored(error: unknown): Problem {
  const { code, message } = error as { code?: string; message?: string }
  const unsure = code === 'publish_timeout'
  return new Problem(
    'not-stored',
    unsure
      ? 'NATS did not confirm in time, so nobody knows whether it is stored: send it again with the same Idempotency-Key'
      : `NATS did not store it (${code ?? message ?? 'no reason given'}): nothing was done; send it again with the same Idempotency-Key`,
    { headers: { 'retry-after': '1' } },
  )
}
