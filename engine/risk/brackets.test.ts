import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { format, ZERO } from '../decimal.ts'
import {
  bar,
  control,
  fill,
  type Input,
  opened,
  report,
  replacement,
  signal,
} from '../testing/fixtures.ts'
import { type Given, given } from '../testing/given.ts'
import { closable, guardedQty, hasLegs, workingQty } from '../trading/order-state.ts'

const EXITS = { takeProfit: '110', stopLoss: '90' } as const

function priced(settings: Parameters<typeof opened>[0] = {}): Given {
  return given(...opened(settings), bar('A', 0, 100))
}

/** Bought 10 with a bracket: order 1, its exits 2 and 3 at work. */
function guarded(settings: Parameters<typeof opened>[0] = {}): Given {
  return priced(settings).and(
    signal(0, { qty: '10', ...EXITS }),
    ...[report(0, 1, 'accepted'), report(0, 2, 'held'), report(0, 3, 'held')],
    ...[fill(1, 1, 'buy', '10', '100'), report(1, 2, 'accepted'), report(1, 3, 'accepted')],
    bar('A', 1, 100),
  )
}

const closeAll = (id: string): Input => signal(1, { signalId: id, side: 'close', qty: 'all' })

test('entry and exits are intended in one step, the entry first', () => {
  const outcome = priced().when(signal(0, { qty: '10', ...EXITS }))
  outcome.leadsTo(
    ['risk.verdict', { orderIds: [1, 2, 3], qty: '10' }],
    ['order.intended', { orderId: 1, side: 'buy', orderClass: 'bracket', legs: [2, 3] }],
    ['order.intended', { orderId: 2, side: 'sell', type: 'limit', limitPrice: '110', parentId: 1 }],
    ['order.intended', { orderId: 3, side: 'sell', type: 'stop', stopPrice: '90', parentId: 1 }],
  )
  const [, tp, sl] = outcome.all('order.intended')
  assert.equal([tp!.role, sl!.role], ['take_profit', 'stop_loss'])
  assert.equal([tp!.qty, tp!.timeInForce, tp!.legs], ['10', 'gtc', undefined])
})

test('one exit makes an oto; a distance in percent a trailing stop; a short entry buys back', () => {
  const one = priced().when(signal(0, { qty: '10', stopLoss: '90' }))
  assert.is(one.one('risk.verdict').order?.orderClass, 'oto')
  const trailing = priced().when(signal(0, { side: 'sell', qty: '10', trailPercent: '2.5' }))
  const [entry, exit] = trailing.all('order.intended')
  assert.equal([entry!.side, entry!.orderClass, entry!.legs], ['sell', 'oto', [2]])
  assert.equal([exit!.side, exit!.type, exit!.trailPercent], ['buy', 'trailing_stop', '2.5'])
  const both = priced().when(signal(0, { qty: '10', takeProfit: '120', trailPercent: '2' }))
  assert.is(both.one('risk.verdict').order?.orderClass, 'bracket')
})

test('an exit on the wrong side of the price is denied with the price it must keep to', () => {
  const denied = (given: object) => {
    const data = priced()
      .when(signal(0, { qty: '10', ...given }))
      .one('risk.verdict')
    assert.is(data.verdict, 'denied')
    return [data.code, data.observed, data.limit]
  }
  assert.equal(denied({ takeProfit: '100' }), ['take_profit', '100', 'above 100'])
  assert.equal(denied({ stopLoss: '100' }), ['stop_loss', '100', 'below 100'])
  assert.equal(denied({ side: 'sell', takeProfit: '101' }), ['take_profit', '101', 'below 100'])
  assert.equal(denied({ side: 'sell', stopLoss: '99' }), ['stop_loss', '99', 'above 100'])
  // Of a limit order it is the limit that counts.
  const limit = { orderType: 'limit', limitPrice: '95' } as const
  assert.equal(denied({ ...limit, stopLoss: '96' }), ['stop_loss', '96', 'below 95'])
  assert.equal(denied({ trailPercent: '100' }), ['trail_percent', '100', 'below 100'])
})

