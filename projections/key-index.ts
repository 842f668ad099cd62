/**
 * Where the items of each key stand in a list that only grows: indices, rising. A copy shares what was noted
 * before it and keeps what comes after to itself, so it costs nothing.
 */
export class KeyIndex<K> {
  readonly #own = new Map<K, number[]>()
  readonly #base: KeyIndex<K> | null
  /** Of the base only indices below this one count: it goes on growing. */
  readonly #bound: number

  constructor(base: KeyIndex<K> | null = null, bound = 0) {
    this.#base = base
    this.#bound = bound
  }

  /** `index` must lie behind all that were added. */
  add(key: K, index: number): void {
    const list = this.#own.get(key)
    if (list === undefined) this.#own.set(key, [index])
    else list.push(index)
  }

  /** To be read only. */
  get(key: K): readonly number[] {
    const own = this.#own.get(key) ?? NONE
    if (this.#base === null) return own
    let before = this.#base.get(key)
    const last = before.at(-1)
    if (last !== undefined && last >= this.#bound) {
      before = before.slice(0, lowerBound(before, this.#bound))
    }
    if (before.length === 0) return own
    return own.length === 0 ? before : [...before, ...own]
  }

  last(key: K): number | undefined {
    const own = this.#own.get(key)
    if (own !== undefined) return own.at(-1)
    return this.#base === null ? undefined : this.get(key).at(-1)
  }

  /** Throughout the list there are `size` items now. */
  copy(size: number): KeyIndex<K> {
    return new KeyIndex(this, size)
  }
}

const NONE: readonly number[] = []

/** First place whose value is not below `value`. */
export function lowerBound(list: readonly number[], value: number): number {
  let low = 0
  let high = list.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (list[middle]! < value) low = middle + 1
    else high = middle
  }
  return low
}
