import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** For tests: a Node process of its own that runs a module's text, with the names of this folder's files at hand. */
export interface BookProcess {
  child: ChildProcess
  lines: string[]
  /** Resolves to the first line that starts so; rejects when the process ends or ten seconds pass before it. */
  line(start: string): Promise<string>
  /** Resolves when the process is gone, to its exit code, or null when a signal ended it. */
  ended: Promise<number | null>
  kill(): Promise<void>
}

const FILES = ['sqlite-store', 'folder-lock'] as const
const PATIENCE_MS = 10_000

/** `source` may use `openSqliteStore`, `lockFolder`, `say(line)` and `args`; `limit` is a `ulimit` option. */
export function bookProcess(source: string, args: readonly string[], limit?: string): BookProcess {
  const imports = FILES.map((file) => new URL(`./${file}.ts`, import.meta.url).href)
  const text = `
    import { openSqliteStore } from '${imports[0]}'
    import { lockFolder } from '${imports[1]}'
    import { randomUUID } from 'node:crypto'
    import { writeSync } from 'node:fs'
    const args = process.argv.slice(1)
    const say = (line) => writeSync(1, line + '\\n')
    ${source}`
  const command = ['--import', 'tsx', '--input-type=module', '-e', text, ...args]
  const child =
    limit === undefined
      ? spawn(process.execPath, command, { stdio: ['pipe', 'pipe', 'inherit'] })
      : spawn('sh', ['-c', `ulimit ${limit}; exec "$0" "$@"`, process.execPath, ...command], {
          stdio: ['pipe', 'pipe', 'inherit'],
          // Under a limit tsx would leave cut files in the cache that other processes share.
          env: { ...process.env, TSX_DISABLE_CACHE: '1' },
        })
  const lines: string[] = []
  let rest = ''
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    const parts = (rest + chunk).split('\n')
    rest = parts.pop() ?? ''
    lines.push(...parts)
  })
  const ended = new Promise<number | null>((resolve) => {
    child.once('close', (code) => resolve(code))
  })
  let gone = false
  void ended.then(() => {
    gone = true
  })
  const line = async (start: string): Promise<string> => {
    const deadline = performance.now() + PATIENCE_MS
    for (;;) {
      const found = lines.find((candidate) => candidate.startsWith(start))
      if (found !== undefined) return found
      if (gone || performance.now() > deadline) {
        throw new Error(`the process never said "${start}", only: ${lines.slice(-5).join(' | ')}`)
      }
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
  }
  const kill = async () => {
    child.kill('SIGKILL')
    await ended
  }
  return { child, lines, line, ended, kill }
}

/** Runs a test with a folder of its own, removed whatever happens. */
export async function inFolder(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'bitacora-book-'))
  try {
    await body(folder)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
