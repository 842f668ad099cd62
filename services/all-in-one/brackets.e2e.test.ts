import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { connect, JSONCodec } from 'nats'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { DEMO_BARS } from './testing/demo-run.ts'
import { bitacora, EngineProcess, inEngineFolder, until } from './testing/engine-process.ts'

interface OrderRow {
  id: number
  status: string
  type: string
  side: string
  qty: string
  filledQty: string
  role?: string
  parentId?: number
  legs?: number[]
  orderClass?: string
  code: string | null
}
interface Status {
  counts: { bars: number; anomalies: number }
  lastBars: { close: string }[]
}

const QUIET = ['--set', 'fast=400', 'slow=500']

const codec = JSONCodec()

/** Publishes on NATS as anyone may, and waits for the verdict. */
async function ask(url: string, subject: string, operator: string, body: object, id: string) {
  const nc = await connect({ servers: url })
  try {
    const answers = nc.subscribe(`signals.verdict.${operator}`, { max: 1 })
    await nc.flush()
    await nc.jetstream().publish(subject, codec.encode(body), { msgID: id })
    for await (const message of answers) {
      return message.json<{ verdict: string; orderIds: number[]; code: string; observed: string }>()
    }
    throw new Error('no verdict')
  } finally {
    await nc.close()
  }
}

const order = (engine: EngineProcess, id: number) => engine.get<OrderRow>(`/orders/${id}`)

test('a signal with exits becomes a bracket: killed in the middle, one exit trades and the other is canceled', () =>
  inEngineFolder(async (dir) => {
    const first = new EngineProcess(dir, ['--speed', '1', ...QUIET])
    const { natsUrl } = await first.ready()
    const close = await until('a bar', async () => {
      const { counts, lastBars } = await first.get<Status>('/status')
      return counts.bars > 0 && Number(lastBars[0]!.close)
    })
    const signal = {
      symbol: 'AAPL',
      side: 'buy',
      qty: '10',
      takeProfit: (close * 1.04).toFixed(2),
      stopLoss: (close * 0.96).toFixed(2),
    }
    const wrong = { ...signal, takeProfit: signal.stopLoss, stopLoss: signal.takeProfit }
    const denied = await ask(natsUrl, 'signals.manual.ana', 'ana', wrong, 'wrong')
    assert.is(denied.verdict, 'denied')
    assert.is(denied.code, 'take_profit')

    const verdict = await ask(natsUrl, 'signals.manual.ana', 'ana', signal, 'bracket')
    assert.is(verdict.verdict, 'approved', JSON.stringify(verdict))
    assert.equal(verdict.orderIds, [1, 2, 3])
    await until('the entry is filled', async () => (await order(first, 1)).status === 'filled')
    const legs = await until('the legs work', async () => {
      const rows = [await order(first, 2), await order(first, 3)]
      return rows.every(({ status }) => status !== 'held' && status !== 'intended') && rows
    })
    await first.kill()
    assert.equal(
      legs.map(({ type, role, parentId, side, qty }) => [type, role, parentId, side, qty]),
      [
        ['limit', 'take_profit', 1, 'sell', '10'],
        ['stop', 'stop_loss', 1, 'sell', '10'],
      ],
    )

    const second = new EngineProcess(dir, ['--speed', '200', ...QUIET])
    await second.ready()
    const entry = await order(second, 1)
    assert.equal(entry.legs, [2, 3])
    assert.is(entry.orderClass, 'bracket')
    const ended = await until('both exits have ended', async () => {
      const rows = [await order(second, 2), await order(second, 3)]
      return rows.every(({ status }) => ['filled', 'canceled'].includes(status)) && rows
    })
    assert.equal(ended.map(({ status }) => status).sort(), ['canceled', 'filled'])
    assert.is(ended.find(({ status }) => status === 'filled')!.filledQty, '10')
    const { positions } = await second.get<{ positions: unknown[] }>('/portfolio')
    assert.equal(positions, [])
    assert.is((await second.get<Status>('/status')).counts.anomalies, 0)
    assert.is(await second.stop(), 0)
    const verified = await bitacora(['verify', '--dir', dir])
    assert.is(verified.code, 0, verified.stdout + verified.stderr)
  }))

