import type { ChainEvent } from '../chain/processor.ts'
import type { BrokerReport } from '../ports/broker.ts'
import { formatTime } from '../time.ts'

/** What a broker said, as the input that is recorded. */
export function reportEvent(report: BrokerReport, at: number): ChainEvent {
  const common = {
    orderId: report.orderId,
    clientOrderId: report.clientOrderId,
    symbol: report.symbol,
    brokerSequence: report.sequence,
    occurredAt: formatTime(report.occurredAt),
  }
  switch (report.kind) {
    case 'accepted':
      return { type: 'order.accepted', at, data: common }
    case 'filled':
      return {
        type: 'order.filled',
        at,
        data: {
          ...common,
          side: report.side!,
          qty: report.qty!,
          price: report.price!,
          fee: report.fee!,
          complete: report.complete === true,
        },
      }
    default:
      return {
        type: `order.${report.kind}`,
        at,
        data: { ...common, code: report.code ?? report.kind, reason: report.reason ?? '' },
      }
  }
}
