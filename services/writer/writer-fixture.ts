import { setTimeout as sleep } from 'node:timers/promises'
import type { ChainSettings, EventData, EventType, MarketBar } from '../../schemas/types.gen.ts'
import { decodeBody, type RecordedEvent } from '../../engine/events/envelope.ts'
import type { Hash } from '../../engine/events/step-recorder.ts'
import type { Bus, Consumption, InboundMessage, PublishOptions } from '../../engine/ports/bus.ts'
import type { EventStore, ProposedEvent } from '../../engine/ports/event-store.ts'
import { BOOK_ID, CODE_HASH, settings, sha256 } from '../../engine/testing/fixtures.ts'
import { DAY_MS, formatTime } from '../../engine/time.ts'
import { MemoryStore } from '../adapters/memory/memory-store.ts'
import { createLog, type Log } from '../runtime/log.ts'
import type { InboundRules } from './inbound.ts'
import { recover } from './recover.ts'
import { Writer, type WriterOptions } from './writer.ts'

export const STREAM = 'account-test'
/** 2013-05-13T00:00:00Z: engine time at which the books of these tests begin. */
export const ORIGIN = Date.UTC(2013, 4, 13)
/** Wall clock of these tests: a moment of 2026. */
export const NOW = Date.UTC(2026, 0, 15, 12)

export type StreamName = 'REPORTS' | 'INBOX' | 'MARKET'

/** A log that keeps its lines and writes nothing. */
export function quietLog(): { log: Log; lines: string[] } {
  const lines: string[] = []
  const destination = { write: (text: string) => lines.push(text) }
  return { log: createLog({ level: 'debug', name: 'test', destination }), lines }
}

/** JetStream as far as a consumer sees it: what is not acknowledged is delivered again by `restart`. */
export class FakeBus implements Bus {
  readonly published: { subject: string; payload: string; options: PublishOptions }[] = []
  readonly acked: Record<string, number> = { REPORTS: 0, INBOX: 0, MARKET: 0 }
  /** Sequences acknowledged, in the order of the calls: `INBOX 3`. */
  readonly acks: string[] = []
  readonly stopped: string[] = []
  readonly fail = new Map<string, (error: unknown) => void>()
  /** What acknowledging throws from now on; null for nothing. */
  ackError: Error | null = null
  /** Until it resolves, `consume` of this stream does not, although it delivers. */
  slow: { stream: StreamName; until: Promise<void> } | null = null
  private readonly stored: Record<string, InboundMessage[]> = { REPORTS: [], INBOX: [], MARKET: [] }
  private readonly handlers = new Map<string, (message: InboundMessage) => void>()

  async publish(subject: string, payload: Uint8Array | string, options: PublishOptions = {}) {
    const text = typeof payload === 'string' ? payload : Buffer.from(payload).toString()
    this.published.push({ subject, payload: text, options })
    return { stream: 'X', sequence: this.published.length, duplicate: false }
  }

  async consume(
    stream: string,
    _durable: string,
    onMessage: (message: InboundMessage) => void,
  ): Promise<Consumption> {
    const from = this.acked[stream]!
    for (const message of this.stored[stream]!.slice(from)) {
      onMessage({ ...message, redelivered: true })
    }
    this.handlers.set(stream, onMessage)
    const done = new Promise<void>((_, reject) => this.fail.set(stream, reject))
    done.catch(() => {})
    if (this.slow?.stream === stream) await this.slow.until
    return {
      done,
      ack: (message) => {
        if (this.ackError !== null) throw this.ackError
        this.acks.push(`${stream} ${message.sequence}`)
        this.acked[stream] = Math.max(this.acked[stream]!, message.sequence)
      },
      pending: async () => this.stored[stream]!.length - this.acked[stream]!,
      stop: async () => {
        this.stopped.push(stream)
        this.handlers.delete(stream)
      },
    }
  }

