import type { RecordedEvent } from '../engine/events/envelope.ts'
import type { ReadStates } from './read-model.ts'
import type { EventData, EventType } from '../schemas/types.gen.ts'

/**
 * What the book says about one subject: a pure fold. The same events give the same state, whenever and
 * however often they are folded; nothing is emitted.
 */
export interface Projection<State> {
  readonly name: string
  readonly handles: readonly EventType[]
  initial(): State
  /**
   * Returns the next state; mutating and returning the same object is fine. `others`: states of the projections
   * that come before it in the read model, this event included; absent where it is folded alone.
   */
  apply(state: State, event: RecordedEvent, others?: Readonly<ReadStates>): State
  /** A state of its own that goes on from here: what happens to either does not show in the other. */
  copy(state: State): State
}

/** A recorded event whose data is known by its type. */
export type BookEvent = {
  [T in EventType]: RecordedEvent<EventData[T]> & { type: T }
}[EventType]

/** A recorded event, to be told apart by its type: the writer validated it against the schema of that type. */
export function bookEvent(event: RecordedEvent): BookEvent {
  return event as BookEvent
}
