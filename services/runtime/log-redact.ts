const STRUCK = '[redacted]'
const SENSITIVE =
  /api[-_ ]?key|access[-_ ]?key|private[-_ ]?key|secret|token|passw(?:or)?d|passphrase|authorization|credential|signature|webhook|cookie/i
/** What names a message, says when, or only speaks about secrets; worth having in a log. */
const HARMLESS =
  /^(?:webhook[-_]?(?:id|timestamp)|signals_require_signature|requires?_?signature)$/i
/** Shorter ones would strike out ordinary words. */
const SHORTEST_SECRET = 4

type Rule = readonly [pattern: RegExp, replacement: string]

/**
 * Secrets that show themselves by their form, wherever they stand in a text. Texts come from outside and may be
 * long: no pattern here, nor below, may take more than linear time.
 */
const FORMS: readonly Rule[] = [
  [/whsec_[A-Za-z0-9+/=_-]+/g, STRUCK],
  // Standard Webhooks signatures: `v1,` and the base64 of 32 bytes, `v1a,` and that of 64.
  [/\bv1a?,[A-Za-z0-9+/]{40,}={0,2}/g, STRUCK],
  [/\b(Bearer|Basic|Digest)[ :]+[A-Za-z0-9+/=._~-]{4,}/gi, `$1 ${STRUCK}`],
  [/\b([a-z][a-z0-9+.-]{0,20}:\/\/)[^\s/?#"'@]+@/gi, `$1${STRUCK}@`],
  [/(discord(?:app)?\.com\/api\/webhooks\/)[^\s"'<>]+/gi, `$1${STRUCK}`],
  [/(api\.telegram\.org\/(?:file\/)?bot)[^\s/"'<>]+/gi, `$1${STRUCK}`],
]
/** What stands between the rest of a name and its value, in code, JSON, and JSON inside JSON. */
const SIGN = /[\w-]{0,64}\\{0,16}["']?\s{0,8}[:=]\s{0,8}/y
const BARE = /[^\s,;&"'{}()[\]]*/y
/** Most lines hold nothing that could be a secret; those are passed on after this one look. */
const HINT = new RegExp(
  `${SENSITIVE.source}|whsec_|v1a?,|bearer|basic|digest|://|telegram\\.org`,
  'i',
)
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
    if (!HINT.test(json) && !this.#secrets.some((secret) => json.includes(secret))) return json
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
    return SENSITIVE.test(clean) ? strikeNamed(clean) : clean
  }
}

/** Strikes out `apiKey: xyz`, `"token":"xyz"`, `?secret=xyz` inside a text. */
function strikeNamed(text: string): string {
  const names = new RegExp(SENSITIVE, 'gi')
  let clean = ''
  let done = 0
  for (let name = names.exec(text); name !== null; name = names.exec(text)) {
    SIGN.lastIndex = names.lastIndex
    if (!SIGN.test(text)) continue
    const start = SIGN.lastIndex
    const end = endOfValue(text, start)
    if (end === start) continue
    const before =
      /[\w-]*$/.exec(text.slice(Math.max(done, name.index - 64), name.index))?.[0] ?? ''
    const whole = before + (/^[\w-]*/.exec(text.slice(name.index, start))?.[0] ?? '')
    const value = text.slice(start, end)
    const spared = HARMLESS.test(whole) || SPARED.test(value) || value.startsWith(STRUCK)
    clean += text.slice(done, start) + (spared ? value : STRUCK)
    done = end
    names.lastIndex = end
  }
  return clean + text.slice(done)
}

/** A list, an object and a quotation without an end go with everything after them: where they end cannot be told. */
function endOfValue(text: string, start: number): number {
  let open = start
  while (text[open] === '\\') open++
  const quote = text[open]
  if (quote === '"' || quote === "'") return endOfQuotation(text, quote, open + 1, open - start)
  if (quote === '{' || (quote === '[' && !text.startsWith(STRUCK, open))) return text.length
  if (quote === '[') return open + STRUCK.length
  BARE.lastIndex = start
  BARE.test(text)
  return BARE.lastIndex
}

/** The closing quote of JSON inside JSON has as many backslashes before it as the opening one. */
function endOfQuotation(text: string, quote: string, from: number, slashes: number): number {
  let run = 0
  for (let index = from; index < text.length; index++) {
    if (text[index] === '\\') run++
    else if (text[index] === quote && run === slashes) return index + 1
    else run = 0
  }
  return text.length
}

function isSensitive(key: string): boolean {
  return SENSITIVE.test(key) && !HARMLESS.test(key)
}

/** Whether something is set tells nothing of what it is. */
function isTelling(value: unknown): boolean {
  return value !== null && typeof value !== 'boolean' && value !== ''
}
