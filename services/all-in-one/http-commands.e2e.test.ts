import { createHash } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { readEngineFile } from '../runtime/folder.ts'
import { bitacora, EngineProcess, inEngineFolder, until } from './testing/engine-process.ts'

const SPEED = ['--speed', '1', '--set', 'fast=400', 'slow=500']
const DESK = 'desk-token-for-tests'
const OPS = 'ops-token-for-tests'

interface Told {
  status: number
  body: Record<string, unknown>
  location: string | null
}

const sha256 = (token: string): string => createHash('sha256').update(token).digest('hex')

/** An engine that listens on every address, and asks for tokens. */
async function started(dir: string): Promise<EngineProcess> {
  const path = join(dir, 'tokens.json')
  const tokens = {
    desk: { sha256: sha256(DESK), scopes: ['read', 'signal'] },
    ops: { sha256: sha256(OPS), scopes: ['read', 'control'] },
  }
  writeFileSync(path, JSON.stringify(tokens), { mode: 0o600 })
  const engine = new EngineProcess(dir, SPEED, { API_TOKENS_FILE: path, API_HOST: '0.0.0.0' })
  await engine.ready(60_000)
  return engine
}

async function ask(
  engine: EngineProcess,
  token: string,
  method: string,
  path: string,
  key?: string,
  body?: object,
): Promise<Told> {
  const { url } = await engine.ready()
  const response = await fetch(url + path, {
    method,
    headers: {
      authorization: `Bearer ${token}`,
      ...(key !== undefined && { 'idempotency-key': key }),
      ...(body !== undefined && { 'content-type': 'application/json' }),
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  })
  return {
    status: response.status,
    body: (await response.json()) as Record<string, unknown>,
    location: response.headers.get('location'),
  }
}

async function lastClose(engine: EngineProcess): Promise<number | null> {
  const { body } = await ask(engine, DESK, 'GET', '/status')
  const [last] = body.lastBars as { close: string }[]
  return last === undefined ? null : Number(last.close)
}

/** Follows /stream behind an event until the engine goes, or `stop`. */
class Follower {
  readonly ids: number[] = []
  readonly ended: Promise<void>
  readonly #abort = new AbortController()

  constructor(url: string, after: number | null) {
    this.ended = this.#read(url, after).catch(() => undefined)
  }

  async stop(): Promise<void> {
    this.#abort.abort()
    await this.ended
  }

  async #read(url: string, after: number | null): Promise<void> {
    const response = await fetch(`${url}/stream${after === null ? '?from=0' : ''}`, {
      headers: {
        authorization: `Bearer ${DESK}`,
        ...(after !== null && { 'last-event-id': String(after) }),
      },
      signal: this.#abort.signal,
    })
    assert.is(response.status, 200)
    let text = ''
    for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
      const frames = (text + chunk).split('\n\n')
      // What is cut off was not received.
      text = frames.pop()!
      for (const frame of frames) {
        const id = /^id: (\d+)$/m.exec(frame)?.[1]
        if (id !== undefined && /^data: /m.test(frame)) this.ids.push(Number(id))
      }
    }
  }
}

