import type { RecordedEvent } from '../../engine/events/envelope.ts'
import type { Broker } from '../../engine/ports/broker.ts'
import type { Bus } from '../../engine/ports/bus.ts'
import type { EventStore, Subscription } from '../../engine/ports/event-store.ts'
import type { BookCreated } from '../../schemas/types.gen.ts'
import { type Log, withFields } from '../runtime/log.ts'
import { requestTrace } from '../runtime/request-trace.ts'
import { formatTraceparent, spanIdOf, TRACE_HEADER } from '../runtime/traceparent.ts'
import { type Checkpoint, readCheckpoint, writeCheckpoint } from './checkpoint.ts'
import { tracedSends } from './command-bus.ts'
import { openOtlp, type SpanExport } from './otlp.ts'
import { SpanQueue } from './span-queue.ts'
import { stepSpans } from './step-spans.ts'
import { TraceBook } from './trace-book.ts'

export interface TracingOptions {
  /** The engine's folder, where the checkpoint lies. */
  dir: string
  /** Base address of an OTLP/HTTP collector. */
  endpoint: string
  account: string
  version: string
  /** Id of this start. */
  run: string
  store: EventStore
  stream: string
  log: Log
}

/** A checkpoint further back is given up: nobody looks for traces of so long ago among those of today. */
const MAX_BEHIND = 10_000
const CHECKPOINT_MS = 1000
const CLOSE_MS = 2000

/**
 * The traces of one engine. What the book records becomes spans after it is recorded, by a follower of the book that
 * goes on where it stopped; what only this process sees (a call of the broker, a verdict published) becomes spans
 * where it happens. Nothing here is waited for by those who trade.
 */
export class Tracing {
  readonly queue: SpanQueue
  readonly #options: TracingOptions
  readonly #export: SpanExport
  readonly #checkpoint: Checkpoint | null
  /** Where each thing belongs by what the book says up to now; fed by whoever reads it first. */
  readonly #live = new TraceBook()
  /** The same as far as spans were made. */
  readonly #made: TraceBook
  #making = false
  #from: number
  #bookId = ''
  #written = -1
  #subscription: Subscription | null = null
  #timer: NodeJS.Timeout | undefined

