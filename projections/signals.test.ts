import { test } from 'uvu'
import * as assert from 'uvu/assert'
import {
  findSignals,
  signalBody,
  signalDetail,
  signalName,
  signalsProjection,
  type SignalsState,
} from './signals.ts'
import { TestBook } from './testing/book.ts'

function fold(book: TestBook): SignalsState {
  return book.fold(signalsProjection)
}

function only(book: TestBook, name: string) {
  const found = findSignals(fold(book), name)
  assert.is(found.length, 1, `${name}: ${found.map(signalName).join(', ')}`)
  return found[0]!
}

test('a manual signal and its verdict', () => {
  const book = new TestBook().signal('alice', 's-1', { reason: 'news', limitPrice: '9' })
  assert.is(signalBody(only(book, 's-1')).verdict, null)
  book.verdict('operator:alice', 's-1', { orderIds: [4] })
  assert.equal(signalDetail(only(book, 's-1'), 1), {
    position: 1,
    signalId: 's-1',
    verdict: 'approved',
    orderIds: [4],
    code: 'approved',
    rule: null,
    observed: null,
    limit: null,
    kind: 'manual',
    source: 'operator:alice',
    symbol: 'AAPL',
    side: 'buy',
    type: 'market',
    qty: '10',
    notional: null,
    limitPrice: '9',
    stopPrice: null,
    approvedQty: '10',
    reason: 'news',
    at: '2013-10-22T00:00:00Z',
    entry: 0,
    checks: [{ rule: 'trading_state', observed: 'ACTIVE', limit: 'ACTIVE', ok: true }],
  })
})

test('a denial names the rule, what it saw and what it allows', () => {
  const book = new TestBook().signal('alice', 's-1').denied('operator:alice', 's-1')
  const { verdict, orderIds, code, rule, observed, limit } = signalBody(only(book, 's-1'))
  assert.equal([verdict, orderIds, code], ['denied', [], 'max_position'])
  assert.equal([rule, observed, limit], ['max_position', '110', '100'])
})

test('the same id from two operators is two signals, told apart by a longer name', () => {
  const book = new TestBook().signal('alice', 's').verdict('operator:alice', 's')
  book.signal('bob', 's', { symbol: 'MSFT' }).denied('operator:bob', 's')
  assert.is(findSignals(fold(book), 's').length, 2)
  assert.is(only(book, 'bob:s').verdict?.verdict, 'denied')
  assert.is(only(book, 'alice:s').verdict?.verdict, 'approved')
  assert.is(only(book, 'operator:bob:s').symbol, 'MSFT')
  for (const name of ['carol:s', 'operator:carol:s', 'strategy:bob:s', ':s', 'bob:', '', ':']) {
    assert.is(findSignals(fold(book), name).length, 0, name)
  }
})

test('names that look like longer names stay reachable', () => {
  const book = new TestBook().signal('bob', 'alice:x').signal('alice', 'x')
  assert.is(findSignals(fold(book), 'alice:x').length, 2)
  assert.is(only(book, 'operator:alice:x').source, 'operator:alice')
  assert.is(only(book, 'operator:bob:alice:x').source, 'operator:bob')
  assert.is(only(book, 'bob:alice:x').source, 'operator:bob')
})

test('an operator may use the id of a strategy’s signal', () => {
  const book = new TestBook()
  book.add('signal.raised', {
    signalId: 'sma_cross-1',
    strategy: 'sma_cross',
    symbol: 'AAPL',
    side: 'buy',
    orderType: 'market',
    timeInForce: 'gtc',
    reason: 'crossed',
  })
  book.verdict('strategy:sma_cross', 'sma_cross-1')
  assert.is(only(book, 'sma_cross-1').kind, 'strategy')
  book.signal('alice', 'sma_cross-1').denied('operator:alice', 'sma_cross-1')
  assert.is(findSignals(fold(book), 'sma_cross-1').length, 2)
  assert.is(only(book, 'sma_cross:sma_cross-1').verdict?.verdict, 'approved')
})

test('a refused input with an id is denied by the rule input, with the message as what was seen', () => {
  const book = new TestBook().refused('invalid_signal', { operator: 'alice', signalId: 's' })
  book.refused('not_json', { signalId: 't' }).refused('not_json', { operator: 'alice' })
  const body = signalBody(only(book, 's'))
  assert.equal(
    [body.kind, body.verdict, body.code, body.rule, body.limit, body.symbol, body.source],
    ['refused', 'denied', 'invalid_signal', 'input', null, null, 'operator:alice'],
  )
  assert.match(body.observed ?? '', 'side must be one of')
  assert.is(only(book, 'unknown:t').source, 'unknown')
  assert.is(fold(book).list.size, 2)
})

test('a refused repeat does not take the id from the signal that went through; a better one takes it', () => {
  const book = new TestBook().refused('bad', { operator: 'alice', signalId: 's' })
  book.signal('alice', 's').verdict('operator:alice', 's')
  book.refused('bad', { operator: 'alice', signalId: 's' })
  assert.is(only(book, 's').verdict?.verdict, 'approved')
  assert.is(fold(book).list.size, 3)
})

test('a verdict of a repeat goes to the repeat', () => {
  const book = new TestBook().signal('alice', 's').verdict('operator:alice', 's')
  book.signal('alice', 's').denied('operator:alice', 's')
  const { items } = fold(book).list.page({ limit: 9, after: null, descending: false })
  assert.equal(
    items.map(({ verdict }) => verdict?.verdict),
    ['approved', 'denied'],
  )
  assert.is(only(book, 's').entry, 2)
})

test('a flatten is judged without a signal before it, and found by the id that its order carries', () => {
  const book = new TestBook().verdict('operator:alice', 'c-9:AAPL', { code: 'flatten' })
  const body = signalBody(only(book, 'c-9:AAPL'))
  assert.equal([body.kind, body.symbol, body.side, body.qty], ['control', 'AAPL', 'buy', null])
  assert.is(body.approvedQty, '10')
})

test('approvals and denials are counted', () => {
  const book = new TestBook().signal('a', '1').verdict('operator:a', '1')
  book.signal('a', '2').denied('operator:a', '2').refused('bad', { signalId: '3' }).refused('bad')
  const { approved, denied } = fold(book)
  assert.equal([approved, denied], [1, 2])
})

test.run()
