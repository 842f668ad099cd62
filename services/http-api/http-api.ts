import { type FastifyInstance, fastify } from 'fastify'
import type { AddressInfo, Socket } from 'node:net'
import { requestTrace } from '../runtime/request-trace.ts'
import { parseTraceparent, TRACE_HEADER } from '../runtime/traceparent.ts'
import { Access, guard, RateLimit, type Tokens } from './access.ts'
import { type Projected, type Remembers, sendProblem } from './answer.ts'
import { asyncApiRoute } from './asyncapi.ts'
import { Closing } from './closing.ts'
import { commandRoutes } from './command-routes.ts'
import { type Book, type Commands, Underway } from './commands.ts'
import { eventRoutes } from './event-routes.ts'
import { EventTail } from './event-tail.ts'
import { type Explains, explainRoutes } from './explain-routes.ts'
import { type HealthInfo, healthRoutes } from './health-routes.ts'
import { metricsRoute, type Scrape } from './metrics-route.ts'
import { bindAddress, listenError, reachedAt } from './listen-errors.ts'
import { documentation } from './openapi.ts'
import { pageRoutes } from './page-routes.ts'
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
  book: Book
  /** A loopback address, unless there are tokens. */
  host: string
  /** Who may ask what; null or left out: everybody on this machine. */
  tokens?: Tokens | null
  commands: Commands
  /** Answers GET /metrics; left out: there is no such address. */
  metrics?: Scrape
  /** 0: a free one. */
  port: number
  info: () => HealthInfo
  /** How long `minPosition` waits, ms; 5000 when left out. */
  maxWaitMs?: number
  /** How /stream serves; see STREAM. */
  streaming?: Partial<typeof STREAM>
  /** How many commands a caller may send; see RateLimit. */
  limit?: RateLimit
  /** How long a request may take to arrive, ms; 30,000 when left out. */
  requestTimeoutMs?: number
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

/**
 * Serves the read model over HTTP, and takes commands, which it publishes like everybody else: nothing here changes
 * the book.
 * Throws NonLoopbackHost, PortInUse, CannotListen.
 */
export async function createHttpApi(options: HttpApiOptions): Promise<HttpApi> {
  const { projector, past, explainer, book, commands, port, info, log } = options
  const tokens = options.tokens ?? null
  const host = bindAddress(options.host, tokens !== null)
  const requestTimeout = options.requestTimeoutMs ?? REQUEST_TIMEOUT_MS
  const app = fastify({
    exposeHeadRoutes: true,
    requestTimeout,
    http: { headersTimeout: requestTimeout, connectionsCheckingInterval: requestTimeout / 6 },
    bodyLimit: BODY_LIMIT,
    routerOptions: { maxParamLength: MAX_PARAM_LENGTH },
    frameworkErrors: (error, _request, reply) => void sendProblem(reply, problemOf(error)),
    clientErrorHandler: (error, socket) => refuseConnection(error, socket),
  })
  const closing = new Closing()
  app.removeContentTypeParser('text/plain')
  app.addHook('preClose', async () => closing.tell())
  app.addHook('onRequest', async (_request, reply) => {
    reply.header('x-content-type-options', 'nosniff')
  })
  errors(app, log)
  guard(app, new Access(tokens), options.limit ?? new RateLimit())
  // After the body is read, or its events would lose the context again.
  app.addHook('preHandler', (request, _reply, done) => {
    const trace = parseTraceparent(request.headers[TRACE_HEADER])
    if (trace === null) done()
    else requestTrace.run(trace, done)
  })
  const { version } = info()
  await documentation(app, version)
  const context = { projector, past, maxWaitMs: options.maxWaitMs ?? MAX_WAIT_MS, closing }
  readRoutes(app, context)
  explainRoutes(app, context, explainer)
  eventRoutes(app, context, book)
  commandRoutes(app, { ...context, book, commands, underway: new Underway() })
  const onFailure = (error: unknown): void => log?.error({ err: error }, 'a stream broke off')
  const tail = new EventTail(book.store, book.stream, onFailure)
  const streaming = { ...STREAM, ...options.streaming }
  const reached = () => projector.position()
  streamRoutes(app, { tail, closing, reached, onFailure, ...streaming })
  healthRoutes(app, projector, info)
  if (options.metrics !== undefined) metricsRoute(app, options.metrics)
  asyncApiRoute(app, version)
  pageRoutes(app)
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
    url: `http://${reachedAt(host)}:${bound}`,
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
