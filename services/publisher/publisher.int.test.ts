import { spawn } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { EventStore, StoredEvent, Subscription } from '../../engine/ports/event-store.ts'
import type { NatsConnection } from '../adapters/nats/connection.ts'
import { NatsBus } from '../adapters/nats/nats-bus.ts'
import { rejection, until, withNats } from '../adapters/nats/nats-fixture.ts'
import { isAlive } from '../adapters/nats/process-table.ts'
import { provision } from '../adapters/nats/streams.ts'
import { hasCategory, rebuildTape, runPublisher, tapePayload, tapeSubject } from './publisher.ts'

const BOOK = { bookId: 'b1', account: 'main' }
const HERE = import.meta.dirname

/** Just enough of a store: one stream that grows, read and followed in pages. */
class GrowingBook implements Pick<EventStore, 'read' | 'head' | 'subscribe'> {
  readonly events: StoredEvent[] = []
  failure: Error | undefined

  grow(count: number): void {
    for (let n = 0; n < count; n++) {
      const position = this.events.length
      const body = JSON.stringify({ type: 'timer.fired', version: 1, data: { n: position } })
      this.events.push({
        id: `id-${position}`,
        type: 'timer.fired',
        body,
        checksum: null,
        position,
      })
    }
  }

  async head(): Promise<number> {
    return this.events.length - 1
  }

  async *read(_stream: string, from: number, to = this.events.length - 1) {
    for (let at = from; at <= to; at += 100) yield this.events.slice(at, Math.min(at + 100, to + 1))
  }

  subscribe(
    _stream: string,
    from: number,
    handler: (events: readonly StoredEvent[]) => void | Promise<void>,
  ): Subscription {
    let open = true
    const done = (async () => {
      for (let at = from; open; ) {
        if (this.failure) throw this.failure
        const page = this.events.slice(at, at + 100)
        if (page.length > 0) await handler(page)
        else await sleep(2)
        at += page.length
      }
    })()
    done.catch(() => {})
    return {
      done,
      close: async () => {
        open = false
        await done.catch(() => {})
      },
    }
  }

  get port(): EventStore {
    return this as unknown as EventStore
  }
}

interface Line {
  subject: string
  position: number
  body: { id: string; position: number; type: string; data: unknown }
}

async function tape(nc: NatsConnection): Promise<Line[]> {
  const { state } = await (await nc.jetstreamManager()).streams.info('TAPE')
  const lines: Line[] = []
  const durable = `reader-${Math.random().toString(36).slice(2)}`
  const reader = await new NatsBus(nc).consume('TAPE', durable, (message) => {
    const body = JSON.parse(Buffer.from(message.payload).toString())
    const position = Number(message.headers['bitacora-position'])
    lines.push({ subject: message.subject, position, body })
    reader.ack(message)
  })
  await until(() => lines.length === state.messages)
  await reader.stop()
  return lines
}

const numbers = (to: number) => Array.from({ length: to + 1 }, (_, index) => index)

async function assertWhole(nc: NatsConnection, head: number): Promise<void> {
  const lines = await tape(nc)
  assert.equal(
    lines.map((line) => line.position),
    numbers(head),
  )
  assert.ok(lines.every((line) => line.body.position === line.position))
}

function event(type: string, data: unknown = {}): StoredEvent {
  return { id: 'e', type, body: JSON.stringify({ type, data }), checksum: null, position: 7 }
}

test('each type has its subject, and symbols stay one token', () => {
  const subjects: [StoredEvent, string][] = [
    [event('market.bar', { symbol: 'BRK.B' }), 'tape.market.bar.BRK_B'],
    [event('market.bar', { symbol: 'A *>\n' }), 'tape.market.bar.A____'],
    [event('market.bar'), 'tape.market.bar._'],
    [event('market.quote'), 'tape.market.quote'],
    [event('feature.computed'), 'tape.feature.computed'],
    [event('signal.raised'), 'tape.signal.raised'],
    [event('input.refused'), 'tape.signal.input.refused'],
    [event('risk.verdict'), 'tape.risk.verdict'],
    [event('order.filled', { symbol: 'GOOG' }), 'tape.fill.GOOG'],
    [event('order.accepted', { symbol: 'GOOG' }), 'tape.order.accepted'],
    [event('control.received'), 'tape.control.received'],
    [event('book.created'), 'tape.control.book.created'],
    [event('engine.started'), 'tape.control.engine.started'],
    [event('timer.set'), 'tape.timer.set'],
    [event('prediction.received'), 'tape.prediction.received'],
    [event('model.promoted'), 'tape.model.promoted'],
    [event('input.gap'), 'tape.control.input.gap'],
    [event('novelty.seen'), 'tape.control.novelty.seen'],
  ]
  for (const [stored, subject] of subjects) assert.is(tapeSubject(stored), subject)
})

