import { createServer } from 'node:net'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { BodyName, ProblemBody } from '../../schemas/types.gen.ts'
import { BOOK_ID } from '../../projections/testing/book.ts'
import { createHttpApi } from './http-api.ts'
import { bindAddress, CannotListen, NonLoopbackHost, PortInUse } from './listen-errors.ts'
import {
  FakeProjector,
  flaws,
  get,
  NEVER,
  NO_COMMANDS,
  READY,
  rememberedBy,
  withApi,
} from './testing/fake-projector.ts'

/** A book in which everything that can be shown happened. */
function rich(projector: FakeProjector): void {
  const { book } = projector
  book.created().started().bar('AAPL', '100').bar('MSFT', '50')
  book.signal('alice', 's-1', { limitPrice: '99', orderType: 'limit', reason: 'news' })
  book.verdict('operator:alice', 's-1').intended(1, { limitPrice: '99', type: 'limit' })
  book.accepted(1).filled(1, '4', '99', { complete: false }).filled(1, '6', '98.5')
  book.signal('bob', 's-1').denied('operator:bob', 's-1')
  book.refused('invalid_signal', { operator: 'alice', signalId: 'bad' })
  book.intended(2, { symbol: 'MSFT', qty: 'all', stopPrice: '60', type: 'stop' })
  book.ended(2, 'rejected', 'no_funds', 'not enough')
  book.intended(3, { type: 'close', expiresAt: '2013-10-23T00:00:00Z' })
  book.filled(3, '1', '50', { symbol: 'MSFT', side: 'sell', fee: '-0.01' })
  projector.fold()
}

const ROUTES: readonly [string, BodyName][] = [
  ['/portfolio', 'portfolio-body'],
  ['/positions', 'position-list'],
  ['/orders', 'order-list'],
  ['/orders/1', 'order-detail'],
  [`/orders/${BOOK_ID}-2`, 'order-detail'],
  ['/fills', 'fill-list'],
  ['/signals', 'signal-list'],
  ['/signals/alice:s-1', 'signal-detail'],
  ['/signals/operator:bob:s-1', 'signal-detail'],
  ['/signals/bad', 'signal-detail'],
  ['/status', 'status-body'],
  ['/pnl', 'pnl-body'],
  ['/equity', 'equity-list'],
  ['/decisions', 'decision-list'],
  ['/strategies', 'strategy-list'],
  ['/queues', 'queue-list'],
  ['/events', 'event-list'],
]
const HEALTH: readonly [string, BodyName][] = [
  ['/health', 'health-body'],
  ['/readyz', 'ready-body'],
  ['/livez', 'live-body'],
]

test('every body keeps its schema, says its position, and carries it in the ETag', async () => {
  await withApi(async (api, projector) => {
    rich(projector)
    const position = projector.position()
    for (const [path, name] of ROUTES) {
      const { status, headers, body } = await get(api.url + path)
      assert.is(status, 200, path)
      assert.is(flaws(name, body), '', path)
      assert.is(body.position, position)
      assert.is(headers.get('etag'), `"p:${position}-${BOOK_ID}"`)
      assert.is(headers.get('content-type'), 'application/json; charset=utf-8')
    }
    for (const [path, name] of HEALTH) {
      const { status, headers, body } = await get(api.url + path)
      assert.is(status, 200, path)
      assert.is(flaws(name, body), '', path)
      assert.is(headers.get('cache-control'), 'no-store')
    }
  })
})

