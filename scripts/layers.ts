// Who may import whom. Prints every break of the law and fails.
import { readdirSync, readFileSync } from 'node:fs'
import { posix as path } from 'node:path'
import { pathToFileURL } from 'node:url'

/** A room may always import itself; beyond that, what starts with one of these. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  schemas: [],
  engine: ['schemas/types.gen.ts'],
  projections: ['schemas/types.gen.ts', 'engine/'],
  'services/runtime': ['schemas/', 'engine/'],
  'services/adapters': ['schemas/', 'engine/', 'services/runtime/'],
  services: ['schemas/', 'engine/', 'projections/', 'services/runtime/', 'services/adapters/'],
  composes: ['schemas/', 'engine/', 'projections/', 'services/'],
  scripts: ['schemas/', 'engine/', 'projections/', 'services/'],
  examples: ['schemas/', 'engine/', 'projections/', 'services/'],
}
const PACKAGES: Readonly<Record<string, RegExp>> = {
  schemas: /^(ajv|ajv-formats)(\/|$)/,
  engine: /^rxjs(\/|$)/,
  projections: /^rxjs(\/|$)/,
}
const TEST_PACKAGES = /^(uvu|fast-check|node:.+)(\/|$)/
const ROOMS = /^(schemas|engine|projections|services|scripts|examples)\/.*\.ts$/
const COMPOSES = /^services\/(all-in-one|cli)\//
const TEST = /\.test\.ts$|\/testing\//
/** Tests that run real processes stand outside the walls: they may compose whatever they need. */
const WIDE_TEST = /\.(int|e2e)\.test\.ts$/
const STATEMENTS = [
  /^[ \t]*(?:import|export)\b[^'";]*?\bfrom\s*['"]([^'"]+)['"]/gm,
  /^[ \t]*import\s*['"]([^'"]+)['"]/gm,
  /\b(?:import|require)\s*\(\s*['"]([^'"]+)['"]/g,
  /\bnew\s+URL\(\s*['"](\.[^'"]+\.ts)['"]\s*,\s*import\.meta\.url/g,
]

interface Place {
  /** Key of the tables above. */
  room: string
  /** What the file may import without asking. */
  own: string
}

function place(file: string): Place {
  const parts = file.split('/')
  const top = parts[0] ?? ''
  if (top !== 'services') return { room: top, own: `${top}/` }
  const own = `${parts.slice(0, 2).join('/')}/`
  if (COMPOSES.test(file)) return { room: 'composes', own }
  const shared = own.slice(0, -1)
  return { room: shared in MAY_IMPORT ? shared : 'services', own }
}

function specifiers(source: string): string[] {
  return STATEMENTS.flatMap((pattern) =>
    [...source.matchAll(pattern)].map((match) => match[1] ?? ''),
  )
}

function checkPackage(file: string, room: string, specifier: string): string | null {
  const allowed = PACKAGES[room]
  if (!allowed || allowed.test(specifier)) return null
  if (TEST.test(file) && TEST_PACKAGES.test(specifier)) return null
  return `${file} takes ${specifier}; ${room} is pure`
}

/** Every break among these files (path → source), in words. */
export function layerBreaks(files: ReadonlyMap<string, string>): string[] {
  const breaks: string[] = []
  for (const [file, source] of files) {
    if (path.basename(file) === 'index.ts') {
      breaks.push(`${file} is a barrel; import the file that defines the thing`)
    }
    if (/^services\/[^/]+$/.test(file)) breaks.push(`${file} lies in no service`)
    const { room, own } = place(file)
    for (const specifier of specifiers(source)) {
      if (!specifier.startsWith('.')) {
        const broken = checkPackage(file, room, specifier)
        if (broken) breaks.push(broken)
        continue
      }
      const target = path.join(path.dirname(file), specifier)
      if (!/\.(ts|mjs|json)$/.test(target)) breaks.push(`${file} → ${specifier}: write the ending`)
      const allowed = WIDE_TEST.test(file) ? MAY_IMPORT.scripts : MAY_IMPORT[room]
      if (target.startsWith(own) || allowed?.some((prefix) => target.startsWith(prefix))) continue
      if (room === 'scripts' && target.startsWith('examples/')) continue
      breaks.push(`${file} → ${target}`)
    }
  }
  return breaks
}

/** Reads the sources under `root` that the law is about. */
export function readRooms(root: string): Map<string, string> {
  const files = new Map<string, string>()
  for (const room of ['schemas', 'engine', 'projections', 'services', 'scripts', 'examples']) {
    let names: string[]
    try {
      names = readdirSync(path.join(root, room), { recursive: true }) as string[]
    } catch {
      continue // a room that is not there breaks nothing; engine and schemas are asked for below
    }
    for (const name of names.sort()) {
      const file = `${room}/${name.replaceAll('\\', '/')}`
      if (!ROOMS.test(file) || file.startsWith('scripts/traps/')) continue
      files.set(file, readFileSync(path.join(root, file), 'utf8'))
    }
  }
  return files
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const files = readRooms('.')
  const breaks = layerBreaks(files)
  for (const room of ['schemas/', 'engine/']) {
    if (![...files.keys()].some((file) => file.startsWith(room))) breaks.push(`${room} is empty`)
  }
  for (const broken of breaks) console.error(`✘ ${broken}`)
  console.log(`${files.size} files, ${breaks.length} broken layers`)
  process.exitCode = breaks.length ? 1 : 0
}
