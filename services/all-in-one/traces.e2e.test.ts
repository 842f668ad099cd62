import { join } from 'node:path'
import { connect } from 'nats'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { decodeBody, type RecordedEvent } from '../../engine/events/envelope.ts'
import { openStore } from '../adapters/open-store.ts'
import { BOOK_FILE, bookStream } from '../runtime/folder.ts'
import { attribute, Collector, type ReceivedSpan } from '../telemetry/testing/collector.ts'
import { bitacora, EngineProcess, inEngineFolder, until } from './testing/engine-process.ts'

const TRACE = '0af7651916cd43dd8448eb211c80319c'
const CALLER = 'b7ad6b7169203331'
const PARENT = `00-${TRACE}-${CALLER}-01`

interface OrderBody {
  status: string
}
interface Verdict {
  verdict: string
  orderIds: number[]
}

async function collecting(
  body: (dir: string, collector: Collector, env: Record<string, string>) => Promise<void>,
): Promise<void> {
  const collector = await Collector.start()
  try {
    await inEngineFolder((dir) =>
      body(dir, collector, { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url }),
    )
  } finally {
    collector.close()
  }
}

async function readBook(dir: string): Promise<RecordedEvent[]> {
  const events: RecordedEvent[] = []
  const store = await openStore({ path: join(dir, BOOK_FILE), url: null }, { readonly: true })
  try {
    for await (const page of store.read(bookStream(), 0)) events.push(...page.map(decodeBody))
  } finally {
    await store.close()
  }
  return events
}

async function verify(dir: string, env: Record<string, string> = {}): Promise<string> {
  const { code, stdout, stderr } = await bitacora(['verify', '--dir', dir, '--json'], { env })
  assert.is(code, 0, stderr)
  return (JSON.parse(stdout) as { digest: string }).digest
}

const hasBars = (engine: EngineProcess, bars: number) =>
  until(`${bars} bars in the book`, async () => {
    const { counts } = await engine.get<{ counts: { bars: number } }>('/status')
    return counts.bars >= bars
  })

const status = (engine: EngineProcess, order: number, wanted: string) =>
  until(`order ${order} is ${wanted}`, async () => {
    const found = await engine.get<OrderBody>(`/orders/${order}`).catch(() => null)
    return found?.status === wanted
  })

const spansOf = (collector: Collector, traceId: string, names: readonly string[]) =>
  until(`${names.join(', ')} at the collector`, async () => {
    const trace = collector.trace(traceId)
    return names.every((name) => trace.has(name)) && trace
  })

/** Every span hangs on another of its trace, but for the given roots' parents. */
function assertTree(spans: Iterable<ReceivedSpan>, outside: string | undefined): void {
  const all = [...spans]
  const ids = new Set(all.map(({ spanId }) => spanId))
  for (const { name, parentSpanId } of all) {
    assert.ok(
      parentSpanId === outside || ids.has(String(parentSpanId)),
      `${name} hangs on ${parentSpanId}`,
    )
  }
}

const MANUAL = ['process signals.manual.*', 'risk', 'order', 'submit', 'accepted', 'fill']

