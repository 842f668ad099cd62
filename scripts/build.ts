// Compiles engine, schemas, projections and services into dist and notes the hash of their sources in it.
// The new build replaces the old one by renaming, so that a failed build leaves the old one and nobody sees half of one.
import { spawnSync } from 'node:child_process'
import { renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { hashSources } from '../services/runtime/code-hash.ts'
import { isFresh } from './freshness.mjs'

/** Builds the repository at `root`. Returns whether the compiler was content. */
export function build(root: string): boolean {
  const fresh = `dist.${process.pid}`
  const output = join(root, fresh)
  const tsc = join(root, 'node_modules/typescript/bin/tsc')
  const begun = new Date()
  const codeHash = hashSources(root)
  try {
    const args = [tsc, '-p', 'tsconfig.build.json', '--outDir', fresh]
    const { status } = spawnSync(process.execPath, args, { cwd: root, stdio: 'inherit' })
    if (status !== 0) return false
    const info = join(output, 'build.json')
    writeFileSync(info, `${JSON.stringify({ codeHash })}\n`)
    // A source saved while the compiler ran is newer than this, so that the build counts as stale.
    utimesSync(info, begun, begun)
    rmSync(join(root, 'dist'), { recursive: true, force: true })
    renameSync(output, join(root, 'dist'))
    return true
  } finally {
    rmSync(output, { recursive: true, force: true })
  }
}

const root = resolve(import.meta.dirname, '..')
if (process.argv.includes('--if-stale') && isFresh(root)) process.exit(0)
if (!build(root)) process.exitCode = 1
