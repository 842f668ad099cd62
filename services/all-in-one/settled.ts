import type { Executor } from '../executor/executor.ts'
import type { Writer } from '../writer/writer.ts'
import type { Broker } from '../../engine/ports/broker.ts'
import type { Renewable } from './renewable.ts'

/**
 * Resolves when a bar has arrived and the engine has nothing left to do: inputs drained, steps in the book,
 * intents answered, answers in the book. All of it is looked at in one turn of the event loop, so nothing
 * can be between two of them; a message that NATS has not delivered yet is seen by what it brings missing.
 */
export async function settled(
  writer: Writer,
  executor: Renewable<Executor>,
  broker: Broker,
  arrived: () => boolean,
): Promise<void> {
  while (writer.running) {
    const reports = broker.lastSequence()
    if (
      arrived() &&
      writer.idle &&
      writer.brokerSequence >= reports &&
      executor.current.position() >= writer.position &&
      executor.current.reportedThrough() >= reports
    ) {
      return
    }
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
  return new Promise(() => {})
}
