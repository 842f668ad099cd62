import type { RecordedEvent } from '../../engine/events/envelope.ts'
import { spanIdOf, type TraceContext } from '../runtime/traceparent.ts'
import { contextOf, type TracedStep } from './trace-book.ts'

export type SpanKind = 'internal' | 'client' | 'producer' | 'consumer'

/** A span that is over. Times are wall clock, ms since the epoch. */
export interface Span extends TraceContext {
  parentSpanId: string | null
  /** The parent lies in another process. */
  remote: boolean
  name: string
  kind: SpanKind
  start: number
  end: number
  attributes: Readonly<Record<string, string | number | boolean>>
  /** What went wrong, null for nothing. */
  error: string | null
  /** First position of the step that it was made from. */
  position: number
}

/**
 * The spans of a step. Its input's lasts from when the message was stored until it was recorded, a decision's no
 * time: the chain works in microseconds, and one clock reading stands for the whole step.
 */
export function stepSpans(step: TracedStep): Span[] {
  const [input] = step.events
  if (input === undefined) return []
  const known = new Set(step.events.map(({ position }) => position))
  return step.events.map((event) => {
    const { name, kind, error, attributes } = describe(event)
    const isInput = event === input
    const because = event.because ?? input.position
    const parent = known.has(because) ? because : input.position
    return {
      ...contextOf(step.trace, spanIdOf(event.id)),
      parentSpanId: isInput ? step.parentSpanId : spanIdOf(idAt(step, parent)),
      remote: isInput && step.remote,
      ...{ name, kind, error },
      start: isInput
        ? Math.min(event.mark?.[2] ?? event.recordedAt, event.recordedAt)
        : event.recordedAt,
      end: event.recordedAt,
      attributes: { 'trading.event_position': event.position, ...attributes },
      position: step.first,
    }
  })
}

function idAt(step: TracedStep, position: number): string {
  return step.events.find((event) => event.position === position)?.id ?? step.events[0]!.id
}

interface Description {
  name: string
  kind: SpanKind
  error: string | null
  attributes: Record<string, string | number | boolean>
}

/** What of the data of events is worth an attribute. Reasons of people are not: they are free text. */
interface Data {
  orderId?: number
  symbol?: string
  strategy?: string
  source?: string
  signalId?: string
  side?: string
  type?: string
  orderType?: string
  verdict?: string
  rule?: string | null
  code?: string
  action?: string
  qty?: string
  price?: string
  complete?: boolean
  timeframe?: string
  kind?: string
}

function describe(event: RecordedEvent): Description {
  const data = event.data as Data
  const attributes: Description['attributes'] = {}
  const put = (name: string, value: string | number | boolean | null | undefined): void => {
    if (value !== undefined && value !== null) attributes[name] = value
  }
  const strategy = data.strategy ?? /^strategy:(.+)$/.exec(data.source ?? '')?.[1]
  put('trading.strategy', strategy)
  put('trading.symbol', data.symbol)
  put('trading.order_id', data.orderId)
  put('trading.signal_id', data.signalId)
  put('trading.side', data.side)
  put('trading.code', data.code)
  const received = (template: string, id?: string): Description => {
    put('messaging.system', 'nats')
    put('messaging.operation.type', 'process')
    put('messaging.operation.name', 'process')
    put('messaging.destination.template', template)
    put('messaging.message.id', id)
    if (event.mark !== undefined) {
      put('messaging.nats.stream', event.mark[0])
      put('messaging.nats.stream_sequence', event.mark[1])
    }
    return { name: `process ${template}`, kind: 'consumer', error: null, attributes }
  }
  switch (event.type) {
    case 'signal.received':
      return received('signals.manual.*', data.signalId)
    case 'input.refused':
      return { ...received('signals.manual.*', data.signalId), error: data.code ?? 'refused' }
    case 'control.received':
      put('trading.action', data.action)
      return received('control.*', (event.data as { controlId?: string }).controlId)
    case 'market.bar':
      put('trading.timeframe', data.timeframe)
      return received('md.bar.*.*')
    case 'market.action':
      return received('md.action.*')
    case 'signal.raised':
      return { name: 'signal', kind: 'internal', error: null, attributes }
    case 'risk.verdict':
      put('trading.verdict', data.verdict)
      put('trading.rule', data.rule)
      return { name: 'risk', kind: 'internal', error: null, attributes }
    case 'order.intended':
      put('trading.order_type', data.type)
      put('trading.qty', data.qty)
      return { name: 'order', kind: 'internal', error: null, attributes }
    case 'order.filled':
      put('trading.qty', data.qty)
      put('trading.price', data.price)
      put('trading.complete', data.complete)
      return { ...received('reports.*'), name: 'fill' }
    case 'timer.fired':
      put('trading.timer', data.kind)
      return { name: 'timer', kind: 'internal', error: null, attributes }
    default: {
      const what = event.type.slice(event.type.indexOf('.') + 1)
      if (!event.type.startsWith('order.') || event.because !== null) {
        return { name: what, kind: 'internal', error: null, attributes }
      }
      const bad = /^(rejected|withheld|outcome_unknown|cancel_rejected|replace_rejected)$/.test(
        what,
      )
      return { ...received('reports.*'), name: what, error: bad ? (data.code ?? what) : null }
    }
  }
}
