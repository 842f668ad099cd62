/** An event as a store keeps it: its body is the exact JSON text that the checksum covers. */
export interface ProposedEvent {
  /** UUID: random id of the writer's run and the position; equal ids at equal positions make a retry. */
  id: string
  type: string
  /** One line of JSON: type, version, at, recordedAt, step, because, data (see engine/events/envelope.ts). */
  body: string
  /** sha256 hex on the last event of a step, null on the others. */
  checksum: string | null
}

export interface StoredEvent extends ProposedEvent {
  /** Place in the stream, from 0, without gaps. */
  position: number
}

/** Thrown by append when the stream does not end where the writer believed: somebody else wrote. */
export class WrongExpectedPosition extends Error {
  override name = 'WrongExpectedPosition'
  readonly code = 'wrong_expected_position'
  readonly stream: string
  readonly expected: number
  readonly current: number
  constructor(stream: string, expected: number, current: number) {
    super(`stream ${stream} ends at ${current}, not at ${expected}: another writer appended`)
    this.stream = stream
    this.expected = expected
    this.current = current
  }
}

export interface Subscription {
  /** Resolves when the handler has finished its current batch and will not be called again. */
  close(): Promise<void>
  /** Resolves when closed; rejects when the handler or the store failed. */
  readonly done: Promise<void>
}

/**
 * An append-only store of streams. Promises every adapter keeps (services/adapters/contract):
 * - append is atomic and durable when it resolves, or throws and leaves nothing;
 * - `expected` is the position of the last event (−1: the stream must not exist yet), otherwise
 *   WrongExpectedPosition; the same events (same ids at the same positions) appended again with the
 *   original `expected` succeed and write nothing;
 * - one append holds at most 512 KiB of bodies, otherwise RangeError;
 * - read yields pages in order, from a position (inclusive) to the head at the time of the call or later;
 *   a stream that does not exist yields nothing;
 * - subscribe calls its handler with pages in order, one call at a time, first the past and then what is
 *   appended, by this process or another, without gap or repeat, until closed.
 */
export interface EventStore {
  /** Resolves to the position of the last event written. */
  append(stream: string, expected: number, events: readonly ProposedEvent[]): Promise<number>
  read(stream: string, from: number, to?: number): AsyncIterable<readonly StoredEvent[]>
  /** Position of the last event, −1 when the stream does not exist. */
  head(stream: string): Promise<number>
  subscribe(
    stream: string,
    from: number,
    handler: (events: readonly StoredEvent[]) => void | Promise<void>,
  ): Subscription
  close(): Promise<void>
}

export const MAX_APPEND_BYTES = 512 * 1024
