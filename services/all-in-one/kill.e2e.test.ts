import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { reached } from './testing/demo-run.ts'
import { bitacora, EngineProcess, inEngineFolder } from './testing/engine-process.ts'

const KILLS = Number(process.env.KILLS ?? 20)
// Trades every few bars, with partial fills, so that a random instant often hits an order under way.
const SETTINGS = [
  '--speed',
  'max',
  '--set',
  'fast=2',
  'slow=5',
  'mode=reverse',
  'size=200',
  '--risk',
  'off',
  '--participation',
  '0.000002',
]

interface Outcome {
  digest: string
  fills: unknown[]
  orders: unknown[]
  portfolio: unknown
}

/** Everything that must not depend on kills; ids that carry the book's are left out. */
async function outcome(engine: EngineProcess): Promise<Outcome> {
  const all = async (path: string): Promise<Record<string, unknown>[]> => {
    const items: Record<string, unknown>[] = []
    let cursor = ''
    for (;;) {
      const page = await engine.get<{ items: Record<string, unknown>[]; next: string | null }>(
        `${path}?limit=500${cursor}`,
      )
      items.push(...page.items)
      if (page.next === null) return items
      cursor = `&cursor=${page.next}`
    }
  }
  const pick = (row: Record<string, unknown>, names: string[]) => names.map((name) => row[name])
  const portfolio = await engine.get<Record<string, unknown>>('/portfolio')
  const verified = await bitacora(['verify', '--dir', engine.folder, '--json'])
  assert.is(verified.code, 0, verified.stderr)
  return {
    digest: (JSON.parse(verified.stdout) as { digest: string }).digest,
    fills: (await all('/fills')).map((fill) =>
      pick(fill, ['orderId', 'symbol', 'side', 'qty', 'price', 'fee', 'occurredAt']),
    ),
    orders: (await all('/orders')).map((order) =>
      pick(order, ['id', 'symbol', 'side', 'qty', 'filledQty', 'avgPrice', 'status', 'signalId']),
    ),
    portfolio: pick(portfolio, ['cash', 'equity', 'at', 'fees', 'realizedPnl']),
  }
}

test(`kill -9 at ${KILLS} random instants leaves digest, fills and portfolio as they would have been`, () =>
  inEngineFolder(async (calm) => {
    const whole = new EngineProcess(calm, SETTINGS)
    const began = Date.now()
    await whole.ready()
    const startMs = Date.now() - began
    await reached(whole, 1)
    const runMs = Date.now() - began
    const expected = await outcome(whole)
    assert.is(await whole.stop(), 0)
    assert.ok(expected.fills.length > expected.orders.length, 'there were partial fills')

    await inEngineFolder(async (dir) => {
      const instants: number[] = []
      for (let kill = 0; kill < KILLS; kill++) {
        const engine = new EngineProcess(dir, SETTINGS)
        // From before it is up to well into the run, whose end is left for the last start.
        const instant = Math.random() * (startMs + ((runMs - startMs) * 1.5) / KILLS)
        instants.push(Math.round(instant))
        await new Promise((resolve) => setTimeout(resolve, instant))
        await engine.kill()
      }
      const last = new EngineProcess(dir, SETTINGS)
      await last.ready()
      await reached(last, 1)
      const got = await outcome(last)
      const when = `killed after ${instants.join(', ')} ms`
      assert.is(got.digest, expected.digest, when)
      assert.equal(got.orders, expected.orders, when)
      assert.equal(got.fills, expected.fills, when)
      assert.equal(got.portfolio, expected.portfolio, when)
      assert.is(await last.stop(), 0)
    })
  }))

test.run()
