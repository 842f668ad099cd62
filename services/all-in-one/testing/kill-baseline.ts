import { createHash } from 'node:crypto'
import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Verifier as AnyVerifier } from '../../../engine/replay/verify.ts'
import { readBuildHash } from '../../runtime/code-hash.ts'
import { auditAtRest, fillLines, readJournal } from './kill-audit.ts'
import { ArmedEngine, killServer, SignalSender } from './kill-engine.ts'
import type { Mode, Store } from './kill-plan.ts'
import { type Baseline, type KillSite, outlives, Scene, settings } from './kill-scene.ts'

/** The run that the others are compared with, made once. */
export function baseline(
  site: KillSite,
  profile: number,
  mode: Mode,
  store: Store,
): Promise<Baseline> {
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
export async function verified(
  site: KillSite,
  scene: Scene,
): Promise<{ digest: string; problems: string[] }> {
  const module = pathToFileURL(join(site.dist, 'engine/replay/verify.js')).href
  const { Verifier } = (await import(module)) as { Verifier: typeof AnyVerifier }
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
