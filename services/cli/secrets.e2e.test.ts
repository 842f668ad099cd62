import { createHash, randomBytes } from 'node:crypto'
import { spawn } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import {
  bitacora,
  EngineProcess,
  inEngineFolder,
  until,
} from '../all-in-one/testing/engine-process.ts'
import { Collector } from '../telemetry/testing/collector.ts'

/** Each of its own, so that what is found names where it came from. */
const planted = (name: string): string => `${name}${randomBytes(9).toString('hex')}`

const freePort = (): Promise<number> =>
  new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0))
    })
  })

/** A nats-server that asks for a password, for as long as the body runs. */
async function withNats(
  dir: string,
  user: string,
  password: string,
  body: (url: string) => Promise<void>,
) {
  const port = await freePort()
  mkdirSync(join(dir, 'js'), { recursive: true })
  const conf = join(dir, 'nats.conf')
  writeFileSync(
    conf,
    `listen: "127.0.0.1:${port}"\njetstream { store_dir: ${JSON.stringify(join(dir, 'js'))} }\n` +
      `authorization { user: ${user}, password: ${password} }\n`,
  )
  const child = spawn('nats-server', ['-c', conf], { stdio: 'ignore' })
  try {
    await body(`127.0.0.1:${port}`)
  } finally {
    child.kill('SIGKILL')
  }
}

test('no secret that any setting holds comes out anywhere', () =>
  inEngineFolder(async (home) => {
    const secrets = {
      nats: planted('natspw'),
      alpacaKey: planted('AK'),
      alpacaSecret: planted('alpacasecret'),
      telegram: `123456:${planted('tg')}`,
      discord: planted('discordtoken'),
      gateway: planted('gatewaypw'),
      collector: planted('otlppw'),
      header: planted('otlpheader'),
      eventStore: planted('esdbpw'),
      token: planted('apitoken'),
      signing: randomBytes(32).toString('base64'),
    }
    const keys = join(home, 'keys.json')
    const tokens = join(home, 'tokens.json')
    writeFileSync(keys, JSON.stringify({ ana: `whsec_${secrets.signing}` }), { mode: 0o600 })
    const sha256 = createHash('sha256').update(secrets.token).digest('hex')
    const scopes = ['read', 'signal', 'control']
    writeFileSync(tokens, JSON.stringify({ ana: { sha256, scopes } }), { mode: 0o600 })
    const dir = join(home, 'engine')
    const collector = await Collector.start()
    let said = ''
    const clean = (text: string, where: string): string => {
      for (const [name, secret] of Object.entries(secrets)) {
        for (const form of [secret, encodeURIComponent(secret), sha256]) {
          assert.not.ok(text.includes(form), `${where} shows ${name}: ${around(text, form)}`)
        }
      }
      said += text
      return text
    }
    try {
      await withNats(home, 'ana', secrets.nats, async (address) => {
        const env = {
          LOG_LEVEL: 'trace',
          NATS_URL: `nats://ana:${secrets.nats}@${address}`,
          ALPACA_API_KEY: secrets.alpacaKey,
          ALPACA_API_SECRET: secrets.alpacaSecret,
          TELEGRAM_TOKEN: secrets.telegram,
          DISCORD_WEBHOOK: `https://discord.com/api/webhooks/1/${secrets.discord}`,
          PROMETHEUS_PUSHGATEWAY: `http://ana:${secrets.gateway}@127.0.0.1:9`,
          OTEL_EXPORTER_OTLP_ENDPOINT: collector.url.replace('//', `//ana:${secrets.collector}@`),
          OTEL_EXPORTER_OTLP_HEADERS: `authorization=${secrets.header}`,
          API_TOKENS_FILE: tokens,
          SIGNALS_KEYS_FILE: keys,
          SIGNALS_REQUIRE_SIGNATURE: 'true',
        }
        const command = async (code: number, given: object, ...args: string[]) => {
          const found = await bitacora(args, { env: { ...env, ...given }, cwd: home })
          const where = args.join(' ')
          assert.is(found.code, code, `${where}: ${found.stdout}${found.stderr}`)
          clean(found.stdout, where)
          clean(found.stderr, where)
        }
        const engine = new EngineProcess(dir, ['--speed', '20'], env)
        const { url } = await engine.ready()
        const headers = { authorization: `Bearer ${secrets.token}` }
        const get = async (path: string) =>
          clean(await (await fetch(url + path, { headers })).text(), path)
        await until('a bar', async () => /trading_bars_total [1-9]/.test(await get('/metrics')))
        await command(
          0,
          {},
          'signal',
          'buy',
          'AAPL',
          '--qty',
          '1',
          '--operator',
          'ana',
          '--dir',
          dir,
          '--wait',
          '20s',
        )
        await command(
          3,
          { SIGNALS_KEYS_FILE: '' },
          'signal',
          'buy',
          'AAPL',
          '--qty',
          '1',
          '--operator',
          'ana',
          '--dir',
          dir,
          '--wait',
          '20s',
        )
        for (const path of [
          '/status',
          '/health',
          '/readyz',
          '/portfolio',
          '/signals',
          '/events?limit=500',
          '/openapi.json',
          '/nowhere',
        ]) {
          await get(path)
        }
        const wrong = await fetch(`${url}/status`, {
          headers: { authorization: `Bearer x${secrets.token}` },
        })
        assert.is(wrong.status, 401)
        clean(await wrong.text(), 'a refused token')
        await command(0, {}, 'verify', '--dir', dir, '--json')
        for (const args of [
          ['doctor'],
          ['doctor', '--json'],
          ['status', '--dir', dir],
          ['status', '--dir', dir, '--json'],
        ]) {
          const found = await bitacora(args, { env, cwd: home })
          clean(found.stdout + found.stderr, args.join(' '))
        }
        await until('spans', async () => collector.spans.some(({ name }) => name === 'order'))
        assert.is(await engine.stop(), 0)
        clean(engine.output.stdout, "the engine's stdout")
        clean(engine.output.stderr, "the engine's log")
        clean(collector.text, 'the spans')

        // Errors name what they tried to reach, and not with what.
        const gone = { dir: join(home, 'gone') }
        await command(
          4,
          { NATS_URL: `nats://ana:x${secrets.nats}@${address}` },
          'start',
          '--dir',
          gone.dir,
          '--port',
          '0',
        )
        const eventStore = `esdb://ana:${secrets.eventStore}@127.0.0.1:9?tls=false`
        await command(4, { EVENTSTORE_URL: eventStore }, 'verify', '--dir', gone.dir)
        await command(
          2,
          { TELEGRAM_TOKEN: secrets.telegram, DISCORD_WEBHOOK: `http://x/${secrets.discord}` },
          'start',
          '--dir',
          gone.dir,
        )
        const dead = new EngineProcess(
          join(home, 'dead'),
          ['--speed', 'max', '--symbols', 'AAPL'],
          {
            ...env,
            NATS_URL: '',
            OTEL_EXPORTER_OTLP_ENDPOINT: `http://ana:${secrets.collector}@127.0.0.1:9`,
          },
        )
        try {
          await dead.ready()
          await until('the failure', async () => dead.output.stderr.includes('does not take spans'))
        } finally {
          await dead.stop()
        }
        clean(dead.output.stderr, 'the log of a dead collector')
        clean(dead.output.stdout, 'the start with a dead collector')
      })
    } finally {
      collector.close()
    }
    assert.ok(said.length > 10_000, 'there was something to look at')
  }))

function around(text: string, found: string): string {
  const at = text.indexOf(found)
  return text.slice(Math.max(0, at - 120), at + 40)
}

test.run()
