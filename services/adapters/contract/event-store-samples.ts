import { randomUUID } from 'node:crypto'
import * as assert from 'uvu/assert'
import type { EventStore, ProposedEvent, StoredEvent } from '../../../engine/ports/event-store.ts'

const PATIENCE_MS = 10_000

export interface EventStoreFixture {
  store: EventStore
  /** A second, independent handle on the same storage, as another process has; absent where there is none. */
  another?: () => Promise<EventStore>
  /** Closes every handle and removes the storage. */
  dispose(): Promise<void>
}

/** Registers a test that gets a store and a stream name of its own. */
export type ContractTest = (
  title: string,
  body: (store: EventStore, stream: string, fixture: EventStoreFixture) => Promise<void>,
) => void

/** An event with a random id; its body is unique unless given. */
export function proposed(given: Partial<ProposedEvent>): ProposedEvent {
  const id = randomUUID()
  return {
    id,
    type: 'market.bar',
    body: JSON.stringify({ type: 'market.bar', version: 1, data: { sample: id } }),
    checksum: 'c0'.repeat(32),
    ...given,
  }
}

export function proposedList(count: number): ProposedEvent[] {
  return Array.from({ length: count }, () => proposed({}))
}

/** An event whose body has exactly so many bytes. */
export function sized(bytes: number): ProposedEvent {
  return proposed({ body: bytes < 2 ? '1' : `"${'x'.repeat(bytes - 2)}"` })
}

export async function readAll(
  store: EventStore,
  stream: string,
  from = 0,
  to?: number,
): Promise<StoredEvent[]> {
  const events: StoredEvent[] = []
  for await (const page of store.read(stream, from, to)) {
    assert.ok(page.length > 0, 'a page holds at least one event')
    events.push(...page)
  }
  return events
}

export async function idsAndPositions(
  store: EventStore,
  stream: string,
  from = 0,
  to?: number,
): Promise<string[]> {
  return (await readAll(store, stream, from, to)).map(({ position, id }) => `${position} ${id}`)
}

/** What `idsAndPositions` answers for a stream that holds exactly these. */
export function expectedIds(events: readonly ProposedEvent[]): string[] {
  return events.map(({ id }, position) => `${position} ${id}`)
}

/** The error a promise rejects with; fails when it resolves. */
export async function rejection(promise: Promise<unknown>): Promise<unknown> {
  let value: unknown
  try {
    value = await promise
  } catch (error) {
    return error
  }
  throw new Error(`resolved to ${String(value)} instead of rejecting`)
}

/** Waits for a condition that another party brings about; fails after ten seconds. */
export async function until(condition: () => boolean, what: string): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS
  while (!condition()) {
    if (performance.now() > deadline) {
      throw new Error(`waited ${PATIENCE_MS} ms for ${what}`)
    }
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
}
