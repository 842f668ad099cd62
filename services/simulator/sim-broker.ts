import { join } from 'node:path'
import type { AccountView } from '../../engine/exchange/account.ts'
import { format, parse } from '../../engine/decimal.ts'
import { Exchange } from '../../engine/exchange/exchange.ts'
import type { Action } from '../../engine/market/actions.ts'
import { barFromWire } from '../../engine/market/bar-wire.ts'
import {
  type Broker,
  type BrokerOrder,
  type BrokerReport,
  OutcomeUnknown,
  type Replacement,
} from '../../engine/ports/broker.ts'
import type { ExchangeSettings, MarketBar } from '../../schemas/types.gen.ts'
import {
  type BarRow,
  type Command,
  JournalMismatch,
  JournalUnavailable,
  SimJournal,
} from './sim-journal.ts'

export interface SimBrokerOptions {
  /** Folder of the journal, `sim-broker.db`. */
  dir: string
  settings: ExchangeSettings
  bookId: string
}

/** The journal opened with other cash than the settings ask for now; the journal's holds. Decimals. */
export interface SettingsConflict {
  field: 'cash'
  journaled: string
  given: string
}

/** Replay at open is at most so many commands, or as many as there are resting orders, if those are more. */
const SNAPSHOT_EVERY = 1000
const PAGE = 500

/** Opens or creates. Throws ForeignJournal, JournalMismatch, NotAJournal, JournalUnavailable, ExchangeSettingsError. */
export function openSimBroker(options: SimBrokerOptions): SimBroker {
  return new SimBroker(options)
}

interface Waiting {
  command: (now: number) => Command
  resolve: () => void
  reject: (error: unknown) => void
}

interface Listener {
  after: number
  handler: (report: BrokerReport) => void
  busy: boolean
}

/** What a replay of the journal gives. */
interface State {
  exchange: Exchange
  settings: ExchangeSettings
  /** End of the newest bar, ms, 0 before any: the broker's clock. */
  now: number
  /** Start of the newest bar of each symbol. */
  barTimes: Map<string, number>
}

/**
 * The simulated exchange behind the Broker port, with a memory that outlives the process.
 *
 * A command and the reports it caused are one transaction; only then is anything handed out. At open the newest
 * snapshot is restored and the commands after it are replayed. Reports are stored, not worked out again: what was
 * said once stays said, also under other code. Code that would replay the commands after the snapshot to other
 * reports is refused (JournalMismatch), because the state it would go on from is not the one that was reported;
 * a clean stop leaves a snapshot and nothing after it, so that an upgrade meets no such commands.
 *
 * Orders, cancels, and bars that found a resting order of their symbol are on the disk before the call ends.
 * Other bars change nothing but the last price and the clock: they are written at once, so that a killed process
 * loses none, but wait for the next synced write to survive a power cut. At start, show the newest bars of the
 * book again: what the broker knows changes nothing.
 */
export class SimBroker implements Broker {
  /** Set when the journal's cash and the settings' differ. */
  readonly settingsConflict: SettingsConflict | null
  readonly #journal: SimJournal
  readonly #listeners = new Set<Listener>()
  #state: State | null
  #fresh: BrokerReport[] = []
  #waiting: Waiting[] = []
  #flushing: NodeJS.Immediate | null = null
  #snapshotAt: number
  #closed = false