test('what exits do not go with is denied by the rules of orders', () => {
  const rule = (given: object, past = priced()) => {
    const data = past.when(signal(1, { signalId: 'x', ...given })).one('risk.verdict')
    return [data.verdict, data.rule]
  }
  assert.equal(rule({ qty: 'all', ...EXITS }), ['denied', 'order_rules'])
  assert.equal(rule({ qty: '2.5', ...EXITS }), ['denied', 'order_rules'])
  assert.equal(rule({ qty: '5', stopLoss: '90', trailPercent: '2' }), ['denied', 'order_rules'])
  // One that only reduces a position is no entry.
  const short = priced().and(
    signal(0, { side: 'sell', qty: '10' }),
    fill(0, 1, 'sell', '10', '100'),
  )
  assert.equal(rule({ qty: '5', ...EXITS }, short), ['denied', 'order_rules'])
})

test('only the entry reserves; exits reduce, and stay when trading is reduced or halted', () => {
  const past = priced().and(signal(0, { qty: '10', ...EXITS }))
  assert.is(format(past.table.orders.workingNotional), '1000')
  assert.is(format(workingQty(past.table.orders, 'A')), '10')
  const held = guarded()
  assert.is(held.table.orders.workingNotional, ZERO)
  assert.is(workingQty(held.table.orders, 'A'), ZERO)
  assert.is(format(guardedQty(held.table, 'A')), '10')
  assert.is(closable(held.table, 'A'), ZERO)
  held.when(control(1, 'halt')).leadsTo('risk.state_changed')
  // An entry that has not filled is taken back, and the broker takes its exits along.
  past
    .when(control(0, 'halt'))
    .leadsTo('risk.state_changed', ['order.cancel_requested', { orderId: 1 }])
})

test('a close cancels the exits first, and sells when they are gone', () => {
  const past = guarded()
  past
    .when(closeAll('out'))
    .leadsTo(
      ['risk.verdict', { code: 'exits_canceled_first', orderIds: [] }],
      ['order.cancel_requested', { orderId: 2 }],
      ['order.cancel_requested', { orderId: 3 }],
    )
  past.when(report(1, 2, 'canceled')).leadsTo()
  past
    .when(report(1, 3, 'canceled'))
    .leadsTo(
      ['risk.verdict', { code: 'close', signalId: 'out:A', source: 'operator:ana', qty: '10' }],
      ['order.intended', { orderId: 4, side: 'sell', type: 'market' }],
    )
  past.when(fill(2, 4, 'sell', '10', '101')).leadsTo()
  assert.is(past.table.risk.flattening.size, 0)
})

test('an exit that trades while it is being canceled leaves nothing to close', () => {
  const past = guarded().and(closeAll('out'))
  past.when(fill(2, 3, 'sell', '10', '90')).leadsTo()
  past.when(report(2, 2, 'canceled')).leadsTo()
  assert.is(past.table.portfolio.holdings.get('A')!.qty, ZERO)
  assert.is(past.table.risk.flattening.size, 0)
})

test('a refused cancellation is asked for again at the next bar', () => {
  const past = guarded().and(closeAll('out'), report(1, 2, 'canceled'))
  past.when(report(1, 3, 'cancel_rejected')).leadsTo()
  past.when(bar('A', 2, 100)).leadsTo(['order.cancel_requested', { orderId: 3 }])
})

test('a halt ends the wish to close, and a close while halted leaves the exits alone', () => {
  const past = guarded().and(closeAll('out'), control(1, 'halt'))
  past.and(report(1, 2, 'canceled'))
  past.when(report(1, 3, 'canceled')).leadsTo()
  assert.is(past.table.risk.flattening.size, 0)
  const denied = guarded().and(control(1, 'halt')).when(closeAll('out'))
  denied.leadsTo(['risk.verdict', { verdict: 'denied', code: 'halted' }])
})

