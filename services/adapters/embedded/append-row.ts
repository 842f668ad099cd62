import type { Buffer } from 'node:buffer'
import type { ProposedEvent, StoredEvent } from '../../../engine/ports/event-store.ts'

/** An append as its row keeps it: lists in columns, in the order of the events. */
export interface AppendRow {
  count: number
  /** The ids' common beginning, a colon, and the remainders joined by commas: `9f…-00:4a,4b,4c`. */
  ids: string
  types: string
  /** Empty between the commas where an event has none. */
  checksums: string
  /** One body a line, as appended. */
  bodies: string
}

export function encodeAppend(events: readonly ProposedEvent[]): AppendRow {
  let ids = ''
  let types = ''
  let checksums = ''
  let bodies = ''
  const shared = commonPrefix(events)
  const prefix = events[0]?.id.slice(0, shared) ?? ''
  for (let i = 0; i < events.length; i++) {
    const event = events[i] as ProposedEvent
    const comma = i === 0 ? '' : ','
    ids += comma + event.id.slice(shared)
    types += comma + event.type
    checksums += comma + (event.checksum ?? '')
    bodies += i === 0 ? event.body : `\n${event.body}`
  }
  return { count: events.length, ids: `${prefix}:${ids}`, types, checksums, bodies }
}

function commonPrefix(events: readonly ProposedEvent[]): number {
  const first = events[0]?.id ?? ''
  let shared = first.length
  for (const { id } of events) {
    while (!id.startsWith(shared === first.length ? first : first.slice(0, shared))) shared -= 1
  }
  return shared
}

/**
 * The SQL expression `decodeAppend` reads. As a blob, because libsql ends the whole process on a TEXT value
 * whose bytes are not UTF-8, and cuts one at a NUL: altered bytes must reach whoever checks them.
 * NULL where a column holds a value of another type, which `||` would turn into text.
 */
export const ROW_TEXT = `CASE WHEN typeof(count) = 'integer' AND typeof(ids) = 'text'
    AND typeof(types) = 'text' AND typeof(checksums) = 'text' AND typeof(bodies) = 'text'
  THEN CAST(ids || char(10) || types || char(10) || checksums || char(10) || bodies AS BLOB) END`

/** The events of one row, or null when its columns do not split into `count` events. */
export function decodeAppend(
  first: number,
  count: number,
  text: Buffer | null,
): StoredEvent[] | null {
  const lines = text?.toString('utf8').split('\n') ?? []
  if (lines.length !== 3 + count) return null
  const [idText = '', typeText = '', checksumText = ''] = lines
  const colon = idText.indexOf(':')
  const prefix = idText.slice(0, colon)
  const ids = idText.slice(colon + 1).split(',')
  const types = typeText.split(',')
  const checksums = checksumText.split(',')
  if (colon < 0 || ids.length !== count || types.length !== count || checksums.length !== count) {
    return null
  }
  const events = new Array<StoredEvent>(count)
  for (let i = 0; i < count; i++) {
    events[i] = {
      id: prefix + ids[i],
      type: types[i] as string,
      body: lines[3 + i] as string,
      checksum: checksums[i] || null,
      position: first + i,
    }
  }
  return events
}
