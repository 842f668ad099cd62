import { decodeBody, type RecordedEvent } from '../../engine/events/envelope.ts'
import type { StoredEvent } from '../../engine/ports/event-store.ts'
import type { EventData, EventType, RiskStateChanged } from '../../schemas/types.gen.ts'

type Typed = { [T in EventType]: { type: T; data: EventData[T] } }[EventType]

const DECODED: ReadonlySet<string> = new Set<EventType>([
  'control.received',
  'input.refused',
  'input.gap',
  'order.accepted',
  'order.canceled',
  'order.expired',
  'order.filled',
  'order.held',
  'order.intended',
  'order.outcome_unknown',
  'order.rejected',
  'order.replaced',
  'order.replace_rejected',
  'order.withheld',
  'risk.state_changed',
  'risk.verdict',
  'signal.raised',
  'signal.received',
])
const LABEL = /^[A-Za-z][A-Za-z0-9_.-]{0,63}$/
const OTHER = 'other'
/** Different values that a label takes; the rest is `other`. */
export const MAX_LABELS = 50

/** Names from outside as labels: few, short, and of plain characters. */
class Labels {
  readonly #known = new Set<string>()

  of(text: string): string {
    if (this.#known.has(text)) return text
    if (!LABEL.test(text) || this.#known.size >= MAX_LABELS) return OTHER
    this.#known.add(text)
    return text
  }
}

/** Counts by one label, or by two joined with a space, which is in no label. */
export type Counts = Map<string, number>

/** What a book holds, counted: a fold over its events, so that a restart does not begin at zero. */
export class BookCounts {
  /** Last event counted, −1 for none. */
  position = -1
  readonly signals: Counts = new Map()
  readonly verdicts: Counts = new Map()
  /** By strategy and reason. */
  readonly rejections: Counts = new Map()
  readonly orders: Counts = new Map()
  readonly fills: Counts = new Map()
  /** By what became of an order. */
  readonly ends: Counts = new Map()
  readonly refused: Counts = new Map()
  /** From zero on: an alert on an increase does not see a series begin. */
  readonly gaps: Counts = new Map([
    ['REPORTS', 0],
    ['INBOX', 0],
    ['MARKET', 0],
  ])
  readonly controls: Counts = new Map()
  events = 0
  bars = 0
  anomalies = 0
  starts = 0
  unknownOutcomes = 0
  trading: RiskStateChanged['to'] = 'ACTIVE'
  /** When the newest bar was recorded, ms of the wall clock; null: never. */
  lastBarAt: number | null = null
  /** Orders of the book that are not over → their strategy. */
  readonly #open = new Map<number, string>()
  /** Orders that the broker has not answered → when they were recorded, ms of the wall clock. */
  readonly #unanswered = new Map<number, number>()
  readonly #strategies = new Labels()
  readonly #codes = new Labels()
  #verdictOf = new Map<number, string>()

  get openOrders(): number {
    return this.#open.size
  }

  get unanswered(): number {
    return this.#unanswered.size
  }

  /** When the oldest order without an answer was recorded; null for none. */
  get unansweredSince(): number | null {
    const [first] = this.#unanswered.values()
    return first ?? null
  }

  /** Takes a page of the book; returns the orders that it asks for. */
  takePage(page: readonly StoredEvent[]): { orderId: number; step: number }[] {
    const asked: { orderId: number; step: number }[] = []
    let bar: StoredEvent | null = null
    for (const stored of page) {
      if (stored.position <= this.position) continue
      if (DECODED.has(stored.type)) {
        const event = decodeBody(stored)
        this.take(event)
        if (event.type !== 'order.intended') continue
        asked.push({ orderId: (event.data as { orderId: number }).orderId, step: event.step })
      } else {
        if (stored.type === 'market.bar') bar = stored
        this.#pass(stored)
      }
    }
    if (bar !== null) this.lastBarAt = decodeBody(bar).recordedAt
    return asked
  }

  take(recorded: RecordedEvent): void {
    if (recorded.position <= this.position) return
    this.#pass(recorded)
    if (recorded.type === 'market.bar') this.lastBarAt = recorded.recordedAt
    const event = recorded as Typed
    switch (event.type) {
      case 'signal.received':
        return count(this.signals, 'manual')
      case 'signal.raised':
        return count(this.signals, this.#strategies.of(event.data.strategy))
      case 'risk.verdict': {
        const { source, verdict, code, orderIds } = event.data
        const strategy = this.#source(source)
        count(this.verdicts, `${strategy} ${verdict === 'approved' ? 'approved' : 'denied'}`)
        if (verdict === 'denied') count(this.rejections, `${strategy} ${this.#codes.of(code)}`)
        this.#verdictOf = new Map(orderIds.map((id) => [id, strategy]))
        return
      }
      case 'order.intended': {
        const { orderId, parentId, replaces } = event.data
        const strategy =
          this.#verdictOf.get(orderId) ??
          this.#open.get(parentId ?? -1) ??
          this.#open.get(replaces ?? -1) ??
          'engine'
        this.#open.set(orderId, strategy)
        this.#unanswered.set(orderId, recorded.recordedAt)
        return count(this.orders, strategy)
      }
      case 'order.filled': {
        const { orderId, complete } = event.data
        count(this.fills, this.#open.get(orderId) ?? OTHER)
        this.#unanswered.delete(orderId)
        if (complete) this.#end(orderId, 'filled')
        return
      }
      case 'order.accepted':
      case 'order.held':
        this.#unanswered.delete(event.data.orderId)
        return
      case 'order.canceled':
      case 'order.expired':
      case 'order.rejected':
      case 'order.withheld':
      case 'order.replaced':
        if (event.type === 'order.replaced') this.#unanswered.delete(event.data.replacedBy)
        return this.#end(event.data.orderId, event.type.slice('order.'.length))
      case 'order.replace_rejected':
        return this.#end(event.data.replacedBy, 'replace_rejected')
      case 'order.outcome_unknown':
        this.unknownOutcomes++
        return
      case 'risk.state_changed':
        this.trading = event.data.to
        return
      case 'input.refused':
        return count(this.refused, this.#codes.of(event.data.code))
      case 'input.gap':
        return count(this.gaps, this.#codes.of(event.data.stream))
      case 'control.received':
        return count(this.controls, this.#codes.of(event.data.action))
      default:
        return
    }
  }

  #pass({ position, type }: { position: number; type: string }): void {
    this.position = position
    this.events++
    if (type === 'market.bar') this.bars++
    else if (type === 'order.anomaly') this.anomalies++
    else if (type === 'engine.started') this.starts++
  }

  /** Operators are people, and could be many: together they are `manual`. */
  #source(source: string): string {
    const strategy = /^strategy:(.+)$/.exec(source)?.[1]
    if (strategy !== undefined) return this.#strategies.of(strategy)
    return source.startsWith('operator:') ? 'manual' : 'engine'
  }

  #end(orderId: number, how: string): void {
    count(this.ends, how)
    this.#open.delete(orderId)
    this.#unanswered.delete(orderId)
  }
}

function count(counts: Counts, label: string): void {
  counts.set(label, (counts.get(label) ?? 0) + 1)
}