test('what the exits will sell cannot be sold twice, nor closed in part', () => {
  const sell = guarded().when(signal(1, { signalId: 'x', side: 'sell', qty: '4' }))
  sell.leadsTo([
    'risk.verdict',
    { verdict: 'denied', code: 'held_by_legs', observed: '4', limit: '0' },
  ])
  const part = guarded().when(signal(1, { signalId: 'x', side: 'close', qty: '4' }))
  part.leadsTo(['risk.verdict', { verdict: 'denied', code: 'held_by_legs' }])
  // Shares beside the bracket are free.
  const more = guarded().and(
    signal(1, { signalId: 'more', qty: '5' }),
    fill(1, 4, 'buy', '5', '100'),
  )
  assert.is(format(closable(more.table, 'A')), '5')
  more
    .when(signal(1, { signalId: 'x', side: 'close', qty: '5' }))
    .leadsTo(['risk.verdict', { verdict: 'approved', qty: '5' }], 'order.intended')
})

test("exits whose position is gone otherwise are canceled; siblings are the broker's", () => {
  const past = guarded()
  past
    .when(fill(1, 9, 'sell', '10', '100'))
    .leadsTo(
      ['order.anomaly', { code: 'unknown_order' }],
      ['order.cancel_requested', { orderId: 2, actor: 'engine' }],
      ['order.cancel_requested', { orderId: 3 }],
    )
  guarded()
    .when(fill(1, 2, 'sell', '10', '110'))
    .leadsTo()
})

test('a flatten cancels the exits with the rest and closes what is held', () => {
  const past = guarded()
  past.when(control(1, 'flatten', 'f1')).leadsTo('order.cancel_requested', 'order.cancel_requested')
  past.and(report(1, 2, 'canceled'))
  past
    .when(report(1, 3, 'canceled'))
    .leadsTo(['risk.verdict', { code: 'flatten', signalId: 'f1:A' }], 'order.intended')
})

test('an entry that was taken back and trades all the same is closed behind its exits', () => {
  const past = priced().and(signal(0, { qty: '10', ...EXITS }), report(0, 1, 'accepted'))
  past
    .when(signal(0, { signalId: 'out', side: 'close' }))
    .leadsTo(
      ['risk.verdict', { code: 'entries_canceled' }],
      ['order.cancel_requested', { orderId: 1 }],
    )
  past
    .when(fill(1, 1, 'buy', '10', '100'))
    .leadsTo(['order.cancel_requested', { orderId: 2 }], ['order.cancel_requested', { orderId: 3 }])
  past.and(report(1, 2, 'canceled'))
  past
    .when(report(1, 3, 'canceled'))
    .leadsTo(['risk.verdict', { code: 'close', signalId: 'out:undo-1:A' }], 'order.intended')
})

test('exits end with an entry that never stood at the broker', () => {
  for (const kind of ['withheld', 'rejected'] as const) {
    const past = priced().and(signal(0, { qty: '10', ...EXITS }))
    past.when(report(0, 1, kind)).leadsTo()
    const { open, ended, legs } = past.table.orders
    assert.is(open.size, 0)
    assert.equal(
      [1, 2, 3].map((id) => ended.get(id)),
      [kind, kind, kind],
    )
    assert.is(legs, 0)
    // The broker may say so of each of them.
    if (kind === 'rejected') past.when(report(0, 2, 'rejected')).leadsTo()
  }
  // An exit that the broker holds is the broker's to end.
  const held = priced().and(signal(0, { qty: '10', ...EXITS }), report(0, 2, 'held'))
  held.and(report(0, 1, 'rejected'))
  assert.ok(held.table.orders.open.has(2))
})

test('exits follow the order that replaces their entry', () => {
  const limit = { orderType: 'limit', limitPrice: '95' } as const
  const past = priced().and(
    signal(0, { qty: '10', ...limit, takeProfit: '110', stopLoss: '80' }),
    ...[report(0, 1, 'accepted'), report(0, 2, 'held'), report(0, 3, 'held')],
    control(0, 'replace-order', 'r', { orderId: 1, limitPrice: '96' }),
  )
  past.and(replacement(0, 1, 'replaced', 4))
  assert.is(past.table.orders.open.get(2)!.parentId, 4)
  past.and(fill(1, 4, 'buy', '10', '96'))
  assert.is(format(guardedQty(past.table, 'A')), '10')
  assert.ok(hasLegs(past.table.orders, 'A'))
})

