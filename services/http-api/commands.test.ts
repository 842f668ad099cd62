import { createHash } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { BadTokensFile, RateLimit, readTokensFile, type Tokens } from './access.ts'
import { type Answer, flaws, get } from './testing/fake-projector.ts'
import { post, problem, SIGNAL, withOutbox } from './testing/outbox.ts'

test('a signal is published as its caller, and answered with where to look, or with its verdict', async () => {
  await withOutbox(async (api, _projector, outbox) => {
    const stored = await post(`${api.url}/signals/manual`)
    assert.is(stored.status, 202)
    assert.is(flaws('command-stored', stored.body), '')
    assert.equal(outbox.sent, [{ subject: 'signals.manual.api', id: 'k-1', body: SIGNAL }])
    const location = stored.headers.get('location')!
    assert.is(stored.body.location, location)
    for (const path of ['/signals/manual', '/signal', '/order']) {
      const key = { 'idempotency-key': `of ${path}`.replace(/ /g, '_') }
      const judged = await post(`${api.url}${path}?wait=5s`, SIGNAL, key)
      assert.is(judged.status, 200, judged.text)
      assert.is(flaws('signal-detail', judged.body), '')
      assert.equal([judged.body.verdict, judged.body.rule], ['denied', 'max_position'])
    }
    const looked = await get(api.url + location)
    assert.equal([looked.status, looked.body.signalId], [200, 'k-1'])
  })
})

test('the same key does nothing twice, whatever became of the first, and means one request only', async () => {
  await withOutbox(async (api, _projector, outbox) => {
    const first = await post(`${api.url}/signals/manual?wait=5s`)
    // Another order of the fields and a ticker in lower case are the same request.
    const again = await post(`${api.url}/signals/manual`, {
      qty: '10',
      side: 'buy',
      symbol: 'aapl',
    })
    assert.equal([again.status, again.body.entry], [200, first.body.entry])
    assert.is(outbox.sent.length, 1)
    problem(await post(`${api.url}/signals/manual`, { ...SIGNAL, qty: '11' }), 422, 'key-reused')
    assert.is(outbox.sent.length, 1)
  })
})

test('while the first is under way, a repeat waits for the same answer, and another request is refused', async () => {
  await withOutbox(async (api, _projector, outbox) => {
    let open = (): void => undefined
    outbox.gate = new Promise((resolve) => {
      open = resolve
    })
    const first = post(`${api.url}/signals/manual`)
    await new Promise((resolve) => setTimeout(resolve, 100))
    const second = post(`${api.url}/signals/manual`)
    const other = await post(`${api.url}/signals/manual`, { ...SIGNAL, qty: '1' })
    problem(other, 422, 'key-reused')
    open()
    const answers = await Promise.all([first, second])
    assert.equal(
      answers.map(({ status }) => status),
      [202, 202],
    )
    assert.is(outbox.sent.length, 1)
  })
})

test('a verdict that does not come in time leaves the answer that it is stored', async () => {
  await withOutbox(async (api, _projector, outbox) => {
    outbox.take = () => undefined
    const answer = await post(`${api.url}/signals/manual?wait=50ms`)
    assert.equal([answer.status, answer.body.id], [202, 'k-1'])
  })
})

test('what NATS does not store is 503, and says whether anybody knows', async () => {
  await withOutbox(async (api, _projector, outbox) => {
    outbox.failure = Object.assign(new Error('full'), { code: 'publish_refused' })
    const refused = await post(`${api.url}/signals/manual`)
    problem(refused, 503, 'not-stored')
    assert.match(String(refused.body.detail), 'nothing was done')
    assert.is(refused.headers.get('retry-after'), '1')
    outbox.failure = Object.assign(new Error('late'), { code: 'publish_timeout' })
    const unsure = await post(`${api.url}/control/halt`, { reason: 'r' })
    problem(unsure, 503, 'not-stored')
    assert.match(String(unsure.body.detail), 'nobody knows')
    outbox.failure = null
    assert.is((await post(`${api.url}/signals/manual`)).status, 202)
  })
})

