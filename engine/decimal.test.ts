import * as fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import * as decimal from './decimal.ts'
import { type Decimal, DecimalError, format, fromNumber, parse, SCALE } from './decimal.ts'
import { decimalText } from './testing/arbitraries.ts'

const SCALE_BIG = BigInt(SCALE)

/** Nanos from small over the border of safe integers, both signs, to far beyond it. */
const nanos: fc.Arbitrary<bigint> = fc.oneof(
  fc.bigInt({ min: -2_000_000_000n, max: 2_000_000_000n }),
  fc.bigInt({ min: -(10n ** 13n), max: 10n ** 13n }),
  fc.bigInt({ min: -20_000n, max: 20_000n }).map((whole) => whole * SCALE_BIG),
  fc.bigInt({ min: -20n, max: 20n }).map((n) => BigInt(Number.MAX_SAFE_INTEGER) + n),
  fc.bigInt({ min: -20n, max: 20n }).map((n) => -BigInt(Number.MAX_SAFE_INTEGER) + n),
  fc.bigInt({ min: -(10n ** 25n), max: 10n ** 25n }),
)

/** The one canonical form of so many nanos: a number while it is a safe integer. */
function canonical(value: bigint): Decimal {
  const small = Number(value)
  return Number.isSafeInteger(small) ? small : value
}

function isSame(actual: Decimal, expected: bigint, what: string): void {
  assert.is(actual, canonical(expected), what)
  assert.not(Object.is(actual, -0), `${what}: negative zero`)
}

/** Half to even, told by another rule than the code's: from the doubled absolute value. */
function roundEven(numerator: bigint, denominator: bigint): bigint {
  const negative = numerator < 0n !== denominator < 0n
  const n = numerator < 0n ? -numerator : numerator
  const d = denominator < 0n ? -denominator : denominator
  const down = n / d
  const twice = 2n * (n - down * d)
  const up = twice > d || (twice === d && down % 2n === 1n)
  const size = up ? down + 1n : down
  return negative ? -size : size
}

/** Nanos of a text, by string and BigInt alone. */
function plainNanos(text: string): bigint {
  const [whole = '', fraction = ''] = text.replace('-', '').split('.')
  const size = roundEven(BigInt(whole + fraction) * SCALE_BIG, 10n ** BigInt(fraction.length))
  return text.startsWith('-') ? -size : size
}

/** The shortest text of a float, its exponent written out. */
function expanded(float: number): string {
  const [digits = '', exponent] = String(float).split('e')
  if (exponent === undefined) return digits
  // Above 1e21 every float is whole: its exact value is what the engine takes.
  return BigInt(float).toString()
}

function floor(numerator: bigint, denominator: bigint): bigint {
  let q = numerator / denominator
  while (
    q * denominator * (denominator < 0n ? -1n : 1n) >
    numerator * (denominator < 0n ? -1n : 1n)
  ) {
    q -= 1n
  }
  return q
}

test('what format writes, parse reads back, on both sides of the safe integers', () => {
  fc.assert(
    fc.property(nanos, (n) => {
      const value = canonical(n)
      const text = format(value)
      isSame(parse(text), n, text)
      assert.match(text, /^-?(0|[1-9]\d*)(\.\d{0,8}[1-9])?$/)
      assert.is(plainNanos(text), n, text)
    }),
    { numRuns: 1000 },
  )
})

test('parse rounds half to even at the ninth decimal', () => {
  const text = fc.oneof(
    decimalText(12, 9),
    decimalText(20, 14),
    fc
      .tuple(decimalText(3, 9), fc.constantFrom('5', '50', '500001', '49999'))
      .map(([head, tail]) => {
        const [whole, fraction = ''] = head.split('.')
        return `${whole}.${fraction.padEnd(9, '0')}${tail}`
      }),
  )
  fc.assert(
    fc.property(text, (given) => {
      isSame(parse(given), plainNanos(given), given)
    }),
    { numRuns: 1000 },
  )
})

test('sums, differences, signs and comparisons are exact', () => {
  fc.assert(
    fc.property(nanos, nanos, (x, y) => {
      const a = canonical(x)
      const b = canonical(y)
      isSame(decimal.add(a, b), x + y, 'add')
      isSame(decimal.sub(a, b), x - y, 'sub')
      isSame(decimal.neg(a), -x, 'neg')
      isSame(decimal.abs(a), x < 0n ? -x : x, 'abs')
      isSame(decimal.min(a, b), x < y ? x : y, 'min')
      isSame(decimal.max(a, b), x > y ? x : y, 'max')
      isSame(decimal.trunc(a), (x / SCALE_BIG) * SCALE_BIG, 'trunc')
      assert.is(decimal.compare(a, b), x < y ? -1 : x > y ? 1 : 0)
    }),
    { numRuns: 1000 },
  )
})

test('products and quotients round half to even; floorDiv is the whole number below', () => {
  fc.assert(
    fc.property(nanos, nanos, (x, y) => {
      const a = canonical(x)
      const b = canonical(y)
      isSame(decimal.mul(a, b), roundEven(x * y, SCALE_BIG), 'mul')
      if (y === 0n) return
      isSame(decimal.div(a, b), roundEven(x * SCALE_BIG, y), 'div')
      isSame(decimal.floorDiv(a, b), floor(x, y) * SCALE_BIG, 'floorDiv')
    }),
    { numRuns: 1000 },
  )
})

