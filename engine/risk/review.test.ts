import * as fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { SignalReceived } from '../../schemas/types.gen.ts'
import { history, play } from '../testing/arbitraries.ts'
import {
  bar,
  control,
  dayEnd,
  fill,
  type Input,
  opened,
  report,
  signal,
} from '../testing/fixtures.ts'
import { Given, given } from '../testing/given.ts'
import { formatTime } from '../time.ts'

const LONG = [signal(0, { qty: '10' }), fill(0, 1, 'buy', '10', '100')]

function verdict(asked: Partial<SignalReceived>, ...past: Input[]) {
  const chain = given(...opened(), bar('A', 0, 100), ...past)
  return chain.when(signal(0, { signalId: 'asked', ...asked })).one('risk.verdict')
}

test('an approval names its order, and holds all that the order needs', () => {
  const asked = { qty: '2.50', orderType: 'stop', stopPrice: '120', timeInForce: 'day' } as const
  const given = verdict(asked)
  assert.equal(given, {
    signalId: 'asked',
    source: 'operator:ana',
    verdict: 'approved',
    orderIds: [1],
    code: 'approved',
    rule: null,
    observed: null,
    limit: null,
    qty: '2.5',
    checks: given.checks,
    order: { symbol: 'A', side: 'buy', type: 'stop', stopPrice: '120', timeInForce: 'day' },
  })
  assert.ok(given.checks.every(({ ok }) => ok))
})

test('a signal is stale once it is older than it may be', () => {
  const at = dayEnd(0)
  const aged = (ms: number) =>
    verdict({ qty: '1', validForMs: 5000, storedAt: formatTime(at - ms) })
  assert.is(aged(0).code, 'approved')
  assert.is(aged(5000).code, 'approved')
  const stale = aged(5001)
  assert.is(stale.code, 'stale')
  assert.is(stale.rule, 'signal_age')
  assert.is(stale.observed, '5.001 s')
  assert.is(stale.limit, '5 s')
  assert.is(aged(-10).code, 'approved', 'a clock that runs ahead')
})

test('a symbol that is not allowed, or has no bar, is unknown; one without a price has no price', () => {
  assert.is(verdict({ qty: '1', symbol: 'ZZZ' }).code, 'unknown_symbol')
  assert.is(verdict({ qty: '1', symbol: 'ZZZ' }).limit, 'A')
  const nothing = given(...opened())
    .when(signal(0, { qty: '1' }))
    .one('risk.verdict')
  assert.is(nothing.code, 'unknown_symbol')
  assert.is(nothing.limit, 'none has a bar yet')
  const listed = given(...opened({ symbols: ['A', 'B'] }), bar('A', 0, 100), bar('C', 0, 100))
  const ask = (symbol: string) => listed.when(signal(0, { symbol, qty: '1' })).one('risk.verdict')
  assert.is(ask('A').code, 'approved')
  assert.is(ask('B').code, 'no_price')
  assert.is(ask('B').rule, 'last_price')
  assert.is(ask('C').code, 'unknown_symbol')
  assert.is(ask('C').limit, 'A, B')
})

test('close sells what is held long and buys back what is short', () => {
  const long = verdict({ side: 'close' }, ...LONG)
  assert.is(long.qty, '10')
  assert.is(long.order?.side, 'sell')
  assert.is(verdict({ side: 'close', qty: 'all' }, ...LONG).qty, '10')
  assert.is(verdict({ side: 'close', qty: '4' }, ...LONG).qty, '4')
  const short = verdict(
    { side: 'close' },
    signal(0, { side: 'sell', qty: '3' }),
    fill(0, 1, 'sell', '3', '9'),
  )
  assert.is(short.qty, '3')
  assert.is(short.order?.side, 'buy')
})

test('nothing to close, and more than there is to close', () => {
  assert.is(verdict({ side: 'close' }).code, 'nothing_to_close')
  const more = verdict({ side: 'close', qty: '10.000000001' }, ...LONG)
  assert.is(more.code, 'exceeds_position')
  assert.is(more.observed, '10.000000001')
  assert.is(more.limit, '10')
  const closing = signal(0, { signalId: 'c', side: 'close', qty: '7' })
  assert.is(verdict({ side: 'close' }, ...LONG, closing).qty, '3', 'the rest')
  assert.is(verdict({ side: 'close', qty: '4' }, ...LONG, closing).code, 'exceeds_position')
  const all = signal(0, { signalId: 'c', side: 'close' })
  assert.is(verdict({ side: 'close' }, ...LONG, all).code, 'nothing_to_close')
})

test('a notional buys the whole shares it covers, at the limit or the last close', () => {
  assert.is(verdict({ notional: '1000' }).qty, '10')
  assert.is(verdict({ notional: '1099.99' }).qty, '10')
  assert.is(verdict({ notional: '1000', orderType: 'limit', limitPrice: '90' }).qty, '11')
  assert.is(verdict({ notional: '1000', orderType: 'stop', stopPrice: '110' }).qty, '9')
  assert.is(verdict({ notional: '1000', side: 'sell' }).order?.side, 'sell')
  const small = verdict({ notional: '99.99' })
  assert.is(small.code, 'quantity_zero')
  assert.is(small.observed, '99.99 buys no whole share')
  assert.is(small.limit, '100')
  assert.is(verdict({}).code, 'quantity_zero', 'neither shares nor value')
})

