import type { Mark } from '../../engine/events/envelope.ts'
import type { InboundMessage } from '../../engine/ports/bus.ts'
import type { Input } from './inbound.ts'

/** A message and what it became, waiting for its turn or for the book. */
export interface Waiting {
  input: Input
  message: InboundMessage
  /** Up to where its stream is in the book once this is; undefined where that cannot be said. */
  mark: Mark | undefined
  /** To be called when it is in the book, or was there already. */
  settle: () => void
  /** Wall clock at which it came, ms. */
  since: number
}

/** The streams that inputs come from, first the one that is served first. */
export const INPUT_STREAMS = ['REPORTS', 'INBOX', 'MARKET'] as const
export type InputStream = (typeof INPUT_STREAMS)[number]

/** An input that waits for a broker's report so long has probably waited for one that was lost. */
export const STALL_MS = 10_000

/** Inputs that wait for their turn: reports first, then operators, then the market. */
export class InputQueues {
  private readonly queues: Record<InputStream, Waiting[]> = { REPORTS: [], INBOX: [], MARKET: [] }

  get size(): number {
    const { REPORTS, INBOX, MARKET } = this.queues
    return REPORTS.length + INBOX.length + MARKET.length
  }

  push(stream: InputStream, waiting: Waiting): void {
    this.queues[stream].push(waiting)
  }

  /** The input whose turn it is; a bar waits for the reports that it caused, a report for the one before it. */
  next(brokerSequence: number): Waiting | null {
    for (const stream of INPUT_STREAMS) {
      const queue = this.queues[stream]
      const first = queue[0]
      if (first === undefined) continue
      if (first.input.after <= brokerSequence) return queue.shift()!
      // A report that was lost comes again behind those that wait for it; bars never overtake each other.
      const index =
        stream === 'REPORTS' ? queue.findIndex(({ input }) => input.after <= brokerSequence) : -1
      if (index > 0) return { ...queue.splice(index, 1)[0]!, mark: undefined }
    }
    return null
  }

  clear(): void {
    for (const queue of Object.values(this.queues)) queue.length = 0
  }

  /** What has been waiting in vain for too long, in words; null when nothing has. */
  stalled(now: number, brokerSequence: number): string | null {
    for (const stream of INPUT_STREAMS) {
      const first = this.queues[stream][0]
      if (first === undefined || now - first.since <= STALL_MS) continue
      if (first.input.after <= brokerSequence) continue
      return `${stream} ${first.message.sequence} waits for broker report ${first.input.after}; the book has them up to ${brokerSequence}`
    }
    return null
  }
}
