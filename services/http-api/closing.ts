/** That the API closes, told to whoever waits for it; who has stopped waiting is forgotten. */
export class Closing {
  readonly #waiting = new Set<() => void>()
  #told = false

  get told(): boolean {
    return this.#told
  }

  /** How many wait. */
  get waiting(): number {
    return this.#waiting.size
  }

  tell(): void {
    this.#told = true
    for (const wake of [...this.#waiting]) wake()
    this.#waiting.clear()
  }

  /** Calls `wake` when the API closes, at once when it has; the answer ends that. */
  on(wake: () => void): () => void {
    if (this.#told) wake()
    else this.#waiting.add(wake)
    return () => void this.#waiting.delete(wake)
  }

  /** What a promise comes to, or null when the API closes first. */
  async or<T>(promise: Promise<T>): Promise<T | null> {
    let off = (): void => undefined
    const closed = new Promise<null>((resolve) => {
      off = this.on(() => resolve(null))
    })
    try {
      return await Promise.race([promise, closed])
    } finally {
      off()
    }
  }
}
