import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { readAll } from '../contract/event-store-samples.ts'
import { bookProcess, inFolder } from './book-process.ts'
import { openSqliteStore } from './sqlite-store.ts'

const KILLS = 10

// Each event tells its place in its append, so that a torn append shows.
const WRITER = `
  const store = openSqliteStore(args[0])
  let head = await store.head('s')
  say('started ' + head)
  for (let n = 0; ; n++) {
    const size = 1 + Math.floor(Math.random() * 60)
    const events = Array.from({ length: size }, (_, place) => ({
      id: randomUUID(), type: 't', checksum: null,
      body: JSON.stringify({ n, place, size, padding: 'x'.repeat(Math.floor(Math.random() * 900)) }) }))
    head = await store.append('s', head, events)
    say('acked ' + head)
  }`

test('crash: after SIGKILL at any instant, what was acknowledged is there and no append is torn', () =>
  inFolder(async (folder) => {
    const path = join(folder, 'book.db')
    let total = 0
    for (let round = 0; round < KILLS; round++) {
      const writer = bookProcess(WRITER, [path])
      await writer.line('started')
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 120))
      await writer.kill()
      const acked = Number(
        writer.lines
          .filter((line) => line.startsWith('acked'))
          .at(-1)
          ?.slice(6) ?? -1,
      )

      // A reader first: it must cope with the log the killed process left, without a writer's help.
      const store = openSqliteStore(path, { readonly: round % 2 === 0 })
      const head = await store.head('s')
      assert.ok(head >= acked, `acknowledged ${acked}, found ${head}`)
      const events = await readAll(store, 's')
      assert.is(events.length, head + 1)
      for (let i = 0; i < events.length; ) {
        const { size } = JSON.parse(events[i]?.body ?? '{}') as { size: number }
        for (let place = 0; place < size; place++, i++) {
          const body = JSON.parse(events[i]?.body ?? '{}') as { place: number; size: number }
          assert.equal([body.place, body.size], [place, size], `round ${round}, position ${i}`)
        }
      }
      await store.close()
      total = events.length
    }
    assert.ok(total > KILLS, `only ${total} events were written: the test proved nothing`)
  }))

test.run()
