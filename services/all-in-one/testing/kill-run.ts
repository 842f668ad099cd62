import { createHash } from 'node:crypto'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { EventStore } from '../../../engine/ports/event-store.ts'
import { openEsdbStore } from '../../adapters/eventstoredb/esdb-store.ts'
import { type EsdbDouble, startDouble } from '../../adapters/eventstoredb/testing/esdb-double.ts'
import { openSqliteStore } from '../../adapters/embedded/sqlite-store.ts'
import { readBuildHash } from '../../runtime/code-hash.ts'
import { BOOK_FILE } from '../../runtime/folder.ts'
import { auditAnyTime, auditAtRest, BookReader, fillLines, readJournal } from './kill-audit.ts'
import {
  ArmedEngine,
  killServer,
  serverPid,
  SignalSender,
  sleep,
  type SwitchOrders,
  WatchedLog,
} from './kill-engine.ts'
import type { KillCase, Mode, Store, Strike } from './kill-plan.ts'

const SMA = ['--set', 'fast=2', 'slow=5', 'mode=reverse']
/** Settings that trade every few bars: with partial fills, without, and under the risk limits. */
const PROFILES: readonly (readonly string[])[] = [
  [...SMA, 'size=200', '--risk', 'off', '--participation', '0.000002'],
  [...SMA, 'size=50', '--risk', 'off'],
  [...SMA, 'size=100'],
]
/** Bars a second where the feed does not wait for the engine. */
const FREE_SPEED = '400'
export const FINISH_MS = 120_000
const LOOK_MS = 50
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

export interface KillSite {
  /** Build that the engines run from. */
  dist: string
  /** Folder that the cases have their folders in. */
  dir: string
  /** How long an engine may take to come to rest, ms. */
  finishMs: number
  /** CSV of the bars. */
  bars: string
  plant?: string
  /** How many bars. */
  barCount: number
  baselines: Map<string, Promise<Baseline>>
}

/** A run that nobody disturbed. */
interface Baseline {
  digest: string
  fills: string
  bars: string[]
  passages: Record<string, number>
  appends: number
  ms: number
}

export const BAR_COUNT = 160

/** Makes the folder that cases run in, with the first bars of a CSV file. */
export function makeSite(
  dist: string,
  csv: string,
  given: { plant?: string; finishMs?: number } = {},
): KillSite {
  const dir = mkdtempSync(join(tmpdir(), 'bitacora-kill-'))
  const bars = join(dir, 'AAPL.csv')
  const lines = readFileSync(csv, 'utf8').split('\n')
  writeFileSync(bars, `${lines.slice(0, BAR_COUNT + 1).join('\n')}\n`)
  return {
    dist,
    dir,
    bars,
    barCount: BAR_COUNT,
    finishMs: FINISH_MS,
    baselines: new Map(),
    ...given,
  }
}

function settings(site: KillSite, profile: number, mode: Mode): string[] {
  const speed = mode === 'lock-step' ? 'max' : FREE_SPEED
  return ['--data', site.bars, '--speed', speed, ...PROFILES[profile]!]
}

/** One folder, the event store where there is one, and what is known of the book in it. */
class Scene {
  readonly dir: string
  readonly log = new WatchedLog()
  readonly reader: BookReader
  readonly env: Record<string, string> = {}
  #double: EsdbDouble | null = null

