import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { demoBarsPath } from '../market-data/demo-data.ts'
import { ROOT } from './testing/kill-engine.ts'
import { failureText, runMatrix } from './testing/kill-matrix.ts'
import {
  cellName,
  cells,
  KILL_POINTS,
  planCase,
  planCases,
  sampleCases,
  TARGETS,
} from './testing/kill-plan.ts'
import { makeSite } from './testing/kill-scene.ts'

/** A crowded machine runs a smaller sample, instead of failing for want of time. */
const SAMPLE_MS = 120_000
const SEED = Number(process.env.KILL_SEED ?? (process.env.CI ? 1 : Date.now() % 1_000_000))

// A copy of the build, so that nobody replaces it meanwhile, and one site: runs to compare with are made once.
const dist = mkdtempSync(join(ROOT, 'dist.kill-'))
const site = makeSite(dist, demoBarsPath())
/** What a failed case left is kept, to be looked at. */
let sampleFailed = false

test.before(() => {
  const built = spawnSync(process.execPath, ['--import', 'tsx', 'scripts/build.ts', '--if-stale'], {
    cwd: ROOT,
    encoding: 'utf8',
  })
  assert.is(built.status, 0, `${built.stdout}${built.stderr}`)
  cpSync(join(ROOT, 'dist'), dist, { recursive: true })
})

test.after(() => {
  for (const folder of sampleFailed ? [dist] : [dist, site.dir]) {
    rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 })
  }
})

test('the plan meets every kill point with every target, mode and store, and is repeated by its seed', () => {
  const names = cells().map(cellName)
  assert.is(new Set(names).size, names.length)
  const remote = KILL_POINTS.filter(({ at }) => /arrived|written/.test(at)).length
  assert.is(names.length, (KILL_POINTS.length - remote) * 12 + remote * 6)
  const planned = new Set(planCases(names.length, SEED).map(cellName))
  assert.is(planned.size, names.length)
  assert.equal(planCase(77, 5), planCase(77, 5))
  assert.not.equal(planCase(77, 5), planCase(77, 6))
  const only = planCases(5, SEED, (name) => name.startsWith('ack.sent/nats/'))
  assert.equal(new Set(only.map(({ at, target }) => `${at} ${target}`)), new Set(['ack.sent nats']))
  assert.throws(() => planCases(1, SEED, () => false), /no case is like that/)
})

test('a sample of the kill matrix: nothing is lost, doubled or decided otherwise', async () => {
  const cases = sampleCases(SEED)
  assert.equal(new Set(cases.map(({ at }) => at)), new Set(KILL_POINTS.map(({ at }) => at)))
  for (const target of TARGETS) {
    assert.ok(cases.filter((one) => one.target === target).length >= 4, target)
  }
  const stop = AbortSignal.timeout(SAMPLE_MS)
  const results = await runMatrix({ site, cases, jobs: 3, stop })
  const bad = results.filter(({ result }) => result.failures.length > 0)
  sampleFailed = bad.length > 0
  assert.is(bad.length, 0, bad.map((one) => failureText(one, SEED)).join('\n'))
  assert.ok(results.length >= 8, `${results.length} cases were begun in time`)
  assert.ok(results.every(({ result }) => result.kills > 0))
})

// What the matrix is for: each of these breaks one promise, and has to be found as what it is. Two need no kill from
// outside: one loses an input by itself, one dies between sending an order and recording it.
const FAULTS: readonly { plant: string; cell: string; strikes?: []; says: RegExp }[] = [
  {
    plant: 'lose-input',
    cell: 'random/engine/free-running/sqlite',
    strikes: [],
    says: /^lost: bar /,
  },
  {
    plant: 'send-early',
    cell: 'append.sent/engine/lock-step/sqlite',
    strikes: [],
    says: /start 1 had ended: the broker was sent .* which is not in the book/,
  },
  {
    plant: 'rename-orders',
    cell: 'broker.answered/engine/lock-step/sqlite',
    says: /duplicate order: /,
  },
]

for (const { plant, cell, strikes, says } of FAULTS) {
  test(`a planted fault is found: ${plant}`, async () => {
    const cases = planCases(3, 1, (name) => name === cell).map((one) => ({
      ...one,
      profile: 0,
      strikes: strikes ?? one.strikes,
    }))
    const stop = new AbortController()
    const results = await runMatrix({
      site: { ...site, plant, finishMs: 15_000 },
      cases,
      jobs: 1,
      stop: stop.signal,
      // Once is enough.
      seen: ({ result }) => {
        if (result.failures.length > 0) stop.abort()
      },
    })
    const found = results.flatMap(({ result }) => result.failures)
    assert.ok(
      found.some((failure) => says.test(failure)),
      `found instead: ${found.join('; ') || 'nothing'}`,
    )
  })
}

test.run()
