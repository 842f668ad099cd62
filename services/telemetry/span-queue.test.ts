import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { SpanQueue } from './span-queue.ts'
import type { Span } from './step-spans.ts'

const span = (position: number, sampled = true): Span => ({
  ...{ traceId: 'a'.repeat(32), spanId: String(position).padStart(16, '0'), sampled, position },
  ...{ parentSpanId: null, remote: false, name: 'risk', kind: 'internal', start: 1, end: 2 },
  ...{ attributes: {}, error: null },
})
const soon = () => new Promise((resolve) => setTimeout(resolve, 5))
const until = async (what: string, ask: () => boolean) => {
  for (const end = Date.now() + 20_000; !ask(); await soon()) {
    if (Date.now() > end) throw new Error(`never: ${what}`)
  }
}

test('spans leave in their order, in batches; unsampled ones do not', async () => {
  const sent: number[][] = []
  const queue = new SpanQueue({
    send: async (spans) => void sent.push(spans.map(({ position }) => position)),
    batch: 2,
    everyMs: 1,
  })
  for (const position of [0, 1, 2, 3, 4]) queue.put(span(position, position !== 3))
  await until('all are sent', () => queue.length === 0)
  assert.equal(sent.flat(), [0, 1, 2, 4])
  assert.ok(sent.every(({ length }) => length <= 2))
  assert.is(queue.sent, 4)
  assert.is(queue.dropped, 0)
  await queue.close(100)
})

test('a dead collector: the newest are kept, the oldest dropped, and sent when it is back', async () => {
  let dead = true
  const changes: boolean[] = []
  const sent: number[] = []
  const queue = new SpanQueue({
    send: async (spans) => {
      if (dead) throw new Error('connection refused')
      sent.push(...spans.map(({ position }) => position))
    },
    changed: (error) => changes.push(error === null),
    ...{ maxSpans: 10, batch: 4, everyMs: 1, retryMs: 2 },
  })
  for (let position = 0; position < 100; position++) {
    queue.put(span(position))
    if (position % 10 === 0) await soon()
    assert.ok(queue.length <= 14)
  }
  await until('it was tried', () => changes.length === 1)
  dead = false
  await until('all are sent', () => queue.length === 0)
  assert.equal(changes, [false, true])
  assert.is(queue.dropped + queue.sent, 100)
  assert.ok(queue.dropped >= 86)
  assert.equal(
    sent,
    [...sent].sort((a, b) => a - b),
  )
  assert.is(sent.at(-1), 99)
  await queue.close(100)
})

test('the oldest tells up to where a checkpoint may go, also while it is being sent', async () => {
  let release = (): void => undefined
  const queue = new SpanQueue({
    send: () => new Promise<void>((resolve) => (release = resolve)),
    ...{ batch: 1, everyMs: 1 },
  })
  assert.is(queue.oldest(), null)
  queue.put(span(7))
  queue.put(span(5))
  assert.is(queue.oldest(), 5)
  release()
  await until('the first is gone', () => queue.length === 1)
  assert.is(queue.oldest(), 5)
  release()
  await until('both are gone', () => {
    release()
    return queue.length === 0
  })
  await queue.close(100)
})

test('closing sends the rest, and gives a collector that hangs no longer than it may', async () => {
  const sent: number[] = []
  const queue = new SpanQueue({
    send: async (spans) => void sent.push(...spans.map(({ position }) => position)),
    everyMs: 60_000,
  })
  queue.put(span(1))
  await queue.close(20_000)
  assert.equal(sent, [1])
  queue.put(span(2))
  assert.is(queue.length, 0)

  const hanging = new SpanQueue({ send: () => new Promise(() => {}), everyMs: 60_000 })
  hanging.put(span(1))
  await hanging.close(30)
  assert.is(hanging.length, 1)
})

test.run()
