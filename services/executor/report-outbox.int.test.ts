import { setTimeout as sleep } from 'node:timers/promises'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Consumption } from '../../engine/ports/bus.ts'
import { NatsBus } from '../adapters/nats/nats-bus.ts'
import { rejection, until, withNats } from '../adapters/nats/nats-fixture.ts'
import { provision } from '../adapters/nats/streams.ts'
import { ReportOutbox } from './report-outbox.ts'

const BOOK = { bookId: 'b1', account: 'main' }
const EXPECTED = 'Nats-Expected-Last-Msg-Id'
const COUNT = 3000

test(
  'the server knows a repeat before it looks at the named predecessor, and refuses a wrong one',
  withNats(async (fixture) => {
    const nc = await fixture.connect()
    await provision(nc, BOOK)
    const bus = new NatsBus(nc)
    for (const id of ['r1', 'r2', 'r3']) await bus.publish('reports.main', '{}', { id })
    const again = await bus.publish('reports.main', '{}', {
      id: 'r2',
      headers: { [EXPECTED]: 'r1' },
    })
    assert.is(again.duplicate, true)
    const wrong = await rejection(
      bus.publish('reports.main', '{}', { id: 'r5', headers: { [EXPECTED]: 'r4' } }),
    )
    assert.match(wrong.message, /last msg ID/i)
    await bus.publish('reports.main', '{}', { id: 'r4', headers: { [EXPECTED]: 'r3' } })
  }),
)

test(
  'a server killed in the middle: every report is stored, in order, and confirmed in order',
  withNats(async (fixture) => {
    const nc = await fixture.connect()
    await provision(nc, BOOK)
    const bus = new NatsBus(nc, { publishTimeoutMs: 500 })
    const confirmed: number[] = []
    let failures = 0
    const outbox = new ReportOutbox({
      bus,
      subject: 'reports.main',
      pause: () => sleep(50),
      failed: () => failures++,
    })
    for (let n = 0; n < COUNT; n++) {
      outbox.put({ id: `r${n}`, headers: {}, payload: `${n}`, stored: () => confirmed.push(n) })
    }
    await until(() => confirmed.length > 200)
    await fixture.crash()
    await until(() => confirmed.length === COUNT, 60_000)
    assert.ok(failures > 0, 'the crash was not noticed: it came too late')
    assert.equal(
      confirmed,
      Array.from({ length: COUNT }, (_, n) => n),
    )
    const stored: number[] = []
    let consumption: Consumption | undefined
    consumption = await bus.consume('REPORTS', 'reader', (message) => {
      stored.push(Number(Buffer.from(message.payload)))
      // Acknowledges those before it too: the first may come before we hold the consumption.
      consumption?.ack(message)
    })
    await until(() => stored.at(-1) === COUNT - 1)
    await consumption.stop()
    // A reader drops repeats by their sequence; no report may come before its predecessor.
    let mark = -1
    for (const n of stored) {
      assert.ok(n <= mark + 1, `${n} came after ${mark}`)
      mark = Math.max(mark, n)
    }
    assert.is(mark, COUNT - 1)
    await outbox.close()
  }),
)

test.run()