  private constructor(options: TracingOptions, sink: SpanExport, from: number) {
    this.#options = options
    this.#export = sink
    this.#checkpoint = readCheckpoint(options.dir)
    this.#from = from
    const { position = -1 } = this.#checkpoint ?? {}
    if (position < from && position >= from - MAX_BEHIND) this.#from = position
    this.queue = new SpanQueue({
      send: (spans) => this.#export.send(spans),
      changed: (error) => {
        if (error === null) options.log.info('the collector takes spans again')
        else
          options.log.warn(
            { err: error },
            'the collector does not take spans; they wait, or are dropped',
          )
      },
    })
    this.#made = new TraceBook((step) => {
      if (this.#making) for (const span of stepSpans(step)) this.queue.put(span)
    })
  }

  /** To be called before the book is read. */
  static async open(options: TracingOptions): Promise<Tracing> {
    const { account, endpoint, run, store, stream, version } = options
    const sink = await openOtlp({
      endpoint,
      resource: {
        'service.name': 'bitacora',
        'service.version': version,
        'service.instance.id': run,
        'trading.account': account,
      },
    })
    return new Tracing(options, sink, await store.head(stream))
  }

  /** Takes an event of the book as it is read at start. */
  take(event: RecordedEvent): void {
    if (event.type === 'book.created') {
      this.#bookId = (event.data as BookCreated).bookId
      // Of another book, which lay in this folder before.
      const { bookId, position = -1 } = this.#checkpoint ?? {}
      if (bookId !== this.#bookId && this.#from === position) this.#from = Number.POSITIVE_INFINITY
    }
    this.#live.take(event)
    if (event.position <= this.#from) this.#made.take(event)
  }

  /** The book is read: from here on what is recorded becomes spans. */
  follow(bookId: string): void {
    const { dir, store, stream, log } = this.#options
    this.#live.settle()
    this.#made.settle()
    this.#bookId = bookId
    this.#making = true
    this.#subscription = store.subscribe(stream, this.#made.position + 1, (page) =>
      this.#made.takePage(page),
    )
    this.#subscription.done.catch((error: unknown) =>
      log.warn({ err: error }, 'traces ended: the book cannot be followed'),
    )
    this.#timer = setInterval(() => this.#note(), CHECKPOINT_MS)
    this.#timer.unref()
    log.info({ dir, from: this.#made.position + 1 }, 'traces go to the collector')
  }

  /** Last event that spans were made from. */
  position(): number {
    return this.#made.position
  }

  spans(): { sent: number; dropped: number; waiting: number } {
    return { sent: this.queue.sent, dropped: this.queue.dropped, waiting: this.queue.length }
  }

  /** The store for a follower that acts on the book: what it acts upon is then known here before it does. */
  store(store: EventStore): EventStore {
    return {
      append: (...given) => store.append(...given),
      read: (...given) => store.read(...given),
      head: (stream) => store.head(stream),
      close: () => store.close(),
      subscribe: (stream, from, handler) =>
        store.subscribe(stream, from, (page) => {
          this.#live.takePage(page)
          return handler(page)
        }),
    }
  }

  /** The bus for what leaves the engine: reports carry the trace of their order, verdicts that of their signal. */
  bus(bus: Bus): Bus {
    return {
      consume: (...given: Parameters<Bus['consume']>) => bus.consume(...given),
      publish: (subject, payload, options = {}) => {
        if (subject.startsWith('reports.')) {
          const context = this.#ofReport(payload)
          if (context === null) return bus.publish(subject, payload, options)
          return bus.publish(subject, payload, withTrace(options, context))
        }
        if (subject.startsWith('signals.verdict.')) {
          return this.#verdict(subject, payload, options, (given) =>
            bus.publish(subject, payload, given),
          )
        }
        return bus.publish(subject, payload, options)
      },
    }
  }

  /** The bus for what is asked for over HTTP: each message becomes a span of the request's trace. */
  commands(bus: Bus): Bus {
    return tracedSends(
      bus,
      () => requestTrace.getStore() ?? null,
      (span) => this.queue.put(span),
    )
  }

  /** The broker, each of whose calls becomes a span. */
  broker(broker: Broker): Broker {
    return {
      cancel: (id) => broker.cancel(id),
      knows: (id) => broker.knows(id),
      reports: (after, handler) => broker.reports(after, handler),
      lastSequence: () => broker.lastSequence(),
      submit: (order) =>
        this.#call('submit', order.orderId, order.symbol, () => broker.submit(order)),
      ...(broker.replace !== undefined && {
        replace: (id, by) =>
          this.#call('replace', by.orderId, undefined, () => broker.replace!(id, by)),
      }),
    }
  }

  /** The traceparent of a recent event, for whoever passes it on; undefined for none. */
  traceparent(position: number): string | undefined {
    const found = this.#live.at(position)
    return found === null ? undefined : formatTraceparent(found.context)
  }

  /** Id of the trace that an order belongs to. */
  traceIdOf(orderId: number): string | null {
    return this.#live.order(orderId)?.traceId ?? null
  }

  /** A log whose lines about an order or an event name its trace. */
  log(log: Log): Log {
    return withFields(log, (fields) => {
      const request = requestTrace.getStore() ?? null
      const { orderId, position } = fields as { orderId?: unknown; position?: unknown }
      const context =
        typeof orderId === 'number'
          ? this.#live.order(orderId)
          : typeof position === 'number'
            ? (this.#live.at(position)?.context ?? null)
            : request
      if (context === null) return {}
      const { traceId: trace_id, spanId: span_id } = context
      return {
        trace_id,
        span_id,
        ...(typeof position === 'number' && { event_position: position }),
      }
    })
  }

  async close(): Promise<void> {
    clearInterval(this.#timer)
    await this.#subscription?.close().catch(() => {})
    await this.queue.close(CLOSE_MS)
    this.#note()
    await Promise.race([
      this.#export.close().catch(() => {}),
      new Promise((resolve) => setTimeout(resolve, CLOSE_MS).unref()),
    ])
  }

  #note(): void {
    const oldest = this.queue.oldest()
    const position = Math.min(this.#made.position, (oldest ?? Number.POSITIVE_INFINITY) - 1)
    if (position === this.#written || this.#bookId === '') return
    try {
      writeCheckpoint(this.#options.dir, { bookId: this.#bookId, position })
      this.#written = position
    } catch (error) {
      this.#options.log.debug({ err: error }, 'the checkpoint of the traces could not be written')
    }
  }

  #ofReport(payload: Uint8Array | string) {
    if (typeof payload !== 'string') return null
    const { data } = JSON.parse(payload) as { data?: { orderId?: number } }
    return data?.orderId === undefined ? null : this.#live.order(data.orderId)
  }

  async #verdict<T>(
    subject: string,
    payload: Uint8Array | string,
    options: { headers?: Readonly<Record<string, string>> },
    publish: (options: object) => Promise<T>,
  ): Promise<T> {
    const position = Number(options.headers?.['bitacora-position'] ?? Number.NaN)
    const found = this.#live.at(position)
    if (found === null) return publish(options)
    const { context, event } = found
    const span = { ...context, spanId: spanIdOf(event.id, 'publish') }
    const start = Date.now()
    const stored = await publish(withTrace(options, span))
    this.queue.put({
      ...span,
      parentSpanId: context.spanId,
      remote: false,
      name: 'publish signals.verdict.*',
      kind: 'producer',
      start,
      end: Date.now(),
      attributes: {
        'messaging.system': 'nats',
        'messaging.operation.type': 'send',
        'messaging.operation.name': 'publish',
        'messaging.destination.template': 'signals.verdict.*',
        'messaging.destination.name': subject,
        'messaging.message.body.size': payload.length,
        'trading.event_position': position,
      },
      error: null,
      position: event.step,
    })
    return stored
  }

  async #call(
    name: string,
    orderId: number,
    symbol: string | undefined,
    call: () => Promise<void>,
  ): Promise<void> {
    const start = Date.now()
    let error: string | null = null
    try {
      await call()
    } catch (failure) {
      error = (failure as { code?: string }).code ?? 'failed'
      throw failure
    } finally {
      const order = this.#live.order(orderId)
      if (order !== null) {
        this.queue.put({
          ...order,
          spanId: spanIdOf(`${order.spanId} ${start} ${this.#options.run}`, name),
          parentSpanId: order.spanId,
          remote: false,
          name,
          kind: 'client',
          start,
          end: Date.now(),
          attributes: {
            'trading.order_id': orderId,
            ...(symbol !== undefined && { 'trading.symbol': symbol }),
          },
          error,
          // It is not in the book: nothing can make it again, and the checkpoint does not wait for it.
          position: Number.MAX_SAFE_INTEGER,
        })
      }
    }
  }
}

function withTrace<O extends { headers?: Readonly<Record<string, string>> }>(
  options: O,
  context: Parameters<typeof formatTraceparent>[0],
): O {
  return {
    ...options,
    headers: { ...options.headers, [TRACE_HEADER]: formatTraceparent(context) },
  }
}
