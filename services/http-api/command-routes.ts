import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { randomUUID } from 'node:crypto'
import { isOpen } from '../../engine/trading/transitions.ts'
import { findOrder, orderBody } from '../../projections/orders.ts'
import { findSignals, signalDetail } from '../../projections/signals.ts'
import type { BodyName, ManualSignal } from '../../schemas/types.gen.ts'
import { validateBody } from '../../schemas/validate.ts'
import type { Access, Caller, RateLimit, Scope } from './access.ts'
import { type AnswerContext, problems } from './answer.ts'
import {
  type Commands,
  essence,
  notStored,
  sameSignal,
  type Stored,
  Underway,
  waitFor,
} from './commands.ts'
import { componentRef } from './components.ts'
import { querySchema, readQuery, WAIT } from './parameters.ts'
import { Problem } from './problem.ts'

export interface CommandContext extends AnswerContext {
  commands: Commands
  access: Access
  limit: RateLimit
}

const ACTIONS = ['halt', 'resume', 'cancel-all', 'flatten', 'cancel-order', 'replace-order']
const PARAMETERS = { wait: WAIT }
const KEY = /^[\x21-\x7e]{1,128}$/
const FAULTS = {
  400: 'The request cannot be read, or a field is not valid',
  401: 'A token is needed',
  403: 'The token has not the scope, or the request comes from a foreign page',
  413: 'The body is larger than 64 KiB',
  415: 'The body is not application/json',
  422: 'The Idempotency-Key came with another request before',
  429: 'Too many commands',
  503: 'NATS did not store it; see Retry-After',
}

/** Adds the routes that send commands. They are messages like all others: the engine records and judges them. */
export function commandRoutes(app: FastifyInstance, context: CommandContext): void {
  const signal = route(app, context, 'signal', 'manual-signal', 'signal-detail')
  const summary = 'Asks for a trade: a manual signal, which risk judges'
  signal('/signals/manual', summary, sendSignal)
  signal('/signal', `${summary}; the same as /signals/manual`, sendSignal)
  signal(
    '/order',
    'Asks for an order to buy or sell: a manual signal, which risk judges',
    (one) => {
      if ((one.body as ManualSignal).side !== 'close') return sendSignal(one)
      throw invalidBody([
        { pointer: '/side', detail: 'must be buy or sell; POST /signals/manual closes' },
      ])
    },
  )
  const control = route(app, context, 'control', 'control-request', 'control-taken')
  control('/control/:action', `Orders the engine: ${ACTIONS.join(', ')}`, sendControl, {
    name: 'action',
    schema: { enum: ACTIONS, description: 'What to do' },
  })
  cancelRoute(app, context)
}

interface Sending {
  context: CommandContext
  underway: Underway
  caller: Caller
  key: string
  body: object
  path: string
  wait: number
}

interface Sent {
  status: number
  body: object
  location: string
}

async function sendSignal(sending: Sending): Promise<Sent> {
  const { context, caller, key, wait, underway } = sending
  const { projector, closing, commands } = context
  const body = sending.body as ManualSignal
  const { signals } = projector.model.states
  const name = `operator:${caller.name}:${key}`
  const location = `/signals/${encodeURIComponent(name)}`
  const asked = essence(body)
  const answer = (): Sent | null => {
    const [record] = findSignals(signals, name)
    if (record === undefined) return null
    if (sameSignal(record, asked).verdict === null) return null
    return { status: 200, body: signalDetail(record, projector.position()), location }
  }
  const known = answer()
  if (known !== null) return known
  const send = (): Promise<Stored> => commands.signal(caller.name, key, body)
  const stored = await published(underway.run(`${caller.name} ${key}`, asked, send))
  const verdict = wait === 0 ? null : await waitFor(projector, closing, wait, answer)
  return verdict ?? { status: 202, body: { id: key, ...stored, location }, location }
}

async function sendControl(sending: Sending): Promise<Sent> {
  const { context, caller, key, path: action, wait, underway } = sending
  const { projector, closing, commands } = context
  if (!ACTIONS.includes(action)) {
    throw new Problem(
      'not-found',
      `there is no action ${JSON.stringify(action.slice(0, 40))}; there are ${ACTIONS.join(', ')}`,
    )
  }
  const orders = action === 'cancel-order' || action === 'replace-order'
  if (orders !== 'orderId' in sending.body) {
    const detail = orders ? 'must be the number of an order' : `is not for ${action}`
    throw invalidBody([{ pointer: '/orderId', detail }])
  }
  const command = { actor: caller.name, ...sending.body }
  const { status } = projector.model.states
  const answer = (): Sent | null => {
    const taken = status.taken.get(`${action} ${key}`)
    if (taken === undefined) return null
    const body = {
      position: projector.position(),
      id: key,
      action,
      entry: taken,
      trading: status.trading,
    }
    return { status: 200, body, location: `/explain/p:${taken}` }
  }
  const known = answer()
  if (known !== null) return known
  const send = (): Promise<Stored> => commands.control(action, key, command)
  const stored = await published(
    underway.run(`${caller.name} ${action} ${key}`, JSON.stringify(command), send),
  )
  const taken = wait === 0 ? null : await waitFor(projector, closing, wait, answer)
  return (
    taken ?? { status: 202, body: { id: key, ...stored, location: '/status' }, location: '/status' }
  )
}

async function published(sending: Promise<Stored>): Promise<Stored> {
  try {
    const { stream, sequence } = await sending
    return { stream, sequence }
  } catch (error) {
    if (error instanceof Problem) throw error
    throw notStored(error)
  }
}

