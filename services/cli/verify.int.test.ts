import { Buffer } from 'node:buffer'
import { createHash } from 'node:crypto'
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import Database from 'libsql'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { stepChecksum } from '../../engine/events/step-recorder.ts'
import { alterBook, makeLegacy } from '../adapters/embedded/altered-book.ts'
import { openSqliteStore } from '../adapters/embedded/sqlite-store.ts'
import { bookPath, bookStream } from '../runtime/folder.ts'
import { barsCsv, cli, inFolder, writeBook } from './cli-fixture.ts'
import { exitCodeOf } from './exit-codes.ts'
import { verifyBook } from './verify-run.ts'

const verify = (folder: string, ...more: string[]) => cli(['verify', '--dir', folder, ...more])

test(
  'a book comes out the same, with the digest of the backtest of its bars',
  inFolder(async (folder) => {
    const { events } = await writeBook(folder, 60)
    const { code, stdout, stderr } = await verify(folder, '--json')
    assert.is(code, 0, stderr)
    assert.is(stderr, '')
    const result = JSON.parse(stdout)
    assert.is(result.ok, true)
    assert.is(result.divergence, null)
    assert.equal(result.changed, [])
    assert.is(result.checked.events, events)
    assert.ok(result.checked.decisions >= 10)

    writeFileSync(join(folder, 'AAPL.csv'), barsCsv(60))
    writeFileSync(join(folder, 'risk.json'), '{"maxOrderNotional": "935"}')
    const backtest = await cli([
      ...['backtest', '--data', join(folder, 'AAPL.csv'), '--strategy', 'sma_cross', '--json'],
      ...['--set', 'fast=2', 'slow=4', 'size=10', '--risk', join(folder, 'risk.json')],
    ])
    const other = JSON.parse(backtest.stdout)
    assert.is(other.digest, result.digest)
    assert.ok(other.orders.denied > 0 && other.orders.filled > 1)

    const text = await verify(folder)
    assert.is(text.code, 0)
    assert.match(text.stdout, /^Verified {2}every decision comes out the same\n/)
  }),
)

test(
  'an altered byte exits 3 and names the place',
  inFolder(async (folder) => {
    await writeBook(folder, 60, {
      alter(step, day) {
        if (day !== 30 || step.events[0]!.type !== 'market.bar') return
        step.proposed[0]!.body = step.proposed[0]!.body.replace(
          '"volume":"1000000"',
          '"volume":"1000001"',
        )
      },
    })
    const { code, stdout } = await verify(folder, '--json')
    assert.is(code, 3)
    const result = JSON.parse(stdout)
    assert.is(result.ok, false)
    assert.is(result.divergence.kind, 'altered')
    assert.is(result.divergence.type, 'market.bar')
    const text = await verify(folder)
    assert.is(text.code, 3)
    assert.match(text.stdout, 'does not match its checksum')
    // What lies outside the range is not compared.
    const { position } = result.divergence
    assert.is((await verify(folder, '--from', String(position + 1))).code, 0)
    assert.is((await verify(folder, '--to', String(position - 1))).code, 0)
  }),
)

/** Lets the book hold another quantity than the chain decides, under correct checksums. */
async function divergingBook(folder: string, code?: string): Promise<void> {
  let previous = ''
  await writeBook(folder, 60, {
    ...(code !== undefined && { codeHash: code }),
    alter({ proposed }) {
      const intent = proposed.find((event) => event.type === 'order.intended')
      if (intent !== undefined) intent.body = intent.body.replace('"qty":"10"', '"qty":"11"')
      const last = proposed[proposed.length - 1]!
      const hash = (text: string) => createHash('sha256').update(text).digest('hex')
      const bodies = proposed.map((event) => event.body)
      last.checksum = stepChecksum(hash, previous, proposed[0]!.id, bodies)
      previous = last.checksum
    },
  })
}

