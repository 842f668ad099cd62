import type { StreamSubscription } from '@eventstore/db-client'
import type { StoredEvent, Subscription } from '../../../engine/ports/event-store.ts'
import {
  AttemptTimedOut,
  EventStoreForeignEvent,
  EventStoreRegressed,
  isPassing,
  lastingError,
} from './esdb-errors.ts'
import { fromWire } from './esdb-event.ts'
import { checkRun, type EsdbLink } from './esdb-link.ts'
import type { EsdbTimes } from './esdb-store.ts'

const PAGE = 1000
const PAGE_CHARACTERS = 1024 * 1024
/** What may wait for a slow handler before the server is made to wait. */
const BUFFER = 4000
const BUFFER_CHARACTERS = 8 * PAGE_CHARACTERS
const FIRST_PAUSE_MS = 50
const LAST_PAUSE_MS = 5000
const FIRST_LOOK_MS = 200

export interface SubscriptionHost {
  /** Owned by the subscription, which closes it. */
  link: EsdbLink
  times: EsdbTimes
  dropped(reason: unknown): void
  seen(position: number): void
  ended(subscription: EsdbSubscription): void
}

/**
 * Follows a stream over any number of connections. One loop receives into a buffer, one hands the buffer on as
 * pages, so calls of the handler neither overlap nor repeat. The client does not reconnect a subscription, and a
 * dead line may stay open in silence: an idle subscription compares itself with the stream's head.
 * A failure nobody looks at (`done` without a listener) ends the process as an unhandled rejection, on purpose.
 */
export class EsdbSubscription implements Subscription {
  readonly done: Promise<void>
  #stream: string
  #handler: (events: readonly StoredEvent[]) => void | Promise<void>
  #host: SubscriptionHost
  #from: number
  /** Last event given to the handler; after a drop everything behind it is asked for again. */
  #handed: StoredEvent | null = null
  #arrived: number
  #buffer: StoredEvent[] = []
  #characters = 0
  #live: StreamSubscription | null = null
  #closing = false
  #failure: { error: unknown } | null = null
  #wakeDelivery: (() => void) | null = null
  #wakeReceipt: (() => void) | null = null

  constructor(
    stream: string,
    from: number,
    handler: (events: readonly StoredEvent[]) => void | Promise<void>,
    host: SubscriptionHost,
  ) {
    this.#stream = stream
    this.#from = Math.max(0, from)
    this.#arrived = this.#from - 1
    this.#handler = handler
    this.#host = host
    this.done = this.#run()
  }

  close(): Promise<void> {
    this.#stop()
    return this.done.catch(() => undefined)
  }

