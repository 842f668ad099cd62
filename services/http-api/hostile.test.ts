import { connect } from 'node:net'
import fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { flaws, get, withApi } from './testing/fake-projector.ts'

const LISTS = ['/orders', '/fills', '/signals', '/positions']

test('a bad parameter is 400 with a pointer to it', async () => {
  await withApi(async (api) => {
    const bad: [string, string][] = [
      ['limit=0', 'limit'],
      ['limit=501', 'limit'],
      ['limit=-1', 'limit'],
      ['limit=1.5', 'limit'],
      ['limit=1e2', 'limit'],
      ['limit=0x10', 'limit'],
      ['limit=', 'limit'],
      ['limit=%2010', 'limit'],
      ['limit=99999999999999999999', 'limit'],
      ['limit=1&limit=2', 'limit'],
      ['cursor=', 'cursor'],
      ['cursor=abcdefghij', 'cursor'],
      [`cursor=${'A'.repeat(5000)}`, 'cursor'],
      [`cursor=${Buffer.from('1 orders asc x').toString('base64url')}`, 'cursor'],
      ['cursor=%00%00%00%00%00%00%00%00', 'cursor'],
      ['symbol=aapl', 'symbol'],
      ['symbol=', 'symbol'],
      ['symbol=%00', 'symbol'],
      [`symbol=${'A'.repeat(9000)}`, 'symbol'],
      ['order=up', 'order'],
      ['minPosition=-1', 'minPosition'],
      ['minPosition=x', 'minPosition'],
      ['minPosition=9007199254740993', 'minPosition'],
      ['asof=1', 'asof'],
      ['asOf=', 'asOf'],
      ['asOf=-1', 'asOf'],
      ['asOf=now', 'asOf'],
      ['asOf=2013-05-13', 'asOf'],
      ['asOf=2013-13-45T00:00:00Z', 'asOf'],
      ['asOf=9007199254740993', 'asOf'],
      ['asOf=5', 'asOf'],
      ['asOf=2999-01-01T00:00:00Z', 'asOf'],
      ['__proto__=1', '__proto__'],
      ['toString=1', 'toString'],
      ['a%2Fb~c=1', 'a~1b~0c'],
    ]
    for (const path of LISTS) {
      for (const [query, name] of bad) {
        const { status, body, headers } = await get(`${api.url}${path}?${query}`)
        assert.is(status, 400, `${path}?${query}`)
        assert.is(headers.get('content-type'), 'application/problem+json; charset=utf-8')
        assert.is(flaws('problem-body', body), '')
        assert.equal((body.errors as { pointer: string }[])[0]?.pointer, `/query/${name}`)
      }
    }
    for (const query of ['status=eaten', 'status=', 'status=toString']) {
      assert.is((await get(`${api.url}/orders?${query}`)).status, 400)
      assert.is((await get(`${api.url}/signals?${query}`)).status, 400)
    }
    for (const path of ['/fills?status=filled', '/portfolio?limit=1', '/livez?x=1']) {
      assert.is((await get(api.url + path)).status, 400, path)
    }
  })
})

test('all faults are named, twenty at most', async () => {
  await withApi(async (api) => {
    const { body } = await get(`${api.url}/orders?limit=0&symbol=a&order=b`)
    assert.is((body.errors as object[]).length, 3)
    const many = Array.from({ length: 200 }, (_, index) => `x${index}=1`).join('&')
    const cut = await get(`${api.url}/orders?${many}`)
    assert.is((cut.body.errors as object[]).length, 20)
    const long = await get(`${api.url}/orders?${'n'.repeat(3000)}=1`)
    assert.ok(long.text.length < 1000)
  })
})

test('strange ids are not found, or cannot be read, and the answer stays short', async () => {
  await withApi(async (api, projector) => {
    projector.book.created().intended(1).signal('alice', 's')
    projector.fold()
    const ids = [
      '0',
      '-1',
      '1e9',
      '999999999999999999999',
      '%00',
      '%0d%0a',
      '%F0%9F%92%A9',
      '..%2f',
    ]
    ids.push('__proto__', 'constructor', '%22%3E%3Cscript%3E', 'a'.repeat(1000), 'a'.repeat(9000))
    ids.push(':', ':::', 'operator:', 'operator:alice:', '%3A', '9'.repeat(15))
    for (const id of ids) {
      for (const path of ['/orders/', '/signals/']) {
        const { status, text, headers } = await get(api.url + path + id)
        assert.is(status, 404, path + id.slice(0, 50))
        assert.is(headers.get('content-type'), 'application/problem+json; charset=utf-8')
        assert.ok(text.length < 1000)
      }
    }
    for (const id of ['%', '%zz', '%ff%fe', '%c0%af']) {
      const { status, body } = await get(`${api.url}/orders/${id}`)
      assert.equal([status, body.type], [400, '/problems/bad-request'], id)
    }
  })
})

