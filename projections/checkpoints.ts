import type { ReadModel } from './read-model.ts'

const MOST = 32
const FIRST_INTERVAL = 2048

/**
 * Copies of the read model at positions spread over the book, so that any position of the past is near one. When
 * they become too many, every other is dropped and the distance doubles: half the book is never folded again.
 */
export class Checkpoints {
  #kept: ReadModel[] = []
  #interval = FIRST_INTERVAL
  #next = FIRST_INTERVAL

  /** How many events lie between two. */
  get interval(): number {
    return this.#interval
  }

  get count(): number {
    return this.#kept.length
  }

  /** To be called as the model goes on, between two events. */
  note(model: ReadModel): void {
    if (model.position < this.#next) return
    this.#kept.push(model.copy())
    if (this.#kept.length > MOST) {
      this.#interval *= 2
      this.#kept = this.#kept.filter((_, index) => index % 2 === 1)
    }
    this.#next = model.position + this.#interval
  }

  /** The newest for which `isBefore` holds, to be copied before use; null: begin with an empty one. */
  newest(isBefore: (model: ReadModel) => boolean): ReadModel | null {
    for (let i = this.#kept.length - 1; i >= 0; i--) {
      if (isBefore(this.#kept[i]!)) return this.#kept[i]!
    }
    return null
  }
}
