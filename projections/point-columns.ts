import type { Decimal } from '../engine/decimal.ts'
import type { Page } from './listing.ts'

/** The account after all bars of one moment. */
export interface PointRecord {
  /** Position of the moment's first bar. */
  entry: number
  /** Start of the bar, ms. */
  time: number
  /** Engine time, ms. */
  at: number
  cash: Decimal
  positionValue: Decimal
  /** Highest equity of the points before and of this one, the cash to begin with included. */
  peak: Decimal
}

const ROWS = 512
const WIDTH = 6

/**
 * Points in columns, 48 bytes each: there is one for every bar of the book. A copy shares the blocks, and whoever
 * writes to a shared one first takes one of its own. Amounts beyond a safe integer stand beside the columns.
 */
export class PointColumns {
  #blocks: Float64Array[] = []
  /** Only the last block is ever written to; whether it is ours alone. */
  #owned = true
  #size = 0
  /** Cell number → an amount that no number holds. */
  #large = new Map<number, bigint>()

  get size(): number {
    return this.#size
  }

  add(point: PointRecord): void {
    if (this.#size % ROWS === 0) {
      this.#blocks.push(new Float64Array(ROWS * WIDTH))
      this.#owned = true
    }
    this.#size++
    this.#write(this.#size - 1, point)
  }

  /** Puts another point in the place of the newest. */
  replaceLast(point: PointRecord): void {
    this.#write(this.#size - 1, point)
  }

  /** Throws RangeError outside the list. */
  at(index: number): PointRecord {
    if (!(index >= 0 && index < this.#size)) throw new RangeError(`no point ${index}`)
    return {
      entry: this.#cell(index, 0) as number,
      time: this.#cell(index, 1) as number,
      at: this.#cell(index, 2) as number,
      cash: this.#cell(index, 3),
      positionValue: this.#cell(index, 4),
      peak: this.#cell(index, 5),
    }
  }

  copy(): PointColumns {
    this.#owned = false
    const copy = new PointColumns()
    copy.#blocks = this.#blocks.slice()
    copy.#owned = false
    copy.#size = this.#size
    copy.#large = new Map(this.#large)
    return copy
  }

  /** As Listing.page: found by halving, and stable while points are added. */
  page(query: { limit: number; after: number | null; descending: boolean }): Page<PointRecord> {
    const { limit, after, descending } = query
    const items: PointRecord[] = []
    const step = descending ? -1 : 1
    let index = after === null ? (descending ? this.#size - 1 : 0) : this.#beside(after, descending)
    for (; index >= 0 && index < this.#size; index += step) {
      if (items.length === limit) return { items, more: true }
      items.push(this.at(index))
    }
    return { items, more: false }
  }

  /** The first behind an entry, or the last before it. */
  #beside(entry: number, descending: boolean): number {
    let low = 0
    let high = this.#size
    while (low < high) {
      const middle = (low + high) >>> 1
      const found = this.#cell(middle, 0)
      if (descending ? found < entry : found <= entry) low = middle + 1
      else high = middle
    }
    return descending ? low - 1 : low
  }

  #cell(index: number, column: number): Decimal {
    const value = this.#blocks[Math.trunc(index / ROWS)]![(index % ROWS) * WIDTH + column]!
    return Number.isNaN(value) ? this.#large.get(index * WIDTH + column)! : value
  }

  #write(index: number, { entry, time, at, cash, positionValue, peak }: PointRecord): void {
    const number = Math.trunc(index / ROWS)
    let block = this.#blocks[number]!
    if (!this.#owned) {
      block = block.slice()
      this.#blocks[number] = block
      this.#owned = true
    }
    const start = (index % ROWS) * WIDTH
    block[start] = entry
    block[start + 1] = time
    block[start + 2] = at
    block[start + 3] = this.#number(cash, index * WIDTH + 3)
    block[start + 4] = this.#number(positionValue, index * WIDTH + 4)
    block[start + 5] = this.#number(peak, index * WIDTH + 5)
  }

  #number(value: Decimal, cell: number): number {
    if (typeof value === 'number') return value
    this.#large.set(cell, value)
    return Number.NaN
  }
}
