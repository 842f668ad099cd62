import { Chunks } from './chunks.ts'
import { KeyIndex } from './key-index.ts'

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
  #all = new Chunks<T>()
  #bySymbol = new KeyIndex<string>()

  /** Returns the item's index. Throws RangeError when the entry does not lie behind the last one. */
  add(item: T): number {
    const { size } = this.#all
    const last = size === 0 ? undefined : this.#all.at(size - 1)
    if (last !== undefined && item.entry <= last.entry) {
      throw new RangeError(`entry ${item.entry} does not lie behind ${last.entry}`)
    }
    const index = this.#all.push(item)
    if (item.symbol !== null) this.#bySymbol.add(item.symbol, index)
    return index
  }

  get size(): number {
    return this.#all.size
  }

  /** The item at an index, to be read only. */
  at(index: number): T {
    return this.#all.at(index)
  }

  /** The item at an index, to be changed by setting fields; entry and symbol stay. */
  edit(index: number): T {
    return this.#all.edit(index)
  }

  /** A listing of its own with the same items. */
  copy(): Listing<T> {
    const copy = new Listing<T>()
    copy.#all = this.#all.copy()
    copy.#bySymbol = this.#bySymbol.copy(this.#all.size)
    return copy
  }

  page(query: PageQuery<T>): Page<T> {
    const { limit, after, descending, symbol, matches } = query
    const indices = symbol === undefined ? null : this.#bySymbol.get(symbol)
    const length = indices === null ? this.#all.size : indices.length
    const item = (place: number): T => this.#all.at(indices === null ? place : indices[place]!)
    const step = descending ? -1 : 1
    const items: T[] = []
    for (let i = start(item, length, after, descending); i >= 0 && i < length; i += step) {
      const found = item(i)
      if (matches !== undefined && !matches(found)) continue
      if (items.length === limit) return { items, more: true }
      items.push(found)
    }
    return { items, more: false }
  }
}

/** Place of the first item of the page: behind `after`, or before it when newest come first. */
function start(
  item: (place: number) => Entry,
  length: number,
  after: number | null,
  descending: boolean,
): number {
  if (after === null) return descending ? length - 1 : 0
  let low = 0
  let high = length
  while (low < high) {
    const middle = (low + high) >>> 1
    const { entry } = item(middle)
    if (descending ? entry < after : entry <= after) low = middle + 1
    else high = middle
  }
  return descending ? low - 1 : low
}
