/** Where things lie in an engine's folder. */
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { commandEnv } from './command-env.ts'

export const BOOK_FILE = 'book.db'
/** What was read of a book that lies in EventStoreDB. */
export const BOOK_COPY_FILE = 'book-copy.db'
/** How to reach the engine while it runs. */
export const ENGINE_FILE = 'engine.json'
export const DEFAULT_ACCOUNT = 'main'
export const DEFAULT_DIR = './data'

/** The stream of an account in the event store. */
export function bookStream(account: string = DEFAULT_ACCOUNT): string {
  return `account-${account}`
}

export function bookPath(dir: string): string {
  return join(dir, BOOK_FILE)
}

/** The folder asked for, else DATA_DIR of the environment or of .env, else ./data. */
export function engineDir(given?: string, env: NodeJS.ProcessEnv = commandEnv()): string {
  return given ?? (env.DATA_DIR || DEFAULT_DIR)
}

export interface EngineRecord {
  pid: number
  natsUrl: string
  /** Null when it serves no HTTP. */
  httpUrl: string | null
  /** Reads over HTTP where that needs a token; the file is its owner's only. */
  httpToken?: string
  account: string
  bookId: string
  /** RFC 3339, wall clock. */
  startedAt: string
}

/** What the engine of the folder has left; null when there is nothing, or nothing that can be read. */
export function readEngineFile(dir: string): EngineRecord | null {
  let value: unknown
  try {
    value = JSON.parse(readFileSync(join(dir, ENGINE_FILE), 'utf8'))
  } catch {
    return null
  }
  if (typeof value !== 'object' || value === null) return null
  const { pid, natsUrl, httpUrl, account, bookId, startedAt } = value as Record<string, unknown>
  const { httpToken } = value as { httpToken?: unknown }
  if (!Number.isSafeInteger(pid) || typeof natsUrl !== 'string') return null
  return {
    pid: pid as number,
    natsUrl,
    httpUrl: typeof httpUrl === 'string' ? httpUrl : null,
    ...(typeof httpToken === 'string' && { httpToken }),
    account: typeof account === 'string' ? account : DEFAULT_ACCOUNT,
    bookId: typeof bookId === 'string' ? bookId : '',
    startedAt: typeof startedAt === 'string' ? startedAt : '',
  }
}

/**
 * Renamed into place, so that nobody reads half of it. Only its owner may read it: the URL can carry a password, and
 * there may be a token.
 */
export function writeEngineFile(dir: string, record: EngineRecord): void {
  const path = join(dir, ENGINE_FILE)
  const draft = `${path}.${process.pid}`
  writeFileSync(draft, `${JSON.stringify(record, null, 2)}\n`, { mode: 0o600 })
  renameSync(draft, path)
}

/** Whether the process of the record still runs. A process id used again cannot be told apart. */
export function isRunning(record: Pick<EngineRecord, 'pid'>): boolean {
  if (record.pid <= 0) return false
  try {
    process.kill(record.pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/** The folder of the package: its sources and its build lie at different depths below it. */
export function packageRoot(from: string = import.meta.url): string {
  let folder = dirname(fileURLToPath(from))
  while (!existsSync(join(folder, 'package.json'))) {
    const above = dirname(folder)
    if (above === folder) throw new Error(`no package.json above ${fileURLToPath(from)}`)
    folder = above
  }
  return folder
}
