interface Part {
  close(): Promise<void>
  readonly done: Promise<unknown>
}

/** A part that starts and recovers in the same way, so that closing and starting it again is how it takes stock. */
export class Renewable<T extends Part> {
  /** Rejects with what ended the part that runs. */
  readonly done: Promise<never>
  private readonly start: () => T
  private part: T
  private renewing: Promise<void> | null = null
  private closed = false
  private fail: (error: unknown) => void = () => {}

  constructor(start: () => T) {
    this.start = start
    this.done = new Promise((_, reject) => {
      this.fail = reject
    })
    this.done.catch(() => {})
    this.part = this.begin()
  }

  /** The one that runs; the closed one while it is being renewed. */
  get current(): T {
    return this.part
  }

  /** Closes it and starts another; one call during another waits for that one. */
  renew(): Promise<void> {
    this.renewing ??= this.replace().finally(() => {
      this.renewing = null
    })
    return this.renewing
  }

  async close(): Promise<void> {
    this.closed = true
    await this.renewing
    await this.part.close()
  }

  private async replace(): Promise<void> {
    await this.part.close()
    if (!this.closed) this.part = this.begin()
  }

  private begin(): T {
    const part = this.start()
    part.done.catch((error: unknown) => {
      if (part === this.part) this.fail(error)
    })
    return part
  }
}
