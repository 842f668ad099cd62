import type { RecordedEvent } from '../../engine/events/envelope.ts'
import { clientOrderId } from '../../engine/events/ids.ts'
import { DAY_MS, formatTime } from '../../engine/time.ts'
import {
  type EventData,
  EVENT_VERSIONS,
  type EventType,
  type OrderFilled,
  type OrderIntended,
  type RiskVerdict,
  type SignalReceived,
} from '../../schemas/types.gen.ts'
import type { Projection } from '../projection.ts'

export const BOOK_ID = 'b0123456789abcdef'
export const START = 16_000 * DAY_MS

/** A book written by hand, one event after the other, for tests. */
export class TestBook {
  readonly events: RecordedEvent[] = []
  at = START
  #sequence = 0

  add<T extends EventType>(type: T, data: EventData[T]): RecordedEvent {
    const position = this.events.length
    const event: RecordedEvent = {
      id: `00000000-0000-8000-8000-${position.toString(16).padStart(12, '0')}`,
      position,
      type,
      version: EVENT_VERSIONS[type],
      at: this.at,
      recordedAt: this.at,
      step: position,
      because: null,
      data,
    }
    this.events.push(event)
    return event
  }

  fold<State>(projection: Projection<State>): State {
    return this.events.reduce<State>(
      (state, event) => projection.apply(state, event),
      projection.initial(),
    )
  }

  created(cash = '10000'): this {
    this.add('book.created', { bookId: BOOK_ID, account: 'main', currency: 'USD', cash })
    return this
  }

  started(run = '0123456789abcdef'): this {
    this.add('engine.started', {
      run,
      codeHash: 'c'.repeat(64),
      engineVersion: '1.2.3',
      nodeVersion: '20.20.2',
      settings: {
        feed: 'historical',
        timeframe: '1d',
        symbols: ['AAPL', 'MSFT'],
        strategies: [{ name: 'sma_cross', params: { fast: 10, slow: 30, mode: 'reverse' } }],
        risk: { maxPosition: '100' },
        exchange: {
          cash: '10000',
          fill: 'next-open',
          limitFill: 'through',
          participation: 0,
          slippageBps: 1,
          commission: '0',
          feePerShare: '0',
          feeMin: '0',
        },
      },
    })
    return this
  }

  /** The bar of the day that ends at the present engine time. */
  bar(symbol: string, close: string, time = this.at - DAY_MS): this {
    this.add('market.bar', {
      feed: 'test',
      symbol,
      timeframe: '1d',
      time: formatTime(time),
      open: close,
      high: close,
      low: close,
      close,
      volume: null,
      revision: 0,
    })
    return this
  }

  signal(operator: string, signalId: string, change: Partial<SignalReceived> = {}): this {
    const time = formatTime(this.at)
    this.add('signal.received', {
      operator,
      signalId,
      symbol: 'AAPL',
      side: 'buy',
      qty: '10',
      orderType: 'market',
      timeInForce: 'gtc',
      validForMs: 60_000,
      storedAt: time,
      receivedAt: time,
      signed: false,
      ...change,
    })
    return this
  }

  verdict(source: string, signalId: string, change: Partial<RiskVerdict> = {}): this {
    this.add('risk.verdict', {
      signalId,
      source,
      verdict: 'approved',
      orderIds: [1],
      code: 'approved',
      rule: null,
      observed: null,
      limit: null,
      qty: '10',
      checks: [{ rule: 'trading_state', observed: 'ACTIVE', limit: 'ACTIVE', ok: true }],
      order: { symbol: 'AAPL', side: 'buy', type: 'market', timeInForce: 'gtc' },
      ...change,
    })
    return this
  }

  denied(source: string, signalId: string): this {
    return this.verdict(source, signalId, {
      verdict: 'denied',
      orderIds: [],
      code: 'max_position',
      rule: 'max_position',
      observed: '110',
      limit: '100',
      qty: null,
      order: null,
    })
  }

  intended(orderId: number, change: Partial<OrderIntended> = {}): this {
    this.add('order.intended', {
      orderId,
      signalId: `s-${orderId}`,
      symbol: 'AAPL',
      side: 'buy',
      type: 'market',
      qty: '10',
      timeInForce: 'gtc',
      notAfter: formatTime(this.at + DAY_MS),
      ...change,
    })
    return this
  }

  filled(orderId: number, qty: string, price: string, change: Partial<OrderFilled> = {}): this {
    this.add('order.filled', {
      ...this.report(orderId),
      side: 'buy',
      qty,
      price,
      fee: '0',
      complete: true,
      ...change,
    })
    return this
  }

  accepted(orderId: number): this {
    this.add('order.accepted', this.report(orderId))
    return this
  }

  ended(
    orderId: number,
    how: 'rejected' | 'canceled' | 'expired',
    code: string,
    reason: string,
  ): this {
    this.add(`order.${how}`, { ...this.report(orderId), code, reason })
    return this
  }

  /** What every report of the broker says of an order. */
  report(orderId: number): EventData['order.accepted'] {
    this.#sequence++
    return {
      orderId,
      clientOrderId: clientOrderId(BOOK_ID, orderId),
      symbol: 'AAPL',
      brokerSequence: this.#sequence,
      occurredAt: formatTime(this.at),
    }
  }

  refused(code: string, who: { operator?: string; signalId?: string } = {}): this {
    this.add('input.refused', {
      subject: 'signals.manual.alice',
      stream: 'INBOX',
      sequence: 1,
      code,
      message: 'side must be one of buy, sell, close: send it again',
      payload: '{"side":"hold"}',
      storedAt: formatTime(this.at),
      ...who,
    })
    return this
  }
}
