import type { EventStore, StoredEvent, Subscription } from '../../engine/ports/event-store.ts'
import type { NatsConnection } from '../adapters/nats/connection.ts'
import { TapeDamaged, TapeRegressed, TapeStream } from '../adapters/nats/tape-stream.ts'
import { boundary } from '../runtime/boundary.ts'

export interface PublisherOptions {
  store: EventStore
  /** Stream of the book in the store. */
  stream: string
  nc: NatsConnection
  bookId: string
  /** The traceparent of a recorded event, of those that have one. */
  trace?: (position: number) => string | undefined
}

export interface Publisher {
  /** Position of the last event confirmed on TAPE, −1 for none. */
  position(): number
  /** Stops after what was sent is confirmed, or after 5 s. */
  close(): Promise<void>
  /** Resolves when closed; rejects when the store failed or TAPE is another book's. */
  readonly done: Promise<void>
}

const CLOSE_TIMEOUT_MS = 5000

/** First word of an event type → category on TAPE. */
const CATEGORIES: Readonly<Record<string, string>> = {
  market: 'market',
  account: 'fill',
  feature: 'feature',
  prediction: 'prediction',
  signal: 'signal',
  input: 'signal',
  risk: 'risk',
  order: 'order',
  control: 'control',
  book: 'control',
  engine: 'control',
  timer: 'timer',
  model: 'model',
}

/**
 * Where an event goes on TAPE: bars and fills by symbol, the rest by type; a type whose first word is not its
 * category keeps it (`tape.control.book.created`). Unknown first words go to control rather than nowhere.
 */
export function tapeSubject(event: Pick<StoredEvent, 'type' | 'body'>): string {
  const { type } = event
  if (type === 'market.bar') return `tape.market.bar.${symbolOf(event.body)}`
  if (type === 'order.filled') return `tape.fill.${symbolOf(event.body)}`
  // Of what never came nobody knows what it was.
  if (type === 'input.gap') return 'tape.control.input.gap'
  const dot = type.indexOf('.')
  const first = dot < 0 ? type : type.slice(0, dot)
  const category = CATEGORIES[first] ?? 'control'
  const rest = first === category && dot >= 0 ? type.slice(dot + 1) : type
  return `tape.${category}.${rest.split('.').map(token).join('.')}`
}

/** Whether the first word of a type has a category of its own. */
export function hasCategory(type: string): boolean {
  return Object.hasOwn(CATEGORIES, type.split('.')[0] ?? '')
}

/** What TAPE carries: id and position in front of the recorded body, whose text is not touched. */
export function tapePayload(event: StoredEvent): string {
  const front = `{"id":${JSON.stringify(event.id)},"position":${event.position}`
  const body = event.body.trimStart().slice(1)
  return body.trimStart().startsWith('}') ? `${front}}` : `${front},${body}`
}

/**
 * Publishes every event of the book behind the last one on TAPE, and goes on as the book grows. A TAPE that lost
 * something, also while it runs, is published again from there, or from the start.
 */
export async function runPublisher(options: PublisherOptions): Promise<Publisher> {
  let run = await startRun(options)
  let closing = false

  const done = (async () => {
    for (;;) {
      try {
        await run.ended
        return
      } catch (error) {
        await run.abandon()
        const again = error instanceof TapeRegressed || error instanceof TapeDamaged
        if (closing || !again) throw error
        run = await startRun(options)
        if (closing) await run.abandon()
      }
    }
  })()
  done.catch(() => {})

  return {
    position: () => run.tape.acknowledged(),
    done,
    close: async () => {
      closing = true
      await run.finish()
      await done.catch(() => {})
    },
  }
}

/** Empties TAPE and publishes the book from its start to its present head; resolves to the number of events. */
export async function rebuildTape(options: PublisherOptions): Promise<number> {
  await openTape(options).then((tape) => tape.close())
  await (await options.nc.jetstreamManager()).streams.purge('TAPE')
  const head = await options.store.head(options.stream)
  const tape = await TapeStream.open(options.nc, { bookId: options.bookId })
  try {
    if (head >= 0) {
      for await (const page of options.store.read(options.stream, 0, head)) await put(tape, page)
    }
    await tape.flush()
    return tape.acknowledged() + 1
  } finally {
    tape.close()
  }
}

/** Opens TAPE; a damaged one is emptied first, because all of it lies in the book. Throws ForeignStream. */
async function openTape({ nc, bookId }: PublisherOptions): Promise<TapeStream> {
  try {
    return await TapeStream.open(nc, { bookId })
  } catch (error) {
    if (!(error instanceof TapeDamaged)) throw error
    await (await nc.jetstreamManager()).streams.purge('TAPE')
    return TapeStream.open(nc, { bookId })
  }
}

interface Run {
  tape: TapeStream
  ended: Promise<void>
  finish(): Promise<void>
  abandon(): Promise<void>
}

async function startRun(options: PublisherOptions): Promise<Run> {
  const { store, stream } = options
  const tape = await openTape(options)
  const subscription: Subscription = store.subscribe(stream, tape.acknowledged() + 1, (events) => {
    boundary('effect.released')
    return put(tape, events, options.trace)
  })
  const abandon = async () => {
    tape.close()
    await subscription.close().catch(() => {})
  }
  const finish = async () => {
    const closed = subscription.close().catch(() => {})
    await within(
      closed.then(() => tape.flush()),
      CLOSE_TIMEOUT_MS,
    )
    // Without a server the handler waits for room that only closing the tape gives it.
    tape.close()
    await closed
  }
  // The tape ends first when it failed: the handler's error then only repeats the tape's.
  const ended = Promise.race([tape.done, subscription.done.then(() => tape.done)])
  return { tape, ended, finish, abandon }
}

async function put(
  tape: TapeStream,
  events: readonly StoredEvent[],
  trace?: (position: number) => string | undefined,
): Promise<void> {
  for (const event of events) {
    const { position } = event
    const full = tape.send(tapeSubject(event), tapePayload(event), position, trace?.(position))
    if (full) await full
  }
}

async function within(promise: Promise<void>, ms: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms)
  })
  await Promise.race([promise.catch(() => {}), late])
  clearTimeout(timer)
}

function symbolOf(body: string): string {
  const { data } = JSON.parse(body) as { data?: { symbol?: unknown } }
  return token(typeof data?.symbol === 'string' ? data.symbol : '')
}

/** One token of a subject: what NATS would read as structure becomes `_`. */
function token(text: string): string {
  return text.replace(/[\s.*>\p{Cc}]/gu, '_') || '_'
}
