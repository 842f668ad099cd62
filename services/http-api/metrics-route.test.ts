import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { requestTrace } from '../runtime/request-trace.ts'
import { get, NO_COMMANDS, withApi } from './testing/fake-projector.ts'

const TRACE = '0af7651916cd43dd8448eb211c80319c'

test('a scrape is answered in the format that it accepts', () => {
  const asked: string[] = []
  const metrics = async (accept: string) => {
    asked.push(accept)
    return { type: 'text/plain; version=0.0.4; charset=utf-8', text: '# HELP a "b"\na 1\n' }
  }
  return withApi(
    async (api) => {
      const response = await fetch(`${api.url}/metrics`, { headers: { accept: 'text/x' } })
      assert.is(response.status, 200)
      assert.is(response.headers.get('content-type'), 'text/plain; version=0.0.4; charset=utf-8')
      assert.is(response.headers.get('cache-control'), 'no-store')
      assert.is(await response.text(), '# HELP a "b"\na 1\n')
      assert.equal(asked, ['text/x'])
      assert.is((await get(`${api.url}/metrics?x=1`)).status, 400)
      assert.is((await fetch(`${api.url}/metrics`, { method: 'POST' })).status, 405)
      const document = (await get(`${api.url}/openapi.json`)).body as { paths?: object }
      assert.ok('/metrics' in (document.paths ?? {}))
    },
    { metrics },
  )
})

test('a scrape that fails is a problem, not half an answer; without metrics there is no such address', async () => {
  await withApi(
    async (api) => {
      const answer = await get(`${api.url}/metrics`)
      assert.is(answer.status, 500)
      assert.match(String(answer.headers.get('content-type')), 'application/problem+json')
      assert.not.match(answer.text, 'why it failed')
    },
    { metrics: () => Promise.reject(new Error('why it failed')) },
  )
  await withApi(async (api) => assert.is((await get(`${api.url}/metrics`)).status, 404))
})

test('what a request asks for is done in the trace that its header names', () => {
  const seen: (string | undefined)[] = []
  const signal = async () => {
    seen.push(requestTrace.getStore()?.traceId)
    return { stream: 'INBOX', sequence: 1 }
  }
  return withApi(
    async (api) => {
      const send = (key: string, headers: Record<string, string>) =>
        fetch(`${api.url}/signals/manual`, {
          method: 'POST',
          headers: { 'content-type': 'application/json', 'idempotency-key': key, ...headers },
          body: JSON.stringify({ symbol: 'A', side: 'buy', qty: '1' }),
        })
      const answers = await Promise.all([
        send('a', { traceparent: `00-${TRACE}-b7ad6b7169203331-01` }),
        send('b', { traceparent: 'nonsense' }),
        send('c', {}),
      ])
      assert.equal(
        answers.map(({ status }) => status),
        [202, 202, 202],
      )
      assert.equal(
        seen.filter((one) => one !== undefined),
        [TRACE],
      )
      assert.is(seen.length, 3)
    },
    { commands: { ...NO_COMMANDS, signal } },
  )
})

test.run()
