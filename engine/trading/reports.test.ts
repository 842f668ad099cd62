import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { BrokerReport, ReportKind } from '../ports/broker.ts'
import { reportEvent } from './reports.ts'

const REPORT: BrokerReport = {
  sequence: 9,
  kind: 'accepted',
  clientOrderId: 'b-7',
  orderId: 7,
  symbol: 'A',
  occurredAt: 1000,
}
const COMMON = {
  orderId: 7,
  clientOrderId: 'b-7',
  symbol: 'A',
  brokerSequence: 9,
  occurredAt: '1970-01-01T00:00:01Z',
}

test('an acceptance says only that', () => {
  assert.equal(reportEvent({ ...REPORT, code: 'x' }, 5), {
    type: 'order.accepted',
    at: 5,
    data: COMMON,
  })
})

test('a fill says what was traded; it completes its order only where the broker says so', () => {
  const traded = {
    ...REPORT,
    kind: 'filled',
    side: 'buy',
    qty: '3',
    price: '1.5',
    fee: '0',
  } as const
  const data = { ...COMMON, side: 'buy', qty: '3', price: '1.5', fee: '0', complete: false }
  assert.equal(reportEvent(traded, 5), { type: 'order.filled', at: 5, data })
  assert.equal(reportEvent({ ...traded, complete: true }, 5).data, { ...data, complete: true })
})

test('an end carries code and reason, and has them also where the broker gave none', () => {
  for (const kind of ['rejected', 'canceled', 'expired'] satisfies ReportKind[]) {
    const event = reportEvent({ ...REPORT, kind, code: 'c', reason: 'r' }, 5)
    assert.equal(event, {
      type: `order.${kind}`,
      at: 5,
      data: { ...COMMON, code: 'c', reason: 'r' },
    })
    assert.equal(reportEvent({ ...REPORT, kind }, 5).data, { ...COMMON, code: kind, reason: '' })
  }
})

test.run()
