/** Ids of one prefix: every number up to `upTo`, and some above. */
interface Numbered {
  upTo: number
  above: Set<number>
}

/** Plain JSON of all ids. */
export interface KnownIdsSnapshot {
  /** Prefix, the number up to which all are known, and the known ones above it. */
  numbered: [prefix: string, upTo: number, above: number[]][]
  others: string[]
}

const NUMBERED = /^(.*-)([1-9]\d{0,14})$/s

/**
 * The ids of orders that are over; none is ever taken twice. Ids that end in a running number, as ours do,
 * are kept as "all up to n": memory does not grow with the orders of a long run.
 */
export class KnownIds {
  readonly #numbered = new Map<string, Numbered>()
  readonly #others = new Set<string>()
  #size = 0

  get size(): number {
    return this.#size
  }

  has(id: string): boolean {
    const match = NUMBERED.exec(id)
    if (match === null) return this.#others.has(id)
    const known = this.#numbered.get(match[1]!)
    if (known === undefined) return false
    const number = Number(match[2])
    return number <= known.upTo || known.above.has(number)
  }

  add(id: string): void {
    if (this.has(id)) return
    this.#size++
    const match = NUMBERED.exec(id)
    if (match === null) {
      this.#others.add(id)
      return
    }
    let known = this.#numbered.get(match[1]!)
    if (known === undefined) {
      known = { upTo: 0, above: new Set() }
      this.#numbered.set(match[1]!, known)
    }
    known.above.add(Number(match[2]))
    while (known.above.delete(known.upTo + 1)) known.upTo++
  }

  snapshot(): KnownIdsSnapshot {
    return {
      numbered: [...this.#numbered].map(([prefix, { upTo, above }]) => [prefix, upTo, [...above]]),
      others: [...this.#others],
    }
  }

  restore(from: KnownIdsSnapshot): void {
    this.#numbered.clear()
    this.#others.clear()
    this.#size = from.others.length
    for (const id of from.others) this.#others.add(id)
    for (const [prefix, upTo, above] of from.numbered) {
      this.#numbered.set(prefix, { upTo, above: new Set(above) })
      this.#size += upTo + above.length
    }
  }
}
