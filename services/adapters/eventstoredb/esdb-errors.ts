import {
  AccessDeniedError,
  CancelledError,
  DeadlineExceededError,
  NotLeaderError,
  StreamDeletedError,
  TimeoutError,
  UnavailableError,
} from '@eventstore/db-client'

/** The URL cannot be used. Its credentials are not in the message. */
export class EventStoreUrlInvalid extends Error {
  override name = 'EventStoreUrlInvalid'
  readonly code = 'eventstore_url_invalid'
  readonly url: string
  constructor(url: string, flaw: string) {
    super(`EVENTSTORE_URL ${url}: ${flaw}; its form is esdb://user:password@host:2113?tls=true`)
    this.url = url
  }
}

/**
 * No usable answer in time: server gone, too slow, or the connection broken. An append that ends so may have
 * been written; repeating it with its original expected position is safe either way.
 */
export class EventStoreUnreachable extends Error {
  override name = 'EventStoreUnreachable'
  readonly code = 'eventstore_unreachable'
  readonly url: string
  constructor(url: string, what: string, waitedMs: number, cause: unknown) {
    const ms = Math.round(waitedMs)
    super(
      `${url} gave no answer to ${what} for ${ms} ms (${reasonOf(cause)}): check that the server runs, and address and tls in EVENTSTORE_URL`,
      { cause },
    )
    this.url = url
  }
}

/** User or password are wrong, or the user may not do this. */
export class EventStoreUnauthorized extends Error {
  override name = 'EventStoreUnauthorized'
  readonly code = 'eventstore_unauthorized'
  readonly url: string
  constructor(url: string, what: string, cause?: unknown) {
    super(
      `${url} refused ${what} (${reasonOf(cause)}): check user and password in EVENTSTORE_URL and the user's rights`,
      { cause },
    )
    this.url = url
  }
}

/** The stream was deleted, or its metadata make the server drop events: it cannot hold a book. */
export class EventStoreStreamDeleted extends Error {
  override name = 'EventStoreStreamDeleted'
  readonly code = 'eventstore_stream_deleted'
  readonly url: string
  readonly stream: string
  constructor(url: string, stream: string, what: string, cause?: unknown) {
    super(`${url}, stream ${stream} ${what}: restore the book from a backup into another stream`, {
      cause,
    })
    this.url = url
    this.stream = stream
  }
}

/** Positions `from` to `to` of a stream are missing where later ones are there: it was truncated. */
export class EventStoreTruncated extends Error {
  override name = 'EventStoreTruncated'
  readonly code = 'eventstore_truncated'
  readonly url: string
  readonly stream: string
  readonly from: number
  readonly to: number
  constructor(url: string, stream: string, from: number, to: number) {
    super(
      `${url}, stream ${stream}: positions ${from} to ${to} are missing, later ones are there: the stream was truncated; restore the book from a backup`,
    )
    this.url = url
    this.stream = stream
    this.from = from
    this.to = to
  }
}

/** The stream ends before a position this process has seen: an older copy, an emptied store, a deletion. */
export class EventStoreRegressed extends Error {
  override name = 'EventStoreRegressed'
  readonly code = 'eventstore_regressed'
  readonly url: string
  readonly stream: string
  /** First and last position that were there and are gone. */
  readonly from: number
  readonly to: number
  constructor(url: string, stream: string, current: number, known: number) {
    super(
      `${url}, stream ${stream} ends at ${current}; it ended at ${known} before: positions ${current + 1} to ${known} are gone, the server is older than it was; stop every writer and restore its newest backup`,
    )
    this.url = url
    this.stream = stream
    this.from = current + 1
    this.to = known
  }
}

/** A position holds what cannot be, or can no longer be, the book's event. */
export class EventStoreForeignEvent extends Error {
  override name = 'EventStoreForeignEvent'
  readonly code = 'eventstore_foreign_event'
  readonly url: string
  readonly stream: string
  readonly position: number
  constructor(url: string, stream: string, position: number, what: string) {
    super(
      `${url}, stream ${stream}, position ${position}: ${what}; find who writes to this stream, restore the book from a backup`,
    )
    this.url = url
    this.stream = stream
    this.position = position
  }
}

/** The server refused for a reason none of the others covers; repeating will not help. */
export class EventStoreRefused extends Error {
  override name = 'EventStoreRefused'
  readonly code = 'eventstore_refused'
  readonly url: string
  constructor(url: string, what: string, cause: unknown) {
    super(`${url} refused ${what}: ${reasonOf(cause)}; see the server's log`, { cause })
    this.url = url
  }
}

/** An attempt got no answer in its own time; the client's deadlines do not cover reads. */
export class AttemptTimedOut extends Error {
  override name = 'AttemptTimedOut'
  constructor(ms: number) {
    super(`no answer within ${ms} ms`)
  }
}

/** gRPC status codes of calls torn while under way: cancelled, exhausted, internal (a reset stream). */
const TORN = new Set([1, 8, 13])
/** What the server or the channel says, without a code of its own, when another attempt may succeed. */
const PASSING =
  /channel has been closed|failed to discover|no leader info|not ready|too busy|premature close|ECONNRESET|stream ended/i

/** Whether the same call may succeed a moment later. */
export function isPassing(error: unknown): boolean {
  if (
    error instanceof UnavailableError ||
    error instanceof DeadlineExceededError ||
    error instanceof CancelledError ||
    error instanceof TimeoutError ||
    error instanceof NotLeaderError ||
    error instanceof AttemptTimedOut
  ) {
    return true
  }
  const { code, message } = error as { code?: unknown; message?: unknown }
  if (typeof code === 'string' && code.startsWith('eventstore_')) return false
  if (typeof code === 'number' && TORN.has(code)) return true
  return typeof message === 'string' && PASSING.test(message)
}

/** The typed error for a client's error that repeating will not cure; ours pass unchanged. */
export function lastingError(error: unknown, url: string, stream: string, what: string): Error {
  if (error instanceof AccessDeniedError) return new EventStoreUnauthorized(url, what, error)
  if (error instanceof StreamDeletedError) {
    return new EventStoreStreamDeleted(url, stream, 'was deleted for good', error)
  }
  const { code } = error as { code?: unknown }
  if (error instanceof Error && typeof code === 'string' && code.startsWith('eventstore_')) {
    return error
  }
  return new EventStoreRefused(url, what, error)
}

function reasonOf(cause: unknown): string {
  if (cause instanceof AccessDeniedError && cause.message === '') return 'access denied'
  if (cause instanceof Error) return cause.message
  return typeof cause === 'string' ? cause : 'no reason given'
}