test('a manual signal and all that follows from it are one tree, over NATS, the book and a kill', () =>
  collecting(async (dir, collector, env) => {
    let engine = new EngineProcess(dir, ['--speed', '0.2', '--strategy', 'mean_reversion'], env)
    const { natsUrl } = await engine.ready()
    await hasBars(engine, 1)
    const nc = await connect({ servers: natsUrl })
    const tape: string[] = []
    nc.subscribe('tape.>', {
      callback: (_error, message) => {
        if (message.headers?.get('traceparent')?.includes(TRACE)) tape.push(message.subject)
      },
    })
    const told: (string | undefined)[] = []
    nc.subscribe('signals.verdict.*', {
      callback: (_error, message) => told.push(message.headers?.get('traceparent')),
    })
    await nc.flush()
    const sent = await bitacora(
      ['signal', 'buy', 'AAPL', '--qty', '3', '--dir', dir, '--json', '--wait', '20s'],
      { env: { ...env, TRACEPARENT: PARENT } },
    )
    assert.is(sent.code, 0, sent.stderr)
    const [order] = (JSON.parse(sent.stdout) as Verdict).orderIds
    await status(engine, order!, 'accepted')
    await until('the end of the step on TAPE', async () => tape.includes('tape.order.accepted'))
    await nc.close()
    // What only the killed process saw is gone with it unless it has left.
    await spansOf(collector, TRACE, ['submit', 'publish signals.verdict.*'])
    await engine.kill()

    engine = new EngineProcess(dir, ['--speed', '5', '--strategy', 'mean_reversion'], env)
    await engine.ready()
    await status(engine, order!, 'filled')
    const all = ['publish signals.manual.*', 'publish signals.verdict.*', ...MANUAL]
    const trace = await spansOf(collector, TRACE, all)
    assert.is(await engine.stop(), 0)

    assertTree(trace.values(), CALLER)
    const parentOf = (name: string) => {
      const { parentSpanId } = trace.get(name)!
      return [...trace.values()].find(({ spanId }) => spanId === parentSpanId)?.name
    }
    assert.is(trace.get('publish signals.manual.*')!.parentSpanId, CALLER)
    assert.is(parentOf('process signals.manual.*'), 'publish signals.manual.*')
    assert.is(parentOf('risk'), 'process signals.manual.*')
    assert.is(parentOf('order'), 'risk')
    assert.is(parentOf('submit'), 'order')
    assert.is(parentOf('fill'), 'order')
    assert.is(parentOf('publish signals.verdict.*'), 'risk')
    const process = trace.get('process signals.manual.*')!
    assert.is(attribute(process, 'messaging.system'), 'nats')
    assert.is(attribute(process, 'messaging.destination.template'), 'signals.manual.*')
    assert.is(attribute(trace.get('order')!, 'trading.order_id'), order)
    assert.is(attribute(trace.get('fill')!, 'trading.symbol'), 'AAPL')

    // Beside the events, where nothing depends on it.
    const events = await readBook(dir)
    const signal = events.find(({ type }) => type === 'signal.received')!
    assert.match(String(signal.trace), TRACE)
    assert.is(attribute(process, 'trading.event_position'), signal.position)
    const fill = events.find(({ type }) => type === 'order.filled')!
    assert.match(String(fill.trace), TRACE)
    // Nanoseconds are more than a double can tell apart.
    assert.is(Number(BigInt(process.endTimeUnixNano) / 1_000_000n), signal.recordedAt)
    for (const subject of ['tape.signal.received', 'tape.risk.verdict', 'tape.order.intended']) {
      assert.ok(tape.includes(subject), `${subject} in ${tape}`)
    }
    assert.match(String(told[0]), trace.get('publish signals.verdict.*')!.spanId)

    // A span of the book that was sent again after the kill has the id that it had.
    for (const name of ['risk', 'order']) {
      const ids = collector.spans.filter((one) => one.traceId === TRACE && one.name === name)
      assert.is(new Set(ids.map(({ spanId }) => spanId)).size, 1)
    }
    // Proofs and backtests are not runs: nothing of them reaches the collector.
    const before = collector.requests
    await verify(dir, env)
    const { code } = await bitacora(['backtest', '--history', '--dir', dir, '--json'], { env })
    assert.is(code, 0)
    assert.is(collector.requests, before)
  }))

test("a strategy's orders are traces that begin at their bars; the digest is that of a run without", () =>
  collecting(async (dir, collector, env) => {
    const engine = new EngineProcess(dir, ['--speed', 'max'], env)
    await engine.ready()
    await hasBars(engine, 1260)
    const wanted = ['process md.bar.*.*', 'signal', 'risk', 'order', 'submit', 'accepted', 'fill']
    const events = await readBook(dir)
    const intents = events.filter(({ type }) => type === 'order.intended')
    await until('every order at the collector', async () => {
      const orders = collector.spans.filter(({ name }) => name === 'order')
      return new Set(orders.map(({ spanId }) => spanId)).size === intents.length
    })
    assert.is(await engine.stop(), 0)
    const roots = collector.spans.filter(({ name }) => name === 'process md.bar.*.*')
    assert.ok(roots.length >= 50 && roots.length <= intents.length, 'none but of decisions')
    let whole = 0
    for (const root of roots) {
      const trace = collector.trace(root.traceId)
      assertTree(trace.values(), undefined)
      const bar = events[Number(attribute(root, 'trading.event_position'))]!
      assert.is(bar.type, 'market.bar')
      assert.is(attribute(trace.get('risk')!, 'trading.strategy'), 'sma_cross')
      if (wanted.every((name) => trace.has(name))) whole++
    }
    assert.is(whole, roots.length)
    const traced = await verify(dir)

    const plain = join(dir, 'plain')
    const without = new EngineProcess(plain, ['--speed', 'max'])
    await without.ready()
    await hasBars(without, 1260)
    assert.is(await without.stop(), 0)
    assert.is(await verify(plain), traced)
    assert.ok((await readBook(plain)).every(({ trace }) => trace === undefined))
  }))

test('a collector that is not there costs nothing but the spans', () =>
  inEngineFolder(async (dir) => {
    const env = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9' }
    const engine = new EngineProcess(dir, ['--speed', 'max'], env)
    await engine.ready()
    await hasBars(engine, 1260)
    const sent = await bitacora(['signal', 'buy', 'AAPL', '--qty', '1', '--dir', dir], { env })
    assert.is(sent.code, 0, sent.stderr + sent.stdout)
    assert.is(await engine.stop(), 0)
    assert.match(engine.output.stderr, /the collector does not take spans/)
    await verify(dir)
  }))

test.run()
