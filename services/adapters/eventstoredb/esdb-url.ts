import { EventStoreUrlInvalid } from './esdb-errors.ts'

const OPTIONS = new Set([
  'tls',
  'tlscafile',
  'usercertfile',
  'userkeyfile',
  'maxdiscoverattempts',
  'connectionname',
  'defaultdeadline',
  'discoveryinterval',
  'gossiptimeout',
  'nodepreference',
  'keepaliveinterval',
  'keepalivetimeout',
])

/** The URL as messages and logs show it: protocol and hosts, without credentials and options. */
export function shownUrl(url: string): string {
  const match = /^\s*([a-z+]+:\/\/)?(?:[^/?]*@)?([^/?@]*)/i.exec(url)
  return `${match?.[1] ?? ''}${match?.[2] ?? ''}`
}

/**
 * Refuses a URL before the client sees it, because the client answers a flaw with a message that holds the whole
 * URL, password included, cuts a password at a colon, and only warns about an option it does not know.
 */
export function checkUrl(url: string): void {
  const flaw = flawOf(url.trim())
  if (flaw !== null) throw new EventStoreUrlInvalid(shownUrl(url), flaw)
}

function flawOf(url: string): string | null {
  const protocol = /^esdb(\+discover)?:\/\//.exec(url)
  if (protocol === null) return 'it begins with neither esdb:// nor esdb+discover://'
  const [place = '', query, ...more] = url.slice(protocol[0].length).split('?')
  if (more.length > 0) return 'it has more than one question mark'
  const at = place.lastIndexOf('@')
  const credentials = at < 0 ? null : place.slice(0, at).split(':')
  if (credentials !== null && (credentials.length !== 2 || credentials.some((part) => !part))) {
    return 'its credentials are not user:password (write : as %3A and @ as %40 inside them)'
  }
  if (credentials?.some((part) => part.includes('@') || !isDecodable(part))) {
    return 'its credentials are not URL-encoded'
  }
  const hosts = place.slice(at + 1).replace(/\/+$/, '')
  for (const host of hosts.split(',')) {
    if (!/^[\w.-]+(:\d{1,5})?$/.test(host)) return `${JSON.stringify(host)} is not host:port`
  }
  return query === undefined || query === '' ? null : flawOfOptions(query)
}

function flawOfOptions(query: string): string | null {
  for (const pair of query.split('&')) {
    const [key = '', value = ''] = pair.split('=')
    const name = key.trim().toLowerCase().replace(/[_-]/g, '')
    if (name === 'tlsverifycert') {
      return 'tlsVerifyCert is not supported: name the certificate authority with tlsCAFile'
    }
    // The adapter's handling of refused appends rests on the default.
    if (!OPTIONS.has(name)) return `option ${JSON.stringify(key)} is unknown`
    if (value === '') return `option ${JSON.stringify(key)} has no value`
    if (name === 'tls' && value !== 'true' && value !== 'false') return 'tls is true or false'
  }
  return null
}

function isDecodable(text: string): boolean {
  try {
    decodeURIComponent(text)
    return true
  } catch {
    return false
  }
}
