import fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { InboundMessage } from '../../engine/ports/bus.ts'
import type { ManualSignal } from '../../schemas/types.gen.ts'
import { validateBody } from '../../schemas/validate.ts'
import { NatsBus } from '../adapters/nats/nats-bus.ts'
import { withNats } from '../adapters/nats/nats-fixture.ts'
import { provision } from '../adapters/nats/streams.ts'
import { essence, recordedEssence } from '../http-api/send-signal.ts'
import { readManualSignal } from '../writer/manual-signal.ts'
import { BusCommands } from './bus-commands.ts'

const SIGNAL = { symbol: 'AAPL', side: 'buy', qty: '1' } as const
const BOOK = `b${'0'.repeat(16)}`

test(
  'the same id from several senders at once: every message is stored',
  withNats(async (fixture) => {
    const nc = await fixture.connect()
    await provision(nc, { bookId: BOOK, account: 'main' })
    const commands = new BusCommands(() => ({}))
    const early = await commands.signal('a', 'k', SIGNAL).catch((error: { code: string }) => error)
    assert.is((early as { code: string }).code, 'starting')
    commands.connect(new NatsBus(nc))
    const halt = { actor: 'a', reason: 'r' }
    const sent = await Promise.all([
      commands.signal('a', 'k', SIGNAL),
      commands.signal('b', 'k', SIGNAL),
      commands.control('halt', 'k', halt),
    ])
    const sequences = new Set(sent.map(({ sequence }) => sequence))
    assert.is(sequences.size, 3)
    const jsm = await nc.jetstreamManager()
    const subjects = new Set<string>()
    for (const seq of sequences) {
      const { subject } = await jsm.streams.getMessage('INBOX', { seq })
      subjects.add(subject)
    }
    assert.equal([...subjects].sort(), ['control.halt', 'signals.manual.a', 'signals.manual.b'])
  }),
)

const price = fc.constantFrom('1', '10', '99.5')
const changes = fc.record(
  {
    symbol: fc.constantFrom(' aapl ', 'brk.b', 'BTC/USD', '', 'ı', 'A B'),
    side: fc.constantFrom('sell' as const, 'close' as const),
    notional: price,
    fractional: fc.boolean(),
    type: fc.constantFrom('market' as const, 'limit' as const, 'stop' as const),
    limitPrice: price,
    stopPrice: price,
    timeInForce: fc.constantFrom('day' as const, 'gtc' as const),
    takeProfit: price,
    stopLoss: price,
    trailPercent: price,
    confidence: fc.constantFrom(0, 0.5, 1),
    reason: fc.constantFrom('', 'why'),
    validFor: fc.constantFrom('PT1M', 'PT60S', 'P7D', 'P8D'),
  },
  { requiredKeys: [] },
)
// A few changes to what is right, so that much of it still is.
const signals = fc.tuple(changes, fc.array(fc.nat(13), { maxLength: 4 })).map(([all, kept]) => {
  const names = Object.entries(all).filter((_, index) => kept.includes(index))
  return { symbol: 'AAPL', side: 'buy', qty: '1', ...Object.fromEntries(names) } as ManualSignal
})

test('what the API takes for one request the engine reads as one, and what it lets through is taken', () => {
  const commands = new BusCommands(() => ({}))
  let taken = 0
  const rules = { requireSignature: false, checkSignature: () => null, now: () => 0 }
  const read = (signal: ManualSignal) => {
    const message: InboundMessage = {
      subject: 'signals.manual.api',
      headers: { 'nats-msg-id': 'k' },
      payload: new TextEncoder().encode(JSON.stringify(signal)),
      stream: 'INBOX',
      sequence: 1,
      storedAt: 0,
      redelivered: false,
    }
    try {
      return readManualSignal(message, rules)
    } catch {
      return null
    }
  }
  fc.assert(
    fc.property(signals, (signal) => {
      if (!validateBody('manual-signal', signal).ok) return
      const received = read(signal)
      assert.is(commands.signalFaults(signal).length === 0, received !== null)
      if (received === null) return
      taken++
      assert.is(recordedEssence(JSON.parse(JSON.stringify(received))), essence(signal))
    }),
    { numRuns: 3000 },
  )
  assert.ok(taken > 500, `${taken} taken`)
})

test.run()
