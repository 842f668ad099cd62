import * as fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { RiskLimits } from '../../schemas/types.gen.ts'
import { dueBefore } from '../chain/timers.ts'
import { format } from '../decimal.ts'
import { history, play } from '../testing/arbitraries.ts'
import {
  bar,
  control,
  dayEnd,
  fill,
  type Input,
  opened,
  report,
  settings,
  signal,
  started,
  timer,
} from '../testing/fixtures.ts'
import { Given, given } from '../testing/given.ts'

/** 100 A at 100: every price move of 1 moves the equity of 10,000 by one percent. */
const HELD: Input[] = [bar('A', 0, 100), signal(0, { qty: '100' }), fill(0, 1, 'buy', '100', '100')]

function held(risk: RiskLimits): Given {
  return given(...opened({ risk }), ...HELD)
}

test('a daily loss at its limit is borne; beyond it trading reduces until the day ends', () => {
  const chain = held({ maxDailyLoss: '0.05' })
  chain.when(bar('A', 1, 95)).leadsTo()
  const same = held({ maxDailyLoss: '0.05' })
  same.when(bar('A', 1, '94.999')).leadsTo(
    [
      'risk.state_changed',
      {
        from: 'ACTIVE',
        to: 'REDUCING',
        code: 'max_daily_loss',
        observed: '0.05001',
        limit: '0.05',
        actor: 'engine',
      },
    ],
    ['timer.set', { name: 'daily-loss-reset', dueAt: '2013-05-15T00:00:00Z' }],
  )
  assert.is(same.table.risk.trading, 'REDUCING')
  // The day has not ended for anything that is stamped with its last moment.
  assert.is(dueBefore(same.table.timers, dayEnd(1)), null)
  const due = dueBefore(same.table.timers, dayEnd(1) + 1)!
  same
    .when(timer(due.name, due.dueAt))
    .leadsTo([
      'risk.state_changed',
      { from: 'REDUCING', to: 'ACTIVE', code: 'day_ended', actor: 'engine' },
    ])
  assert.is(same.table.risk.trading, 'ACTIVE')
  assert.equal(same.table.timers.waiting, [])
})

test('the next day measures its loss from its own first equity', () => {
  const chain = held({ maxDailyLoss: '0.05' }).and(
    bar('A', 1, 90),
    timer('daily-loss-reset', dayEnd(1)),
  )
  chain.when(bar('A', 2, '85.5')).leadsTo()
  chain.when(bar('A', 2, '85.49')).leadsTo('risk.state_changed', 'timer.set')
})

test('the loss of several days together is not a daily loss', () => {
  const chain = held({ maxDailyLoss: '0.05' })
  for (const [n, close] of [96, 92, 88, 84].entries()) chain.when(bar('A', n + 1, close)).leadsTo()
})

test('a state once reached is not announced again while it lasts', () => {
  const chain = held({ maxDailyLoss: '0.05', maxDrawdown: '0.2' }).and(bar('A', 1, 90))
  chain.when(bar('A', 1, 89)).leadsTo()
  chain.when(bar('A', 1, 100)).leadsTo()
  assert.is(chain.table.risk.trading, 'REDUCING', 'latched, although the loss is made good')
  chain.when(bar('A', 1, 79)).leadsTo(['risk.state_changed', { from: 'REDUCING', to: 'HALTED' }])
  chain.when(bar('A', 1, 70)).leadsTo()
})

test('a drawdown beyond its limit halts until an operator resumes', () => {
  const chain = held({ maxDrawdown: '0.1' }).and(bar('A', 1, 120))
  chain.when(bar('A', 2, 108)).leadsTo()
  chain
    .when(bar('A', 3, '107.99'))
    .leadsTo([
      'risk.state_changed',
      { from: 'ACTIVE', to: 'HALTED', code: 'max_drawdown', observed: '0.100083333', limit: '0.1' },
    ])
  chain.and(bar('A', 4, 200), bar('A', 9, 300))
  assert.is(chain.table.risk.trading, 'HALTED')
  chain
    .when(control(9, 'resume'))
    .leadsTo([
      'risk.state_changed',
      { from: 'HALTED', to: 'ACTIVE', code: 'operator_resume', actor: 'ana' },
    ])
})

