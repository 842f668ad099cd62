import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { connectNats, isConnected } from './connection.ts'
import { freePort, rejection, until, withNats } from './nats-fixture.ts'

test(
  'a server that dies and comes back is reported and reconnected to, a close ends it',
  withNats(async (fixture) => {
    const seen: string[] = []
    const nc = await connectNats(fixture.server.url, 'engine', ({ type }) => seen.push(type))
    assert.ok(isConnected(nc))
    await fixture.crash(300)
    await until(() => seen.length === 2)
    assert.ok(isConnected(nc))
    await nc.close()
    await until(() => seen.length === 3)
    assert.equal(seen, ['disconnected', 'reconnected', 'closed'])
    assert.not(isConnected(nc))
  }),
)

test(
  'a server that stops answering is noticed within about 5 s',
  withNats(async (fixture) => {
    const seen: string[] = []
    const nc = await connectNats(fixture.server.url, 'engine', ({ type }) => seen.push(type))
    const pid = fixture.server.pid as number
    process.kill(pid, 'SIGSTOP')
    const started = Date.now()
    await until(() => seen.includes('disconnected')).finally(() => process.kill(pid, 'SIGCONT'))
    const took = Date.now() - started
    assert.ok(took < 6000, `took ${took} ms`)
    await until(() => seen.includes('reconnected'))
    await nc.close()
  }),
)

test('nobody there, and an address that makes no sense, are typed errors', async () => {
  const url = `nats://127.0.0.1:${await freePort()}`
  const error = await rejection(connectNats(url, 'engine'))
  assert.is(error.code, 'nats_unreachable')
  assert.is((error as unknown as { url: string }).url, url)
  assert.is((await rejection(connectNats('nats://%%%', 'engine'))).code, 'nats_unreachable')
})

test(
  'credentials travel in the address and never in a message',
  withNats(
    async (fixture) => {
      const users = await fixture.spawnServer('authorization { user: op, password: "p@ss" }')
      const host = users.url.slice('nats://'.length)
      const nc = await connectNats(`nats://op:p%40ss@${host}`, 'engine')
      await nc.close()
      const refused = await rejection(connectNats(`nats://op:s3cret@${host}`, 'engine'))
      assert.is(refused.code, 'nats_unauthorized')
      assert.not.match(refused.message, 's3cret')
      const token = await fixture.spawnServer('authorization { token: "t0ken" }')
      const tokenHost = token.url.slice('nats://'.length)
      const nobody = await freePort()
      const list = `nats://t0ken@127.0.0.1:${nobody},nats://t0ken@${tokenHost}`
      await (await connectNats(list, 'engine')).close()
      const gone = await rejection(connectNats(`nats://t0ken@127.0.0.1:${nobody}`, 'engine'))
      assert.is(gone.code, 'nats_unreachable')
      assert.not.match(gone.message, 't0ken')
    },
    { start: false },
  ),
)

test.run()
