/** What two engines, one book, one NATS server and one broker must hold to, however they were paused. */
import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { NatsConnection } from 'nats'
import { decodeBody } from '../../../engine/events/envelope.ts'
import { orderIdOf } from '../../../engine/events/ids.ts'
import type { BrokerReport } from '../../../engine/ports/broker.ts'
import type { Consumption } from '../../../engine/ports/bus.ts'
import type { EventStore, StoredEvent } from '../../../engine/ports/event-store.ts'
import { NatsBus } from '../../adapters/nats/nats-bus.ts'
import { bookStream } from '../../runtime/folder.ts'
import type { BrokerCall } from './shared-broker.ts'
import type { SharedEngineOptions } from './shared-engine.ts'

/** How a shared-engine.ts ended. */
export interface Ending {
  code: number | null
  /** Code of the error that it named; null: it was asked to end. */
  error: string | null
}

/** A shared-engine.ts in a process of its own. */
export class SharedEngineProcess {
  readonly name: string
  readonly child: ChildProcess
  readonly ended: Promise<Ending>
  readonly waits: Promise<void>
  readonly ready: Promise<void>
  stderr = ''
  over: Ending | null = null

  constructor(options: SharedEngineOptions) {
    this.name = options.name
    const entry = fileURLToPath(new URL('shared-engine.ts', import.meta.url))
    const { PATH, HOME, TMPDIR } = process.env
    this.child = spawn(process.execPath, ['--import', 'tsx', entry, JSON.stringify(options)], {
      env: { PATH, HOME, ...(TMPDIR !== undefined && { TMPDIR }) },
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    })
    this.child.stderr?.on('data', (data: Buffer) => {
      this.stderr = `${this.stderr}${data.toString()}`.slice(-4000)
    })
    let error: string | null = null
    let waits: () => void = () => {}
    let ready: () => void = () => {}
    this.waits = new Promise((resolve) => {
      waits = resolve
    })
    this.ready = new Promise((resolve) => {
      ready = resolve
    })
    this.child.on('message', (said: { waiting?: true; ready?: true; error?: string }) => {
      if (said.waiting) waits()
      if (said.ready) ready()
      if (said.error !== undefined) error = said.error
    })
    this.ended = new Promise((resolve) => {
      this.child.once('close', (code) => {
        this.over = { code, error }
        resolve(this.over)
      })
    })
  }

  signal(name: NodeJS.Signals): void {
    this.child.kill(name)
  }

  /** Resolves with the promise; rejects when the engine ends before, or not in time. */
  async within<T>(promise: Promise<T>, what: string, limitMs = 60_000): Promise<T> {
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<never>((_, reject) => {
      const say = (why: string): void =>
        reject(new Error(`${this.name}: ${why} before ${what}: ${this.stderr}`))
      timer = setTimeout(() => say('nothing'), limitMs)
      if (promise !== (this.ended as Promise<unknown>)) {
        void this.ended.then(({ code, error }) => say(`ended (${code}, ${error})`))
      }
    })
    try {
      return await Promise.race([promise, late])
    } finally {
      clearTimeout(timer)
    }
  }
}

/** Follows the book, the broker and the streams, and names the first promise that is broken. */
export class TwoWriters {
  /** Runs that have written, in their order, and where each began. */
  readonly runs: { run: string; position: number; recordedAt: number }[] = []
  readonly counts = { events: 0, bars: 0, signals: 0, fills: 0, withheld: 0, anomalies: 0 }
  position = -1
  bookId = ''
  readonly #store: EventStore
  readonly #bars = new Set<string>()
  readonly #signals = new Map<string, number>()
  readonly #verdicts = new Map<string, number>()
  readonly #intents = new Set<number>()
  readonly #withheld = new Set<number>()
  readonly #cancels = new Set<number>()
  readonly #accepted = new Set<number>()
  readonly #positions = new Map<string, number>()
  #reports = 0
  readonly #said: BrokerReport[] = []
  /** Times of the bars, and ids of the signals, that NATS has confirmed. */
  readonly #published = { bars: new Set<string>(), signals: new Set<string>() }
  #barsRead = 0

  constructor(store: EventStore) {
    this.#store = store
  }

