import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { decodeBody, type RecordedEvent } from '../../engine/events/envelope.ts'
import type { WhatIfResult } from '../../engine/replay/what-if.ts'
import { formatTime } from '../../engine/time.ts'
import type { ExplainBody } from '../../schemas/types.gen.ts'
import { openSqliteStore } from '../adapters/embedded/sqlite-store.ts'
import { Explainer } from '../projector/explain.ts'
import { Past } from '../projector/past.ts'
import { bookPath, bookStream } from '../runtime/folder.ts'
import { bitacora, EngineProcess, inEngineFolder, until } from './testing/engine-process.ts'

/** A real run over the demo bars, with an operator's order in it, and one that is refused. */
async function demoRun(dir: string, ask: (engine: EngineProcess) => Promise<void>): Promise<void> {
  const engine = new EngineProcess(dir, ['--speed', 'max'])
  await engine.ready()
  await until('all bars in the book', async () => {
    const status = await engine.get<{ counts: { bars: number } }>('/status')
    return status.counts.bars >= 1260
  })
  await ask(engine)
  assert.is(await engine.stop(), 0)
}

test('every order and every signal of a demo run is explained back to an input', () =>
  inEngineFolder(async (dir) => {
    await demoRun(dir, async () => {
      const say = (...args: string[]) => bitacora(['signal', ...args, '--dir', dir, '--json'])
      assert.is((await say('buy', 'AAPL', '--qty', '3', '--id', 'mine')).code, 0)
      assert.is((await say('buy', 'TSLA', '--qty', '3', '--id', 'unknown')).code, 3)
    })
    const store = openSqliteStore(bookPath(dir), { readonly: true })
    try {
      const book: RecordedEvent[] = []
      for await (const page of store.read(bookStream(), 0)) book.push(...page.map(decodeBody))
      const model = await new Past(store, bookStream()).model({ position: book.length - 1 })
      const explainer = new Explainer(store, bookStream())
      const names = new Set<string>()
      const explained = { orders: 0, signals: 0 }
      for (const { type, data } of book) {
        const { orderId, signalId } = data as { orderId?: number; signalId?: string }
        const name =
          type === 'order.intended'
            ? String(orderId)
            : type.startsWith('signal.')
              ? signalId!
              : null
        if (name === null || names.has(name)) continue
        names.add(name)
        const body = await explainer.explain(name, model)
        checkChain(name, body, book)
        assert.is(body.kind, type === 'order.intended' ? 'order' : 'signal', name)
        explained[body.kind === 'order' ? 'orders' : 'signals']++
      }
      assert.ok(explained.orders > 50 && explained.signals > 50, JSON.stringify(explained))
    } finally {
      await store.close()
    }
  }))

/** Every link stands in the book as it is told, and what led to it goes back to a bar or an operator. */
function checkChain(name: string, body: ExplainBody, book: readonly RecordedEvent[]): void {
  assert.is(body.truncated, false)
  const links = new Map(body.chain.map((link) => [link.position, link]))
  assert.is(links.size, body.chain.length, `${name}: a position twice`)
  const inputs = new Set<string>()
  for (const { position, type, at, because, data } of body.chain) {
    const event = book[position]!
    const told = { position, type, at, because, data }
    assert.equal(
      told,
      {
        position: event.position,
        type: event.type,
        at: formatTime(event.at),
        because: event.because,
        data: event.data,
      },
      `${name}: position ${position}`,
    )
    // What caused a link is told as well.
    if (because !== null) assert.ok(links.has(because), `${name}: ${position} for ${because}`)
    else inputs.add(type)
  }
  assert.ok(inputs.has('market.bar') || inputs.has('signal.received'), `${name}: no input`)
}

test('what if over a demo run: nothing without a change, a backtest with other parameters', () =>
  inEngineFolder(async (dir) => {
    await demoRun(dir, async () => {})
    const ask = async <T>(...args: string[]): Promise<T> => {
      const { code, stdout, stderr } = await bitacora([...args, '--dir', dir, '--json'])
      assert.is(code, 0, stderr)
      return JSON.parse(stdout) as T
    }
    const verified = await ask<{ digest: string }>('verify')
    const same = await ask<WhatIfResult>('whatif')
    assert.is(same.divergence, null)
    assert.equal(same.differences, [])
    assert.is(same.digest.now, verified.digest)
    assert.equal(same.now, same.recorded)

    const params = ['--set', 'fast=8', 'slow=25']
    const other = await ask<WhatIfResult>('whatif', ...params)
    const backtest = await ask<{ digest: string; equity: { end: string } }>(
      ...['backtest', '--history', ...params],
    )
    assert.is(other.digest.now, backtest.digest)
    assert.is(other.now.equity, backtest.equity.end)
    assert.ok(other.divergence !== null && other.simulated!.fills > 20)
  }))

test.run()