test('a fill can break a limit as well as a bar', () => {
  const chain = held({ maxDrawdown: '0.1' }).and(
    signal(0, { signalId: 's2', side: 'sell', qty: '60' }),
  )
  chain
    .when(fill(0, 2, 'sell', '60', '80'))
    .leadsTo(['risk.state_changed', { code: 'max_drawdown' }])
})

test('a resume measures loss and drawdown from the equity of that moment', () => {
  const chain = held({ maxDrawdown: '0.1', maxDailyLoss: '0.5' }).and(bar('A', 1, 85))
  assert.is(chain.table.risk.trading, 'HALTED')
  chain.and(control(1, 'resume'))
  assert.is(format(chain.table.risk.peak), '8500')
  assert.is(format(chain.table.risk.dayBase), '8500')
  chain.when(bar('A', 1, '76.5')).leadsTo()
  chain.when(bar('A', 1, '76.49')).leadsTo(['risk.state_changed', { to: 'HALTED' }])
})

test('an operator who halts over a daily loss is not overruled by the end of the day', () => {
  const chain = held({ maxDailyLoss: '0.05' }).and(bar('A', 1, 90))
  chain.when(control(1, 'halt')).leadsTo(['risk.state_changed', { from: 'REDUCING', to: 'HALTED' }])
  chain.when(timer('daily-loss-reset', dayEnd(1))).leadsTo()
  assert.is(chain.table.risk.trading, 'HALTED')
})

test('the end of the day does not lift a drawdown, nor does a timer of another name', () => {
  const chain = held({ maxDailyLoss: '0.05', maxDrawdown: '0.15' }).and(
    bar('A', 1, 90),
    bar('A', 1, 80),
  )
  assert.is(chain.table.risk.cause, 'max_drawdown')
  chain.when(timer('daily-loss-reset', dayEnd(1))).leadsTo()
  const reduced = held({ maxDailyLoss: '0.05' }).and(bar('A', 1, 90))
  reduced.when(timer('something-else', dayEnd(1))).leadsTo()
  assert.is(reduced.table.risk.trading, 'REDUCING')
})

test('after a resume the old timer falls due without effect', () => {
  const chain = held({ maxDailyLoss: '0.05' }).and(bar('A', 1, 90), control(1, 'resume'))
  assert.is(chain.table.timers.waiting.length, 1)
  chain.when(timer('daily-loss-reset', dayEnd(1))).leadsTo()
  assert.equal(chain.table.timers.waiting, [])
})

test('halting is said once; over another cause it is said again', () => {
  const chain = given(...opened(), bar('A', 0, 100))
  const first = chain.when(control(0, 'halt'))
  first.leadsTo([
    'risk.state_changed',
    { from: 'ACTIVE', to: 'HALTED', code: 'operator_halt', reason: 'test' },
  ])
  chain.when(control(0, 'halt', 'k2')).leadsTo()
  const drawn = held({ maxDrawdown: '0.1' }).and(bar('A', 1, 50))
  drawn
    .when(control(1, 'halt'))
    .leadsTo(['risk.state_changed', { from: 'HALTED', to: 'HALTED', code: 'operator_halt' }])
})

test('leaving ACTIVE cancels the orders that open, and leaves those that protect', () => {
  const past = [
    ...HELD,
    signal(0, { signalId: 'o', qty: '1', orderType: 'limit', limitPrice: '90' }),
    signal(0, { signalId: 'p', side: 'close', orderType: 'stop', stopPrice: '80' }),
    signal(0, { signalId: 'q', side: 'sell', qty: '1', orderType: 'limit', limitPrice: '130' }),
  ]
  const cancels = (chain: Given, input: Input) =>
    chain
      .when(input)
      .all('order.cancel_requested')
      .map(({ orderId }) => orderId)
  assert.equal(cancels(given(...opened(), ...past), control(0, 'halt')), [2, 4])
  const losing = given(...opened({ risk: { maxDailyLoss: '0.05' } }), ...past)
  assert.equal(cancels(losing, bar('A', 1, 90)), [2, 4])
  assert.is(losing.table.orders.open.get(2)?.cancelRequested, true)
  assert.is(losing.table.orders.open.get(3)?.cancelRequested, false)
  assert.equal(cancels(losing, control(1, 'halt')), [], 'asked for already')
})

