import * as fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Bus, PublishOptions } from '../../engine/ports/bus.ts'
import { ReportOutbox } from './report-outbox.ts'

type Fate = 'stored' | 'lost' | 'answer lost'

/** A stream as JetStream keeps it: repeats recognised by id, an expected predecessor enforced. */
class StreamDouble implements Bus {
  readonly ids: string[] = []
  inFlight = 0
  most = 0
  readonly #fates: Fate[]
  constructor(fates: Fate[]) {
    this.#fates = [...fates]
  }
  async publish(_subject: string, _payload: Uint8Array | string, options: PublishOptions = {}) {
    const { id = '', headers = {} } = options
    const fate = this.#fates.shift() ?? 'stored'
    this.most = Math.max(this.most, ++this.inFlight)
    await new Promise((resolve) => setImmediate(resolve))
    this.inFlight--
    if (fate === 'lost') throw new Error('lost')
    const duplicate = this.ids.includes(id)
    const expected = headers['Nats-Expected-Last-Msg-Id']
    if (!duplicate) {
      if (expected !== undefined && this.ids.at(-1) !== expected)
        throw new Error('wrong last msg ID')
      this.ids.push(id)
    }
    if (fate === 'answer lost') throw new Error('timeout')
    return { stream: 'REPORTS', sequence: this.ids.indexOf(id) + 1, duplicate }
  }
  consume(): never {
    throw new Error('not used here')
  }
}

function outbox(bus: Bus) {
  const failures: number[] = []
  const box = new ReportOutbox({
    bus,
    subject: 'reports.main',
    pause: async () => undefined,
    failed: (_error, attempt) => failures.push(attempt),
  })
  const stored: number[] = []
  const put = (n: number) =>
    box.put({ id: `${n}`, headers: {}, payload: '{}', stored: () => stored.push(n) })
  const idle = async (count: number) => {
    for (let i = 0; i < 5000 && stored.length < count; i++)
      await new Promise((r) => setImmediate(r))
  }
  return { box, put, idle, stored, failures }
}

const numbers = (count: number) => Array.from({ length: count }, (_, i) => i)

test('reports are pipelined', async () => {
  const bus = new StreamDouble([])
  const { put, idle, stored } = outbox(bus)
  numbers(100).forEach(put)
  await idle(100)
  assert.equal(stored, numbers(100))
  assert.is(bus.most, 64)
})

test('a report lost on the wire does not let its successors pass', async () => {
  const bus = new StreamDouble(['stored', 'lost', 'stored', 'stored'])
  const { put, idle, failures } = outbox(bus)
  numbers(4).forEach(put)
  await idle(4)
  assert.equal(bus.ids, ['0', '1', '2', '3'])
  assert.equal(failures, [1])
})

test('somebody else writing to the stream holds nothing up', async () => {
  const bus = new StreamDouble([])
  const { put, idle, stored } = outbox(bus)
  put(0)
  put(1)
  await Promise.resolve()
  bus.ids.push('foreign')
  await idle(2)
  assert.equal(stored, [0, 1])
})

test('what was not sent when it closes stays unsent', async () => {
  const bus = new StreamDouble([])
  const { box, put, stored } = outbox(bus)
  numbers(70).forEach(put)
  await Promise.resolve()
  await box.close()
  put(70)
  assert.is(stored.length, 64)
  assert.is(bus.ids.length, 64)
})

test('property: whatever is lost, every report is stored once, in order, and confirmed in order', async () => {
  const fate = fc.constantFrom<Fate>('stored', 'stored', 'lost', 'answer lost')
  await fc.assert(
    fc.asyncProperty(fc.array(fate, { maxLength: 60 }), fc.nat(20), async (fates, count) => {
      const bus = new StreamDouble(fates)
      const { put, idle, stored } = outbox(bus)
      for (const n of numbers(count)) {
        put(n)
        if (n % 3 === 2) await new Promise((r) => setImmediate(r))
      }
      await idle(count)
      assert.equal(bus.ids, numbers(count).map(String))
      assert.equal(stored, numbers(count))
    }),
    { numRuns: 150 },
  )
})

test.run()