type Route = (
  url: string,
  summary: string,
  send: (sending: Sending) => Promise<Sent>,
  path?: { name: string; schema: object },
) => void

function route(
  app: FastifyInstance,
  context: CommandContext,
  scope: Scope,
  request: BodyName,
  answered: BodyName,
): Route {
  const underway = new Underway()
  return (url, summary, send, path) => {
    const schema = {
      summary,
      description:
        'Idempotent by Idempotency-Key, which the book remembers for seven days: a repeat is answered as the first, ' +
        'and does nothing.',
      querystring: querySchema(PARAMETERS),
      headers: keyHeader(true),
      ...(path !== undefined && {
        params: { type: 'object', properties: { [path.name]: path.schema }, required: [path.name] },
      }),
      body: { content: { 'application/json': { schema: componentRef(request) } } },
      response: {
        ...accepted(answered),
        ...problems({ ...FAULTS, 404: 'There is no such action' }),
      },
    }
    app.post(url, { schema }, async (asked, reply) => {
      const caller = context.access.caller(asked, scope)
      context.limit.take(caller.name)
      const { wait = 0 } = readQuery(PARAMETERS, asked.query as Record<string, string>)
      const key = idempotencyKey(asked)
      const body = readBody(asked, request)
      const params = asked.params as Record<string, string>
      const sending = {
        context,
        underway,
        caller,
        key,
        body,
        path: params[path?.name ?? ''] ?? '',
        wait,
      }
      return sent(reply, await send(sending))
    })
  }
}

function cancelRoute(app: FastifyInstance, context: CommandContext): void {
  const { projector, closing, commands, access, limit } = context
  const schema = {
    summary: 'Asks to cancel an order',
    querystring: querySchema(PARAMETERS),
    headers: keyHeader(false),
    params: {
      type: 'object',
      properties: {
        id: { type: 'string', description: 'Number of the order, or the id that the broker knows' },
      },
      required: ['id'],
    },
    response: {
      ...accepted('order-detail'),
      ...problems({ ...FAULTS, 404: 'There is no such order', 409: 'The order has ended' }),
    },
  }
  app.delete('/orders/:id', { schema }, async (request, reply) => {
    const caller = access.caller(request, 'control')
    limit.take(caller.name)
    const { wait = 0 } = readQuery(PARAMETERS, request.query as Record<string, string>)
    const { id } = request.params as { id: string }
    const given = request.headers['idempotency-key']
    const key = given === undefined ? randomUUID() : idempotencyKey(request)
    const find = () => findOrder(projector.model.states.orders, id)
    const order = find()
    if (order === undefined) {
      throw new Problem(
        'not-found',
        `no order has the id ${JSON.stringify(id.slice(0, 80))}; see /orders`,
      )
    }
    const { orderId } = order.intent
    const location = `/orders/${orderId}`
    const answer = (): Sent | null => {
      const { orders } = projector.model.states
      const now = find()
      if (now === undefined || isOpen(now.status)) return null
      return {
        status: 200,
        body: { position: projector.position(), ...orderBody(orders, now) },
        location,
      }
    }
    if (!isOpen(order.status)) {
      throw new Problem(
        'order-ended',
        `order ${orderId} is ${order.status}: there is nothing to cancel`,
      )
    }
    const command = { actor: caller.name, reason: `DELETE ${location}`, orderId }
    const stored = await published(commands.control('cancel-order', key, command))
    const ended = wait === 0 ? null : await waitFor(projector, closing, wait, answer)
    return sent(reply, ended ?? { status: 202, body: { id: key, ...stored, location }, location })
  })
}

function sent(reply: FastifyReply, { status, body, location }: Sent): FastifyReply {
  return reply
    .code(status)
    .header('location', location)
    .header('cache-control', 'no-store')
    .send(body)
}

function idempotencyKey(request: FastifyRequest): string {
  const key = request.headers['idempotency-key']
  if (typeof key === 'string' && KEY.test(key)) return key
  const detail =
    key === undefined
      ? 'is needed: send the same one again when you do not know whether a request arrived'
      : 'must be 1 to 128 visible ASCII characters'
  throw invalidBody([{ pointer: '/headers/idempotency-key', detail }])
}

function readBody(request: FastifyRequest, name: BodyName): object {
  const checked = validateBody(name, request.body ?? null)
  if (checked.ok) return checked.value as object
  throw invalidBody(
    checked.errors
      .slice(0, 20)
      .map(({ path, message }) => ({ pointer: path || '/', detail: message })),
  )
}

function invalidBody(errors: { pointer: string; detail: string }[]): Problem {
  const text = errors.map(({ pointer, detail }) => `${pointer} ${detail}`).join('; ')
  return new Problem('invalid-request', text, { errors })
}

function keyHeader(required: boolean): object {
  return {
    type: 'object',
    properties: {
      'idempotency-key': {
        type: 'string',
        minLength: 1,
        maxLength: 128,
        description: 'Id of the command',
      },
    },
    required: required ? ['idempotency-key'] : [],
  }
}

function accepted(answered: BodyName): Record<number, object> {
  const json = (name: BodyName) => ({ 'application/json': { schema: componentRef(name) } })
  const headers = {
    location: { type: 'string', description: 'Where to look for what became of it' },
  }
  return {
    200: { description: 'What became of it', headers, content: json(answered) },
    202: {
      description: 'Stored; the engine takes it in its turn',
      headers,
      content: json('command-stored'),
    },
  }
}
