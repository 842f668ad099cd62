import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { format, ZERO } from '../decimal.ts'
import { given } from '../testing/given.ts'
import {
  action,
  bar,
  control,
  fill,
  opened,
  report,
  settings,
  signal,
} from '../testing/fixtures.ts'
import { SimulatedBook } from '../testing/simulated-book.ts'

const ENTERING = [...opened(), bar('A', 0, 10), signal(0, { qty: '100' })]
const close = signal(0, { signalId: 'c', side: 'close' })

test('an entry that fills although a close took it back is closed again', () => {
  const chain = given(...ENTERING)
  chain
    .when(close)
    .leadsTo(
      ['risk.verdict', { code: 'entries_canceled', orderIds: [] }],
      ['order.cancel_requested', { orderId: 1 }],
    )
  chain
    .when(fill(1, 1, 'buy', '100', '10'))
    .leadsTo(
      ['risk.verdict', { code: 'entry_undone', orderIds: [2], qty: '100', source: 'operator:ana' }],
      ['order.intended', { orderId: 2, side: 'sell', qty: '100' }],
    )
})

test('of an entry in parts, what was held is closed at once and what comes later again', () => {
  const chain = given(...ENTERING, fill(0, 1, 'buy', '30', '10', { complete: false }))
  chain.when(close).one('order.cancel_requested')
  chain.and(fill(1, 2, 'sell', '30', '10'))
  const outcome = chain.when(fill(1, 1, 'buy', '20', '10', { complete: false }))
  assert.is(outcome.one('order.intended').qty, '20')
  chain.and(fill(1, 3, 'sell', '20', '10'), report(1, 1, 'canceled'))
  // It crossed its cancellation on the wire.
  assert.is(
    chain.when(fill(1, 1, 'buy', '5', '10', { complete: false })).one('order.intended').qty,
    '5',
  )
})

test('a flatten looks at the whole position itself; what trades after it is over is undone', () => {
  const chain = given(...ENTERING)
  chain.when(control(0, 'flatten')).leadsTo('order.cancel_requested')
  chain.and(report(0, 1, 'canceled'))
  assert.is(chain.table.risk.flattening.size, 0)
  const late = chain.when(fill(1, 1, 'buy', '100', '10'))
  assert.is(late.one('risk.verdict').code, 'entry_undone')
  assert.is(late.one('order.intended').side, 'sell')
})

test('while trading is halted nothing is sent for it', () => {
  const chain = given(...ENTERING)
  chain.and(close, control(0, 'halt'))
  assert.is(chain.when(fill(1, 1, 'buy', '100', '10')).all('risk.verdict').length, 0)
})

test('an entry that nobody took back is left alone', () => {
  given(...ENTERING)
    .when(fill(1, 1, 'buy', '100', '10'))
    .leadsTo()
})

test('a close that a split cuts short goes on with what is held after the split', () => {
  const broker = new SimulatedBook(settings({ exchange: { participation: 0.1 } }))
  const held = () => [
    format(broker.table.portfolio.holdings.get('A')?.qty ?? ZERO),
    format(broker.driver.exchange.account.position('A')),
  ]
  for (const input of [bar('A', 0, 100), signal(0, { qty: '12' }), bar('A', 1, 100)]) {
    broker.take(input)
  }
  broker.take(control(1, 'flatten'))
  broker.take(bar('A', 2, 100, { volume: '110' }))
  assert.equal(held(), ['1', '1'])
  // Half a share is left to sell and to hold: the order ends, and the position is paid out.
  broker.take(action(3, 'split', '0.5'))
  broker.take(bar('A', 3, 200))
  assert.equal(held(), ['0', '0'])
  assert.is(broker.table.orders.lastOrderId, 2)
  assert.is(broker.table.risk.flattening.size, 0)
})

test.run()
