import { formatTime } from '../engine/time.ts'
import {
  isOpen,
  isReport,
  legEvent,
  type OrderEvent,
  REPORT_TYPES,
  replacementEvent,
  reportedEvent,
  TRANSITIONS,
} from '../engine/trading/transitions.ts'
import type { OrderStatus } from '../engine/trading/transitions.ts'
import type { EventType, QueueBody } from '../schemas/types.gen.ts'
import { bookEvent, type Projection } from './projection.ts'

/** Inputs by the kind of door they come through. */
const DOORS: Partial<Record<EventType, string>> = {
  'market.bar': 'market',
  'market.action': 'market',
  'signal.received': 'signals',
  'control.received': 'control',
  'timer.fired': 'timers',
  'input.refused': 'refused',
}

interface Waiting {
  status: OrderStatus
  entry: number
  /** Engine time of its intent, ms. */
  at: number
  /** Numbers of its legs. */
  legs: readonly number[]
}

export interface QueuesState {
  /** Orders that have not ended, by number. */
  open: Map<number, Waiting>
  /** Orders that have ended. */
  ended: number
  /** door → inputs taken, and the newest. */
  doors: Map<string, { done: number; entry: number; at: number }>
}

/** What waits: intents not yet sent, outcomes nobody knows, orders at the broker; and what came in by which door. */
export const queuesProjection: Projection<QueuesState> = {
  name: 'queues',
  handles: [...(Object.keys(DOORS) as EventType[]), 'order.intended', ...REPORT_TYPES],
  initial: () => ({ open: new Map(), ended: 0, doors: new Map() }),
  apply(state, recorded) {
    const event = bookEvent(recorded)
    const { type, position: entry, at } = event
    if (type === 'order.intended') {
      const { orderId, legs = [] } = event.data
      state.open.set(orderId, { status: 'intended', entry, at, legs })
    } else if (isReport(type)) {
      const data = event.data as { orderId: number; replacedBy?: number }
      const kind = reportedEvent({ type, data })
      const status = state.open.get(data.orderId)?.status ?? 'replaced'
      move(state, data.orderId, kind)
      const fate = replacementEvent(kind, status)
      if (fate !== null && data.replacedBy !== undefined) move(state, data.replacedBy, fate)
      if (event.type !== 'order.withheld' && event.type !== 'order.outcome_unknown') {
        through(state, 'reports', entry, at)
      }
    }
    const door = DOORS[type]
    if (door !== undefined) through(state, door, entry, at)
    return state
  },
  copy: ({ open, ended, doors }) => ({
    open: new Map(open),
    ended,
    doors: new Map(Array.from(doors, ([door, taken]) => [door, { ...taken }])),
  }),
}

/** One step of an order by the engine's table, and of the legs that fall with it. */
function move(state: QueuesState, orderId: number, kind: OrderEvent): void {
  const order = state.open.get(orderId)
  const next = order && TRANSITIONS[order.status][kind]
  if (order === undefined || next === undefined) return
  if (isOpen(next)) state.open.set(orderId, { ...order, status: next })
  else {
    state.open.delete(orderId)
    state.ended++
  }
  const fate = legEvent(kind)
  if (fate === null) return
  for (const leg of order.legs) {
    const status = state.open.get(leg)?.status
    if (status === 'intended' || status === 'unknown') move(state, leg, fate)
  }
}

function through({ doors }: QueuesState, door: string, entry: number, at: number): void {
  const taken = doors.get(door)
  if (taken === undefined) doors.set(door, { done: 1, entry, at })
  else {
    taken.done++
    taken.entry = entry
    taken.at = at
  }
}

const WAITING: readonly (readonly [name: string, statuses: readonly OrderStatus[]])[] = [
  ['orders.to_send', ['intended']],
  ['orders.unknown', ['unknown']],
  ['orders.working', ['held', 'accepted', 'partially_filled']],
]

/** The queues in a fixed order: what waits first, then the doors by name. */
export function queueBodies(state: Readonly<QueuesState>): QueueBody[] {
  const waiting = WAITING.map(([name, statuses]): QueueBody => {
    const found = [...state.open.values()].filter(({ status }) => statuses.includes(status))
    const oldest = found.reduce<Waiting | null>(
      (first, one) => (first === null || one.entry < first.entry ? one : first),
      null,
    )
    return {
      name,
      depth: found.length,
      done: null,
      lastAt: null,
      oldest: oldest === null ? null : { entry: oldest.entry, at: formatTime(oldest.at) },
    }
  })
  const doors = [...state.doors]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([door, { done, at }]): QueueBody => {
      return { name: `inputs.${door}`, depth: null, done, lastAt: formatTime(at), oldest: null }
    })
  return [...waiting, ...doors]
}