test('an empty book is answered too', async () => {
  await withApi(async (api) => {
    for (const [path, name] of ROUTES.filter(([one]) => !/\/.*\//.test(one))) {
      const { status, headers, body } = await get(api.url + path)
      assert.is(status, 200, path)
      assert.is(flaws(name, body), '', path)
      assert.is(headers.get('etag'), '"p:-1"')
    }
  })
})

test('bodies are those of the contract', async () => {
  await withApi(async (api, projector) => {
    rich(projector)
    const portfolio = (await get(`${api.url}/portfolio`)).body
    // 10,000 − 4 × 99 − 6 × 98.5 + 50 + 0.01; MSFT is short one share.
    assert.is(portfolio.cash, '9063.01')
    assert.is(portfolio.equity, '9998.01')
    const order = (await get(`${api.url}/orders/1`)).body
    assert.equal([order.id, order.avgPrice, order.status], [1, '98.7', 'filled'])
    const denied = (await get(`${api.url}/signals/bob:s-1`)).body
    assert.equal([denied.signalId, denied.verdict, denied.rule], ['s-1', 'denied', 'max_position'])
  })
})

test('304 to who has the position already, until the book grows', async () => {
  await withApi(async (api, projector) => {
    rich(projector)
    const tag = `"p:${projector.position()}-${BOOK_ID}"`
    for (const asked of [tag, `W/${tag}`, `"x", ${tag}`, '*']) {
      for (const [path] of ROUTES) {
        const { status, headers, text } = await get(api.url + path, {
          headers: { 'if-none-match': asked },
        })
        assert.equal([status, text, headers.get('etag')], [304, '', tag], `${path} ${asked}`)
      }
    }
    const other = await get(`${api.url}/orders/99`, { headers: { 'if-none-match': tag } })
    assert.is(other.status, 404)
    projector.book.bar('AAPL', '101')
    projector.fold()
    const grown = await get(`${api.url}/portfolio`, { headers: { 'if-none-match': tag } })
    assert.is(grown.status, 200)
  })
})

test('HEAD answers as GET does, without the body', async () => {
  await withApi(async (api, projector) => {
    rich(projector)
    const full = await get(`${api.url}/orders`)
    const { status, headers, text } = await get(`${api.url}/orders`, { method: 'HEAD' })
    assert.equal([status, text], [200, ''])
    assert.is(headers.get('etag'), full.headers.get('etag'))
    assert.is(headers.get('content-length'), String(Buffer.byteLength(full.text)))
    assert.is((await get(`${api.url}/nowhere`, { method: 'HEAD' })).status, 404)
  })
})

test('minPosition waits for the position, and gives up with 503 and Retry-After', async () => {
  await withApi(
    async (api, projector) => {
      rich(projector)
      const next = projector.position() + 1
      const waiting = get(`${api.url}/portfolio?minPosition=${next}`)
      setTimeout(() => {
        projector.book.bar('AAPL', '1')
        projector.fold()
      }, 30)
      const { status, body } = await waiting
      assert.equal([status, body.position], [200, next])

      const late = await get(`${api.url}/orders?minPosition=${next + 1}`)
      assertProblem(late, 503, 'not-caught-up')
      assert.match(
        String(late.body.detail),
        `position ${next + 1} was asked for, ${next} is reached`,
      )
      assert.is(late.headers.get('retry-after'), '1')
      projector.failed = new Error('gone')
      const failed = await get(`${api.url}/orders?minPosition=${next + 1}`)
      assert.match(String(failed.body.detail), 'the projector has failed: see /readyz')
    },
    { maxWaitMs: 200 },
  )
})

test('closing ends what waits for a position', async () => {
  const projector = new FakeProjector()
  const past = rememberedBy(projector)
  const options = {
    projector,
    past,
    explainer: NEVER,
    book: projector.stored,
    commands: NO_COMMANDS,
    host: '127.0.0.1',
    port: 0,
    info: () => READY,
    maxWaitMs: 60_000,
  }
  const api = await createHttpApi(options)
  const waiting = get(`${api.url}/portfolio?minPosition=5`)
  await new Promise((resolve) => setTimeout(resolve, 50))
  await api.close()
  assert.is((await waiting).status, 503)
  const refused = await fetch(api.url).then(
    () => false,
    () => true,
  )
  assert.ok(refused)
  // The waiter of the fake would keep the process for a minute.
  projector.book.created()
  for (let i = 0; i < 5; i++) projector.book.bar('AAPL', '1')
  projector.fold()
})

test('readiness follows the checks and the projector; liveness does not', async () => {
  const checks = [{ name: 'nats', ok: false, detail: 'not connected: start it' }]
  await withApi(
    async (api) => {
      for (const [path, name] of HEALTH.slice(0, 2)) {
        const { status, body } = await get(api.url + path)
        assert.equal([status, body.ready], [503, false])
        assert.is(flaws(name, body), '')
        assert.equal((body.checks as object[])[0], checks[0])
      }
      assert.is((await get(`${api.url}/livez`)).status, 200)
    },
    { info: () => ({ ...READY, ready: false, checks }) },
  )
  await withApi(async (api, projector) => {
    projector.failed = new Error('event 7 of the book was altered')
    const { status, body } = await get(`${api.url}/readyz`)
    assert.equal([status, body.ready], [503, false])
    assert.match(JSON.stringify(body.checks), 'event 7 of the book was altered')
    const health = (await get(`${api.url}/health`)).body
    assert.equal([health.live, health.version, health.role], [true, '1.2.3', 'writer'])
  })
})

test('the OpenAPI document describes every route, and every reference in it leads somewhere', async () => {
  await withApi(async (api) => {
    const { status, body } = await get(`${api.url}/openapi.json`)
    assert.is(status, 200)
    assert.is(body.openapi, '3.1.0')
    const paths = Object.keys(body.paths as object).sort()
    const expected = ['/fills', '/health', '/livez', '/orders', '/orders/{id}', '/portfolio']
    expected.push('/positions', '/readyz', '/signals', '/signals/{id}', '/status')
    expected.push(
      '/pnl',
      '/equity',
      '/decisions',
      '/strategies',
      '/queues',
      '/explain/{id}',
      '/events',
      '/stream',
    )
    expected.push('/signals/manual', '/signal', '/order', '/control/{action}')
    assert.equal(paths, expected.sort())
    const { schemas } = body.components as { schemas: Record<string, object> }
    const text = JSON.stringify(body)
    const refs = [...text.matchAll(/"\$ref":"([^"]+)"/g)].map((match) => match[1] ?? '')
    assert.ok(refs.length > 20)
    for (const ref of refs) {
      assert.ok(Object.hasOwn(schemas, ref.replace('#/components/schemas/', '')), ref)
    }
    assert.not.match(text, /"\$id"/)
  })
})

test('a wrong method on a known address is 405 with Allow, an unknown address 404', async () => {
  await withApi(async (api) => {
    const send = { body: '{', headers: { 'content-type': 'application/json' } }
    for (const method of ['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND']) {
      for (const path of ['/portfolio', '/fills?x=1', '/openapi.json', '/livez']) {
        const init = method === 'POST' || method === 'PUT' ? { method, ...send } : { method }
        const answer = await get(api.url + path, init)
        assertProblem(answer, 405, 'method-not-allowed')
        assert.is(answer.headers.get('allow'), 'GET, HEAD')
      }
      assertProblem(await get(`${api.url}/nope`, { method }), 404, 'not-found')
    }
  })
})

test('an id that several signals have is answered with the names that tell them apart', async () => {
  await withApi(async (api, projector) => {
    rich(projector)
    const answer = await get(`${api.url}/signals/s-1`)
    assertProblem(answer, 409, 'ambiguous-id')
    assert.match(String(answer.body.detail), 'operator:alice:s-1, operator:bob:s-1')
  })
})

test('what breaks inside is logged and tells nothing outside', async () => {
  const logged: object[] = []
  const info = (): never => {
    throw new Error('secret place')
  }
  const projector = new FakeProjector()
  const options = {
    projector,
    past: rememberedBy(projector),
    explainer: NEVER,
    book: projector.stored,
    commands: NO_COMMANDS,
    host: 'localhost',
    port: 0,
  }
  let first = true
  const api = await createHttpApi({
    ...options,
    info: () => {
      if (!first) info()
      first = false
      return READY
    },
    log: { error: (fields) => void logged.push(fields) },
  })
  try {
    const answer = await get(`${api.url}/readyz`)
    assertProblem(answer, 500, 'internal')
    assert.not.match(answer.text, 'secret')
    assert.match(String((logged[0] as { err: unknown }).err), 'secret place')
  } finally {
    await api.close()
  }
})

test('a port in use is an error that names it and the remedy', async () => {
  const other = createServer()
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve))
  const { port } = other.address() as { port: number }
  try {
    const error = await failure('127.0.0.1', port)
    assert.instance(error, PortInUse)
    assert.is((error as PortInUse).code, 'port_in_use')
    assert.match((error as Error).message, `port ${port} on 127.0.0.1 is in use`)
    assert.match((error as Error).message, '--port')
  } finally {
    await new Promise((resolve) => other.close(resolve))
  }
})

