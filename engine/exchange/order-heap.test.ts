import * as fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { parse } from '../decimal.ts'
import { DueHeap, FallingHeap, RisingHeap } from './order-heap.ts'
import { readOrder } from './read-order.ts'
import type { WorkingOrder } from './working-orders.ts'

function order(id: number, price: number): WorkingOrder {
  const read = readOrder({
    ...{ clientOrderId: `${id}`, orderId: id, symbol: 'A', side: 'buy', type: 'limit', qty: '1' },
    ...{ limitPrice: `${price}`, timeInForce: 'gtc', expiresAt: price },
  } as const)
  if ('code' in read) throw new Error(read.reason)
  return read
}

const steps = fc.array(
  fc.record({ price: fc.integer({ min: 1, max: 30 }), removes: fc.option(fc.nat(60)) }),
  { maxLength: 80 },
)

function ids(orders: readonly WorkingOrder[]): number[] {
  return orders.map(({ orderId }) => orderId).sort((a, b) => a - b)
}

for (const [name, Heap, reached] of [
  ['falling', FallingHeap, (at: number, price: number) => at >= price],
  ['rising', RisingHeap, (at: number, price: number) => at <= price],
] as const) {
  test(`the ${name} heap finds exactly the orders that a price reaches`, () => {
    fc.assert(
      fc.property(steps, fc.integer({ min: 0, max: 31 }), (list, at) => {
        const heap = new Heap()
        const kept = new Map<number, WorkingOrder>()
        list.forEach(({ price, removes }, id) => {
          const one = order(id, price)
          heap.add(one)
          kept.set(id, one)
          const gone = removes === null ? undefined : kept.get(removes)
          if (gone === undefined) return
          heap.remove(gone)
          heap.remove(gone)
          kept.delete(removes!)
          assert.not(heap.has(gone))
        })
        const found: WorkingOrder[] = []
        const price = parse(`${at}`)
        heap.reach(price, found)
        const wanted = [...kept.values()].filter((one) => reached(Number(one.price) / 1e9, at))
        assert.equal(ids(found), ids(wanted))
        assert.is(heap.size, kept.size)
        for (const one of kept.values()) assert.ok(heap.has(one))
      }),
      { numRuns: 500 },
    )
  })
}

test('the due heap gives up what is over, and keeps the rest', () => {
  fc.assert(
    fc.property(steps, fc.integer({ min: 0, max: 31 }), (list, until) => {
      const heap = new DueHeap()
      const orders = list.map(({ price }, id) => order(id, price))
      for (const one of orders) heap.add(one)
      const over: WorkingOrder[] = []
      heap.drain(until, over)
      assert.equal(ids(over), ids(orders.filter((one) => one.expiresAt <= until)))
      assert.is(heap.size, orders.length - over.length)
      for (let i = 1; i < over.length; i++) {
        assert.ok(over[i - 1]!.expiresAt <= over[i]!.expiresAt)
      }
    }),
    { numRuns: 300 },
  )
})

test.run()