  constructor({ dir, settings, bookId }: SimBrokerOptions) {
    // Refuses impossible settings before they are written.
    new Exchange(settings, () => undefined)
    this.#journal = new SimJournal(join(dir, 'sim-broker.db'), bookId)
    try {
      if (this.#journal.head.command === 0) {
        this.#journal.write([{ do: 'settings', settings }], [], true)
      }
      this.#snapshotAt = this.#journal.snapshot()?.command ?? 0
      this.#state = this.#load()
      const { cash } = this.#state.settings
      this.settingsConflict =
        cash === settings.cash ? null : { field: 'cash', journaled: cash, given: settings.cash }
      const wanted = { ...settings, cash }
      if (!same(wanted, this.#state.settings)) this.#run([{ do: 'settings', settings: wanted }])
    } catch (error) {
      this.#journal.close()
      throw error
    }
  }

  get account(): AccountView {
    return this.#ready().exchange.account
  }

  /** Settings in force: those given, but the journal's cash. */
  get settings(): Readonly<ExchangeSettings> {
    return this.#ready().settings
  }

  /** Sequence of the newest report that was handed out. */
  lastSequence(): number {
    return this.#journal.head.sequence
  }

  /** Resolves when the order is on the disk. Rejects with OutcomeUnknown when the disk refused. */
  submit(order: BrokerOrder): Promise<void> {
    return this.#enqueue((now) => ({ do: 'submit', order, now }))
  }

  cancel(clientOrderId: string): Promise<void> {
    return this.#enqueue((now) => ({ do: 'cancel', clientOrderId, now }))
  }

  /** Resolves when the request is on the disk; the outcome is a report. Rejects as `submit` does. */
  replace(clientOrderId: string, by: Replacement): Promise<void> {
    return this.#enqueue((now) => ({ do: 'replace', clientOrderId, by, now }))
  }

  async knows(clientOrderId: string): Promise<boolean> {
    try {
      this.#flush()
      return this.#ready().exchange.knows(clientOrderId)
    } catch (cause) {
      throw unknown(cause)
    }
  }

  /**
   * Shows the exchange a bar and returns the sequence of the newest report: everything the bar caused is at or
   * below it. A bar that is not newer than the last of its symbol changes nothing. Throws JournalUnavailable.
   */
  onBar(data: MarketBar): number {
    if (this.#closed) throw new Error('a bar was shown to a closed broker')
    this.#flush()
    const bar = barFromWire(data)
    const state = this.#ready()
    if (bar.time > (state.barTimes.get(bar.symbol) ?? Number.NEGATIVE_INFINITY)) {
      const volume = Number.isNaN(bar.volume) ? null : bar.volume
      const { symbol, time, end, open, high, low, close } = bar
      const row: BarRow = [symbol, time, end, open, high, low, close, volume]
      this.#run([{ do: 'bar', bar: row }], state.exchange.resting(symbol) > 0)
    }
    return this.lastSequence()
  }

  /**
   * Applies a corporate action before the first bar of its day, and returns the sequence of the newest report. One
   * applied before changes nothing. Throws InvalidAction, JournalUnavailable.
   */
  onAction(action: Action): number {
    if (this.#closed) throw new Error('a corporate action was shown to a closed broker')
    this.#flush()
    // Refused before it is written: what is in the journal must always replay.
    this.#ready().exchange.check(action)
    const value = action.value === null ? null : format(action.value)
    this.#run([{ do: 'action', action: { ...action, value } }])
    return this.lastSequence()
  }

  /** A handler that throws is called no more, and its error ends the process. */
  reports(after: number, handler: (report: BrokerReport) => void): () => void {
    this.#flush()
    const listener: Listener = { after, handler, busy: false }
    this.#listeners.add(listener)
    this.#deliver(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Writes what waits and a snapshot. Afterwards every command is OutcomeUnknown. */
  close(): void {
    if (this.#closed) return
    this.#flush()
    this.#closed = true
    this.#listeners.clear()
    try {
      if (this.#journal.head.command > this.#snapshotAt) this.#saveSnapshot()
    } finally {
      this.#journal.close()
    }
  }

  // Commands of one turn of the event loop share a commit: the fsync is most of their cost.
  #enqueue(command: (now: number) => Command): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#closed) return reject(new OutcomeUnknown('the simulated broker is closed'))
      this.#waiting.push({ command, resolve, reject })
      this.#flushing ??= setImmediate(() => this.#flush())
    })
  }

  #flush(): void {
    if (this.#flushing !== null) clearImmediate(this.#flushing)
    this.#flushing = null
    const waiting = this.#waiting
    if (waiting.length === 0) return
    this.#waiting = []
    try {
      const { now } = this.#ready()
      this.#run(waiting.map(({ command }) => command(now)))
    } catch (cause) {
      for (const { reject } of waiting) reject(unknown(cause))
      return
    }
    for (const { resolve } of waiting) resolve()
  }

  /** Applies, writes, then hands out. When the write fails the memory is ahead of the disk, and is dropped. */
  #run(commands: readonly Command[], synced = true): void {
    const state = this.#ready()
    this.#fresh = []
    try {
      for (const command of commands) this.#apply(state, command)
      this.#journal.write(commands, this.#fresh, synced || this.#fresh.length > 0)
    } catch (error) {
      this.#state = null
      throw error
    }
    for (const listener of this.#listeners) this.#deliver(listener)
    const behind = this.#journal.head.command - this.#snapshotAt
    if (behind < SNAPSHOT_EVERY) return
    // A snapshot holds every resting order: it must not cost more than the commands it saves replaying.
    if (behind < state.exchange.standing) return
    try {
      this.#saveSnapshot()
    } catch (error) {
      // The commands are written: a full disk costs a longer replay, and the next command tries again.
      if (!(error instanceof JournalUnavailable)) throw error
    }
  }

  #apply(state: State, command: Command): void {
    const { exchange } = state
    switch (command.do) {
      case 'submit':
        exchange.submit(command.order, command.now)
        break
      case 'cancel':
        exchange.cancel(command.clientOrderId, command.now)
        break
      case 'replace':
        exchange.replace(command.clientOrderId, command.by, command.now)
        break
      case 'action': {
        const { value, ...action } = command.action
        exchange.onAction({ ...action, value: value === null ? null : parse(value) })
        break
      }
      case 'bar': {
        const [symbol, time, end, open, high, low, close, volume] = command.bar
        state.now = Math.max(state.now, end)
        state.barTimes.set(symbol, time)
        exchange.onBar({
          symbol,
          // Without a number the exchange finds the book by name.
          symbolIndex: -1,
          time,
          end,
          open,
          high,
          low,
          close,
          volume: volume ?? Number.NaN,
        })
        break
      }
      case 'settings': {
        const next = this.#exchange(state, command.settings)
        next.restore(exchange.snapshot())
        state.exchange = next
        state.settings = command.settings
      }
    }
  }

  /** An exchange whose reports are collected. */
  #exchange(state: Pick<State, 'now'>, settings: ExchangeSettings): Exchange {
    return new Exchange(settings, (report) => {
      // Engine time on a historical feed: when the broker knew it, not the bar's start that the fill carries.
      this.#fresh.push({ ...report, clock: state.now })
    })
  }

  #ready(): State {
    this.#state ??= this.#load()
    return this.#state
  }

  /** Snapshot, then the commands after it, whose reports must be the stored ones. */
  #load(): State {
    const snapshot = this.#journal.snapshot()
    const commands = this.#journal.commandsAfter(snapshot?.command ?? 0)
    const first = commands[0]
    const settings = snapshot?.settings ?? (first?.do === 'settings' ? first.settings : undefined)
    if (settings === undefined) throw new Error('the journal has no settings')
    const state: Omit<State, 'exchange'> & { exchange?: Exchange } = {
      settings,
      now: snapshot?.now ?? 0,
      barTimes: new Map(),
    }
    const exchange = this.#exchange(state, settings)
    const whole: State = Object.assign(state, { exchange })
    if (snapshot !== null) {
      exchange.restore(snapshot.exchange)
      for (const { symbol, last } of snapshot.exchange.books) {
        if (last !== null) state.barTimes.set(symbol, last.time)
      }
    }
    this.#fresh = []
    const before = exchange.sequence
    for (const command of commands) this.#apply(whole, command)
    this.#compare(before)
    this.#fresh = []
    return whole
  }

