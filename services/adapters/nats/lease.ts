import type { NatsConnection } from 'nats'
import type { Lease } from '../../../engine/ports/lease.ts'
import { isConnected } from './connection.ts'
import { LeaseBucket, type LeaseEntry, type LeaseHolder } from './lease-bucket.ts'
import { ForeignStream } from './streams.ts'

/** A living engine holds the lease: it was seen to renew it. */
export class LeaseHeld extends Error {
  override name = 'LeaseHeld'
  readonly code = 'lease_held'
  readonly holder: LeaseHolder
  constructor(account: string, holder: LeaseHolder) {
    super(
      `account ${account} is traded by ${words(holder)}: stop that engine, or start this one with --standby to take over when it ends`,
    )
    this.holder = holder
  }
}

/** Another engine took the lease while this one did not renew it. */
export class LeaseLost extends Error {
  override name = 'LeaseLost'
  readonly code = 'lease_lost'
  readonly holder: LeaseHolder | null
  constructor(account: string, holder: LeaseHolder | null) {
    const who = holder === null ? 'another engine, which gave it back since' : words(holder)
    super(
      `the lease of account ${account} was taken by ${who}, because this engine was paused or cut off from NATS: it has stopped; start it with --standby to wait for its turn`,
    )
    this.holder = holder
  }
}

/** Asked to end while it waited for the lease. */
export class WaitEnded extends Error {
  override name = 'WaitEnded'
  readonly code = 'wait_ended'
}

export interface LeaseClock {
  /** ms that only grow, whatever becomes of the wall clock. */
  monotonic(): number
  /** ms since the epoch. */
  wall(): number
}

export interface LeaseOptions {
  nc: NatsConnection
  account: string
  /** The book as it is now; `empty`: the id is one that a new book would get. */
  book: () => Promise<{ id: string; empty: boolean }>
  holder: Pick<LeaseHolder, 'id' | 'run' | 'host' | 'pid'>
  /** Unless renewed for so long, others may take it, ms. */
  ttlMs?: number
  /** Wait until it is free, however long; otherwise a holder that renews is a LeaseHeld. */
  standby?: boolean
  /** Ends the wait, which then throws WaitEnded. */
  signal?: AbortSignal
  /** Called when somebody else is found to hold it. */
  waiting?: (holder: LeaseHolder) => void
  log: { info(message: string): void; warn(fields: object, message: string): void }
  clock?: LeaseClock
}

export const LEASE_TTL_MS = 5000
const RENEWALS_PER_TTL = 3
/** Share of the time to live that is left unused: clocks do not run alike, and looking and acting are not one. */
const MARGIN = 0.2
/** How often the bucket is looked at in one time to live while somebody else holds it. */
const LOOKS_PER_TTL = 10
const RETRY_MS = 200
const CLOCK: LeaseClock = { monotonic: () => performance.now(), wall: Date.now }

/**
 * Takes the lease of an account. It is free when nobody holds it, when the last holder gave it back, when an earlier
 * start of this same engine held it, and when it was not renewed for its time to live, as seen by the clock of the one
 * who waits: no two clocks are ever compared. Throws LeaseHeld, WaitEnded, ForeignStream.
 */
export async function acquireLease(options: LeaseOptions): Promise<HeldLease> {
  const { account, book, nc, standby = false, signal, waiting, log } = options
  const { ttlMs = LEASE_TTL_MS, clock = CLOCK } = options
  const began = clock.monotonic()
  let bucket: LeaseBucket | null = null
  let seen: { entry: LeaseEntry; at: number } | null = null
  for (;;) {
    if (signal?.aborted) throw new WaitEnded('asked to end while it waited for the lease')
    const asked = bucket === null ? await book() : null
    try {
      if (asked !== null) bucket = await openBucket(nc, account, asked.id, ttlMs)
      if (bucket === null) continue
      const entry = await bucket.read()
      const now = clock.monotonic()
      const other = entry.holder !== null && entry.holder.id !== options.holder.id
      if (seen?.entry.revision !== entry.revision) {
        if (other && seen === null) waiting?.(entry.holder!)
        if (other && seen !== null && !standby) throw new LeaseHeld(account, entry.holder!)
        seen = { entry, at: now }
      }
      if (!other || now - seen.at >= Math.max(ttlMs, entry.holder!.ttlMs)) {
        const since = new Date(clock.wall()).toISOString()
        const holder = { ...options.holder, since, ttlMs }
        const taken = { monotonic: clock.monotonic(), wall: clock.wall() }
        const revision = await bucket.write(holder, entry.revision)
        if (revision !== null) {
          return new HeldLease({ nc, bucket, account, holder, log, clock }, revision, taken)
        }
        // Somebody was faster: whoever it is is looked at from now on.
        continue
      }
    } catch (error) {
      if (error instanceof LeaseHeld) throw error
      const late = clock.monotonic() - began > ttlMs
      if (error instanceof ForeignStream) {
        // Of two engines that begin a new book together the other may be the first: its book then shows in a moment.
        if (asked?.empty !== true || late) throw error
      } else if (!standby && late) throw error
      else log.warn({ err: error }, 'the lease could not be asked for; trying again')
    }
    await pause(ttlMs / LOOKS_PER_TTL, signal)
  }
}

