import type { WorkingOrder } from './working-orders.ts'

/**
 * Working orders by one key, the one that comes first on top. Each order keeps its place in the heap, so that
 * one out of the middle is taken out without a search.
 */
abstract class OrderHeap {
  protected readonly orders: WorkingOrder[] = []

  get size(): number {
    return this.orders.length
  }

  /** The order that comes first; undefined when there is none. */
  get first(): WorkingOrder | undefined {
    return this.orders[0]
  }

  /** Whether `a` comes before `b`; of equal keys neither does. */
  protected abstract before(a: WorkingOrder, b: WorkingOrder): boolean
  protected abstract slot(order: WorkingOrder): number
  protected abstract seat(order: WorkingOrder, slot: number): void

  has(order: WorkingOrder): boolean {
    return this.orders[this.slot(order)] === order
  }

  add(order: WorkingOrder): void {
    this.orders.push(order)
    this.rise(order, this.orders.length - 1)
  }

  /** Takes an order out; one that is not in it is ignored. The key must not have changed since it went in. */
  remove(order: WorkingOrder): void {
    const slot = this.slot(order)
    if (this.orders[slot] !== order) return
    this.seat(order, -1)
    const last = this.orders.pop()!
    if (last === order) return
    const parent = this.orders[(slot - 1) >> 1]
    if (slot > 0 && this.before(last, parent!)) this.rise(last, slot)
    else this.sink(last, slot)
  }

  private rise(order: WorkingOrder, from: number): void {
    const { orders } = this
    let slot = from
    while (slot > 0) {
      const up = (slot - 1) >> 1
      const parent = orders[up]!
      if (!this.before(order, parent)) break
      orders[slot] = parent
      this.seat(parent, slot)
      slot = up
    }
    orders[slot] = order
    this.seat(order, slot)
  }

  private sink(order: WorkingOrder, from: number): void {
    const { orders } = this
    let slot = from
    for (;;) {
      let down = 2 * slot + 1
      if (down >= orders.length) break
      if (down + 1 < orders.length && this.before(orders[down + 1]!, orders[down]!)) down++
      const child = orders[down]!
      if (!this.before(child, order)) break
      orders[slot] = child
      this.seat(child, slot)
      slot = down
    }
    orders[slot] = order
    this.seat(order, slot)
  }
}

/** Heaps by the price that the market must reach. */
abstract class PriceHeap extends OrderHeap {
  protected slot(order: WorkingOrder): number {
    return order.slot
  }

  protected seat(order: WorkingOrder, slot: number): void {
    order.slot = slot
  }

  protected abstract reached(order: WorkingOrder, price: WorkingOrder['price']): boolean

  /** Adds every order that a price reaches to `into`, in no promised order, and looks at few others. */
  reach(price: WorkingOrder['price'], into: WorkingOrder[]): void {
    if (this.orders.length > 0 && this.reached(this.orders[0]!, price)) this.walk(0, price, into)
  }

  private walk(slot: number, price: WorkingOrder['price'], into: WorkingOrder[]): void {
    into.push(this.orders[slot]!)
    for (let down = 2 * slot + 1; down <= 2 * slot + 2; down++) {
      const child = this.orders[down]
      if (child !== undefined && this.reached(child, price)) this.walk(down, price, into)
    }
  }
}

/** What a falling market reaches, buy limits and sell stops: the highest price first. */
export class FallingHeap extends PriceHeap {
  protected before(a: WorkingOrder, b: WorkingOrder): boolean {
    return a.price > b.price
  }

  protected reached(order: WorkingOrder, price: WorkingOrder['price']): boolean {
    return order.price >= price
  }
}

/** What a rising market reaches, sell limits and buy stops: the lowest price first. */
export class RisingHeap extends PriceHeap {
  protected before(a: WorkingOrder, b: WorkingOrder): boolean {
    return a.price < b.price
  }

  protected reached(order: WorkingOrder, price: WorkingOrder['price']): boolean {
    return order.price <= price
  }
}

/** Orders by the moment at which they expire. */
export class DueHeap extends OrderHeap {
  protected before(a: WorkingOrder, b: WorkingOrder): boolean {
    return a.expiresAt < b.expiresAt
  }

  protected slot(order: WorkingOrder): number {
    return order.due
  }

  protected seat(order: WorkingOrder, slot: number): void {
    order.due = slot
  }

  /** Adds every order that is over at `time` to `into`, and takes it out. */
  drain(time: number, into: WorkingOrder[]): void {
    for (let top = this.first; top !== undefined && top.expiresAt <= time; top = this.first) {
      this.remove(top)
      into.push(top)
    }
  }
}