  /** Stores a message and delivers it, as the server does. */
  send(
    stream: StreamName,
    subject: string,
    body: unknown,
    given: Partial<Pick<InboundMessage, 'headers' | 'storedAt'>> = {},
  ): InboundMessage {
    const message = inbound(subject, body, {
      stream,
      sequence: this.stored[stream]!.length + 1,
      ...given,
    })
    this.stored[stream]!.push(message)
    this.handlers.get(stream)?.(message)
    return message
  }

  bar(n: number, close = 100 + n, headers: Record<string, string> = {}): InboundMessage {
    return this.send('MARKET', 'md.bar.1d.A', barBody(n, { close: String(close) }), { headers })
  }

  signal(id: string, body: Record<string, unknown> = {}, storedAt = NOW): InboundMessage {
    const full = { symbol: 'A', side: 'buy', qty: '1', timeInForce: 'gtc', ...body }
    return this.send('INBOX', 'signals.manual.ana', full, {
      headers: { 'nats-msg-id': id },
      storedAt,
    })
  }

  control(action: string, id: string, reason = 'test'): InboundMessage {
    return this.send(
      'INBOX',
      `control.${action}`,
      { actor: 'ana', reason },
      {
        headers: { 'nats-msg-id': id },
      },
    )
  }

  /** What the broker says; brokerSequence where the data has one. */
  report<T extends EventType>(type: T, data: EventData[T], clock?: number): InboundMessage {
    const headers: Record<string, string> =
      clock === undefined ? {} : { 'bitacora-clock': String(clock) }
    return this.send('REPORTS', 'reports.test', { type, version: 1, data }, { headers })
  }

  accepted(brokerSequence: number, orderId = 1, clock?: number): InboundMessage {
    return this.report(
      'order.accepted',
      {
        orderId,
        clientOrderId: `${BOOK_ID}-${orderId}`,
        symbol: 'A',
        brokerSequence,
        occurredAt: '2013-05-13T00:00:00Z',
      },
      clock,
    )
  }

  withheld(orderId: number): InboundMessage {
    const clientOrderId = `${BOOK_ID}-${orderId}`
    return this.report('order.withheld', { orderId, clientOrderId, code: 'too_late', reason: 'x' })
  }
}

/** A message as it comes off a stream; a body that is neither bytes nor text becomes JSON. */
export function inbound(
  subject: string,
  body: unknown,
  given: Partial<InboundMessage> = {},
): InboundMessage {
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  return {
    stream: 'INBOX',
    sequence: 1,
    subject,
    headers: {},
    payload: body instanceof Uint8Array ? body : new TextEncoder().encode(text),
    storedAt: NOW,
    redelivered: false,
    ...given,
  }
}

/** The daily bar of day n, flat at 100 unless given otherwise. */
export function barBody(n: number, given: Partial<MarketBar> = {}): MarketBar {
  const close = given.close ?? '100'
  return {
    feed: 'test',
    symbol: 'A',
    timeframe: '1d',
    time: formatTime(ORIGIN + n * DAY_MS),
    open: close,
    high: close,
    low: close,
    close,
    volume: '1000',
    revision: 0,
    ...given,
  }
}

/** A memory store whose appends can be held back, can fail, and can fail after they wrote. */
export class FaultyStore extends MemoryStore {
  readonly appends: { expected: number; ids: string[]; bytes: number }[] = []
  /** Faults of the coming appends; what is left out goes well. */
  readonly faults: ('fail' | 'write-then-fail')[] = []
  private held: Promise<void> | null = null
  private letGo: () => void = () => {}

  hold(): void {
    this.held = new Promise((resolve) => {
      this.letGo = resolve
    })
  }

  release(): void {
    this.held = null
    this.letGo()
  }

  /** Another writer appends behind this position, whatever is held back. */
  async intrude(expected: number): Promise<void> {
    const id = '00000000-0000-4000-8000-00000000ffff'
    await super.append(STREAM, expected, [{ id, type: 'timer.fired', body: '{}', checksum: null }])
  }

