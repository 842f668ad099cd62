import { setTimeout as delay } from 'node:timers/promises'
import { clientOrderId } from '../../engine/events/ids.ts'
import type { Broker, BrokerReport } from '../../engine/ports/broker.ts'
import type { Bus } from '../../engine/ports/bus.ts'
import type { Clock } from '../../engine/ports/clock.ts'
import type { EventStore, StoredEvent, Subscription } from '../../engine/ports/event-store.ts'
import type { Lease } from '../../engine/ports/lease.ts'
import { CLOCK_HEADER, RUN_HEADER, SEQUENCE_HEADER } from '../../engine/ports/headers.ts'
import { reportEvent } from '../../engine/trading/reports.ts'
import { type EventData, EVENT_VERSIONS, type EventType } from '../../schemas/types.gen.ts'
import {
  foldPage,
  type Intents,
  isWhole,
  noIntents,
  type OpenOrder,
  type WithholdCode,
} from './intents.ts'
import { decideFor, place } from './placing.ts'
import { boundary } from '../runtime/boundary.ts'
import { ReportOutbox } from './report-outbox.ts'

/** The part of a pino logger that is used here. */
export interface ExecutorLog {
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}

export interface ExecutorOptions {
  store: EventStore
  /** Stream of the book in the store. */
  stream: string
  broker: Broker
  bus: Bus
  account: string
  bookId: string
  /** Id of this start of the engine: what the executor finds out itself counts for this one only. */
  run: string
  /** Without it the broker is not called at all, and no intent is given up: that is for whoever has it. */
  lease: Lease
  /** Engine time as the feed or the wall clock gives it, ms; the book's is used when that is newer. */
  engineNow: () => number
  /** What somebody has folded of this book already, to be gone on with; it is the executor's from then on. */
  intents?: Intents
  /** Wall clock, for the log. */
  clock: Clock
  log: ExecutorLog
  /** Waits so many ms, or until aborted; never rejects. */
  sleep?: (ms: number, signal: AbortSignal) => Promise<void>
  /** A number from 0 up to 1, for the jitter. */
  random?: () => number
  backoff?: { baseMs: number; maxMs: number; jitter: number }
  /**
   * An order that may have been tried is looked up this long after the last try, before it is called withheld:
   * a request that was lost from sight may still arrive. 0 for a broker in this process.
   */
  settleMs?: number
}

export interface Executor {
  /** Everything that the book asks for up to here was done: sent, withheld or cancelled; −1 for nothing. */
  position(): number
  /** Sequence of the broker's newest report that is stored on the bus, and so are all before it. */
  reportedThrough(): number
  /** Ends waiting, and resolves when the calls under way were answered. */
  close(): Promise<void>
  /** Resolves when closed; rejects when the store failed or the book was altered. */
  readonly done: Promise<void>
}

const BACKOFF = { baseMs: 1000, maxMs: 30_000, jitter: 0.1 }
const SETTLE_MS = 1000
/** How often a lease that has run out is looked at again. */
const LEASE_POLL_MS = 50

/**
 * Acts on the recorded intents of one book, and brings what the broker says onto `reports.<account>`. At start it
 * folds the book to its head before it acts, so that a halt or cancel recorded meanwhile counts; whatever has
 * no answer then is taken up like a new intent. Start and recovery are one path.
 */
export function startExecutor(options: ExecutorOptions): Executor {
  return new BookExecutor(options)
}

/** What is being done about one order: to send it, then to cancel it. */
interface Lane {
  order: OpenOrder
  /** Recorded before this run: an earlier one may have sent it. */
  recovered: boolean
  /** Lowest position of the book that asks for what is being done. */
  since: number
  /** Ends the wait under way, because the book has news of the order. */
  wake: AbortController
}

class BookExecutor implements Executor {
  readonly done: Promise<void>
  readonly #options: ExecutorOptions
  readonly #outbox: ReportOutbox
  readonly #intents: Intents
  readonly #lanes = new Map<number, Lane>()
  readonly #running = new Set<Promise<void>>()
  /** Orders of this run that need nothing more but an answer in the book. */
  readonly #settled = new WeakSet<OpenOrder>()
  /** Position of the request to cancel that the broker was last asked by. */
  readonly #cancelled = new WeakMap<OpenOrder, number>()
  readonly #closing = new AbortController()
  #subscription: Subscription | null = null
  #unsubscribe: (() => void) | null = null
  #caughtUp = false
  #reported = 0
  #failingSince = 0