test('every event schema belongs to a category', () => {
  const root = join(HERE, '../../schemas')
  const types = readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((file) => /\.v\d+\.json$/.test(file) && !/^(api|config)/.test(file))
    .map((file) => file.replace(/^.*[/\\]([a-z]+)-[^/\\]*$/, '$1'))
    // A manual signal is what comes in, not what is recorded.
    .filter((first) => first !== 'manual')
  assert.ok(types.length > 15)
  assert.equal(
    types.filter((first) => !hasCategory(`${first}.x`)),
    [],
  )
})

test('the payload is id and position before the untouched body', () => {
  const stored = { ...event('timer.set'), body: '{"type":"timer.set","data":{"x":1.10}}' }
  assert.is(tapePayload(stored), '{"id":"e","position":7,"type":"timer.set","data":{"x":1.10}}')
  assert.is(tapePayload({ ...stored, body: '{}' }), '{"id":"e","position":7}')
})

test(
  'the whole book goes out and what is appended follows, across restarts without gap or repeat',
  withNats(async (fixture) => {
    const nc = await fixture.connect()
    await provision(nc, BOOK)
    const book = new GrowingBook()
    book.grow(1500)
    const options = { store: book.port, stream: 'account-main', nc, bookId: 'b1' }
    const first = await runPublisher(options)
    await until(() => first.position() === 1499)
    book.grow(30)
    await until(() => first.position() === 1529)
    await first.close()
    await first.done
    book.grow(70)
    const second = await runPublisher(options)
    assert.ok(second.position() >= 1529)
    await until(() => second.position() === 1599)
    await second.close()
    await assertWhole(nc, 1599)
  }),
)

test(
  'SIGKILLs of the server while publishing leave no gap, repeat or disorder',
  withNats(async (fixture) => {
    const nc = await fixture.connect()
    await provision(nc, BOOK)
    const book = new GrowingBook()
    const publisher = await runPublisher({ store: book.port, stream: 's', nc, bookId: 'b1' })
    const growing = setInterval(() => book.grow(40), 2)
    for (let round = 0; round < 3; round++) {
      const mark = publisher.position()
      await until(() => publisher.position() > mark + 1000)
      await fixture.crash(round * 100)
    }
    clearInterval(growing)
    await until(() => publisher.position() === book.events.length - 1)
    await publisher.close()
    await assertWhole(nc, book.events.length - 1)
  }),
)

test(
  'a publisher killed in the middle is continued by the next one',
  withNats(async (fixture) => {
    const nc = await fixture.connect()
    await provision(nc, BOOK)
    const url = (file: string) => JSON.stringify(pathToFileURL(join(HERE, file)).href)
    const code = `import { runPublisher } from ${url('publisher.ts')}
      import { connectNats } from ${url('../adapters/nats/connection.ts')}
      const nc = await connectNats(${JSON.stringify(fixture.server.url)}, 'publisher')
      const subscribe = (_stream, from, handler) => {
        const done = (async () => {
          for (let position = from; ; position++) {
            const body = JSON.stringify({ type: 'timer.fired', version: 1, data: { n: position } })
            await handler([{ id: 'id-' + position, type: 'timer.fired', body, checksum: null, position }])
          }
        })()
        return { done, close: async () => {} }
      }
      await runPublisher({ store: { subscribe }, stream: 's', nc, bookId: 'b1' })`
    const jsm = await nc.jetstreamManager()
    const stored = async () => (await jsm.streams.info('TAPE')).state.messages
    for (let round = 0; round < 3; round++) {
      const before = await stored()
      const args = ['--import', 'tsx', '--input-type=module', '-e', code]
      const child = spawn(process.execPath, args, { stdio: 'ignore' })
      await until(async () => (await stored()) > before + 3000).finally(() => child.kill('SIGKILL'))
      await until(() => !isAlive(child.pid as number))
    }
    await sleep(200)
    const book = new GrowingBook()
    book.grow((await stored()) + 500)
    const publisher = await runPublisher({ store: book.port, stream: 's', nc, bookId: 'b1' })
    await until(() => publisher.position() === book.events.length - 1)
    await publisher.close()
    await assertWhole(nc, book.events.length - 1)
  }),
)

