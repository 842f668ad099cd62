import { setTimeout as sleep } from 'node:timers/promises'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { acquireLease, type HeldLease, type LeaseHeld, type LeaseOptions } from './lease.ts'
import { LEASE_BUCKET, LeaseBucket, type LeaseHolder } from './lease-bucket.ts'
import { type NatsFixture, rejection, until, withNats } from './nats-fixture.ts'

const TTL_MS = 900
/** Whoever had to wait for it would not come back in time. */
const FOREVER_MS = 3_600_000
const SILENT = { info: () => {}, warn: () => {} }
const BOOK = { bookId: 'b1', account: 'main', timeoutMs: 2000 }

const engine = (id: string, run = `${id}-run`) => ({ id, run, host: `host-${id}`, pid: 7 })
const stranger: LeaseHolder = { ...engine('x'), since: '2026-01-01T00:00:00.000Z', ttlMs: TTL_MS }

const held: HeldLease[] = []

async function take(
  fixture: NatsFixture,
  id: string,
  over: Partial<LeaseOptions> = {},
): Promise<HeldLease> {
  const lease = await acquireLease({
    nc: over.nc ?? (await fixture.connect()),
    account: 'main',
    book: async () => ({ id: 'b1', empty: false }),
    holder: engine(id),
    ttlMs: TTL_MS,
    log: SILENT,
    ...over,
  })
  held.push(lease)
  return lease
}

/** As withNats; leases still held at the end are given back, so that nothing goes on in the background. */
function leaseTest(name: string, body: (fixture: NatsFixture) => Promise<void>): void {
  test(
    name,
    withNats(async (fixture) => {
      try {
        await body(fixture)
      } finally {
        for (const lease of held.splice(0)) await lease.release()
      }
    }),
  )
}

const bucketOn = async (fixture: NatsFixture) => LeaseBucket.open(await fixture.connect(), BOOK)

leaseTest(
  'it is taken, renewed, refused to others by name, and free once given back',
  async (f) => {
    const first = await take(f, 'a')
    assert.ok(first.valid())
    assert.is(first.trouble, null)
    const bucket = await bucketOn(f)
    await until(async () => (await bucket.read()).revision >= first.epoch + 2)
    assert.ok(first.valid())
    const refused = (await rejection(take(f, 'b'))) as LeaseHeld
    assert.is(refused.code, 'lease_held')
    assert.is(refused.holder.id, 'a')
    assert.match(refused.message, /engine a on host-a, process 7, since 20.*--standby/)
    await first.release()
    assert.not(first.valid())
    // It would be waited for longer than this test may take, had it not been given back.
    const second = await take(f, 'b', { ttlMs: FOREVER_MS })
    assert.ok(second.valid())
    assert.ok(second.epoch > first.epoch)
    assert.is((await bucket.read()).holder?.id, 'b')
  },
)

leaseTest('an engine that starts again takes its own lease back at once', async (f) => {
  const nc = await f.connect()
  await take(f, 'a', { nc, ttlMs: FOREVER_MS })
  await nc.close()
  const again = await take(f, 'a', { holder: engine('a', 'second-run') })
  assert.ok(again.valid())
  assert.is((await (await bucketOn(f)).read()).holder?.run, 'second-run')
})

leaseTest('a holder that does not renew loses it to whoever waits, standby or not', async (f) => {
  for (const [dead, next, standby] of [
    ['a', 'b', true],
    ['b', 'c', false],
  ] as const) {
    const nc = await f.connect()
    await take(f, dead, { nc })
    await nc.close()
    const seen: string[] = []
    const lease = await take(f, next, { standby, waiting: ({ id }) => void seen.push(id) })
    assert.ok(lease.valid())
    assert.equal(seen, [dead])
    await lease.release()
  }
})

leaseTest('the holder’s time to live counts, not that of the one who waits', async (f) => {
  const nc = await f.connect()
  await take(f, 'a', { nc, ttlMs: FOREVER_MS })
  await nc.close()
  const signal = AbortSignal.timeout(1500)
  const waited = await rejection(take(f, 'b', { ttlMs: 100, standby: true, signal }))
  assert.is(waited.code, 'wait_ended')
})

leaseTest('of many that start together exactly one gets it', async (f) => {
  const ids = ['a', 'b', 'c', 'd', 'e']
  const outcomes = await Promise.allSettled(ids.map((id) => take(f, id)))
  const got = outcomes.filter(({ status }) => status === 'fulfilled')
  assert.is(got.length, 1)
  for (const outcome of outcomes) {
    if (outcome.status === 'rejected') assert.is(outcome.reason.code, 'lease_held')
  }
})

leaseTest('a standby waits while the holder lives, and ends when it is asked to', async (f) => {
  await take(f, 'a')
  const stop = new AbortController()
  let waiting = 0
  const standby = take(f, 'b', {
    standby: true,
    signal: stop.signal,
    waiting: () => void waiting++,
  })
  const ended = rejection(standby)
  await sleep(2 * TTL_MS)
  assert.is(waiting, 1)
  stop.abort()
  assert.is((await ended).code, 'wait_ended')
})

leaseTest('taken by another, it is lost for good and says to whom', async (f) => {
  const lease = await take(f, 'a')
  const bucket = await bucketOn(f)
  await until(async () => (await bucket.write(stranger, (await bucket.read()).revision)) !== null)
  const lost = await rejection(lease.lost)
  assert.is(lost.code, 'lease_lost')
  assert.match(lost.message, /taken by engine x on host-x/)
  assert.not(lease.valid())
  assert.ok(lease.isLost)
  assert.match(String(lease.trouble), /another engine/)
  await lease.release()
  assert.is((await bucket.read()).holder?.id, 'x', 'the other engine keeps it')
})

