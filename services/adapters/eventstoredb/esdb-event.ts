import { Buffer } from 'node:buffer'
import { type BinaryEventType, binaryEvent, type RecordedEvent } from '@eventstore/db-client'
import type { ProposedEvent, StoredEvent } from '../../../engine/ports/event-store.ts'
import { EventStoreForeignEvent } from './esdb-errors.ts'

/** The server's MaxAppendSize: bodies, metadata, and two bytes for each character of the types. */
const MAX_SERVER_BYTES = 1024 * 1024

export type WireEvent = ReturnType<typeof binaryEvent<BinaryEventType>>

/**
 * Bodies travel as bytes (application/octet-stream): what is declared JSON the client parses and prints again,
 * and the text that a checksum covers is gone. The checksum travels in the metadata.
 */
export function toWire(events: readonly ProposedEvent[]): WireEvent[] {
  return events.map(({ id, type, body, checksum }) => {
    const data = Buffer.from(body)
    return checksum === null
      ? binaryEvent<BinaryEventType>({ id, type, data })
      : binaryEvent<BinaryEventType>({ id, type, data, metadata: { checksum } })
  })
}

/** Refuses before the server does: many small events carry more than their bodies. */
export function checkWireSize(stream: string, events: readonly ProposedEvent[]): void {
  let bytes = 0
  for (const { type, body, checksum } of events) {
    bytes += 2 * type.length + Buffer.byteLength(body)
    if (checksum !== null) bytes += 15 + checksum.length
  }
  if (bytes > MAX_SERVER_BYTES) {
    throw new RangeError(
      `stream ${stream}: ${bytes} bytes of bodies, types and checksums in one append, at most ${MAX_SERVER_BYTES}: append fewer events at once`,
    )
  }
}

/** The port's event of what the server handed out. Ids come in lower case, as the server prints them. */
export function fromWire(url: string, record: RecordedEvent): StoredEvent {
  const position = Number(record.revision)
  const { id, type, streamId } = record
  if (record.isJson || !(record.data instanceof Uint8Array)) {
    throw new EventStoreForeignEvent(url, streamId, position, 'an event that is not the book’s')
  }
  const { buffer, byteOffset, byteLength } = record.data
  const body = Buffer.from(buffer, byteOffset, byteLength).toString('utf8')
  return { id, type, body, checksum: checksumOf(record.metadata), position }
}

function checksumOf(metadata: unknown): string | null {
  if (typeof metadata !== 'object' || metadata === null) return null
  const { checksum } = metadata as { checksum?: unknown }
  return typeof checksum === 'string' ? checksum : null
}
