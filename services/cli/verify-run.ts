import { createHash } from 'node:crypto'
import { type Divergence, Verifier, type VerifyResult } from '../../engine/replay/verify.ts'
import { formatTime } from '../../engine/time.ts'
import type { SqliteStore } from '../adapters/embedded/sqlite-store.ts'
import { type BookLocation, openStore } from '../adapters/open-store.ts'
import { codeHash } from '../runtime/code-hash.ts'
import { bookStream } from '../runtime/folder.ts'
import { bookLocation, shownLocation } from './book-location.ts'
import { CliError, EXIT, UsageError } from './exit-codes.ts'
import { outputWidth, Progress, print, printJson, table } from './output.ts'
import type { VerifyOptions } from './verify.ts'

export async function runVerifyCommand(options: VerifyOptions): Promise<void> {
  const { from, to } = options
  if (from !== undefined && to !== undefined && from > to) {
    throw new UsageError(`--from ${from} is after --to ${to}`)
  }
  const result = await verifyBook(bookLocation(options.dir), options)
  if (!result.ok) process.exitCode = EXIT.refused
  if (options.json) printJson(result)
  else print(verifyText(result))
}

/** Reads a book, which an engine may be writing to. Throws NoBook, CorruptBook, no_book, verification_failed. */
export async function verifyBook(
  location: BookLocation,
  range: { from?: number; to?: number } = {},
): Promise<VerifyResult> {
  const store = await openStore(location, { readonly: true })
  const progress = new Progress('verifying')
  try {
    const stream = bookStream()
    // The file is the account's alone, while an EventStoreDB may serve others as well.
    if (location.url === null) {
      refuseForeignStreams(location, stream, await (store as SqliteStore).streamNames())
    }
    const head = await store.head(stream)
    if (head < 0) {
      throw new CliError(
        'no_book',
        `the book in ${shownLocation(location)} has no entry yet: there is nothing to verify`,
      )
    }
    if (range.from !== undefined && range.from > head) {
      throw new UsageError(`--from ${range.from} is behind the end of the book, ${head}`)
    }
    const verifier = new Verifier({
      codeHash: codeHash(),
      hash: (text) => createHash('sha256').update(text).digest('hex'),
      runningHash: createHash('sha256'),
      ...(range.from !== undefined && { from: range.from }),
      ...(range.to !== undefined && { to: range.to }),
    })
    for await (const page of store.read(stream, 0, head)) {
      for (const event of page) verifier.feed(event)
      progress.update(page[page.length - 1]!.position, head)
    }
    return verifier.finish()
  } finally {
    progress.finish()
    await store.close()
  }
}

// Rows moved to another stream, or a stream under another name, would look like a shorter book or none.
function refuseForeignStreams(
  location: BookLocation,
  stream: string,
  names: readonly string[],
): void {
  const foreign = names.filter((name) => name !== stream)
  if (foreign.length === 0) return
  const listed = foreign.map((name) => JSON.stringify(name)).join(', ')
  const missing = names.includes(stream) ? '' : `, and none is ${stream}`
  throw new CliError(
    'verification_failed',
    `the book in ${shownLocation(location)} holds streams that are not the account's: ${listed}${missing}; restore the book from a backup`,
    { streams: foreign },
  )
}

/** A result for people: the first divergence with what led to it, back to the input. */
export function verifyText(result: VerifyResult, width: number = outputWidth()): string {
  const { checked, divergence, changed } = result
  const rows: [string, string][] = [
    [
      'Verified',
      result.ok
        ? 'every decision comes out the same'
        : `NO: ${result.faults} ${result.faults === 1 ? 'step differs' : 'steps differ'}`,
    ],
    [
      'Checked',
      `${checked.events} events, ${checked.decisions} decisions, ${checked.steps} steps recorded by this code${changed.length > 0 ? '; other code is listed apart' : ''}`,
    ],
    ['Digest', result.digest],
  ]
  for (const stretch of changed) {
    const first =
      stretch.first === null ? '' : `, first ${stretch.first.type} at ${stretch.first.position}`
    rows.push([
      'Other code',
      `${stretch.codeHash.slice(0, 12)} recorded ${stretch.from} to ${stretch.to}: ${stretch.differing} of ${stretch.steps} steps come out otherwise now${first}`,
    ])
  }
  if (divergence !== null) rows.push(...divergenceRows(divergence))
  return table(rows, width)
}

function divergenceRows(divergence: Divergence): [string, string][] {
  const shown = (side: Divergence['recorded']) =>
    side === null ? 'nothing' : `${side.type} ${JSON.stringify(side.data)}`
  return [
    ['Divergence', `${divergence.kind}: ${divergence.message}`],
    ['Recorded', shown(divergence.recorded)],
    ['Computed', shown(divergence.computed)],
    ...divergence.causes.map(({ position, type, at, data }): [string, string] => [
      'Because',
      `${position} ${type} at ${formatTime(at)} ${JSON.stringify(data)}`,
    ]),
  ]
}
