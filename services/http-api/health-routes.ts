import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { BodyName, HealthBody, LiveBody, ReadyBody } from '../../schemas/types.gen.ts'
import { type Projected, responses } from './answer.ts'
import { querySchema, readQuery } from './parameters.ts'

/** What the composing process knows of its health; asked for at every request, so it must be cheap. */
export interface HealthInfo {
  ready: boolean
  checks: { name: string; ok: boolean; detail?: string }[]
  /** Version of the package. */
  version: string
  /** What this process is, such as writer or standby. */
  role: string
}

/** Adds the routes that supervisors ask. They tell of the process, not of the book: no ETag, never cached. */
export function healthRoutes(
  app: FastifyInstance,
  projector: Projected,
  info: () => HealthInfo,
): void {
  const state = (): HealthInfo & { position: number } => {
    const { ready, checks, version, role } = info()
    const failure = projector.failure()
    const own = {
      name: 'projector',
      ok: failure === null,
      ...(failure !== null && { detail: failure.message }),
    }
    return {
      position: projector.position(),
      ready: ready && failure === null,
      checks: [...checks, own],
      version,
      role,
    }
  }
  const route = (
    url: string,
    summary: string,
    body: BodyName,
    handle: (reply: FastifyReply) => object,
  ): void => {
    const unready = body === 'live-body' ? {} : { 503: 'Not ready' }
    const response = responses(body, {}) as Record<string, { content?: object }>
    for (const [status, description] of Object.entries(unready)) {
      response[status] = { ...response[200], description } as { content?: object }
    }
    for (const one of Object.values(response)) delete (one as { headers?: object }).headers
    const schema = { summary, querystring: querySchema({}), response }
    app.get(
      url,
      { schema, config: { scope: null } },
      async (request: FastifyRequest, reply: FastifyReply) => {
        readQuery({}, request.query as Record<string, string | string[]>)
        reply.header('cache-control', 'no-store')
        return handle(reply)
      },
    )
  }

  route('/livez', 'Whether the process answers', 'live-body', (): LiveBody => {
    return { position: projector.position(), live: true }
  })
  route('/readyz', 'Whether it is ready', 'ready-body', (reply): ReadyBody => {
    const { position, ready, checks } = state()
    reply.code(ready ? 200 : 503)
    return { position, ready, checks }
  })
  route('/health', 'Liveness, readiness, version and role', 'health-body', (reply): HealthBody => {
    const { position, ready, checks, version, role } = state()
    reply.code(ready ? 200 : 503)
    return { position, live: true, ready, version, role, checks }
  })
}
