/** The stream a consumption reads was deleted, or is no longer the same. */
export class StreamGone extends Error {
  override name = 'StreamGone'
  readonly code = 'stream_gone'
  constructor(stream: string, what: string, cause?: unknown) {
    super(`stream ${stream} ${what}: provision it, then start again`, { cause })
  }
}

/** A durable consumer of this name exists and works in another way. */
export class ConsumerMismatch extends Error {
  override name = 'ConsumerMismatch'
  readonly code = 'consumer_mismatch'
  constructor(stream: string, durable: string, what: string) {
    super(
      `consumer ${durable} of stream ${stream} has ${what}: delete it, or use another durable name`,
    )
  }
}