test('one order is replaced and canceled by its number, and what cannot be is answered with the reason', () =>
  inEngineFolder(async (dir) => {
    const engine = new EngineProcess(dir, ['--speed', '1', ...QUIET])
    const { natsUrl } = await engine.ready()
    const close = await until('a bar', async () => {
      const { counts, lastBars } = await engine.get<Status>('/status')
      return counts.bars > 0 && Number(lastBars[0]!.close)
    })
    const price = (part: number) => (close * part).toFixed(2)
    const limit = {
      symbol: 'AAPL',
      side: 'buy',
      qty: '10',
      limitPrice: price(0.97),
      timeInForce: 'gtc',
    }
    assert.equal((await ask(natsUrl, 'signals.manual.ana', 'ana', limit, 'limit')).orderIds, [1])
    await until('it works', async () => (await order(engine, 1)).status === 'accepted')
    const who = { actor: 'ana', reason: 'test' }
    const change = (body: object, id: string) =>
      ask(natsUrl, 'control.replace-order', 'ana', { ...who, ...body }, id)

    const far = await change({ orderId: 1, limitPrice: price(0.5) }, 'far')
    assert.equal([far.verdict, far.code], ['denied', 'price_collar'])
    const unknown = await change({ orderId: 9, qty: '5' }, 'unknown')
    assert.equal([unknown.verdict, unknown.code], ['denied', 'order_known'])
    const replaced = await change({ orderId: 1, qty: '4', limitPrice: price(0.965) }, 'replace')
    assert.equal([replaced.verdict, replaced.code, replaced.orderIds], ['approved', 'replace', [2]])
    await until('the other stands in its place', async () => {
      const [old, next] = [await order(engine, 1), await order(engine, 2)]
      return old.status === 'replaced' && next.status === 'accepted' && next.qty === '4'
    })
    const cancel = { ...who, orderId: 2 }
    const canceled = await ask(natsUrl, 'control.cancel-order', 'ana', cancel, 'cancel')
    assert.equal([canceled.verdict, canceled.code], ['approved', 'cancel'])
    await until('it is canceled', async () => (await order(engine, 2)).status === 'canceled')
    const again = await ask(natsUrl, 'control.cancel-order', 'ana', cancel, 'again')
    assert.equal([again.verdict, again.code], ['denied', 'order_open'])
    assert.is((await engine.get<Status>('/status')).counts.anomalies, 0)
    assert.is(await engine.stop(), 0)
    const verified = await bitacora(['verify', '--dir', dir])
    assert.is(verified.code, 0, verified.stdout + verified.stderr)
  }))

test('in lock-step, a strategy with brackets decides live as in a backtest', () =>
  inEngineFolder(async (dir) => {
    const preload = fileURLToPath(new URL('testing/bracket-strategy.mjs', import.meta.url))
    const env = { NODE_OPTIONS: `--import ${preload}` }
    const args = ['--speed', 'max', '--strategy', 'brackets', '--risk', 'off']
    const engine = new EngineProcess(dir, args, env)
    await engine.ready()
    await until(
      'the data has ended',
      async () => (await engine.get<Status>('/status')).counts.bars >= DEMO_BARS,
      120_000,
    )
    const { counts } = await engine.get<Status>('/status')
    const { equity } = await engine.get<{ equity: string }>('/portfolio')
    assert.is(await engine.stop(), 0)
    assert.is(counts.anomalies, 0)
    const verified = await bitacora(['verify', '--dir', dir, '--json'], { env })
    assert.is(verified.code, 0, verified.stdout + verified.stderr)
    const backtest = await bitacora(['backtest', '--history', '--dir', dir, '--json'], { env })
    assert.is(backtest.code, 0, backtest.stderr)
    const live = JSON.parse(verified.stdout) as { digest: string }
    const summary = JSON.parse(backtest.stdout) as {
      digest: string
      equity: { end: string }
      trades: { count: number }
      orders: { canceled: number; filled: number }
    }
    assert.is(summary.digest, live.digest)
    assert.is(summary.equity.end, equity)
    assert.ok(summary.trades.count > 50, `${summary.trades.count} trades`)
    assert.ok(summary.orders.canceled > 30, `${summary.orders.canceled} canceled`)
  }))

