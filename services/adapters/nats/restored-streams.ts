import { AckPolicy, DeliverPolicy, type JetStreamManager, type NatsConnection } from 'nats'
import { apiCode, checkOwner } from './streams.ts'

/** Made again by the feed, the broker's journal and the book. */
const DERIVED = ['MARKET', 'REPORTS', 'TAPE', 'VERDICTS'] as const
const ASKED = 'INBOX'
/** A reader's consumers are named after it. */
const WRITER = /^writer(-[0-9a-f]{8})?$/
/**
 * The engine remembers the ids of signals and controls for seven days. What is older than that and comes
 * again would be taken for new, so that only six days are delivered again.
 */
const AGAIN_MS = 6 * 86_400_000
const NO_STREAM = 10059
const NO_CONSUMER = 10014

/**
 * For a book that was put back to an earlier position: removes the streams whose messages follow from the book's
 * later past, their memory of message ids included, and makes INBOX deliver again what was stored up to six days
 * before the book's last event (`recordedAt`, ms) and since. Throws ForeignStream before anything is touched.
 */
export async function resetStreams(
  nc: NatsConnection,
  bookId: string,
  recordedAt: number,
): Promise<void> {
  const jsm = await nc.jetstreamManager()
  const present: string[] = []
  for (const name of [...DERIVED, ASKED]) {
    const info = await jsm.streams.info(name).catch(unless(NO_STREAM))
    if (info === undefined) continue
    checkOwner(info, bookId)
    present.push(name)
  }
  for (const name of DERIVED) {
    // Emptying alone would keep the ids: a new report with an old report's id would pass for a repeat.
    if (present.includes(name)) await jsm.streams.delete(name).catch(unless(NO_STREAM))
  }
  if (!present.includes(ASKED)) return
  for await (const { name } of jsm.consumers.list(ASKED)) {
    if (WRITER.test(name)) await jsm.consumers.delete(ASKED, name).catch(unless(NO_CONSUMER))
  }
  const first = await firstSince(jsm, ASKED, recordedAt - AGAIN_MS)
  if (first > 1) await jsm.streams.purge(ASKED, { seq: first })
}

/** Sequence of the first message stored at or after a time, ms; one beyond the last where there is none. */
async function firstSince(jsm: JetStreamManager, stream: string, time: number): Promise<number> {
  const { name, delivered } = await jsm.consumers.add(stream, {
    deliver_policy: DeliverPolicy.StartTime,
    opt_start_time: new Date(time).toISOString(),
    ack_policy: AckPolicy.None,
    inactive_threshold: 10_000_000_000,
  })
  await jsm.consumers.delete(stream, name).catch(unless(NO_CONSUMER))
  return delivered.stream_seq + 1
}

function unless(code: number): (error: unknown) => undefined {
  return (error) => {
    if (apiCode(error) !== code) throw error
    return undefined
  }
}
