import { type Decimal, format, parse } from '../decimal.ts'
import type { AccountSnapshot } from './account.ts'
import { type Book, CLOSE } from './book.ts'
import { type Desk, type EndedOrder, endedSnapshot } from './desk.ts'
import type { KnownIdsSnapshot } from './known-ids.ts'
import {
  type OrderGroup,
  orderFrom,
  orderSnapshot,
  type WorkingOrderSnapshot,
} from './working-orders.ts'

/** Plain JSON: everything later reports depend on, but not the settings. What may be absent is, in older ones. */
export interface ExchangeSnapshot {
  sequence: number
  ambiguousBars: number
  account: AccountSnapshot
  /** Client order ids of orders that are over: an id is never taken twice. */
  over: KnownIdsSnapshot
  /** Newest orders that are over, oldest first. */
  ended?: EndedOrder[]
  /** Newest day number, and the equity at the end of the day before it. */
  day?: number
  lastEquity?: string
  books: BookSnapshot[]
}

interface BookSnapshot {
  symbol: string
  /** Newest bar; null before the first. */
  last: { time: number; end: number; close: number; volume: number | null } | null
  cap: string | null
  orders: WorkingOrderSnapshot[]
  ticks?: { time: number; close: number | null; quote: QuoteSnapshot | null }
  day?: number
  actions?: { time: number; keys: string[] }
}

type QuoteSnapshot = { bid: string; ask: string; bidCap: string | null; askCap: string | null }

/** What the state has beside the desk. */
export interface Beside {
  ambiguousBars: number
  day: number
  lastEquity: Decimal | null
}

export function snapshotDesk(desk: Desk, beside: Beside): ExchangeSnapshot {
  const orders = new Map<string, WorkingOrderSnapshot[]>()
  for (const order of desk.orders.values()) {
    const list = orders.get(order.symbol)
    if (list === undefined) orders.set(order.symbol, [orderSnapshot(order)])
    else list.push(orderSnapshot(order))
  }
  const ended = endedSnapshot(desk)
  // A held leg may be all there is of a symbol, and then there is no book of it yet.
  for (const symbol of orders.keys()) desk.book(symbol)
  return {
    sequence: desk.sequence,
    ambiguousBars: beside.ambiguousBars,
    account: desk.account.snapshot(),
    over: desk.over.snapshot(),
    ...(ended.length > 0 && { ended }),
    ...(Number.isFinite(beside.day) && { day: beside.day }),
    ...(beside.lastEquity !== null && { lastEquity: format(beside.lastEquity) }),
    books: Array.from(desk.books.values(), (book) =>
      bookSnapshot(book, orders.get(book.symbol) ?? []),
    ),
  }
}

export function restoreDesk(desk: Desk, from: ExchangeSnapshot): Beside {
  desk.sequence = from.sequence
  desk.account.restore(from.account)
  desk.orders.clear()
  desk.books.clear()
  desk.over.restore(from.over)
  desk.ended = [...(from.ended ?? [])]
  desk.endedAt = 0
  const groups = new Map<string, OrderGroup>()
  for (const saved of from.books) {
    const book = desk.book(saved.symbol)
    restoreBook(book, saved)
    for (const one of saved.orders) {
      const order = orderFrom(saved.symbol, one, groups)
      desk.orders.set(order.clientOrderId, order)
      if (order.extra?.held !== true) book.add(order)
    }
  }
  // Closes the holes that legs of before have left.
  for (const group of groups.values()) group.legs = group.legs.filter(() => true)
  return {
    ambiguousBars: from.ambiguousBars,
    day: from.day ?? Number.NEGATIVE_INFINITY,
    lastEquity: from.lastEquity === undefined ? null : parse(from.lastEquity),
  }
}

function bookSnapshot(book: Book, orders: WorkingOrderSnapshot[]): BookSnapshot {
  const { symbol, last, cap, quote } = book
  const [time, end, close, volume] = last as unknown as [number, number, number, number]
  return {
    symbol,
    last:
      time === Number.NEGATIVE_INFINITY
        ? null
        : { time, end, close, volume: Number.isNaN(volume) ? null : volume },
    cap: text(cap),
    orders,
    ...(book.ticks && {
      ticks: {
        time: book.tickTime,
        close: Number.isFinite(close) ? close : null,
        quote: quote && {
          bid: format(quote.bid),
          ask: format(quote.ask),
          bidCap: text(quote.bidCap),
          askCap: text(quote.askCap),
        },
      },
    }),
    ...(Number.isFinite(book.day) && { day: book.day }),
    ...(book.actions.length > 0 && { actions: { time: book.actionTime, keys: book.actions } }),
  }
}

function restoreBook(book: Book, { last, cap, ticks, day, actions }: BookSnapshot): void {
  if (last) book.last.set([last.time, last.end, last.close, last.volume ?? Number.NaN])
  // Without a number it is worked out again from the volume.
  if (cap !== null) book.cap = parse(cap)
  if (ticks !== undefined) {
    book.tickTime = ticks.time
    if (ticks.close !== null) book.last[CLOSE] = ticks.close
    book.quote = ticks.quote && {
      bid: parse(ticks.quote.bid),
      ask: parse(ticks.quote.ask),
      bidCap: ticks.quote.bidCap === null ? null : parse(ticks.quote.bidCap),
      askCap: ticks.quote.askCap === null ? null : parse(ticks.quote.askCap),
    }
  }
  if (day !== undefined) book.day = day
  if (actions !== undefined) {
    book.actionTime = actions.time
    book.actions = [...actions.keys]
  }
}

function text(value: Decimal | null | undefined): string | null {
  return value === null || value === undefined ? null : format(value)
}
