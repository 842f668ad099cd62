import { Chain } from '../../engine/chain/chain.ts'
import { chainEvent } from '../../engine/events/chain-event.ts'
import { AlteredEvent, decodeBody, type RecordedEvent } from '../../engine/events/envelope.ts'
import { type Hash, stepChecksum } from '../../engine/events/step-recorder.ts'
import type { EventStore, StoredEvent } from '../../engine/ports/event-store.ts'
import type { BookCreated } from '../../schemas/types.gen.ts'
import { Identities } from './identity.ts'

/** Everything the writer knows after it has read its book. */
export interface Recovered {
  chain: Chain
  identities: Identities
  /** Position of the last event, −1 for an empty book. */
  last: number
  /** Checksum of the last step, '' for an empty book. */
  checksum: string
  /** Engine time of the last event, ms. */
  at: number
  bookId: string | null
}

/**
 * Folds the whole book into the chain and the identities. Nothing is decided again: consequences are
 * recorded. Every checksum is looked at on the way: nobody trades on a book that was altered. `seen` is called with
 * each event, so that what else is folded at start need not read and parse the book once more. Throws AlteredEvent.
 */
export async function recover(
  store: EventStore,
  stream: string,
  hash: Hash,
  seen: (event: RecordedEvent) => void = () => undefined,
): Promise<Recovered> {
  const state: Recovered = {
    chain: new Chain(),
    identities: new Identities(),
    last: -1,
    checksum: '',
    at: 0,
    bookId: null,
  }
  let step: StoredEvent[] = []
  for await (const page of store.read(stream, 0)) {
    for (const stored of page) {
      step.push(stored)
      if (stored.checksum === null) continue
      takeStep(state, step, hash, seen)
      step = []
    }
  }
  const [open] = step
  if (open !== undefined) throw new AlteredEvent(open.position, 'the end of its step is missing')
  return state
}

/** Looks at the bytes first: what was altered is never processed. */
function takeStep(
  state: Recovered,
  step: readonly StoredEvent[],
  hash: Hash,
  seen: (event: RecordedEvent) => void,
): void {
  const first = step[0]!
  const last = step[step.length - 1]!
  const bodies = step.map(({ body }) => body)
  const sum = stepChecksum(hash, state.checksum, first.id, bodies)
  if (sum !== last.checksum) {
    throw new AlteredEvent(first.position, 'its step does not match its checksum')
  }
  for (const stored of step) {
    const event = decodeBody(stored)
    if (event.type !== stored.type) {
      throw new AlteredEvent(stored.position, `it is filed as ${stored.type}`)
    }
    state.chain.fold(chainEvent(event))
    if (event.step === event.position) state.identities.remember(event.type, event.data)
    if (event.type === 'book.created') state.bookId = (event.data as BookCreated).bookId
    if (event.mark !== undefined) state.identities.noteMark(event.mark)
    state.at = event.at
    seen(event)
  }
  state.last = last.position
  state.checksum = sum
}
