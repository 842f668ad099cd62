import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { WhatIfResult } from '../../engine/replay/what-if.ts'
import { openSqliteStore } from '../adapters/embedded/sqlite-store.ts'
import { bookPath } from '../runtime/folder.ts'
import { cli, inFolder, SETTINGS, writeBook } from './cli-fixture.ts'

const whatif = (folder: string, ...more: string[]) => cli(['whatif', '--dir', folder, ...more])

async function answer(folder: string, ...more: string[]): Promise<WhatIfResult> {
  const { code, stdout, stderr } = await whatif(folder, ...more, '--json')
  assert.is(code, 0, stderr)
  assert.is(stderr, '')
  return JSON.parse(stdout) as WhatIfResult
}

test(
  'without a change nothing differs, and the digest is that of verify',
  inFolder(async (folder) => {
    await writeBook(folder, 60)
    const result = await answer(folder)
    const verified = JSON.parse((await cli(['verify', '--dir', folder, '--json'])).stdout)
    assert.is(result.digest.now, verified.digest)
    assert.is(result.digest.recorded, verified.digest)
    assert.is(result.divergence, null)
    assert.equal(result.differences, [])
    assert.equal(result.now, result.recorded)
    assert.is(result.otherCode, false)
    const text = await whatif(folder)
    assert.match(text.stdout, /^What if\s+nothing is changed$/m)
    assert.match(text.stdout, /^Decisions\s+all \d+ the same$/m)
    assert.match(text.stdout, /^Equity\s+[\d.]+, as recorded$/m)
  }),
)

test(
  'other parameters come to what a backtest of the recorded bars with them comes to',
  inFolder(async (folder) => {
    await writeBook(folder, 80, { settings: { ...SETTINGS, risk: null } })
    const result = await answer(folder, '--set', 'fast=3', '--set', 'slow=7')
    const backtest = await cli([
      ...['backtest', '--history', '--dir', folder, '--json'],
      ...['--set', 'fast=3', '--set', 'slow=7'],
    ])
    const summary = JSON.parse(backtest.stdout)
    assert.ok(result.divergence !== null && result.simulated!.fills > 2)
    assert.is(result.digest.now, summary.digest)
    assert.is(result.now.equity, summary.equity.end)
    assert.is(result.settings.now!.strategies[0]!.params.slow, 7)
    const text = await whatif(folder, '--set', 'fast=3', '--set', 'slow=7')
    assert.is(text.code, 0, text.stderr)
    assert.match(text.stdout, /^What if .*sma_cross fast 2 → 3, sma_cross slow 4 → 7$/m)
    assert.match(text.stdout, /^First other .*position \d+, 1970-/m)
    assert.match(text.stdout, /^because .*market\.bar at 1970-/m)
    assert.match(text.stdout, /^Simulated .*from position \d+: \d+ fills/m)
    assert.match(text.stdout, /only recorded signal\.raised/)
    const narrow = await cli(['whatif', '--dir', folder, '--set', 'fast=3'], {
      env: { COLUMNS: '40' },
    })
    assert.ok(narrow.stdout.split('\n').every((line) => line.length <= 40))
  }),
)

test(
  'other limits deny; off denies nothing; from and to bound what is decided again',
  inFolder(async (folder) => {
    const risk = { maxOrderNotional: '1000' }
    await writeBook(folder, 80, { settings: { ...SETTINGS, risk } })
    const limits = join(folder, 'limits.json')
    writeFileSync(limits, JSON.stringify({ maxOrderNotional: '500' }))
    const strict = await answer(folder, '--risk', limits)
    assert.is(strict.now.fills, 0)
    assert.ok(strict.now.denied > strict.recorded.denied)
    assert.is(strict.now.equity, SETTINGS.exchange.cash)
    assert.ok(
      strict.differences.some(({ kind, type }) => kind === 'changed' && type === 'risk.verdict'),
    )
    const held = join(folder, 'held')
    await writeBook(held, 80)
    const free = await answer(held, '--risk', 'off')
    assert.is(free.now.denied, 0)
    assert.is(free.settings.now!.risk, null)
    assert.ok(free.now.fills > free.recorded.fills)

    const first = strict.divergence!.position
    const later = await answer(folder, '--risk', limits, '--from', `${first + 1}`)
    assert.ok(later.divergence!.position > first)
    const before = await answer(folder, '--risk', limits, '--to', `${first - 1}`)
    assert.is(before.divergence, null)
    assert.is(before.position, first - 1)
  }),
)

test(
  '--strategy names one of several, or what runs in their place',
  inFolder(async (folder) => {
    const [cross] = SETTINGS.strategies
    const reverts = { name: 'mean_reversion', params: { period: 3, average: 5 } }
    await writeBook(folder, 60, { settings: { ...SETTINGS, strategies: [cross!, reverts] } })
    const unnamed = await whatif(folder, '--set', 'fast=3')
    assert.is(unnamed.code, 2)
    assert.match(unnamed.stderr, 'the book was run with 2 strategies')
    const one = await answer(folder, '--strategy', 'sma_cross', '--set', 'fast=3')
    assert.equal(
      one.settings.now!.strategies.map(({ name, params }) => [name, params.fast]),
      [
        ['sma_cross', 3],
        ['mean_reversion', undefined],
      ],
    )
    await writeBook(join(folder, 'b'), 60)
    const other = await answer(
      join(folder, 'b'),
      '--strategy',
      'mean_reversion',
      '--set',
      'period=3',
    )
    assert.equal(
      other.settings.now!.strategies.map(({ name, params }) => [name, params.period]),
      [['mean_reversion', 3]],
    )
  }),
)

test(
  'what cannot be asked says why: usage exits 2, no book 4',
  inFolder(async (folder) => {
    const none = await whatif(folder, '--json')
    assert.is(none.code, 4)
    assert.is(JSON.parse(none.stdout).error.code, 'no_book')
    await openSqliteStore(bookPath(folder)).close()
    const empty = await whatif(folder)
    assert.is(empty.code, 4)
    assert.match(empty.stderr, 'has no entry yet')
    const { events } = await writeBook(folder, 10)
    for (const [args, message] of [
      [['--from', '5', '--to', '4'], '--from 5 is after --to 4'],
      [['--from', `${events}`], 'is behind the end of the book'],
      [['--set', 'fast=50'], 'must be below slow'],
      [['--set', 'speed=1'], 'speed'],
      [['--strategy', 'nobody'], 'nobody'],
      [['--risk', join(folder, 'missing.json')], 'cannot be read'],
    ] as const) {
      const { code, stderr } = await whatif(folder, ...args)
      assert.is(code, 2, args.join(' '))
      assert.match(stderr, message)
    }
  }),
)

test.run()
