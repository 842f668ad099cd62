import type { ChainSettings } from '../../schemas/types.gen.ts'
import { EVENT_VERSIONS } from '../../schemas/types.gen.ts'
import { ExchangeDriver } from '../backtest/exchange-driver.ts'
import { actionOf } from '../backtest/listed-actions.ts'
import { Chain } from '../chain/chain.ts'
import type { ChainEvent } from '../chain/processor.ts'
import { chainEvent } from '../events/chain-event.ts'
import type { RecordedEvent } from '../events/envelope.ts'
import { clientOrderId } from '../events/ids.ts'
import { isBrokerInput } from '../trading/transitions.ts'
import {
  type Counts,
  type Decided,
  type DecidedCause,
  DecisionDiff,
  decisionKey,
  type Difference,
  isCompared,
} from './decision-diff.ts'
import { DecisionDigest, decisionLine, isDecision, type RunningHash } from './decisions.ts'
import { Ledger, type Outcome } from './ledger.ts'
import { OrderWatch } from './order-watch.ts'
import { takeOver } from './take-over.ts'

/** A decision with what led to it, nearest first, back to the input. */
export interface DecisionSide {
  position: number | null
  type: string
  data: unknown
  causes: DecidedCause[]
}

export interface WhatIfResult {
  /** Position up to which the book was replayed; -1: it is empty. */
  position: number
  /** Inputs that were decided again. */
  inputs: number
  /** Some of them were recorded by other code: that may be the reason for a difference as well. */
  otherCode: boolean
  /** sha256 over all decisions of the book, as `verify` prints it, and over those made now. */
  digest: { recorded: string; now: string }
  /** Settings at the end. */
  settings: { recorded: ChainSettings | null; now: ChainSettings | null }
  /** First decision that is another one; null: none is. `recorded` or `now` is null where there is none. */
  divergence: {
    /** Of the input that it follows from. */
    position: number
    at: number
    recorded: DecisionSide | null
    now: DecisionSide | null
  } | null
  /** What the simulated exchange did after the divergence; null: all fills are recorded ones. */
  simulated: {
    /** First position whose reports are not taken from the book any more. */
    from: number
    /** Recorded reports and timers that were left out. */
    leftOut: number
    fills: number
  } | null
  decisions: Counts & { byType: Partial<Record<string, Counts>> }
  differences: Difference[]
  /** Differences that were counted and are not listed. */
  unlisted: number
  recorded: Outcome
  now: Outcome
}

export interface WhatIfOptions {
  /** What the settings of every start would have been. */
  change: (settings: ChainSettings) => ChainSettings
  codeHash: string
  runningHash: () => RunningHash
  /** Position of the first input to decide under the changed settings; what comes before only happens. */
  from?: number
  /** Position of the last input. */
  to?: number
  /** Differences to keep; all are counted. */
  keep?: number
}

const KEEP = 1000

/**
 * Decides a book again under other settings. Feed it the whole book in order.
 *
 * One chain follows the book as it is. The other has the changed settings; up to `from` it is shown what is recorded,
 * so that features are warm and the account is what it was. From there it decides for itself: bars, operators' signals and
 * controls are recorded ones, and so are the broker's reports and timers as long as it decides what the book did.
 * From the first other decision on, the simulated exchange fills its orders, with the exchange settings of the book,
 * and timers are its own.
 */
export class WhatIf {
  private readonly options: WhatIfOptions
  private readonly from: number
  private readonly to: number
  private readonly past = new Chain()
  private readonly chain = new Chain()
  private readonly pastLedger = new Ledger()
  private readonly ledger = new Ledger()
  private readonly pastDigest: DecisionDigest
  private readonly digest: DecisionDigest
  private readonly watch = new OrderWatch()
  private readonly diff: DecisionDiff
  private step: RecordedEvent[] = []
  private driver: ExchangeDriver | null = null
  private divergence: WhatIfResult['divergence'] = null
  private simulated: NonNullable<WhatIfResult['simulated']> | null = null
  /** Decisions since the last input that both sides share. */
  private recorded: Decided[] = []
  private decided: Decided[] = []
  private inputs = 0
  private otherCode = false
  private ownCode = true
  private at = 0
  private position = -1

