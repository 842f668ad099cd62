import { randomUUID } from 'node:crypto'
import fc from 'fast-check'
import type { Test } from 'uvu'
import * as assert from 'uvu/assert'
import {
  type EventStore,
  MAX_APPEND_BYTES,
  type ProposedEvent,
  WrongExpectedPosition,
} from '../../../engine/ports/event-store.ts'
import {
  type ContractTest,
  type EventStoreFixture,
  expectedIds,
  idsAndPositions,
  proposed,
  proposedList,
  readAll,
  rejection,
  sized,
} from './event-store-samples.ts'
import { subscriptionContract } from './event-store-subscription-contract.ts'

export type { EventStoreFixture }

export interface ContractOptions {
  /** Runs of the property test; a store behind a network takes fewer. */
  propertyRuns?: number
}

/**
 * Registers one test per promise of the EventStore port on a uvu suite; the caller calls `run()`. Each test
 * gets a store from `open` and a stream name of its own, so stores may share a server.
 */
export function eventStoreContract(
  suite: Test,
  name: string,
  open: () => Promise<EventStoreFixture>,
  options: ContractOptions = {},
): void {
  const contract: ContractTest = (title, body) => {
    suite(`${name}: ${title}`, async () => {
      const fixture = await open()
      try {
        await body(fixture.store, `contract-${randomUUID()}`, fixture)
      } finally {
        await fixture.dispose()
      }
    })
  }
  appendContract(contract)
  retryContract(contract)
  readContract(contract)
  subscriptionContract(contract)
  propertyContract(contract, options.propertyRuns ?? 100)
}

function appendContract(contract: ContractTest): void {
  contract('an append resolves to its last position and is read back whole', async (store, s) => {
    const events = [
      proposed({ checksum: null }),
      proposed({ type: 'order.filled', checksum: 'ab'.repeat(32) }),
    ]
    assert.is(await store.append(s, -1, events), 1)
    assert.is(await store.head(s), 1)
    const read = await readAll(store, s)
    assert.equal(
      read.map((event) => ({ ...event })),
      events.map((event, position) => ({ ...event, position })),
    )
  })

  contract('positions go on across appends', async (store, s) => {
    const events = proposedList(7)
    assert.is(await store.append(s, -1, events.slice(0, 3)), 2)
    assert.is(await store.append(s, 2, events.slice(3, 4)), 3)
    assert.is(await store.append(s, 3, events.slice(4)), 6)
    assert.equal(await idsAndPositions(store, s), expectedIds(events))
  })

  contract('expected too high, too low, and a missing stream are refused', async (store, s) => {
    await store.append(s, -1, proposedList(3))
    for (const expected of [-1, 0, 1, 3, 7]) {
      const error = await rejection(store.append(s, expected, proposedList(1)))
      assert.instance(error, WrongExpectedPosition)
      const { stream, current, code } = error as WrongExpectedPosition
      assert.equal([stream, current, code], [s, 2, 'wrong_expected_position'])
      assert.is((error as WrongExpectedPosition).expected, expected)
    }
    const missing = await rejection(store.append(`${s}-other`, 0, proposedList(1)))
    assert.instance(missing, WrongExpectedPosition)
    assert.is((missing as WrongExpectedPosition).current, -1)
    assert.is(await store.head(s), 2)
    assert.is(await store.head(`${s}-other`), -1)
  })

  contract('of writers racing for a position one wins, whole', async (store, s, fixture) => {
    const other = fixture.another === undefined ? store : await fixture.another()
    const rivals = [proposedList(5), proposedList(5), proposedList(5), proposedList(5)]
    const results = await Promise.allSettled(
      rivals.map((events, i) => (i % 2 === 0 ? store : other).append(s, -1, events)),
    )
    const winners = rivals.filter((_, i) => results[i]?.status === 'fulfilled')
    assert.is(winners.length, 1)
    for (const result of results) {
      if (result.status === 'rejected') assert.instance(result.reason, WrongExpectedPosition)
    }
    assert.equal(await idsAndPositions(store, s), expectedIds(winners[0] ?? []))
  })

  contract('512 KiB of bodies fit, one byte more is a RangeError', async (store, s) => {
    const half = MAX_APPEND_BYTES / 2
    const full = [sized(half - 1), sized(half), sized(1)]
    assert.is(await store.append(s, -1, full), 2)
    const error = await rejection(store.append(s, 2, [...full, sized(1)]))
    assert.instance(error, RangeError)
    const bytesNotCharacters = proposed({ body: JSON.stringify('é'.repeat(half)) })
    assert.instance(await rejection(store.append(s, 2, [bytesNotCharacters])), RangeError)
    assert.equal(await idsAndPositions(store, s), expectedIds(full))
    assert.is((await readAll(store, s))[1]?.body, full[1]?.body)
  })

  contract('bodies come back as the text they were', async (store, s) => {
    const bodies = [
      '{"reason":"Bitácora — 日誌 🧭"}',
      String.raw`{"escaped":"line\nbreak, comma, \u0000 and \ud800"}`,
      '{ "spaces" :  "kept" , "n": 1.50 }',
      `"${'\u2028\u2029\u00a0\ufeff\u{10ffff}'}"`,
    ]
    const events = bodies.map((body) => proposed({ body }))
    await store.append(s, -1, events)
    assert.equal(
      (await readAll(store, s)).map(({ body }) => body),
      bodies,
    )
  })

  contract('streams are apart', async (store, s) => {
    const names = Array.from({ length: 20 }, (_, i) => `${s}-${i}`)
    const lists = names.map((_, i) => proposedList(i + 1))
    await Promise.all(names.map((name, i) => store.append(name, -1, lists[i] ?? [])))
    for (const [i, name] of names.entries()) {
      assert.equal(await idsAndPositions(store, name), expectedIds(lists[i] ?? []))
      assert.is(await store.head(name), i)
    }
    assert.is(await store.head(s), -1)
  })
}

