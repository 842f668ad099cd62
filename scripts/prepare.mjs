// npm runs this after `npm ci`. It builds, and links the package's own command, which npm does not do for the
// package it stands in: without the link `npx --no-install bitacora` finds nothing.
import { spawnSync } from 'node:child_process'
import { existsSync, lstatSync, mkdirSync, rmSync, symlinkSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const link = join(root, 'node_modules/.bin/bitacora')
mkdirSync(dirname(link), { recursive: true })
if (lstatSync(link, { throwIfNoEntry: false })) rmSync(link)
symlinkSync('../../scripts/bitacora.mjs', link)

// An installation without development packages (a container) brings its own build.
if (
  existsSync(join(root, 'node_modules/typescript')) &&
  existsSync(join(root, 'node_modules/tsx'))
) {
  const args = ['--import', 'tsx', join(root, 'scripts/build.ts')]
  const { status } = spawnSync(process.execPath, args, { cwd: root, stdio: 'inherit' })
  if (status !== 0) console.error('bitacora was not built; it runs from its sources until it is')
}
