/**
 * Signatures of manual signals after Standard Webhooks: `v1,<base64 of HMAC-SHA256>` over
 * `id.timestamp.<subject>\n<payload>`. The subject is bound in, so that what one operator signed
 * cannot be published as another's.
 */
import { createHmac, timingSafeEqual } from 'node:crypto'
import { readFileSync, statSync } from 'node:fs'
import type { InboundMessage } from '../../engine/ports/bus.ts'

/** The keys file cannot be used: it names the operator and what is wrong, never a secret. */
export class BadKeysFile extends Error {
  override name = 'BadKeysFile'
  readonly code = 'bad_keys_file'
  readonly path: string
  constructor(path: string, what: string) {
    super(`${path} ${what}`)
    this.path = path
  }
}

/** Keys by operator; the first of several signs, all verify, so that keys can be changed without a gap. */
export type SignalKeys = ReadonlyMap<string, readonly Buffer[]>

const PREFIX = 'whsec_'
const MIN_BYTES = 24
const MAX_BYTES = 64
const OPERATOR = /^[A-Za-z0-9_-]{1,64}$/
const TOLERANCE_MS = 5 * 60_000

/** The key of a secret `whsec_<base64>`; null when it is none of 24 to 64 bytes. */
export function secretKey(secret: string): Buffer | null {
  const text = secret.startsWith(PREFIX) ? secret.slice(PREFIX.length) : ''
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(text) || text.length % 4 !== 0) return null
  const key = Buffer.from(text, 'base64')
  return key.length >= MIN_BYTES && key.length <= MAX_BYTES ? key : null
}

/** Reads `{ "<operator>": "whsec_…" | ["whsec_…", …] }`. Throws BadKeysFile; `warning` is about its permissions. */
export function readKeysFile(path: string): { keys: SignalKeys; warning: string | null } {
  let text: string
  let mode: number
  try {
    text = readFileSync(path, 'utf8')
    mode = statSync(path).mode
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code ?? String(error)
    throw new BadKeysFile(path, `cannot be read (${reason}): correct SIGNALS_KEYS_FILE`)
  }
  const keys = new Map<string, readonly Buffer[]>()
  for (const [operator, value] of Object.entries(parseKeys(path, text))) {
    if (!OPERATOR.test(operator)) {
      throw new BadKeysFile(path, `names "${operator}": use 1 to 64 letters, digits, _ and -`)
    }
    const secrets: unknown[] = Array.isArray(value) ? value : [value]
    if (secrets.length === 0) throw new BadKeysFile(path, `has no secret for ${operator}`)
    const read = secrets.map((secret) => (typeof secret === 'string' ? secretKey(secret) : null))
    if (read.includes(null)) {
      throw new BadKeysFile(
        path,
        `has a secret for ${operator} that is not whsec_ and the base64 of ${MIN_BYTES} to ${MAX_BYTES} bytes`,
      )
    }
    keys.set(operator, read as Buffer[])
  }
  const open = process.platform !== 'win32' && (mode & 0o077) !== 0
  const warning = open ? `${path} can be read by others than its owner: chmod 600 ${path}` : null
  return { keys, warning }
}

function parseKeys(path: string, text: string): Record<string, unknown> {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    // The parser's own message would quote the file, secrets included.
    throw new BadKeysFile(path, 'is not JSON')
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new BadKeysFile(path, 'must be an object: { "<operator>": "whsec_…" }')
  }
  return value as Record<string, unknown>
}

/** What is signed. `timestamp` in whole seconds since the epoch, as text. */
export interface Signed {
  id: string
  timestamp: string
  subject: string
  payload: Uint8Array | string
}

/** The three headers of a signed message. */
export function signatureHeaders(signed: Signed, key: Buffer): Record<string, string> {
  return {
    'webhook-id': signed.id,
    'webhook-timestamp': signed.timestamp,
    'webhook-signature': `v1,${mac(key, `${signed.id}.${signed.timestamp}.${signed.subject}\n`, signed.payload).toString('base64')}`,
  }
}

/** HMAC-SHA256 over a head and a payload. */
export function mac(key: Buffer, head: string, payload: Uint8Array | string): Buffer {
  return createHmac('sha256', key).update(head).update(payload).digest()
}

/**
 * Checks the headers of a stored message: null when they hold, else what is wrong. Freshness compares the
 * signed time with the time at which the server stored the message, so that a long downtime spoils nothing.
 */
export function checkSignature(
  keys: SignalKeys,
  message: Pick<InboundMessage, 'subject' | 'headers' | 'payload' | 'storedAt'>,
  operator: string,
): { code: string; message: string } | null {
  const id = message.headers['webhook-id'] ?? ''
  const timestamp = message.headers['webhook-timestamp'] ?? ''
  const signatures = message.headers['webhook-signature'] ?? ''
  if (id === '' || !/^\d{1,12}$/.test(timestamp) || signatures === '') {
    return fault('webhook-id, webhook-timestamp (seconds) and webhook-signature are all needed')
  }
  const known = keys.get(operator)
  if (known === undefined) {
    return { code: 'unknown_operator', message: `there is no key for operator ${operator}` }
  }
  const age = message.storedAt - Number(timestamp) * 1000
  if (Math.abs(age) > TOLERANCE_MS) {
    const way = age > 0 ? 'before' : 'after'
    const seconds = Math.round(Math.abs(age) / 1000)
    return {
      code: 'signature_stale',
      message: `it was signed ${seconds} s ${way} it was stored; at most ${TOLERANCE_MS / 1000} s are allowed`,
    }
  }
  const head = `${id}.${timestamp}.${message.subject}\n`
  const wanted = known.map((key) => mac(key, head, message.payload))
  let holds = false
  for (const part of signatures.split(' ')) {
    if (!part.startsWith('v1,')) continue
    const given = Buffer.from(part.slice(3), 'base64')
    // Every key is compared with every signature: the time taken tells nothing.
    for (const mac of wanted) {
      if (given.length === mac.length && timingSafeEqual(given, mac)) holds = true
    }
  }
  return holds ? null : fault(`no v1 signature holds for operator ${operator} and this subject`)
}

function fault(message: string): { code: string; message: string } {
  return { code: 'signature_invalid', message }
}
