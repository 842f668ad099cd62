import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { cli, inFolder, writeBook } from './cli-fixture.ts'

const COMMANDS: readonly string[][] = [
  ['status'],
  ['verify'],
  ['backtest', '--history'],
  ['signal', 'buy', 'AAPL', '--qty', '1'],
  ['halt', '--reason', 'test'],
]

test(
  'no command passes over a .env that it cannot parse',
  inFolder(async (folder) => {
    // What it would find if it went on without the file.
    await writeBook(join(folder, 'data'), 10)
    writeFileSync(join(folder, '.env'), 'DATA_DIR="hunter2\n\nhunter3\n')
    for (const args of COMMANDS) {
      const { code, stdout, stderr } = await cli([...args, '--json'], { cwd: folder })
      assert.is(code, 2, `${args.join(' ')}: ${stdout}${stderr}`)
      assert.is(JSON.parse(stdout).error.code, 'invalid_config')
      assert.match(stderr, '.env line 1 DATA_DIR has no closing "')
      assert.match(stderr, '.env line 3 is not NAME=value')
      assert.not.match(stdout + stderr, 'hunter')
    }
  }),
)

test(
  'a .env that can be parsed still names the folder',
  inFolder(async (folder) => {
    await writeBook(join(folder, 'engine'), 10)
    writeFileSync(join(folder, '.env'), 'DATA_DIR="engine"\n')
    const { code, stderr } = await cli(['verify'], { cwd: folder })
    assert.is(code, 0, stderr)
  }),
)

test(
  'an empty --dir is a usage error, not the default folder',
  inFolder(async (folder) => {
    for (const args of [['start'], ...COMMANDS]) {
      for (const dir of ['', ' ']) {
        const { code, stdout, stderr } = await cli([...args, '--dir', dir], { cwd: folder })
        assert.is(code, 2, `${args.join(' ')}: ${stdout}${stderr}`)
        assert.match(stderr, 'Name a folder')
      }
    }
    assert.not.ok(existsSync(join(folder, 'data')))
  }),
)

test.run()
