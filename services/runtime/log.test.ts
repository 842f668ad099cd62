import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { createLog, humanLine, type Log, type LogOptions } from './log.ts'

interface Sunk {
  log: Log
  text: () => string
  /** The lines, parsed. */
  lines: () => Record<string, unknown>[]
}

function sunk(options: Partial<LogOptions> & { isTTY?: boolean } = {}): Sunk {
  const written: string[] = []
  const { isTTY = false, ...rest } = options
  const destination = { isTTY, write: (text: string) => written.push(text) }
  const text = () => written.join('')
  return {
    log: createLog({ level: 'info', name: 'engine', destination, color: false, ...rest }),
    text,
    lines: () =>
      text()
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line)),
  }
}

const PLANTED = 'PLANTED0123456789abcdefPLANTED0123456789abcd'

test('one JSON object a line, with level, time, name and message', () => {
  const { log, lines } = sunk()
  log.info({ position: 7 }, 'step %d', 3)
  log.debug('below the level')
  const [line, ...more] = lines()
  assert.equal(more, [])
  assert.is(line?.level, 'info')
  assert.is(line?.name, 'engine')
  assert.is(line?.msg, 'step 3')
  assert.is(line?.position, 7)
  assert.match(String(line?.time), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
})

test('what holds no secret is written as pino made it, big numbers included', () => {
  const { log, text } = sunk()
  log.info({ big: 12345678901234567890n, tiny: 1e-30, signatureRequired: true }, 'as is')
  assert.match(text(), '"big":12345678901234567890')
  assert.match(text(), '"signatureRequired":true')
})

test('a secret under a telling key is struck out, at any depth, in any spelling', () => {
  const { log, text } = sunk()
  const keys = 'apiKey api_key API-KEY apiSecret secret token accessToken password passwd'.split(
    ' ',
  )
  keys.push('authorization', 'Authorization', 'signature', 'webhook-signature', 'discordWebhook')
  keys.push('ALPACA_API_KEY', 'ALPACA_API_SECRET', 'TELEGRAM_TOKEN', 'cookie', 'privateKey')
  for (const key of keys) {
    log.info({ [key]: PLANTED })
    log.info({ a: { b: [{ c: { [key]: PLANTED } }] } })
    log.info({ [key]: { inner: [PLANTED] } })
    log.child({ [key]: PLANTED }).info('from a child')
    log
      .child({ deep: { [key]: PLANTED } })
      .child({ more: 1 })
      .warn('from a grandchild')
    log.info('formatted %j', { [key]: PLANTED })
    log.info('formatted %o', { deep: { [key]: PLANTED } })
    log.info(`in a text: ${key}=${PLANTED}, ${key}: "${PLANTED}"`)
    log.info('formatted %o and %j', { [key]: [PLANTED] }, { [key]: { inner: [1, PLANTED] } })
    log.info({ body: JSON.stringify({ outer: JSON.stringify({ [key]: PLANTED }) }) })
  }
  assert.not.match(text(), 'PLANTED')
  assert.is(text().split('\n').length - 1, keys.length * 10)
})

test('errors, wherever they stand, lose their secrets and keep their stack', () => {
  const { log, text, lines } = sunk({ secrets: [PLANTED] })
  const cause = new Error(`cause: bearer ${PLANTED}`)
  const error = Object.assign(new Error(`refused ${PLANTED}`, { cause }), {
    code: 'broker_refused',
    config: { headers: { authorization: 'tiny' }, url: `https://u:${PLANTED}@host/` },
  })
  log.error(error)
  log.error({ err: error }, 'with err')
  log.error({ error, list: [1] }, 'with another key')
  log.child({ failure: error }).error(new AggregateError([error], 'several'))
  assert.not.match(text(), 'PLANTED')
  assert.not.match(text(), 'tiny')
  const [first, , third] = lines() as { err?: Error; error?: Error & { code: string } }[]
  assert.match(first?.err?.stack ?? '', 'log.test.ts')
  assert.is(third?.error?.code, 'broker_refused')
})

test('secrets of a known form are struck out under harmless keys', () => {
  const { log, text } = sunk()
  const forms = [
    `whsec_${PLANTED}`,
    `v1,${PLANTED}=`,
    `v1a,${PLANTED}== v1,${PLANTED}=`,
    `Bearer ${PLANTED}`,
    `Basic ${PLANTED}==`,
    `nats://user:${PLANTED}@host:4222`,
    `https://discord.com/api/webhooks/1/${PLANTED}`,
    `https://api.telegram.org/bot1:${PLANTED}/sendMessage`,
    `https://host/path?access_token=${PLANTED}&x=1`,
  ]
  for (const form of forms) {
    log.info(form)
    log.info({ note: [form] }, 'seen %s', form)
    log.info({ [form]: 1 })
  }
  assert.not.match(text(), 'PLANTED')
})

test('values of secret settings are struck out however they are written', () => {
  const secret = 'p@"ss\\w/rd'
  const { log, text } = sunk({ secrets: [secret, 'ab', ''] })
  log.info(`plain ${secret} end`)
  log.info({ url: `x?y=${encodeURIComponent(secret)}`, [`key ${secret}`]: 1 })
  log.info({ body: JSON.stringify({ note: secret }) })
  assert.not.match(text(), /ss\\*w/)
  assert.not.match(text(), 'ss%5C')
  const other = sunk({ secrets: ['ab', ''] })
  other.log.info('about tables')
  assert.match(other.text(), 'about tables')
})

test('a quoted secret with quotes in it goes whole, at every depth of JSON in JSON', () => {
  const { log, text } = sunk()
  let body = JSON.stringify({ token: 'a"PLANTED\\"PLANTED' })
  for (let depth = 0; depth < 4; depth++) {
    log.info({ body }, body)
    body = JSON.stringify({ body })
  }
  log.info('token="PLANTED without an end, PLANTED')
  assert.not.match(text(), 'PLANTED')
})

test('long texts from outside take linear time', () => {
  const { log } = sunk()
  const parts = [
    'token ',
    'token-',
    '_token',
    'token="',
    'token=[',
    'a.',
    'a://',
    'v1,',
    'bearer :',
  ]
  const began = process.hrtime.bigint()
  for (const part of parts) log.info(part.repeat(500_000 / part.length))
  for (const part of ['\\', ' ', 'a']) log.info(`token="${part.repeat(500_000)}`)
  // Some 0.3 s; with one quadratic pattern it is minutes.
  assert.ok(process.hrtime.bigint() - began < 10_000_000_000n)
})

test('what only speaks about secrets stays', () => {
  const { log, lines } = sunk()
  const fields = {
    'webhook-id': 'msg_1',
    'webhook-timestamp': '17',
    SIGNALS_REQUIRE_SIGNATURE: 'auto',
    token: null,
    secret: true,
    SIGNALS_KEYS_FILE: '/etc/keys',
    symbol: 'AAPL',
  }
  log.info(fields, 'the signature is missing; token: null')
  const { level: _level, time: _time, name: _name, pid: _pid, msg, ...rest } = lines()[0] ?? {}
  assert.equal(rest, fields)
  assert.is(msg, 'the signature is missing; token: null')
})

test('a message that pretends to be a line cannot break out of its own', () => {
  const { log, lines } = sunk()
  log.info('one\n{"level":"error"}')
  assert.is(lines().length, 1)
})

test('on a terminal: one readable line, a stack below it, control characters harmless', () => {
  const { log, text } = sunk({ isTTY: true })
  log.warn({ symbol: 'AAPL', reason: 'two words', token: PLANTED }, 'gap\u001b[2J\nin data')
  log.error({ err: Object.assign(new Error('lost'), { code: 'x_lost' }) }, 'broker')
  const [first = '', second = '', third = ''] = text().split('\n')
  assert.match(
    first,
    /^\d\d:\d\d:\d\d\.\d{3} WARN {2}engine: gap\\u001b\[2J\\nin data symbol=AAPL reason="two words" token=\[redacted\]$/,
  )
  assert.match(second, /ERROR engine: broker code=x_lost$/)
  assert.is(third, '    Error: lost')
  assert.not.match(text(), 'PLANTED')
})

test('colours when asked for, and a line that is not JSON passes', () => {
  const json = '{"level":"error","time":"2026-01-02T03:04:05.678Z","name":"n","msg":"m"}'
  assert.is(humanLine(json, true), '03:04:05.678 \u001b[31mERROR\u001b[0m n: m\n')
  assert.is(humanLine(json, false), '03:04:05.678 ERROR n: m\n')
  assert.is(humanLine('plain\n', true), 'plain\n')
})

test('lines go to stderr, the last before a crash included, and none to stdout', () => {
  const url = new URL('./log.ts', import.meta.url).href
  const code = `import { createLog } from ${JSON.stringify(url)}
    createLog({ level: 'info', name: 'n' }).fatal('the end')
    process.kill(process.pid, 'SIGKILL')`
  const cwd = fileURLToPath(new URL('../../', import.meta.url))
  const ran = spawnSync(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', code], {
    cwd,
    encoding: 'utf8',
  })
  assert.is(ran.signal, 'SIGKILL')
  assert.is(ran.stdout, '')
  assert.is(JSON.parse(ran.stderr).msg, 'the end')
})

test.run()
