import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { type Config, type ConfigInput, InvalidConfig, loadConfig } from './config.ts'
import { findSetting, OUR_PREFIXES, SETTINGS, type SettingSpec } from './config-spec.ts'
import { addressSecrets, maskAddress, maskSecret, parseValue } from './config-value.ts'
import { parseDotenv } from './dotenv.ts'
import { renderEnvExample } from './env-example.ts'

let cwd = ''
test.before.each(() => {
  cwd = mkdtempSync(join(tmpdir(), 'bitacora-config-'))
})
test.after.each(() => rmSync(cwd, { recursive: true, force: true }))

type Part = Partial<Pick<ConfigInput, 'env' | 'flags'>> & { file?: string }

function load({ env = {}, flags, file }: Part = {}): Config {
  if (file !== undefined) writeFileSync(join(cwd, '.env'), file)
  return loadConfig({ env, cwd, ...(flags ? { flags } : {}) })
}

function messages(part: Part): string[] {
  try {
    load(part)
  } catch (error) {
    assert.instance(error, InvalidConfig)
    const invalid = error as InvalidConfig
    assert.is(invalid.code, 'invalid_config')
    for (const { message } of invalid.problems) assert.ok(invalid.message.includes(message))
    return invalid.problems.map(({ message }) => message)
  }
  throw new Error('the configuration was accepted')
}

test('without anything, defaults hold, and are their own values', () => {
  const { values, sources, warnings, secrets } = load()
  assert.is(values.DATA_DIR, join(cwd, 'data'))
  assert.is(values.API_PORT, 8080)
  assert.is(values.NATS_URL, null)
  assert.equal(values.SYMBOLS, [])
  assert.is(values.STRATEGY, 'sma_cross')
  assert.is(values.SIGNALS_REQUIRE_SIGNATURE, null)
  assert.is(values.USE_MCP, false)
  assert.is(values.JITTER_FACTOR, 0.1)
  assert.equal(new Set(Object.values(sources)), new Set(['default']))
  assert.equal([warnings, secrets], [[], []])
})

test('options go over the environment, over .env, over defaults', () => {
  const file = 'API_PORT=1\nAPI_HOST=::1\nLOG_LEVEL=warn\n'
  const { values, sources } = load({
    file,
    env: { API_PORT: '2', API_HOST: 'localhost' },
    flags: { API_PORT: 3, DATA_DIR: undefined },
  })
  assert.is(values.API_PORT, 3)
  assert.is(values.API_HOST, 'localhost')
  assert.is(values.LOG_LEVEL, 'warn')
  assert.is(sources.API_PORT, 'flag')
  assert.is(sources.API_HOST, 'environment')
  assert.is(sources.LOG_LEVEL, '.env')
  assert.is(sources.DATA_DIR, 'default')
})

test('an empty value means the default, over what lies below', () => {
  const { values, sources } = load({ file: 'NATS_URL=nats://a:1', env: { NATS_URL: ' ' } })
  assert.is(values.NATS_URL, null)
  assert.is(sources.NATS_URL, 'default')
})

test('every problem is told at once, with its place, its value and what is allowed', () => {
  const file = 'API_PORT=http\nnonsense\nLOG_LEVEL="loud"\nSTRATEGI=x\nAPI_PORT=1'
  assert.equal(
    messages({
      file,
      env: { JITTER_FACTOR: '1.5', SIGNALS_KEY_FILE: 'k' },
      flags: { SYMBOLS: 'aapl' },
    }),
    [
      '.env line 2 is not NAME=value',
      'STRATEGI (.env line 4) is no setting; did you mean STRATEGY?',
      '.env line 5 sets API_PORT again, which line 1 has set: keep one',
      'SIGNALS_KEY_FILE (environment) is no setting; did you mean SIGNALS_KEYS_FILE?',
      'API_PORT (.env line 1) is "http"; allowed: an integer from 0 to 65535',
      'SYMBOLS (--symbols) is "aapl": "aapl" is no symbol; allowed: upper-case symbols separated by commas, such as AAPL,MSFT',
      'JITTER_FACTOR (environment) is "1.5"; allowed: a number from 0 to 1',
      'LOG_LEVEL (.env line 3) is "loud"; allowed: one of trace, debug, info, warn, error, fatal, silent',
    ],
  )
})

test('names that come later say so', () => {
  assert.equal(messages({ env: { STRATEGY: 'ensemble', TRADING_MODE: 'live' } }), [
    'STRATEGY (environment) is "ensemble": it comes later, not in this version; allowed: one of sma_cross, mean_reversion',
    'TRADING_MODE (environment) is "live": it comes later, not in this version; allowed: paper',
  ])
})

