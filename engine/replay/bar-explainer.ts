import { Chain } from '../chain/chain.ts'
import { chainEvent } from '../events/chain-event.ts'
import type { RecordedEvent } from '../events/envelope.ts'
import { type StrategyConditions, strategyConditions } from '../strategies/strategies.ts'

/** What the strategies saw at one bar. */
export interface BarExplanation {
  strategies: StrategyConditions[]
  /** The bar was late or a correction: it is in the book, and no strategy looked at it. */
  late: boolean
}

/**
 * Folds a book up to a bar, and tells what every strategy looked at there: also where none of them did anything.
 * Feed it every event from the first.
 */
export class BarExplainer {
  readonly #chain = new Chain()
  readonly #wanted: number

  /** `position` of the bar. */
  constructor(position: number) {
    this.#wanted = position
  }

  /** Null until the bar has come. Throws RangeError when another event stands at its position. */
  take(event: RecordedEvent): BarExplanation | null {
    const input = chainEvent(event)
    this.#chain.fold(input)
    if (event.position < this.#wanted) return null
    if (event.position > this.#wanted || input.type !== 'market.bar') {
      throw new RangeError(
        `event ${event.position} is ${event.type}, not the bar that is asked for`,
      )
    }
    const { table } = this.#chain
    return {
      late: !table.market.fresh,
      strategies: strategyConditions(table, input.data, event.at),
    }
  }
}
