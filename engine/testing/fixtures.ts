import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { env } from 'node:process'
import { fileURLToPath } from 'node:url'
import {
  type ChainSettings,
  EVENT_VERSIONS,
  type EventData,
  type EventType,
  type SignalReceived,
} from '../../schemas/types.gen.ts'
import type { ChainEvent } from '../chain/processor.ts'
import { chainEvent } from '../events/chain-event.ts'
import { clientOrderId } from '../events/ids.ts'
import { DAY_MS, formatDay, formatTime, parseTime } from '../time.ts'

/** An input in its recorded form: decimals and times as strings. */
export type Input = {
  [T in EventType]: { type: T; at: number; data: EventData[T] }
}[EventType]

export const BOOK_ID = 'b1a2b3c4d5e6f7081'
export const CODE_HASH = 'c'.repeat(64)
export const RUN = '0123456789abcdef'
/** 2013-05-13, the first day of most tests. */
export const DAY_0 = 15_838

export function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

/** The moment at which the daily bar of day n ends, ms. */
export function dayEnd(n: number): number {
  return (DAY_0 + n + 1) * DAY_MS
}

type SettingsGiven = Partial<Omit<ChainSettings, 'exchange'>> & {
  exchange?: Partial<ChainSettings['exchange']>
}

/** Daily bars of any symbol, no strategy, no limits and no costs, unless given otherwise. */
export function settings({ exchange, ...given }: SettingsGiven = {}): ChainSettings {
  return {
    feed: 'historical',
    timeframe: '1d',
    symbols: [],
    strategies: [],
    risk: null,
    ...given,
    exchange: {
      cash: '10000',
      fill: 'next-open',
      limitFill: 'through',
      participation: 0,
      slippageBps: 0,
      commission: '0',
      feePerShare: '0',
      feeMin: '0',
      ...exchange,
    },
  }
}

export function created(cash = '10000', at = dayEnd(-1)): Input {
  const data = { bookId: BOOK_ID, account: 'test', currency: 'USD' as const, cash }
  return { type: 'book.created', at, data }
}

export function started(given: ChainSettings, at = dayEnd(-1), codeHash = CODE_HASH): Input {
  return {
    type: 'engine.started',
    at,
    data: { run: RUN, codeHash, engineVersion: '0.0.0', nodeVersion: 'v20', settings: given },
  }
}

/** A book that was just opened. */
export function opened(given: SettingsGiven = {}): Input[] {
  const resolved = settings(given)
  return [created(resolved.exchange.cash), started(resolved)]
}

export interface BarShape {
  open?: number | string
  high?: number | string
  low?: number | string
  volume?: string | null
  revision?: number
}

/** The daily bar of day n, flat at its close unless shaped. */
export function bar(
  symbol: string,
  n: number,
  close: number | string,
  shape: BarShape = {},
): Input {
  const price = String(close)
  return {
    type: 'market.bar',
    at: dayEnd(n),
    data: {
      feed: 'test',
      symbol,
      timeframe: '1d',
      time: `${formatDay(DAY_0 + n)}T00:00:00Z`,
      open: String(shape.open ?? price),
      high: String(shape.high ?? price),
      low: String(shape.low ?? price),
      close: price,
      volume: shape.volume === undefined ? '1000000' : shape.volume,
      revision: shape.revision ?? 0,
    },
  }
}

/** A manual signal taken up one second after it was stored. */
export function signal(n: number, given: Partial<SignalReceived>): Input {
  const at = dayEnd(n)
  return {
    type: 'signal.received',
    at,
    data: {
      operator: 'ana',
      signalId: 's1',
      symbol: 'A',
      side: 'buy',
      orderType: 'market',
      timeInForce: 'gtc',
      validForMs: 60_000,
      storedAt: formatTime(at - 1000),
      receivedAt: formatTime(at),
      signed: false,
      ...given,
    },
  }
}

export function control(
  n: number,
  action: EventData['control.received']['action'],
  id = 'k1',
  order: Partial<EventData['control.received']> = {},
): Input {
  const at = dayEnd(n)
  const who = { actor: 'ana', reason: 'test', controlId: id, storedAt: formatTime(at) }
  const data = { action, ...who, ...order }
  return { type: 'control.received', at, data }
}

export function timer(name: string, dueAt: number): Input {
  return { type: 'timer.fired', at: dueAt, data: { name, dueAt: formatTime(dueAt) } }
}

let sequence = 0

function reported(n: number, orderId: number, symbol: string) {
  return {
    orderId,
    clientOrderId: clientOrderId(BOOK_ID, orderId),
    symbol,
    brokerSequence: ++sequence,
    occurredAt: formatTime(dayEnd(n)),
  }
}

export interface FillShape {
  symbol?: string
  fee?: string
  complete?: boolean
}

