// Holds the pure rooms to their line coverage, from what the unit tests left in the folder of V8's raw coverage.
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'

export const RAW_COVERAGE = 'coverage/tmp'
const ROOMS = ['engine', 'projections']
const MIN_LINES = 95

/** Whether nothing of a source is left to run once its types are gone. Its build tells. */
function isOnlyTypes(file: string): boolean {
  const built = `dist/${file.replace(/\.ts$/, '.js')}`
  if (!existsSync(built)) return false
  const code = readFileSync(built, 'utf8').replace(/\/\/.*$|\/\*[\s\S]*?\*\//gm, '')
  return /^\s*(export \{\};)?\s*$/.test(code)
}

function sources(room: string): string[] {
  if (!existsSync(room)) return []
  return (readdirSync(room, { recursive: true }) as string[])
    .map((name) => `${room}/${name.replaceAll('\\', '/')}`)
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'))
    .filter((file) => !file.includes('/testing/') && !isOnlyTypes(file))
    .sort()
}

/** Reports the coverage of each room that has sources. Returns how many rooms keep and break the limit. */
export function checkCoverage(): { passed: number; failed: number } {
  const result = { passed: 0, failed: 0 }
  for (const room of ROOMS) {
    const files = sources(room)
    if (files.length === 0) continue
    const args = ['node_modules/c8/bin/c8.js', 'report', '--temp-directory', RAW_COVERAGE, '--all']
    args.push('--clean=false', '--extension', '.ts', '--src', room, '--exclude-after-remap')
    args.push('--exclude', '**/*.test.ts')
    for (const file of files) args.push('--include', file)
    args.push('--reporter', 'text', '--check-coverage', '--lines', String(MIN_LINES))
    const ran = spawnSync(process.execPath, args, { encoding: 'utf8', maxBuffer: 1 << 28 })
    const total = /^All files.*$/m.exec(ran.stdout)?.[0] ?? 'nothing was covered'
    const lines = total.split('|')[4]?.trim()
    if (ran.status === 0) {
      result.passed++
      console.log(`✔ coverage of ${room}: ${lines} % of lines`)
      continue
    }
    result.failed++
    console.log(`${ran.stdout}${ran.stderr}`.trimEnd())
    console.log(
      `✘ coverage of ${room}: ${lines ?? 'none'}, at least ${MIN_LINES} % of lines are asked for`,
    )
  }
  return result
}
