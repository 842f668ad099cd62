import type { NatsConnection } from 'nats'
import { isConnected } from './connection.ts'
import {
  apiCode,
  checkOwner,
  configuration,
  differences,
  ForeignStream,
  lookUp,
  type ProvisionOptions,
  put,
  STREAMS,
  type StreamName,
} from './streams.ts'

/** What was done to a stream that was not as provisioned. */
export interface StreamRepair {
  stream: StreamName
  /** One line for each field that was put back; empty: the stream was missing and was made again. */
  fields: string[]
}

export interface GuardOptions extends ProvisionOptions {
  /** Time between two looks, ms; default 3,000. */
  everyMs?: number
  repaired: (repair: StreamRepair) => void
}

export interface StreamGuard {
  /** Which stream is not as it must be and why it cannot be put back, in words; null while all are. */
  trouble(): string | null
  /** Looks now. */
  look(): Promise<void>
  stop(): void
  /** Rejects with ForeignStream when another book took a stream over. */
  readonly done: Promise<never>
}

/** Looks after the streams while the engine runs: what is missing is made again, what was altered is put back. */
export function guardStreams(nc: NatsConnection, options: GuardOptions): StreamGuard {
  const troubles = new Map<StreamName, string>()
  const created = new Map<StreamName, string>()
  let looking: Promise<void> | null = null
  let fail: (error: unknown) => void = () => {}
  const done = new Promise<never>((_, reject) => {
    fail = reject
  })
  done.catch(() => {})

  async function lookAt(name: StreamName): Promise<void> {
    const jsm = await nc.jetstreamManager({ timeout: 2000, checkAPI: false })
    const wanted = configuration(name, options)
    const info = await lookUp(jsm, name)
    if (info !== undefined) {
      const known = created.get(name)
      try {
        checkOwner(info, options.bookId)
      } catch (error) {
        if (!(error instanceof ForeignStream) || error.found !== null) throw error
        // Only its description was taken from it: it is still the one that was ours.
        if (known !== info.created) throw error
      }
      created.set(name, info.created)
      const fields = differences(wanted, info.config)
      if (fields.length === 0) return
      await put(jsm, wanted, true)
      options.repaired({ stream: name, fields })
      return
    }
    await put(jsm, wanted, false)
    options.repaired({ stream: name, fields: [] })
  }

  async function lookAtAll(): Promise<void> {
    for (const name of STREAMS) {
      if (!isConnected(nc)) return
      try {
        await lookAt(name)
        troubles.delete(name)
      } catch (error) {
        if (error instanceof ForeignStream && error.found !== null) fail(error)
        // A server that does not answer at all shows elsewhere.
        const named = error instanceof ForeignStream || 'code' in (error as Error)
        if (named || apiCode(error) !== undefined) {
          troubles.set(name, error instanceof Error ? error.message : String(error))
        }
      }
    }
  }

  const look = (): Promise<void> => {
    looking ??= lookAtAll().finally(() => {
      looking = null
    })
    return looking
  }
  const timer = setInterval(() => void look(), options.everyMs ?? 3000)
  timer.unref()
  void look()
  return {
    trouble: () => troubles.values().next().value ?? null,
    look,
    stop: () => clearInterval(timer),
    done,
  }
}