  override async append(stream: string, expected: number, events: readonly ProposedEvent[]) {
    const bytes = events.reduce((sum, { body }) => sum + Buffer.byteLength(body), 0)
    this.appends.push({ expected, ids: events.map(({ id }) => id), bytes })
    const fault = this.faults.shift()
    if (this.held !== null) await this.held
    if (fault === 'fail') throw new Error('the disk is full')
    const last = await super.append(stream, expected, events)
    if (fault === 'write-then-fail') throw new Error('the connection was lost')
    return last
  }
}

export interface Desk {
  writer: Writer
  bus: FakeBus
  store: FaultyStore
  /** Wall clock, to be moved by the test. */
  clock: { time: number; now(): number }
  lines: string[]
  dead: { sequence: number; code: string; reason: string; acked: number }[]
  events(): Promise<RecordedEvent[]>
  types(): Promise<string[]>
}

export interface DeskGiven {
  bus?: FakeBus
  store?: FaultyStore
  settings?: ChainSettings
  run?: string
  now?: number
  rules?: Partial<InboundRules>
  deadLetter?: WriterOptions['deadLetter']
  onGap?: WriterOptions['onGap']
  /** Called once for each step that is computed. */
  hash?: Hash
}

/** A writer over a memory store and a fake bus, not started. Given the same two again, it is its successor. */
export async function openDesk(given: DeskGiven = {}): Promise<Desk> {
  const store = given.store ?? new FaultyStore()
  const bus = given.bus ?? new FakeBus()
  const { log, lines } = quietLog()
  const clock = {
    time: given.now ?? NOW,
    now() {
      return this.time
    },
  }
  const dead: Desk['dead'] = []
  const writer = new Writer({
    store,
    stream: STREAM,
    bus,
    recovered: await recover(store, STREAM, sha256),
    account: 'test',
    bookId: BOOK_ID,
    run: given.run ?? '00000000000000a1',
    codeHash: CODE_HASH,
    engineVersion: '0.0.0',
    settings: given.settings ?? settings(),
    hash: given.hash ?? sha256,
    clock,
    rules: {
      requireSignature: false,
      checkSignature: () => null,
      now: () => clock.now(),
      ...given.rules,
    },
    origin: ORIGIN,
    ...(given.onGap && { onGap: given.onGap }),
    deadLetter:
      given.deadLetter ??
      (async ({ stream, sequence }, code, reason) => {
        dead.push({ sequence, code, reason, acked: bus.acked[stream]! })
      }),
    log,
  })
  const events = () => readEvents(store)
  return {
    writer,
    bus,
    store,
    clock,
    lines,
    dead,
    events,
    types: async () => (await events()).map(({ type }) => type),
  }
}

export async function startDesk(given: DeskGiven = {}): Promise<Desk> {
  const desk = await openDesk(given)
  await desk.writer.start()
  return desk
}

export async function readEvents(store: EventStore, stream = STREAM): Promise<RecordedEvent[]> {
  const events: RecordedEvent[] = []
  for await (const page of store.read(stream, 0)) events.push(...page.map(decodeBody))
  return events
}

/** Lets everything that can happen without time passing happen. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve))
}

export async function until(condition: () => boolean, ms = 5000): Promise<void> {
  const deadline = Date.now() + ms
  while (!condition()) {
    if (Date.now() > deadline) throw new Error(`still not so after ${ms} ms: ${condition}`)
    await sleep(2)
  }
}

/** The error a promise rejects with; resolving, or nothing within two seconds, is the failure. */
export async function rejection(promise: Promise<unknown>): Promise<Error & { code?: string }> {
  const late = sleep(2000, 'late', { ref: false })
  try {
    const value = await Promise.race([promise, late])
    throw new Error(value === 'late' ? 'still pending' : 'it resolved', { cause: 'rejection' })
  } catch (error) {
    if ((error as Error).cause === 'rejection') throw error
    return error as Error & { code?: string }
  }
}
