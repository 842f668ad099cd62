import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { randomUUID } from 'node:crypto'
import type { BodyName } from '../../schemas/types.gen.ts'
import { validateBody } from '../../schemas/validate.ts'
import { callerOf, type Scope } from './access.ts'
import { problems } from './answer.ts'
import { type CommandContext, invalidBody, type Sending, type Sent } from './commands.ts'
import { componentRef } from './components.ts'
import { querySchema, readQuery, WAIT } from './parameters.ts'
import { ACTIONS, sendCancel, sendControl } from './send-control.ts'
import { sendOrder, sendSignal } from './send-signal.ts'

const PARAMETERS = { wait: WAIT }
const KEY_PATTERN = '^[!-~]{1,128}$'
const KEY = new RegExp(KEY_PATTERN)
const FAULTS = {
  400: 'The request cannot be read, or a field is not valid',
  401: 'A token is needed',
  403: 'The token has not the scope, or the request comes from a foreign page',
  413: 'The body is larger than 64 KiB',
  415: 'The body is not application/json',
  422: 'The Idempotency-Key came with another request before',
  429: 'Too many commands; see Retry-After',
  503: 'NATS did not store it; see Retry-After',
}
const IDEMPOTENT =
  'Idempotent by Idempotency-Key, which the book remembers for seven days: a repeat is answered as the first and ' +
  'does nothing, also after the engine was started again; another request with the same key is refused.'

interface CommandRoute {
  method: 'POST' | 'DELETE'
  url: string
  scope: Scope
  summary: string
  description: string
  path?: { name: string; schema: object }
  /** Body that it takes; none for DELETE. */
  request?: BodyName
  /** Body of 200. */
  answered: BodyName
  faults?: Readonly<Record<number, string>>
  send(context: CommandContext, sending: Sending): Promise<Sent>
}

const SIGNAL = {
  method: 'POST',
  scope: 'signal',
  request: 'manual-signal',
  answered: 'signal-detail',
  send: sendSignal,
} as const
const SIGNAL_SUMMARY = 'Asks for a trade: a manual signal, which risk judges'

const ROUTES: readonly CommandRoute[] = [
  { ...SIGNAL, url: '/signals/manual', summary: SIGNAL_SUMMARY, description: IDEMPOTENT },
  {
    ...SIGNAL,
    url: '/signal',
    summary: `${SIGNAL_SUMMARY}; the same as /signals/manual`,
    description: IDEMPOTENT,
  },
  {
    ...SIGNAL,
    url: '/order',
    summary: 'Asks for an order to buy or sell: a manual signal, which risk judges',
    description: `Nothing goes around risk. Closing goes through /signals/manual. ${IDEMPOTENT}`,
    send: sendOrder,
  },
  {
    method: 'POST',
    url: '/control/:action',
    scope: 'control',
    summary: `Orders the engine: ${ACTIONS.join(', ')}`,
    description:
      'cancel-order and replace-order name an order and are judged: `verdict` tells. Its actor is the name of the ' +
      `token, api without one. ${IDEMPOTENT}`,
    path: { name: 'action', schema: { enum: ACTIONS, description: 'What to do' } },
    request: 'control-request',
    answered: 'control-taken',
    faults: { 404: 'There is no such action' },
    send: sendControl,
  },
  {
    method: 'DELETE',
    url: '/orders/:id',
    scope: 'control',
    summary: 'Asks to cancel an order',
    description:
      'The broker may fill it first: 200 tells how it ended. Without an Idempotency-Key, each request is one of its own.',
    path: {
      name: 'id',
      schema: {
        type: 'string',
        description: 'Number of the order, or the id that the broker knows',
      },
    },
    answered: 'order-detail',
    faults: { 404: 'There is no such order', 409: 'The order has ended' },
    send: sendCancel,
  },
]

/** Adds the routes that send commands. They are messages like all others: the engine records and judges them. */
export function commandRoutes(app: FastifyInstance, context: CommandContext): void {
  for (const route of ROUTES) {
    const { method, url, scope, path, request } = route
    const schema = describe(route)
    app.route({
      method,
      url,
      schema: schema as object,
      config: { scope },
      handler: async (asked, reply) => {
        const { wait = 0 } = readQuery(PARAMETERS, asked.query as Record<string, string>)
        const params = asked.params as Record<string, string>
        const sending = {
          caller: callerOf(asked),
          key: idempotencyKey(asked, request !== undefined),
          body: request === undefined ? {} : readBody(asked, request),
          path: params[path?.name ?? ''] ?? '',
          wait,
        }
        return answer(reply, await route.send(context, sending))
      },
    })
  }
}

function describe(route: CommandRoute): object {
  const { summary, description, path, request, answered, faults } = route
  const json = (name: BodyName) => ({ 'application/json': { schema: componentRef(name) } })
  const headers = {
    location: { type: 'string', description: 'Where to look for what became of it' },
  }
  return {
    summary,
    description,
    querystring: querySchema(PARAMETERS),
    headers: {
      type: 'object',
      properties: {
        'idempotency-key': {
          type: 'string',
          pattern: KEY_PATTERN,
          description: 'Id of the command: send the same when you do not know whether it arrived',
        },
      },
      required: request === undefined ? [] : ['idempotency-key'],
    },
    ...(path !== undefined && {
      params: { type: 'object', properties: { [path.name]: path.schema }, required: [path.name] },
    }),
    ...(request !== undefined && { body: { content: json(request) } }),
    response: {
      200: { description: 'What became of it', headers, content: json(answered) },
      202: {
        description: 'Stored; the engine takes it in its turn',
        headers,
        content: json('command-stored'),
      },
      ...problems({ ...FAULTS, ...faults }),
    },
  }
}

function answer(reply: FastifyReply, { status, body, location }: Sent): FastifyReply {
  return reply
    .code(status)
    .header('location', location)
    .header('cache-control', 'no-store')
    .send(body)
}

function idempotencyKey(request: FastifyRequest, required: boolean): string {
  const key = request.headers['idempotency-key']
  if (key === undefined && !required) return randomUUID()
  if (typeof key === 'string' && KEY.test(key)) return key
  const detail =
    key === undefined
      ? 'is needed: send the same one again when you do not know whether a request arrived'
      : 'must be 1 to 128 visible ASCII characters'
  throw invalidBody([`/headers/idempotency-key ${detail}`])
}

const MAX_ERRORS = 20

function readBody(request: FastifyRequest, name: BodyName): object {
  const checked = validateBody(name, request.body ?? null)
  if (checked.ok) return checked.value as object
  throw invalidBody(
    checked.errors.slice(0, MAX_ERRORS).map(({ path, message }) => `${path || '/'} ${message}`),
  )
}