test('an address longer than the server reads is 431, as a problem', async () => {
  await withApi(async (api) => {
    const { status, body } = await get(`${api.url}/orders?symbol=${'A'.repeat(20_000)}`)
    assert.equal([status, body.type], [431, '/problems/headers-too-large'])
    assert.is(flaws('problem-body', body), '')
    assert.is((await get(`${api.url}/livez`)).status, 200)
  })
})

/** What comes back for raw bytes on a connection of their own. */
function raw(url: string, bytes: string): Promise<string> {
  const { hostname, port } = new URL(url)
  return new Promise((resolve, reject) => {
    let text = ''
    const socket = connect(Number(port), hostname, () => socket.write(bytes))
    socket.on('data', (chunk) => {
      text += String(chunk)
    })
    socket.on('end', () => socket.end())
    socket.on('close', () => resolve(text))
    socket.on('error', reject)
  })
}

test('what is not HTTP is told so', async () => {
  await withApi(async (api) => {
    const text = await raw(api.url, 'hello\r\n\r\n')
    assert.match(text, /^HTTP\/1\.1 400 /)
    assert.match(text, '/problems/bad-request')
  })
})

test('a client that is told so and stays, silent, is let go', async () => {
  const sockets = (): number =>
    process.getActiveResourcesInfo().filter((name) => name === 'TCPSocketWrap').length
  await withApi(async (api) => {
    const { hostname, port } = new URL(api.url)
    // What earlier tests left behind goes first.
    for (let i = 0; i < 200 && sockets() > 0; i++) await new Promise((r) => setTimeout(r, 10))
    const socket = connect({ port: Number(port), host: hostname, allowHalfOpen: true })
    try {
      socket.on('error', () => undefined)
      socket.write('nonsense\r\n\r\n')
      await new Promise((resolve) => socket.once('data', resolve))
      assert.is(sockets(), 2)
      await new Promise((resolve) => setTimeout(resolve, 800))
      // Only the client's own end is left.
      assert.is(sockets(), 1)
    } finally {
      socket.destroy()
    }
  })
})

test('closing does not wait for clients that never finish', async () => {
  const sockets: ReturnType<typeof connect>[] = []
  let started = 0
  await withApi(async (api) => {
    const { hostname, port } = new URL(api.url)
    for (const bytes of ['', 'GET /livez HTTP/1.1\r\nHost:', 'nonsense\r\n\r\n']) {
      const socket = connect({ port: Number(port), host: hostname, allowHalfOpen: true })
      socket.on('error', () => undefined)
      await new Promise<void>((resolve) => socket.once('connect', resolve))
      socket.write(bytes)
      sockets.push(socket)
    }
    await new Promise((resolve) => setTimeout(resolve, 50))
    started = performance.now()
  })
  assert.ok(performance.now() - started < 5000)
  for (const socket of sockets) socket.destroy()
})

test('no path and no query whatever gives a 500', async () => {
  await withApi(async (api, projector) => {
    projector.book.created().intended(1).filled(1, '1', '1').signal('a', 'b')
    projector.fold()
    const piece = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 30 }).map(encodeURIComponent),
      fc.string({ maxLength: 20 }).map((text) => text.replace(/[\s#\\]/g, '')),
      fc.constantFrom('%', '%00', '/', '//', '..', '?', '&', '=', ':', 'limit', 'cursor', '1'),
    )
    const path = fc.constantFrom('/', ...LISTS, '/orders/', '/signals/', '/portfolio', '/status')
    await fc.assert(
      fc.asyncProperty(path, fc.array(piece, { maxLength: 6 }), async (start, rest) => {
        const { status } = await get(api.url + start + rest.join(''))
        assert.ok(status < 500, `${start}${rest.join('')}: ${status}`)
      }),
      { numRuns: 400 },
    )
  })
})

test.run()
