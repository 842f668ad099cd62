import type { Span } from './step-spans.ts'

export interface SpanQueueOptions {
  /** Sends spans away; rejects when they were not taken. */
  send: (spans: readonly Span[]) => Promise<void>
  /** Told when sending begins to fail, and when it succeeds again. */
  changed?: (failing: unknown) => void
  maxSpans?: number
  batch?: number
  everyMs?: number
  retryMs?: number
}

const MAX_SPANS = 4096
const BATCH = 512
const EVERY_MS = 500
const RETRY_MS = 5000

/**
 * Spans on their way to a collector. It never holds anybody up: what does not fit is dropped, the oldest first, and
 * a collector that is dead costs its spans and nothing else.
 */
export class SpanQueue {
  /** Spans sent, and given up, since the start. */
  sent = 0
  dropped = 0
  readonly #options: SpanQueueOptions
  readonly #max: number
  #spans: Span[] = []
  #sending: readonly Span[] = []
  #timer: NodeJS.Timeout | null = null
  #running: Promise<void> | null = null
  #failing = false
  #closed = false

  constructor(options: SpanQueueOptions) {
    this.#options = options
    this.#max = options.maxSpans ?? MAX_SPANS
  }

  get length(): number {
    return this.#spans.length + this.#sending.length
  }

  put(span: Span): void {
    if (this.#closed || !span.sampled) return
    this.#spans.push(span)
    this.#shed()
    if (this.#running !== null) return
    if (this.#spans.length >= (this.#options.batch ?? BATCH) && !this.#failing) this.#run()
    else this.#arm(this.#failing ? this.#retryMs() : (this.#options.everyMs ?? EVERY_MS))
  }

  /** Lowest step position among what is still here; null for nothing. */
  oldest(): number | null {
    let oldest: number | null = null
    for (const { position } of [...this.#sending, ...this.#spans]) {
      if (oldest === null || position < oldest) oldest = position
    }
    return oldest
  }

  /** Sends what there is, for so long at most, ms, and then takes nothing more. What is left stays unsent. */
  async close(withinMs: number): Promise<void> {
    this.#closed = true
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
    const end = Date.now() + withinMs
    let late: NodeJS.Timeout | undefined
    const over = new Promise<void>((resolve) => {
      late = setTimeout(resolve, withinMs)
    })
    while (this.length > 0 && Date.now() < end) {
      if (this.#running === null && this.#failing) break
      this.#running ??= this.#send()
      await Promise.race([this.#running, over])
    }
    clearTimeout(late)
  }

  #retryMs(): number {
    return this.#options.retryMs ?? RETRY_MS
  }

  #arm(ms: number): void {
    if (this.#timer !== null) return
    this.#timer = setTimeout(() => {
      this.#timer = null
      this.#run()
    }, ms)
    this.#timer.unref()
  }

  #run(): void {
    this.#running ??= this.#send()
  }

  async #send(): Promise<void> {
    const batch = this.#spans.splice(0, this.#options.batch ?? BATCH)
    this.#sending = batch
    try {
      await this.#options.send(batch)
      this.sent += batch.length
      if (this.#failing) this.#options.changed?.(null)
      this.#failing = false
    } catch (error) {
      if (!this.#failing) this.#options.changed?.(error)
      this.#failing = true
      this.#spans.unshift(...batch)
      this.#shed()
    }
    this.#sending = []
    this.#running = null
    if (this.#spans.length === 0 || this.#closed) return
    if (this.#failing) this.#arm(this.#retryMs())
    else if (this.#spans.length >= (this.#options.batch ?? BATCH)) this.#run()
    else this.#arm(this.#options.everyMs ?? EVERY_MS)
  }

  #shed(): void {
    const over = this.#spans.length - this.#max
    if (over <= 0) return
    this.#spans.splice(0, over)
    this.dropped += over
  }
}
