import type { EventData, EventType } from '../../schemas/types.gen.ts'
import type { Bar } from '../market/bar.ts'
import type { StateTable } from './state-table.ts'

/** What an event of each type carries inside the chain: its recorded data, but a bar as numbers. */
export type ChainData = Omit<EventData, 'market.bar'> & { 'market.bar': Bar }

/** An event inside the chain. It is valid until the next event: a bar's object is used again. */
export type ChainEvent = {
  [T in EventType]: {
    type: T
    /** Engine time, ms since the epoch. */
    at: number
    data: ChainData[T]
  }
}[EventType]

export type EventOf<T extends EventType> = Extract<ChainEvent, { type: T }>

/** Adds a consequence to the step. It passes through the chain after the event that caused it, before its siblings. */
export type Emit = <T extends EventType>(type: T, data: ChainData[T]) => void

/**
 * A part of the chain that keeps state and may emit consequences. `handle` is pure and synchronous: it
 * reads no clock, no randomness, no environment, and changes its state only by what events tell it, its
 * own consequences included, which come back to it. Recovery feeds it the recorded events and ignores
 * what it emits. It may read, never write, the state of the others.
 */
export interface Processor<State> {
  readonly name: keyof StateTable
  readonly handles: readonly EventType[]
  initial(): State
  /** Returns the next state; mutating and returning the same object is fine. */
  handle(state: State, event: ChainEvent, emit: Emit, table: Readonly<StateTable>): State
}
