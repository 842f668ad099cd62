import type { JetStreamManager, KV, NatsConnection, NatsError } from 'nats'
import { apiCode, checkOwner } from './streams.ts'

/** Who holds, or held, the lease of an account. */
export interface LeaseHolder {
  /** Of the engine's folder, the same after a restart. */
  id: string
  /** Of the one start. */
  run: string
  host: string
  pid: number
  /** When this start took it, RFC 3339, wall clock of the holder. */
  since: string
  /** Unless it is renewed for so long, others may take it, ms. */
  ttlMs: number
}

/** What the bucket says of the lease. */
export interface LeaseEntry {
  /** Null: nobody ever held it, or the last holder gave it back. */
  holder: LeaseHolder | null
  /** Grows with every write; 0: never written. */
  revision: number
}

export interface LeaseBucketOptions {
  bookId: string
  account: string
  /** Longest wait for an answer of the server, ms. */
  timeoutMs: number
}

export const LEASE_BUCKET = 'LEASE'
const STREAM = `KV_${LEASE_BUCKET}`
const NAME_IN_USE = 10058
const NO_STREAM = 10059
const WRONG_LAST_REVISION = 10071
const MAKE_ATTEMPTS = 3

/** The key-value bucket that says who may act for the accounts of a book: one key an account. */
export class LeaseBucket {
  readonly #nc: NatsConnection
  readonly #options: LeaseBucketOptions
  #kv!: KV
  #jsm!: JetStreamManager

  private constructor(nc: NatsConnection, options: LeaseBucketOptions) {
    this.#nc = nc
    this.#options = options
  }

  /** Makes the bucket where it is missing. Throws ForeignStream, or an error of the client when the server is away. */
  static async open(nc: NatsConnection, options: LeaseBucketOptions): Promise<LeaseBucket> {
    const bucket = new LeaseBucket(nc, options)
    await bucket.#make()
    return bucket
  }

  /** Throws ForeignStream. */
  async read(): Promise<LeaseEntry> {
    const entry = await this.#kv.get(this.#options.account).catch((error: unknown) => {
      if (apiCode(error) === NO_STREAM) return null
      throw error
    })
    if (entry === null) {
      // Empty may be: made again, and not by us.
      await this.#checkOwner()
      return { holder: null, revision: 0 }
    }
    return { holder: parseHolder(entry.string()), revision: entry.revision }
  }

  /**
   * Writes who holds it (null: nobody) if nobody wrote after `revision`; resolves to the new revision, or to null when
   * somebody did. A bucket that is gone is made again, and then nobody had written.
   */
  async write(holder: LeaseHolder | null, revision: number): Promise<number | null> {
    const value = JSON.stringify(holder)
    try {
      return await this.#put(value, revision)
    } catch (error) {
      if (apiCode(error) !== NO_STREAM && (error as NatsError).code !== '503') throw error
      await this.#make()
      return this.#put(value, 0)
    }
  }

  async #put(value: string, previousSeq: number): Promise<number | null> {
    try {
      return await this.#kv.put(this.#options.account, value, { previousSeq })
    } catch (error) {
      if (apiCode(error) === WRONG_LAST_REVISION) return null
      throw error
    }
  }

  async #make(): Promise<void> {
    const { bookId, account, timeoutMs } = this.#options
    this.#jsm = await this.#nc.jetstreamManager({ timeout: timeoutMs, checkAPI: false })
    for (let attempt = 1; ; attempt++) {
      await this.#checkOwner()
      try {
        // Read from the leader, not from any copy: a copy may be behind.
        this.#kv = await this.#nc.jetstream({ timeout: timeoutMs }).views.kv(LEASE_BUCKET, {
          history: 1,
          allow_direct: false,
          timeout: timeoutMs,
          description: `bitacora book ${bookId} account ${account}`,
        })
        break
      } catch (error) {
        // Another engine made it in the same moment: whose it is shows the next look.
        if (apiCode(error) !== NAME_IN_USE || attempt === MAKE_ATTEMPTS) throw error
      }
    }
    await this.#checkOwner()
  }

  async #checkOwner(): Promise<void> {
    try {
      checkOwner(await this.#jsm.streams.info(STREAM), this.#options.bookId)
    } catch (error) {
      if (apiCode(error) !== NO_STREAM) throw error
    }
  }
}

/** What cannot be read is nobody's: whoever wrote it does not renew it in a form that we know. */
function parseHolder(text: string): LeaseHolder | null {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return null
  }
  if (typeof value !== 'object' || value === null) return null
  const { id, run, host, pid, since, ttlMs } = value as Record<string, unknown>
  if (typeof id !== 'string' || typeof run !== 'string' || typeof host !== 'string') return null
  if (typeof pid !== 'number' || typeof since !== 'string' || typeof ttlMs !== 'number') return null
  return { id, run, host, pid, since, ttlMs }
}