test('"all" stays "all" for the broker, and is denied without cash for one share', () => {
  const all = verdict({ qty: 'all' })
  assert.is(all.qty, 'all')
  assert.is(all.code, 'approved')
  const poor = verdict({ qty: 'all' }, signal(0, { qty: '100' }), fill(0, 1, 'buy', '100', '99.5'))
  assert.is(poor.code, 'insufficient_cash')
  assert.is(poor.rule, 'quantity')
})

test('unknown outcomes block what opens, never what closes', () => {
  const past = [...LONG, signal(0, { signalId: 'u', qty: '1' }), report(0, 2, 'outcome_unknown')]
  const denied = verdict({ qty: '1' }, ...past)
  assert.is(denied.code, 'unknown_outcomes')
  assert.is(denied.observed, '1')
  assert.is(verdict({ side: 'close' }, ...past).code, 'approved')
  assert.is(verdict({ qty: '1' }, ...past, report(0, 2, 'accepted')).code, 'approved')
  assert.is(verdict({ qty: '1' }, ...past, report(0, 2, 'withheld')).code, 'approved')
})

test('what reduces passes in REDUCING and not in HALTED; what opens passes in neither', () => {
  const loss = opened({ risk: { maxDailyLoss: '0.01', maxDrawdown: '0.9' } })
  const reducing = given(...loss, bar('A', 0, 100), ...LONG, bar('A', 1, 50))
  const ask = (chain: Given, asked: Partial<SignalReceived>) =>
    chain.when(signal(1, { signalId: 'asked', ...asked })).one('risk.verdict')
  assert.is(reducing.table.risk.trading, 'REDUCING')
  assert.is(ask(reducing, { qty: '1' }).code, 'reducing')
  assert.is(ask(reducing, { side: 'sell', qty: '11' }).code, 'reducing', 'through zero opens')
  assert.is(ask(reducing, { side: 'sell', qty: '4' }).code, 'approved')
  assert.is(ask(reducing, { side: 'close' }).qty, '6')
  const halted = given(...opened(), bar('A', 0, 100), ...LONG, control(0, 'halt'))
  for (const asked of [{ qty: '1' }, { side: 'sell', qty: '4' }, { side: 'close' }] as const) {
    const denied = ask(halted, asked)
    assert.is(denied.code, 'halted')
    assert.is(denied.rule, 'trading_state')
    assert.is(denied.observed, 'HALTED')
  }
})

/** Approvals that only take something back. */
const WITHOUT_ORDER = ['entries_canceled', 'exits_canceled_first', 'cancel', 'already_asked']

test('every signal has exactly one verdict, every intent an approval before it', () => {
  const count = { approved: 0, denied: 0 }
  fc.assert(
    fc.property(history, (past) => {
      const chain = new Given()
      play(past, chain.table, (input) => {
        const { consequences } = chain.when(input)
        const events = [{ event: input as { type: string; data: object } }, ...consequences]
        for (const [index, { event }] of events.entries()) {
          const followers = consequences.filter(({ because }) => because === index)
          const verdicts = followers.filter((one) => one.event.type === 'risk.verdict')
          if (event.type === 'signal.received' || event.type === 'signal.raised') {
            assert.is(verdicts.length, 1)
            const given = verdicts[0]!.event.data as { signalId: string; verdict: 'approved' }
            assert.is(given.signalId, (event.data as { signalId: string }).signalId)
            count[given.verdict]++
          } else if (event.type !== 'control.received') {
            for (const { event: one } of verdicts) {
              const { code } = one.data as { code: string }
              assert.ok(
                ['flatten', 'close', 'entry_undone'].includes(code),
                'goes on after a control or a close',
              )
            }
          }
        }
        for (const { event, because } of consequences) {
          if (event.type !== 'order.intended') continue
          const cause = events[because]!.event
          assert.is(cause.type, 'risk.verdict')
          const approval = cause.data as unknown as {
            verdict: string
            orderIds: number[]
            signalId: string
            qty: string
          }
          assert.is(approval.verdict, 'approved')
          assert.ok(approval.orderIds.includes(event.data.orderId))
          assert.is(approval.signalId, event.data.signalId)
          assert.is(approval.qty, event.data.qty)
        }
        for (const data of verdictsOf(consequences)) {
          const broken = data.checks.filter(({ ok }) => !ok)
          if (data.verdict === 'approved') assert.is(broken.length, 0)
          else assert.is(data.rule, broken[0]!.rule, 'the first rule that failed is named')
          const intents = consequences.filter(
            ({ event }) => event.type === 'order.intended' && event.data.signalId === data.signalId,
          )
          assert.is(intents.length, data.orderIds.length)
          assert.is(
            data.orderIds.length > 0 || WITHOUT_ORDER.includes(data.code),
            data.verdict === 'approved',
          )
        }
      })
    }),
    { numRuns: 120 },
  )
  assert.ok(count.approved > 50 && count.denied > 50, JSON.stringify(count))
})

