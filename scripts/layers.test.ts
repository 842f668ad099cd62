import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { layerBreaks, readRooms } from './layers.ts'

function breaksOf(file: string, source: string): string[] {
  return layerBreaks(new Map([[file, source]]))
}

const PLANTED: readonly [string, string][] = [
  ['schemas/a.ts', `import { add } from '../engine/decimal.ts'`],
  ['schemas/a.ts', `import { readFileSync } from 'node:fs'`],
  ['engine/a.ts', `import { validateEvent } from '../schemas/validate.ts'`],
  ['engine/a.ts', `import { x } from '../projections/pnl.ts'`],
  ['engine/b/a.ts', `import type { x } from '../../services/runtime/config.ts'`],
  ['engine/a.ts', `export { x } from '../services/runtime/config.ts'`],
  ['engine/a.ts', `import {\n  x,\n  y,\n} from '../services/runtime/config.ts'`],
  ['engine/a.ts', `import { createHash } from 'node:crypto'`],
  ['engine/a.ts', `import 'pino'`],
  ['engine/a.ts', `const x = await import('../services/runtime/config.ts')`],
  ['engine/a.ts', `new URL('../services/workers/job.ts', import.meta.url)`],
  ['engine/a.test.ts', `import { x } from '../services/runtime/config.ts'`],
  ['engine/a.ts', `import { test } from 'uvu'`],
  ['projections/a.ts', `import { x } from '../services/runtime/config.ts'`],
  ['projections/a.ts', `import pino from 'pino'`],
  ['services/runtime/a.ts', `import { x } from '../adapters/nats/bus.ts'`],
  ['services/runtime/a.ts', `import { x } from '../../projections/pnl.ts'`],
  ['services/adapters/a.ts', `import { x } from '../writer/main.ts'`],
  ['services/writer/a.ts', `import { x } from '../executor/lane.ts'`],
  ['services/writer/a.test.ts', `import { x } from '../executor/lane.ts'`],
  ['services/writer/a.ts', `import { x } from '../cli/main.ts'`],
  ['services/writer/a.ts', `import { x } from '../../scripts/build.ts'`],
  ['services/writer/a.ts', `import { x } from './lane'`],
  ['engine/index.ts', ''],
  ['services/loose.ts', ''],
]

const ALLOWED: readonly [string, string][] = [
  ['engine/a.ts', `import type { OrderFilled } from '../schemas/types.gen.ts'`],
  ['engine/a.ts', `import { Subject } from 'rxjs'\nimport { map } from 'rxjs/operators'`],
  ['engine/a.test.ts', `import fc from 'fast-check'\nimport { test } from 'uvu'\nimport 'node:fs'`],
  ['engine/testing/arbitraries.ts', `import fc from 'fast-check'`],
  ['engine/a.ts', `// import { x } from '../services/runtime/config.ts'`],
  ['projections/a.ts', `import { add } from '../engine/decimal.ts'`],
  ['services/runtime/a.ts', `import pino from 'pino'`],
  ['services/adapters/nats/a.ts', `import { x } from '../../runtime/config.ts'`],
  ['services/writer/a.ts', `import { x } from '../adapters/nats/bus.ts'`],
  ['services/writer/a.int.test.ts', `import { x } from '../executor/lane.ts'`],
  ['services/all-in-one/main.ts', `import { x } from '../writer/main.ts'`],
  ['services/cli/main.ts', `import { x } from '../all-in-one/main.ts'`],
  ['scripts/bench/main.ts', `import { x } from '../../engine/decimal.ts'`],
  ['examples/a.ts', `import { x } from '../engine/decimal.ts'`],
]

for (const [index, [file, source]] of PLANTED.entries()) {
  test(`break ${index + 1} is found: ${file} ${source.replaceAll('\n', ' ')}`, () => {
    assert.is(breaksOf(file, source).length, 1)
  })
}

for (const [file, source] of ALLOWED) {
  test(`allowed: ${file} ${source.replaceAll('\n', ' ')}`, () => {
    assert.equal(breaksOf(file, source), [])
  })
}

test('the rooms are read, without the traps', () => {
  const files = [...readRooms('.').keys()]
  assert.ok(files.includes('engine/decimal.ts') && files.includes('scripts/layers.ts'))
  assert.not.ok(files.some((file) => file.includes('/traps/')))
})

test.run()
