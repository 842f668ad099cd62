import { Observable, type OperatorFunction, Subject } from 'rxjs'
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

/** Every event passes them in this order. The portfolio marks a bar before risk looks at its equity. */
const PROCESSORS: readonly Processor<never>[] = [
  settingsProcessor,
  timersProcessor,
  marketProcessor,
  portfolioProcessor,
  featuresProcessor,
  strategiesProcessor,
  riskProcessor,
  ordersProcessor,
] as never

/**
 * Receives the consequences of an input in the order in which they happened. `index` counts within the
 * step, the input is 0; `because` is the index of the event that caused this one.
 */
export type OnConsequence = (event: ChainEvent, index: number, because: number) => void

/**
 * The processors wired together: the one walk that the live engine, the backtest and the verification share.
 *
 * An event goes through a Subject to every processor that handles its type, each wrapped as one RxJS
 * operator, synchronously. What they emit waits until the event has passed all of them (a re-entrant
 * Subject would show later processors the consequence before its cause) and then goes the same way, each
 * consequence with its own consequences before its next sibling.
 */
export class Chain {
  readonly table: StateTable
  private readonly routes = new Map<EventType, Subject<ChainEvent>>()
  private readonly entry = new Subject<ChainEvent>()
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
      const route = new Subject<ChainEvent>()
      let stream: Observable<ChainEvent> = route
      for (const processor of PROCESSORS) {
        if (processor.handles.includes(type)) stream = stream.pipe(this.through(processor))
      }
      stream.subscribe()
      this.routes.set(type, route)
    }
    this.entry.subscribe((event) => this.routes.get(event.type)?.next(event))
  }

  /** Runs one input and all that follows from it. Throws what a processor threw; the chain is then unusable. */
  step(input: ChainEvent, onConsequence: OnConsequence): void {
    this.dispatch(input)
    if (this.emitted.length === 0) return
    let index = 0
    this.queue(0)
    for (let next = this.pending.pop(); next !== undefined; next = this.pending.pop()) {
      index++
      onConsequence(next, index, this.causes.pop()!)
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
    this.at = event.at
    this.entry.next(event)
    if (this.failure !== null) throw this.failure.error
  }

  private readonly emit: Emit = (type, data: ChainData[EventType]) => {
    this.emitted.push({ type, at: this.at, data } as ChainEvent)
  }

  /** A whole processor as one operator. RxJS reports an observer's error later and elsewhere, so it is kept here. */
  private through<State>(processor: Processor<State>): OperatorFunction<ChainEvent, ChainEvent> {
    const table = this.table as unknown as Record<string, State>
    const { name } = processor
    const { emit } = this
    let state = table[name] as State
    return (source) =>
      new Observable((subscriber) =>
        source.subscribe((event) => {
          if (this.failure !== null) return
          try {
            const next = processor.handle(state, event, emit, this.table)
            if (next !== state) {
              state = next
              table[name] = next
            }
          } catch (error) {
            this.failure = { error }
            return
          }
          subscriber.next(event)
        }),
      )
  }
}
