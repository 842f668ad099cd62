// Runs the ```console blocks of README.md in order, in one shell, and compares what they print with what is written there.
//
// What differs from typing them: `bitacora …` and `scripts/start.sh …` run scripts/bitacora.mjs of this repository directly, because
// the installation that start.sh begins with would replace packages under other tests; `data` is a temporary folder; port
// 8080 is a free one. The comments before a block: `starts` leaves its command running until `stops` (Ctrl-C),
// `until the data has ended` waits for the last bar, `varies` means that every number depends on the moment.
// In outputs `…` stands for anything, on a line of its own for any lines. Masked: ids, times of this machine, ports,
// process ids, durations. A block that starts an engine is compared by its stdout alone: the log is on stderr.
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { hashSources } from '../services/runtime/code-hash.ts'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const STEP_MS = 60_000
const BARS = 1260

interface Command {
  text: string
  expected: string
}
interface Block {
  line: number
  marks: string[]
  commands: Command[]
}

/** The console blocks, each with the comments right before it. */
function readBlocks(markdown: string): Block[] {
  const blocks: Block[] = []
  const lines = markdown.split('\n')
  let marks: string[] = []
  for (let i = 0; i < lines.length; i++) {
    const mark = /^<!-- (.*) -->$/.exec(lines[i]!)?.[1]
    if (mark !== undefined) marks.push(mark)
    else if (lines[i] === '```console') {
      const end = lines.indexOf('```', i)
      blocks.push({ line: i + 1, marks, commands: readCommands(lines.slice(i + 1, end)) })
      marks = []
      i = end
    }
  }
  assert.equal(marks, [], 'every comment belongs to a block')
  return blocks
}

function readCommands(lines: readonly string[]): Command[] {
  const commands: Command[] = []
  for (let i = 0; i < lines.length; i++) {
    const line = lines[i]!
    if (line.startsWith('$ ')) {
      let text = line.slice(2)
      if (text.endsWith("<<'EOF'")) {
        const end = lines.indexOf('EOF', i)
        text = [text, ...lines.slice(i + 1, end + 1)].join('\n')
        i = end
      }
      commands.push({ text, expected: '' })
    } else commands.at(-1)!.expected += `${line}\n`
  }
  return commands
}

/** What cannot be the same twice becomes a word. */
function masked(text: string, varies: boolean): string {
  const common = text
    .replace(/\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/g, 'UUID')
    .replace(/\bb[0-9a-f]{16}\b/g, 'BOOK')
    .replace(/since \d{4}-[0-9T:.-]+Z/g, 'since TIME')
    .replace(/process \d+/g, 'process PID')
    .replace(/127\.0\.0\.1:\d+/g, '127.0.0.1:PORT')
    .replace(/^(Speed +).*$/gm, '$1SPEED')
    .replaceAll('./data', 'data')
    .trimEnd()
  return varies ? common.replace(/\d[\d.,:TZ-]*/g, 'N') : common
}