  constructor(options: WhatIfOptions) {
    this.options = options
    this.from = options.from ?? 0
    this.to = options.to ?? Number.POSITIVE_INFINITY
    this.pastDigest = new DecisionDigest(options.runningHash())
    this.digest = new DecisionDigest(options.runningHash())
    this.diff = new DecisionDiff(options.keep ?? KEEP)
  }

  /** Throws what `change` throws, and ExchangeSettingsError. */
  feed(event: RecordedEvent): void {
    const [first] = this.step
    if (first !== undefined && event.step !== first.step) this.closeStep()
    this.step.push(event)
  }

  finish(): WhatIfResult {
    if (this.step.length > 0) this.closeStep()
    this.compare()
    const { counts, byType, kept, dropped } = this.diff
    return {
      position: this.position,
      inputs: this.inputs,
      otherCode: this.otherCode,
      digest: { recorded: this.pastDigest.finish(), now: this.digest.finish() },
      settings: {
        recorded: this.past.table.settings.settings,
        now: this.chain.table.settings.settings,
      },
      divergence: this.divergence,
      simulated: this.simulated,
      decisions: { ...counts, byType },
      differences: kept,
      unlisted: dropped,
      recorded: this.pastLedger.finish(this.past.table),
      now: this.ledger.finish(this.chain.table),
    }
  }

  private closeStep(): void {
    const { step } = this
    this.step = []
    const input = step[0]!
    if (input.position > this.to) return
    this.position = step[step.length - 1]!.position
    if (input.type === 'engine.started') {
      this.ownCode = (input.data as { codeHash: string }).codeHash === this.options.codeHash
    }
    for (const recorded of step) {
      const event = chainEvent(recorded)
      this.pastLedger.run(event, this.past.table, () => this.past.fold(event))
      if (isDecision(event.type)) this.pastDigest.add(lineOf(event, recorded.version))
    }
    if (input.position < this.from) {
      for (const recorded of step) this.follow(recorded)
      return
    }
    this.inputs++
    if (!this.ownCode) this.otherCode = true
    for (const one of step) if (one.because !== null && isCompared(one.type)) this.note(one, step)
    if (this.driver !== null) this.simulate(input)
    else this.repeat(input)
  }

  /** Lets a recorded event happen without deciding anything. */
  private follow(recorded: RecordedEvent): void {
    const event = this.read(recorded)
    this.at = event.at
    this.ledger.run(event, this.chain.table, () => this.chain.fold(event))
    this.watch.see(event, this.chain.table)
    if (isDecision(event.type)) this.digest.add(lineOf(event, recorded.version))
  }

  /** Decides a recorded input, a report of the broker included; a decision that is another one ends that. */
  private repeat(input: RecordedEvent): void {
    this.at = input.at
    this.decide(this.read(input), input)
    const other = firstOther(this.recorded, this.decided)
    if (other === null) {
      this.compare()
      return
    }
    const [was, is] = other
    this.divergence = {
      position: input.position,
      at: input.at,
      recorded: side(was),
      now: side(is),
    }
    this.compare()
    this.diverge(input)
  }

  /** Puts the simulated exchange in the broker's place. */
  private diverge(input: RecordedEvent): void {
    const { table } = this.chain
    const { bookId, settings } = table.settings
    this.simulated = { from: input.position + 1, leftOut: 0, fills: 0 }
    if (settings === null) return
    const driver = new ExchangeDriver(settings.exchange, bookId, {
      table,
      step: (event) => this.decide(event, null),
      hear: (_, event) => {
        if (event.type === 'order.filled') this.simulated!.fills++
        this.decide(event, null)
      },
    })
    const { exchange, asks, orphans } = takeOver(table, this.watch, this.at)
    driver.exchange.restore(exchange)
    for (const ask of asks) driver.take(ask)
    this.driver = driver
    for (const { orderId } of orphans) {
      const data = {
        orderId,
        clientOrderId: clientOrderId(bookId, orderId),
        code: 'original_ended',
        reason: 'the order that it was to replace is over',
      }
      this.decide({ type: 'order.withheld', at: this.at, data }, null)
    }
    driver.settle(this.at)
  }