function retryContract(contract: ContractTest): void {
  contract('a retry succeeds and writes nothing, at once and long after', async (store, s) => {
    const appends = Array.from({ length: 12 }, (_, i) => proposedList(1 + (i % 4)))
    const expecteds: number[] = []
    let head = -1
    for (const events of appends) {
      expecteds.push(head)
      const before = head
      head = await store.append(s, before, events)
      assert.is(await store.append(s, before, events), head)
      assert.is(await store.head(s), head)
    }
    for (const [i, events] of appends.entries()) {
      const expected = expecteds[i] ?? -1
      assert.is(await store.append(s, expected, events), expected + events.length)
    }
    assert.equal(await idsAndPositions(store, s), expectedIds(appends.flat()))
  })

  contract('a retry may be cut otherwise than the appends were', async (store, s) => {
    const events = proposedList(6)
    await store.append(s, -1, events.slice(0, 4))
    await store.append(s, 3, events.slice(4))
    assert.is(await store.append(s, 1, events.slice(2, 6)), 5)
    assert.is(await store.append(s, 0, events.slice(1, 2)), 1)
    assert.is(await store.head(s), 5)
  })

  contract('a partial match is no retry', async (store, s) => {
    const events = proposedList(4)
    const [first, second, third, fourth] = events as [
      ProposedEvent,
      ProposedEvent,
      ProposedEvent,
      ProposedEvent,
    ]
    await store.append(s, -1, events)
    const cases: [number, ProposedEvent[]][] = [
      [-1, [first, proposed({})]],
      [-1, [proposed({}), second]],
      [-1, [second, first]],
      [0, [first, second]],
      [1, [third, fourth, proposed({})]],
      [2, [fourth, proposed({})]],
    ]
    for (const [expected, list] of cases) {
      const error = await rejection(store.append(s, expected, list))
      assert.instance(error, WrongExpectedPosition)
    }
    assert.equal(await idsAndPositions(store, s), expectedIds(events))
  })

  // As EventStoreDB does (expected equal to the end is always written): whoever reads the head again and repeats
  // an append with it duplicates events. That is why a retry must carry its original expected position.
  contract('a known id at the end of the stream is written again', async (store, s) => {
    const events = proposedList(2)
    await store.append(s, -1, events)
    assert.is(await store.append(s, 1, events), 3)
    assert.equal(await idsAndPositions(store, s), expectedIds([...events, ...events]))
  })
}

