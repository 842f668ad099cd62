import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { InboundMessage } from '../../engine/ports/bus.ts'
import { type NatsFixture, withNats } from '../adapters/nats/nats-fixture.ts'
import { NatsBus } from '../adapters/nats/nats-bus.ts'
import { provision } from '../adapters/nats/streams.ts'
import { writeEngineFile } from '../runtime/folder.ts'
import { checkSignature, readKeysFile } from '../runtime/webhook-signature.ts'
import { cli } from './cli-fixture.ts'

const SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'

/** A server with our streams, and the file that an engine would leave. */
async function prepare(fixture: NatsFixture): Promise<NatsBus> {
  const nc = await fixture.connect()
  await provision(nc, { bookId: `b${'0'.repeat(16)}`, account: 'main' })
  writeEngineFile(fixture.dir, {
    pid: process.pid,
    natsUrl: fixture.server.url,
    httpUrl: null,
    account: 'main',
    bookId: `b${'0'.repeat(16)}`,
    startedAt: new Date().toISOString(),
  })
  return new NatsBus(nc)
}

/** Answers signals as an engine would, the verdict stored. A repeated id is not answered again. */
async function answer(
  bus: NatsBus,
  verdictOf: (body: Record<string, unknown>) => object | null,
): Promise<InboundMessage[]> {
  const seen: InboundMessage[] = []
  const ids = new Set<string>()
  const consumption = await bus.consume('INBOX', 'fake', (message) => {
    seen.push(message)
    consumption.ack(message)
    const id = message.headers['nats-msg-id']!
    if (ids.has(id)) return
    ids.add(id)
    const verdict = verdictOf(JSON.parse(new TextDecoder().decode(message.payload)))
    if (verdict === null) return
    const operator = message.subject.split('.')[2]
    void bus.publish(`signals.verdict.${operator}`, JSON.stringify({ signalId: id, ...verdict }))
  })
  return seen
}

const APPROVED = {
  verdict: 'approved',
  orderIds: [7],
  code: 'approved',
  rule: null,
  observed: null,
  limit: null,
}
const DENIED = {
  verdict: 'denied',
  orderIds: [],
  code: 'max_order_notional',
  rule: 'max_order_notional',
  observed: '30000',
  limit: '25000',
}

test(
  'the verdict is printed: 0 when approved, 3 when denied; a repeated id gets its old one',
  withNats(async (fixture) => {
    const bus = await prepare(fixture)
    const seen = await answer(bus, ({ qty }) => (qty === '10' ? APPROVED : DENIED))
    const signal = (...args: string[]) => cli(['signal', ...args, '--dir', fixture.dir])

    const approved = await signal('buy', 'aapl', '--qty', '10', '--limit', '100.50', '--id', 'one')
    assert.is(approved.code, 0, approved.stderr)
    assert.is(approved.stdout, 'approved: order 7 (signal one)\n')
    assert.is(approved.stderr, '')
    const [message] = seen
    assert.is(message!.subject, 'signals.manual.tester')
    assert.is(message!.headers['nats-msg-id'], 'one')
    assert.is(message!.headers['webhook-signature'], undefined)
    assert.equal(JSON.parse(new TextDecoder().decode(message!.payload)), {
      symbol: 'AAPL',
      side: 'buy',
      qty: '10',
      type: 'limit',
      limitPrice: '100.5',
    })

    const more = ['--operator', 'ana', '--reason', 'x', '--valid-for', 'PT5M', '--json']
    const denied = await signal('sell', 'AAPL', '--qty', '300', ...more)
    assert.is(denied.code, 3)
    assert.is(denied.stderr, '')
    const { signalId, ...verdict } = JSON.parse(denied.stdout)
    assert.equal(verdict, DENIED)
    assert.is(seen[1]!.subject, 'signals.manual.ana')
    assert.is(seen[1]!.headers['nats-msg-id'], signalId)

    const again = await signal('buy', 'AAPL', '--qty', '10', '--id', 'one', '--json')
    assert.is(again.code, 0, again.stderr)
    assert.equal(JSON.parse(again.stdout), { signalId: 'one', ...APPROVED })
    assert.is(seen.length, 3)
    const text = await signal('close', 'AAPL', '--qty', '300', '--id', 'two')
    assert.is(text.code, 3)
    assert.is(text.stdout, 'denied: max_order_notional, observed 30000, limit 25000 (signal two)\n')
  }),
)

test(
  'stored but not answered exits 4 and says so; --no-wait exits 0',
  withNats(async (fixture) => {
    await prepare(fixture)
    const args = ['signal', 'buy', 'AAPL', '--notional', '100', '--dir', fixture.dir, '--json']
    const late = await cli([...args, '--wait', '200ms', '--id', 'late'])
    assert.is(late.code, 4)
    const { error } = JSON.parse(late.stdout)
    assert.is(error.code, 'no_verdict')
    assert.is(error.signalId, 'late')
    assert.is(error.stream, 'INBOX')
    assert.is(error.sequence, 1)
    assert.match(late.stderr, /^error: no verdict within 0\.2 s: signal late is stored/)

    const stored = await cli([...args, '--no-wait'])
    assert.is(stored.code, 0)
    assert.is(JSON.parse(stored.stdout).sequence, 2)
  }),
)

