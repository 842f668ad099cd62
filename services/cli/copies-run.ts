import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { EventStore } from '../../engine/ports/event-store.ts'
import { formatTime } from '../../engine/time.ts'
import { openStore } from '../adapters/open-store.ts'
import { type BrokerFile, makeBackup } from '../book-tools/backup.ts'
import type { BookEnd } from '../book-tools/book-audit.ts'
import { openBookFolder } from '../book-tools/book-folder.ts'
import { copyBook, type CopyResult } from '../book-tools/copy-book.ts'
import { restoreBackup } from '../book-tools/restore.ts'
import { codeHash } from '../runtime/code-hash.ts'
import { commandEnv } from '../runtime/command-env.ts'
import { maskAddress } from '../runtime/config-value.ts'
import { bookPath, bookStream, engineDir, packageRoot } from '../runtime/folder.ts'
import { copyJournal, inspectJournal, JOURNAL_FILE } from '../simulator/journal-copy.ts'
import { bookLocation, shownLocation } from './book-location.ts'
import type { CopyOptions, PlaceOptions } from './copies.ts'
import { UsageError } from './exit-codes.ts'
import { Progress, print, printJson, table, warn } from './output.ts'

const SIM_BROKER: BrokerFile = { name: JOURNAL_FILE, copy: copyJournal, inspect: inspectJournal }
const ESDB = /^esdb(\+discover)?:/i

export async function runCopyCommand(options: CopyOptions): Promise<void> {
  const from = bookLocation(options.dir)
  const { to } = options
  const same = ESDB.test(to)
    ? to === from.url
    : from.url === null && resolve(bookPath(to)) === resolve(from.path)
  if (same) throw new UsageError(`--to ${shownPlace(to)} is where the book lies already`)
  const stream = bookStream()
  const source = await openStore(from, { readonly: true, stream })
  const progress = new Phases()
  let result: CopyResult
  try {
    result = await intoPlace(to, stream, (target) =>
      copyBook({
        ...{ source, target, stream, progress: progress.show },
        names: { source: shownLocation(from), target: shownPlace(to) },
      }),
    )
  } finally {
    progress.finish()
    await source.close()
  }
  const { bookId, head, events, steps, found, copied, sourceEnd } = result
  if (options.json) {
    const place = { from: shownLocation(from), to: shownPlace(to) }
    printJson({ ...place, bookId, events, steps, found, copied, head: shownEnd(head), sourceEnd })
    return
  }
  print(
    table([
      ['Copied', `${copied} events of book ${bookId} to ${shownPlace(to)}`],
      ...(found > 0
        ? [['Found', `${found} events were there already, and are the same`] as const]
        : []),
      ['Compared', `${events} events in ${steps} steps, every byte`],
      ...endRows(head),
      ...laterRows(head, sourceEnd, 'run this again to copy the rest'),
    ]),
  )
}

/** The target may be a server, or a folder in which nobody starts an engine meanwhile. */
async function intoPlace<T>(
  to: string,
  stream: string,
  work: (target: EventStore) => Promise<T>,
): Promise<T> {
  if (ESDB.test(to)) {
    const { openEsdbStore } = await import('../adapters/eventstoredb/esdb-store.ts')
    const target = await openEsdbStore(to)
    try {
      return await work(target)
    } finally {
      await target.close()
    }
  }
  const folder = await openBookFolder(to, stream)
  let whole = false
  try {
    const result = await work(folder.store)
    whole = true
    return result
  } finally {
    await folder.close(whole)
  }
}

export async function runBackupCommand(folder: string, options: PlaceOptions): Promise<void> {
  const from = bookLocation(options.dir)
  const stream = bookStream()
  const store = await openStore(from, { readonly: true, stream })
  const progress = new Phases()
  try {
    const { manifest, sourceEnd } = await makeBackup({
      ...{ store, stream, target: folder, broker: SIM_BROKER, progress: progress.show },
      name: shownLocation(from),
      dir: engineDir(options.dir),
      engineVersion: packageVersion(),
      codeHash: codeHash(),
      now: Date.now,
    })
    progress.finish()
    const { bookId, events, head, brokerSequence } = manifest
    const alone = `no ${JOURNAL_FILE} in ${engineDir(options.dir)}: the backup holds the book alone, and the simulated broker cannot go on from it once there were orders`
    if (brokerSequence === null) warn(alone)
    if (options.json) {
      const warnings = brokerSequence === null ? [alone] : []
      printJson({ folder: resolve(folder), ...manifest, head: shownEnd(head), sourceEnd, warnings })
      return
    }
    print(
      table([
        ['Backup', `${resolve(folder)}, read back and compared`],
        ['Book', `${bookId}, ${events} events`],
        ...endRows(head),
        ...(brokerSequence === null
          ? []
          : [['Broker', `journal up to report ${brokerSequence}`] as const]),
        ...laterRows(head, sourceEnd, 'the next backup has it'),
      ]),
    )
  } finally {
    progress.finish()
    await store.close()
  }
}

export async function runRestoreCommand(backup: string, options: PlaceOptions): Promise<void> {
  const dir = engineDir(options.dir)
  const { manifest } = await restoreBackup({
    ...{ backup, dir, stream: bookStream(), broker: SIM_BROKER, now: Date.now },
  })
  const elsewhere = `EVENTSTORE_URL is set: unset it to start on ${dir}, or see \`bitacora copy-book --help\` to move the book there`
  const warnings = commandEnv().EVENTSTORE_URL ? [elsewhere] : []
  for (const warning of warnings) warn(warning)
  const { bookId, events, head, brokerSequence, createdAt } = manifest
  if (options.json) {
    const { files: _, format: _format, ...known } = manifest
    printJson({
      dir: resolve(dir),
      backup: resolve(backup),
      ...known,
      head: shownEnd(head),
      warnings,
    })
    return
  }
  print(
    table([
      ['Restored', `${resolve(dir)}, as it was at ${createdAt}`],
      ['Book', `${bookId}, ${events} events, every byte checked`],
      ...endRows(head),
      ['Broker', brokerSequence === null ? 'no journal' : `journal up to report ${brokerSequence}`],
      ['Next', `bitacora start --dir ${dir}`],
    ]),
  )
}

/** Progress of work that reads a book twice. */
class Phases {
  readonly #shown = { copying: new Progress('copying'), comparing: new Progress('comparing') }
  readonly show = (phase: 'copying' | 'comparing', done: number, total: number): void => {
    this.#shown[phase].update(done, total)
  }
  finish(): void {
    for (const progress of Object.values(this.#shown)) progress.finish()
  }
}

function shownPlace(to: string): string {
  return ESDB.test(to) ? `EventStoreDB at ${maskAddress(to)}` : to
}

/** Times as people and programs read them. */
export function shownEnd({ position, checksum, at, recordedAt }: BookEnd) {
  return { position, checksum, at: formatTime(at), recordedAt: formatTime(recordedAt) }
}

export function endRows(head: BookEnd): (readonly [string, string])[] {
  const { position, checksum, at, recordedAt } = shownEnd(head)
  return [
    ['Head', `position ${position}, engine time ${at}, recorded ${recordedAt}`],
    ['Checksum', checksum],
  ]
}

function laterRows(
  head: BookEnd,
  sourceEnd: number,
  remedy: string,
): (readonly [string, string])[] {
  if (sourceEnd <= head.position) return []
  return [['Later', `the book has gone on to ${sourceEnd} meanwhile: ${remedy}`]]
}

function packageVersion(): string {
  const { version } = JSON.parse(readFileSync(join(packageRoot(), 'package.json'), 'utf8')) as {
    version: string
  }
  return version
}
