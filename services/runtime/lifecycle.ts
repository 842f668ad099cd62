import type { Log } from './log.ts'

/** A part that does not end in this time is left behind: the next start recovers. */
const LIMIT_MS = 5000

/** What has been started, to be ended in the reverse order. A part that fails to end does not keep the others. */
export class Cleanup {
  private readonly parts: { name: string; end: () => Promise<unknown> }[] = []
  private readonly log: Log
  private running: Promise<void> | null = null

  constructor(log: Log) {
    this.log = log
  }

  add(name: string, end: () => Promise<unknown>): void {
    this.parts.push({ name, end })
  }

  /** Ends everything once; later calls wait for the first. */
  run(): Promise<void> {
    this.running ??= this.endAll()
    return this.running
  }

  private async endAll(): Promise<void> {
    for (let part = this.parts.pop(); part !== undefined; part = this.parts.pop()) {
      const { name } = part
      let timer: NodeJS.Timeout | undefined
      const late = new Promise((_, reject) => {
        timer = setTimeout(
          () => reject(new Error(`not ended after ${LIMIT_MS / 1000} s`)),
          LIMIT_MS,
        )
      })
      try {
        await Promise.race([part.end(), late])
      } catch (error) {
        this.log.warn({ err: error, part: name }, `${name} did not end cleanly`)
      } finally {
        clearTimeout(timer)
      }
    }
  }
}