test('secrets are masked in problems, and values of unknown names are not shown at all', () => {
  const text = messages({
    file: 'ALPACA_API_SECRT=hunter2hunter2',
    env: {
      ALPACA_API_KEY: 'hunter2 hunter2xy',
      DISCORD_WEBHOOK: 'http://discord.com/hunter2',
      NATS_URL: 'http://user:hunter2@host',
      PROMETHEUS_PUSHGATEWAY: 'user:hunter2@host',
    },
  }).join('\n')
  assert.not.match(text, 'hunter2')
  assert.match(text, 'set (****xy)')
  assert.match(text, '"http://****@host"')
  assert.match(text, 'did you mean ALPACA_API_SECRET?')
})

test('our prefixes are checked in the environment; likenesses elsewhere only warn', () => {
  for (const prefix of OUR_PREFIXES) assert.is(messages({ env: { [`${prefix}X1`]: '' } }).length, 1)
  const { warnings } = load({
    env: { API_PROT: '1', MCP_TIMEOUT: '1', NATS_CONTEXT: 'x', PATH: '/' },
  })
  assert.equal(warnings, ['API_PROT (environment) is no setting; did you mean API_PORT?'])
})

test('a .env that cannot be read is a problem, an absent one is not', () => {
  mkdirSync(join(cwd, '.env'))
  assert.match(messages({})[0] ?? '', /^\.env cannot be read \(EISDIR/)
})

test('paths are absolute; files must be there', () => {
  writeFileSync(join(cwd, 'keys'), '')
  mkdirSync(join(cwd, 'folder'))
  const env = { SIGNALS_KEYS_FILE: 'keys', DATA_DIR: '../d', NATS_SERVER_BIN: './bin/nats-server' }
  const { values } = load({ env })
  assert.is(values.SIGNALS_KEYS_FILE, join(cwd, 'keys'))
  assert.is(values.DATA_DIR, join(cwd, '../d'))
  assert.is(values.NATS_SERVER_BIN, join(cwd, 'bin/nats-server'))
  assert.is(load({ env: { NATS_SERVER_BIN: 'nats' } }).values.NATS_SERVER_BIN, 'nats')
  assert.match(
    messages({ env: { SIGNALS_KEYS_FILE: 'gone' } })[0] ?? '',
    `${cwd}/gone does not exist`,
  )
  assert.match(messages({ env: { SIGNALS_KEYS_FILE: 'keys/x' } })[0] ?? '', 'does not exist')
  assert.match(messages({ env: { SIGNALS_KEYS_FILE: 'folder' } })[0] ?? '', 'is a folder')
  assert.match(messages({ env: { DATA_DIR: 'keys' } })[0] ?? '', 'is a file')
  assert.match(messages({ env: { DATA_DIR: '~/data' } })[0] ?? '', '~ is not expanded')
  assert.match(messages({ env: { DATA_DIR: 'a\u0007b' } })[0] ?? '', '"a\\u0007b"')
})

const VALUES: readonly [name: string, good: readonly string[], bad: readonly string[]][] = [
  ['USE_MCP', ['true', 'FALSE', '1', '0'], ['yes', '2', 'on']],
  ['API_PORT', ['0', '65535'], ['65536', '-1', '1.0', '0x1', '1e3', 'NaN']],
  ['JITTER_FACTOR', ['0', '1', '0.25', '.5'], ['1.01', '-0.1', '1e-1', '.', 'Infinity']],
  ['SYMBOLS', ['AAPL', 'AAPL, BRK.B,BTC/USD'], ['a', 'AAPL;MSFT', ',', 'A B']],
  ['TIMEFRAME', ['1m', '1d'], ['1M', '2h', '1D']],
  ['LOG_LEVEL', ['INFO', 'silent'], ['warning']],
  [
    'API_HOST',
    ['127.0.0.1', '::1', '[::1]', 'my-host.local'],
    ['http://x', 'a:1', '[a]', 'a b', '999.1.1.1'],
  ],
  [
    'NATS_URL',
    ['a:1', 'nats://a,tls://u:p@b:2', 'nats://[::1]:4222'],
    ['http://a', 'nats://', 'nats://a:x', 'a b', 'a,,b'],
  ],
  [
    'EVENTSTORE_URL',
    ['esdb://a:2113?tls=false', 'esdb+discover://u:p@a:1,b:2'],
    ['http://a', 'esdb:', 'esdb://'],
  ],
  ['DISCORD_WEBHOOK', ['https://discord.com/x'], ['http://discord.com', 'discord.com/x']],
  ['TELEGRAM_CHAT_ID', ['-100123', '@channel'], ['a b', 'a\u0000']],
]

test('values are read by their kind', () => {
  for (const [name, good, bad] of VALUES) {
    const spec = findSetting(name) as SettingSpec
    for (const text of good) assert.ok(parseValue(spec, text, cwd).ok, `${name}=${text}`)
    for (const text of bad) assert.not(parseValue(spec, text, cwd).ok, `${name}=${text}`)
  }
  assert.equal(load({ env: { SYMBOLS: 'MSFT, AAPL,MSFT,' } }).values.SYMBOLS, ['MSFT', 'AAPL'])
  assert.is(load({ env: { LOG_LEVEL: 'WARN' } }).values.LOG_LEVEL, 'warn')
})

test('values that do not go together', () => {
  assert.equal(messages({ env: { BASE_BACKOFF_TIME_MS: '500', MAX_BACKOFF_TIME_MS: '100' } }), [
    'MAX_BACKOFF_TIME_MS (environment) is "100"; allowed: at least BASE_BACKOFF_TIME_MS, which is 500',
  ])
  assert.match(
    messages({ env: { BASE_BACKOFF_TIME_MS: '40000' } })[0] ?? '',
    '(default) is "30000"',
  )
  const { warnings } = load({ env: { ALPACA_API_KEY: 'k', SIGNALS_REQUIRE_SIGNATURE: 'true' } })
  assert.is(warnings.length, 2)
  assert.match(warnings[0] ?? '', 'ALPACA_API_KEY is set alone')
  assert.match(warnings[1] ?? '', 'every manual signal will be refused')
})

test('the secrets among the values are named, those inside addresses too', () => {
  const { secrets } = load({
    env: { ALPACA_API_KEY: 'KEY1', ALPACA_API_SECRET: 'SEC2', NATS_URL: 'nats://u:p%40ss@h,tok@g' },
  })
  assert.equal([...secrets].sort(), ['KEY1', 'SEC2', 'p%40ss', 'p@ss', 'tok'].sort())
  assert.equal(addressSecrets('nats://u:%zz@h'), ['%zz'])
  assert.equal(addressSecrets('nats://h:1'), [])
})

test('masks show nothing of short secrets and two letters of long ones', () => {
  assert.is(maskSecret('abcdefg'), 'set (****)')
  assert.is(maskSecret('abcdefgh'), 'set (****gh)')
  assert.is(maskAddress('nats://u:p@h:1,tok@g'), 'nats://****@h:1,****@g')
  assert.is(
    maskAddress('esdb://h?tls=false&defaultPassword=x&a=b'),
    'esdb://h?tls=false&defaultPassword=****&a=b',
  )
})

const ROOT = fileURLToPath(new URL('../../', import.meta.url))

test('.env.example is what the table says, one line for each setting', () => {
  const text = readFileSync(join(ROOT, '.env.example'), 'utf8')
  assert.is(text, renderEnvExample())
  const { entries, problems } = parseDotenv(text)
  assert.equal(problems, [])
  assert.equal(entries.map(({ name }) => name).sort(), SETTINGS.map(({ name }) => name).sort())
  for (const { name } of SETTINGS.filter(({ since }) => since === null)) {
    assert.match(text, new RegExp(`^${name}=.*\\(reserved: .*\\)$`, 'm'))
  }
})

test('.env.example copied to .env changes nothing', () => {
  const copied = load({ file: readFileSync(join(ROOT, '.env.example'), 'utf8') })
  assert.equal(copied.values, loadConfig({ env: {}, cwd }).values)
})

test('the table is well formed', () => {
  const names = SETTINGS.map(({ name }) => name)
  assert.is(new Set(names).size, names.length)
  for (const spec of SETTINGS as readonly SettingSpec[]) {
    assert.match(spec.name, /^[A-Z][A-Z_]*$/)
    assert.not.match(spec.help, /[\n#]/)
    if (spec.kind === 'enum') assert.ok(spec.allowed?.length, spec.name)
    if (spec.kind === 'url') assert.ok(spec.protocols?.length, spec.name)
    if (spec.default === '') continue
    assert.ok(parseValue(spec, spec.default, cwd).ok, spec.name)
    assert.not(spec.secret, spec.name)
  }
})

test.run()
