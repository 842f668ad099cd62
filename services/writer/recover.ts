import { Chain } from '../../engine/chain/chain.ts'
import { chainEvent } from '../../engine/events/chain-event.ts'
import { AlteredEvent, decodeBody, type RecordedEvent } from '../../engine/events/envelope.ts'
import { type Hash, stepChecksum } from '../../engine/events/step-recorder.ts'
import type { EventStore } from '../../engine/ports/event-store.ts'
import { parseTime } from '../../engine/time.ts'
import type {
  ControlReceived,
  InputRefused,
  MarketBar,
  SignalReceived,
} from '../../schemas/types.gen.ts'
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
 * recorded. Every checksum is looked at on the way: nobody trades on a book that was altered. Throws AlteredEvent.
 */
export async function recover(store: EventStore, stream: string, hash: Hash): Promise<Recovered> {
  const state: Recovered = {
    chain: new Chain(),
    identities: new Identities(),
    last: -1,
    checksum: '',
    at: 0,
    bookId: null,
  }
  let first = ''
  let bodies: string[] = []
  for await (const page of store.read(stream, 0)) {
    for (const stored of page) {
      const event = decodeBody(stored)
      state.chain.fold(chainEvent(event))
      if (event.step === event.position) rememberInput(state.identities, event)
      if (event.type === 'book.created') state.bookId = (event.data as { bookId: string }).bookId
      state.last = stored.position
      state.at = event.at
      if (bodies.length === 0) first = stored.id
      bodies.push(stored.body)
      if (stored.checksum !== null) {
        const sum = stepChecksum(hash, state.checksum, first, bodies)
        if (sum !== stored.checksum) {
          throw new AlteredEvent(stored.position, 'its step does not match its checksum')
        }
        state.checksum = sum
        bodies = []
      }
    }
  }
  if (bodies.length > 0) throw new AlteredEvent(state.last, 'the end of its step is missing')
  return state
}

function rememberInput(identities: Identities, event: RecordedEvent): void {
  switch (event.type) {
    case 'market.bar':
      identities.addBar(event.data as MarketBar)
      break
    case 'signal.received': {
      const data = event.data as SignalReceived
      identities.addSignal(data.operator, data.signalId, parseTime(data.storedAt))
      break
    }
    case 'input.refused': {
      const data = event.data as InputRefused
      identities.add(`refused:${data.stream}:${data.sequence}:${parseTime(data.storedAt)}`)
      break
    }
    case 'control.received':
      identities.add(`control:${(event.data as ControlReceived).controlId}`)
      break
    default:
      if (event.type.startsWith('order.')) {
        const data = event.data as { orderId: number; brokerSequence?: number; attempt?: number }
        if (data.brokerSequence === undefined) {
          identities.add(`${event.type}:${data.orderId}:${data.attempt ?? 0}`)
        } else identities.brokerSequence = data.brokerSequence
      }
  }
}
