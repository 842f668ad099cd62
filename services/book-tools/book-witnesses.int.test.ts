import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { clientOrderId } from '../../engine/events/ids.ts'
import { type Broker, OutcomeUnknown } from '../../engine/ports/broker.ts'
import { MemoryStore } from '../adapters/memory/memory-store.ts'
import { withNats } from '../adapters/nats/nats-fixture.ts'
import { provision } from '../adapters/nats/streams.ts'
import { ANCHORS_FILE, noteAnchor, presentAnchor } from './anchor.ts'
import { askWitnesses, type WitnessOptions } from './book-witnesses.ts'
import { inFolder, rejection } from './testing/in-folder.ts'
import { BOOK, SampleBook, STREAM, store } from './testing/sample-book.ts'

/** A broker that knows orders up to a number. */
function brokerOf(lastSequence: number, lastOrder: number | null): Broker {
  return {
    submit: async () => undefined,
    cancel: async () => undefined,
    reports: () => () => undefined,
    lastSequence: () => lastSequence,
    async knows(id) {
      if (lastOrder === null) throw new OutcomeUnknown('it does not answer')
      return Number(id.split('-')[1]) <= lastOrder && id.startsWith(`${BOOK}-`)
    },
  }
}

const SOUND = brokerOf(4, 2)

function scene(
  body: (ask: (change?: Partial<WitnessOptions>) => Promise<string[]>, at: Scene) => Promise<void>,
) {
  return inFolder((dir) =>
    withNats(async (nats) => {
      const nc = await nats.connect()
      await provision(nc, { bookId: BOOK, account: 'main' })
      const sample = new SampleBook().bars(20)
      const memory = new MemoryStore()
      await store(memory, sample.steps)
      const ask = async (change: Partial<WitnessOptions> = {}) => {
        const warnings: string[] = []
        await askWitnesses({
          ...{ dir, store: memory, stream: STREAM, nc, broker: SOUND },
          book: { bookId: BOOK, last: sample.last, lastOrderId: 2, brokerSequence: 4 },
          warn: (_error, message) => warnings.push(message),
          ...change,
        })
        return warnings
      }
      const publish = (position: number, bookId = BOOK) =>
        nc.jetstream().publish('tape.market.bar.A', '{}', {
          msgID: `${bookId}-${position}`,
          headers: headersOf(position),
        })
      await body(ask, { dir, sample, memory, publish })
    })(),
  )
}

interface Scene {
  dir: string
  sample: SampleBook
  memory: MemoryStore
  publish: (position: number, bookId?: string) => Promise<unknown>
}

const { headers } = await import('nats')
function headersOf(position: number) {
  const made = headers()
  made.set('bitacora-position', String(position))
  return made
}

test(
  'a book that all witnesses know to its end is let through; an empty one asks nobody',
  scene(async (ask, { dir, sample, memory, publish }) => {
    assert.equal(await ask(), [])
    noteAnchor(dir, (await presentAnchor(memory, STREAM, BOOK, 0))!)
    await publish(sample.last)
    assert.equal(await ask(), [])
    assert.equal(await ask({ broker: brokerOf(9, 2) }), [], 'a broker may have said more')
    const never = { ...SOUND, knows: () => assert.unreachable() }
    const book = { bookId: BOOK, last: -1, lastOrderId: 0, brokerSequence: 0 }
    assert.equal(await ask({ broker: never as never, book }), [])
  }),
)

test(
  'anchors show an older book, and another past; those of other books are passed over',
  scene(async (ask, { dir, sample, memory }) => {
    const whole = (await presentAnchor(memory, STREAM, BOOK, 0))!
    noteAnchor(dir, { ...whole, bookId: 'bother', position: 9999 })
    assert.equal(await ask(), [])
    noteAnchor(dir, { ...whole, position: sample.last + 30 })
    const older = await rejection(ask())
    assert.is(older.code, 'book_older')
    assert.match(
      older.message,
      `the book ends at ${sample.last}, and the anchor of 1970-01-01T00:00:00.000Z has seen it up to ${sample.last + 30}`,
    )
    writeFileSync(join(dir, ANCHORS_FILE), '')
    noteAnchor(dir, { ...whole, checksum: 'f'.repeat(64) })
    assert.match((await rejection(ask())).message, 'has seen another past up to')
    writeFileSync(join(dir, ANCHORS_FILE), 'nonsense\n')
    assert.match((await ask()).join(), 'the noted anchors cannot be read')
  }),
)

test(
  'TAPE shows an older book, but not one that a writer has gone on with',
  scene(async (ask, { sample, memory, publish }) => {
    const { last } = sample
    await publish(last + 1)
    const older = await rejection(ask())
    assert.is(older.code, 'book_older')
    assert.match(older.message, `and TAPE carries it up to ${last + 1}`)
    // The book grew after it was read: whoever appends to it is refused by the store.
    await store(memory, [sample.bar()])
    assert.equal(await ask({ book: { bookId: BOOK, last, lastOrderId: 2, brokerSequence: 4 } }), [])
    await publish(9, 'bother')
    assert.match((await ask()).join(), 'TAPE cannot be read')
  }),
)

test(
  'a broker with more orders, or fewer reports, than the book is refused',
  scene(async (ask, { dir }) => {
    const ahead = await rejection(ask({ broker: brokerOf(4, 3) }))
    assert.is(ahead.code, 'broker_ahead')
    assert.match(
      ahead.message,
      `knows order ${clientOrderId(BOOK, 3)}, and the last order in the book is 2`,
    )
    const behind = await rejection(ask({ broker: brokerOf(3, 2) }))
    assert.is(behind.code, 'broker_behind')
    assert.match(
      behind.message,
      `journal in ${dir} ends at report 3, and the book tells of report 4`,
    )
    assert.match((await ask({ broker: brokerOf(4, null) })).join(), 'could not be asked for orders')
    const broken = { ...SOUND, knows: () => Promise.reject(new TypeError('broken')) }
    assert.instance(await rejection(ask({ broker: broken })), TypeError)
  }),
)

test.run()
