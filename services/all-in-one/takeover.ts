import { setTimeout as sleep } from 'node:timers/promises'
import { decodeBody } from '../../engine/events/envelope.ts'
import type { Bus } from '../../engine/ports/bus.ts'
import type { EventStore } from '../../engine/ports/event-store.ts'
import type { BookCreated } from '../../schemas/types.gen.ts'
import type { NatsConnection } from '../adapters/nats/connection.ts'
import { acquireLease, type HeldLease } from '../adapters/nats/lease.ts'
import { engineIdentity, newBookId } from '../runtime/engine-identity.ts'
import type { Log } from '../runtime/log.ts'

export interface TakeoverOptions {
  /** The engine's folder, which it has locked. */
  dir: string
  account: string
  store: EventStore
  stream: string
  nc: NatsConnection
  /** Id of this start. */
  run: string
  /** Unless renewed for so long, others may take it, ms; default 5,000. */
  ttlMs?: number
  standby?: boolean
  signal?: AbortSignal
  log: Log
}

/**
 * Waits until this engine may write the account's book, and answers with the lease and the id that a new book gets.
 * To be called before the book is read: until the lease is held, somebody else writes. Throws LeaseHeld, WaitEnded,
 * ForeignStream.
 */
export async function takeOver(
  options: TakeoverOptions,
): Promise<{ lease: HeldLease; newId: string }> {
  const { account, dir, log, nc, run, signal, standby, store, stream, ttlMs } = options
  let newId = ''
  const along = standby === true ? new ReadAlong(store, stream) : null
  let lease: HeldLease
  try {
    lease = await acquireLease({
      nc,
      account,
      book: async () => {
        const known = await readBookId(store, stream)
        if (known === null) newId ||= newBookId(dir)
        return { id: known ?? newId, empty: known === null }
      },
      holder: { ...engineIdentity(dir), run },
      ...(ttlMs !== undefined && { ttlMs }),
      ...(standby !== undefined && { standby }),
      ...(signal !== undefined && { signal }),
      waiting: ({ id, host, pid, since }) => {
        const who = `engine ${id} on ${host}, process ${pid}, since ${since}`
        if (standby === true) log.info(`standby: account ${account} is traded by ${who}; waiting`)
        else log.info(`account ${account} was traded by ${who}; looking whether it still runs`)
      },
      log,
    })
  } finally {
    await along?.close()
  }
  log.info({ epoch: lease.epoch }, `holds the lease of account ${account}`)
  return { lease, newId }
}

const LOOK_MS = 1000

/**
 * Reads the book while somebody else writes it, so that the local copy of one that lies elsewhere is warm when its turn
 * comes. What goes wrong here is not told: it is met again when the book is read to be traded on.
 */
export class ReadAlong {
  readonly #over = new AbortController()
  readonly #done: Promise<void>

  constructor(store: EventStore, stream: string) {
    this.#done = this.#read(store, stream)
  }

  async close(): Promise<void> {
    this.#over.abort()
    await this.#done
  }

  async #read(store: EventStore, stream: string): Promise<void> {
    const { signal } = this.#over
    for (let next = 0; !signal.aborted; ) {
      try {
        for await (const page of store.read(stream, next)) {
          next += page.length
          if (signal.aborted) return
        }
      } catch {
        // The store, or what it holds, may be back at the next look.
      }
      await sleep(LOOK_MS, undefined, { signal }).catch(() => undefined)
    }
  }
}

async function readBookId(store: EventStore, stream: string): Promise<string | null> {
  for await (const page of store.read(stream, 0, 0)) {
    const [first] = page
    if (first?.type === 'book.created') return (decodeBody(first).data as BookCreated).bookId
  }
  return null
}

/** Another engine has taken over: nothing more is said in the name of the account. */
export class StoodDown extends Error {
  override name = 'StoodDown'
  readonly code = 'stood_down'
}

/** A bus on which nothing is published any more once this engine has been replaced. */
export function untilReplaced(bus: Bus, replaced: () => boolean): Bus {
  return {
    async publish(subject, payload, options) {
      if (replaced()) {
        // Whoever tries again without a pause must not keep everybody else from ending.
        await new Promise((resolve) => setImmediate(resolve))
        throw new StoodDown('another engine writes the book; this one is stopping')
      }
      return bus.publish(subject, payload, options)
    },
    consume: (...given: Parameters<Bus['consume']>) => bus.consume(...given),
  }
}
