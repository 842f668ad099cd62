import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { decodeBody } from '../../engine/events/envelope.ts'
import type { BrokerOrder } from '../../engine/ports/broker.ts'
import type { Bus, PublishOptions } from '../../engine/ports/bus.ts'
import { bar, BOOK_ID, fill, opened, report, signal } from '../../engine/testing/fixtures.ts'
import { type RecordedBook, recordedBook } from '../../engine/testing/given.ts'
import { MemoryStore } from '../adapters/memory/memory-store.ts'
import { createLog } from '../runtime/log.ts'
import { requestTrace } from '../runtime/request-trace.ts'
import { parseTraceparent, TRACE_HEADER } from '../runtime/traceparent.ts'
import { Collector } from './testing/collector.ts'
import { Tracing } from './tracing.ts'

const STREAM = 'account-test'

/** A book, a collector and a folder; `start` reads the book as an engine does. */
class Scene {
  readonly dir = mkdtempSync(join(tmpdir(), 'bitacora-tracing-'))
  readonly store = new MemoryStore()
  readonly lines: string[] = []
  readonly log = createLog({
    ...{ level: 'trace', name: 'test' },
    destination: { write: (text) => this.lines.push(text) },
  })
  readonly book: RecordedBook
  private appended = 0

  constructor(book: RecordedBook) {
    this.book = book
  }

  async append(): Promise<void> {
    for (const { first, proposed } of this.book.steps.slice(this.appended)) {
      await this.store.append(STREAM, first - 1, proposed)
    }
    this.appended = this.book.steps.length
  }

  async start(endpoint: string): Promise<Tracing> {
    const { dir, store, log } = this
    const tracing = await Tracing.open({
      ...{ dir, endpoint, account: 'main', version: '0.0.0', run: 'r', store, stream: STREAM, log },
    })
    for await (const page of store.read(STREAM, 0)) {
      for (const stored of page) tracing.take(decodeBody(stored))
    }
    tracing.follow(BOOK_ID)
    return tracing
  }

  get checkpoint(): { bookId: string; position: number } {
    return JSON.parse(readFileSync(join(this.dir, 'traces.json'), 'utf8'))
  }
}

async function inScene(body: (scene: Scene, collector: Collector) => Promise<void>): Promise<void> {
  const collector = await Collector.start()
  const scene = new Scene(recordedBook(...opened(), bar('A', 0, 10)))
  try {
    await scene.append()
    await body(scene, collector)
  } finally {
    collector.close()
    rmSync(scene.dir, { recursive: true, force: true })
  }
}

