import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Bus, PublishOptions } from '../../engine/ports/bus.ts'
import type { EventStore } from '../../engine/ports/event-store.ts'
import type { EventData, EventType } from '../../schemas/types.gen.ts'
import { encodeBody } from '../../engine/events/envelope.ts'
import { eventId } from '../../engine/events/ids.ts'
import { MemoryStore } from '../adapters/memory/memory-store.ts'
import { createLog } from '../runtime/log.ts'
import { startVerdicts, type Verdict } from './verdicts.ts'

const STREAM = 'account-test'
const DAY_MS = 86_400_000

class VerdictBus {
  readonly sent: { subject: string; verdict: Verdict; options: PublishOptions }[] = []
  attempts = 0
  down = false

  async publish(subject: string, payload: Uint8Array | string, options: PublishOptions = {}) {
    this.attempts++
    if (this.down) throw new Error('no server')
    this.sent.push({ subject, verdict: JSON.parse(String(payload)) as Verdict, options })
    return { stream: 'VERDICTS', sequence: this.sent.length, duplicate: false }
  }

  get positions(): number[] {
    return this.sent.map(({ options }) => Number(options.headers?.['bitacora-position']))
  }
}

/** Appends one event; answers its position. */
async function add<T extends EventType>(
  store: EventStore,
  type: T,
  data: EventData[T],
  recordedAt = Date.now(),
): Promise<number> {
  const head = await store.head(STREAM)
  const position = head + 1
  const body = encodeBody({
    type,
    version: 1,
    at: 0,
    recordedAt,
    step: position,
    because: null,
    data,
  })
  const id = eventId('00000000000000a1', position)
  await store.append(STREAM, head, [{ id, type, body, checksum: null }])
  return position
}

function verdict(signalId: string, given: Partial<EventData['risk.verdict']> = {}) {
  return {
    signalId,
    source: 'operator:ana',
    verdict: 'approved' as const,
    orderIds: [1],
    code: 'approved',
    rule: null,
    observed: null,
    limit: null,
    qty: '1',
    checks: [],
    order: null,
    ...given,
  }
}

function refused(given: Partial<EventData['input.refused']> = {}): EventData['input.refused'] {
  return {
    subject: 'signals.manual.ana',
    stream: 'INBOX',
    sequence: 1,
    code: 'not_json',
    message: 'the message is not JSON',
    payload: '{',
    operator: 'ana',
    signalId: 's1',
    storedAt: '2026-01-15T12:00:00Z',
    ...given,
  }
}

function start(store: EventStore, bus: VerdictBus, after = -1) {
  const lines: string[] = []
  const destination = { write: (text: string) => lines.push(text) }
  const verdicts = startVerdicts({
    store,
    stream: STREAM,
    bus: bus as unknown as Bus,
    bookId: 'b1',
    after,
    log: createLog({ level: 'debug', name: 'test', destination }),
  })
  return { verdicts, lines }
}

async function until(condition: () => boolean): Promise<void> {
  for (let turn = 0; !condition(); turn++) {
    if (turn > 1000) throw new Error(`still not so: ${condition}`)
    await sleep(2)
  }
}

test('an operator is told what became of a signal, with the position as its id', async () => {
  const store = new MemoryStore()
  const bus = new VerdictBus()
  const { verdicts } = start(store, bus)
  const position = await add(store, 'risk.verdict', verdict('s1'))
  await until(() => verdicts.position() === position)
  assert.equal(bus.sent, [
    {
      subject: 'signals.verdict.ana',
      verdict: {
        signalId: 's1',
        verdict: 'approved',
        orderIds: [1],
        code: 'approved',
        rule: null,
        observed: null,
        limit: null,
      },
      options: { id: `b1-v${position}`, headers: { 'bitacora-position': String(position) } },
    },
  ])
  await verdicts.close()
  await verdicts.done
})

