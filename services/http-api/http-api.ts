import swagger from '@fastify/swagger'
import { type FastifyInstance, fastify } from 'fastify'
import type { AddressInfo } from 'node:net'
import type { BodyName } from '../../schemas/types.gen.ts'
import { type Projected, sendProblem } from './answer.ts'
import { components } from './components.ts'
import { type HealthInfo, healthRoutes } from './health-routes.ts'
import { listenError, loopback } from './listen-errors.ts'
import { problemOf, rawProblem } from './problem.ts'
import { readRoutes } from './read-routes.ts'
import { RouteTable } from './route-table.ts'

export interface ApiLog {
  error(fields: object, message: string): void
}

export interface HttpApiOptions {
  projector: Projected
  /** A loopback address. */
  host: string
  /** 0: a free one. */
  port: number
  info: () => HealthInfo
  /** How long `minPosition` waits, ms; 5000 when left out. */
  maxWaitMs?: number
  log?: ApiLog
}

export interface HttpApi {
  /** Such as http://127.0.0.1:8080, without a slash at the end. */
  readonly url: string
  /** Answers what is under way, then stops listening. */
  close(): Promise<void>
}

const MAX_WAIT_MS = 5000
const REQUEST_TIMEOUT_MS = 30_000
/** The longest name of a signal: operator:<64>:<128>, every character percent-encoded. */
const MAX_PARAM_LENGTH = 1024
const BODIES: readonly BodyName[] = [
  'portfolio-body',
  'position-list',
  'order-list',
  'order-detail',
  'fill-list',
  'signal-list',
  'signal-detail',
  'status-body',
  'health-body',
  'ready-body',
  'live-body',
  'problem-body',
]

/**
 * Serves the read model over HTTP. Reading only: nothing here changes the book.
 * Throws NonLoopbackHost, PortInUse, CannotListen.
 */
export async function createHttpApi(options: HttpApiOptions): Promise<HttpApi> {
  const { projector, port, info, log } = options
  const host = loopback(options.host)
  const app = fastify({
    exposeHeadRoutes: true,
    requestTimeout: REQUEST_TIMEOUT_MS,
    routerOptions: { maxParamLength: MAX_PARAM_LENGTH },
    frameworkErrors: (error, _request, reply) => void sendProblem(reply, problemOf(error)),
    clientErrorHandler(error, socket) {
      if (socket.writable && socket.bytesWritten === 0) socket.write(rawProblem(error))
      socket.destroy(error)
    },
  })
  let close = (): void => undefined
  const closing = new Promise<void>((resolve) => {
    close = resolve
  })
  app.addHook('preClose', async () => close())
  errors(app, log)
  await document(app, info().version)
  readRoutes(app, { projector, maxWaitMs: options.maxWaitMs ?? MAX_WAIT_MS, closing })
  healthRoutes(app, projector, info)
  try {
    await app.listen({ host, port })
  } catch (cause) {
    await app.close()
    throw listenError(host, port, cause)
  }
  const { port: bound } = app.server.address() as AddressInfo
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${bound}`,
    close: async () => {
      await app.close()
    },
  }
}

/** The OpenAPI document, from the schemas that the bodies' types are made from. */
async function document(app: FastifyInstance, version: string): Promise<void> {
  // Parameters are read by hand, so that each fault is named; bodies are made from typed values.
  app.setValidatorCompiler(() => () => true)
  app.setSerializerCompiler(() => (body) => JSON.stringify(body))
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Bitácora',
        version,
        description:
          'What the book of a trading account says. Every answer belongs to one position of the book. ' +
          'Amounts are decimal strings, times are RFC 3339 in UTC, errors are RFC 9457 problems.',
      },
      components: { schemas: components(BODIES) as never },
    },
  })
  let text: string | null = null
  app.get('/openapi.json', { schema: { hide: true } }, async (_request, reply) => {
    text ??= JSON.stringify(app.swagger())
    return reply
      .type('application/json; charset=utf-8')
      .header('cache-control', 'no-cache')
      .send(text)
  })
}

function errors(app: FastifyInstance, log: ApiLog | undefined): void {
  const routes = new RouteTable()
  app.addHook('onRoute', ({ method, url }) => routes.add(method, url))
  // Before the body is read: a wrong address or method is not a matter of what was sent along.
  app.addHook('onRequest', async (request) => {
    if (request.is404) throw routes.refusal(request.url)
  })
  app.setNotFoundHandler((request) => {
    throw routes.refusal(request.url)
  })
  app.setErrorHandler((error, request, reply) => {
    const problem = problemOf(error)
    if (problem.code === 'internal') {
      log?.error({ err: error, method: request.method, url: request.url }, 'a request failed')
    }
    return sendProblem(reply, problem)
  })
}
