import { dueBefore, timerData } from '../../engine/chain/timers.ts'
import { type Hash, StepRecorder } from '../../engine/events/step-recorder.ts'
import type { Bus, InboundMessage } from '../../engine/ports/bus.ts'
import type { Clock } from '../../engine/ports/clock.ts'
import {
  type EventStore,
  MAX_APPEND_BYTES,
  WrongExpectedPosition,
} from '../../engine/ports/event-store.ts'
import type {
  ChainSettings,
  EventType,
  InputGap,
  MarketAction,
  MarketBar,
} from '../../schemas/types.gen.ts'
import { boundary } from '../runtime/boundary.ts'
import type { Log } from '../runtime/log.ts'
import { traceOf } from '../runtime/traceparent.ts'
import type { InboundRules } from './inbound.ts'
import { firstBatch, type Uncommitted } from './batch.ts'
import { STALL_MS, type Waiting } from './input-queues.ts'
import { InputSide } from './input-side.ts'
import type { Recovered } from './recover.ts'

export interface WriterOptions {
  store: EventStore
  stream: string
  bus: Bus
  recovered: Recovered
  account: string
  /** Id of the book, for its genesis; must equal the recovered one where there is one. */
  bookId: string
  /** 16 hex digits, random for every start. */
  run: string
  codeHash: string
  engineVersion: string
  settings: ChainSettings
  hash: Hash
  clock: Clock
  rules: InboundRules
  /** Engine time that a new book begins at, ms. */
  origin: number
  /** Keeps what was refused; resolves when it is kept. */
  deadLetter(message: InboundMessage, code: string, reason: string): Promise<unknown>
  /** Called when it is in the book that inputs are missing. */
  onGap?: (gap: InputGap) => void
  log: Log
}

/**
 * Computed ahead of the book: about three appends. What is computed keeps its place, so that a signal or a halt waits
 * behind it; what still waits to be computed it overtakes. Refusing inputs for a while is safe: NATS keeps them.
 */
const MAX_UNCOMMITTED_BYTES = MAX_APPEND_BYTES
const RETRY_MS = [50, 100, 200, 500, 1000, 2000]
/** Appends tried when the engine wants to end; what is not in the book then is not acknowledged either. */
const CLOSING_ATTEMPTS = 3

/**
 * The one writer of an account's book: it sequences the inputs, computes for each a step, appends the
 * steps with the expected position, and only then acknowledges the inputs. Whatever else acts on a step
 * (executor, projections, TAPE) reads it from the book. A refused append means that somebody else
 * writes: everything computed since is discarded and the writer stops for good.
 */
export class Writer {
  /** Rejects when the writer had to stop; resolves after close. */
  readonly done: Promise<void>
  private readonly options: WriterOptions
  private readonly recorder: StepRecorder
  private readonly inputs: InputSide
  private uncommitted: Uncommitted[] = []
  private uncommittedBytes = 0
  private appending = false
  private committed: number
  private at: number
  private stopped = false
  private refusedCount = 0
  private closing = false
  private timer: NodeJS.Timeout | null = null
  private watchdog: NodeJS.Timeout | undefined
  private stall: string | null = null
  /** Why the book does not take the append that is being tried; null when it does. */
  private refusal: string | null = null
  private deadLetters: Promise<unknown> = Promise.resolve()
  private resolveDone: () => void = () => {}
  private rejectDone: (error: unknown) => void = () => {}
  private readonly lastCommitted: { brokerSequence: number; at: number }

  constructor(options: WriterOptions) {
    this.options = options
    const { recovered } = options
    this.recorder = new StepRecorder(
      recovered.chain,
      options.run,
      options.hash,
      recovered.last + 1,
      recovered.checksum,
    )
    this.committed = recovered.last
    this.at = recovered.last < 0 ? options.origin : recovered.at
    if (options.settings.feed === 'realtime') this.at = Math.max(this.at, options.clock.now())
    this.lastCommitted = { brokerSequence: recovered.identities.brokerSequence, at: this.at }
    this.done = new Promise((resolve, reject) => {
      this.resolveDone = resolve
      this.rejectDone = reject
    })
    this.done.catch(() => {})
    this.inputs = new InputSide({
      bus: options.bus,
      identities: recovered.identities,
      rules: options.rules,
      clock: options.clock,
      log: options.log,
      open: () => !this.stopped && !this.closing,
      arrived: () => this.pump(),
      failed: (error) => this.fail(error),
    })
  }