test('ties go to the even neighbour', () => {
  const half = parse('0.5')
  for (const [nano, rounded] of [
    [1, 0],
    [3, 2],
    [5, 2],
    [-1, 0],
    [-3, -2],
    [-5, -2],
  ] as const) {
    assert.is(decimal.mul(nano, half), rounded, `${nano} nanos × 0.5`)
    assert.is(decimal.div(nano, parse('2')), rounded, `${nano} nanos ÷ 2`)
  }
  assert.is(format(parse('0.0000000005')), '0')
  assert.is(format(parse('0.0000000015')), '0.000000002')
  assert.is(format(parse('-0.0000000025')), '-0.000000002')
})

test('the border of the safe integers is crossed there and back', () => {
  const edge: Decimal = Number.MAX_SAFE_INTEGER
  const beyond = decimal.add(edge, 1)
  assert.is(typeof beyond, 'bigint')
  assert.is(format(beyond), '9007199.254740992')
  assert.is(decimal.sub(beyond, 1), edge)
  assert.is(typeof decimal.mul(parse('9007199'), parse('2')), 'bigint')
  assert.is(decimal.div(decimal.mul(parse('9007199'), parse('2')), parse('2')), parse('9007199'))
  assert.is(decimal.neg(decimal.neg(beyond)), beyond)
  assert.is(decimal.trunc(beyond), parse('9007199'))
  assert.is(decimal.floorDiv(beyond, beyond), decimal.ONE)
})

test('zero has no sign, however it comes about', () => {
  const zeros = [
    parse('-0'),
    parse('-0.000000000'),
    parse('-0.0000000001'),
    fromNumber(-0),
    fromNumber(-1e-12),
    decimal.neg(0),
    decimal.mul(parse('-5'), 0),
    decimal.mul(0, parse('-5')),
    decimal.mul(-1, parse('0.1')),
    decimal.div(0, parse('-3')),
    decimal.floorDiv(0, parse('-3')),
    decimal.trunc(parse('-0.9')),
    decimal.sub(parse('-1'), parse('-1')),
  ]
  for (const [index, zero] of zeros.entries()) {
    assert.ok(Object.is(zero, 0), `zero ${index} is ${Object.is(zero, -0) ? '-0' : String(zero)}`)
    assert.is(format(zero), '0')
  }
})

test('fromNumber gives the nine-decimal number that was meant, below 2.2 million', () => {
  const whole = fc.integer({ min: 0, max: 2_199_999 })
  const part = fc.integer({ min: 0, max: 999_999_999 })
  fc.assert(
    fc.property(whole, part, fc.boolean(), (w, p, negative) => {
      const text = `${negative ? '-' : ''}${w}.${String(p).padStart(9, '0')}`
      assert.is(fromNumber(Number(text)), parse(text), text)
    }),
    { numRuns: 3000 },
  )
})

test('fromNumber takes large floats by their shortest text, and toNumber leads back', () => {
  fc.assert(
    fc.property(
      fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e30, max: 1e30 }),
      (float) => {
        const value = fromNumber(float)
        assert.not(Object.is(value, -0))
        if (Math.abs(float) > 2.3e6) {
          assert.is(value, canonical(plainNanos(expanded(float))), String(float))
        } else assert.ok(Math.abs(decimal.toNumber(value) - float) <= 0.51e-9)
      },
    ),
  )
  assert.is(format(fromNumber(1e21)), '1000000000000000000000')
  assert.is(format(fromNumber(-123456789.25)), '-123456789.25')
})

test('toNumber is the nearest float', () => {
  fc.assert(
    fc.property(nanos, (n) => {
      assert.is(decimal.toNumber(canonical(n)), Number(format(canonical(n))))
    }),
  )
})

test('texts that are no plain decimal are refused by name', () => {
  const bad = [
    '',
    ' ',
    '.',
    '.5',
    '5.',
    '1e3',
    '1,000',
    '0x10',
    '--1',
    '+-1',
    '1.2.3',
    'NaN',
    'Infinity',
    ' 1',
    '1 ',
    '1\n',
    '١',
    '1_000',
    '-',
    '+',
    '12345678901234567890.',
    '1.0000000000x',
  ]
  for (const text of bad) {
    assert.throws(
      () => parse(text),
      (error: unknown) =>
        error instanceof DecimalError && error.message.startsWith(`"${text}" is not a decimal`),
      JSON.stringify(text),
    )
  }
  assert.is(parse('+1.5'), 1_500_000_000)
  assert.is(parse('007'), parse('7'))
})

test('what is no number cannot become one, and nothing is divided by zero', () => {
  for (const value of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
    assert.throws(() => fromNumber(value), /is not a decimal number/)
  }
  assert.throws(() => decimal.div(1, 0), /division by zero/)
  assert.throws(() => decimal.floorDiv(10n ** 20n, 0), /division by zero/)
})

test.run()
