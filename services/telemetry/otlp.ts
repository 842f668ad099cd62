import type { ReadableSpan } from '@opentelemetry/sdk-trace-base'
import type { Span, SpanKind } from './step-spans.ts'

export interface OtlpOptions {
  /** Base address of the collector, such as http://127.0.0.1:4318. */
  endpoint: string
  /** Attributes of the process, such as service.name. */
  resource: Readonly<Record<string, string>>
  timeoutMs?: number
}

export interface SpanExport {
  /** Resolves when the collector took them; rejects with its reason. */
  send(spans: readonly Span[]): Promise<void>
  close(): Promise<void>
}

const TIMEOUT_MS = 5000
const SCOPE = { name: 'bitacora' }
const KINDS: Readonly<Record<SpanKind, number>> = {
  internal: 0,
  client: 2,
  producer: 3,
  consumer: 4,
}

/**
 * Sends spans as OTLP/HTTP JSON. The packages are loaded here and not before: without a collector nobody pays for
 * them. Headers and certificates come from the standard OTEL_EXPORTER_OTLP_… variables.
 */
export async function openOtlp(options: OtlpOptions): Promise<SpanExport> {
  const [{ OTLPTraceExporter }, { resourceFromAttributes }] = await Promise.all([
    import('@opentelemetry/exporter-trace-otlp-http'),
    import('@opentelemetry/resources'),
  ])
  const resource = resourceFromAttributes({ ...options.resource })
  const exporter = new OTLPTraceExporter({
    url: tracesUrl(options.endpoint),
    timeoutMillis: options.timeoutMs ?? TIMEOUT_MS,
  })
  return {
    send: (spans) =>
      new Promise((resolve, reject) => {
        const readable = spans.map((span) => readableSpan(span, resource))
        exporter.export(readable, ({ code, error }) => {
          if (code === 0) resolve()
          else reject(error ?? new Error('the collector did not take the spans'))
        })
      }),
    close: () => exporter.shutdown(),
  }
}

/** The standard has the path of a signal appended to the base address. */
export function tracesUrl(endpoint: string): string {
  const url = new URL(endpoint)
  url.pathname = `${url.pathname.replace(/\/+$/, '')}/v1/traces`
  return url.href
}

function readableSpan(span: Span, resource: ReadableSpan['resource']): ReadableSpan {
  const { traceId, spanId, sampled, parentSpanId, remote } = span
  const context = { traceId, spanId, traceFlags: sampled ? 1 : 0 }
  const parent = { traceId, spanId: parentSpanId ?? '', traceFlags: 1, isRemote: remote }
  return {
    name: span.name,
    kind: KINDS[span.kind],
    spanContext: () => context,
    ...(parentSpanId !== null && { parentSpanContext: parent }),
    startTime: hrTime(span.start),
    endTime: hrTime(span.end),
    status: span.error === null ? { code: 0 } : { code: 2, message: span.error },
    attributes: { ...span.attributes },
    // A message of another process is linked as well: queries by link find it, whatever becomes of the parent.
    links: parentSpanId !== null && remote ? [{ context: parent }] : [],
    events: [],
    duration: hrTime(span.end - span.start),
    ended: true,
    resource,
    instrumentationScope: SCOPE,
    droppedAttributesCount: 0,
    droppedEventsCount: 0,
    droppedLinksCount: 0,
  }
}

function hrTime(ms: number): [number, number] {
  const seconds = Math.floor(ms / 1000)
  return [seconds, Math.round((ms - seconds * 1000) * 1e6)]
}
