import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { InboundMessage } from '../../engine/ports/bus.ts'
import { type NatsFixture, withNats } from '../adapters/nats/nats-fixture.ts'
import { NatsBus } from '../adapters/nats/nats-bus.ts'
import { provision } from '../adapters/nats/streams.ts'
import { writeEngineFile } from '../runtime/folder.ts'
import { cli, inFolder, writeBook } from './cli-fixture.ts'

const BOOK_ID = `b${'0'.repeat(16)}`

interface FakeEngine {
  httpUrl: string
  seen: InboundMessage[]
  /** Takes no control any more. */
  deaf: boolean
  close(): Promise<void>
}

/** An engine's outside: it takes controls from the inbox and tells of them at /status. */
async function fakeEngine(fixture: NatsFixture): Promise<FakeEngine> {
  const nc = await fixture.connect()
  await provision(nc, { bookId: BOOK_ID, account: 'main' })
  const state = { controls: 0, trading: 'ACTIVE' }
  const server: Server = createServer((request, response) => {
    const bodies: Record<string, object> = {
      '/status': {
        position: 9,
        at: '2013-05-14T00:00:00Z',
        trading: { state: state.trading, reason: null, actor: null },
        counts: {
          bars: 3,
          signals: 2,
          orders: 1,
          openOrders: 1,
          fills: 0,
          controls: state.controls,
        },
      },
      '/health': {
        position: 9,
        ready: false,
        checks: [{ name: 'broker', ok: false, detail: 'gone' }],
      },
      '/readyz': { ready: false },
      '/portfolio': {
        position: 9,
        cash: '99000',
        equity: '100010',
        positions: [
          { symbol: 'AAPL', qty: '10', avgPrice: '100', marketPrice: '101', unrealizedPnl: '10' },
        ],
      },
    }
    const body = bodies[request.url ?? '']
    response.statusCode = body === undefined ? 404 : request.url === '/readyz' ? 503 : 200
    response.end(JSON.stringify(body ?? {}))
  })
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  const fake: FakeEngine = {
    httpUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen: [],
    deaf: false,
    close: () =>
      new Promise((closed) => {
        server.close(() => closed())
        server.closeAllConnections()
      }),
  }
  const consumption = await new NatsBus(nc).consume('INBOX', 'fake', (message) => {
    fake.seen.push(message)
    consumption.ack(message)
    if (fake.deaf) return
    // Later than the confirmation of the server, as in an engine.
    setTimeout(() => {
      state.controls++
      if (message.subject === 'control.halt') state.trading = 'HALTED'
      if (message.subject === 'control.resume') state.trading = 'ACTIVE'
    }, 100)
  })
  record(fixture, fake.httpUrl)
  return fake
}

function record(fixture: NatsFixture, httpUrl: string | null, pid = process.pid): void {
  writeEngineFile(fixture.dir, {
    pid,
    natsUrl: fixture.server.url.replace('nats://', 'nats://user:secret@'),
    httpUrl,
    account: 'main',
    bookId: BOOK_ID,
    startedAt: '2026-01-01T00:00:00Z',
  })
}

test(
  'each control is stored with actor and reason, and confirmed by the engine',
  withNats(async (fixture) => {
    const fake = await fakeEngine(fixture)
    try {
      const run = (action: string, ...more: string[]) =>
        cli([action, '--reason', 'drill', '--dir', fixture.dir, ...more])
      const halt = await run('halt')
      assert.is(halt.code, 0, halt.stderr)
      assert.is(halt.stdout, 'halt is done: trading is HALTED\n')
      const resume = await run('resume', '--json', '--actor', 'ana')
      assert.is(resume.code, 0, resume.stderr)
      const { confirmed, trading, controlId } = JSON.parse(resume.stdout)
      assert.is(confirmed, true)
      assert.is(trading, 'ACTIVE')
      assert.is((await run('cancel-all')).stdout, 'cancel-all is done: trading is ACTIVE\n')
      assert.is((await run('flatten')).code, 0)

      assert.equal(
        fake.seen.map((message) => message.subject),
        ['control.halt', 'control.resume', 'control.cancel-all', 'control.flatten'],
      )
      const body = (message: InboundMessage) =>
        JSON.parse(new TextDecoder().decode(message.payload))
      assert.equal(body(fake.seen[0]!), { actor: 'tester', reason: 'drill' })
      assert.equal(body(fake.seen[1]!), { actor: 'ana', reason: 'drill' })
      assert.is(fake.seen[1]!.headers['nats-msg-id'], controlId)

      fake.deaf = true
      // It is active already: only a control that was taken confirms.
      const late = await run('resume', '--wait', '300ms', '--json')
      assert.is(late.code, 4)
      assert.is(JSON.parse(late.stdout).error.code, 'not_confirmed')
      assert.match(late.stderr, 'resume is stored (INBOX 5) but')
    } finally {
      await fake.close()
    }
  }),
)