test(
  'a signal is signed when there is a key for the operator',
  withNats(async (fixture) => {
    const bus = await prepare(fixture)
    const seen = await answer(bus, () => APPROVED)
    const path = join(fixture.dir, 'keys.json')
    writeFileSync(path, JSON.stringify({ ana: [SECRET] }), { mode: 0o600 })
    const args = ['signal', 'buy', 'AAPL', '--qty', '1', '--dir', fixture.dir]
    const env = { SIGNALS_KEYS_FILE: path }
    const ana = await cli([...args, '--operator', 'ana'], { env })
    assert.is(ana.code, 0, ana.stderr)
    const { keys } = readKeysFile(path)
    assert.is(checkSignature(keys, seen[0]!, 'ana'), null)
    assert.is(seen[0]!.headers['webhook-id'], seen[0]!.headers['nats-msg-id'])

    const bob = await cli([...args, '--operator', 'bob'], { env })
    assert.is(bob.code, 0)
    assert.match(bob.stderr, /^warning: .*has no key for operator bob/)
    assert.is(seen[1]!.headers['webhook-signature'], undefined)

    writeFileSync(path, '{')
    const broken = await cli([...args, '--operator', 'ana'], { env })
    assert.is(broken.code, 2)
    assert.match(broken.stderr, 'keys.json is not JSON')
    assert.is(seen.length, 2)
  }),
)

test(
  'NATS_URL reaches an engine elsewhere, never another one than --dir would',
  withNats(async (fixture) => {
    const bus = await prepare(fixture)
    const seen = await answer(bus, () => APPROVED)
    const args = ['signal', 'buy', 'AAPL', '--qty', '1']
    const cwd = fixture.dir
    const elsewhere = await cli(args, { cwd, env: { NATS_URL: fixture.server.url } })
    assert.is(elsewhere.code, 0, elsewhere.stderr)
    const both = { DATA_DIR: fixture.dir, NATS_URL: 'nats://127.0.0.1:1' }
    const torn = await cli(args, { cwd, env: both })
    assert.is(torn.code, 2)
    assert.match(torn.stderr, 'NATS_URL names another engine')
    assert.is(seen.length, 1)
  }),
)

test(
  'what is not reachable exits 4',
  withNats(async (fixture) => {
    const args = ['signal', 'buy', 'AAPL', '--qty', '1', '--json']
    const none = await cli(args, { cwd: fixture.dir })
    assert.is(none.code, 4)
    assert.is(JSON.parse(none.stdout).error.code, 'no_engine')
    assert.match(none.stderr, 'bitacora start --dir ./data')

    const deaf = await cli(args, { cwd: fixture.dir, env: { NATS_URL: 'nats://u:pw@127.0.0.1:1' } })
    assert.is(deaf.code, 4)
    assert.is(JSON.parse(deaf.stdout).error.code, 'nats_unreachable')
    assert.not.match(deaf.stdout + deaf.stderr, 'pw')

    const bare = await cli(args, { cwd: fixture.dir, env: { NATS_URL: fixture.server.url } })
    assert.is(bare.code, 4)
    assert.is(JSON.parse(bare.stdout).error.code, 'no_stream')
  }),
)

test('what cannot be right is not sent: 2', async () => {
  const cases: [string[], RegExp][] = [
    [['buy', 'AAPL'], /--qty N or --notional N/],
    [['buy', 'AAPL', '--qty', '1', '--notional', '1'], /--qty or --notional, not both/],
    [['close', 'AAPL', '--notional', '1'], /--notional does not go with close/],
    [['buy', 'AAPL', '--qty', '1', '--limit', '1', '--stop', '1'], /--limit or --stop, not both/],
    [['buy', 'AAPL', '--qty', '-1'], /Give a number above zero/],
    [
      ['buy', 'AAPL', '--qty', '1', '--stop-loss', '1', '--trail-percent', '1'],
      /--stop-loss or --trail-percent, not both/,
    ],
    [['close', 'AAPL', '--take-profit', '1'], /go with an entry, not with close/],
    [['hold', 'AAPL'], /Allowed choices are buy, sell, close/],
    [['buy'], /missing required argument 'symbol'/],
    [['buy', 'AAPL', '--qty', '1', '--operator', 'a.b'], /letters, digits, _ and -/],
    [['buy', 'AAPL', '--qty', '1', '--id', 'a b'], /printable characters/],
    [['buy', 'AAPL', '--qty', '1', '--wait', 'long'], /such as 5s, 500ms or 1m/],
    [['buy', 'AAPL', '--qty', '1', '--valid-for', '5m'], /such as PT5M/],
    [['buy', 'AAPL', '--qty', '1', '--reason', 'x'.repeat(1001)], /reason must have at most 1000/],
    [['buy', 'A'.repeat(33), '--qty', '1'], /symbol must have at most 32/],
  ]
  for (const [args, message] of cases) {
    const { code, stderr } = await cli(['signal', ...args])
    assert.is(code, 2, `${args.join(' ')}: ${stderr}`)
    assert.match(stderr, message)
  }
})

test.run()
