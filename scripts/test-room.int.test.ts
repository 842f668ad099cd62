import { readdirSync } from 'node:fs'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { runTests } from './test-process.ts'

const FOLDER = 'scripts/traps'
/** What the guard must say of each trap. */
const SAYS: Readonly<Record<string, RegExp>> = {
  'after-each': /after\.each hook: Error: sky/,
  after: /after hook: Error: the cleanup failed/,
  before: /before hook: Error: db down/,
  exception: /uncaught exception: Error: late/,
  exit: /the process ended before its tests did/,
  hang: /nothing settled in 1500 ms/,
  'hang-with-handle': /nothing settled in 1500 ms/,
  load: /does not load: Error: broken at the top/,
  'load-hang': /does not load: nothing settled/,
  'no-run': /is \.run\(\) missing/,
  'no-test': /holds no test/,
  'non-error': /2 of 2 tests never passed/,
  only: /\.only on "one"/,
  'only-alone': /\.only was left in/,
  orphan: /left processes running/,
  property: /interrupt/i,
  rejection: /unhandled rejection: Error: leak/,
  skip: /skipped without saying what it needs: "flaky today"/,
  'skip-in-suite': /left out by a suite/,
  spin: /killed: not finished in 4000 ms/,
}
const OPTIONS = { limitMs: 1500, killMs: 4000 }
const traps = readdirSync(FOLDER).map((file) => file.replace('.trap.ts', ''))

test('every trap is listed here', () => {
  assert.equal(traps.sort(), [...Object.keys(SAYS), 'good'].sort())
})

for (const [trap, words] of Object.entries(SAYS)) {
  test(`red: ${trap}`, async () => {
    const result = await runTests([`${FOLDER}/${trap}.trap.ts`], OPTIONS)
    assert.ok(result.failed > 0, `${trap} passed in silence: ${result.output}`)
    assert.match(result.output, words)
  })
}

test('a good file is green, although it leaves a handle, and its skip is named', async () => {
  const result = await runTests([`${FOLDER}/good.trap.ts`], OPTIONS)
  assert.is(result.failed, 0, result.output)
  assert.is(result.passed, 2)
  assert.equal(result.skipped, ['needs a machine that is not here'])
})

test('no file, and a file that is not there, are red', async () => {
  assert.is((await runTests([], OPTIONS)).failed, 1)
  assert.is((await runTests(['scripts/traps/absent.ts'], OPTIONS)).failed, 1)
})

test('one bad file does not hide the others', async () => {
  const files = ['load', 'good', 'rejection'].map((trap) => `${FOLDER}/${trap}.trap.ts`)
  const result = await runTests(files, OPTIONS)
  assert.is(result.passed, 3)
  assert.is(result.failed, 2)
})

test.run()
