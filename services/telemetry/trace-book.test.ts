import * as fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { decodeBody } from '../../engine/events/envelope.ts'
import type { StoredEvent } from '../../engine/ports/event-store.ts'
import { history, play } from '../../engine/testing/arbitraries.ts'
import { bar, control, fill, opened, report, signal } from '../../engine/testing/fixtures.ts'
import { RecordedBook, recordedBook } from '../../engine/testing/given.ts'
import { spanIdOf, traceIdOf } from '../runtime/traceparent.ts'
import { stepSpans } from './step-spans.ts'
import { TraceBook, type TracedStep } from './trace-book.ts'

const TRACE = '0af7651916cd43dd8448eb211c80319c'
const GIVEN = `00-${TRACE}-b7ad6b7169203331-01`

/** The events of a book as a store gives them; `traces`: what the inputs at these positions came with. */
function storedEvents(book: RecordedBook, traces: Record<number, string> = {}): StoredEvent[] {
  return book.steps.flatMap(({ first, proposed }) =>
    proposed.map((event, index) => {
      const trace = index === 0 ? traces[first] : undefined
      const body =
        trace === undefined ? event.body : JSON.stringify({ ...JSON.parse(event.body), trace })
      return { ...event, body, position: first + index }
    }),
  )
}

function spansOf(page: readonly StoredEvent[]) {
  const steps: TracedStep[] = []
  new TraceBook((step) => steps.push(step)).takePage(page)
  return steps.flatMap(stepSpans)
}

test('what came with a trace goes on in it, to the fill; each span hangs on its cause', () => {
  const book = recordedBook(
    ...opened(),
    bar('A', 0, 10),
    signal(0, { qty: '3' }),
    report(1, 1, 'accepted'),
    bar('A', 1, 11),
    fill(2, 1, 'buy', '3', '10'),
  )
  const page = storedEvents(book, { 3: GIVEN })
  const spans = spansOf(page)
  assert.equal(
    spans.map(({ name }) => name),
    ['process signals.manual.*', 'risk', 'order', 'accepted', 'fill'],
  )
  const [input, risk, order, accepted, filled] = spans
  assert.ok(spans.every(({ traceId, sampled }) => traceId === TRACE && sampled))
  assert.is(input!.parentSpanId, 'b7ad6b7169203331')
  assert.is(input!.remote, true)
  assert.is(risk!.parentSpanId, input!.spanId)
  assert.is(order!.parentSpanId, risk!.spanId)
  assert.is(accepted!.parentSpanId, order!.spanId)
  assert.is(filled!.parentSpanId, order!.spanId)
  assert.is(order!.attributes['trading.order_id'], 1)
  assert.is(order!.attributes['trading.event_position'], 5)
  assert.is(filled!.attributes['trading.complete'], true)
  const ids = page.map(({ id }) => spanIdOf(id))
  assert.ok(spans.every(({ spanId }) => ids.includes(spanId)))
})

test('a report that names another trace stays in that of its order', () => {
  const book = recordedBook(...opened(), bar('A', 0, 10), signal(0, { qty: '3' }))
  book.take(report(1, 1, 'accepted'))
  const other = `00-${'f'.repeat(32)}-${'f'.repeat(16)}-01`
  const spans = spansOf(storedEvents(book, { 3: GIVEN, 6: other }))
  assert.is(spans.at(-1)!.name, 'accepted')
  assert.is(spans.at(-1)!.traceId, TRACE)
})

test('without a trace one begins at the input; what is no traceparent counts as none', () => {
  const book = recordedBook(...opened(), bar('A', 0, 10), signal(0, { qty: '3' }))
  for (const traces of [{}, { 3: 'nonsense' }, { 3: 7 as unknown as string }]) {
    const page = storedEvents(book, traces)
    const [input, ...rest] = spansOf(page)
    assert.is(input!.traceId, traceIdOf(page[3]!.id))
    assert.is(input!.parentSpanId, null)
    assert.is(input!.remote, true)
    assert.ok(rest.every(({ traceId }) => traceId === input!.traceId))
  }
})

test('who asks for no sampling gets none, for everything that follows', () => {
  const book = recordedBook(...opened(), bar('A', 0, 10), signal(0, { qty: '3' }))
  book.take(report(1, 1, 'accepted'))
  const spans = spansOf(storedEvents(book, { 3: GIVEN.replace(/01$/, '00') }))
  assert.is(spans.length, 4)
  assert.ok(spans.every(({ sampled }) => !sampled))
})

test('a bar without a decision has no span; a control has one, and what failed says so', () => {
  const book = recordedBook(...opened(), bar('A', 0, 10), bar('A', 1, 11), control(1, 'halt'))
  assert.equal(
    spansOf(storedEvents(book)).map(({ name }) => name),
    ['process control.*'],
  )
  const rejected = recordedBook(...opened(), bar('A', 0, 10), signal(0, { qty: '3' }))
  rejected.take(report(1, 1, 'rejected'))
  const last = spansOf(storedEvents(rejected)).at(-1)!
  assert.is(last.name, 'rejected')
  assert.ok(last.error)
})

test('however the book is cut into pages and read again, events keep their spans', () => {
  fc.assert(
    fc.property(history, fc.array(fc.nat({ max: 7 })), (past, cuts) => {
      const book = new RecordedBook()
      play(past, book.chain.table, book.take)
      const all = storedEvents(book)
      const whole = new TraceBook()
      whole.takePage(all)
      const events = new TraceBook()
      for (const stored of all) events.take(decodeBody(stored))
      events.settle()
      const pages = new TraceBook()
      for (let at = 0, cut = 0; at < all.length; cut++) {
        const size = (cuts[cut] ?? 4) + 1
        // A page that overlaps what was taken already, as two followers of one book bring it.
        pages.takePage(all.slice(Math.max(0, at - 2), at + size))
        at += size
      }
      for (const { position } of all) {
        const found = whole.at(position)?.context ?? null
        assert.equal(events.at(position)?.context ?? null, found)
        assert.equal(pages.at(position)?.context ?? null, found)
      }
      for (let orderId = 1; orderId < 10; orderId++) {
        assert.equal(pages.order(orderId), whole.order(orderId))
      }
    }),
    { numRuns: 40 },
  )
})

test('every span of a book hangs on a span of its trace, or begins it', () => {
  fc.assert(
    fc.property(history, (past) => {
      const book = new RecordedBook()
      play(past, book.chain.table, book.take)
      const spans = spansOf(storedEvents(book))
      const known = new Set(spans.map(({ traceId, spanId }) => `${traceId} ${spanId}`))
      assert.is(known.size, spans.length)
      for (const { traceId, parentSpanId, start, end } of spans) {
        assert.ok(parentSpanId === null || known.has(`${traceId} ${parentSpanId}`))
        assert.ok(start <= end)
      }
    }),
    { numRuns: 40 },
  )
})

test.run()
