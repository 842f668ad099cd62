import * as fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { RiskLimits } from '../../schemas/types.gen.ts'
import { format, parse } from '../decimal.ts'
import { bar, control, fill, type Input, opened, signal } from '../testing/fixtures.ts'
import { given } from '../testing/given.ts'
import { loss, parseLimits } from './limits.ts'

/** Verdict on a signal at close 100 with 10,000 of cash, or after the given past. */
function verdict(risk: RiskLimits, asked: Parameters<typeof signal>[1], ...past: Input[]) {
  return given(...opened({ risk }), bar('A', 0, 100), ...past)
    .when(signal(0, { signalId: 'asked', ...asked }))
    .one('risk.verdict')
}

function code(...args: Parameters<typeof verdict>): string {
  return verdict(...args).code
}

/** 10 A held, long or short. */
const LONG = [signal(0, { qty: '10' }), fill(0, 1, 'buy', '10', '100')]
const SHORT = [signal(0, { side: 'sell', qty: '10' }), fill(0, 1, 'sell', '10', '100')]

test('max_order_notional: just below, at and just above', () => {
  const risk = { maxOrderNotional: '1000' }
  assert.is(code(risk, { qty: '9.999999999' }), 'approved')
  assert.is(code(risk, { qty: '10' }), 'approved')
  const denied = verdict(risk, { qty: '10.000000001' })
  assert.is(denied.verdict, 'denied')
  assert.is(denied.code, 'max_order_notional')
  assert.is(denied.rule, 'max_order_notional')
  assert.is(denied.observed, '1000.0000001')
  assert.is(denied.limit, '1000')
  assert.is(denied.qty, null)
  assert.is(denied.order, null)
  assert.equal(denied.orderIds, [])
  assert.is(code(risk, { side: 'sell', qty: '10.000000001' }), 'max_order_notional')
  // Valued at the price of the order, not at the close.
  assert.is(
    code(risk, { qty: '10', orderType: 'limit', limitPrice: '100.01' }),
    'max_order_notional',
  )
  assert.is(code(risk, { qty: '20', orderType: 'limit', limitPrice: '50' }), 'approved')
  assert.is(code(risk, { qty: '10', orderType: 'stop', stopPrice: '101' }), 'max_order_notional')
})

test('max_position: held and working shares of the same side count, long and short', () => {
  const risk = { maxPosition: '15' }
  assert.is(code(risk, { qty: '15' }), 'approved')
  assert.is(code(risk, { qty: '15.000000001' }), 'max_position')
  assert.is(code(risk, { side: 'sell', qty: '15' }), 'approved')
  assert.is(code(risk, { side: 'sell', qty: '15.000000001' }), 'max_position')
  assert.is(code(risk, { qty: '5' }, ...LONG), 'approved')
  assert.is(verdict(risk, { qty: '5.000000001' }, ...LONG).observed, '15.000000001')
  assert.is(code(risk, { side: 'sell', qty: '5.000000001' }, ...SHORT), 'max_position')
  const working = signal(0, { qty: '10' })
  assert.is(code(risk, { qty: '5' }, working), 'approved')
  assert.is(code(risk, { qty: '6' }, working), 'max_position')
  // Orders of the other side may not fill: they neither help nor harm.
  const other = signal(0, { side: 'sell', qty: '10' })
  assert.is(code(risk, { qty: '15' }, other), 'approved')
  assert.is(code(risk, { qty: '16' }, other), 'max_position')
  // Through zero: 10 long, 25 sold make 15 short.
  assert.is(code(risk, { side: 'sell', qty: '25' }, ...LONG), 'approved')
  assert.is(code(risk, { side: 'sell', qty: '25.5' }, ...LONG), 'max_position')
})

