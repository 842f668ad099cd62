import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type * as Module from './boundary.ts'

/** A module of its own for each, since it looks for the hook when it is loaded. */
const load = (copy: string) => import(`./boundary.ts?${copy}`) as Promise<typeof Module>
const globals = globalThis as { [key: symbol]: unknown }
const HOOK = Symbol.for('bitacora.boundary')

test('without a hook a boundary does nothing, also when one is set later', async () => {
  const { boundary, BOUNDARY_HOOK } = await load('free')
  assert.is(BOUNDARY_HOOK, HOOK)
  let called = false
  globals[HOOK] = () => {
    called = true
  }
  assert.is(boundary('append.sent'), undefined)
  assert.not(called)
  delete globals[HOOK]
})

test('a hook that was set before is told each boundary by its name, before the next line runs', async () => {
  const seen: string[] = []
  globals[HOOK] = (name: string) => seen.push(name)
  const { boundary } = await load('hooked')
  delete globals[HOOK]
  boundary('append.sent')
  assert.equal(seen, ['append.sent'])
  boundary('ack.sent')
  assert.equal(seen, ['append.sent', 'ack.sent'])
})

test.run()
