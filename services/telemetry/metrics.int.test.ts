import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { connect } from 'nats'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import {
  bitacora,
  EngineProcess,
  inEngineFolder,
  until,
} from '../all-in-one/testing/engine-process.ts'
import { Collector } from './testing/collector.ts'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const promtool = spawnSync('promtool', ['--version'])
const checked = promtool.error === undefined ? test : test.skip
const needs = promtool.error === undefined ? '' : 'needs promtool: '

const scrape = async (engine: EngineProcess, accept = '*/*') => {
  const { url } = await engine.ready()
  const response = await fetch(`${url}/metrics`, { headers: { accept } })
  assert.is(response.status, 200)
  return { type: response.headers.get('content-type') ?? '', text: await response.text() }
}

/** Value of a series; undefined where there is none. */
const value = (text: string, series: string): number | undefined => {
  const line = text.split('\n').find((one) => one.startsWith(`${series} `))
  return line === undefined ? undefined : Number(line.slice(series.length + 1).split(' ')[0])
}

const run = (...args: string[]) => {
  const { status, stdout, stderr } = spawnSync('promtool', args, { cwd: ROOT, encoding: 'utf8' })
  return { status, text: stdout + stderr }
}

test('a scrape counts what is in the book, also after a restart; hostile names make no labels', () =>
  inEngineFolder(async (dir) => {
    const collector = await Collector.start()
    const env = { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url }
    try {
      let engine = new EngineProcess(dir, ['--speed', 'max'], env)
      const { natsUrl } = await engine.ready()
      await until('the bars are taken', async () => {
        const { text } = await scrape(engine)
        return value(text, 'trading_bars_total') === 1260
      })
      const sent = await bitacora(['signal', 'buy', 'AAPL', '--qty', '100000', '--dir', dir], {
        env,
      })
      assert.is(sent.code, 3)
      const nc = await connect({ servers: natsUrl })
      for (let i = 0; i < 80; i++) {
        await nc
          .jetstream()
          .publish(`signals.manual.Eve${i}`, i % 2 ? 'nonsense' : '{"symbol":"a\\"b"}')
      }
      await nc.jetstream().publish('control.halt', '{"actor":"eve","reason":"secret reason"}')
      await nc.close()
      const { type, text } = await until('the halt', async () => {
        const found = await scrape(engine)
        return value(found.text, 'trading_kill_switch_engaged') === 1 && found
      })
      assert.match(type, 'text/plain')
      const { items } = await engine.get<{ items: { id: number }[] }>('/orders?limit=500')
      assert.is(value(text, 'trading_orders_total{strategy="sma_cross"}'), items.length)
      assert.ok((value(text, 'trading_fills_total{strategy="sma_cross"}') ?? 0) >= 50)
      assert.is(value(text, 'trading_signals_total{strategy="manual"}'), 1)
      assert.is(
        value(text, 'trading_risk_rejections_total{strategy="manual",reason="max_order_notional"}'),
        1,
      )
      assert.is(value(text, 'trading_dead_letters_total{reason="not_json"}'), 40)
      assert.is(value(text, 'trading_state{state="HALTED"}'), 1)
      assert.is(value(text, 'trading_lease_held'), 1)
      assert.ok((value(text, 'trading_lease_epoch') ?? 0) >= 1)
      assert.ok((value(text, 'trading_tick_to_order_seconds_count') ?? 0) >= 50)
      assert.ok((value(text, 'trading_event_append_seconds_count') ?? 0) > 100)
      assert.ok((value(text, 'trading_last_tick_timestamp_seconds') ?? 0) > Date.now() / 1000 - 600)
      assert.ok(value(text, 'trading_queue_depth{queue="INBOX"}') !== undefined)
      assert.ok(value(text, 'trading_projection_lag_events{follower="publisher"}') !== undefined)
      assert.ok(text.includes('nodejs_eventloop_lag_p99_seconds'))
      assert.not.match(text, /Eve[0-9]|"eve"|secret|trace_id|order_id|operator/)
      const series = text.split('\n').filter((line) => line.startsWith('trading_'))
      assert.ok(series.length < 200, `${series.length} series`)

      // Dots on the histogram only for who understands them; the plain names stay as they were.
      const open = await scrape(engine, 'application/openmetrics-text; version=1.0.0')
      assert.match(open.type, 'application/openmetrics-text')
      assert.match(
        open.text,
        /trading_tick_to_order_seconds_bucket\{le="[^"]+"\} \d+ # \{trace_id="[0-9a-f]{32}"\}/,
      )
      assert.ok(open.text.endsWith('# EOF\n'))
      const plain = (await scrape(engine)).text
      assert.is(value(plain, 'trading_bars_total'), 1260)
      assert.match(plain, '# TYPE trading_bars_total counter')

      await engine.kill()
      engine = new EngineProcess(dir, ['--speed', 'max'], env)
      await engine.ready()
      const again = (await scrape(engine)).text
      for (const same of [
        'trading_orders_total{strategy="sma_cross"}',
        'trading_fills_total{strategy="sma_cross"}',
        'trading_dead_letters_total{reason="not_json"}',
        'trading_kill_switch_engaged',
      ]) {
        assert.is(value(again, same), value(text, same), same)
      }
      assert.is(value(again, 'trading_starts_total'), 2)
      assert.is(await engine.stop(), 0)
    } finally {
      collector.close()
    }
  }))

test('every metric of the dashboard and of the rules is in a scrape', () =>
  inEngineFolder(async (dir) => {
    const engine = new EngineProcess(dir, ['--speed', 'max'])
    const { natsUrl } = await engine.ready()
    const nc = await connect({ servers: natsUrl })
    await nc.jetstream().publish('signals.manual.ana', 'nonsense')
    await nc.close()
    const sent = await bitacora(['signal', 'buy', 'AAPL', '--qty', '100000', '--dir', dir])
    assert.is(sent.code, 3)
    const { text } = await until('orders that ended', async () => {
      const found = await scrape(engine)
      return found.text.includes('trading_order_ends_total{') && found
    })
    const dashboard = readFileSync(`${ROOT}deploy/grafana/dashboard.json`, 'utf8')
    const rules = readFileSync(`${ROOT}deploy/prometheus/rules.yml`, 'utf8')
    const named = new Set(
      `${dashboard}\n${rules}`.match(/\b(?:trading|nodejs|process)_[a-z0-9_]+/g),
    )
    assert.ok(named.size >= 30)
    const absent = [...named].filter(
      (name) => !text.split('\n').some((line) => /^[a-z0-9_]+/.exec(line)?.[0] === name),
    )
    assert.equal(absent, [])
    if (promtool.error === undefined) {
      const input = spawnSync('promtool', ['check', 'metrics'], { input: text, encoding: 'utf8' })
      assert.is(input.status, 0, input.stdout + input.stderr)
      assert.is(input.stdout + input.stderr, '')
    }
    assert.is(await engine.stop(), 0)
  }))

checked(
  `${needs}the rules and the configuration are valid, and the rules tell what they should`,
  () => {
    const valid = run('check', 'rules', 'deploy/prometheus/rules.yml')
    assert.is(valid.status, 0, valid.text)
    const told = run('test', 'rules', 'deploy/prometheus/rules.test.yml')
    assert.is(told.status, 0, told.text)
    const config = run('check', 'config', '--syntax-only', 'deploy/prometheus.yml')
    assert.is(config.status, 0, config.text)
  },
)

test.run()