/** Eighty days of a wave, in whole cents; from day 40 in shares of which there are twice as many. */
function splitBars(): string {
  const rows = ['timestamp,open,high,low,close,volume']
  for (let day = 0; day < 80; day++) {
    const price = (100 + 8 * Math.sin(day / 3)) / (day < 40 ? 1 : 2)
    const text = (part: number) => (price * part).toFixed(2)
    const date = new Date(Date.UTC(2015, 0, 1 + day)).toISOString().slice(0, 10)
    rows.push([date, text(1), text(1.02), text(0.98), text(1.005), 100_000].join(','))
  }
  return `${rows.join('\n')}\n`
}

test('in lock-step, a split, a dividend and a delisting act live as in a backtest', () =>
  inEngineFolder(async (dir) => {
    const preload = fileURLToPath(new URL('testing/bracket-strategy.mjs', import.meta.url))
    const env = { NODE_OPTIONS: `--import ${preload}` }
    const data = join(dir, 'WAVE.csv')
    const actions = join(dir, 'actions.csv')
    writeFileSync(data, splitBars())
    // Day 40 is 2015-02-10.
    writeFileSync(
      actions,
      'symbol,ex_date,kind,value\nWAVE,2015-02-10,split,2\nWAVE,2015-02-20,dividend,0.25\nWAVE,2015-03-22,delist,\n',
    )
    const common = ['--data', data, '--actions', actions, '--strategy', 'brackets', '--risk', 'off']
    const engine = new EngineProcess(join(dir, 'engine'), ['--speed', 'max', ...common], env)
    try {
      await engine.ready()
      const all = await until('the delisting', async () => {
        const page = await engine.get<{ items: { type: string }[] }>(
          '/events?limit=100&types=market.action',
        )
        return page.items.length === 3 && page.items
      })
      assert.is(all.length, 3)
      const { equity, positions } = await until('the end', async () => {
        const status = await engine.get<Status>('/status')
        return (
          status.counts.bars === 80 &&
          (await engine.get<{ equity: string; positions: unknown[] }>('/portfolio'))
        )
      })
      assert.equal(positions, [])
      assert.is((await engine.get<Status>('/status')).counts.anomalies, 0)
      assert.is(await engine.stop(), 0)
      const folder = ['--dir', join(dir, 'engine')]
      const verified = await bitacora(['verify', ...folder, '--json'], { env })
      assert.is(verified.code, 0, verified.stdout + verified.stderr)
      const live = JSON.parse(verified.stdout) as { digest: string }
      for (const from of [common, ['--history', ...folder]]) {
        const backtest = await bitacora(['backtest', ...from, '--json'], { env })
        assert.is(backtest.code, 0, backtest.stderr)
        const summary = JSON.parse(backtest.stdout) as {
          digest: string
          equity: { end: string }
          trades: { count: number }
          actions: { splits: number; dividends: number }
        }
        assert.is(summary.digest, live.digest, from[0])
        assert.is(summary.equity.end, equity, from[0])
        assert.equal([summary.actions.splits, summary.actions.dividends], [1, 1])
        assert.ok(summary.trades.count > 3)
      }
    } finally {
      if (engine.child.exitCode === null) await engine.kill()
    }
  }))

test.run()