test('a refused signal is a denied verdict; other refusals and strategies concern nobody', async () => {
  const store = new MemoryStore()
  const bus = new VerdictBus()
  const { operator: _, ...nobody } = refused()
  await add(store, 'input.refused', nobody)
  const { signalId: __, ...nameless } = refused()
  await add(store, 'input.refused', nameless)
  await add(store, 'risk.verdict', verdict('x', { source: 'strategy:sma_cross' }))
  const last = await add(store, 'input.refused', refused())
  const { verdicts } = start(store, bus)
  await until(() => verdicts.position() === last)
  assert.equal(
    bus.sent.map(({ verdict: told }) => told),
    [
      {
        signalId: 's1',
        verdict: 'denied',
        orderIds: [],
        code: 'not_json',
        rule: 'input',
        observed: 'the message is not JSON',
        limit: null,
      },
    ],
  )
  await verdicts.close()
})

test('what no signal asked for, or nobody could be told, is skipped: it becomes no subject', async () => {
  const store = new MemoryStore()
  const bus = new VerdictBus()
  const sources = [
    'operator:ana x 1\r\nPUB control.halt',
    'operator:a.b',
    'operator:>',
    'operator:',
    'ana',
  ]
  for (const source of [...sources, `operator:${'x'.repeat(65)}`, 'operator:ana\n']) {
    await add(store, 'risk.verdict', verdict('x', { source }))
  }
  await add(store, 'risk.verdict', verdict('c1:A', { code: 'flatten' }))
  const last = await add(store, 'risk.verdict', verdict('s1'))
  const { verdicts, lines } = start(store, bus)
  await until(() => verdicts.position() === last)
  assert.equal(
    bus.sent.map(({ subject, verdict: told }) => `${subject} ${told.signalId}`),
    ['signals.verdict.ana s1'],
  )
  assert.equal(lines, [])
  await verdicts.close()
})

test('what cannot be published is tried again, and what follows waits: order is kept', async () => {
  const store = new MemoryStore()
  const bus = new VerdictBus()
  bus.down = true
  const first = await add(store, 'risk.verdict', verdict('s1'))
  const second = await add(store, 'risk.verdict', verdict('s2'))
  const { verdicts, lines } = start(store, bus)
  await until(() => bus.attempts >= 2)
  assert.equal(bus.sent, [])
  assert.is(verdicts.position(), -1)
  bus.down = false
  await until(() => verdicts.position() === second)
  assert.equal(bus.positions, [first, second])
  assert.match(lines[0]!, 'could not be published; trying again')
  await verdicts.close()
})

test('it begins behind the newest verdict that was published', async () => {
  const store = new MemoryStore()
  const bus = new VerdictBus()
  const positions: number[] = []
  for (let n = 0; n < 5; n++) positions.push(await add(store, 'risk.verdict', verdict(`s${n}`)))
  const { verdicts } = start(store, bus, positions[2])
  await until(() => verdicts.position() === positions[4])
  assert.equal(bus.positions, positions.slice(3))
  await verdicts.close()
})

test('verdicts older than the stream would keep are not published', async () => {
  const store = new MemoryStore()
  const bus = new VerdictBus()
  await add(store, 'risk.verdict', verdict('old'), Date.now() - 7 * DAY_MS - 1000)
  const kept = await add(store, 'risk.verdict', verdict('young'), Date.now() - 7 * DAY_MS + 60_000)
  const { verdicts } = start(store, bus)
  await until(() => verdicts.position() === kept)
  assert.equal(bus.positions, [kept])
  await verdicts.close()
})

test('close ends it also while the server is away', async () => {
  const store = new MemoryStore()
  const bus = new VerdictBus()
  bus.down = true
  await add(store, 'risk.verdict', verdict('s1'))
  const { verdicts } = start(store, bus)
  await until(() => bus.attempts > 0)
  await verdicts.close()
  await verdicts.done
  const { attempts } = bus
  await sleep(300)
  assert.is(bus.attempts, attempts)
  assert.equal(bus.sent, [])
})

test('a book that cannot be read ends it with the error', async () => {
  const store = new MemoryStore()
  const bus = new VerdictBus()
  const id = eventId('00000000000000a1', 0)
  await store.append(STREAM, -1, [{ id, type: 'risk.verdict', body: '{}', checksum: null }])
  const { verdicts } = start(store, bus)
  let error: unknown
  await verdicts.done.catch((reason) => {
    error = reason
  })
  assert.is((error as { code?: string }).code, 'altered_event')
})

test.run()
