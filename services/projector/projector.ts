import { decodeBody, type RecordedEvent } from '../../engine/events/envelope.ts'
import type { EventStore, StoredEvent } from '../../engine/ports/event-store.ts'
import { isProjected, ReadModel } from '../../projections/read-model.ts'

export interface ProjectorOptions {
  store: EventStore
  /** Stream of the book in the store. */
  stream: string
  /** What somebody has folded of this book already, to be gone on with; it is the projector's from then on. */
  model?: ReadModel
}

export interface Projector {
  /** Last event folded, −1 before the first. */
  position(): number
  /** What the book says up to that position. It changes only between turns of the event loop. */
  readonly model: ReadModel
  /** Why it stopped following the book; null while it follows, and after close. */
  failure(): Error | null
  /**
   * Resolves to true once `position` is folded; to false when `timeoutMs` have passed, or it will never be,
   * because the projector failed or was closed.
   */
  waitFor(position: number, timeoutMs: number): Promise<boolean>
  close(): Promise<void>
  /** Resolves when closed; rejects when the store failed or the book cannot be read (AlteredEvent, EventTooNew). */
  readonly done: Promise<void>
}

interface Waiter {
  position: number
  settle(reached: boolean): void
}

/** The read model, folded by whoever else reads the book at start. */
export class PassingModel {
  #model: ReadModel | null = new ReadModel()

  /** Takes the next event of the book. */
  take(event: RecordedEvent): void {
    try {
      this.#model?.apply(event)
    } catch {
      // A model that cannot follow is no reason not to trade: the projector meets the same event, and tells it.
      this.#model = null
    }
  }

  /** The model as far as it came; a new one when it could not follow. */
  result(): ReadModel {
    return this.#model ?? new ReadModel()
  }
}

/** Folds a book into the read model, from its first event or where the given model ends, and goes on as it grows. */
export function startProjector(options: ProjectorOptions): Projector {
  const { store, stream, model = new ReadModel() } = options
  const waiters = new Set<Waiter>()
  let failure: Error | null = null
  let over = false

  const settle = (): void => {
    for (const waiter of waiters) {
      if (waiter.position <= model.position) waiter.settle(true)
      else if (over) waiter.settle(false)
    }
  }
  const subscription = store.subscribe(stream, model.position + 1, (events) => {
    for (const event of events) fold(model, event)
    settle()
  })
  const end = (): void => {
    over = true
    settle()
  }
  const done = subscription.done.then(end, (error: unknown) => {
    failure = error instanceof Error ? error : new Error(String(error))
    end()
    throw failure
  })
  // Whoever looks at `done` still sees it; whoever looks at `failure` only must not lose the process.
  done.catch(() => undefined)

  return {
    model,
    done,
    position: () => model.position,
    failure: () => failure,
    waitFor(position, timeoutMs) {
      if (position <= model.position) return Promise.resolve(true)
      if (over) return Promise.resolve(false)
      return new Promise((resolve) => {
        const waiter: Waiter = {
          position,
          settle(reached) {
            clearTimeout(timer)
            waiters.delete(waiter)
            resolve(reached)
          },
        }
        const timer = setTimeout(() => waiter.settle(false), timeoutMs)
        waiters.add(waiter)
      })
    },
    async close() {
      await subscription.close()
      end()
    },
  }
}

function fold(model: ReadModel, event: StoredEvent): void {
  if (isProjected(event.type)) model.apply(decodeBody(event))
  else model.skip(event.position)
}