test(
  'another decision under the same code exits 3 and tells what led to it',
  inFolder(async (folder) => {
    await divergingBook(folder)
    const { code, stdout } = await verify(folder, '--json')
    assert.is(code, 3)
    const { divergence } = JSON.parse(stdout)
    assert.is(divergence.kind, 'diverged')
    assert.is(divergence.type, 'order.intended')
    assert.is(divergence.recorded.data.qty, '11')
    assert.is(divergence.computed.data.qty, '10')
    assert.is(divergence.causes.at(-1).type, 'market.bar')
    const text = await verify(folder)
    assert.is(text.code, 3)
    assert.match(text.stdout, /^Verified {4}NO: \d+ steps? differs?$/m)
    assert.match(text.stdout, /qty: recorded "11", computed "10"/)
    assert.match(text.stdout, /^Because .*market\.bar at 1970-/m)
    const narrow = await cli(['verify', '--dir', folder], { env: { COLUMNS: '40' } })
    assert.ok(narrow.stdout.split('\n').every((line) => line.length <= 40))
  }),
)

test(
  'the same under other code is a change, not a failure',
  inFolder(async (folder) => {
    await divergingBook(folder, 'c'.repeat(64))
    const { code, stdout } = await verify(folder, '--json')
    assert.is(code, 0)
    const { ok, changed } = JSON.parse(stdout)
    assert.is(ok, true)
    assert.is(changed[0].codeHash, 'c'.repeat(64))
    assert.ok(changed[0].differing > 0)
    assert.match((await verify(folder)).stdout, /^Other code {2}cccccccccccc recorded/m)
  }),
)

test(
  'a damaged file exits 3, a missing or empty book 4, a wrong range 2',
  inFolder(async (folder) => {
    const none = await verify(folder, '--json')
    assert.is(none.code, 4)
    assert.is(JSON.parse(none.stdout).error.code, 'no_book')
    assert.match(none.stderr, /^error: no book in/)

    const store = openSqliteStore(bookPath(folder))
    await store.close()
    const empty = await verify(folder)
    assert.is(empty.code, 4)
    assert.match(empty.stderr, 'has no entry yet')

    const { events } = await writeBook(folder, 60)
    assert.is((await verify(folder, '--from', '5', '--to', '4')).code, 2)
    assert.is((await verify(folder, '--from', String(events))).code, 2)
    assert.is((await verify(folder, '--from', '-1')).code, 2)

    const bytes = readFileSync(bookPath(folder))
    // The middle of a page of rows: the header and the schema stay readable.
    bytes.fill(0xff, 4096 * 6, 4096 * 7)
    writeFileSync(bookPath(folder), bytes)
    const damaged = await verify(folder, '--json')
    assert.is(damaged.code, 3, damaged.stderr)
    assert.is(JSON.parse(damaged.stdout).error.code, 'corrupt_book')
    assert.match(damaged.stderr, bookPath(folder))
  }),
)

test(
  'streams that are not the account’s exit 3 and are named',
  inFolder(async (folder) => {
    const cases: [string, RegExp][] = [
      [`UPDATE streams SET name = 'else'`, /holds streams .*: "else", and none is account-main/],
      // The tail becomes a sound stream of its own: what stays is a sound, shorter book.
      [
        `INSERT INTO streams VALUES (2, 'tail');
         UPDATE appends SET stream_id = 2, first = first -
           (SELECT min(first) FROM (SELECT first FROM appends ORDER BY first DESC LIMIT 3))
         WHERE first IN (SELECT first FROM appends ORDER BY first DESC LIMIT 3)`,
        /holds streams .*: "tail"; restore/,
      ],
    ]
    for (const [i, [statement, message]] of cases.entries()) {
      const dir = join(folder, `${i}`)
      await writeBook(dir, 20)
      alterBook(bookPath(dir), statement)
      const { code, stdout, stderr } = await verify(dir, '--json')
      assert.is(code, 3, stderr)
      const { error } = JSON.parse(stdout)
      assert.is(error.code, 'verification_failed')
      assert.match(error.message, message)
    }
    const { events } = await writeBook(folder, 20)
    makeLegacy(bookPath(folder))
    alterBook(bookPath(folder), `UPDATE appends SET first = 'abc' WHERE first = ${events - 1}`)
    const { code, stdout } = await verify(folder, '--json')
    assert.is(code, 3)
    const { error } = JSON.parse(stdout)
    assert.is(error.code, 'corrupt_book')
    assert.match(
      error.message,
      new RegExp(`account-main: row \\d+, near position ${events - 1}, holds`),
    )
  }),
)