  /** Takes the book over: genesis where it is empty, then engine.started; then the inputs are let in. */
  async start(): Promise<void> {
    const { recovered, settings, bookId, account } = this.options
    if (recovered.last < 0) {
      this.record(null, 'book.created', {
        bookId,
        account,
        currency: 'USD',
        cash: settings.exchange.cash,
      })
    }
    this.record(null, 'engine.started', {
      run: this.options.run,
      codeHash: this.options.codeHash,
      engineVersion: this.options.engineVersion,
      nodeVersion: process.version,
      settings,
    })
    while (this.uncommitted.length > 0 && !this.stopped) await this.commit()
    if (this.stopped) await this.done
    if (this.closing) return
    this.watchdog = setInterval(() => this.lookForStall(), STALL_MS / 2)
    this.watchdog.unref()
    await this.inputs.start()
    this.pump()
  }

  /** False once it has stopped, for whatever reason. */
  get running(): boolean {
    return !this.stopped
  }

  /** Position of the last event in the book. */
  get position(): number {
    return this.committed
  }

  /** Newest broker report that is in the book. */
  get brokerSequence(): number {
    return this.lastCommitted.brokerSequence
  }

  /**
   * Engine time, ms; on a historical feed that of the book. What is computed and not appended may never have been:
   * an order that was too late by its time would be sent by the next start.
   */
  get engineTime(): number {
    return this.options.settings.feed === 'realtime'
      ? Math.max(this.at, this.options.clock.now())
      : this.lastCommitted.at
  }

  /** What it has been waiting for in vain, in words; null while all is well. */
  get stalled(): string | null {
    return this.refusal ?? this.inputs.trouble() ?? this.stall
  }

  /** Messages refused since the start. */
  get refused(): number {
    return this.refusedCount
  }

  /** Nothing waits and nothing is under way; a bar that waits for reports counts as waiting. */
  get idle(): boolean {
    return this.inputs.queues.size + this.uncommitted.length === 0 && !this.appending
  }

  /** Whether a corporate action has been sequenced. */
  hasAction(action: MarketAction): boolean {
    return this.options.recovered.identities.knows('market.action', action)
  }

  lastBar(feed: string, symbol: string, timeframe: string): number {
    return this.options.recovered.identities.lastBar(feed, symbol, timeframe)
  }

