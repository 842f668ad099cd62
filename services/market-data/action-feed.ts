import {
  ACTIONS_AFTER_MS,
  actionWire,
  type ListedAction,
} from '../../engine/backtest/listed-actions.ts'
import type { MarketAction } from '../../schemas/types.gen.ts'

/** Corporate actions of a file, handed out as the bars reach their dates. */
export class ActionFeed {
  readonly #actions: readonly ListedAction[]
  readonly #feed: string
  #next = 0

  constructor(actions: readonly ListedAction[], feed: string) {
    this.#actions = [...actions].sort((a, b) => a.time - b.time)
    this.#feed = feed
  }

  /** Goes on behind a bar that the book holds, of this start in ms: what was due at it is in the book too. */
  goOnAfter(time: number): void {
    const next = this.#actions.findIndex((action) => action.time > time)
    this.#next = next < 0 ? this.#actions.length : next
  }

  /** The next action that takes effect at or before the bar of this start, ms; null when there is none. */
  peek(time: number): MarketAction | null {
    const action = this.#actions[this.#next]
    return action === undefined || action.time > time ? null : actionWire(action, this.#feed)
  }

  /** The one last peeked at is done. */
  done(): void {
    this.#next++
  }

  /** Start of a bar up to which actions still belong to data that end with the bar ending at `end`, ms. */
  static lastMoment(end: number): number {
    return end + ACTIONS_AFTER_MS
  }
}

/** Subject and message id of an action. */
export function actionMessage(action: MarketAction): { subject: string; id: string } {
  const { feed, symbol, kind, exDate } = action
  return {
    subject: `md.action.${symbol.replace(/[^A-Za-z0-9_-]/g, '_')}`,
    id: `${feed}|action|${symbol}|${kind}|${exDate}`,
  }
}
