import { existsSync } from 'node:fs'
import { dirname } from 'node:path'
import type { BookLocation } from '../adapters/open-store.ts'
import { commandEnv } from '../runtime/command-env.ts'
import { maskAddress } from '../runtime/config-value.ts'
import { bookPath, engineDir } from '../runtime/folder.ts'

/**
 * The book that a command is about: that of the folder where it holds one, else the one behind EVENTSTORE_URL. A
 * folder that was named and has a book of its own is never passed over.
 */
export function bookLocation(dir: string | undefined): BookLocation {
  const env = commandEnv()
  const path = bookPath(engineDir(dir, env))
  const url = env.EVENTSTORE_URL || null
  return { path, url: dir !== undefined && existsSync(path) ? null : url }
}

/** Where it lies, for people; without credentials. */
export function shownLocation({ path, url }: BookLocation): string {
  return url === null ? dirname(path) : `EventStoreDB at ${maskAddress(url)}`
}