test(
  'without an HTTP address the confirmation of NATS is all there is',
  withNats(async (fixture) => {
    const fake = await fakeEngine(fixture)
    try {
      record(fixture, null)
      const plain = await cli(['halt', '--reason', 'drill', '--dir', fixture.dir])
      assert.is(plain.code, 0, plain.stderr)
      assert.is(plain.stdout, 'halt is stored (INBOX 1); the engine acts when it reads it\n')
      const remote = await cli(['halt', '--reason', 'drill', '--json'], {
        cwd: fixture.dir,
        env: { NATS_URL: fixture.server.url },
      })
      assert.is(JSON.parse(remote.stdout).confirmed, false)
      record(fixture, 'http://127.0.0.1:1')
      const gone = await cli(['halt', '--reason', 'x', '--wait', '100ms', '--dir', fixture.dir])
      assert.is(gone.code, 4)
      assert.match(gone.stderr, 'has not confirmed it within 0.1 s')
      assert.is(fake.seen.length, 3)
    } finally {
      await fake.close()
    }
  }),
)

test('a control without a reason, or with one too long, is not sent', async () => {
  const none = await cli(['halt'])
  assert.is(none.code, 2)
  assert.match(none.stderr, "required option '--reason <text>' not specified")
  const long = await cli(['flatten', '--reason', 'x'.repeat(1001), '--json'])
  assert.is(long.code, 2)
  assert.is(JSON.parse(long.stdout).error.code, 'invalid_control')
})

test(
  'status tells what runs, without the password of NATS',
  withNats(async (fixture) => {
    const fake = await fakeEngine(fixture)
    try {
      const { code, stdout, stderr } = await cli(['status', '--dir', fixture.dir, '--json'])
      assert.is(code, 0, stderr)
      const document = JSON.parse(stdout)
      assert.is(document.running, true)
      assert.is(document.ready, false)
      assert.is(document.status.position, 9)
      assert.is(document.portfolio.equity, '100010')
      assert.is(document.engine.pid, process.pid)
      assert.not.match(stdout, 'secret')
      const text = await cli(['status', '--dir', fixture.dir])
      assert.match(text.stdout, /^Ready +no: broker \(gone\)$/m)
      assert.match(text.stdout, /^Trading +ACTIVE$/m)
      assert.match(text.stdout, /^Position +10 AAPL at 101, unrealized 10$/m)
      assert.not.match(text.stdout, 'secret')

      record(fixture, 'http://127.0.0.1:1')
      const deaf = await cli(['status', '--dir', fixture.dir, '--json'])
      assert.is(deaf.code, 4)
      assert.is(JSON.parse(deaf.stdout).error.code, 'engine_unreachable')
      record(fixture, null)
      assert.is((await cli(['status', '--dir', fixture.dir])).code, 4)
      // No process has an id as large as this.
      record(fixture, fake.httpUrl, 2 ** 30)
      const ended = await cli(['status', '--dir', fixture.dir])
      assert.is(ended.code, 4)
      assert.match(ended.stderr, 'has ended without saying so')
    } finally {
      await fake.close()
    }
  }),
)

test(
  'status of a folder without an engine tells what its book holds',
  inFolder(async (folder) => {
    const none = await cli(['status', '--dir', folder, '--json'])
    assert.is(none.code, 4)
    assert.is(JSON.parse(none.stdout).error.book, null)
    assert.match(none.stderr, 'its folder holds no book')
    const { events } = await writeBook(folder, 20)
    const held = await cli(['status', '--dir', folder, '--json'])
    assert.is(held.code, 4)
    const { error } = JSON.parse(held.stdout)
    assert.is(error.code, 'not_running')
    assert.is(error.running, false)
    assert.is(error.book.events, events)
    assert.is(error.book.at, '1970-01-21T00:00:00Z')
    assert.match(held.stderr, `its book holds ${events} events, the last at 1970-01-21T00:00:00Z`)
    const remote = await cli(['status'], { cwd: folder, env: { NATS_URL: 'nats://x:1' } })
    assert.is(remote.code, 2)
    assert.match(remote.stderr, 'name its folder with --dir')
  }),
)

test.run()