  constructor(options: ExecutorOptions) {
    this.#options = options
    this.#intents = options.intents ?? noIntents()
    this.#outbox = new ReportOutbox({
      bus: options.bus,
      subject: `reports.${options.account}`,
      pause: (attempt) => this.#sleep(this.#backoff(attempt), this.#closing.signal),
      failed: (error, attempt, waiting) => {
        if (attempt === 1) this.#failingSince = options.clock.now()
        const failingMs = options.clock.now() - this.#failingSince
        options.log.warn(
          { attempt, waiting, failingMs, reason: reasonOf(error) },
          'a report could not be published; it is kept and tried again',
        )
      },
    })
    this.done = this.#run()
    this.done.catch((error: unknown) => {
      this.#closing.abort()
      void this.#outbox.close()
      this.#unsubscribe?.()
      options.log.error({ reason: reasonOf(error) }, 'the executor lost the book and stopped')
    })
  }

  position(): number {
    let position = this.#caughtUp ? this.#intents.position : -1
    for (const { since } of this.#lanes.values()) position = Math.min(position, since - 1)
    return position
  }

  reportedThrough(): number {
    return this.#reported
  }

  async close(): Promise<void> {
    this.#closing.abort()
    for (const { wake } of this.#lanes.values()) wake.abort()
    this.#unsubscribe?.()
    // First of all: its pauses end at once from here on, and it must not try again without a pause.
    const drained = this.#outbox.close()
    await this.#subscription?.close()
    await drained
    await Promise.allSettled([...this.#running])
    await this.done.catch(() => undefined)
  }

  async #run(): Promise<void> {
    const { store, stream } = this.#options
    const head = await store.head(stream)
    if (this.#closing.signal.aborted) return
    const { position } = this.#intents
    if (head <= position) this.#begin(head)
    this.#subscription = store.subscribe(stream, position + 1, (page) => this.#take(page, head))
    await this.#subscription.done
  }

  #take(page: readonly StoredEvent[], head: number): void {
    const touched = foldPage(this.#intents, page)
    if (this.#caughtUp) {
      boundary('effect.released')
      for (const order of touched) {
        this.#attend(order, false)
        for (const other of order.dependents) this.#attend(other, false)
      }
    } else if (this.#intents.position >= head) this.#begin(head)
  }

  /** The book is known to its head: from here on it is acted upon. */
  #begin(head: number): void {
    const { broker, log } = this.#options
    const { brokerSequence, open } = this.#intents
    this.#caughtUp = true
    this.#reported = brokerSequence
    log.info({ position: head, open: open.size, brokerSequence }, 'the executor has read the book')
    for (const order of [...open.values()]) this.#attend(order, order.position <= head)
    this.#unsubscribe = broker.reports(brokerSequence, (report) => this.#report(report))
  }

  /** Starts the order's lane when there is something to do, or tells the one that runs. */
  #attend(order: OpenOrder, recovered: boolean): void {
    const lane = this.#lanes.get(order.intent.orderId)
    if (lane !== undefined) {
      lane.wake.abort()
      return
    }
    const toSend =
      order.entry === null && !order.landed && !this.#settled.has(order) && isWhole(order)
    const toCancel =
      order.cancelPosition !== null &&
      this.#cancelled.get(order) !== order.cancelPosition &&
      // A leg is at the broker when its entry is: until then there is nothing to cancel.
      (order.entry === null || order.landed || order.entry.landed || this.#settled.has(order.entry))
    if (order.ended || this.#closing.signal.aborted || !(toSend || toCancel)) return
    const since = toSend ? order.position : order.cancelPosition!
    const next = { order, recovered, since, wake: new AbortController() }
    this.#lanes.set(order.intent.orderId, next)
    const running = this.#follow(next).finally(() => this.#running.delete(running))
    this.#running.add(running)
  }

  async #follow(lane: Lane): Promise<void> {
    const { order } = lane
    const { orderId } = order.intent
    const placed =
      order.landed || order.entry !== null || this.#settled.has(order) || (await this.#send(lane))
    if (placed && order.cancelPosition !== null) await this.#cancel(lane)
    this.#lanes.delete(orderId)
    for (const other of order.dependents) this.#attend(other, false)
  }

  /**
   * Until the broker has it, or it is withheld. One client order id, however often it is tried. Resolves to
   * whether the broker may have it.
   */
  async #send(lane: Lane): Promise<boolean> {
    const { order, recovered } = lane
    const { broker, bookId } = this.#options
    let tried = recovered
    let attempt = order.attempts
    while (!this.#closing.signal.aborted) {
      if (!this.#options.lease.valid()) {
        await this.#sleep(LEASE_POLL_MS, this.#closing.signal)
        continue
      }
      // Nothing is awaited from here to the call: a process that is paused in between would call without a lease.
      const decision = decideFor(broker, order, this.#now())
      if (decision.do === 'nothing') return true
      if (decision.do === 'withhold') {
        if (tried && (await this.#foundAfterAll(lane))) break
        if (this.#closing.signal.aborted) break
        // Whoever has the lease now may be sending it.
        if (!this.#options.lease.valid()) continue
        await this.#withhold(order, decision.code, decision.reason)
        break
      }
      try {
        tried = true
        boundary('broker.called')
        await place(broker, bookId, order)
        boundary('broker.answered')
        break
      } catch (error) {
        attempt++
        this.#unknown(order, attempt, reasonOf(error))
      }
      if (await this.#lookUp(lane)) break
      await this.#pause(lane, this.#backoff(attempt))
    }
    if (!this.#closing.signal.aborted) this.#settled.add(order)
    return tried
  }

  async #cancel({ order }: Lane): Promise<void> {
    const id = clientOrderId(this.#options.bookId, order.intent.orderId)
    for (let attempt = 0; !order.ended && !this.#closing.signal.aborted; ) {
      if (!this.#options.lease.valid()) {
        await this.#sleep(LEASE_POLL_MS, this.#closing.signal)
        continue
      }
      attempt++
      try {
        boundary('broker.called')
        await this.#options.broker.cancel(id)
        boundary('broker.answered')
        this.#cancelled.set(order, order.cancelPosition ?? -1)
        return
      } catch (error) {
        const fields = { orderId: order.intent.orderId, attempt, reason: reasonOf(error) }
        this.#options.log.warn(fields, 'a cancellation was not answered; it is sent again')
        await this.#sleep(this.#backoff(attempt), this.#closing.signal)
      }
    }
  }

  async #foundAfterAll(lane: Lane): Promise<boolean> {
    const settleMs = this.#options.settleMs ?? SETTLE_MS
    // The whole time, whatever the book says meanwhile: it is the request on the wire that is waited for.
    if (settleMs > 0) await this.#sleep(settleMs, this.#closing.signal)
    return this.#lookUp(lane)
  }

  /** Asks until there is an answer. True when the broker has the order, or the book shows that it had. */
  async #lookUp(lane: Lane): Promise<boolean> {
    const { order } = lane
    const id = clientOrderId(this.#options.bookId, order.intent.orderId)
    for (let attempt = 0; !order.landed && !this.#closing.signal.aborted; ) {
      if (!this.#options.lease.valid()) {
        await this.#sleep(LEASE_POLL_MS, this.#closing.signal)
        continue
      }
      attempt++
      try {
        return await this.#options.broker.knows(id)
      } catch (error) {
        const fields = { orderId: order.intent.orderId, attempt, reason: reasonOf(error) }
        this.#options.log.warn(fields, 'an order could not be looked up; it is asked for again')
      }
      await this.#pause(lane, this.#backoff(attempt))
    }
    return order.landed
  }

  #unknown(order: OpenOrder, attempt: number, reason: string): void {
    const { bookId, log, run } = this.#options
    const { orderId } = order.intent
    log.warn({ orderId, attempt, reason }, 'nobody knows whether an order landed')
    const data = { orderId, clientOrderId: clientOrderId(bookId, orderId), attempt, reason }
    this.#outbox.put({
      id: `${bookId}-u${orderId}-${attempt}-${run}`,
      headers: { [RUN_HEADER]: run },
      payload: payload('order.outcome_unknown', data),
    })
  }

  /** Resolves when the report is stored, or this executor closes. */
  #withhold(order: OpenOrder, code: WithholdCode, reason: string): Promise<void> {
    const { bookId, run } = this.#options
    const { orderId } = order.intent
    const data = { orderId, clientOrderId: clientOrderId(bookId, orderId), code, reason }
    const { signal } = this.#closing
    return new Promise((resolve) => {
      const end = () => {
        signal.removeEventListener('abort', end)
        resolve()
      }
      signal.addEventListener('abort', end)
      this.#outbox.put({
        id: `${bookId}-w${orderId}-${run}`,
        headers: { [RUN_HEADER]: run },
        payload: payload('order.withheld', data),
        stored: end,
      })
    })
  }

  #report(report: BrokerReport): void {
    boundary('report.received')
    const { type, data } = reportEvent(report, report.occurredAt)
    this.#outbox.put({
      id: `${this.#options.bookId}-r${report.sequence}`,
      headers: {
        [SEQUENCE_HEADER]: String(report.sequence),
        ...(report.clock !== undefined && { [CLOCK_HEADER]: String(report.clock) }),
      },
      payload: payload(type, data as never),
      stored: () => {
        this.#reported = report.sequence
      },
    })
  }

  #now(): number {
    return Math.max(this.#options.engineNow(), this.#intents.at)
  }

  /** Waits, unless the book has news of the order: then its lane looks again at once. */
  async #pause(lane: Lane, ms: number): Promise<void> {
    if (!lane.wake.signal.aborted) await this.#sleep(ms, lane.wake.signal)
    if (!this.#closing.signal.aborted) lane.wake = new AbortController()
  }

  async #sleep(ms: number, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return
    if (this.#options.sleep !== undefined) return this.#options.sleep(ms, signal)
    await delay(ms, undefined, { signal }).catch(() => undefined)
  }

  /** Doubles from base to max; the jitter spreads it both ways. */
  #backoff(attempt: number): number {
    const { baseMs, maxMs, jitter } = this.#options.backoff ?? BACKOFF
    const random = this.#options.random ?? Math.random
    const ms = Math.min(maxMs, baseMs * 2 ** Math.min(attempt - 1, 30))
    return Math.round(ms * (1 + jitter * (2 * random() - 1)))
  }
}

function payload<T extends EventType>(type: T, data: EventData[T]): string {
  return JSON.stringify({ type, version: EVENT_VERSIONS[type], data })
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