function pattern(expected: string): RegExp {
  const escaped = expected
    .split('\n')
    .map((line) => line.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
    .map((line) => (line === '…' ? '[^]*?' : line.replaceAll('…', '.*?')))
  return new RegExp(`^${escaped.join('\n')}$`)
}

/** Whether a command printed what is written; both as they are compared. */
function compare(found: string, expected: string, varies: boolean) {
  const actual = masked(found, varies)
  const wanted = masked(expected, varies)
  return { actual, wanted, same: pattern(wanted).test(actual) }
}

/** One bash for all commands, so that `$?` is the last one's. */
class Shell {
  readonly #env: NodeJS.ProcessEnv
  readonly #dir: string
  readonly #port: number
  #status = 0
  #engine: ChildProcess | null = null
  #ended: Promise<number | null> = Promise.resolve(0)

  constructor(dir: string, port: number) {
    const { PATH, HOME, TMPDIR } = process.env
    this.#dir = dir
    this.#port = port
    this.#env = {
      PATH,
      HOME,
      ...(TMPDIR !== undefined && { TMPDIR }),
      LC_ALL: 'C',
      USER: 'reader',
      DATA_DIR: join(dir, 'data'),
      API_PORT: String(port),
      LOG_LEVEL: 'warn',
    }
  }

  #script(text: string): string {
    return text
      .replace(/^scripts\/start\.sh/, 'bitacora start')
      .replace(/(?<![\w./-])data(?=\/)/g, `${this.#dir}/data`)
      .replaceAll('localhost:8080', `127.0.0.1:${this.#port}`)
  }

  #shown(text: string): string {
    return text.replaceAll(`${this.#dir}/data`, 'data').replaceAll(`:${this.#port}`, ':8080')
  }

  #spawn(script: string): ChildProcess {
    const bin = join(ROOT, 'scripts/bitacora.mjs')
    const head = `bitacora() { '${process.execPath}' '${bin}' "$@"; }\n(exit ${this.#status})\n`
    return spawn('bash', ['--noprofile', '--norc', '-c', `${head}${script}`], {
      cwd: ROOT,
      env: this.#env,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
  }

  /** Runs a command to its end; what it wrote to stdout and stderr together. */
  async run(text: string): Promise<string> {
    const child = this.#spawn(`{ ${this.#script(text)}\n} 2>&1`)
    let output = ''
    child.stdout!.setEncoding('utf8').on('data', (data: string) => (output += data))
    const timer = setTimeout(() => child.kill('SIGKILL'), STEP_MS)
    this.#status = await new Promise<number>((resolve) => {
      child.once('close', (code) => resolve(code ?? 137))
    })
    clearTimeout(timer)
    return this.#shown(output)
  }

  /** Starts an engine, and resolves to its stdout when it is ready. */
  async start(text: string): Promise<string> {
    const args = this.#script(text).replace(/^bitacora /, '')
    // Without a shell in between: Ctrl-C must reach the engine itself.
    const bin = join(ROOT, 'scripts/bitacora.mjs')
    const child = spawn(process.execPath, [bin, ...args.split(' ')], {
      cwd: ROOT,
      env: this.#env,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let output = ''
    let log = ''
    child.stdout.setEncoding('utf8').on('data', (data: string) => (output += data))
    child.stderr.setEncoding('utf8').on('data', (data: string) => (log += data))
    this.#engine = child
    this.#ended = new Promise((resolve) => child.once('close', resolve))
    const end = Date.now() + STEP_MS
    while (!output.includes('\nready')) {
      if (child.exitCode !== null) throw new Error(`the engine ended: ${log}`)
      if (Date.now() > end) throw new Error(`the engine is not ready: ${log}`)
      await pause(50)
    }
    await pause(100)
    return this.#shown(output)
  }

  async dataEnded(): Promise<void> {
    const end = Date.now() + STEP_MS
    for (;;) {
      const answer = await fetch(`http://127.0.0.1:${this.#port}/status`)
      const { counts } = (await answer.json()) as {
        counts: { bars: number; openOrders: number; fills: number; orders: number }
      }
      // The strategy's last order is filled before the last bar: nothing is under way then.
      if (counts.bars === BARS && counts.openOrders === 0) return
      if (Date.now() > end) throw new Error(`the data has not ended: ${counts.bars} bars`)
      await pause(100)
    }
  }

  async stop(): Promise<void> {
    this.#engine?.kill('SIGINT')
    assert.is(await this.#ended, 0, 'Ctrl-C ends the engine with 0')
    this.#engine = null
  }

  /** Ends whatever is left, also an engine's NATS server. */
  async close(): Promise<void> {
    const engine = this.#engine
    if (engine === null) return
    engine.kill('SIGTERM')
    const late = setTimeout(() => engine.kill('SIGKILL'), 5000)
    await this.#ended
    clearTimeout(late)
    for (const folder of ['data', 'data/lockstep', 'data/altered']) {
      try {
        const file = readFileSync(join(this.#dir, folder, 'nats.json'), 'utf8')
        process.kill((JSON.parse(file) as { pid: number }).pid, 'SIGKILL')
      } catch {
        // It ended with its engine.
      }
    }
  }
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  await new Promise((resolve) => server.close(resolve))
  return port
}

test('what differs is found: text, a missing line, a number that does not vary', () => {
  const same = (found: string, expected: string, varies = false) =>
    compare(found, expected, varies).same
  assert.ok(same('a 1\nb 2\n', 'a 1\n…\n'))
  assert.ok(same('{"a":1,"b":2}', '{"a":1,…}'))
  assert.ok(same('a 1.5', 'a 27', true))
  assert.not(same('a 1', 'a 2'))
  assert.not(same('a 1\nb', 'a 1'))
  assert.not(same('a 1', 'a 1\nb'))
  assert.not(same('a 1', 'b 1', true))
  const [block] = readBlocks("<!-- varies -->\n```console\n$ cat <<'EOF'\nx\nEOF\nx\n$ true\n```")
  assert.equal(block?.commands, [
    { text: "cat <<'EOF'\nx\nEOF", expected: 'x\n' },
    { text: 'true', expected: '' },
  ])
})

test('the README says what happens', async () => {
  const blocks = readBlocks(readFileSync(join(ROOT, 'README.md'), 'utf8'))
  assert.ok(blocks.length >= 7, `${blocks.length} console blocks`)
  const dir = mkdtempSync(join(tmpdir(), 'bitacora-readme-'))
  const shell = new Shell(dir, await freePort())
  const code = hashSources(ROOT)
  try {
    for (const { line, marks, commands } of blocks) {
      if (marks.includes('stops')) await shell.stop()
      for (const { text, expected } of commands) {
        const starts = marks.includes('starts')
        const output = starts ? await shell.start(text) : await shell.run(text)
        const { actual, wanted, same } = compare(output, expected, marks.includes('varies'))
        if (same) continue
        // Commands compare the code that recorded with their own: an edit in between is told apart by name.
        const edited = hashSources(ROOT) === code ? '' : 'engine or schemas were edited meanwhile; '
        assert.is(actual, wanted, `${edited}README.md:${line}: $ ${text}`)
      }
      if (marks.includes('until the data has ended')) await shell.dataEnded()
    }
  } finally {
    await shell.close()
    rmSync(dir, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 })
  }
})

test.run()
