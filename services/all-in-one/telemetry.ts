import type { RecordedEvent } from '../../engine/events/envelope.ts'
import type { Broker } from '../../engine/ports/broker.ts'
import type { Bus } from '../../engine/ports/bus.ts'
import type { EventStore } from '../../engine/ports/event-store.ts'
import { portfolioBody } from '../../projections/portfolio.ts'
import type { HealthInfo } from '../http-api/health-routes.ts'
import type { Scrape } from '../http-api/metrics-route.ts'
import type { Projector } from '../projector/projector.ts'
import { type Log, withFields } from '../runtime/log.ts'
import { requestTrace } from '../runtime/request-trace.ts'
import { tracedSends } from '../telemetry/command-bus.ts'
import { Metrics } from '../telemetry/metrics.ts'
import { Tracing, type TracingOptions } from '../telemetry/tracing.ts'

/** What of a running engine the metrics look at. */
export interface Running {
  projector: Projector
  followers: Readonly<Record<string, () => number>>
  lease: { epoch: number; held: () => boolean }
  checks: () => HealthInfo['checks']
}

/** Traces, where there is a collector, and metrics: what an engine tells of itself besides its book. */
export class Telemetry {
  readonly scrape: Scrape
  readonly #metrics: Metrics
  readonly #tracing: Tracing | null
  readonly #options: Omit<TracingOptions, 'endpoint'>

  private constructor(options: Omit<TracingOptions, 'endpoint'>, tracing: Tracing | null) {
    this.#options = options
    this.#tracing = tracing
    this.#metrics = new Metrics((orderId) => tracing?.traceIdOf(orderId) ?? null)
    this.scrape = (accept) => this.#metrics.text(accept)
  }

  /** To be called before the book is read. Without an endpoint there are no traces. */
  static async open({
    endpoint,
    ...options
  }: Omit<TracingOptions, 'endpoint'> & { endpoint: string | null }): Promise<Telemetry> {
    const tracing = endpoint === null ? null : await Tracing.open({ ...options, endpoint })
    return new Telemetry(options, tracing)
  }

  /** Takes an event of the book as it is read at start. */
  take(event: RecordedEvent): void {
    this.#metrics.take(event)
    this.#tracing?.take(event)
  }

  /** The book is read: its followers go on from here. */
  follow(bookId: string): void {
    const { store, stream, log } = this.#options
    this.#tracing?.follow(bookId)
    this.#metrics.follow(this.acted(store), stream, (err) =>
      log.warn({ err }, 'the metrics of the book stand still: it cannot be followed'),
    )
  }

  /** The log of who speaks of orders and events, or answers requests. */
  log(log: Log): Log {
    const ofRequest = withFields(log, () => {
      const context = requestTrace.getStore()
      return context === undefined ? {} : { trace_id: context.traceId, span_id: context.spanId }
    })
    return this.#tracing?.log(log) ?? ofRequest
  }

  /** The store of the writer. */
  written(store: EventStore): EventStore {
    return this.#metrics.store(store)
  }

  /** The bus that the writer reads. */
  read(bus: Bus): Bus {
    return this.#metrics.bus(bus)
  }

  /** The store of who acts on what is recorded. */
  acted(store: EventStore): EventStore {
    return this.#tracing?.store(store) ?? store
  }

  /** The bus for reports and verdicts. */
  outward(bus: Bus): Bus {
    return this.#tracing?.bus(bus) ?? bus
  }

  /** The bus for what is asked for over HTTP; the trace of a request goes along, collector or not. */
  commands(bus: Bus): Bus {
    return this.#tracing?.commands(bus) ?? tracedSends(bus, () => requestTrace.getStore() ?? null)
  }

  broker(broker: Broker): Broker {
    return this.#tracing?.broker(broker) ?? broker
  }

  /** The traceparent of a recorded event; null where nothing has one. */
  get trace(): ((position: number) => string | undefined) | null {
    const tracing = this.#tracing
    return tracing === null ? null : (position) => tracing.traceparent(position)
  }

  /** Everything runs: from here on scrapes tell of it as well. */
  connect({ projector, followers, lease, checks }: Running): void {
    const tracing = this.#tracing
    this.#metrics.connect(() => {
      const { states } = projector.model
      const { equity } = portfolioBody(states.portfolio, projector.position(), null)
      const found = Object.entries(followers).map(([name, position]) => [name, position()])
      return {
        followers: {
          projector: projector.position(),
          ...Object.fromEntries(found),
          ...(tracing !== null && { traces: tracing.position() }),
        },
        lease: { epoch: lease.epoch, held: lease.held() },
        checks: checks(),
        equity: Number(equity),
        spans: tracing === null ? null : tracing.spans(),
      }
    })
  }

  async close(): Promise<void> {
    await this.#metrics.close()
    await this.#tracing?.close()
  }
}
