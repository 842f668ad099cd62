import { setImmediate as turn } from 'node:timers/promises'
import { encodeBody } from '../../engine/events/envelope.ts'
import { eventId } from '../../engine/events/ids.ts'
import {
  type Broker,
  type BrokerOrder,
  type BrokerReport,
  OutcomeUnknown,
} from '../../engine/ports/broker.ts'
import type { EventStore, StoredEvent } from '../../engine/ports/event-store.ts'
import type { Bus, PublishOptions } from '../../engine/ports/bus.ts'
import { formatTime } from '../../engine/time.ts'
import { errorsText, validateEvent } from '../../schemas/validate.ts'
import type { EventData, EventType } from '../../schemas/types.gen.ts'
import { MemoryStore } from '../adapters/memory/memory-store.ts'
import { RUN_HEADER, SEQUENCE_HEADER } from '../../engine/ports/headers.ts'
import { type Executor, type ExecutorOptions, startExecutor } from './executor.ts'

export const BOOK = 'b0123456789abcdef'
export const STREAM = 'book'
export const RUN = '00000000000000aa'

export interface Sent {
  id: string
  type: EventType
  version: number
  data: Record<string, unknown>
  sequence: string | undefined
  /** Start of the engine that it holds for. */
  run: string | undefined
}

/** The stream of reports; stored messages are recorded into the book as a writer does. */
export class ReportsDouble implements Bus {
  readonly sent: Sent[] = []
  /** Ids of all publications, repeats too. */
  readonly asked: string[] = []
  /** Answers of coming publications; true: refuse. */
  refusals: boolean[] = []
  onStored: (message: Sent) => void = () => undefined

  async publish(subject: string, payload: Uint8Array | string, options: PublishOptions = {}) {
    await turn()
    if (this.refusals.shift() === true) throw new Error('no server')
    const { id = '', headers = {} } = options
    this.asked.push(id)
    if (subject !== 'reports.main' || id === '') throw new Error(`${id} on ${subject}`)
    const known = this.sent.findIndex((message) => message.id === id)
    if (known >= 0) return { stream: 'REPORTS', sequence: known + 1, duplicate: true }
    const expected = headers['Nats-Expected-Last-Msg-Id']
    if (expected !== undefined && this.sent.at(-1)?.id !== expected)
      throw new Error('wrong last id')
    const message = {
      id,
      ...JSON.parse(String(payload)),
      sequence: headers[SEQUENCE_HEADER],
      run: headers[RUN_HEADER],
    } as Sent
    const valid = validateEvent(message.type, message.version, message.data)
    if (!valid.ok) throw new Error(`${id}: ${errorsText(valid.errors)}`)
    this.sent.push(message)
    this.onStored(message)
    return { stream: 'REPORTS', sequence: this.sent.length, duplicate: false }
  }

  consume(): never {
    throw new Error('not used here')
  }
}

type Fate = 'takes' | 'takes, answer lost' | 'never arrives'

/** A broker that accepts and fills at once, and can lose requests and answers. */
export class BrokerDouble implements Broker {
  readonly orders = new Map<string, BrokerOrder>()
  readonly said: BrokerReport[] = []
  /** Client order ids of every request, in order. */
  readonly submits: string[] = []
  readonly cancels: string[] = []
  fates: Fate[] = []
  /** Lookups, then cancellations, that are not answered. */
  deafLookups = 0
  deafCancels = 0
  fills = true
  onSubmit: (order: BrokerOrder) => void = () => undefined
  readonly #handlers = new Map<(report: BrokerReport) => void, number>()

  async submit(order: BrokerOrder): Promise<void> {
    this.submits.push(order.clientOrderId)
    this.onSubmit(order)
    const fate = this.fates.shift() ?? 'takes'
    if (fate !== 'never arrives' && !this.orders.has(order.clientOrderId)) {
      this.orders.set(order.clientOrderId, order)
      this.#say(order, 'accepted')
      if (this.fills) this.#say(order, 'filled')
    }
    await turn()
    if (fate !== 'takes') throw new OutcomeUnknown(fate)
  }

  async cancel(clientOrderId: string): Promise<void> {
    await turn()
    if (this.deafCancels-- > 0) throw new OutcomeUnknown('no answer')
    this.cancels.push(clientOrderId)
    const order = this.orders.get(clientOrderId)
    const over = this.said.some((r) => r.clientOrderId === clientOrderId && r.kind !== 'accepted')
    if (order !== undefined && !over) this.#say(order, 'canceled')
  }

  async knows(clientOrderId: string): Promise<boolean> {
    await turn()
    if (this.deafLookups-- > 0) throw new OutcomeUnknown('no answer')
    return this.orders.has(clientOrderId)
  }

  reports(after: number, handler: (report: BrokerReport) => void): () => void {
    for (const report of this.said) if (report.sequence > after) handler(report)
    this.#handlers.set(handler, after)
    return () => this.#handlers.delete(handler)
  }

  lastSequence(): number {
    return this.said.length
  }

