import { formatTime } from '../engine/time.ts'
import type { DecisionBody, EventType } from '../schemas/types.gen.ts'
import { Listing } from './listing.ts'
import { bookEvent, type Projection } from './projection.ts'

/** What was decided, or what a decision was based on. */
export interface DecisionRecord {
  /** Position of the event. */
  entry: number
  symbol: string | null
  type: EventType
  /** Position of the input that it follows from. */
  step: number
  because: number | null
  /** Engine time, ms. */
  at: number
  data: object
}

const TYPES = [
  'feature.computed',
  'signal.raised',
  'signal.received',
  'risk.verdict',
  'risk.state_changed',
  'order.intended',
  'order.cancel_requested',
] as const satisfies readonly EventType[]

/** Everything that the engine decided, in the order of the book, with what it saw. */
export const decisionsProjection: Projection<Listing<DecisionRecord>> = {
  name: 'decisions',
  handles: TYPES,
  initial: () => new Listing(),
  apply(state, recorded) {
    const { position: entry, at, type, step, because, data } = bookEvent(recorded)
    state.add({ entry, symbol: symbolOf(data), type, step, because, at, data })
    return state
  },
  copy: (state) => state.copy(),
}

function symbolOf(data: object): string | null {
  if ('symbol' in data && typeof data.symbol === 'string') return data.symbol
  if ('order' in data) return (data.order as { symbol?: string } | null)?.symbol ?? null
  return null
}

export function decisionBody({
  entry,
  type,
  step,
  because,
  at,
  data,
}: DecisionRecord): DecisionBody {
  return { entry, type, step, because, at: formatTime(at), data: data as DecisionBody['data'] }
}
