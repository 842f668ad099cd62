import * as fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { walk } from '../testing/arbitraries.ts'
import { asChainEvent, bar, dayEnd, fill, opened, stateText } from '../testing/fixtures.ts'
import { given } from '../testing/given.ts'
import type { Bar } from './bar.ts'
import { lastClose, marketProcessor, symbolIndex } from './market.ts'

test('symbols are numbered in order of first appearance, and keep their number', () => {
  const state = marketProcessor.initial()
  assert.equal(
    ['B', 'A', 'B', 'C', 'A'].map((symbol) => symbolIndex(state, symbol)),
    [0, 1, 0, 2, 1],
  )
  assert.equal(state.symbols, ['B', 'A', 'C'])
  assert.ok(Number.isNaN(lastClose(state, 'A')), 'known, but without a bar')
  assert.ok(Number.isNaN(lastClose(state, 'Z')), 'unknown')
})

test('the newest bar gives the mark', () => {
  const chain = given(...opened(), bar('A', 0, 10), bar('B', 0, 20), bar('A', 1, 11))
  assert.is(lastClose(chain.table.market, 'A'), 11)
  assert.is(lastClose(chain.table.market, 'B'), 20)
  assert.is(chain.table.market.bars, 3)
})

test('a late bar does not take the mark back; a correction of the newest one moves it', () => {
  const chain = given(...opened(), bar('A', 5, 10), bar('A', 3, 99))
  assert.is(lastClose(chain.table.market, 'A'), 10)
  chain.and(bar('A', 5, 12, { revision: 1 }))
  assert.is(lastClose(chain.table.market, 'A'), 12)
  assert.is(chain.table.market.bars, 3)
})

test('a late bar reaches neither features nor strategies nor the mark of a position', () => {
  const strategies = [{ name: 'sma_cross', params: { fast: 1, slow: 2, size: '1' } }]
  const chain = given(...opened({ strategies }), bar('A', 3, 10), bar('A', 4, 9))
  chain.and(fill(4, 1, 'buy', '10', '9'))
  const before = stateText([chain.table.features, chain.table.portfolio, chain.table.strategies])
  // Each would be an up-cross if it were taken for the newest bar.
  for (const n of [0, 2, 3]) chain.when({ ...bar('A', n, 50), at: dayEnd(4) }).leadsTo()
  assert.is(
    stateText([chain.table.features, chain.table.portfolio, chain.table.strategies]),
    before,
  )
})

test('a correction of the newest bar reaches neither features nor strategies', () => {
  const strategies = [{ name: 'sma_cross', params: { fast: 1, slow: 2, size: '1' } }]
  const chain = given(...opened({ strategies }), bar('A', 0, 10), bar('A', 1, 9))
  const before = stateText([chain.table.features, chain.table.strategies])
  chain.when(bar('A', 1, 50, { revision: 1 })).leadsTo()
  assert.is(stateText([chain.table.features, chain.table.strategies]), before)
  chain
    .when(bar('A', 2, 11))
    .leadsTo('feature.computed', 'signal.raised', 'risk.verdict', 'order.intended')
})

test('a number that a source gave by its own count is put right', () => {
  const chain = given(...opened(), bar('A', 0, 10))
  const event = asChainEvent(bar('B', 0, 20))
  chain.chain.fold(event)
  assert.is((event.data as Bar).symbolIndex, 1)
  const wrong = asChainEvent(bar('B', 1, 21))
  ;(wrong.data as Bar).symbolIndex = 7
  chain.chain.fold(wrong)
  assert.is((wrong.data as Bar).symbolIndex, 1)
  assert.is(lastClose(chain.table.market, 'B'), 21)
})

test('whatever bars come late, market, features and strategies are as without them', () => {
  const strategies = [{ name: 'sma_cross', params: { fast: 1, slow: 2, size: '1' } }]
  const late = fc.record({ back: fc.integer({ min: 1, max: 9 }), close: fc.integer({ min: 1 }) })
  fc.assert(
    fc.property(walk({ min: 1, max: 20 }), fc.array(late, { maxLength: 10 }), (closes, lates) => {
      const with_ = given(...opened({ strategies }))
      const without = given(...opened({ strategies }))
      for (const [n, close] of closes.entries()) {
        with_.and(bar('A', n, close))
        without.and(bar('A', n, close))
        const one = lates[n]
        if (one === undefined) continue
        with_.when({ ...bar('A', n - one.back, one.close), at: dayEnd(n) }).leadsTo()
      }
      for (const room of ['features', 'strategies', 'portfolio', 'orders'] as const) {
        assert.is(stateText(with_.table[room]), stateText(without.table[room]), room)
      }
      assert.is(lastClose(with_.table.market, 'A'), lastClose(without.table.market, 'A'))
    }),
  )
})

test('a bar is late by the bars of its own symbol', () => {
  const strategies = [{ name: 'sma_cross', params: { fast: 1, slow: 2, size: '1' } }]
  const chain = given(...opened({ strategies }), bar('A', 0, 10), bar('A', 1, 9), bar('B', 8, 50))
  assert.is(chain.when({ ...bar('A', 2, 11), at: dayEnd(8) }).one('order.intended').symbol, 'A')
})

test.run()
