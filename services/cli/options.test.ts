import { Command, InvalidArgumentError } from 'commander'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { UsageError } from './exit-codes.ts'
import {
  amount,
  between,
  dirOption,
  folderName,
  fraction,
  isGiven,
  pairs,
  positiveAmount,
  wait,
  whole,
} from './options.ts'
import { addExchangeOptions, DEFAULT_EXCHANGE, exchangeSettings } from './settings.ts'

const refused = (read: () => unknown) =>
  assert.throws(read, (error: Error) => error instanceof InvalidArgumentError)

test('amounts are plain decimals in their shortest form', () => {
  assert.is(amount('007.50'), '7.5')
  assert.is(amount('0'), '0')
  assert.is(positiveAmount('1000000'), '1000000')
  assert.is(fraction('0.0010'), '0.001')
  for (const text of ['', '-1', '1e3', '1,000', 'NaN', '.5', '1.0000000001', '1'.repeat(16)]) {
    refused(() => amount(text))
  }
  refused(() => positiveAmount('0.0'))
  refused(() => fraction('1'))
})

test('numbers keep their range', () => {
  assert.is(between(0, 1)('0.25'), 0.25)
  refused(() => between(0, 1)('1.1'))
  refused(() => between(0, 1)('x'))
  assert.is(whole(0)('0'), 0)
  refused(() => whole(1)('0'))
  refused(() => whole(0)('1.5'))
})

test('waits are seconds unless they say otherwise', () => {
  assert.is(wait('5'), 5000)
  assert.is(wait('1.5s'), 1500)
  assert.is(wait('250ms'), 250)
  assert.is(wait('2m'), 120_000)
  for (const text of ['', 's', '-1s', '5h', '5 s']) refused(() => wait(text))
})

test('pairs are collected, and a key counts once', () => {
  assert.equal(pairs('b=x=y', pairs('a=', undefined)), { a: '', b: 'x=y' })
  refused(() => pairs('a=2', { a: '1' }))
  refused(() => pairs('=1', undefined))
  refused(() => pairs('a', undefined))
})

function parsed(...args: string[]): Command {
  return addExchangeOptions(new Command()).exitOverride().parse(args, { from: 'user' })
}

test('the exchange of no options is the default, that of a recording the recorded one', () => {
  assert.equal(exchangeSettings(parsed()), DEFAULT_EXCHANGE)
  const recorded = {
    ...DEFAULT_EXCHANGE,
    cash: '5',
    commission: '0',
    feePerShare: '1',
    feeMin: '2',
  }
  assert.equal(exchangeSettings(parsed(), recorded), recorded)
  const changed = exchangeSettings(parsed('--slippage-bps', '3', '--fill', 'same-close'), recorded)
  assert.equal(changed, { ...recorded, slippageBps: 3, fill: 'same-close' })
})

test('a fee per share and a commission replace each other', () => {
  const recorded = { ...DEFAULT_EXCHANGE, commission: '0', feePerShare: '1', feeMin: '2' }
  const fraction = exchangeSettings(parsed('--commission', '0.002'), recorded)
  assert.equal(fraction, { ...recorded, commission: '0.002', feePerShare: '0', feeMin: '0' })
  const perShare = exchangeSettings(parsed('--fee-per-share', '0.01'))
  assert.equal(perShare, { ...DEFAULT_EXCHANGE, commission: '0', feePerShare: '0.01' })
  const usage = (error: Error) => error instanceof UsageError
  assert.throws(() => exchangeSettings(parsed('--fee-min', '1')), usage)
  assert.throws(() => exchangeSettings(parsed('--fee-min', '1', '--commission', '0')), usage)
})

test('a folder has a name', () => {
  assert.is(folderName('./a b'), './a b')
  refused(() => folderName(''))
  refused(() => folderName(' \t'))
  const command = new Command().exitOverride().configureOutput({ writeErr: () => {} })
  command.addOption(dirOption())
  assert.is(command.parse(['--dir', 'x'], { from: 'user' }).opts().dir, 'x')
  assert.throws(() => command.parse(['--dir', ''], { from: 'user' }), /Name a folder/)
})

test('an option at its default is not given', () => {
  assert.is(isGiven(parsed(), 'cash'), false)
  assert.is(isGiven(parsed('--cash', '100000'), 'cash'), true)
  assert.is(isGiven(parsed(), 'feeMin'), false)
})

test.run()
