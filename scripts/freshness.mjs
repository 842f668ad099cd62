// Plain JavaScript: the command line runs it before anything is known to be built.
import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'

const ROOMS = ['engine', 'schemas', 'projections', 'services']

/** Newest modification time under a folder, ms; a folder's own time tells of files removed. */
function newest(folder, limit) {
  let time = statSync(folder).mtimeMs
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (time > limit) return time
    const path = join(folder, entry.name)
    if (entry.isDirectory()) time = Math.max(time, newest(path, limit))
    else if (/\.(ts|json)$/.test(entry.name)) time = Math.max(time, statSync(path).mtimeMs)
  }
  return time
}

/**
 * Whether dist was built from the sources as they lie there; without sources (a container) a build is fresh.
 * @param {string} root
 * @returns {boolean}
 */
export function isFresh(root) {
  const built = statSync(join(root, 'dist/build.json'), { throwIfNoEntry: false })?.mtimeMs
  if (built === undefined) return false
  return ROOMS.every((room) => {
    const folder = join(root, room)
    return !statSync(folder, { throwIfNoEntry: false }) || newest(folder, built) <= built
  })
}
