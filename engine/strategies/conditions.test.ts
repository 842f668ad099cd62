import * as fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { Chain } from '../chain/chain.ts'
import type { ChainEvent } from '../chain/processor.ts'
import { walk } from '../testing/arbitraries.ts'
import { asChainEvent, bar, fill, opened } from '../testing/fixtures.ts'
import { type StrategyConditions, strategyConditions } from './strategies.ts'

const SETTINGS = [
  { name: 'sma_cross', params: { fast: 1, slow: 2, mode: 'long-only', size: '10' } },
  { name: 'sma_cross', params: { fast: 2, slow: 4, mode: 'reverse', size: '10' } },
  {
    name: 'mean_reversion',
    params: {
      period: 2,
      average: 3,
      band: 0.1,
      oversold: 45,
      exit: 55,
      mode: 'long-short',
      size: '10',
    },
  },
  {
    name: 'mean_reversion',
    params: {
      period: 3,
      average: 2,
      band: 0,
      oversold: 50,
      exit: 60,
      mode: 'long-only',
      size: '10',
    },
  },
]

/** Runs a chain, and beside it one that only folds, which is asked at every bar what the strategies saw. */
class Pair {
  readonly chain = new Chain()
  readonly shadow = new Chain()
  raised: string[] = []
  seen: StrategyConditions[] = []
  bars = 0

  input(event: ChainEvent): void {
    const events: ChainEvent[] = [structuredClone(event)]
    this.chain.step(event, (next) => events.push(structuredClone(next)))
    this.raised = events.flatMap((next) => (next.type === 'signal.raised' ? [next.data.side] : []))
    for (const [index, recorded] of events.entries()) {
      this.shadow.fold(recorded)
      if (index > 0 || recorded.type !== 'market.bar') continue
      this.seen = strategyConditions(this.shadow.table, recorded.data, recorded.at)
      this.bars++
    }
  }
}

test('the actions whose conditions are all met are the signals that are raised, and no others', () => {
  let signals = 0
  let idle = 0
  fc.assert(
    fc.property(
      fc.constantFrom(...SETTINGS),
      walk({ min: 5, max: 60 }),
      fc.boolean(),
      (strategy, closes, fills) => {
        const pair = new Pair()
        for (const input of opened({ strategies: [strategy], risk: null }))
          pair.input(asChainEvent(input))
        let order = 0
        for (const [n, close] of closes.entries()) {
          pair.input(asChainEvent(bar('A', n, close)))
          const met = pair.seen.flatMap(({ actions }) =>
            actions
              .filter(({ conditions }) => conditions.every((one) => one.met))
              .map(({ side }) => side),
          )
          assert.equal(met, pair.raised)
          signals += met.length
          if (met.length === 0) idle++
          for (const { orderId, side, qty } of [...pair.chain.table.orders.open.values()]) {
            if (!fills || orderId <= order) continue
            order = orderId
            const shares = String(Number(qty) / 1e9)
            pair.input(asChainEvent(fill(n, orderId, side, shares, String(close))))
          }
        }
      },
    ),
    { numRuns: 200 },
  )
  assert.ok(signals > 300 && idle > 300, `${signals} ${idle}`)
})

test('what is not known yet is said to be so', () => {
  const pair = new Pair()
  for (const input of opened({ strategies: [SETTINGS[1]!] })) pair.input(asChainEvent(input))
  pair.input(asChainEvent(bar('A', 0, 100)))
  const [found] = pair.seen
  assert.is(found?.strategy, 'sma_cross')
  assert.is(found?.actions.length, 4)
  assert.equal(found?.actions[1]?.conditions[1], {
    name: 'sma_2 − sma_4 now',
    observed: null,
    wanted: 'above 0',
    met: false,
  })
})

test.run()
