import type { ExchangeSettings } from '../../schemas/types.gen.ts'
import type { Bar } from '../market/bar.ts'
import type { BrokerOrder, BrokerReport } from '../ports/broker.ts'
import { DAY_MS } from '../time.ts'
import { Exchange } from './exchange.ts'

/** A daily bar of symbol A: day number, open, high, low, close, volume. */
export function daily(day: number, o: number, h: number, l: number, c: number, volume = 1e6): Bar {
  const time = day * DAY_MS
  return { ...BAR, time, end: time + DAY_MS, open: o, high: h, low: l, close: c, volume }
}

export const BAR: Bar = {
  symbol: 'A',
  symbolIndex: 0,
  time: 0,
  end: DAY_MS,
  open: 10,
  high: 10,
  low: 10,
  close: 10,
  volume: 1e6,
}

/** For tests: an exchange that keeps its reports; `said` gives them as "kind id qty@price" or "kind id code". */
export function open(
  settings: Partial<ExchangeSettings> = {},
  handler?: (r: BrokerReport) => void,
) {
  const reports: BrokerReport[] = []
  const exchange = new Exchange(
    {
      cash: '10000',
      fill: 'next-open',
      limitFill: 'through',
      participation: 0,
      slippageBps: 0,
      commission: '0',
      feePerShare: '0',
      feeMin: '0',
      ...settings,
    },
    (report) => {
      reports.push(report)
      handler?.(report)
    },
  )
  let orderId = 0
  const send = (order: Partial<BrokerOrder>, now = 0): string => {
    const clientOrderId = order.clientOrderId ?? `${++orderId}`
    exchange.submit(
      {
        clientOrderId,
        orderId: Number(clientOrderId),
        symbol: 'A',
        side: 'buy',
        type: 'market',
        qty: '10',
        timeInForce: 'gtc',
        ...order,
      },
      now,
    )
    return clientOrderId
  }
  /** What was said since the last call, acceptances left out, of legs too. */
  const said = (): string[] => {
    const texts = reports
      .filter((report) => report.kind !== 'accepted' && report.kind !== 'held')
      .map((report) =>
        report.kind === 'filled'
          ? `filled ${report.clientOrderId} ${report.qty}@${report.price}${report.complete ? '' : ' …'}`
          : `${report.kind} ${report.clientOrderId} ${report.code}`,
      )
    reports.length = 0
    return texts
  }
  return { exchange, reports, send, said }
}
