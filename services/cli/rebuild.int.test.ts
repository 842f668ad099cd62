import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { lockFolder } from '../adapters/embedded/folder-lock.ts'
import { openSqliteStore } from '../adapters/embedded/sqlite-store.ts'
import { withNats } from '../adapters/nats/nats-fixture.ts'
import { serversOn } from '../adapters/nats/process-table.ts'
import { withApi } from '../http-api/testing/fake-projector.ts'
import { startProjector } from '../projector/projector.ts'
import { bookPath, bookStream, writeEngineFile } from '../runtime/folder.ts'
import { cli, inFolder, writeBook } from './cli-fixture.ts'

const BOOK_ID = `b${'1'.repeat(16)}`

/** The HTTP side of an engine that serves the book of one folder, and is found in another. */
async function serving(served: string, found: string, body: () => Promise<void>): Promise<void> {
  const store = openSqliteStore(bookPath(served), { readonly: true })
  const projector = startProjector({ store, stream: bookStream() })
  try {
    await projector.waitFor(await store.head(bookStream()), 20_000)
    await withApi(
      async (http) => {
        writeEngineFile(found, {
          pid: process.pid,
          natsUrl: 'nats://127.0.0.1:1',
          httpUrl: http.url,
          account: 'main',
          bookId: BOOK_ID,
          startedAt: '2026-01-01T00:00:00Z',
        })
        await body()
      },
      { projector },
    )
  } finally {
    await projector.close()
    await store.close()
  }
}

test(
  'projections are folded, and are what the running engine serves',
  inFolder(async (folder) => {
    const { events } = await writeBook(folder, 60)
    const alone = await cli(['rebuild', '--projections', '--dir', folder, '--json'])
    assert.is(alone.code, 0, alone.stderr)
    const { ok, projections, tape } = JSON.parse(alone.stdout)
    assert.ok(ok)
    assert.is(tape, null)
    assert.is(projections.events, events)
    assert.ok(projections.orders > 1 && projections.fills > 1 && projections.signals > 2)
    assert.is(projections.comparedWith, null)
    await serving(folder, folder, async () => {
      const text = await cli(['rebuild', '--projections', '--dir', folder])
      assert.is(text.code, 0, text.stderr)
      assert.match(text.stdout, new RegExp(`^Projections {2}${events} events folded`))
      assert.match(text.stdout, /^Compared {5}the same as http:/m)
      const json = await cli(['rebuild', '--projections', '--dir', folder, '--json'])
      assert.equal(JSON.parse(json.stdout).projections.differing, [])
    })
  }),
)

test(
  'an engine that serves something else is named with what differs, exit 3',
  inFolder(async (folder) => {
    const here = join(folder, 'here')
    const there = join(folder, 'there')
    await writeBook(here, 60)
    // The same book up to there, with another fill: what is folded differs at the same position.
    await writeBook(there, 60, {
      alter({ proposed }) {
        const fill = proposed.find(({ type }) => type === 'order.filled')
        if (fill) fill.body = fill.body.replace(/"price":"\d/, '"price":"7')
      },
    })
    await serving(there, here, async () => {
      const { code, stdout } = await cli(['rebuild', '--projections', '--dir', here, '--json'])
      assert.is(code, 3)
      const { ok, projections } = JSON.parse(stdout)
      assert.not.ok(ok)
      assert.equal(projections.differing.sort(), ['fills', 'orders', 'portfolio'])
      const text = await cli(['rebuild', '--projections', '--dir', here])
      assert.is(text.code, 3)
      assert.match(text.stdout, /^Compared {5}NO: .*portfolio.* differ from what http/m)
    })
    // The engine has more than the book: it was cut under it.
    const short = join(folder, 'short')
    await writeBook(short, 20)
    await serving(here, short, async () => {
      const { code, stdout } = await cli(['rebuild', '--projections', '--dir', short, '--json'])
      assert.is(code, 3)
      assert.is(JSON.parse(stdout).projections.differing.length, 5)
    })
    // It is gone, and its process id is not.
    const gone = await cli(['rebuild', '--projections', '--dir', short])
    assert.is(gone.code, 4)
    assert.match(gone.stderr, 'is the engine still running')
  }),
)

test(
  'TAPE is published again in the folder’s own server, which is ended; a second time too',
  inFolder(async (folder) => {
    const { events } = await writeBook(folder, 60)
    for (let time = 0; time < 2; time++) {
      const { code, stdout, stderr } = await cli(['rebuild', '--dir', folder, '--json'])
      assert.is(code, 0, stderr)
      assert.equal(JSON.parse(stdout).tape, { events })
    }
    assert.equal(await serversOn(folder), [])
  }),
)

test(
  'TAPE on the server of NATS_URL; another book’s is refused',
  withNats(async (nats) => {
    const env = { NATS_URL: nats.server.url }
    const folder = join(nats.dir, 'book')
    const { events } = await writeBook(folder, 30)
    const out = await cli(['rebuild', '--tape', '--dir', folder], { env })
    assert.is(out.code, 0, out.stderr)
    assert.is(out.stdout, `TAPE  ${events} events published\n`)
    const nc = await nats.connect()
    const jsm = await nc.jetstreamManager()
    const { state } = await jsm.streams.info('TAPE')
    assert.is(state.messages, events)
    const last = await jsm.streams.getMessage('TAPE', { seq: state.last_seq })
    assert.is(last.header.get('bitacora-position'), String(events - 1))
    await jsm.streams.update('TAPE', { description: 'bitacora book bother account main' })
    const foreign = await cli(['rebuild', '--tape', '--dir', folder, '--json'], { env })
    assert.is(foreign.code, 4)
    assert.is(JSON.parse(foreign.stdout).error.code, 'foreign_stream')
    assert.is((await jsm.streams.info('TAPE')).state.messages, events)
  }),
)

test(
  'while an engine has the folder TAPE is left to it; asked for alone, that is refused',
  inFolder(async (folder) => {
    await writeBook(folder, 30)
    const lock = lockFolder(folder)
    try {
      const both = await cli(['rebuild', '--dir', folder])
      assert.is(both.code, 0, both.stderr)
      assert.match(both.stdout, /^TAPE {9}left to the running engine/m)
      const tape = await cli(['rebuild', '--tape', '--dir', folder, '--json'])
      assert.is(tape.code, 4)
      assert.is(JSON.parse(tape.stdout).error.code, 'folder_in_use')
    } finally {
      lock.release()
    }
    const none = await cli(['rebuild', '--dir', join(folder, 'none')])
    assert.is(none.code, 4)
    await openSqliteStore(bookPath(join(folder, 'empty'))).close()
    const empty = await cli(['rebuild', '--dir', join(folder, 'empty')])
    assert.is(empty.code, 4)
    assert.match(empty.stderr, 'nothing to rebuild')
  }),
)

test.run()
