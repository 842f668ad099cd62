import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { meanReversion } from './mean-reversion.ts'
import { resolveParams } from './params.ts'
import { findStrategy, STRATEGIES } from './registry.ts'
import { smaCross } from './sma-cross.ts'
import { InvalidParams, type ParamValue, type Strategy } from './strategy.ts'

function faults(strategy: Strategy, given: Record<string, ParamValue>): string {
  try {
    resolveParams(strategy, given)
  } catch (error) {
    assert.instance(error, InvalidParams)
    assert.is((error as InvalidParams).code, 'invalid_params')
    return (error as Error).message
  }
  return 'none'
}

test('what is not given takes its default', () => {
  assert.equal(resolveParams(smaCross, {}), { fast: 10, slow: 30, mode: 'long-only', size: '100' })
  const given = { average: 5, band: 0.5 }
  assert.equal(resolveParams(meanReversion, given), {
    period: 14,
    average: 5,
    band: 0.5,
    oversold: 30,
    exit: 50,
    mode: 'long-only',
    size: '100',
  })
})

test('numbers may come as text, as from a command line', () => {
  const given = { fast: '5', slow: ' 20 ', size: 7 }
  assert.equal(resolveParams(smaCross, given), { fast: 5, slow: 20, mode: 'long-only', size: '7' })
  assert.is(resolveParams(meanReversion, { band: '1.5' }).band, 1.5)
})

const FAULTS: [Strategy, Record<string, ParamValue>, string][] = [
  [smaCross, { fats: 3 }, 'fats: sma_cross has no such parameter; it has fast, slow, mode, size'],
  [smaCross, { fast: 0 }, 'fast: a whole number from 1 to 10000, not "0"'],
  [smaCross, { fast: 10_001 }, 'fast: a whole number from 1 to 10000, not "10001"'],
  [smaCross, { fast: 2.5 }, 'fast: a whole number from 1 to 10000, not "2.5"'],
  [smaCross, { fast: '' }, 'fast: a whole number from 1 to 10000, not ""'],
  [smaCross, { fast: ' ' }, 'fast: a whole number from 1 to 10000, not " "'],
  [smaCross, { fast: 'ten' }, 'fast: a whole number from 1 to 10000, not "ten"'],
  [smaCross, { fast: Number.NaN }, 'fast: a whole number from 1 to 10000, not "NaN"'],
  [
    smaCross,
    { fast: Number.POSITIVE_INFINITY },
    'fast: a whole number from 1 to 10000, not "Infinity"',
  ],
  [smaCross, { fast: true }, 'fast: a whole number from 1 to 10000, not "true"'],
  [smaCross, { slow: 1 }, 'slow: a whole number from 2 to 10000, not "1"'],
  [smaCross, { mode: 'short' }, 'mode: one of long-only, reverse, not "short"'],
  [smaCross, { mode: false }, 'mode: one of long-only, reverse, not "false"'],
  [
    smaCross,
    { size: '0' },
    'size: "all" or a number of shares above zero, at most nine decimals, not "0"',
  ],
  [
    smaCross,
    { size: '-5' },
    'size: "all" or a number of shares above zero, at most nine decimals, not "-5"',
  ],
  [
    smaCross,
    { size: '0.0000000001' },
    'size: "all" or a number of shares above zero, at most nine decimals, not "0.0000000001"',
  ],
  [
    smaCross,
    { size: '1e3' },
    'size: "all" or a number of shares above zero, at most nine decimals, not "1e3"',
  ],
  [
    smaCross,
    { size: 'ALL' },
    'size: "all" or a number of shares above zero, at most nine decimals, not "ALL"',
  ],
  [
    smaCross,
    { size: 1e-7 },
    'size: "all" or a number of shares above zero, at most nine decimals, not "1e-7"',
  ],
  [meanReversion, { band: -0.1 }, 'band: a number from 0 to 20, not "-0.1"'],
  [meanReversion, { band: 20.1 }, 'band: a number from 0 to 20, not "20.1"'],
  [meanReversion, { oversold: 0.9 }, 'oversold: a number from 1 to 50, not "0.9"'],
  [meanReversion, { exit: 99.5 }, 'exit: a number from 1 to 99, not "99.5"'],
  [meanReversion, { period: 1 }, 'period: a whole number from 2 to 10000, not "1"'],
  [meanReversion, { mode: 'reverse' }, 'mode: one of long-only, long-short, not "reverse"'],
]

for (const [strategy, given, message] of FAULTS) {
  test(`refused by name: ${strategy.name} ${JSON.stringify(given)}`, () => {
    assert.is(faults(strategy, given), message)
  })
}

test('all faults are listed at once', () => {
  const text = faults(smaCross, { fast: 0, mode: 'x', what: 1, slow: 'y' })
  assert.is(text.split('; ').filter((part) => /^(fast|slow|mode|what): /.test(part)).length, 4)
})

test('parameters that contradict each other are refused after each is right by itself', () => {
  assert.match(faults(smaCross, { fast: 30, slow: 30 }), /fast \(30\) must be below slow \(30\)/)
  assert.match(faults(smaCross, { fast: 31 }), /fast \(31\) must be below slow \(30\)/)
  assert.is(faults(smaCross, { fast: 29 }), 'none')
})

test('bounds themselves are allowed', () => {
  assert.is(faults(smaCross, { fast: 1, slow: 10_000, size: '0.000000001' }), 'none')
  assert.is(faults(meanReversion, { band: 0, oversold: 50, exit: 99 }), 'none')
  assert.is(faults(meanReversion, { band: 20, oversold: 1, exit: 1 }), 'none')
})

test('every strategy has a name of its own, help for each parameter, and defaults that hold', () => {
  const names = STRATEGIES.map(({ name }) => name)
  assert.is(new Set(names).size, names.length)
  for (const strategy of STRATEGIES) {
    assert.is(findStrategy(strategy.name), strategy)
    assert.is(faults(strategy, {}), 'none')
    for (const { help } of Object.values(strategy.params)) assert.ok(help.length > 5)
  }
})

test('a strategy that does not exist is refused with the names there are', () => {
  assert.throws(
    () => findStrategy('sma'),
    (error: unknown) =>
      error instanceof InvalidParams &&
      error.message.startsWith('there is no strategy "sma"; there are sma_cross, mean_reversion'),
  )
})

test('parameters named as what every object inherits are refused', () => {
  for (const name of ['toString', 'constructor', 'hasOwnProperty', 'valueOf', '__proto__']) {
    const given = JSON.parse(`{"${name}": 3}`) as Record<string, ParamValue>
    assert.match(faults(smaCross, given), `${name}: sma_cross has no such parameter`)
  }
})

test.run()
