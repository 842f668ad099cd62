import type { ProblemBody } from '../../schemas/types.gen.ts'

/** Every kind of problem the API answers with: its type is `/problems/<kind>`. Kinds are never renamed. */
const KINDS = {
  'bad-request': { status: 400, title: 'The request cannot be read' },
  'invalid-parameters': { status: 400, title: 'A parameter is not valid' },
  'invalid-request': { status: 400, title: 'A field is missing or not valid' },
  unauthorized: { status: 401, title: 'A token is needed' },
  forbidden: { status: 403, title: 'The token does not allow it' },
  'foreign-host': { status: 403, title: 'The request is for another host' },
  'foreign-origin': { status: 403, title: 'The request comes from a foreign page' },
  'not-found': { status: 404, title: 'There is no such thing here' },
  'method-not-allowed': { status: 405, title: 'The method is not offered here' },
  'request-timeout': { status: 408, title: 'The request took too long to arrive' },
  'ambiguous-id': { status: 409, title: 'The id means more than one thing' },
  'order-ended': { status: 409, title: 'The order has ended' },
  'content-too-large': { status: 413, title: 'The content is too large' },
  'unsupported-media-type': { status: 415, title: 'The body is not JSON' },
  'key-reused': { status: 422, title: 'The Idempotency-Key belongs to another request' },
  'too-many-requests': { status: 429, title: 'Too many commands' },
  'headers-too-large': { status: 431, title: 'The address and headers are too large' },
  internal: { status: 500, title: 'Something broke' },
  'not-stored': { status: 503, title: 'NATS did not store it' },
  'too-many-clients': { status: 503, title: 'Too many follow the stream' },
  'past-is-busy': { status: 503, title: 'The past is asked for too often' },
  'not-caught-up': { status: 503, title: 'The position was not reached in time' },
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
