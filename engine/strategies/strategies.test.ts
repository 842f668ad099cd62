import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { bar, dayEnd, fill, opened, settings, signal, started } from '../testing/fixtures.ts'
import { given } from '../testing/given.ts'

const cross = (fast: number, slow: number, size: string) => ({
  name: 'sma_cross',
  params: { fast, slow, size },
})

test('without a strategy bars raise nothing', () => {
  const chain = given(...opened(), bar('A', 0, 4), bar('A', 1, 2))
  chain.when(bar('A', 2, 8)).leadsTo()
  assert.is(chain.table.strategies.signals, 0)
})

test('strategies are asked in the order of the settings, and number their signals together', () => {
  const chain = given(...opened({ strategies: [cross(1, 3, '5'), cross(1, 2, '7')] }))
  chain.and(bar('A', 0, 8), bar('A', 1, 4), bar('A', 2, 2))
  const raised = chain.when(bar('A', 3, 16)).all('signal.raised')
  assert.equal(
    raised.map(({ signalId, qty }) => `${signalId} ${qty}`),
    ['sma_cross-1 5', 'sma_cross-2 7'],
  )
  assert.is(chain.table.strategies.signals, 2)
  chain.and(fill(3, 1, 'buy', '5', '16'), fill(3, 2, 'buy', '7', '16'))
  const next = chain.when(bar('A', 4, 1)).all('signal.raised')
  assert.equal(
    next.map(({ signalId, side }) => `${signalId} ${side}`),
    ['sma_cross-3 close', 'sma_cross-4 close'],
  )
})

test('symbols are judged apart: features, positions and working orders', () => {
  const chain = given(...opened({ strategies: [cross(1, 2, '5')] }))
  chain.and(bar('A', 0, 4), bar('B', 0, 40), bar('A', 1, 2), bar('B', 1, 80))
  assert.is(chain.when(bar('A', 2, 8)).one('order.intended').symbol, 'A')
  assert.is(chain.when(bar('B', 2, 20)).all('signal.raised').length, 0, 'flat: nothing to close')
  assert.is(chain.when(bar('B', 3, 90)).one('order.intended').symbol, 'B')
})

test('the values of a decision are recorded once per strategy and bar, and never NaN', () => {
  const reverse = { name: 'sma_cross', params: { fast: 1, slow: 2, mode: 'reverse', size: '5' } }
  const chain = given(...opened({ strategies: [reverse] }), bar('A', 0, 4), bar('A', 1, 2))
  chain.and(bar('A', 2, 8), fill(2, 1, 'buy', '5', '8'))
  const outcome = chain.when(bar('A', 3, 1))
  assert.equal(
    outcome.all('signal.raised').map(({ side }) => side),
    ['close', 'sell'],
  )
  const { values } = outcome.one('feature.computed')
  assert.ok(Object.values(values).every((value) => Number.isFinite(value)))
})

test('manual signals are not counted as signals of strategies', () => {
  const chain = given(...opened({ strategies: [cross(1, 2, '5')] }), bar('A', 0, 4), bar('A', 1, 2))
  chain.and(signal(1, { qty: '1' }))
  assert.is(chain.table.strategies.signals, 0)
})

test('a change of settings changes strategies from the next bar on; warm features stay warm', () => {
  const chain = given(...opened({ strategies: [cross(1, 2, '5')] }), bar('A', 0, 4), bar('A', 1, 2))
  chain.and(started(settings({ strategies: [cross(1, 2, '9')] }), dayEnd(1)))
  assert.is(chain.when(bar('A', 2, 8)).one('signal.raised').qty, '9')
})

test('the same settings recorded again, at a restart, change nothing', () => {
  const same = settings({ strategies: [cross(1, 2, '5')] })
  const chain = given(...opened({ strategies: [cross(1, 2, '5')] }), bar('A', 0, 4), bar('A', 1, 2))
  const before = chain.table.strategies.instances
  chain.and(started(same, dayEnd(1)))
  assert.is(chain.table.strategies.instances, before)
  assert.is(chain.when(bar('A', 2, 8)).all('signal.raised').length, 1)
})

test.run()
