import type { EventStore } from '../../engine/ports/event-store.ts'

/** How long an append may be under way before something is wrong with the book, ms; the store itself waits longer. */
const PATIENCE_MS = 2000

/** Watches the appends of the one who writes, which come one at a time. */
export class AppendWatch {
  readonly #now: () => number
  #since: number | null = null

  /** `now` in ms, of a clock that nobody sets. */
  constructor(now: () => number) {
    this.#now = now
  }

  /** The store, for the writer. */
  watched(store: EventStore): EventStore {
    return {
      append: async (...call: Parameters<EventStore['append']>) => {
        this.#since = this.#now()
        try {
          return await store.append(...call)
        } finally {
          this.#since = null
        }
      },
      read: (...call: Parameters<EventStore['read']>) => store.read(...call),
      head: (stream: string) => store.head(stream),
      subscribe: (...call: Parameters<EventStore['subscribe']>) => store.subscribe(...call),
      close: () => store.close(),
    }
  }

  /** What is wrong, in words; null while all is well. */
  trouble(): string | null {
    const ms = this.#since === null ? 0 : this.#now() - this.#since
    return ms < PATIENCE_MS ? null : `an append has waited ${Math.floor(ms / 1000)} s for the book`
  }
}
