const STRUCK = '[redacted]'
const SENSITIVE =
  /api[-_ ]?key|access[-_ ]?key|private[-_ ]?key|secret|token|passw(?:or)?d|passphrase|authorization|credential|signature|webhook|cookie/i
/** What names a message, says when, or only speaks about secrets; worth having in a log. */
const HARMLESS =
  /^(?:webhook[-_]?(?:id|timestamp)|signals_require_signature|requires?_?signature)$/i
/** Shorter ones would strike out ordinary words. */
const SHORTEST_SECRET = 4

type Rule = readonly [pattern: RegExp, replacement: string]

/** Secrets that show themselves by their form, wherever they stand in a text. */
const FORMS: readonly Rule[] = [
  [/whsec_[A-Za-z0-9+/=_-]+/g, STRUCK],
  // Standard Webhooks signatures: `v1,` and the base64 of 32 bytes, `v1a,` and that of 64.
  [/\bv1a?,[A-Za-z0-9+/]{40,}={0,2}/g, STRUCK],
  [/\b(Bearer|Basic|Digest)[ :]+[A-Za-z0-9+/=._~-]{4,}/gi, `$1 ${STRUCK}`],
  [/\b([a-z][a-z0-9+.-]*:\/\/)[^\s/?#"'@]+@/gi, `$1${STRUCK}@`],
  [/(discord(?:app)?\.com\/api\/webhooks\/)[^\s"'<>]+/gi, `$1${STRUCK}`],
  [/(api\.telegram\.org\/(?:file\/)?bot)[^\s/"'<>]+/gi, `$1${STRUCK}`],
]
/**
 * `apiKey: xyz`, `"token":"xyz"`, `?secret=xyz`: a name and its value inside a text. A list or an object goes with
 * everything after it: where it ends cannot be told.
 */
const NAMED =
  /([\w-]*(?:api[-_]?key|access[-_]?key|private[-_]?key|secret|token|passw(?:or)?d|passphrase|authorization|credential|signature|webhook|cookie)[\w-]*)(\\*["']?\s*[:=]\s*)(\\*"(?:[^"\\]|\\[^"])*\\*"|'[^']*'|[[{][^]*|[^\s,;&"'{}()[\]]+)/gi
const SPARED = /^(?:true|false|null|undefined)$/

/**
 * Strikes out secrets: in objects everything under a key that names one, at any depth; in texts known forms,
 * `name=value` pairs, and the given `secrets` as such, quoted or percent-encoded. Secrets of fewer than four
 * characters are left to the other two.
 */
export class Redaction {
  readonly #secrets: readonly string[]

  constructor(secrets: Iterable<string> = []) {
    const forms = new Set<string>()
    for (const secret of secrets) {
      if (secret.length < SHORTEST_SECRET) continue
      const once = JSON.stringify(secret).slice(1, -1)
      const twice = JSON.stringify(once).slice(1, -1)
      for (const form of [secret, once, twice, encodeURIComponent(secret)]) forms.add(form)
    }
    // The longest first: one may contain another.
    this.#secrets = [...forms].sort((a, b) => b.length - a.length)
  }

  /** A log line of JSON, struck out; its order of keys is kept. */
  line(json: string): string {
    try {
      const value: unknown = JSON.parse(json)
      const clean = this.value(value)
      return clean === value ? json : `${JSON.stringify(clean)}\n`
    } catch {
      return this.text(json)
    }
  }

  /** A JSON value, struck out; the same object when there was nothing to strike. */
  value(value: unknown): unknown {
    if (typeof value === 'string') return this.text(value)
    if (typeof value !== 'object' || value === null) return value
    if (Array.isArray(value)) {
      const items = value.map((item) => this.value(item))
      return items.every((item, index) => item === value[index]) ? value : items
    }
    let changed = false
    const entries = Object.entries(value).map(([key, inner]): [string, unknown] => {
      const cleanKey = this.text(key)
      const clean = isSensitive(key) && isTelling(inner) ? STRUCK : this.value(inner)
      if (clean !== inner || cleanKey !== key) changed = true
      return [cleanKey, clean]
    })
    return changed ? Object.fromEntries(entries) : value
  }

  text(text: string): string {
    let clean = text
    for (const secret of this.#secrets) {
      if (clean.includes(secret)) clean = clean.replaceAll(secret, STRUCK)
    }
    for (const [pattern, replacement] of FORMS) clean = clean.replace(pattern, replacement)
    if (!SENSITIVE.test(clean)) return clean
    return clean.replace(NAMED, (whole, name: string, sign: string, value: string) =>
      HARMLESS.test(name) || SPARED.test(value) || value.startsWith(STRUCK.slice(0, -1))
        ? whole
        : `${name}${sign}${STRUCK}`,
    )
  }
}

function isSensitive(key: string): boolean {
  return SENSITIVE.test(key) && !HARMLESS.test(key)
}

/** Whether something is set tells nothing of what it is. */
function isTelling(value: unknown): boolean {
  return value !== null && typeof value !== 'boolean' && value !== ''
}
