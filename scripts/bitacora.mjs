#!/usr/bin/env node
// The command `bitacora`: the build when it is up to date, otherwise the sources, in this same process, so that
// signals and exit codes are the program's own.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { isFresh } from './freshness.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
const built = join(root, 'dist/services/cli/main.js')
const source = join(root, 'services/cli/main.ts')

if (major < 20 || (major === 20 && minor < 19)) {
  console.error(`bitacora needs Node 20.19 or newer; this is ${process.versions.node}`)
  process.exit(1)
}
if (isFresh(root) && existsSync(built)) {
  process.argv[1] = built
  await import(pathToFileURL(built).href)
} else {
  if (!existsSync(source)) {
    console.error('bitacora is not built and its sources are not here; run: npm ci')
    process.exit(1)
  }
  process.argv[1] = source
  const { register } = await import('tsx/esm/api')
  register()
  await import(pathToFileURL(source).href)
}
