import { startVerdicts, type Verdicts, type VerdictsOptions } from './verdicts.ts'

export interface VerdictKeeperOptions extends Omit<VerdictsOptions, 'after'> {
  /** Position of the newest verdict on the stream, −1 for none. */
  readEnd: () => Promise<number>
  /** Time between two looks at the stream, ms; default 5,000. */
  lookMs?: number
}

/**
 * Publishes verdicts from the book, and again what the stream of verdicts lost while it runs: deleted, emptied, or
 * come back older. Resolves when the end of the stream is known.
 */
export async function keepVerdicts(options: VerdictKeeperOptions): Promise<Verdicts> {
  const { readEnd, log } = options
  let current = startVerdicts({ ...options, after: await readEnd() })
  let closed = false
  let looking: Promise<void> | null = null
  let end: () => void = () => {}
  let fail: (error: unknown) => void = () => {}
  const done = new Promise<void>((resolve, reject) => {
    end = resolve
    fail = reject
  })
  done.catch(() => {})
  const follow = (verdicts: Verdicts): void => {
    verdicts.done.catch((error: unknown) => {
      if (verdicts === current) fail(error)
    })
  }
  follow(current)

  const look = async (): Promise<void> => {
    const newest = current.newest()
    const found = await readEnd().catch(() => null)
    // Where a newer verdict hides how much is missing, all that would be kept is told again.
    const regressed = current.regressed()
    if (found === null || (found >= newest && !regressed) || closed) return
    log.warn({ newest, found }, 'the stream of verdicts lost some; publishing them again')
    const before = current
    current = startVerdicts({ ...options, after: regressed ? -1 : found })
    follow(current)
    await before.close()
  }
  const timer = setInterval(() => {
    looking ??= look().finally(() => {
      looking = null
    })
  }, options.lookMs ?? 5000)
  timer.unref()

  return {
    position: () => current.position(),
    newest: () => current.newest(),
    regressed: () => current.regressed(),
    done,
    async close() {
      closed = true
      clearInterval(timer)
      await looking
      await current.close()
      end()
    },
  }
}