  async #run(): Promise<void> {
    // The caller gets its Subscription before the handler is called for the first time.
    await Promise.resolve()
    const receiving = this.#receive()
    try {
      await this.#deliver()
    } finally {
      this.#stop()
      await receiving
      await this.#host.link.close()
      this.#host.ended(this)
    }
  }

  #stop(): void {
    this.#closing = true
    this.#live?.destroy()
    this.#wakeDelivery?.()
    this.#wakeReceipt?.()
  }

  async #deliver(): Promise<void> {
    while (!this.#closing) {
      if (this.#failure !== null) throw this.#failure.error
      const page = this.#takePage()
      const last = page.at(-1)
      if (last === undefined) {
        await new Promise<void>((resolve) => {
          this.#wakeDelivery = resolve
        })
        continue
      }
      this.#handed = last
      this.#wakeReceipt?.()
      await this.#handler(page)
      // A long past must not keep timers and sockets waiting.
      await new Promise((resolve) => setImmediate(resolve))
    }
  }

  #takePage(): StoredEvent[] {
    let count = 0
    let characters = 0
    for (const { body } of this.#buffer) {
      if (count === PAGE || (count > 0 && characters + body.length > PAGE_CHARACTERS)) break
      count += 1
      characters += body.length
    }
    this.#characters -= characters
    return this.#buffer.splice(0, count)
  }

  /** Connects, receives until the connection ends, and again, until closed or failed for good. */
  async #receive(): Promise<void> {
    let pause = FIRST_PAUSE_MS
    while (!this.#closing) {
      const began = performance.now()
      const before = this.#arrived
      let reason: unknown
      try {
        await this.#follow()
        reason = new Error('the server ended the subscription')
      } catch (error) {
        if (!isPassing(error)) {
          const what = `a subscription to ${this.#stream}`
          this.#failure = { error: lastingError(error, this.#host.link.url, this.#stream, what) }
          this.#wakeDelivery?.()
          return
        }
        reason = error
      }
      if (this.#closing) return
      this.#buffer = []
      this.#characters = 0
      this.#host.dropped(reason)
      await this.#rest(pause)
      const held = performance.now() - began > 2 * LAST_PAUSE_MS
      pause = held || this.#arrived > before ? FIRST_PAUSE_MS : Math.min(LAST_PAUSE_MS, pause * 2)
      this.#host.link.renew()
    }
  }

  async #follow(): Promise<void> {
    const { link, times } = this.#host
    // After a drop the last event handed on is asked for again: it tells whether this is still the same stream.
    const known = this.#handed
    let next = known === null ? this.#from : known.position
    this.#arrived = known === null ? next - 1 : known.position
    const live = link.subscribe(this.#stream, next - 1)
    this.#live = live
    const confirmation = setTimeout(
      () => live.destroy(new AttemptTimedOut(times.attemptMs)),
      times.attemptMs,
    )
    live.once('confirmation', () => clearTimeout(confirmation))
    const heartbeat = this.#watch(live)
    try {
      if (this.#closing) return
      for await (const { event: record } of live) {
        clearTimeout(confirmation)
        if (record === undefined) continue
        const event = fromWire(link.url, record)
        checkRun(link.url, this.#stream, next, [event])
        next += 1
        if (known?.position === event.position) this.#compare(known, event)
        else await this.#accept(event)
        if (this.#closing) return
      }
    } finally {
      clearTimeout(confirmation)
      heartbeat.stop()
      this.#live = null
      live.unsubscribe().catch(() => undefined)
      live.destroy()
    }
  }

  async #accept(event: StoredEvent): Promise<void> {
    this.#buffer.push(event)
    this.#characters += event.body.length
    this.#arrived = event.position
    this.#host.seen(event.position)
    this.#wakeDelivery?.()
    while (
      !this.#closing &&
      (this.#buffer.length >= BUFFER || this.#characters >= BUFFER_CHARACTERS)
    ) {
      await new Promise<void>((resolve) => {
        this.#wakeReceipt = resolve
      })
    }
  }

  #compare(known: StoredEvent, event: StoredEvent): void {
    if (event.id === known.id && event.body === known.body) return
    const what = `it holds event ${event.id} where ${known.id} was read before`
    throw new EventStoreForeignEvent(this.#host.link.url, this.#stream, event.position, what)
  }

  /** Looks after an idle connection: fails it when nothing more comes though there is more, or less than before. */
  #watch(live: StreamSubscription): { stop(): void } {
    const { link, times } = this.#host
    let stopped = false
    let stuckAt: number | null = null
    const look = async () => {
      const arrived = this.#arrived
      // A handler at work, or events still in the buffer: the line is not idle.
      if (this.#buffer.length > 0) return
      const head = await link.head(this.#stream)
      const handed = this.#handed?.position ?? -1
      if (head < handed && arrived === this.#arrived) {
        throw new EventStoreRegressed(link.url, this.#stream, head, handed)
      }
      const stuck = head > arrived && arrived === this.#arrived
      // Twice in a row, because what was appended a moment ago may still be on its way.
      if (stuck && stuckAt === arrived) throw new AttemptTimedOut(times.heartbeatMs)
      stuckAt = stuck ? arrived : null
    }
    const beat = async () => {
      try {
        await look()
      } catch (error) {
        if (!stopped) live.destroy(error as Error)
      }
      if (!stopped) timer = setTimeout(() => void beat(), times.heartbeatMs)
    }
    // Soon after a drop: the server that came back may not be the one that went.
    const first =
      this.#handed === null ? times.heartbeatMs : Math.min(FIRST_LOOK_MS, times.heartbeatMs)
    let timer = setTimeout(() => void beat(), first)
    return {
      stop: () => {
        stopped = true
        clearTimeout(timer)
      },
    }
  }

  async #rest(ms: number): Promise<void> {
    if (this.#closing) return
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms)
      this.#wakeReceipt = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }
}