const hex = (bytes: Uint8Array) => `x'${Buffer.from(bytes).toString('hex')}'`
const COLUMNS = ['stream_id', 'first', 'count', 'ids', 'types', 'checksums', 'bodies'] as const
/** Any SQLite value, as an expression; those near what a column holds are the likeliest to pass. */
const VALUE = fc.oneof(
  fc.integer({ min: -3, max: 60 }).map(String),
  fc.bigInt({ min: -(2n ** 63n) + 1n, max: 2n ** 63n - 1n }).map(String),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value.toExponential()),
  fc.uint8Array({ maxLength: 80 }).map(hex),
  fc.uint8Array({ maxLength: 80 }).map((bytes) => `CAST(${hex(bytes)} AS TEXT)`),
  fc.constantFrom('NULL', '9e999', '-9e999', `''`, `','`, `':'`, `'abc'`, '0.5'),
  fc.constantFrom(...COLUMNS),
  fc
    .tuple(fc.constantFrom(...COLUMNS), fc.constantFrom('TEXT', 'BLOB', 'REAL', 'INTEGER'))
    .map(([column, type]) => `CAST(${column} AS ${type})`),
  fc
    .tuple(fc.constantFrom(...COLUMNS), fc.constantFrom(`','`, `':'`, 'char(10)', 'char(0)', `'0'`))
    .map(([column, text]) => `${column} || ${text}`),
  fc
    .tuple(fc.constantFrom(...COLUMNS), fc.constantFrom('+', '-'), fc.integer({ min: 1, max: 9 }))
    .map(([column, sign, by]) => `${column} ${sign} ${by}`),
)

test(
  'any value of any type in any column of any row is found, refused by SQLite, or changes nothing',
  inFolder(async (folder) => {
    await writeBook(folder, 12)
    const fresh = bookPath(folder)
    const legacy = join(folder, 'legacy.db')
    copyFileSync(fresh, legacy)
    makeLegacy(legacy)
    const db = new Database(legacy)
    const [rows] = db.prepare('SELECT count(*) + 0 FROM appends').raw().get() as [number]
    db.close()
    // A file of its own for each: what SQLite leaves beside a file must not meet another's rows.
    let files = 0
    const copy = (original: string) => {
      const path = join(folder, `${files++}.db`)
      copyFileSync(original, path)
      return path
    }
    const contents = async (path: string) => {
      const store = openSqliteStore(path, { readonly: true })
      const events = []
      for await (const page of store.read(bookStream(), 0)) events.push(...page)
      await store.close()
      return JSON.stringify(events)
    }
    const sound = await contents(copy(fresh))
    assert.is((await verifyBook({ path: copy(legacy), url: null })).ok, true)
    const seen = { refused: 0, opening: 0, verifying: 0, unchanged: 0 }
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(fresh, legacy, legacy),
        fc.constantFrom(...COLUMNS),
        fc.oneof(fc.constantFrom(1, rows), fc.integer({ min: 1, max: rows })),
        VALUE,
        async (original, column, row, value) => {
          let path = copy(original)
          try {
            alterBook(path, `UPDATE appends SET ${column} = ${value} WHERE id = ${row}`)
          } catch {
            seen.refused++
            path = copy(original)
          }
          let ok: boolean
          try {
            ok = (await verifyBook({ path, url: null })).ok
            if (!ok) seen.verifying++
          } catch (error) {
            assert.is(exitCodeOf(error), 3, String(error))
            seen.opening++
            return
          }
          if (!ok) return
          assert.is(await contents(path), sound)
          seen.unchanged++
        },
      ),
      { numRuns: 300 },
    )
    assert.ok(seen.refused > 3 && seen.opening > 50 && seen.verifying > 20, JSON.stringify(seen))
  }),
)

test.run()
