import fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { format, ZERO } from '../decimal.ts'
import { bar, control, type Input, settings, signal } from '../testing/fixtures.ts'
import { verify } from '../testing/given.ts'
import { SimulatedBook } from '../testing/simulated-book.ts'
import { remaining } from '../trading/order-state.ts'

type Wish =
  | { do: 'bar'; open: number; close: number; volume: number }
  | {
      do: 'enter'
      side: 'buy' | 'sell'
      type: 'market' | 'limit' | 'stop'
      qty: number
      exits: number
    }
  | { do: 'close'; day: boolean; qty: number }
  | { do: 'cancel' | 'shrink'; which: number }
  | { do: 'flatten' | 'cancel-all' | 'halt' | 'resume' }

const at = fc.double({ min: 0.97, max: 1.03, noNaN: true })
const wishes: fc.Arbitrary<Wish> = fc.oneof(
  {
    weight: 10,
    arbitrary: fc.record({
      do: fc.constant('bar' as const),
      open: at,
      close: at,
      volume: fc.nat(120),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('enter' as const),
      side: fc.constantFrom('buy', 'sell'),
      type: fc.constantFrom('market', 'limit', 'stop'),
      qty: fc.integer({ min: 1, max: 30 }),
      exits: fc.nat(3),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant('close' as const), day: fc.boolean(), qty: fc.nat(10) }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constantFrom('cancel', 'shrink'), which: fc.nat(20) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constantFrom('flatten', 'cancel-all', 'halt', 'resume', 'resume'),
    }),
  },
)

/** A book in which wishes come true as far as risk, limits of volume and the broker let them. */
class Day {
  readonly sim: SimulatedBook
  #bars = 0
  #ids = 0
  #price = 100

  constructor(fill: 'next-open' | 'same-close') {
    const exchange = { cash: '1000000', participation: 0.1, slippageBps: 0, fill }
    this.sim = new SimulatedBook(settings({ exchange }))
    this.bar(1, 1, 1000)
  }

  bar(open: number, close: number, volume: number): void {
    const o = this.#price * open
    this.#price = Number((o * close).toFixed(2))
    const text = (value: number) => value.toFixed(2)
    const ends = [Number(text(o)), this.#price]
    const [low, high] = [Math.min(...ends) * 0.99, Math.max(...ends) * 1.01]
    const shape = { open: text(o), high: text(high), low: text(low), volume: String(volume) }
    this.sim.take(bar('A', this.#bars++, this.#price, shape as never))
  }

  wish(wish: Wish): void {
    const input = this.#input(wish)
    if (input !== null) this.sim.take(input)
  }

  #input(wish: Wish): Input | null {
    const now = this.#bars - 1
    const id = `w${++this.#ids}`
    const open = [...this.sim.table.orders.open.values()]
    switch (wish.do) {
      case 'bar':
        this.bar(wish.open, wish.close, wish.volume)
        return null
      case 'enter': {
        const up = wish.side === 'buy' ? 1 : -1
        const away = { market: 0, limit: -0.01, stop: 0.01 }[wish.type]
        const price = this.#price * (1 + up * away)
        return signal(now, {
          signalId: id,
          ...{ side: wish.side, qty: String(wish.qty), orderType: wish.type, timeInForce: 'gtc' },
          ...(wish.type === 'limit' && { limitPrice: price.toFixed(2) }),
          ...(wish.type === 'stop' && { stopPrice: price.toFixed(2) }),
          ...(wish.exits % 2 === 1 && { takeProfit: (price * (1 + up * 0.02)).toFixed(2) }),
          ...(wish.exits >= 2 && { stopLoss: (price * (1 - up * 0.02)).toFixed(2) }),
        })
      }
      case 'close':
        return signal(now, {
          ...{ signalId: id, side: 'close', timeInForce: wish.day ? 'day' : 'gtc' },
          ...(wish.qty > 0 && { qty: String(wish.qty) }),
        })
      case 'cancel': {
        const order = open[wish.which % open.length]
        return order === undefined
          ? null
          : control(now, 'cancel-order', id, { orderId: order.orderId })
      }
      case 'shrink': {
        const order = open[wish.which % open.length]
        return order === undefined
          ? null
          : control(now, 'replace-order', id, { orderId: order.orderId, qty: '1' })
      }
      default:
        return control(now, wish.do, id)
    }
  }

  /**
   * Shares that exits would trade beyond what they guard, once their entries and the closes before those have traded;
   * zero where the engine is closing the symbol anyway.
   */
  excess(): number {
    const { orders, portfolio, risk } = this.sim.table
    if (risk.flattening.has('A')) return 0
    const open = [...orders.open.values()]
    const exits = open.filter(({ parentId }) => parentId !== null)
    const [exit] = exits
    if (exit === undefined) return 0
    const groups = new Map<number, number>()
    for (const leg of exits) {
      const before = groups.get(leg.parentId!) ?? 0
      groups.set(leg.parentId!, Math.max(before, Number(remaining(leg))))
    }
    const held = Number(portfolio.holdings.get('A')?.qty ?? ZERO)
    let guarded = exit.side === 'sell' ? held : -held
    for (const order of open) {
      const counts = order.terms.orderClass !== undefined || order.reducing
      if (order.parentId === null && order.side !== exit.side && counts) {
        guarded += Number(remaining(order))
      }
    }
    return Math.max(0, [...groups.values()].reduce((sum, qty) => sum + qty, 0) - guarded)
  }
}

for (const fill of ['next-open', 'same-close'] as const) {
  test(`exits never trade more than they guard, whatever is cancelled or expires (fill: ${fill})`, () => {
    fc.assert(
      fc.property(fc.array(wishes, { minLength: 30, maxLength: 60 }), (list) => {
        const day = new Day(fill)
        for (const [n, wish] of list.entries()) {
          day.wish(wish)
          assert.is(day.excess(), 0, `after ${n}: ${JSON.stringify(wish)}`)
        }
        day.wish({ do: 'resume' })
        day.wish({ do: 'flatten' })
        for (let n = 0; n < 4; n++) day.bar(1, 1, 1_000_000)
        const { orders, portfolio } = day.sim.table
        assert.is(format(portfolio.holdings.get('A')?.qty ?? ZERO), '0')
        assert.is(orders.open.size, 0)
        assert.ok(verify(day.sim.book.stored).ok)
      }),
      { numRuns: 800 },
    )
  })
}

test.run()
