import { execFile } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** Whether a process runs; one that ended and was never collected by its parent does not count. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
  const [state = '', ...fields] = readProc(pid, 'stat')
    .replace(/^.*\) /s, '')
    .split(' ')
  // The first thread may have ended while others still hold the ports and files.
  const threads = Number(fields[16] ?? 0)
  return !/^[ZX]/.test(state) || threads > 1
}

/** Process ids of the nats-servers whose command line names `dir` or something inside it. */
export async function serversOn(dir: string): Promise<number[]> {
  const found: number[] = []
  for (const [pid, args] of await commandLines()) {
    if (!args[0]?.includes('nats-server')) continue
    if (args.some((arg) => namesFolder(arg, dir)) && isAlive(pid)) found.push(pid)
  }
  return found
}

function namesFolder(arg: string, dir: string): boolean {
  const value = arg.replace(/^-[^=]*=/, '')
  return value === dir || value.startsWith(`${dir}/`)
}

async function commandLines(): Promise<[number, string[]][]> {
  if (process.platform === 'linux') {
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .map((name) => [Number(name), readProc(Number(name), 'cmdline').split('\0')])
  }
  const { stdout } = await run('ps', ['-axo', 'pid=,args='], { maxBuffer: 16 * 1024 * 1024 })
  return stdout.split('\n').map((line) => {
    const [pid = '', ...args] = line.trim().split(/\s+/)
    return [Number(pid), args]
  })
}

function readProc(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8')
  } catch {
    return ''
  }
}
