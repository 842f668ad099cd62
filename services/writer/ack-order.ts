import type { Consumption, InboundMessage } from '../../engine/ports/bus.ts'
import { boundary } from '../runtime/boundary.ts'

interface Ticket {
  message: InboundMessage
  done: boolean
}

/**
 * An acknowledgement covers all that came before in its stream, but inputs are not always done in that order: a
 * repeat is done at once, a report may have to wait for one behind it. So a message is acknowledged when it is done
 * and everything before it too.
 */
export class AckOrder {
  private readonly consumption: Pick<Consumption, 'ack'>
  private readonly open: Ticket[] = []

  constructor(consumption: Pick<Consumption, 'ack'>) {
    this.consumption = consumption
  }

  /** Takes the next message of the stream; the answer is called when it is done. */
  take(message: InboundMessage): () => void {
    const ticket = { message, done: false }
    this.open.push(ticket)
    return () => {
      ticket.done = true
      let last: Ticket | undefined
      while (this.open[0]?.done) last = this.open.shift()
      if (last === undefined) return
      this.consumption.ack(last.message)
      boundary('ack.sent')
    }
  }
}
