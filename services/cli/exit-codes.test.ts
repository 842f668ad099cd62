import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { FolderInUse } from '../adapters/embedded/folder-lock.ts'
import { BookBusy, CorruptBook, NoBook } from '../adapters/embedded/book-errors.ts'
import { NatsUnreachable } from '../adapters/nats/connection.ts'
import { ForeignStream } from '../adapters/nats/streams.ts'
import { InvalidParams } from '../../engine/strategies/strategy.ts'
import { FolderNotMade } from '../runtime/make-folder.ts'
import { CliError, CODES, codeOf, EXIT, exitCodeOf, UsageError } from './exit-codes.ts'

test('typed errors exit with what they mean', () => {
  assert.is(exitCodeOf(new UsageError('a', 'b')), EXIT.usage)
  assert.is(exitCodeOf(new InvalidParams('x')), EXIT.usage)
  assert.is(exitCodeOf(new CorruptBook('p', null, null, 'x')), EXIT.refused)
  assert.is(exitCodeOf(new NoBook('p')), EXIT.unreachable)
  assert.is(exitCodeOf(new BookBusy('p', 1)), EXIT.unreachable)
  assert.is(exitCodeOf(new FolderInUse('p', null)), EXIT.unreachable)
  assert.is(exitCodeOf(new FolderNotMade('p', 'p', null)), EXIT.unreachable)
  assert.is(exitCodeOf(new CliError('out_unwritable', 'x')), EXIT.failed)
  assert.is(exitCodeOf(new NatsUnreachable('nats://x', null)), EXIT.unreachable)
  assert.is(exitCodeOf(new ForeignStream('INBOX', null, 'b')), EXIT.unreachable)
})

test('whatever is not in the catalogue has failed', () => {
  assert.is(exitCodeOf(new Error('x')), EXIT.failed)
  assert.is(exitCodeOf(new CliError('constructor', 'x')), EXIT.failed)
  assert.is(exitCodeOf(Object.assign(new Error('x'), { code: 'ENOSPC' })), EXIT.failed)
  assert.is(exitCodeOf('x'), EXIT.failed)
  assert.is(codeOf(null), 'failed')
})

test('every code that the command line itself uses is in the catalogue', () => {
  const folder = import.meta.dirname
  const files = readdirSync(folder).filter((name) => /^(?!.*\.test).*\.ts$/.test(name))
  const used = files.flatMap((name) => {
    const source = readFileSync(join(folder, name), 'utf8')
    return [...source.matchAll(/new CliError\(\s*'([a-z_]+)'/g)].map((match) => match[1]!)
  })
  assert.ok(used.length > 8)
  for (const code of used) assert.ok(Object.hasOwn(CODES, code), code)
})

test.run()
