// One child process that runs test files under the guard, in a process group of its own.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { resolve } from 'node:path'
import type { Report } from './test-room.ts'

export interface ChildResult extends Report {
  output: string
  seconds: number
}

export interface ChildOptions {
  /** How long one file may take before the guard calls it hung, ms. */
  limitMs: number
  /** How long the whole process may take before its group is killed, ms. */
  killMs: number
  env?: NodeJS.ProcessEnv
}

/** How long processes that a test started may take to go after it, ms. */
const GRACE_MS = 2000
const ROOM = resolve(import.meta.dirname, 'test-room.ts')
const running = new Set<ChildProcess>()

function signalGroup(child: ChildProcess, signal: NodeJS.Signals | 0): boolean {
  if (child.pid === undefined) return false
  try {
    return process.kill(-child.pid, signal)
  } catch {
    return false // nobody is left in the group
  }
}

/** Kills whatever tests still run: for a runner that is itself interrupted. */
export function killAll(): void {
  for (const child of running) signalGroup(child, 'SIGKILL')
}

/** Whether only dead processes, which nobody has collected yet, are left in the group. Without `ps`: no. */
function onlyZombies(child: ChildProcess): boolean {
  const ran = spawnSync('ps', ['-A', '-o', 'pgid=,stat='], { encoding: 'utf8' })
  if (ran.status !== 0) return false
  return !ran.stdout.split('\n').some((line) => {
    const [group, state = ''] = line.trim().split(/\s+/)
    return Number(group) === child.pid && !state.startsWith('Z')
  })
}

async function groupIsGone(child: ChildProcess): Promise<boolean> {
  for (let waited = 0; waited < GRACE_MS; waited += 50) {
    if (!signalGroup(child, 0) || onlyZombies(child)) return true
    await new Promise((done) => setTimeout(done, 50))
  }
  return false
}

/** Runs test files in one guarded process. Resolves in every case; whatever goes wrong counts as failed. */
export async function runTests(
  files: readonly string[],
  options: ChildOptions,
): Promise<ChildResult> {
  const begun = performance.now()
  const args = ['--import', 'tsx', ROOM, '--limit', String(options.limitMs), ...files]
  const child = spawn(process.execPath, args, {
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    env: options.env ?? process.env,
  })
  running.add(child)
  let output = ''
  let report: Report | undefined
  let killed = false
  child.stdout?.setEncoding('utf8').on('data', (text: string) => (output += text))
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (output += text))
  child.on('message', (message) => (report = message as Report))
  const closed = new Promise((done) => child.on('close', done))
  const timer = setTimeout(() => {
    killed = true
    signalGroup(child, 'SIGKILL')
  }, options.killMs)
  const code = await new Promise<number | NodeJS.Signals | null>((done) => {
    child.on('error', (error) => {
      output += `✘ ${error.message}\n`
      done(null)
    })
    child.on('exit', (status, signal) => done(status ?? signal))
  })
  clearTimeout(timer)
  // Killing the stragglers also closes the pipes they inherited.
  const clean = await groupIsGone(child)
  if (!clean) signalGroup(child, 'SIGKILL')
  await Promise.race([closed, new Promise((done) => setTimeout(done, 500))])
  child.stdout?.destroy()
  child.stderr?.destroy()
  running.delete(child)
  const result: Report = report ?? { passed: 0, failed: 1, skipped: [] }
  if (killed) output += `✘ killed: not finished in ${options.killMs} ms: ${files.join(' ')}\n`
  else if (!report) output += `✘ ended with ${code} and without a report: ${files.join(' ')}\n`
  else if (!clean) output += `✘ left processes running: ${files.join(' ')}\n`
  const extra = report && (!clean || killed || (code !== 0 && result.failed === 0)) ? 1 : 0
  const seconds = (performance.now() - begun) / 1000
  return { ...result, failed: result.failed + extra, output, seconds }
}