test('controls carry their actor and are confirmed once they are in the book', async () => {
  await withOutbox(async (api, projector, outbox) => {
    const taken = await post(`${api.url}/control/halt?wait=5s`, { reason: 'drill' })
    assert.is(taken.status, 200, taken.text)
    assert.is(flaws('control-taken', taken.body), '')
    assert.equal(outbox.sent, [
      { subject: 'control.halt', id: 'api:k-1', body: { actor: 'api', reason: 'drill' } },
    ])
    assert.is(taken.body.entry, projector.position())
    const again = await post(`${api.url}/control/halt`, { reason: 'drill' })
    assert.equal([again.status, again.body.entry, outbox.sent.length], [200, taken.body.entry, 1])
    problem(await post(`${api.url}/control/explode`, { reason: 'r' }), 404, 'not-found')
    problem(
      await post(
        `${api.url}/control/halt`,
        { reason: 'r', orderId: 1 },
        { 'idempotency-key': 'x' },
      ),
      400,
      'invalid-request',
    )
    problem(
      await post(`${api.url}/control/cancel-order`, { reason: 'r' }, { 'idempotency-key': 'y' }),
      400,
      'invalid-request',
    )
  })
})

test('an order is cancelled by a control of its own, if it is there and has not ended', async () => {
  await withOutbox(async (api, projector, outbox) => {
    projector.book.intended(1).accepted(1).intended(2).filled(2, '10', '5')
    await projector.write()
    const remove = (id: string): Promise<Answer> =>
      get(`${api.url}/orders/${id}`, { method: 'DELETE' })
    const asked = await remove('1')
    assert.equal([asked.status, asked.headers.get('location')], [202, '/orders/1'])
    assert.equal(
      outbox.sent.map(({ subject, body }) => [subject, body]),
      [['control.cancel-order', { actor: 'api', reason: 'DELETE /orders/1', orderId: 1 }]],
    )
    outbox.take = async () => {
      projector.book.ended(1, 'canceled', 'cancel_requested', 'on request')
      await projector.write()
    }
    const done = await get(`${api.url}/orders/1?wait=5s`, { method: 'DELETE' })
    assert.equal([done.status, done.body.status], [200, 'canceled'], done.text)
    assert.is(flaws('order-detail', done.body), '')
    problem(await remove('2'), 409, 'order-ended')
    const bare = await get(`${api.url}/orders/1`, {
      method: 'DELETE',
      headers: { 'idempotency-key': 'k' },
    })
    problem(bare, 409, 'order-ended')
    problem(await remove('99'), 404, 'not-found')
    problem(await remove('%00'), 404, 'not-found')
  })
})

test('a request that is not right is refused with every fault and its place, and nothing is sent', async () => {
  await withOutbox(async (api, _projector, outbox) => {
    const url = `${api.url}/signals/manual`
    const keyless = await post(url, SIGNAL, {})
    problem(keyless, 400, 'invalid-request')
    assert.is(keyless.body.errors?.[0]?.pointer, '/headers/idempotency-key')
    for (const key of ['a b', 'x'.repeat(129), 'ä']) {
      const headers = { 'idempotency-key': key }
      problem(await post(url, SIGNAL, headers), 400, 'invalid-request')
    }
    const wrong = await post(url, { symbol: '', side: 'hold', qty: 10, extra: 1 })
    problem(wrong, 400, 'invalid-request')
    const pointers = wrong.body.errors!.map(({ pointer }) => pointer).sort()
    assert.equal([...new Set(pointers)], ['/extra', '/qty', '/side', '/symbol'])
    for (const body of ['', '{', 'null', '[]', '"x"', '1', '{"symbol":"AAPL","symbol":"X"}']) {
      const { status } = await post(url, body)
      assert.is(status, 400, body)
    }
    problem(await post(`${api.url}/order`, { ...SIGNAL, side: 'close' }), 400, 'invalid-request')
    problem(await post(`${url}?wait=2`, SIGNAL), 400, 'invalid-parameters')
    problem(await post(`${url}?wait=31s`, SIGNAL), 400, 'invalid-parameters')
    problem(await post(url, { ...SIGNAL, reason: 'x'.repeat(70_000) }), 413, 'content-too-large')
    const plain = await get(url, {
      method: 'POST',
      body: 'x',
      headers: { 'content-type': 'text/plain', 'idempotency-key': 'k' },
    })
    problem(plain, 415, 'unsupported-media-type')
    assert.is(outbox.sent.length, 0)
  })
})

