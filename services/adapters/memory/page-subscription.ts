import type { StoredEvent, Subscription } from '../../../engine/ports/event-store.ts'

export interface PageSource {
  /** The next events from a position, in order; an empty page means the head was reached. */
  readPage(from: number): Promise<readonly StoredEvent[]>
  /** Called once, when the subscription has ended for whatever reason. */
  ended(subscription: PageSubscription): void
}

/**
 * Walks a stream page by page, then waits for `notify`. One loop reads and calls the handler, so calls
 * can neither overlap nor repeat; whoever appends only wakes it. A failure nobody looks at (`done` without
 * a listener) ends the process as an unhandled rejection, on purpose: a reader that stops in silence is worse.
 */
export class PageSubscription implements Subscription {
  readonly done: Promise<void>
  #source: PageSource
  #handler: (events: readonly StoredEvent[]) => void | Promise<void>
  #next: number
  #closing = false
  #appended = false
  #wake: (() => void) | null = null

  constructor(
    source: PageSource,
    from: number,
    handler: (events: readonly StoredEvent[]) => void | Promise<void>,
  ) {
    this.#source = source
    this.#handler = handler
    this.#next = Math.max(0, from)
    this.done = this.#run()
  }

  /** Something may have been appended. */
  notify(): void {
    this.#appended = true
    this.#wake?.()
  }

  close(): Promise<void> {
    this.#closing = true
    this.#wake?.()
    return this.done.catch(() => undefined)
  }

  async #run(): Promise<void> {
    try {
      // The caller gets its Subscription before the handler is called for the first time.
      await Promise.resolve()
      while (!this.#closing) {
        this.#appended = false
        const page = await this.#source.readPage(this.#next)
        const last = page.at(-1)
        if (this.#closing) break
        if (last === undefined) {
          await this.#idle()
          continue
        }
        this.#next = last.position + 1
        await this.#handler(page)
        // A long past must not keep timers and sockets waiting.
        await new Promise((resolve) => setImmediate(resolve))
      }
    } finally {
      this.#closing = true
      this.#source.ended(this)
    }
  }

  async #idle(): Promise<void> {
    if (this.#appended || this.#closing) return
    await new Promise<void>((resolve) => {
      this.#wake = resolve
    })
    this.#wake = null
  }
}
