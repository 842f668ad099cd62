/** Where a page ended: the listing, its order, and the key of the last item. Clients are not to look inside. */
export interface Cursor {
  listing: string
  descending: boolean
  key: string
}

export function encodeCursor({ listing, descending, key }: Cursor): string {
  return Buffer.from(`1 ${listing} ${descending ? 'desc' : 'asc'} ${key}`).toString('base64url')
}

const CURSOR = /^[A-Za-z0-9_-]{8,200}$/
const INSIDE = /^1 ([a-z]+) (asc|desc) ([A-Za-z0-9./-]{1,64})$/

/** Null when the text is no cursor that this API has given out. */
export function decodeCursor(text: string): Cursor | null {
  if (!CURSOR.test(text)) return null
  const match = INSIDE.exec(Buffer.from(text, 'base64url').toString('utf8'))
  if (match === null) return null
  const [, listing = '', order = '', key = ''] = match
  const cursor = { listing, descending: order === 'desc', key }
  // Base64 has several spellings of one text; only ours counts.
  return encodeCursor(cursor) === text ? cursor : null
}

/** The key of a listing by position; null when it is none. */
export function entryKey(key: string): number | null {
  return /^(0|[1-9]\d{0,14})$/.test(key) ? Number(key) : null
}
