import type { RecordedEvent } from '../engine/events/envelope.ts'
import type { EventData, EventType } from '../schemas/types.gen.ts'

/**
 * What the book says about one subject: a pure fold. The same events give the same state, whenever and
 * however often they are folded; nothing is emitted.
 */
export interface Projection<State> {
  readonly name: string
  readonly handles: readonly EventType[]
  initial(): State
  /** Returns the next state; mutating and returning the same object is fine. */
  apply(state: State, event: RecordedEvent): State
}

/** A recorded event whose data is known by its type. */
export type BookEvent = {
  [T in EventType]: RecordedEvent<EventData[T]> & { type: T }
}[EventType]

/** A recorded event, to be told apart by its type: the writer validated it against the schema of that type. */
export function bookEvent(event: RecordedEvent): BookEvent {
  return event as BookEvent
}
