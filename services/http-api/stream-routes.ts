import type { FastifyInstance } from 'fastify'
import type { ServerResponse } from 'node:http'
import { problems } from './answer.ts'
import type { Closing } from './closing.ts'
import type { EventTail, TailEvent } from './event-tail.ts'
import { EVENT_TYPES, FROM, invalid, querySchema, readQuery, SYMBOL } from './parameters.ts'
import { Problem } from './problem.ts'

export interface StreamContext {
  tail: EventTail
  closing: Closing
  /** Position that the projections have reached. */
  reached: () => number
  /** How many may follow at once. */
  maxClients: number
  /** How often a sign of life is sent, ms. */
  heartbeatMs: number
  /** A client that takes nothing for so long is dropped, ms. */
  patienceMs: number
  /** Told why a stream broke off. */
  onFailure: (error: unknown) => void
}

const PARAMETERS = { from: FROM, types: EVENT_TYPES, symbol: SYMBOL }
const RETRY_MS = 1000

/**
 * Adds /stream: every event of the book as it is written, as Server-Sent Events. An event's id is its position, so a
 * client that connects again with Last-Event-ID goes on without a gap or a repeat.
 */
export function streamRoutes(app: FastifyInstance, context: StreamContext): void {
  let clients = 0
  const schema = {
    summary: 'The events of the book as they are written (Server-Sent Events)',
    description:
      'The id of each is its position; Last-Event-ID goes on behind it, `from` begins there, and with neither only ' +
      'what is new is sent. What the filters leave out moves the id on with the signs of life.',
    querystring: querySchema(PARAMETERS),
    headers: {
      type: 'object',
      properties: {
        'last-event-id': {
          type: 'string',
          pattern: '^\\d{0,15}$',
          description:
            'Go on behind this event; a browser sends it by itself when it connects again',
        },
      },
    },
    response: {
      200: {
        description: 'Events until either side closes',
        content: { 'text/event-stream': { schema: { type: 'string' } } },
      },
      ...problems({
        400: 'A parameter is not valid, or lies beyond the end of the book',
        503: 'Too many follow; see Retry-After',
      }),
    },
  }
  app.get('/stream', { schema, exposeHeadRoute: false }, async (request, reply) => {
    const query = readQuery(PARAMETERS, request.query as Record<string, string | string[]>)
    const after = lastEventId(request.headers['last-event-id'])
    if (clients >= context.maxClients) {
      throw new Problem('too-many-clients', `${clients} follow already: close one, or try later`, {
        headers: { 'retry-after': '5' },
      })
    }
    const next = after === null ? (query.from ?? context.tail.head + 1) : after + 1
    const end = Math.max(context.tail.head, context.reached()) + 1
    if (next > end) {
      // Whoever waited for it would wait in silence: most likely it is a position of another book.
      const pointer = after === null ? '/query/from' : '/headers/last-event-id'
      throw invalid([{ pointer, detail: `lies beyond the end of the book, which is ${end - 1}` }])
    }
    clients++
    reply.hijack()
    const { raw } = reply
    raw.writeHead(200, {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
    })
    const wanted = (event: TailEvent): boolean =>
      (query.types === undefined || query.types.includes(event.type)) &&
      (query.symbol === undefined || event.symbol === query.symbol)
    try {
      await follow(raw, context, next, wanted)
      // Ended in order, unless the client does not take what it is sent.
      if (context.closing.told && !raw.writableNeedDrain) raw.end()
      else raw.destroy()
    } catch (error) {
      context.onFailure(error)
      raw.destroy()
    } finally {
      clients--
    }
  })
}

function lastEventId(header: string | string[] | undefined): number | null {
  if (header === undefined || header === '') return null
  if (typeof header === 'string' && /^\d{1,15}$/.test(header)) return Number(header)
  throw invalid([{ pointer: '/headers/last-event-id', detail: 'must be the id of an event' }])
}

async function follow(
  response: ServerResponse,
  { tail, closing, heartbeatMs, patienceMs }: StreamContext,
  first: number,
  wanted: (event: TailEvent) => boolean,
): Promise<void> {
  let next = first
  let open = true
  let wake = (): void => undefined
  const end = (): void => {
    open = false
    wake()
  }
  response.on('close', end).on('error', end)
  const off = closing.on(end)
  response.on('close', off)
  /** Resolves to false when the client has gone, or takes nothing any more. */
  const send = async (text: string): Promise<boolean> => {
    if (!open) return false
    if (response.write(text)) return true
    return new Promise((resolve) => {
      const done = (drained: boolean) => (): void => {
        clearTimeout(timer)
        response.off('drain', drain)
        wake = () => undefined
        resolve(drained)
      }
      const drain = done(true)
      const timer = setTimeout(done(false), patienceMs)
      wake = done(false)
      response.once('drain', drain)
    })
  }
  if (!(await send(`retry: ${RETRY_MS}\n\n`))) return
  let spoken = Date.now()
  while (open && !tail.closed) {
    const events = await tail.next(next)
    if (events === null) {
      if (!open) return
      await new Promise<void>((resolve) => {
        const stop = tail.when(next, heartbeatMs, resolve)
        wake = () => {
          stop()
          resolve()
        }
      })
      wake = () => undefined
    } else {
      const frames = events.filter(wanted).map(frame).join('')
      next = events[events.length - 1]!.position + 1
      if (frames !== '') {
        if (!(await send(frames))) return
        spoken = Date.now()
      } else await new Promise((resolve) => setImmediate(resolve))
    }
    // An id without data is no event, but where the client goes on from.
    if (open && Date.now() - spoken >= heartbeatMs) {
      if (!(await send(next > 0 ? `id: ${next - 1}\n\n` : ':\n\n'))) return
      spoken = Date.now()
    }
  }
}

function frame({ position, type, json }: TailEvent): string {
  return `id: ${position}\nevent: ${type}\ndata: ${json}\n\n`
}
