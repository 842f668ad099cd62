import { createHash } from 'node:crypto'
import type { InboundMessage } from '../../engine/ports/bus.ts'

const MAX_PAYLOAD = 64 * 1024

/** Why a message cannot be an input: a stable code, and words with place and remedy. */
export class Refusal extends Error {
  override name = 'Refusal'
  readonly code: string
  constructor(code: string, message: string) {
    super(message)
    this.code = code
  }
}

/** Parses a payload. Throws Refusal naming the place. */
export function readJson(message: InboundMessage): Record<string, unknown> {
  if (message.payload.length > MAX_PAYLOAD) {
    throw new Refusal(
      'too_large',
      `the message has ${message.payload.length} bytes; at most ${MAX_PAYLOAD} are taken`,
    )
  }
  const text = new TextDecoder().decode(message.payload)
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw new Refusal('not_json', `the message is not JSON: ${(error as Error).message}`)
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new Refusal('not_an_object', 'the message must be a JSON object')
  }
  return value as Record<string, unknown>
}

export function faultText(errors: readonly { path: string; message: string }[]): string {
  return errors.map((error) => `${error.path || '/'} ${error.message}`).join('; ')
}

/** The id that a publisher gave; null for none, an empty one, or one too long to keep. */
export function ownId(message: InboundMessage): string | null {
  const id = message.headers['nats-msg-id']
  return id === undefined || id === '' || id.length > 128 ? null : id
}

/** Names a message that brings no id of its own. */
export function messageHash(message: InboundMessage): string {
  return createHash('sha256')
    .update(`${message.sequence}\n${message.storedAt}\n`)
    .update(message.payload)
    .digest('hex')
    .slice(0, 32)
}
