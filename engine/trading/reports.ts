import type { ChainEvent } from '../chain/processor.ts'
import type { BrokerReport } from '../ports/broker.ts'
import { formatTime } from '../time.ts'

/** What a broker said, as the input that is recorded. */
export function reportEvent(report: BrokerReport, at: number): ChainEvent {
  const { orderId, clientOrderId, symbol, sequence } = report
  const occurredAt = formatTime(report.occurredAt)
  // Spelt out rather than spread: a fill is the commonest event after a bar.
  if (report.kind === 'filled') {
    return {
      type: 'order.filled',
      at,
      data: {
        orderId,
        clientOrderId,
        symbol,
        brokerSequence: sequence,
        occurredAt,
        side: report.side!,
        qty: report.qty!,
        price: report.price!,
        fee: report.fee!,
        complete: report.complete === true,
      },
    }
  }
  const common = { orderId, clientOrderId, symbol, brokerSequence: sequence, occurredAt }
  if (report.kind === 'accepted') return { type: 'order.accepted', at, data: common }
  const { kind, code = kind, reason = '' } = report
  if (kind !== 'rejected' && kind !== 'canceled' && kind !== 'expired') {
    throw new Error(`a broker report of kind ${kind} has no event yet`)
  }
  return { type: `order.${kind}`, at, data: { ...common, code, reason } }
}
