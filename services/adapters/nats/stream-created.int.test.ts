import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { withNats } from './nats-fixture.ts'
import { provision, STREAMS } from './streams.ts'

const BOOK = { bookId: 'b1', account: 'main' }

test(
  'a stream that is as it should be is left alone: the server goes on saying when it was made',
  withNats(async (fixture) => {
    const start = async () => {
      const nc = await fixture.connect()
      await provision(nc, BOOK)
      const jsm = await nc.jetstreamManager()
      const created: string[] = []
      for (const name of STREAMS) created.push((await jsm.streams.info(name)).created)
      return { nc, jsm, created }
    }
    const first = await start()
    await first.nc.close()
    for (let again = 0; again < 3; again++) {
      await fixture.crash()
      const { nc, created } = await start()
      assert.equal(created, first.created, `start ${again}`)
      await nc.close()
    }
    // What differs is still put right.
    const { nc, jsm } = await start()
    await jsm.streams.update('DEAD', { max_age: 0 })
    await provision(nc, BOOK)
    assert.ok((await jsm.streams.info('DEAD')).config.max_age > 0)
  }),
)

test.run()
