import { decodeBody, type RecordedEvent } from '../../engine/events/envelope.ts'
import type { StoredEvent } from '../../engine/ports/event-store.ts'
import { parseTime } from '../../engine/time.ts'
import { isLeg } from '../../engine/trading/broker-order.ts'
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
  /** Entry whose leg it is: it goes to the broker with that one. */
  readonly entry: OpenOrder | null
  /** Order that it is to take the place of, when that one was open. */
  readonly original: OpenOrder | null
  /** Legs of this entry, and replacements of this order: what happens to it concerns them. */
  readonly dependents: OpenOrder[]
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

export type WithholdCode = 'too_late' | 'halted' | 'canceled' | 'original_ended' | 'unsupported'
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
      stored.type === 'account.charged' ||
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
      forget(state, event.data.orderId)
      return answer(state, event.data.orderId, true)
    case 'account.charged':
      heard(state, event.data.brokerSequence)
      return null
    case 'order.replaced':
    case 'order.replace_rejected': {
      const { orderId, replacedBy, brokerSequence } = event.data
      heard(state, brokerSequence)
      const replaced = event.type === 'order.replaced'
      answer(state, replacedBy, !replaced)
      return replaced ? answer(state, orderId, true) : (state.open.get(orderId) ?? null)
    }
    case 'order.cancel_rejected': {
      heard(state, event.data.brokerSequence)
      const order = answer(state, event.data.orderId, false)
      // It goes on; another request to cancel it is a new one.
      if (order !== null) order.cancelPosition = null
      return order
    }
    case 'order.held':
    case 'order.adjusted':
    case 'order.accepted':
      heard(state, event.data.brokerSequence)
      return answer(state, event.data.orderId, false)
    case 'order.filled':
      heard(state, event.data.brokerSequence)
      return answer(state, event.data.orderId, event.data.complete)
    case 'order.rejected':
      forget(state, event.data.orderId)
      heard(state, event.data.brokerSequence)
      return answer(state, event.data.orderId, true)
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
  if (order.intent.replaces !== undefined && (order.original === null || order.original.ended)) {
    return withhold('original_ended', 'the order that it was to replace is over')
  }
  if (now >= order.notAfter) {
    return withhold('too_late', `it was not to be sent at or after ${order.intent.notAfter}`)
  }
  return { do: 'send' }
}

type Typed = { [T in EventType]: { type: T; data: EventData[T] } }[EventType]

/** Whether the legs that go with an entry are known too: a page of the book may end between them. */
export function isWhole({ intent, dependents }: Readonly<OpenOrder>): boolean {
  return (intent.legs ?? []).every((id) => dependents.some((leg) => leg.intent.orderId === id))
}

/** Intents of the legs that go to the broker with an entry. */
export function legsOf({ dependents }: Readonly<OpenOrder>): OrderIntended[] {
  return dependents.flatMap(({ entry, intent }) => (entry === null ? [] : [intent]))
}

/** Answers the order that may be sent now: of a leg, its entry. */
function intend(state: Intents, intent: OrderIntended, position: number): OpenOrder {
  const entry = isLeg(intent) ? (state.open.get(intent.parentId!) ?? null) : null
  const original = intent.replaces === undefined ? null : (state.open.get(intent.replaces) ?? null)
  const order: OpenOrder = {
    intent,
    position,
    notAfter: parseTime(intent.notAfter),
    landed: false,
    ended: false,
    halted: false,
    cancelPosition: null,
    attempts: 0,
    entry,
    original,
    dependents: [],
  }
  state.open.set(intent.orderId, order)
  entry?.dependents.push(order)
  original?.dependents.push(order)
  return entry ?? order
}

/** An entry that never stood at the broker takes its legs along. */
function forget(state: Intents, orderId: number): void {
  for (const leg of state.open.get(orderId)?.dependents ?? []) {
    if (leg.entry === null || leg.landed) continue
    leg.ended = true
    state.open.delete(leg.intent.orderId)
  }
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
