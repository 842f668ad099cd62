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

const MOST_DIGITS = 15
const DASH = 45
const DIGIT_0 = 48

/**
 * The ids of orders that are over; none is ever taken twice. Ids that end in a running number, as ours do,
 * are kept as "all up to n": memory does not grow with the orders of a long run.
 */
export class KnownIds {
  readonly #numbered = new Map<string, Numbered>()
  readonly #others = new Set<string>()
  #size = 0
  #prefix = ''
  #last: Numbered | undefined = undefined

  get size(): number {
    return this.#size
  }

  has(id: string): boolean {
    const at = numberAt(id)
    if (at === -1) return this.#others.has(id)
    const known = this.#of(id, at)
    if (known === undefined) return false
    const number = numberFrom(id, at)
    return number <= known.upTo || known.above.has(number)
  }

  add(id: string): void {
    const at = numberAt(id)
    if (at === -1) {
      if (this.#others.has(id)) return
      this.#others.add(id)
      this.#size++
      return
    }
    let known = this.#of(id, at)
    if (known === undefined) {
      known = { upTo: 0, above: new Set() }
      this.#numbered.set(id.slice(0, at), known)
    }
    const number = numberFrom(id, at)
    if (number <= known.upTo || known.above.has(number)) return
    this.#size++
    if (number === known.upTo + 1) known.upTo++
    else known.above.add(number)
    while (known.above.size > 0 && known.above.delete(known.upTo + 1)) known.upTo++
  }

  /** Numbers of the prefix that ends before `at`; nearly always the one that was asked for last. */
  #of(id: string, at: number): Numbered | undefined {
    if (this.#last !== undefined && at === this.#prefix.length && id.startsWith(this.#prefix)) {
      return this.#last
    }
    const prefix = id.slice(0, at)
    const known = this.#numbered.get(prefix)
    if (known !== undefined) {
      this.#prefix = prefix
      this.#last = known
    }
    return known
  }

  snapshot(): KnownIdsSnapshot {
    return {
      numbered: [...this.#numbered].map(([prefix, { upTo, above }]) => [prefix, upTo, [...above]]),
      others: [...this.#others],
    }
  }

  restore(from: KnownIdsSnapshot): void {
    this.#numbered.clear()
    this.#last = undefined
    this.#others.clear()
    this.#size = from.others.length
    for (const id of from.others) this.#others.add(id)
    for (const [prefix, upTo, above] of from.numbered) {
      this.#numbered.set(prefix, { upTo, above: new Set(above) })
      this.#size += upTo + above.length
    }
  }
}

/** Where the running number of an id begins, right behind its last dash; -1 when it ends in none. */
function numberAt(id: string): number {
  let at = id.length
  while (at > 0 && isDigit(id.charCodeAt(at - 1))) at--
  const digits = id.length - at
  if (digits === 0 || digits > MOST_DIGITS || at === 0) return -1
  return id.charCodeAt(at - 1) === DASH && id.charCodeAt(at) !== DIGIT_0 ? at : -1
}

function numberFrom(id: string, at: number): number {
  let number = 0
  for (let i = at; i < id.length; i++) number = number * 10 + id.charCodeAt(i) - DIGIT_0
  return number
}

function isDigit(code: number): boolean {
  return code >= DIGIT_0 && code <= DIGIT_0 + 9
}
