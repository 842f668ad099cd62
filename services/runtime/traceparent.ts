import { hash, randomBytes } from 'node:crypto'

/** Header that carries a trace from one service to the next, on NATS as on HTTP. */
export const TRACE_HEADER = 'traceparent'

/** One span of one trace, as the next service sees it. */
export interface TraceContext {
  /** 32 hex digits, not all zero. */
  traceId: string
  /** 16 hex digits, not all zero. */
  spanId: string
  /** Whether whoever began the trace wants it kept. */
  sampled: boolean
}

const FORM = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/

/** Reads a W3C traceparent; null for what is none, which begins a trace of its own, as the standard has it. */
export function parseTraceparent(text: unknown): TraceContext | null {
  if (typeof text !== 'string' || text.length > 256) return null
  const [, version, traceId = '', spanId = '', flags = '', rest] = FORM.exec(text) ?? []
  if (version === undefined || version === 'ff') return null
  if (version === '00' && rest !== undefined) return null
  if (/^0+$/.test(traceId) || /^0+$/.test(spanId)) return null
  return { traceId, spanId, sampled: (Number.parseInt(flags, 16) & 1) === 1 }
}

export function formatTraceparent({ traceId, spanId, sampled }: TraceContext): string {
  return `00-${traceId}-${spanId}-${sampled ? '01' : '00'}`
}

/** The trace that a message came with, as the book keeps it; undefined for none. */
export function traceOf(headers: Readonly<Record<string, string>>): string | undefined {
  const text = headers[TRACE_HEADER]
  if (text === undefined) return undefined
  const context = parseTraceparent(text)
  return context === null ? undefined : formatTraceparent(context)
}

/** Id of the trace that an event begins: always the same for the same event. */
export function traceIdOf(eventId: string): string {
  return hash('sha256', `trace ${eventId}`).slice(0, 32)
}

/** Id of the span of what was done about an event: always the same for the same event and deed. */
export function spanIdOf(eventId: string, deed = 'event'): string {
  return hash('sha256', `${deed} ${eventId}`).slice(0, 16)
}

/** A span of its own: of the given trace, or of a new one. */
export function childOf(parent: TraceContext | null): TraceContext {
  return {
    traceId: parent?.traceId ?? randomBytes(16).toString('hex'),
    spanId: randomBytes(8).toString('hex'),
    sampled: parent?.sampled ?? true,
  }
}
