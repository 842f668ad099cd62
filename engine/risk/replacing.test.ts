import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { format, ZERO } from '../decimal.ts'
import { bar, control, fill, opened, replacement, report, signal } from '../testing/fixtures.ts'
import { type Given, given } from '../testing/given.ts'
import { workingQty } from '../trading/order-state.ts'

/** Order 1: a limit to buy 10 at 99, which the broker has. */
function working(settings: Parameters<typeof opened>[0] = {}): Given {
  const limit = { qty: '10', orderType: 'limit', limitPrice: '99' } as const
  return given(...opened(settings), bar('A', 0, 100), signal(0, limit), report(0, 1, 'accepted'))
}

const replace = (order: object, id = 'r1') =>
  control(0, 'replace-order', id, { orderId: 1, ...order })

test('a cancellation by number is asked for, once, and answered by a verdict of its control', () => {
  const past = working()
  past
    .when(control(0, 'cancel-order', 'c1', { orderId: 1 }))
    .leadsTo(
      ['risk.verdict', { signalId: 'c1', source: 'operator:ana', code: 'cancel', orderIds: [] }],
      ['order.cancel_requested', { orderId: 1, actor: 'ana', reason: 'test' }],
    )
  past
    .when(control(0, 'cancel-order', 'c2', { orderId: 1 }))
    .leadsTo(['risk.verdict', { verdict: 'approved', code: 'already_asked' }])
  past.and(report(0, 1, 'canceled'))
  past
    .when(control(0, 'cancel-order', 'c3', { orderId: 1 }))
    .leadsTo([
      'risk.verdict',
      { verdict: 'denied', code: 'order_open', observed: 'order 1 is canceled' },
    ])
  past
    .when(control(0, 'cancel-order', 'c4', { orderId: 7 }))
    .leadsTo([
      'risk.verdict',
      { verdict: 'denied', code: 'order_known', limit: 'an order from 1 to 1' },
    ])
})

test('a replacement takes over what is not named, and reserves what the larger of both does', () => {
  const past = working()
  past
    .when(replace({ qty: '15' }))
    .leadsTo(
      ['risk.verdict', { code: 'replace', orderIds: [2], replaces: 1, qty: '15' }],
      ['order.replace_requested', { orderId: 1, replacedBy: 2, signalId: 'r1' }],
      ['order.intended', { orderId: 2, replaces: 1, qty: '15', limitPrice: '99', type: 'limit' }],
    )
  assert.is(format(workingQty(past.table.orders, 'A')), '15')
  assert.is(format(past.table.orders.workingNotional), '1485')
  past.when(replacement(0, 1, 'replaced', 2)).leadsTo()
  assert.is(format(workingQty(past.table.orders, 'A')), '15')
  assert.is(past.table.orders.open.get(2)!.status, 'accepted')
  assert.is(past.table.orders.ended.get(1), 'replaced')
})

test("what the original trades is the replacement's too, before and after it took its place", () => {
  const past = working().and(replace({ qty: '15' }))
  past.and(fill(0, 1, 'buy', '4', '99', { complete: false }))
  assert.is(format(workingQty(past.table.orders, 'A')), '11')
  past.and(replacement(0, 1, 'replaced', 2))
  past
    .when(fill(0, 1, 'buy', '2', '99', { complete: false }))
    .leadsTo(['order.anomaly', { orderId: 1, status: 'replaced', code: 'fill_after_end' }])
  assert.is(format(workingQty(past.table.orders, 'A')), '9')
  past.when(fill(0, 2, 'buy', '9', '99')).leadsTo()
  assert.is(workingQty(past.table.orders, 'A'), ZERO)
  assert.is(format(past.table.portfolio.holdings.get('A')!.qty), '15')
})

test('a replacement that raced a fill is refused, and nothing of it stays', () => {
  const past = working().and(replace({ limitPrice: '98' }), fill(0, 1, 'buy', '10', '99'))
  past.when(replacement(0, 1, 'replace_rejected', 2)).leadsTo()
  assert.is(past.table.orders.ended.get(1), 'filled')
  assert.is(past.table.orders.ended.get(2), 'rejected')
  assert.is(past.table.orders.open.size, 0)
  assert.is(past.table.orders.workingNotional, ZERO)
  // Refused while it works: it goes on as it was, and may be replaced again.
  const refused = working().and(replace({ qty: '15' }), replacement(0, 1, 'replace_rejected', 2))
  assert.is(format(workingQty(refused.table.orders, 'A')), '10')
  refused.when(replace({ qty: '12' }, 'r2')).one('order.intended')
})