test('cancel-all asks for every open order once', () => {
  const chain = given(...opened(), ...HELD)
  chain.and(
    signal(0, { signalId: 'a', qty: '1' }),
    signal(0, { signalId: 'b', side: 'close', orderType: 'limit', limitPrice: '120' }),
  )
  chain
    .when(control(0, 'cancel-all'))
    .leadsTo(
      ['order.cancel_requested', { orderId: 2, reason: 'test' }],
      ['order.cancel_requested', { orderId: 3 }],
    )
})

test('flatten closes every position, long and short, also while halted', () => {
  const chain = given(...opened(), ...HELD, bar('B', 0, 50))
  chain.and(signal(0, { signalId: 'b', symbol: 'B', side: 'sell', qty: '7' }))
  chain.and(fill(0, 2, 'sell', '7', '50', { symbol: 'B' }), control(0, 'halt'))
  const outcome = chain.when(control(0, 'flatten', 'k9')).leadsTo(
    [
      'risk.verdict',
      {
        signalId: 'k9:A',
        source: 'operator:ana',
        verdict: 'approved',
        code: 'flatten',
        orderIds: [3],
      },
    ],
    ['order.intended', { orderId: 3, symbol: 'A', side: 'sell', qty: '100', type: 'market' }],
    ['risk.verdict', { signalId: 'k9:B', orderIds: [4] }],
    ['order.intended', { orderId: 4, symbol: 'B', side: 'buy', qty: '7', type: 'market' }],
  )
  assert.equal(
    outcome.consequences.map(({ because }) => because),
    [0, 1, 0, 3],
  )
  assert.is(chain.table.risk.trading, 'HALTED')
  chain
    .when(control(0, 'flatten', 'k10'))
    .leadsTo('order.cancel_requested', 'order.cancel_requested')
})

test('flatten cancels what opens, and has nothing to do when flat', () => {
  const chain = given(...opened(), bar('A', 0, 100), signal(0, { qty: '5' }))
  chain.when(control(0, 'flatten')).leadsTo(['order.cancel_requested', { orderId: 1 }])
  chain.and(report(0, 1, 'canceled'))
  chain.when(control(0, 'flatten', 'k2')).leadsTo()
})

test('limits that change in the middle of a book hold from then on', () => {
  const chain = held({ maxOrderNotional: '100000' })
  chain.and(started(settings({ risk: { maxOrderNotional: '50' } }), dayEnd(0)))
  const denied = chain.when(signal(0, { signalId: 's2', qty: '1' })).one('risk.verdict')
  assert.is(denied.code, 'max_order_notional')
  chain.and(started(settings(), dayEnd(0)))
  assert.is(
    chain.when(signal(0, { signalId: 's3', qty: '1' })).one('risk.verdict').code,
    'approved',
  )
})

test('a latched state outlives a restart with other settings', () => {
  const chain = held({ maxDrawdown: '0.1' }).and(bar('A', 1, 50), started(settings(), dayEnd(1)))
  assert.is(chain.table.risk.trading, 'HALTED')
  assert.is(
    chain.when(signal(1, { signalId: 's2', side: 'close' })).one('risk.verdict').code,
    'halted',
  )
})

const TAKES_BACK = ['flatten', 'cancel', 'already_asked', 'entries_canceled']

