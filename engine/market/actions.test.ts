import fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import {
  abs,
  add,
  type Decimal,
  format,
  mul,
  neg,
  ONE,
  parse,
  sub,
  trunc,
  ZERO,
} from '../decimal.ts'
import { positionAfter, priceAfter, scalePrice, splitPosition } from './actions.ts'

const whole = fc.integer({ min: 1, max: 1_000_000 }).map((n): Decimal => n * Number(ONE))
const ratio = fc.constantFrom('2', '3', '7', '1.5', '0.25', '0.1', '0.333333333').map(parse)
const price = fc.integer({ min: 100, max: 100_000 }).map((cents) => parse(String(cents / 100)))

test('a split leaves whole shares whole, and says what is over', () => {
  const split = (qty: string, by: string) => {
    const { qty: kept, fraction } = splitPosition(parse(qty), parse(by))
    return [format(kept), format(fraction)]
  }
  assert.equal(split('100', '2'), ['200', '0'])
  assert.equal(split('101', '0.25'), ['25', '0.25'])
  assert.equal(split('-101', '0.25'), ['-25', '-0.25'])
  assert.equal(split('3', '0.25'), ['0', '0.75'])
  assert.equal(split('2.5', '3'), ['7.5', '0'])
})

test('no share is made or lost by a split, long or short', () => {
  fc.assert(
    fc.property(whole, ratio, fc.boolean(), (qty, by, short) => {
      const held = short ? neg(qty) : qty
      const { qty: kept, fraction } = splitPosition(held, by)
      assert.is(add(kept, fraction), mul(held, by))
      assert.is(trunc(kept), kept)
      assert.ok(abs(fraction) < ONE)
    }),
  )
})

test('what is held and received is worth what it was, but for the rounding of one price', () => {
  fc.assert(
    fc.property(whole, ratio, price, fc.boolean(), (qty, by, at, short) => {
      const held = short ? neg(qty) : qty
      const before = mul(held, at)
      const split = { kind: 'split', value: by } as const
      const close = priceAfter(at, split)
      const after = positionAfter(held, close, split)
      const error = abs(sub(add(mul(after.qty, close), after.cash), before))
      // Half a nano a share, on as many shares as there are then.
      assert.ok(error <= add(mul(abs(mul(held, by)), 1), 2), format(error))

      const dividend = { kind: 'dividend', value: parse('0.37') } as const
      const paid = positionAfter(held, priceAfter(at, dividend), dividend)
      assert.is(add(mul(paid.qty, priceAfter(at, dividend)), paid.cash), before)

      const gone = positionAfter(held, at, { kind: 'delist', value: null })
      assert.is(gone.qty, ZERO)
      assert.is(gone.cash, before)
    }),
  )
})

test('a price scales; a dividend comes off it, unless it is more than the price', () => {
  assert.is(format(scalePrice(parse('702.6'), parse('7'))), '100.371428571')
  assert.is(scalePrice(parse('5'), ONE), parse('5'))
  const after = (value: string) =>
    format(priceAfter(parse('10'), { kind: 'dividend', value: parse(value) }))
  assert.is(after('0.5'), '9.5')
  assert.is(after('10'), '10')
  for (const kind of ['delist', 'rename'] as const) {
    assert.is(priceAfter(parse('10'), { kind, value: null }), parse('10'))
  }
  assert.equal(positionAfter(parse('5'), parse('9'), { kind: 'rename', value: null }), {
    qty: parse('5'),
    cash: ZERO,
  })
  const named = positionAfter(parse('5'), parse('9'), { kind: 'delist', value: parse('12') })
  assert.is(format(named.cash), '60')
})

test.run()
