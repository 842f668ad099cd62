import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { alterBook } from '../adapters/embedded/altered-book.ts'
import { startDouble } from '../adapters/eventstoredb/testing/esdb-double.ts'
import { bookPath } from '../runtime/folder.ts'
import { DEFAULT_EXCHANGE } from './settings.ts'
import { openSimBroker } from '../simulator/sim-broker.ts'
import { cli, inFolder, writeBook } from './cli-fixture.ts'

const BOOK_ID = `b${'1'.repeat(16)}`

test(
  'copy-book moves a book to EventStoreDB and back, and says what it did',
  inFolder(async (folder) => {
    const here = join(folder, 'here')
    const there = join(folder, 'there')
    const { events } = await writeBook(here, 60)
    const double = await startDouble()
    try {
      const url = `esdb://ann:secret@127.0.0.1:${double.port}?tls=false`
      const out = await cli(['copy-book', '--to', url, '--dir', here, '--json'])
      assert.is(out.code, 0, out.stderr)
      assert.is(out.stderr, '')
      const result = JSON.parse(out.stdout)
      assert.is(result.events, events)
      assert.is(result.copied, events)
      assert.is(result.bookId, BOOK_ID)
      assert.is(result.head.position, events - 1)
      assert.match(result.head.at, /^1970-03-02T/)
      assert.not.match(out.stdout, 'secret')

      const env = { EVENTSTORE_URL: url }
      const audit = await cli(['audit', 'verify', '--dir', there, '--json'], { env })
      assert.is(audit.code, 0, audit.stderr)
      assert.is(JSON.parse(audit.stdout).head.checksum, result.head.checksum)
      const back = await cli(['copy-book', '--to', there, '--dir', join(folder, 'none')], { env })
      assert.is(back.code, 0, back.stderr)
      assert.match(back.stdout, new RegExp(`^Copied    ${events} events of book ${BOOK_ID} to`))
      const again = await cli(['copy-book', '--to', there, '--dir', here])
      assert.is(again.code, 0, again.stderr)
      assert.match(again.stdout, `${events} events were there already, and are the same`)
      const verified = await cli(['verify', '--dir', there, '--json'])
      assert.is(verified.code, 0, verified.stderr)
      assert.is(JSON.parse(verified.stdout).checked.events, events)
      const same = await cli(['copy-book', '--to', url, '--dir', join(folder, 'none')], { env })
      assert.is(same.code, 2)
      assert.match(same.stderr, 'is where the book lies already')
      assert.not.match(same.stderr, 'secret')
    } finally {
      await double.stop()
    }
    const away = await cli(['copy-book', '--to', 'esdb://127.0.0.1:9?tls=false', '--dir', here])
    assert.is(away.code, 4)
    assert.match(away.stderr, 'gave no answer')
    const wrong = await cli(['copy-book', '--to', 'esdb://a:b:c@x', '--dir', here])
    assert.is(wrong.code, 2)
  }),
)

test(
  'copy-book refuses another book, a fork, the same place and no place',
  inFolder(async (folder) => {
    const here = join(folder, 'here')
    await writeBook(here, 20)
    const other = join(folder, 'other')
    await writeBook(other, 20)
    alterBook(
      bookPath(other),
      `UPDATE appends SET bodies = replace(bodies, '${BOOK_ID}', 'bffffffffffffffff') WHERE first = 0`,
    )
    const foreign = await cli(['copy-book', '--to', other, '--dir', here, '--json'])
    assert.is(foreign.code, 4)
    const { error } = JSON.parse(foreign.stdout)
    assert.is(error.code, 'foreign_book')
    assert.is(error.found, 'bffffffffffffffff')
    assert.is(error.expected, BOOK_ID)

    const longer = join(folder, 'longer')
    await writeBook(longer, 30)
    const ahead = await cli(['copy-book', '--to', longer, '--dir', here])
    assert.is(ahead.code, 3)
    assert.match(ahead.stderr, 'copy from the one that goes further')
    const fork = join(folder, 'fork')
    let reports = 0
    await writeBook(fork, 20, {
      alter: (step, day) => {
        if (day === 10 && reports++ === 0)
          step.proposed[0]!.id = step.proposed[0]!.id.replace(/^a/, 'b')
      },
    })
    const forked = await cli(['copy-book', '--to', fork, '--dir', here])
    assert.is(forked.code, 3)
    assert.match(
      forked.stderr,
      /go on differently \(another id at \d+\): an engine has written to each/,
    )

    assert.is((await cli(['copy-book', '--to', here, '--dir', here])).code, 2)
    assert.is((await cli(['copy-book', '--dir', here])).code, 2)
    const none = await cli(['copy-book', '--to', other, '--dir', join(folder, 'none')])
    assert.is(none.code, 4)
    assert.match(none.stderr, 'no book in')
  }),
)

