import { createServer } from 'node:net'
import { join } from 'node:path'
import Database from 'libsql'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { bitacora, EngineProcess, inEngineFolder, until } from './testing/engine-process.ts'

interface Page<T> {
  position: number
  items: T[]
}
interface OrderRow {
  id: number
  status: string
  signalId: string
  qty: string
  filledQty: string
  clientOrderId: string
}
interface Verified {
  ok: boolean
  digest: string
  divergence: { position: number; type: string; causes: { type: string }[] } | null
}

const ended = (engine: EngineProcess, bars = 1260) =>
  until(`${bars} bars in the book`, async () => {
    const status = await engine.get<{ counts: { bars: number } }>('/status')
    return status.counts.bars >= bars
  })

test('a bar becomes a fill and an answer; the run proves itself, and a changed byte is found', () =>
  inEngineFolder(async (dir) => {
    const engine = new EngineProcess(dir, ['--speed', 'max'])
    await engine.ready()
    await ended(engine)
    const portfolio = await engine.get<{ equity: string; positions: unknown[] }>('/portfolio')
    const orders = await engine.get<Page<OrderRow>>('/orders?limit=500')
    assert.ok(orders.items.length > 40)
    assert.ok(orders.items.every((order) => order.status === 'filled'))

    // Verified while it runs, by another process.
    const verified = await bitacora(['verify', '--dir', dir, '--json'])
    assert.is(verified.code, 0, verified.stderr)
    const live = JSON.parse(verified.stdout) as Verified
    assert.is(live.ok, true)
    assert.is(await engine.stop(), 0)

    // The same code over the recorded bars decides the same, and ends with the same money.
    const out = join(dir, 'backtest')
    const backtest = await bitacora(['backtest', '--history', '--dir', dir, '--out', out, '--json'])
    assert.is(backtest.code, 0, backtest.stderr)
    const summary = JSON.parse(backtest.stdout) as { digest: string; equity: { end: string } }
    assert.is(summary.digest, live.digest)
    assert.is(summary.equity.end, portfolio.equity)

    const position = alterOneDecision(join(dir, 'book.db'))
    const altered = await bitacora(['verify', '--dir', dir, '--json'])
    assert.is(altered.code, 3)
    const found = JSON.parse(altered.stdout) as Verified
    assert.is(found.ok, false)
    assert.is(found.divergence?.position, position)
    assert.is(found.divergence?.type, 'order.intended')
    assert.equal(
      found.divergence?.causes.map((cause) => cause.type),
      ['risk.verdict', 'signal.raised', 'market.bar'],
    )
    // Nobody trades on an altered book, nor on one whose stream was renamed.
    const refused = new EngineProcess(dir, [])
    assert.is((await refused.exited).code, 3)
    assert.match(refused.output.stderr, /altered/)
    const db = new Database(join(dir, 'book.db'))
    db.exec("update streams set name = 'account-other'")
    db.close()
    const renamed = new EngineProcess(dir, [])
    assert.is((await renamed.exited).code, 3)
    assert.match(renamed.output.stderr, /account-other/)
  }))

/** Makes one recorded intent of 100 shares one of 900, and tells its position. */
function alterOneDecision(path: string): number {
  const db = new Database(path)
  try {
    const rows = db
      .prepare('select rowid as id, first, cast(bodies as text) as bodies from appends')
      .all() as {
      id: number
      first: number
      bodies: string
    }[]
    for (const { id, first, bodies } of rows) {
      const lines = bodies.split('\n')
      const line = lines.findIndex((text) => text.startsWith('{"type":"order.intended"'))
      if (line < 0) continue
      lines[line] = lines[line]!.replace('"qty":"100"', '"qty":"900"')
      db.prepare('update appends set bodies = ? where rowid = ?').run(lines.join('\n'), id)
      return first + line
    }
    throw new Error('no intent found to alter')
  } finally {
    db.close()
  }
}