function readContract(contract: ContractTest): void {
  contract('a missing stream is empty', async (store, s) => {
    assert.is(await store.head(s), -1)
    assert.equal(await readAll(store, s), [])
    assert.equal(await readAll(store, s, 5, 9), [])
  })

  contract('from and to are inclusive, wherever appends begin', async (store, s) => {
    const events = proposedList(10)
    await store.append(s, -1, events.slice(0, 1))
    await store.append(s, 0, events.slice(1, 6))
    await store.append(s, 5, events.slice(6))
    const all = expectedIds(events)
    for (let from = 0; from < 12; from++) {
      assert.equal(await idsAndPositions(store, s, from), all.slice(from))
      for (let to = 0; to < 12; to++) {
        assert.equal(await idsAndPositions(store, s, from, to), all.slice(from, to + 1))
      }
    }
  })

  contract('a long stream comes in pages, in order', async (store, s) => {
    const events: ProposedEvent[] = []
    while (events.length < 2600) {
      const list = proposedList(1 + (events.length % 200))
      await store.append(s, events.length - 1, list)
      events.push(...list)
    }
    let pages = 0
    for await (const _ of store.read(s, 0)) pages += 1
    assert.ok(pages > 1, `${pages} pages`)
    assert.equal(await idsAndPositions(store, s), expectedIds(events))
    assert.equal(await idsAndPositions(store, s, 999, 1001), expectedIds(events).slice(999, 1002))
  })

  contract('appends during a read neither gap nor repeat it', async (store, s) => {
    const events = proposedList(1500)
    for (let i = 0; i < 1500; i += 100) await store.append(s, i - 1, events.slice(i, i + 100))
    const positions: number[] = []
    let head = 1499
    for await (const page of store.read(s, 0)) {
      positions.push(...page.map(({ position }) => position))
      if (head < 1530) head = await store.append(s, head, proposedList(5))
    }
    assert.ok(positions.length >= 1500)
    assert.equal(
      positions,
      positions.map((_, i) => i),
    )
  })

  contract('another handle reads what was appended', async (store, s, fixture) => {
    if (fixture.another === undefined) return
    const events = proposedList(3)
    await store.append(s, -1, events)
    const other = await fixture.another()
    assert.equal(await idsAndPositions(other, s), expectedIds(events))
    assert.is(await other.append(s, 2, events), 5)
    assert.is(await store.head(s), 5)
  })
}

type Command =
  | { kind: 'append'; count: number }
  | { kind: 'retry'; from: number; count: number }
  | { kind: 'stale'; behind: number; count: number }
  | { kind: 'read'; from: number; to: number }

function propertyContract(contract: ContractTest, numRuns: number): void {
  const size = fc.integer({ min: 1, max: 6 })
  const place = fc.integer({ min: 0, max: 40 })
  const command: fc.Arbitrary<Command> = fc.oneof(
    fc.record({ kind: fc.constant('append' as const), count: size }),
    fc.record({ kind: fc.constant('retry' as const), from: place, count: size }),
    fc.record({ kind: fc.constant('stale' as const), behind: size, count: size }),
    fc.record({ kind: fc.constant('read' as const), from: place, to: place }),
  )

  contract('any interleaving of appends and retries equals the model', async (store, s) => {
    let run = 0
    await fc.assert(
      fc.asyncProperty(fc.array(command, { minLength: 5, maxLength: 40 }), async (commands) => {
        run += 1
        const stream = `${s}-${run}`
        const model: ProposedEvent[] = []
        for (const step of commands) await obey(step, store, stream, model)
        assert.equal(await idsAndPositions(store, stream), expectedIds(model))
        assert.is(await store.head(stream), model.length - 1)
      }),
      { numRuns },
    )
  })
}

async function obey(
  command: Command,
  store: EventStore,
  stream: string,
  model: ProposedEvent[],
): Promise<void> {
  const head = model.length - 1
  if (command.kind === 'append') {
    const events = proposedList(command.count)
    assert.is(await store.append(stream, head, events), head + events.length)
    model.push(...events)
  } else if (command.kind === 'retry') {
    const events = model.slice(command.from, command.from + command.count)
    if (events.length === 0) return
    const last = command.from + events.length - 1
    assert.is(await store.append(stream, command.from - 1, events), last)
  } else if (command.kind === 'stale') {
    const expected = Math.max(-1, head - command.behind)
    if (expected === head) return
    const events = [...model.slice(expected + 1, head), ...proposedList(command.count)]
    const error = await rejection(store.append(stream, expected, events))
    assert.instance(error, WrongExpectedPosition)
  } else {
    const all = expectedIds(model).slice(command.from, command.to + 1)
    assert.equal(await idsAndPositions(store, stream, command.from, command.to), all)
  }
}
