import { existsSync, readFileSync } from 'node:fs'
import { openStore } from '../adapters/open-store.ts'
import {
  BadAnchor,
  isChecksum,
  parseAnchors,
  presentAnchor,
  readAnchors,
} from '../book-tools/anchor.ts'
import { type AuditResult, BookAudit, type Witness } from '../book-tools/book-audit.ts'
import { bookIdOf } from '../book-tools/copy-book.ts'
import { bookStream, engineDir } from '../runtime/folder.ts'
import type { AuditOptions } from './audit.ts'
import { bookLocation, shownLocation } from './book-location.ts'
import { endRows, shownEnd } from './copies-run.ts'
import { CliError, EXIT } from './exit-codes.ts'
import { Progress, print, printJson, table } from './output.ts'

export async function runAuditCommand(options: AuditOptions): Promise<void> {
  const given = (options.anchor ?? []).flatMap(witnessesIn)
  const started = performance.now()
  const { result, noted } = await auditBook(options.dir, given)
  const seconds = (performance.now() - started) / 1000
  if (!result.ok) process.exitCode = EXIT.refused
  const { head, anchors, ...rest } = result
  if (options.json) {
    const end = head === null ? null : shownEnd(head)
    printJson({ ...rest, head: end, anchors: { given: anchors - noted, noted }, seconds })
    return
  }
  print(auditText(result, noted, seconds))
}

/** Reads the whole book, which an engine may be writing to. Throws NoBook, CorruptBook, BadAnchor, no_book. */
export async function auditBook(
  dir: string | undefined,
  given: readonly Witness[],
): Promise<{ result: AuditResult; noted: number }> {
  const location = bookLocation(dir)
  const stream = bookStream()
  const store = await openStore(location, { readonly: true, stream })
  const progress = new Progress('auditing')
  try {
    // Before the head: an engine notes what it has appended.
    const bookId = await bookIdOf(store, stream)
    const noted = readAnchors(engineDir(dir)).filter((anchor) => anchor.bookId === bookId)
    const head = await store.head(stream)
    if (head < 0) {
      throw new CliError(
        'no_book',
        `the book in ${shownLocation(location)} has no entry yet: there is nothing to audit`,
      )
    }
    const audit = new BookAudit([...given, ...noted])
    for await (const page of store.read(stream, 0, head)) {
      for (const event of page) audit.feed(event)
      progress.update(page[page.length - 1]!.position, head)
    }
    return { result: audit.finish(), noted: noted.length }
  } finally {
    progress.finish()
    await store.close()
  }
}

function witnessesIn(text: string): Witness[] {
  if (isChecksum(text)) return [{ checksum: text }]
  if (!existsSync(text)) throw new BadAnchor(text, 'there is no such file')
  let content: string
  try {
    content = readFileSync(text, 'utf8')
  } catch (error) {
    throw new BadAnchor(text, `it cannot be read (${(error as Error).message})`)
  }
  return parseAnchors(content, text)
}

function auditText(result: AuditResult, noted: number, seconds: number): string {
  const { ok, bookId, events, steps, runs, head, anchors, fault, faults } = result
  const given = anchors - noted
  const compared =
    anchors === 0
      ? 'none: without one, a book cut off cleanly looks like a shorter book'
      : `${noted} noted in the folder, ${given} given`
  return table([
    [
      'Audited',
      ok ? 'every byte is as it was written' : `NO: ${faults} ${faults === 1 ? 'fault' : 'faults'}`,
    ],
    ...(fault === null ? [] : [['Fault', `${fault.kind}: ${fault.message}`] as const]),
    ['Book', `${bookId ?? 'without an id'}: ${events} events in ${steps} steps, ${runs} starts`],
    ...(head === null ? [] : endRows(head)),
    ['Anchors', compared],
    [
      'Speed',
      `${seconds.toFixed(2)} s, ${Math.round(events / seconds).toLocaleString('en-US')} events/s`,
    ],
  ])
}

export async function runAnchorCommand(options: AuditOptions): Promise<void> {
  const location = bookLocation(options.dir)
  const stream = bookStream()
  const store = await openStore(location, { readonly: true, stream })
  try {
    const bookId = await bookIdOf(store, stream)
    const anchor = bookId === null ? null : await presentAnchor(store, stream, bookId, Date.now())
    if (anchor === null) {
      throw new CliError(
        'no_book',
        `the book in ${shownLocation(location)} has no end that could be noted: see \`bitacora audit verify\``,
      )
    }
    if (options.json) printJson(anchor)
    else print(JSON.stringify(anchor))
  } finally {
    await store.close()
  }
}
