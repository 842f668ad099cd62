import type { InputGap } from '../../schemas/types.gen.ts'
import type { NatsConnection } from '../adapters/nats/connection.ts'
import { guardStreams, type StreamGuard } from '../adapters/nats/stream-guard.ts'
import { trimConsumed } from '../adapters/nats/streams.ts'
import type { Executor } from '../executor/executor.ts'
import type { HealthInfo } from '../http-api/health-routes.ts'
import type { FileFeed } from '../market-data/file-feed.ts'
import type { Log } from '../runtime/log.ts'
import type { Renewable } from './renewable.ts'

export interface NatsCareOptions {
  nc: NatsConnection
  bookId: string
  account: string
  log: Log
}

const TRIM_EVERY_MS = 60_000
/** What waits in vain for a report is helped by asking the broker, but not all the time. */
const RECONCILE_EVERY_MS = 30_000
const STALL_LOOK_MS = 5000

interface Sources {
  executor: Renewable<Executor>
  feed: FileFeed
  /** What the writer waits for in vain, in words. */
  stalled: () => string | null
}

/**
 * Looks after what the engine has on NATS while it runs: streams are put back, messages that are lost come again
 * from where they come from, and what cannot come again is shown.
 */
export class NatsCare {
  readonly done: Promise<never>
  private readonly options: NatsCareOptions
  private readonly guard: StreamGuard
  private readonly timers: NodeJS.Timeout[]
  private gaps = 0
  private lastGap: InputGap | null = null
  private reconciledAt = 0
  private sources: Sources | null = null
  /** Gaps that were recorded before there was anybody to ask. */
  private readonly early = new Set<string>()

  constructor(options: NatsCareOptions) {
    const { nc, bookId, account, log } = options
    this.options = options
    this.guard = guardStreams(nc, {
      bookId,
      account,
      repaired: ({ stream, fields }) => {
        if (fields.length === 0) log.error({ stream }, 'a stream was missing; it is made again')
        else log.error({ stream, fields }, 'a stream had been altered; it is put back')
      },
    })
    this.done = this.guard.done
    this.timers = [
      setInterval(() => this.trim(), TRIM_EVERY_MS),
      setInterval(() => this.lookForStall(), STALL_LOOK_MS),
    ]
  }

  /** From where lost messages come again: reports from the broker, bars from the data. */
  recoverFrom(sources: Sources): void {
    this.sources = sources
    for (const stream of this.early) this.recover(stream)
    this.early.clear()
  }

  /** To be called when a gap is in the book. */
  noteGap(gap: InputGap): void {
    this.gaps++
    this.lastGap = gap
    this.recover(gap.stream)
  }

  checks(): HealthInfo['checks'] {
    const trouble = this.guard.trouble()
    const streams = { name: 'streams', ok: trouble === null }
    const inputs = { name: 'inputs', ok: true }
    return [
      trouble === null ? streams : { ...streams, detail: trouble },
      this.lastGap === null ? inputs : { ...inputs, detail: this.gapText(this.lastGap) },
    ]
  }

  close(): void {
    this.guard.stop()
    for (const timer of this.timers) clearInterval(timer)
  }

  private gapText({ stream, from, to, reason }: InputGap): string {
    const times = this.gaps === 1 ? '' : `${this.gaps} gaps since the start, the last: `
    return `${times}${stream} from ${from} to ${to ?? 'an unknown sequence'} is missing (${reason})`
  }

  private recover(stream: string): void {
    if (this.sources === null) this.early.add(stream)
    else if (stream === 'REPORTS') this.reconcile()
    else if (stream === 'MARKET') this.sources.feed.rewind()
  }

  private lookForStall(): void {
    if (this.sources?.stalled()?.includes('waits for broker report') !== true) return
    if (Date.now() - this.reconciledAt >= RECONCILE_EVERY_MS) this.reconcile()
  }

  /** The executor asks the broker for every report behind the last in the book; those that are there are repeats. */
  private reconcile(): void {
    if (this.sources === null) return
    this.reconciledAt = Date.now()
    this.options.log.warn('reports are missing; the broker is asked for them again')
    this.sources.executor.renew().catch((err: unknown) => {
      this.options.log.error({ err }, 'the broker could not be asked for missing reports')
    })
  }

  /** Inputs that are in the book make room in the streams that refuse new ones when they are full. */
  private trim(): void {
    const { nc, log } = this.options
    for (const stream of ['INBOX', 'REPORTS'] as const) {
      trimConsumed(nc, stream).catch((err: unknown) =>
        log.warn({ err, stream }, 'consumed messages could not be removed; trying again later'),
      )
    }
  }
}
