import * as fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { type Decimal, format, mul, parse, SCALE } from '../decimal.ts'
import { ExchangeSettingsError, Fees, portion, rate, wholeShares } from './fees.ts'

function fees(commission: string, feePerShare = '0', feeMin = '0'): Fees {
  return new Fees({ commission, feePerShare, feeMin })
}

test('a commission is a fraction of the value', () => {
  assert.is(format(fees('0.001').of(parse('330'), parse('35323.2'))), '35.3232')
  assert.is(fees('0').of(parse('330'), parse('35323.2')), 0)
})

test('a fee per share has a minimum, and no minimum without it', () => {
  assert.is(format(fees('0', '0.005', '1').of(parse('100'), parse('5000'))), '1')
  assert.is(format(fees('0', '0.005', '1').of(parse('300'), parse('15000'))), '1.5')
  assert.is(format(fees('0.001', '0.005', '1').of(parse('300'), parse('15000'))), '16.5')
  assert.is(format(fees('0', '0', '1').of(parse('100'), parse('5000'))), '0')
})

test('affordable is floor(cash ÷ (price × (1 + commission)))', () => {
  assert.is(format(fees('0').affordable(parse('10000'), parse('180.36'))), '55')
  // 100 shares at 100 cost 10010 with the commission.
  assert.is(format(fees('0.001').affordable(parse('10009.999999999'), parse('100'))), '99')
  assert.is(format(fees('0.001').affordable(parse('10010'), parse('100'))), '100')
  assert.is(fees('0').affordable(parse('0'), parse('1')), 0)
  assert.is(fees('0').affordable(parse('-5'), parse('1')), 0)
  assert.is(fees('0').affordable(parse('10'), 0), 0)
})

test('affordable counts the fee per share, or its minimum where that is larger', () => {
  assert.is(format(fees('0', '0.005', '1').affordable(parse('1001'), parse('10'))), '100')
  assert.is(format(fees('0', '0.005', '1').affordable(parse('1000.99'), parse('10'))), '99')
  assert.is(format(fees('0', '0.5', '1').affordable(parse('1050'), parse('10'))), '100')
  assert.is(fees('0', '0.5', '20').affordable(parse('15'), parse('10')), 0)
})

test('affordable stays exact where safe integers end', () => {
  assert.is(format(fees('0').affordable(parse('900000000000'), parse('0.01'))), '90000000000000')
})

test('affordable shares are covered, and one more would not be', () => {
  const cents = (most: number) =>
    fc.integer({ min: 1, max: most }).map((n) => BigInt(n) * 10_000_000n)
  const nanos = (most: number) => fc.integer({ min: 1, max: most }).map(BigInt)
  const tenThousandths = fc.integer({ min: 0, max: 500 }).map((n) => BigInt(n) * 100_000n)
  fc.assert(
    fc.property(
      cents(2_000_000_000),
      fc.oneof(cents(1_000_000), nanos(2_000_000_000)),
      tenThousandths,
      tenThousandths,
      cents(500),
      (cash, price, commission, perShare, minimum) => {
        const scale = BigInt(SCALE)
        // The cost of n shares × 1e18, without any rounding.
        const cost = (n: bigint): bigint => {
          const shares = n * perShare > minimum ? n * perShare : minimum
          return n * price * (scale + commission) + (perShare > 0n ? shares * scale : 0n)
        }
        const text = (value: bigint) => format(value as Decimal)
        const model = fees(text(commission), text(perShare), text(minimum))
        const n = BigInt(model.affordable(cash, price)) / scale
        if (n > 0n) assert.ok(cost(n) <= cash * scale, 'covered')
        assert.ok(cost(n + 1n) > cash * scale, 'one more is not')
        const qty = n * scale
        const value = mul(qty, price)
        if (n > 0n) assert.ok(BigInt(value) + BigInt(model.of(qty, value)) <= cash, 'as charged')
      },
    ),
    { numRuns: 1000 },
  )
})

test('portion is the product, rounded half to even', () => {
  fc.assert(
    fc.property(
      fc.oneof(fc.maxSafeNat(), fc.nat(5_000_000), fc.bigInt(1n << 60n, 1n << 90n)),
      fc.oneof(fc.nat(SCALE), fc.constantFrom(0, 100_000, 250_000, 500_000_000, 1, 1_000_000)),
      (amount, value) => {
        assert.is(portion(amount, rate(value)), mul(amount, value))
      },
    ),
    { numRuns: 2000 },
  )
})

test('whole shares of a volume do not suffer from floats', () => {
  // 0.29 × 100 = 28.999999999999996 in floats.
  assert.is(format(wholeShares(100, rate(parse('0.29')))), '29')
  assert.is(format(wholeShares(99, rate(parse('0.1')))), '9')
  assert.is(format(wholeShares(12_345.9, rate(parse('0.1')))), '1234')
  assert.is(format(wholeShares(9_000_000_000, rate(parse('0.5')))), '4500000000')
  assert.is(wholeShares(0, rate(parse('0.1'))), 0)
})

test('a negative rate is refused by name', () => {
  for (const [name, make] of [
    ['commission', () => fees('-0.001')],
    ['feePerShare', () => fees('0', '-1')],
    ['feeMin', () => fees('0', '1', '-1')],
  ] as const) {
    assert.throws(make, (error: unknown) => {
      assert.instance(error, ExchangeSettingsError)
      assert.is((error as ExchangeSettingsError).code, 'invalid_exchange_settings')
      assert.match((error as Error).message, `exchange.${name}`)
      return true
    })
  }
})

test.run()
