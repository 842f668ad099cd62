import type { Step } from '../../engine/events/step-recorder.ts'
import { MAX_APPEND_BYTES, type ProposedEvent } from '../../engine/ports/event-store.ts'
import type { Waiting } from './input-queues.ts'

/** A step that was computed and is not in the book yet, with the input it came from. */
export interface Uncommitted {
  step: Step
  from: Waiting | null
}

/** The steps that go into one append: from the first on as many as fit, at least one. `bytes` as Step counts them. */
export function firstBatch(uncommitted: readonly Uncommitted[]): {
  batch: Uncommitted[]
  events: ProposedEvent[]
  bytes: number
} {
  const batch: Uncommitted[] = []
  const events: ProposedEvent[] = []
  let bytes = 0
  for (const item of uncommitted) {
    // UTF-8 may need up to three bytes for what counts as one character here.
    if (batch.length > 0 && (bytes + item.step.bytes) * 3 > MAX_APPEND_BYTES) break
    bytes += item.step.bytes
    batch.push(item)
    events.push(...item.step.proposed)
  }
  return { batch, events, bytes }
}