function verdictsOf(consequences: readonly { event: { type: string; data: unknown } }[]) {
  return consequences
    .filter(({ event }) => event.type === 'risk.verdict')
    .map(({ event }) => event.data as ReturnType<typeof verdict>)
}

test('a price below half a nano is no price, whatever the order is sized by', () => {
  const tiny = '0.0000000001'
  const limit = { orderType: 'limit', limitPrice: tiny } as const
  const stop = { orderType: 'stop', stopPrice: tiny } as const
  for (const priced of [limit, stop]) {
    for (const size of [{ notional: '100' }, { qty: '1' }, { qty: 'all' }]) {
      given(...opened(), bar('A', 0, 100))
        .when(signal(0, { ...size, ...priced }))
        .leadsTo([
          'risk.verdict',
          {
            verdict: 'denied',
            code: 'invalid_price',
            rule: 'price',
            observed: tiny,
            limit: '0.000000001 or more',
          },
        ])
    }
    assert.is(verdict({ side: 'close', ...priced }, ...LONG).code, 'invalid_price')
  }
  assert.is(verdict({ qty: '1', orderType: 'limit', limitPrice: '0.000000001' }).code, 'approved')
})

test('nothing is judged by a last close below half a nano', () => {
  const risk = { priceCollar: '0.1' }
  const chain = given(...opened({ risk }), bar('A', 0, '0.0000000001'))
  for (const asked of [{ notional: '100' }, { qty: '1', orderType: 'limit', limitPrice: '5' }]) {
    const denied = chain.when(signal(0, asked as Partial<SignalReceived>)).one('risk.verdict')
    assert.is(denied.code, 'invalid_price')
  }
})

/** An entry for 7 A that works beside what else there is, as the next order. */
const ENTRY = signal(0, { signalId: 'e', qty: '7', orderType: 'limit', limitPrice: '90' })

test('a market close takes back the entries of its symbol that still work', () => {
  const other = signal(0, { signalId: 'b', symbol: 'B', qty: '1' })
  const stop = signal(0, {
    signalId: 'p',
    side: 'close',
    qty: '4',
    orderType: 'stop',
    stopPrice: '80',
  })
  const chain = given(...opened(), bar('A', 0, 100), bar('B', 0, 50), ...LONG, ENTRY, other, stop)
  chain
    .when(signal(0, { signalId: 'c', side: 'close' }))
    .leadsTo(
      ['risk.verdict', { verdict: 'approved', code: 'approved', qty: '6', orderIds: [5] }],
      ['order.intended', { orderId: 5, side: 'sell', qty: '6' }],
      ['order.cancel_requested', { orderId: 2, actor: 'operator:ana', reason: 'close A' }],
    )
})

test('a market close takes back what is left of an entry filled in part', () => {
  const chain = given(...opened(), bar('A', 0, 100), ENTRY)
  chain.and(fill(0, 1, 'buy', '3', '90', { complete: false }))
  chain
    .when(signal(0, { signalId: 'c', side: 'close' }))
    .leadsTo(
      'risk.verdict',
      ['order.intended', { side: 'sell', qty: '3' }],
      ['order.cancel_requested', { orderId: 1 }],
    )
})

test('a market close with nothing held yet cancels the entry and places no order', () => {
  const chain = given(...opened(), bar('A', 0, 100), ENTRY)
  chain.when(signal(0, { signalId: 'c', side: 'close' })).leadsTo(
    [
      'risk.verdict',
      {
        verdict: 'approved',
        code: 'entries_canceled',
        orderIds: [],
        qty: null,
        order: null,
        rule: null,
      },
    ],
    ['order.cancel_requested', { orderId: 1 }],
  )
  chain
    .when(signal(0, { signalId: 'd', side: 'close' }))
    .leadsTo(['risk.verdict', { verdict: 'denied', code: 'nothing_to_close' }])
})

test('a close that is denied, or rests at a limit or stop, leaves entries alone', () => {
  for (const resting of [
    { orderType: 'limit', limitPrice: '120' },
    { orderType: 'stop', stopPrice: '80' },
  ] as const) {
    const chain = given(...opened(), bar('A', 0, 100), ...LONG, ENTRY)
    chain
      .when(signal(0, { signalId: 'c', side: 'close', ...resting }))
      .leadsTo(['risk.verdict', { verdict: 'approved' }], ['order.intended', { qty: '10' }])
    const flat = given(...opened(), bar('A', 0, 100), ENTRY)
    flat
      .when(signal(0, { signalId: 'c', side: 'close', ...resting }))
      .leadsTo(['risk.verdict', { code: 'nothing_to_close' }])
  }
  const chain = given(...opened(), bar('A', 0, 100), ...LONG, ENTRY)
  chain
    .when(signal(0, { signalId: 'c', side: 'close', qty: '11' }))
    .leadsTo(['risk.verdict', { code: 'exceeds_position' }])
})

test.run()