/** Status of /portfolio with headers that fetch does not let through. */
function fetched(url: string, headers: Record<string, string>): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    request(`${url}/portfolio`, { headers }, (answer) => {
      answer.resume()
      resolve(answer.statusCode)
    })
      .on('error', reject)
      .end()
  })
}

test('pages of other sites and names that were pointed here are turned away', async () => {
  await withOutbox(async (api, _projector, outbox) => {
    const origin = { 'idempotency-key': 'k', origin: 'https://evil.example' }
    problem(await post(`${api.url}/signals/manual`, SIGNAL, origin), 403, 'foreign-origin')
    problem(
      await get(`${api.url}/portfolio`, { headers: { origin: 'null' } }),
      403,
      'foreign-origin',
    )
    // Another port of this machine is another site, and pages ask for pictures without an Origin.
    const neighbour = { headers: { origin: 'http://127.0.0.1:3000' } }
    problem(await get(`${api.url}/portfolio`, neighbour), 403, 'foreign-origin')
    assert.is(await fetched(api.url, { 'sec-fetch-site': 'cross-site' }), 403)
    assert.is(await fetched(api.url, { 'sec-fetch-site': 'same-site' }), 403)
    assert.is(await fetched(api.url, { 'sec-fetch-site': 'same-origin' }), 200)
    const link = { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' }
    assert.is(await fetched(api.url, link), 200)
    const own = await get(`${api.url}/portfolio`, { headers: { origin: api.url } })
    assert.is(own.status, 200)
    assert.is(await fetched(api.url, { host: 'evil.example' }), 403)
    assert.is(await fetched(api.url, { host: 'localhost.evil.example' }), 403)
    assert.is(await fetched(api.url, { host: 'localhost:1234' }), 200)
    assert.is(outbox.sent.length, 0)
  })
})

function tokensOf(given: Record<string, { token: string; scopes: string[] }>): Tokens {
  return new Map(
    Object.entries(given).map(([name, { token, scopes }]) => [
      createHash('sha256').update(token).digest('hex'),
      { name, scopes: scopes as never },
    ]),
  )
}

test('with tokens everybody needs one, with the scope for what is asked, and signs with its name', async () => {
  const tokens = tokensOf({
    desk: { token: 'desk-token-1', scopes: ['read', 'signal'] },
    ops: { token: 'ops-token-22', scopes: ['control'] },
  })
  await withOutbox(
    async (api, _projector, outbox) => {
      const as = (token: string, more: Record<string, string> = {}) => ({
        authorization: `Bearer ${token}`,
        'idempotency-key': 'k',
        ...more,
      })
      for (const headers of [{}, as('wrong-token'), { authorization: 'Basic abcdefgh' }, as('')]) {
        const answer = await get(`${api.url}/portfolio`, {
          headers: headers as Record<string, string>,
        })
        problem(answer, 401, 'unauthorized')
        assert.is(answer.headers.get('www-authenticate'), 'Bearer')
      }
      assert.is((await get(`${api.url}/portfolio`, { headers: as('desk-token-1') })).status, 200)
      problem(await get(`${api.url}/portfolio`, { headers: as('ops-token-22') }), 403, 'forbidden')
      problem(await get(`${api.url}/stream`, { headers: as('ops-token-22') }), 403, 'forbidden')
      problem(
        await post(`${api.url}/control/halt`, { reason: 'r' }, as('desk-token-1')),
        403,
        'forbidden',
      )
      problem(await post(`${api.url}/signals/manual`, SIGNAL, as('ops-token-22')), 403, 'forbidden')
      // Whoever may not send is told so before anything of the body is read.
      problem(await post(`${api.url}/signals/manual`, '{'.repeat(70_000), {}), 401, 'unauthorized')
      assert.is(outbox.sent.length, 0)
      assert.is((await post(`${api.url}/signals/manual`, SIGNAL, as('desk-token-1'))).status, 202)
      assert.is(
        (await post(`${api.url}/control/halt`, { reason: 'r' }, as('ops-token-22'))).status,
        202,
      )
      assert.equal(
        outbox.sent.map(({ subject }) => subject),
        ['signals.manual.desk', 'control.halt'],
      )
      const open = ['/livez', '/readyz', '/health', '/openapi.json', '/asyncapi.json']
      for (const path of open) {
        assert.is((await get(api.url + path)).status, 200)
      }
    },
    { tokens },
  )
})

test('commands have a rate, by caller', async () => {
  const frozen = new RateLimit(() => 0)
  await withOutbox(
    async (api) => {
      const answers = await Promise.all(
        Array.from({ length: 205 }, (_, i) =>
          post(`${api.url}/signals/manual`, SIGNAL, { 'idempotency-key': `k${i}` }),
        ),
      )
      const refused = answers.filter(({ status }) => status === 429)
      assert.is(refused.length, 5)
      problem(refused[0]!, 429, 'too-many-requests')
      assert.is(refused[0]!.headers.get('retry-after'), '1')
      assert.is((await get(`${api.url}/portfolio`)).status, 200)
    },
    { limit: frozen },
  )
  let now = 0
  const limit = new RateLimit(() => now)
  for (let i = 0; i < 200; i++) limit.take('a')
  assert.throws(() => limit.take('a'))
  limit.take('b')
  now = 20
  limit.take('a')
  assert.throws(() => limit.take('a'))
})

test('a tokens file is read whole, or refused with the entry that is wrong and no token shown', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'bitacora-tokens-'))
  try {
    const path = join(folder, 'tokens.json')
    const read = (value: unknown): Tokens => {
      writeFileSync(path, typeof value === 'string' ? value : JSON.stringify(value))
      return readTokensFile(path)
    }
    const sha256 = 'ab'.repeat(32)
    assert.equal(
      [...read({ desk: { sha256, scopes: ['read'] } })],
      [[sha256, { name: 'desk', scopes: ['read'] }]],
    )
    for (const [value, what] of [
      ['{', 'is not JSON'],
      [[], 'is not an object'],
      [{}, 'names nobody'],
      [{ 'a b': { sha256, scopes: ['read'] } }, 'names "a b"'],
      [{ a: null }, 'has no sha256'],
      [{ a: { sha256: 'xyz', scopes: ['read'] } }, 'has no sha256'],
      [{ a: { sha256, scopes: [] } }, 'scopes of read'],
      [{ a: { sha256, scopes: ['root'] } }, 'scopes of read'],
      [
        { a: { sha256, scopes: ['read'] }, b: { sha256, scopes: ['read'] } },
        'the token of another',
      ],
    ] as const) {
      assert.throws(
        () => read(value),
        (error: Error) => error instanceof BadTokensFile && error.message.includes(what),
        what,
      )
    }
    assert.throws(() => readTokensFile(join(folder, 'none')), /correct API_TOKENS_FILE/)
  } finally {
    await rm(folder, { recursive: true })
  }
})

test.run()
