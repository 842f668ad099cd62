import { decodeBody, type RecordedEvent } from '../../engine/events/envelope.ts'
import type { StoredEvent } from '../../engine/ports/event-store.ts'
import { parseTraceparent, spanIdOf, type TraceContext, traceIdOf } from '../runtime/traceparent.ts'

/** The trace of a step: what its input came with, or one that its first event begins. */
export interface Trace {
  given: TraceContext | null
  firstId: string
}

/** A step that something was decided in, or that says what became of an order. */
export interface TracedStep {
  trace: Trace
  /** Span that the span of its input hangs on; null: none, it is the root. */
  parentSpanId: string | null
  /** The parent lies in another process. */
  remote: boolean
  /** Its input, and those of its events that get a span. */
  events: readonly RecordedEvent[]
  /** Positions of all its events. */
  first: number
  last: number
}

interface OrderTrace {
  trace: Trace
  eventId: string
}

/** Inputs that always get a span. */
const INPUTS: ReadonlySet<string> = new Set([
  'signal.received',
  'input.refused',
  'control.received',
  'order.accepted',
  'order.adjusted',
  'order.cancel_rejected',
  'order.canceled',
  'order.expired',
  'order.filled',
  'order.held',
  'order.outcome_unknown',
  'order.rejected',
  'order.replace_rejected',
  'order.replaced',
  'order.withheld',
])
/** Decisions. A step that holds one is traced, whatever its input. */
const DECISIONS: ReadonlySet<string> = new Set([
  'signal.raised',
  'risk.verdict',
  'order.intended',
  'order.cancel_requested',
  'order.replace_requested',
])
/** What ends an order: late words of it are still put into its trace for a while. */
const ENDS: ReadonlySet<string> = new Set([
  'order.canceled',
  'order.expired',
  'order.rejected',
  'order.withheld',
  'order.replaced',
])
const REMEMBERED_ORDERS = 4096
const REMEMBERED_STEPS = 4096

/**
 * Which trace each order and each recent step of a book belongs to: a fold over its events. Takes the events in
 * order; what it has seen already is passed over, so that several followers of the book may feed the same one.
 */
export class TraceBook {
  /** Last event taken, −1 for none. */
  position = -1
  readonly #orders = new Map<number, OrderTrace>()
  readonly #ended: number[] = []
  readonly #steps: TracedStep[] = []
  readonly #onStep: ((step: TracedStep) => void) | undefined
  #first: StoredEvent | RecordedEvent | null = null
  #events: RecordedEvent[] = []

  /** `onStep` is called with every traced step once its last event is there. */
  constructor(onStep?: (step: TracedStep) => void) {
    this.#onStep = onStep
  }

  /** Takes the next event of the book, where steps show only by where the next one begins; end with `settle`. */
  take(event: RecordedEvent): void {
    if (event.position <= this.position) return
    if (event.step === event.position) this.settle()
    this.#add(event, () => event)
  }

  /** Ends the step that `take` has been adding to. */
  settle(): void {
    if (this.#first !== null) this.#close()
  }

  /** Takes a page as the store gives it. */
  takePage(page: readonly StoredEvent[]): void {
    for (const stored of page) {
      if (stored.position <= this.position) continue
      this.#add(stored, () => decodeBody(stored))
      if (stored.checksum !== null) this.#close()
    }
  }

  /** The span of an order's intent; null for an order that is unknown, or long over. */
  order(orderId: number): TraceContext | null {
    const order = this.#orders.get(orderId)
    return order === undefined ? null : contextOf(order.trace, spanIdOf(order.eventId))
  }

  /** The span of a recent event; of one without a span of its own, that of its input. Null: it is in no trace. */
  at(position: number): { context: TraceContext; event: RecordedEvent } | null {
    let low = 0
    let high = this.#steps.length - 1
    while (low <= high) {
      const middle = (low + high) >> 1
      const step = this.#steps[middle] as TracedStep
      if (position < step.first) high = middle - 1
      else if (position > step.last) low = middle + 1
      else {
        const own = step.events.find((event) => event.position === position)
        const event = own ?? step.events[0]!
        return { context: contextOf(step.trace, spanIdOf(event.id)), event }
      }
    }
    return null
  }

  #add(event: StoredEvent | RecordedEvent, decode: () => RecordedEvent): void {
    this.position = event.position
    if (this.#first === null) {
      this.#first = event
      if (INPUTS.has(event.type)) this.#events.push(decode())
    } else if (DECISIONS.has(event.type)) {
      if (this.#events.length === 0) this.#events.push(recorded(this.#first))
      this.#events.push(decode())
    }
  }

  #close(): void {
    const events = this.#events
    const [input] = events
    this.#first = null
    this.#events = []
    if (input === undefined) return
    const { orderId, complete, replacedBy } = input.data as {
      orderId?: number
      complete?: boolean
      replacedBy?: number
    }
    // What the book says of its own orders counts; a header is anybody's.
    const order = orderId === undefined ? undefined : this.#orders.get(orderId)
    const given = order === undefined ? parseTraceparent(input.trace) : null
    const trace = order?.trace ?? { given, firstId: input.id }
    const parentSpanId = order === undefined ? (given?.spanId ?? null) : spanIdOf(order.eventId)
    const step = {
      ...{ trace, parentSpanId, events, first: input.position, last: this.position },
      remote: order === undefined,
    }
    for (const event of events) {
      if (event.type !== 'order.intended') continue
      const { orderId: id } = event.data as { orderId: number }
      this.#orders.set(id, { trace, eventId: event.id })
    }
    const over = ENDS.has(input.type) || (input.type === 'order.filled' && complete === true)
    if (over && orderId !== undefined) this.#end(orderId)
    if (input.type === 'order.replace_rejected' && replacedBy !== undefined) this.#end(replacedBy)
    this.#steps.push(step)
    if (this.#steps.length > 2 * REMEMBERED_STEPS) this.#steps.splice(0, REMEMBERED_STEPS)
    this.#onStep?.(step)
  }

  #end(orderId: number): void {
    this.#ended.push(orderId)
    if (this.#ended.length <= REMEMBERED_ORDERS) return
    this.#orders.delete(this.#ended.shift()!)
  }
}

function recorded(event: StoredEvent | RecordedEvent): RecordedEvent {
  return 'body' in event ? decodeBody(event) : event
}

/** Ids come from the events: whoever looks at the same book finds the same ones. */
export function contextOf(trace: Trace, spanId: string): TraceContext {
  const { given, firstId } = trace
  return {
    traceId: given?.traceId ?? traceIdOf(firstId),
    spanId,
    sampled: given?.sampled ?? true,
  }
}
