import swagger from '@fastify/swagger'
import type { FastifyInstance } from 'fastify'
import type { BodyName } from '../../schemas/types.gen.ts'
import { problems } from './answer.ts'
import { components } from './components.ts'

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
  'event-body',
  'event-list',
  'status-body',
  'health-body',
  'ready-body',
  'live-body',
  'problem-body',
]

/** The groups of the document and what is in each, in the order in which people read them. */
const TAGS: readonly { name: string; description: string; paths: readonly string[] }[] = [
  {
    name: 'Account',
    description: 'What is held, and what it has brought',
    paths: ['/portfolio', '/positions', '/pnl', '/equity'],
  },
  {
    name: 'Trading',
    description: 'Signals, what risk said of them, orders and fills',
    paths: [
      '/orders',
      '/orders/{id}',
      '/fills',
      '/signals',
      '/signals/{id}',
      '/decisions',
      '/strategies',
    ],
  },
  {
    name: 'Commands',
    description:
      'Messages on NATS like those of everybody else: the engine records and judges them. Answered with 202 once ' +
      'they are stored, or with `wait` by what became of them.',
    paths: ['/signals/manual', '/signal', '/order', '/control/{action}'],
  },
  {
    name: 'Book',
    description: 'The events themselves, and why they are as they are',
    paths: ['/events', '/stream', '/explain/{id}'],
  },
  {
    name: 'Operations',
    description: 'Whether the engine runs, and what waits in it',
    paths: ['/status', '/queues', '/health', '/livez', '/readyz', '/metrics'],
  },
]

/** Of one address, other methods may belong elsewhere. */
const ELSEWHERE: Readonly<Record<string, string>> = { 'delete /orders/{id}': 'Commands' }

const DESCRIPTION =
  'What the book of a trading account says. Every answer of the projections belongs to one `position` of the book, ' +
  'which is in its ETag as well; `asOf` asks for the past, `minPosition` waits for what was written just now. Lists ' +
  'page by cursor. Amounts are decimal strings, times are RFC 3339 in UTC, errors are RFC 9457 problems.\n\n' +
  'On a loopback address without API_TOKENS_FILE everybody on the machine may use it; pages of other sites may not. ' +
  'With that file every request needs a token with the scope that the operation names: read, signal or control.'

const SIGNAL = { symbol: 'AAPL', side: 'buy', qty: '10', reason: 'first try' }
const ORDER = {
  symbol: 'AAPL',
  side: 'buy',
  qty: '10',
  type: 'limit',
  limitPrice: '60',
  takeProfit: '70',
  stopLoss: '55',
}

/** A body that is right, for each address that takes one. */
const EXAMPLES: Readonly<Record<string, object>> = {
  '/signals/manual': SIGNAL,
  '/signal': SIGNAL,
  '/order': ORDER,
  '/control/{action}': { reason: 'drill' },
}

interface Response {
  headers?: Record<string, object>
  content?: Record<string, object>
}

interface Operation {
  tags?: string[]
  operationId?: string
  requestBody?: { content: Record<string, { examples?: object }> }
  responses: Record<string, Response>
}

/** Adds the OpenAPI document, made from the schemas that the bodies' types are made from. */
export async function documentation(app: FastifyInstance, version: string): Promise<void> {
  // Parameters are read by hand, so that each fault is named; bodies are made from typed values.
  app.setValidatorCompiler(() => () => true)
  app.setSerializerCompiler(() => (body) => JSON.stringify(body))
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Bitácora',
        version,
        description: DESCRIPTION,
        license: { name: 'Apache-2.0', identifier: 'Apache-2.0' } as never,
      },
      servers: [{ url: '/', description: 'The engine that this document comes from' }],
      components: {
        securitySchemes: {
          token: {
            type: 'http',
            scheme: 'bearer',
            description: 'A token of API_TOKENS_FILE; none is needed where that is not set',
          },
        },
        schemas: components(BODIES) as never,
      },
    },
    transform: ({ schema, url, route }) => {
      const { scope = 'read' } = route.config ?? {}
      const { response, ...rest } = (schema ?? {}) as { response?: object }
      const refused = { 401: 'A token is needed', 403: 'The token has not the scope' }
      const described = {
        ...rest,
        security: scope === null ? [] : [{ token: [scope] }, {}],
        response: {
          ...problems({ ...(scope !== null && refused), default: 'Any other problem' }),
          ...response,
        },
      }
      return { schema: described as never, url }
    },
  })
  let text: string | null = null
  app.get(
    '/openapi.json',
    { schema: { hide: true }, config: { scope: null } },
    async (_request, reply) => {
      text ??= JSON.stringify(finish(app.swagger() as never))
      return reply
        .type('application/json; charset=utf-8')
        .header('cache-control', 'no-cache')
        .send(text)
    },
  )
}

/** Gives the operations their groups, names and order. Throws for an address that is in no group. */
function finish(document: { paths: Record<string, Record<string, Operation>> }): object {
  const paths: typeof document.paths = {}
  for (const { name, paths: members } of TAGS) {
    for (const path of members) {
      const item = document.paths[path]
      if (item === undefined) continue
      for (const [method, operation] of Object.entries(item)) {
        operation.tags = [ELSEWHERE[`${method} ${path}`] ?? name]
        operation.operationId = operationId(method, path)
        for (const media of Object.values(operation.requestBody?.content ?? {})) {
          media.examples = { example: { value: EXAMPLES[path] } }
        }
        for (const [status, answer] of Object.entries(operation.responses)) {
          addHeaders(status, answer)
        }
      }
      paths[path] = item
    }
  }
  const lost = Object.keys(document.paths).filter((path) => !Object.hasOwn(paths, path))
  if (lost.length > 0) throw new Error(`${lost.join(', ')} are in no group of openapi.ts`)
  return { ...document, tags: TAGS.map(({ name, description }) => ({ name, description })), paths }
}

/** `get /orders/{id}` → getOrdersId */
function operationId(method: string, path: string): string {
  const words = path.split(/[^A-Za-z]+/).filter((word) => word !== '')
  return method + words.map((word) => word[0]!.toUpperCase() + word.slice(1)).join('')
}

/** Headers that a status always has here. */
function addHeaders(status: string, answer: Response): void {
  const schema = { type: 'string' }
  const add = (name: string, description: string): void => {
    answer.headers = { ...answer.headers, [name]: { description, schema } }
  }
  if (status === '401') add('www-authenticate', 'Bearer')
  const isProblem = answer.content?.['application/problem+json'] !== undefined
  if (status === '429' || (status === '503' && isProblem)) add('retry-after', 'Seconds to wait')
}
