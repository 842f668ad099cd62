import type { ExchangeSettings, OrderIntended } from '../../schemas/types.gen.ts'
import type { ChainEvent } from '../chain/processor.ts'
import type { StateTable } from '../chain/state-table.ts'
import { dueBefore, timerData } from '../chain/timers.ts'
import { clientOrderId } from '../events/ids.ts'
import { Exchange } from '../exchange/exchange.ts'
import type { BrokerReport } from '../ports/broker.ts'
import { brokerOrder, isLeg, replacementOrder } from '../trading/broker-order.ts'
import { reportEvent } from '../trading/reports.ts'

export interface DrivenChain {
  readonly table: Readonly<StateTable>
  /** Runs an input through the chain; what it leads to must be shown to `take`. */
  step(event: ChainEvent): void
  /** Hears the broker: must run `event` through the chain as well. */
  hear(report: BrokerReport, event: ChainEvent): void
}

/**
 * The simulated exchange as the broker of a chain that knows no waiting: what the chain asks for is asked at once, and
 * what the exchange answers is heard at once. Backtests and what-ifs drive it alike.
 */
export class ExchangeDriver {
  readonly exchange: Exchange
  private readonly bookId: string
  private readonly chain: DrivenChain
  private readonly reports: BrokerReport[] = []
  private readonly asked: ChainEvent[] = []

  /** Throws ExchangeSettingsError. */
  constructor(settings: ExchangeSettings, bookId: string, chain: DrivenChain) {
    this.exchange = new Exchange(settings, (report) => this.reports.push(report))
    this.bookId = bookId
    this.chain = chain
  }

  /** Keeps what the exchange is to be asked for, to be asked by `settle`. */
  take(event: ChainEvent): void {
    if (event.type === 'order.intended' || event.type === 'order.cancel_requested') {
      this.asked.push(event)
    }
  }

  /** Lets the exchange answer what it is asked, and the chain hear the answers, until both are quiet; at `at`, ms. */
  settle(at: number): void {
    const { reports, asked } = this
    while (asked.length > 0 || reports.length > 0) {
      for (let i = 0; i < asked.length; i++) this.ask(asked[i]!, at)
      asked.length = 0
      // Answers may lead to new intents, which are asked after all answers are heard.
      for (let i = 0; i < reports.length; i++) {
        const report = reports[i]!
        this.chain.hear(report, reportEvent(report, at))
      }
      reports.length = 0
    }
  }

  /** Lets the timers come that are due before an input at `at`, ms. */
  fireTimers(at: number): void {
    const { timers } = this.chain.table
    for (let due = dueBefore(timers, at); due !== null; due = dueBefore(timers, at)) {
      this.chain.step({ type: 'timer.fired', at: due.dueAt, data: timerData(due) })
    }
  }

  private ask(event: ChainEvent, at: number): void {
    if (event.type === 'order.intended') {
      const { data } = event
      // A leg goes with its entry, which comes before it.
      if (isLeg(data)) return
      if (data.replaces !== undefined) this.replace(data, at)
      else this.exchange.submit(brokerOrder(this.bookId, data, this.legsOf(data)), at)
    } else if (event.type === 'order.cancel_requested') {
      this.exchange.cancel(clientOrderId(this.bookId, event.data.orderId), at)
    }
  }

  /** Intents of an entry's legs, which follow it in the same step. */
  private legsOf({ orderId, legs }: OrderIntended): OrderIntended[] {
    if (legs === undefined) return []
    return this.asked.flatMap(({ type, data }) =>
      type === 'order.intended' && data.parentId === orderId ? [data] : [],
    )
  }

  private replace(intent: OrderIntended, at: number): void {
    const original = this.chain.table.orders.open.get(intent.replaces!)
    if (original === undefined) return
    const by = replacementOrder(this.bookId, intent, original.terms)
    this.exchange.replace(clientOrderId(this.bookId, original.orderId), by, at)
  }
}
