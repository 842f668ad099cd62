import type { FastifyInstance } from 'fastify'
import { decodeBody } from '../../engine/events/envelope.ts'
import type { EventStore } from '../../engine/ports/event-store.ts'
import { bookEvent } from '../../projections/projection.ts'
import type { EventBody, EventList } from '../../schemas/types.gen.ts'
import { answer, type AnswerContext } from './answer.ts'
import { decodeCursor, encodeCursor, entryKey } from './cursor.ts'
import { eventBody, tailEvent } from './event-tail.ts'
import { CURSOR, DEFAULT_LIMIT, EVENT_TYPES, FROM, invalid, LIMIT, SYMBOL } from './parameters.ts'

/** Events looked at for one page: a rare type is found over several pages, none of which holds the engine up. */
const MOST_LOOKED_AT = 20_000

/** Adds /events: the book as it is. */
export function eventRoutes(
  app: FastifyInstance,
  context: AnswerContext,
  { store, stream }: { store: EventStore; stream: string },
): void {
  answer(app, '/events', context, {
    summary: 'The events of the book, as they are recorded',
    parameters: { from: FROM, limit: LIMIT, cursor: CURSOR, types: EVENT_TYPES, symbol: SYMBOL },
    body: 'event-list',
    async build({ position }, { from, limit = DEFAULT_LIMIT, cursor, types, symbol }) {
      const items: EventBody[] = []
      const start = cursor === undefined ? (from ?? 0) : after(cursor) + 1
      let looked = start - 1
      const done = (): EventList => {
        const key = String(looked)
        const next =
          looked >= position ? null : encodeCursor({ listing: 'events', descending: false, key })
        return { position, items, next }
      }
      for await (const page of store.read(stream, start, position)) {
        for (const stored of page) {
          if (stored.position > position) return done()
          looked = stored.position
          if (types === undefined || types.includes(stored.type)) {
            if (symbol === undefined || tailEvent(stored).symbol === symbol) {
              items.push(eventBody(bookEvent(decodeBody(stored))))
            }
          }
          if (items.length === limit || looked - start + 1 >= MOST_LOOKED_AT) return done()
        }
        await new Promise((resolve) => setImmediate(resolve))
      }
      return done()
    },
  })
}

function after(text: string): number {
  const cursor = decodeCursor(text)
  const key = cursor?.listing === 'events' ? entryKey(cursor.key) : null
  if (key === null) throw invalid([{ pointer: '/query/cursor', detail: CURSOR.remedy }])
  return key
}
