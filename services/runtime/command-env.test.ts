import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { commandEnv } from './command-env.ts'
import { InvalidConfig } from './config.ts'

/** The body runs with a folder of its own as the current one. */
function inCurrent(body: () => void): () => void {
  return () => {
    const before = process.cwd()
    const folder = mkdtempSync(join(tmpdir(), 'bitacora-env-'))
    try {
      process.chdir(folder)
      body()
    } finally {
      process.chdir(before)
      rmSync(folder, { recursive: true, force: true })
    }
  }
}

function refusal(): InvalidConfig {
  try {
    commandEnv({})
  } catch (error) {
    if (error instanceof InvalidConfig) return error
    throw error
  }
  throw new Error('the file was taken')
}

test(
  'without a file the environment is all there is',
  inCurrent(() => {
    const env = { DATA_DIR: 'x' }
    assert.is(commandEnv(env), env)
  }),
)

test(
  'the environment goes over the file, and names that are no settings are left to others',
  inCurrent(() => {
    writeFileSync('.env', 'DATA_DIR=file\nNATS_URL="nats://h:1"\nSIGNALS_X=1\n')
    assert.equal(commandEnv({ DATA_DIR: 'shell' }), {
      DATA_DIR: 'shell',
      NATS_URL: 'nats://h:1',
      SIGNALS_X: '1',
    })
  }),
)

test(
  'a file that cannot be parsed is refused with every line and no value',
  inCurrent(() => {
    writeFileSync(
      '.env',
      "DATA_DIR=engine\nhunter2\nNATS_URL=\"nats://u:hunter3@h\nA='hunter4' hunter5\n",
    )
    const error = refusal()
    assert.is(error.code, 'invalid_config')
    assert.equal(
      error.problems.map(({ where }) => where),
      ['.env line 2', '.env line 3', '.env line 4'],
    )
    assert.match(error.message, '.env line 2 is not NAME=value')
    assert.match(error.message, '.env line 3 NATS_URL has no closing "')
    assert.match(error.message, ".env line 4 A has text after its closing '")
    assert.not.match(JSON.stringify(error.problems) + error.message, 'hunter')
  }),
)

test(
  'a file that cannot be read is refused too',
  inCurrent(() => {
    mkdirSync('.env')
    assert.match(refusal().message, '.env cannot be read (EISDIR)')
  }),
)

test.run()
