// Everything that judges the sources without running them. All checks run, also after one failed.
import { spawnSync } from 'node:child_process'
import { pathToFileURL } from 'node:url'

export interface CheckResult {
  passed: number
  failed: number
}

const CHECKS: readonly [name: string, command: string, ...args: string[]][] = [
  ['format', 'node_modules/.bin/biome', 'format', '.'],
  ['lint', 'node_modules/.bin/oxlint', '--type-aware', '--deny-warnings'],
  ['layers', process.execPath, '--import', 'tsx', 'scripts/layers.ts'],
  ['types', process.execPath, 'node_modules/typescript/bin/tsc', '--noEmit', '-p', 'tsconfig.json'],
  ['generated', process.execPath, '--import', 'tsx', 'scripts/gen-types.ts', '--check'],
]

/** Runs every check; shows the output of those that fail. */
export function runChecks(): CheckResult {
  const result: CheckResult = { passed: 0, failed: 0 }
  for (const [name, command, ...args] of CHECKS) {
    const ran = spawnSync(command, args, { encoding: 'utf8', maxBuffer: 1 << 28 })
    if (ran.status === 0) {
      result.passed++
      console.log(`✔ ${name}`)
      continue
    }
    result.failed++
    console.log(`${ran.stdout ?? ''}${ran.stderr ?? ''}${ran.error?.message ?? ''}`.trimEnd())
    console.log(`✘ ${name}`)
  }
  return result
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  process.exitCode = runChecks().failed ? 1 : 0
}