test('a value buys fractions of a share where that is asked for, by market orders of day', () => {
  const fractional = { notional: '150', fractional: true, timeInForce: 'day' } as const
  const outcome = priced().when(signal(0, fractional))
  const intent = outcome.one('order.intended')
  assert.equal([intent.qty, intent.notional], ['notional', '150'])
  const past = priced().and(signal(0, fractional))
  assert.is(format(past.table.orders.workingNotional), '150')
  past.when(fill(1, 1, 'buy', '1.485148514', '101')).leadsTo()
  assert.is(format(past.table.portfolio.holdings.get('A')!.qty), '1.485148514')
  const gtc = priced().when(signal(0, { ...fractional, timeInForce: 'gtc' }))
  assert.is(gtc.one('risk.verdict').code, 'order_rules')
  const whole = priced()
    .when(signal(0, { notional: '150' }))
    .one('order.intended')
  assert.is(whole.qty, '1')
})

/** Verdict and what was seen, of a signal. */
function judged(past: Given, given: Parameters<typeof signal>[1]): (string | null)[] {
  const { code, observed } = past
    .when(signal(1, { signalId: `s${past.table.orders.lastOrderId + 9}`, ...given }))
    .one('risk.verdict')
  return [code, observed]
}

const SHORT_EXITS = { takeProfit: '90', stopLoss: '110' } as const

test('no entry with exits meets a position of the other side: its exits would open one', () => {
  const long = priced().and(signal(0, { qty: '5' }), fill(1, 1, 'buy', '5', '100'))
  const crossing = { side: 'sell', qty: '15', ...SHORT_EXITS } as const
  assert.equal(judged(long, crossing), ['opposite_entry', '5 held'])
  assert.equal(judged(long, { side: 'sell', qty: '15' }), ['approved', null])
  // A reversal: the close is under way in the same moment.
  const reversed = priced().and(signal(0, { qty: '5' }), fill(1, 1, 'buy', '5', '100'))
  assert.equal(judged(reversed, { side: 'close', qty: 'all' }), ['approved', null])
  assert.equal(judged(reversed, crossing), ['approved', null])
})

test('entries of both sides do not stand together where one of them has exits', () => {
  const limit = (side: 'buy' | 'sell', price: string) =>
    ({ side, qty: '10', orderType: 'limit', limitPrice: price }) as const
  const buy = { ...limit('buy', '99'), takeProfit: '120', stopLoss: '80' }
  const sell = { ...limit('sell', '101'), takeProfit: '80', stopLoss: '120' }
  const guardedFirst = priced().and(signal(0, buy))
  assert.equal(judged(guardedFirst, limit('sell', '101')), [
    'opposite_entry',
    'order 1 opens the other way',
  ])
  assert.equal(judged(guardedFirst, limit('buy', '98')), ['approved', null])
  const plainFirst = priced().and(signal(0, limit('buy', '99')))
  assert.equal(judged(plainFirst, sell), ['opposite_entry', 'order 1 opens the other way'])
  assert.equal(judged(plainFirst, limit('sell', '101')), ['approved', null])
  plainFirst.and(report(1, 1, 'canceled'), report(1, 2, 'canceled'))
  assert.equal(judged(plainFirst, sell), ['approved', null])
})

test('a held exit that is replaced is held in its place', () => {
  const past = priced().and(
    signal(0, { qty: '10', ...EXITS }),
    ...[report(0, 1, 'accepted'), report(0, 2, 'held'), report(0, 3, 'held')],
    control(0, 'replace-order', 'r1', { orderId: 3, stopPrice: '95' }),
    replacement(0, 3, 'replaced', 4),
  )
  assert.is(past.table.orders.open.get(4)?.status, 'held')
  past.when(report(0, 4, 'held')).leadsTo()
  past
    .and(fill(1, 1, 'buy', '10', '100'))
    .when(report(1, 4, 'accepted'))
    .leadsTo()
  assert.is(past.table.orders.open.get(4)?.status, 'accepted')
})