  /** Lets no more inputs in, and resolves when all that was computed is in the book and acknowledged. */
  async close(): Promise<void> {
    this.closing = true
    this.clearTimers()
    this.inputs.queues.clear()
    while (!this.stopped && (this.uncommitted.length > 0 || this.appending)) {
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
    await this.inputs.stop()
    await this.deadLetters
    this.stopped = true
    this.resolveDone()
  }

  private clearTimers(): void {
    if (this.timer !== null) clearTimeout(this.timer)
    clearInterval(this.watchdog)
  }

  private fail(error: unknown): void {
    if (this.stopped) return
    this.stopped = true
    this.uncommitted = []
    this.clearTimers()
    this.inputs.stop().catch(() => {})
    this.rejectDone(error)
  }

  /** Computes every step whose input may come now, and sees to it that they are appended. */
  private pump(): void {
    if (this.stopped) return
    try {
      for (let next = this.next(); next !== null; next = this.next()) this.sequence(next)
    } catch (error) {
      this.fail(error)
      return
    }
    if (!this.appending && this.uncommitted.length > 0) this.commitSoon()
    this.armTimer()
  }

  /** After the inputs that arrive in this turn: what a socket brings at once shares an append, and its sync. */
  private commitSoon(): void {
    this.appending = true
    setImmediate(() => {
      if (this.stopped) this.appending = false
      else this.commit().catch((error: unknown) => this.fail(error))
    })
  }

  private next(): Waiting | null {
    if (this.uncommittedBytes > MAX_UNCOMMITTED_BYTES) return null
    return this.inputs.queues.next(this.options.recovered.identities.brokerSequence)
  }

  private sequence(waiting: Waiting): void {
    const { identities } = this.options.recovered
    const { input, message } = waiting
    if (input.ignored || identities.knows(input.type, input.data)) {
      this.release(waiting)
      return
    }
    if (input.type === 'market.bar') {
      // The engine numbers revisions itself: what a feed claims is overwritten.
      const bar = input.data as MarketBar
      bar.revision = identities.barRevision(bar) ?? 0
    }
    if (input.refusal !== null) {
      this.refusedCount++
      this.options.log.warn(
        { subject: message.subject, sequence: message.sequence, code: input.refusal.code },
        `refused: ${input.refusal.message}`,
      )
    }
    const at = this.stamp(input.clock)
    this.fireTimers(at)
    this.at = at
    this.record(waiting, input.type, input.data)
    identities.remember(input.type, input.data)
  }

  /** Engine time of an input: the wall clock, or on a historical feed the clock of the data. */
  private stamp(clock: number): number {
    if (this.options.settings.feed === 'realtime') {
      return Math.max(this.at, this.options.clock.now())
    }
    return Number.isNaN(clock) ? this.at : Math.max(this.at, clock)
  }

  private fireTimers(at: number): void {
    const { timers } = this.options.recovered.chain.table
    for (let due = dueBefore(timers, at); due !== null; due = dueBefore(timers, at)) {
      this.at = Math.max(this.at, due.dueAt)
      this.record(null, 'timer.fired', timerData(due))
    }
  }

  /** With a real-time feed a timer falls due although nothing comes in. */
  private armTimer(): void {
    if (this.options.settings.feed !== 'realtime' || this.timer !== null || this.closing) return
    const first = this.options.recovered.chain.table.timers.waiting[0]
    if (first === undefined) return
    const wait = Math.min(Math.max(first.dueAt - this.options.clock.now(), 0) + 1, 2 ** 31 - 1)
    this.timer = setTimeout(() => {
      this.timer = null
      if (this.stopped) return
      try {
        this.fireTimers(this.options.clock.now())
      } catch (error) {
        this.fail(error)
      }
      this.pump()
    }, wait)
  }

  private record(from: Waiting | null, type: EventType, data: unknown): void {
    const trace = from === null ? undefined : traceOf(from.message.headers)
    const now = this.options.clock.now()
    const step = this.recorder.compute(type, this.at, now, data, from?.mark, trace)
    this.uncommitted.push({ step, from })
    this.uncommittedBytes += step.bytes
    boundary('step.computed')
  }

  /** Appends what has gathered, as many steps as one append holds; retries until it is in the book or fenced off. */
  private async commit(): Promise<void> {
    this.appending = true
    const { batch, events, bytes } = firstBatch(this.uncommitted)
    const expected = batch[0]!.step.first - 1
    for (let attempt = 0; !this.stopped; attempt++) {
      try {
        boundary('append.sent')
        const appended = this.options.store.append(this.options.stream, expected, events)
        boundary('append.pending')
        this.committed = await appended
        boundary('append.confirmed')
        this.refusal = null
        break
      } catch (error) {
        if (error instanceof WrongExpectedPosition || error instanceof RangeError) {
          this.appending = false
          this.fail(error)
          return
        }
        if (this.closing && attempt >= CLOSING_ATTEMPTS) {
          this.appending = false
          this.fail(error)
          return
        }
        this.refusal = `the book does not take an append: ${error instanceof Error ? error.message : String(error)}`
        this.options.log.error(
          { err: error, attempt },
          'the book did not take an append; trying again',
        )
        await new Promise((resolve) =>
          setTimeout(resolve, RETRY_MS[Math.min(attempt, RETRY_MS.length - 1)]),
        )
      }
    }
    if (this.stopped) {
      this.appending = false
      return
    }
    this.uncommitted.splice(0, batch.length)
    this.uncommittedBytes -= bytes
    for (const { step } of batch) {
      const { at, data } = step.events[0]!
      const { brokerSequence } = data as { brokerSequence?: number }
      this.lastCommitted.at = at
      if (brokerSequence !== undefined) this.lastCommitted.brokerSequence = brokerSequence
    }
    for (const { from } of batch) if (from !== null) this.release(from)
    this.appending = false
    this.pump()
  }

  /** The input is in the book: NATS may forget it. A refused one is kept once more, apart, in its own time. */
  private release({ input, message, settle }: Waiting): void {
    settle()
    if (input.type === 'input.gap') this.options.onGap?.(input.data as InputGap)
    const { refusal } = input
    if (refusal === null) return
    this.deadLetters = this.deadLetters
      .then(() => this.options.deadLetter(message, refusal.code, refusal.message))
      .catch((error: unknown) =>
        this.options.log.error(
          { err: error, subject: message.subject, sequence: message.sequence },
          'a refused message is in the book, but could not be put on its dead-letter subject',
        ),
      )
  }

  /** A report that is missing holds up all behind it; somebody has to know. */
  private lookForStall(): void {
    const { clock, log, recovered } = this.options
    const before = this.stall
    this.stall = this.inputs.queues.stalled(clock.now(), recovered.identities.brokerSequence)
    if (this.stall !== null && before === null) log.error(this.stall)
  }
}
