// The checker of the two-writers test must see what it is there for.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { encodeBody } from '../../../engine/events/envelope.ts'
import { eventId } from '../../../engine/events/ids.ts'
import type { BrokerReport } from '../../../engine/ports/broker.ts'
import { MemoryStore } from '../../adapters/memory/memory-store.ts'
import { bookStream } from '../../runtime/folder.ts'
import type { BrokerCall } from './shared-broker.ts'
import { TwoWriters } from './two-writers.ts'

const A = '00000000000000aa'
const B = '00000000000000bb'
const BOOK = 'b0123456789abcdef'

type Entry = [run: string, type: string, data: object, recordedAt?: number]

const STARTS: Entry[] = [
  [A, 'book.created', { bookId: BOOK }],
  [A, 'engine.started', { run: A }, 100],
  [A, 'market.bar', { time: '2024-01-01T00:00:00Z' }],
  [A, 'order.intended', { orderId: 1 }],
  [B, 'engine.started', { run: B }, 200],
]
const FILL = { orderId: 1, symbol: 'X', side: 'buy', qty: '3' }

async function bookOf(entries: readonly Entry[]): Promise<TwoWriters> {
  const store = new MemoryStore()
  const events = entries.map(([run, type, data, recordedAt = 0], position) => {
    const step = { at: 0, recordedAt, step: position, because: null }
    const body = encodeBody({ type, version: 1, ...step, data } as never)
    return { id: eventId(run, position), type, body, checksum: null }
  })
  await store.append(bookStream(), -1, events)
  return new TwoWriters(store)
}

/** Message of the error with which a book, read to its end, is refused; null: it is not. */
async function fault(
  more: readonly Entry[],
  check: (book: TwoWriters) => void = () => {},
): Promise<string | null> {
  const book = await bookOf([...STARTS, ...more])
  try {
    await book.readOn()
    check(book)
    return null
  } catch (error) {
    return (error as Error).message
  }
}

const call = (caller: string, made: number, arrived: number, repeat = false): BrokerCall => ({
  ...{ caller, do: 'submit', what: `${BOOK}-1`, made, arrived, repeat },
})
const said = (sequence: number, kind: 'accepted' | 'filled', over: object = {}): BrokerReport => ({
  ...{ sequence, kind, clientOrderId: `${BOOK}-1`, occurredAt: 0 },
  ...(FILL as Pick<BrokerReport, 'orderId' | 'symbol'>),
  ...over,
})

test('a book that two engines wrote one after the other is taken', async () => {
  const agree = (book: TwoWriters): void => {
    book.hear(said(1, 'accepted'))
    book.hear(said(2, 'filled'))
    book.checkBroker()
    assert.is(book.checkCalls([call('a', 90, 90), call('b', 300, 300)], ['a', 'b']), 0)
    assert.is(book.checkCalls([call('a', 190, 250, true)], ['a', 'b']), 1)
  }
  const reports: Entry[] = [
    [B, 'order.accepted', { orderId: 1, brokerSequence: 1 }],
    [B, 'order.filled', { ...FILL, brokerSequence: 2 }],
  ]
  assert.is(await fault(reports, agree), null)
})

test('an event of an engine that was replaced is found', async () => {
  assert.match(String(await fault([[A, 'timer.set', {}]])), /event 5 was written by another run/)
})

test('inputs that are there twice, or not at all, are found', async () => {
  const bar: Entry = [B, 'market.bar', { time: '2024-01-01T00:00:00Z' }]
  assert.match(String(await fault([bar])), /bar .* twice/)
  const signal: Entry = [B, 'signal.received', { signalId: 's1' }]
  assert.match(String(await fault([signal, signal])), /signal s1 is in the book twice/)
  const verdict: Entry = [B, 'risk.verdict', { signalId: 's1' }]
  assert.match(String(await fault([signal, verdict, verdict])), /verdict of s1 .* twice/)
  assert.match(String(await fault([[B, 'input.gap', {}]])), /input.gap at 5/)
  for (const entries of [[], [signal]]) {
    const book = await bookOf([...STARTS, ...entries])
    const nc = { jetstream: () => ({ publish: async () => undefined }) }
    await book.publishSignal(nc as never, 's1', {})
    let message = ''
    await book.complete(1).catch((error: Error) => {
      message = error.message
    })
    assert.match(message, /lost: signal s1/)
  }
})

test('calls of an engine that was replaced are found, and late ones that took effect', async () => {
  const calls =
    (...given: BrokerCall[]) =>
    (book: TwoWriters) =>
      void book.checkCalls(given, ['a', 'b'])
  const two = calls(call('a', 199, 201, true), call('a', 201, 202, true))
  assert.match(String(await fault([], two)), /a called the broker after it was replaced/)
  const foreign = { ...call('a', 199, 202), what: `${BOOK}-9` }
  const withheld: Entry = [B, 'order.withheld', { orderId: 1 }]
  const cancel = { ...call('a', 199, 202), do: 'cancel' as const }
  const bar = { ...call('a', 199, 202), do: 'bar' as const, what: '2024-01-01T00:01:00Z' }
  const harmful = /replaced, and its call took effect/
  assert.match(String(await fault([], calls(foreign))), harmful)
  assert.match(String(await fault([withheld], calls(call('a', 199, 202)))), harmful)
  assert.match(String(await fault([], calls(cancel))), harmful)
  assert.match(String(await fault([], calls(bar))), harmful)
  assert.is(await fault([], calls(call('a', 199, 202))), null)
  assert.is(await fault([], calls({ ...bar, repeat: true })), null)
  const asked: Entry = [B, 'order.cancel_requested', { orderId: 1 }]
  assert.is(await fault([asked], calls(cancel)), null)
  const alone = (book: TwoWriters) => void book.checkCalls([], ['a', 'b', 'c'])
  assert.match(String(await fault([], alone)), /nobody has taken over from b/)
})

test('reports that are missing or repeated, and a broker that disagrees, are found', async () => {
  const accepted: Entry = [B, 'order.accepted', { orderId: 1, brokerSequence: 1 }]
  const filled: Entry = [B, 'order.filled', { ...FILL, brokerSequence: 2 }]
  assert.match(String(await fault([filled])), /report 2 comes after 0/)
  assert.match(String(await fault([accepted, accepted])), /order 1 twice/)
  const heard = (reports: readonly BrokerReport[]) => (book: TwoWriters) => {
    for (const report of reports) book.hear(report)
    book.checkBroker()
  }
  const less = heard([said(1, 'accepted'), said(2, 'filled', { qty: '2' })])
  assert.match(String(await fault([accepted, filled], less)), /X: 3 by the book, 2 by the broker/)
  const foreign = heard([said(1, 'accepted', { clientOrderId: `${BOOK}-9` })])
  assert.match(String(await fault([accepted], foreign)), /at the broker and not in the book/)
  const twice = heard([said(1, 'accepted'), said(2, 'accepted')])
  assert.match(String(await fault([accepted, filled], twice)), /exists twice/)
  const withheld: Entry = [B, 'order.withheld', { orderId: 1 }]
  const anyway = heard([said(1, 'accepted')])
  assert.match(String(await fault([withheld, accepted], anyway)), /the book withheld it/)
})

test.run()
