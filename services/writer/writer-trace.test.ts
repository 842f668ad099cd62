import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { settle, startDesk } from './writer-fixture.ts'

const TRACE = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'

test('the trace that a message came with is recorded with its input, and with nothing else', async () => {
  const { bus, writer, events } = await startDesk()
  const headers = { traceparent: TRACE }
  bus.bar(0)
  bus.send('INBOX', 'signals.manual.ana', { symbol: 'A', side: 'buy', qty: '1' }, { headers })
  bus.send('INBOX', 'signals.manual.ana', 'not json', { headers })
  bus.send(
    'INBOX',
    'signals.manual.ana',
    { symbol: 'A', side: 'buy', qty: '2' },
    {
      headers: { traceparent: '00-nonsense' },
    },
  )
  await settle()
  const recorded = await events()
  const of = (type: string) => recorded.filter((event) => event.type === type)
  assert.equal(
    of('signal.received').map(({ trace }) => trace),
    [TRACE, undefined],
  )
  assert.equal(
    of('input.refused').map(({ trace }) => trace),
    [TRACE],
  )
  assert.ok(recorded.every(({ trace, because }) => trace === undefined || because === null))
  assert.not.ok('trace' in JSON.parse(JSON.stringify(of('market.bar')[0])))
  await writer.close()
})

test.run()
