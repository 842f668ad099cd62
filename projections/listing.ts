/** Something that one event of the book brought about. */
export interface Entry {
  /** Position of that event; rises within a listing. */
  readonly entry: number
  /** Null where the symbol is not known. */
  readonly symbol: string | null
}

export interface PageQuery<T> {
  /** At most so many items. */
  limit: number
  /** Entry of the last item of the page before; null for the first page. */
  after: number | null
  /** Newest first. */
  descending: boolean
  symbol?: string
  matches?: (item: T) => boolean
}

export interface Page<T> {
  items: T[]
  /** Whether items follow. */
  more: boolean
}

/**
 * A list that only grows, in the order of the book. A page is found by binary search, so it costs what it
 * holds, plus the items that `matches` turns down. Walking it page by page shows each item exactly once
 * while new ones are added: oldest first they come at the end, newest first they lie before the start.
 */
export class Listing<T extends Entry> {
  readonly #all: T[] = []
  readonly #bySymbol = new Map<string, T[]>()

  /** Throws RangeError when the entry does not lie behind the last one. */
  add(item: T): void {
    const last = this.#all.at(-1)
    if (last !== undefined && item.entry <= last.entry) {
      throw new RangeError(`entry ${item.entry} does not lie behind ${last.entry}`)
    }
    this.#all.push(item)
    if (item.symbol === null) return
    const list = this.#bySymbol.get(item.symbol)
    if (list === undefined) this.#bySymbol.set(item.symbol, [item])
    else list.push(item)
  }

  get size(): number {
    return this.#all.length
  }

  page(query: PageQuery<T>): Page<T> {
    const { limit, after, descending, symbol, matches } = query
    const list = symbol === undefined ? this.#all : (this.#bySymbol.get(symbol) ?? [])
    const step = descending ? -1 : 1
    let index = start(list, after, descending)
    const items: T[] = []
    for (; index >= 0 && index < list.length; index += step) {
      const item = list[index]!
      if (matches !== undefined && !matches(item)) continue
      if (items.length === limit) return { items, more: true }
      items.push(item)
    }
    return { items, more: false }
  }
}

/** Index of the first item of the page: behind `after`, or before it when newest come first. */
function start(list: readonly Entry[], after: number | null, descending: boolean): number {
  if (after === null) return descending ? list.length - 1 : 0
  let low = 0
  let high = list.length
  while (low < high) {
    const middle = (low + high) >>> 1
    const { entry } = list[middle]!
    if (descending ? entry < after : entry <= after) low = middle + 1
    else high = middle
  }
  return descending ? low - 1 : low
}
