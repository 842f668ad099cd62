import type { Decimal } from '../decimal.ts'
import { DueHeap, FallingHeap, RisingHeap } from './order-heap.ts'
import type { WorkingOrder } from './working-orders.ts'

/** Places in `Book.last`. */
export const TIME = 0
export const END = 1
export const CLOSE = 2
export const VOLUME = 3

/** Best bid and offer as shown last. */
export interface Quote {
  bid: Decimal
  ask: Decimal
  /** Whole shares that the quote can still trade on each side; null: no limit. */
  bidCap: Decimal | null
  askCap: Decimal | null
}

/**
 * One symbol: its orders, found by what they wait for, and its newest prices. Orders with a price lie in two
 * heaps, so that a bar touches those it reaches and no others; the rest is looked at on every bar.
 */
export class Book {
  readonly symbol: string
  /** Newest bar: time, end, close, volume. A typed array, so that a bar stores without allocating. */
  readonly last = new Float64Array(4).fill(Number.NEGATIVE_INFINITY)
  /** Whole shares the newest bar can still trade; null: no limit; undefined: not worked out yet. */
  cap: Decimal | null | undefined = undefined
  /** Time of the newest quote or trade, ms. A symbol that has them is matched by them, not by its bars. */
  tickTime = Number.NEGATIVE_INFINITY
  quote: Quote | null = null
  /** Day number of the newest price, where days are charged for. */
  day = Number.NEGATIVE_INFINITY
  /** Corporate actions of the newest time that had any: those shown again are ignored. */
  actionTime = Number.NEGATIVE_INFINITY
  actions: string[] = []
  /** Orders that work; those held do not. */
  count = 0
  #ranks = 0
  /** Orders that every bar meets, finished ones among them until the next bar. */
  #active: WorkingOrder[] = []
  readonly #falls = new FallingHeap()
  readonly #rises = new RisingHeap()
  readonly #due = new DueHeap()
  /** Orders with an end that have not been through a bar yet. */
  #fresh: WorkingOrder[] = []

  constructor(symbol: string) {
    this.symbol = symbol
  }

  /** Whether quotes and trades match the symbol. */
  get ticks(): boolean {
    return this.tickTime !== Number.NEGATIVE_INFINITY
  }

  /** Whether the symbol was delisted or renamed, and has had no price since. */
  get gone(): boolean {
    return (
      this.actions.length > 0 &&
      this.last[TIME]! < this.actionTime &&
      this.tickTime < this.actionTime &&
      this.actions.some((key) => key.startsWith('delist') || key.startsWith('rename'))
    )
  }

  /** Takes an order in, at the end of the queue or at the place it already has (a rank above 0). */
  add(order: WorkingOrder): void {
    if (order.rank === 0) order.rank = ++this.#ranks
    else this.#ranks = Math.max(this.#ranks, order.rank)
    this.count++
    this.#shelve(order)
    if (order.day || order.expiresAt !== Number.POSITIVE_INFINITY) this.#fresh.push(order)
  }

  /** Takes out an order that is done. */
  remove(order: WorkingOrder): void {
    this.count--
    this.#take(order)
    if (order.due !== -1) this.#due.remove(order)
    // The lists are swept by the next bar; without orders there may be none.
    if (this.count === 0) {
      // Setting the length would cost more than all the rest when one order goes.
      while (this.#active.length > 0) this.#active.pop()
      while (this.#fresh.length > 0) this.#fresh.pop()
    }
  }

  /** Changes what an order waits for: its type or its price. */
  change(order: WorkingOrder, change: () => void): void {
    this.#take(order)
    const active = isActive(order)
    change()
    if (!active || !isActive(order)) this.#shelve(order)
  }

  /** Adds the orders that every bar meets, in no promised order. */
  collectActive(into: WorkingOrder[]): void {
    const active = this.#active
    let kept = 0
    for (let i = 0; i < active.length; i++) {
      const order = active[i]!
      if (order.done || !isActive(order)) continue
      active[kept++] = order
      into.push(order)
    }
    while (active.length > kept) active.pop()
  }

  /** Adds the orders whose price lies within what was traded. */
  collectReached(high: Decimal, low: Decimal, into: WorkingOrder[]): void {
    this.#falls.reach(low, into)
    this.#rises.reach(high, into)
  }

  /** Whether any order may have an end. */
  get hasEnds(): boolean {
    return this.#due.size > 0 || this.#fresh.length > 0
  }

  /**
   * Adds the orders that end at `time` or before. Day orders that have no end yet are given one by `resolve`;
   * without it they are left for their first bar.
   */
  collectDue(
    time: number,
    resolve: ((order: WorkingOrder) => void) | null,
    into: WorkingOrder[],
  ): void {
    this.#due.drain(time, into)
    for (const order of this.#fresh) {
      if (order.done) continue
      if (order.day && resolve !== null) resolve(order)
      if (order.expiresAt <= time) into.push(order)
    }
  }

  /** Ends a bar: orders with an end that are still there from now on wait in the heap for it. */
  settleFresh(): void {
    if (this.#fresh.length === 0) return
    const fresh = this.#fresh
    this.#fresh = []
    for (const order of fresh) {
      if (order.done) continue
      if (order.day) this.#fresh.push(order)
      else this.#due.add(order)
    }
  }

  #shelve(order: WorkingOrder): void {
    if (isActive(order)) this.#active.push(order)
    else if (falls(order)) this.#falls.add(order)
    else this.#rises.add(order)
  }

  #take(order: WorkingOrder): void {
    if (order.slot === -1) return
    if (this.#falls.has(order)) this.#falls.remove(order)
    else this.#rises.remove(order)
  }
}

/** Whether every bar may concern the order, whatever its prices. */
function isActive({ type, timeInForce }: WorkingOrder): boolean {
  if (type !== 'limit' && type !== 'stop' && type !== 'stop_limit') return true
  return timeInForce !== 'gtc' && timeInForce !== 'day'
}

/** Whether a falling market reaches the order's price. */
function falls({ type, buys }: WorkingOrder): boolean {
  return (type === 'limit') === buys
}

/** Sorts into the order of the queue, where it is not yet so. */
export function byRank(orders: WorkingOrder[]): void {
  for (let i = 1; i < orders.length; i++) {
    if (orders[i - 1]!.rank > orders[i]!.rank) {
      orders.sort((a, b) => a.rank - b.rank)
      return
    }
  }
}