  #compare(before: number): void {
    const { path, head } = this.#journal
    const stored = this.#journal.reportsAfter(before, this.#fresh.length + 1)
    for (let i = 0; i < Math.max(stored.length, this.#fresh.length); i++) {
      if (JSON.stringify(stored[i]) !== JSON.stringify(this.#fresh[i])) {
        throw new JournalMismatch(path, before + 1 + i)
      }
    }
    if (before + this.#fresh.length !== head.sequence) throw new JournalMismatch(path, before + 1)
  }

  #saveSnapshot(): void {
    const { exchange, settings, now } = this.#ready()
    const { command } = this.#journal.head
    this.#journal.saveSnapshot({ command, now, settings, exchange: exchange.snapshot() })
    this.#snapshotAt = command
  }

  /** A handler's own commands wait for the event loop's next turn; those of `onBar` are delivered by this loop. */
  #deliver(listener: Listener): void {
    if (listener.busy) return
    listener.busy = true
    try {
      while (listener.after < this.lastSequence() && this.#listeners.has(listener)) {
        for (const report of this.#journal.reportsAfter(listener.after, PAGE)) {
          if (!this.#listeners.has(listener)) return
          listener.after = report.sequence
          listener.handler(report)
        }
      }
    } catch (error) {
      this.#listeners.delete(listener)
      // The command itself is done; only the listener failed.
      queueMicrotask(() => {
        throw error
      })
    } finally {
      listener.busy = false
    }
  }
}

/** Field by field, those that only one of them has included. */
function same(a: ExchangeSettings, b: ExchangeSettings): boolean {
  const keys = Object.keys({ ...a, ...b }) as (keyof ExchangeSettings)[]
  return keys.every((key) => JSON.stringify(a[key]) === JSON.stringify(b[key]))
}

function unknown(cause: unknown): OutcomeUnknown {
  if (cause instanceof OutcomeUnknown) return cause
  const reason = cause instanceof Error ? cause.message : String(cause)
  return new OutcomeUnknown(`the simulated broker could not answer: ${reason}`, { cause })
}
