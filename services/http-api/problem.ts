import type { ProblemBody } from '../../schemas/types.gen.ts'

/** Every kind of problem the API answers with: its type is `/problems/<kind>`, where `about` is shown. Kinds are never renamed. */
export const KINDS = {
  'bad-request': {
    status: 400,
    title: 'The request cannot be read',
    about:
      'What came is no HTTP request, or its path or body cannot be decoded. Send valid UTF-8, valid percent-encoding and valid JSON.',
  },
  'invalid-parameters': {
    status: 400,
    title: 'A parameter is not valid',
    about:
      'Query parameters are unknown, repeated or not valid. `errors` names each with what would be right; nothing was looked up.',
  },
  'invalid-request': {
    status: 400,
    title: 'A field is missing or not valid',
    about:
      'Fields of the body or headers are missing, unknown or not valid. `errors` names each by a JSON pointer; nothing was sent.',
  },
  unauthorized: {
    status: 401,
    title: 'A token is needed',
    about:
      'The engine runs with API_TOKENS_FILE. Send `Authorization: Bearer <token>` with a token whose sha256 stands in that file.',
  },
  forbidden: {
    status: 403,
    title: 'The token does not allow it',
    about:
      'The token is known, but its entry in API_TOKENS_FILE lacks the scope that the operation needs: read, signal or control.',
  },
  'foreign-host': {
    status: 403,
    title: 'The request is for another host',
    about:
      'Without tokens the API serves this machine only. The Host header must name it: localhost, 127.0.0.1 or [::1]. Another name may be an attack by a web page.',
  },
  'foreign-origin': {
    status: 403,
    title: 'The request comes from a foreign page',
    about:
      'A browser sent this for a page of another site. Without tokens only pages of the API itself may ask. Another port is another site.',
  },
  'not-found': {
    status: 404,
    title: 'There is no such thing here',
    about:
      'Nothing lies at this address, or nothing has this id. `detail` says which; lists such as /orders show what there is.',
  },
  'method-not-allowed': {
    status: 405,
    title: 'The method is not offered here',
    about:
      'The address exists, but not with this method. The Allow header lists those that it offers.',
  },
  'request-timeout': {
    status: 408,
    title: 'The request took too long to arrive',
    about: 'Headers and body must arrive within 30 seconds.',
  },
  'ambiguous-id': {
    status: 409,
    title: 'The id means more than one thing',
    about:
      'Ids are unique for each sender only. `detail` lists the longer names that tell the candidates apart; ask by one of them.',
  },
  'order-ended': {
    status: 409,
    title: 'The order has ended',
    about:
      'The order is filled, canceled, expired or refused already. GET /orders/{id} tells how and when.',
  },
  'content-too-large': {
    status: 413,
    title: 'The content is too large',
    about: 'A body may hold 64 KiB.',
  },
  'unsupported-media-type': {
    status: 415,
    title: 'The body is not JSON',
    about: 'Send `Content-Type: application/json`.',
  },
  'key-reused': {
    status: 422,
    title: 'The Idempotency-Key belongs to another request',
    about:
      'An Idempotency-Key stands for one request: with it, another body came before. Use a new key for a new request; to repeat one, send it unchanged. Keys are remembered for seven days.',
  },
  'too-many-requests': {
    status: 429,
    title: 'Too many commands',
    about: 'A caller may send 50 commands a second, and 200 at once. Wait as Retry-After says.',
  },
  'headers-too-large': {
    status: 431,
    title: 'The address and headers are too large',
    about: 'The request line and the headers together may take 16 KiB.',
  },
  internal: {
    status: 500,
    title: 'Something broke',
    about:
      'A fault of the engine. Its log has the cause. Reading changes nothing; a command may be sent again with the same Idempotency-Key.',
  },
  'not-stored': {
    status: 503,
    title: 'NATS did not store it',
    about:
      'NATS did not confirm the command. `detail` says whether it certainly was not stored or nobody knows. Send it again with the same Idempotency-Key: it is acted upon once.',
  },
  'too-many-clients': {
    status: 503,
    title: 'Too many follow the stream',
    about:
      'All places at /stream are taken. Close a connection that is not needed, or wait as Retry-After says.',
  },
  'past-is-busy': {
    status: 503,
    title: 'The past is asked for too often',
    about:
      'Questions about the past fold the book anew, a few at a time. Wait as Retry-After says.',
  },
  'not-caught-up': {
    status: 503,
    title: 'The position was not reached in time',
    about:
      'The projections have not reached the position of `minPosition` within five seconds. Ask again; /readyz tells whether they have stopped.',
  },
} as const

export type ProblemKind = keyof typeof KINDS

export interface ProblemOptions {
  errors?: { pointer: string; detail: string }[]
  headers?: Record<string, string>
}

/** An answer that is an error, thrown by handlers. `detail` names the remedy. */
export class Problem extends Error {
  override name = 'Problem'
  readonly code: ProblemKind
  readonly body: ProblemBody
  readonly headers: Readonly<Record<string, string>>
  constructor(kind: ProblemKind, detail: string, options: ProblemOptions = {}) {
    super(detail)
    const { status, title } = KINDS[kind]
    this.code = kind
    this.headers = options.headers ?? {}
    this.body = {
      type: `/problems/${kind}`,
      title,
      status,
      detail,
      ...(options.errors !== undefined && { errors: options.errors }),
    }
  }
}

export const PROBLEM_TYPE = 'application/problem+json; charset=utf-8'

/** What a thrown thing is answered with; anything unforeseen is `internal` and tells nothing of the inside. */
export function problemOf(error: unknown): Problem {
  if (error instanceof Problem) return error
  const { statusCode, code } = error as { statusCode?: unknown; code?: unknown }
  switch (statusCode) {
    case 415:
      return new Problem('unsupported-media-type', 'send the body as application/json')
    case 400:
      return new Problem('bad-request', `the request cannot be read (${String(code)})`)
    case 414:
      return new Problem('not-found', 'no id is that long')
    case 408:
      return new Problem('request-timeout', 'send the whole request at once')
    case 413:
      return new Problem('content-too-large', 'send less')
    default:
      return new Problem('internal', 'the cause is in the log of the engine')
  }
}

/** A whole HTTP answer for connections that ended before there was a request to answer. */
export function rawProblem(error: { code?: string }): string {
  const problem =
    error.code === 'HPE_HEADER_OVERFLOW'
      ? new Problem('headers-too-large', 'the request line and headers take more than 16 KiB')
      : error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
        ? new Problem('request-timeout', 'send the whole request at once')
        : new Problem('bad-request', 'this is not an HTTP request')
  const text = JSON.stringify(problem.body)
  const { status, title } = problem.body
  return (
    `HTTP/1.1 ${status} ${title}\r\nContent-Type: ${PROBLEM_TYPE}\r\n` +
    `Content-Length: ${Buffer.byteLength(text)}\r\nConnection: close\r\n\r\n${text}`
  )
}