  /** Drives chain and exchange with a recorded input, as a backtest does. */
  private simulate(input: RecordedEvent): void {
    const driver = this.driver!
    if (isBrokerInput(input.type) || input.type === 'timer.fired') {
      this.simulated!.leftOut++
      return
    }
    const event = this.read(input)
    if (event.type === 'market.action') {
      // What it does to orders comes first, in the time that the engine has reached.
      driver.exchange.onAction(actionOf(event.data))
      driver.settle(this.at)
    }
    this.at = Math.max(this.at, input.at)
    driver.fireTimers(this.at)
    if (event.type === 'market.bar') {
      driver.exchange.onBar(event.data)
      driver.settle(this.at)
    }
    this.decide(event, input)
    this.compare()
    driver.settle(this.at)
  }

  /** Runs an input through the chain and keeps what it decides. */
  private decide(input: ChainEvent, recorded: RecordedEvent | null): void {
    const { table } = this.chain
    const step: { event: ChainEvent; because: number | null }[] = [{ event: input, because: null }]
    this.ledger.run(input, table, () => {
      this.chain.step(input, (event, index, because) => {
        step.push({ event, because })
        this.ledger.count(event)
        this.driver?.take(event)
        if (isDecision(event.type)) this.digest.add(lineOf(event, EVENT_VERSIONS[event.type]))
        if (!isCompared(event.type)) return
        const causes = () => causesOf(step, index, recorded)
        this.decided.push({
          type: event.type,
          at: event.at,
          data: event.data,
          position: null,
          causes,
        })
      })
    })
    if (this.driver !== null) return
    this.watch.see(input, table)
    for (const { event, because } of step) if (because !== null) this.watch.see(event, table)
  }

  private note(recorded: RecordedEvent, step: readonly RecordedEvent[]): void {
    const { type, at, data, position } = recorded
    this.recorded.push({ type, at, data, position, causes: () => recordedCauses(recorded, step) })
  }

  private compare(): void {
    this.diff.compare(this.recorded, this.decided, this.driver !== null)
    this.recorded = []
    this.decided = []
  }

  /** A recorded event as the chain with the changed settings takes it. */
  private read(recorded: RecordedEvent): ChainEvent {
    const event = chainEvent(recorded)
    if (event.type !== 'engine.started') return event
    const settings = this.options.change(event.data.settings)
    return { ...event, data: { ...event.data, settings } }
  }
}

function lineOf({ type, at, data }: ChainEvent, version: number): string {
  return decisionLine(type, version, at, data)
}

/** The first place at which two lists of decisions differ; null: they do not. */
function firstOther(
  recorded: readonly Decided[],
  now: readonly Decided[],
): [Decided | null, Decided | null] | null {
  for (let i = 0; i < Math.max(recorded.length, now.length); i++) {
    const was = recorded[i] ?? null
    const is = now[i] ?? null
    if (was === null || is === null || decisionKey(was) !== decisionKey(is)) return [was, is]
  }
  return null
}

function side(decided: Decided | null): DecisionSide | null {
  if (decided === null) return null
  const { position, type, data, causes } = decided
  return { position, type, data, causes: causes() }
}

/** `recorded`: the input of the step, where it is one of the book. */
function causesOf(
  step: readonly { event: ChainEvent; because: number | null }[],
  index: number,
  recorded: RecordedEvent | null,
): DecidedCause[] {
  const causes: DecidedCause[] = []
  for (let at = step[index]!.because; at !== null; at = step[at]!.because) {
    const { type, at: time, data } = step[at]!.event
    const bar = at === 0 && type === 'market.bar' ? recorded : null
    causes.push({
      position: at === 0 && recorded !== null ? recorded.position : null,
      type,
      at: time,
      // Inside the chain a bar is numbers.
      data: bar === null ? data : bar.data,
    })
  }
  return causes
}

function recordedCauses(event: RecordedEvent, step: readonly RecordedEvent[]): DecidedCause[] {
  const causes: DecidedCause[] = []
  let next: RecordedEvent | undefined = event
  while (next !== undefined && next.because !== null && causes.length < step.length) {
    const { because }: RecordedEvent = next
    next = step.find((candidate) => candidate.position === because)
    if (next === undefined) break
    const { position, type, at, data } = next
    causes.push({ position, type, at, data })
  }
  return causes
}
