import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { Problem } from './problem.ts'

/** What a caller may do: read; send signals and orders; halt, resume, cancel, flatten. */
export const SCOPES = ['read', 'signal', 'control'] as const
export type Scope = (typeof SCOPES)[number]

export interface Caller {
  /** Operator of the signals and actor of the controls that it sends. */
  name: string
  scopes: readonly Scope[]
}

/** The tokens file cannot be used: it names the entry and what is wrong, never a token. */
export class BadTokensFile extends Error {
  override name = 'BadTokensFile'
  readonly code = 'bad_tokens_file'
  constructor(path: string, what: string) {
    super(`${path} ${what}`)
  }
}

/** Callers by the sha256 (hex) of their tokens. */
export type Tokens = ReadonlyMap<string, Caller>

const NAME = /^[A-Za-z0-9_-]{1,64}$/

/** Reads `{ "<name>": { "sha256": "<hex>", "scopes": ["read", …] } }`. Throws BadTokensFile. */
export function readTokensFile(path: string): Tokens {
  let file: unknown
  try {
    file = JSON.parse(readFileSync(path, 'utf8'))
  } catch (error) {
    const reason = error instanceof SyntaxError ? 'is not JSON' : (error as Error).message
    throw new BadTokensFile(path, `cannot be read (${reason}): correct API_TOKENS_FILE`)
  }
  if (typeof file !== 'object' || file === null || Array.isArray(file)) {
    throw new BadTokensFile(path, 'is not an object of names')
  }
  const tokens = new Map<string, Caller>()
  for (const [name, entry] of Object.entries(file)) {
    const { sha256, scopes } = (entry ?? {}) as { sha256?: unknown; scopes?: unknown }
    if (!NAME.test(name)) {
      throw new BadTokensFile(path, `names "${name}": use 1 to 64 letters, digits, _ and -`)
    }
    if (typeof sha256 !== 'string' || !/^[0-9a-f]{64}$/.test(sha256)) {
      throw new BadTokensFile(path, `has no sha256 of 64 hex digits for ${name}`)
    }
    if (tokens.has(sha256)) throw new BadTokensFile(path, `gives ${name} the token of another`)
    const known = Array.isArray(scopes) && scopes.every((scope) => SCOPES.includes(scope))
    if (!known || scopes.length === 0) {
      throw new BadTokensFile(path, `must give ${name} scopes of ${SCOPES.join(', ')}`)
    }
    tokens.set(sha256, { name, scopes: scopes as Scope[] })
  }
  if (tokens.size === 0) throw new BadTokensFile(path, 'names nobody')
  return tokens
}

/** The same with a token more, made now, by which this engine's own commands read. */
export function withOwnToken(tokens: Tokens): { tokens: Tokens; token: string } {
  const token = randomBytes(32).toString('base64url')
  const sha256 = createHash('sha256').update(token).digest('hex')
  return { tokens: new Map([...tokens, [sha256, { name: 'cli', scopes: ['read'] }]]), token }
}

/** Whoever reaches a loopback address without tokens is this caller. */
const LOCAL: Caller = { name: 'api', scopes: SCOPES }
const LOOPBACK_NAME = /^(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d{1,5})?$/i

/** Who may ask what. `tokens` null: everybody on this machine, and nobody whom a web page sends. */
export class Access {
  readonly #tokens: Tokens | null

  constructor(tokens: Tokens | null) {
    this.#tokens = tokens
  }

  /** Throws Problem unauthorized, forbidden, foreign-host or foreign-origin. */
  caller(request: FastifyRequest, scope: Scope): Caller {
    const { host, authorization } = request.headers
    if (this.#tokens === null) {
      // A page whose name was pointed at this machine would otherwise be let in by the browser.
      if (host !== undefined && !LOOPBACK_NAME.test(host)) {
        throw new Problem(
          'foreign-host',
          `the Host header must name this machine, such as localhost`,
        )
      }
      if (isForeign(request, host)) {
        throw new Problem(
          'foreign-origin',
          'pages of other sites may not send commands or read answers',
        )
      }
      return LOCAL
    }
    const caller = this.#known(authorization)
    if (!caller.scopes.includes(scope)) {
      throw new Problem('forbidden', `${caller.name} has not the scope ${scope}`)
    }
    return caller
  }

  #known(authorization: string | undefined): Caller {
    const token = /^Bearer ([\x21-\x7e]{8,512})$/i.exec(authorization ?? '')?.[1]
    const problem = (): Problem =>
      new Problem('unauthorized', 'send Authorization: Bearer with a token of API_TOKENS_FILE', {
        headers: { 'www-authenticate': 'Bearer' },
      })
    if (token === undefined) throw problem()
    const given = createHash('sha256').update(token).digest()
    let found: Caller | null = null
    // All are looked at, so that the time does not tell which came near.
    for (const [sha256, caller] of this.#tokens ?? []) {
      if (timingSafeEqual(given, Buffer.from(sha256, 'hex'))) found = caller
    }
    if (found === null) throw problem()
    return found
  }
}

/**
 * Whether a page of another site makes a browser send it: another port of this machine is another site too. To follow
 * a link to here is no such thing.
 */
function isForeign({ headers }: FastifyRequest, host: string | undefined): boolean {
  const { origin } = headers
  if (origin !== undefined) return origin.replace(/^https?:\/\//, '') !== host
  const site = headers['sec-fetch-site'] ?? 'none'
  return site !== 'none' && site !== 'same-origin' && headers['sec-fetch-mode'] !== 'navigate'
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** What a caller needs; null: nothing. Left out: read. */
    scope?: Scope | null
  }
}

const callers = new WeakMap<FastifyRequest, Caller>()

/** Who sent a request that was let in. */
export function callerOf(request: FastifyRequest): Caller {
  const caller = callers.get(request)
  if (caller === undefined) throw new Error(`${request.url} was let in without being looked at`)
  return caller
}

/** Lets in who may, before anything of the body is read; commands have a rate besides. */
export function guard(app: FastifyInstance, access: Access, limit: RateLimit): void {
  app.addHook('onRequest', async (request) => {
    const { scope = 'read' } = request.routeOptions.config
    if (scope === null) return
    const caller = access.caller(request, scope)
    if (scope !== 'read') limit.take(caller.name)
    callers.set(request, caller)
  })
}

/** So many commands a second, and at once, from one caller. */
const RATE = 50
const BURST = 200

/** A bucket of commands for each caller. */
export class RateLimit {
  readonly #now: () => number
  readonly #buckets = new Map<string, { left: number; at: number }>()

  constructor(now: () => number = () => performance.now()) {
    this.#now = now
  }

  /** Throws Problem too-many-requests. */
  take(name: string): void {
    const now = this.#now()
    const bucket = this.#buckets.get(name) ?? { left: BURST, at: now }
    bucket.left = Math.min(BURST, bucket.left + ((now - bucket.at) / 1000) * RATE)
    bucket.at = now
    this.#buckets.set(name, bucket)
    if (bucket.left < 1) {
      throw new Problem('too-many-requests', `at most ${RATE} commands a second: send fewer`, {
        headers: { 'retry-after': '1' },
      })
    }
    bucket.left--
  }
}
