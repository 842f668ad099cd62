import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { RecordedEvent } from '../../../engine/events/envelope.ts'
import type { BrokerReport } from '../../../engine/ports/broker.ts'
import { auditAnyTime, auditAtRest, type Journal } from './kill-audit.ts'

const AT = Date.UTC(2013, 4, 13)
const TIME = '2013-05-13T00:00:00Z'

function book(...inputs: [type: string, data: object][]): RecordedEvent[] {
  const created = { bookId: 'b1', account: 'main', currency: 'USD', cash: '1000' }
  return [['book.created', created] as const, ...inputs].map(([type, data], position) => ({
    id: `id-${position}`,
    position,
    type: type as RecordedEvent['type'],
    version: 1,
    at: AT,
    recordedAt: AT,
    step: position,
    because: null,
    data,
  }))
}

const INTENT = { orderId: 1, signalId: 's', symbol: 'A', side: 'buy', type: 'market', qty: '10' }
const SENT = { ...INTENT, clientOrderId: 'b1-1', timeInForce: 'gtc' } as Journal['submitted'][0]
const intended: [string, object] = ['order.intended', { ...INTENT, timeInForce: 'gtc' }]

function report(sequence: number, given: Partial<BrokerReport>): BrokerReport {
  const common = { clientOrderId: 'b1-1', orderId: 1, symbol: 'A', occurredAt: AT }
  return { sequence, kind: 'accepted', ...common, ...given }
}

const journal = (given: Partial<Journal> = {}): Journal => ({
  submitted: [],
  reports: [],
  account: { cash: '1000', fees: '0', positions: {} },
  ...given,
})

test('an order sent again by its own name is no fault; anything else about it is', () => {
  const good = journal({ submitted: [SENT, SENT], reports: [report(1, {})] })
  assert.equal(auditAnyTime(book(intended), good), [])
  assert.match(auditAnyTime(book(), good).join(), /b1-1, which is not in the book/)
  const more = journal({ submitted: [{ ...SENT, qty: '11' }] })
  assert.match(auditAnyTime(book(intended), more).join(), /otherwise than the book has it/)
  const renamed = journal({ submitted: [SENT, { ...SENT, clientOrderId: 'b1-1x' }] })
  assert.match(auditAnyTime(book(intended), renamed).join(), /duplicate order: 1 was sent as b1-1x/)
  const twice = journal({ submitted: [SENT], reports: [report(1, {}), report(2, {})] })
  assert.match(auditAnyTime(book(intended), twice).join(), /the broker took b1-1 2 times/)
  const fill = { kind: 'filled', side: 'buy', qty: '6', price: '1', fee: '0' } as const
  const over = journal({ submitted: [SENT], reports: [report(1, fill), report(2, fill)] })
  assert.match(auditAnyTime(book(intended), over).join(), /filled with 12 of 10/)
})

test('each input has to be in the book once', () => {
  const bar = (time: string): [string, object] => [
    'market.bar',
    {
      feed: 'f',
      symbol: 'A',
      timeframe: '1d',
      time,
      open: '1',
      high: '1',
      low: '1',
      close: '1',
      volume: null,
      revision: 0,
    },
  ]
  const signal: [string, object] = ['signal.received', { signalId: 'm1' }]
  const inputs = (...events: [string, object][]) =>
    auditAtRest(book(...events), journal(), { bars: [TIME], signals: ['m1'] }).filter(
      (fault) => !fault.includes('verdict'),
    )
  assert.match(inputs(signal).join(), /lost: bar 2013/)
  assert.match(inputs(bar(TIME)).join(), /lost: signal m1/)
  assert.match(inputs(bar(TIME), signal, signal).join(), /more than once in the book: signal m1/)
  assert.match(
    inputs(bar(TIME), bar('2013-05-14T00:00:00Z'), signal).join(),
    /never published: bar/,
  )
})

test('what the broker said, what it was never asked, and what it holds are compared', () => {
  const rest = (events: RecordedEvent[], given: Partial<Journal>) =>
    auditAtRest(events, journal(given), { bars: [], signals: [] }).join()
  assert.is(rest(book(), {}), '')
  assert.match(rest(book(intended), {}), /order 1 was never sent/)
  const withheld: [string, object] = ['order.withheld', { orderId: 1 }]
  assert.not.match(rest(book(intended, withheld), {}), /never sent/)
  const unheard = { submitted: [SENT], reports: [report(1, {})] }
  assert.match(rest(book(intended), unheard), /lost: report 1/)
  const account = { cash: '990', fees: '0', positions: { A: '10' } }
  assert.match(rest(book(), { account }), /the book has .*, the broker .*990/)
  assert.match(rest(book(), { account: null }), /no snapshot/)
  assert.match(rest(book(['order.anomaly', { orderId: 1 }]), {}), /1 order.anomaly in the book/)
})

test.run()