test('max_gross_exposure: positions, working orders and the order itself, against equity', () => {
  const risk = { maxGrossExposure: '1' }
  assert.is(code(risk, { qty: '100' }), 'approved')
  assert.is(verdict(risk, { qty: '100.0001' }).observed, '1.000001')
  assert.is(code(risk, { qty: '90' }, ...LONG), 'approved')
  assert.is(code(risk, { qty: '91' }, ...LONG), 'max_gross_exposure')
  assert.is(code(risk, { side: 'sell', qty: '91' }, ...SHORT), 'max_gross_exposure')
  const working = signal(0, { qty: '40' })
  assert.is(code(risk, { qty: '60' }, working), 'approved')
  assert.is(code(risk, { qty: '61' }, working), 'max_gross_exposure')
  assert.is(code(risk, { side: 'sell', qty: '61' }, working), 'max_gross_exposure')
  const elsewhere = [bar('B', 0, 50), signal(0, { signalId: 'b', symbol: 'B', qty: '100' })]
  assert.is(code(risk, { qty: '50' }, ...elsewhere), 'approved')
  assert.is(code(risk, { qty: '51' }, ...elsewhere), 'max_gross_exposure')
})

test('nothing opens when there is no equity to measure by', () => {
  const ruined = [...SHORT, bar('A', 1, 1100)]
  const denied = verdict({ maxGrossExposure: '5' }, { side: 'sell', qty: '1' }, ...ruined)
  assert.is(denied.code, 'equity')
  assert.is(denied.observed, '0')
  assert.is(code({ maxGrossExposure: '5' }, { side: 'buy', qty: '10' }, ...ruined), 'approved')
})

test('price_collar: limits and stops on both sides of the close; market orders have no price', () => {
  const risk = { priceCollar: '0.05' }
  const limit = (limitPrice: string) => ({ qty: '1', orderType: 'limit', limitPrice }) as const
  const stop = (stopPrice: string) => ({ qty: '1', orderType: 'stop', stopPrice }) as const
  for (const inside of ['95', '105', '95.000001', '104.99', '100']) {
    assert.is(code(risk, limit(inside)), 'approved', inside)
    assert.is(code(risk, stop(inside)), 'approved', inside)
  }
  for (const outside of ['94.999999', '105.000001', '1', '1000']) {
    assert.is(code(risk, limit(outside)), 'price_collar', outside)
    assert.is(code(risk, stop(outside)), 'price_collar', outside)
  }
  assert.is(verdict(risk, limit('94')).observed, '0.06')
  const close = { side: 'close', orderType: 'limit', limitPrice: '50' } as const
  assert.is(code(risk, close, ...LONG), 'price_collar', 'what reduces is held to it too')
  assert.equal(
    verdict(risk, { qty: '1' }).checks.map(({ rule }) => rule),
    ['signal_age', 'trading_state', 'unknown_outcomes'],
  )
})

test('max_daily_loss and max_drawdown deny what opens, at the very event that breaks them', () => {
  const risk = { maxDailyLoss: '0.05', maxDrawdown: '0.5' }
  const held = [signal(0, { qty: '100' }), fill(0, 1, 'buy', '100', '100')]
  assert.is(code(risk, { qty: '1' }, ...held, bar('A', 1, 95)), 'approved', 'at the limit')
  assert.is(code(risk, { qty: '1' }, ...held, bar('A', 1, '94.99')), 'reducing')
  const checks = verdict(risk, { qty: '1' }, ...held, bar('A', 1, '94.99')).checks
  assert.equal(checks.at(-2), {
    rule: 'max_daily_loss',
    observed: '0.0501',
    limit: '0.05',
    ok: false,
  })
  assert.equal(checks.at(-1), { rule: 'max_drawdown', observed: '0.0501', limit: '0.5', ok: true })
})

test('orders that only reduce are held to no size limit', () => {
  const risk = { maxOrderNotional: '1', maxPosition: '1', maxGrossExposure: '0.000001' }
  const free = given(...opened(), bar('A', 0, 100), ...LONG).and(...opened({ risk }).slice(1))
  assert.is(free.when(signal(0, { side: 'sell', qty: '10' })).one('risk.verdict').code, 'approved')
})

