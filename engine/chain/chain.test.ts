import * as fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { chainEvent } from '../events/chain-event.ts'
import { decodeBody } from '../events/envelope.ts'
import { history, play } from '../testing/arbitraries.ts'
import {
  asChainEvent,
  bar,
  control,
  dayEnd,
  fill,
  opened,
  report,
  settings,
  signal,
  started,
  stateText,
} from '../testing/fixtures.ts'
import { Given, given, RecordedBook } from '../testing/given.ts'
import { Chain } from './chain.ts'

/** Buys at every up-cross of two very short averages. */
const CROSS = { name: 'sma_cross', params: { fast: 1, slow: 2, size: '10' } }

test('each consequence comes with its own consequences before its next sibling', () => {
  const chain = given(
    ...opened({ strategies: [CROSS, { ...CROSS, params: { ...CROSS.params, size: '3' } }] }),
  ).and(bar('A', 0, 10), bar('A', 1, 9))
  const outcome = chain
    .when(bar('A', 2, 11))
    .leadsTo(
      'feature.computed',
      ['signal.raised', { qty: '10' }],
      ['risk.verdict', { verdict: 'approved', orderIds: [1] }],
      ['order.intended', { orderId: 1, qty: '10' }],
      'feature.computed',
      ['signal.raised', { qty: '3' }],
      ['risk.verdict', { verdict: 'approved', orderIds: [2] }],
      ['order.intended', { orderId: 2, qty: '3' }],
    )
  const causes = outcome.consequences.map(({ because }) => because)
  assert.equal(causes, [0, 0, 2, 3, 0, 0, 6, 7])
  for (const { event } of outcome.consequences) assert.is(event.at, dayEnd(2))
})

test('a later processor sees the cause before its consequences', () => {
  // Risk judges with the close of the very bar that led to the signal.
  const chain = given(...opened({ strategies: [CROSS], risk: { maxOrderNotional: '1000' } }))
  chain.and(bar('A', 0, 10), bar('A', 1, 9))
  const verdict = chain.when(bar('A', 2, 101)).one('risk.verdict')
  assert.is(verdict.code, 'max_order_notional')
  assert.is(verdict.observed, '1010')
})

test('indices count within the step, and start anew with the next', () => {
  const chain = new Chain()
  for (const input of opened()) chain.step(asChainEvent(input), () => assert.unreachable())
  chain.step(asChainEvent(bar('A', 0, 10)), () => assert.unreachable())
  for (const id of ['a', 'b']) {
    const indices: number[] = []
    const input = asChainEvent(signal(0, { signalId: id, qty: '1' }))
    chain.step(input, (_, index) => indices.push(index))
    assert.equal(indices, [1, 2])
  }
})

test('events that no processor handles pass without effect', () => {
  const chain = given(...opened(), bar('A', 0, 10))
  const before = stateText(chain.table)
  chain
    .when({
      type: 'order.anomaly',
      at: dayEnd(0),
      data: { orderId: 1, status: 'filled', event: 'order.filled', code: 'not_in_table' },
    })
    .leadsTo()
  assert.is(stateText(chain.table), before)
})

test('what a processor throws comes out of step, and the chain refuses to go on', () => {
  const chain = given(...opened())
  const broken = started(settings({ strategies: [{ name: 'no_such', params: {} }] }))
  assert.throws(() => chain.when(broken), /there is no strategy "no_such"/)
  for (const input of [bar('A', 0, 10), control(0, 'halt'), broken]) {
    assert.throws(() => chain.when(input), /there is no strategy "no_such"/)
    assert.throws(() => chain.recorded(input), /there is no strategy "no_such"/)
  }
})

test('an error in the middle of a step comes out of that step', () => {
  // The fill passes the portfolio, whose decimals refuse it.
  const chain = given(...opened(), bar('A', 0, 10), signal(0, { qty: '1' }))
  assert.throws(() => chain.when(fill(0, 1, 'buy', '1x', '10')), /"1x" is not a decimal/)
  assert.throws(() => chain.when(bar('A', 1, 10)), /"1x" is not a decimal/)
})

test('fold returns what would follow and follows none of it', () => {
  const chain = new Given().and(...opened(), bar('A', 0, 10))
  const emitted = chain.chain.fold(asChainEvent(signal(0, { qty: '1' })))
  assert.equal(
    emitted.map((event) => event.type),
    ['risk.verdict'],
  )
  assert.is(chain.table.orders.lastOrderId, 0)
  assert.equal(chain.chain.fold(asChainEvent(report(0, 77, 'accepted'))).length, 1)
  assert.equal(chain.chain.fold(asChainEvent(bar('A', 1, 10))), [])
})

/** Folds a stored book into a new chain. */
function recover(book: RecordedBook): Chain {
  const chain = new Chain()
  for (const stored of book.stored) chain.fold(chainEvent(decodeBody(stored)))
  return chain
}

