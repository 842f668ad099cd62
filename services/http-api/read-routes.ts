import type { FastifyInstance } from 'fastify'
import { decisionBody } from '../../projections/decisions.ts'
import { equitySummary, pointBody } from '../../projections/equity.ts'
import { fillBody } from '../../projections/fills.ts'
import type { Page, PageQuery as ListQuery } from '../../projections/listing.ts'
import { findOrder, orderBody } from '../../projections/orders.ts'
import { pnlBody } from '../../projections/pnl.ts'
import { openPositions, positionBody } from '../../projections/portfolio.ts'
import { queueBodies } from '../../projections/queues.ts'
import type { ReadModel } from '../../projections/read-model.ts'
import { findSignals, signalBody, signalDetail, signalName } from '../../projections/signals.ts'
import { strategyBodies } from '../../projections/strategies.ts'
import { answer, type AnswerContext } from './answer.ts'
import { decodeCursor, encodeCursor, entryKey } from './cursor.ts'
import {
  CURSOR,
  DAYS,
  DEFAULT_LIMIT,
  invalid,
  LIMIT,
  ORDER,
  ORDER_STATUS,
  SIGNAL_STATUS,
  SYMBOL,
} from './parameters.ts'
import { Problem } from './problem.ts'

const DEFAULT_DAYS = 30
const PAGING = { limit: LIMIT, cursor: CURSOR, order: ORDER, symbol: SYMBOL }

interface PageQuery {
  limit?: number
  cursor?: string
  order?: 'asc' | 'desc'
  symbol?: string
}

/** Adds the routes that read the projections. */
export function readRoutes(app: FastifyInstance, context: AnswerContext): void {
  answer(app, '/portfolio', context, {
    summary: 'Cash, equity and open positions',
    parameters: {},
    body: 'portfolio-body',
    build: (model) => model.portfolioBody(),
  })
  answer(app, '/status', context, {
    summary: 'What runs, whether it may trade, and how much it has seen',
    parameters: {},
    body: 'status-body',
    build: (model) => model.statusBody(),
  })
  answer(app, '/positions', context, {
    summary: 'Open positions by symbol',
    parameters: PAGING,
    body: 'position-list',
    build: positionPage,
  })
  answer(app, '/orders', context, {
    summary: 'Orders, by their intents',
    parameters: { ...PAGING, status: ORDER_STATUS },
    body: 'order-list',
    build(model, { status, ...query }) {
      const { orders } = model.states
      const matches =
        status === undefined ? undefined : (order: { status: string }) => order.status === status
      const body = (order: Parameters<typeof orderBody>[1]) => orderBody(orders, order)
      return entryPage(model, 'orders', orders.list, query, body, matches)
    },
  })
  answer(app, '/orders/:id', context, {
    summary: 'One order',
    parameters: {},
    path: { name: 'id', description: 'Number of the order, or the id that the broker knows' },
    body: 'order-detail',
    problems: { 404: 'There is no such order' },
    build(model, _query, id) {
      const order = findOrder(model.states.orders, id)
      if (order === undefined) throw notFound('order', id, '/orders')
      return { position: model.position, ...orderBody(model.states.orders, order) }
    },
  })
  answer(app, '/pnl', context, {
    summary: 'Gains and losses: in all, by symbol, by who opened the position, by day',
    parameters: { days: DAYS },
    body: 'pnl-body',
    build: ({ states, position, at }, { days }) =>
      pnlBody(states.pnl, states.portfolio, position, at, days ?? DEFAULT_DAYS),
  })
  answer(app, '/equity', context, {
    summary: 'The equity curve with its drawdown, a point for each moment that bars ended at',
    parameters: { limit: LIMIT, cursor: CURSOR, order: ORDER },
    body: 'equity-list',
    build: (model, query) => ({
      ...entryPage(model, 'equity', model.states.equity.points, query, pointBody),
      summary: equitySummary(model.states.equity),
    }),
  })
  answer(app, '/decisions', context, {
    summary: 'What was decided, and what it was based on, in the order of the book',
    parameters: PAGING,
    body: 'decision-list',
    build: (model, query) =>
      entryPage(model, 'decisions', model.states.decisions, query, decisionBody),
  })
  answer(app, '/strategies', context, {
    summary: 'Who asks for orders, and with what success',
    parameters: {},
    body: 'strategy-list',
    build: ({ states, position }) => ({
      position,
      items: strategyBodies(states.strategies, states.pnl),
      next: null,
    }),
  })
  answer(app, '/queues', context, {
    summary:
      'What waits: orders to be sent, of unknown outcome, at the broker; and what came in by which door',
    parameters: {},
    body: 'queue-list',
    build: ({ states, position }) => ({ position, items: queueBodies(states.queues), next: null }),
  })
  answer(app, '/fills', context, {
    summary: 'Executions',
    parameters: PAGING,
    body: 'fill-list',
    build: (model, query) => entryPage(model, 'fills', model.states.fills, query, fillBody),
  })
  answer(app, '/signals', context, {
    summary: 'Signals and their verdicts',
    parameters: { ...PAGING, status: SIGNAL_STATUS },
    body: 'signal-list',
    build(model, { status, ...query }) {
      const matches =
        status === undefined
          ? undefined
          : (signal: { verdict: { verdict: string } | null }) =>
              (signal.verdict?.verdict ?? 'pending') === status
      return entryPage(model, 'signals', model.states.signals.list, query, signalBody, matches)
    },
  })
  answer(app, '/signals/:id', context, {
    summary: 'One signal, its verdict, and every rule that was looked at',
    parameters: {},
    path: {
      name: 'id',
      description:
        'Id of the signal; `<operator>:<id>` or `operator:<operator>:<id>` where several share it',
    },
    body: 'signal-detail',
    problems: { 404: 'There is no such signal', 409: 'Several signals have this id' },
    build(model, _query, id) {
      const found = findSignals(model.states.signals, id)
      const signal = found[0]
      if (signal === undefined) throw notFound('signal', id, '/signals')
      if (found.length > 1) {
        const names = found.slice(0, MAX_NAMES).map(signalName).join(', ')
        throw new Problem(
          'ambiguous-id',
          `${found.length} signals have it; ask for one of ${names}`,
        )
      }
      return signalDetail(signal, model.position)
    },
  })
}

