import type { SignalRecord } from '../../projections/signals.ts'
import type { ManualSignal } from '../../schemas/types.gen.ts'
import type { Projected } from './answer.ts'
import { Problem } from './problem.ts'

/** A message that NATS has stored. Both throw errors with a code where it did not, or did not say so. */
export interface Stored {
  stream: string
  sequence: number
}

/** How commands leave: as the same messages that everybody else publishes. Nothing goes around risk. */
export interface Commands {
  signal(operator: string, id: string, signal: ManualSignal): Promise<Stored>
  control(action: string, id: string, command: object): Promise<Stored>
}

/** Resolves to what `find` gives once it gives something; null when `ms` have passed or the API closes. */
export async function waitFor<T>(
  projector: Projected,
  closing: Promise<unknown>,
  ms: number,
  find: () => T | null,
): Promise<T | null> {
  const deadline = Date.now() + ms
  let over = false
  void closing.then(() => {
    over = true
  })
  for (;;) {
    const found = find()
    if (found !== null) return found
    const left = deadline - Date.now()
    if (left <= 0 || over || projector.failure() !== null) return null
    await Promise.race([projector.waitFor(projector.position() + 1, left), closing])
  }
}

/** What was asked for, as far as the book keeps it: equal for a repeat, whatever the order of the fields. */
export function essence(signal: Partial<ManualSignal>): string {
  const { symbol, side, qty, notional, limitPrice, stopPrice } = signal
  const { takeProfit, stopLoss, trailPercent, reason } = signal
  const exits = [takeProfit, stopLoss, trailPercent]
  return JSON.stringify([
    symbol?.trim().toUpperCase(),
    side,
    ...[qty, notional, limitPrice, stopPrice, ...exits, reason].map((value) => value ?? null),
  ])
}

/** Commands under way by caller and key: who sends the same again at once waits for the same answer. */
export class Underway {
  readonly #running = new Map<string, { essence: string; answer: Promise<Stored> }>()

  /** Throws Problem key-reused when the key is under way with something else. */
  run(key: string, essence: string, send: () => Promise<Stored>): Promise<Stored> {
    const running = this.#running.get(key)
    if (running !== undefined) {
      if (running.essence !== essence) throw keyReused()
      return running.answer
    }
    const answer = send().finally(() => this.#running.delete(key))
    this.#running.set(key, { essence, answer })
    return answer
  }
}

export function keyReused(): Problem {
  return new Problem(
    'key-reused',
    'this Idempotency-Key came with another request before: use a new one',
  )
}

/** The book's answer to a key: the signal of that id, unless it asked for something else. Throws Problem key-reused. */
export function sameSignal(record: SignalRecord, asked: string): SignalRecord {
  const { request } = record
  // What was refused at the door is not kept field by field: its answer stands.
  if (request !== null && essence(request as Partial<ManualSignal>) !== asked) throw keyReused()
  return record
}

/** What a failure to publish is answered with. */
export function notStored(error: unknown): Problem {
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