test('every limit in force is looked at, in order, also after one failed', () => {
  const risk = {
    maxOrderNotional: '1',
    maxPosition: '1',
    maxGrossExposure: '0.01',
    priceCollar: '0.01',
    maxDailyLoss: '0.1',
    maxDrawdown: '0.1',
  }
  const asked = { qty: '100', orderType: 'limit', limitPrice: '90' } as const
  const { checks, rule } = verdict(risk, asked)
  assert.is(rule, 'price_collar')
  assert.equal(
    checks.map((check) => `${check.rule} ${check.ok}`),
    [
      'signal_age true',
      'trading_state true',
      'unknown_outcomes true',
      'price_collar false',
      'max_order_notional false',
      'max_position false',
      'max_gross_exposure false',
      'max_daily_loss true',
      'max_drawdown true',
    ],
  )
})

test('a limit left out is not looked at; texts are shown in their shortest form', () => {
  const parsed = parseLimits({ maxPosition: '010.50' })
  assert.equal(parsed.maxPosition, { value: parse('10.5'), text: '10.5' })
  for (const name of [
    'maxOrderNotional',
    'maxGrossExposure',
    'priceCollar',
    'maxDailyLoss',
    'maxDrawdown',
  ] as const) {
    assert.is(parsed[name], null)
  }
})

test('a loss is a fraction of the reference, zero for a gain', () => {
  const amount = fc.integer({ min: 1, max: 1e9 })
  fc.assert(
    fc.property(amount, amount, (reference, equity) => {
      const value = Number(format(loss(parse(String(reference)), parse(String(equity)))))
      assert.ok(Math.abs(value - Math.max(0, (reference - equity) / reference)) < 1e-9)
    }),
  )
  assert.is(format(loss(parse('100'), parse('-50'))), '1.5', 'more than all')
  assert.is(loss(parse('0'), parse('-50')), 0, 'nothing to lose from')
})

test('whatever limits are in force, nothing opens without equity; what closes may', () => {
  const short = [signal(0, { side: 'sell', qty: '100' }), fill(0, 1, 'sell', '100', '100')]
  const limits: RiskLimits[] = [
    {},
    { maxOrderNotional: '1000000' },
    { maxPosition: '1000000' },
    { priceCollar: '0.5' },
    { maxGrossExposure: '1000000' },
    { maxDailyLoss: '1000' },
    { maxDrawdown: '1000' },
  ]
  for (const risk of limits) {
    for (const [close, equity] of [
      [200, '0'],
      [250, '-5000'],
    ] as const) {
      const chain = given(...opened({ risk }), bar('A', 0, 100), ...short, bar('A', 1, close))
      const name = `${JSON.stringify(risk)} at ${close}`
      const ask = (asked: Parameters<typeof signal>[1]) =>
        chain.when(signal(1, { signalId: 'asked', ...asked })).one('risk.verdict')
      for (const resumed of [false, true]) {
        // The new references are no more than zero: nothing can be lost of them.
        if (resumed) chain.and(control(1, 'halt'), control(1, 'resume', 'k2'))
        const denied = ask({ side: 'sell', qty: '1' })
        assert.is(denied.code, 'equity', name)
        assert.is(denied.observed, equity, name)
        assert.is(denied.limit, 'above 0', name)
      }
      assert.is(ask({ side: 'buy', qty: '1' }).code, 'approved', `${name} closes`)
    }
    const chain = given(...opened({ risk }), bar('A', 0, 100), ...short, bar('A', 1, '199.99'))
    const asked = signal(1, { signalId: 'asked', side: 'sell', qty: '0.001' })
    assert.is(chain.when(asked).one('risk.verdict').code, 'approved', JSON.stringify(risk))
  }
})

test.run()
