import { NatsError } from 'nats'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { NatsLost, natsLost } from './connection.ts'

test('a server that stops answering is named with the remedy, whatever the client says', () => {
  for (const code of ['TIMEOUT', '503', 'CONNECTION_CLOSED', 'DISCONNECT']) {
    const found = natsLost(new NatsError(code, code))
    assert.instance(found, NatsLost)
    assert.is((found as NatsLost).code, 'nats_unreachable')
    assert.match((found as NatsLost).message, `(${code}): start it again`)
  }
})

test('every other error stays as it is', () => {
  for (const error of [new Error('x'), new NatsError('no', '404'), null, 'text']) {
    if (error !== null) assert.is(natsLost(error), error)
  }
})

test.run()
