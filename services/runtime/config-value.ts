import { statSync } from 'node:fs'
import { resolve } from 'node:path'
import type { SettingSpec, SettingValue } from './config-spec.ts'

/** The value read; or that the text is not allowed, and why where that is not plain from what is. */
export type Parsed = { ok: true; value: SettingValue } | { ok: false; why?: string }

const SYMBOL = /^[A-Z0-9][A-Z0-9/-]{0,23}(\.[A-Z0-9]{1,4})?$/
const TRUTH: Readonly<Record<string, boolean>> = { true: true, 1: true, false: false, 0: false }

/** The values a setting takes, in words that end a sentence. */
export function allowedValues(spec: SettingSpec): string {
  switch (spec.kind) {
    case 'boolean':
      return 'true or false'
    case 'enum':
      return spec.allowed?.length === 1
        ? `${spec.allowed[0]}`
        : `one of ${spec.allowed?.join(', ')}`
    case 'integer':
    case 'number': {
      const what = spec.kind === 'integer' ? 'an integer' : 'a number'
      return `${what} from ${spec.min} to ${spec.max}${spec.unit ? ` (${spec.unit})` : ''}`
    }
    case 'symbols':
      return 'upper-case symbols separated by commas, such as AAPL,MSFT'
    case 'url': {
      const starts = (spec.protocols ?? []).map((protocol) => `${protocol}://`).join(' or ')
      return spec.addresses
        ? `host:port or ${starts}host:port, several separated by commas`
        : `an address that begins with ${starts}`
    }
    case 'host':
      return 'a host name or an IP address, without protocol and port'
    case 'file':
      return 'a file that exists'
    case 'path':
      return 'a folder'
    case 'program':
      return 'a program on PATH, or the path of one'
    case 'text':
      return 'one word without spaces'
  }
}

/** Reads a text that is not empty. Relative paths are taken from `cwd`. */
export function parseValue(spec: SettingSpec, text: string, cwd: string): Parsed {
  const no: Parsed = { ok: false }
  const yes = (value: SettingValue): Parsed => ({ ok: true, value })
  switch (spec.kind) {
    case 'boolean': {
      const value = TRUTH[text.toLowerCase()]
      return value === undefined ? no : yes(value)
    }
    case 'enum': {
      const value = spec.anyCase ? text.toLowerCase() : text
      if (spec.allowed?.includes(value)) return yes(value)
      if (!spec.later?.includes(value)) return no
      return { ok: false, why: 'it comes later, not in this version' }
    }
    case 'integer':
    case 'number': {
      const form = spec.kind === 'integer' ? /^-?\d{1,15}$/ : /^-?(\d{1,15}(\.\d*)?|\.\d+)$/
      const value = Number(text)
      const { min = -Infinity, max = Infinity } = spec
      return form.test(text) && value >= min && value <= max ? yes(value) : no
    }
    case 'symbols':
      return parseSymbols(text)
    case 'url':
      return isAddress(spec, text) ? yes(text) : no
    case 'host':
      return isHost(text) ? yes(text) : no
    case 'path':
    case 'file':
    case 'program':
      return parsePath(spec, text, cwd)
    case 'text':
      return /[\s\p{Cc}]/u.test(text) ? no : yes(text)
  }
}

function parseSymbols(text: string): Parsed {
  const symbols = text
    .split(',')
    .map((symbol) => symbol.trim())
    .filter((symbol) => symbol !== '')
  const bad = symbols.find((symbol) => !SYMBOL.test(symbol))
  if (bad !== undefined) return { ok: false, why: `${quote(bad)} is no symbol` }
  return symbols.length > 0 ? { ok: true, value: [...new Set(symbols)] } : { ok: false }
}

function isAddress(spec: SettingSpec, text: string): boolean {
  if (/[\s\p{Cc}]/u.test(text)) return false
  const protocols = spec.protocols ?? []
  if (spec.addresses) {
    return text.split(',').every((part) => {
      const full = part.includes('://') ? part : `${protocols[0]}://${part}`
      return isUrl(full, protocols)
    })
  }
  // A cluster is one URL with several hosts, which the URL standard does not know: look at the first one.
  const oneHost = text.replace(/^([^/]*:\/\/[^/?,]*),[^/?]*/, '$1')
  return isUrl(oneHost, protocols)
}

function isUrl(text: string, protocols: readonly string[]): boolean {
  if (!URL.canParse(text)) return false
  const { protocol, hostname } = new URL(text)
  return protocols.includes(protocol.slice(0, -1)) && hostname !== '' && text.includes('://')
}

function isHost(given: string): boolean {
  const text = given.replace(/^\[(.*)\]$/, '$1')
  if (/^[0-9a-f:.]*:[0-9a-f:.]*$/i.test(text)) return URL.canParse(`http://[${text}]/`)
  // Brackets are for IPv6 alone.
  if (text !== given) return false
  return /^[a-z0-9]([a-z0-9._-]*[a-z0-9])?$/i.test(text) && URL.canParse(`http://${text}/`)
}

function parsePath(spec: SettingSpec, text: string, cwd: string): Parsed {
  if (/\p{Cc}/u.test(text)) return { ok: false }
  if (text.startsWith('~')) return { ok: false, why: '~ is not expanded, write the whole path' }
  if (spec.kind === 'program' && !text.includes('/')) return { ok: true, value: text }
  const path = resolve(cwd, text)
  const found = spec.kind === 'program' ? undefined : whatLiesAt(path)
  if (spec.kind === 'file' && found !== 'file') {
    return { ok: false, why: `${path} ${found === 'folder' ? 'is a folder' : 'does not exist'}` }
  }
  if (spec.kind === 'path' && found === 'file') return { ok: false, why: `${path} is a file` }
  return { ok: true, value: path }
}

function whatLiesAt(path: string): 'file' | 'folder' | undefined {
  try {
    return statSync(path).isDirectory() ? 'folder' : 'file'
  } catch {
    return undefined // absent, or behind a folder that may not be entered: for us the same
  }
}

/** A text between quotes, control characters made visible. */
export function quote(text: string): string {
  return JSON.stringify(text)
}

/** What may be shown of a secret. */
export function maskSecret(text: string): string {
  return text.length < 8 ? 'set (****)' : `set (****${text.slice(-2)})`
}

/** An address without the credentials before its host, and without those in its query. */
export function maskAddress(text: string): string {
  return text
    .split(',')
    .map((part) => part.replace(/^([a-z+]+:\/*)?[^]*@/i, '$1****@'))
    .join(',')
    .replace(/([?&][^=&]*(?:pass|token|secret|key)[^=&]*=)[^&]*/gi, '$1****')
}

/** A setting's text as it may be printed. */
export function maskText(spec: SettingSpec, text: string): string {
  if (text === '') return ''
  if (spec.secret) return maskSecret(text)
  return spec.kind === 'url' ? maskAddress(text) : text
}

/** Passwords and tokens inside an address, as written and decoded. */
export function addressSecrets(text: string): string[] {
  return text.split(',').flatMap((part) => {
    const credentials = /^(?:[a-z+]+:\/*)?([^]*)@/i.exec(part)?.[1]
    if (!credentials) return []
    const colon = credentials.indexOf(':')
    const secret = colon < 0 ? credentials : credentials.slice(colon + 1)
    try {
      return [...new Set([secret, decodeURIComponent(secret)])]
    } catch {
      return [secret] // a stray % sign: the client will refuse it, the text is still a secret
    }
  })
}
