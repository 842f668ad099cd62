import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { auditAnyTime, auditAtRest, fillLines, readJournal } from './kill-audit.ts'
import { baseline, verified } from './kill-baseline.ts'
import {
  ArmedEngine,
  killServer,
  serverPid,
  SignalSender,
  type SwitchOrders,
} from './kill-engine.ts'
import type { KillCase, Strike } from './kill-plan.ts'
import { type Baseline, type KillSite, outlives, Scene, settings } from './kill-scene.ts'

const MOST_STARTS = 10

export interface CaseResult {
  id: number
  failures: string[]
  /** Processes that were killed. */
  kills: number
  /** Times the engine was started. */
  starts: number
  /** Why the engine ended by itself while its NATS server was dead, if it did. */
  gaveUp: string[]
  ms: number
  /** What is left of a failed case. */
  folder: string | null
}

/** Runs one case to its end and judges it. Whatever goes wrong is in the result; nothing is thrown. */
export async function runCase(site: KillSite, plan: KillCase): Promise<CaseResult> {
  const began = Date.now()
  const scene = new Scene(site.dir)
  const result: CaseResult = {
    id: plan.id,
    failures: [],
    kills: 0,
    starts: 0,
    gaveUp: [],
    ms: 0,
    folder: null,
  }
  const sender = new SignalSender(scene.dir, plan.signals)
  try {
    await scene.prepare(plan.store)
    await play(site, plan, scene, sender, result)
  } catch (error) {
    result.failures.push(error instanceof Error ? error.message : String(error))
  } finally {
    await sender.close()
    killServer(scene.dir)
    if (result.failures.length > 0) await keepBook(scene).catch(() => undefined)
    await scene.end().catch(() => undefined)
  }
  result.kills += killsNoted(scene.dir)
  if (result.failures.length > 0) result.folder = scene.dir
  else rmSync(scene.dir, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 })
  result.ms = Date.now() - began
  return result
}

/** The book as text beside what else is left: the event store's memory goes with this process. */
async function keepBook({ dir, reader }: Scene): Promise<void> {
  const events = await reader.refresh()
  const lines = events.map((event) => `${JSON.stringify(event)}\n`)
  writeFileSync(join(dir, 'book.ndjson'), lines.join(''))
}

async function play(
  site: KillSite,
  plan: KillCase,
  scene: Scene,
  sender: SignalSender,
  result: CaseResult,
): Promise<void> {
  const calm = await baseline(site, plan.profile, plan.mode, plan.store)
  const strikes = [...plan.strikes]
  const args = settings(site, plan.profile, plan.mode)
  for (;;) {
    if (result.starts >= MOST_STARTS) throw new Error(`not done after ${MOST_STARTS} starts`)
    // An engine that outlives the kill meets all of them; one that does not meets the next at its next start.
    const now = plan.target === 'nats' ? strikes.splice(0) : strikes.splice(0, 1)
    const orders: SwitchOrders = { kills: inside(now, plan, calm) }
    if (site.plant !== undefined) orders.plant = site.plant
    result.starts++
    const engine = new ArmedEngine(site.dist, scene.dir, args, orders, scene.env)
    const disarm = outside(now, plan, calm, scene, engine, () => result.kills++)
    try {
      const lives = await outlives(engine, site, scene, sender).catch((error: Error) => {
        // It is stopped and judged all the same: what is missing tells more than that it did not end.
        result.failures.push(error.message)
        return true
      })
      disarm()
      if (lives) engine.child.kill('SIGTERM')
      const { code, signal } = await engine.exited
      // A kill that is due may also strike while it stops.
      if (lives && (signal !== 'SIGKILL' || result.failures.length > 0)) {
        if (code !== 0) result.failures.push(`stopped with exit code ${code}: ${engine.output}`)
        break
      }
      // Read anew, by a reader that did not keep the files open while the engine died.
      await scene.reader.close()
      const faults = auditAnyTime(await scene.reader.refresh(), readJournal(scene.dir))
      await scene.reader.close()
      for (const fault of faults) {
        result.failures.push(`when start ${result.starts} had ended: ${fault}`)
      }
      if (signal === 'SIGKILL') continue
      const last = engine.output.trim().split('\n').slice(-3).join(' | ')
      const said = `exit code ${code}: ${last}`
      if (plan.target !== 'engine' && result.gaveUp.length < 3) result.gaveUp.push(said)
      else throw new Error(`the engine ended by itself, ${said}`)
    } finally {
      engine.kill()
      await engine.exited
    }
  }
  await judge(site, plan, scene, sender, calm, result)
}

async function judge(
  site: KillSite,
  plan: KillCase,
  scene: Scene,
  sender: SignalSender,
  calm: Baseline,
  result: CaseResult,
): Promise<void> {
  await scene.reader.close()
  const events = await scene.reader.refresh()
  const published = { bars: calm.bars, signals: [...sender.stored] }
  result.failures.push(...auditAtRest(events, readJournal(scene.dir), published))
  const { digest, problems } = await verified(site, scene)
  result.failures.push(...problems)
  if (plan.mode !== 'lock-step') return
  if (digest !== calm.digest) {
    result.failures.push(`digest ${digest}, undisturbed ${calm.digest}`)
  }
  if (fillLines(events) !== calm.fills)
    result.failures.push('fills differ from the undisturbed run')
}

/** Kills that the engine itself carries out, at the boundaries it passes. */
function inside(strikes: readonly Strike[], plan: KillCase, calm: Baseline): SwitchOrders['kills'] {
  return strikes.flatMap(({ at, share }) => {
    const passages = calm.passages[at]
    if (passages === undefined) return []
    return [{ at, passage: 1 + Math.floor(share * passages * 0.95), target: plan.target }]
  })
}

/** Kills from outside: by the clock, or by the event store when an append has come to it. */
function outside(
  strikes: readonly Strike[],
  plan: KillCase,
  calm: Baseline,
  scene: Scene,
  engine: ArmedEngine,
  killed: () => void,
): () => void {
  let armed = true
  const timers: NodeJS.Timeout[] = []
  const strike = () => {
    if (!armed) return
    if (plan.target !== 'engine' && !killServer(scene.dir)) return
    killed()
    if (plan.target !== 'nats') engine.kill()
  }
  const whenServed = () => {
    if (!armed) return
    // A server that is not known yet cannot be killed.
    if (plan.target === 'engine' || serverPid(scene.dir) !== null) strike()
    else timers.push(setTimeout(whenServed, 5))
  }
  const remote: { what: string; append: number }[] = []
  const before = scene.log.appends
  for (const { at, share } of strikes) {
    if (at === 'random') timers.push(setTimeout(whenServed, share * calm.ms))
    else if (at === 'append.arrived' || at === 'append.written') {
      const append = before + 1 + Math.floor(share * calm.appends * 0.95)
      remote.push({ what: at.slice('append.'.length), append })
    }
  }
  scene.log.watch = (what, append) => {
    if (remote.some((one) => one.what === what && one.append === append)) strike()
  }
  return () => {
    armed = false
    scene.log.watch = null
    for (const timer of timers) clearTimeout(timer)
  }
}

/** Kills that engines noted down before they carried them out. */
function killsNoted(dir: string): number {
  try {
    return readFileSync(join(dir, 'kills'), 'utf8').trim().split('\n').length
  } catch {
    return 0
  }
}