  constructor(parent: string) {
    this.dir = mkdtempSync(join(parent, 'case-'))
    this.reader = new BookReader(() => this.#open())
  }

  async prepare(store: Store): Promise<void> {
    if (store === 'sqlite') return
    this.#double = await startDouble({ log: this.log })
    this.env.EVENTSTORE_URL = this.#double.url
  }

  async end(): Promise<void> {
    await this.reader.close()
    await this.#double?.stop()
  }

  async #open(): Promise<EventStore | null> {
    if (this.#double !== null) return openEsdbStore(this.#double.url)
    const path = join(this.dir, BOOK_FILE)
    try {
      return existsSync(path) ? openSqliteStore(path, { readonly: true }) : null
    } catch (error) {
      if ((error as { code?: unknown }).code === 'no_book') return null
      throw error
    }
  }
}

/** Resolves when all that was put in is in the book and nothing is under way, or when it is over otherwise. */
async function rest(
  site: KillSite,
  scene: Scene,
  sender: SignalSender,
  over: AbortSignal,
): Promise<void> {
  const until = Date.now() + site.finishMs
  let sent = false
  void sender.done.then(() => {
    sent = true
  })
  for (let quiet = 0; quiet < 2; ) {
    await sleep(LOOK_MS)
    if (over.aborted) return
    const events = await scene.reader.refresh()
    const count = (type: string) => events.filter((event) => event.type === type).length
    const bars = count('market.bar')
    const signals = count('signal.received')
    const answers = count('order.accepted') + count('order.rejected') + count('order.withheld')
    const unanswered = count('order.intended') - answers
    const journal = readJournal(scene.dir)
    const heard = Math.max(0, ...events.map(({ data }) => sequenceOf(data)))
    const unheard = journal.reports.length - heard
    const left = sender.stored.size - signals
    const calm = sent && bars >= site.barCount && left <= 0 && unanswered <= 0 && unheard <= 0
    quiet = calm ? quiet + 1 : 0
    if (Date.now() > until) {
      throw new Error(
        `not at rest after ${site.finishMs / 1000} s: ${bars} of ${site.barCount} bars, ${signals} of ${sender.stored.size} signals${sent ? '' : ' (not all were taken by NATS)'}, ${unanswered} orders unanswered, ${unheard} reports unheard`,
      )
    }
  }
}

function sequenceOf(data: unknown): number {
  return (data as { brokerSequence?: number }).brokerSequence ?? 0
}

/** Whether the engine lives to see everything come to rest; nothing looks at the folder any more afterwards. */
async function outlives(
  engine: ArmedEngine,
  site: KillSite,
  scene: Scene,
  sender: SignalSender,
): Promise<boolean> {
  const over = new AbortController()
  const atRest = rest(site, scene, sender, over.signal)
  const ended = engine.exited.then(() => over.abort())
  await Promise.race([atRest, ended])
  const lives = !over.signal.aborted
  over.abort()
  await atRest
  return lives
}

/** The run that the others are compared with, made once. */
function baseline(site: KillSite, profile: number, mode: Mode, store: Store): Promise<Baseline> {
  const key = `${profile} ${mode} ${store}`
  const known = site.baselines.get(key)
  if (known !== undefined) return known
  const made = runBaseline(site, profile, mode, store)
  site.baselines.set(key, made)
  return made
}

async function runBaseline(
  site: KillSite,
  profile: number,
  mode: Mode,
  store: Store,
): Promise<Baseline> {
  const scene = new Scene(site.dir)
  await scene.prepare(store)
  const counts = join(site.dir, `counts-${profile}-${mode}-${store}.json`)
  const began = Date.now()
  const args = settings(site, profile, mode)
  const engine = new ArmedEngine(site.dist, scene.dir, args, { kills: [], counts }, scene.env)
  try {
    if (!(await outlives(engine, site, scene, new SignalSender(scene.dir, [])))) {
      throw new Error(`the undisturbed run ended by itself: ${engine.output}`)
    }
    const ms = Date.now() - began
    const code = await engine.stop()
    const events = await scene.reader.refresh()
    const bars = events
      .filter(({ type }) => type === 'market.bar')
      .map(({ data }) => (data as { time: string }).time)
    const faults = auditAtRest(events, readJournal(scene.dir), { bars, signals: [] })
    const { digest, problems } = await verified(site, scene)
    if (code !== 0) faults.push(`exit code ${code}`)
    faults.push(...problems)
    if (faults.length > 0) throw new Error(`the undisturbed run is at fault: ${faults.join('; ')}`)
    const passages = JSON.parse(readFileSync(counts, 'utf8')) as Record<string, number>
    return { digest, fills: fillLines(events), bars, passages, appends: scene.log.appends, ms }
  } finally {
    engine.kill()
    await engine.exited
    killServer(scene.dir)
    await scene.end()
    rmSync(scene.dir, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 })
  }
}

/** What `bitacora verify` of the build says of the book. */
async function verified(
  site: KillSite,
  scene: Scene,
): Promise<{ digest: string; problems: string[] }> {
  const module = pathToFileURL(join(site.dist, 'engine/replay/verify.js')).href
  const { Verifier } = (await import(module)) as typeof import('../../../engine/replay/verify.ts')
  const verifier = new Verifier({
    codeHash: readBuildHash(join(site.dist, 'build.json')),
    hash: (text) => createHash('sha256').update(text).digest('hex'),
    runningHash: createHash('sha256'),
  })
  for (const event of scene.reader.stored) verifier.feed(event)
  const { ok, digest, changed, divergence, checked } = verifier.finish()
  const problems: string[] = []
  if (!ok) problems.push(`verify: ${divergence?.message ?? 'not ok'}`)
  if (changed.length > 0) problems.push('verify: recorded by other code')
  if (checked.steps === 0) problems.push('verify: nothing was checked')
  return { digest, problems }
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
      if (lives) {
        const code = await engine.stop()
        if (code !== 0) result.failures.push(`stopped with exit code ${code}: ${engine.output}`)
        break
      }
      const { code, signal } = await engine.exited
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