/** What the broker says of a trade; it completes the order unless shaped otherwise. */
export function fill(
  n: number,
  orderId: number,
  side: 'buy' | 'sell',
  qty: string,
  price: string,
  { symbol = 'A', fee = '0', complete = true }: FillShape = {},
): Input {
  const data = { ...reported(n, orderId, symbol), side, qty, price, fee, complete }
  return { type: 'order.filled', at: dayEnd(n), data }
}

export type PlainReport =
  | 'accepted'
  | 'held'
  | 'rejected'
  | 'canceled'
  | 'expired'
  | 'withheld'
  | 'outcome_unknown'
  | 'cancel_rejected'

/** Any other thing that broker or executor say of an order. */
export function report(n: number, orderId: number, kind: PlainReport, symbol = 'A'): Input {
  const at = dayEnd(n)
  const common = reported(n, orderId, symbol)
  const { clientOrderId: id } = common
  switch (kind) {
    case 'accepted':
    case 'held':
      return { type: `order.${kind}`, at, data: common }
    case 'withheld':
      return {
        type: 'order.withheld',
        at,
        data: { orderId, clientOrderId: id, code: 'too_late', reason: 'test' },
      }
    case 'outcome_unknown':
      return {
        type: 'order.outcome_unknown',
        at,
        data: { orderId, clientOrderId: id, attempt: 1, reason: 'test' },
      }
    default:
      return { type: `order.${kind}`, at, data: { ...common, code: 'test', reason: 'test' } }
  }
}

/** What the broker says of an order and the one that was to take its place. */
export function replacement(
  n: number,
  orderId: number,
  kind: 'replaced' | 'replace_rejected',
  replacedBy: number,
): Input {
  const data = { ...reported(n, orderId, 'A'), replacedBy, code: 'test', reason: 'test' }
  return { type: `order.${kind}`, at: dayEnd(n), data }
}

/** What changed of a working order without a request. */
export function adjusted(
  n: number,
  orderId: number,
  to: { qty?: string; limitPrice?: string; stopPrice?: string },
): Input {
  const data = { ...reported(n, orderId, 'A'), ...to, code: 'test', reason: 'test' }
  return { type: 'order.adjusted', at: dayEnd(n), data }
}

/** Money that the account paid. */
export function charged(n: number, amount: string, symbol = 'A'): Input {
  const { brokerSequence, occurredAt } = reported(n, 1, symbol)
  const data = { symbol, brokerSequence, occurredAt, amount, code: 'borrow_fee', reason: 'test' }
  return { type: 'account.charged', at: dayEnd(n), data }
}

/** A corporate action that takes effect where day n begins. */
export function action(
  n: number,
  kind: EventData['market.action']['kind'],
  value?: string,
  { symbol = 'A', newSymbol }: { symbol?: string; newSymbol?: string } = {},
): Input {
  const time = (DAY_0 + n) * DAY_MS
  return {
    type: 'market.action',
    at: time,
    data: {
      feed: 'test',
      symbol,
      kind,
      ...(value !== undefined && { value }),
      ...(newSymbol !== undefined && { newSymbol }),
      exDate: formatDay(DAY_0 + n),
      time: formatTime(time),
    },
  }
}

/** An input as the chain takes it. The data is copied, as it is when it comes from a book. */
export function asChainEvent({ type, at, data }: Input): ChainEvent {
  return chainEvent({ type, version: EVENT_VERSIONS[type], at, data: structuredClone(data) })
}

/** Everything of a state as text, in order: maps and typed arrays included, NaN and −0 told apart. */
export function stateText(state: unknown): string {
  return JSON.stringify(state, (_, value: unknown) => {
    if (typeof value === 'number') {
      if (!Number.isFinite(value)) return `number ${value}`
      return Object.is(value, -0) ? 'number -0' : value
    }
    if (typeof value === 'bigint') return `bigint ${value}`
    if (value instanceof Map) return { map: [...(value as Map<unknown, unknown>)] }
    if (value instanceof Float64Array) return { floats: Array.from(value) }
    return value
  })
}

/** Folder of the shared market data; it need not exist. */
export const SHARED_DATA = join(
  resolve(fileURLToPath(new URL('../../', import.meta.url)), env.SHARED ?? '../shared'),
  'data',
)

export interface PlainBar {
  time: number
  open: number
  high: number
  low: number
  close: number
  volume: number
}

/** Bars of a daily file of the shared data, null where it is absent. */
export function sharedBars(file: string): PlainBar[] | null {
  const path = join(SHARED_DATA, file)
  if (!existsSync(path)) return null
  const [, ...lines] = readFileSync(path, 'utf8').trim().split(/\r?\n/)
  return lines.map((line) => {
    const [date, ...cells] = line.split(',')
    const [open, high, low, close, volume] = cells.map(Number)
    return {
      time: parseTime(date!),
      open: open!,
      high: high!,
      low: low!,
      close: close!,
      volume: volume!,
    }
  })
}
