/** Makes folders that users name, anywhere on the machine. */
import { mkdirSync, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'

/** A folder that was asked for does not exist and cannot be made. */
export class FolderNotMade extends Error {
  override name = 'FolderNotMade'
  readonly code = 'folder_not_made'
  /** The folder asked for. */
  readonly folder: string
  /** Where it failed: the folder, or one above it. */
  readonly place: string
  constructor(folder: string, place: string, cause: unknown) {
    const reason = diskReason(cause)
    const at = place === folder ? reason : `${place}: ${reason}`
    super(
      `${folder || 'a folder without a name'} cannot be made (${at}): name another with --dir`,
      {
        cause,
      },
    )
    this.folder = folder
    this.place = place
  }
}

/**
 * Makes the folder and those above it that are missing; returns the topmost that it made, undefined when all were
 * there. One level at a time: `mkdirSync` with `recursive` never returns below /proc, where every folder above
 * exists and none can be made. Throws FolderNotMade.
 */
export function makeFolder(path: string): string | undefined {
  if (path.trim() === '') throw new FolderNotMade('', '', fault('ENOENT', 'it has no name'))
  const folder = resolve(path)
  const missing: string[] = []
  for (let level = folder; !isFolder(level, folder); level = dirname(level)) missing.push(level)
  let made: string | undefined
  for (const level of missing.reverse()) {
    try {
      mkdirSync(level)
      made ??= level
    } catch (error) {
      // Another process may have made it since we looked.
      if (codeOf(error) !== 'EEXIST') throw new FolderNotMade(folder, level, error)
      if (!isFolder(level, folder)) {
        throw new FolderNotMade(folder, level, fault('ENOENT', 'it is a link to nowhere'))
      }
    }
  }
  return made
}

/** False when nothing is there. Throws FolderNotMade for a file, and when nobody can tell. */
function isFolder(level: string, folder: string): boolean {
  let found: boolean
  try {
    found = statSync(level).isDirectory()
  } catch (error) {
    // At the root there is nothing further up to ask.
    if (codeOf(error) === 'ENOENT' && dirname(level) !== level) return false
    // Something above it is a file: that is the one to name.
    if (codeOf(error) === 'ENOTDIR' && dirname(level) !== level) return false
    throw new FolderNotMade(folder, level, error)
  }
  if (!found) throw new FolderNotMade(folder, level, fault('ENOTDIR', 'it is a file'))
  return true
}

const REASONS: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full',
  EDQUOT: 'the disk quota is used up',
  EROFS: 'the file system is read-only',
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  EISDIR: 'it is a folder',
  ENOTDIR: 'it is a file',
  ENAMETOOLONG: 'the name is too long',
  EMFILE: 'too many open files',
}

/** What a file operation failed with, in words and with the code of the system. */
export function diskReason(error: unknown): string {
  if (error instanceof FolderNotMade) return diskReason(error.cause)
  const code = codeOf(error)
  if (error instanceof DiskFault || code === '') {
    return error instanceof Error ? error.message : String(error)
  }
  return `${REASONS[code] ?? 'the system refuses'}, ${code}`
}

/** A refusal that we know better words for than the system. */
class DiskFault extends Error {
  readonly code: string
  constructor(code: string, message: string) {
    super(message)
    this.code = code
  }
}

function fault(code: string, message: string): DiskFault {
  return new DiskFault(code, message)
}

function codeOf(error: unknown): string {
  const code = (error as { code?: unknown } | null)?.code
  return typeof code === 'string' ? code : ''
}
