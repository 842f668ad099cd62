// Loaded with `node --import` into an engine that is to be killed: sets the hook that services/runtime/boundary.ts
// looks for, counts the passages of each boundary, and kills at those that KILL_SWITCH names. The variable is JSON:
// { dir, counts?, kills: [{ at, passage, target }], plant?, dist? }; without it, nothing happens.
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/**
 * @typedef {{ at: string, passage: number, target: 'engine' | 'nats' | 'both' }} Kill
 * @typedef {{ dir: string, counts?: string, kills: Kill[], plant?: string, dist?: string }} Orders
 */

const NEVER = new Int32Array(new SharedArrayBuffer(4))
const GONE_WITHIN_MS = 2000

const text = process.env.KILL_SWITCH
delete process.env.KILL_SWITCH
if (text !== undefined) {
  const orders = /** @type {Orders} */ (JSON.parse(text))
  arm(orders)
  endWithParent(orders.dir)
  if (orders.plant !== undefined) {
    const { plant } = await import('./planted-faults.mjs')
    await plant(orders.plant, String(orders.dist), orders.dir)
  }
}

/** @param {Orders} orders */
function arm({ dir, counts, kills }) {
  /** @type {Record<string, number>} */
  const passed = {}
  const hook = (/** @type {string} */ name) => {
    const passage = (passed[name] ?? 0) + 1
    passed[name] = passage
    for (const kill of kills) {
      if (kill.at === name && kill.passage === passage) strike(dir, kill)
    }
  }
  Object.assign(globalThis, { [Symbol.for('bitacora.boundary')]: hook })
  if (counts !== undefined) process.on('exit', () => writeFileSync(counts, JSON.stringify(passed)))
}

/**
 * Whoever runs the cases may be killed too: nothing is left running then.
 * @param {string} dir
 */
function endWithParent(dir) {
  const parent = process.ppid
  const look = () => {
    if (process.ppid === parent) return
    killServer(dir)
    process.kill(process.pid, 'SIGKILL')
  }
  setInterval(look, 1000).unref()
}

/**
 * What is killed is gone when this returns, or this does not return.
 * @param {string} dir
 * @param {Kill} kill
 */
function strike(dir, { at, passage, target }) {
  if (target !== 'engine') killServer(dir)
  appendFileSync(join(dir, 'kills'), `${target} ${at} ${passage}\n`)
  if (target === 'nats') return
  process.kill(process.pid, 'SIGKILL')
  // The signal is pending when kill returns; nothing of this thread may run before it is delivered.
  for (;;) Atomics.wait(NEVER, 0, 0, 1000)
}

/** @param {string} dir */
function killServer(dir) {
  let pid = 0
  try {
    pid = JSON.parse(readFileSync(join(dir, 'nats.json'), 'utf8')).pid
    process.kill(pid, 'SIGKILL')
  } catch {
    return // it does not run: killed before, and not up again
  }
  const late = Date.now() + GONE_WITHIN_MS
  while (lives(pid) && Date.now() < late) Atomics.wait(NEVER, 0, 0, 1)
}

/**
 * A child that nobody has waited for yet still has its id, so that kill(pid, 0) finds it: its state tells.
 * @param {number} pid
 */
function lives(pid) {
  try {
    process.kill(pid, 0)
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return stat.charAt(stat.lastIndexOf(')') + 2) !== 'Z'
  } catch {
    return false
  }
}
