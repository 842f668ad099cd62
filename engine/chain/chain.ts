import { Observable, type OperatorFunction, Subscriber } from 'rxjs'
import type { EventType } from '../../schemas/types.gen.ts'
import { featuresProcessor } from '../features/feature-set.ts'
import { marketProcessor } from '../market/market.ts'
import { portfolioProcessor } from '../portfolio/portfolio.ts'
import { riskProcessor } from '../risk/risk.ts'
import { strategiesProcessor } from '../strategies/strategies.ts'
import { ordersProcessor } from '../trading/orders.ts'
import type { ChainData, ChainEvent, Emit, Processor } from './processor.ts'
import { settingsProcessor } from './settings.ts'
import type { StateTable } from './state-table.ts'
import { timersProcessor } from './timers.ts'

/**
 * Every event passes them in this order. Portfolio and orders take in what happened before risk judges by it.
 */
const PROCESSORS: readonly Processor<never>[] = [
  settingsProcessor,
  timersProcessor,
  marketProcessor,
  portfolioProcessor,
  featuresProcessor,
  strategiesProcessor,
  ordersProcessor,
  riskProcessor,
] as never

/**
 * Receives the consequences of an input in the order in which they happened. `index` counts within the
 * step, the input is 0; `because` is the index of the event that caused this one.
 */
export type OnConsequence = (event: ChainEvent, index: number, because: number) => void

/**
 * The processors wired together: the one walk that the live engine, the backtest and the verification share.
 *
 * Each processor is wrapped whole as one RxJS operator; a stream per type of event pipes the processors that
 * handle it, synchronously. What they emit waits until the event has passed all of them (otherwise later
 * processors would see the consequence before its cause) and then goes the same way, each consequence with
 * its own consequences before its next sibling.
 */
export class Chain {
  readonly table: StateTable
  private readonly routes = new Map<EventType, Subscriber<ChainEvent>>()
  /** Consequences that wait, next one last, each with the index of its cause. */
  private readonly pending: ChainEvent[] = []
  private readonly causes: number[] = []
  private readonly emitted: ChainEvent[] = []
  private at = 0
  private failure: { error: unknown } | null = null

  constructor() {
    const table = {} as Record<string, unknown>
    for (const processor of PROCESSORS) table[processor.name] = processor.initial()
    this.table = table as unknown as StateTable
    const types = new Set(PROCESSORS.flatMap((processor) => processor.handles))
    for (const type of types) {
      let stream = new Observable<ChainEvent>((subscriber) => {
        this.routes.set(type, subscriber)
      })
      for (const processor of PROCESSORS) {
        if (processor.handles.includes(type)) stream = stream.pipe(this.through(processor))
      }
      stream.subscribe()
    }
  }

  /** Runs one input and all that follows from it. Throws what a processor threw; the chain is then unusable. */
  step(input: ChainEvent, onConsequence: OnConsequence): void {
    this.dispatch(input)
    if (this.emitted.length === 0) return
    let index = 0
    this.queue(0)
    for (let next = this.pending.pop(); next !== undefined; next = this.pending.pop()) {
      index++
      try {
        onConsequence(next, index, this.causes.pop()!)
      } catch (error) {
        // Half a step must not be followed by another.
        this.failure = { error }
        throw error
      }
      this.dispatch(next)
      if (this.emitted.length > 0) this.queue(index)
    }
  }

  /**
   * Lets one recorded event change the state. What the processors emit is returned, not followed: its
   * consequences are recorded too and come next. The array is used again at the next call.
   */
  fold(event: ChainEvent): readonly ChainEvent[] {
    this.emitted.length = 0
    this.dispatch(event)
    return this.emitted
  }

  private queue(because: number): void {
    for (let i = this.emitted.length - 1; i >= 0; i--) {
      this.pending.push(this.emitted[i]!)
      this.causes.push(because)
    }
    this.emitted.length = 0
  }

  private dispatch(event: ChainEvent): void {
    this.refuseAfterFailure()
    this.at = event.at
    this.routes.get(event.type)?.next(event)
    this.refuseAfterFailure()
  }

  private refuseAfterFailure(): void {
    if (this.failure !== null) throw this.failure.error
  }

  private readonly emit: Emit = (type, data: ChainData[EventType]) => {
    this.emitted.push({ type, at: this.at, data } as ChainEvent)
  }

  private through<State>(processor: Processor<State>): OperatorFunction<ChainEvent, ChainEvent> {
    const fail = (error: unknown): void => {
      this.failure ??= { error }
    }
    return (source) =>
      new Observable((subscriber) =>
        source.subscribe(new Stage(subscriber, processor, this.table, this.emit, fail)),
      )
  }
}

/**
 * A whole processor as one operator, in the form that RxJS gives its own: a subscriber before a subscriber, one
 * call a hop. RxJS would report an error later and elsewhere, so it is kept for the host, and the event goes no further.
 */
class Stage<State> extends Subscriber<ChainEvent> {
  private readonly processor: Processor<State>
  private readonly states: StateTable
  private readonly emit: Emit
  private readonly fail: (error: unknown) => void
  private state: State

  constructor(
    next: Subscriber<ChainEvent>,
    processor: Processor<State>,
    states: StateTable,
    emit: Emit,
    fail: (error: unknown) => void,
  ) {
    super(next)
    this.processor = processor
    this.states = states
    this.emit = emit
    this.fail = fail
    this.state = states[processor.name] as State
  }

  protected override _next(event: ChainEvent): void {
    try {
      const next = this.processor.handle(this.state, event, this.emit, this.states)
      if (next !== this.state) {
        this.state = next
        ;(this.states as unknown as Record<string, State>)[this.processor.name] = next
      }
    } catch (error) {
      this.fail(error)
      return
    }
    this.destination.next(event)
  }
}
