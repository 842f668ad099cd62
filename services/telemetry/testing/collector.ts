import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'

/** A span as OTLP/HTTP JSON has it. */
export interface ReceivedSpan {
  traceId: string
  spanId: string
  parentSpanId?: string
  name: string
  kind: number
  startTimeUnixNano: string
  endTimeUnixNano: string
  attributes: { key: string; value: Record<string, unknown> }[]
  links: { traceId: string; spanId: string }[]
  status: { code?: number; message?: string }
  service: string
}

interface Export {
  resourceSpans: {
    resource: { attributes: { key: string; value: { stringValue?: string } }[] }
    scopeSpans: { spans: ReceivedSpan[] }[]
  }[]
}

/** An OTLP/HTTP receiver of a test. */
export class Collector {
  readonly spans: ReceivedSpan[] = []
  /** Everything received, as text. */
  text = ''
  requests = 0
  /** Answered to each request. */
  status = 200
  readonly url: string
  readonly #close: () => void

  private constructor(url: string, close: () => void) {
    this.url = url
    this.#close = close
  }

  static async start(): Promise<Collector> {
    let collector: Collector | undefined
    const server = createServer((request, response) => {
      void body(request).then((text) => {
        response.statusCode = collector!.take(String(request.url), text)
        response.setHeader('content-type', 'application/json').end('{}')
      })
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    collector = new Collector(`http://127.0.0.1:${port}`, () => {
      server.closeAllConnections()
      server.close()
    })
    return collector
  }

  take(url: string, text: string): number {
    this.requests++
    if (this.status !== 200 || url !== '/v1/traces') return this.status === 200 ? 404 : this.status
    this.text += text
    for (const { resource, scopeSpans } of (JSON.parse(text) as Export).resourceSpans) {
      const named = resource.attributes.find(({ key }) => key === 'service.name')
      for (const { spans } of scopeSpans) {
        for (const span of spans) {
          this.spans.push({ ...span, service: named?.value.stringValue ?? '' })
        }
      }
    }
    return 200
  }

  /** The spans of a trace by name; a span received twice counts once. */
  trace(traceId: string): Map<string, ReceivedSpan> {
    return new Map(
      this.spans.filter((span) => span.traceId === traceId).map((span) => [span.name, span]),
    )
  }

  close(): void {
    this.#close()
  }
}

/** Value of an attribute. */
export function attribute(span: ReceivedSpan, key: string): unknown {
  const value = span.attributes.find((one) => one.key === key)?.value
  return value === undefined ? undefined : Object.values(value)[0]
}

async function body(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString()
}
