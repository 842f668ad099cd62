import swagger from '@fastify/swagger'
import { type FastifyInstance, fastify } from 'fastify'
import type { AddressInfo, Socket } from 'node:net'
import type { EventStore } from '../../engine/ports/event-store.ts'
import type { BodyName } from '../../schemas/types.gen.ts'
import { requestTrace } from '../runtime/request-trace.ts'
import { parseTraceparent, TRACE_HEADER } from '../runtime/traceparent.ts'
import { Access, RateLimit, type Tokens } from './access.ts'
import { type Projected, type Remembers, sendProblem } from './answer.ts'
import { commandRoutes } from './command-routes.ts'
import type { Commands } from './commands.ts'
import { components } from './components.ts'
import { eventRoutes } from './event-routes.ts'
import { EventTail } from './event-tail.ts'
import { type Explains, explainRoutes } from './explain-routes.ts'
import { type HealthInfo, healthRoutes } from './health-routes.ts'
import { listenError, loopback } from './listen-errors.ts'
import { problemOf, rawProblem } from './problem.ts'
import { readRoutes } from './read-routes.ts'
import { RouteTable } from './route-table.ts'
import { streamRoutes } from './stream-routes.ts'

export interface ApiLog {
  error(fields: object, message: string): void
}

export interface HttpApiOptions {
  projector: Projected
  past: Remembers
  explainer: Explains
  /** Where the events themselves are read from. */
  book: { store: EventStore; stream: string }
  /** A loopback address, unless there are tokens. */
  host: string
  /** Who may ask what; null or left out: everybody on this machine. */
  tokens?: Tokens | null
  commands: Commands
  /** 0: a free one. */
  port: number
  info: () => HealthInfo
  /** How long `minPosition` waits, ms; 5000 when left out. */
  maxWaitMs?: number
  /** How /stream serves; see STREAM. */
  streaming?: Partial<typeof STREAM>
  log?: ApiLog
}

export interface HttpApi {
  /** Such as http://127.0.0.1:8080, without a slash at the end. */
  readonly url: string
  /** Stops listening, and resolves when what is under way is answered, or cut off after a second. */
  close(): Promise<void>
}

const MAX_WAIT_MS = 5000
const BODY_LIMIT = 64 * 1024
const STREAM = { maxClients: 500, heartbeatMs: 15_000, patienceMs: 30_000 }
const REQUEST_TIMEOUT_MS = 30_000
const LINGER_MS = 500
/** What is under way when the API closes gets so long. */
const CLOSE_GRACE_MS = 1000
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
  'pnl-body',
  'equity-list',
  'decision-list',
  'strategy-list',
  'queue-list',
  'explain-body',
  'manual-signal',
  'control-request',
  'control-taken',
  'command-stored',
  'event-list',
  'status-body',
  'health-body',
  'ready-body',
  'live-body',
  'problem-body',
]

/**
 * Serves the read model over HTTP, and takes commands, which it publishes like everybody else: nothing here changes
 * the book.
 * Throws NonLoopbackHost, PortInUse, CannotListen.
 */
export async function createHttpApi(options: HttpApiOptions): Promise<HttpApi> {
  const { projector, past, explainer, book, commands, port, info, log } = options
  const tokens = options.tokens ?? null
  const host = tokens === null ? loopback(options.host) : options.host
  const app = fastify({
    exposeHeadRoutes: true,
    requestTimeout: REQUEST_TIMEOUT_MS,
    bodyLimit: BODY_LIMIT,
    routerOptions: { maxParamLength: MAX_PARAM_LENGTH },
    frameworkErrors: (error, _request, reply) => void sendProblem(reply, problemOf(error)),
    clientErrorHandler: (error, socket) => refuseConnection(error, socket),
  })
  let close = (): void => undefined
  const closing = new Promise<void>((resolve) => {
    close = resolve
  })
  app.removeContentTypeParser('text/plain')
  app.addHook('preClose', async () => close())
  errors(app, log)
  const access = new Access(tokens)
  guard(app, access)
  // After the body is read, or its events would lose the context again.
  app.addHook('preHandler', (request, _reply, done) => {
    const trace = parseTraceparent(request.headers[TRACE_HEADER])
    if (trace === null) done()
    else requestTrace.run(trace, done)
  })
  await document(app, info().version)
  const context = { projector, past, maxWaitMs: options.maxWaitMs ?? MAX_WAIT_MS, closing }
  readRoutes(app, context)
  explainRoutes(app, context, explainer)
  eventRoutes(app, context, book)
  commandRoutes(app, { ...context, commands, access, limit: new RateLimit() })
  const tail = new EventTail(book.store, book.stream)
  streamRoutes(app, { tail, closing, ...STREAM, ...options.streaming })
  healthRoutes(app, projector, info)
  try {
    await tail.start()
    await app.listen({ host, port })
  } catch (cause) {
    await tail.close()
    await app.close()
    throw listenError(host, port, cause)
  }
  const { port: bound } = app.server.address() as AddressInfo
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${bound}`,
    async close() {
      const force = setTimeout(() => app.server.closeAllConnections(), CLOSE_GRACE_MS)
      await app.close()
      await tail.close()
      clearTimeout(force)
    },
  }
}

/** Answers what never became a request, unless an answer is already under way on the connection. */
function refuseConnection(error: { code?: string }, socket: Socket): void {
  const { _httpMessage: underway } = socket as { _httpMessage?: { headersSent: boolean } | null }
  if (socket.writable && error.code !== 'ECONNRESET' && underway?.headersSent !== true) {
    socket.end(rawProblem(error))
    // Ended, not destroyed: the client may still be sending, and would lose the answer to a reset.
    setTimeout(() => socket.destroy(), LINGER_MS).unref()
  } else socket.destroy()
}

/** Reading needs its scope too; commands ask for theirs themselves. */
function guard(app: FastifyInstance, access: Access): void {
  app.addHook('onRequest', async (request) => {
    const reads = request.method === 'GET' || request.method === 'HEAD'
    if (reads && !Access.isOpen(request.url)) access.caller(request, 'read')
  })
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