test('the state is what the last change said, and nothing opens outside ACTIVE', () => {
  fc.assert(
    fc.property(history, (past) => {
      const chain = new Given()
      let state = 'ACTIVE'
      play(past, chain.table, (input) => {
        const flattens = input.type === 'control.received' && input.data.action === 'flatten'
        for (const { event } of chain.when(input).consequences) {
          if (event.type === 'risk.state_changed') {
            assert.is(event.data.from, state)
            state = event.data.to
          }
          if (event.type !== 'risk.verdict' || event.data.verdict !== 'approved') continue
          // To take an order back is always allowed.
          if (flattens || TAKES_BACK.includes(event.data.code)) continue
          assert.is.not(state, 'HALTED')
          const order = chain.table.orders.open.get(event.data.orderIds[0]!)
          if (state === 'REDUCING' && order !== undefined) assert.ok(order.reducing)
        }
        assert.is(chain.table.risk.trading, state)
      })
    }),
    { numRuns: 120 },
  )
})

test('limits without a loss limit bear an equity below zero', () => {
  const chain = given(
    ...opened({ risk: { maxOrderNotional: '1000000' } }),
    bar('A', 0, 100),
    signal(0, { side: 'sell', qty: '100' }),
    fill(0, 1, 'sell', '100', '100'),
    bar('A', 1, 250),
  )
  assert.is(format(chain.table.portfolio.equity), '-5000')
  chain.when(bar('A', 2, 260)).leadsTo()
  assert.is(chain.table.risk.trading, 'ACTIVE')
})

test('each loss limit alone looks at what it is, and at nothing else', () => {
  held({ maxDailyLoss: '0.05' })
    .when(bar('A', 1, 1))
    .leadsTo('risk.state_changed', 'timer.set')
  held({ maxDrawdown: '0.05' })
    .when(bar('A', 1, 1))
    .leadsTo(['risk.state_changed', { code: 'max_drawdown' }])
})

test('the end of a day forgives the daily loss, and the drawdown nothing', () => {
  const chain = given(...opened({ risk: { maxDailyLoss: '0.03', maxDrawdown: '0.1' } }), ...HELD)
  const seen: string[] = []
  for (const [n, close] of [95, 90, 85].entries()) {
    chain.and(bar('A', n + 1, close))
    seen.push(chain.table.risk.trading)
    chain.and(timer('daily-loss-reset', dayEnd(n + 1)))
  }
  assert.equal(seen, ['REDUCING', 'REDUCING', 'HALTED'])
  assert.is(chain.table.risk.trading, 'HALTED')
  assert.is(chain.table.risk.cause, 'max_drawdown')
  assert.is(format(chain.table.risk.peak), '10000')
})

test('a halt or its resumption by anything but an operator leaves the peak', () => {
  const chain = held({ maxDrawdown: '0.3' }).and(bar('A', 1, 120), bar('A', 2, 100))
  chain.and(control(2, 'halt'))
  assert.is(format(chain.table.risk.peak), '12000')
  chain.and(control(2, 'resume', 'k2'))
  assert.is(format(chain.table.risk.peak), '10000')
})

test('limits switched on in the middle of a book know the peak of before', () => {
  const chain = given(...opened(), ...HELD, bar('A', 1, 200), bar('A', 2, 150))
  chain.and(started(settings({ risk: { maxDrawdown: '0.2' } }), dayEnd(2)))
  assert.is(format(chain.table.risk.peak), '20000')
  const denied = chain.when(signal(2, { signalId: 's2', qty: '1' })).one('risk.verdict')
  assert.is(denied.code, 'max_drawdown')
  assert.is(denied.observed, '0.25')
  chain
    .when(bar('A', 3, 150))
    .leadsTo(['risk.state_changed', { to: 'HALTED', code: 'max_drawdown', observed: '0.25' }])
})

test('limits switched on in the middle of a day know the equity that it began with', () => {
  const chain = given(...opened(), ...HELD, bar('A', 1, 110), bar('A', 2, 109))
  chain.and(started(settings({ risk: { maxDailyLoss: '0.05' } }), dayEnd(2)))
  assert.is(format(chain.table.risk.dayBase), '11000')
  chain
    .when(bar('A', 2, 104))
    .leadsTo(
      ['risk.state_changed', { code: 'max_daily_loss', observed: '0.054545455' }],
      'timer.set',
    )
})

test.run()
