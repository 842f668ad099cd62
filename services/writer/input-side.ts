import type { Bus, Consumption, InboundMessage, StreamGap } from '../../engine/ports/bus.ts'
import type { Clock } from '../../engine/ports/clock.ts'
import { formatTime } from '../../engine/time.ts'
import type { InputGap } from '../../schemas/types.gen.ts'
import type { Log } from '../runtime/log.ts'
import { boundary } from '../runtime/boundary.ts'
import { AckOrder } from './ack-order.ts'
import type { Identities } from './identity.ts'
import { type InboundRules, readInbound } from './inbound.ts'
import { INPUT_STREAMS, InputQueues, type InputStream } from './input-queues.ts'

/** Under which the writer's consumers stand on NATS. */
export const READER = 'writer'

const NOTHING = new Uint8Array(0)

export interface InputSideOptions {
  bus: Bus
  identities: Identities
  rules: InboundRules
  clock: Clock
  log: Log
  /** False: nothing more is taken. */
  open: () => boolean
  /** Something was queued. */
  arrived: () => void
  failed: (error: unknown) => void
}

/**
 * What comes off the streams, read and queued. Each stream is read from behind what the book says it has of it,
 * whatever NATS holds for acknowledged.
 */
export class InputSide {
  readonly queues = new InputQueues()
  private readonly options: InputSideOptions
  private readonly consumptions: Consumption[] = []

  constructor(options: InputSideOptions) {
    this.options = options
  }

  /** Lets the inputs in, stream by stream. */
  async start(): Promise<void> {
    for (const name of INPUT_STREAMS) {
      if (!this.options.open()) return
      await this.read(name)
    }
  }

  /** Why a stream cannot be read now, in words; null while all can. */
  trouble(): string | null {
    for (const consumption of this.consumptions) {
      const trouble = consumption.trouble?.() ?? null
      if (trouble !== null) return trouble
    }
    return null
  }

  async stop(): Promise<void> {
    await Promise.all(this.consumptions.map((consumption) => consumption.stop()))
  }

  private async read(name: InputStream): Promise<void> {
    const { bus, identities, open, arrived, failed } = this.options
    let acks: AckOrder | null = null
    /** What comes before the consumption that acknowledges it is known. */
    const early: (() => void)[] = []
    const take = (add: () => void): void => {
      if (!open()) return
      if (acks === null) {
        early.push(add)
        return
      }
      add()
      arrived()
    }
    const consumption = await bus.consume(
      name,
      READER,
      (message) => {
        if (open()) boundary('input.received')
        take(() => this.addMessage(name, message, acks!))
      },
      {
        after: identities.markOf(name),
        onGap: (gap) => take(() => this.addGap(name, gap)),
      },
    )
    acks = new AckOrder(consumption)
    for (const add of early) add()
    consumption.done.catch(failed)
    this.consumptions.push(consumption)
    if (!open()) await consumption.stop()
  }

  private addMessage(name: InputStream, message: InboundMessage, acks: AckOrder): void {
    const input = readInbound(message, this.options.rules)
    // Only what is refused is needed again as it came; a queue of payloads would be large.
    const kept = input.refusal === null ? { ...message, payload: NOTHING } : message
    this.queues.push(name, {
      input,
      message: kept,
      mark: [name, message.sequence, message.storedAt],
      settle: acks.take(message),
      since: this.options.clock.now(),
    })
  }

  /** In its place among the messages, so that the book says where something is missing. */
  private addGap(name: InputStream, gap: StreamGap): void {
    const { stream, from, to, after, before, reason, mark } = gap
    const data: InputGap = {
      stream,
      from,
      to,
      after: after === null ? null : formatTime(after),
      before: formatTime(before),
      reason,
    }
    this.options.log.error(data, 'messages are missing that were never taken')
    const message = { stream, sequence: from, subject: '', headers: {}, payload: NOTHING }
    this.queues.push(name, {
      input: { type: 'input.gap', data, clock: Number.NaN, after: 0, refusal: null },
      message: { ...message, storedAt: before, redelivered: false },
      mark: mark === null ? undefined : [stream, mark.sequence, mark.storedAt],
      settle: () => {},
      since: this.options.clock.now(),
    })
  }
}
