import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { EventStore } from '../../../engine/ports/event-store.ts'
import { openSqliteStore } from '../../adapters/embedded/sqlite-store.ts'
import { openEsdbStore } from '../../adapters/eventstoredb/esdb-store.ts'
import { type EsdbDouble, startDouble } from '../../adapters/eventstoredb/testing/esdb-double.ts'
import { BOOK_FILE, readEngineFile } from '../../runtime/folder.ts'
import { BookReader, readJournal } from './kill-audit.ts'
import { type ArmedEngine, type SignalSender, sleep, WatchedLog } from './kill-engine.ts'
import type { Mode, Store } from './kill-plan.ts'

const SMA = ['--set', 'fast=2', 'slow=5', 'mode=reverse']
/** Settings that trade every few bars: with partial fills, without, and under the risk limits. */
const PROFILES: readonly (readonly string[])[] = [
  [...SMA, 'size=200', '--risk', 'off', '--participation', '0.000002'],
  [...SMA, 'size=50', '--risk', 'off'],
  [...SMA, 'size=100'],
]
/** Bars a second where the feed does not wait for the engine. */
const FREE_SPEED = '400'
const FINISH_MS = 120_000
const LOOK_MS = 50

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
export interface Baseline {
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

/** Options of `bitacora start`. */
export function settings(site: KillSite, profile: number, mode: Mode): string[] {
  const speed = mode === 'lock-step' ? 'max' : FREE_SPEED
  return ['--data', site.bars, '--speed', speed, ...PROFILES[profile]!]
}

/** One folder, the event store where there is one, and what is known of the book in it. */
export class Scene {
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

/**
 * Whether the engine lives to see everything come to rest, itself up: what its predecessors have written may be at rest
 * before. Nothing looks at the folder any more afterwards.
 */
export async function outlives(
  engine: ArmedEngine,
  site: KillSite,
  scene: Scene,
  sender: SignalSender,
): Promise<boolean> {
  const over = new AbortController()
  const both = Promise.all([
    up(engine, site, scene, over.signal),
    rest(site, scene, sender, over.signal),
  ])
  const ended = engine.exited.then(() => over.abort())
  let lives = true
  try {
    await Promise.race([both, ended])
    lives = !over.signal.aborted
  } finally {
    over.abort()
    await both.catch(() => undefined)
  }
  return lives
}

async function up(
  engine: ArmedEngine,
  site: KillSite,
  scene: Scene,
  over: AbortSignal,
): Promise<void> {
  const until = Date.now() + site.finishMs
  while (!over.aborted && readEngineFile(scene.dir)?.pid !== engine.child.pid) {
    if (Date.now() > until) throw new Error(`not up after ${site.finishMs / 1000} s`)
    await sleep(10)
  }
}
