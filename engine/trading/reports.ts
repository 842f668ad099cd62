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
  const { kind, code = kind, reason = '' } = report
  switch (kind) {
    case 'accepted':
      return { type: 'order.accepted', at, data: common }
    case 'held':
      return { type: 'order.held', at, data: common }
    case 'rejected':
    case 'canceled':
    case 'expired':
    case 'cancel_rejected':
      return { type: `order.${kind}`, at, data: { ...common, code, reason } }
    case 'replaced':
    case 'replace_rejected':
      return {
        type: `order.${kind}`,
        at,
        data: { ...common, replacedBy: report.replacedBy!, code, reason },
      }
    case 'adjusted':
      return {
        type: 'order.adjusted',
        at,
        data: {
          ...common,
          ...(report.qty !== undefined && { qty: report.qty }),
          ...(report.limitPrice !== undefined && { limitPrice: report.limitPrice }),
          ...(report.stopPrice !== undefined && { stopPrice: report.stopPrice }),
          code,
          reason,
        },
      }
    case 'charged':
      return {
        type: 'account.charged',
        at,
        data: {
          ...(symbol !== '' && { symbol }),
          brokerSequence: sequence,
          occurredAt,
          amount: report.amount!,
          code,
          reason,
        },
      }
  }
}
