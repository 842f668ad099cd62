import type { JetStreamManager, StreamInfo } from 'nats'
import type { GapReason } from '../../../engine/ports/bus.ts'
import { apiCode } from './streams.ts'

/** The newest message of a stream that is known to have been taken. */
export interface Anchor {
  /** 0: none of the stream as it is now. */
  sequence: number
  /** When the server stored it, ms; NaN: not known. */
  storedAt: number
}

/** What is asked of a stream before its messages are read. */
export interface StreamState {
  /** When the server made it, ms. */
  created: number
  /** First sequence that it may still hold, and last that it gave away. */
  first: number
  last: number
  /** When the message at the anchor was stored, ms; null: it is not there, or was not asked for. */
  storedAtAnchor: number | null
}

export type Assessment =
  | { kind: 'same' }
  /** Messages behind the anchor were removed, up to `to`. */
  | { kind: 'removed'; to: number }
  /** Its sequences are not those that were taken: they are given away a second time. */
  | { kind: 'replaced'; reason: GapReason }

/** Times of one server differ by what rounding takes from them. */
const ROUNDING_MS = 1

/**
 * Whether a stream goes on from what was taken of it. `created` is when it was made as far as known before, ms, or
 * null; `known` the highest sequence that the server ever confirmed. A stream that lost its end and was filled again
 * beyond it is told by the time of the message at the anchor.
 */
export function assess(
  anchor: Anchor,
  created: number | null,
  known: number,
  state: StreamState,
): Assessment {
  const asked = anchor.sequence > 0 && state.storedAtAnchor !== null
  const apart = asked ? Math.abs(state.storedAtAnchor! - anchor.storedAt) : Number.NaN
  // A clock that was set back makes a stream look younger than its messages: the message itself knows better.
  const younger = anchor.sequence > 0 && state.created > anchor.storedAt + ROUNDING_MS
  const anew = created === null ? younger && !(apart <= ROUNDING_MS) : state.created !== created
  if (anew) return { kind: 'replaced', reason: 'stream_recreated' }
  if (state.last < Math.max(anchor.sequence, known) || apart > ROUNDING_MS) {
    return { kind: 'replaced', reason: 'stream_regressed' }
  }
  // Without an anchor in the present stream it is read by time, and its beginning may well be gone.
  const counted = anchor.sequence > 0 || Number.isNaN(anchor.storedAt)
  if (counted && state.first > anchor.sequence + 1) {
    return { kind: 'removed', to: state.first - 1 }
  }
  return { kind: 'same' }
}

/** Reads what `assess` needs; `anchor` 0 asks for no message. */
export async function readStreamState(
  jsm: JetStreamManager,
  stream: string,
  anchor: number,
): Promise<StreamState> {
  const info = await jsm.streams.info(stream)
  const state = stateOf(info)
  if (anchor === 0 || anchor < state.first || anchor > state.last) return state
  try {
    const message = await jsm.streams.getMessage(stream, { seq: anchor })
    return { ...state, storedAtAnchor: message.time.getTime() }
  } catch (error) {
    // Deleted by itself: the rest must tell.
    if (apiCode(error) === 10037) return state
    throw error
  }
}

export function stateOf(info: StreamInfo): StreamState {
  const { first_seq, last_seq } = info.state
  return {
    created: Date.parse(info.created),
    first: Math.max(1, first_seq),
    last: last_seq,
    storedAtAnchor: null,
  }
}
