import type { Bus } from '../../engine/ports/bus.ts'
import {
  childOf,
  formatTraceparent,
  TRACE_HEADER,
  type TraceContext,
} from '../runtime/traceparent.ts'
import type { Span } from './step-spans.ts'

/**
 * A bus whose messages carry the trace that `current` names. With `put` each message gets a span of its own, and a
 * trace where there is none.
 */
export function tracedSends(
  bus: Bus,
  current: () => TraceContext | null,
  put?: (span: Span) => void,
): Bus {
  return {
    consume: (...given: Parameters<Bus['consume']>) => bus.consume(...given),
    async publish(subject, payload, options = {}) {
      const parent = current()
      if (parent === null && put === undefined) return bus.publish(subject, payload, options)
      const context = put === undefined ? parent! : childOf(parent)
      const headers = { ...options.headers, [TRACE_HEADER]: formatTraceparent(context) }
      const start = Date.now()
      let error: string | null = null
      try {
        return await bus.publish(subject, payload, { ...options, headers })
      } catch (failure) {
        error = (failure as { code?: string }).code ?? 'failed'
        throw failure
      } finally {
        put?.(sendSpan({ subject, context, parent, start, error, id: options.id }))
      }
    },
  }
}

/** `signals.manual.alice` → `signals.manual.*`: who sent it would make a span name for each operator. */
export function template(subject: string): string {
  return subject
    .replace(/^(signals\.(?:manual|verdict))\..+$/, '$1.*')
    .replace(/^control\..+$/, 'control.*')
}

function sendSpan(sent: {
  subject: string
  context: TraceContext
  parent: TraceContext | null
  start: number
  error: string | null
  id: string | undefined
}): Span {
  const { subject, context, parent, start, error, id } = sent
  const name = template(subject)
  return {
    ...context,
    parentSpanId: parent?.spanId ?? null,
    remote: parent !== null,
    name: `publish ${name}`,
    kind: 'producer',
    start,
    end: Date.now(),
    attributes: {
      'messaging.system': 'nats',
      'messaging.operation.type': 'send',
      'messaging.operation.name': 'publish',
      'messaging.destination.template': name,
      ...(id !== undefined && { 'messaging.message.id': id }),
    },
    error,
    position: Number.MAX_SAFE_INTEGER,
  }
}