test('a replacement whose outcome is unknown is settled by what is said of the original', () => {
  const past = working().and(replace({ qty: '15' }), report(0, 2, 'outcome_unknown'))
  assert.is(past.table.orders.unknown, 1)
  past.and(replacement(0, 1, 'replaced', 2))
  assert.is(past.table.orders.unknown, 0)
  assert.is(past.table.orders.open.get(2)!.status, 'accepted')
})

test('what cannot be replaced is denied by name', () => {
  const code = (past: Given, order: object) => {
    const { verdict, code: why } = past.when(replace(order, 'x')).one('risk.verdict')
    return verdict === 'denied' ? why : verdict
  }
  assert.is(code(working(), { qty: '10' }), 'order_change')
  assert.is(code(working(), { limitPrice: '99.0', timeInForce: 'gtc' }), 'order_change')
  assert.is(code(working(), { stopPrice: '98' }), 'order_rules')
  assert.is(code(working(), { trailPercent: '2' }), 'order_rules')
  assert.is(code(working(), { orderId: 5, qty: '3' }), 'order_known')
  assert.is(code(working().and(report(0, 1, 'canceled')), { qty: '3' }), 'order_open')
  const part = working().and(fill(0, 1, 'buy', '4', '99', { complete: false }))
  assert.is(code(part, { qty: '4' }), 'order_change')
  assert.is(code(working().and(replace({ qty: '15' })), { qty: '3' }), 'order_status')
  const canceling = working().and(control(0, 'cancel-order', 'c', { orderId: 1 }))
  assert.is(code(canceling, { qty: '3' }), 'order_status')
  const intended = given(...opened(), bar('A', 0, 100), signal(0, { qty: '5' }))
  assert.is(code(intended, { qty: '3' }), 'order_status')
  const all = given(...opened(), bar('A', 0, 100), signal(0, { qty: 'all' })).and(
    report(0, 1, 'accepted'),
  )
  assert.is(code(all, { qty: '3' }), 'order_rules')
})

test('one that adds is judged as an opening order, in place of the one it replaces', () => {
  const tight = (risk: object) => working({ risk })
  const denied = (past: Given, order: object) => past.when(replace(order)).one('risk.verdict')
  assert.is(denied(tight({ maxPosition: '12' }), { qty: '13' }).code, 'max_position')
  assert.is(denied(tight({ maxPosition: '12' }), { qty: '12' }).verdict, 'approved')
  assert.is(denied(tight({ maxOrderNotional: '1000' }), { qty: '11' }).code, 'max_order_notional')
  assert.is(denied(tight({ maxGrossExposure: '0.12' }), { qty: '13' }).code, 'max_gross_exposure')
  assert.is(denied(tight({ maxGrossExposure: '0.12' }), { qty: '12' }).verdict, 'approved')
  assert.is(denied(tight({ priceCollar: '0.05' }), { limitPrice: '90' }).code, 'price_collar')
  // Less is always allowed by the limits.
  assert.is(denied(tight({ maxPosition: '12' }), { qty: '5' }).verdict, 'approved')
})

test('outside ACTIVE nothing that opens is replaced; halted, nothing at all', () => {
  const held = () =>
    working().and(
      fill(0, 1, 'buy', '10', '99'),
      signal(0, { signalId: 's2', side: 'close', orderType: 'limit', limitPrice: '120' }),
      report(0, 2, 'accepted'),
    )
  const move = { orderId: 2, limitPrice: '119' }
  assert.is(held().when(replace(move)).one('risk.verdict').verdict, 'approved')
  const halted = held()
    .and(control(0, 'halt', 'h'))
    .when(replace(move))
    .one('risk.verdict')
  assert.equal([halted.verdict, halted.code], ['denied', 'halted'])
  const more = held()
    .when(replace({ orderId: 2, qty: '11' }))
    .one('risk.verdict')
  assert.equal([more.code, more.observed, more.limit], ['exceeds_position', '1', '0'])
})

test('the exits of a bracket move in price, and keep the quantity that they share', () => {
  const past = given(...opened(), bar('A', 0, 100)).and(
    signal(0, { qty: '10', takeProfit: '110', stopLoss: '90' }),
    ...[fill(0, 1, 'buy', '10', '100'), report(0, 2, 'accepted'), report(0, 3, 'accepted')],
  )
  const moved = past.when(replace({ orderId: 3, stopPrice: '95' }))
  const intent = moved.one('order.intended')
  assert.equal([intent.replaces, intent.parentId, intent.role], [3, 1, 'stop_loss'])
  past.and(replacement(0, 3, 'replaced', 4))
  assert.is(past.table.orders.legs, 2)
  const qty = past.when(replace({ orderId: 2, qty: '5' }, 'x')).one('risk.verdict')
  assert.equal([qty.verdict, qty.code], ['denied', 'order_rules'])
})

test.run()