test('commands over HTTP keep their keys, and the stream goes on, across kill -9 and another start', () =>
  inEngineFolder(async (dir) => {
    const first = await started(dir)
    const { url } = await first.ready()
    assert.is((await fetch(`${url}/portfolio`)).status, 401)
    await until('a bar', async () => (await lastClose(first)) !== null)
    const follower = new Follower(url, null)

    const signal = { symbol: 'AAPL', side: 'buy', qty: '10', reason: 'first' }
    const path = '/signals/manual?wait=25s'
    const judged = await ask(first, DESK, 'POST', path, 'order-1', signal)
    assert.is(judged.status, 200, JSON.stringify(judged.body))
    assert.equal([judged.body.verdict, judged.body.orderIds], ['approved', [1]])
    assert.equal([judged.body.source, judged.body.signalId], ['operator:desk', 'order-1'])
    const wrong = { ...signal, notional: '5' }
    assert.is((await ask(first, DESK, 'POST', path, 'order-9', wrong)).status, 400)
    assert.is((await ask(first, OPS, 'POST', path, 'order-9', signal)).status, 403)
    await until('the stream has it', async () => follower.ids.includes(judged.body.entry as number))
    // Sent and not waited for: it is stored, and the engine dies at once.
    const unheard = { symbol: 'AAPL', side: 'buy', qty: '5' }
    const stored = await ask(first, DESK, 'POST', '/signal', 'order-2', unheard)
    await first.kill()
    await follower.ended
    assert.ok(stored.status === 202 || stored.status === 200)

    const second = await started(dir)
    const again = await ask(second, DESK, 'POST', '/signals/manual', 'order-1', signal)
    assert.equal([again.status, again.body.entry], [200, judged.body.entry])
    assert.equal([again.body.verdict, again.body.orderIds], ['approved', [1]])
    const other = { ...signal, qty: '11' }
    const reused = await ask(second, DESK, 'POST', '/signals/manual', 'order-1', other)
    assert.equal([reused.status, reused.body.type], [422, '/problems/key-reused'])
    const heard = await ask(second, DESK, 'POST', path, 'order-2', unheard)
    assert.equal([heard.status, heard.body.verdict], [200, 'approved'], JSON.stringify(heard.body))
    const listed = await ask(second, DESK, 'GET', '/orders')
    assert.equal(
      (listed.body.items as { id: number; qty: string }[]).map(({ id, qty }) => [id, qty]),
      [
        [1, '10'],
        [2, '5'],
      ],
    )

    // Within the collar of 5 % around the last close, and too far for the bars of the next moment.
    const limitPrice = ((await lastClose(second))! * 0.965).toFixed(2)
    const limit = { ...signal, limitPrice, timeInForce: 'gtc' }
    const resting = await ask(second, DESK, 'POST', '/order?wait=25s', 'order-3', limit)
    const [orderId] = resting.body.orderIds as number[]
    assert.is(orderId, 3, JSON.stringify(resting.body))
    const cancel = `/orders/${orderId}?wait=25s`
    const canceled = await ask(second, OPS, 'DELETE', cancel, 'cancel-3')
    assert.equal([canceled.status, canceled.body.status], [200, 'canceled'])
    const repeated = await ask(second, OPS, 'DELETE', cancel, 'cancel-3')
    assert.equal([repeated.status, repeated.body.status], [200, 'canceled'])
    assert.is((await ask(second, OPS, 'DELETE', cancel)).status, 409)

    const halt = { reason: 'drill' }
    const halted = await ask(second, OPS, 'POST', '/control/halt?wait=25s', 'halt-1', halt)
    assert.equal([halted.status, halted.body.trading], [200, 'HALTED'])
    const why = await ask(second, OPS, 'GET', halted.location!)
    assert.is(why.status, 200)
    const denied = await ask(second, DESK, 'POST', path, 'order-4', signal)
    assert.equal([denied.status, denied.body.verdict], [200, 'denied'])
    const lastly = await ask(second, OPS, 'POST', '/control/halt', 'halt-1', halt)
    assert.equal([lastly.status, lastly.body.entry], [200, halted.body.entry])

    // The commands read over HTTP too, by a token of their own that this start has made.
    const status = await bitacora(['status', '--dir', dir, '--json'])
    assert.is(status.code, 0, status.stderr)
    const { httpToken } = readEngineFile(dir)!
    assert.ok(httpToken)
    assert.not.match(status.stdout, httpToken!)
    const resume = await bitacora(['resume', '--reason', 'over', '--dir', dir])
    assert.is(resume.code, 0, resume.stderr)

    const seen = follower.ids.length
    const { url: newUrl } = await second.ready()
    const resumed = new Follower(newUrl, follower.ids.at(-1)!)
    const { body: now } = await ask(second, DESK, 'GET', '/status')
    await until('the stream has caught up', async () =>
      resumed.ids.includes(now.position as number),
    )
    await resumed.stop()
    const all = [...follower.ids, ...resumed.ids]
    assert.ok(seen > 0 && resumed.ids.length > 0)
    assert.equal(
      all,
      Array.from({ length: all.length }, (_, index) => index),
    )
    assert.is(await second.stop(), 0)
    const verified = await bitacora(['verify', '--dir', dir])
    assert.is(verified.code, 0, verified.stdout + verified.stderr)
  }))

test('another address without tokens is refused at the start, with the remedy', () =>
  inEngineFolder(async (dir) => {
    const engine = new EngineProcess(dir, SPEED, { API_HOST: '0.0.0.0' })
    const { code } = await engine.exited
    assert.is(code, 2)
    assert.match(engine.output.stdout + engine.output.stderr, 'API_TOKENS_FILE')
  }))

test.run()
