import fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { ChainSettings } from '../../schemas/types.gen.ts'
import { decodeBody } from '../events/envelope.ts'
import { chainEvent } from '../events/chain-event.ts'
import { action, bar, control, type Input, settings, signal } from '../testing/fixtures.ts'
import { SimulatedBook } from '../testing/simulated-book.ts'
import { OrderWatch } from './order-watch.ts'
import { takeOver } from './take-over.ts'

const exits = fc.constantFrom<object>(
  {},
  {},
  { takeProfit: 1.06, stopLoss: 0.95 },
  { takeProfit: 1.03 },
  { stopLoss: 0.97 },
  { trailPercent: '4' },
)

interface Scene {
  closes: number[]
  acts: { day: number; make: (day: number, close: number, index: number) => Input }[]
}

/** Bars of two symbols, and what operators do meanwhile. */
const scene: fc.Arbitrary<Scene> = fc.record({
  closes: fc
    .array(fc.integer({ min: -300, max: 300 }), { minLength: 20, maxLength: 30, size: 'max' })
    .map((moves) => {
      let cents = 5000
      return moves.map((move) => (cents = Math.max(1000, cents + move)) / 100)
    }),
  acts: fc.array(
    fc.record({
      day: fc.nat(18),
      make: fc.oneof(
        {
          weight: 6,
          arbitrary: fc
            .record({
              symbol: fc.constantFrom('A', 'B'),
              side: fc.constantFrom('buy' as const, 'sell' as const),
              qty: fc.constantFrom('10', '25', '40'),
              type: fc.constantFrom('market' as const, 'limit' as const, 'stop' as const),
              away: fc.constantFrom(0.9, 0.95, 0.99, 1.01, 1.05, 1.1),
              tif: fc.constantFrom('gtc' as const, 'gtc' as const, 'day' as const),
              exits,
            })
            .map((made) => (day: number, close: number, index: number): Input => {
              const { symbol, side, qty, type, away, tif } = made
              const at = (close * away).toFixed(2)
              const up = side === 'buy' ? 1 : -1
              const legs: Record<string, string> = {}
              for (const [name, value] of Object.entries(made.exits)) {
                legs[name] =
                  typeof value === 'string' ? value : (close * (1 + up * (value - 1))).toFixed(2)
              }
              return signal(day, {
                signalId: `m${index}`,
                symbol,
                side,
                qty,
                orderType: type,
                timeInForce: tif,
                ...(type === 'limit' && { limitPrice: at }),
                ...(type === 'stop' && { stopPrice: at }),
                ...legs,
              })
            }),
        },
        {
          weight: 1,
          arbitrary: fc
            .constantFrom('cancel-all' as const, 'flatten' as const)
            .map(
              (what) => (day: number, _: number, index: number) => control(day, what, `k${index}`),
            ),
        },
        {
          weight: 2,
          arbitrary: fc.integer({ min: 1, max: 8 }).map((orderId) => {
            return (day: number, close: number, index: number) =>
              control(day, 'replace-order', `k${index}`, {
                orderId,
                limitPrice: (close * 0.98).toFixed(2),
              })
          }),
        },
        {
          weight: 1,
          arbitrary: fc
            .constantFrom('2', '0.5')
            .map((ratio) => (day: number) => action(day + 1, 'split', ratio, { symbol: 'A' })),
        },
      ),
    }),
    { minLength: 10, maxLength: 24, size: 'max' },
  ),
})

function inputsOf({ closes, acts }: Scene): Input[] {
  const inputs: Input[] = []
  for (const [day, close] of closes.entries()) {
    const shape = { open: close - 0.2, high: close + 0.9, low: close - 0.9 }
    inputs.push(bar('A', day, close, shape))
    if (day % 3 !== 1) inputs.push(bar('B', day, close + 1, { ...shape, high: close + 1.5 }))
    for (const [index, act] of acts.entries()) {
      if (act.day === day) inputs.push(act.make(day, close, index))
    }
  }
  return inputs
}

const SETTINGS: ChainSettings = settings({
  risk: null,
  exchange: { cash: '100000', commission: '0.001' },
})

test('an exchange that takes over at any moment goes on as the one before would have', () => {
  const met = { open: 0, legs: 0, trailing: 0, day: 0 }
  fc.assert(
    fc.property(scene, fc.double({ min: 0.1, max: 0.8, noNaN: true }), (made, part) => {
      const inputs = inputsOf(made)
      const whole = new SimulatedBook(SETTINGS)
      for (const input of inputs) whole.take(input)

      const changed = new SimulatedBook(SETTINGS)
      const watch = new OrderWatch()
      const at = Math.floor(part * inputs.length)
      let seen = 0
      for (const [index, input] of inputs.entries()) {
        if (index === at) {
          for (const order of changed.table.orders.open.values()) {
            met.open++
            if (order.parentId !== null) met.legs++
            if (order.terms.type === 'trailing_stop') met.trailing++
            if (order.terms.timeInForce === 'day') met.day++
          }
          const { exchange, asks, orphans } = takeOver(changed.table, watch, input.at)
          assert.is(asks.length + orphans.length, 0, 'the broker has answered everything')
          changed.driver = changed.driverOf(SETTINGS)
          changed.driver.exchange.restore(JSON.parse(JSON.stringify(exchange)))
        }
        changed.take(input)
        // The watch looks on after the fact: it needs of the table only what the step has left.
        const { stored } = changed.book
        for (; seen < stored.length; seen++) {
          watch.see(chainEvent(decodeBody(stored[seen]!)), changed.table)
        }
      }
      const bodies = (book: SimulatedBook) => book.book.stored.map(({ body }) => body)
      const [now, then] = [bodies(changed), bodies(whole)]
      const first = then.findIndex((body, i) => body !== now[i])
      assert.is(now[first], then[first], `position ${first}, taken over before input ${at}`)
      assert.is(now.length, then.length)
    }),
    { numRuns: 200 },
  )
  for (const [what, count] of Object.entries(met)) assert.ok(count > 20, `${what}: ${count}`)
})

test.run()
