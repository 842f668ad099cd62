import type { FastifyInstance } from 'fastify'
import { readQuery } from './parameters.ts'

/** Answers a scrape in the format that the Accept header asks for. */
export type Scrape = (accept: string) => Promise<{ type: string; text: string }>

/** Adds GET /metrics, for Prometheus and what speaks its formats. */
export function metricsRoute(app: FastifyInstance, scrape: Scrape): void {
  const schema = {
    summary: 'Metrics for Prometheus; with exemplars when OpenMetrics is accepted',
    response: {
      200: {
        description: 'Metrics in the Prometheus text format, or in OpenMetrics',
        content: {
          'text/plain': { schema: { type: 'string' } },
          'application/openmetrics-text': { schema: { type: 'string' } },
        },
      },
    },
  }
  app.get('/metrics', { schema }, async (request, reply) => {
    readQuery({}, request.query as Record<string, string | string[]>)
    const { type, text } = await scrape(request.headers.accept ?? '')
    reply.header('cache-control', 'no-store').type(type)
    return reply.send(text)
  })
}
