import { Buffer } from 'node:buffer'
import { MAX_APPEND_BYTES, type ProposedEvent } from '../../../engine/ports/event-store.ts'

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i
const TYPE = /^[\w.@-]+$/
const CHECKSUM = /^[0-9a-f]{64}$/

/** Refuses what no store may take, before it is written: RangeError for sizes and positions, TypeError for shapes. */
export function checkAppend(
  stream: string,
  expected: number,
  events: readonly ProposedEvent[],
): void {
  if (stream === '') throw new TypeError('a stream needs a name')
  if (!Number.isSafeInteger(expected) || expected < -1) {
    throw new RangeError(`stream ${stream}: expected position ${expected} is not an integer ≥ -1`)
  }
  if (events.length === 0) throw new RangeError(`stream ${stream}: an append needs an event`)
  let bytes = 0
  for (const event of events) {
    const flaw = flawOf(event)
    if (flaw !== null) throw new TypeError(`stream ${stream}, event ${event.id}: ${flaw}`)
    bytes += Buffer.byteLength(event.body)
  }
  if (bytes > MAX_APPEND_BYTES) {
    throw new RangeError(
      `stream ${stream}: ${bytes} bytes of bodies in one append, at most ${MAX_APPEND_BYTES}`,
    )
  }
}

function flawOf(event: ProposedEvent): string | null {
  if (!UUID.test(event.id)) return 'its id is not a UUID'
  if (!TYPE.test(event.type)) return `its type ${JSON.stringify(event.type)} is not a plain name`
  if (event.checksum !== null && !CHECKSUM.test(event.checksum)) return 'its checksum is not sha256'
  if (event.body === '') return 'its body is empty'
  // JSON text never holds these raw; a store that keeps bodies as lines relies on it.
  if (event.body.includes('\n') || event.body.includes('\0')) return 'its body is not one line'
  // A lone surrogate has no UTF-8 form: the store would hand back another text than the one checksummed.
  if (!(event.body as string & { isWellFormed(): boolean }).isWellFormed()) {
    return 'its body is not well-formed Unicode'
  }
  return null
}

/** Whether the events that follow `expected` are exactly these: the sign of a retried append. */
export function isRetry(
  kept: readonly { readonly id: string }[],
  proposed: readonly { readonly id: string }[],
): boolean {
  return kept.length === proposed.length && kept.every((event, i) => event.id === proposed[i]?.id)
}
