import { isPublishable } from './subject.ts'
import type { Bus, InboundMessage } from '../../../engine/ports/bus.ts'

const MAX_REASON_CHARS = 1024
const MAX_SUBJECT_CHARS = 256
const MAX_PAYLOAD_BYTES = 768 * 1024

/**
 * Keeps a message that cannot be used: the payload on `dead.<stream>.<subject>`, with why and where from in its
 * headers. Unchanged, but for what the server would not carry: a payload near its limit is cut (and says so),
 * a subject that is too long, or cannot be published on, is left to the headers. One copy for each original, however often it is refused within the stream's window.
 */
export async function deadLetter(
  bus: Bus,
  message: InboundMessage,
  reasonCode: string,
  reason: string,
): Promise<{ stream: string; sequence: number; duplicate: boolean }> {
  const stream = message.stream.toLowerCase()
  const short = message.subject.length <= MAX_SUBJECT_CHARS && isPublishable(message.subject)
  const cut = message.payload.length > MAX_PAYLOAD_BYTES
  const payload = cut ? message.payload.subarray(0, MAX_PAYLOAD_BYTES) : message.payload
  return bus.publish(`dead.${stream}.${short ? message.subject : 'odd-subject'}`, payload, {
    id: `dead-${stream}-${message.sequence}-${message.storedAt}`,
    headers: {
      'reason-code': oneLine(reasonCode),
      reason: oneLine(reason),
      'original-sequence': String(message.sequence),
      ...(!short && { 'original-subject': oneLine(message.subject) }),
      ...(cut && { 'original-bytes': String(message.payload.length) }),
    },
  })
}

/** A header ends at a line break, and must not crowd out the payload. */
function oneLine(text: string): string {
  return text.replace(/[\r\n]+/g, ' ').slice(0, MAX_REASON_CHARS)
}