test(
  'a rebuild leaves exactly the book, and a publisher running beside it carries on',
  withNats(async (fixture) => {
    const nc = await fixture.connect()
    await provision(nc, BOOK)
    const book = new GrowingBook()
    book.grow(800)
    const options = { store: book.port, stream: 's', nc, bookId: 'b1' }
    const publisher = await runPublisher(options)
    await until(() => publisher.position() === 799)
    assert.is(await rebuildTape(options), 800)
    book.grow(50)
    await until(() => publisher.position() === 849)
    await until(async () => (await tape(nc)).length === 850)
    await assertWhole(nc, 849)
    await publisher.close()
    const empty = new GrowingBook()
    assert.is(await rebuildTape({ ...options, store: empty.port }), 0)
    assert.is((await tape(nc)).length, 0)
  }),
)

test(
  'a TAPE deleted, emptied or robbed of its front under a quiet publisher holds the whole book again',
  withNats(async (fixture) => {
    const nc = await fixture.connect()
    const jsm = await nc.jetstreamManager()
    await provision(nc, BOOK)
    const book = new GrowingBook()
    book.grow(60)
    const options = { store: book.port, stream: 's', nc, bookId: 'b1' }
    const publisher = await runPublisher(options)
    await until(() => publisher.position() === 59)
    await jsm.streams.delete('TAPE')
    await sleep(300)
    await provision(nc, BOOK)
    const whole = async () => (await jsm.streams.info('TAPE')).state.messages === 60
    await until(whole, 20_000)
    await jsm.streams.purge('TAPE')
    await until(whole, 20_000)
    await jsm.streams.purge('TAPE', { seq: (await jsm.streams.info('TAPE')).state.first_seq + 20 })
    await until(whole, 20_000)
    await until(() => publisher.position() === 59)
    book.grow(10)
    await until(() => publisher.position() === 69)
    await assertWhole(nc, 69)
    await publisher.close()
    // In between two runs as well, and a newest message deleted by hand.
    await jsm.streams.purge('TAPE', { keep: 5 })
    const second = await runPublisher(options)
    await until(() => second.position() === 69)
    await assertWhole(nc, 69)
    await second.close()
    await jsm.streams.deleteMessage('TAPE', (await jsm.streams.info('TAPE')).state.last_seq)
    assert.is(await rebuildTape(options), 70)
    await assertWhole(nc, 69)
  }),
)

test(
  'another book’s tape is refused and not emptied, a failing store ends the publisher',
  withNats(async (fixture) => {
    const nc = await fixture.connect()
    await provision(nc, BOOK)
    const book = new GrowingBook()
    book.grow(10)
    const options = { store: book.port, stream: 's', nc, bookId: 'b1' }
    const publisher = await runPublisher(options)
    await until(() => publisher.position() === 9)
    const other = { ...options, bookId: 'b2' }
    assert.is((await rejection(runPublisher(other))).code, 'foreign_stream')
    assert.is((await rejection(rebuildTape(other))).code, 'foreign_stream')
    assert.is((await tape(nc)).length, 10)
    book.failure = new Error('disk gone')
    assert.match((await rejection(publisher.done)).message, 'disk gone')
    await publisher.close()
  }),
)

test(
  'closing ends in time though the server is away',
  withNats(async (fixture) => {
    const nc = await fixture.connect()
    await provision(nc, BOOK)
    const book = new GrowingBook()
    const publisher = await runPublisher({ store: book.port, stream: 's', nc, bookId: 'b1' })
    process.kill(fixture.server.pid as number, 'SIGKILL')
    await sleep(100)
    book.grow(3000)
    await sleep(100)
    const started = Date.now()
    await publisher.close()
    assert.ok(Date.now() - started < 7000)
  }),
)

test.run()
