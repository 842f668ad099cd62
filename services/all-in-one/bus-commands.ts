import type { Bus } from '../../engine/ports/bus.ts'
import type { Commands, Stored } from '../http-api/commands.ts'

/** The API is up before NATS is: what is sent meanwhile is refused, not kept. */
export class NotYet extends Error {
  override name = 'NotYet'
  readonly code = 'starting'
}

/** Headers that sign a message, empty where its operator has no key. */
export type Sign = (
  operator: string,
  message: { id: string; subject: string; payload: string },
) => Record<string, string>

/** The commands of the HTTP API as the messages that everybody publishes. */
export class BusCommands implements Commands {
  readonly #sign: Sign
  #bus: Bus | null = null

  constructor(sign: Sign) {
    this.#sign = sign
  }

  connect(bus: Bus): void {
    this.#bus = bus
  }

  async signal(operator: string, id: string, signal: object): Promise<Stored> {
    const subject = `signals.manual.${operator}`
    const payload = JSON.stringify(signal)
    const headers = this.#sign(operator, { id, subject, payload })
    return this.#publish(subject, payload, id, headers)
  }

  async control(action: string, id: string, command: object): Promise<Stored> {
    return this.#publish(`control.${action}`, JSON.stringify(command), id, {})
  }

  async #publish(
    subject: string,
    payload: string,
    id: string,
    headers: Record<string, string>,
  ): Promise<Stored> {
    if (this.#bus === null) throw new NotYet('the engine is starting')
    const { stream, sequence } = await this.#bus.publish(subject, payload, { id, headers })
    return { stream, sequence }
  }
}
