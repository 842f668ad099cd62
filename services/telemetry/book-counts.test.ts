import * as fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { decodeBody, type RecordedEvent } from '../../engine/events/envelope.ts'
import type { StoredEvent } from '../../engine/ports/event-store.ts'
import { history, play } from '../../engine/testing/arbitraries.ts'
import { bar, control, fill, opened, report, signal } from '../../engine/testing/fixtures.ts'
import { RecordedBook, recordedBook } from '../../engine/testing/given.ts'
import { BookCounts, MAX_LABELS } from './book-counts.ts'

function storedEvents(book: RecordedBook): StoredEvent[] {
  return book.steps.flatMap(({ first, proposed }) =>
    proposed.map((event, index) => ({ ...event, position: first + index })),
  )
}

const event = (position: number, type: string, data: object): RecordedEvent => ({
  ...{ id: String(position), position, type: type as RecordedEvent['type'], version: 1 },
  ...{ at: 0, recordedAt: 1000 + position, step: position, because: null, data },
})

const plain = (counts: BookCounts) =>
  JSON.stringify(counts, (_key, value) => (value instanceof Map ? [...value] : value))

test('signals, verdicts, orders, fills and their ends are counted', () => {
  const book = recordedBook(
    ...opened(),
    bar('A', 0, 10),
    signal(0, { qty: '3' }),
    signal(0, { qty: '1', symbol: 'NOBARS', signalId: 'unpriced' }),
  )
  const counts = new BookCounts()
  counts.takePage(storedEvents(book))
  assert.equal([...counts.signals], [['manual', 2]])
  assert.is(counts.orders.get('manual'), 1)
  assert.is(counts.verdicts.get('manual approved'), 1)
  assert.is(counts.verdicts.get('manual denied'), 1)
  assert.is(counts.rejections.size, 1)
  assert.is(counts.bars, 1)
  assert.is(counts.openOrders, 1)
  assert.is(counts.unanswered, 1)
  assert.ok(counts.unansweredSince !== null && counts.lastBarAt !== null)

  book.take(report(1, 1, 'accepted'))
  counts.takePage(storedEvents(book))
  assert.is(counts.unanswered, 0)
  assert.is(counts.unansweredSince, null)
  book.take(fill(2, 1, 'buy', '1', '10', { complete: false }))
  book.take(fill(3, 1, 'buy', '2', '10'))
  book.take(control(1, 'halt'))
  counts.takePage(storedEvents(book))
  assert.is(counts.fills.get('manual'), 2)
  assert.is(counts.ends.get('filled'), 1)
  assert.is(counts.openOrders, 0)
  assert.is(counts.trading, 'HALTED')
  assert.equal([...counts.controls], [['halt', 1]])
  assert.is(counts.events, counts.position + 1)
})

test('pages and single events count alike, and nothing counts twice', () => {
  fc.assert(
    fc.property(history, fc.integer({ min: 1, max: 9 }), (past, size) => {
      const book = new RecordedBook()
      play(past, book.chain.table, book.take)
      const all = storedEvents(book)
      const single = new BookCounts()
      for (const stored of all) single.take(decodeBody(stored))
      const pages = new BookCounts()
      for (let at = 0; at < all.length; at += size) {
        pages.takePage(all.slice(Math.max(0, at - 3), at + size))
      }
      assert.is(plain(pages), plain(single))
      assert.is(single.events, all.length)
    }),
    { numRuns: 40 },
  )
})

test('names from outside cannot make labels without end, nor labels of their own making', () => {
  const counts = new BookCounts()
  let position = 0
  const hostile = ['a"b', 'a\nb', 'a b', '', 'x'.repeat(65), '{}', '\\', 'ü', '__proto__']
  for (let i = 0; i < 500; i++) {
    const name = hostile[i] ?? `s${i}`
    counts.take(event(position++, 'signal.raised', { strategy: name }))
    counts.take(event(position++, 'input.refused', { code: name }))
    counts.take(
      event(position++, 'risk.verdict', {
        ...{ source: `operator:${name}`, verdict: 'denied', code: name, orderIds: [] },
      }),
    )
  }
  for (const { size } of [counts.signals, counts.refused, counts.rejections]) {
    assert.ok(size <= MAX_LABELS + 1, `${size} labels`)
  }
  assert.equal(
    [...counts.signals.keys(), ...counts.refused.keys()].filter(
      (label) => !/^[A-Za-z][A-Za-z0-9_.-]*$/.test(label),
    ),
    [],
  )
  assert.ok([...counts.rejections.keys()].every((key) => key.startsWith('manual ')))
  const total = [...counts.signals.values()].reduce((sum, n) => sum + n, 0)
  assert.is(total, 500)
})

test.run()
