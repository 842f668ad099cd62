import type { Bus, InboundMessage } from '../../../engine/ports/bus.ts'

const MAX_REASON_CHARS = 1024

/**
 * Keeps a message that cannot be used: the payload unchanged on `dead.<stream>.<subject>`, with why and where
 * from in its headers. One copy for each original, however often it is refused within the stream's window.
 */
export async function deadLetter(
  bus: Bus,
  message: InboundMessage,
  reasonCode: string,
  reason: string,
): Promise<{ stream: string; sequence: number; duplicate: boolean }> {
  const stream = message.stream.toLowerCase()
  return bus.publish(`dead.${stream}.${message.subject}`, message.payload, {
    id: `dead-${stream}-${message.sequence}-${message.storedAt}`,
    headers: {
      'reason-code': oneLine(reasonCode),
      reason: oneLine(reason),
      'original-sequence': String(message.sequence),
    },
  })
}

/** A header ends at a line break, and must not crowd out the payload. */
function oneLine(text: string): string {
  return text.replace(/[\r\n]+/g, ' ').slice(0, MAX_REASON_CHARS)
}