leaseTest('taken by another who gave it back meanwhile, it is lost all the same', async (f) => {
  const lease = await take(f, 'a')
  const bucket = await bucketOn(f)
  await until(async () => (await bucket.write(null, (await bucket.read()).revision)) !== null)
  assert.is((await rejection(lease.lost)).code, 'lease_lost')
})

leaseTest('a renewal whose answer was lost is not taken for another engine', async (f) => {
  const lease = await take(f, 'a')
  const bucket = await bucketOn(f)
  let own: number | null = null
  await until(async () => {
    const { holder, revision } = await bucket.read()
    own = await bucket.write(holder, revision)
    return own !== null
  })
  await until(async () => (await bucket.read()).revision > own! + 1)
  assert.ok(lease.valid())
  assert.not(lease.isLost)
})

leaseTest('without NATS it runs out by itself, and is valid again when NATS is back', async (f) => {
  const lease = await take(f, 'a')
  const crashed = f.crash(3 * TTL_MS)
  await until(() => !lease.valid())
  assert.match(String(lease.trouble), /not renewed for .* no order is sent/)
  assert.not(lease.isLost)
  await crashed
  await until(() => lease.valid())
  assert.is(lease.trouble, null)
})

leaseTest(
  'taken while NATS was away from the holder alone, it is lost when NATS is back',
  async (f) => {
    const lease = await take(f, 'a')
    const pid = f.server.pid as number
    const bucket = await bucketOn(f)
    const { revision } = await bucket.read()
    process.kill(pid, 'SIGSTOP')
    try {
      await until(() => !lease.valid())
    } finally {
      process.kill(pid, 'SIGCONT')
    }
    await until(async () => (await bucket.write(stranger, (await bucket.read()).revision)) !== null)
    assert.is((await rejection(lease.lost)).code, 'lease_lost')
    assert.ok((await bucket.read()).revision > revision)
  },
)

leaseTest('a bucket that is gone is made again by the one who holds the lease', async (f) => {
  const nc = await f.connect()
  const lease = await take(f, 'a')
  const jsm = await nc.jetstreamManager()
  await jsm.streams.delete(`KV_${LEASE_BUCKET}`)
  await until(async () => {
    const info = await jsm.streams.info(`KV_${LEASE_BUCKET}`).catch(() => null)
    return info !== null && info.state.messages > 0
  })
  assert.not(lease.isLost)
  await until(() => lease.valid())
  const refused = await rejection(take(f, 'b'))
  assert.is(refused.code, 'lease_held')
})

leaseTest('a bucket of another book is refused, also while a new book is looked for', async (f) => {
  await take(f, 'a')
  const other = await rejection(take(f, 'b', { book: async () => ({ id: 'b2', empty: false }) }))
  assert.is(other.code, 'foreign_stream')
  assert.match(other.message, /book b1, this engine keeps book b2/)
  let looks = 0
  const fresh = await rejection(
    take(f, 'c', { book: async () => ({ id: 'b3', empty: ++looks > 0 }) }),
  )
  assert.is(fresh.code, 'foreign_stream')
  assert.ok(looks > 2, 'the book was looked for again')
})

leaseTest('the second of two that begin one new book finds the book of the first', async (f) => {
  await take(f, 'a')
  let looks = 0
  const book = async () =>
    ++looks < 4 ? { id: 'minted', empty: true } : { id: 'b1', empty: false }
  assert.is((await rejection(take(f, 'b', { book }))).code, 'lease_held')
})

leaseTest('held, and the bucket comes back as another book’s: it is lost', async (f) => {
  const lease = await take(f, 'a', { ttlMs: 3 * TTL_MS })
  const nc = await f.connect()
  const jsm = await nc.jetstreamManager()
  await until(async () => {
    await jsm.streams.delete(`KV_${LEASE_BUCKET}`).catch(() => {})
    return LeaseBucket.open(nc, { ...BOOK, bookId: 'b2' }).then(
      () => true,
      () => false,
    )
  })
  assert.is((await rejection(lease.lost)).code, 'foreign_stream')
  assert.not(lease.valid())
})

leaseTest('what is in the bucket and cannot be read is nobody’s', async (f) => {
  const nc = await f.connect()
  await LeaseBucket.open(nc, BOOK)
  const kv = await nc.jetstream().views.kv(LEASE_BUCKET)
  for (const text of ['', '{', '7', '{"id":1}', '{"id":"x"}']) {
    await kv.put('main', text)
    const lease = await take(f, 'a', { ttlMs: FOREVER_MS })
    assert.ok(lease.valid(), text)
    await lease.release()
  }
})

leaseTest('time that passes unnoticed ends it before anything else is done', async (f) => {
  const jump = { monotonic: 0, wall: 0 }
  const clock = {
    monotonic: () => performance.now() + jump.monotonic,
    wall: () => Date.now() + jump.wall,
  }
  const lease = await take(f, 'a', { clock, ttlMs: 6000 })
  assert.ok(lease.valid())
  // A pause: no callback of ours has run when the question is asked.
  jump.monotonic += 6000
  assert.not(lease.valid())
  await until(() => lease.valid())
  // A sleep of the machine stops the monotonic clock, not the wall clock.
  jump.wall += 6000
  assert.not(lease.valid())
})

leaseTest('the wall clock set back does not lengthen it, nor end it', async (f) => {
  const jump = { monotonic: 0, wall: 0 }
  const clock = {
    monotonic: () => performance.now() + jump.monotonic,
    wall: () => Date.now() + jump.wall,
  }
  const lease = await take(f, 'a', { clock, ttlMs: 6000 })
  jump.wall -= 3_600_000
  assert.ok(lease.valid())
  jump.monotonic += 6000
  assert.not(lease.valid())
})

test.run()
