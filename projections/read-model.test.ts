import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { DAY_MS } from '../engine/time.ts'
import { fillBody } from './fills.ts'
import { EventTooNew, isProjected, ReadModel } from './read-model.ts'
import { BOOK_ID, START, TestBook } from './testing/book.ts'

function model(book: TestBook): ReadModel {
  const found = new ReadModel()
  for (const event of book.events) found.apply(event)
  return found
}

test('before the genesis the status is empty, and trading counts as active', () => {
  const status = new ReadModel().statusBody()
  assert.equal([status.position, status.at, status.bookId, status.run], [-1, null, null, null])
  assert.is(status.settings, null)
  assert.equal(
    [status.trading.state, status.trading.code, status.trading.since],
    ['ACTIVE', 'started', null],
  )
  assert.equal(new Set(Object.values(status.counts)), new Set([0]))
})

test('the status tells the run, the settings, the counts and the newest bars', () => {
  const book = new TestBook().created().started('aaaaaaaaaaaaaaaa')
  book.at += DAY_MS
  book.started('bbbbbbbbbbbbbbbb').bar('MSFT', '30').bar('AAPL', '20')
  book.signal('alice', 's').verdict('operator:alice', 's').intended(1).intended(2)
  book.filled(1, '10', '20').refused('bad').refused('bad', { operator: 'alice', signalId: 'r' })
  book.add('order.anomaly', { orderId: 9, status: 'x', event: 'order.filled', code: 'y' })
  const status = model(book).statusBody()
  assert.is(status.bookId, BOOK_ID)
  assert.is(status.account, 'main')
  assert.is(status.position, book.events.length - 1)
  assert.equal(status.counts, {
    bars: 2,
    orders: 2,
    openOrders: 1,
    fills: 1,
    signals: 2,
    approved: 1,
    denied: 1,
    refusedInputs: 2,
    gaps: 0,
    anomalies: 1,
    controls: 0,
    starts: 2,
  })
  assert.is(status.run?.run, 'bbbbbbbbbbbbbbbb')
  assert.is(status.run?.startedAt, '2013-10-23T00:00:00Z')
  assert.is(status.settings?.strategies[0]?.name, 'sma_cross')
  assert.equal(
    status.lastBars.map(({ symbol, close }) => `${symbol} ${close}`),
    ['AAPL 20', 'MSFT 30'],
  )
})

test('a late bar does not become the newest, a correction of the newest does', () => {
  const book = new TestBook()
    .created()
    .bar('AAPL', '3', START)
    .bar('AAPL', '2', START - 2 * DAY_MS)
  assert.is(model(book).statusBody().lastBars[0]?.close, '3')
  book.bar('AAPL', '4', START)
  assert.is(model(book).statusBody().lastBars[0]?.close, '4')
  book.bar('AAPL', '5', START + 500)
  assert.is(model(book).statusBody().lastBars[0]?.close, '5')
  book.bar('AAPL', '6', START)
  assert.is(model(book).statusBody().lastBars[0]?.close, '5')
})

test('the trading state carries its cause', () => {
  const book = new TestBook().created()
  book.at += 1000
  book.add('control.received', {
    action: 'halt',
    actor: 'alice',
    reason: 'lunch',
    controlId: 'c-1',
    storedAt: '2013-10-22T00:00:00Z',
  })
  book.add('risk.state_changed', {
    from: 'ACTIVE',
    to: 'HALTED',
    code: 'operator_halt',
    observed: null,
    limit: null,
    actor: 'alice',
    reason: 'lunch',
  })
  const status = model(book).statusBody()
  assert.equal(status.trading, {
    state: 'HALTED',
    code: 'operator_halt',
    observed: null,
    limit: null,
    actor: 'alice',
    reason: 'lunch',
    since: '2013-10-22T00:00:01Z',
  })
  assert.is(status.counts.controls, 1)
})

test('a fill keeps what the broker said and when the engine took it up', () => {
  const book = new TestBook().created().filled(1, '1.5', '10', { fee: '0.1' })
  const { items } = model(book).states.fills.page({ limit: 1, after: null, descending: false })
  assert.equal(items.map(fillBody), [
    {
      entry: 1,
      orderId: 1,
      clientOrderId: `${BOOK_ID}-1`,
      symbol: 'AAPL',
      side: 'buy',
      qty: '1.5',
      price: '10',
      fee: '0.1',
      complete: true,
      at: '2013-10-22T00:00:00Z',
      occurredAt: '2013-10-22T00:00:00Z',
    },
  ])
})

test('every input moves engine time', () => {
  const inputs = ['book.created', 'engine.started', 'market.bar', 'signal.received']
  inputs.push('input.refused', 'control.received', 'timer.fired')
  for (const report of ['accepted', 'rejected', 'filled', 'canceled', 'expired', 'withheld']) {
    inputs.push(`order.${report}`)
  }
  inputs.push('order.outcome_unknown')
  for (const type of inputs) assert.ok(isProjected(type), type)
  assert.not.ok(isProjected('timer.set'))
})

test('a gap, a repeat and an event of a newer program are refused, and nothing is folded', () => {
  const book = new TestBook().created('5').bar('AAPL', '1').bar('AAPL', '2')
  const found = new ReadModel()
  assert.throws(() => found.apply(book.events[1]!), /event 1 does not follow -1/)
  found.apply(book.events[0]!)
  assert.throws(() => found.apply(book.events[0]!), /event 0 does not follow 0/)
  assert.throws(() => found.skip(2), /event 2 does not follow 0/)
  assert.throws(
    () => found.apply({ ...book.events[1]!, version: 2 }),
    (error: unknown) =>
      error instanceof EventTooNew &&
      error.code === 'event_too_new' &&
      /event 1 of the book is market\.bar version 2.*up to 1/.test(error.message),
  )
  assert.is(found.position, 0)
  assert.is(found.portfolioBody().cash, '5')
  found.skip(1)
  assert.is(found.position, 1)
})

test.run()