function openBucket(
  nc: NatsConnection,
  account: string,
  bookId: string,
  ttlMs: number,
): Promise<LeaseBucket> {
  const timeoutMs = Math.max(RETRY_MS, ttlMs / RENEWALS_PER_TTL)
  return LeaseBucket.open(nc, { bookId, account, timeoutMs })
}

interface Moment {
  monotonic: number
  wall: number
}

interface Holding {
  nc: NatsConnection
  bucket: LeaseBucket
  account: string
  holder: LeaseHolder
  log: LeaseOptions['log']
  clock: LeaseClock
}

/** A lease that renews itself until it is released, or lost to another engine. */
export class HeldLease implements Lease {
  /** Revision at which it was taken: of two holders the later has the higher one. */
  readonly epoch: number
  /** Rejects when another engine has it (LeaseLost), or the server is another book's by now (ForeignStream). */
  readonly lost: Promise<never>
  readonly #holding: Holding
  readonly #ended = new AbortController()
  readonly #running: Promise<void>
  #revision: number
  /** Start of the newest renewal that succeeded: the server stored it then or later. */
  #renewed: Moment
  #isLost = false
  #reject: (error: unknown) => void = () => {}

  constructor(holding: Holding, revision: number, taken: Moment) {
    this.#holding = holding
    this.epoch = revision
    this.#revision = revision
    this.#renewed = taken
    this.lost = new Promise((_, reject) => {
      this.#reject = reject
    })
    this.lost.catch(() => {})
    this.#running = this.#keep()
  }

  /**
   * Held and not run out, by this process's own clocks. The wall clock is looked at beside the monotonic one because
   * that one stands still while a machine sleeps; one that is set forward ends the lease only until the next renewal.
   */
  valid(): boolean {
    if (this.#isLost || this.#ended.signal.aborted) return false
    return this.#age() < this.#holding.holder.ttlMs * (1 - MARGIN)
  }

  /** Whether another engine took it: then it is never valid again. */
  get isLost(): boolean {
    return this.#isLost
  }

  /** Why it is not valid, in words; null while it is. */
  get trouble(): string | null {
    if (this.valid()) return null
    if (this.#isLost) return 'another engine took the lease'
    const seconds = (this.#age() / 1000).toFixed(1)
    return `the lease was not renewed for ${seconds} s; no order is sent until it is: is NATS reachable?`
  }

  /** Gives it back, so that a standby need not wait until it runs out; harmless after it was lost. */
  async release(): Promise<void> {
    if (this.#ended.signal.aborted) return this.#running
    this.#ended.abort()
    await this.#running
    if (this.#isLost || !isConnected(this.#holding.nc)) return
    try {
      await this.#holding.bucket.write(null, this.#revision)
    } catch (error) {
      this.#holding.log.warn({ err: error }, 'the lease could not be given back; it runs out')
    }
  }

  #age(): number {
    const { clock } = this.#holding
    const { monotonic, wall } = this.#renewed
    return Math.max(clock.monotonic() - monotonic, clock.wall() - wall)
  }

  async #keep(): Promise<void> {
    const { clock, holder, log, nc } = this.#holding
    const { signal } = this.#ended
    let failures = 0
    let next = this.#renewed.monotonic + holder.ttlMs / RENEWALS_PER_TTL
    for (;;) {
      await pause(next - clock.monotonic(), signal)
      if (signal.aborted) return
      const start = { monotonic: clock.monotonic(), wall: clock.wall() }
      next = start.monotonic + holder.ttlMs / RENEWALS_PER_TTL
      try {
        // A request made now would be sent when the connection is back, long after it was given up.
        if (!isConnected(nc)) throw new Error('not connected to NATS')
        if (await this.#renew()) {
          this.#renewed = start
          if (failures > 0) log.info('the lease is renewed again')
          failures = 0
        } else next = start.monotonic
      } catch (error) {
        if (error instanceof LeaseLost || error instanceof ForeignStream) return this.#lose(error)
        if (failures++ === 0) log.warn({ err: error }, 'the lease could not be renewed; trying')
        next = Math.min(next, clock.monotonic() + RETRY_MS)
      }
    }
  }

  /** False: to be tried again at once. Throws LeaseLost when another engine wrote. */
  async #renew(): Promise<boolean> {
    const { account, bucket, holder } = this.#holding
    const revision = await bucket.write(holder, this.#revision)
    if (revision !== null) {
      this.#revision = revision
      return true
    }
    const found = await bucket.read()
    // A renewal whose answer was lost, or a bucket that is younger than this hold: nobody else has come between.
    const own = found.holder?.run === holder.run
    if (!own && found.revision > 0) throw new LeaseLost(account, found.holder)
    this.#revision = found.revision
    return false
  }

  #lose(error: LeaseLost | ForeignStream): void {
    this.#isLost = true
    this.#reject(error)
  }
}

function words({ id, host, pid, since }: LeaseHolder): string {
  return `engine ${id} on ${host}, process ${pid}, since ${since}`
}

async function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  if (signal?.aborted || ms <= 0) return
  await new Promise<void>((resolve) => {
    const end = (): void => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', end)
      resolve()
    }
    const timer = setTimeout(end, ms)
    signal?.addEventListener('abort', end)
  })
}
