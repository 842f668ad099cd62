import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { cli, inFolder, writeBook } from './cli-fixture.ts'

const explain = (folder: string, ...more: string[]) => cli(['explain', '--dir', folder, ...more])

test(
  'an order is explained from its bar to its fill, for people and for programs',
  inFolder(async (folder) => {
    await writeBook(folder, 60)
    const { code, stdout, stderr } = await explain(folder, '1', '--json')
    assert.is(code, 0, stderr)
    assert.is(stderr, '')
    const body = JSON.parse(stdout)
    assert.equal([body.id, body.kind], ['1', 'order'])
    const types = body.chain.map(({ type }: { type: string }) => type)
    for (const type of [
      'market.bar',
      'feature.computed',
      'signal.raised',
      'risk.verdict',
      'order.intended',
    ]) {
      assert.ok(types.includes(type), type)
    }
    const text = await explain(folder, '1')
    assert.is(text.code, 0)
    assert.match(text.stdout, /^order 1: /)
    assert.match(text.stdout, /\n {2}→ sma_cross asked to buy 10 AAPL/)
    assert.match(text.stdout, /risk approved 10 as order 1: .*max_order_notional/)
  }),
)

test(
  'a signal that became no order names the rule, what it saw and what it allows',
  inFolder(async (folder) => {
    await writeBook(folder, 60)
    const all = JSON.parse(
      (await cli(['explain', '--dir', folder, 'sma_cross-1', '--json'])).stdout,
    )
    assert.is(all.kind, 'signal')
    let denied = ''
    for (let n = 1; denied === '' && n < 30; n++) {
      const { stdout, code } = await explain(folder, `sma_cross-${n}`)
      if (code === 0 && stdout.includes('denied')) denied = stdout
    }
    assert.match(
      denied,
      /^signal sma_cross-\d+: denied, max_order_notional: saw [\d.]+, allowed 935/,
    )
  }),
)

test(
  'a bar on which nothing happened tells the conditions, within the width',
  inFolder(async (folder) => {
    const { events } = await writeBook(folder, 60)
    let idle = ''
    for (let p = 2; idle === '' && p < events; p++) {
      const { stdout } = await explain(folder, `p:${p}`)
      if (stdout.includes('no signal')) idle = stdout
    }
    assert.match(idle, 'sma_2 − sma_4 now')
    assert.match(idle, 'wanted above 0')
  }),
)

test(
  'what nobody knows exits 2 with the remedy, an empty folder 4',
  inFolder(async (folder) => {
    const none = await explain(folder, '1')
    assert.is(none.code, 4, none.stderr)
    await writeBook(folder, 10)
    const { code, stdout, stderr } = await explain(folder, 'nobody', '--json')
    assert.is(code, 2)
    assert.is(JSON.parse(stdout).error.code, 'nothing_to_explain')
    assert.match(stderr, 'bar:<symbol>:<start>')
  }),
)

test.run()
