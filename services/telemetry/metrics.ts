import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import { decodeBody, type RecordedEvent } from '../../engine/events/envelope.ts'
import type { Bus } from '../../engine/ports/bus.ts'
import type { EventStore, StoredEvent, Subscription } from '../../engine/ports/event-store.ts'
import { BookCounts, type Counts } from './book-counts.ts'
import { MeteredBus, MeteredStore } from './metered.ts'

/** What the composing process knows and the book does not; asked at every scrape. */
export interface Probe {
  /** Positions that the followers of the book have reached, by name. */
  followers: Readonly<Record<string, number>>
  /** Epoch of the lease, and whether it is held at this moment. */
  lease: { epoch: number; held: boolean }
  checks: readonly { name: string; ok: boolean }[]
  /** Marked to market, for display. */
  equity: number | null
  spans: { sent: number; dropped: number; waiting: number } | null
}

export interface MetricsText {
  type: string
  text: string
}

const PENDING_MS = 1000
const SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5]
const STATES = ['ACTIVE', 'REDUCING', 'HALTED'] as const
/** Gauges that prom-client names like counters, and that promtool rightly refuses. */
const MISNAMED = [
  'nodejs_active_handles_total',
  'nodejs_active_requests_total',
  'nodejs_active_resources_total',
]

/** The metrics of one engine. Counts are those of its book; the rest is measured in this process. */
export class Metrics {
  readonly counts = new BookCounts()
  readonly #registry = new Registry()
  readonly #traceOf: (orderId: number) => string | null
  readonly #append: Histogram
  readonly #tickToOrder: Histogram
  #store: MeteredStore | null = null
  #bus: MeteredBus | null = null
  #probe: () => Probe | null = () => null
  #known: Probe | null = null
  #pending = new Map<string, number>()
  #subscription: Subscription | null = null
  #scrape: Promise<unknown> = Promise.resolve()

