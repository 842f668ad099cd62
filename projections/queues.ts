import { formatTime } from '../engine/time.ts'
import { isOpen, isReport, reportedEvent, TRANSITIONS } from '../engine/trading/transitions.ts'
import type { OrderStatus } from '../engine/trading/transitions.ts'
import type { EventType, QueueBody } from '../schemas/types.gen.ts'
import { bookEvent, type Projection } from './projection.ts'

/** Inputs by the kind of door they come through. */
const DOORS: Partial<Record<EventType, string>> = {
  'market.bar': 'market',
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
  handles: [
    ...(Object.keys(DOORS) as EventType[]),
    'order.intended',
    'order.accepted',
    'order.rejected',
    'order.filled',
    'order.canceled',
    'order.expired',
    'order.withheld',
    'order.outcome_unknown',
  ],
  initial: () => ({ open: new Map(), ended: 0, doors: new Map() }),
  apply(state, recorded) {
    const event = bookEvent(recorded)
    const { type, position: entry, at } = event
    if (type === 'order.intended') {
      state.open.set(event.data.orderId, { status: 'intended', entry, at })
    } else if (isReport(type)) {
      const data = event.data as { orderId: number }
      const order = state.open.get(data.orderId)
      const next = order && TRANSITIONS[order.status][reportedEvent({ type, data })]
      if (order !== undefined && next !== undefined) {
        if (isOpen(next)) state.open.set(data.orderId, { ...order, status: next })
        else {
          state.open.delete(data.orderId)
          state.ended++
        }
      }
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
  ['orders.working', ['accepted', 'partially_filled']],
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
