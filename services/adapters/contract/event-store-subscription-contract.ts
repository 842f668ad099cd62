import * as assert from 'uvu/assert'
import type { StoredEvent } from '../../../engine/ports/event-store.ts'
import { type ContractTest, proposedList, rejection, until } from './event-store-samples.ts'

/** The EventStore port's promises about `subscribe`. */
export function subscriptionContract(contract: ContractTest): void {
  contract('a subscription gives the past, then what is appended', async (store, s) => {
    const past = proposedList(5)
    const live = proposedList(4)
    await store.append(s, -1, past)
    const seen: StoredEvent[] = []
    const subscription = store.subscribe(s, 0, (page) => void seen.push(...page))
    assert.is(seen.length, 0, 'the handler is not called inside subscribe')
    await until(() => seen.length === 5, 'the past')
    await store.append(s, 4, live.slice(0, 1))
    await until(() => seen.length === 6, 'the first live event')
    await store.append(s, 5, live.slice(1))
    await until(() => seen.length === 9, 'the other live events')
    assert.equal(
      seen,
      [...past, ...live].map((event, position) => ({ ...event, position })),
    )
    await subscription.close()
    await subscription.done
  })

  contract('a subscription may come before its stream', async (store, s) => {
    const seen: number[] = []
    const subscription = store.subscribe(s, 0, (page) => void seen.push(...positions(page)))
    await store.append(`${s}-other`, -1, proposedList(3))
    await store.append(s, -1, proposedList(2))
    await until(() => seen.length >= 2, 'the events')
    assert.equal(seen, [0, 1])
    await subscription.close()
  })

  contract('a subscription may start beyond the head', async (store, s) => {
    await store.append(s, -1, proposedList(2))
    const seen: number[] = []
    const subscription = store.subscribe(s, 4, (page) => void seen.push(...positions(page)))
    await store.append(s, 1, proposedList(4))
    await until(() => seen.length >= 2, 'the events from 4 on')
    assert.equal(seen, [4, 5])
    await subscription.close()
  })

  contract('appends while it catches up leave no gap and no repeat', async (store, s, fixture) => {
    const writer = fixture.another === undefined ? store : await fixture.another()
    let head = await store.append(s, -1, proposedList(150))
    const seen: number[] = []
    const pages: number[] = []
    const subscription = store.subscribe(s, 0, async (page) => {
      seen.push(...positions(page))
      pages.push(page.length)
      if (pages.length % 3 === 0) await new Promise((resolve) => setTimeout(resolve, 1))
    })
    for (let i = 0; i < 200; i++) {
      head = await (i % 2 === 0 ? store : writer).append(s, head, proposedList(1 + (i % 5)))
      if (i % 7 === 0) await new Promise((resolve) => setImmediate(resolve))
    }
    await until(() => seen.at(-1) === head, `position ${head}`)
    assert.equal(
      seen,
      Array.from({ length: head + 1 }, (_, i) => i),
    )
    assert.ok(pages.every((length) => length > 0))
    await subscription.close()
  })

  contract('appends of another handle arrive', async (store, s, fixture) => {
    if (fixture.another === undefined) return
    const other = await fixture.another()
    const seen: number[] = []
    const subscription = store.subscribe(s, 0, (page) => void seen.push(...positions(page)))
    await other.append(s, -1, proposedList(1))
    await until(() => seen.length === 1, 'the first')
    await other.append(s, 0, proposedList(2))
    await until(() => seen.length === 3, 'the rest')
    assert.equal(seen, [0, 1, 2])
    await subscription.close()
  })

  contract('handler calls never overlap, however slow', async (store, s) => {
    await store.append(s, -1, proposedList(3))
    let running = 0
    let most = 0
    const seen: number[] = []
    const subscription = store.subscribe(s, 0, async (page) => {
      running += 1
      most = Math.max(most, running)
      await new Promise((resolve) => setTimeout(resolve, 10))
      seen.push(...positions(page))
      running -= 1
    })
    let head = 2
    for (let i = 0; i < 10; i++) {
      head = await store.append(s, head, proposedList(2))
      await new Promise((resolve) => setTimeout(resolve, 3))
    }
    await until(() => seen.at(-1) === head, 'the head')
    assert.is(most, 1)
    assert.equal(
      seen,
      Array.from({ length: head + 1 }, (_, i) => i),
    )
    await subscription.close()
  })

  for (const [kind, fail] of [
    ['thrown', () => fault()],
    ['asynchronous', () => Promise.resolve().then(fault)],
  ] as const) {
    contract(`an error ${kind} by the handler rejects done and ends it`, async (store, s) => {
      await store.append(s, -1, proposedList(2))
      let calls = 0
      const subscription = store.subscribe(s, 0, () => {
        calls += 1
        return fail()
      })
      const error = await rejection(subscription.done)
      assert.is((error as Error).message, 'handler failed')
      await store.append(s, 1, proposedList(1))
      await new Promise((resolve) => setTimeout(resolve, 100))
      assert.is(calls, 1)
      await subscription.close()
    })
  }

  contract('one subscription failing leaves the others alone', async (store, s) => {
    const seen: number[] = []
    const failing = store.subscribe(s, 0, fault)
    const sound = store.subscribe(s, 0, (page) => void seen.push(...positions(page)))
    const failed = rejection(failing.done)
    await store.append(s, -1, proposedList(2))
    await failed
    await store.append(s, 1, proposedList(1))
    await until(() => seen.length === 3, 'the events at the sound subscription')
    await sound.close()
  })

  contract('close waits for the running handler; no call follows it', async (store, s) => {
    await store.append(s, -1, proposedList(1))
    let release = () => {}
    let entered = false
    let left = false
    let calls = 0
    const subscription = store.subscribe(s, 0, async () => {
      calls += 1
      entered = true
      await new Promise<void>((resolve) => {
        release = resolve
      })
      left = true
    })
    await until(() => entered, 'the handler')
    let closed = false
    const closing = subscription.close().then(() => {
      closed = true
    })
    await store.append(s, 0, proposedList(1))
    await new Promise((resolve) => setTimeout(resolve, 30))
    assert.is(closed, false, 'close does not outrun the handler')
    release()
    await closing
    assert.is(left, true)
    await subscription.done
    await store.append(s, 1, proposedList(1))
    await new Promise((resolve) => setTimeout(resolve, 100))
    assert.is(calls, 1)
    await subscription.close()
  })

  contract('a handler may close its own subscription, without awaiting it', async (store, s) => {
    await store.append(s, -1, proposedList(1))
    let calls = 0
    const subscription = store.subscribe(s, 0, () => {
      calls += 1
      void subscription.close()
    })
    await subscription.done
    await store.append(s, 0, proposedList(1))
    await new Promise((resolve) => setTimeout(resolve, 100))
    assert.is(calls, 1)
  })

  contract('closing right after subscribing ends it', async (store, s) => {
    const subscription = store.subscribe(s, 0, fault)
    await subscription.close()
    await store.append(s, -1, proposedList(1))
    await subscription.done
  })

  contract('resubscribing at the next position goes on without gap or repeat', async (store, s) => {
    const seen: number[] = []
    let head = await store.append(s, -1, proposedList(10))
    for (let round = 0; round < 5; round++) {
      const start = seen.length
      const subscription = store.subscribe(s, start, (page) => void seen.push(...positions(page)))
      head = await store.append(s, head, proposedList(3))
      await until(() => seen.length > start, 'something new')
      await subscription.close()
      head = await store.append(s, head, proposedList(2))
    }
    const last = store.subscribe(s, seen.length, (page) => void seen.push(...positions(page)))
    await until(() => seen.at(-1) === head, 'the head')
    await last.close()
    assert.equal(
      seen,
      Array.from({ length: head + 1 }, (_, i) => i),
    )
  })

  contract('subscriptions of many streams are apart', async (store, s) => {
    const seen = new Map<string, number[]>()
    const subscriptions = Array.from({ length: 8 }, (_, i) => {
      const name = `${s}-${i}`
      seen.set(name, [])
      return store.subscribe(name, 0, (page) => void seen.get(name)?.push(...positions(page)))
    })
    for (let round = 0; round < 5; round++) {
      for (const name of seen.keys()) await store.append(name, round - 1, proposedList(1))
    }
    await until(() => [...seen.values()].every((list) => list.length >= 5), 'all streams')
    for (const list of seen.values()) assert.equal(list, [0, 1, 2, 3, 4])
    await Promise.all(subscriptions.map((subscription) => subscription.close()))
  })

  contract('closing the store ends its subscriptions', async (store, s) => {
    const subscription = store.subscribe(s, 0, () => undefined)
    await store.close()
    await subscription.done
  })
}

function positions(page: readonly StoredEvent[]): number[] {
  return page.map(({ position }) => position)
}

function fault(): never {
  throw new Error('handler failed')
}