/** Short by 10, order 1, with the close of it on its way: order 2, closed by day. */
function closing(): Given {
  return priced().and(
    ...[signal(0, { side: 'sell', qty: '10' }), fill(0, 1, 'sell', '10', '100')],
    signal(0, { signalId: 'c', side: 'close', timeInForce: 'day' }),
  )
}

/** An entry of the other side with exits behind that close: orders 3, 4 and 5. */
const turning = (id = 'turn'): Input => signal(0, { signalId: id, qty: '20', ...EXITS })

test('an entry with exits may stand behind the close of the other side, unless that is being cancelled', () => {
  closing()
    .when(turning())
    .leadsTo(['risk.verdict', { orderIds: [3, 4, 5] }], ...Array(3).fill('order.intended'))
  const accepted = closing().and(report(0, 2, 'accepted'))
  const past = accepted.and(control(0, 'cancel-order', 'x', { orderId: 2 }))
  const { code, observed } = past.when(turning()).one('risk.verdict')
  assert.equal([code, observed], ['opposite_entry', '-10 held'])
  // The broker refuses to cancel it: it counts again.
  past.and(report(0, 2, 'cancel_rejected'))
  assert.is(past.when(turning('again')).one('risk.verdict').verdict, 'approved')
})

test('a close counts only for what is sure of it', () => {
  const rule = (past: Given, given: object = {}) =>
    past.when(signal(0, { signalId: 'x', qty: '20', ...EXITS, ...given })).one('risk.verdict').rule
  // To be replaced by a smaller one.
  const smaller = closing().and(report(0, 2, 'accepted'))
  smaller.and(control(0, 'replace-order', 'r', { orderId: 2, qty: '4' }))
  assert.is(rule(smaller), 'opposite_entry')
  // By value: nobody knows how many shares.
  const short = priced().and(
    ...[signal(0, { side: 'sell', qty: '10' }), fill(0, 1, 'sell', '10', '100')],
    signal(0, {
      signalId: 'v',
      side: 'buy',
      notional: '1000',
      fractional: true,
      timeInForce: 'day',
    } as never),
  )
  assert.is(short.table.orders.open.get(2)?.all, true)
  assert.is(rule(short), 'opposite_entry')
  // More is to be closed than is left: it would eat into what the entry brings in.
  const over = priced().and(
    ...[signal(0, { side: 'sell', qty: '10' }), fill(0, 1, 'sell', '10', '100')],
    signal(0, { signalId: 'p', qty: '5', orderType: 'limit', limitPrice: '95' }),
    ...[signal(0, { signalId: 'c', side: 'close', qty: '5' }), fill(0, 2, 'buy', '5', '95')],
  )
  over.and(fill(0, 9, 'buy', '3', '95'))
  const add = { side: 'sell', takeProfit: '90', stopLoss: '110' } as const
  assert.is(rule(over, add), 'opposite_entry')
})

test('what exits count on is neither cancelled nor made smaller by itself', () => {
  const past = closing().and(report(0, 2, 'accepted'), turning())
  const refused = [
    'risk.verdict',
    {
      verdict: 'denied',
      code: 'opposite_entry',
      observed: 'order 2 closes what exits count on being closed',
    },
  ] as const
  const cancel = (id: string) => control(0, 'cancel-order', id, { orderId: 2 })
  past.when(cancel('x')).leadsTo([...refused])
  past.when(control(0, 'replace-order', 'y', { orderId: 2, qty: '4' })).leadsTo([...refused])
  // An entry whose cancellation is under way may still trade.
  past.and(control(0, 'cancel-order', 'z', { orderId: 3 }))
  past.when(cancel('x2')).leadsTo([...refused])
  past.and(report(0, 4, 'canceled'), report(0, 5, 'canceled'), report(0, 3, 'canceled'))
  past
    .when(cancel('x3'))
    .leadsTo(['risk.verdict', { code: 'cancel' }], ['order.cancel_requested', { orderId: 2 }])
  // Everything at once is no trap.
  const all = closing().and(report(0, 2, 'accepted'), turning())
  assert.is(all.when(control(0, 'cancel-all')).all('order.cancel_requested').length, 4)
  all.when(report(0, 2, 'canceled')).leadsTo()
})