  /** `traceOf` answers the id of an order's trace, for exemplars. */
  constructor(traceOf: (orderId: number) => string | null = () => null) {
    this.#traceOf = traceOf
    const registers = [this.#registry]
    // Exemplars can be declared only while this is the format.
    this.#registry.setContentType(Registry.OPENMETRICS_CONTENT_TYPE as never)
    collectDefaultMetrics({ register: this.#registry })
    for (const name of MISNAMED) this.#registry.removeSingleMetric(name)
    this.#append = new Histogram({
      name: 'trading_event_append_seconds',
      help: 'Time until the book had taken an append, synced to disk',
      buckets: SECONDS,
      registers,
    })
    this.#tickToOrder = new Histogram({
      name: 'trading_tick_to_order_seconds',
      help: 'Time from an input being stored by NATS to its order being in the book, ready to be sent',
      buckets: SECONDS,
      enableExemplars: true,
      registers,
    })
    this.#ofBook()
    this.#ofProcess()
  }

  /** Takes an event of the book as it is read at start. */
  take(event: RecordedEvent): void {
    this.counts.take(event)
  }

  /** Goes on where the reading at start ended; `failed` is told when it cannot any more. */
  follow(store: EventStore, stream: string, failed: (error: unknown) => void): void {
    this.#subscription = store.subscribe(stream, this.counts.position + 1, (page) =>
      this.#page(page),
    )
    this.#subscription.done.catch(failed)
  }

  /** The store as the writer is to use it. */
  store(store: EventStore): EventStore {
    this.#store = new MeteredStore(store, (seconds) => this.#append.observe(seconds))
    return this.#store
  }

  /** The bus as the writer is to use it. */
  bus(bus: Bus): Bus {
    this.#bus = new MeteredBus(bus)
    return this.#bus
  }

  /** From here on what only the running engine knows is there as well. */
  connect(probe: () => Probe): void {
    this.#probe = probe
  }

  /** One scrape; exemplars come only to those who accept OpenMetrics. One at a time: the format is the registry's. */
  text(accept: string): Promise<MetricsText> {
    const next = this.#scrape.then(() => this.#text(accept))
    this.#scrape = next.catch(() => {})
    return next
  }

  async close(): Promise<void> {
    await this.#subscription?.close().catch(() => {})
  }

  async #text(accept: string): Promise<MetricsText> {
    const type = /application\/openmetrics-text/i.test(accept)
      ? Registry.OPENMETRICS_CONTENT_TYPE
      : Registry.PROMETHEUS_CONTENT_TYPE
    this.#known = this.#probe()
    if (this.#bus !== null) this.#pending = await this.#bus.pending(PENDING_MS)
    // OpenMetrics takes `_total` off the counters' names for good; the plain format wants it back.
    const metrics = this.#registry.getMetricsAsArray() as { name: string }[]
    const names = metrics.map(({ name }) => name)
    this.#registry.setContentType(type as never)
    try {
      return { type, text: await this.#registry.metrics() }
    } finally {
      metrics.forEach((metric, i) => {
        metric.name = names[i]!
      })
    }
  }

  #page(page: readonly StoredEvent[]): void {
    const asked = this.counts.takePage(page)
    if (asked.length === 0) return
    const now = Date.now()
    const base = page[0]!.position
    for (const { orderId, step } of asked) {
      const input = page[step - base]
      const mark = input === undefined ? undefined : decodeBody(input).mark
      if (mark === undefined) continue
      const traceId = this.#traceOf(orderId)
      const value = Math.max(0, (now - mark[2]) / 1000)
      this.#tickToOrder.observe({
        ...{ value, labels: {} },
        ...(traceId !== null && { exemplarLabels: { trace_id: traceId } }),
      })
    }
  }

  #ofBook(): void {
    const { counts } = this
    const strategy = ['strategy']
    this.#counter('trading_signals_total', 'Signals raised or received', strategy, counts.signals)
    this.#counter(
      'trading_verdicts_total',
      'Signals judged by risk',
      ['strategy', 'verdict'],
      counts.verdicts,
    )
    this.#counter(
      'trading_risk_rejections_total',
      'Signals denied by risk',
      ['strategy', 'reason'],
      counts.rejections,
    )
    this.#counter('trading_orders_total', 'Orders intended', strategy, counts.orders)
    this.#counter('trading_fills_total', 'Fills, partial ones included', strategy, counts.fills)
    this.#counter('trading_order_ends_total', 'Orders that ended', ['outcome'], counts.ends)
    this.#counter(
      'trading_dead_letters_total',
      'Inputs refused, and kept as dead letters',
      ['reason'],
      counts.refused,
    )
    this.#counter('trading_gaps_total', 'Gaps found in input streams', ['stream'], counts.gaps)
    this.#counter('trading_controls_total', 'Controls taken', ['action'], counts.controls)
    this.#total('trading_events_total', 'Events in the book', () => counts.events)
    this.#total('trading_bars_total', 'Bars in the book', () => counts.bars)
    this.#total('trading_anomalies_total', 'Reports that fit no order', () => counts.anomalies)
    this.#total('trading_starts_total', 'Starts of an engine', () => counts.starts)
    this.#total(
      'trading_unknown_outcomes_total',
      'Broker calls without an answer',
      () => counts.unknownOutcomes,
    )
    this.#gauge('trading_kill_switch_engaged', '1: trading is halted', () =>
      counts.trading === 'HALTED' ? 1 : 0,
    )
    this.#gauges('trading_state', '1 for the state that holds', 'state', () =>
      STATES.map((state) => [state, counts.trading === state ? 1 : 0]),
    )
    this.#gauge('trading_orders_open', 'Orders that are not over', () => counts.openOrders)
    this.#gauge(
      'trading_orders_unanswered',
      'Orders that the broker has not answered',
      () => counts.unanswered,
    )
    this.#gauge('trading_order_unanswered_seconds', 'Age of the oldest of those', () =>
      counts.unansweredSince === null ? 0 : (Date.now() - counts.unansweredSince) / 1000,
    )
    this.#gauge(
      'trading_last_tick_timestamp_seconds',
      'Wall clock when the newest bar was recorded; 0: never',
      () => (counts.lastBarAt ?? 0) / 1000,
    )
  }

  #ofProcess(): void {
    const lags = (lag: (position: number) => number) => (): [string, number][] =>
      Object.entries(this.#known?.followers ?? {}).map(([name, at]) => [name, lag(at)])
    const head = () => Math.max(this.#store?.position ?? -1, this.counts.position)
    this.#gauges(
      'trading_projection_lag_events',
      'Events of the book that a follower has not taken',
      'follower',
      lags((at) => Math.max(0, head() - at)),
    )
    this.#gauges(
      'trading_projection_lag_seconds',
      'How long the oldest of those has been in the book',
      'follower',
      lags((at) => this.#store?.lagSeconds(at, Date.now()) ?? 0),
    )
    this.#gauges(
      'trading_queue_depth',
      'Messages on NATS that are not in the book',
      'queue',
      () => [...this.#pending],
    )
    this.#counter(
      'trading_messages_received_total',
      'Messages delivered by NATS',
      ['stream'],
      () => this.#bus?.received ?? new Map(),
    )
    this.#counter(
      'trading_redeliveries_total',
      'Messages that NATS delivered again',
      ['stream'],
      () => this.#bus?.redelivered ?? new Map(),
    )
    this.#gauge(
      'trading_lease_epoch',
      'Epoch of the lease of the account',
      () => this.#known?.lease.epoch,
    )
    this.#gauge('trading_lease_held', '1: this engine holds the lease', () =>
      this.#known === null ? 0 : Number(this.#known.lease.held),
    )
    this.#gauges('trading_check_ok', 'Checks of /readyz: 1 passes', 'check', () =>
      (this.#known?.checks ?? []).map(({ name, ok }) => [name.replaceAll(' ', '_'), Number(ok)]),
    )
    this.#gauge(
      'trading_equity',
      'Equity at the last prices, in the currency of the account; for display',
      () => this.#known?.equity ?? undefined,
    )
    const spans = (what: 'sent' | 'dropped') => () => this.#known?.spans?.[what] ?? 0
    this.#total('trading_spans_sent_total', 'Spans taken by the collector', spans('sent'))
    this.#total('trading_spans_dropped_total', 'Spans given up', spans('dropped'))
    this.#gauge(
      'trading_spans_waiting',
      'Spans on their way to the collector',
      () => this.#known?.spans?.waiting ?? 0,
    )
  }

  #counter(name: string, help: string, labelNames: string[], from: Counts | (() => Counts)): void {
    new Counter({
      ...{ name, help, labelNames, registers: [this.#registry] },
      collect() {
        this.reset()
        for (const [key, value] of typeof from === 'function' ? from() : from) {
          const values = key.split(' ')
          this.inc(
            Object.fromEntries(labelNames.map((label, i) => [label, values[i] ?? ''])),
            value,
          )
        }
      },
    })
  }

  #total(name: string, help: string, value: () => number): void {
    new Counter({
      ...{ name, help, registers: [this.#registry] },
      collect() {
        this.reset()
        this.inc(value())
      },
    })
  }

  #gauge(name: string, help: string, value: () => number | undefined): void {
    new Gauge({
      ...{ name, help, registers: [this.#registry] },
      collect() {
        const now = value()
        if (now === undefined) this.reset()
        else this.set(now)
      },
    })
  }

  #gauges(name: string, help: string, label: string, values: () => [string, number][]): void {
    new Gauge({
      ...{ name, help, labelNames: [label], registers: [this.#registry] },
      collect() {
        this.reset()
        for (const [key, value] of values()) this.set({ [label]: key }, value)
      },
    })
  }
}
