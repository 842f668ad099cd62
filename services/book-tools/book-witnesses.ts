import { clientOrderId } from '../../engine/events/ids.ts'
import { type Broker, OutcomeUnknown } from '../../engine/ports/broker.ts'
import type { EventStore } from '../../engine/ports/event-store.ts'
import type { NatsConnection } from '../adapters/nats/connection.ts'
import { readTapeEnd } from '../adapters/nats/tape-stream.ts'
import { checksumAt, readAnchors } from './anchor.ts'
import { BrokerBehind } from './backup.ts'

/** The book is not the one that was there before: older, cut short, or with another past. */
export class BookOlder extends Error {
  override name = 'BookOlder'
  readonly code = 'book_older'
  /** What the witness has seen. */
  readonly witnessed: number
  /** Where the book ends. */
  readonly end: number
  constructor(witness: string, witnessed: number, end: number, what: string) {
    super(
      `the book ends at ${end}, and ${witness} ${what} ${witnessed}: it is an older copy, or was cut; put the newest one back, or go on from a backup with \`bitacora restore\``,
    )
    this.witnessed = witnessed
    this.end = end
  }
}

/** The broker has an order of this book that the book does not have: numbers would be given away twice. */
export class BrokerAhead extends Error {
  override name = 'BrokerAhead'
  readonly code = 'broker_ahead'
  readonly orderId: number
  constructor(id: string, orderId: number) {
    super(
      `the broker knows order ${id}, and the last order in the book is ${orderId - 1}: the book is older than the broker, or a copy of it trades elsewhere; put the newest book back, or a book and a broker's journal of one backup`,
    )
    this.orderId = orderId
  }
}

export interface WitnessOptions {
  dir: string
  store: EventStore
  stream: string
  nc: NatsConnection
  broker: Broker
  /** What the book says of itself: its id, last position, last order and newest report. */
  book: { bookId: string; last: number; lastOrderId: number; brokerSequence: number }
  warn: (error: unknown, message: string) => void
}

/**
 * Asks everybody who has seen the book before whether it is still all there, before anything is appended: the
 * anchors in the folder, TAPE, and the broker. An engine on an older book would decide again what it has decided
 * already, under order numbers that the broker knows. Throws BookOlder, BrokerAhead, BrokerBehind.
 */
export async function askWitnesses(options: WitnessOptions): Promise<void> {
  if (options.book.last < 0) return
  await askAnchors(options)
  await askTape(options)
  await askBroker(options)
}

async function askAnchors({ dir, store, stream, book, warn }: WitnessOptions): Promise<void> {
  let anchors: ReturnType<typeof readAnchors>
  try {
    anchors = readAnchors(dir)
  } catch (error) {
    warn(error, 'the noted anchors cannot be read; the book was not compared with them')
    return
  }
  const own = anchors.filter(({ bookId }) => bookId === book.bookId)
  const newest = own.reduce<(typeof own)[number] | null>(
    (found, anchor) => (found === null || anchor.position >= found.position ? anchor : found),
    null,
  )
  if (newest === null) return
  const { position, checksum, at } = newest
  const witness = `the anchor of ${at}`
  if (position > book.last) throw new BookOlder(witness, position, book.last, 'has seen it up to')
  if ((await checksumAt(store, stream, position)) !== checksum) {
    throw new BookOlder(witness, position, book.last, 'has seen another past up to')
  }
}

/** What is on TAPE was in the book: it is published afterwards. */
async function askTape({ store, stream, nc, book, warn }: WitnessOptions): Promise<void> {
  let published: number
  try {
    published = (await readTapeEnd(nc, 'TAPE', book.bookId)).position
  } catch (error) {
    // The publisher meets it next, and knows what to do.
    warn(error, 'TAPE cannot be read; the book was not compared with it')
    return
  }
  if (published <= book.last) return
  // A writer that is being replaced may have appended since the book was read.
  const end = await store.head(stream)
  if (published > end) throw new BookOlder('TAPE', published, end, 'carries it up to')
}

async function askBroker({ dir, broker, book, warn }: WitnessOptions): Promise<void> {
  const known = broker.lastSequence()
  if (known < book.brokerSequence) {
    throw new BrokerBehind(
      dir,
      known,
      book.brokerSequence,
      'put back the journal that belongs to the book (`bitacora backup` takes both)',
    )
  }
  const orderId = book.lastOrderId + 1
  const id = clientOrderId(book.bookId, orderId)
  try {
    if (await broker.knows(id)) throw new BrokerAhead(id, orderId)
  } catch (error) {
    if (!(error instanceof OutcomeUnknown)) throw error
    warn(error, 'the broker could not be asked for orders that the book does not have')
  }
}