test('recovery: the state folded from the book is the state that wrote it', () => {
  fc.assert(
    fc.property(history, (past) => {
      const book = new RecordedBook()
      play(past, book.chain.table, book.take)
      assert.is(stateText(recover(book).table), stateText(book.chain.table))
    }),
    { numRuns: 150 },
  )
})

test('recovery: a recovered chain goes on exactly as the one that never stopped', () => {
  fc.assert(
    fc.property(history, history, (past, future) => {
      const book = new RecordedBook()
      play(past, book.chain.table, book.take)
      const recovered = recover(book)
      play(future, book.chain.table, (input) => {
        const goesOn: string[] = []
        const starts: string[] = []
        book.chain.step(asChainEvent(input), (...all) => goesOn.push(JSON.stringify(all)))
        recovered.step(asChainEvent(input), (...all) => starts.push(JSON.stringify(all)))
        assert.equal(starts, goesOn)
      })
      assert.is(stateText(recovered.table), stateText(book.chain.table))
    }),
    { numRuns: 60 },
  )
})

test('two chains do not touch each other', () => {
  const inputs = [
    ...opened({ strategies: [CROSS] }),
    bar('A', 0, 10),
    bar('A', 1, 9),
    bar('A', 2, 11),
  ]
  const alone = given(...inputs)
  const one = new Given()
  const other = new Given()
  for (const input of inputs) {
    one.when(input)
    other.when(
      input.type === 'market.bar' ? { ...input, data: { ...input.data, close: '5' } } : input,
    )
  }
  assert.is(stateText(one.table), stateText(alone.table))
  assert.is(other.table.orders.lastOrderId, 0)
})

test('a book of random trading reaches every state and denies as well as approves', () => {
  // The properties above prove little when random histories never trade.
  const seen = new Set<string>()
  const histories = fc.sample(history, { numRuns: 800, seed: 7 })
  for (const past of histories) {
    const chain = new Given()
    play(past, chain.table, (input) => {
      for (const { event } of chain.when(input).consequences) {
        seen.add(event.type)
        if (event.type === 'risk.verdict') seen.add(event.data.code)
        if (event.type === 'risk.state_changed') seen.add(`${event.data.to} ${event.data.code}`)
        if (event.type === 'order.anomaly') seen.add(event.data.code)
      }
    })
  }
  const wanted = [
    'feature.computed',
    'order.cancel_requested',
    'approved',
    'flatten',
    'stale',
    'unknown_symbol',
    'no_price',
    'nothing_to_close',
    'exceeds_position',
    'insufficient_cash',
    'quantity_zero',
    'unknown_outcomes',
    'halted',
    'reducing',
    'max_order_notional',
    'max_position',
    'max_gross_exposure',
    'price_collar',
    'HALTED max_drawdown',
    'HALTED operator_halt',
    'REDUCING max_daily_loss',
    'ACTIVE day_ended',
    'ACTIVE operator_resume',
    'unknown_order',
    'ended_twice',
    'fill_after_rejection',
    'exits_canceled_first',
    'close',
    'take_profit',
    'stop_loss',
    'held_by_legs',
    'replace',
    'cancel',
    'order_open',
    'order_change',
    'not_listed',
    'fill_after_end',
    'equity',
    'entries_canceled',
    'overfill',
    'fill_mismatch',
  ]
  assert.equal(
    wanted.filter((name) => !seen.has(name)),
    [],
  )
})

test('after a failure nothing more changes the state', () => {
  const chain = given(...opened())
  const broken = started(settings({ strategies: [{ name: 'no_such', params: {} }] }))
  assert.throws(() => chain.when(broken), /no_such/)
  const before = stateText(chain.table)
  for (const n of [0, 1]) {
    assert.throws(() => chain.when(bar('A', n, 10)), /no_such/)
    assert.throws(() => chain.recorded(bar('A', n, 10)), /no_such/)
  }
  assert.is(chain.table.market.bars, 0)
  assert.is(stateText(chain.table), before)
})

test('a host that throws in the middle of a step has no chain to go on with', () => {
  const { chain, table } = given(...opened(), bar('A', 0, 10))
  const full = new Error('the disk is full')
  const fail = () => {
    throw full
  }
  const thrown = (run: () => void): unknown => {
    try {
      run()
    } catch (error) {
      return error
    }
    return null
  }
  assert.is(
    thrown(() => chain.step(asChainEvent(signal(0, { qty: '1' })), fail)),
    full,
  )
  assert.is(table.orders.lastOrderId, 0, 'what was not heard of did not happen')
  const before = stateText(table)
  for (const input of [bar('A', 1, 11), signal(1, { signalId: 's2', qty: '1' })]) {
    assert.is(
      thrown(() => chain.step(asChainEvent(input), () => {})),
      full,
    )
    assert.is(
      thrown(() => chain.fold(asChainEvent(input))),
      full,
    )
  }
  assert.is(stateText(table), before)
  assert.is(table.market.bars, 1)
})

test.run()