test('a manual signal is judged, traded and kept; the same id again changes nothing', () =>
  inEngineFolder(async (dir) => {
    const engine = new EngineProcess(dir, ['--speed', '50'])
    await engine.ready()
    await ended(engine, 3)
    const send = (...args: string[]) =>
      bitacora(['signal', ...args, '--dir', dir, '--operator', 'alice', '--json'])
    const bought = await send('buy', 'AAPL', '--qty', '7', '--id', 'one')
    assert.is(bought.code, 0, bought.stderr)
    const verdict = JSON.parse(bought.stdout) as {
      verdict: string
      orderIds: number[]
      signalId: string
    }
    assert.is(verdict.verdict, 'approved')
    assert.is(verdict.signalId, 'one')
    const [id] = verdict.orderIds
    const order = await until('the order is filled', async () => {
      const answer = await engine.get<OrderRow>(`/orders/${id}`)
      return answer.status === 'filled' && answer
    })
    assert.is(order.filledQty, '7')
    assert.is(order.signalId, 'one')
    const again = await send('buy', 'AAPL', '--qty', '7', '--id', 'one')
    assert.is(again.code, 0, again.stderr)
    assert.equal(JSON.parse(again.stdout).orderIds, verdict.orderIds)
    const signals = await engine.get<Page<{ signalId: string }>>('/signals?limit=500')
    assert.is(signals.items.filter((signal) => signal.signalId === 'one').length, 1)

    const denied = await send('buy', 'TSLA', '--qty', '1')
    assert.is(denied.code, 3)
    assert.is(JSON.parse(denied.stdout).code, 'unknown_symbol')

    const halted = await bitacora(['halt', '--dir', dir, '--reason', 'test'])
    assert.is(halted.code, 0, halted.stderr)
    assert.is(JSON.parse((await send('buy', 'AAPL', '--qty', '1')).stdout).code, 'halted')
    // The state is latched across a restart, and so is everything else.
    assert.is(await engine.stop(), 0)
    const second = new EngineProcess(dir, ['--speed', '50'])
    await second.ready()
    const status = await second.get<{ trading: { state: string } }>('/status')
    assert.is(status.trading.state, 'HALTED')
    assert.is((await second.get<OrderRow>(`/orders/${id}`)).status, 'filled')
    const resumed = await bitacora(['resume', '--dir', dir, '--reason', 'test'])
    assert.is(resumed.code, 0, resumed.stderr)
    assert.is((await send('sell', 'AAPL', '--qty', '1')).code, 0)
    assert.is(await second.stop(), 0)
    const verified = await bitacora(['verify', '--dir', dir])
    assert.is(verified.code, 0, verified.stderr)
  }))

test('what cannot start says why, with the exit code of the contract', () =>
  inEngineFolder(async (dir) => {
    const engine = new EngineProcess(dir, ['--speed', '1'])
    const { url } = await engine.ready()
    const second = new EngineProcess(dir, [])
    assert.is((await second.exited).code, 4)
    assert.match(second.output.stderr, /is in use by the engine with process id/)
    await inEngineFolder(async (other) => {
      const { port } = new URL(url)
      const taken = await bitacora(['start', '--dir', other, '--port', port])
      assert.is(taken.code, 4)
      assert.match(taken.stderr, new RegExp(`${port}.*in use|in use.*${port}`))
      const missing = await bitacora(['start', '--dir', other, '--port', '0'], {
        env: { NATS_SERVER_BIN: join(other, 'no-such-server') },
      })
      assert.is(missing.code, 4)
      assert.match(missing.stderr, /nats-server/)
      const unreachable = await bitacora(['start', '--dir', other, '--port', '0'], {
        env: { NATS_URL: `nats://127.0.0.1:${await unusedPort()}` },
      })
      assert.is(unreachable.code, 4)
      const invalid = await bitacora(['start', '--dir', other, '--set', 'fast=50'])
      assert.is(invalid.code, 2)
      assert.match(invalid.stderr, /fast \(50\) must be below slow \(30\)/)
    })
    assert.is(await engine.stop(), 0)
  }))

async function unusedPort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  await new Promise((resolve) => server.close(resolve))
  return port
}

test.run()