const MAX_SHOWN = 80
const MAX_NAMES = 10

function notFound(what: string, id: string, list: string): Problem {
  const shown = id.length > MAX_SHOWN ? `${id.slice(0, MAX_SHOWN)}…` : id
  return new Problem('not-found', `no ${what} has the id ${JSON.stringify(shown)}; see ${list}`)
}

interface PageBody {
  position: number
  items: object[]
  next: string | null
}

/** A listing, or columns that are paged like one. */
interface Pages<T> {
  page(query: ListQuery<T>): Page<T>
}

function entryPage<T extends { entry: number }>(
  model: ReadModel,
  name: string,
  listing: Pages<T>,
  query: PageQuery,
  body: (item: T) => object,
  matches?: (item: T) => boolean,
): PageBody {
  const { descending, key } = place(name, query)
  const after = key === null ? null : entryKey(key)
  if (key !== null && after === null) throw foreignCursor()
  const { items, more } = listing.page({
    limit: query.limit ?? DEFAULT_LIMIT,
    after,
    descending,
    ...(query.symbol !== undefined && { symbol: query.symbol }),
    ...(matches !== undefined && { matches }),
  })
  const last = items.at(-1)
  const next =
    more && last !== undefined
      ? encodeCursor({ listing: name, descending, key: String(last.entry) })
      : null
  return { position: model.position, items: items.map(body), next }
}

function positionPage(model: ReadModel, query: PageQuery): PageBody {
  const { descending, key } = place('positions', query)
  const limit = query.limit ?? DEFAULT_LIMIT
  let held = openPositions(model.states.portfolio)
  if (query.symbol !== undefined) held = held.filter(({ symbol }) => symbol === query.symbol)
  if (descending) held.reverse()
  if (key !== null) {
    held = held.filter(({ symbol }) => (descending ? symbol < key : symbol > key))
  }
  const items = held.slice(0, limit)
  const last = items.at(-1)
  const next =
    held.length > limit && last !== undefined
      ? encodeCursor({ listing: 'positions', descending, key: last.symbol })
      : null
  return { position: model.position, items: items.map(positionBody), next }
}

/** Where the page begins. A cursor keeps the order it was made in; asking for the other one is an error. */
function place(listing: string, query: PageQuery): { descending: boolean; key: string | null } {
  const descending = query.order === 'desc'
  if (query.cursor === undefined) return { descending, key: null }
  const cursor = decodeCursor(query.cursor)
  if (cursor === null || cursor.listing !== listing) throw foreignCursor()
  if (query.order !== undefined && cursor.descending !== descending) {
    throw invalid([
      { pointer: '/query/order', detail: 'must be as it was when the cursor was made' },
    ])
  }
  return { descending: cursor.descending, key: cursor.key }
}

function foreignCursor(): Problem {
  return invalid([{ pointer: '/query/cursor', detail: CURSOR.remedy }])
}
