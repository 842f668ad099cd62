const SIZE = 64

/**
 * A list that copies in the time of its chunk table: a copy shares the chunks, and whoever writes to a shared
 * chunk first takes one of its own, items included. So many copies of a long list cost little more than one.
 */
export class Chunks<T extends object> {
  #chunks: T[][] = []
  /** Whether the chunk of the same index may be written to. */
  #owned: boolean[] = []
  #size = 0

  get size(): number {
    return this.#size
  }

  /** Adds at the end and returns the item's index. */
  push(item: T): number {
    const index = this.#size++
    if (index % SIZE === 0) {
      this.#chunks.push([item])
      this.#owned.push(true)
    } else this.#own(index).push(item)
    return index
  }

  /** To be read only; throws RangeError outside the list. */
  at(index: number): T {
    if (!(index >= 0 && index < this.#size)) throw new RangeError(`no item ${index}`)
    return this.#chunks[Math.trunc(index / SIZE)]![index % SIZE]!
  }

  /** The item to be changed: its fields may be set, what they refer to may not be written to. */
  edit(index: number): T {
    if (!(index >= 0 && index < this.#size)) throw new RangeError(`no item ${index}`)
    return this.#own(index)[index % SIZE]!
  }

  /** Puts another item in the place of one. */
  set(index: number, item: T): void {
    this.edit(index)
    this.#own(index)[index % SIZE] = item
  }

  /** Changes to either do not show in the other. */
  copy(): Chunks<T> {
    this.#owned.fill(false)
    const copy = new Chunks<T>()
    copy.#chunks = this.#chunks.slice()
    copy.#owned = this.#owned.slice()
    copy.#size = this.#size
    return copy
  }

  #own(index: number): T[] {
    const number = Math.trunc(index / SIZE)
    const chunk = this.#chunks[number]!
    if (this.#owned[number] === true) return chunk
    const own = chunk.map((item) => ({ ...item }))
    this.#chunks[number] = own
    this.#owned[number] = true
    return own
  }
}
