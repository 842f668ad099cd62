import type { Bus } from '../../engine/ports/bus.ts'

/** A report on its way to the stream of reports. */
export interface OutboxItem {
  /** Message id; the same report always has the same. */
  id: string
  headers: Readonly<Record<string, string>>
  payload: string
  /** Called once, when the server has stored it. */
  stored?: () => void
}

export interface OutboxOptions {
  bus: Bus
  subject: string
  /** Waits before the n-th attempt (from 1) to publish again; resolves at once when closed. */
  pause: (attempt: number) => Promise<void>
  /** Told of every attempt that failed. */
  failed: (error: unknown, attempt: number, waiting: number) => void
}

/** Reports on their way at once. */
const BATCH = 64
/** JetStream refuses a message with this header unless the stream's newest one has that id. */
const EXPECTED_LAST_ID = 'Nats-Expected-Last-Msg-Id'

/**
 * Publishes reports in order and loses none. The reader takes the highest sequence it has recorded for the mark
 * behind which nothing is missing, so no report may be stored before its predecessor, also when that one was lost
 * on the wire. Therefore each message of a batch but the first names its predecessor, and the server refuses
 * it when that is not the stream's newest. A batch ends when all its answers are in; after a failure the oldest
 * unconfirmed report goes alone, which also makes way where somebody else writes to the stream in between.
 */
export class ReportOutbox {
  readonly #options: OutboxOptions
  #items: OutboxItem[] = []
  #running: Promise<void> | null = null
  #closed = false

  constructor(options: OutboxOptions) {
    this.#options = options
  }

  put(item: OutboxItem): void {
    if (this.#closed) return
    this.#items.push(item)
    // Begins in a microtask, so that reports of one moment share a batch.
    this.#running ??= Promise.resolve().then(() => this.#run())
  }

  /** Sends nothing more; resolves when what is on its way was answered. The rest is the next start's. */
  async close(): Promise<void> {
    this.#closed = true
    await this.#running
  }

  async #run(): Promise<void> {
    let attempt = 0
    while (this.#items.length > 0 && !this.#closed) {
      const batch = this.#items.slice(0, attempt > 0 ? 1 : BATCH)
      const answers = await Promise.allSettled(
        batch.map((item, i) => this.#publish(item, batch[i - 1])),
      )
      const failed = answers.findIndex(({ status }) => status === 'rejected')
      const confirmed = failed < 0 ? batch.length : failed
      this.#items = this.#items.slice(confirmed)
      for (const item of batch.slice(0, confirmed)) item.stored?.()
      if (confirmed > 0) attempt = 0
      if (failed < 0) continue
      attempt++
      this.#options.failed(
        (answers[failed] as PromiseRejectedResult).reason,
        attempt,
        this.#items.length,
      )
      await this.#options.pause(attempt)
    }
    this.#running = null
  }

  async #publish(item: OutboxItem, before: OutboxItem | undefined): Promise<void> {
    const { id, payload } = item
    const headers =
      before === undefined ? item.headers : { ...item.headers, [EXPECTED_LAST_ID]: before.id }
    await this.#options.bus.publish(this.#options.subject, payload, { id, headers })
  }
}