  /** What the broker says, in its order, from its first report. */
  hear(report: BrokerReport): void {
    this.#said.push(report)
  }

  /** Notes every bar that MARKET takes. */
  async watchMarket(nc: NatsConnection): Promise<() => Promise<void>> {
    let market: Consumption | null = null
    market = await new NatsBus(nc).consume('MARKET', 'watcher', (message) => {
      const { time } = JSON.parse(new TextDecoder().decode(message.payload)) as { time: string }
      this.#published.bars.add(time)
      this.#barsRead = message.sequence
      market?.ack(message)
    })
    return () => market.stop()
  }

  async publishSignal(nc: NatsConnection, id: string, body: object): Promise<void> {
    await nc.jetstream().publish('signals.manual.op', JSON.stringify(body), { msgID: id })
    this.#published.signals.add(id)
  }

  get orders(): number {
    return this.#accepted.size
  }

  /** Reads on; throws when the book breaks a promise. */
  async readOn(): Promise<void> {
    for await (const page of this.#store.read(bookStream(), this.position + 1)) {
      for (const stored of page) this.#take(stored)
    }
  }

  /** Until the book holds whatever was published before the call. */
  async complete(limitMs = 30_000): Promise<void> {
    const bars = [...this.#published.bars]
    const signals = [...this.#published.signals]
    const end = Date.now() + limitMs
    for (;;) {
      await this.readOn()
      const bar = bars.find((time) => !this.#bars.has(time))
      const signal = signals.find((id) => !this.#signals.has(id) || !this.#verdicts.has(id))
      if (bar === undefined && signal === undefined) return
      if (Date.now() > end) {
        throw new Error(
          `lost: ${bar === undefined ? `signal ${signal}` : `bar ${bar}`}; MARKET was read to ${this.#barsRead}`,
        )
      }
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }

  /**
   * Who was replaced must have called the broker no more, but for the one call that the pause met between the look at
   * the lease and the wire; and that must be asked for by the book, or known to the broker. Answers how many there were.
   */
  checkCalls(calls: readonly BrokerCall[], names: readonly string[]): number {
    let caught = 0
    names.slice(0, -1).forEach((name, i) => {
      const next = this.runs[i + 1]
      if (next === undefined) throw new Error(`nobody has taken over from ${name}`)
      const late = calls.filter(
        ({ caller, arrived }) => caller === name && arrived > next.recordedAt,
      )
      const what = late.map((call) => `${call.do} ${call.what}`).join(', ')
      if (late.length > 1)
        throw new Error(`${name} called the broker after it was replaced: ${what}`)
      for (const call of late) {
        if (!this.#isAskedFor(call)) {
          throw new Error(`${name} was replaced, and its call took effect: ${what}`)
        }
      }
      caught += late.length
    })
    return caught
  }

  #isAskedFor(call: BrokerCall): boolean {
    if (call.repeat) return true
    const number = orderIdOf(this.bookId, call.what)
    if (number === null) return false
    if (call.do === 'cancel') return this.#cancels.has(number)
    return call.do === 'submit' && this.#intents.has(number) && !this.#withheld.has(number)
  }

  /** Every report of the broker is in the book as it was said, up to the newest that is there. */
  checkBroker(): void {
    const taken = new Map<string, number>()
    const orders = new Set<string>()
    for (const report of this.#said.slice(0, this.#reports)) {
      if (report.kind === 'filled') {
        const qty = Number(report.qty) * (report.side === 'buy' ? 1 : -1)
        taken.set(report.symbol, (taken.get(report.symbol) ?? 0) + qty)
      }
      if (report.kind !== 'accepted') continue
      const number = orderIdOf(this.bookId, report.clientOrderId)
      if (orders.has(report.clientOrderId)) throw new Error(`${report.clientOrderId} exists twice`)
      if (number === null || !this.#intents.has(number)) {
        throw new Error(`${report.clientOrderId} stands at the broker and not in the book`)
      }
      if (this.#withheld.has(number)) {
        throw new Error(`${report.clientOrderId} stands at the broker; the book withheld it`)
      }
      orders.add(report.clientOrderId)
    }
    for (const symbol of new Set([...taken.keys(), ...this.#positions.keys()])) {
      const [book = 0, broker = 0] = [this.#positions.get(symbol), taken.get(symbol)]
      if (book !== broker)
        throw new Error(`${symbol}: ${book} by the book, ${broker} by the broker`)
    }
  }

  /** TAPE carries every event of the book read so far, in order; answers how many came more than once. */
  async checkTape(nc: NatsConnection, limitMs = 30_000): Promise<number> {
    const { position } = this
    let next = 0
    let repeats = 0
    let fault: string | null = null
    let tape: Consumption | null = null
    tape = await new NatsBus(nc).consume('TAPE', 'watcher', (message) => {
      tape?.ack(message)
      const found = Number(message.headers['bitacora-position'])
      if (found === next) next++
      else if (found < next) repeats++
      else fault ??= `TAPE goes on with ${found} where ${next} was due`
    })
    const end = Date.now() + limitMs
    while (next <= position && fault === null && Date.now() < end) {
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    await tape.stop()
    if (fault === null && next <= position) fault = `TAPE ends before event ${next}`
    if (fault !== null) throw new Error(fault)
    return repeats
  }

  /** Reports that the broker made and the book does not hold yet. */
  get unheard(): number {
    return this.#said.length - this.#reports
  }

  /** Shares by the book. */
  get positions(): ReadonlyMap<string, number> {
    return this.#positions
  }

  #take(stored: StoredEvent): void {
    const event = decodeBody(stored)
    const data = event.data as Record<string, never>
    if (stored.position !== this.position + 1) throw new Error(`no event ${this.position + 1}`)
    this.position = stored.position
    this.counts.events++
    if (event.type === 'book.created') this.bookId = data.bookId!
    if (event.type === 'engine.started') {
      const { recordedAt } = event
      this.runs.push({ run: data.run!, position: stored.position, recordedAt })
    }
    this.#checkWriter(stored)
    switch (event.type) {
      case 'market.bar':
        if (this.#bars.has(data.time!)) throw new Error(`bar ${data.time} is in the book twice`)
        this.#bars.add(data.time!)
        this.counts.bars++
        break
      case 'signal.received':
        count(this.#signals, data.signalId!, 'signal')
        this.counts.signals++
        break
      case 'risk.verdict':
        // What risk itself brings about, such as taking an entry back, may be judged more than once.
        if (this.#signals.has(data.signalId!)) count(this.#verdicts, data.signalId!, 'verdict of')
        break
      case 'order.intended':
        this.#intents.add(data.orderId!)
        break
      case 'order.cancel_requested':
        this.#cancels.add(data.orderId!)
        break
      case 'order.withheld':
        this.#withheld.add(data.orderId!)
        this.counts.withheld++
        break
      case 'order.accepted':
        if (this.#accepted.has(data.orderId!)) throw new Error(`order ${data.orderId} twice`)
        this.#accepted.add(data.orderId!)
        break
      case 'order.filled': {
        const qty = Number(data.qty) * (data.side === ('buy' as never) ? 1 : -1)
        this.#positions.set(data.symbol!, (this.#positions.get(data.symbol!) ?? 0) + qty)
        this.counts.fills++
        break
      }
      case 'order.anomaly':
        this.counts.anomalies++
        break
      case 'input.refused':
      case 'input.gap':
        throw new Error(`${event.type} at ${stored.position}: ${JSON.stringify(data)}`)
      default:
    }
    if (data.brokerSequence !== undefined) {
      if (data.brokerSequence !== this.#reports + 1) {
        throw new Error(`report ${String(data.brokerSequence)} comes after ${this.#reports}`)
      }
      this.#reports++
    }
  }

  /** An event's id names the run that wrote it: it must be the newest that has begun. */
  #checkWriter({ id, position }: StoredEvent): void {
    // The genesis is written by the first run, right before it says that it has started.
    const run = this.runs.at(-1)?.run
    if (run === undefined) return
    const expected = `${run.slice(0, 8)}-${run.slice(8, 12)}-8${run.slice(12, 15)}-8`
    if (!id.startsWith(expected)) throw new Error(`event ${position} was written by another run`)
  }
}

function count(seen: Map<string, number>, id: string, what: string): void {
  if (seen.has(id)) throw new Error(`${what} ${id} is in the book twice`)
  seen.set(id, 1)
}