async function until(what: string, ask: () => boolean): Promise<void> {
  for (const end = Date.now() + 20_000; !ask(); ) {
    if (Date.now() > end) throw new Error(`never: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

class FakeBus implements Bus {
  readonly sent: { subject: string; options: PublishOptions }[] = []
  failing = false

  async publish(subject: string, _payload: unknown, options: PublishOptions = {}) {
    if (this.failing) throw Object.assign(new Error('no'), { code: 'publish_timeout' })
    this.sent.push({ subject, options })
    return { stream: 'S', sequence: this.sent.length, duplicate: false }
  }

  consume(): Promise<never> {
    return Promise.reject(new Error('not here'))
  }
}

const names = (collector: Collector) => collector.spans.map(({ name }) => name)

test('what is recorded before a start with tracing stays untold; what comes then is told', () =>
  inScene(async (scene, collector) => {
    scene.book.take(signal(0, { qty: '3' }))
    await scene.append()
    const tracing = await scene.start(collector.url)
    scene.book.take(report(1, 1, 'accepted'))
    await scene.append()
    await until('it is told', () => collector.spans.length > 0)
    await tracing.close()
    assert.equal(names(collector), ['accepted'])
    assert.equal(scene.checkpoint, { bookId: BOOK_ID, position: scene.book.recorder.next - 1 })
    assert.is(collector.spans[0]!.service, 'bitacora')
  }))

test('a start goes on where the last one stopped, in the same traces', () =>
  inScene(async (scene, collector) => {
    const first = await scene.start(collector.url)
    scene.book.take(signal(0, { qty: '3' }))
    await scene.append()
    await until('the order is told', () => names(collector).includes('order'))
    await first.close()
    scene.book.take(report(1, 1, 'accepted'))
    await scene.append()
    scene.book.take(fill(2, 1, 'buy', '3', '10'))
    const second = await scene.start(collector.url)
    await scene.append()
    await until('the fill is told', () => names(collector).includes('fill'))
    await second.close()
    assert.equal(names(collector), [
      ...['process signals.manual.*', 'risk', 'order', 'accepted', 'fill'],
    ])
    assert.is(new Set(collector.spans.map(({ traceId }) => traceId)).size, 1)
  }))

test('spans that a dead collector did not take are made again by the next start', () =>
  inScene(async (scene, collector) => {
    collector.status = 400
    const first = await scene.start(collector.url)
    scene.book.take(signal(0, { qty: '3' }))
    await scene.append()
    await until('it was tried', () => collector.requests > 0)
    await first.close()
    assert.is(scene.checkpoint.position, 2)
    assert.ok(scene.lines.some((line) => line.includes('does not take spans')))
    collector.status = 200
    const second = await scene.start(collector.url)
    await until('it is told', () => names(collector).includes('order'))
    await second.close()
    assert.equal(names(collector), ['process signals.manual.*', 'risk', 'order'])
  }))

test('a checkpoint of another book, of the future, or that cannot be read counts for nothing', () =>
  inScene(async (scene, collector) => {
    scene.book.take(signal(0, { qty: '3' }))
    await scene.append()
    for (const text of [
      '{"bookId":"b0000000000000000","position":1}',
      `{"bookId":"${BOOK_ID}","position":99}`,
      `{"bookId":"${BOOK_ID}","position":"1"}`,
      'not json',
    ]) {
      writeFileSync(join(scene.dir, 'traces.json'), text)
      const tracing = await scene.start(collector.url)
      assert.is(tracing.position(), 5, text)
      await tracing.close()
    }
    assert.equal(collector.spans, [])
  }))

test('reports and verdicts carry their trace; a verdict that is not stored has no span', () =>
  inScene(async (scene, collector) => {
    const tracing = await scene.start(collector.url)
    const bus = new FakeBus()
    const outward = tracing.bus(bus)
    // Whoever acts on the book has it read here first.
    const acted = tracing.store(scene.store).subscribe(STREAM, 3, async (page) => {
      for (const { type, position } of page) {
        if (type !== 'risk.verdict') continue
        const headers = { 'bitacora-position': String(position) }
        bus.failing = true
        await outward.publish('signals.verdict.ana', '{}', { headers }).catch(() => {})
        bus.failing = false
        await outward.publish('signals.verdict.ana', '{}', { headers })
        await outward.publish('reports.main', '{"data":{"orderId":1}}', { id: 'r' })
        await outward.publish('reports.main', '{"data":{"orderId":7}}')
        await outward.publish('md.bar.1d.A', '{}')
      }
    })
    scene.book.take(signal(0, { qty: '3' }))
    await scene.append()
    await until('all is sent', () => bus.sent.length === 4)
    await until('all is told', () => collector.spans.length === 4)
    const [verdict, known, unknown, other] = bus.sent.map(({ options }) =>
      parseTraceparent(options.headers?.[TRACE_HEADER]),
    )
    const span = (name: string) => collector.spans.find((one) => one.name === name)!
    assert.is(verdict!.spanId, span('publish signals.verdict.*').spanId)
    assert.is(span('publish signals.verdict.*').parentSpanId, span('risk').spanId)
    assert.is(known!.spanId, span('order').spanId)
    assert.is(bus.sent[1]!.options.id, 'r')
    assert.is(unknown, null)
    assert.is(other, null)
    assert.is(tracing.traceparent(0), undefined)
    assert.is(parseTraceparent(tracing.traceparent(4))!.spanId, span('risk').spanId)
    await acted.close()
    await tracing.close()
  }))

test('a call of the broker is a span under its order, also when it fails', () =>
  inScene(async (scene, collector) => {
    scene.book.take(signal(0, { qty: '3' }))
    await scene.append()
    const tracing = await scene.start(collector.url)
    let calls = 0
    const broker = tracing.broker({
      submit: async () => {
        if (++calls === 1) throw Object.assign(new Error('gone'), { code: 'outcome_unknown' })
      },
      cancel: async () => {},
      knows: async () => true,
      reports: () => () => {},
      lastSequence: () => 7,
    })
    const order = { orderId: 1, symbol: 'A' } as BrokerOrder
    await broker.submit(order).then(
      () => assert.unreachable(),
      (error: Error) => assert.is(error.message, 'gone'),
    )
    await broker.submit(order)
    await broker.submit({ ...order, orderId: 9 })
    assert.is(broker.lastSequence(), 7)
    assert.is(broker.replace, undefined)
    await tracing.close()
    assert.equal(names(collector), ['submit', 'submit'])
    const [failed, done] = collector.spans
    assert.is(failed!.status.code, 2)
    assert.is(failed!.status.message, 'outcome_unknown')
    assert.is(done!.status.code ?? 0, 0)
    assert.is(failed!.traceId, tracing.traceIdOf(1))
  }))

test('log lines about an order, an event or a request name their trace', () =>
  inScene(async (scene, collector) => {
    scene.book.take(signal(0, { qty: '3' }))
    await scene.append()
    const tracing = await scene.start(collector.url)
    const log = tracing.log(scene.log)
    const line = (fields: object): Record<string, unknown> => {
      log.warn(fields, 'said')
      return JSON.parse(scene.lines.at(-1)!) as Record<string, unknown>
    }
    const ofOrder = line({ orderId: 1, err: new Error('why') })
    assert.is(ofOrder.trace_id, tracing.traceIdOf(1))
    assert.match(String(ofOrder.span_id), /^[0-9a-f]{16}$/)
    assert.is((ofOrder.err as { message: string }).message, 'why')
    const ofEvent = line({ position: 4 })
    assert.is(ofEvent.trace_id, ofOrder.trace_id)
    assert.is(ofEvent.event_position, 4)
    assert.is.not(ofEvent.span_id, ofOrder.span_id)
    assert.is(line({ orderId: 77 }).trace_id, undefined)
    assert.is(line({}).trace_id, undefined)
    const context = { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), sampled: true }
    assert.is(requestTrace.run(context, () => line({})).trace_id, context.traceId)
    await tracing.close()
  }))

test('what is asked for over HTTP goes on in the trace of its request', () =>
  inScene(async (scene, collector) => {
    const tracing = await scene.start(collector.url)
    const bus = new FakeBus()
    const commands = tracing.commands(bus)
    const context = { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), sampled: true }
    await requestTrace.run(context, () =>
      commands.publish('signals.manual.ana', '{}', { id: 'one' }),
    )
    await commands.publish('control.halt', '{}')
    bus.failing = true
    await commands.publish('control.halt', '{}').catch(() => {})
    await tracing.close()
    const [signalled, halted] = bus.sent.map(({ options }) =>
      parseTraceparent(options.headers?.[TRACE_HEADER]),
    )
    assert.is(signalled!.traceId, context.traceId)
    assert.is.not(halted!.traceId, context.traceId)
    const [first, second, third] = collector.spans
    assert.equal(names(collector), [
      ...['publish signals.manual.*', 'publish control.*', 'publish control.*'],
    ])
    assert.is(first!.parentSpanId, context.spanId)
    assert.equal(
      first!.links.map(({ spanId }) => spanId),
      [context.spanId],
    )
    assert.is(second!.spanId, halted!.spanId)
    assert.is(third!.status.message, 'publish_timeout')
  }))

test.run()