test('a close that ends before it has traded takes the entry with exits behind it along', () => {
  for (const kind of ['expired', 'rejected', 'withheld'] as const) {
    const past = closing().and(turning(), report(0, 3, 'accepted'))
    past
      .when(report(0, 2, kind))
      .leadsTo(['order.cancel_requested', { orderId: 3, actor: 'engine' }])
    past.and(report(0, 4, 'canceled'), report(0, 5, 'canceled'))
    past.when(report(0, 3, 'canceled')).leadsTo()
  }
  // Should it trade all the same, its exits go and what is held is closed.
  const late = closing().and(turning(), report(0, 2, 'expired'))
  late
    .when(fill(0, 3, 'buy', '20', '100'))
    .leadsTo(['order.cancel_requested', { orderId: 4 }], ['order.cancel_requested', { orderId: 5 }])
  late.and(report(0, 4, 'canceled'))
  late
    .when(report(0, 5, 'canceled'))
    .leadsTo(
      ['risk.verdict', { code: 'close', source: 'engine', qty: '10' }],
      ['order.intended', { side: 'sell', type: 'market' }],
    )
  // Nothing counts on it where the entry has no exits.
  const plain = closing().and(signal(0, { signalId: 'turn', qty: '20' }))
  plain.when(report(0, 2, 'expired')).leadsTo()
})

/** The entry behind the close has traded first: 10 held, exits of 20, 10 to be bought yet. */
const turned = (): Given => closing().and(turning(), fill(0, 3, 'buy', '20', '100'))

test('where the entry has traded, all of the symbol is closed in the place of the close', () => {
  const past = turned()
  past
    .when(report(0, 2, 'expired'))
    .leadsTo(['order.cancel_requested', { orderId: 4 }], ['order.cancel_requested', { orderId: 5 }])
  past.and(report(0, 4, 'canceled'))
  past
    .when(report(0, 5, 'canceled'))
    .leadsTo(
      ['risk.verdict', { code: 'close', signalId: 'c:instead-2:A', source: 'engine', qty: '10' }],
      ['order.intended', { orderId: 6, side: 'sell', type: 'market' }],
    )
  // Flat was the wish: what comes in afterwards is left alone.
  past.and(signal(0, { signalId: 'next', qty: '3' }))
  past.when(fill(1, 6, 'sell', '10', '100')).leadsTo()
  past.when(fill(1, 7, 'buy', '3', '100')).leadsTo()
})

test('while trading is halted exits stay and nothing is sent; a resume looks again', () => {
  const past = turned().and(control(0, 'halt'))
  past.when(report(0, 2, 'expired')).leadsTo()
  past
    .when(control(0, 'resume'))
    .leadsTo(
      'risk.state_changed',
      ['order.cancel_requested', { orderId: 4 }],
      ['order.cancel_requested', { orderId: 5 }],
    )
})

test('what is not listed any more is paid out, not closed', () => {
  const past = turned()
  past.when(report(0, 2, 'canceled')).leadsTo('order.cancel_requested', 'order.cancel_requested')
  const gone = turned()
  const canceled = report(0, 2, 'canceled')
  gone.when({ ...canceled, data: { ...canceled.data, code: 'delisted' } } as Input).leadsTo()
})

test('a wish is not over while its close works: what trades beside it is made good', () => {
  const past = guarded().and(closeAll('out'), report(1, 2, 'canceled'), report(1, 3, 'canceled'))
  // An exit that had crossed its cancellation: flat, and the close of the same 10 is still at work.
  past.and(fill(2, 3, 'sell', '10', '90'))
  past
    .when(fill(2, 4, 'sell', '10', '90'))
    .leadsTo(
      ['risk.verdict', { code: 'close', signalId: 'out:A:2', qty: '10' }],
      ['order.intended', { side: 'buy', type: 'market' }],
    )
  past.when(fill(2, 5, 'buy', '10', '90')).leadsTo()
  assert.is(past.table.risk.flattening.size, 0)
})

test.run()