  #say(order: BrokerOrder, kind: 'accepted' | 'filled' | 'canceled'): void {
    const { clientOrderId, orderId, symbol, side } = order
    const report: BrokerReport = {
      ...{ sequence: this.said.length + 1, kind, clientOrderId, orderId, symbol, occurredAt: 0 },
      ...(kind === 'filled' && { side, qty: '1', price: '10', fee: '0', complete: true }),
      ...(kind === 'canceled' && { code: 'cancel_requested', reason: 'on request' }),
    }
    this.said.push(report)
    for (const handler of this.#handlers.keys()) handler(report)
  }
}

/** A book, its broker and its stream of reports, and executors over them. */
export class Scene {
  readonly store = new MemoryStore()
  readonly bus = new ReportsDouble()
  readonly broker = new BrokerDouble()
  readonly waits: number[] = []
  readonly log: string[] = []
  now = 0
  /** Called at each wait of the executor, before it ends. */
  onWait: (ms: number) => void | Promise<void> = () => undefined
  /** Called with each page of the book before the executor reads it. */
  onPage: (page: readonly StoredEvent[]) => void = () => undefined
  readonly #executors: Executor[] = []
  #at = 0
  #position = -1
  #appending: Promise<unknown> = Promise.resolve()

  /** With a writer, stored reports come back as events of the book; repeats are dropped by their sequence or id. */
  constructor(writer = true) {
    let mark = 0
    if (!writer) return
    this.bus.onStored = ({ type, data, sequence }) => {
      if (sequence !== undefined && Number(sequence) <= mark) return
      if (sequence !== undefined) mark = Number(sequence)
      void this.append(type, data as never)
    }
  }

  start(over: Partial<ExecutorOptions> = {}): Executor {
    const store = Object.create(this.store) as EventStore
    store.head = (stream) => this.store.head(stream)
    store.subscribe = (stream, from, handler) =>
      this.store.subscribe(stream, from, (page) => {
        this.onPage(page)
        return handler(page)
      })
    const executor = startExecutor({
      store,
      stream: STREAM,
      broker: this.broker,
      bus: this.bus,
      account: 'main',
      bookId: BOOK,
      run: RUN,
      lease: { valid: () => true },
      engineNow: () => this.now,
      clock: { now: () => 0 },
      log: {
        info: () => undefined,
        warn: (_fields, message) => this.log.push(message),
        error: (_fields, message) => this.log.push(message),
      },
      sleep: async (ms) => {
        this.waits.push(ms)
        await this.onWait(ms)
        await turn()
      },
      random: () => 0.5,
      backoff: { baseMs: 10, maxMs: 100, jitter: 0.1 },
      settleMs: 3,
      ...over,
    })
    this.#executors.push(executor)
    return executor
  }

  append<T extends EventType>(type: T, data: EventData[T], at = 0): Promise<unknown> {
    const position = ++this.#position
    this.#at = Math.max(this.#at, at)
    const body = encodeBody({
      type,
      version: 1,
      at: this.#at,
      recordedAt: 0,
      step: position,
      because: null,
      data,
    })
    const event = { id: eventId('0123456789abcdef', position), type, body, checksum: null }
    this.#appending = this.#appending.then(() => this.store.append(STREAM, position - 1, [event]))
    return this.#appending
  }

  intend(orderId: number, notAfter = 1000): Promise<unknown> {
    return this.append('order.intended', {
      ...{ orderId, signalId: `s${orderId}`, symbol: 'AAPL', side: 'buy', type: 'market' },
      ...{ qty: '1', timeInForce: 'gtc', notAfter: formatTime(notAfter) },
    } as EventData['order.intended'])
  }

  halt(): Promise<unknown> {
    const who = { actor: 'ana', reason: 'test', controlId: 'c1', storedAt: formatTime(0) }
    return this.append('control.received', { action: 'halt', ...who })
  }

  requestCancel(orderId: number): Promise<unknown> {
    return this.append('order.cancel_requested', { orderId, actor: 'ana', reason: 'test' })
  }

  /** Types of the stored reports, with the order's number: `accepted 1`. */
  reported(): string[] {
    return this.bus.sent.map(({ type, data }) => `${type.slice(6)} ${String(data.orderId)}`)
  }

  codes(): unknown[] {
    return this.bus.sent.flatMap(({ type, data }) => (type === 'order.withheld' ? [data.code] : []))
  }

  get head(): number {
    return this.#position
  }

  /** Until the executor has done all the book asks for, and its reports are recorded. */
  async settled(executor: Executor): Promise<void> {
    const done = () =>
      executor.position() === this.head && executor.reportedThrough() === this.broker.lastSequence()
    await until(
      done,
      () => `settled: ${executor.position()} of ${this.head}, ${this.reported().join()}`,
    )
  }

  async close(): Promise<void> {
    await Promise.all(this.#executors.map((executor) => executor.close()))
    await this.#appending
    await this.store.close()
  }
}

export async function until(condition: () => boolean, what: () => string): Promise<void> {
  for (let i = 0; i < 20_000; i++) {
    if (condition()) return
    await turn()
  }
  throw new Error(`waited in vain until ${what()}`)
}
