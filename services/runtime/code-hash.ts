import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const here = import.meta.url

/** Thrown when the build carries no code hash. */
export class BuildInfoError extends Error {
  override name = 'BuildInfoError'
  readonly code = 'build_info_missing'
}

/** Whether a file takes part in the hash: what decides, not what tests it. Forward slashes, relative to the root. */
export function isHashed(file: string): boolean {
  if (file.endsWith('.test.ts') || /(^|\/)testing\//.test(file)) return false
  if (file.startsWith('engine/')) return file.endsWith('.ts')
  if (!file.startsWith('schemas/')) return false
  return file.endsWith('.json') || /^schemas\/[^/]+\.ts$/.test(file)
}

/** sha256 hex over the sorted paths and contents of the sources of engine and schemas under `root`. */
export function hashSources(root: string): string {
  const files = ['engine', 'schemas']
    .flatMap((room) =>
      (readdirSync(join(root, room), { recursive: true }) as string[]).map(
        (file) => `${room}/${file.replaceAll('\\', '/')}`,
      ),
    )
    .filter(isHashed)
    .sort()
  const hash = createHash('sha256')
  for (const file of files) {
    const content = readFileSync(join(root, file))
    // The length keeps the end of one file and the start of the next apart.
    hash.update(`${file}\n${content.length}\n`).update(content)
  }
  return hash.digest('hex')
}

/** Reads the hash that the build left in `file`. Throws BuildInfoError. */
export function readBuildHash(file: string): string {
  let value: unknown
  try {
    value = (JSON.parse(readFileSync(file, 'utf8')) as { codeHash?: unknown }).codeHash
  } catch (cause) {
    throw new BuildInfoError(`${file} cannot be read; run: npm run build`, { cause })
  }
  if (typeof value !== 'string' || !/^[0-9a-f]{64}$/.test(value)) {
    throw new BuildInfoError(`${file} holds no code hash; run: npm run build`)
  }
  return value
}

let known: string | undefined

/** Hash of the code that decides. A build and the sources it was made from have the same one. */
export function codeHash(): string {
  known ??= here.endsWith('.ts')
    ? hashSources(fileURLToPath(new URL('../../', here)))
    : readBuildHash(fileURLToPath(new URL('../../build.json', here)))
  return known
}