test('an address that the system refuses is an error that says why', async () => {
  const error = await failure('127.0.0.1', 70_000)
  assert.instance(error, CannotListen)
  assert.match((error as Error).message, /port 70000 of 127\.0\.0\.1 .*65536/)
})

test('without tokens only loopback addresses are bound to', async () => {
  const bare = (host: string): string => bindAddress(host, false)
  for (const host of ['127.0.0.1', '127.255.0.3', '::1']) assert.is(bare(host), host)
  assert.is(bare('localhost'), '127.0.0.1')
  assert.is(bare('[::1]'), '::1')
  const others = ['0.0.0.0', '::', '10.0.0.1', 'example.com', '', '127.0.0.1.evil.com', '127.0.0']
  for (const host of [...others, '127.0.0.256', 'localhost.evil.com']) {
    assert.throws(() => bare(host), isNonLoopback, host)
  }
  for (const host of ['0.0.0.0', '::', '10.0.0.1', 'example.com']) {
    assert.is(bindAddress(host, true), host)
  }
  assert.is(bindAddress('[::]', true), '::')
  const error = await failure('0.0.0.0', 0)
  assert.is((error as NonLoopbackHost).code, 'non_loopback_host')
  assert.match((error as Error).message, /0\.0\.0\.0 without access tokens.*API_TOKENS_FILE/)
})

const isNonLoopback = (error: unknown): boolean => error instanceof NonLoopbackHost

async function failure(host: string, port: number): Promise<unknown> {
  try {
    const projector = new FakeProjector()
    const api = await createHttpApi({
      projector,
      past: rememberedBy(projector),
      explainer: NEVER,
      book: projector.stored,
      commands: NO_COMMANDS,
      host,
      port,
      info: () => READY,
    })
    await api.close()
  } catch (error) {
    return error
  }
  throw new Error(`listens on ${host}:${port}`)
}

function assertProblem(
  answer: { status: number; headers: Headers; body: object },
  status: number,
  kind: string,
): void {
  assert.is(answer.status, status)
  assert.is(answer.headers.get('content-type'), 'application/problem+json; charset=utf-8')
  assert.is(flaws('problem-body', answer.body), '')
  assert.is((answer.body as ProblemBody).type, `/problems/${kind}`)
  assert.is((answer.body as ProblemBody).status, status)
}

test.run()
