import { decodeBody, type RecordedEvent } from '../../engine/events/envelope.ts'
import type { StoredEvent } from '../../engine/ports/event-store.ts'
import { parseTime } from '../../engine/time.ts'
import type { EventData, EventType, OrderIntended } from '../../schemas/types.gen.ts'

/** An order that the book has not seen the end of. */
export interface OpenOrder {
  readonly intent: OrderIntended
  /** Position of the intent in the book. */
  readonly position: number
  /** Engine time from which it must not be sent any more, ms. */
  readonly notAfter: number
  /** The book holds the broker's word that it has, or had, the order. */
  landed: boolean
  /** The book holds its end: filled, canceled, expired, rejected, withheld. */
  ended: boolean
  /** A halt was recorded after the intent; a resume does not bring it back. */
  halted: boolean
  /** Position of the first request to cancel it, null: none. */
  cancelPosition: number | null
  /** Highest attempt that is recorded as unknown. */
  attempts: number
}

/** What the book says there is to be done: a fold over its events. */
export interface Intents {
  open: Map<number, OpenOrder>
  /** Newest position and engine time seen, −1 and 0 before any. */
  position: number
  at: number
  /** Highest sequence of a broker's report that is recorded. */
  brokerSequence: number
}

export type WithholdCode = 'too_late' | 'halted' | 'canceled'
export type Decision =
  | { do: 'send' }
  /** It stands at the broker, or is over: sending has no meaning any more. */
  | { do: 'nothing' }
  | { do: 'withhold'; code: WithholdCode; reason: string }

export function noIntents(): Intents {
  return { open: new Map(), position: -1, at: 0, brokerSequence: 0 }
}

/**
 * Folds a page of the book and returns the orders it concerns, in the order of their first event: those with
 * something new to be done, and those whose end became known. Only what matters here is parsed.
 * Throws AlteredEvent.
 */
export function foldPage(state: Intents, page: readonly StoredEvent[]): Set<OpenOrder> {
  const touched = new Set<OpenOrder>()
  page.forEach((stored, i) => {
    const relevant =
      stored.type.startsWith('order.') ||
      stored.type === 'control.received' ||
      stored.type === 'risk.state_changed'
    // Engine time never decreases: the last event of a page has its newest.
    if (!relevant && i < page.length - 1) return
    const order = foldEvent(state, decodeBody(stored))
    if (order !== null) touched.add(order)
  })
  return touched
}

/** Folds one event; returns the order it concerns, null when there is none. */
export function foldEvent(state: Intents, recorded: RecordedEvent): OpenOrder | null {
  state.position = recorded.position
  state.at = Math.max(state.at, recorded.at)
  const event = recorded as Typed
  switch (event.type) {
    case 'order.intended':
      return intend(state, event.data, recorded.position)
    case 'order.cancel_requested': {
      const order = state.open.get(event.data.orderId)
      if (order === undefined || order.cancelPosition !== null) return null
      order.cancelPosition = recorded.position
      return order
    }
    case 'control.received':
      if (event.data.action === 'halt') halt(state)
      return null
    case 'risk.state_changed':
      if (event.data.to === 'HALTED') halt(state)
      return null
    case 'order.outcome_unknown': {
      const order = state.open.get(event.data.orderId)
      if (order !== undefined) order.attempts = Math.max(order.attempts, event.data.attempt)
      return null
    }
    case 'order.withheld':
      return answer(state, event.data.orderId, true)
    case 'order.accepted':
      heard(state, event.data.brokerSequence)
      return answer(state, event.data.orderId, false)
    case 'order.filled':
      heard(state, event.data.brokerSequence)
      return answer(state, event.data.orderId, event.data.complete)
    case 'order.rejected':
    case 'order.canceled':
    case 'order.expired':
      heard(state, event.data.brokerSequence)
      return answer(state, event.data.orderId, true)
    default:
      return null
  }
}

/** Whether an order may be sent at this engine time (ms), by what the book holds now. */
export function decide(order: Readonly<OpenOrder>, now: number): Decision {
  if (order.landed || order.ended) return { do: 'nothing' }
  if (order.cancelPosition !== null) {
    return withhold('canceled', 'its cancellation was recorded before it was sent')
  }
  if (order.halted) {
    return withhold('halted', 'trading was halted after it was recorded and before it was sent')
  }
  if (now >= order.notAfter) {
    return withhold('too_late', `it was not to be sent at or after ${order.intent.notAfter}`)
  }
  return { do: 'send' }
}

type Typed = { [T in EventType]: { type: T; data: EventData[T] } }[EventType]

function intend(state: Intents, intent: OrderIntended, position: number): OpenOrder {
  const order: OpenOrder = {
    intent,
    position,
    notAfter: parseTime(intent.notAfter),
    landed: false,
    ended: false,
    halted: false,
    cancelPosition: null,
    attempts: 0,
  }
  state.open.set(intent.orderId, order)
  return order
}

function halt(state: Intents): void {
  for (const order of state.open.values()) order.halted = true
}

function heard(state: Intents, sequence: number): void {
  state.brokerSequence = Math.max(state.brokerSequence, sequence)
}

function answer(state: Intents, orderId: number, end: boolean): OpenOrder | null {
  const order = state.open.get(orderId)
  if (order === undefined) return null
  order.landed = true
  order.ended = end
  if (end) state.open.delete(orderId)
  return order
}

function withhold(code: WithholdCode, reason: string): Decision {
  return { do: 'withhold', code, reason }
}
