import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { ReadModel } from '../../projections/read-model.ts'
import { formatTime } from '../../engine/time.ts'
import type { BodyName } from '../../schemas/types.gen.ts'
import type { Closing } from './closing.ts'
import { componentRef } from './components.ts'
import {
  AS_OF,
  invalid,
  MIN_POSITION,
  type Moment,
  type Parameter,
  querySchema,
  readQuery,
} from './parameters.ts'
import { Problem, PROBLEM_TYPE } from './problem.ts'

/** What the API needs of the projector that feeds it. */
export interface Projected {
  position(): number
  readonly model: ReadModel
  failure(): Error | null
  waitFor(position: number, timeoutMs: number): Promise<boolean>
}

/** Answers about the past. Throws PastIsBusy (code past_is_busy). */
export interface Remembers {
  model(moment: { position: number } | { at: number }): Promise<ReadModel>
}

export interface AnswerContext {
  projector: Projected
  past: Remembers
  /** How long `minPosition` waits, ms. */
  maxWaitMs: number
  /** No request waits on when the API closes. */
  closing: Closing
}

export interface AnswerOptions<P extends Readonly<Record<string, Parameter<unknown>>>> {
  summary: string
  parameters: P
  /** Name and description of the path's parameter, if it has one. */
  path?: { name: string; description: string }
  body: BodyName
  problems?: Readonly<Record<number, string>>
  /**
   * Builds the body; throws Problem. One that answers in the same turn belongs wholly to the model's position; what
   * takes longer may see an order's later life.
   */
  build(
    model: ReadModel,
    query: ReturnType<typeof readQuery<P>>,
    path: string,
  ): object | Promise<object>
}

const RETRY_AFTER_S = 1
const IF_NONE_MATCH = {
  type: 'object',
  properties: {
    'if-none-match': { type: 'string', description: 'ETag of an answer that is there already' },
  },
}

/**
 * Adds a route that answers from the read model: `position` in the body and in the ETag, 304 when the client
 * has that position's answer already, `minPosition` for reading one's own writes, and `asOf` for the past, whose
 * answers never change.
 *
 * A tag need not tell apart what lies at several addresses, and the query is part of an address (RFC 9110, 8.8.1): the
 * position and the book make it strong. Without the book, a client would keep the answers of one that was deleted.
 */
export function answer<P extends Readonly<Record<string, Parameter<unknown>>>>(
  app: FastifyInstance,
  url: string,
  context: AnswerContext,
  options: AnswerOptions<P>,
): void {
  const { projector } = context
  const parameters = { ...options.parameters, minPosition: MIN_POSITION, asOf: AS_OF }
  const schema = {
    summary: options.summary,
    querystring: querySchema(parameters),
    headers: IF_NONE_MATCH,
    ...(options.path !== undefined && { params: pathSchema(options.path) }),
    response: {
      ...responses(options.body, {
        400: 'A parameter is not valid',
        ...options.problems,
        503: 'minPosition was not reached in time, or the past is asked for too often; see Retry-After',
      }),
      304: { description: 'If-None-Match names this position', type: 'null' },
    },
  }
  app.get(url, { schema }, async (request, reply) => {
    const query = readQuery(parameters, request.query as Record<string, string | string[]>)
    await reached(context, query.minPosition as number | undefined)
    const path = (request.params as Record<string, string>)[options.path?.name ?? '']
    const asOf = query.asOf as Moment | undefined
    const model = asOf === undefined ? projector.model : await remembered(context, asOf)
    const tag = entityTag(model)
    const body = await options.build(model, query as never, path ?? '')
    reply
      .header('etag', tag)
      .header(
        'cache-control',
        asOf === undefined ? 'no-cache' : 'private, max-age=31536000, immutable',
      )
    return matches(request, tag) ? reply.code(304).send() : reply.send(body)
  })
}

async function reached(context: AnswerContext, position: number | undefined): Promise<void> {
  if (position === undefined) return
  const { projector, maxWaitMs, closing } = context
  const waited = await closing.or(projector.waitFor(position, maxWaitMs))
  if (waited === true) return
  const failed = projector.failure()
  throw new Problem(
    'not-caught-up',
    `position ${position} was asked for, ${projector.position()} is reached` +
      (failed === null ? '; ask again' : '; the projector has failed: see /readyz'),
    { headers: { 'retry-after': String(RETRY_AFTER_S) } },
  )
}

/** The past is only what cannot change any more: a written position, a moment that engine time has left behind. */
async function remembered(context: AnswerContext, asOf: Moment): Promise<ReadModel> {
  const { projector, past } = context
  const { at } = projector.model
  const future =
    'position' in asOf ? asOf.position > projector.position() : at === null || asOf.at >= at
  if (future) {
    const now = at === null ? 'nothing is recorded yet' : `engine time is ${formatTime(at)}`
    const detail = `lies beyond position ${projector.position()}, where ${now}: a time must lie before that`
    throw invalid([{ pointer: '/query/asOf', detail }])
  }
  try {
    return await past.model(asOf)
  } catch (error) {
    if ((error as { code?: string }).code !== 'past_is_busy') throw error
    throw new Problem('past-is-busy', (error as Error).message, {
      headers: { 'retry-after': String(RETRY_AFTER_S) },
    })
  }
}

function entityTag({ position, states }: ReadModel): string {
  const { bookId } = states.status
  return bookId === '' ? `"p:${position}"` : `"p:${position}-${bookId}"`
}

function matches(request: FastifyRequest, tag: string): boolean {
  const asked = request.headers['if-none-match']
  if (asked === undefined) return false
  return asked
    .split(',')
    .map((one) => one.trim())
    .some((one) => one === '*' || one.replace(/^W\//, '') === tag)
}

function pathSchema({ name, description }: { name: string; description: string }): object {
  return {
    type: 'object',
    properties: { [name]: { type: 'string', description } },
    required: [name],
  }
}

/** The response part of a route's schema: a body for 200, problems for the rest. */
export function responses(body: BodyName, faults: Readonly<Record<number, string>>): object {
  const cached = { etag: { type: 'string', description: 'Position of the answer, and its book' } }
  const found: Record<string, object> = {
    200: {
      description: 'The answer',
      headers: cached,
      content: { 'application/json': { schema: componentRef(body) } },
    },
  }
  return { ...found, ...problems(faults) }
}

/** The responses that are problems. */
export function problems(
  faults: Readonly<Record<number | string, string>>,
): Record<string, object> {
  const schema = componentRef('problem-body')
  return Object.fromEntries(
    Object.entries(faults).map(([status, description]) => [
      status,
      { description, content: { 'application/problem+json': { schema } } },
    ]),
  )
}

export function sendProblem(reply: FastifyReply, problem: Problem): FastifyReply {
  return reply
    .code(problem.body.status)
    .headers({ 'cache-control': 'no-store', ...problem.headers })
    .type(PROBLEM_TYPE)
    .send(problem.body)
}
