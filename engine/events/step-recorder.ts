import { EVENT_VERSIONS } from '../../schemas/types.gen.ts'
import type { Chain } from '../chain/chain.ts'
import type { ProposedEvent } from '../ports/event-store.ts'
import { chainEvent } from './chain-event.ts'
import { encodeBody, type Mark, type RecordedEvent } from './envelope.ts'
import { eventId } from './ids.ts'

/** sha256 as lower-case hex, provided by the host. */
export type Hash = (text: string) => string

/** Checksum of a step: it covers the step before it, the id of its first event, and every byte of its bodies. */
export function stepChecksum(
  hash: Hash,
  previous: string,
  firstId: string,
  bodies: readonly string[],
): string {
  return hash(`${previous}\n${firstId}\n${bodies.join('\n')}`)
}

/** One input and all its consequences, ready to be appended. */
export interface Step {
  first: number
  events: RecordedEvent[]
  proposed: ProposedEvent[]
  bytes: number
}

/** Runs inputs through the chain and makes each, with its consequences, a step of the book. */
export class StepRecorder {
  private readonly chain: Chain
  private readonly run: string
  private readonly hash: Hash
  /** Position of the next event. */
  next: number
  private checksum: string

  /** `next` and `checksum` continue the book: the position after its last event and the last step's checksum. */
  constructor(chain: Chain, run: string, hash: Hash, next: number, checksum: string) {
    this.chain = chain
    this.run = run
    this.hash = hash
    this.next = next
    this.checksum = checksum
  }

  /**
   * Computes a step; nothing is written. `data` is in recorded form, `recordedAt` the wall clock in ms, `trace` the
   * traceparent that the input came with.
   */
  compute(
    type: RecordedEvent['type'],
    at: number,
    recordedAt: number,
    data: unknown,
    mark?: Mark,
    trace?: string,
  ): Step {
    const first = this.next
    const events: RecordedEvent[] = [
      {
        id: eventId(this.run, first),
        position: first,
        type,
        version: EVENT_VERSIONS[type],
        at,
        recordedAt,
        step: first,
        because: null,
        data,
        mark,
        trace,
      },
    ]
    this.chain.step(chainEvent(events[0]!), (event, index, because) => {
      events.push({
        id: eventId(this.run, first + index),
        position: first + index,
        type: event.type,
        version: EVENT_VERSIONS[event.type],
        at: event.at,
        recordedAt,
        step: first,
        because: first + because,
        data: event.data,
      })
    })
    const bodies = events.map(encodeBody)
    this.checksum = stepChecksum(this.hash, this.checksum, events[0]!.id, bodies)
    this.next = first + events.length
    let bytes = 0
    const last = events.length - 1
    const proposed = events.map((event, i) => {
      bytes += bodies[i]!.length
      return {
        id: event.id,
        type: event.type,
        body: bodies[i]!,
        checksum: i === last ? this.checksum : null,
      }
    })
    return { first, events, proposed, bytes }
  }
}
