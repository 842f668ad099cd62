import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { type DoubleFaults, type DoubleOptions, startDouble } from './esdb-double.ts'

/** A log of a million events takes a while to read. */
const PATIENCE_MS = 180_000

/** The double in a process of its own, which can be killed like a server and started again on its file. */
export interface DoubleProcess {
  readonly child: ChildProcess
  readonly port: number
  readonly url: string
  /** Changes what the double does wrong. */
  fault(faults: Partial<DoubleFaults>): void
  /** Ends it at once; resolves when it is gone. */
  kill(signal?: 'SIGKILL' | 'SIGTERM'): Promise<void>
}

export async function spawnDouble(
  options: Pick<DoubleOptions, 'port' | 'file' | 'users' | 'tls'> = {},
): Promise<DoubleProcess> {
  const self = fileURLToPath(import.meta.url)
  const child = spawn(process.execPath, ['--import', 'tsx', self, JSON.stringify(options)], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  const ended = new Promise<void>((resolve) => void child.once('exit', () => resolve()))
  const port = await new Promise<number>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('the double did not start')), PATIENCE_MS)
    child.once('message', (message) => resolve((message as { port: number }).port))
    void ended.then(() => reject(new Error('the double ended while it started')))
    child.once('message', () => clearTimeout(timer))
    child.once('exit', () => clearTimeout(timer))
  })
  return {
    child,
    port,
    url: `esdb://127.0.0.1:${port}?tls=${options.tls !== undefined}`,
    fault: (faults) => void child.send(faults),
    kill: async (signal = 'SIGKILL') => {
      child.kill(signal)
      await ended
    },
  }
}

// Run as a program: options as JSON in the first argument, faults as messages, until the parent is gone.
if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const double = await startDouble(JSON.parse(process.argv[2] ?? '{}') as DoubleOptions)
  process.on('message', (faults) => void Object.assign(double.faults, faults))
  process.on('disconnect', () => process.exit(0))
  process.send?.({ port: double.port })
}