test(
  'backup and restore, with and without a broker’s journal',
  inFolder(async (folder) => {
    const data = join(folder, 'data')
    const { events } = await writeBook(data, 60)
    const alone = await cli(['backup', join(folder, 'alone'), '--dir', data, '--json'])
    assert.is(alone.code, 0)
    const warned = JSON.parse(alone.stdout)
    assert.is(warned.brokerSequence, null)
    assert.match(warned.warnings[0], 'the backup holds the book alone')
    assert.match(alone.stderr, /^warning: no sim-broker\.db in/)

    // A journal that knows none of the book's reports.
    openSimBroker({ dir: data, settings: DEFAULT_EXCHANGE, bookId: BOOK_ID }).close()
    const behind = await cli(['backup', join(folder, 'behind'), '--dir', data])
    assert.is(behind.code, 3)
    assert.match(behind.stderr, 'ends at report 0, and the book tells of report 1')
    assert.not.ok(existsSync(join(folder, 'behind')))

    const quiet = join(folder, 'quiet')
    const short = await writeBook(quiet, 3)
    openSimBroker({ dir: quiet, settings: DEFAULT_EXCHANGE, bookId: BOOK_ID }).close()
    const made = await cli(['backup', join(folder, 'backup'), '--dir', quiet])
    assert.is(made.code, 0, made.stderr)
    assert.is(made.stderr, '')
    assert.match(
      made.stdout,
      /^Backup {4}.*backup, read back and compared\nBook {6}b1+, \d+ events\n/,
    )
    assert.match(made.stdout, /^Broker {4}journal up to report 0$/m)

    const restored = await cli(
      ['restore', join(folder, 'backup'), '--dir', join(folder, 'again'), '--json'],
      { env: { EVENTSTORE_URL: 'esdb://127.0.0.1:9?tls=false' } },
    )
    assert.is(restored.code, 0, restored.stderr)
    const document = JSON.parse(restored.stdout)
    assert.is(document.events, short.events)
    assert.match(document.warnings[0], 'EVENTSTORE_URL is set')
    const audit = await cli(['audit', 'verify', '--dir', join(folder, 'again'), '--json'])
    assert.is(audit.code, 0, audit.stderr)
    assert.equal(JSON.parse(audit.stdout).anchors, { given: 0, noted: 1 })

    const held = await cli(['restore', join(folder, 'backup'), '--dir', data])
    assert.is(held.code, 2)
    assert.match(held.stderr, 'restore into a new folder with --dir')
    const taken = await cli(['backup', data, '--dir', quiet, '--json'])
    assert.is(taken.code, 2)
    assert.is(JSON.parse(taken.stdout).error.code, 'folder_not_empty')
    mkdirSync(join(folder, 'hollow'))
    const hollow = await cli(['restore', join(folder, 'hollow'), '--dir', join(folder, 'x')])
    assert.is(hollow.code, 4)
    assert.match(hollow.stderr, 'it holds no manifest.json')

    const file = join(folder, 'alone', 'book.db')
    const bytes = readFileSync(file)
    bytes[bytes.length - 9]! ^= 1
    writeFileSync(file, bytes)
    const damaged = await cli(['restore', join(folder, 'alone'), '--dir', join(folder, 'x')])
    assert.is(damaged.code, 3)
    assert.match(damaged.stderr, 'book.db does not have the sha256 of the manifest')
    assert.not.ok(readdirSync(join(folder, 'x')).includes('book.db'))
    assert.ok(events > short.events)
  }),
)

test.run()
