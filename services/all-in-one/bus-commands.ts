import { setTimeout as sleep } from 'node:timers/promises'
import type { Bus } from '../../engine/ports/bus.ts'
import type { ControlCommand, ManualSignal } from '../../schemas/types.gen.ts'
import type { Commands, Stored } from '../http-api/commands.ts'
import { controlFaults } from '../writer/inbound.ts'
import { signalFaults } from '../writer/manual-signal.ts'

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

/** INBOX takes the same id from anybody for a repeat within its window of 100 ms. */
const AFTER_WINDOW_MS = 150
const MAX_ATTEMPTS = 5

/** An id that others keep using: whose message was stored nobody can tell. */
export class IdInUse extends Error {
  override name = 'IdInUse'
  readonly code = 'id_in_use'
}

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

  signalFaults(signal: ManualSignal): string[] {
    return signalFaults(signal)
  }

  controlFaults(action: string, command: object): string[] {
    return controlFaults(action, command as ControlCommand)
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
    for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt++) {
      const stored = await this.#bus.publish(subject, payload, { id, headers })
      if (!stored.duplicate) return { stream: stored.stream, sequence: stored.sequence }
      // Perhaps what was stored is another sender's, and ours is lost. The engine knows a repeat of ours.
      await sleep(AFTER_WINDOW_MS)
    }
    throw new IdInUse(`others use the id ${id} at the same time`)
  }
}
